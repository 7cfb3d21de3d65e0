# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands that keep running and show changes: get -w, monitor."""

import json
import os
import signal
import subprocess
import threading

from harness import PATIENCE, Client, Daemon, built, need_root, same, wait_for
from test_cli_shapes import check, documented

SERVICE = """apiVersion: v1
kind: Service
metadata: {name: %s}
spec: {clusterIP: %s, ports: [{port: 80}]}
"""


class Following:
    """A command that stays; its lines as they come."""

    def __init__(self, daemon, *arguments):
        self.lines = []
        self.process = subprocess.Popen([built("kubesvc"), *arguments], env=daemon.env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        threading.Thread(target=self.read, args=[self.process.stdout], daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip("\n"))

    def wait(self, condition):
        wait_for(lambda: any(map(condition, list(self.lines))), f"it in {self.lines}")
        return next(filter(condition, self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)


def fields(line):
    return line.split()


def test_get_follows_changes():
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        with Following(daemon, "get", "svc", "-w") as following:
            following.wait(lambda line: fields(line)[:3] == ["a", "ClusterIP", "10.0.0.1"])
            same(len(following.lines), 2)
            daemon.write("b.yaml", SERVICE % ("b", "10.0.0.2"))
            following.wait(lambda line: fields(line)[0] == "b")
            daemon.write("a.yaml", SERVICE % ("a", "10.0.0.3"))
            following.wait(lambda line: fields(line)[::2][:2] == ["a", "10.0.0.3"])
            (daemon.dir / "manifests" / "b.yaml").unlink()
            following.wait(lambda line: fields(line)[0] == "b" and fields(line)[-1] == "(gone)")
            same(len(following.lines), 5)  # a heading, and only what changed
            daemon.stop()
            same(following.process.wait(PATIENCE), 1)
            assert following.process.stderr.read().startswith("kubesvc: "), "it says why it ends"


def test_get_follows_changes_as_data():
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        with Following(daemon, "get", "svc", "-w", "-o", "json") as following:
            following.wait(lambda line: json.loads(line)["clusterIPs"] == ["10.0.0.1"])
            (daemon.dir / "manifests" / "a.yaml").unlink()
            gone = following.wait(lambda line: "deleted" in json.loads(line))
            same(json.loads(gone), {"kind": "Service", "namespace": "default", "name": "a",
                                    "deleted": True})


def test_many_changes_at_once():
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        with Following(daemon, "get", "svc", "-w", "-o", "name") as following:
            following.wait(lambda line: line == "service/a")
            for i in range(200):
                daemon.write(f"s{i}.yaml", SERVICE % (f"s{i}", f"10.0.1.{i}"))
            following.wait(lambda line: line == "service/s199")
            wait_for(lambda: len(set(following.lines)) == 201, "all of them")


def test_monitor_shows_changes():
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        with Following(daemon, "monitor") as text, Following(daemon, "monitor", "-o", "json") as data:
            same(text.process.stderr.readline(), "Waiting for changes; press Ctrl-C to stop.\n")
            wait_for(lambda: changed(daemon) and data.lines, "a change")
            event = json.loads(data.lines[0])
            same((event["event"], set(event)), ("change", {"event", "time", "text"}))
            check(event, "Event", documented(), "monitor")
            text.wait(lambda line: "change" in line and "Service default/b" in line)
            text.process.send_signal(signal.SIGINT)
            same(text.process.wait(PATIENCE), -signal.SIGINT)


def changed(daemon, count=[0]):
    """One more change: the JSON monitor does not say when it has begun."""
    count[0] += 1
    daemon.write("b.yaml", SERVICE % ("b", f"10.0.0.{2 + count[0] % 200}"))
    return True


def test_monitor_shows_questions():
    """To root, or to the user that the daemon runs as, as here."""
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        with Following(daemon, "monitor", "--questions") as following:
            same(following.process.stderr.readline(), "Waiting for changes and lookups; press Ctrl-C to stop.\n")
            with Client(daemon.env) as client:
                client.ask("inet", "a.default")
                line = following.wait(lambda line: "question" in line and "a.default" in line)
                assert "FOUND, 1 address," in line and f"process {client.process.pid}" in line, line


def test_questions_are_as_documented():
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        with Following(daemon, "monitor", "--questions", "-o", "json") as following:
            wait_for(lambda: asked(daemon) and following.lines, "a lookup")
            event = json.loads(following.lines[0])
            same((event["event"], event["name"], event["status"]), ("question", "a.default", "FOUND"))
            check(event, "Event", documented(), "monitor")


def asked(daemon):
    """One more lookup by a new process, which asks the daemon; see changed()."""
    with Client(daemon.env) as client:
        client.ask("inet", "a.default")
    return True


def test_monitor_hides_questions_of_others():
    need_root()
    with Daemon({"a.yaml": SERVICE % ("a", "10.0.0.1")}) as daemon:
        os.chmod(daemon.dir, 0o755)
        done = subprocess.run([built("kubesvc"), "monitor", "--questions"], env=daemon.env, text=True,
                              capture_output=True, timeout=PATIENCE, user=65534, group=65534,
                              extra_groups=[])
        same((done.returncode, done.stdout), (1, ""))
        assert "ask as root" in done.stderr, done.stderr
