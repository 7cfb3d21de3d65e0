# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-dns and clients of all kinds: sizes, TCP, hostile ones."""

import os
import re
import socket
import struct
import subprocess
import threading
import time

from dns_client import encode_name, frame, parse, receive, request
from dns_server import DnsServer, free_port, passed, resident
from harness import PATIENCE, SANITIZED, Daemon, built, limit, need_program, same, unsanitized

NAME = "wide.default.svc.cluster.local"
WIDE = 200


def service(name, endpoints):
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{clusterIP: None}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{', '.join(f'{{addresses: [{address}]}}' for address in endpoints)}]
ports: [{{name: http, port: 80}}]
"""


def manifests(n=WIDE):
    return {"wide.yaml": service("wide", [f"10.2.0.{i}" for i in range(n)]),
            "one.yaml": service("one", ["10.3.0.1"])}


ONE = "one.default.svc.cluster.local"


def test_what_is_too_large_is_asked_for_by_tcp():
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns:
        for edns, size in ((None, 512), (512, 512), (1000, 1000), (1232, 1232), (4096, 1232), (1, 512)):
            response = dns.ask(NAME, edns=edns)
            assert response.truncated and size - 16 - 11 <= response.size <= size, (edns, response.size)
            same(response.edns, None if edns is None else 1232)
            assert 0 < len(response.answer) < WIDE, len(response.answer)
        for edns in (None, 512, 4096):
            response = dns.ask(NAME, tcp=True, edns=edns)
            same((response.truncated, len(response.answer)), (False, WIDE))
        srv = dns.ask(NAME, "SRV", tcp=True)
        same((len(srv.answer), len(srv.additional)), (WIDE, WIDE))
        same({record.data.split()[1] for record in srv.answer}, {"1"})


def test_answers_begin_with_another_address_each_time():
    with Daemon(manifests(5)) as daemon, DnsServer(daemon) as dns:
        firsts, tails = set(), set()
        for _ in range(200):
            data = dns.ask(NAME).data("A")
            same(sorted(data), [f"10.2.0.{i}" for i in range(5)])
            firsts.add(data[0])
            tails.add(tuple(data))
        same((len(firsts), len(tails)), (5, 5))


def test_requests_follow_each_other_on_a_connection():
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns, dns.at.connect() as client:
        messages = [request(name, number=i) for i, name in enumerate([ONE, NAME, "absent." + ONE] * 50)]
        client.sendall(b"".join(map(frame, messages)))
        for i in range(len(messages)):
            response = parse(receive(client))
            same(response.id, i)
            same(len(response.answer), (1, WIDE, 0)[i % 3])
        for byte in frame(request(ONE, number=9)):  # one by one
            client.sendall(bytes([byte]))
        same(parse(receive(client)).id, 9)
        client.sendall(frame(request(ONE, number=10)))
        client.shutdown(socket.SHUT_WR)
        same(parse(receive(client)).id, 10)
        same(receive(client), b"")


def test_a_client_that_takes_no_answers_costs_little():
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns, dns.at.connect() as greedy:
        greedy.setblocking(False)
        message, sent = frame(request(NAME)) * 100, 0
        end = time.monotonic() + 1
        while time.monotonic() < end and sent < 8 << 20:
            try:
                sent += greedy.send(message)
            except BlockingIOError:
                time.sleep(0.01)
        same(dns.ask(ONE).data("A"), ["10.3.0.1"])
        same(dns.ask(ONE, tcp=True).data("A"), ["10.3.0.1"])
        assert resident(dns.process) < (300 if SANITIZED else 8) << 10


def test_a_client_that_never_takes_all_costs_no_more():
    """Some of its responses are always left, so that nothing ever starts from an empty buffer."""
    unsanitized("what was freed stays resident")
    port = free_port()
    with Daemon(manifests()) as daemon, \
            DnsServer(daemon, listen=False, wrapper=passed(port)) as dns, socket.socket() as slow:
        dns.at.at = ("127.0.0.1", port)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(dns.at.at)
        message = frame(request(NAME)) * 200
        stop = threading.Event()

        def send():
            while not stop.is_set():
                try:
                    slow.sendall(message)
                except OSError:
                    return

        sender = threading.Thread(target=send)
        sender.start()
        try:
            before, taken = resident(dns.process), 0
            while taken < 64 << 20:
                data = slow.recv(8192)
                assert data, "disconnected"
                taken += len(data)
            after = resident(dns.process)
        finally:
            stop.set()
            slow.shutdown(socket.SHUT_RDWR)
            sender.join()
        assert after - before < 2048, (before, after)


@limit(90)
def test_silent_and_slow_clients_are_dropped():
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns:
        half_open = [dns.at.connect() for _ in range(200)]
        slow = [dns.at.connect() for _ in range(10)]
        started = time.monotonic()
        for client in half_open[::2]:
            client.sendall(b"\0")
        same(dns.ask(ONE, tcp=True).data("A"), ["10.3.0.1"])
        message = frame(request(ONE)) * 100
        ended = {}
        for at in range(60):  # a byte every half second is no progress
            for i, client in enumerate(slow):
                if i in ended:
                    continue
                client.settimeout(0.01)
                try:
                    client.sendall(message[at % 29 : at % 29 + 1] if at < 29 else b"\0")
                    if client.recv(1) == b"":
                        ended[i] = time.monotonic() - started
                except TimeoutError:
                    pass
                except OSError:
                    ended[i] = time.monotonic() - started
            if len(ended) == len(slow):
                break
            time.sleep(0.5)
        same(len(ended), len(slow), "slow clients dropped")
        assert 9 < min(ended.values()) and max(ended.values()) < 25, ended
        for client in half_open:
            client.settimeout(PATIENCE)
            same(client.recv(1), b"")
            client.close()
        for client in slow:
            client.close()


def test_more_clients_than_there_is_room_for():
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns:
        clients = [dns.at.connect() for _ in range(400)]
        same(dns.ask(ONE, tcp=True).data("A"), ["10.3.0.1"])
        for client in clients[:100]:  # the first ones had to go
            same(client.recv(1), b"")
        clients[-1].sendall(frame(request(ONE)))
        same(parse(receive(clients[-1])).data("A"), ["10.3.0.1"])
        for client in clients:
            client.close()
        assert len(os.listdir(f"/proc/{dns.process.pid}/fd")) < 300


def test_no_descriptor_for_another_client():
    """The one that was silent longest goes, and nothing spins meanwhile."""
    unsanitized("the sanitizers need descriptors themselves")
    prlimit = need_program("prlimit")
    with Daemon(manifests()) as daemon, DnsServer(daemon, wrapper=[prlimit, "--nofile=24"]) as dns:
        clients = [dns.at.connect() for _ in range(60)]
        same(dns.ask(ONE, tcp=True).data("A"), ["10.3.0.1"])
        same(dns.ask(ONE).data("A"), ["10.3.0.1"])
        for client in clients[:20]:
            same(client.recv(1), b"")
        before = cpu_seconds(dns)
        time.sleep(0.3)  # long enough to be seen spinning
        assert cpu_seconds(dns) - before < 0.2
        for client in clients:
            client.close()


def cpu_seconds(dns):
    with open(f"/proc/{dns.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_hostile_requests():
    header = struct.pack("!6H", 77, 0x100, 1, 0, 0, 0)
    question = encode_name(ONE) + b"\0\1\0\1"
    rows = [  # what, request, response code (None: no response)
        ("a pointer to itself", header + b"\xc0\x0c\0\1\0\1", "FORMERR"),
        ("pointers in a circle", header + b"\1a\xc0\x0c\0\1\0\1", "FORMERR"),
        ("no question", struct.pack("!6H", 77, 0x100, 0, 0, 0, 0), "FORMERR"),
        ("two questions", struct.pack("!6H", 77, 0x100, 2, 0, 0, 0) + question * 2, "FORMERR"),
        ("a label of 64", header + b"\x40" + b"a" * 64 + b"\0\0\1\0\1", "FORMERR"),
        ("a name of 255", header + (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0\0\1\0\1", "REFUSED"),
        ("a name of 256", header + (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0\0\1\0\1", "FORMERR"),
        ("two OPT", struct.pack("!6H", 77, 0x100, 1, 0, 0, 2) + question + b"\0\0\x29\x10\0\0\0\0\0\0\0" * 2,
         "FORMERR"),
        ("EDNS version 1", request(ONE, edns=1232, version=1, number=77), "BADVERS"),
        ("EDNS options", request(ONE, edns=1232, options=b"\0\x0a\0\x08abcdefgh", number=77), "NOERROR"),
        ("an update", request(ONE, flags=0x2800, number=77), "NOTIMP"),
        ("class CHAOS", request("version.bind", "TXT", cls=3, number=77), "REFUSED"),
        ("class ANY", request(ONE, cls=255, number=77), "REFUSED"),
        ("AXFR", request("cluster.local", "AXFR", number=77), "REFUSED"),
        ("IXFR", request("cluster.local", "IXFR", number=77), "REFUSED"),
        ("type 65535", request(ONE, 65535, number=77), "NOERROR"),
        ("a response", request(ONE, flags=0x8100, number=77), None),
        ("eleven bytes", header[:11], None),
        ("nothing", b"", None),
    ]
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns:
        for what, message, rcode in rows:
            if rcode is None:
                same(dns.at.udp(message, wait=0.2), None, what)
                continue
            for raw in dns.at.udp(message), dns.at.tcp(message):
                response = parse(raw)
                same((response.id, response.rcode), (77, rcode), what)
        with dns.at.connect() as client:
            client.sendall(b"\xff\xff" + b"\0" * 100)  # longer than any request of ours
            same(client.recv(1), b"")
        same(dns.ask(ONE).data("A"), ["10.3.0.1"])


def test_questions_from_its_own_address_make_no_loop():
    """What seems to come from the server itself is a response by the time it comes back."""
    with Daemon(manifests()) as daemon:
        port = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with DnsServer(daemon) as dns:
                twin.bind(("127.0.0.1", port))
                twin.connect(dns.at.at)
                for _ in range(100):  # answered with responses, which get none
                    twin.send(request(ONE, flags=0x8180))
                twin.send(request(ONE, number=5))
                twin.settimeout(PATIENCE)
                same(parse(twin.recv(65535)).id, 5)


def test_a_flood_of_one_does_not_keep_others_waiting():
    with Daemon(manifests()) as daemon, DnsServer(daemon) as dns:
        flood = subprocess.Popen(
            ["python3", "-c",
             "import socket, sys\n"
             "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setblocking(False)\n"
             f"m = {request(NAME, edns=1232)!r}\n"
             "while True:\n"
             "    try: s.sendto(m, ('127.0.0.1', int(sys.argv[1])))\n"
             "    except OSError: pass\n", str(dns.port)])
        try:
            answered = 0
            for _ in range(50):
                # The socket may be full just then, and as a resolver does, the client asks again.
                answered += any(dns.at.udp(request(ONE), wait=1) for _ in range(5))
                same(dns.ask(ONE, tcp=True).data("A"), ["10.3.0.1"])
            assert answered > 40, answered
        finally:
            flood.kill()
            flood.wait()


def test_every_address_of_the_host_answers_from_where_it_was_asked():
    for wildcard, asked in ("0.0.0.0", ["127.0.0.1", "127.0.0.9"]), ("::", ["::1"]):
        with Daemon(manifests()) as daemon:
            port = free_port(wildcard)
            listen = f"[{wildcard}]:{port}" if ":" in wildcard else f"{wildcard}:{port}"
            with DnsServer(daemon, "--listen", listen, listen=False) as dns:
                for address in asked:
                    dns.at.at = (address, port)
                    dns.at.family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    for tcp in False, True:  # a connected socket receives only from the address it asked
                        same(dns.ask(ONE, tcp=tcp).data("A"), ["10.3.0.1"])
                        kind = "AAAA" if ":" in address else "A"
                        same(dns.ask("ns.dns.cluster.local", kind, tcp=tcp).data(kind), [address])


def test_sockets_of_the_service_manager():
    with Daemon(manifests()) as daemon:
        port = free_port()
        with DnsServer(daemon, "--listen", "192.0.2.1:53", listen=False,
                       wrapper=passed(port)) as dns:
            dns.at.at = ("127.0.0.1", port)
            for by_tcp in False, True:
                same(dns.ask(ONE, tcp=by_tcp).data("A"), ["10.3.0.1"])
            same([line for line in dns.lines if "listening on" in line], [f"listening on 127.0.0.1:{port}"])


def test_command_line():
    def run(*arguments):
        return subprocess.run([built("kubesvc-dns"), "--config", "/dev/null", *arguments], text=True,
                              capture_output=True, timeout=PATIENCE)

    for option in "--help", "--version":
        done = run(option)
        same((done.returncode, done.stderr), (0, ""), option)
        assert "kubesvc-dns" in done.stdout
    for arguments, said in [
        (["--listen", "nowhere"], "--listen nowhere: must be ADDRESS"),
        (["--forward", "nowhere"], "--forward nowhere: "),
        (["--namespace", "No.Label"], "--namespace No.Label: must be a namespace"),
        (["--ttl", "3601"], "--ttl 3601: must be a number of seconds"),
        (["--zone", "x"], "unrecognized option"),
        (["extra"], "unexpected argument 'extra'"),
    ]:
        done = run(*arguments)
        same(done.returncode, 1, arguments)
        assert said in done.stderr, done.stderr
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("--listen", address)
        same(done.returncode, 1)
        assert f"{address}: cannot listen (UDP): Address already in use" in done.stderr, done.stderr


def test_settings_of_the_configuration():
    with Daemon(manifests()) as daemon:
        port = free_port()
        config = f"dns:\n  listen: [\"127.0.0.1:{port}\"]\n  namespace: default\n  ttl: 77\n"
        with DnsServer(daemon, config=config, listen=False) as dns:
            dns.at.at = ("127.0.0.1", port)
            response = dns.ask("one")
            same([str(record) for record in response.answer],
                 [f"one. 77 CNAME {ONE}.", f"{ONE}. 77 A 10.3.0.1"])
            for name in "one.default", "one.default.svc":
                same(dns.ask(name).data("A"), ["10.3.0.1"])
            for name in "default", "absent", "one.absent", "localhost":
                same(dns.ask(name).rcode, "REFUSED", name)
        with DnsServer(daemon, "--ttl", "0", "--namespace", "other", config=config) as dns:
            same(dns.ask("one").rcode, "REFUSED")
            same(dns.ask(ONE).answer[0].ttl, 0)
    for text, said in [
        ("dns: {listen: []}", "listen must name an address"),
        ("dns: {listen: [x]}", "listen must be ADDRESS"),
        ("dns: {forward: [x]}", "forward must be resolv.conf, ADDRESS"),
        ("dns: {ttl: 3601}", "ttl"),
        ("dns: {tll: 1}", 'unknown key "tll"; did you mean ttl?'),
        ("dns: 127.0.0.1", "dns"),
    ]:
        with DnsServer("absent", config=text + "\n", ready=False) as dns:
            dns.wait_line(said)
            same(dns.process.wait(PATIENCE), 1)
            dns.wait_line("kubesvcd.yaml:1:")


def test_a_daemon_that_gives_no_snapshot():
    with Daemon(manifests(), config="lookups: socket\n") as daemon, DnsServer(daemon) as dns:
        same(dns.ask(ONE).rcode, "SERVFAIL")
        assert "lookups: socket" in dns.wait_line("no snapshot to give")
        daemon.config.write_text("")
        daemon.reload()
        dns.until(ONE, "A", lambda response: response.data("A") == ["10.3.0.1"])
