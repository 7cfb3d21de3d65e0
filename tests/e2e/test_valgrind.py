# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's whole life under valgrind: no invalid access, nothing uninitialised, no leak, and no
access of one thread that conflicts with one of the other."""

import pathlib
import shutil
import subprocess

from harness import BUILD, Client, Daemon, built, limit, need_program, same, skip, unsanitized

ROOT = pathlib.Path(__file__).resolve().parents[2]

MEMCHECK = (
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--track-fds=no",
)
DRD = ("valgrind", "--tool=drd", "--quiet", "--error-exitcode=99")

EXTERNAL = """
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: moon}
spec: {type: ExternalName, externalName: headless-svc.moon.svc.cluster.local}
"""


def whole_life(valgrind, program=None):
    examples = {path.name: path.read_text() for path in (ROOT / "examples").glob("*.yaml")}
    with Daemon(examples | {"broken.yaml": "kind: [Service\n"}, namespace="moon", wrapper=valgrind,
                ready=False, program=program) as daemon:
        daemon.wait_state("READY=1", 60)
        with Client(daemon.env) as client:

            def until(name, n):
                # The deadline of a lookup is too short for a daemon under valgrind.
                client.until("inet", name, lambda a: len(a.addresses) == n and not a.passed_on, 60)

            until("headless-svc", 3)
            until("regular-svc", 1)
            first = client.ask("inet", "headless-svc").addresses[0]
            client.until("addr", first, lambda a: a.canon and not a.passed_on, 60)
            daemon.write("deployment.yaml", examples["deployment.yaml"].replace(": 3", ": 5"))
            until("headless-svc", 5)
            daemon.write("external.yaml", EXTERNAL)
            until("inside", 5)
            for report in ["status"], ["get", "services"], ["explain", "headless-svc.moon"]:
                subprocess.run([built("kubesvc"), "--socket", daemon.socket, *report], check=True,
                               stdout=subprocess.DEVNULL)
            (daemon.dir / "manifests" / "headless-svc.yaml").unlink()
            client.until("inet", "headless-svc.moon.svc", lambda a: a.error == "EAI_NONAME", 60)
            daemon.write("deployment.yaml", "kind: Deployment\nmetadata: {\n")
            daemon.wait_line("deployment.yaml", 60)
            daemon.reload()
            until("regular-svc", 1)
        same(daemon.stop(), 0, "status under valgrind")
    shutil.rmtree(daemon.dir)


@limit(120)
def test_a_whole_life():
    need_program("valgrind")
    unsanitized("valgrind does not run sanitized programs")
    whole_life(MEMCHECK)


@limit(120)
def test_no_access_of_the_threads_conflicts():
    need_program("valgrind")
    unsanitized("valgrind does not run sanitized programs")
    program = BUILD / "drd" / "kubesvcd"
    if not program.exists():
        skip(f"needs {program} (make DRD=1, with valgrind/drd.h)")
    whole_life(DRD, program)
