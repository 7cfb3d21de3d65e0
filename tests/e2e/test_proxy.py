# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-proxy with a real kernel, in network namespaces of the tests' own: connections to cluster
IPs, what changes do to them, and what happens to the table when programs end."""

import collections
import contextlib
import math
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

from harness import (HERE, PATIENCE, SANITIZED, Daemon, built, limit, need_program, need_root, same,
                     skip, wait_for)
from inspect_client import inspect
from proxying import NFT, Proxy, Servers, chosen_by, connect, private_network, refused, rules

PORTS = "{name: http, port: 80, targetPort: 8080}"
WORKLOAD = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [PORTS], SPEC}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: c, image: i, ports: [{name: web, containerPort: 9090}]}]}
"""


def workload(name, replicas, ports=PORTS, spec="type: ClusterIP"):
    return (WORKLOAD.replace("NAME", name).replace("PORTS", ports).replace("SPEC", spec)
            .replace("REPLICAS", str(replicas)))


def services(daemon):
    return {service["name"]: service for service in inspect(daemon.socket, "services")}


def ip_of(daemon, name="web"):
    return services(daemon)[name]["clusterIPs"][0]


def pods(daemon, name="web"):
    """The addresses of its pods, of the newest last."""
    endpoints = {e["name"]: e for e in inspect(daemon.socket, "endpoints")}
    return sorted((a["address"] for a in endpoints[name]["addresses"]), key=socket.inet_aton)


@contextlib.contextmanager
def world(manifests, config="", options=()):
    """A daemon, a proxy that follows it, and servers."""
    private_network()
    with Daemon(manifests, config=config, options=options) as daemon, Servers() as servers:
        with Proxy(daemon.socket, ready=True) as proxy:
            yield daemon, proxy, servers


def scale(daemon, number, **parts):
    """Changes replicas, and returns the pods when the daemon has them."""
    daemon.write("web.yaml", workload("web", number, **parts))
    wait_for(lambda: len(pods(daemon)) == number, f"{number} pods")
    return pods(daemon)


def tally(address, port, n, **more):
    return collections.Counter(connect(address, port, **more)[0] for _ in range(n))


def test_each_endpoint_gets_its_share():
    """Within three sigma of a third of 3,000."""
    with world({"web.yaml": workload("web", 3)}) as (daemon, _, servers):
        for pod in pods(daemon):
            servers.add(pod, 8080)
        n, p = 3000, 1 / 3
        shares = tally(ip_of(daemon), 80, n)
        same(sorted(shares), sorted(pods(daemon)))
        for share in shares.values():
            same(abs(share - n * p) <= 3 * math.sqrt(n * p * (1 - p)) + 1, True, f"{shares}")


def test_ports_by_number_and_by_name_of_each_protocol():
    ports = ("{name: http, port: 80, targetPort: web}, {name: same, port: 81}, "
             "{name: dns, port: 53, protocol: UDP, targetPort: 5353}, "
             "{name: s, port: 9, protocol: SCTP, targetPort: 99}, "
             "{name: none, port: 82, targetPort: nowhere}")
    with world({"web.yaml": workload("web", 1, ports)}) as (daemon, _, servers):
        (pod,), ip = pods(daemon), ip_of(daemon)
        servers.add(pod, 9090)
        servers.add(pod, 81)
        servers.add(pod, 5353, socket.SOCK_DGRAM)
        same(connect(ip, 80)[:2], (pod, 9090))
        same(connect(ip, 81)[:2], (pod, 81))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.connect((ip, 53))
            client.send(b"?")
            same(client.recv(64).split()[:2], [pod.encode(), b"5353"])
        same(refused(ip, 82), True, "no endpoint has that port")
        same(refused(ip, 53), True, "another protocol")
        same(refused(ip, 8080), True, "no port of the Service")
        if os.path.exists(NFT):
            chain = rules("list", "chain", "inet", "kubesvc", "service4/default/web/sctp/9")
            same(f"meta l4proto sctp dnat ip to {pod}:99" in chain, True, chain)


def test_without_endpoints_it_is_refused_at_once():
    with world({"web.yaml": workload("web", 0)}) as (daemon, _, servers):
        ip = ip_of(daemon)
        start = time.monotonic()
        same(refused(ip, 80), True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((ip, 80))
            try:
                client.send(b"?")
                client.settimeout(PATIENCE)
                client.recv(1)
                raise AssertionError("something answered")
            except (ConnectionRefusedError, PermissionError):
                pass
        same(time.monotonic() - start < PATIENCE / 2, True, "refused only after a timeout")
        pod, = scale(daemon, 1)
        servers.add(pod, 8080)
        wait_for(lambda: not refused(ip, 80), "an endpoint")
        same(connect(ip, 80)[:2], (pod, 8080))


def test_a_client_stays_with_its_endpoint():
    sticky = "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}"
    with world({"web.yaml": workload("web", 4, spec=sticky)}) as (daemon, _, servers):
        ip = ip_of(daemon)
        for pod in pods(daemon):
            servers.add(pod, 8080)
        chosen = {}
        for n in range(40):
            source = f"127.1.0.{n + 1}"
            (chosen[source], count), = tally(ip, 80, 3, source=source).items()
            same(count, 3)
        same(set(chosen.values()), set(pods(daemon)), "clients are spread")
        # Who was with the pod that goes gets another one, and all others stay.
        left = scale(daemon, 3, spec=sticky)
        gone = set(chosen.values()) - set(left)
        wait_for(lambda: all(connect(ip, 80, f"127.2.0.{n + 1}")[0] in left for n in range(40)),
                 "the change")
        for source, pod in chosen.items():
            now = {connect(ip, 80, source)[0] for _ in range(3)}
            same(now == {pod} if pod not in gone else len(now) == 1 and now <= set(left), True)


def test_a_client_stays_with_its_endpoint_across_proxies():
    spec = "sessionAffinity: ClientIP"
    with world({"web.yaml": workload("web", 4, spec=spec)}) as (daemon, proxy, servers):
        ip = ip_of(daemon)
        for pod in pods(daemon):
            servers.add(pod, 8080)
        clients = [f"127.1.0.{n + 1}" for n in range(40)]
        chosen = chosen_by(clients, ip)
        same(len(set(chosen.values())), 4)
        for _ in range(2):
            proxy.process.kill()
            proxy.process.wait()
            proxy = Proxy(daemon.socket, ready=True)
            same(chosen_by(clients, ip), chosen)
        same((proxy.end(), proxy.lines), (0, []))


def test_established_connections_are_not_touched():
    ports = "{name: echo, port: 7}"
    with world({"web.yaml": workload("web", 2, ports)}) as (daemon, proxy, servers):
        ip = ip_of(daemon)
        for pod in pods(daemon):
            servers.add(pod, 7)
        with contextlib.ExitStack() as stack:
            echoes = [stack.enter_context(socket.create_connection((ip, 7), PATIENCE)) for _ in range(8)]
            for echo in echoes:
                echo.makefile().readline()
            for number in 3, 1, 0:
                scale(daemon, number, ports=ports)
                if number == 0:
                    wait_for(lambda: refused(ip, 7), "no endpoint")
                for echo in echoes:
                    echo.sendall(b"still")
                    same(echo.recv(5), b"still")
            os.unlink(daemon.dir / "manifests/web.yaml")
            wait_for(lambda: not services(daemon), "no Service")
            for echo in echoes:
                echo.sendall(b"there")
                same(echo.recv(5), b"there")


def test_flows_of_udp_leave_an_endpoint_that_is_gone():
    ports = "{name: dns, port: 53, protocol: UDP, targetPort: 5353}"
    with world({"web.yaml": workload("web", 2, ports)}) as (daemon, _, servers):
        ip, before = ip_of(daemon), pods(daemon)
        for pod in before:
            servers.add(pod, 5353, socket.SOCK_DGRAM)

        def ask(client):
            """The answer to a question that comes just when its flow is ended has nowhere to go."""
            for _ in range(PATIENCE):
                client.send(b"?")
                with contextlib.suppress(TimeoutError):
                    return client.recv(64).split()[0].decode()
            raise AssertionError("no answer")

        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(16):
                client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                client.settimeout(1)
                client.connect((ip, 53))
                clients.append(client)
            first = [ask(client) for client in clients]
            same(set(first), set(before), "both are used")
            same([ask(client) for client in clients], first, "a flow stays")
            left, = scale(daemon, 1, ports=ports)
            wait_for(lambda: {ask(client) for client in clients} == {left}, "the flows to move")


def test_both_families_and_routes_of_ranges_that_have_none():
    config = ("serviceCIDRs: [10.96.0.0/16, 'fd00:96::/112']\n"
              "podCIDRs: [127.244.0.0/16, 'fd00:244::/64']\n")
    dual = "ipFamilyPolicy: RequireDualStack"
    with world({"web.yaml": workload("web", 2, spec=dual)}, config) as (daemon, proxy, servers):
        for entry in inspect(daemon.socket, "endpoints"):
            for endpoint in entry["addresses"]:
                servers.add(endpoint["address"], 8080, free=":" in endpoint["address"])
        inet, inet6 = sorted(services(daemon)["web"]["clusterIPs"], key=lambda ip: ":" in ip)
        ip = need_program("ip")
        subprocess.run([ip, "-6", "route", "add", "local", "fd00:244::/64", "dev", "lo"], check=True)
        same([a.startswith("127.244.0.") for a in tally(inet, 80, 20)], [True, True])
        same([a.startswith("fd00:244::") for a in tally(inet6, 80, 20)], [True, True])
        same((refused(inet, 81), refused(inet6, 81), refused("10.96.77.7", 80)), (True, True, True))

        def routes():
            return [line.split()[1] for family in ("-4", "-6") for line in subprocess.run(
                [ip, family, "route", "show", "table", "local", "proto", "107"],
                stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()]
        same(routes(), ["10.96.0.0/16", "fd00:96::/112"])
        daemon.config.write_text("serviceCIDRs: [10.97.0.0/16]\n")
        daemon.reload()
        wait_for(lambda: routes() == ["10.97.0.0/16"], "the other route")
        # A killed one leaves its routes, and the next one finds them.
        proxy.process.kill()
        proxy.process.wait()
        same(routes(), ["10.97.0.0/16"])
        with Proxy(daemon.socket, ready=True) as second:
            same(routes(), ["10.97.0.0/16"])
            same(second.end(), 0)
        same(routes(), [])


def test_no_route_is_added_where_there_is_one():
    private_network()
    ip = need_program("ip")
    subprocess.run([ip, "link", "add", "v0", "type", "veth", "peer", "name", "v1"], check=True)
    for command in "addr add 192.0.2.2/24 dev v0", "link set v0 up", "link set v1 up", \
            "route add default via 192.0.2.1":
        subprocess.run([ip, *command.split()], check=True)
    config = "serviceCIDRs: [10.96.0.0/16]\n"
    with Daemon({"web.yaml": workload("web", 1)}, config=config) as daemon, Servers() as servers:
        with Proxy(daemon.socket, ready=True):
            show = [ip, "route", "show", "table", "local", "proto", "107"]
            same(subprocess.run(show, stdout=subprocess.PIPE, check=True).stdout, b"")
            servers.add(pods(daemon)[0], 8080)
            same(connect(ip_of(daemon), 80)[:2], (pods(daemon)[0], 8080))
            # The host goes offline, and its own Services stay.
            subprocess.run([ip, "route", "del", "default"], check=True)
            wait_for(lambda: subprocess.run(show, stdout=subprocess.PIPE, check=True).stdout,
                     "a route")
            same(connect(ip_of(daemon), 80)[:2], (pods(daemon)[0], 8080))


def test_a_range_that_can_have_no_route_is_reported_once():
    """However often routes and Services change."""
    private_network()
    disable = pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
    if not disable.exists():
        skip("no IPv6 here")
    disable.write_text("1")
    ip = need_program("ip")
    config = "serviceCIDRs: [10.96.0.0/16, 'fd00:96::/112']\npodCIDRs: [127.244.0.0/16]\n"
    with Daemon({"web.yaml": workload("web", 1)}, config=config) as daemon, Servers() as servers, \
            Proxy(daemon.socket, ready=True) as proxy:
        for name in "a", "b":
            subprocess.run([ip, "link", "add", "name", name, "type", "veth", "peer", "name", f"peer-{name}"],
                           check=True)
            daemon.write(f"{name}.yaml", workload(name, 1))
            wait_for(lambda: len(pods(daemon, name) if name in services(daemon) else []) == 1, name)
            servers.add(pods(daemon, name)[0], 8080)
            wait_for(lambda: not refused(ip_of(daemon, name), 80), "the Service")
        same([line for line in proxy.lines if "fd00" in line],
             ["fd00:96::/112 has no route, and none can be added: Permission denied; its addresses cannot be "
              "reached"])
        disable.write_text("0")
        subprocess.run([ip, "link", "set", "lo", "down"], check=True)
        subprocess.run([ip, "link", "set", "lo", "up"], check=True)
        wait_for(lambda: "added a local route for fd00:96::/112, which had none" in proxy.lines, "a route")


STATED = """
apiVersion: v1
kind: Service
metadata: {name: stated}
spec: {clusterIP: 10.96.0.7, ports: [{port: 80}, {name: none, port: 81}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: stated-a, labels: {kubernetes.io/service-name: stated}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [192.0.2.2]}]
"""

POD = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
from proxying import CLONE_NEWNET, Servers, connect, loopback_up, refused, unshare
unshare(CLONE_NEWNET)
loopback_up()
print("apart", flush=True)
sys.stdin.readline()
with Servers() as servers:
    servers.add("192.0.2.2", 8080)
    print(connect("10.96.0.7", 80), refused("10.96.0.7", 81), flush=True)
    sys.stdin.readline()
"""


def test_a_pod_reaches_itself_through_its_service():
    """A pod in a network namespace of its own, connected to the host's: what it sends to the cluster
    IP is forwarded to itself, with an address of the host as its source, or it would answer past
    the translation."""
    private_network()
    ip = need_program("ip")
    pod = subprocess.Popen([sys.executable, "-B", "-c", POD, str(HERE)], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    same(pod.stdout.readline(), "apart\n")
    inside = [need_program("nsenter"), "-t", str(pod.pid), "-n", ip]
    subprocess.run([ip, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns",
                    str(pod.pid)], check=True)
    for command in "addr add 192.0.2.1/24 dev v0", "link set v0 up":
        subprocess.run([ip, *command.split()], check=True)
    for command in "addr add 192.0.2.2/24 dev v1", "link set v1 up", "route add default via 192.0.2.1":
        subprocess.run([*inside, *command.split()], check=True)
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    with Daemon({"stated.yaml": STATED}, config="proxy: {services: all}\n") as daemon:
        with Proxy(daemon.socket, ready=True):
            pod.stdin.write("\n")
            pod.stdin.flush()
            same(pod.stdout.readline(), "('192.0.2.2', 8080, '192.0.2.1') True\n")
            same(connect_through_default(ip), ("192.0.2.2", 8080, "192.0.2.1"))
            pod.communicate("\n", timeout=PATIENCE)
    same(pod.returncode, 0)


def connect_through_default(ip):
    """The host itself, which has no route to the cluster IP but that of its default."""
    subprocess.run([ip, "route", "add", "default", "via", "192.0.2.2"], check=True)
    return connect("10.96.0.7", 80)


def test_stated_cluster_ips_are_left_alone_unless_told_otherwise():
    with world({"stated.yaml": STATED}) as (daemon, proxy, _):
        proxy.wait_status("Forwarding to 0 Services")
        daemon.config.write_text("proxy: {services: all}\n")
        daemon.reload()
        proxy.wait_status("Forwarding to 1 Service.")


def kubesvc(daemon, *arguments, code=0):
    done = subprocess.run([built("kubesvc"), *arguments], env=daemon.env, capture_output=True, text=True)
    same(done.returncode, code, done.stderr)
    return done.stdout


def test_the_command_line_says_what_stands_behind_an_address():
    without = "none: no kubesvc-proxy is running", "so nothing forwards connections", \
        "1 allocated, and nothing forwards", "no kubesvc-proxy is running, so nothing forwards connections"
    present = "to the endpoints, by kubesvc-proxy", "kubesvc-proxy forwards connections to them", \
        "kubesvc-proxy forwards connections to them", '"warnings": 1\n}'

    def says(daemon):
        return (kubesvc(daemon, "describe", "svc", "web"), kubesvc(daemon, "explain", "web"),
                subprocess.run([built("kubesvc"), "doctor"], env=daemon.env, stdout=subprocess.PIPE,
                               text=True).stdout,
                kubesvc(daemon, "check", "-o", "json", str(daemon.dir / "manifests/web.yaml")))

    with world({"web.yaml": workload("web", 2), "stated.yaml": STATED}) as (daemon, proxy, _):
        for text, part in zip(says(daemon), present):
            same(part in text, True, f"{part!r} in {text}")
        same(proxy.end(), 0)
        wait_for(lambda: not inspect(daemon.socket, "status")[0]["forwarders"], "the proxy to be gone")
        for text, part in zip(says(daemon), without):
            same(part in text, True, f"{part!r} in {text}")
        same("left to the owner of the address" in kubesvc(daemon, "describe", "svc", "stated"), True)


def test_exported_rules_are_those_of_the_proxy():
    ports = "{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}"
    sticky = "sessionAffinity: ClientIP"
    manifests = {"web.yaml": workload("web", 3, ports), "sticky.yaml": workload("sticky", 2, spec=sticky)}
    with world(manifests) as (daemon, proxy, servers):
        exported = kubesvc(daemon, "export", "nft")
        loaded = rules("list", "table", "inet", "kubesvc")
        same(proxy.end(), 0)
        same(refused(ip_of(daemon), 80), True, "nothing forwards")
        pathlib.Path("exported.nft").write_text(exported)
        rules("-f", "exported.nft")
        same(sorted(rules("list", "table", "inet", "kubesvc").split()), sorted(loaded.split()))
        for pod in pods(daemon):
            servers.add(pod, 8080)
        same(connect(ip_of(daemon), 80)[0] in pods(daemon), True)
        kubesvc(daemon, "export", "nft", "-n", "moon", code=1)


def test_a_second_proxy_refuses():
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, servers):
        servers.add(pods(daemon)[0], 8080)
        with Proxy(daemon.socket) as second:
            same(second.process.wait(PATIENCE), 1)
            second.reader.join(PATIENCE)
            same(second.lines, ["another kubesvc-proxy runs in this network namespace; exiting"])
        same(connect(ip_of(daemon), 80)[0], pods(daemon)[0])
        same(proxy.end(), 0)
        with Proxy(daemon.socket, ready=True):
            same(connect(ip_of(daemon), 80)[0], pods(daemon)[0])


class Load:
    """Connections one after the other, a thread that notes which were refused."""

    def __init__(self, address, port, pause=0.0):
        self.done, self.failed, self.over = 0, [], False
        self.address, self.port, self.pause = address, port, pause
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over:
            try:
                connect(self.address, self.port)
            except OSError as error:
                self.failed.append(repr(error))
            self.done += 1
            time.sleep(self.pause)

    def more(self, n=30):
        """Until that many more are done."""
        goal = self.done + n
        wait_for(lambda: self.done >= goal, f"{n} connections")

    def __enter__(self):
        self.more(1)
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join(PATIENCE)


def test_a_killed_proxy_is_followed_without_a_gap():
    """Neither for new connections nor for one that stays."""
    ports = f"{PORTS}, {{name: echo, port: 7}}"
    with world({"web.yaml": workload("web", 3, ports)}) as (daemon, proxy, servers):
        for pod in pods(daemon):
            servers.add(pod, 8080)
            servers.add(pod, 7)
        with socket.create_connection((ip_of(daemon), 7), PATIENCE) as echo, \
                Load(ip_of(daemon), 80) as load:
            echo.makefile().readline()
            for _ in range(5):
                proxy.process.kill()
                proxy.process.wait()
                load.more()
                proxy = Proxy(daemon.socket, ready=True)
                load.more()
                echo.sendall(b"still")
                same(echo.recv(5), b"still")
        same(load.failed, [])
        same(proxy.end(), 0)
        servers.add(ip_of(daemon), 80)
        same(connect(ip_of(daemon), 80)[:2], (ip_of(daemon), 80), "the table is gone")


def test_connections_are_refused_only_while_there_is_no_endpoint():
    """A Deployment scaled under 50 connections a second. Servers come before their pods count, and go
    after."""
    with world({"web.yaml": workload("web", 3)}) as (daemon, _, servers):
        ip, now = ip_of(daemon), pods(daemon)
        for pod in now:
            servers.add(pod, 8080)
        later = [f"127.244.0.{n}" for n in range(1, 9)]
        for pod in set(later) - set(now):
            servers.add(pod, 8080)
        with Load(ip, 80, pause=0.02) as load:
            for number in 5, 1:
                scale(daemon, number)
                load.more(50)
                same(load.failed, [])
            scale(daemon, 0)
            wait_for(lambda: load.failed, "refusals")
            same(set(load.failed), {"ConnectionRefusedError(111, 'Connection refused')"})
            scale(daemon, 2)
            wait_for(lambda: not refused(ip, 80), "endpoints")
            load.failed.clear()
            load.more(50)
        same(load.failed, [])


def test_the_table_comes_back_when_others_delete_it():
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, servers):
        servers.add(pods(daemon)[0], 8080)
        rules("flush", "ruleset")
        wait_for(lambda: any("deleted by another program" in line for line in proxy.lines), "a word")
        wait_for(lambda: not refused(ip_of(daemon), 80), "the table")
        rules("flush", "map", "inet", "kubesvc", "services4")
        scale(daemon, 2)
        scale(daemon, 0)
        scale(daemon, 1)
        wait_for(lambda: not refused(ip_of(daemon), 80), "a table that is whole again")


def test_a_table_that_others_restore_is_replaced():
    """A ruleset that was saved with our table in it, and is loaded again when that has changed."""
    with world({"web.yaml": workload("web", 1), "db.yaml": workload("db", 1)}) as (daemon, proxy, servers):
        servers.add(pods(daemon, "db")[0], 8080)
        saved = pathlib.Path("saved.nft")
        saved.write_text("flush ruleset\n" + rules("list", "table", "inet", "kubesvc"))
        ip = ip_of(daemon)
        scale(daemon, 0)
        wait_for(lambda: f"{ip} . tcp" not in rules("list", "map", "inet", "kubesvc", "services4"),
                 "the change")
        for _ in range(3):
            said = len(proxy.lines)
            rules("-f", str(saved))
            wait_for(lambda: f"{ip} . tcp" not in rules("list", "map", "inet", "kubesvc", "services4"),
                     "our own table")
            wait_for(lambda: len(proxy.lines) > said, "a word")
            same(proxy.lines[said:],
                 ["the table inet kubesvc was deleted by another program; loading it again"])
        same(connect(ip_of(daemon, "db"), 80)[0], pods(daemon, "db")[0])


def test_forwarding_goes_on_without_the_daemon():
    with world({"web.yaml": workload("web", 1), "db.yaml": workload("db", 1)}) as (daemon, proxy, servers):
        ip, (pod,) = ip_of(daemon), pods(daemon)
        db_ip, (db_pod,) = ip_of(daemon, "db"), pods(daemon, "db")
        servers.add(pod, 8080)
        servers.add(db_pod, 8080)
        daemon.stop()
        wait_for(lambda: any("waiting for it" in line for line in proxy.lines), "a word")
        same(connect(ip, 80)[0], pod)
        os.unlink(daemon.dir / "manifests/db.yaml")
        with Daemon(daemon.dir / "manifests", dir=daemon.dir) as again:
            wait_for(lambda: refused(db_ip, 80), "the Service to be gone")
            same(connect(ip, 80)[0], pod)
            wait_for(lambda: any("answers again" in line for line in proxy.lines), "a word")
            status, = inspect(again.socket, "status")
            same([f["program"] for f in status["forwarders"]], ["kubesvc-proxy"])


def test_without_the_capability_it_says_what_is_missing():
    need_root()
    private_network()
    with Proxy("/nonexistent", wrapper=(need_program("setpriv"), "--bounding-set=-net_admin",
                                        "--inh-caps=-net_admin")) as proxy:
        same(proxy.process.wait(PATIENCE), 1)
        proxy.reader.join(PATIENCE)
        same(proxy.lines, ["cannot change nftables rules: this requires CAP_NET_ADMIN"])


def test_the_capability_over_another_network_is_not_enough():
    """As that of a container in the host's network: the kernel says the same as of a second proxy."""
    need_root()
    private_network()
    with Proxy("/nonexistent", wrapper=(need_program("unshare"), "--user", "--map-root-user")) as proxy:
        same(proxy.process.wait(PATIENCE), 1)
        proxy.reader.join(PATIENCE)
        same(proxy.lines, ["cannot change nftables rules: this requires CAP_NET_ADMIN"])


def test_that_capability_is_enough():
    need_root()
    private_network()
    with Daemon({"web.yaml": workload("web", 1)}, config="serviceCIDRs: [10.96.0.0/16]\n") as daemon:
        for path in [daemon.dir, *daemon.dir.parents]:
            if path != pathlib.Path("/"):
                path.chmod(path.stat().st_mode | 0o011)
        wrapper = (need_program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups",
                   "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin",
                   "--ambient-caps=-all,+net_admin")
        with Servers() as servers, Proxy(daemon.socket, ready=True, wrapper=wrapper) as proxy:
            servers.add(pods(daemon)[0], 8080)
            same(connect(ip_of(daemon), 80)[0], pods(daemon)[0])
            same(proxy.end(), 0)


def test_wrong_arguments():
    for arguments in ["--nix"], ["x"]:
        done = subprocess.run([built("kubesvc-proxy"), *arguments], capture_output=True, text=True)
        same((done.returncode, done.stdout), (1, ""))
    done = subprocess.run([built("kubesvc-proxy"), "--version"], capture_output=True, text=True)
    same((done.returncode, done.stdout.split()[0]), (0, "kubesvc-proxy"))


def one_takes_less(most, each):
    """Of as many tries as there are in `each`; the machine may have other things to do."""
    taken = []
    for seconds in each:
        taken.append(round(seconds, 4))
        if seconds < most:
            return
    raise AssertionError(f"none of {taken} s is less than {most}")


@limit(120)
def test_a_thousand_services():
    """The whole is loaded within a second, and a change within 20 ms."""
    slow = 10 if SANITIZED else 1
    need_root()  # others may not send the kernel so much at once
    private_network()
    manifests = {f"s{n}.yaml": workload(f"s{n}", 10) for n in range(1000)}
    with Daemon(manifests) as daemon:
        def load():
            with Proxy(daemon.socket) as proxy:
                start = time.monotonic()
                proxy.wait_status("Forwarding to 1000 Services")
                return time.monotonic() - start

        def change_one(n):
            name, ip = f"s{n}", ip_of(daemon, f"s{n}")
            for pod in pods(daemon, name):
                servers.add(pod, 8080)
            return change(daemon, name, ip, 0)

        one_takes_less(1.0 * slow, (load() for _ in range(20)))
        with Proxy(daemon.socket) as proxy, Servers() as servers:
            proxy.wait_status("Forwarding to 1000 Services")
            one_takes_less(0.02 * slow, map(change_one, range(50)))


def change(daemon, name, ip, number):
    """Seconds from the answer's change, as a follower is told it, to that of a connection."""
    from test_backends import Stream
    with Stream(daemon) as stream:
        stream.batch()
        daemon.write(f"{name}.yaml", workload(name, number))
        same([e["name"] for e in stream.batch()], [name])
        start = time.monotonic()
        while not refused(ip, 80):
            pass
        return time.monotonic() - start
