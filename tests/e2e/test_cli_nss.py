# SPDX-License-Identifier: LGPL-2.1-or-later
"""query --nss: what libc says, against what the daemon says."""

import json
import subprocess

from harness import BUILD, built, same, with_nsswitch
from test_cli_golden import world


def query(daemon, wrapper, *arguments):
    done = subprocess.run([*wrapper, built("kubesvc"), "query", "--nss", *arguments],
                          env=daemon.env | {"LD_LIBRARY_PATH": str(BUILD)}, text=True,
                          capture_output=True)
    return done


def test_libc_agrees():
    wrapper = with_nsswitch("files kubesvc [NOTFOUND=return] dns")
    with world() as daemon:
        for name in "headless-svc", "regular-svc.moon", "db.sun", "data.sun", "10.96.0.7", "127.96.0.1":
            done = query(daemon, wrapper, name)
            same((done.returncode, done.stderr), (0, ""), name)
            assert "libc       the same\n" in done.stdout, done.stdout
            assert "nsswitch.conf" not in done.stdout, done.stdout
        done = query(daemon, wrapper, "typo")
        same(done.returncode, 2)
        assert "libc       the same\n" in done.stdout, done.stdout
        libc = json.loads(query(daemon, wrapper, "db", "-n", "sun", "-o", "json").stdout)["libc"]
        same((libc["same"], libc["canonical"]), (True, "db.sun.svc.cluster.local"))
        same(sorted(libc["addresses"]), ["192.0.2.10", "2001:db8::10"])


def test_nsswitch_does_not_ask_us():
    wrapper = with_nsswitch("files")
    with world() as daemon:
        done = query(daemon, wrapper, "headless-svc")
        same(done.returncode, 0)
        assert "not found by libc: Name or service not known" in done.stdout, done.stdout
        assert "the hosts line of /etc/nsswitch.conf does not ask kubesvc" in done.stdout
        assert "'kubesvc doctor' says what to do" in done.stdout


def test_libc_differs():
    wrapper = with_nsswitch("files")
    with open("hosts", "w") as hosts:
        hosts.write("192.0.2.77 headless-svc\n")
    wrapper = [*wrapper, "sh", "-c", 'mount --bind hosts /etc/hosts && exec "$@"', "sh"]
    with world() as daemon:
        done = query(daemon, wrapper, "headless-svc")
        assert "192.0.2.77 only from libc, 127.244.0.1 only from kubesvc" in done.stdout, done.stdout
