# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pods of a real containerd with Debian's network plugins: containers of its own are passed over, and
names of the static pods of a kubelet in $KUBE_BIN lead to what that says itself.

The daemon is the unprivileged one of the package, with the one capability that the example's
drop-in grants it.
"""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import signal
import ssl
import subprocess
import tarfile
import urllib.request

from harness import same, skip, wait_for
from packages import both
from systems import Chroot, on_a_system

IMAGE = "localhost/pod:1"
STATIC = "/etc/kubernetes/manifests"
NODE = "worker-1"
CONFIG = f"""
version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "/etc/cni/net.d"
"""
NETWORK = {
    "cniVersion": "1.0.0",
    "name": "podnet",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.88.0.0/16"}], [{"subnet": "fd00:88::/64"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}
KUBELET = f"""
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: {STATIC}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
fileCheckFrequency: 1s
syncFrequency: 1s
oomScoreAdj: 0
localStorageCapacityIsolation: false
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  terminationGracePeriodSeconds: 1
  hostNetwork: {on_host}
  hostAliases: [{{ip: 192.0.2.99, hostnames: [alias]}}]
  containers:
  - {{name: c, image: "{image}", imagePullPolicy: Never, command: [sleep, "100000"]}}
  - {{name: d, image: "{image}", imagePullPolicy: Never, command: [sleep, "100000"]}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{clusterIP: None, selector: {{app: {name}}}}}
"""


def pod(name, on_host="false"):
    return POD.format(name=name, image=IMAGE, on_host=on_host)


def add(archive, name, data=b"", link=None, mode=0o755):
    member = tarfile.TarInfo(name)
    member.mode, member.size = mode, len(data)
    if link:
        member.type, member.linkname = tarfile.LNKTYPE, link
    archive.addfile(member, io.BytesIO(data))


def image(busybox):
    """An image of one program, as `docker save` would write it."""
    layer, whole = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        add(archive, "bin/busybox", busybox)
        add(archive, "bin/sleep", link="bin/busybox")
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"],
              "Cmd": ["sleep", "1000000"]},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}
    manifest = [{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]
    with tarfile.open(fileobj=whole, mode="w") as archive:
        add(archive, "layer.tar", layer.getvalue())
        add(archive, "config.json", json.dumps(config).encode())
        add(archive, "manifest.json", json.dumps(manifest).encode())
    return whole.getvalue()


def members(group):
    """The processes of a control group, as far as they are in this namespace."""
    return {int(pid) for pid in (group / "cgroup.procs").read_text().split()} - {0}


class Containerd:
    """A system with containerd, an image for its pods, and both packages."""

    def __init__(self):
        self.system = Chroot("containerd")
        self.system.mount_groups()
        self.system.write("/etc/containerd/config.toml", CONFIG)
        self.system.write("/etc/cni/net.d/10-podnet.conflist", json.dumps(NETWORK))
        busybox = self.system.file("/bin/busybox").read_bytes()
        self.system.file("/image.tar").write_bytes(image(busybox))
        self.processes = []
        containerd = self.start("containerd")
        wait_for(lambda: self.system.try_run("ctr", "version")[0] == 0
                 or containerd.poll() is not None, "containerd")
        for words in (["images", "import", "/image.tar"],
                      ["run", "--rm", "--cni", IMAGE, "trial", "sleep", "0"]):
            status, output = self.ctr(*words)
            if status != 0:
                skip(f"containerd does not run here: ctr {words[0]}: {output[-500:]}")
        self.system.install(*both())

    def start(self, program, *words):
        with self.system.file(f"/var/log/{program}.log").open("wb") as log:
            process = subprocess.Popen(self.system.command(program, *words), stdout=log, stderr=log,
                                       stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """The control groups of the containers are in no namespace: they are left empty, and go."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        groups = [group for group in pathlib.Path("/sys/fs/cgroup").rglob("k8s.io/*")
                  if group.is_dir() and members(group)]
        for pid in {pid for group in groups for pid in members(group)}:
            os.kill(pid, signal.SIGKILL)
        for group in groups:
            wait_for(lambda: not members(group), "the containers to end")
            group.rmdir()
        for group in pathlib.Path("/sys/fs/cgroup").rglob("k8s.io"):
            with contextlib.suppress(OSError):  # another one's containers are in it
                group.rmdir()

    def ctr(self, *words):
        return self.system.try_run("ctr", "-n", "k8s.io", *words)

    def results(self):
        return sorted(path.name for path in self.system.file("/var/lib/cni/results").iterdir())

    @contextlib.contextmanager
    def daemon(self, sources, manifests):
        self.system.write("/etc/kubesvc/kubesvcd.yaml", f"sources: {sources}\n")
        self.system.write("/etc/kubesvc/manifests/pods.yaml", manifests)
        with self.system.daemon(capability="dac_read_search"):
            yield


@on_a_system("containerd")
def test_containers_that_are_no_pods_are_passed_over():
    with Containerd() as containerd:
        system = containerd.system
        same(containerd.ctr("run", "-d", "--cni", IMAGE, "plain", "sleep", "100000"), (0, ""))
        wait_for(lambda: any("plain" in name for name in containerd.results()), "its result")
        with containerd.daemon("[cni]", pod("plain") + "---" + SERVICE.format(name="plain")):
            same(system.addresses("plain"), [])
            status = system.run("kubesvc", "status")
            assert "cni: /var/lib/cni/results (1 file, 0 pods seen" in status, status
            assert "error" not in status, status


class Kubelet:
    """kubelet without a cluster: it runs the pods of its directory of manifests."""

    def __init__(self, containerd):
        program = pathlib.Path(os.environ.get("KUBE_BIN", "/nonexistent")) / "kubelet"
        if not program.exists():
            skip("needs KUBE_BIN, a directory with kubelet")
        self.system = containerd.system
        self.system.write("/usr/bin/kubelet", "")
        there = self.system.file("/usr/bin/kubelet")
        subprocess.run(["mount", "--bind", program, there], check=True)
        self.system.sh(f"mkdir -p {STATIC} /var/log/pods")
        self.system.write("/etc/kubernetes/kubelet.yaml", KUBELET)
        containerd.start("kubelet", "--config", "/etc/kubernetes/kubelet.yaml",
                         "--hostname-override", NODE)

    def write(self, name, text):
        self.system.write(f"{STATIC}/.{name}", text)
        self.system.file(f"{STATIC}/.{name}").rename(self.system.file(f"{STATIC}/{name}.yaml"))

    def pods(self):
        """{name: addresses} of the pods that run, from kubelet's own API."""
        context = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen("https://127.0.0.1:10250/pods", context=context,
                                        timeout=10) as answer:
                pods = json.load(answer)["items"] or []
        except OSError:
            return {}
        return {
            one["metadata"]["name"]: sorted(ip["ip"] for ip in one["status"].get("podIPs", []))
            for one in pods
            if one["status"].get("phase") == "Running"
        }

    def addresses(self, name):
        """The IPv4 addresses of this static pod; none: it does not run."""
        return [a for a in self.pods().get(f"{name}-{NODE}", []) if ":" not in a]

    def agrees(self, name):
        """Does the name lead to the pod, which runs? What kubelet says itself may come later than
        what it has done."""
        addresses = self.addresses(name)
        return addresses and self.system.addresses(name) == addresses


@on_a_system("containerd")
def test_names_lead_to_the_static_pods_of_a_kubelet():
    with Containerd() as containerd:
        kubelet = Kubelet(containerd)
        system = containerd.system
        kubelet.write("web", pod("web"))
        kubelet.write("host", pod("host", on_host="true"))
        wait_for(lambda: kubelet.addresses("web"), "the pod to run", 60)
        pods = pod("web"), pod("host", on_host="true")
        manifests = "---".join([*pods, SERVICE.format(name="web")])
        cni, own = f"{{cni: {{node: {NODE}}}}}", f"{{kubelet: {{node: {NODE}}}}}"
        for sources, origin in (cni, "cni"), (own, "kubelet"), (f"{cni}, {own}", "cni"):
            with containerd.daemon(f"[{sources}]", manifests):
                wait_for(lambda: kubelet.agrees("web"), f"its address, by {origin}", 60)
                shown = system.run("kubesvc", "get", "pods")
                assert f" {origin}" in shown, shown
                before = system.addresses("web")
                system.file(f"{STATIC}/web.yaml").unlink()
                system.wait_for_addresses("web", [])
                kubelet.write("web", pod("web"))
                wait_for(lambda: kubelet.agrees("web"), f"its next address, by {origin}", 60)
                assert system.addresses("web") != before, before
