# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reports for the command line: every verb, hostile requests, limits, watching.

The answers on the world of inspect_world.py are kept in inspect_golden.json; where they are meant to
change, KUBESVC_GOLDEN=write makes run.py write them again; read them before committing."""

import contextlib
import json
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from harness import HERE, PATIENCE, SANITIZED, Client, Daemon, need_root, same, wait_for
from inspect_client import HEADER, MAGIC, Inspection, inspect, payload, request, text
from inspect_world import CONFIG, NAMESPACE, REQUESTS, WORLD
from nameserver import Nameserver

sys.path.insert(0, str(HERE.parent))

from oracle.wire import Wire  # noqa: E402: needs the path above

GOLDEN = pathlib.Path(__file__).resolve().parent / "inspect_golden.json"
SLOW = 4 if SANITIZED else 1

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: moon}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: moon}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
"""


def world(more=""):
    return Daemon(WORLD, config=CONFIG + more, namespace=NAMESPACE)


# --- Golden answers ---

VOLATILE = {"uptimeSeconds", "ageSeconds", "version", "time", "since", "bytes", "liveBytes"}


def settle(value, directory):
    """Without what differs from run to run; lists of objects in order, because they come in none."""
    if isinstance(value, dict):
        return {k: "?" if k in VOLATILE else settle(v, directory) for k, v in value.items()}
    if isinstance(value, list):
        items = [settle(item, directory) for item in value]
        return sorted(items, key=json.dumps) if any(isinstance(i, dict) for i in items) else items
    return value.replace(directory, "DIR") if isinstance(value, str) else value


def answer(daemon, words):
    with Inspection(daemon.socket, *words) as inspection:
        objects = [json.loads(line) for line in inspection.lines()]
    steps = [settle(o, str(daemon.dir)) for o in objects]
    if words[0] != "explain":
        steps.sort(key=json.dumps)
    return {"result": inspection.result, "lines": steps}


def test_answers_are_the_golden_ones():
    with world() as daemon:
        answers = {" ".join(words): answer(daemon, words) for words in REQUESTS}
    if os.environ.get("KUBESVC_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(answers, indent=1, ensure_ascii=True) + "\n")
    golden = json.loads(GOLDEN.read_text())
    for key, expected in golden.items():
        same(json.dumps(answers.pop(key)), json.dumps(expected), key)
    same(answers, {})


def test_describe_says_which_is_in_force():
    with world() as daemon:
        described, = inspect(daemon.socket, "describe", "slices", "manual")
        same(described["clusterIPs"], ["10.96.7.9"])
        same([p["file"] for p in described["shadowed"]], [f"{daemon.dir}/manifests0/slices.yaml"])


def test_query_is_what_a_lookup_gives():
    names = ["headless-svc", "regular-svc.moon", "typo", "mixed.pods", "first.mixed.pods",
             "inside.slices", "nothing", "nothing.moon.svc", "secret.dark", "db-1.db.star"]
    errors = {"FOUND": None, "NO_DATA": "EAI_NODATA", "NOT_FOUND": "EAI_NONAME"}
    with world() as daemon, Client(daemon.env) as client:
        for name in names:
            asked, = inspect(daemon.socket, "query", "", name, "inet")
            got = client.ask("inet", name)
            if asked["status"] == "NOT_OURS":
                same(bool(got.passed_on), True, name)
                continue
            same(got.error, errors[asked["status"]], name)
            same(sorted(got.addresses), sorted(asked.get("inet", [])), name)


def test_metrics_are_prometheus_text():
    with world("lookups: socket\n") as daemon, Client(daemon.env) as client:
        for _ in range(3):
            client.ask("inet", "headless-svc")
        client.ask("inet", "nothing.moon.svc")
        lines = text(daemon.socket, "metrics").splitlines()
        sample = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\\]*"\})? (\S+)$')
        values, families = {}, {}
        for line in lines:
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                families[name] = kind
            elif not line.startswith("# HELP "):
                name, labels, value = sample.match(line).groups()
                base = re.sub("_(bucket|sum|count)$", "", name)
                same(base in families or name in families, True, line)
                same(name + (labels or "") in values, False, line)
                values[name + (labels or "")] = float(value)
        same(values['kubesvc_answers_total{status="found"}'], 3)
        same(values['kubesvc_answers_total{status="not_found"}'], 1)
        same(values["kubesvc_answer_seconds_count"], 4)
        same(values['kubesvc_answer_seconds_bucket{le="+Inf"}'], 4)
        same(values['kubesvc_problems{severity="error"}'], 2)
        same(values["kubesvc_answer_seconds_sum"] > 0, True)
        same(values["kubesvc_maps_total"], 0)


def listens(path):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def test_before_the_first_load_is_complete():
    filler = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n---\n"
    held_up = filler * (((6 if SANITIZED else 24) << 20) // len(filler))
    with Daemon({"a.yaml": SERVICE % 2, "b.yaml": held_up}, namespace="moon",
                ready=False) as daemon:
        wait_for(lambda: listens(daemon.socket), "the socket")
        status, = inspect(daemon.socket, "status")
        asked, = inspect(daemon.socket, "query", "", "web.moon.svc", "any")
        explained = inspect(daemon.socket, "explain", "", "web.moon.svc", result="NOT_FOUND")
        text(daemon.socket, "metrics")
        same(daemon.states(), [], "READY too early to test anything")
        same((status["loaded"], asked["status"]), (False, "TRY_AGAIN"))
        same(explained, [{"step": "result", "status": "TRY_AGAIN",
                          "text": "the manifests are still being loaded"}])
        daemon.wait_state("READY=1")
        status, = inspect(daemon.socket, "status")
        same((status["loaded"], status["objects"], status["errors"]), (True, 2, []))


def test_names_outside_the_zone_are_told_when_they_are_known():
    hosts = pathlib.Path("hosts")
    hosts.write_text("203.0.113.5 example.test\n")
    with Nameserver(hosts) as nameserver:
        config = CONFIG + f"nameservers: ['{nameserver.address}']\n"
        with Daemon(WORLD, config=config, namespace=NAMESPACE) as daemon:
            before, = inspect(daemon.socket, "query", "", "outside.slices", "inet")
            same(before["status"], "TRY_AGAIN")
            with Client(daemon.env) as client:
                same(client.ask("inet", "outside.slices").addresses, ["203.0.113.5"])
            after, = inspect(daemon.socket, "query", "", "outside.slices", "inet")
            same((after["status"], after["canonical"], after["aliases"], after["inet"]),
                 ("FOUND", "example.test", ["outside.slices.svc.cluster.local"], ["203.0.113.5"]))


def test_status_counts_questions():
    with world("lookups: socket\n") as daemon, Client(daemon.env) as client:
        client.ask("inet", "headless-svc")
        client.ask("inet", "nothing.moon.svc")
        client.ask("inet", "www")
        status, = inspect(daemon.socket, "status")
        same(status["questions"], {"total": 3, "found": 1, "noData": 0, "notFound": 1, "notOurs": 1,
                                   "tryAgain": 0, "refused": 0})
        same(sum(bucket["count"] for bucket in status["latencyMicroseconds"]), 3)
        same([b.get("le", float("inf")) for b in status["latencyMicroseconds"]],
             sorted(b.get("le", float("inf")) for b in status["latencyMicroseconds"]))


def test_full_range_is_noted():
    config = "podCIDRs: [127.244.0.0/30]\n"
    with Daemon({"web.yaml": SERVICE % 5}, config=config, namespace="moon") as daemon:
        status, = inspect(daemon.socket, "status")
        same(status["notes"], ["podCIDRs is full: 3 pods have no address; widen it"])
        steps = inspect(daemon.socket, "explain", "", "web")
        pods = [s["text"] for s in steps if s["step"] == "pod"]
        same(pods, ["2 pods count, 3 do not: no address: podCIDRs is full"])


def test_allocate_off_is_the_reason():
    with Daemon({"web.yaml": SERVICE % 2}, config="allocate: false\n", namespace="moon") as daemon:
        workload, = inspect(daemon.socket, "workloads")
        same((workload["expanded"], workload["why"]), (0, "allocate is off"))
        steps = inspect(daemon.socket, "explain", "", "web")
        same([s["text"] for s in steps if s["step"] == "pod"],
             [f"the labels of its template match, but it has no pods: allocate is off"])


# --- Hostile requests ---

def test_words_that_are_none():
    with world() as daemon:
        for raw in (b"", b"status", b"\0", b"\0\0", b"status\0x", b"x\0" * 9, b"status\0" * 8,
                    b"services\0a\0b\0", b"nothing\0", b"STATUS\0", b"\xff\xfe\0", b"x" * 1023 + b"\0",
                    b"x" * 1024, b"describe\0moon\0", b"query\0moon\0web\0", b"watch\0all\0",
                    b"query\0\0web\0both\0", b"query\0\0\0any\0", b"query\0a.b\0web\0any\0",
                    b"query\0\0" + b"a" * 300 + b"\0any\0", b"query\0-x\0web\0any\0"):
            same(inspect(daemon.socket, raw=raw, result="UNKNOWN"), [], repr(raw))
        # Odd names are questions with an answer.
        for name in (b"..", b"a..b", b"\xff", b"a b", b"\x1b[31m", b"x" * 254, b"1", b"*", b"@"):
            for verb in (["query", "", name, "any"], ["explain", "", name]):
                with Inspection(daemon.socket, *verb) as inspection:
                    for line in inspection.lines():
                        json.loads(line)
                    same(inspection.result in ("DONE", "NOT_FOUND"), True, repr(name))
        for words in (["services", "\x1b"], ["pods", "x" * 900], ["names", ".."]):
            same(inspect(daemon.socket, *words), [])
        inspect(daemon.socket, "describe", "\xff", "y" * 300, result="NOT_FOUND")


def test_too_long_a_request_is_cut_off():
    with world() as daemon, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(daemon.socket))
        connection.sendall(HEADER.pack(MAGIC, 1, 0x80, 0, 1025, 0) + b"x" * 1025)
        with contextlib.suppress(ConnectionResetError):
            same(connection.recv(1), b"")


def test_a_version_from_the_future_is_unsupported():
    with world() as daemon, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(daemon.socket))
        body = payload(["status"])
        connection.sendall(HEADER.pack(MAGIC, 2, 0x80, 0, len(body), 0) + body)
        same(HEADER.unpack(connection.recv(64))[:3], (MAGIC, 1, 0x43))


def test_a_request_in_pieces():
    with world() as daemon, Inspection(daemon.socket, "namespaces") as whole:
        expected = sorted(whole.lines())
        with Inspection(daemon.socket, "status") as pieces:
            pieces.close()
            pieces.socket = socket.socket(socket.AF_UNIX)
            pieces.socket.settimeout(PATIENCE)
            pieces.socket.connect(str(daemon.socket))
            for byte in request(payload(["namespaces"])):
                pieces.socket.sendall(bytes([byte]))
            same(sorted(pieces.lines()), expected)


def test_control_characters_are_escaped():
    with world() as daemon:
        with Inspection(daemon.socket, "services") as inspection:
            lines = list(inspection.lines())
        for line in lines:
            same(re.search(rb"[\x00-\x1f]", line), None, line)
        secret, = (o for o in map(json.loads, lines) if o["name"] == "secret")
        same(secret["labels"]["odd"], "bell\a esc\x1b[31m \x85 end")
        manual, = (o for o in map(json.loads, lines) if o["name"] == "manual")
        same(manual["position"]["file"].endswith("again\x1b.yaml"), True)


# --- Limits ---

LARGE = 3000  # pods: more than a socket holds


def stuck(daemon):
    """A report whose client does not read."""
    inspection = Inspection(daemon.socket, "pods")
    inspection.frame()
    return inspection


def test_one_after_the_other_is_never_busy():
    with world() as daemon:
        for _ in range(30):
            inspect(daemon.socket, "namespaces")


def test_too_many_at_once_wait_then_are_busy():
    with Daemon({"web.yaml": SERVICE % LARGE}, namespace="moon") as daemon:
        with contextlib.ExitStack() as stack:
            readers = [stack.enter_context(contextlib.closing(stuck(daemon))) for _ in range(2)]
            waiting = [stack.enter_context(Inspection(daemon.socket, "pods")) for _ in range(8)]
            same(inspect(daemon.socket, "status", result="BUSY"), [])
            with Client(daemon.env) as client:
                same(len(client.ask("inet", "web").addresses), LARGE)
            for reader in readers:
                for _ in reader.lines():
                    pass
            for inspection in waiting:
                same(len([*inspection.lines()]), LARGE)


def test_other_users_are_not_kept_waiting():
    need_root()
    with Daemon({"web.yaml": SERVICE % LARGE}, namespace="moon") as daemon:
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(contextlib.closing(stuck(daemon)))
            same(as_user(daemon, "namespaces")["result"], "DONE")


HOG = """
import os, sys
sys.path.insert(0, sys.argv[1])
from inspect_client import Inspection
os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[3]))
stuck = [Inspection(sys.argv[2], "pods") for _ in range(10)]
for inspection in stuck[:2]:
    inspection.frame()
print("stuck", flush=True)
sys.stdin.read()
"""


def hog(daemon, uid):
    """A user who asks for all it may have, and reads nothing of it."""
    open_to_all(daemon)
    process = subprocess.Popen(
        [sys.executable, "-B", "-c", HOG, str(GOLDEN.parent), str(daemon.socket), str(uid)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    same(process.stdout.readline(), b"stuck\n")
    return process


def test_no_users_together_keep_reports_from_root():
    need_root()
    with Daemon({"web.yaml": SERVICE % LARGE}, namespace="moon") as daemon:
        hogs = [hog(daemon, 60000 + i) for i in range(8)]
        try:
            for _ in range(20):
                started = time.monotonic()
                inspect(daemon.socket, "status")
                same(time.monotonic() - started < 2 * SLOW, True, "root waits")
        finally:
            for process in hogs:
                process.stdin.close()
                process.stdout.close()
                process.wait()


def test_a_client_that_hangs_up_frees_its_place():
    with Daemon({"web.yaml": SERVICE % LARGE}, namespace="moon") as daemon:
        inspect(daemon.socket, "status")  # the socket that told the supervisor is closed by then
        before = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        for _ in range(5):
            with contextlib.ExitStack() as stack:
                for _ in range(2):
                    stack.enter_context(contextlib.closing(stuck(daemon)))
                for _ in range(8):
                    stack.enter_context(Inspection(daemon.socket, "pods"))
        wait_for(lambda: len(os.listdir(f"/proc/{daemon.process.pid}/fd")) <= before, "the end")
        inspect(daemon.socket, "status")


def test_who_reads_nothing_is_cut_off():
    with Daemon({"web.yaml": SERVICE % LARGE}, namespace="moon") as daemon:
        with contextlib.ExitStack() as stack:
            readers = [stack.enter_context(contextlib.closing(stuck(daemon))) for _ in range(2)]
            with Inspection(daemon.socket, "pods") as waiting:
                same(waiting.frame(), None)
                same(waiting.result, "BUSY")
            inspect(daemon.socket, "status")
            for reader in readers:
                hung_up = select.poll()
                hung_up.register(reader.socket, 0)
                same(hung_up.poll(PATIENCE * 1000) != [], True, "cut off")
                try:
                    while reader.frame() is not None:
                        pass
                except EOFError:
                    continue
                raise AssertionError("all of it was sent")


def test_no_process_is_forked_for_a_report():
    with Daemon({"web.yaml": SERVICE % LARGE}, namespace="moon") as daemon:
        with contextlib.closing(stuck(daemon)):
            tasks = os.listdir(f"/proc/{daemon.process.pid}/task")
            same(len(tasks) - SANITIZED <= 2, True, f"threads: {tasks}")  # ThreadSanitizer has one
            for task in tasks:
                path = f"/proc/{daemon.process.pid}/task/{task}/children"
                same(pathlib.Path(path).read_text("ascii"), "", "children")


def test_how_far_a_load_is_can_be_asked_at_any_time():
    many = 2000 if SANITIZED else 20000
    pods = "".join(f"""---
apiVersion: v1
kind: Pod
metadata: {{name: p{i}, namespace: moon, labels: {{app: web}}}}
spec: {{containers: [{{name: c, image: i}}]}}
""" for i in range(many))
    with Daemon({"pods.yaml": pods, "web.yaml": SERVICE % 3}, ready=False) as daemon:
        wait_for(lambda: listens(daemon.socket), "the socket")
        seen = []
        while not (status := inspect(daemon.socket, "status")[0])["loaded"]:
            seen.append(status["loading"])
        same(any(0 < p["objectsFound"] for p in seen), True, f"no status came during the load: {seen}")
        for progress in seen:
            same(set(progress), {"files", "filesFound", "objects", "objectsFound"})
            same(progress["files"] <= progress["filesFound"] <= 2, True, progress)
            same(progress["objects"] <= progress["objectsFound"] <= many + 2, True, progress)
        same(seen == sorted(seen, key=lambda p: (p["files"], p["objectsFound"], p["objects"])), True)
        daemon.wait_state("READY=1")
        wait_for(lambda: "loading" not in inspect(daemon.socket, "status")[0], "the end of the load")
        same(inspect(daemon.socket, "status")[0]["objects"], many + 2)


def test_many_pods_are_listed_while_lookups_go_on():
    many, replicas = 160, 1000
    if SANITIZED:
        replicas = 100
    manifests = {
        f"w{i:03}.yaml": (SERVICE % replicas).replace("web", f"web{i:03}") for i in range(many)
    }
    config = "podCIDRs: [10.0.0.0/8]\n"
    with Daemon(manifests, config=config, namespace="moon") as daemon, \
            contextlib.closing(Wire(daemon.socket, PATIENCE)) as wire:
        asked, counts = 0, []
        lister = threading.Thread(
            target=lambda: counts.append(sum(1 for _ in listed(daemon, "pods"))))
        lister.start()
        while lister.is_alive():
            answer = wire.resolve(f"web{asked % many:03}.moon.svc.cluster.local", "inet")
            same(len(answer.addresses), replicas)
            asked += 1
        lister.join()
        same(counts, [many * replicas])
        # asked of the thread that also sends the list, which would be in the way of all but one
        same(asked >= 20, True, f"{asked} lookups meanwhile")


def listed(daemon, *words):
    with Inspection(daemon.socket, *words, timeout=60) as inspection:
        yield from inspection.lines()
        same(inspection.result, "DONE")


# --- Watching ---

def watch(daemon, *words):
    inspection = Inspection(daemon.socket, "watch", *words)
    same(inspection.frame(), b"", "the first frame")
    return inspection


def test_watch_tells_of_changes():
    with Daemon({"web.yaml": SERVICE % 3}, namespace="moon") as daemon, watch(daemon) as watching:
        steps = [
            (SERVICE % 5, "Service moon/web: 3 -> 5 addresses"),
            (SERVICE % 1, "Service moon/web: 5 -> 1 address"),
            ("{}\n", "Service moon/web: removed"),
            (SERVICE % 1, "Service moon/web: new, 1 address"),
        ]
        for manifest, expected in steps:
            daemon.write("web.yaml", manifest)
            event = watching.event()
            same((event["event"], event["text"]), ("change", expected))
            same(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"]) is not None, True)
        status, = inspect(daemon.socket, "status")
        same([c["text"] for c in status["changes"]],
             ["loaded: 2 objects", *(expected for _, expected in steps)])


def test_watch_tells_of_broken_files():
    with Daemon({"web.yaml": SERVICE % 1}, namespace="moon") as daemon, watch(daemon) as watching:
        path = daemon.write("web.yaml", "kind: [\n")
        same(watching.event()["text"].startswith(f"{path}:2:1: error: "), True)
        status, = inspect(daemon.socket, "status")
        error, = status["errors"]
        same((error["file"], error["line"], error["stale"], "since" in error),
             (str(path), 2, True, True))
        daemon.write("web.yaml", SERVICE % 1)
        same(watching.event()["text"], f"{path}: fixed")


def test_what_did_not_change_is_not_told():
    with Daemon({"web.yaml": SERVICE % 1}, namespace="moon") as daemon, watch(daemon) as watching:
        daemon.reload()
        same(watching.event()["text"], "configuration reloaded")
        daemon.write("web.yaml", SERVICE % 1 + "# a remark\n")
        daemon.write("more.yaml", (SERVICE % 1).replace("web", "more"))
        same(watching.event()["text"], "Service moon/more: new, 1 address")


def test_many_changes_are_summed_up():
    many = 80
    with Daemon({"web.yaml": SERVICE % 1}, namespace="moon") as daemon, watch(daemon) as watching:
        daemon.write("many.yaml", "\n---\n".join(
            f"{{apiVersion: v1, kind: Service, metadata: {{name: s{i}, namespace: moon}}, "
            "spec: {ports: [{port: 80}]}}"
            for i in range(many)))
        told = [watching.event()["text"] for _ in range(51)]
        same([t.endswith(": new, 1 address") for t in told[:50]], [True] * 50)
        same(told[50], "and 30 more Services")


def test_watch_tells_of_questions():
    with Daemon({"web.yaml": SERVICE % 2}, namespace="moon") as daemon:
        with watch(daemon, "questions") as watching, watch(daemon) as other:
            with Client(daemon.env) as client:
                client.ask("inet", "web")
                event = watching.event()
                same({k: event[k] for k in event.keys() - {"time", "microseconds", "pid"}},
                     {"event": "question", "name": "web", "family": "inet", "status": "FOUND",
                      "addresses": 2, "uid": os.getuid()})
                same(event["pid"], client.process.pid)
                same(0 <= event["microseconds"] < 10_000_000, True)
                client.ask("addr", "127.244.0.1")
                event = watching.event()
                same((event["name"], event["status"]), ("127.244.0.1", "FOUND"))
            daemon.write("web.yaml", SERVICE % 1)
            same(watching.event()["text"], "Service moon/web: 2 -> 1 address")
            same(other.event()["text"], "Service moon/web: 2 -> 1 address", "of changes only")


def test_questions_of_others_are_denied():
    need_root()
    with world() as daemon:
        same(as_user(daemon, "watch", "questions")["result"], "DENIED")
        same(as_user(daemon, "namespaces")["result"], "DONE")


AS_USER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from inspect_client import Inspection
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with Inspection(sys.argv[2], *sys.argv[3:]) as inspection:
    lines = sum(1 for _ in inspection.lines())
print(json.dumps({"result": inspection.result, "lines": lines}))
"""


def open_to_all(daemon):
    for path in [daemon.dir, *daemon.dir.parents]:
        if not path.stat().st_mode & 0o001 and path != pathlib.Path("/"):
            path.chmod(path.stat().st_mode | 0o011)


def as_user(daemon, *words):
    """One request by another user."""
    open_to_all(daemon)
    done = subprocess.run(
        [sys.executable, "-B", "-c", AS_USER, str(GOLDEN.parent), str(daemon.socket), *words],
        capture_output=True, text=True, timeout=PATIENCE)
    same(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def test_a_follower_that_does_not_read_is_dropped():
    with Daemon({"web.yaml": SERVICE % 1}, namespace="moon") as daemon:
        with watch(daemon, "questions") as lazy, Client(daemon.env) as client:
            before = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as asking:
                asking.settimeout(PATIENCE)
                asking.connect(str(daemon.socket))
                name = b"x" * 250
                frame = HEADER.pack(MAGIC, 1, 1, 1, 8 + len(name), 0) + struct.pack(
                    "<IBBBB", 0, 4, 0, len(name), 0) + name
                for _ in range(12000):
                    asking.sendall(frame)
                    got = asking.recv(64)
                    if len(os.listdir(f"/proc/{daemon.process.pid}/fd")) <= before:
                        break
                same(len(got) >= HEADER.size, True)
            same(len(client.ask("inet", "web").addresses), 1)
            ends = 0
            with contextlib.suppress(EOFError, ConnectionResetError):
                while True:
                    lazy.event()
                    ends += 1
            same(ends < 12000, True, "told all the same")


def test_followers_are_limited():
    with Daemon({"web.yaml": SERVICE % 1}, namespace="moon") as daemon:
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(watch(daemon))
            inspect(daemon.socket, "watch", result="BUSY")
        fds = pathlib.Path(f"/proc/{daemon.process.pid}/fd")

        def again():
            with Inspection(daemon.socket, "watch") as inspection:
                return inspection.frame() == b""
        wait_for(again, "room for a follower")
        same(fds.exists(), True)


def test_reports_and_changes_at_the_same_time():
    # Each report is one state: a Deployment's pods are always as many as it says.
    end = time.monotonic() + 3
    with Daemon({"web.yaml": SERVICE % 1}, namespace="moon") as daemon:
        n = 0
        while time.monotonic() < end:
            n += 1
            daemon.write("web.yaml", SERVICE % (1 + n % 7))
            described, = inspect(daemon.socket, "describe", "moon", "web")
            workload, = inspect(daemon.socket, "workloads")
            same(described["endpoints"], len(described["endpointList"]))
            same(workload["expanded"], workload["replicas"])
