# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lookups through glibc, with each of the services that could stand on the hosts line.

All of them know the same names (as many as fit), and all are asked in turn, some hundred times each,
round by round. Every service that reads a file of /etc gets its own in a mount namespace.
"""

import os
import pathlib
import signal
import subprocess

from tools import QUICK, Asker, Daemon, Samples, available, environment, progress, wait_for

ZONE = "bench.svc.cluster.local"
RECORDS = 10000
MANY = 160000  # names of a daemon of their own
ROUNDS = 4 if QUICK else 25
SLICE_SECONDS = 0.05  # of one service in one round
QUESTIONS = [  # title, question, addresses expected, threads
    ("1 address", f"a1.{ZONE}", 1, 1),
    ("3 addresses", f"a3.{ZONE}", 3, 1),
    ("50 addresses", f"a50.{ZONE}", 50, 1),
    ("address to name", "127.200.0.1", 1, 1),
    ("not there", f"none.{ZONE}", 0, 1),
    ("not ours", "www.example.com", 0, 1),
    ("cannot be ours", "www_example..com", 0, 1),
    ("1 address, 2 threads", f"a1.{ZONE}", 1, 2),
    ("1 address, 8 threads", f"a1.{ZONE}", 1, 8),
    (f"a random one of {MANY} names", f"#{MANY}:m1-#.{ZONE}", 1, 1),
    ("first lookup of a process", f"?a1.{ZONE}", 1, 1),
    ("whole process (getent ahosts)", f"!a1.{ZONE}", 1, 1),
]


def known(number):
    """[(name, addresses)], `number` lines of a hosts file altogether."""
    names = [("a1", 1), ("a3", 3), ("a50", 50)] if number >= 100 else [("a1", 1), ("a3", 3)]
    result = [(name, [f"127.200.0.{i + 1}" for i in range(n)]) for name, n in names]
    others = number - sum(n for _, n in names)
    result += [(f"s{i}", [f"127.{210 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"])
               for i in range(1, others + 1)]
    half = len(result) // 2  # neither first nor last
    return result[half:] + result[:half]


def hosts_text(number):
    return "".join(f"{address} {name}.{ZONE}\n"
                   for name, addresses in known(number) for address in addresses)


def manifests(number):
    for name, addresses in known(number):
        if len(name) > 3 or name[0] == "s":
            yield (f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: bench}}\n"
                   f"spec: {{clusterIP: {addresses[0]}}}\n")
            continue
        yield (f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: bench}}\n"
               "spec: {clusterIP: None}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
               f"addressType: IPv4\nmetadata: {{name: {name}, namespace: bench, "
               f"labels: {{kubernetes.io/service-name: {name}}}}}\n"
               f"endpoints: [{{addresses: [{addresses[0]}]}}"
               + "".join(f", {{addresses: [{address}]}}" for address in addresses[1:]) + "]\n")


def many_manifests():
    return "".join(f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: m1-{i}, namespace: bench}}\n"
                   f"spec: {{clusterIP: 127.{220 + (i >> 16)}.{i >> 8 & 255}.{i & 255}}}\n"
                   for i in range(MANY))


class Service:
    """One that could stand on the hosts line, and what it cannot be asked. Only some know many names,
    and nothing else."""

    def __init__(self, name, asker, skipped=(), many=False):
        self.name, self.asker, self.skipped, self.many = name, asker, skipped, many

    def can_be_asked(self, question):
        if self.name != "null" and question.startswith("#") != self.many:
            return False
        return question not in self.skipped


def over(files, then='exec "$@"'):
    """A command in a mount namespace of its own, in which these files are other ones."""
    mounts = [f'mount --bind "{source}" {target}' for target, source in files.items()]
    return ["unshare", "-m", "sh", "-c", " && ".join([*mounts, then]), "sh"]


def write(name, text):
    path = pathlib.Path(name).resolve()
    path.write_text(text)
    return path


class Bench:
    def __init__(self, isolated):
        self.isolated = isolated
        self.services = []
        self.reasons = []
        self.daemons = []
        self.dnsmasq = None

    def __enter__(self):
        self._ours()
        if not self.isolated:
            self.reasons.append("files, nscd, dns: no mount and network namespace here")
            return self
        for number in 10, 1000, RECORDS:
            self._files(number)
        self._nscd()
        self._dns()
        return self

    def __exit__(self, *_):
        for service in self.services:
            service.asker.close()
        if os.path.exists("nscd.pid"):  # in a session of its own
            with open("nscd.pid", encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGKILL)
        if self.dnsmasq:
            self.dnsmasq.kill()
            self.dnsmasq.wait()
        for daemon in self.daemons:
            daemon.stop()

    def _add(self, name, hosts, env=None, wrapper=(), **how):
        self.services.append(Service(name, Asker(hosts, env or environment(), wrapper), **how))

    def _ours(self):
        self._add("null", "null")
        for name, text, many in (("kubesvc", "".join(manifests(RECORDS)), False),
                                 (f"kubesvc, {MANY} names", many_manifests(), True)):
            daemon = Daemon({"all.yaml": text})
            self.daemons.append(daemon)
            self._add(name, "kubesvc", environment(daemon.socket), many=many)

    def _files(self, number):
        hosts = write(f"hosts{number}", hosts_text(number))
        self._add(f"files, {number} lines", "files", wrapper=over({"/etc/hosts": hosts}),
                  skipped=(f"a50.{ZONE}",) if number < 100 else ())

    def _nscd(self):
        program = available("nscd")
        if not program:
            self.reasons.append("nscd: not installed")
            return
        os.makedirs("nscd", exist_ok=True)
        conf = write("nscd.conf", "server-user root\nenable-cache hosts yes\n"
                     "positive-time-to-live hosts 3600\nnegative-time-to-live hosts 3600\n"
                     "persistent hosts no\nshared hosts yes\nsuggested-size hosts 20011\n")
        files = {
            "/etc/hosts": write(f"hosts{RECORDS}", hosts_text(RECORDS)),
            "/etc/nsswitch.conf": write("nsswitch.nscd", "hosts: files\n"),
        }
        start = (f'mkdir -p /run/nscd && mount -t tmpfs none /run/nscd && {{ {program} -F -f "{conf}" '
                 '>/dev/null 2>&1 & echo $! >nscd.pid; } && until [ -S /run/nscd/socket ]; do sleep 0.01; done && exec "$@"')
        self._add(f"nscd, files, {RECORDS} lines", "-", wrapper=over(files, start))

    def _dns(self):
        program = available("dnsmasq")
        if not program:
            self.reasons.append("dns: dnsmasq is not installed")
            return
        hosts = write(f"hosts{RECORDS}", hosts_text(RECORDS))
        self.dnsmasq = subprocess.Popen(
            [program, "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv",
             "--no-hosts", "--local=/#/", f"--addn-hosts={hosts}", "--listen-address=127.0.0.1",
             "--bind-interfaces", "--user=", "--group=", "--log-facility=-"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files = {"/etc/resolv.conf": write("resolv.conf", "nameserver 127.0.0.1\n")}
        probe = [*over(files), "getent", "-s", "hosts:dns", "hosts", f"a1.{ZONE}"]
        wait_for(lambda: subprocess.run(probe, stdout=subprocess.DEVNULL).returncode == 0, "dnsmasq")
        self._add(f"dns, dnsmasq, {RECORDS} names", "dns", wrapper=over(files))

    def measure(self):
        """{question: {service: Samples}}"""
        counts, result = {}, {}
        for title, question, expected, threads in QUESTIONS:
            for service in self.services:
                if not service.can_be_asked(question):
                    continue
                first = service.asker.run(question, expected, threads, 20)
                each = max(first.seconds / 20, 1e-6)
                counts[title, service] = max(5, min(1000, int(SLICE_SECONDS / each)))
                result[title, service] = Samples()
        for i in range(ROUNDS):
            progress(f"lookups, round {i + 1} of {ROUNDS}")
            for title, question, expected, threads in QUESTIONS:
                for service in self.services:
                    if (title, service) in counts:
                        result[title, service].add(service.asker.run(
                            question, expected, threads, counts[title, service]))
        return result


def run(isolated):
    """Rows for the table, and why there are not more."""
    rows = []
    with Bench(isolated) as bench:
        result = bench.measure()
        for title, *_ in QUESTIONS:
            rows.append([title])
            floor = None
            for service in bench.services:
                samples = result.get((title, service))
                if not samples:
                    continue
                median, p99, _ = samples.figures()
                floor = floor or median
                rows.append([f"  {service.name}", f"{median:.1f}", f"{p99:.1f}",
                             f"{median / floor:.1f}", f"{len(samples.all) / samples.seconds:.0f}"])
        return rows, bench.reasons
