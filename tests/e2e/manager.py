# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service manager's part in restarts, without one: it keeps the descriptors that the daemon hands
it, by name, and passes them on to the next process, as systemd does (FileDescriptorStoreMax=)."""

import array
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

from harness import PATIENCE, built, client_env, end_reader, patient_env, wait_for

FIRST = 3  # SD_LISTEN_FDS_START


class Manager:
    """One unit. `manifests`: {file name: text}."""

    def __init__(self, manifests, config=""):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="u", dir=".")).resolve()
        self.runtime = self.dir / "run"
        self.runtime.mkdir(mode=0o755)
        self.socket = self.runtime / "socket"
        self.manifests = self.dir / "manifests"
        self.manifests.mkdir()
        for name, text in manifests.items():
            (self.manifests / name).write_text(text)
        (self.dir / "kubesvcd.yaml").write_text(config)
        self.env = client_env(self.socket)
        # for clients that wait in the backlog while a busy machine starts the daemon
        self.patient = patient_env(self.socket, slower=8)
        self.kept, self.ready, self.process = {}, 0, None
        self.heeds = None  # after so many messages the process is killed, and not heard any more
        self.handled = threading.Event()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.dir / "notify"))
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self):
        while True:
            data, control, _, _ = self.notify.recvmsg(4096, socket.CMSG_SPACE(16))
            if not data:
                return
            fields = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
            passed = array.array("i")
            for level, kind, payload in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    passed.frombytes(payload[:len(payload) - len(payload) % passed.itemsize])
            if fields.get("BARRIER") == "1":
                self.handled.set()
            elif self.heeds != 0:
                self._heed(fields, passed)

    def _heed(self, fields, passed):
        if fields.get("FDSTOREREMOVE") == "1":
            for fd in self.kept.pop(fields["FDNAME"], []):
                os.close(fd)
        if fields.get("FDSTORE") == "1":
            for fd in passed:
                self._keep(fields["FDNAME"], fd)
        if fields.get("READY") == "1":
            self.ready += 1
        if self.heeds is not None:
            self.heeds -= 1
            if self.heeds == 0:
                self.process.kill()

    def _keep(self, name, fd):
        if any(os.path.sameopenfile(fd, other) for fds in self.kept.values() for other in fds):
            os.close(fd)
        else:
            self.kept.setdefault(name, []).append(fd)

    def start(self, wait=True):
        names = [name for name, fds in self.kept.items() for _ in fds]
        fds = [fd for fds in self.kept.values() for fd in fds]
        before = self.ready
        env = {k: v for k, v in os.environ.items() if not k.startswith("KUBESVC_")}
        env |= {"NOTIFY_SOCKET": str(self.dir / "notify"), "RUNTIME_DIRECTORY": str(self.runtime)}
        if fds:
            env |= {"LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(names)}
        moved = [os.dup(fd) for fd in fds]  # out of the way of where they go
        high = [os.open("/dev/null", os.O_RDONLY) for _ in range(32)]
        source = [os.dup(fd) for fd in moved]

        def place():
            for i, fd in enumerate(source):
                os.dup2(fd, FIRST + i)
            if fds:
                os.environ["LISTEN_PID"] = str(os.getpid())

        command = ["/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh", built("kubesvcd"), "--config",
                   str(self.dir / "kubesvcd.yaml"), "--socket", str(self.socket), "--state",
                   str(self.dir / "state"), "--manifests", str(self.manifests)]
        self.process = subprocess.Popen(
            command, env=env, preexec_fn=place, close_fds=True,
            pass_fds=range(FIRST, FIRST + len(fds)), stderr=open(self.dir / "log", "ab"))
        for fd in moved + high + source:
            os.close(fd)
        if wait:
            wait_for(lambda: self.ready > before, "READY=1")

    def log(self):
        return (self.dir / "log").read_text()

    def end(self, number):
        """What the process has said before it ended is heeded, as by a service manager."""
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        self.handled.clear()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(b"BARRIER=1", str(self.dir / "notify"))
        assert self.handled.wait(PATIENCE)
        return status

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        end_reader(self.notify, self.listener)
        for fds in self.kept.values():
            for fd in fds:
                os.close(fd)
