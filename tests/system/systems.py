# SPDX-License-Identifier: LGPL-2.1-or-later
"""Systems to test on: a root file system in a tmpfs, and the same booted with systemd as process 1.

    @on_a_system("minimal")
    def test_something():
        system = Chroot("minimal")
        system.install(*both())
        with system.daemon():
            same(system.run("getent", "hosts", "name"), "...")

Both have run(), which runs a command as root or as another user; a Machine is made of a Chroot.
"""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import time

from harness import PATIENCE, limit, wait_for
from tars import tar

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "DEBIAN_FRONTEND": "noninteractive",
}
NSSWITCH = "/etc/nsswitch.conf"
MANIFESTS = "/etc/kubesvc/manifests"
EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples"

HEADLESS = ["127.244.0.1", "127.244.0.2", "127.244.0.3"]
REGULAR = ["127.96.0.1"]

# Nothing of this belongs into a machine without hardware that lives for seconds.
MASKED = (
    "console-getty.service",
    "getty@tty1.service",
    "systemd-remount-fs.service",
    "systemd-modules-load.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "dpkg-db-backup.timer",
    "nscd.service",
    "modprobe@.service",
    "sys-fs-fuse-connections.mount",
)

BOOT = """
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- $node
    mknod -m 666 "dev/$1" c "$2" "$3"
done
ln -s /proc/self/fd dev/fd
mkdir -p .old
pivot_root . .old
umount -l .old
# As a container manager does: systemd hands credentials over through a shared mount.
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""


def on_a_system(*kinds):
    """For a test that needs root, namespaces of its own, and these kinds of root file systems."""

    def decorate(function):
        function.systems = kinds
        return limit(600)(function)  # the first one makes the file systems

    return decorate


class Failed(Exception):
    pass


class System:
    """What a chroot and a booted machine have in common: `path` is the root, seen from here."""

    path = None

    def enter(self, user):
        """The words that run a command inside, as `user`."""
        raise NotImplementedError

    def command(self, *words, user="root", env=()):
        variables = [f"{name}={value}" for name, value in (ENVIRONMENT | dict(env)).items()]
        return [*self.enter(user), "env", "-i", *variables, *words]

    def try_run(self, *words, user="root", env=(), stdin=None, limit=120):
        """(exit status, what it printed to both outputs)."""
        done = subprocess.run(
            self.command(*words, user=user, env=env),
            input=stdin or "",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
            timeout=limit,
            check=False,
        )
        return done.returncode, done.stdout

    def run(self, *words, **options):
        """Its output; Failed if it ends with another status than 0."""
        status, output = self.try_run(*words, **options)
        if status != 0:
            raise Failed(f"{shlex.join(words)} ended with {status}:\n{output}")
        return output

    def sh(self, script, **options):
        return self.run("sh", "-c", script, **options)

    def file(self, path):
        return self.path / path.lstrip("/")

    def write(self, path, text, mode=0o644):
        file = self.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def bring(self, *files):
        """Copies files of the host to /tmp of the system; their paths there."""
        for file in files:
            (self.file("/var/tmp") / file.name).write_bytes(file.read_bytes())
        return [f"/var/tmp/{file.name}" for file in files]

    def install(self, *files):
        return self.run("dpkg", "--force-unsafe-io", "-i", *self.bring(*files))

    def remove(self, *names):
        return self.run("dpkg", "-r", *names)

    def purge(self, *names):
        return self.run("dpkg", "-P", *names)

    def add_examples(self):
        for file in EXAMPLES.glob("*.yaml"):
            self.write(f"{MANIFESTS}/{file.name}", file.read_text())

    def hosts_line(self):
        found = re.findall(r"^hosts:.*$", self.file(NSSWITCH).read_text(), re.M)
        return found[0] if found else None

    def addresses(self, name, **options):
        """The addresses that getent hosts says, sorted."""
        output = self.try_run("getent", "hosts", name, **options)[1]
        return sorted(line.split()[0] for line in output.splitlines())

    def wait_for_addresses(self, name, addresses, **options):
        wait_for(lambda: self.addresses(name, **options) == addresses, f"{name} to be {addresses}")


class Chroot(System):
    def __init__(self, kind):
        archive = tar(kind)
        self.path = pathlib.Path(f"root-{archive.stem}").resolve()
        self.path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.path], check=True)
        subprocess.run(["tar", "-xpf", archive, "-C", self.path, "--numeric-owner"], check=True)
        for kind_, where in ("proc", "proc"), ("sysfs", "sys"):
            subprocess.run(["mount", "-t", kind_, kind_, self.path / where], check=True)
        subprocess.run(["mount", "--rbind", "/dev", self.path / "dev"], check=True)

    def enter(self, user):
        return ["chroot", f"--userspec={user}:", self.path]

    def mount_groups(self):
        """The control groups of this machine, where container runtimes look for them."""
        here, there = pathlib.Path("/sys/fs/cgroup"), self.path / "sys/fs/cgroup"
        if (here / "cgroup.controllers").exists():
            subprocess.run(["mount", "--rbind", here, there], check=True)
            return
        controllers = [
            path
            for path in here.iterdir()
            if (path / "cgroup.procs").exists() and not (path / "cgroup.controllers").exists()
        ]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", there], check=True)
        for controller in controllers:
            (there / controller.name).mkdir()
            subprocess.run(["mount", "--bind", controller, there / controller.name], check=True)

    @contextlib.contextmanager
    def daemon(self, *arguments, capability=None):
        """The daemon as its unit runs it, ready; with a capability like "dac_read_search"."""
        self.sh("install -d -o kubesvc -g kubesvc /run/kubesvc /var/lib/kubesvc")
        notify = self.file("/run/notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(str(notify))
            notify.chmod(0o666)
            receiver.settimeout(PATIENCE)
            more = f"+{capability}"
            become = (
                ("setpriv", "--reuid=kubesvc", "--regid=kubesvc", "--clear-groups",
                 "--inh-caps", more, "--ambient-caps", more)
                if capability
                else ()
            )
            command = self.command(
                *become,
                "/usr/sbin/kubesvcd",
                *arguments,
                user="root" if become else "kubesvc",
                env={"NOTIFY_SOCKET": "/run/notify"},
            )
            with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
                try:
                    while b"READY=1" not in receiver.recv(4096).split(b"\n"):
                        pass
                    yield process
                finally:
                    process.send_signal(signal.SIGTERM)
        notify.unlink()

    def unmount(self):
        """Leaves the root alone, for a machine to be booted of it."""
        for where in "proc", "sys", "dev":
            subprocess.run(["umount", "-R", "-l", self.path / where], check=True)


PIVOT = """
cd "$1" && mkdir -p .before && pivot_root . .before && cd / && umount -l /.before &&
mount --make-rshared / && user=$2 && shift 2 &&
exec setpriv --reuid="$user" --regid="$user" --init-groups "$@"
"""


class Pivoted(Chroot):
    """Its commands have the system as the root of their mount namespace: the kernel gives no user
    namespaces to a process in a chroot."""

    def enter(self, user):
        alone = ["unshare", "--mount", "--propagation", "private"]
        return [*alone, "sh", "-c", PIVOT, "sh", self.path, user]


def remove_groups(top):
    for directory, _, _ in os.walk(top, topdown=False):
        events = pathlib.Path(directory, "cgroup.events")
        wait_for(lambda: "populated 0" in events.read_text(), "the processes to end")
        os.rmdir(directory)


class Machine(System):
    """A booted system, in the network namespace of the test, where there is loopback only."""

    def __init__(self, chroot):
        chroot.unmount()
        self.root = chroot.path
        for unit in MASKED:
            link = chroot.file(f"/etc/systemd/system/{unit}")
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")
        chroot.file("/etc/machine-id").write_text("")
        self.boot()

    def boot(self):
        # systemd wants a tree of control groups for itself.
        groups = pathlib.Path("cgroup").resolve()
        if not groups.is_dir():
            groups.mkdir()
            subprocess.run(["mount", "-t", "cgroup2", "cgroup2", groups], check=True)
        self.group = groups / f"kubesvc-{os.path.basename(os.getcwd())}"
        for old in groups.glob("kubesvc-*"):  # of a test that was killed
            with contextlib.suppress(FileNotFoundError):  # another one removes them too
                populated = "populated 1" in (old / "cgroup.events").read_text()
                if not populated and time.time() - old.stat().st_mtime > 900:
                    remove_groups(old)
        self.group.mkdir(exist_ok=True)
        self.log = open("console", "ab")
        self.process = subprocess.Popen(
            [
                "sh",
                "-c",
                'echo $$ >"$1/cgroup.procs"; shift; exec "$@"',
                "sh",
                self.group,
                "unshare",
                "--pid",
                "--cgroup",
                "--mount",
                "--uts",
                "--ipc",
                "--fork",
                "--kill-child",
                "sh",
                "-e",
                "-c",
                BOOT,
                "sh",
                self.root,
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        wait_for(lambda: children.read_text().split() or self.process.poll() is not None, "unshare")
        self.pid = int(children.read_text())
        self.path = pathlib.Path(f"/proc/{self.pid}/root")
        wait_for(lambda: self.file("/run/systemd/private").exists(), "systemd")
        wait_for(
            lambda: self.try_run("systemctl", "is-system-running")[1].strip()
            in ("running", "degraded"),
            "the end of the boot",
            60,
        )

    def enter(self, user):
        enter = ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-p", "-C", "-r", "-w"]
        return enter if user == "root" else [*enter, "chroot", f"--userspec={user}:", "/"]

    def kill(self):
        """As if the power went; the files stay."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()
        remove_groups(self.group)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    # --- systemd ---

    def show(self, what, unit="kubesvcd"):
        return self.run("systemctl", "show", "-P", what, unit).strip()

    def journal(self, *options):
        return self.run("journalctl", "-q", "--no-pager", "-o", "short-monotonic", *options)
