# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc check: the worlds of tests/check with the expected findings of each, and those of corpora."""

import collections
import json
import os
import pathlib
import re
import signal
import subprocess

import test_cli_shapes as shapes
from harness import HERE, Daemon, built, inputs, limit, same, skip

WORLDS = HERE.parent / "check"


def check(*arguments, status=None, stdin=None, cwd=WORLDS, socket="/nonexistent"):
    done = subprocess.run([built("kubesvc"), "check", *map(str, arguments)], cwd=cwd, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={"LC_ALL": "C", "PATH": os.environ["PATH"],
                               "KUBESVC_SOCKET": str(socket)})
    if status is not None:
        same(done.returncode, status, f"status of check {arguments}: {done.stderr.decode()}")
    return done


def check_json(*arguments, **options):
    return json.loads(check("-o", "json", *arguments, **options).stdout)


def rules(*arguments, **options):
    return [finding["rule"] for finding in check_json(*arguments, **options)["findings"]]


def test_worlds():
    names = sorted(path.name for path in WORLDS.iterdir())
    assert len(names) >= 10, names
    for name in names:
        done = check("-R", name)
        same((done.stdout + done.stderr).decode(), (WORLDS / name / "expected").read_text(), name)
        same(done.returncode, int(b": error: " in done.stdout), name)


def test_nothing_to_check():
    """A wrong path, or a generator that has failed, is no success; files that are meant to be left
    out, or are met in another way, are there."""
    top = pathlib.Path.cwd()
    (top / "empty").mkdir()
    (top / "deep" / "below").mkdir(parents=True)
    (top / "deep" / "README.md").write_text("manifests are below\n")
    (top / "deep" / "below" / "a.yaml").write_text("# none yet\n")
    message = "error: no manifests: no file here ends in .yaml, .yml or .json"
    for arguments, expected in (
            (["empty"], f"empty: {message} [no-manifests]\n"),
            (["-R", "empty"], f"empty: {message} [no-manifests]\n"),
            (["deep"], f"deep: {message}; -R enters subdirectories [no-manifests]\n"),
            (["deep/below", "empty"], f"empty: {message} [no-manifests]\n"),
            (["-R", "deep"], ""), (["deep/below"], ""), (["deep/below/a.yaml"], ""),
            (["-R", "deep/below", "deep"], ""), (["-R", "deep", "--ignore", "below/"], ""),
            (["-R", "deep", "--ignore", "*.yaml"], ""),
            (["empty", "--ignore", "no-manifests"], "")):
        done = check(*arguments, cwd=top)
        same((done.stdout.decode(), done.returncode), (expected, int(bool(expected))), arguments)
    for text, expected in (b"", True), (b" \n\n", True), (b"---\n", False), (b"# none\n", False):
        done = check("-", stdin=text)
        same(done.stdout, b"<stdin>: error: the input is empty [no-manifests]\n" * expected, text)
        same(done.returncode, int(expected))
    done = subprocess.run([built("kubesvc"), "check", "-"], preexec_fn=lambda: os.close(0), stdout=subprocess.PIPE)
    same(done.stdout, b"<stdin>: error: cannot be read: Bad file descriptor [unreadable]\n")


def test_a_list_that_is_no_list():
    done = check("-", stdin=b'[{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}]', status=0)
    assert done.stdout.startswith(b"<stdin>:1:1: warning: a list of objects as a document is ignored"), done


def test_the_same_as_json():
    for world in WORLDS.iterdir():
        text = check("-R", world.name).stdout.decode().splitlines()
        report = check_json("-R", world.name)
        lines = []
        for finding in report["findings"]:
            place = ":".join(str(finding[key]) for key in ("file", "line", "column"))
            about = f"{finding['object']}: " if "object" in finding else ""
            message = "".join(c if c.isprintable() else "?" for c in finding["message"])
            lines.append(f"{place}: {finding['severity']}: {about}{message} [{finding['rule']}]")
        same(lines, [re.sub(r"(\\x[0-9a-f]{2})+", harmless, line) for line in text], world.name)
        counts = collections.Counter(finding["severity"] for finding in report["findings"])
        same((report["errors"], report["warnings"]), (counts["error"], counts["warning"]))


def test_the_json_is_as_documented():
    documented = shapes.documented()
    for arguments in ("-R", "."), ("absent",), ("clean",):
        shapes.check(check_json(*arguments), "Check", documented, arguments)


NOTE = ("{} a cluster IP on this host, but no kubesvc-proxy is running, so nothing forwards connections "
        "to {}")
POD = """apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: NAME}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
"""


def with_pod(name, spec="", status="", uid=""):
    """A Service, and a pod that it selects."""
    service = lost(name).replace("spec: {", f"spec: {{{spec}").replace(
        f"{{name: {name}}}", f"{{name: {name}{uid}}}")
    return f"{service}---\n{POD.replace('NAME', name)}{status}"


def test_a_missing_proxy_is_noted_where_a_daemon_runs():
    """On this host and for these files; it is no finding, and no failure."""
    here = make({"a.yaml": with_pod("a"), "b.yaml": with_pod("b"),
                 # what gets none, or has nothing behind it
                 "headless/h.yaml": with_pod("h", spec="clusterIP: None, "),
                 "stated/ip.yaml": with_pod("s", spec="clusterIP: 10.96.0.7, "),
                 "stated/pod.yaml": with_pod("p", status="status: {podIP: 10.1.0.1}\n"),
                 "stated/dump.yaml": with_pod("d", uid=", uid: 0815"),
                 "external.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: e}\n"
                                  "spec: {type: ExternalName, externalName: example.org}\n"})

    def note(*arguments, **options):
        text = check(*arguments, cwd=here, **options).stderr.decode().splitlines()[1:]
        report = check_json(*arguments, cwd=here, **options)
        same(text, [f"note: {report['note']}"] if "note" in report else [])
        shapes.check(report, "Check", shapes.documented(), arguments)
        return report.get("note")

    same(note("a.yaml"), None, "no daemon is running")
    with Daemon({}) as daemon:
        same(note("a.yaml", socket=daemon.socket), NOTE.format("1 Service gets", "it"))
        same(note("-R", ".", socket=daemon.socket), NOTE.format("2 Services get", "them"))
        same(note("external.yaml", "headless", "stated", socket=daemon.socket), None)
        check("--strict", "a.yaml", cwd=here, socket=daemon.socket, status=0)
        os.kill(daemon.process.pid, signal.SIGSTOP)
        same(note("a.yaml", socket=daemon.socket), None, "it is not waited for")
        os.kill(daemon.process.pid, signal.SIGCONT)
    with Daemon({}, config="allocate: false\n") as daemon:
        same(note("a.yaml", socket=daemon.socket), None, "it gives no addresses")


def harmless(found):
    raw = bytes.fromhex(found[0].replace("\\x", ""))
    return "?" * len(raw.decode())


def test_nothing_harmful_reaches_the_terminal():
    for arguments in (), ("-o", "json"):
        done = check("hostile", *arguments, status=1)
        text = done.stdout.decode()
        assert "a\\" in text
        bad = [c for c in text if c != "\n" and not c.isprintable()]
        same(bad, [], arguments)


def test_every_rule_is_in_the_help_and_can_be_ignored():
    listed = re.findall(r"(?m)^  ([a-z-]+) {2,}\S", check("--help", status=0).stdout.decode())
    found = {finding["rule"] for finding in check_json("-R", ".")["findings"]}
    assert len(found) > 18, found
    same(found - set(listed), set())
    for rule in sorted(found):
        same(rules("--ignore", rule, "-R", "."), [r for r in rules("-R", ".") if r != rule])
    same(rules("--ignore", ",".join(found), "-R", "."), [])
    done = check("--ignore", "target-prot", "seed", status=1)
    same(done.stderr, b"kubesvc: unknown rule 'target-prot'; did you mean 'target-port'?\n")


def test_status():
    check("clean", status=0)
    check("clean", "--strict", status=0)
    check("seed", status=0)
    check("seed", "--strict", status=1)
    check("--strict", "seed", "--ignore", "target-port", status=0)
    check("workloads", status=1)
    check(status=1)
    check("--nonsense", "seed", status=1)
    done = check("absent.yaml", "seed/deployment.yaml", status=1)
    same(done.stdout, b"absent.yaml: error: cannot be read: No such file or directory "
                      b"[unreadable]\n")
    same(check("-n", "Upper", "seed", status=1).stdout, b"")


def test_paths_and_standard_input():
    text = b"apiVersion: v1\nkind: Service\nmetadata: {name: web}\n" \
        b"spec: {selector: {app: web}, ports: [{port: 80}]}\n"
    done = check("-", stdin=text, status=0)
    same(done.stdout.split(b": ")[0], b"<stdin>:4:8")
    same(rules("-", "seed/deployment.yaml", stdin=text), [], "one world")
    same(rules("-", "seed/deployment.yaml", "-n", "moon", stdin=text), [], "one namespace")
    same(rules("seed", "seed/deployment.yaml", "./seed"), rules("seed"), "nothing twice")
    same(len(check_json("duplicates")["files"]), 0, "not below")
    same([file["file"] for file in check_json("-R", "duplicates")["files"]],
         ["duplicates/a/10-first.yaml", "duplicates/a/9-last.json", "duplicates/b/0.yaml"])
    same([f["file"] for f in check_json("duplicates/b", "duplicates/a")["findings"]][-1],
         "duplicates/b/0.yaml", "the later path wins")


def test_unreadable_and_special_files():
    here = pathlib.Path.cwd()
    (here / "d").mkdir()
    (here / "d" / "dangling.yaml").symlink_to("nowhere")
    os.mkfifo(here / "d" / "pipe.yaml")
    (here / "d" / "loop").symlink_to(".")
    (here / "d" / "empty.yaml").write_bytes(b"")
    report = check_json("-R", "d", cwd=here)
    same([(f["file"], f["rule"]) for f in report["findings"]], [("d/dangling.yaml", "unreadable")])
    same([file["file"] for file in report["files"]], ["d/empty.yaml"])


def make(files):
    """Files below the test's own directory, which it returns."""
    here = pathlib.Path.cwd() / "made"
    for name, text in files.items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return here


def lost(name, comment=""):
    """A Service whose selector matches nothing."""
    return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
            f"spec: {{ports: [{{port: 80}}], selector: {{app: {name}}}}}{comment}\n")


def seen(*arguments, here):
    return sorted(file["file"].removeprefix("./") for file in check_json(
        *arguments, cwd=here)["files"])


def test_paths_that_are_ignored():
    names = ["a.yaml", "old/a.yaml", "old/deep/b.yaml", "k8s/old/c.yaml", "k8s/c.test.yaml",
             "k8s/deep/c.test.yaml"]
    here = make({name: lost("x") for name in names})
    same(seen("-R", ".", here=here), sorted(names))
    for patterns, gone in (
            (["old/"], names[1:4]), (["old/deep"], names[2:3]), (["./old"], names[1:3]),
            (["k8s/*"], names[3:]), (["*.test.yaml"], names[4:]), (["k8s/*.test.yaml"], names[4:5]),
            (["k8s/**/c.*"], names[3:]), (["**/deep"], [names[2], names[5]]), (["**"], names),
            (["a.yaml", "k8s/"], [names[0], names[1], *names[3:]]), ([f"{here}/k8s"], names[3:]),
            (["nothing/at/all"], []), (["/"], [])):
        options = [word for pattern in patterns for word in ("--ignore", pattern)]
        same(seen("-R", ".", *options, here=here), sorted(set(names) - set(gone)), patterns)
    # below what was given, too; and what was given itself
    same(seen("-R", "k8s", "--ignore", "deep/*", here=here), ["k8s/c.test.yaml", "k8s/old/c.yaml"])
    same(seen("old/a.yaml", "a.yaml", "--ignore", "old/a.yaml", here=here), ["a.yaml"])
    # rules and paths side by side
    same(rules("-R", ".", "--ignore", "selects-nothing,duplicate-object", "--ignore", "k8s/",
               cwd=here), [])


def test_comments_that_suppress():
    here = make({
        "line.yaml": lost("a", "  # kubesvc-ignore: selects-nothing, target-port"),
        "above.yaml": lost("b").replace("spec:", "# kubesvc-ignore: selects-nothing\n\n# why\nspec:"),
        "document.yaml": "# kubesvc-ignore: selects-nothing\n" + lost("c") + "---\n" + lost("d"),
        "second.yaml": lost("e") + "--- # kubesvc-ignore: selects-nothing\n" + lost("f")
                       + "---\n" + lost("g"),
        "far.yaml": lost("h").replace("kind:", "# kubesvc-ignore: selects-nothing\nkind:"),
        "other.yaml": lost("i", "  # kubesvc-ignore: target-port"),
        "none.yaml": lost("j", "  '# kubesvc-ignore: selects-nothing'").replace("}  '", "}\nx: '"),
        "unknown.yaml": lost("k", "  # kubesvc-ignore: selects-nothin"),
        "crlf.yaml": lost("l", "  # kubesvc-ignore: selects-nothing").replace("\n", "\r\n"),
    })
    report = check_json(".", cwd=here)
    same([(f["file"].removeprefix("./"), f.get("object"), f["rule"]) for f in report["findings"]], [
        ("document.yaml", "Service default/d", "selects-nothing"),
        ("far.yaml", "Service default/h", "selects-nothing"),
        ("none.yaml", "Service default/j", "selects-nothing"),
        ("other.yaml", "Service default/i", "selects-nothing"),
        ("second.yaml", "Service default/e", "selects-nothing"),
        ("second.yaml", "Service default/g", "selects-nothing"),
        ("unknown.yaml", None, "unknown-rule"),
        ("unknown.yaml", "Service default/k", "selects-nothing")])
    done = check("line.yaml", cwd=here, status=0)
    same(done.stderr, b"0 errors, 0 warnings; 1 file, 1 object, of them 1 Service; 1 suppressed\n")
    # errors of the reader, too, and standard input
    same(rules("-", stdin=b"# kubesvc-ignore: no-ports\napiVersion: v1\nkind: Service\n"
                          b"metadata: {name: x}\n"), [])


def test_charts_and_templates():
    chart = {
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "web/values.yaml": "port: 80\n",
        "web/crds/plain.yaml": lost("plain"),
        "web/templates/a.yaml": "kind: Service\nmetadata:\n  name: {{ .Values.x }}\n",
        "web/templates/b.yaml": "{{- if .Values.x }}\nkind: Pod\n{{- end }}\n",
        "web/templates/c.yaml": "a: [b\nc: }\n",
        "web/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
        "web/charts/sub/templates/d.yaml": "metadata: {{ x }}\n",
        "one/Chart.yaml": "apiVersion: v2\nname: one\nversion: 1.0.0\n",
        "one/templates/a.yaml": "metadata: {{ x }}\n",
        "jinja.yaml": "metadata: {{ x }}\n",
    }
    here = make(chart)
    report = check_json("-R", ".", cwd=here)
    same([(f["file"].removeprefix("./"), f["rule"], f["message"][:40]) for f in report["findings"]], [
        ("jinja.yaml", "template", "looks like a template (Helm, Go or Jinja"),
        ("one", "template", "a Helm chart, of which 1 template was no"),
        ("web", "template", "a Helm chart, of which 4 templates were "),
        ("web/crds/plain.yaml", "selects-nothing", report["findings"][-1]["message"][:40])])
    same(rules("web/templates", cwd=here), ["template"], "of a chart above")
    same(rules("-R", "--skip-templates", ".", cwd=here), ["selects-nothing"])
    assert "web/templates/c.yaml" not in seen("-R", "--skip-templates", ".", here=here)
    same(rules("-R", ".", "--ignore", "web", "--ignore", "template", cwd=here), [])


def custom(version, kind, rest):
    return f"---\napiVersion: {version}\nkind: {kind}\n{rest}\n"


def test_pods_that_an_operator_makes():
    def service(selector):
        return ("apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: moon}\n"
                f"spec: {{clusterIP: None, selector: {selector}}}\n")

    def found(selector, others=""):
        return rules("-", stdin=(service(selector) + others).encode())

    for selector in ("{cnpg.io/cluster: db}", "{app: x, strimzi.io/name: kafka}",
                     "{app.kubernetes.io/managed-by: prometheus-operator}"):
        same(found(selector), [], selector)
    for selector in ("{app: db}", "{app.kubernetes.io/name: db}", "{app.kubernetes.io/managed-by: Helm}",
                     "{statefulset.kubernetes.io/pod-name: db-0}"):
        same(found(selector), ["selects-nothing"], selector)
    rollout = custom("argoproj.io/v1alpha1", "Rollout", "metadata: {name: x, namespace: moon}\n"
                     "spec: {template: {metadata: {labels: {app: db, tier: x}}}}")
    same(found("{app: db}", rollout), [])
    same(found("{app: bd}", rollout), ["selects-nothing"])
    cluster = "metadata: {name: db, namespace: %s}"
    postgres = custom("acid.zalan.do/v1", "postgresql", cluster % "moon")
    same(found("{cluster-name: db}", postgres), [])
    same(found("{cluster-name: other}", postgres), ["selects-nothing"])
    same(found("{cluster-name: db}", postgres.replace("moon", "sun")), ["selects-nothing"])
    for other in (custom("networking.istio.io/v1", "VirtualService", cluster % "moon"),
                  custom("monitoring.coreos.com/v1", "ServiceMonitor", cluster % "moon"),
                  custom("networking.k8s.io/v1", "Ingress", cluster % "moon"),
                  custom("v1", "ConfigMap", cluster % "moon")):
        same(found("{app: db}", other), ["selects-nothing"], other)


def test_a_reader_that_goes_away():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([built("kubesvc"), "check", "-R", "."], cwd=WORLDS, stdout=writing,
                          stderr=subprocess.DEVNULL)
    os.close(writing)
    assert done.returncode != 0, done


def worlds(corpus):
    return sorted(path for path in corpus.iterdir() if path.is_dir())


# Workloads that the other count takes by their kind alone, or does not see in a typed list.
ODD = re.compile(rb'DeploymentConfig|batch\.volcano\.sh|"ReplicaSetList"'
                 rb'|networking\.k8s\.io/v1",\s*"kind": "ReplicaSet"')


def compare_counts(corpus):
    expected = {}
    for line in (corpus / "EXPECT.tsv").read_text().splitlines()[1:]:
        name, status, _, _, *counts = line.split("\t")
        expected[name] = (status, list(map(int, counts)))
    compared = 0
    for directory in worlds(corpus):
        report = check_json(directory.name, cwd=corpus)
        left_out = {f["file"] for f in report["findings"]
                    if "object" not in f or "/" not in f["object"]}
        for file in report["files"]:
            status, counts = expected.get(file["file"], ("", None))
            if status != "ok":
                continue
            found = [file["services"], file["pods"], file["workloads"]]
            if ODD.search((corpus / file["file"]).read_bytes()):
                found[2] = counts[2] = 0
            if file["file"] not in left_out:
                same(found, counts, file["file"])
                compared += 1
            else:
                assert all(a <= b for a, b in zip(found, counts)), (file, counts)
    good = sum(status == "ok" for status, _ in expected.values())
    assert compared > 0.75 * good, (corpus, compared, good)


@limit(180)
def test_counts():
    """As another YAML library counts them; what the reader spoke of need not be an object."""
    for corpus in inputs("corpus"):
        compare_counts(corpus)


# --- Selectors that match nothing, counted once more -----------------------------------------------

VERSIONS = {
    "Service": {"v1"}, "Pod": {"v1"}, "Endpoints": {"v1"}, "ReplicationController": {"v1"},
    "EndpointSlice": {"discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"},
} | {kind: {"apps/v1", "apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"}
     for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")} \
  | {kind: {"batch/v1", "batch/v1beta1", "batch/v2alpha1"} for kind in ("Job", "CronJob")}
VERSIONS["Job"].add("extensions/v1beta1")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


def flatten(document):
    if not isinstance(document, dict):
        return
    items = document.get("items")
    if isinstance(items, list):
        for item in items:
            kind = str(document.get("kind", ""))
            if isinstance(item, dict) and "kind" not in item and kind.endswith("List"):
                item = item | {"kind": kind[:-4], "apiVersion": document.get("apiVersion")}
            yield from flatten(item)
    elif document.get("apiVersion") in VERSIONS.get(document.get("kind"), ()):
        yield document


def dig(value, *keys):
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value or {}


def labels_of(item):
    kind = item["kind"]
    if kind == "Pod":
        return dig(item, "metadata", "labels")
    template = ("spec", "jobTemplate", "spec") if kind == "CronJob" else ("spec",)
    return dig(item, *template, "template", "metadata", "labels")


def count_misses(yaml, paths, left_out):
    """Services whose selector matches nothing, by the plainest of ways."""
    objects = {}
    for path in paths:
        for document in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader):
            for item in flatten(document):
                name = dig(item, "metadata").get("name")
                space = dig(item, "metadata").get("namespace") or "default"
                if not isinstance(name, str) or not LABEL.match(str(space)):
                    continue
                objects[item["kind"], space, name] = item
    misses = set()
    for (kind, space, name), item in objects.items():
        selector = dig(item, "spec", "selector")
        if kind != "Service" or not LABEL.match(name) or not selector or \
                dig(item, "spec", "type") == "ExternalName" or f"Service {space}/{name}" in left_out:
            continue
        found = ("Endpoints", space, name) in objects
        for (other, where, _), candidate in objects.items():
            if where != space or other in ("Service", "Endpoints"):
                continue
            if other == "EndpointSlice":
                labels = dig(candidate, "metadata", "labels")
                found |= labels.get("kubernetes.io/service-name") == name
            else:
                found |= labels_of(candidate).items() >= selector.items()
        if not found:
            misses.add(f"Service {space}/{name}")
    return misses


def compare_selectors(yaml, corpus):
    total = 0
    for directory in worlds(corpus):
        report = check_json(directory.name, cwd=corpus)
        bad = {f["file"] for f in report["findings"]
               if f["rule"] in ("syntax", "template", "unreadable")}
        left_out = {f["object"] for f in report["findings"]
                    if f["severity"] == "error" and "object" in f}
        # what one library cannot read, the other does not say anything about
        paths = []
        for file in report["files"]:
            path = corpus / file["file"]
            try:
                list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
            except (yaml.YAMLError, ValueError):
                continue
            if file["file"] not in bad:
                paths.append(path)
        again = check_json(*(path.relative_to(corpus) for path in sorted(paths)), cwd=corpus) \
            if paths else {"findings": []}
        found = [f["object"] for f in again["findings"] if f["rule"] == "selects-nothing"]
        same(sorted(found), sorted(count_misses(yaml, sorted(paths), left_out)), directory.name)
        total += len(found)
    assert total > 0, corpus


@limit(300)
def test_selectors():
    try:
        import yaml
    except ImportError:
        skip("needs python3-yaml")
    if not hasattr(yaml, "CSafeLoader"):
        skip("needs python3-yaml with libyaml")
    # Of our own worlds alone: this plainest of ways does not know which of several definitions an
    # API server would refuse, and so cannot say which of them is in force.
    compare_selectors(yaml, inputs("corpus")[0])
