# SPDX-License-Identifier: LGPL-2.1-or-later
"""Booted systems: the daemon under systemd, from its installation to its purge."""

import contextlib
import pathlib
import re
import subprocess
import tempfile
import time

from harness import need_program, same, wait_for
from packages import CLUSTER, DAEMON, DNS, MODULE, both, newer, package
from systems import EXAMPLES, HEADLESS, MANIFESTS, NSSWITCH, REGULAR, Chroot, Machine, on_a_system

FOREIGN = "www.example.com"

# Prints how many seconds one lookup takes, and what it finds.
TIMED = """
import socket, sys, time
start = time.monotonic()
try:
    found = socket.gethostbyname(sys.argv[1])
except OSError as error:
    found = error
print(time.monotonic() - start, found)
"""


class Questions:
    """What the nameserver was asked."""

    def __init__(self, path):
        self.path = path

    def ours(self):
        return [line for line in self.path.read_text().splitlines()
                if "query[" in line and (".svc" in line or "cluster.local" in line)]

    def include(self, name):
        return f"] {name} from" in self.path.read_text()


@contextlib.contextmanager
def nameserver():
    """For FOREIGN and nothing else; the machine's resolv.conf must say 127.0.0.1."""
    with tempfile.NamedTemporaryFile(suffix=".log") as log, subprocess.Popen(
        [
            need_program("dnsmasq"),
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--pid-file=",
            "--no-resolv",
            "--no-hosts",
            "--local=/#/",
            "--user=",
            "--group=",
            f"--address=/{FOREIGN}/192.0.2.80",
            "--listen-address=127.0.0.1",
            "--bind-interfaces",
            "--log-queries",
            f"--log-facility={log.name}",
        ],
        stdin=subprocess.DEVNULL,
    ) as process:
        try:
            yield Questions(pathlib.Path(log.name))
        finally:
            process.terminate()


def installed(**files):
    """A root file system with both packages and the examples, not booted yet."""
    system = Chroot("full")
    system.install(*both())
    system.add_examples()
    system.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    for path, text in files.items():
        system.write(path, text)
    return system


def timed(machine, name):
    seconds, found = machine.run("python3", "-c", TIMED, name).strip().split(" ", 1)
    return float(seconds), found


def complaints(machine):
    """What the daemon or systemd said about it that is above a notice."""
    return machine.journal("-p", "warning", "-u", "kubesvcd")


def paths(machine):
    """All, but for where every installation, and every booted system, leaves something."""
    others = (
        "/var/tmp /var/log /var/cache /var/lib/apt /var/lib/dpkg /run/log /run/systemd /run/user"
    )
    prune = " -o ".join(f"-path {path}" for path in others.split())
    return set(machine.sh(f"find /etc /usr /var /run '(' {prune} ')' -prune -o -print").split())


@on_a_system("full")
def test_from_installation_to_purge():
    system = Chroot("full")
    before = system.file(NSSWITCH).read_bytes()
    packages = DAEMON, MODULE, CLUSTER, DNS
    system.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    with nameserver(), Machine(system) as machine:
        there = paths(machine)
        machine.run("apt-get", "-y", "install", *machine.bring(*both()))
        same(machine.run("systemctl", "is-active", "kubesvcd").strip(), "active")
        same(machine.run("systemctl", "is-enabled", "kubesvcd").strip(), "enabled")
        same(
            [machine.show(what) for what in ("Type", "User", "NRestarts", "NotifyAccess")],
            ["notify", "kubesvc", "0", "main"],
        )
        assert float(machine.show("WatchdogUSec").rstrip("s")) > 0
        machine.add_examples()
        machine.wait_for_addresses("headless-svc", HEADLESS)
        for user in "nobody", "daemon":
            same(machine.addresses("headless-svc", user=user), HEADLESS, user)
        same(
            machine.run("stat", "-c", "%U %a", "/run/kubesvc", "/run/kubesvc/socket").split(),
            ["kubesvc", "755", "kubesvc", "666"],
        )
        same(timed(machine, FOREIGN)[1], "192.0.2.80")

        # The sandbox is what the unit says.
        status = machine.run("cat", f"/proc/{machine.show('MainPID')}/status")
        for line in (
            r"Cap(?:Eff|Bnd|Amb|Inh|Prm):\s+0000000000000000",
            r"NoNewPrivs:\s+1",
            r"Seccomp:\s+2",
        ):
            assert re.search(line, status), (line, status)
        assert not re.search(r"Cap\w+:\s+0*[1-9a-f]", status), status
        pid = machine.show("MainPID")
        assert re.search(
            r"^Max core file size +0 +0 ", machine.run("cat", f"/proc/{pid}/limits"), re.M
        )
        same(machine.show("OOMPolicy"), "continue")
        for limit in "MemoryHigh", "MemoryMax":
            assert machine.show(limit).isdigit(), limit
        same(machine.show("SocketBindDeny"), "any")
        # There programs do not run, except the one that reloads.
        for program, runs in ("/usr/bin/getent", False), ("/usr/bin/kubesvc", True):
            status, output = machine.try_run("nsenter", "-t", pid, "-m", program, "--version")
            same((status == 0, "Permission denied" in output), (runs, not runs), output)
        machine.run("systemctl", "reload", "kubesvcd")
        machine.run(
            "systemd-analyze", "security", "--no-pager", "--threshold=14", "kubesvcd.service"
        )
        same(machine.run("systemd-analyze", "verify", "--man=no", "kubesvcd.service"), "")
        same(
            machine.run(
                "systemd-analyze",
                "--user",
                "verify",
                "--man=no",
                "kubesvcd.service",
                env={"XDG_RUNTIME_DIR": "/run"},
            ),
            "",
        )
        same(complaints(machine), "")

        # Without the daemon foreign names do not wait, and there is no socket.
        machine.run("systemctl", "stop", "kubesvcd")
        assert not machine.file("/run/kubesvc").exists()
        taken, found = zip(*(timed(machine, FOREIGN) for _ in range(5)))
        same(set(found), {"192.0.2.80"})
        assert min(taken) < 0.1, taken  # what else the machine does is not the module's doing
        machine.run("systemctl", "start", "kubesvcd")
        same(machine.addresses("headless-svc"), HEADLESS, "the same addresses after a stop")

        assert machine.file("/run/kubesvc-sources/podman").exists()
        machine.install(*map(package, (CLUSTER, DNS)))
        machine.run("apt-get", "-y", "purge", *packages)
        manifests = [f"{MANIFESTS}/{file.name}" for file in EXAMPLES.glob("*.yaml")]
        same(paths(machine) - there, {"/etc/kubesvc", MANIFESTS, *manifests}, "left behind")
        same(machine.file(NSSWITCH).read_bytes(), before)
        same(machine.try_run("systemctl", "list-unit-files", "--no-legend", "kubesvcd*")[1], "")
        same(machine.sh("find /etc/systemd /var/lib/systemd -name '*kubesvc*'"), "")
        assert machine.file(f"{MANIFESTS}/deployment.yaml").exists()
        same(complaints(machine), "")


@on_a_system("full")
def test_it_comes_back():
    """Killed; stopped, so that the watchdog finds out; and however often."""
    system = installed()
    system.write(
        "/etc/systemd/system/kubesvcd.service.d/impatient.conf",
        "[Service]\nWatchdogSec=500ms\nRestartSec=10ms\n",
    )
    with nameserver(), Machine(system) as machine:
        directory = machine.run("stat", "-c", "%i", "/run/kubesvc")
        count = lambda: int(machine.show("NRestarts"))
        for signal in ["KILL"] * 8 + ["SEGV", "STOP"]:
            before = count()  # on a busy machine the watchdog may find more reasons
            machine.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal}", "kubesvcd")
            if signal == "STOP":  # no answer, and no long wait
                seconds, found = timed(machine, FOREIGN)
                same(found, "192.0.2.80")
                assert seconds < 2, seconds
            wait_for(lambda: count() > before, f"a restart after SIG{signal}")
            wait_for(
                lambda: machine.try_run("systemctl", "is-active", "kubesvcd")[0] == 0, "the daemon"
            )
            same(machine.addresses("headless-svc"), HEADLESS, signal)
        same(machine.run("stat", "-c", "%i", "/run/kubesvc"), directory, "the socket's directory")


@on_a_system("full")
def test_reload():
    with Machine(installed()) as machine:
        pid = machine.show("MainPID")
        machine.write("/etc/kubesvc/kubesvcd.yaml", "namespace: moon\n")
        machine.run("systemctl", "reload", "kubesvcd")
        # Other pods than those of the namespace before, with other addresses.
        moon = [f"127.244.0.{n}" for n in (4, 5, 6)]
        machine.wait_for_addresses("headless-svc.moon.svc", moon)
        for path, text, place in (
            ("/etc/kubesvc/kubesvcd.yaml", "namespace: [1]\n", ":1:12: error: "),
            ("/etc/kubesvc/kubesvcd.yaml.d/site.yaml", "\nzoen: x\n", ":2:1: error: "),
        ):
            machine.write("/etc/kubesvc/kubesvcd.yaml", "namespace: moon\n")
            machine.write(path, text)
            status, output = machine.try_run("systemctl", "reload", "kubesvcd")
            assert status != 0 and "kubesvcd.service" in output, (status, output)
            assert path + place in complaints(machine), complaints(machine)
            # systemd reads the severity from the prefix, and takes it away
            assert path + place in machine.journal("-p", "err", "-o", "cat", "_COMM=kubesvcd")
            assert "<3>" not in machine.journal("-u", "kubesvcd")
            assert "rejected since" in machine.run("kubesvc", "status")
            assert path + place in machine.try_run("kubesvc", "doctor")[1]
            same(machine.addresses("headless-svc.moon.svc"), moon)
            same((machine.show("MainPID"), machine.show("ActiveState")), (pid, "active"))
        machine.run("rm", path)
        machine.run("systemctl", "reload", "kubesvcd")
        assert "rejected" not in machine.run("kubesvc", "status").split("Last changes")[0]
        same(machine.run("kubesvc", "config", "show").splitlines()[0], "# /etc/kubesvc/kubesvcd.yaml")
        machine.run("kubesvc", "reload")  # as root, who is not the daemon's user
        same(machine.show("MainPID"), pid)


# Looks a name up until it is enough, a line each time: seconds, and the addresses or a dash.
WATCHER = """
import os, socket, time
while not os.path.exists("/run/enough"):
    start = time.monotonic()
    try:
        found = " ".join(sorted({a[4][0] for a in socket.getaddrinfo("%s", 80)}))
    except OSError:
        found = "-"
    print(round(time.monotonic() - start, 3), found, flush=True)
    time.sleep(0.005)
"""


def watch(machine):
    """A process that asks again and again; it has had its first answer."""
    watcher = subprocess.Popen(
        machine.command("python3", "-c", WATCHER % "headless-svc.default.svc.cluster.local"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    same(watcher.stdout.readline().split()[1:], HEADLESS)
    return watcher


@on_a_system("full")
def test_restarts_are_not_noticed():
    """Not by a program that runs, nor by those that start in the meantime, nor by a nameserver."""
    with nameserver() as questions, Machine(installed()) as machine:
        wait_for(lambda: machine.try_run("getent", "hosts", FOREIGN)[0] == 0, "the nameserver")
        assert questions.include(FOREIGN)
        name = "headless-svc.default.svc.cluster.local"
        # A temporary failure, where starting takes longer than a lookup waits, is asked again.
        ask = (
            "import socket\nwhile True:\n    try:\n"
            f"        print(*sorted({{a[4][0] for a in socket.getaddrinfo({name!r}, 80)}}))\n"
            "    except socket.gaierror as error:\n"
            "        if error.errno == socket.EAI_AGAIN:\n            continue\n        print(error)\n"
            "    break"
        )
        fresh = f"""
import os, subprocess
while not os.path.exists("/run/enough"):
    done = subprocess.run(["python3", "-c", {ask!r}], capture_output=True, text=True)
    print(done.returncode, done.stdout.strip() or "-", flush=True)
"""
        watchers = [
            subprocess.Popen(
                machine.command("python3", "-c", program),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            )
            for program in (WATCHER % name, fresh)
        ]
        for watcher in watchers:
            same(watcher.stdout.readline().split()[1:], HEADLESS)
        for _ in range(3):
            machine.run("systemctl", "restart", "kubesvcd")
            machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "kubesvcd")
            wait_for(lambda: machine.show("NRestarts") == "1", "the restart")
            wait_for(
                lambda: machine.try_run("systemctl", "is-active", "kubesvcd")[0] == 0, "the daemon"
            )
            same(machine.show("NFileDescriptorStore"), "3", "socket, one snapshot, count of starts")
        machine.write("/run/enough", "")
        for watcher in watchers:
            answers = [answer.split() for answer in watcher.stdout.read().splitlines()]
            same([words for words in answers if words[1:] != HEADLESS], [], "other answers")
        same(questions.ours(), [], "names that have leaked")
        assert "kubesvc_maps_total" in machine.run("kubesvc", "metrics")
        machine.run("systemctl", "stop", "kubesvcd")
        same(machine.try_run("getent", "hosts", name)[0], 2, "stopped on purpose")
        assert not machine.file("/run/kubesvc").exists()
        same(machine.show("NFileDescriptorStore"), "0")


@on_a_system("full")
def test_a_stop_while_a_restart_is_waited_for():
    """Names are gone then too, although systemd runs nothing of the unit any more."""
    system = installed()
    system.write(
        "/etc/systemd/system/kubesvcd.service.d/patient.conf", "[Service]\nRestartSec=1h\n"
    )
    with Machine(system) as machine:
        watcher = watch(machine)
        directory = machine.run("stat", "-c", "%i %U", "/run/kubesvc")
        machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "kubesvcd")
        wait_for(lambda: machine.show("SubState") == "auto-restart", "the wait for a restart")
        same(machine.run("stat", "-c", "%i %U", "/run/kubesvc"), directory)
        machine.run("systemctl", "stop", "kubesvcd")
        # systemctl waits for the stop of this unit, not for that of the one which is part of it.
        wait_for(lambda: not machine.file("/run/kubesvc").exists(), "the directory to go")
        answers = iter(watcher.stdout.readline, "")
        same(next(line for line in answers if line.split()[1:] != HEADLESS).split()[1], "-")
        machine.write("/run/enough", "")
        watcher.stdout.read()
        same(watcher.wait(), 0)
        same(machine.show("NFileDescriptorStore"), "0")
        machine.run("systemctl", "start", "kubesvcd")
        same(machine.addresses("headless-svc"), HEADLESS)
        same(machine.run("systemctl", "--failed", "--no-legend"), "")


@on_a_system("full")
def test_upgrade():
    with nameserver() as questions, Machine(installed()) as machine:
        wait_for(lambda: machine.try_run("getent", "hosts", FOREIGN)[0] == 0, "the nameserver")
        assert questions.include(FOREIGN)
        machine.write("/etc/kubesvc/kubesvcd.yaml", "# mine\n")
        before = machine.show("InvocationID")
        line = machine.hosts_line()
        watcher = watch(machine)
        machine.run("apt-get", "-y", "install", *machine.bring(newer(DAEMON)))
        wait_for(lambda: machine.show("InvocationID") != before, "the new daemon")
        same(machine.addresses("headless-svc"), HEADLESS, "old module, new daemon")
        machine.run("apt-get", "-y", "install", *machine.bring(newer(MODULE)))
        same(machine.addresses("headless-svc"), HEADLESS, "new module, new daemon")
        same(
            machine.run("dpkg-query", "-W", "-f", "${Version} ", DAEMON, MODULE).count("+newer"), 2
        )

        # A process that has loaded the module that was there before goes on.
        time.sleep(0.2)
        machine.write("/run/enough", "")
        answers = [answer.split() for answer in watcher.stdout.read().splitlines()]
        same(answers[-1][1:], HEADLESS)
        same([words for words in answers if words[1:] != HEADLESS], [], "other answers")
        slow = [words for words in answers if float(words[0]) > 0.3]
        same(slow, [], "slow answers")
        same(questions.ours(), [], "names that have leaked")

        starts = machine.journal("-u", "kubesvcd").count("Started kubesvcd.service")
        same((starts, machine.show("NRestarts")), (2, "0"), "starts")
        same(machine.file("/etc/kubesvc/kubesvcd.yaml").read_text(), "# mine\n")
        same(machine.hosts_line(), line)
        same(complaints(machine), "")

        # And back: the daemon of before, the module of now.
        machine.run("apt-get", "-y", "--allow-downgrades", "install", *machine.bring(both()[1]))
        same(machine.addresses("headless-svc"), HEADLESS, "new module, old daemon")


@on_a_system("full")
def test_a_network_mount_by_the_name_of_a_service_at_boot():
    """Here is no network file system, but mount(8) leaves unknown types to helpers."""
    system = installed()
    system.write(
        "/sbin/mount.names",
        '#!/bin/sh\nset -e\ngetent hosts "${1%%:*}" >/run/mounted-from\n'
        'exec mount -i -t tmpfs "$1" "$2"\n',
        0o755,
    )
    system.write("/etc/fstab", "regular-svc.default.svc:/export /srv/data names _netdev 0 0\n")
    system.file("/srv/data").mkdir()
    with Machine(system) as machine:
        same(
            machine.run("systemctl", "is-active", "srv-data.mount").strip(),
            "active",
            machine.journal("-u", "srv-data.mount"),
        )
        same(machine.file("/run/mounted-from").read_text().split()[0], REGULAR[0])
        after = machine.show("After", "srv-data.mount").split()
        assert "remote-fs-pre.target" in after, after
        ready = int(machine.show("ActiveEnterTimestampMonotonic"))
        for later in "nss-lookup.target", "remote-fs-pre.target", "srv-data.mount":
            assert ready <= int(machine.show("ActiveEnterTimestampMonotonic", later)), later
        same(machine.run("systemctl", "--failed", "--no-legend"), "")


CROWD = """
import socket, time
crowd = []
try:
    while len(crowd) < 2000:
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect("/run/kubesvc/socket")
        except BlockingIOError:  # the backlog is full for a moment
            one.close()
            time.sleep(0.001)
            continue
        crowd.append(one)
except OSError as error:
    pass
print(len(crowd), flush=True)
for one in crowd[::2]:
    try:
        one.send(b"\\xff" * 4096)
    except OSError:
        pass
time.sleep(60)
"""


@on_a_system("full")
def test_an_ordinary_user_can_ask_and_nothing_else():
    with Machine(installed()) as machine:
        pid = machine.show("MainPID")
        machine.run("useradd", "-m", "mallory")
        for attempt in (
            "systemctl --no-ask-password stop kubesvcd",
            "systemctl --no-ask-password reload kubesvcd",
            f"kill -HUP {pid}",
            "kubesvc reload",
            f"kill -STOP {pid}",
            "rm /run/kubesvc/socket",
            "mv /run/kubesvc /run/elsewhere",
            "touch /run/kubesvc/x",
            "ls /var/lib/kubesvc",
            "mkdir /run/kubesvc-manifests",
            f"touch {MANIFESTS}/x.yaml",
            f"rm {MANIFESTS}/deployment.yaml",
            "echo >/etc/kubesvc/kubesvcd.yaml",
            "exec 9</run/kubesvc/socket.lock",
            f"ls /proc/{pid}/fd",
        ):
            status, output = machine.try_run("sh", "-c", attempt, user="mallory")
            assert status != 0, f"{attempt}: {output}"
        same(machine.addresses("headless-svc", user="mallory"), HEADLESS)

        # Thousands of connections, idle or talking nonsense, from one user: others are answered.
        crowd = [
            subprocess.Popen(
                machine.command(
                    "sh",
                    "-c",
                    'ulimit -n "$(ulimit -Hn)"; exec python3 -c "$0"',
                    CROWD,
                    user="mallory",
                ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        sizes = [int(process.stdout.readline()) for process in crowd]
        assert sum(sizes) > 1000, sizes
        # Once the crowd is let in; the machine is busy with that for a moment.
        wait_for(
            lambda: all(
                machine.addresses("headless-svc", user=user) == HEADLESS
                for user in ["nobody", "root", "daemon"] * 10
            ),
            "answers to others",
        )
        for process in crowd:
            process.kill()
        same(machine.show("NRestarts"), "0")
        same(machine.addresses("headless-svc", user="mallory"), HEADLESS)


@on_a_system("full")
def test_external_names_are_resolved_inside_the_sandbox():
    system = installed()
    system.write(
        f"{MANIFESTS}/external.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: far}\n"
        f"spec: {{type: ExternalName, externalName: {FOREIGN}}}\n",
    )
    with nameserver(), Machine(system) as machine:
        same(machine.addresses("far"), ["192.0.2.80"])
        # Replaced, as DHCP clients do; and the hosts file first.
        machine.write("/etc/resolv.conf.new", "nameserver 127.0.0.9\n")
        machine.run("mv", "/etc/resolv.conf.new", "/etc/resolv.conf")
        wait_for(lambda: machine.addresses("far") == [], "the nameserver to be another")
        machine.write("/etc/hosts", f"127.0.0.1 localhost\n192.0.2.81 {FOREIGN}\n")
        machine.wait_for_addresses("far", ["192.0.2.81"])


@on_a_system("full")
def test_the_package_s_own_test():
    """Also where the loopback has the only addresses, as in many a test bed."""
    subprocess.run(["ip", "address", "flush", "dev", "lo", "scope", "global"], check=True)
    system = Chroot("full")
    system.install(*both())
    tests = EXAMPLES.parent / "debian/tests"
    with Machine(system) as machine:
        for line in (tests / "control").read_text().splitlines():
            if line.startswith("Tests:"):
                for name in line.split()[1:]:
                    (program,) = machine.bring(tests / name)
                    print(machine.run("sh", program))
        same(machine.sh(f"ls {MANIFESTS}"), "")


@on_a_system("minimal", "full")
def test_a_container_keeps_its_names_over_a_restart():
    """It is given the module, an nsswitch.conf and the socket's directory."""
    cell = Chroot("minimal")
    cell.unmount()
    with Machine(installed()) as machine:
        machine.file("/srv/cell").mkdir()
        subprocess.run(
            f"tar -C {cell.path} -c . | tar -C {machine.file('/srv/cell')} -x",
            shell=True,
            check=True,
        )
        module = machine.sh("dpkg -L libnss-kubesvc | grep so.2$").split()[0]
        machine.sh(
            f"cd /srv/cell && mkdir run/kubesvc && touch .{module} && "
            f"mount --bind -o ro {module} .{module} && "
            "mount --bind -o ro /etc/nsswitch.conf etc/nsswitch.conf && "
            "mount --bind -o ro /run/kubesvc run/kubesvc"
        )

        def inside():
            output = machine.try_run(
                "chroot", "--userspec=nobody", "/srv/cell", "getent", "hosts", "headless-svc"
            )
            return sorted(line.split()[0] for line in output[1].splitlines())

        same(inside(), HEADLESS)
        machine.run("systemctl", "restart", "kubesvcd")
        same(inside(), HEADLESS, "after a restart")
        machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "kubesvcd")
        wait_for(
            lambda: machine.show("NRestarts") == "1" and machine.show("SubState") == "running",
            "a restart",
        )
        same(inside(), HEADLESS, "after a crash")
