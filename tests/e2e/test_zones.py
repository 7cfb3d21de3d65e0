# SPDX-License-Identifier: LGPL-2.1-or-later
"""Directories with zones of their own: two clusters of the same namespaces and Services at once."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

from dns_server import DnsServer, addresses
from fake_daemon import TRY_AGAIN, FakeDaemon, table
from harness import (BUILD, HERE, Client, Daemon, ask, built, client_env, limit, need_program, same, skip,
                     wait_for)
from inspect_client import inspect
from test_cli_completion import ASK, SCRIPTS

EAST, MAIN = "east.example", "cluster.local"
WORLD = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: moon}
spec: {clusterIP: 10.1.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: moon, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.1.1.1]}, {addresses: [10.1.1.2], hostname: two}]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: moon}
spec: {selector: {app: app}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: app, namespace: moon}
spec:
  replicas: 2
  serviceName: apps
  selector: {matchLabels: {app: app}}
  template: {metadata: {labels: {app: app}}, spec: {containers: [{name: c, image: i, env: [{name: A, value: b}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: apps, namespace: moon}
spec: {clusterIP: None, selector: {app: app}}
"""
EAST_ONLY = """
---
apiVersion: v1
kind: Service
metadata: {name: only, namespace: east-only}
spec: {clusterIP: 10.2.0.9, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: there, namespace: moon}
spec: {type: ExternalName, externalName: web.moon.svc.cluster.local}
"""
MAIN_ONLY = """
---
apiVersion: v1
kind: Service
metadata: {name: there, namespace: moon}
spec: {type: ExternalName, externalName: web.moon.svc.east.example}
"""


def config(top, zone=EAST, more=""):
    return (f"namespace: moon\nmanifests:\n- {top}/main\n"
            f"- path: {top}/east\n  zone: {zone}\n{more}")


def start(more="", main=WORLD + MAIN_ONLY, east=None):
    """The main zone has 10.1.x.x, the other one 10.2.x.x."""
    top = pathlib.Path("top").resolve()
    for name, text in ("main", main), ("east", east or WORLD.replace("10.1.", "10.2.") + EAST_ONLY):
        (top / name).mkdir(parents=True)
        (top / name / "world.yaml").write_text(text)
    directory = pathlib.Path("daemon").resolve()
    directory.mkdir()
    return Daemon([], config=config(top, more=more), dir=directory)


def kubesvc(daemon, *arguments, status=0, **more):
    done = subprocess.run([built("kubesvc"), "--socket", daemon.socket, *arguments],
                          env=daemon.env | more, capture_output=True, text=True)
    same(done.returncode, status, f"{arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def name(service, zone=EAST, ns="moon"):
    return f"{service}.{ns}.svc.{zone}"


def names_of(daemon, zone):
    """{name without the zone: its addresses} of all names in a zone."""
    return {line["name"].removesuffix("." + zone): line.get("inet", []) + line.get("inet6", [])
            for line in inspect(daemon.socket, "names") if line["name"].endswith("." + zone)}


@limit(120)
def test_each_zone_is_what_a_daemon_of_its_own_would_have():
    """All manifests of the tables, alone and together with a copy in another zone (rule 113)."""
    sets = sorted((HERE.parent / "cases" / "manifests").iterdir())
    for manifests in sets:
        options = "allocate: false\nmaxFileSize: 1Gi\n"
        with Daemon([], config=f"{options}manifests: [{manifests}]\n") as alone, \
             Daemon([], config=f"{options}manifests:\n- {manifests}\n- path: {manifests}\n"
                               f"  zone: {EAST}\n") as both:
            expected = names_of(alone, MAIN)
            same(names_of(both, MAIN), expected, manifests.name)
            other = names_of(both, EAST)
            # Only the target of an ExternalName is still the one that is written.
            same(other, expected, manifests.name)
            one, two = (inspect(d.socket, "status")[0]["objects"] for d in (alone, both))
            same(two, 2 * one, manifests.name)


def test_the_same_name_is_another_service_in_each_zone():
    with start() as daemon, Client(daemon.env) as client:
        for _ in range(2):  # by the socket, then from the snapshot
            for zone, n in (MAIN, 1), (EAST, 2):
                same(client.ask("inet", name("web", zone)).addresses, [f"10.{n}.0.1"])
                same(client.ask("unspec", name("WEB", zone.upper())).addresses, [f"10.{n}.0.1"])
                same(client.ask("inet", name("two.web", zone)).addresses, [f"10.{n}.1.2"])
                same(client.ask("addr", f"10.{n}.0.1").canon, name("web", zone))
                same(client.ask("addr", f"10.{n}.1.2").canon, name("two.web", zone))
        same(client.ask("inet", name("only", ns="east-only")).addresses, ["10.2.0.9"])
        # from one zone to the other
        got = client.ask("inet+canon", name("there"))
        same((got.addresses, got.canon), (["10.1.0.1"], name("web", MAIN)))
        same(client.ask("inet", name("there", MAIN)).addresses, ["10.2.0.1"])
        # what does not exist, exists in no zone, and no other service is asked
        for missing in (name("only", MAIN, "east-only"), name("nothing"), "a.b.east.example",
                        name("web", ns="nothing"), name("only", EAST, "moon")):
            got = client.ask("inet", missing)
            same((got.error, got.passed_on), ("EAI_NONAME", []), missing)
        got = client.ask("inet", "web.moon.svc.west.example")
        assert got.passed_on, "a zone that is not configured is not ours"


def test_short_names_are_those_of_the_caller_s_zone():
    """Rule 114."""
    with start() as daemon:
        def ask(ns, *names):
            with Client(daemon.env | {"KUBESVC_NAMESPACE": ns}) as client:
                return [client.ask("inet", n).addresses for n in names for _ in range(2)][::2]

        same(ask("moon", "web", "web.moon", "web.moon.svc"), [["10.1.0.1"]] * 3)
        same(ask("moon@east.example", "web", "web.moon", "web.moon.svc"), [["10.2.0.1"]] * 3)
        same(ask("MOON@East.Example", "web", name("web"), name("web", MAIN), "only.east-only"),
             [["10.2.0.1"], ["10.2.0.1"], ["10.1.0.1"], ["10.2.0.9"]])
        same(ask("moon@cluster.local", "web"), [["10.1.0.1"]])
        with Client(daemon.env | {"KUBESVC_NAMESPACE": "moon@south.example"}) as client:
            assert client.ask("inet", "web").passed_on
        same(ask("moon@", "web"), [["10.1.0.1"]])  # not a namespace: the default one


def test_pods_and_leases_are_of_their_zone():
    with start() as daemon, Client(daemon.env) as client:
        found = {zone: client.ask("inet", name("apps", zone)).addresses for zone in (MAIN, EAST)}
        ips = [client.ask("inet", name("app", zone)).addresses[0] for zone in (MAIN, EAST)]
        everything = [*found[MAIN], *found[EAST], *ips]
        same(len(set(everything)), 6, everything)
        for zone, other in (MAIN, EAST), (EAST, MAIN):
            first = client.ask("inet", name("app-0.apps", zone)).addresses
            assert first[0] in found[zone], (first, found)
            same(client.ask("addr", first[0]).canon, name("app-0.apps", zone))
            dashed = first[0].replace(".", "-")
            same(client.ask("inet", f"{dashed}.moon.pod.{zone}").addresses, first)
            same(client.ask("inet", f"{dashed}.moon.pod.{other}").error, "EAI_NONAME")
        leases = (daemon.dir / "state" / "leases").read_text()
        assert "moon@east.example/StatefulSet/app/0" in leases, leases
        daemon.stop()
        with Daemon([], dir=daemon.dir) as again, Client(again.env) as client:
            same([sorted(client.ask("inet", name("apps", zone)).addresses)
                  for zone in (MAIN, EAST)], [sorted(found[zone]) for zone in (MAIN, EAST)])
            same([client.ask("inet", name("app", zone)).addresses[0] for zone in (MAIN, EAST)], ips)


def test_an_address_of_two_zones_has_the_name_of_the_main_one():
    """Clusters often have the same ranges (rule 115)."""
    beside = WORLD.replace("name: web", "name: aaa").replace("name: moon", "name: aaa")
    with start(east=beside) as daemon, Client(daemon.env) as client:
        same(client.ask("inet", name("aaa")).addresses, ["10.1.0.1"])
        same(client.ask("addr", "10.1.0.1").canon, name("web", MAIN))
        (pathlib.Path("top") / "main" / "world.yaml").unlink()
        client.until("addr", "10.1.0.1", lambda got: got.canon == name("aaa"))


def test_what_runs_here_is_of_the_main_zone():
    """Although podman does not know namespaces, and both zones have a pod of that name."""
    seen = pathlib.Path("aardvark").resolve()
    seen.mkdir()
    (seen / "net").write_text("10.89.0.1\nid 10.89.0.2  app-0,c\n")
    with start(f"sources:\n- podman: {{directory: {seen}}}\n") as daemon, \
         Client(daemon.env) as client:
        client.until("inet", name("apps", MAIN), lambda got: got.addresses == ["10.89.0.2"])
        same(client.ask("inet", name("apps")).error, "EAI_NONAME")
        same(client.ask("inet", name("web")).addresses, ["10.2.0.1"])


def test_zones_come_and_go_by_a_reload():
    with start() as daemon, Client(daemon.env) as client:
        top = pathlib.Path("top").resolve()
        client.map("inet", name("web"), ["10.2.0.1"])
        daemon.config.write_text(config(top, "west.example"))
        daemon.reload()
        client.until("inet", name("web", "west.example"), lambda a: a.addresses == ["10.2.0.1"])
        assert client.ask("inet", name("web")).passed_on
        daemon.config.write_text(f"namespace: moon\nmanifests: [{top}/main, {top}/east]\n")
        daemon.reload()  # merged: the later directory wins
        client.until("inet", name("web", MAIN), lambda a: a.addresses == ["10.2.0.1"])
        assert client.ask("inet", name("web", "west.example")).passed_on
        # One directory may be in several zones.
        daemon.config.write_text(config(top, more=f"- path: {top}/main\n  zone: west.example\n"))
        daemon.reload()
        client.until("inet", name("web", "west.example"), lambda a: a.addresses == ["10.1.0.1"])
        same([client.ask("inet", name("web", z)).addresses for z in (MAIN, EAST)],
             [["10.1.0.1"], ["10.2.0.1"]])


def test_what_a_broken_file_last_said_moves_with_its_directory():
    half_broken = WORLD.replace("10.1.", "10.2.").replace("clusterIP: 10.2.0.1", "clusterIP: [1]", 1)
    for broken in ("a: [\n", half_broken):
        shutil.rmtree("top", ignore_errors=True)
        shutil.rmtree("daemon", ignore_errors=True)
        with start() as daemon, Client(daemon.env) as client:
            top = pathlib.Path("top").resolve()
            same(client.ask("inet", name("web")).addresses, ["10.2.0.1"])
            (top / "east" / "world.yaml").write_text(broken)
            daemon.wait_line("east/world.yaml:")
            same(client.ask("inet", name("web")).addresses, ["10.2.0.1"])
            daemon.config.write_text(config(top, "west.example"))
            daemon.reload()
            client.until("inet", name("web", "west.example"), lambda got: got.addresses == ["10.2.0.1"])
            # It is not in the former zone, which another directory has now.
            daemon.config.write_text(config(top, "north.example",
                                            more=f"- path: {top}/none\n  zone: west.example\n"))
            daemon.reload()
            client.until("inet", name("web", "north.example"), lambda got: got.addresses == ["10.2.0.1"])
            same(client.ask("inet", name("web", "west.example")).error, "EAI_NONAME")
            # A later directory wins, and one that gives addresses to Services is asked for them.
            daemon.config.write_text(f"namespace: moon\nmanifests: [{top}/main, {top}/east]\n")
            daemon.reload()
            client.until("inet", name("web", MAIN), lambda got: got.addresses == ["10.2.0.1"])
            daemon.config.write_text(f"namespace: moon\nmanifests: [{top}/east, {top}/main]\n")
            daemon.reload()
            client.until("inet", name("web", MAIN), lambda got: got.addresses == ["10.1.0.1"])
            (top / "main" / "world.yaml").unlink()
            client.until("inet", name("web", MAIN), lambda got: got.addresses == ["10.2.0.1"])


def test_a_directory_below_a_recursive_one_is_in_both_zones():
    top = pathlib.Path("top").resolve()
    (top / "main" / "east").mkdir(parents=True)
    manifest = top / "main" / "east" / "world.yaml"
    manifest.write_text(WORLD)
    (top / "main" / "other.yaml").write_text(WORLD.replace("web", "other"))
    with Daemon([], config=f"namespace: moon\nmanifests:\n- {{path: {top}/main, recursive: true}}\n"
                           f"- {{path: {top}/main/east, zone: {EAST}}}\n") as daemon, \
         Client(daemon.env) as client:
        for zone in MAIN, EAST:
            same(client.ask("inet", name("web", zone)).addresses, ["10.1.0.1"])
        manifest.write_text(WORLD.replace("10.1.", "10.3."))
        for zone in MAIN, EAST:
            client.until("inet", name("web", zone), lambda got: got.addresses == ["10.3.0.1"])
        manifest.unlink()
        for zone in MAIN, EAST:
            client.until("inet", name("web", zone), lambda got: got.error == "EAI_NONAME")


def test_names_of_every_zone_are_kept_while_no_daemon_answers():
    daemon = start()
    with Client(daemon.env) as client:
        client.map("inet", name("web"), ["10.2.0.1"])
        daemon.stop(signal.SIGKILL)
        same(client.ask("inet", name("web")).addresses, ["10.2.0.1"])
        got = client.ask("inet", name("nothing"))
        same((got.addresses, got.passed_on), ([], []))


def test_names_of_every_zone_are_kept_while_the_next_daemon_loads():
    """In a process that had a snapshot, whether that daemon crashed or was stopped."""
    for number in signal.SIGKILL, signal.SIGTERM:
        with Daemon([], dir=pathlib.Path("daemon")) if pathlib.Path("top").exists() else start() as daemon, \
             Client(daemon.env) as client:
            client.map("inet", name("web"), ["10.2.0.1"])
            daemon.stop(number)
            daemon.socket.unlink(missing_ok=True)
            with FakeDaemon(str(daemon.socket), table({}, otherwise=TRY_AGAIN)):
                for missing in name("web"), name("nothing"), name("web", MAIN):
                    for _ in range(2):
                        got = client.ask("unspec", missing)
                        same((got.error, got.passed_on), ("EAI_AGAIN", []), missing)
                assert client.ask("inet", name("web", "west.example")).passed_on
            daemon.socket.unlink()  # no daemon is meant to run: everything is handed on
            assert client.ask("inet", name("web")).passed_on


def test_external_names_of_every_zone_are_kept_while_their_nameserver_fails():
    out = """---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: moon}
spec: {type: ExternalName, externalName: www.example.org}
"""
    with start("nameservers: [127.0.0.9]\n", main=WORLD + out,
               east=WORLD.replace("10.1.", "10.2.") + out) as daemon:
        for zone in MAIN, EAST:
            got = ask(daemon.env, "unspec", name("out", zone))  # a process without a snapshot
            same((got.error, got.passed_on), ("EAI_AGAIN", []), zone)


def test_names_that_cannot_be_in_a_zone_are_kept_once_it_is_known():
    with start() as daemon, Client(daemon.env) as client:
        client.map("inet", name("web"), ["10.2.0.1"])
        for zone in EAST, MAIN:
            for wrong in ("a.b.c.d.e", "-a", "a b.moon.svc", "a..b", f"{'a' * 64}.moon.svc", "a@b",
                          "a.b.c.d.e.f.g"):
                got = client.ask("inet", f"{wrong}.{zone}")
                same((got.error, got.passed_on), ("EAI_NONAME", []), f"{wrong}.{zone}")
        for foreign in "a.b.c.d.e.example", "-a.example", "a.b.c.d.not-east.example":
            assert client.ask("inet", foreign).passed_on, foreign


def test_what_cannot_be_is_refused():
    top = pathlib.Path("top").resolve()
    for zone, word in (("sub.cluster.local", "overlap"), ("local", "overlap"),
                       ("a b", "must be a DNS name"), ("''", "must be")):
        pathlib.Path("bad.yaml").write_text(config(top, zone))
        done = subprocess.run([built("kubesvcd"), "--config", "bad.yaml", "--check"],
                              capture_output=True, text=True)
        assert done.returncode != 0 and word in done.stderr, done.stderr


def test_dns_answers_for_every_zone():
    with start() as daemon, DnsServer(daemon, "--namespace", "moon@east.example") as dns:
        for zone, n in (MAIN, 1), (EAST, 2):
            response = dns.ask(name("web", zone))
            same((response.rcode, response.authoritative), ("NOERROR", True))
            same(response.data("A"), [f"10.{n}.0.1"])
            same(addresses(dns.ask(name("web", zone), "A", tcp=True)), [f"10.{n}.0.1"])
            soa = dns.ask(zone, "SOA")
            same([str(r).split()[0] for r in soa.answer], [f"{zone}."])
            same(soa.data("SOA")[0].split()[:2], [f"ns.dns.{zone}.", f"hostmaster.{zone}."])
            same(dns.ask(zone, "NS").data("NS"), [f"ns.dns.{zone}."])
            same(dns.ask(f"ns.dns.{zone}").data("A"), ["127.0.0.1"])
            missing = dns.ask(name("nothing", zone))
            same((missing.rcode, missing.authoritative), ("NXDOMAIN", True))
            same([str(r).split()[0] for r in missing.authority], [f"{zone}."])
            same(dns.ask(f"_http._tcp.{name('web', zone)}", "SRV").data("SRV"),
                 [f"0 100 80 {name('web', zone)}."])
            same(dns.ask(f"1.0.{n}.10.in-addr.arpa", "PTR").data("PTR"), [f"{name('web', zone)}."])
            same(dns.ask(f"dns-version.{zone}", "TXT").rcode, "NOERROR")
        same(dns.ask(name("web", "west.example")).rcode, "REFUSED")
        across = dns.ask(name("there"))
        same(across.data("CNAME"), [f"{name('web', MAIN)}."])
        same(across.data("A"), ["10.1.0.1"])
        across = dns.ask(name("there"), "AAAA")
        same(across.data("CNAME"), [f"{name('web', MAIN)}."])
        same([str(r).split()[0] for r in across.authority], [f"{MAIN}."])
        same(dns.ask("web").data("A"), ["10.2.0.1"])
        same(dns.ask("only.east-only").data("CNAME"), [f"{name('only', ns='east-only')}."])
        # Without a snapshot the zones are still ours, and another nameserver is not asked for them.
        daemon.stop()
        dns.until(name("web"), "A", lambda r: r.rcode == "SERVFAIL")
        same(dns.ask(name("web", MAIN)).rcode, "SERVFAIL")


def test_dns_keeps_every_zone_of_the_configuration_to_itself():
    """Before there is a snapshot, the configuration says what is not forwarded."""
    text = "manifests:\n- /nothing\n- {path: /other, zone: east.example}\n"
    with DnsServer("/nothing/socket", "--forward", "127.0.0.1:9", config=text) as dns:
        for zone in MAIN, EAST:
            same(dns.ask(name("web", zone)).rcode, "SERVFAIL")


def test_the_command_line_shows_zones():
    with start() as daemon:
        status = json.loads(kubesvc(daemon, "status", "-o", "json"))
        same((status["zone"], status["zones"]), (MAIN, [EAST]))
        same([s.get("zone") for s in status["sources"]], [None, EAST])
        same(status["conflicts"], [])
        shown = kubesvc(daemon, "status")
        assert "*.cluster.local, *.east.example, short names" in shown, shown
        assert "inotify, zone east.example)" in shown, shown
        listed = kubesvc(daemon, "get", "services", "-A")
        same([line.split()[:2] for line in listed.splitlines()[1:]],
             [["east-only@east.example", "only"],
              *[[ns, s] for ns in ("moon", "moon@east.example")
                for s in ("app", "apps", "there", "web")]])
        assert "10.2.0.1" in kubesvc(daemon, "get", "svc", "web", "-n", "moon@east.example")
        shown = kubesvc(daemon, "describe", "svc", "web", "-n", "moon@east.example")
        assert name("two.web") in shown and "Namespace:      moon@east.example" in shown, shown
        shown = kubesvc(daemon, "query", "web", KUBESVC_NAMESPACE="moon@east.example")
        assert "10.2.0.1" in shown and "Service moon@east.example/web" in shown, shown
        shown = kubesvc(daemon, "explain", "-n", "moon@east.example", "wbe", status=2)
        assert f"no Service moon@east.example/wbe" in shown, shown
        assert f"{name('web')}" in shown, shown
        shown = kubesvc(daemon, "explain", "-n", "moon@south.example", "web", status=2)
        assert "no directory of manifests has the zone of namespace moon@south.example" in shown, shown
        shown = kubesvc(daemon, "explain", name("only", MAIN, "east-only"), status=2)
        assert f"{name('only', ns='east-only')}" in shown, shown
        exported = kubesvc(daemon, "export", "hosts")
        assert f"10.2.0.1\t{name('web')}" in exported, exported
        assert "zone: east.example" in kubesvc(daemon, "config", "show")
        # The main zone may be named as well.
        listed = kubesvc(daemon, "get", "svc")
        same(kubesvc(daemon, "get", "svc", "-n", "Moon@Cluster.local"), listed)
        same(kubesvc(daemon, "get", "svc", KUBESVC_NAMESPACE=f"moon@{MAIN}"), listed)
        assert "Namespace:      moon\n" in kubesvc(daemon, "describe", "svc", "web", "-n", f"moon@{MAIN}")
        for wrong in "moon@", "@east.example", "a.b":
            kubesvc(daemon, "get", "svc", "-n", wrong, status=1)
        # A zone that no directory has is a mistake; a namespace without Services may be none.
        for command in "get svc", "get pods x", "get names web", "export hosts", "describe svc web", \
                "run app-0 -- true":
            done = subprocess.run([built("kubesvc"), "--socket", daemon.socket, "-n", "moon@no.such.zone",
                                   *command.split()], env=daemon.env, capture_output=True, text=True)
            same((done.returncode, done.stdout, done.stderr),
                 (1, "", "kubesvc: the zone no.such.zone is not configured; "
                         "'kubesvc status' shows all zones\n"), command)
        kubesvc(daemon, "get", "svc", KUBESVC_NAMESPACE="moon@no.such.zone", status=1)
        kubesvc(daemon, "get", "svc", "-A", KUBESVC_NAMESPACE="moon@no.such.zone")
        kubesvc(daemon, "get", "svc", "-n", "mars@EAST.example")
        assert "answers for cluster.local, east.example" in subprocess.run(
            [built("kubesvc"), "--socket", daemon.socket, "doctor"], env=daemon.env,
            capture_output=True, text=True).stdout


def test_namespaces_of_zones_are_completed():
    bash = need_program("bash")
    with start() as daemon:
        env = daemon.env | {"PATH": f"{BUILD}:/usr/bin:/bin"}

        def complete(line):
            """What bash offers behind a line, which it takes apart at blanks and at each "@"."""
            words = re.findall(r"@|[^ @]+", line) + [""] * line.endswith(" ")
            ask = f"COMP_WORDBREAKS=$' \\t\\n@=:'\nCOMP_LINE=$1; shift\n{ASK}"
            done = subprocess.run([bash, "-c", ask, "bash", line, SCRIPTS / "kubesvc.bash", *words],
                                  env=env, stdout=subprocess.PIPE, text=True, check=True)
            return done.stdout.split()

        same(complete("kubesvc get svc -n mo"), ["moon", "moon@east.example"])
        for word in "", "e", "east.ex":
            same(complete(f"kubesvc get svc -n moon@{word}"), ["east.example"])
        same(complete("kubesvc -n moon@east.example describe svc th"), ["there"])
        # A blank ends a word, and what is behind it is another one.
        assert "services" in complete("kubesvc -n moon@ get ")
        same(complete("kubesvc describe -n moon@ "), ["service", "pod"])
        same(complete("kubesvc get svc -n moon@cluster.local  th"), ["there"])


def test_a_pod_runs_in_its_zone():
    with start() as daemon:
        shown = kubesvc(daemon, "run", "--no-namespaces", "-n", f"Moon@{MAIN}", "app-0", "--", "env")
        for line in "KUBESVC_NAMESPACE=moon", "POD_NAMESPACE=moon", "A=b", "WEB_SERVICE_HOST=10.1.0.1":
            assert f"{line}\n" in shown, shown
        shown = kubesvc(daemon, "run", "--no-namespaces", "-n", "moon@east.example", "app-0", "--",
                        "env")
        env = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        same((env["POD_NAMESPACE"], env["KUBESVC_NAMESPACE"], env["A"]),
             ("moon", "moon@east.example", "b"))
        same(env["WEB_SERVICE_HOST"], "10.2.0.1")
        with Client(client_env(daemon.socket) | {"KUBESVC_NAMESPACE": "moon@east.example"}) as client:
            same(client.ask("inet", "app-0.apps").addresses, [env["POD_IP"]])


def test_a_cluster_ip_of_two_zones_leads_to_the_first():
    same_ip = WORLD.replace("10.1.1.", "10.2.1.")  # another cluster with the same ranges
    with start("proxy: {services: all}\n", east=same_ip) as daemon:
        exported = kubesvc(daemon, "export", "nft")
        same([line.strip(",\t") for line in exported.splitlines() if "10.1.0.1 . tcp" in line],
             ["10.1.0.1 . tcp . 80 : goto service4/moon/web/tcp/80"])
        # The allocated ones cannot be the same.
        for chain in "service4/moon/app/", "service4/moon.east.example/app/":
            same(exported.count(f"goto {chain}"), 1, exported)
        (pathlib.Path("top") / "main" / "world.yaml").unlink()
        wait_for(lambda: "10.1.0.1 . tcp . 80 : goto service4/moon.east.example/web/tcp/80"
                 in kubesvc(daemon, "export", "nft"), "the other zone's Service")


def test_rulesets_name_zones_of_any_length():
    nft = need_program("nft")
    if os.geteuid() != 0:
        skip("nft checks a ruleset as root only")
    long = ".".join(["z" * 60] * 3)
    top = pathlib.Path("top").resolve()
    (top / "main").mkdir(parents=True)
    (top / "east").mkdir()
    label = "a" * 63
    (top / "east" / "world.yaml").write_text(
        WORLD.replace("10.1.", "10.2.").replace("spec: {clusterIP: 10.2.0.1",
                      "spec: {sessionAffinity: ClientIP, clusterIP: 10.2.0.1")
        .replace("web", label).replace("moon", "b" * 63))
    for zone in EAST, long:
        with Daemon([], config=config(top, zone, "proxy: {services: all}\n")) as daemon:
            exported = kubesvc(daemon, "export", "nft")
            assert label in exported, exported
            done = subprocess.run(["unshare", "--net", nft, "-c", "-f", "-"], input=exported,
                                  capture_output=True, text=True)
            same((done.returncode, done.stderr), (0, ""))
