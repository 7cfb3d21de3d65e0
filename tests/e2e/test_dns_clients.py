# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that ask DNS and not libc's NSS, each with a resolver of its own: `nslookup headless-svc`
finds three addresses, and `nslookup regular-svc` one."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from dns_server import DnsServer
from harness import Daemon, limit, need_program, same, skip, wait_for
from namespaces import Host

ZONE = "default.svc.cluster.local"
SERVER = "127.0.0.63"
REGULAR, PORT = "127.0.0.80", 8080
HEADLESS = ["127.0.0.81", "127.0.0.82", "127.0.0.83"]
WORLD = f"""
apiVersion: v1
kind: Service
metadata: {{name: regular-svc}}
spec: {{clusterIP: {REGULAR}, ports: [{{name: http, port: {PORT}}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: headless-svc}}
spec: {{clusterIP: None, ports: [{{name: http, port: {PORT}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: headless-1, labels: {{kubernetes.io/service-name: headless-svc}}}}
addressType: IPv4
ports: [{{name: http, port: {PORT}}}]
endpoints:
{"".join(f"- addresses: [{a}]{chr(10)}" for a in HEADLESS)}
---
apiVersion: v1
kind: Service
metadata: {{name: outside}}
spec: {{type: ExternalName, externalName: regular-svc.{ZONE}}}
"""
RESOLV_CONF = f"""
nameserver {SERVER}
search {ZONE} svc.cluster.local cluster.local
options ndots:5
"""
ADDRESS = re.compile(r"\b127\.0\.0\.8\d\b")


@contextlib.contextmanager
def cluster():
    """A host whose only nameserver is ours."""
    with Host({"/etc/resolv.conf": RESOLV_CONF}) as host, Daemon({"world.yaml": WORLD}) as daemon, \
            DnsServer(daemon, "--listen", SERVER, listen=False, wrapper=host.wrapper):
        yield host


def found(text):
    return sorted(set(ADDRESS.findall(text)))


def asks(name, *command, env=None):
    """For programs that are given a name last, and print addresses."""
    with cluster() as host:
        program = need_program(name)
        for question, addresses in ("headless-svc", HEADLESS), ("regular-svc", [REGULAR]):
            same(found(host.run(program, *command, question, env=env)), addresses, question)
        assert not found(host.run(program, *command, f"absent-svc.{ZONE}", env=env, status=None))


def test_nslookup():
    asks("nslookup")


def test_host():
    asks("host")


def test_nss_dns():
    """glibc's own module."""
    asks("getent", "-s", "hosts:dns", "ahosts")


def test_dig():
    with cluster() as host:
        dig = need_program("dig")

        def short(*arguments):
            return sorted(host.run(dig, "+short", *arguments).split("\n")[:-1])

        same(short("+search", "headless-svc"), HEADLESS)
        same(short("+search", "+tcp", "headless-svc"), HEADLESS)
        same(short("+search", "+noedns", "regular-svc", "A"), [REGULAR])
        same(short(f"outside.{ZONE}"), sorted([REGULAR, f"regular-svc.{ZONE}."]))
        same(short("-x", REGULAR), [f"regular-svc.{ZONE}."])
        same(short(f"_http._tcp.regular-svc.{ZONE}", "SRV"), [f"0 100 {PORT} regular-svc.{ZONE}."])
        same(len(short(f"_http._tcp.headless-svc.{ZONE}", "SRV")), 3)
        same(short("dns-version.cluster.local", "TXT"), ['"1.1.0"'])
        assert "status: NXDOMAIN" in host.run(dig, f"absent.{ZONE}")
        assert "Transfer failed" in host.run(dig, "cluster.local", "AXFR", status=None)


def test_drill():
    with cluster() as host:
        drill = need_program("drill")
        for name, addresses in ("headless-svc", HEADLESS), ("regular-svc", [REGULAR]):
            same(found(host.run(drill, f"{name}.{ZONE}", "A")), addresses)
        assert f"regular-svc.{ZONE}." in host.run(drill, "-x", REGULAR)
        assert "NXDOMAIN" in host.run(drill, f"absent.{ZONE}")


def is_static(program):
    return b"INTERP" not in subprocess.run(["readelf", "-lW", program], stdout=subprocess.PIPE,
                                           check=False).stdout


def test_busybox():
    busybox = need_program("busybox")
    if not is_static(busybox):
        skip("needs busybox-static: this busybox asks through glibc")
    with cluster() as host:
        for name, addresses in ("headless-svc", HEADLESS), ("regular-svc", [REGULAR]):
            # Its nslookup knows no search list with dots.
            same(found(host.run(busybox, "nslookup", "-type=a", f"{name}.{ZONE}")), addresses)


MUSL = r"""
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    char text[64];
    int error = getaddrinfo(argv[argc - 1], "80", &hints, &found);
    if (error)
        return puts(gai_strerror(error)), 1;
    for (; found; found = found->ai_next)
        puts(inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text));
}
"""


def test_musl():
    compiler = need_program("musl-gcc")
    pathlib.Path("musl.c").write_text(MUSL)
    subprocess.run([compiler, "-static", "-o", "musl", "musl.c"], check=True)
    asks(str(pathlib.Path("musl").resolve()))


GO = """
package main

import ("fmt"; "net"; "os"; "strings")

func main() {
    for _, name := range os.Args[1:] {
        hosts, err := net.LookupHost(name)
        fmt.Println(name, hosts, err)
    }
    _, srv, err := net.LookupSRV("http", "tcp", "headless-svc.ZONE")
    fmt.Println("srv", len(srv), err)
    names, err := net.LookupAddr("REGULAR")
    fmt.Println("ptr", strings.Join(names, " "), err)
    cname, err := net.LookupCNAME("outside")
    fmt.Println("cname", cname, err)
}
""".replace("ZONE", ZONE).replace("REGULAR", REGULAR)


@limit(180)
def test_go_without_cgo():
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin") or need_program("go")
    pathlib.Path("main.go").write_text(GO)
    pathlib.Path("go.mod").write_text("module lookup\n")
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    if "HOME" not in environment:
        environment |= {"HOME": os.getcwd()}
    subprocess.run([go, "build", "-o", "lookup", "main.go"], check=True, env=environment)
    with cluster() as host:
        lines = host.run(pathlib.Path("lookup").resolve(), "headless-svc", "regular-svc",
                         f"absent.{ZONE}.").splitlines()
        same(found(lines[0]), HEADLESS)
        same(lines[1], f"regular-svc [{REGULAR}] <nil>")
        assert "no such host" in lines[2], lines[2]
        same(lines[3:], ["srv 3 <nil>", f"ptr regular-svc.{ZONE}. <nil>", f"cname regular-svc.{ZONE}. <nil>"])


def test_adig():
    """c-ares."""
    with cluster() as host:
        adig = need_program("adig")
        same(found(host.run(adig, f"headless-svc.{ZONE}")), HEADLESS)


PYTHON = """
import dns.resolver
for name in "headless-svc", "regular-svc":
    print(name, *sorted(str(a) for a in dns.resolver.resolve(name, "A", search=True)))
print("srv", len(dns.resolver.resolve("_http._tcp.headless-svc", "SRV", search=True)))
print("ptr", dns.resolver.resolve_address("%s")[0])
try:
    dns.resolver.resolve("absent.ZONE.", "A")
except dns.resolver.NXDOMAIN:
    print("NXDOMAIN")
""".replace("ZONE", ZONE) % REGULAR


def test_dnspython():
    for python in sys.executable, "/usr/bin/python3":
        if shutil.which(python) and subprocess.run([python, "-c", "import dns.resolver"],
                                                   stderr=subprocess.DEVNULL).returncode == 0:
            break
    else:
        skip("needs dnspython")
    with cluster() as host:
        same(host.run(python, "-c", PYTHON).splitlines(),
             [f"headless-svc {' '.join(HEADLESS)}", f"regular-svc {REGULAR}", "srv 3",
              f"ptr regular-svc.{ZONE}.", "NXDOMAIN"])


NODE = """
const dns = require('dns').promises;
(async () => {
    const zone = '%s';
    const srv = await dns.resolveSrv(`_http._tcp.regular-svc.${zone}`);
    console.log(JSON.stringify({
        headless: (await dns.resolve4(`headless-svc.${zone}`)).sort(),
        regular: await dns.resolve4(`regular-svc.${zone}`),
        srv: [srv[0].name, srv[0].port],
        ptr: await dns.reverse('%s'),
        absent: await dns.resolve4(`absent.${zone}`).catch(error => error.code),
    }));
})();
""" % (ZONE, REGULAR)


def test_node():
    node = need_program("node")
    with cluster() as host:
        same(json.loads(host.run(node, "-e", NODE)),
             {"headless": HEADLESS, "regular": [REGULAR], "srv": [f"regular-svc.{ZONE}", PORT],
              "ptr": [f"regular-svc.{ZONE}"], "absent": "ENOTFOUND"})


HTTP = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""
FETCH = """
import sys, urllib.request
try:
    print(urllib.request.urlopen("http://127.0.0.1:8000/", timeout=5).read().decode())
except OSError as error:
    print(error)
"""


def proxies(command, config, name):
    """A proxy at 127.0.0.1:8000 reaches the Service by its name."""
    program = shutil.which(command[0], path="/usr/sbin:/usr/bin:/usr/local/sbin") or need_program(command[0])
    path = pathlib.Path(name).resolve()
    path.write_text(config)
    with cluster() as host:
        log = open("proxy.log", "w+", encoding="utf-8")
        running = [host.start(sys.executable, "-c", HTTP, REGULAR, PORT, stderr=log),
                   host.start(program, *command[1:], path, stdout=log, stderr=log)]
        try:
            wait_for(lambda: host.run(sys.executable, "-c", FETCH).strip() == "hello", f"{command[0]} to find it")
        finally:
            for process in running:
                process.kill()
                process.wait()
            log.seek(0)
            print(log.read())


def test_nginx():
    # An address that is known only by name at the time of a request is resolved by `resolver`.
    proxies(["nginx", "-p", os.getcwd(), "-c"], f"""
daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
http {{
    access_log off; resolver {SERVER} valid=1s;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server {{
        listen 127.0.0.1:8000;
        location / {{ set $service regular-svc.{ZONE}; proxy_pass http://$service:{PORT}; }}
    }}
}}
""", "nginx.conf")


def test_haproxy():
    proxies(["haproxy", "-db", "-f"], f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
resolvers kubernetes
    nameserver first {SERVER}:53
    hold valid 1s
frontend web
    bind 127.0.0.1:8000
    default_backend service
backend service
    server-template pod 2 _http._tcp.regular-svc.{ZONE} resolvers kubernetes init-addr none
""", "haproxy.cfg")
