# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other programs that delete rules of kubesvc-proxy's table, and those that do nothing to it."""

import re
import signal

from harness import PATIENCE, same, wait_for
from proxying import Proxy, chosen_by, connect, refused, rules
from test_proxy import ip_of, pods, scale, workload, world

SAID = "rules of the table inet kubesvc were deleted by another program; loading it again"


def nft(*commands):
    rules(";".join(commands))


def listing():
    """The rules of the table, without what changes by itself."""
    return sorted(rules("list", "table", "inet", "kubesvc").splitlines())


def noticed(proxy, before, n):
    wait_for(lambda: len(proxy.lines) >= n, "a word")
    wait_for(lambda: listing() == before, "the table")
    same(proxy.lines, [SAID] * n)


def test_a_flushed_table_comes_back_with_its_sessions():
    spec = "sessionAffinity: ClientIP"
    with world({"web.yaml": workload("web", 4, spec=spec)}) as (daemon, proxy, servers):
        ip = ip_of(daemon)
        for pod in pods(daemon):
            servers.add(pod, 8080)
        clients = [f"127.1.0.{n + 1}" for n in range(30)]
        chosen = chosen_by(clients, ip)
        for _ in range(3):
            said = len(proxy.lines)
            nft("flush table inet kubesvc")
            wait_for(lambda: len(proxy.lines) > said, "a word")
            wait_for(lambda: not refused(ip, 80), "the rules")
            same(chosen_by(clients, ip), chosen)
        same(proxy.lines, [SAID] * 3)


def test_rules_that_are_missing_come_back():
    """All of a chain, of the frame or of a Service; one of several; and with their chain."""
    with world({"web.yaml": workload("web", 2)}) as (_, proxy, _servers):
        before = listing()
        damages = [(f"flush chain inet kubesvc {chain}",) for chain in
                   ("prerouting", "output", "postrouting", "services", "refuse", "masquerades",
                    "service4/default/web/tcp/80")]
        damages.append(("flush chain inet kubesvc output", "delete chain inet kubesvc output"))
        for n, damage in enumerate(damages):
            nft(*damage)
            noticed(proxy, before, n + 1)
        shown = rules("-a", "list", "chain", "inet", "kubesvc", "services")
        handle = re.search(r"vmap @services4 # handle (\d+)", shown)[1]
        nft(f"delete rule inet kubesvc services handle {handle}")
        noticed(proxy, before, len(damages) + 1)
        same(proxy.end(), 0)


def test_what_others_do_elsewhere_and_own_changes_are_no_reason():
    sticky = workload("sticky", 2, spec="sessionAffinity: ClientIP")
    with world({"web.yaml": workload("web", 2), "sticky.yaml": sticky}) as (daemon, proxy, servers):
        ip, marked = ip_of(daemon), "meta mark 77 accept"
        nft(f"add rule inet kubesvc services {marked}")
        for n in 3, 0, 1, 4:
            for table in "ip kubesvc", "inet kubesvc2", "ip6 kubesvc":
                nft(f"add table {table}", f"add chain {table} output", f"add rule {table} output accept",
                    f"flush table {table}")
                nft(f"delete table {table}")
            for pod in scale(daemon, n):
                if (pod, 8080, 1) not in servers.sockets:
                    servers.add(pod, 8080)
            wait_for(lambda: refused(ip, 80) == (n == 0), "the change")
            daemon.write("sticky.yaml", sticky.replace("replicas: 2", f"replicas: {n}"))
        daemon.write("sticky.yaml", "")
        wait_for(lambda: "sticky" not in rules("list", "table", "inet", "kubesvc"), "the change")
        same(marked[:4] in "".join(listing()), True, "it was not loaded again")
        same((proxy.end(), proxy.lines), (0, []))


def overflow():
    """More events than a process that does not read has room for."""
    elements = ", ".join(str(n) for n in range(5000))
    for _ in range(4):
        nft("add table inet other", "add set inet other many { type mark; }",
            f"add element inet other many {{ {elements} }}")
        nft("delete table inet other")


def test_a_flush_that_the_kernel_could_not_tell_of():
    """The events are lost, and nothing is missing; then they are lost, and with them that of a flush."""
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, servers):
        ip = ip_of(daemon)
        servers.add(pods(daemon)[0], 8080)
        before = listing()
        for flushes in False, True, False:
            proxy.process.send_signal(signal.SIGSTOP)
            overflow()
            if flushes:
                nft("flush table inet kubesvc")
            proxy.process.send_signal(signal.SIGCONT)
            if flushes:
                noticed(proxy, before, 1)
                same(connect(ip, 80)[0], pods(daemon)[0])
            scale(daemon, 0)
            wait_for(lambda: refused(ip, 80), "the change")
            scale(daemon, 1)
            wait_for(lambda: not refused(ip, 80), "the change")
        same((proxy.end(), proxy.lines), (0, [SAID]))


def test_an_adopted_table_is_adopted_until_it_is_deleted():
    """Events of other tables, told or lost, do not change what the process says of itself."""
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, _):
        daemon.stop()
        proxy.process.kill()
        proxy.process.wait()
        adopted = "STATUS=Forwarding as the previous process did; waiting for kubesvcd."
        with Proxy(daemon.socket) as second:
            with second.changed:
                second.changed.wait_for(lambda: adopted in second.states, PATIENCE)
            nft("add table inet other")
            nft("delete table inet other")
            second.process.send_signal(signal.SIGSTOP)
            overflow()
            second.process.send_signal(signal.SIGCONT)
            nft("delete table inet kubesvc")
            with second.changed:
                second.changed.wait_for(lambda: "Forwarding to 0" in second.states[-1], PATIENCE)
            # It repeats itself whenever it finds no daemon.
            same(list(dict.fromkeys(second.states)),
                 ["READY=1", adopted, "STATUS=Forwarding to 0 Services; waiting for kubesvcd."])


def test_a_lock_that_belongs_to_no_process_is_none():
    """Such as one of a ruleset that was loaded without its owner."""
    with world({"web.yaml": workload("web", 1)}) as (daemon, proxy, _):
        same(proxy.end(), 0)
        nft("add table inet kubesvc-lock")
        with Proxy(daemon.socket, ready=True) as second:
            with Proxy(daemon.socket) as third:
                same(third.process.wait(PATIENCE), 1)
            same((second.end(), second.lines), (0, []))
        same(rules("list", "ruleset"), "")
