# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of statuses: what each outcome makes of every kind of lookup, and whether glibc goes on
to the next service (guest rules 1 to 11 and 14)."""

import errno
import os

from fake_daemon import (NO_DATA, NOT_FOUND, NOT_OURS, TRY_AGAIN, FakeDaemon, Host, answer, table,
                         unsupported)
from harness import (
    BUILD, Client, client_env, need_program, need_root, patient_env, run_program, same,
)

KINDS = [f + c for f in ("unspec", "inet", "inet6") for c in ("", "+canon")]
OURS = "web.moon.svc.cluster.local"
SHORT = "web.moon"
NEXT = ("192.0.2.99", "2001:db8::99")
AF_UNSPEC, AF_INET, AF_PACKET, AF_INET6 = 0, 2, 17, 10
SUCCESS, NOTFOUND, UNAVAIL, TRYAGAIN = 1, 0, -1, -2
H_NOT_FOUND, H_TRY_AGAIN, H_NO_RECOVERY, H_NO_DATA = 1, 2, 3, 4


def check_final(client, name, error):
    for kind in KINDS:
        got = client.ask(kind, name)
        same((got.error, got.passed_on), (error, []), f"{kind} {name}")


def check_temporary(client, name):
    """For one family alone glibc makes EAI_NONAME of any NOTFOUND that is not NO_DATA."""
    for kind in KINDS:
        got = client.ask(kind, name)
        same(got.passed_on, [], f"{kind} {name}")
        assert got.error == "EAI_AGAIN" or (
            got.error == "EAI_NONAME" and "unspec" not in kind), (kind, name, got)
    same(client.ask("name", name).error, "TRY_AGAIN")


def check_passed_on(client, name):
    for kind in KINDS:
        got = client.ask(kind, name)
        same(got.error, None, f"{kind} {name}")
        assert got.addresses and set(got.addresses) <= set(NEXT), (kind, name, got)
        assert got.passed_on and all(name in line for line in got.passed_on), (kind, name, got)
    for kind in "name", "name2-inet", "name2-inet6":
        got = client.ask(kind, name)
        assert got.error is None and got.passed_on, (kind, name, got)


def test_found():
    with FakeDaemon("s", table({SHORT: Host(OURS, ["127.0.0.1", "::1"])})):
        with Client(patient_env("s")) as client:
            for kind in KINDS:
                got = client.ask(kind, SHORT)
                same((got.error, got.passed_on), (None, []), kind)
                same(got.canon, OURS if "canon" in kind else None, kind)


def test_other_family_is_no_data_and_final():
    with FakeDaemon("s", table({SHORT: Host(OURS, ["127.0.0.1"]), "six": Host(OURS, ["::1"])})):
        with Client(patient_env("s")) as client:
            for name, missing in (SHORT, "inet6"), ("six", "inet"):
                for kind in KINDS:
                    got = client.ask(kind, name)
                    gone = kind.removesuffix("+canon") == missing
                    same(got.error, "EAI_NODATA" if gone else None, kind)
                    same(got.passed_on, [], kind)
            same(client.ask("name2-inet6", SHORT).error, "NO_DATA")
            same(client.ask("name", "six").error, "NO_DATA")


def test_no_data():
    with FakeDaemon("s", lambda *_: answer(NO_DATA)), Client(patient_env("s")) as client:
        check_final(client, SHORT, "EAI_NODATA")
        same(client.ask("name", SHORT).error, "NO_DATA")


def test_not_found():
    with FakeDaemon("s", lambda *_: answer(NOT_FOUND)), Client(patient_env("s")) as client:
        check_final(client, SHORT, "EAI_NONAME")
        same(client.ask("name", SHORT).error, "HOST_NOT_FOUND")
        same(client.ask("addr", "127.96.0.1").passed_on, [])


def test_not_ours():
    with FakeDaemon("s", lambda *_: answer(NOT_OURS)), Client(patient_env("s")) as client:
        check_passed_on(client, SHORT)
        check_passed_on(client, OURS)
        same(client.ask("addr", "127.96.0.1").passed_on, ["addr 127.96.0.1"])
        same(client.ask("info", "::1").passed_on, ["addr ::1"])


def test_try_again():
    """A name that must not reach public DNS stops the chain; any other goes on."""
    with FakeDaemon("s", lambda *_: answer(TRY_AGAIN)), Client(patient_env("s")) as client:
        for name in OURS, "x.y.svc", "X.Y.SVC.", "deep.down.cluster.local":
            check_temporary(client, name)
        check_passed_on(client, SHORT)
        check_passed_on(client, "web.moon.svc.example.org")
        same(client.ask("addr", "127.96.0.1").passed_on, ["addr 127.96.0.1"])


def test_slow_is_as_try_again():
    """Without an answer, and then left alone for a second."""
    with FakeDaemon("s", accepts=False), Client(client_env("s")) as client:
        check_temporary(client, OURS)
        check_passed_on(client, SHORT)


def test_absent():
    """No socket: no daemon is meant to run, and a cluster's own DNS may know the name."""
    open("file", "w").close()
    for path in "absent", "no/such", "file/below", "x" * 200:
        with Client(patient_env(path)) as client:
            check_passed_on(client, OURS)
            check_passed_on(client, SHORT)


def test_refusing():
    """A socket without a daemon: it died, and is about to be started again."""
    open("file", "w").close()
    FakeDaemon("refusing").stop()
    for path in "file", "refusing":
        with Client(patient_env(path)) as client:
            check_temporary(client, OURS)
            check_passed_on(client, SHORT)


def test_socket_that_we_may_not_use():
    need_root()
    setpriv = [need_program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
    with FakeDaemon("s", table({OURS: Host(OURS, ["127.0.0.1"])})) as daemon:
        os.chmod(".", 0o777)
        os.chmod("s", 0o600)
        client = Client(patient_env("s"), wrapper=setpriv)
        os.chmod(client.log, 0o666)
        with client:
            check_passed_on(client, OURS)
        same(daemon.requests, [])


def test_unsupported():
    for version in 1, 9:
        with FakeDaemon(f"s{version}", lambda *_: unsupported(version)):
            with Client(patient_env(f"s{version}")) as client:
                check_temporary(client, OURS)
                check_passed_on(client, SHORT)


def test_never_a_system_error():
    """As the last service, too."""
    with Client(patient_env("absent"), hosts="kubesvc") as client:
        for kind in KINDS:
            got = client.ask(kind, OURS)
            assert got.error in ("EAI_NONAME", "EAI_NODATA", "EAI_FAIL"), (kind, got)
        assert client.ask("name", OURS).error == "NO_RECOVERY"


def test_without_a_rule_on_the_line():
    """`hosts: kubesvc log`: NOTFOUND is not configured to return, so all but a hit continues."""
    with FakeDaemon("s", table({SHORT: Host(OURS, ["127.0.0.1", "::1"]), "gone": NOT_FOUND})):
        with Client(patient_env("s"), hosts="kubesvc log") as client:
            check_passed_on(client, "gone")
            for kind in KINDS:
                same(client.ask(kind, SHORT).passed_on, [], kind)


def direct(*arguments, path="s"):
    run_program("direct", BUILD / "libnss_kubesvc.so.2", *arguments, env=patient_env(path))


def test_errno_and_h_errno():
    """Whatever was in them before, one place or two; errno is left alone by a find."""
    hosts = {"found": Host(OURS, ["127.0.0.1"]), "none": NO_DATA, "gone": NOT_FOUND,
             "again": TRY_AGAIN, "again.svc": TRY_AGAIN}
    with FakeDaemon("s", table(hosts)):
        for name, family, status, error, h_error in [
            ("found", AF_INET, SUCCESS, 0, 0),
            ("found", AF_UNSPEC, SUCCESS, 0, 0),
            ("found", AF_INET6, NOTFOUND, errno.ENOENT, H_NO_DATA),
            ("found", AF_PACKET, UNAVAIL, errno.EAFNOSUPPORT, H_NO_DATA),
            ("none", AF_INET, NOTFOUND, errno.ENOENT, H_NO_DATA),
            ("gone", AF_INET, NOTFOUND, errno.ENOENT, H_NOT_FOUND),
            ("foreign", AF_INET, UNAVAIL, errno.ENOENT, H_NO_RECOVERY),
            ("again", AF_INET, UNAVAIL, errno.ENOENT, H_NO_RECOVERY),
            ("again.svc", AF_INET, NOTFOUND, errno.EAGAIN, H_TRY_AGAIN),
            ("bad..name", AF_INET, UNAVAIL, errno.ENOENT, H_NO_RECOVERY),
            ("bad..svc", AF_INET, NOTFOUND, errno.ENOENT, H_NOT_FOUND),
            ("-.cluster.local", AF_INET6, NOTFOUND, errno.ENOENT, H_NOT_FOUND),
            ("localhost", AF_INET, UNAVAIL, errno.ENOENT, H_NO_RECOVERY),
        ]:
            direct("expect", name, family, status, error, h_error)
    direct("expect", OURS, AF_INET, UNAVAIL, errno.ECONNREFUSED, H_NO_RECOVERY, path="absent")


def test_out_of_descriptors():
    with FakeDaemon("s"):
        direct("exhausted", OURS)


def test_optional_arguments():
    with FakeDaemon("s", table({"web": Host(OURS, ["127.0.0.1", "::1"])})):
        direct("arguments", "web", "127.0.0.1")


def test_invalid_names():
    """Refused here: final where they are reserved, else for the next service to refuse."""
    with FakeDaemon("s") as daemon, Client(patient_env("s")) as client:
        for stem in ["a..b", "-a", "a b", "a\nb", "x" * 64, "y." * 130, "\u00fc", "*x", "a/b",
                     "a\\b"]:
            final = client.ask("inet", stem + ".svc")
            same((final.error, final.passed_on), ("EAI_NONAME", []), stem)
            same(client.ask("inet", stem + ".svc.cluster.local.").passed_on, [], stem)
            assert client.ask("inet", stem).passed_on, stem
        same(daemon.requests, [])
