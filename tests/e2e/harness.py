# SPDX-License-Identifier: LGPL-2.1-or-later
"""The basis of the end-to-end tests. How to write one:

    # tests/e2e/test_topic.py
    from harness import Client, Daemon, same, skip

    def test_short_name_finds_the_service():
        with Daemon({"svc.yaml": "kind: Service ..."}, namespace="moon") as daemon:
            with Client(daemon.env) as client:
                answer = client.ask("inet", "web.moon.svc.cluster.local")
                same(answer.addresses, ["127.96.0.1"])
                same(answer.passed_on, [])
                daemon.write("svc.yaml", "...")
                client.until("inet", "web", lambda a: a.error == "EAI_NONAME")

Every function test_* of every tests/e2e/test_*.py is one test; `tests/e2e/run.py [-j N] [FILTER]`
runs them, each in a process and a session of its own, in an empty temporary directory as working
directory, for at most 60 s (another limit: decorate with @limit(90)), of which run.py allows a busy
machine a multiple. A test fails by any exception; skip("why") skips it, for want of something on this
machine; unsanitized("why") leaves it out of runs with sanitized programs. What it leaves behind is
killed and removed. Tests never wait a fixed time: Daemon() returns when the daemon said READY=1,
Client.until() asks until it is so.

Client asks through glibc, with the module and a logging one behind it on the hosts line; leaving
its `with` block checks that the lookups left descriptors, signals, locale and umask of the process
alone. Client.ask(KIND, NAME): the kinds are those of client.c. The Answer has `error` (None, or the
name of the EAI_ or h_errno value), `addresses`, `canon`, `aliases`, `ms`, and `passed_on`: what the
next service was asked. run_program("stress", ...) runs one of the other C clients next to client.c.
with_nsswitch() is for programs that ask by /etc/nsswitch.conf, such as getent.

KUBESVC_BUILD names the build directory (default: build), KUBESVC_TEST_DATA a directory of further
inputs in addition to those of the project, see inputs().
"""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("KUBESVC_BUILD", HERE.parent.parent / "build")).resolve()
SANITIZED = BUILD.name in ("san", "tsan")
SKIPPED, UNSUITED = 77, 78
HOSTS = "kubesvc [NOTFOUND=return] log"
PATIENCE = 60  # seconds: for what happens at once on an idle machine

EAI = {
    -1: "EAI_BADFLAGS",
    -2: "EAI_NONAME",
    -3: "EAI_AGAIN",
    -4: "EAI_FAIL",
    -5: "EAI_NODATA",
    -6: "EAI_FAMILY",
    -8: "EAI_SERVICE",
    -10: "EAI_MEMORY",
    -11: "EAI_SYSTEM",
    -12: "EAI_OVERFLOW",
}
H_ERRNO = {
    -1: "NETDB_INTERNAL",
    1: "HOST_NOT_FOUND",
    2: "TRY_AGAIN",
    3: "NO_RECOVERY",
    4: "NO_DATA",
}


def skip(reason):
    print(reason, flush=True)
    os._exit(SKIPPED)


def unsanitized(why):
    if SANITIZED:
        print(why, flush=True)
        os._exit(UNSUITED)


def inputs(name):
    """Directories of one kind of inputs: tests/NAME, and NAME in $KUBESVC_TEST_DATA if there."""
    extra = os.environ.get("KUBESVC_TEST_DATA")
    if extra and not pathlib.Path(extra).is_dir():
        raise NotADirectoryError(f"KUBESVC_TEST_DATA={extra}")
    extra = [pathlib.Path(extra).resolve() / name] if extra else []
    return [HERE.parent / name, *filter(pathlib.Path.is_dir, extra)]


def limit(seconds):
    def decorate(function):
        function.limit = seconds
        return function

    return decorate


def short(value):
    text = repr(value)
    return text if len(text) <= 1000 else f"{text[:1000]}... ({len(text)} characters)"


def same(got, expected, about=""):
    if got != expected:
        raise AssertionError(f"{about or 'got'}: {short(got)}, expected {short(expected)}")


def need_root():
    if os.geteuid() != 0:
        skip("needs root")


def need_program(name):
    # What only administrators run is not in an ordinary user's path.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        skip(f"needs {name}")
    return path


def built(name):
    """The path of something that the build makes."""
    path = BUILD / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: not built (make tests)")
    return str(path)


def wait_for(condition, what, seconds=PATIENCE):
    """Polls for a condition that causes no event."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.005)


def with_nsswitch(hosts=HOSTS):
    """A wrapper that runs a command in a mount namespace of its own, where /etc/nsswitch.conf says
    this; for programs that ask by it, such as getent. Skips where that is not allowed."""
    unsanitized("a program without the sanitizers' library cannot load the module")
    unshare = need_program("unshare")
    path = pathlib.Path("nsswitch.conf").resolve()
    path.write_text(f"hosts: {hosts}\n")
    wrapper = [unshare, "-m" if os.geteuid() == 0 else "-rm", "sh", "-c",
               f'mount --bind "{path}" /etc/nsswitch.conf && exec "$@"', "sh"]
    tried = subprocess.run([*wrapper, "true"], capture_output=True, text=True)
    if tried.returncode:
        skip(f"no mount namespace here: {tried.stderr.strip()}")
    return wrapper


def client_env(socket_path, namespace=None, libraries=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KUBESVC_", "LC_", "LANG"))}
    env["KUBESVC_SOCKET"] = str(socket_path)
    env["LD_LIBRARY_PATH"] = libraries or f"{BUILD}:{BUILD}/e2e"
    env["LC_ALL"] = "C"
    if namespace is not None:
        env["KUBESVC_NAMESPACE"] = namespace
    return env | more


def patient_env(*arguments, slower=40, **more):
    """client_env() for tests that are not about time. The clients' clock is slow: what is 250 ms for
    the module takes ten seconds, so that no lookup fails because a busy machine did not let a daemon
    written in Python run."""
    return client_env(*arguments, **more, GUEST_CLOCK=str(slower))


@dataclasses.dataclass
class Answer:
    error: str | None = None
    addresses: list = dataclasses.field(default_factory=list)
    canon: str | None = None
    aliases: list = dataclasses.field(default_factory=list)
    ms: float = 0.0
    errno: int = 0
    scope: int = 0
    passed_on: list = dataclasses.field(default_factory=list)

    @staticmethod
    def parse(line):
        raw = json.loads(line)
        if "eai" in raw:
            error = EAI[raw["eai"]] if raw["eai"] else None
        else:
            error = H_ERRNO.get(raw["h_errno"], str(raw["h_errno"])) if raw["h_errno"] else None
        return Answer(
            error,
            raw.get("addresses", []),
            raw.get("canon"),
            raw.get("aliases", []),
            raw["us"] / 1000,
            raw.get("errno", 0),
            raw.get("scope", 0),
        )


class Client:
    """One process that resolves through glibc; see client.c. `wrapper` comes before the command."""

    def __init__(self, env, hosts=HOSTS, wrapper=(), program=None):
        log, path = tempfile.mkstemp(prefix="log-", dir=".")
        os.close(log)
        self.log = pathlib.Path(path).resolve()
        self.seen = 0
        self.process = subprocess.Popen(
            [*wrapper, program or built("e2e/client"), hosts],
            env=env | {"NSS_LOG": str(self.log)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _passed_on(self):
        text = self.log.read_text("latin-1")
        new, self.seen = text[self.seen :], len(text)
        return new.splitlines()

    def ask(self, kind, name):
        raw = name if isinstance(name, bytes) else name.encode()
        quoted = "".join(chr(b) if 33 <= b <= 126 and b != 37 else f"%{b:02x}" for b in raw)
        self.process.stdin.write(f"{kind} {quoted}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the client died, status {self.process.wait()}")
        result = Answer.parse(line)
        result.passed_on = self._passed_on()
        return result

    def until(self, kind, name, condition, seconds=PATIENCE):
        """Asks again until condition(answer), which is returned."""
        end = time.monotonic() + seconds
        while not condition(result := self.ask(kind, name)):
            if time.monotonic() > end:
                raise AssertionError(f"{kind} {name}: after {seconds} s still {short(result)}")
            time.sleep(0.005)
        return result

    def map(self, kind, name, addresses):
        """Asks for a name with these addresses until the process has the snapshot mapped: on a
        busy machine neither an answer nor a mapping is had by the first or second lookup."""
        path = pathlib.Path(f"/proc/{self.process.pid}/maps")
        self.until(kind, name, lambda got: sorted(got.addresses) == sorted(addresses)
                   and "kubesvc-snapshot" in path.read_text())

    def close(self):
        self.process.stdin.close()
        same(self.process.wait(PATIENCE), 0, "status of the client")
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self.process.kill()
            self.process.wait()


def ask(env, kind, name, **options):
    """One question by a process of its own."""
    with Client(env, **options) as client:
        return client.ask(kind, name)


def run_program(name, *arguments, env, wrapper=(), status=0, **options):
    """Runs one of the C clients to its end; its stdout is returned."""
    done = subprocess.run(
        [*wrapper, built(f"e2e/{name}"), *map(str, arguments)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    same(done.returncode, status, f"status of {name} {arguments}")
    return done.stdout


def end_reader(sock, thread):
    """Ends a thread that reads a socket of datagrams, and closes it. Closed under it, the descriptor
    would be another's, from which it would read on."""
    if sock.fileno() < 0:
        return
    sock.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)
    sock.close()


class Supervised:
    """A program of ours that reports its progress to its supervisor, which is this object."""

    NAME = "daemon"

    def start(self, command, directory, **env):
        self.lines = []
        self._changed = threading.Condition()
        self._states = []
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = directory / f"notify{len(list(directory.glob('notify*')))}"
        self._notify.bind(str(path))
        self.process = subprocess.Popen(
            [*map(str, command)],
            env={k: v for k, v in os.environ.items() if not k.startswith("KUBESVC_")}
            | {"NOTIFY_SOCKET": str(path)} | env,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._notified = threading.Thread(target=self._read_notify, daemon=True)
        self._notified.start()
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()

    def _read_notify(self):
        while data := self._notify.recv(4096):
            with self._changed:
                self._states += data.decode().splitlines()
                self._changed.notify_all()

    def _read_stderr(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _ended(self):
        return self.process.poll() is not None and not self._reader.is_alive()

    def _wait(self, condition, what, seconds):
        with self._changed:
            end = time.monotonic() + seconds
            while not condition() and not self._ended() and time.monotonic() < end:
                self._changed.wait(0.1)
            if not condition():
                said = "\n".join(self.lines[-20:])
                raise AssertionError(f"no {what} from the {self.NAME} ({self.process.poll()}):\n{said}")

    def states(self):
        """All that it has told its supervisor."""
        with self._changed:
            return list(self._states)

    def wait_state(self, state, seconds=PATIENCE):
        """Waits until it has told its supervisor `state`, such as READY=1."""
        self._wait(lambda: state in self._states, state, seconds)

    def wait_line(self, text, seconds=PATIENCE):
        """Waits for a line on stderr that contains `text`; returns it."""
        self._wait(lambda: any(text in line for line in self.lines), repr(text), seconds)
        return next(line for line in self.lines if text in line)

    def stop(self, number=signal.SIGTERM):
        """Ends it; returns its status (negative: killed by that signal)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if not self._reader.is_alive():
            self.process.stderr.close()
        end_reader(self._notify, self._notified)
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        running = self.process.poll() is None
        status = self.stop()
        if kind is not None:
            print(f"--- the {self.NAME} said:", *self.lines[-40:], sep="\n", file=sys.stderr)
        elif running:
            same(status, 0, f"status of the {self.NAME} after SIGTERM")


class Daemon(Supervised):
    """The real daemon. `manifests`: {file name: text}, for a directory `manifests`; or a list of
    such, for `manifests0`, `manifests1`, ...; or a path to an existing directory. `config`: text of
    kubesvcd.yaml. `options`: further arguments. `dir`: where socket, state and configuration go
    (default: a new directory); give that of an earlier one to start it again over its state."""

    def __init__(self, manifests=None, config="", options=(), namespace=None, dir=None, wrapper=(),
                 ready=True, program=None):
        self.dir = pathlib.Path(dir or tempfile.mkdtemp(prefix="d", dir=".")).resolve()
        self.socket = self.dir / "run" / "socket"
        self.config = self.dir / "kubesvcd.yaml"
        if config or not self.config.exists():
            self.config.write_text(config)
        self.directories = self._directories(manifests)
        command = [*wrapper, program or built("kubesvcd"), "--config", self.config,
                   "--socket", self.socket, "--state", self.dir / "state"]
        for directory in self.directories:
            command += ["--manifests", directory]
        if namespace is not None:
            command += ["--namespace", namespace]
        self.env = client_env(self.socket)
        self.start([*command, *options], self.dir)
        if ready:
            self.wait_state("READY=1")

    def _directories(self, manifests):
        if isinstance(manifests, (str, pathlib.Path)):
            return [pathlib.Path(manifests).resolve()]
        sets = manifests if isinstance(manifests, list) else [manifests or {}]
        result = []
        for i, files in enumerate(sets):
            directory = self.dir / (f"manifests{i}" if isinstance(manifests, list) else "manifests")
            directory.mkdir(exist_ok=True)
            result.append(directory)
            for name, text in files.items():
                self.write(name, text, directory)
        return result

    def write(self, name, text, directory=None):
        """Replaces a manifest at once, as an editor does."""
        path = (directory or self.dir / "manifests") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.parent / f".{path.name}.new"
        hidden.write_bytes(text if isinstance(text, bytes) else text.encode())
        hidden.rename(path)
        return path

    def reload(self):
        """SIGHUP; returns when the daemon says READY=1 again. One said before RELOADING=1 is of
        something else."""
        with self._changed:
            self._states.clear()
        self.process.send_signal(signal.SIGHUP)
        self._wait(lambda: "RELOADING=1" in self._states
                   and "READY=1" in self._states[self._states.index("RELOADING=1"):],
                   "READY=1 after RELOADING=1", PATIENCE)
