# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc run: what a command is told about the pod that it is, and pods that find each other."""

import os
import pathlib
import subprocess
import sys

from harness import Daemon, HERE, PATIENCE, built, need_program, same, with_nsswitch

EXAMPLES = HERE.parent.parent / "examples"
WORLD = {
    "web.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: dual, namespace: moon}
spec: {hostname: first, subdomain: web, containers: [{name: c}]}
status: {podIPs: [{ip: 127.0.0.9}, {ip: "::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, namespace: moon, uid: "1"}
spec: {containers: [{name: c}]}
status: {phase: Pending}
"""
}


def run(daemon, *arguments, status=0, given=True, **more):
    options = ["--socket", str(daemon.socket)] if given else []
    env = {k: v for k, v in daemon.env.items() if given is False or k != "KUBESVC_SOCKET"}
    done = subprocess.run([built("kubesvc"), "run", *options, *arguments], env=env | more,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    same(done.returncode, status, f"status of run {arguments}: {done.stderr}")
    return done


def environment(daemon, *arguments, **options):
    lines = run(daemon, *arguments, "--", "env", **options).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_what_the_command_is_told():
    with Daemon(WORLD) as daemon:
        env = environment(daemon, "web-1", HOSTNAME="machine")
        same({k: env.get(k) for k in ("POD_NAME", "POD_NAMESPACE", "HOSTNAME", "KUBESVC_NAMESPACE",
                                      "KUBESVC_SOCKET")},
             {"POD_NAME": "web-1", "POD_NAMESPACE": "default", "HOSTNAME": "web-1",
              "KUBESVC_NAMESPACE": "default", "KUBESVC_SOCKET": str(daemon.socket)})
        assert env["POD_IP"].startswith("127.244."), env
        same(env["POD_IPS"], env["POD_IP"])
        env = environment(daemon, "-n", "moon", "dual")
        same((env["POD_IP"], env["POD_IPS"]), ("127.0.0.9", "127.0.0.9,::1"))
        same((env["HOSTNAME"], env["KUBESVC_NAMESPACE"]), ("first", "moon"))
        same(environment(daemon, "dual", KUBESVC_NAMESPACE="moon")["POD_NAMESPACE"], "moon")
        same(environment(daemon, "web-0", given=False)["KUBESVC_SOCKET"], str(daemon.socket))


def test_the_command_itself():
    with Daemon(WORLD) as daemon:
        same(run(daemon, "web-0", "--", "printf", "%s|", "-n", "a b", "").stdout, "-n|a b||")
        run(daemon, "web-0", "--", "sh", "-c", "exit 7", status=7)
        done = run(daemon, "web-0", "--", "/nonexistent/command", status=127)
        assert "cannot run '/nonexistent/command': No such file" in done.stderr, done
        pathlib.Path("plain").write_text("")
        run(daemon, "web-0", "--", "./plain", status=126)


def test_pods_that_are_none():
    with Daemon(WORLD) as daemon:
        same(run(daemon, "wbe-1", "--", "true", status=2).stderr,
             "kubesvc: no pod 'wbe-1' in namespace default; did you mean 'web-1'?\n")
        done = run(daemon, "-n", "mars", "web-1", "--", "true", status=2)
        assert "no pod 'web-1' in namespace mars" in done.stderr and "-A" in done.stderr, done
        done = run(daemon, "-n", "moon", "waiting", "--", "true", status=1)
        assert "has no address" in done.stderr and "kubesvc.io/addresses" in done.stderr, done
        run(daemon, "web-1", status=1)
        daemon.stop()
        done = run(daemon, "web-1", "--", "true", status=1)
        assert "no daemon is listening" in done.stderr, done


def test_three_members_find_each_other():
    """The example: started as three pods, they meet under the name of their headless Service."""
    wrapper = with_nsswitch("files kubesvc [NOTFOUND=return]")
    need_program("python3")
    manifest = (EXAMPLES / "ring" / "ring.yaml").read_text()
    # an address of the test's own, so that others may run at the same time
    network = f"podCIDRs: [127.{130 + os.getpid() % 100}.{os.getpid() // 100 % 250}.0/24]\n"
    with Daemon({"ring.yaml": manifest}, config=network) as daemon:
        members = [
            subprocess.Popen([*wrapper, built("kubesvc"), "run", f"ring-{i}", "--", sys.executable,
                              str(EXAMPLES / "ring" / "ring.py")],
                             env=daemon.env, stdout=subprocess.PIPE, text=True)
            for i in range(3)
        ]
        outputs = []
        for member in members:
            outputs.append(member.communicate(timeout=2 * PATIENCE)[0])
            same(member.returncode, 0, f"status of {member.args[-1]}")
        text = "".join(outputs)
        same(text.count("passes on to"), 3, text)
        assert "the token went round: " in text, text
        way = text.split("the token went round: ")[1].split("\n")[0].split()
        same((way[0], sorted(way[1:])), (way[-1], ["ring-0", "ring-1", "ring-2"]), "the way")
