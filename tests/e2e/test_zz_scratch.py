import json, os, pathlib, signal, socket, subprocess, time
from harness import *
from inspect_client import inspect
from proxying import *
from test_proxy import *

def sh(c, **k):
    d = subprocess.run(c, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **k)
    print("$", c, "->", d.returncode, "\n", d.stdout[:1500], flush=True)
    return d.stdout

def test_s1_saved_ruleset():
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, servers):
        servers.add(pods(daemon)[0], 8080)
        pathlib.Path("saved").write_text("flush ruleset\n" + rules("list", "ruleset"))
        sh("cat saved")
        ip = ip_of(daemon)
        scale(daemon, 0)
        wait_for(lambda: refused(ip, 80), "x")
        sh("/usr/sbin/nft -f saved")
        print("refused", refused(ip, 80))
        text = pathlib.Path("saved").read_text()
        import re
        text = re.sub(r"table inet kubesvc-lock \{.*?\n\}\n", "", text, flags=re.S)
        pathlib.Path("saved2").write_text(text)
        sh("/usr/sbin/nft -f saved2")
        time.sleep(1)
        print("refused", refused(ip, 80), proxy.lines)
        sh("/usr/sbin/nft flush table inet kubesvc")
        time.sleep(1)
        sh("/usr/sbin/nft list ruleset")
        raise AssertionError

def test_s2_owner_message():
    private_network()
    sh(f"unshare -U -r {built('kubesvc-proxy')} --socket /x")
    sh(f"setpriv --reuid=65534 --clear-groups unshare -U -r {built('kubesvc-proxy')} --socket /x")
    sh(f"setpriv --reuid=65534 --clear-groups {built('kubesvc-proxy')} --socket /x")
    raise AssertionError

def test_s4_ipv6_off():
    config = ("serviceCIDRs: [10.96.0.0/16, 'fd00:96::/112']\n"
              "podCIDRs: [127.244.0.0/16, 'fd00:244::/64']\n")
    dual = "ipFamilyPolicy: RequireDualStack"
    private_network()
    pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    with Daemon({"web.yaml": workload("web", 2, spec=dual)}, config) as daemon, Servers() as servers:
        with Proxy(daemon.socket, ready=True) as proxy:
            for n in range(5):
                sh(f"ip link add d{n} type dummy; ip link set d{n} up; ip addr add 192.0.2.{n}/24 dev d{n}")
            servers.add(pods(daemon)[0] if False else "127.244.0.1", 8080)
            print(services(daemon))
            sh("ip link set lo down"); time.sleep(.3)
            sh("ip link set lo up"); time.sleep(.3)
            sh("ip route show table local; ip -6 route show table all")
            print("\n".join(proxy.lines))
            raise AssertionError
