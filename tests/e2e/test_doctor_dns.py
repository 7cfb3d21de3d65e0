# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc doctor: does DNS answer, and do the host's nameservers lead there."""

import contextlib
import subprocess

from dns_server import DnsServer
from harness import Daemon, need_program, same, wait_for
from namespaces import Host
from test_doctor import examine, host, only

WORLD = {"web.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
                     "spec: {clusterIP: 127.0.0.7, ports: [{port: 80}]}\n"}


@contextlib.contextmanager
def other_nameserver(there, address):
    """That knows nothing of ours."""
    with there.start(need_program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
                     "--no-resolv", "--no-hosts", "--local=/#/", "--bind-interfaces", "--user=", "--group=",
                     f"--listen-address={address}", stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: f"{address}:53 " in there.run("ss", "-Hlun"), "the nameserver")
            yield
        finally:
            process.kill()


def texts(checks, name):
    return [(verdict, text) for verdict, text, _ in checks.get(name, [])]


def test_dns_is_well():
    with Host({"/etc/resolv.conf": "nameserver 127.0.0.63\n"}) as there, Daemon(WORLD) as daemon, \
            DnsServer(daemon, "--listen", "127.0.0.63", listen=False, wrapper=there.wrapper):
        checks = examine(daemon.env, wrapper=there.wrapper)
        same(texts(checks, "dns"), [
            ("ok", "127.0.0.63:53 answers for cluster.local"),
            ("ok", "web.default.svc.cluster.local has the addresses it should have")])
        same(texts(checks, "resolv.conf"), [("ok", "/etc/resolv.conf leads to the names of cluster.local")])


def test_resolv_conf_leads_elsewhere():
    with Host({"/etc/resolv.conf": "nameserver 127.0.0.63\nnameserver 127.0.0.64\n"}) as there, \
            Daemon(WORLD) as daemon, other_nameserver(there, "127.0.0.64"), \
            DnsServer(daemon, "--listen", "127.0.0.63", listen=False, wrapper=there.wrapper):
        found = only(examine(daemon.env, wrapper=there.wrapper), "resolv.conf")
        same(found[0], "warn")
        assert "127.0.0.64:53 does not know cluster.local (NXDOMAIN)" in found[1], found
        assert "INTEGRATION" in found[2], found
        root = host()
        (root / "etc/resolv.conf").write_text("search example\n")
        found = only(examine(daemon.env, root, wrapper=there.wrapper), "resolv.conf")
        assert found[0] == "warn" and "names no nameserver" in found[1], found


def test_dns_is_not_used_or_does_not_run():
    with Host() as there, Daemon(WORLD) as daemon:
        checks = examine(daemon.env, host(), wrapper=there.wrapper)
        same((texts(checks, "dns"), texts(checks, "resolv.conf")), ([], []), "not installed")
        found = only(examine(daemon.env, host(**{"usr__sbin__kubesvc-dns": ""}), wrapper=there.wrapper), "dns")
        same(found[:2], ("warn", "kubesvc-dns does not answer at 127.0.0.63:53: Connection refused"))
        assert "kubesvc-dns.socket" in found[2], found


def test_another_server_is_there():
    with Host() as there, Daemon(WORLD) as daemon, other_nameserver(there, "127.0.0.63"):
        found = only(examine(daemon.env, host(), wrapper=there.wrapper), "dns")
        same(found[:2], ("bad", "127.0.0.63:53 does not answer for cluster.local: NXDOMAIN"))


def test_it_is_asked_where_the_configuration_says():
    config = "zone: cluster.test\ndns:\n  listen: ['127.0.0.70:5353', '::1']\n"
    with Host({"/etc/resolv.conf": "nameserver 127.0.0.1\n"}) as there, Daemon(WORLD, config=config) as daemon, \
            DnsServer(daemon, config=config, listen=False, wrapper=there.wrapper):
        checks = examine(daemon.env, wrapper=there.wrapper)
        same(texts(checks, "dns")[0], ("ok", "127.0.0.70:5353 answers for cluster.test"))
        same(only(checks, "resolv.conf")[0], "warn")
