# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-cluster and an API server that works: what it writes, when, and how kubesvcd reads it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from api_server import ApiServer, Follower, endpoint_slice, namespace, service, status
from harness import PATIENCE, Client, Daemon, built, limit, need_program, same

# The leak sanitizer traces the process, which is impossible while strace does.
NO_LEAKS = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def fill(api):
    api.put("namespaces", namespace("moon"))
    api.put("namespaces", namespace("empty"))
    api.put("services", service("moon", "web", "10.0.0.1"))
    api.put("services", service("moon", "db"))
    api.put("endpointslices", endpoint_slice("moon", "db-1", "db", "10.1.0.1", "10.1.0.2"))


def test_each_service_is_a_trimmed_file():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            follower.until_state("synced")
            files = follower.files()
            same(sorted(files), ["empty/_namespace.json", "moon/_namespace.json", "moon/db.json",
                                 "moon/web.json"])
            same([o["kind"] for o in files["moon/db.json"]], ["Service", "EndpointSlice"])
            text = (follower.output / "moon" / "db.json").read_text()
            for word in ("managedFields", "sessionAffinity", "nodeName", "note", "terminating"):
                assert word not in text, word
            same(files["moon/db.json"][1]["endpoints"][0],
                 {"addresses": ["10.1.0.1"], "conditions": {"ready": True},
                  "targetRef": {"kind": "Pod", "name": "pod-0"}})
            same(files["moon/web.json"][0]["metadata"]["uid"], "s-moon-web")
            same(follower.status()["objects"],
                 {"services": 2, "endpointslices": 1, "namespaces": 2, "pods": 0})


def test_lists_are_compressed_and_watches_keep_up():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            for resource in ("services", "endpointslices", "namespaces"):
                first = api.wait_requests("list", resource, 1)[0]
                same(first.query, {"limit": "500", "resourceVersion": "0"})
                same(first.headers["Accept-Encoding"], "gzip")
                watch = api.wait_requests("watch", resource, 1)[0]
                same(watch.query["allowWatchBookmarks"], "true")
                assert 300 <= int(watch.query["timeoutSeconds"]) <= 600, watch
                assert "Accept-Encoding" not in watch.headers
            api.put("services", service("moon", "web", "10.0.0.9"))
            follower.until(lambda: follower.files()["moon/web.json"][0]["spec"]["clusterIP"]
                           == "10.0.0.9", "the change")
            api.delete("services", service("moon", "db"))
            api.delete("endpointslices", endpoint_slice("moon", "db-1", "db"))
            follower.until(lambda: "moon/db.json" not in follower.files(), "the deletion")
            api.delete("namespaces", namespace("empty"))
            follower.until(lambda: not (follower.output / "empty").exists(), "an empty directory")
            same(api.count("list"), 3)


def test_slice_moves_to_another_service():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            follower.until_state("synced")
            api.put("endpointslices", endpoint_slice("moon", "db-1", "web", "10.1.0.1"))
            follower.until(lambda: len(follower.files()["moon/web.json"]) == 2, "the slice")
            same(len(follower.files()["moon/db.json"]), 1)


def test_names_follow_the_api():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            follower.until_state("synced")
            with start_daemon(follower.output) as daemon, Client(daemon.env) as client:
                same(client.ask("inet", "web.moon.svc.cluster.local").addresses, ["10.0.0.1"])
                same(sorted(client.ask("inet", "db.moon.svc.cluster.local").addresses),
                     ["10.1.0.1", "10.1.0.2"])
                same(client.ask("inet", "empty.svc.cluster.local").error, "EAI_NODATA")
                api.put("services", service("moon", "web", "10.0.0.7"))
                client.until("inet", "web.moon.svc.cluster.local",
                             lambda a: a.addresses == ["10.0.0.7"])


def no_jitter(text=""):
    path = pathlib.Path("cluster.yaml").resolve()
    path.write_text(f"jitter: 0\n{text}")
    return str(path)


def start_daemon(output):
    config = f"manifests:\n- path: {output}\n  recursive: true\n"
    directory = pathlib.Path("daemon").resolve()
    directory.mkdir(exist_ok=True)
    return Daemon([], config=config, dir=directory)


def test_names_survive_everything():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            follower.until_state("synced")
            follower.stop(signal.SIGKILL)
    with start_daemon(follower.output) as daemon, Client(daemon.env) as client:
        same(client.ask("inet", "web.moon.svc.cluster.local").addresses, ["10.0.0.1"])


def test_restart_removes_what_was_deleted_meanwhile_and_writes_nothing_else():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            follower.until_state("synced")
        before = {path: path.stat().st_mtime_ns for path in follower.output.glob("*/*.json")}
        (follower.output / "moon" / ".web.json.new").write_text("half")
        api.delete("services", service("moon", "web"))
        with Follower(api, options=["--config", no_jitter()]) as follower:
            follower.until_state("synced")
            same("moon/web.json" in follower.files(), False)
            same((follower.output / "moon" / ".web.json.new").exists(), False)
            for path in follower.output.glob("*/*.json"):
                same(path.stat().st_mtime_ns, before[path], path)


def test_nothing_is_written_while_nothing_changes():
    with ApiServer() as api:
        fill(api)
        with Follower(api) as follower:
            follower.until_state("synced")
            follower.until(lambda: list(follower.output.glob(".status.json"))
                           and time.time() - (follower.output / ".status.json").stat().st_mtime > 11,
                           "the last count of objects", 40)
            directories = [follower.output, *(p for p in follower.output.iterdir() if p.is_dir())]
            before = {p: p.stat().st_mtime_ns for p in directories}
            for _ in range(20):
                for resource in ("services", "endpointslices", "namespaces"):
                    api.bookmark(resource)
            unchanged = service("moon", "web", "10.0.0.1")
            unchanged["metadata"]["annotations"]["heartbeat"] = "1"
            api.put("services", unchanged)
            api.end_watches()
            watches = api.wait_requests("watch", "services", 2)
            same(watches[-1].query["resourceVersion"], str(api.version))
            # Each write is a rename, which its directory shows.
            same({p: p.stat().st_mtime_ns for p in directories}, before)
            same(api.count("list"), 3)


def test_once():
    with ApiServer() as api:
        fill(api)
        with Follower(api, options=["--once"]) as follower:
            same(follower.wait(), 0)
            same(len(follower.files()), 4)
    with Follower("kubeconfig", "other", options=["--once"]) as follower:
        same(follower.wait(), 1)
        assert any("cannot list services" in line for line in follower.lines), follower.lines


def test_namespaces_and_pods_of_choice():
    pod = {"metadata": {"name": "p", "namespace": "moon", "uid": "p"}, "spec": {"containers": [
        {"name": "c", "image": "i", "env": [{"name": "SECRET", "value": "x"}]}]},
        "status": {"podIP": "10.1.0.9", "phase": "Running"}}
    with ApiServer() as api:
        fill(api)
        api.put("services", service("sun", "web", "10.0.0.2"))
        api.put("pods", pod)
        options = ["--config", no_jitter("pods: true\n"), "--namespaces", "moon,earth"]
        with Follower(api, options=options) as follower:
            follower.until_state("synced")
            same(sorted(follower.files()), ["moon/_pod.p.json", "moon/db.json", "moon/web.json"])
            assert "SECRET" not in (follower.output / "moon" / "_pod.p.json").read_text()
            same({r.namespace for r in api.requests}, {"moon", "earth"})
            same(api.count("list", "namespaces"), 0)


def test_too_many_namespaces():
    names = ",".join(f"n{i}" for i in range(1001))
    done = subprocess.run([built("kubesvc-cluster"), "--namespaces", names, "--output", "out"], text=True,
                          capture_output=True, timeout=PATIENCE)
    same((done.returncode, done.stderr),
         (1, "kubesvc-cluster: more than 1000 namespaces; follow all of them instead\n"))


def test_output_must_be_its_own():
    pathlib.Path("mine").mkdir()
    pathlib.Path("mine/svc.yaml").write_text("kind: Service\n")
    with ApiServer() as api:
        fill(api)
        with Follower(api, "mine") as follower:
            same(follower.wait(), 1)
            assert "holds files that kubesvc-cluster did not write" in follower.lines[-1]
        with Follower(api, "out") as first:
            first.until_state("synced")
            with Follower(api, "out") as second:
                same(second.wait(), 1)
                assert "another kubesvc-cluster is writing to it" in second.lines[-1], second.lines
    same(pathlib.Path("mine/svc.yaml").exists(), True)


def test_names_that_are_no_names_make_no_files():
    with ApiServer() as api:
        fill(api)
        for bad in ("../../x", "..", "a/b", "", ".hidden", "UPPER", "x" * 300):
            api.put("services", service("moon", bad, "10.0.0.1"))
            api.put("services", service(bad, "web", "10.0.0.1"))
            api.put("namespaces", namespace(bad))
            api.put("endpointslices", endpoint_slice("moon", "s", bad, "10.1.0.1"))
        with Follower(api) as follower:
            follower.until_state("synced")
            same(len(follower.files()), 4)
            same(sorted(p.name for p in pathlib.Path(".").iterdir()), ["kubeconfig", "out"])


@limit(240)
def test_killed_at_every_write_no_file_is_half():
    need_program("strace")
    with ApiServer() as api:
        fill(api)
        for call in ("write", "renameat", "mkdirat", "unlinkat"):
            for n in range(1, 12):
                shutil.rmtree("out", ignore_errors=True)
                with Follower(api, options=["--once"]) as follower:
                    same(follower.wait(), 0)
                api.put("services", service("moon", "web", f"10.0.{n}.1"))
                api.put("services", service(f"new-{call}-{n}", "web", "10.0.0.1"))
                api.delete("services", service("moon", f"old-{n - 1}"))
                api.put("services", service("moon", f"old-{n}", "10.0.0.1"))
                wrapper = ["strace", "-f", "-o", "trace", "-e", f"trace={call}", "-e",
                           f"inject={call}:signal=KILL:when={n}"]
                with Follower(api, options=["--once"], wrapper=wrapper, env=NO_LEAKS) as follower:
                    code = follower.wait()
                    assert {"moon/web.json", "moon/db.json"} <= set(follower.files())
                if code == 0:
                    break
            assert n > 1 or call == "unlinkat", call
        with Follower(api, options=["--once"]) as follower:
            same(follower.wait(), 0)
            same([str(p) for p in follower.output.glob("*/.*")], [])


def test_never_resolves_through_nss():
    """The name of the API server is asked for over the hosts file or DNS only."""
    need_program("strace")
    with ApiServer() as api:
        fill(api)
        kubeconfig = api.kubeconfig(server=f"http://localhost:{api.port}")
        wrapper = ["strace", "-f", "-o", "trace", "-e", "trace=openat,connect"]
        with Follower(kubeconfig, options=["--once"], wrapper=wrapper, env=NO_LEAKS) as follower:
            same(follower.wait(), 0)
        text = pathlib.Path("trace").read_text()
        # c-ares reads nsswitch.conf as well, for the order alone; only glibc opens it with O_CLOEXEC
        assert '/etc/nsswitch.conf", O_RDONLY|O_CLOEXEC' not in text
        assert "libnss" not in text and "kubesvc/socket" not in text
        assert "/etc/hosts" in text


def test_status_and_doctor_say_how_fresh_the_copy_is():
    def kubesvc(daemon, *arguments):
        return subprocess.run([built("kubesvc"), "--socket", daemon.socket, *arguments],
                              capture_output=True, text=True, env=daemon.env).stdout

    def cluster(daemon):
        return json.loads(kubesvc(daemon, "status", "-o", "json"))["clusters"]

    with ApiServer() as api:
        fill(api)
        pathlib.Path("clusters").mkdir()
        with Follower(api, "clusters/prod") as follower:
            follower.until_state("synced")
            with start_daemon(pathlib.Path("clusters").resolve()) as daemon:
                [found] = cluster(daemon)
                same((found["cluster"], found["state"], found["fresh"], found["services"]),
                     ("prod", "synced", True, 2))
                assert "prod: in sync (2 Services)" in kubesvc(daemon, "status")
                assert 'kubesvc_cluster_in_sync{cluster="prod"} 1' in kubesvc(daemon, "metrics")
                api.fail("watch", None, status(403, "Forbidden", message="no"), times=None)
                api.fail("probe", None, status(403, "Forbidden", message="no"), times=None)
                api.end_watches()
                follower.until_state("denied")
                shown = kubesvc(daemon, "status")
                assert "prod: access denied; as of 20" in shown, shown
                assert re.search("cannot (list|watch) .*: HTTP 403: no", shown), shown
                shown = kubesvc(daemon, "doctor")
                assert "examples/cluster" in shown, shown
                api.clear()
                follower.until_state("synced")
                follower.stop(signal.SIGKILL)
                [found] = cluster(daemon)
                same((found["state"], found["running"], found["fresh"]), ("synced", False, False))
                assert "prod: kubesvc-cluster is not running; as of 20" in kubesvc(daemon, "status")
                assert 'kubesvc_cluster_in_sync{cluster="prod"} 0' in kubesvc(daemon, "metrics")


@contextlib.contextmanager
def two_followers(east, west, top):
    """Each with a directory of its own below `top`, and everything in it."""
    top.mkdir()
    with (Follower(east.kubeconfig("east.config"), top / "east") as one,
          Follower(west.kubeconfig("west.config"), top / "west") as other):
        one.until_state("synced")
        other.until_state("synced")
        yield


def test_conflicts_of_merged_clusters_are_shown():
    """Two clusters in one zone: a Service of both counts once, and both files are named."""

    def kubesvc(*arguments, daemon=None):
        socket = ["--socket", daemon.socket] if daemon else []
        done = subprocess.run([built("kubesvc"), *socket, *arguments], capture_output=True,
                              text=True, env=daemon.env if daemon else None)
        return done.stdout

    with ApiServer() as east, ApiServer() as west:
        fill(east)
        fill(west)
        west.put("services", service("moon", "web", "10.9.0.1"))
        west.delete("endpointslices", endpoint_slice("moon", "db-1", "db"))
        west.put("endpointslices", endpoint_slice("moon", "db-2", "db", "10.9.1.1"))
        top = pathlib.Path("clusters").resolve()
        with two_followers(east, west, top):
            won, lost = top / "west/moon/web.json", top / "east/moon/web.json"
            with start_daemon(top) as daemon, Client(daemon.env) as client:
                name = "web.moon.svc.cluster.local"
                same(client.ask("inet", name).addresses, ["10.9.0.1"])
                same(sorted(client.ask("inet", "db.moon.svc.cluster.local").addresses),
                     ["10.1.0.1", "10.1.0.2", "10.9.1.1"])
                conflicts = json.loads(kubesvc("status", "-o", "json", daemon=daemon))["conflicts"]
                same([(c["object"], c["inForce"]["file"], c["shadowed"]["file"])
                      for c in conflicts],
                     [("Service moon/web", str(won), str(lost))])  # not what is equal in both
                shown = kubesvc("status", daemon=daemon)
                assert re.search(rf"in effect: +{won}:\d+:\d+\n +overridden: +{lost}:\d+:\d+\n",
                                 shown), shown
                shown = kubesvc("explain", name, daemon=daemon)
                assert re.search(rf"\n +{won}:\d+:\d+\n +also defined, and overridden, in {lost}:\d+:",
                                 shown), shown
                shown = kubesvc("describe", "-n", "moon", "service", "web", daemon=daemon)
                assert re.search(rf"and overridden, in:?\n +{lost}:\d+:", shown), shown
                checked = json.loads(kubesvc("check", "-R", "-o", "json", str(top)))["findings"]
                found = [f for f in checked if f["object"] == "Service moon/web"]
                same([(f["file"], f["rule"]) for f in found], [(str(lost), "duplicate-object")])
                assert str(won) in found[0]["message"], found

                # The other counts as soon as the first is gone, and the conflict with it.
                west.delete("services", service("moon", "web"))
                client.until("inet", name, lambda a: a.addresses == ["10.0.0.1"])
                same(json.loads(kubesvc("status", "-o", "json", daemon=daemon))["conflicts"], [])


def test_two_clusters_at_once_in_zones_of_their_own():
    with ApiServer() as east, ApiServer() as west:
        fill(east)
        fill(west)
        west.put("services", service("moon", "web", "10.9.0.1"))
        west.put("endpointslices", endpoint_slice("moon", "db-1", "db", "10.9.1.1"))
        top = pathlib.Path("clusters").resolve()
        with two_followers(east, west, top):
            config = (f"manifests:\n- path: {top}/west\n  recursive: true\n"
                      f"- path: {top}/east\n  recursive: true\n  zone: east.example\n")
            directory = pathlib.Path("daemon").resolve()
            directory.mkdir()
            with Daemon([], config=config, dir=directory) as daemon, Client(daemon.env) as client:

                def ask(zone):
                    return [sorted(client.ask("inet", f"{name}.moon.svc.{zone}").addresses)
                            for name in ("web", "db")]

                same(ask("cluster.local"), [["10.9.0.1"], ["10.9.1.1"]])
                same(ask("east.example"), [["10.0.0.1"], ["10.1.0.1", "10.1.0.2"]])
                shown = json.loads(subprocess.run(
                    [built("kubesvc"), "status", "-o", "json"], capture_output=True, text=True,
                    env=daemon.env).stdout)
                same((shown["conflicts"], [c["state"] for c in shown["clusters"]]),
                     ([], ["synced", "synced"]))
                east.put("services", service("moon", "web", "10.0.0.7"))
                client.until("inet", "web.moon.svc.east.example",
                             lambda got: got.addresses == ["10.0.0.7"])
                west.delete("services", service("moon", "web"))
                client.until("inet", "web.moon.svc.cluster.local", lambda got: not got.addresses)
                same(ask("east.example"), [["10.0.0.7"], ["10.1.0.1", "10.1.0.2"]])
