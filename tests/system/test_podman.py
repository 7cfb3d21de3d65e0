# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pods of a real podman, of root and of a user: names lead to the addresses that it says itself.

For those of root, the daemon is the unprivileged one of the package and sees podman's files as under its unit, through a
mount, because the directory above is closed to all but root.
"""

import contextlib
import json
import resource
import subprocess

from harness import same, skip, wait_for
from packages import both
from systems import Chroot, Pivoted, on_a_system

NETWORKS = "/run/containers/networks/aardvark-dns"
MOUNTED = "/run/kubesvc-sources/podman"
IMAGE = "localhost/pod:1"
CONTAINERFILE = 'FROM scratch\nCOPY bin /bin\nENV PATH=/bin\nCMD ["sleep", "1000"]\n'
CONTAINERS = f"""
      containers: [{{name: c, image: "{IMAGE}", imagePullPolicy: Never,
                     command: [sleep, "1000"]}}]
"""
SHOP = f"""
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: None, selector: {{app: web}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: front}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: solo}}
spec: {{clusterIP: None, selector: {{app: solo}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {CONTAINERS}
---
apiVersion: v1
kind: Pod
metadata: {{name: solo, labels: {{app: solo}}}}
spec: {CONTAINERS}
"""


class Podman:
    """A system with podman, an image for its pods, and both packages."""

    def __init__(self, kind):
        self.system = Chroot(kind)
        self.system.mount_groups()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Limits beyond one's own cannot be set everywhere.
        self.system.write("/etc/containers/containers.conf",
                          f'[containers]\ndefault_ulimits = ["nofile={soft}:{hard}", '
                          '"nproc=4096:4096"]\n[engine]\nevents_logger = "file"\n'
                          'cgroup_manager = "cgroupfs"\n')
        self.system.write("/image/Containerfile", CONTAINERFILE)
        self.system.sh("mkdir /image/bin && cp /bin/busybox /image/bin && cd /image/bin && "
                       "ln busybox sh && ln busybox sleep")
        self.system.write("/shop.yaml", SHOP)
        for words in (["build", "-q", "-t", IMAGE, "/image"], ["network", "create", "trial"],
                      ["run", "--rm", "--network", "trial", IMAGE, "sleep", "0"],
                      ["network", "rm", "trial"]):
            status, output = self.try_run(*words)
            if status != 0:
                skip(f"podman does not run here: podman {words[0]}: {output[-500:]}")
        self.system.install(*both())

    def try_run(self, *words):
        return self.system.try_run("podman", *words, env={"PODMAN_IGNORE_CGROUPSV1_WARNING": "1"})

    def run(self, *words):
        status, output = self.try_run(*words)
        same(status, 0, f"status of podman {words}: {output}")
        return output

    def inspect(self, *words):
        """What podman prints as JSON, without what it says to the other output."""
        output = self.run(*words)
        return json.loads(output[output.index("[") :] if "[" in output else output)

    def pods(self):
        """{name: address} of the pods that run, from podman itself: those whose first container
        does, which holds the address."""
        found = {}
        for pod in self.inspect("pod", "ps", "--format", "json"):
            infra = self.inspect("inspect", pod["InfraId"])[0]
            networks = infra["NetworkSettings"]["Networks"].values()
            if infra["State"]["Running"]:
                found[pod["Name"]] = next(iter(networks))["IPAddress"]
        return found

    def starts(self, pod):
        """podman 4 may still be cleaning up after a stop, and end again what is started then."""
        self.run("pod", "start", pod)
        return pod in self.pods()

    @contextlib.contextmanager
    def daemon(self):
        self.system.write("/etc/kubesvc/kubesvcd.yaml", "sources: [podman]\n")
        self.system.write("/etc/kubesvc/manifests/shop.yaml", SHOP)
        self.system.sh(f"mkdir -p {NETWORKS} {MOUNTED} && chmod 700 /run/containers")
        root = self.system.path
        subprocess.run(["mount", "--bind", root / NETWORKS[1:], root / MOUNTED[1:]], check=True)
        with self.system.daemon():
            yield
        subprocess.run(["umount", root / MOUNTED[1:]], check=True)


def check(kind):
    podman = Podman(kind)
    system = podman.system
    with podman.daemon():
        same(system.addresses("web"), [], "before anything runs")
        status, output = podman.try_run("kube", "play", "/shop.yaml")
        try:
            same(status, 0, output)
            pods = podman.pods()
            web = sorted(address for name, address in pods.items() if name.startswith("web-pod"))
            assert web and "solo" in pods, pods
            system.wait_for_addresses("web", web)
            same(system.addresses("front"), web, "a regular Service")
            same(system.addresses("solo"), [pods["solo"]])

            podman.run("pod", "stop", "-t", "0", "solo")
            system.wait_for_addresses("solo", [])
            wait_for(lambda: podman.starts("solo"), "the pod to run again")
            wait_for(lambda: system.addresses("solo") == [podman.pods().get("solo")], "its address")

            shown = system.run("kubesvc", "get", "pods")
            same(shown.count(" podman"), len(web) + 1, shown)
        finally:
            podman.try_run("pod", "rm", "-a", "-f", "-t", "0")
        system.wait_for_addresses("web", [])
        system.wait_for_addresses("solo", [])
    return web


@on_a_system("podman")
def test_names_lead_to_what_podman_runs():
    assert len(check("podman")) in (1, 3)


@on_a_system("podman/trixie")
def test_names_lead_to_what_podman_of_debian_13_runs():
    same(len(check("podman/trixie")), 1, "pods of a Deployment of three replicas")


USER = "pod"
RUNTIME = "/run/user/1000"


class Rootless:
    """A system in which a user runs podman, and a daemon for its own manifests."""

    def __init__(self, kind):
        self.system = system = Pivoted(kind)
        system.mount_groups()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        system.write("/etc/containers/containers.conf",
                     f'[containers]\ndefault_ulimits = ["nofile={soft}:{hard}", '
                     '"nproc=4096:4096"]\n[engine]\n'
                     'events_logger = "file"\ncgroup_manager = "cgroupfs"\n')
        system.write("/etc/containers/storage.conf", '[storage]\ndriver = "vfs"\n')
        system.sh(f"useradd -m -u 1000 {USER} && install -d -o {USER} -m 700 {RUNTIME} && "
                  f"install -d -o {USER} /image /image/bin && cp /bin/busybox /image/bin && "
                  "cd /image/bin && ln busybox sh && ln busybox sleep")
        system.write("/image/Containerfile", CONTAINERFILE)
        system.write("/pod.yaml", SHOP.rpartition("---")[2])
        for words in (["build", "-q", "-t", IMAGE, "/image"], ["kube", "play", "/pod.yaml"]):
            status, output = self.podman(*words)
            if status != 0:
                skip(f"rootless podman does not run here: podman {words[0]}: {output[-500:]}")
        system.install(*both())

    def podman(self, *words):
        return self.system.try_run("podman", *words, user=USER, env={
            "HOME": f"/home/{USER}", "XDG_RUNTIME_DIR": RUNTIME,
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"})

    @contextlib.contextmanager
    def daemon(self):
        self.system.write(f"/home/{USER}/kubesvcd.yaml", "sources: [podman]\nnamespace: default\n")
        self.system.write(f"/home/{USER}/manifests/shop.yaml", SHOP)
        command = self.system.command(
            "/usr/sbin/kubesvcd", "--config", f"/home/{USER}/kubesvcd.yaml", "--manifests",
            f"/home/{USER}/manifests", "--socket", f"{RUNTIME}/kubesvc/socket", "--state",
            f"/home/{USER}/state", user=USER, env={"XDG_RUNTIME_DIR": RUNTIME})
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as process:
            try:
                yield process
            finally:
                process.terminate()

    def addresses(self, name):
        return self.system.addresses(name, user=USER, env={
            "KUBESVC_SOCKET": f"{RUNTIME}/kubesvc/socket"})


def check_rootless(kind):
    rootless = Rootless(kind)
    infra = json.loads(rootless.podman("pod", "inspect", "solo")[1])
    infra = (infra[0] if isinstance(infra, list) else infra)["InfraContainerID"]
    inspected = rootless.podman("inspect", infra)[1]
    networks = json.loads(inspected[inspected.index("[") :])[0]["NetworkSettings"]["Networks"]
    address = next(iter(networks.values()))["IPAddress"]
    with rootless.daemon() as daemon:
        assert any("rootless pods are reachable only inside" in line for line in daemon.stdout)
        wait_for(lambda: rootless.addresses("solo") == [address], "its address")
        same(rootless.podman("pod", "stop", "-t", "0", "solo")[0], 0)
        wait_for(lambda: rootless.addresses("solo") == [], "it to be gone")
    rootless.podman("pod", "rm", "-a", "-f", "-t", "0")


@on_a_system("podman")
def test_a_user_runs_podman():
    check_rootless("podman")


@on_a_system("podman/trixie")
def test_a_user_runs_podman_of_debian_13():
    check_rootless("podman/trixie")
