# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's whole life under valgrind: no invalid access, nothing uninitialised, no leak."""

import pathlib
import shutil

from harness import Client, Daemon, limit, need_program, same, unsanitized

ROOT = pathlib.Path(__file__).resolve().parents[2]

VALGRIND = (
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--track-fds=no",
)

EXTERNAL = """
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: moon}
spec: {type: ExternalName, externalName: headless-svc.moon.svc.cluster.local}
"""


@limit(120)
def test_a_whole_life():
    need_program("valgrind")
    unsanitized("valgrind does not run sanitized programs")
    examples = {path.name: path.read_text() for path in (ROOT / "examples").glob("*.yaml")}
    with Daemon(examples | {"broken.yaml": "kind: [Service\n"}, namespace="moon", wrapper=VALGRIND,
                ready=False) as daemon:
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
            (daemon.dir / "manifests" / "headless-svc.yaml").unlink()
            client.until("inet", "headless-svc.moon.svc", lambda a: a.error == "EAI_NONAME", 60)
            daemon.write("deployment.yaml", "kind: Deployment\nmetadata: {\n")
            daemon.wait_line("deployment.yaml", 60)
            daemon.reload()
            until("regular-svc", 1)
        same(daemon.stop(), 0, "status under valgrind")
    shutil.rmtree(daemon.dir)
