# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small manifests that ask for much: the daemon lives within a few gigabytes, whatever they say, and
the names of others stay. Each is read by a daemon that may have no more memory than that."""

import subprocess

from harness import Client, Daemon, built, limit, same, unsanitized

NAME = "web.moon.svc.cluster.local"
WEB = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: moon}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
"""
SPACE = 3 << 30
SERVICE = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "%s"}, "spec": %s}\n'
POD = ('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p%d", "namespace": "%s",'
       ' "labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]},'
       ' "status": {"podIP": "%s", "conditions": [{"type": "Ready", "status": "True"}]}}\n')


def address(i):
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def services(count, spec='{"ports": [{"port": 80}]}'):
    return "".join(SERVICE % (f"s{i}", spec) for i in range(count))


def pods(count, of=address):
    return "".join(POD % (i, "default", of(i)) for i in range(count))


def deployments(count):
    return "".join(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d%d}, spec: {replicas: 100000,"
        " selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},"
        " spec: {containers: [{name: c, image: i}]}}}}\n---\n" % i for i in range(count))


def slices(count):
    return SERVICE % ("s", '{"clusterIP": "None"}') + "".join(
        "---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {"
        "name: e%d, labels: {kubernetes.io/service-name: s}}, endpoints: [{addresses: [%s]}]}\n"
        % (i, address(i)) for i in range(count))


def wide_selectors(count, labels):
    text = ", ".join(f'"k{i}": "v"' for i in range(labels))
    return services(count, '{"clusterIP": "None", "selector": {%s}}' % text)


def aliases(count):
    """A quarter of a megabyte that is named so often that the addresses in it would fill memory."""
    text = "1.1.1.1," * 32000 + "1.1.1.1"
    lines = ["apiVersion: v1", "kind: List", f"x: &a '{text}'", "items:"]
    lines += ["- {apiVersion: v1, kind: Service, metadata: {name: s%d, annotations: "
              "{kubesvc.io/addresses: *a}}, spec: {ports: [{port: 80}]}}" % i for i in range(count)]
    return "\n".join(lines) + "\n"


def chain(count):
    return "".join(SERVICE % (f"s{i}", '{"type": "ExternalName", "externalName": '
                              f'"s{i + 1}.default.svc.cluster.local"}}') for i in range(count))


GREEDY = {
    "services": lambda: services(60000),
    "pods": lambda: "".join(POD % (i, "default", "") for i in range(60000)),
    "namespaces": lambda: "".join(POD % (i, f"n{i}", address(i)) for i in range(120000)),
    "replicas": lambda: deployments(400),
    "one name": lambda: (SERVICE % ("s", '{"ports": [{"port": 80}]}')) * 60000,
    "slices": lambda: slices(50000),
    "services by pods": lambda: pods(1000) + services(3000, '{"clusterIP": "None", "selector": '
                                                      '{"a": "b"}, "ports": [{"port": 1}]}'),
    "selectors": lambda: wide_selectors(600, 1000),
    "aliases": lambda: aliases(600),
    "documents": lambda: "a: b\n---\n" * 100000,
    "chain": lambda: chain(50000),
    "pods of one address": lambda: pods(50000, lambda i: "10.9.9.9") + services(
        1, '{"clusterIP": "None", "selector": {"a": "b"}}'),
    "services of one address": lambda: services(
        50000, '{"clusterIP": "10.9.9.9", "ports": [{"port": 80}]}'),
}


def within(space):
    return ["prlimit", f"--as={space}", "--"]


def status(daemon):
    command = [built("kubesvc"), "--socket", daemon.socket, "status"]
    return subprocess.run(command, env=daemon.env, capture_output=True, text=True, check=False).stdout


@limit(600)
def test_each_kind_is_survived():
    unsanitized("address space is limited")
    for kind, make in GREEDY.items():
        print(kind)
        with Daemon([{"web.yaml": WEB}, {"greedy.yaml": make()}], wrapper=within(SPACE),
                    ready=False) as daemon:
            daemon.wait_state("READY=1", 300)
            with Client(daemon.env) as client:
                same(client.ask("inet", NAME).addresses, ["10.0.0.1"], kind)
            (daemon.directories[1] / "greedy.yaml").unlink()
            daemon.write("other.yaml", WEB.replace("web", "other"), daemon.directories[0])
            with Client(daemon.env) as client:
                client.until("inet", "other.moon.svc.cluster.local", lambda a: not a.error, 60)


def test_replicas_are_refused_and_come_back():
    many = deployments(6).replace("labels: {a: b}}", "labels: {a: b}, annotations: "
                                  "{kubesvc.io/addresses: 10.9.9.9}}")
    deployment = deployments(1).replace("replicas: 100000", "replicas: 3").replace("d0", "small")
    service = SERVICE % ("small", '{"clusterIP": "None", "selector": {"a": "c"}}')
    late = service + "---\n" + deployment.replace("a: b", "a: c")
    with Daemon({"a.yaml": WEB + "---\n" + many}) as daemon:
        daemon.wait_line("all workloads together have more than 524288 replicas")
        same("all workloads together have too many" in status(daemon), True)
        daemon.write("b.yaml", late)
        with Client(daemon.env) as client:
            client.until("inet", "small.default.svc.cluster.local",
                         lambda a: len(a.addresses) == 3)
            daemon.write("b.yaml", late.replace("replicas: 3", "replicas: 30000"))
            daemon.write("c.yaml", WEB.replace("web", "other"))
            client.until("inet", "other.moon.svc.cluster.local", lambda a: not a.error)
            same(len(client.ask("inet", "small.default.svc.cluster.local").addresses), 3)
            daemon.write("a.yaml", WEB)
            client.until("inet", "small.default.svc.cluster.local",
                         lambda a: len(a.addresses) == 30000)
        same("all workloads together" in status(daemon), False)


def test_objects_are_refused_and_come_back():
    unsanitized("it takes long")
    late = aliases(3).replace("s0", "first").replace("1.1.1.1", "2.1.1.1")
    with Daemon([{"a.yaml": aliases(600)}, {}]) as daemon:
        line = daemon.wait_line("all manifests together have more than 256 MiB")
        same("Service default/s" in line and "a.yaml:" in line, True, line)
        same("all manifests together have more than 256 MiB" in status(daemon), True)
        with Client(daemon.env) as client:
            same(client.ask("inet", "s0.default.svc.cluster.local").error, None)
            daemon.write("b.yaml", late + "---\n" + WEB, daemon.directories[1])
            client.until("inet", NAME, lambda a: not a.error)
            same(bool(client.ask("inet", "first.default.svc.cluster.local").error), True)
            (daemon.directories[0] / "a.yaml").unlink()
            client.until("inet", "first.default.svc.cluster.local", lambda a: not a.error)
        same("error" in status(daemon).splitlines()[0], False)
