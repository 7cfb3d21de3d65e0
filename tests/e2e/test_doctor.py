# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc doctor: what is fine, what is not, and what to do about it."""

import json
import os
import pathlib
import shutil
import socket
import subprocess

import test_cli_shapes as shapes
from cases import accepts, hold_up, is_ready
from harness import (BUILD, Daemon, built, client_env, need_program, need_root, same, skip,
                     wait_for, with_nsswitch)

GOOD = "files kubesvc [NOTFOUND=return] dns"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n" \
    "spec: {clusterIP: 127.0.0.7, ports: [{port: 80}]}\n"
POD = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n" \
    "spec: {containers: [{name: c, image: i}]}\n"


def host(hosts=GOOD, **files):
    """A root directory; `files`: of these names below it, with __ for /."""
    root = pathlib.Path("root").resolve()
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "etc/nsswitch.conf").write_text(f"passwd: files\n# hosts: none\nhosts:  {hosts}\n")
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def examine(env, root=None, wrapper=(), text=False):
    """(status, {check: [(verdict, text, remedy)]})"""
    command = [*wrapper, built("kubesvc"), "doctor", *(["--root", str(root)] if root else [])]
    if text:
        return subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True)
    done = subprocess.run([*command, "-o", "json"], env=env, stdout=subprocess.PIPE, text=True)
    report, checks = json.loads(done.stdout), {}
    shapes.check(report, "Examination", shapes.documented(), root)
    for check in report["checks"]:
        same(check["verdict"] in ("ok", "warn", "bad"), True)
        same("remedy" in check, check["verdict"] != "ok", check)
        checks.setdefault(check["check"], []).append(
            (check["verdict"], check["text"], check.get("remedy")))
    verdicts = [check["verdict"] for check in report["checks"]]
    same((report["bad"], report["warnings"]), (verdicts.count("bad"), verdicts.count("warn")))
    same(done.returncode, int("bad" in verdicts))
    return checks


def only(checks, name):
    same(len(checks.get(name, [])), 1, f"{name} in {checks}")
    return checks[name][0]


def test_all_is_well():
    """On the whole way: a program asks libc, which asks the module, which asks the daemon."""
    wrapper = with_nsswitch(GOOD)
    with Daemon({"web.yaml": SERVICE}) as daemon:
        checks = examine(daemon.env, wrapper=wrapper)
        verdicts = {name: [result[0] for result in results] for name, results in checks.items()}
        for of_the_machine in "foreign", "network":
            verdicts.pop(of_the_machine, None)
        same(verdicts, {name: ["ok"] for name in ("module", "hosts line", "socket", "daemon", "config",
                                                  "manifests", "programs", "answers")})
        assert str(BUILD) in only(checks, "module")[1]
        assert "1 object from" in only(checks, "manifests")[1]


def test_the_hosts_line():
    """Verdict and the service that the remedy speaks of."""
    cases = [
        (GOOD, "ok", None),
        ("kubesvc", "ok", None),
        ("files kubesvc [!UNAVAIL=return] resolve", "ok", None),
        ("files mymachines kubesvc [NOTFOUND=return] resolve [!UNAVAIL=return] dns", "ok", None),
        ("files kubesvc dns", "warn", "[NOTFOUND=return]"),
        ("files dns", "bad", "after 'files'"),
        ("files dns kubesvc", "bad", "before 'dns'"),
        ("files mdns4_minimal [NOTFOUND=return] kubesvc [NOTFOUND=return] dns", "bad",
         "before 'mdns4_minimal'"),
        ("files resolve [!UNAVAIL=return] kubesvc dns", "bad", "before 'resolve'"),
        ("files [NOTFOUND=return] kubesvc", "bad", "before 'files'"),
        ("files [notfound=RETURN]kubesvc", "bad", "before 'files'"),
        ("files kubesvcs [NOTFOUND=return] dns", "bad", "after 'files'"),
        ("files # kubesvc", "bad", "after 'files'"),
    ]
    with Daemon({"web.yaml": SERVICE}) as daemon:
        for line, verdict, remedy in cases:
            found = only(examine(daemon.env, host(line)), "hosts line")
            same(found[0], verdict, (line, found))
            assert verdict == "ok" or remedy in found[2], (line, found)
            assert "etc/nsswitch.conf:3" in found[1], found
        (host() / "etc/nsswitch.conf").write_text("passwd: files\n")
        found = only(examine(daemon.env, "root"), "hosts line")
        assert found[0] == "bad" and "no hosts line" in found[1], found
        (host() / "etc/nsswitch.conf").unlink()
        found = only(examine(daemon.env, "root"), "hosts line")
        same(found[0], "bad")
        assert "does not exist" in found[1] and "write 'hosts:" in found[2], found


def test_a_hosts_line_that_not_everybody_can_read():
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    with Daemon({"web.yaml": SERVICE}) as daemon:
        path = host() / "etc/nsswitch.conf"
        path.chmod(0o600)
        found = examine(daemon.env, "root")["hosts line"]
        same([verdict for verdict, _, _ in found], ["bad", "ok"])
        assert "mode 0600" in found[0][1], found
        same(found[0][2], f"chmod a+r {pathlib.Path('root')}/etc/nsswitch.conf")
        need_root()
        os.chmod(".", 0o755)
        found = only(examine(daemon.env, "root", wrapper=nobody), "hosts line")
        assert "cannot be read" in found[1] and found[2].startswith("chmod a+r"), found


def test_the_module():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        empty = daemon.env | {"LD_LIBRARY_PATH": str(pathlib.Path.cwd())}
        if subprocess.run(["ldconfig", "-p"], capture_output=True, check=False,
                          env={"PATH": "/sbin:/usr/sbin:/bin:/usr/bin"}
                          ).stdout.count(b"libnss_kubesvc"):
            skip("the module is installed here")
        checks = examine(empty, host())
        verdict, text, remedy = only(checks, "module")
        same(verdict, "bad")
        assert "libnss_kubesvc.so.2" in text and "libnss-kubesvc" in remedy
        assert "answers" not in checks, "without a module there is nothing to ask"
        pathlib.Path("libnss_kubesvc.so.2").write_bytes(b"\x7fELF")
        same(only(examine(empty, host()), "module")[0], "bad")


def test_a_module_that_cannot_be_loaded():
    """Whatever is wrong with the file, it is said, and the other checks follow; a damaged one, which
    kills the processes that load it, does not kill this one."""
    good = (BUILD / "libnss_kubesvc.so.2").read_bytes()
    foreign = bytearray(good)
    foreign[18] ^= 0x55  # e_machine
    bad = pathlib.Path("libnss_kubesvc.so.2")

    def directory(path):
        path.mkdir()

    def write(data):
        return lambda path: path.write_bytes(data)

    def link(target):
        return lambda path: path.symlink_to(target)

    with Daemon({"web.yaml": SERVICE}) as daemon:
        env = daemon.env | {"LD_LIBRARY_PATH": os.getcwd()}
        for make, expected in (
                (write(b""), "file too short"),
                (write(good[:5000]), "the process that loads"),
                (write(good[:20000]), "the process that loads"),
                (write(bytes(foreign)), "it is for programs of another architecture"),
                (write(b"text" * 100), "invalid ELF header"),
                (directory, "Is a directory"),
                (link("nowhere"), "it is a link to nowhere, which does not exist"),
                (link(bad.name), "Too many levels of symbolic links")):
            make(bad)
            checks = examine(env, host())
            verdict, text, remedy = only(checks, "module")
            same(verdict, "bad")
            assert expected in text and bad.name in text, text
            assert remedy.startswith("install libnss-kubesvc again"), remedy
            same((only(checks, "daemon")[0], "answers" in checks), ("ok", False))
            bad.rmdir() if make is directory else bad.unlink()


def test_a_module_that_not_everybody_can_load():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        env = daemon.env | {"LD_LIBRARY_PATH": os.getcwd()}
        module = pathlib.Path("libnss_kubesvc.so.2")
        shutil.copy(BUILD / module, module)
        module.chmod(0o600)
        verdict, text, remedy = only(examine(env, host()), "module")
        same((verdict, remedy), ("bad", f"chmod a+r {module.resolve()}"))
        assert "has mode 0600" in text, text
        nobody = [need_program("setpriv"), "--reuid", "65534", "--clear-groups"]
        need_root()
        os.chmod(".", 0o755)
        found = only(examine(env, "root", wrapper=nobody), "module")
        same(found, ("bad", f"libc cannot load {module.resolve()}: Permission denied", remedy))


def test_a_lookup_that_kills_the_process():
    """As another service of the hosts line may, too."""
    wrapper = with_nsswitch("kubesvc")
    with Daemon({"web.yaml": SERVICE}) as daemon:
        good = (BUILD / "libnss_kubesvc.so.2").read_bytes()
        pathlib.Path("libnss_kubesvc.so.2").write_bytes(good[:5000])
        env = daemon.env | {"LD_LIBRARY_PATH": os.getcwd()}
        verdict, text, _ = only(examine(env, wrapper=wrapper), "programs")
        same(verdict, "bad")
        assert "not found by libc: the process that looked it up " in text, text
        done = subprocess.run([*wrapper, built("kubesvc"), "query", "--nss", "web"], env=env,
                              capture_output=True, text=True)
        assert "the process that looked it up " in done.stdout, done


def test_foreign_architectures():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        arch = {"var__lib__dpkg__arch": "amd64\ni386\narm64\n"}
        assert "foreign" not in examine(daemon.env, host(**arch)), "no libc, no programs"
        root = host(**arch, **{"lib__i386-linux-gnu__libc.so.6": ""})
        verdict, text, remedy = only(examine(daemon.env, root), "foreign")
        same((verdict, remedy), ("warn", "apt install libnss-kubesvc:i386"))
        root = host(**{"usr__lib__i386-linux-gnu__libnss_kubesvc.so.2": ""})
        same(only(examine(daemon.env, root), "foreign")[0], "ok")


def test_other_caches():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        root = host()
        (root / "run/nscd").mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as nscd:
            os.chdir(root / "run/nscd")  # a path to bind has little room
            nscd.bind("socket")
            assert "nscd" not in examine(daemon.env, root), "nothing listens there any more"
            nscd.listen()
            os.chdir(root.parent)
            verdict, _, remedy = only(examine(daemon.env, root), "nscd")
            same(verdict, "warn")
            assert "nscd -i hosts" in remedy


def test_no_daemon():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        daemon.stop()
        verdict, text, remedy = only(examine(daemon.env, host()), "daemon")
        same(verdict, "bad")
        assert str(daemon.socket) in text and "systemctl start kubesvcd" in remedy
        remedy = only(examine(daemon.env, host(**{"run__.containerenv": ""})), "daemon")[2]
        assert "mount the host's" in remedy, remedy
        with socket.socket(socket.AF_UNIX) as other:
            os.chdir(daemon.socket.parent)
            other.bind("socket")
            same(only(examine(daemon.env, host()), "daemon")[0], "bad", "refused")


def commands(**scripts):
    """A directory with these programs, to come first in PATH."""
    directory = pathlib.Path("commands").resolve()
    directory.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (directory / name).write_text(f"#!/bin/sh\n{text}\n")
        (directory / name).chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}


def test_why_the_unit_does_not_start():
    shown = "printf '%s\\n'"
    cases = [
        ("LoadState=not-found", "bad", "knows no kubesvcd.service", "install"),
        ("LoadState=masked ActiveState=inactive", "bad", "masked", "systemctl unmask kubesvcd"),
        ("LoadState=loaded UnitFileState=disabled ActiveState=inactive", "bad", "disabled",
         "systemctl enable --now kubesvcd"),
        ("LoadState=loaded ActiveState=activating SubState=auto-restart Result=exit-code NRestarts=7",
         "bad", "result exit-code, 7 restarts): zone: not a name", "systemctl restart kubesvcd"),
        ("LoadState=loaded ActiveState=failed SubState=failed Result=start-limit-hit NRestarts=5",
         "bad", "start-limit-hit", "journalctl --unit kubesvcd.service"),
        ("LoadState=loaded UnitFileState=enabled ActiveState=inactive SubState=dead Result=exit-code "
         "NRestarts=25", "bad", "result exit-code, 25 restarts): zone: not a name",
         "systemctl restart kubesvcd"),  # between two of them
        ("LoadState=loaded UnitFileState=enabled ActiveState=inactive SubState=dead Result=success",
         "bad", "inactive, and enabled", "systemctl enable --now kubesvcd"),
        ("LoadState=loaded ActiveState=activating SubState=start NRestarts=0", "warn", "starting",
         "wait"),
        ("LoadState=loaded ActiveState=active SubState=running NRestarts=0", "warn", "not answering",
         "systemctl cat kubesvcd"),
    ]
    env = client_env(pathlib.Path("none").resolve())
    root = host(run__systemd__system__mark="")
    for properties, verdict, text, remedy in cases:
        path = commands(systemctl=f"{shown} {properties}",
                        journalctl="echo old; echo zone: not a name; echo Failed to start kubesvcd.service.")
        found = only(examine(env | path, root), "unit")
        same(found[0], verdict, found)
        assert text in found[1] and remedy in found[2], found
    for path in commands(systemctl="exit 1"), {"PATH": "/nonexistent"}:
        assert "unit" not in examine(env | path, root)
    assert "unit" not in examine(env, "/nonexistent"), "not booted with systemd"


def test_the_user_manager_is_asked_for_the_users_unit():
    env = client_env(pathlib.Path("kubesvc/socket").resolve(), XDG_RUNTIME_DIR=os.getcwd())
    said = 'echo "$*" >asked; echo LoadState=loaded; echo ActiveState=failed'
    root = host(run__systemd__system__mark="")
    path = commands(systemctl=said, journalctl='echo "$*" >>asked')
    remedy = only(examine(env | path, root), "unit")[2]
    asked = pathlib.Path("asked").read_text().splitlines()
    assert asked[0].startswith("--user ") and "--user-unit=" in asked[1], asked
    assert "systemctl --user restart" in remedy, remedy


def test_a_configuration_that_no_daemon_starts_with():
    env = client_env(pathlib.Path("none").resolve())
    found = only(examine(env, host(**{"etc__kubesvc__kubesvcd.yaml": "zone: [a, b]\n"})), "config")
    same(found[0], "bad")
    assert "kubesvcd.yaml:1:7" in found[1], found
    assert "config" not in examine(env, host(**{"etc__kubesvc__kubesvcd.yaml": "zone: a.b\n"}))


def test_a_directory_that_no_daemon_uses():
    run = pathlib.Path("run").resolve()
    run.mkdir()
    run.chmod(0o777)
    found = only(examine(client_env(run / "socket"), host()), "socket")
    assert found[0] == "bad" and "others can write" in found[1], found
    run.chmod(0o755)
    need_root()
    os.chown(run, 65533, 0)
    assert "socket" not in examine(client_env(run / "socket"), host()), "as the unit's is"
    os.chmod(".", 0o755)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    env = client_env(run / "socket")
    found = only(examine(env, host(), wrapper=nobody), "socket")
    assert found[0] == "bad" and "another user (uid 65533)" in found[1], found


def test_the_daemon_that_answers_instead():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        (daemon.dir / "kubesvc").symlink_to("run")
        env = client_env("/nonexistent/socket", XDG_RUNTIME_DIR=str(daemon.dir))
        found = examine(env, host())["daemon"]
        same([verdict for verdict, _, _ in found], ["bad", "warn"])
        assert f"KUBESVC_SOCKET={daemon.dir}/kubesvc/socket" in found[1][2], found


def test_a_daemon_of_another_user():
    need_root()
    os.chmod(".", 0o755)
    with Daemon({"web.yaml": SERVICE}, wrapper=[
            "sh", "-c", 'chown -R 65533 d*; exec setpriv --reuid=65533 --clear-groups "$@"', "sh"]) as daemon:
        found = examine(daemon.env, host())["daemon"]
        same([verdict for verdict, _, _ in found], ["ok", "warn"])
        assert "uid 65533" in found[1][1] and "--user" in found[1][2], found


def test_manifests_that_the_daemon_cannot_read():
    need_root()
    os.chmod(".", 0o755)
    secret = pathlib.Path("secret").resolve()
    secret.mkdir(mode=0o700)
    drop = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    with Daemon({"web.yaml": SERVICE}, options=["--manifests", secret], wrapper=drop,
                ready=False) as daemon:
        os.chown(secret, 65533, 0)
        daemon.wait_state("READY=1")
        daemon.reload()
        found = [f for f in examine(daemon.env, host())["manifests"] if f[0] == "bad"]
        same(len(found), 1)
        assert str(secret) in found[0][1] and "setfacl" in found[0][2], found


def test_loopback_alone():
    need_root()
    unshare = need_program("unshare")
    with Daemon({"web.yaml": SERVICE}) as daemon:
        found = only(examine(daemon.env, host(), wrapper=[unshare, "-n"]), "network")
        same(found[0], "warn")
        assert "AI_ADDRCONFIG" in found[1] and "getent ahosts" in found[2], found


def test_a_32_bit_libc_without_its_architecture():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        root = host(**{"usr__lib32__libc.so.6": ""})
        found = only(examine(daemon.env, root), "foreign")
        assert found[0] == "warn" and "--add-architecture i386" in found[2], found
        root = host(**{"usr__lib32__libnss_kubesvc.so.2": ""})
        assert "foreign" not in examine(daemon.env, root)


def test_permissions():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        same(only(examine(daemon.env, host()), "socket")[0], "ok")
        daemon.socket.chmod(0o660)
        verdict, text, remedy = only(examine(daemon.env, host()), "socket")
        same((verdict, remedy), ("warn", f"chmod a+rw {daemon.socket}"))
        assert "0660" in text
        daemon.socket.chmod(0o666)
        daemon.socket.parent.chmod(0o700)
        verdict, text, remedy = only(examine(daemon.env, host()), "socket")
        same((verdict, remedy), ("warn", f"chmod a+x {daemon.socket.parent}"))


def test_no_permission_at_all():
    need_root()
    with Daemon({"web.yaml": SERVICE}) as daemon:
        root = host()
        daemon.socket.chmod(0o600)
        os.chmod(".", 0o755)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        verdict, text, remedy = only(examine(daemon.env, root, wrapper=nobody), "daemon")
        same(verdict, "bad")
        assert "Permission denied" in text and "chmod a+" in remedy, (text, remedy)


def test_manifests():
    with Daemon({}) as daemon:
        verdict, text, remedy = only(examine(daemon.env, host()), "manifests")
        same(verdict, "bad")
        assert str(daemon.dir / "manifests") in text and "put manifests there" in remedy

        def remedy_is(part):
            wait_for(lambda: part in only(examine(daemon.env, host()), "manifests")[2], part)

        (daemon.dir / "manifests" / "web.yml.txt").write_text(SERVICE)
        remedy_is("names that end in .yaml")
        (daemon.dir / "manifests" / "deploy").mkdir()
        remedy_is("set `recursive: true`")
    with Daemon({"web.yaml": SERVICE, "bad.yaml": "a: ["}) as daemon:
        checks = examine(daemon.env, host())
        same(only(checks, "manifests")[0], "ok")
        verdict, text, remedy = only(checks, "errors")
        same(verdict, "warn")
        assert "bad.yaml:1" in text or "bad.yaml:2" in text, text
        assert "kubesvc check" in remedy


def test_manifests_that_are_not_loaded_yet():
    with Daemon([], config=f"manifests: [{hold_up()}]\n", ready=False) as daemon:
        wait_for(lambda: accepts(daemon.socket), "the socket")
        checks = examine(daemon.env, host())
        if is_ready(daemon):
            skip("the first load was complete too soon")
        assert "still loading" in only(checks, "daemon")[1], checks
        assert "manifests" not in checks, checks


def test_runtimes():
    directory = pathlib.Path("podman").resolve()
    config = f"sources: [{{podman: {{directory: {directory}}}}}, {{cni: {{directory: /proc/self/mem}}}}]\n"
    with Daemon({"web.yaml": SERVICE + POD}, config=config) as daemon:
        missing, no_directory = examine(daemon.env)["runtime"]
        same((missing[0], missing[1]), ("warn", f"podman: {directory} does not exist"))
        same(no_directory[:2], ("warn", "cni: /proc/self/mem does not exist"))
        directory.mkdir()
        (directory / "net").write_text("10.89.0.1\nid 10.89.0.2  other,c\n")
        daemon.config.write_text(config.replace(", {cni: {directory: /proc/self/mem}}", ""))
        daemon.reload()
        strange = only(examine(daemon.env), "runtime")
        same(strange[:2], ("warn", "podman: 1 pod running, none of them in manifests"))
        (directory / "net").write_text("10.89.0.1\nid 10.89.0.2  web,c\n")
        daemon.reload()
        same(only(examine(daemon.env), "runtime"),
             ("ok", "podman: 1 pod running, 1 of them in manifests", None))


def test_a_runtime_that_the_daemon_cannot_read():
    need_root()
    os.chmod(".", 0o755)
    directory = pathlib.Path("podman").resolve()
    directory.mkdir(mode=0o700)
    config = f"sources: [{{podman: {{directory: {directory}}}}}]\n"
    with Daemon({"web.yaml": SERVICE}, config=config, wrapper=[
            "sh", "-c", 'chown -R 65533 d*; exec setpriv --reuid=65533 --clear-groups "$@"', "sh"]) as daemon:
        unreadable = only(examine(daemon.env), "runtime")
        same(unreadable[0], "bad")
        assert str(directory) in unreadable[1] and "restart kubesvcd" in unreadable[2], unreadable


def test_as_text():
    with Daemon({"web.yaml": SERVICE}) as daemon:
        done = examine(daemon.env, host("files dns"), text=True)
        same(done.returncode, 1)
        lines = done.stdout.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("bad   hosts line"))
        same(lines[at + 1].strip(), "-> write 'kubesvc [NOTFOUND=return]' after 'files' on the "
                                    "hosts line")
        assert "\033" not in done.stdout
