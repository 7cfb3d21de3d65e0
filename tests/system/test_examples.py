# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units that come as examples, and the one for a user's own manifests."""

import re

from harness import same, wait_for
from packages import CLUSTER, both, package
from systems import EXAMPLES, HEADLESS, Chroot, Machine, on_a_system

DOCUMENTS = "/usr/share/doc/kubesvcd/examples"
API = """
import http.server, json, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers["Authorization"] != "Bearer secret":
            return self.answer(403, {"kind": "Status", "code": 403, "message": "who are you"})
        if "watch=1" in self.path:
            threading.Event().wait()
        address = open("/etc/address").read().strip()
        items = []
        if "/services" in self.path:
            items = [{"metadata": {"name": "api", "namespace": "prod", "uid": "1"},
                      "spec": {"clusterIP": address, "ports": [{"port": 80}]}}]
        self.answer(200, {"metadata": {"resourceVersion": "5"}, "items": items})
    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", 6443), Handler).serve_forever()
"""
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: x
clusters: [{name: c, cluster: {server: "http://127.0.0.1:6443"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
"""


@on_a_system("full")
def test_a_unit_follows_a_cluster():
    system = Chroot("full")
    system.install(*both(), package(CLUSTER))
    system.write("/etc/api.py", API)
    system.write("/etc/address", "10.96.0.1")
    system.write(
        "/etc/systemd/system/api.service", "[Service]\nExecStart=/usr/bin/python3 /etc/api.py\n"
    )
    system.write("/etc/kubesvc/clusters/prod.yaml", "jitter: 0\n")
    system.write("/etc/kubesvc/clusters/prod.kubeconfig", KUBECONFIG, 0o600)
    system.sh(f"cp {DOCUMENTS}/cluster/kubesvcd.yaml /etc/kubesvc/kubesvcd.yaml")
    system.sh("systemctl enable kubesvc-cluster@prod")
    with Machine(system) as machine:
        unit = "kubesvc-cluster@prod.service"
        code, _ = machine.try_run("systemctl", "restart", "api", unit)
        same(code, 0, machine.journal("-u", unit))
        name = "api.prod.svc.cluster.local"
        machine.wait_for_addresses(name, ["10.96.0.1"])
        assert "prod: in sync (1 Service)" in machine.run("kubesvc", "status")
        # The kubeconfig is root's; what the program reads is a copy that only it can read.
        secret = "/etc/kubesvc/clusters/prod.kubeconfig"
        same(machine.run("stat", "-c", "%a %U", secret).strip(), "600 root")
        assert machine.try_run("cat", secret, user="kubesvc-cluster")[0] != 0
        copy = f"/run/credentials/{unit}/kubeconfig"
        same(machine.run("cat", copy, user="kubesvc-cluster"), KUBECONFIG)
        assert machine.try_run("cat", copy, user="kubesvc")[0] != 0
        pid = machine.show("MainPID", unit)
        status = machine.run("cat", f"/proc/{pid}/status")
        same(set(re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", status)), {"0000000000000000"})
        same(
            machine.run("stat", "-c", "%a %U %G", "/var/lib/kubesvc-cluster/prod").strip(),
            "750 kubesvc-cluster kubesvc",
        )
        # The names outlive the API server and the program that follows it.
        machine.run("systemctl", "kill", "-s", "KILL", "api")
        machine.run("systemctl", "stop", unit)
        machine.run("systemctl", "restart", "kubesvcd")
        machine.wait_for_addresses(name, ["10.96.0.1"])
        assert "prod: kubesvc-cluster is not running" in machine.run("kubesvc", "status")
        machine.write("/etc/address", "10.96.0.2")
        code, _ = machine.try_run("systemctl", "start", "api", unit)
        same(code, 0, machine.sh("journalctl -b --no-pager -o cat -u kubesvc-cluster@prod; ls -la /var/lib/kubesvc-cluster /run/credentials"))
        machine.wait_for_addresses(name, ["10.96.0.2"])
        same(machine.journal("-p", "warning", "-u", "kubesvcd"), "")
        same(machine.run("systemd-analyze", "verify", "--man=no", unit), "")
        rating = machine.run("systemd-analyze", "security", "--no-pager", unit).splitlines()[-1]
        assert float(re.search(r": ([\d.]+) ", rating)[1]) < 1.6, rating
        # What systemd itself says about a credential without a file names no file.
        machine.run("rm", secret)
        assert machine.try_run("systemctl", "restart", unit)[0] != 0
        status = machine.try_run("systemctl", "status", unit)[1]
        assert f"AssertPathExists={secret} was not met" in status, status
        same(machine.show("ActiveState", unit), "inactive")


@on_a_system("full")
def test_static_pods_are_read_with_one_capability():
    system = Chroot("full")
    system.install(*both())
    system.sh("install -d -m 700 /etc/kubernetes/manifests")
    for file in EXAMPLES.glob("*.yaml"):
        system.write(f"/etc/kubernetes/manifests/{file.name}", file.read_text(), 0o600)
    system.write("/etc/kubernetes/secret", "of the cluster")
    system.write("/etc/kubesvc/kubesvcd.yaml", "manifests: [/etc/kubernetes/manifests]\n")
    with Machine(system) as machine:
        same(machine.addresses("headless-svc"), [], "without the drop-in")
        machine.sh(
            "mkdir -p /etc/systemd/system/kubesvcd.service.d && "
            f"cp {DOCUMENTS}/static-pods/*.conf /etc/systemd/system/kubesvcd.service.d/ && "
            "systemctl daemon-reload && systemctl restart kubesvcd"
        )
        same(machine.addresses("headless-svc"), HEADLESS)
        # New ones, as the kubelet's tools write them, are seen, too.
        machine.run(
            "sed", "-i", "s/replicas: 3/replicas: 1/", "/etc/kubernetes/manifests/deployment.yaml"
        )
        same(
            machine.run("stat", "-c", "%a", "/etc/kubernetes/manifests/deployment.yaml").strip(),
            "600",
        )
        machine.wait_for_addresses("headless-svc", HEADLESS[:1])

        # One capability, and little to see with it.
        pid = machine.show("MainPID")
        status = machine.run("cat", f"/proc/{pid}/status")
        same(set(re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", status)), {"0000000000000004"})
        visible = machine.sh(
            f"cd /proc/{pid}/root && ls etc etc/kubernetes home root srv var 2>/dev/null || :"
        )
        same(
            [
                word
                for word in ("passwd", "shadow", "secret", "dpkg", "ssh")
                if word in visible.split()
            ],
            [],
            "visible to the daemon",
        )
        stated = re.search(
            r"reports from [\d.]+ to ([\d.]+)\.",
            machine.file(f"{DOCUMENTS}/static-pods/static-pods.conf").read_text(),
        )[1]
        rating = machine.run(
            "systemd-analyze", "security", "--no-pager", "kubesvcd.service"
        ).splitlines()[-1]
        assert f": {stated} " in rating, rating
        machine.run("systemctl", "reload", "kubesvcd")
        same(machine.journal("-p", "warning", "-u", "kubesvcd", "-b", f"_PID={pid}"), "")


PODMAN = "/run/containers/networks/aardvark-dns"
RUN_HERE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
"""


@on_a_system("full")
def test_podmans_files_are_read_without_any_capability():
    system = Chroot("full")
    system.install(*both())
    system.sh(f"cp {DOCUMENTS}/podman/kubesvcd.yaml /etc/kubesvc/kubesvcd.yaml")
    system.write("/etc/kubesvc/manifests/web.yaml", RUN_HERE)
    with Machine(system) as machine:
        same(machine.run("stat", "-c", "%a %U", "/run/containers", PODMAN).split("\n")[:2],
             ["700 root", "755 root"])
        same(machine.addresses("web"), [])
        machine.write(f"{PODMAN}/net", "10.89.0.1\nid 10.89.0.2  web,c\n")
        machine.wait_for_addresses("web", ["10.89.0.2"])
        machine.write(f"{PODMAN}/net", "10.89.0.1\nid 10.89.0.3  web,c\n")
        machine.wait_for_addresses("web", ["10.89.0.3"])
        machine.run("systemctl", "restart", "kubesvcd")
        machine.wait_for_addresses("web", ["10.89.0.3"])
        machine.run("rm", f"{PODMAN}/net")
        machine.wait_for_addresses("web", [])
        pid = machine.show("MainPID")
        status = machine.run("cat", f"/proc/{pid}/status")
        same(set(re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", status)), {"0000000000000000"})
        same(machine.journal("-p", "warning", "-u", "kubesvcd"), "")


@on_a_system("full")
def test_network_plugins_results_are_read_with_one_capability():
    system = Chroot("full")
    system.install(*both())
    system.sh("install -d -m 700 /var/lib/cni /var/lib/cni/results")
    system.write("/var/lib/other/secret", "of the host")
    system.write("/etc/kubesvc/kubesvcd.yaml", "sources: [cni]\n")
    system.write("/etc/kubesvc/manifests/web.yaml", RUN_HERE)
    result = (
        '{"kind":"cniCacheV1","ifName":"eth0","networkName":"n","cniArgs":[["K8S_POD_NAMESPACE",'
        '"default"],["K8S_POD_NAME","web"]],"result":{"ips":[{"address":"10.42.0.7/24"}]}}'
    )
    system.write("/var/lib/cni/results/n-1-eth0", result, 0o600)
    with Machine(system) as machine:
        same(machine.addresses("web"), [], "without the drop-in")
        assert "drop-in" in machine.try_run("kubesvc", "doctor")[1]
        machine.sh(
            "mkdir -p /etc/systemd/system/kubesvcd.service.d && "
            f"cp {DOCUMENTS}/runtimes/*.conf /etc/systemd/system/kubesvcd.service.d/ && "
            "systemctl daemon-reload && systemctl restart kubesvcd"
        )
        machine.wait_for_addresses("web", ["10.42.0.7"])
        machine.write("/var/lib/cni/results/n-1-eth0", result.replace("0.7/", "0.8/"), 0o600)
        machine.wait_for_addresses("web", ["10.42.0.8"])
        machine.run("rm", "/var/lib/cni/results/n-1-eth0")
        machine.wait_for_addresses("web", [])
        pid = machine.show("MainPID")
        status = machine.run("cat", f"/proc/{pid}/status")
        same(set(re.findall(r"Cap(?:Prm|Eff|Bnd|Amb):\s+(\w+)", status)), {"0000000000000004"})
        same(machine.try_run("ls", f"/proc/{pid}/root/var/lib/other")[0], 2, "hidden from it")


@on_a_system("full")
def test_a_user_has_a_daemon_for_manifests_at_home():
    system = Chroot("full")
    system.install(*both())
    system.run("useradd", "-m", "-s", "/bin/sh", "dev")
    system.sh(
        "chmod 700 /home/dev && install -D /dev/null /var/lib/systemd/linger/dev"
    )
    for file in EXAMPLES.glob("*.yaml"):
        system.write(f"/home/dev/deploy/{file.name}", file.read_text())
    system.write(
        "/home/dev/.config/kubesvc/kubesvcd.yaml", "manifests: [/home/dev/deploy]\nnamespace: dev\n"
    )
    system.sh("chown -R dev: /home/dev")
    with Machine(system) as machine:
        uid = machine.run("id", "-u", "dev").strip()
        session = {"XDG_RUNTIME_DIR": f"/run/user/{uid}", "HOME": "/home/dev", "USER": "dev"}

        def user(*words):
            return machine.run(*words, user="dev", env=session)

        wait_for(
            lambda: machine.try_run("systemctl", "is-active", f"user@{uid}")[0] == 0,
            "the user manager",
        )
        same(
            machine.try_run(
                "systemctl", "--user", "is-enabled", "kubesvcd", user="dev", env=session
            )[1].strip(),
            "disabled",
        )
        user("systemctl", "--user", "enable", "--now", "kubesvcd")
        same(user("systemctl", "--user", "is-active", "kubesvcd").strip(), "active")
        socket = f"/run/user/{uid}/kubesvc/socket"
        # The user's own range, so that the daemon of the system can give out the default one.
        headless = [f"127.{128 + int(uid) % 95}.0.{host}" for host in (1, 2, 3)]
        same(
            machine.addresses("headless-svc", user="dev", env=session | {"KUBESVC_SOCKET": socket}),
            headless,
        )
        same(machine.addresses("headless-svc"), [], "others ask the daemon of the system")
        found = user(
            "systemd-run", "--user", "--pipe", "--wait", "-q", "getent", "hosts", "headless-svc.dev"
        )
        same(
            sorted(line.split()[0] for line in found.splitlines()),
            headless,
            "programs of the session",
        )
        assert f"KUBESVC_SOCKET={socket}" in user("systemctl", "--user", "show-environment")

        user("systemctl", "--user", "reload", "kubesvcd")
        user("systemctl", "--user", "restart", "kubesvcd")
        assert f"KUBESVC_SOCKET={socket}" in user("systemctl", "--user", "show-environment")
        user("systemctl", "--user", "stop", "kubesvcd")
        assert "KUBESVC_SOCKET" not in user("systemctl", "--user", "show-environment")
        assert not machine.file(f"/run/user/{uid}/kubesvc").exists()
        same(machine.journal("-p", "warning", f"_UID={uid}"), "")

        user("systemctl", "--user", "start", "kubesvcd")
        machine.write("/home/dev/.config/kubesvc/kubesvcd.yaml.d/site.yaml", "zoen: x\n")
        status, output = machine.try_run("systemctl", "--user", "reload", "kubesvcd", user="dev",
                                         env=session)
        assert status != 0, output
        machine.run("rm", "/home/dev/.config/kubesvc/kubesvcd.yaml.d/site.yaml")
        user("systemctl", "--user", "reload", "kubesvcd")

        # Leases of 0.1 are kept; they were a directory higher.
        user("systemctl", "--user", "disable", "--now", "kubesvcd")
        (leases,) = user("find", "/home/dev", "-name", "leases").split()
        known = machine.file(leases).read_text()
        assert "/kubesvc/state/" in leases and "regular-svc" in known, (leases, known)
        former = leases.replace("/state/leases", "/leases")
        user("mv", leases, former)
        user("systemctl", "--user", "start", "kubesvcd")
        assert not machine.file(former).exists()
        assert set(known.splitlines()) <= set(machine.file(leases).read_text().splitlines())

        # With no configuration at all it starts too, and says where manifests go.
        user("systemctl", "--user", "stop", "kubesvcd")
        user("rm", "-rf", "/home/dev/.config/kubesvc", leases)
        user("systemctl", "--user", "enable", "--now", "kubesvcd")
        same(
            machine.file("/home/dev/.config/kubesvc/kubesvcd.yaml").read_text(),
            "manifests:\n- /home/dev/.config/kubesvc/manifests\n",
        )
        user("sh", "-c", "cp /home/dev/deploy/*.yaml /home/dev/.config/kubesvc/manifests/")
        machine.wait_for_addresses(
            "headless-svc", headless, user="dev", env=session | {"KUBESVC_SOCKET": socket}
        )
