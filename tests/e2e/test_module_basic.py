# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers come out of glibc as they went into the socket."""

import subprocess

from fake_daemon import ANY, FakeDaemon, Host, INET, NAME, table
from harness import Client, ask, client_env, need_program, patient_env, same, skip, with_nsswitch

HOSTS = {
    "web": Host("web.moon.svc.cluster.local", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
    "both": Host("both.moon.svc.cluster.local", ["127.0.0.9", "::1"]),
    "old": Host("new.moon.svc.cluster.local", ["127.0.0.7"], ["old.moon.svc.cluster.local", "old"]),
}


def test_all_kinds_of_question():
    with FakeDaemon("s", table(HOSTS)), Client(patient_env("s")) as client:
        for kind in "unspec", "inet", "unspec+canon", "inet+canon":
            answer = client.ask(kind, "web")
            same(sorted(answer.addresses), HOSTS["web"].addresses, kind)
            same(answer.canon, HOSTS["web"].canonical if "canon" in kind else None, kind)
            same(answer.scope, 0)
        for kind in "name", "name2-inet":
            answer = client.ask(kind, "old")
            same((answer.canon, answer.aliases), (HOSTS["old"].canonical, HOSTS["old"].aliases))
            same(answer.addresses, ["127.0.0.7"])
        same(client.ask("name2-inet6", "both").addresses, ["::1"])
        same(sorted(client.ask("unspec", "both").addresses), ["127.0.0.9", "::1"])
        same(client.ask("inet6", "web").error, "EAI_NODATA")
        for kind, address in ("addr", "127.0.0.2"), ("info", "::1"), ("info", "::ffff:127.0.0.2"):
            answer = client.ask(kind, address)
            same(answer.canon.split(".")[0], "both" if address == "::1" else "web")


def test_what_the_request_says():
    with FakeDaemon("s", table(HOSTS)) as daemon:
        ask(patient_env("s", namespace="Moon"), "inet", "WEB.")
        request = daemon.requests[0]
        same((request.type, request.version, request.family), (NAME, 1, INET))
        same((request.name, request.namespace), ("WEB.", "moon"))
        assert 0 < request.room < 200, request
        ask(patient_env("s"), "unspec", "web")
        same((daemon.requests[1].family, daemon.requests[1].namespace), (ANY, ""))
        for bad in "a.b", "-x", "x-", "x_y", "x" * 64, "", "ü":
            ask(patient_env("s", namespace=bad), "inet", "web")
            same(daemon.requests[-1].namespace, "", bad)


def test_mapped_addresses_are_glibcs():
    """It maps what it gets for AF_INET; if the module did so too, they would come twice."""
    with FakeDaemon("s", table(HOSTS)), Client(patient_env("s")) as client:
        mapped = [f"::ffff:{a}" for a in HOSTS["web"].addresses]
        same(sorted(client.ask("inet6+mapped", "web").addresses), mapped)
        same(sorted(client.ask("inet6+mapped+all", "web").addresses), mapped)
        same(client.ask("inet6+mapped", "both").addresses, ["::1"])
        same(sorted(client.ask("inet6+mapped+all", "both").addresses), ["::1", "::ffff:127.0.0.9"])


def getent(*arguments, hosts, status=0):
    done = subprocess.run([*with_nsswitch(hosts), need_program("getent"), *arguments],
                          env=client_env("s"), stdout=subprocess.PIPE, text=True)
    same(done.returncode, status, arguments)
    return [line.split() for line in done.stdout.splitlines()]


def test_getent_by_nsswitch_conf():
    line = "files kubesvc [NOTFOUND=return] log"
    with FakeDaemon("s", table(HOSTS)):
        found = [[a, HOSTS["web"].canonical] for a in HOSTS["web"].addresses]
        same(sorted(getent("hosts", "web", hosts=line)), found)
        same(sorted(getent("ahostsv4", "web", hosts=line))[0][:2], ["127.0.0.1", "DGRAM"])
        same(getent("hosts", "127.0.0.2", hosts=line), [found[1]])
        same(getent("hosts", "foreign.example", hosts=line), [["2001:db8::99", "foreign.example"]])
        same(getent("hosts", "bad..svc", hosts=line, status=2), [])


def test_in_a_user_namespace():
    """There the daemon appears as user nobody; the permissions of the path decide."""
    unshare = need_program("unshare")
    if subprocess.run([unshare, "-Ur", "true"], capture_output=True).returncode:
        skip("no user namespace here")
    with FakeDaemon("s", table(HOSTS)):
        got = ask(patient_env("s"), "inet", "web", wrapper=[unshare, "-Ur"])
        same(sorted(got.addresses), HOSTS["web"].addresses)
