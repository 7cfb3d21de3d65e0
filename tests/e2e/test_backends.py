# SPDX-License-Identifier: LGPL-2.1-or-later
"""The backends of cluster IPs, as programs that forward connections receive them."""

import contextlib
import os

from harness import SANITIZED, Daemon, same, wait_for
from inspect_client import Inspection, inspect
from test_inspect import listens

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  selector: {app: NAME}
  SPEC
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: dns, port: 53, protocol: UDP, targetPort: 5353}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: c, image: i, ports: [{name: web, containerPort: 8080}]}]}
"""
STATED = """
apiVersion: v1
kind: Service
metadata: {name: stated, uid: "1"}
spec: {clusterIP: 10.96.0.7, ports: [{port: 443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: stated-a, labels: {kubernetes.io/service-name: stated}}
addressType: IPv4
ports: [{port: 6443}]
endpoints: [{addresses: [10.0.0.2]}, {addresses: [10.0.0.1]}, {addresses: [10.0.0.3], conditions: {ready: false}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: stated-b, labels: {kubernetes.io/service-name: stated}}
addressType: IPv4
ports: [{port: 6443}]
endpoints: [{addresses: [10.0.0.2]}]
"""


def service(name, replicas, spec=""):
    return SERVICE.replace("NAME", name).replace("REPLICAS", str(replicas)).replace("SPEC", spec)


class Stream(Inspection):
    """A follower; batch() is what came up to the next "end"."""

    def __init__(self, daemon, *program):
        super().__init__(daemon.socket, "backends", *program)

    def batch(self):
        events = []
        while (event := self.event()) != {"event": "end"}:
            events.append(event)
        return events

    def services(self):
        return {event["name"]: event for event in self.batch() if event["event"] == "service"}


def endpoints(event, port=0):
    return [(e["address"], e["port"]) for e in event["ports"][port]["endpoints"]]


def test_all_at_first_then_what_changes():
    with Daemon({"web.yaml": service("web", 2), "db.yaml": service("db", 1)}) as daemon:
        with Stream(daemon) as stream:
            first = stream.batch()
            same([e for e in first if e["event"] == "ranges"],
                 [{"event": "ranges", "serviceCIDRs": ["127.96.0.0/16"]}])
            web, = [e for e in first if e.get("name") == "web"]
            db, = [e for e in first if e.get("name") == "db"]
            same(len(first), 3)
            same({k: v for k, v in web.items() if k not in ("clusterIPs", "ports")},
                 {"event": "service", "namespace": "default", "name": "web",
                  "origin": "allocated", "forwarded": True})
            same([ip.startswith("127.96.0.") for ip in web["clusterIPs"]], [True])
            same([{k: v for k, v in p.items() if k != "endpoints"} for p in web["ports"]],
                 [{"name": "http", "protocol": "TCP", "port": 80},
                  {"name": "dns", "protocol": "UDP", "port": 53}])
            before = endpoints(web)
            same([port for _, port in before], [8080, 8080])
            same(endpoints(web, 1), [(address, 5353) for address, _ in before])

            daemon.write("web.yaml", service("web", 3))
            changed, = stream.batch()
            same(changed["clusterIPs"], web["clusterIPs"])
            same(set(endpoints(changed)) > set(before), True)
            daemon.write("web.yaml", service("web", 3, "sessionAffinity: ClientIP"))
            changed, = stream.batch()
            same(changed["affinitySeconds"], 10800)
            daemon.write("web.yaml", service("web", 0))
            changed, = stream.batch()
            same(endpoints(changed), [])
            daemon.write("both.yaml", service("new", 1))
            same([e["name"] for e in stream.batch()], ["new"])
            os.unlink(daemon.dir / "manifests/db.yaml")
            same(stream.batch(), [{"event": "removed", "namespace": "default", "name": "db"}])
            same(db["namespace"], "default")


def test_changed_ones_come_before_removed_ones():
    with Daemon({"web.yaml": service("web", 2), "db.yaml": service("db", 1)}) as daemon:
        with Stream(daemon) as stream:
            stream.batch()
            daemon.write("db.yaml", service("new", 1))
            same([(e["event"], e["name"]) for e in stream.batch()],
                 [("service", "new"), ("removed", "db")])


def test_what_does_not_concern_endpoints_is_not_told():
    with Daemon({"web.yaml": service("web", 2)}) as daemon, Stream(daemon) as stream:
        stream.batch()
        daemon.write("web.yaml", service("web", 2) + "# a remark\n")
        daemon.reload()
        daemon.write("other.yaml", service("other", 1, "clusterIP: None"))
        daemon.write("web.yaml", service("web", 1))
        same([e["name"] for e in stream.batch()], ["web"])


def test_headless_services_are_left_out_and_come_when_they_are_not():
    with Daemon({"web.yaml": service("web", 1, "clusterIP: None")}) as daemon:
        with Stream(daemon) as stream:
            same(stream.services(), {})
            daemon.write("web.yaml", service("web", 1))
            same(list(stream.services()), ["web"])
            daemon.write("web.yaml", service("web", 1, "clusterIP: None"))
            same(stream.batch(), [{"event": "removed", "namespace": "default", "name": "web"}])


def test_stated_cluster_ips_are_forwarded_where_the_configuration_says_so():
    with Daemon({"a.yaml": STATED}) as daemon, Stream(daemon) as stream:
        stated = stream.services()["stated"]
        same((stated["origin"], stated["forwarded"], stated["clusterIPs"]),
             ("stated", False, ["10.96.0.7"]))
        same(endpoints(stated), [("10.0.0.1", 6443), ("10.0.0.2", 6443)], "each once, ready ones")
        daemon.config.write_text("proxy: {services: all}\n")
        daemon.reload()
        same([(e["name"], e["forwarded"]) for e in stream.batch()], [("stated", True)])
        daemon.config.write_text("proxy: {services: allocated}\nserviceCIDRs: [10.97.0.0/16]\n")
        daemon.reload()
        ranges, again = stream.batch()
        if ranges["event"] == "service":
            ranges, again = again, ranges
        same((ranges["serviceCIDRs"], again["forwarded"]), (["10.97.0.0/16"], False))


def test_services_of_a_cluster_are_never_forwarded():
    """Two directories above its file is the mark of a copy that kubesvc-cluster keeps."""
    with Daemon({"stated.yaml": STATED}, config="proxy: {services: all}\n") as daemon:
        with Stream(daemon) as stream:
            same(stream.services()["stated"]["forwarded"], True)
            (daemon.dir / ".status.json").write_text("{}")
            daemon.reload()
            same(stream.services()["stated"]["forwarded"], False)


def test_addresses_that_are_the_hosts_own_are_not_forwarded():
    """And no report says that they are."""
    special = STATED.replace("10.96.0.7", "127.0.0.53")
    with Daemon({"stated.yaml": special}, config="proxy: {services: all}\n") as daemon:
        with Stream(daemon) as stream:
            same(stream.services()["stated"]["forwarded"], False)
        same(inspect(daemon.socket, "describe", "default", "stated")[0]["forwarded"], False)


def test_namespaces_that_are_not_exposed_are_left_out():
    with Daemon({"web.yaml": service("web", 1)}, config="namespaces: [moon]\n") as daemon:
        with Stream(daemon) as stream:
            same(stream.services(), {})
            daemon.config.write_text("namespaces: [default]\n")
            daemon.reload()
            same(list(stream.services()), ["web"])


def test_before_the_first_load_all_comes_when_it_is_loaded():
    filler = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n---\n"
    held_up = filler * (((3 if SANITIZED else 12) << 20) // len(filler))
    with Daemon({"a.yaml": service("web", 1), "b.yaml": held_up}, ready=False) as daemon:
        wait_for(lambda: listens(daemon.socket), "the socket")
        with Stream(daemon) as stream:
            same(daemon.states(), [], "READY too early to test anything")
            same(list(stream.services()), ["web"])


def test_followers_all_know_the_same():
    with Daemon({"web.yaml": service("web", 1)}) as daemon, contextlib.ExitStack() as stack:
        streams = []
        for n in range(1, 4):
            daemon.write("web.yaml", service("web", n))
            for stream in streams:
                same(len(endpoints(stream.services()["web"])), n)
            wait_for(lambda: inspect(daemon.socket, "services")[0]["endpoints"] == n, "a reload")
            streams.append(stack.enter_context(Stream(daemon)))
            same(len(endpoints(streams[-1].services()["web"])), n)
        daemon.write("web.yaml", service("web", 5))
        for stream in streams:
            same(len(endpoints(stream.services()["web"])), 5)


def test_one_follows_again_after_all_had_gone():
    with Daemon({"web.yaml": service("web", 1)}) as daemon:
        for n in range(1, 4):
            daemon.write("web.yaml", service("web", n))
            with Stream(daemon) as stream:
                while len(endpoints(stream.services()["web"])) != n:
                    pass


def forwarders(daemon):
    status, = inspect(daemon.socket, "status")
    return status["forwarders"]


def test_programs_say_who_they_are():
    with Daemon({"web.yaml": service("web", 1)}) as daemon:
        with Stream(daemon) as only_looks, Stream(daemon, "my-proxy-2") as stream:
            stream.batch()
            only_looks.batch()
            same(forwarders(daemon),
                 [{"program": "my-proxy-2", "pid": os.getpid(), "uid": os.getuid()}])
        wait_for(lambda: forwarders(daemon) == [], "the program to be gone")
        for program in "My-Proxy", "a b", "x" * 33:
            inspect(daemon.socket, "backends", program, result="UNKNOWN")
        inspect(daemon.socket, "backends", "a", "b", result="UNKNOWN")


def test_followers_are_limited():
    with Daemon({"web.yaml": service("web", 1)}) as daemon:
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(Stream(daemon)).batch()
            inspect(daemon.socket, "backends", result="BUSY")

        def again():
            with Stream(daemon) as stream:
                try:
                    return bool(stream.batch())
                except EOFError:
                    return False
        wait_for(again, "room for a follower")


def test_one_that_does_not_read_is_disconnected():
    """Its socket is full, and then what may wait for it; the others go on."""
    many = "\n---\n".join(service(f"s{i}", 150) for i in range(100))
    with Daemon({"many.yaml": many}) as daemon, Stream(daemon, "reads") as stream:
        first = stream.services()
        same(len(first), 100)
        with Stream(daemon, "lazy") as lazy:
            wait_for(lambda: len(forwarders(daemon)) == 2, "both to follow")
            rounds = 0
            while len(forwarders(daemon)) == 2:
                rounds += 1
                changed = many.replace("8080", str(9000 + rounds)).replace("5353", str(6000 + rounds))
                daemon.write("many.yaml", changed)
                same(len(stream.services()), 100)
                same(rounds < 60, True, "still connected")
            same([f["program"] for f in forwarders(daemon)], ["reads"])
            with contextlib.suppress(EOFError, ConnectionResetError):
                while True:
                    lazy.event()
        daemon.write("many.yaml", many)
        same(stream.services(), first)


def wide(name, number, ports):
    """A Service with many ports, which all have the pods of one workload."""
    listed = ", ".join(f"{{name: p{i}, port: {i + 1}}}" for i in range(ports))
    return ("apiVersion: v1\nkind: Service\nmetadata: {name: %s, labels: {n: '%d'}}\n"
            "spec: {selector: {app: pool}, ports: [%s]}\n" % (name, number, listed))


def test_ports_times_endpoints_are_limited():
    """A few lines ask for billions; other Services are forwarded as before, and this one when there is
    room again."""
    pool = service("pool", 1000)
    with Daemon({"pool.yaml": pool, "a.yaml": wide("a", 0, 200), "b.yaml": wide("b", 0, 200),
                 "web.yaml": service("web", 2), "huge.yaml": wide("huge", 0, 20000)}) as daemon:
        with Stream(daemon) as stream:
            first = stream.services()
            same(len(endpoints(first["web"])), 2)
            same(first["huge"]["ports"], [])
            sizes = {name: len(first[name]["ports"]) for name in ("a", "b")}
            same(sorted(sizes.values()), [0, 200])
            has, lacks = sorted(sizes, key=sizes.get, reverse=True)
            daemon.wait_line("all Services together have more than 262144 ports and endpoints")
            note, = [n for n in inspect(daemon.socket, "status")[0]["notes"] if "not forwarded" in n]
            same(" and 1 more: not forwarded" in note, True, note)
            daemon.write(f"{has}.yaml", wide(has, 1, 10))
            changed = stream.services()
            same({name: len(e["ports"]) for name, e in changed.items()}, {has: 10, lacks: 200})
            same({len(p["endpoints"]) for p in changed[lacks]["ports"]}, {1000})
            os.unlink(daemon.dir / "manifests/huge.yaml")
            same([e["event"] for e in stream.batch()], ["removed"])
            # With affinity, 1,000 endpoints of 10 ports are more than all there is room for.
            sticky = wide(has, 1, 10).replace("spec: {", "spec: {sessionAffinity: ClientIP, ")
            daemon.write(f"{has}.yaml", sticky)
            same(stream.services()[has]["ports"], [])
            daemon.write(f"{has}.yaml", sticky.replace("app: pool", "app: none"))
            same(len(stream.services()[has]["ports"]), 10)
        same([n for n in inspect(daemon.socket, "status")[0]["notes"] if "not forwarded" in n], [])
