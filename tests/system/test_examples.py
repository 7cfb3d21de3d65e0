"""The units that come as examples, and the one for a user's own manifests."""

import re

from harness import same, wait_for
from packages import both
from systems import EXAMPLES, HEADLESS, Chroot, Machine, on_a_system

DOCUMENTS = "/usr/share/doc/kubesvcd/examples"
KUBECTL = """#!/bin/sh
echo "$@" >>/run/kubesvc-manifests/asked
cat /etc/answer.json
exit "$(cat /etc/status)"
"""
CLUSTER = """{"apiVersion": "v1", "kind": "List", "items": [
 {"apiVersion": "v1", "kind": "Service",
  "metadata": {"name": "api", "namespace": "prod", "uid": "1"}, "spec": {"clusterIP": "%s"}}]}
"""


@on_a_system("full")
def test_a_timer_fetches_the_services_of_a_cluster():
    system = Chroot("full")
    system.install(*both())
    system.write("/usr/local/bin/kubectl", KUBECTL, 0o755)
    system.write("/etc/kubernetes/kubesvc.conf", "secret", 0o600)
    system.write("/etc/status", "0")
    system.write("/etc/answer.json", CLUSTER % "10.96.0.1")
    system.sh(
        f"cp {DOCUMENTS}/cluster/* /etc/systemd/system/ && systemctl enable kubesvc-cluster.timer"
    )
    system.write(
        "/etc/systemd/system/kubesvc-cluster.timer.d/often.conf",
        "[Timer]\nOnBootSec=\nOnBootSec=1ms\nOnUnitInactiveSec=200ms\nAccuracySec=1ms\n",
    )
    with Machine(system) as machine:
        name = "api.prod.svc.cluster.local"
        machine.wait_for_addresses(name, ["10.96.0.1"])
        machine.write("/etc/answer.json", CLUSTER % "10.96.0.2")
        machine.wait_for_addresses(name, ["10.96.0.2"])
        # What fails, and what is cut short, changes nothing.
        machine.write("/etc/status", "1")
        machine.write("/etc/answer.json", '{"items": [')
        asked = machine.file("/run/kubesvc-manifests/asked")
        before = len(asked.read_text().splitlines())
        wait_for(lambda: len(asked.read_text().splitlines()) > before + 1, "two failures")
        same(machine.addresses(name), ["10.96.0.2"])
        assert "get services,endpointslices -A -o json" in asked.read_text()
        same(machine.journal("-p", "warning", "-u", "kubesvcd"), "")
        same(
            machine.run(
                "systemd-analyze",
                "verify",
                "--man=no",
                "kubesvc-cluster.service",
                "kubesvc-cluster.timer",
            ),
            "",
        )


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
            r"becomes ([\d.]+) instead",
            machine.file(f"{DOCUMENTS}/static-pods/static-pods.conf").read_text(),
        )[1]
        rating = machine.run(
            "systemd-analyze", "security", "--no-pager", "kubesvcd.service"
        ).splitlines()[-1]
        assert f": {stated} " in rating, rating
        machine.run("systemctl", "reload", "kubesvcd")
        same(machine.journal("-p", "warning", "-u", "kubesvcd", "-b", f"_PID={pid}"), "")


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

        # With no configuration at all it starts too, and says where manifests go.
        user("systemctl", "--user", "disable", "--now", "kubesvcd")
        user("rm", "-r", "/home/dev/.config/kubesvc")
        user("systemctl", "--user", "enable", "--now", "kubesvcd")
        same(
            machine.file("/home/dev/.config/kubesvc/kubesvcd.yaml").read_text(),
            "manifests:\n- /home/dev/.config/kubesvc/manifests\n",
        )
        user("sh", "-c", "cp /home/dev/deploy/*.yaml /home/dev/.config/kubesvc/manifests/")
        machine.wait_for_addresses(
            "headless-svc", headless, user="dev", env=session | {"KUBESVC_SOCKET": socket}
        )
