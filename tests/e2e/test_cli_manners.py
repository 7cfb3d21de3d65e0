# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exit statuses, pipes that close, daemons that do not answer."""

import json
import os
import signal
import socket
import subprocess
import threading

from harness import PATIENCE, Daemon, SANITIZED, built, client_env, limit, same
from test_cli_golden import world


def kubesvc(env, *arguments, **options):
    return subprocess.run([built("kubesvc"), *arguments], env=env, capture_output=True, text=True,
                          timeout=PATIENCE, **options)


def test_exit_statuses():
    with world() as daemon:
        for status, command in (
            (0, "query headless-svc"), (2, "query nix"), (2, "query headless-svc nix"),
            (0, "get svc typo"), (2, "get svc nix"), (0, "get svc -n nowhere"), (1, "get nix"),
            (0, "describe svc typo"), (2, "describe svc nix"), (0, "explain headless-svc"),
            (2, "explain typo"), (0, "status"), (0, "metrics"), (0, "export hosts"),
            (1, "export csv"), (0, "--version"), (0, "get --help"), (1, "get"), (1, "nix"),
        ):
            done = kubesvc(daemon.env, *command.split())
            same(done.returncode, status, command)
            if status == 1:
                same((done.stdout, len(done.stderr.splitlines())), ("", 1), command)


def test_wrong_options():
    """The option, and where to look it up."""
    env = client_env("/nonexistent")
    for command, message in (
        ("--nix", "unknown option --nix; see 'kubesvc --help'"),
        ("-V", "unknown option -V; see 'kubesvc --help'"),
        ("--socket", "--socket requires a value; see 'kubesvc --help'"),
        ("get svc --nix=1", "unknown option --nix=1; see 'kubesvc get --help'"),
        ("get svc -x", "unknown option -x; see 'kubesvc get --help'"),
        ("get svc -Ax", "unknown option -x; see 'kubesvc get --help'"),
        ("get svc --watch=true", "--watch takes no value; see 'kubesvc get --help'"),
        ("get svc --show-labels=", "--show-labels takes no value; see 'kubesvc get --help'"),
        ("get svc -n", "-n requires a value; see 'kubesvc get --help'"),
        ("get svc --selector", "--selector requires a value; see 'kubesvc get --help'"),
        ("get svc -o jsonpath", "unknown output format 'jsonpath'; 'get' supports: wide, json, yaml, "
         "name, jsonpath=TEMPLATE, custom-columns=HEADING:PATH,..."),
        ("query web -o jsonpath={.x}", "unknown output format 'jsonpath={.x}'; use -o json, and jq to "
         "choose from it"),
        ("check --socket x", "unknown option --socket; see 'kubesvc check --help'"),
    ):
        done = kubesvc(env, *command.split())
        same((done.returncode, done.stdout, done.stderr), (1, "", f"kubesvc: {message}\n"), command)


def test_what_a_namespace_means():
    """For check and export not what it means elsewhere, and KUBESVC_NAMESPACE nothing."""
    with world() as daemon:
        for command, meaning in ("get", "else the daemon's"), ("check", "default: default"), \
                ("export", "default: all"):
            line = next(line for line in kubesvc(daemon.env, command, "--help").stdout.splitlines()
                        if "--namespace" in line)
            assert line.endswith(f"{meaning})"), (command, line)
        for text in "a b", "moon":
            done = kubesvc(daemon.env | {"KUBESVC_NAMESPACE": text}, "export", "hosts")
            same((done.returncode, done.stderr), (0, ""))
            assert "db.sun.svc" in done.stdout, done.stdout
        same(kubesvc(daemon.env, "export", "hosts", "-n", "moon").stdout.count("db.sun.svc"), 0)


def test_a_reader_that_goes():
    """Also where our parent ignores SIGPIPE: no complaint, no endless writing."""
    services = "".join(f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{i}}}\n"
                       "spec: {ports: [{port: 80}]}\n" for i in range(3000))
    with Daemon({"many.yaml": services}) as daemon:
        for command in ("get svc", "get svc -o json", "get svc -o yaml", "get svc -o name",
                        "export hosts", "export json"):
            for ignored in False, True:
                def prepare():
                    signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)
                process = subprocess.Popen([built("kubesvc"), *command.split()], env=daemon.env,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           preexec_fn=prepare, restore_signals=False)
                process.stdout.read(100)
                process.stdout.close()
                same(process.stderr.read(), b"", command)
                assert process.wait(PATIENCE) in (0, -signal.SIGPIPE), command


def test_a_reader_that_goes_while_nothing_changes():
    """A command that stays does not, if nobody reads what it would print."""
    with world() as daemon:
        for command in "get svc -n moon -w", "monitor", "monitor -o json":
            process = subprocess.Popen([built("kubesvc"), *command.split()], env=daemon.env,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.close()
            same(process.wait(PATIENCE), -signal.SIGPIPE, command)


def test_closed_standard_descriptors():
    """No connection gets their numbers, and with it what is meant for them."""
    with world() as daemon:
        for command in "get svc -n moon", "get svc -n moon -w", "status", "check .":
            done = subprocess.run(["sh", "-c", f'exec "$0" {command} >&-', built("kubesvc")],
                                  env=daemon.env, capture_output=True, text=True, timeout=PATIENCE)
            if command != "check .":
                same(done.stderr, "kubesvc: cannot write: Bad file descriptor\n", command)
            same(done.returncode, 1, command)
    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    process = subprocess.Popen(["sh", "-c", 'exec "$0" monitor 2>&-', built("kubesvc")], env=client_env("s"))
    connection = server.accept()[0]
    request = connection.recv(4096)
    connection.sendall(b"KSVC\x01\xc0\0\0" + b"\0" * 8)  # nothing yet, so go on
    connection.shutdown(socket.SHUT_WR)
    same((request[:4], connection.recv(4096)), (b"KSVC", b""), "what is sent to the daemon")
    same(process.wait(PATIENCE), 1)


def test_a_full_disk():
    with world() as daemon, open("/dev/full", "w") as full:
        for command in "get svc", "status", "export json", "get svc -n moon -w", "get svc -n moon -w -o json":
            done = subprocess.run([built("kubesvc"), *command.split()], env=daemon.env, stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
            same(done.returncode, 1, command)
            assert "cannot write: No space left on device" in done.stderr, done.stderr


def test_no_daemon():
    """One sentence, what to do, and the same as JSON."""
    with open("file", "w"):
        pass
    for path in "nothing", "file", "file/socket", "x" * 200, "/":
        env = client_env(path)
        for command in "get svc", "status", "query web", "explain web", "metrics", "export hosts":
            done = kubesvc(env, *command.split())
            same((done.returncode, done.stdout), (1, ""), (path, command))
            same(len(done.stderr.splitlines()), 1, (path, command))
            assert done.stderr.startswith("kubesvc: ") and path[:99] in done.stderr, done.stderr
        done = kubesvc(env, "get", "svc", "-o", "json")
        error = json.loads(done.stderr)
        same((done.returncode, done.stdout, set(error) - {"remedy"}), (1, "", {"error"}))


@limit(90)
def test_a_daemon_that_hangs():
    """The command gives up by itself."""
    with world() as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            done = kubesvc(daemon.env, "get", "svc", "-n", "moon")
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        same((done.returncode, done.stdout), (1, ""))
        assert "does not answer; see 'systemctl status kubesvcd'" in done.stderr, done.stderr


def test_a_daemon_that_talks_nonsense():
    header = b"KSVC"
    answers = {
        "nothing": b"",
        "text": b"HTTP/1.0 400 Bad Request\r\n\r\n" * 10,
        "short": header + b"\x01",
        "huge": header + b"\x01\xc0\0\0" + b"\xff" * 4 + b"\0" * 4,
        "no JSON": header + b"\x01\xc0\0\0" + (4).to_bytes(4, "little") + b"\0" * 4 + b"{x}\n",
        "no lines": header + b"\x01\xc1\0\0" + (4).to_bytes(4, "little") + b"\0" * 8,
        "cut off": header + b"\x01\xc0\0\0" + (100).to_bytes(4, "little") + b"\0" * 4 + b"{",
        "unsupported": header + b"\x02\x43\0\0" + b"\0" * 8,
    }
    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    for name, answer in answers.items():
        for command in ["status"], ["query", "web"], ["get", "svc", "-n", "x"], ["metrics"]:
            stop = threading.Event()

            def serve():
                while not stop.is_set():
                    connection = server.accept()[0]
                    connection.recv(4096)
                    try:
                        connection.sendall(answer)
                    except BrokenPipeError:
                        pass  # it has seen enough
                    connection.close()

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            done = kubesvc(client_env("s"), *command)
            stop.set()
            with socket.socket(socket.AF_UNIX) as last:
                last.connect("s")
            thread.join(PATIENCE)
            if (name, command[0]) in (("no JSON", "metrics"),):
                continue
            if name == "no lines" and command[0] in ("get", "metrics"):
                same(done.returncode, 0, (name, command))
                continue
            same((done.returncode, len(done.stderr.splitlines())), (1, 1), (name, command, done.stderr))
            if name in ("nothing", "text", "cut off"):
                assert ("does not answer as kubesvcd does" if name == "text" else
                        "closed the connection before it had answered") in done.stderr, (name, done.stderr)


def test_options_before_the_command():
    with world() as daemon:
        env = {k: v for k, v in daemon.env.items() if k != "KUBESVC_SOCKET"}
        for command in (["--socket", daemon.socket, "-n", "sun", "get", "svc", "-o", "name"],
                        ["get", "svc", f"--socket={daemon.socket}", "-nsun", "-oname"],
                        ["-o", "name", "get", "--namespace", "sun", "--socket", daemon.socket, "svc"]):
            done = kubesvc(env, *map(str, command))
            same(done.stdout.split(), ["service/data", "service/db", "service/stated", "service/twice"])


def test_whose_namespace():
    """-n, else KUBESVC_NAMESPACE, else the daemon's."""
    with world() as daemon:
        names = lambda *more, **env: kubesvc(daemon.env | env, "get", "ep", "-oname", *more).stdout
        assert "typo" in names() and "db" in names(KUBESVC_NAMESPACE="sun")
        assert "hostile" in names("-n", "mars", KUBESVC_NAMESPACE="sun")
        same(kubesvc(daemon.env | {"KUBESVC_NAMESPACE": "sun"}, "query", "db").returncode, 0)
        same(kubesvc(daemon.env, "query", "db").returncode, 2)
        for wrong in "sun@", "@x", "s un", "a.b", "sun@x.":
            for command in ["query", "db"], ["explain", "db"], ["get", "svc"], ["describe", "svc"]:
                done = kubesvc(daemon.env | {"KUBESVC_NAMESPACE": wrong}, *command)
                same((done.returncode, done.stdout), (1, ""), f"{wrong} {command}")
                assert f"KUBESVC_NAMESPACE: '{wrong}' is not a valid namespace" in done.stderr, done
        done = kubesvc(daemon.env | {"KUBESVC_NAMESPACE": "sun@"}, "get", "svc", "-nsun", "-oname")
        same(done.returncode, 0)


@limit(120)
def test_many_rows():
    """160,000 pods, in little memory and without waiting long."""
    each = 2000 if SANITIZED else 40000
    manifest = "".join(f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d{i}}}
spec:
  replicas: {each}
  selector: {{matchLabels: {{app: d{i}}}}}
  template: {{metadata: {{labels: {{app: d{i}}}}}}}
""" for i in range(4))
    with Daemon({"many.yaml": manifest}, config="podCIDRs: [127.128.0.0/9]\n") as daemon:
        # First, because a process starts with the size of the one that makes it.
        process = subprocess.Popen([built("kubesvc"), "get", "pods"], env=daemon.env,
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        same(status, 0)
        if not SANITIZED:
            assert usage.ru_maxrss < 300_000, f"{usage.ru_maxrss} KiB"
        table = kubesvc(daemon.env, "get", "pods").stdout.splitlines()
        same(len(table), 4 * each + 1)
        same([line.split()[0] for line in table[1:4]], ["d0-0", "d0-1", "d0-2"])
        assert table[each].startswith(f"d0-{each - 1} "), table[each]
        same(len({line.split()[3] for line in table[1:]}), 4 * each)
        items = json.loads(kubesvc(daemon.env, "get", "pods", "-o", "json").stdout)["items"]
        same(len(items), 4 * each)
        same(kubesvc(daemon.env, "get", "pods", "-l", "app=d1", "-o", "name").stdout.count("\n"), each)
