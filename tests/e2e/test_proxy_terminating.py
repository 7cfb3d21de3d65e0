# SPDX-License-Identifier: LGPL-2.1-or-later
"""Endpoints that terminate but still serve: kubesvc-proxy falls back on them while none is ready, and
leaves them what they have."""

import contextlib
import socket

from harness import PATIENCE, same, wait_for
from proxying import chosen_by, connect, refused, rules
from test_backends import Stream
from test_proxy import ip_of, kubesvc, pods, services, world

CONFIG = "proxy: {services: all}\nserviceCIDRs: [10.96.0.0/16]\n"
IP = "10.96.0.7"
A, B = "127.0.5.1", "127.0.5.2"
READY = ""
TERMINATING = ", conditions: {ready: false, serving: true, terminating: true}"
# As kube-proxy, which takes what is absent for serving.
TERMINATING_SHORT = ", conditions: {ready: false, terminating: true}"
ENDED = ", conditions: {ready: false, serving: false, terminating: true}"
UNREADY = ", conditions: {ready: false, serving: false, terminating: false}"


def stated(*endpoints, spec="type: ClusterIP"):
    """A Service, and a slice of these (address, conditions)."""
    listed = ", ".join(f"{{addresses: [{address}]{conditions}}}" for address, conditions in endpoints)
    ports = ("{{name: http, port: 80{}}}, {{name: echo, port: 7}}, {{name: dns, port: 53, protocol: UDP}}, "
             "{{name: none, port: 99}}")
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: {IP}, ports: [{ports.format("")}], {spec}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: web-a, labels: {{kubernetes.io/service-name: web}}}}
addressType: IPv4
ports: [{{name: http, port: 8080}}, {{name: echo, port: 7}}, {{name: dns, port: 5353, protocol: UDP}}]
endpoints: [{listed}]
"""


class Change:
    """Writes manifests; when it returns, the table has them."""

    def __init__(self, daemon, proxy):
        self.daemon, self.proxy, self.n = daemon, proxy, 0

    def __call__(self, *endpoints, **more):
        self.daemon.write("web.yaml", stated(*endpoints, **more))
        self.settle()

    def settle(self):
        """A Service that follows is in the table, hence also what came before it."""
        self.n += 1
        ip = f"10.96.1.{self.n}"
        self.daemon.write("mark.yaml", stated((A, READY)).replace("web", "mark").replace(IP, ip))
        wait_for(lambda: not refused(ip, 80), "the change")


@contextlib.contextmanager
def two(*endpoints, **more):
    manifests = {"web.yaml": stated(*endpoints, **more)}
    with world(manifests, CONFIG) as (daemon, proxy, servers):
        for address in A, B:
            servers.add(address, 8080)
            servers.add(address, 7)
            servers.add(address, 5353, socket.SOCK_DGRAM)
        yield daemon, Change(daemon, proxy)


def reached(n=40):
    return {connect(IP, 80)[0] for _ in range(n)}


def test_they_get_connections_only_while_none_is_ready():
    with two((A, READY), (B, READY)) as (_, change):
        same(reached(), {A, B})
        with socket.create_connection((IP, 7), PATIENCE) as echo:
            peer = echo.makefile().readline().split()[0]
            stays, goes = (A, B) if peer == B else (B, A)
            change((stays, READY), (goes, TERMINATING))
            same(reached(), {stays}, "one is ready")
            change((stays, TERMINATING), (goes, TERMINATING_SHORT))
            same(reached(), {A, B}, "none is ready")
            change((stays, TERMINATING), (goes, ENDED))
            same(reached(), {stays}, "one no longer serves")
            change((stays, UNREADY), (goes, ENDED))
            same(refused(IP, 80), True, "none serves")
            echo.sendall(b"still")
            same(echo.recv(5), b"still")
        change((stays, TERMINATING))
        same(reached(), {stays})
        same(refused(IP, 99), True, "no endpoint has that port")
        change((stays, TERMINATING), (goes, READY))
        same(reached(), {goes})


PODS = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
POD = """
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: web}, DELETED}
spec: {containers: [{name: c, image: i}]}
"""


def pod(name, deleted=False):
    """Whose address is allocated."""
    stamp = 'deletionTimestamp: "2026-01-01T00:00:00Z"' if deleted else "annotations: {}"
    return POD.replace("NAME", name).replace("DELETED", stamp)


def test_pods_that_are_being_deleted():
    with world({"web.yaml": PODS + pod("a") + pod("b")}) as (daemon, _, servers):
        ip, both = ip_of(daemon), pods(daemon)
        for address in both:
            servers.add(address, 8080)
        daemon.write("web.yaml", PODS + pod("a", True) + pod("b"))
        wait_for(lambda: len(pods(daemon)) == 1, "one to terminate")
        left, = pods(daemon)
        wait_for(lambda: {connect(ip, 80)[0] for _ in range(40)} == {left}, "the change")
        daemon.write("web.yaml", PODS + pod("a", True) + pod("b", True))
        wait_for(lambda: {connect(ip, 80)[0] for _ in range(40)} == set(both), "the fallback")
        same((pods(daemon), services(daemon)["web"]["endpoints"]), ([], 0), "in no name")
        text = kubesvc(daemon, "describe", "svc", "web")
        for part in ("to terminating endpoints, because none is ready, by kubesvc-proxy", "0 ready",
                     "not ready: it is being deleted (deletionTimestamp), but still serves"):
            same(part in text, True, f"{part!r} in {text}")
        text = kubesvc(daemon, "explain", "web")
        same("kubesvc-proxy forwards connections to those that terminate but still serve" in text, True, text)
        daemon.write("web.yaml", PODS)
        wait_for(lambda: refused(ip, 80), "the refusal")
        same("to the endpoints, by" in kubesvc(daemon, "describe", "svc", "web"), True)


def test_flows_of_udp_stay_until_it_serves_no_longer():
    with two((A, READY)) as (_, change), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.connect((IP, 53))

        def ask():
            for _ in range(PATIENCE):
                client.send(b"?")
                with contextlib.suppress(TimeoutError):
                    return client.recv(64).split()[0].decode()
            raise AssertionError("no answer")

        same(ask(), A)
        change((A, TERMINATING), (B, READY))
        same(ask(), A, "it still serves")
        change((A, ENDED), (B, READY))
        wait_for(lambda: ask() == B, "the flow to move")  # it is ended once the table has changed


def test_clients_stay_with_an_endpoint_that_terminates_as_all_do():
    sticky = "sessionAffinity: ClientIP"
    with two((A, READY), (B, READY), spec=sticky) as (_, change):
        clients = [f"127.1.0.{n + 1}" for n in range(20)]
        chosen = chosen_by(clients, IP)
        same(set(chosen.values()), {A, B})
        change((A, TERMINATING), (B, TERMINATING), spec=sticky)
        same(chosen_by(clients, IP), chosen)
        change((A, TERMINATING), (B, ENDED), spec=sticky)
        same(set(chosen_by(clients, IP).values()), {A})
        change((A, TERMINATING), (B, READY), spec=sticky)
        same(set(chosen_by(clients, IP).values()), {B})


def test_a_follower_is_told_of_them_apart():
    with two((A, TERMINATING), (B, READY), (A, TERMINATING)) as (daemon, _), Stream(daemon) as stream:
        http, _, dns, none = stream.services()["web"]["ports"]
        same((http["endpoints"], http["terminating"]),
             ([{"address": B, "port": 8080}], [{"address": A, "port": 8080}]), "each once")
        same(dns["terminating"], [{"address": A, "port": 5353}])
        same("terminating" in none, False)
        daemon.write("web.yaml", stated((A, READY), (B, READY)))
        http = stream.services()["web"]["ports"][0]
        same((len(http["endpoints"]), "terminating" in http), (2, False))
        for conditions in TERMINATING, ENDED:
            daemon.write("web.yaml", stated((A, conditions)))
            http = stream.services()["web"]["ports"][0]
            same((http["endpoints"], len(http.get("terminating", []))), ([], int(conditions == TERMINATING)))


def test_exported_rules_fall_back_too():
    with two((A, TERMINATING)) as (daemon, _):
        loaded = rules("list", "chain", "inet", "kubesvc", "service4/default/web/tcp/80")
        same(f"dnat ip to {A}:8080" in loaded, True, loaded)
        same(f"web/tcp/80 meta l4proto tcp dnat ip to {A}:8080" in kubesvc(daemon, "export", "nft"), True)
