"""Which replicas a workload has: beside Pods of the files, while these come and go; and the words of
`explain` for it."""

from harness import Client, Daemon, same, wait_for
from inspect_client import inspect


def workload(kind, name, replicas, labels=None):
    labels = labels or {"app": name}
    return f"""---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  serviceName: {name}
  selector: {{matchLabels: {flow(labels)}}}
  template: {{metadata: {{labels: {flow(labels)}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{clusterIP: None, selector: {flow(labels)}}}
"""


def pod(name, labels, more=""):
    return f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {flow(labels)}{more}}}\n"


def flow(labels):
    return "{" + ", ".join(f"{key}: {value}" for key, value in labels.items()) + "}"


def texts(daemon, name):
    steps = inspect(daemon.socket, "explain", "", name)
    return {s["name"]: s["text"] for s in steps if s["step"] == "pod"}


def addresses(client, name):
    answer = client.ask("inet", f"{name}.default.svc")
    return [] if answer.error else answer.addresses


def remove(daemon, name):
    (daemon.directories[0] / name).unlink()


def until(client, name, count):
    wait_for(lambda: len(addresses(client, name)) == count, f"{count} addresses of {name}")
    return addresses(client, name)


def test_a_stray_pod_comes_and_goes():
    with Daemon({"web.yaml": workload("Deployment", "web", 3)}) as daemon:
        with Client(daemon.env) as client:
            before = until(client, "web", 3)
            daemon.write("stray.yaml", pod("web-debug", {"app": "web"}))
            after = until(client, "web", 4)
            assert set(before) < set(after), (before, after)
            same(texts(daemon, "web"), {
                "web-debug": "1 address counts; it is no pod of Deployment web by owner or name, "
                             "and counts beside its replicas",
                "Deployment/web": "3 pods count"})
            daemon.write("stray.yaml", pod("web-5d8f7c9b4d-x7kp2", {"app": "web"}))
            until(client, "web", 1)
            same(texts(daemon, "web"), {
                "web-5d8f7c9b4d-x7kp2": "1 address counts; it is a pod of Deployment web",
                "Deployment/web": "the labels of its template match, but it stands for no pod: "
                                  "Pods of its own are in the files and count instead"})
            remove(daemon, "stray.yaml")
            same(sorted(until(client, "web", 3)), sorted(before))


def test_a_pod_is_adopted_by_one_only():
    labels = {"app": "web"}
    files = {"b.yaml": workload("ReplicaSet", "b", 2, labels), "pod.yaml": pod("guest", labels)}
    with Daemon(files) as daemon:
        with Client(daemon.env) as client:
            until(client, "b", 2)
            same(texts(daemon, "b"), {
                "guest": "1 address counts; ReplicaSet b adopts it and runs one replica fewer",
                "ReplicaSet/b": "1 pod counts; 1 Pod of the files matches its selector and counts "
                                "among its replicas"})
            # The first by name adopts; what it does not adopt any more is another one's again.
            daemon.write("a.yaml", workload("ReplicaSet", "a", 2, labels))
            until(client, "b", 4)
            same(texts(daemon, "b")["guest"],
                 "1 address counts; ReplicaSet a adopts it and runs one replica fewer")
            # A name of another's pods is no stray.
            daemon.write("guest.yaml", workload("StatefulSet", "guest", 1, labels))
            daemon.write("pod.yaml", pod("guest-0", labels))
            until(client, "b", 5)
            remove(daemon, "guest.yaml")
            until(client, "b", 4)
            remove(daemon, "a.yaml")
            until(client, "b", 2)


def test_another_controllers_pod_is_not_adopted():
    more = ", ownerReferences: [{kind: Game, name: g, controller: true}]"
    files = {"a.yaml": workload("ReplicaSet", "web", 2) + pod("web-x7kp2", {"app": "web"}, more)}
    with Daemon(files) as daemon:
        same(texts(daemon, "web")["ReplicaSet/web"], "2 pods count")
