# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which replicas a workload has: next to Pods in the files, while these come and go, and by its
autoscaler; and the words of `explain` for it."""

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
    return ("---\napiVersion: v1\nkind: Pod\n"
            f"metadata: {{name: {name}, labels: {flow(labels)}{more}}}\n")


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
                "web-debug": "1 address counts; not a pod of Deployment web by owner or name, "
                             "so counted in addition to its replicas",
                "Deployment/web": "3 pods count"})
            daemon.write("stray.yaml", pod("web-5d8f7c9b4d-x7kp2", {"app": "web"}))
            until(client, "web", 1)
            same(texts(daemon, "web"), {
                "web-5d8f7c9b4d-x7kp2": "1 address counts; it is a pod of Deployment web",
                "Deployment/web": "the labels of its template match, but it has no pods: "
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


def autoscaler(target, least):
    return ("---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
            f"metadata: {{name: {target}}}\nspec: {{minReplicas: {least}, maxReplicas: 9, "
            f"scaleTargetRef: {{apiVersion: apps/v1, kind: StatefulSet, name: {target}}}}}\n")


def test_an_autoscaler_comes_and_goes():
    files = {"db.yaml": workload("StatefulSet", "db", "null") + pod("db-2", {"app": "db"})}
    with Daemon(files) as daemon:
        with Client(daemon.env) as client:
            until(client, "db", 2)  # db-0 and the stray db-2
            # With three replicas db-2 is one of them: its pods are in the files.
            daemon.write("scale.yaml", autoscaler("db", 3))
            until(client, "db", 1)
            same(texts(daemon, "db")["db-2"], "1 address counts; it is a pod of StatefulSet db")
            daemon.write("scale.yaml", autoscaler("db", 2))
            until(client, "db", 3)
            workload_, = inspect(daemon.socket, "workloads")
            same((workload_["replicas"], workload_["expanded"]), (2, 2))
            remove(daemon, "scale.yaml")
            until(client, "db", 2)


def test_names_that_no_pod_can_have():
    long = "x" * 61
    files = {"a.yaml": workload("StatefulSet", long, 12, {"app": "long"}),
             "b.yaml": workload("StatefulSet", "db.v2", 2, {"app": "dot"}),
             "c.yaml": "---\napiVersion: v1\nkind: Service\nmetadata: {name: dot}\n"
                       "spec: {clusterIP: None, selector: {app: dot}}\n"}
    with Daemon(files) as daemon:
        same(texts(daemon, long)[f"StatefulSet/{long}"],
             f"10 pods count; no pod can be named {long}-10: a hostname must have at most 63 "
             "characters")
        same(texts(daemon, "dot")["StatefulSet/db.v2"],
             "the labels of its template match, but it has no pods: no pod can be named "
             "db.v2-0: a hostname must not contain a dot")


def test_jobs_that_are_left_out():
    jobs = {"hook": ("annotations: {helm.sh/hook: pre-install}", "{}",
                     "is a Helm hook, which is gone once the release is installed"),
            "over": ("namespace: default", "{completionTime: t}", "has ended"),
            "done": ("namespace: default", "{succeeded: 1}",
                     "has no completions left, or no parallelism")}
    text = workload("Deployment", "web", 1)
    for name, (meta, status, _) in jobs.items():
        text += f"""---
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, {meta}}}
spec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{restartPolicy: Never}}}}}}
status: {status}
"""
    with Daemon({"web.yaml": text}) as daemon:
        with Client(daemon.env) as client:
            until(client, "web", 1)
        said = texts(daemon, "web")
        for name, (_, _, why) in jobs.items():
            same(said[f"Job/{name}"], f"the labels of its template match, but it has no pods: the Job {why}")
