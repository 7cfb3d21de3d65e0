# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration in effect: drop-ins, `kubesvc config show`, and reloads that are rejected."""

import json
import os
import pathlib
import re
import subprocess
import threading

from harness import Client, Daemon, built, client_env, need_root, same

WEB = {"web.yaml": """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: moon}
spec: {clusterIP: 10.0.0.1, selector: {app: web}, ports: [{port: 80}]}
"""}


def kubesvc(daemon, *arguments, status=0, **options):
    done = subprocess.run([built("kubesvc"), *arguments], env=daemon.env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    same(done.returncode, status, f"status of kubesvc {arguments}: {done.stderr}")
    return done


class Configured(Daemon):
    """A daemon with drop-ins."""

    def __init__(self, config, dropins, **options):
        self.start_config = config
        directory = os.path.abspath("c")
        os.makedirs(f"{directory}/kubesvcd.yaml.d")
        for name, text in dropins.items():
            with open(f"{directory}/kubesvcd.yaml.d/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        super().__init__(WEB, config=config, dir=directory, **options)

    def dropin(self, name, text):
        (self.dir / "kubesvcd.yaml.d" / name).write_text(text)

    def show(self):
        return json.loads(kubesvc(self, "config", "show", "-o", "json").stdout)

    def settings(self):
        return {one["key"]: one for one in self.show()["settings"]}


def test_values_and_where_they_come_from():
    with Configured("zone: a.example\nsearch: [a.example]\n\nndots: 3\n",
                    {"20.yaml": "# of the site\nsearch: []\nallocate: false\n",
                     "50.yaml": "ndots: 2\n", "50.yaml.bak": "ndots: 9\n"},
                    namespace="moon") as daemon:
        files = [str(daemon.config), *(f"{daemon.config}.d/{name}" for name in ("20.yaml", "50.yaml"))]
        report = daemon.show()
        same((report["files"], report["changed"], report["reloads"]), (files, False, 0))
        expected = {
            "zone": ("a.example", "file", files[0], 1, None),
            "search": ([], "file", files[1], 2, None),
            "allocate": (False, "file", files[1], 3, None),
            "ndots": (2, "file", files[2], 1, None),
            "namespace": ("moon", "option", None, None, "--namespace"),
            "socket": (str(daemon.socket), "option", None, None, "--socket"),
            "manifests": ([{"path": str(daemon.directories[0]), "recursive": False,
                            "allocate": False}], "option", None, None, "--manifests"),
            "podCIDRs": (["127.244.0.0/16"], "default", None, None, None),
            "namespaces": (None, "default", None, None, None),
        }
        settings = {one["key"]: one for one in report["settings"]}
        for key, values in expected.items():
            same(tuple(settings[key].get(name) for name in
                       ("value", "source", "file", "line", "option")), values, key)

        text = kubesvc(daemon, "config", "show").stdout
        assert re.search(rf"^zone: a.example +# {files[0]}:1$", text, re.M), text
        assert re.search(rf"^ndots: 2 +# {files[2]}:1$", text, re.M), text
        assert re.search(r"^namespace: moon +# --namespace$", text, re.M), text
        assert re.search(r"^podCIDRs: +# default$", text, re.M), text
        # and that is how the names resolve
        with Client(daemon.env) as client:
            same(client.ask("inet", "web.moon.svc.a.example").addresses, ["10.0.0.1"])
            same(client.ask("inet", "web.moon").passed_on != [], True, "short names")


def test_what_is_shown_can_be_read_again():
    with Configured("podCIDRs: [10.1.0.0/16, 'fd00:1::/64']\nmanifests: [/a, {path: /b, namespace: x}]\n"
                    "nodeIPs: [192.0.2.1]\nnameservers: ['192.0.2.53:5353']\n", {}) as daemon:
        lines = kubesvc(daemon, "config", "show").stdout.splitlines()
        again = "\n".join(line for line in lines if not re.match("socket:|state:", line))
        before = {key: one.get("value") for key, one in daemon.settings().items()}
        daemon.config.write_text(again + "\n")
        same(daemon.show()["changed"], False)
        daemon.reload()
        same({key: one.get("value") for key, one in daemon.settings().items()}, before)


def wrong_in_status(daemon):
    done = kubesvc(daemon, "status")
    return re.search(r"^Configuration: .*\n +(.*)", done.stdout, re.M)[1]


def doctor(daemon):
    done = subprocess.run([built("kubesvc"), "doctor", "-o", "json"], env=daemon.env,
                          stdout=subprocess.PIPE, text=True)
    return next((check["verdict"], check["text"]) for check in json.loads(done.stdout)["checks"]
                if check["check"] == "config")


def test_rejected_reload():
    with Configured("zone: a.example\n", {"a.yaml": "ndots: 2\n"}) as daemon:
        same(doctor(daemon), ("ok", f"{daemon.config} and 1 more"))
        daemon.dropin("b.yaml", "ndots: 4\nndot: 3\n")
        place = f"{daemon.config}.d/b.yaml:2:1: error: "
        would = f"the files have changed and would be rejected: {place}"
        assert wrong_in_status(daemon).startswith(would), wrong_in_status(daemon)
        assert doctor(daemon)[0] == "bad" and doctor(daemon)[1].startswith(would), doctor(daemon)

        done = kubesvc(daemon, "reload", status=1)
        assert "configuration rejected; keeping the previous one: " + place in done.stderr, done.stderr
        daemon.wait_line(place)
        daemon.wait_line("configuration rejected; keeping the previous one")
        report = daemon.show()
        same((report["reloads"], len(report["rejected"]["errors"])), (1, 1))
        assert report["rejected"]["errors"][0].startswith(place), report
        same(daemon.settings()["ndots"]["value"], 2, "in effect")
        for text in wrong_in_status(daemon), doctor(daemon)[1]:
            assert re.match(rf"rejected since \S+, keeping the previous one: {place}", text), text
        same(doctor(daemon)[0], "bad")
        shown = kubesvc(daemon, "config", "show").stdout
        assert re.search(rf"^# rejected since .*: {place}", shown, re.M), shown
        with Client(daemon.env) as client:
            same(client.ask("inet", "web.moon.svc.a.example").addresses, ["10.0.0.1"])

        # corrected, but not read yet
        daemon.dropin("b.yaml", "ndots: 4\n")
        assert "fixed since, but not reloaded" in wrong_in_status(daemon)
        kubesvc(daemon, "reload")
        same((doctor(daemon)[0], daemon.settings()["ndots"]["value"]), ("ok", 4))
        report = daemon.show()
        same((report["reloads"], report["changed"], "rejected" in report), (2, False, False))


def test_changed_files():
    with Configured("zone: a.example\n", {}) as daemon:
        daemon.dropin("a.yaml", "# only a comment\n")
        same(daemon.show()["changed"], False)
        daemon.dropin("a.yaml", "ndots: 1\n")
        same(daemon.show()["changed"], True)
        same(doctor(daemon), ("warn", "the files have changed but have not been reloaded"))
        same(kubesvc(daemon, "reload").stderr, "")
        same((daemon.show()["changed"], daemon.settings()["ndots"]["value"]), (False, 1))
        daemon.config.unlink()  # which --config names, so it must be there
        same(daemon.show()["changed"], True)
        done = kubesvc(daemon, "-o", "json", "reload", status=1)
        assert f"{daemon.config}: cannot be read: No such file" in json.loads(done.stderr)["error"]
        assert f"{daemon.config}: cannot be read: No such file" in wrong_in_status(daemon)


def test_reload_reads_manifests():
    with Configured("", {}) as daemon, Client(daemon.env) as client:
        daemon.write("new.yaml", WEB["web.yaml"].replace("name: web", "name: new"))
        kubesvc(daemon, "reload")
        same(client.ask("inet", "new.moon.svc.cluster.local").addresses, ["10.0.0.1"])


def test_reload_ends_when_its_names_are_answered():
    """For the command and for the service manager: not when the configuration is in effect, but when
    the files of new directories are, too, and those of removed ones are not. What is published in
    between does not end it."""
    n = 2000
    name = f"w{n - 1}.moon.svc.cluster.local"
    first, second = (pathlib.Path(name).resolve() for name in ("first", "second"))
    first.mkdir()
    second.mkdir()
    (second / "many.yaml").write_text(
        "---".join(WEB["web.yaml"].replace("name: web", f"name: w{i}") for i in range(n)))
    over = threading.Event()

    def publish():
        while not over.wait(0.001):
            (first / "web.yaml").write_text(WEB["web.yaml"])

    with Daemon([], config=f"manifests: [{first}]\n") as daemon, Client(daemon.env) as client:
        busy = threading.Thread(target=publish)
        busy.start()
        try:
            for reload in (daemon.reload, lambda: kubesvc(daemon, "reload")) * 2:
                daemon.config.write_text(f"manifests: [{first}, {second}]\n")
                reload()
                same(client.ask("inet", name).addresses, ["10.0.0.1"])
                daemon.config.write_text(f"manifests: [{first}]\n")
                reload()
                same(client.ask("inet", name).error, "EAI_NONAME")
        finally:
            over.set()
            busy.join()


def test_reload_by_another_user():
    need_root()
    with Configured("", {}) as daemon:
        daemon.socket.chmod(0o666)
        done = subprocess.run([built("kubesvc"), "reload"], env=daemon.env, user=65534, group=65534,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        same(done.returncode, 1)
        assert "cannot signal the daemon" in done.stderr, done.stderr
        same(daemon.show()["reloads"], 0)


def test_reload_without_a_daemon():
    done = subprocess.run([built("kubesvc"), "reload"], env=client_env(os.path.abspath("nothing")),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    same(done.returncode, 1)
    assert "nothing" in done.stderr, done.stderr


def test_bad_dropin_at_start():
    os.makedirs("c.yaml.d")
    with open("c.yaml.d/a.yaml", "w", encoding="utf-8") as file:
        file.write("zone: a..b\n")
    with open("c.yaml", "w", encoding="utf-8"):
        pass
    for option in [], ["--check"]:
        done = subprocess.run([built("kubesvcd"), "--config", "c.yaml", "--socket", "s", "--state", "t",
                               *option], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        same(done.returncode, 1)
        assert "c.yaml.d/a.yaml:1:7: error: zone must be a DNS name" in done.stderr, done.stderr
    done = subprocess.run([built("kubesvcd"), "--check", "--zone", "a b"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "command line: error: --zone: must be a DNS name" in done.stderr, done.stderr


def test_check_says_which_files_there_are():
    os.makedirs("c.yaml.d")
    for name in "c.yaml", "c.yaml.d/a.yaml":
        with open(name, "w", encoding="utf-8") as file:
            file.write("zone: a.b\n")

    def checked(*options):
        return subprocess.check_output([built("kubesvcd"), "--check", *options], text=True)

    same(checked("--config", "c.yaml"), "c.yaml: configuration OK\nc.yaml.d/a.yaml: configuration OK\n")
    if not os.path.exists("/etc/kubesvc"):
        same(checked(), "no configuration file; the defaults apply\n")
