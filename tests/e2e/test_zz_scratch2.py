import json, os, pathlib, signal, socket, subprocess, time
from harness import *
from inspect_client import inspect
from proxying import *
from test_proxy import *
from test_zz_scratch import sh

def rss(p):
    return [l for l in pathlib.Path(f"/proc/{p.process.pid}/status").read_text().splitlines() if "VmHWM" in l or "VmRSS" in l]

def test_s6_many_endpoints():
    private_network()
    with Daemon({"web.yaml": workload("web", 5000)}, config="podCIDRs: [127.244.0.0/14]\n") as daemon:
        with Proxy(daemon.socket) as proxy, Servers() as servers:
            t=time.monotonic()
            time.sleep(3)
            print(proxy.states, proxy.lines, rss(proxy))
            ip = ip_of(daemon)
            print(len(pods(daemon)))
            for p in pods(daemon)[:]: 
                pass
            daemon.write("web.yaml", workload("web", 0)); 
            t=time.monotonic()
            wait_for(lambda: "service4" not in rules("list","map","inet","kubesvc","services4"), "gone")
            print(time.monotonic()-t, rss(proxy))
            raise AssertionError

def test_s6b_many_sticky():
    private_network()
    sticky = "sessionAffinity: ClientIP"
    with Daemon({"web.yaml": workload("web", 1000, spec=sticky)}, config="podCIDRs: [127.244.0.0/14]\n") as daemon:
        with Proxy(daemon.socket) as proxy, Servers() as servers:
            t=time.monotonic()
            proxy.wait_status("Forwarding to 1 Service")
            print(time.monotonic()-t, proxy.states, proxy.lines, rss(proxy))
            t=time.monotonic()
            daemon.write("web.yaml", workload("web", 999, spec=sticky)); 
            n=0
            while len(rules("list","chain","inet","kubesvc","service4/default/web/tcp/80").splitlines()) > 1005: n+=1
            print(time.monotonic()-t, rss(proxy))
            raise AssertionError

def test_s7_many_ports():
    private_network()
    ports = ", ".join(f"{{name: p{n}, port: {n}, targetPort: {n}}}" for n in range(1, 3001))
    with Daemon({"web.yaml": workload("web", 10, ports)}) as daemon:
        with Proxy(daemon.socket) as proxy, Servers() as servers:
            time.sleep(3)
            print(proxy.states, proxy.lines, rss(proxy))
            print(daemon.lines[:5])
            raise AssertionError

def test_s8_ten_thousand():
    private_network()
    text = "\n---\n".join(workload(f"s{n}", 2) for n in range(5000))
    with Daemon({"web.yaml": text}, config="podCIDRs: [127.244.0.0/14]\n") as daemon:
        with Proxy(daemon.socket) as proxy, Servers() as servers:
            t=time.monotonic()
            time.sleep(6)
            print(proxy.states, proxy.lines, rss(proxy))
            print(daemon.lines[:5])
            os.kill(daemon.process.pid, signal.SIGKILL)
            time.sleep(.5)
            proxy.process.kill(); proxy.process.wait()
            raise AssertionError
