# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real kube-apiserver and its etcd, from the directory $KUBE_BIN, in namespaces of their own.

    def test_something():
        inside("scenario")                # skips without KUBE_BIN; runs scenario() of the calling file

scenario() gets a RealApi: start(), kill(), wipe() and request(); reader_kubeconfig() has a token that
may do what examples/cluster/rbac.yaml grants.
"""

import http.client
import inspect
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys

from harness import HERE, SKIPPED, need_program, need_root, skip, wait_for

RBAC = HERE.parent.parent / "examples" / "cluster" / "rbac.yaml"
GROUPS = {"v1": "/api/v1", "rbac.authorization.k8s.io/v1": "/apis/rbac.authorization.k8s.io/v1",
          "discovery.k8s.io/v1": "/apis/discovery.k8s.io/v1"}


def inside(scenario):
    need_root()
    binaries = os.environ.get("KUBE_BIN")
    if not binaries or not (pathlib.Path(binaries) / "kube-apiserver").exists():
        skip("needs KUBE_BIN, a directory with kube-apiserver and etcd")
    need_program("openssl")
    file = inspect.stack()[1].filename
    code = (f"import sys; sys.path[:0] = [{str(HERE)!r}]; import real_api, importlib.util as u; "
            f"s = u.spec_from_file_location('scenarios', {file!r}); m = u.module_from_spec(s); "
            f"s.loader.exec_module(m); real_api.run(m.{scenario})")
    done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                           "--mount-proc", sys.executable, "-c", code], check=False)
    if done.returncode == SKIPPED:
        os._exit(SKIPPED)
    if done.returncode:
        raise AssertionError(f"{scenario}: {done.returncode}")


def run(scenario):
    for command in ("ip link set lo up", "ip link add v0 type veth peer name v1",
                    "ip link set v1 up", "ip addr add 10.0.0.1/24 dev v0", "ip link set v0 up",
                    "ip route add default dev v0"):
        subprocess.run(command.split(), check=True)
    api = RealApi()
    try:
        scenario(api)
    finally:
        api.stop()


class RealApi:
    url = "https://127.0.0.1:6443"

    def __init__(self):
        self.binaries = pathlib.Path(os.environ["KUBE_BIN"]).resolve()
        self.directory = pathlib.Path("kube").resolve()
        self.directory.mkdir()
        subprocess.run(["openssl", "genrsa", "-out", self.directory / "sa.key", "2048"], check=True,
                       capture_output=True)
        (self.directory / "tokens").write_text('admin,admin,1,"system:masters"\n'
                                               "reader,system:serviceaccount:kubesvc:kubesvc,2\n")
        self.etcd = self.server = self.connection = None
        self.start_etcd()
        self.start()
        for value in self.rbac():
            self.create(value)

    @staticmethod
    def rbac():
        """The objects of the example."""
        try:
            import yaml
        except ImportError:
            skip("needs PyYAML")
        return list(yaml.safe_load_all(RBAC.read_text()))

    def _spawn(self, name, *arguments):
        with open(self.directory / f"{name}.log", "ab") as log:
            return subprocess.Popen([self.binaries / name, *arguments], stdout=log, stderr=log,
                                    cwd=self.directory)

    def start_etcd(self):
        self.etcd = self._spawn("etcd", "--data-dir", "data", "--unsafe-no-fsync", "--log-level", "error")

    def start(self):
        """Returns when it is ready."""
        self.server = self._spawn(
            "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--bind-address=127.0.0.1",
            "--advertise-address=10.0.0.1", "--secure-port=6443", "--cert-dir=certs",
            "--service-cluster-ip-range=10.96.0.0/12", "--service-account-key-file=sa.key",
            "--service-account-signing-key-file=sa.key",
            "--service-account-issuer=https://kubernetes.default.svc", "--token-auth-file=tokens",
            "--authorization-mode=RBAC", "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount", "--max-mutating-requests-inflight=0",
            "--max-requests-inflight=0", "--enable-priority-and-fairness=false")
        wait_for(lambda: self.request("GET", "/readyz", check=False)[0] == 200, "readyz", 100)

    def kill(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.connection = None

    def wipe(self):
        """etcd loses everything."""
        self.kill()
        self.etcd.kill()
        self.etcd.wait()
        shutil.rmtree(self.directory / "data")
        self.start_etcd()
        self.start()

    def stop(self):
        for process in self.server, self.etcd:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def request(self, method, path, value=None, check=True, kind="application/json"):
        """(code, answer)"""
        for attempt in range(2):
            try:
                if not self.connection:
                    context = ssl._create_unverified_context()
                    self.connection = http.client.HTTPSConnection("127.0.0.1", 6443, timeout=30,
                                                                  context=context)
                self.connection.request(method, path, json.dumps(value) if value else None,
                                        {"Authorization": "Bearer admin", "Content-Type": kind})
                answer = self.connection.getresponse()
                body = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.connection = None
                if attempt or not check:
                    return 0, None
        if check and answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {body[:500]}")
        return answer.status, json.loads(body) if body[:1] == b"{" else body

    def path_of(self, value, name=True):
        metadata = value["metadata"]
        path = GROUPS[value["apiVersion"]]
        if "namespace" in metadata:
            path += f"/namespaces/{metadata['namespace']}"
        path += f"/{value['kind'].lower()}s"
        return f"{path}/{metadata['name']}" if name else path

    def create(self, value):
        self.request("POST", self.path_of(value, name=False), value)

    def patch(self, value, change):
        self.request("PATCH", self.path_of(value), change, kind="application/merge-patch+json")

    def delete(self, value):
        self.request("DELETE", self.path_of(value))

    def reader_kubeconfig(self):
        value = {
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "c", "cluster": {
                "server": self.url,
                "certificate-authority": str(self.directory / "certs" / "apiserver.crt")}}],
            "users": [{"name": "u", "user": {"token": "reader"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        path = pathlib.Path("kubeconfig").resolve()
        path.write_text(json.dumps(value))
        return path
