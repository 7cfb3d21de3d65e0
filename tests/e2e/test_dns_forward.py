# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns as the only nameserver: foreign names are asked of others."""

import contextlib
import pathlib
import socket
import struct
import subprocess

from dns_client import Dns, frame, parse, receive, request
from dns_server import DnsServer, addresses, passed, resident
from harness import PATIENCE, Daemon, need_program, same, skip, unsanitized, wait_for
from namespaces import Host
from nameserver import Nameserver, free_port

ZONE = "default.svc.cluster.local"
WORLD = {"world.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: regular-svc}\nspec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}\n---\n"
                       "apiVersion: v1\nkind: Service\nmetadata: {name: outside}\n"
                       "spec: {type: ExternalName, externalName: www.example}\n"}


def nameserver(*lines):
    path = pathlib.Path("hosts.forward")
    path.write_text("".join(f"{line}\n" for line in lines))
    return Nameserver(path)


def many(n, nets=1):
    return [f"192.0.{net + 2}.{i} many.example" for net in range(nets) for i in range(1, n + 1)]


def test_foreign_names_are_relayed():
    with nameserver("192.0.2.1 www.example", "2001:db8::1 www.example") as other, \
            Daemon(WORLD) as daemon, DnsServer(daemon, "--forward", other.address) as dns:
        for tcp in False, True:
            same(dns.ask("www.example", tcp=tcp).data("A"), ["192.0.2.1"])
            same(dns.ask("www.example", "AAAA", tcp=tcp).data("AAAA"), ["2001:db8::1"])
            same(dns.ask("absent.example", tcp=tcp).rcode, "NXDOMAIN")
            same(dns.ask("1.2.0.192.in-addr.arpa", "PTR", tcp=tcp).data("PTR"), ["www.example."])
            # Ours are ours, and what is missing there is missing.
            same(dns.ask(f"regular-svc.{ZONE}", tcp=tcp).data("A"), ["10.0.0.1"])
            same(dns.ask(f"absent.{ZONE}", tcp=tcp).rcode, "NXDOMAIN")
        same(dns.ask("wWw.ExAmPlE").data("A"), ["192.0.2.1"])


def test_large_answers_come_by_tcp():
    with nameserver(*many(100)) as other, Daemon(WORLD) as daemon, \
            DnsServer(daemon, "--forward", other.address) as dns:
        response = dns.ask("many.example")
        assert response.truncated and response.size <= 512, response
        same(len(addresses(dns.whole("many.example"))), 100)
        same(len(addresses(dns.whole("many.example", edns=1232))), 100)


def test_large_answers_that_nobody_takes_cost_little():
    """The one who leaves them all is disconnected."""
    unsanitized("what was freed stays resident")
    port = free_port()
    with nameserver(*many(250, 16)) as other, Daemon(WORLD) as daemon, \
            DnsServer(daemon, "--forward", other.address, listen=False, wrapper=passed(port)) as dns, \
            contextlib.ExitStack() as stack:
        dns.at.at = ("127.0.0.1", port)
        size = dns.ask("many.example", tcp=True).size
        assert size > 60000, size
        before = resident(dns.process)
        for _ in range(20):
            greedy = stack.enter_context(socket.socket())
            greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            greedy.connect(dns.at.at)
            greedy.sendall(frame(request("many.example")) * 64)
            # Answered in order: the last of these connections has had its answers when this has its.
            same(len(dns.ask("many.example", tcp=True).answer), 16 * 250)
        after = resident(dns.process)
    assert after - before < 20 << 10, (before, after)


def test_without_forward_they_are_refused():
    with Daemon(WORLD) as daemon, DnsServer(daemon) as dns:
        same(dns.ask("www.example").rcode, "REFUSED")


def test_dead_and_absent_servers_are_passed_over():
    """One that does not listen costs nothing, one that is stopped a moment."""
    with nameserver("192.0.2.1 www.example") as other, Daemon(WORLD) as daemon, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        gone.bind(("127.0.0.1", 0))
        absent = gone.getsockname()[1]
        gone.close()
        with DnsServer(daemon, "--forward", f"127.0.0.1:{absent}", "--forward", f"127.0.0.1:{port}",
                       "--forward", other.address) as dns:
            same(dns.ask("www.example").data("A"), ["192.0.2.1"])
            assert deaf.recv(512), "it was asked before"


def test_nobody_answers():
    with Daemon(WORLD) as daemon, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with DnsServer(daemon, "--forward", f"127.0.0.1:{deaf.getsockname()[1]}") as dns:
            same(dns.ask("www.example").rcode, "SERVFAIL")
            same(dns.ask(f"regular-svc.{ZONE}").data("A"), ["10.0.0.1"])


def test_foreign_names_wait_and_ours_do_not():
    """While as many foreign questions are pending as one client may have, ours are answered."""
    with Daemon(WORLD) as daemon, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with DnsServer(daemon, "--forward", f"127.0.0.1:{deaf.getsockname()[1]}") as dns, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.connect(dns.at.at)
            for i in range(600):
                client.send(request(f"n{i}.example", number=i))
            client.send(request(f"regular-svc.{ZONE}", number=9999))
            while True:
                response = parse(client.recv(65535))
                if response.id == 9999:
                    break
                same(response.rcode, "SERVFAIL")  # beyond the limit
            same(response.data("A"), ["10.0.0.1"])


def test_what_waits_longest_makes_room():
    """Also on the connection that has the new question, whose other answers stay whole."""
    with Daemon(WORLD) as daemon, socket.socket() as deaf, contextlib.ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with DnsServer(daemon, "--forward", f"127.0.0.1:{deaf.getsockname()[1]}") as dns:
            ours = frame(request(f"regular-svc.{ZONE}", number=9999))
            clients = [stack.enter_context(dns.at.connect()) for _ in range(16)]
            for i, client in enumerate(clients):  # 512 in all
                client.sendall(b"".join(frame(request("www.example", number=32 * i + j)) for j in range(32)) + ours)
                same(parse(receive(client)).id, 9999)
            given_up = set()
            while 0 not in given_up:
                clients[0].sendall(frame(request("www.example", number=5000)) + ours)
                while (response := parse(receive(clients[0]))).id != 9999:
                    same(response.rcode, "SERVFAIL")
                    given_up.add(response.id)
                same(response.data("A"), ["10.0.0.1"])


def test_a_client_that_goes_is_forgotten():
    with Daemon(WORLD) as daemon, socket.socket(socket.AF_INET) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        with DnsServer(daemon, "--forward", f"127.0.0.1:{deaf.getsockname()[1]}") as dns:
            client = dns.at.connect()
            message = request("www.example")
            client.sendall(frame(message))
            upstream, _ = deaf.accept()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("2i", 1, 0))
            client.close()  # with a reset: no answer could be sent
            upstream.settimeout(PATIENCE)
            while upstream.recv(512):  # the question, then the end
                pass
            upstream.close()
            same(dns.ask(f"regular-svc.{ZONE}").data("A"), ["10.0.0.1"])


def test_resolv_conf_is_followed():
    """The system's own, in which we stand first ourselves."""
    with Host({"/etc/resolv.conf": "nameserver 127.0.0.63\nnameserver 127.0.0.64\n"}) as host, \
            Daemon(WORLD) as daemon:
        dnsmasq, servers = need_program("dnsmasq"), []
        for last in 64, 65:
            servers.append(host.start(
                dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv",
                "--no-hosts", "--bind-interfaces", "--user=", "--group=", f"--listen-address=127.0.0.{last}",
                f"--address=/example/192.0.2.{last}", stderr=subprocess.DEVNULL))
        getent = ["getent", "-s", "hosts:dns", "ahosts"]
        with DnsServer(daemon, "--listen", "127.0.0.63", "--forward", "resolv.conf", listen=False,
                       wrapper=host.wrapper) as dns:
            def asked():
                return host.run(*getent, "www.example", status=None).split(" ")[0]

            wait_for(lambda: asked() == "192.0.2.64", "the first nameserver")
            same(host.run(*getent, f"regular-svc.{ZONE}").split()[0], "10.0.0.1")
            host.files["/etc/resolv.conf"].write_text("nameserver 127.0.0.63\nnameserver 127.0.0.65\n")
            wait_for(lambda: asked() == "192.0.2.65", "the second nameserver")
            assert "127.0.0.65:53" in dns.wait_line("forwarding to 127.0.0.65")
        for server in servers:
            server.kill()
            server.wait()


def test_it_does_not_ask_itself():
    """Not even by an address that it cannot know to be its own."""
    with Host({}) as host, Daemon(WORLD) as daemon:
        host.run("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
        with DnsServer(daemon, "--listen", "0.0.0.0", "--forward", "192.0.2.7", "--forward", "127.0.0.1",
                       listen=False, wrapper=host.wrapper) as dns:
            dns.wait_line("no nameserver to forward to")


def answers(server, name):
    try:
        return server.ask(name).data("A")
    except ConnectionRefusedError:
        return None


def test_a_loop_through_another_server_makes_no_storm():
    """The other one forwards to us: the question ends, after a few rounds, and ours are answered meanwhile."""
    dnsmasq = need_program("dnsmasq")
    with Daemon(WORLD) as daemon, open("asked", "w+", encoding="utf-8") as log:
        there = free_port()
        with DnsServer(daemon, "--forward", f"127.0.0.1:{there}") as dns:
            with subprocess.Popen(
                    [dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts",
                     "--user=", "--group=", f"--port={there}", "--listen-address=127.0.0.1", "--bind-interfaces",
                     f"--server=127.0.0.1#{dns.port}", "--log-queries", "--log-facility=-"],
                    stdin=subprocess.DEVNULL, stderr=log) as process:
                try:
                    other = Dns(there)
                    wait_for(lambda: answers(other, f"regular-svc.{ZONE}") == ["10.0.0.1"], "the other one")
                    same(dns.ask("www.example").rcode in ("SERVFAIL", "REFUSED"), True)
                    same(dns.ask(f"regular-svc.{ZONE}").data("A"), ["10.0.0.1"])
                finally:
                    process.kill()
        asked = [line for line in pathlib.Path("asked").read_text(encoding="utf-8").splitlines()
                 if "www.example" in line and "query[" in line]
        assert len(asked) < 20, asked


def test_a_nameserver_of_ipv6():
    """And the question comes to it as it was asked, under another id and from another port."""
    try:
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        server.bind(("::1", 0))
    except OSError as error:
        skip(f"no IPv6 loopback: {error}")
    with server, Daemon(WORLD) as daemon, \
            DnsServer(daemon, "--forward", f"[::1]:{server.getsockname()[1]}") as dns, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.settimeout(PATIENCE)
        client.settimeout(PATIENCE)
        client.connect(dns.at.at)
        seen = set()
        for number in range(20):
            asked = request("wWw.Example", "TXT", number=number, flags=0x130, edns=4096, options=b"\0\3\0\0")
            client.send(asked)
            arrived, source = server.recvfrom(65535)
            same(arrived[2:], asked[2:])
            seen.add((arrived[:2], source[1]))
            server.sendto(arrived[:2] + b"\x81\xa3" + arrived[4:], source)
            same(client.recv(65535), asked[:2] + b"\x81\xa3" + asked[4:])
        assert len(seen) == 20 and len({port for _, port in seen}) > 10 and len({id_ for id_, _ in seen}) > 10, seen
