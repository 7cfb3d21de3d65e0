# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of kubesvc-proxy over the lives of its processes, and while something is in its way."""

import contextlib
import ctypes
import os
import signal
import socket

from harness import Daemon, PATIENCE, need_root, same, skip, wait_for
from inspect_client import inspect
from proxying import NFT, Proxy, Servers, connect, private_network, refused, rules
from test_proxy import PORTS, Load, ip_of, pods, scale, services, workload, world


def hand_over(proxy):
    """As systemd ends the process when it restarts the unit."""
    proxy.process.send_signal(signal.SIGUSR2)
    code = proxy.process.wait(PATIENCE)
    proxy.reader.join(PATIENCE)
    return code


@contextlib.contextmanager
def echoing(address):
    """A connection that stays; what it is called with comes back by it."""
    with socket.create_connection((address, 7), PATIENCE) as connection:
        connection.makefile().readline()

        def echo(data):
            connection.sendall(data)
            same(connection.recv(64), data)
        yield echo


def test_a_restart_breaks_no_connection_and_a_stop_removes_the_table():
    """Neither new connections nor established ones, which NAT forwards packet by packet."""
    ports = f"{PORTS}, {{name: echo, port: 7}}"
    with world({"web.yaml": workload("web", 3, ports)}) as (daemon, proxy, servers):
        ip = ip_of(daemon)
        for pod in pods(daemon):
            servers.add(pod, 8080)
            servers.add(pod, 7)
        with echoing(ip) as echo, Load(ip, 80) as load:
            for _ in range(5):
                same((hand_over(proxy), proxy.lines), (0, []))
                load.more()
                echo(b"nothing runs")
                proxy = Proxy(daemon.socket, ready=True)
                load.more()
                echo(b"adopted")
        same(load.failed, [])
        same((proxy.end(), proxy.lines), (0, []))
        same(refused(ip, 80), True)
        if os.path.exists(NFT):
            same(rules("list", "ruleset"), "")


def test_what_changed_during_a_restart_is_reconciled():
    """Services and endpoints that came and went, and routes."""
    config = "serviceCIDRs: [10.96.0.0/16]\n"
    manifests = {"web.yaml": workload("web", 1), "old.yaml": workload("old", 1)}
    with world(manifests, config) as (daemon, proxy, servers):
        ip, old_ip = ip_of(daemon), ip_of(daemon, "old")
        servers.add(pods(daemon, "old")[0], 8080)
        same(hand_over(proxy), 0)
        same(connect(old_ip, 80)[0], pods(daemon, "old")[0], "by its route, and by the table")
        os.unlink(daemon.dir / "manifests/old.yaml")
        daemon.write("new.yaml", workload("new", 1))
        wait_for(lambda: sorted(services(daemon)) == ["new", "web"], "the changes")
        for name in "web", "new":
            servers.add(pods(daemon, name)[0], 8080)
        with Proxy(daemon.socket, ready=True) as second:
            same(connect(ip, 80)[0], pods(daemon)[0])
            same(connect(ip_of(daemon, "new"), 80)[0], pods(daemon, "new")[0])
            same(refused(old_ip, 80), True)
            same((second.end(), second.lines), (0, []))


def test_flows_of_udp_to_what_went_during_a_restart_are_dropped():
    """Of a Service that has no endpoint left, and of one that is gone; that of another one stays."""
    ports = "{name: dns, port: 53, protocol: UDP, targetPort: 5353}"
    names = "web", "gone", "stays"
    with world({f"{name}.yaml": workload(name, 1, ports) for name in names}) as (daemon, proxy, servers), \
            contextlib.ExitStack() as stack:
        clients, before = {}, {name: pods(daemon, name) for name in names}
        for name in names:
            servers.add(before[name][0], 5353, socket.SOCK_DGRAM)
            clients[name] = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            clients[name].settimeout(PATIENCE)
            clients[name].connect((ip_of(daemon, name), 53))

        def ask(name):
            clients[name].send(b"?")
            return clients[name].recv(64).split()[0].decode()

        same([[ask(name)] for name in names], list(before.values()))
        same(hand_over(proxy), 0)
        scale(daemon, 0, ports=ports)
        os.unlink(daemon.dir / "manifests/gone.yaml")
        wait_for(lambda: "gone" not in services(daemon), "the Service to go")
        same([[ask(name)] for name in names], list(before.values()), "nothing runs")
        with Proxy(daemon.socket, ready=True):
            same([ask("stays")], before["stays"])
            for name in "web", "gone":
                try:
                    ask(name)
                    raise AssertionError(f"{name}: a pod that is gone answered")
                except (ConnectionRefusedError, PermissionError):
                    pass


def test_a_process_that_finds_no_daemon_leaves_the_table_as_it_is():
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, servers):
        ip, (pod,) = ip_of(daemon), pods(daemon)
        servers.add(pod, 8080)
        same(hand_over(proxy), 0)
        daemon.stop()
        with Proxy(daemon.socket) as second:
            with second.changed:
                told = "STATUS=Forwarding as the previous process did; waiting for kubesvcd."
                second.changed.wait_for(lambda: told in second.states, PATIENCE)
                same(second.states, ["READY=1", told])
            same(connect(ip, 80)[0], pod)
            same(second.end(), 0)
        same(refused(ip, 80), True, "stopped, it removes what it found")


class OtherOwner:
    """Another program, by libnftables, that owns a table of our name: the kernel lets none but it change
    that, and removes it at the end."""

    def __init__(self, commands):
        try:
            self.library = ctypes.CDLL("libnftables.so.1")
        except OSError as error:
            skip(str(error))
        self.library.nft_ctx_new.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.nft_ctx_new(0))
        same(self.library.nft_run_cmd_from_buffer(self.context, commands.encode()), 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.library.nft_ctx_free(self.context)


OWNED = "add table inet kubesvc { flags owner; }"
FAILED = "the table cannot be changed and stays as it is; trying again"
STUCK = "STATUS=The table cannot be changed and stays as it is; trying again."


def stuck(proxy):
    with proxy.changed:
        same(proxy.changed.wait_for(lambda: STUCK in proxy.states, PATIENCE), True,
             f"{proxy.states} {proxy.lines}")


def test_a_load_that_fails_is_tried_again():
    """Without a message of the daemon, and said once however often it fails. The Service has sessions,
    which are sought in the table that is there."""
    private_network()
    sticky = workload("web", 1, spec="sessionAffinity: ClientIP")
    with Daemon({"web.yaml": sticky}) as daemon, Servers() as servers:
        servers.add(pods(daemon)[0], 8080)
        with OtherOwner(OWNED):
            with Proxy(daemon.socket) as proxy:
                stuck(proxy)
                wait_for(lambda: proxy.states.count(STUCK) >= 4, "more attempts")
                same([line.split(":")[0] for line in proxy.lines], ["nftables", FAILED])
                same("READY=1" in proxy.states, False)
                same(proxy.end(), 0)
            proxy = Proxy(daemon.socket)
            stuck(proxy)
        proxy.wait_status("Forwarding to 1 Service.")
        same(connect(ip_of(daemon), 80)[0], pods(daemon)[0])
        same((proxy.end(), proxy.lines[-1]), (0, "the table is up to date again"))


def test_a_change_that_fails_is_tried_again():
    """Here the table is taken away by a program that keeps it for a while, and the state of the daemon
    changes meanwhile."""
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, servers):
        with OtherOwner(f"delete table inet kubesvc; {OWNED}"):
            stuck(proxy)
            for pod in scale(daemon, 2):
                servers.add(pod, 8080)
            scale(daemon, 0)
            daemon.write("db.yaml", workload("db", 1))
            wait_for(lambda: "db" in services(daemon), "another Service")
            servers.add(pods(daemon, "db")[0], 8080)
            same(refused(ip_of(daemon, "db"), 80), True)
        proxy.wait_status("Forwarding to 2 Services.")
        same(connect(ip_of(daemon, "db"), 80)[0], pods(daemon, "db")[0])
        same(proxy.lines.count(FAILED), 1)
        same([f["program"] for f in inspect(daemon.socket, "status")[0]["forwarders"]],
             ["kubesvc-proxy"])


SCTP_INIT, SCTP_INIT_ACK = 1, 2


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return (crc ^ 0xffffffff).to_bytes(4, "little")


def sctp(source, destination, tag, chunk):
    """A packet whose only chunk opens an association, or accepts one."""
    head = source.to_bytes(2, "big") + destination.to_bytes(2, "big") + tag.to_bytes(4, "big")
    body = bytes([chunk, 0, 0, 20]) + bytes.fromhex("00000007 00010000 0001 0001 00000001")
    return head + crc32c(head + bytes(4) + body) + body


def receive(raw):
    """(the sender's address, source port, destination port, kind of chunk) of a packet with the right
    checksum."""
    packet, (sender, _) = raw.recvfrom(2048)
    data = packet[(packet[0] & 15) * 4:]
    same(data[8:12], crc32c(data[:8] + bytes(4) + data[12:]), "the checksum")
    return sender, int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big"), data[12]


def test_sctp_is_forwarded():
    """Packets made here, since it is the kernel's NAT that forwards them, with or without its SCTP."""
    need_root()  # for raw sockets
    ports = "{name: s, port: 9, protocol: SCTP, targetPort: 99}"
    with world({"web.yaml": workload("web", 1, ports)}) as (daemon, _, _servers), \
            contextlib.ExitStack() as stack:
        (pod,), ip = pods(daemon), ip_of(daemon)
        client, server = (stack.enter_context(socket.socket(
            socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)) for _ in range(2))
        for raw, address in (client, "127.0.0.1"), (server, pod):
            raw.bind((address, 0))
            raw.settimeout(PATIENCE)
        client.connect((ip, 0))
        client.send(sctp(5000, 9, 0, SCTP_INIT))
        same(receive(server), ("127.0.0.1", 5000, 99, SCTP_INIT))
        server.sendto(sctp(99, 5000, 7, SCTP_INIT_ACK), ("127.0.0.1", 0))
        same(receive(client), (ip, 9, 5000, SCTP_INIT_ACK))
        try:
            client.send(sctp(5001, 10, 0, SCTP_INIT))
            client.recv(64)
            raise AssertionError("something answered")
        except (ConnectionRefusedError, PermissionError):
            pass
