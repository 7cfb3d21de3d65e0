"""Addresses that the daemon gives out: what the same object keeps, and what it gets back."""

from harness import Client, Daemon, same

NAME = "web.default.svc.cluster.local"
DEPLOYMENT = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: a}]}}
"""


def pods(network, *hosts):
    return [f"{network}.{host}" for host in hosts]


def becomes(client, addresses):
    client.until("inet", NAME, lambda answer: sorted(answer.addresses) == addresses)


def configure(daemon, network):
    daemon.config.write_text(f"podCIDRs: [{network}.0/24]\n")


def test_a_range_that_comes_back_brings_its_leases():
    config = "podCIDRs: [10.1.0.0/24]\n"
    with Daemon({"web.yaml": DEPLOYMENT % 3}, config=config) as daemon:
        with Client(daemon.env) as client:
            becomes(client, pods("10.1.0", 1, 2, 3))
            daemon.write("web.yaml", DEPLOYMENT % 1)
            becomes(client, pods("10.1.0", 1))
            configure(daemon, "10.2.0")
            daemon.reload()
            becomes(client, pods("10.2.0", 1))
            # other pods come first in the new range
            daemon.write("first.yaml", DEPLOYMENT.replace("web", "first") % 2)
            client.until("inet", "first.default.svc.cluster.local", lambda a: not a.error)
            daemon.write("web.yaml", DEPLOYMENT % 2)
            becomes(client, pods("10.2.0", 1, 4))
            configure(daemon, "10.1.0")
            daemon.reload()
            becomes(client, pods("10.1.0", 1, 2))
        daemon.stop()
    configure(daemon, "10.2.0")
    with Daemon(daemon.directories[0], dir=daemon.dir) as again, Client(again.env) as client:
        same(sorted(client.ask("inet", NAME).addresses), pods("10.2.0", 1, 4))
