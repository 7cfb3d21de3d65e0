# SPDX-License-Identifier: LGPL-2.1-or-later
"""Databases of several members from plain StatefulSet manifests (tests/system/stateful), each member a
`kubesvc run` of an ordinary user: Debian's own programs, which know nothing of kubesvc and find each
other by the names that they would have in a cluster. Where nftables is allowed, clients reach them
through their regular Services, too."""

import contextlib
import pathlib
import shutil
import signal
import subprocess

from harness import PATIENCE, built, same, wait_for
from packages import PROXY, both, package
from proxying import Proxy
from systems import MANIFESTS, Chroot, Machine, on_a_system

STATEFUL = pathlib.Path(__file__).resolve().parent / "stateful"
BUILD_DIRECTORY = "/opt/build"

POSTGRES = r"""
set -e
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
if [ "$HOSTNAME" = postgres-0 ]; then
    [ -e "$PGDATA" ] || {
        echo "$PGPASSWORD" >"/var/lib/data/password"
        initdb -A scram-sha-256 --pwfile=/var/lib/data/password
        echo "host all,replication postgres samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
    }
else
    [ -e "$PGDATA" ] || until pg_basebackup -h "$PRIMARY" -D "$PGDATA" -R -c fast; do
        rm -rf "$PGDATA"
        sleep 0.2
    done
fi
exec postgres -c listen_addresses="$POD_IP" -c unix_socket_directories= -c fsync=off
"""
REDIS = r"""
[ "$HOSTNAME" = redis-0 ] || leader="--replicaof redis-0.redis-all 6379"
exec redis-server --bind "$POD_IP" --requirepass "$REDISCLI_AUTH" --masterauth "$REDISCLI_AUTH" \
    --save "" --dir /var/lib/data $leader --repl-diskless-sync-delay 0
"""


def prepared(user):
    """A root file system in which no database starts by itself."""
    system = Chroot("databases")
    for unit in "etcd", "postgresql", "redis-server", "postgresql@":
        system.file(f"/etc/systemd/system/{unit}.service").symlink_to("/dev/null")
    system.sh(f"install -d -m 700 -o {user} -g {user} /var/lib/data")
    return system


class Members:
    """The members of one StatefulSet, each a process that `kubesvc run` has become."""

    def __init__(self, machine, user, before, command, program="kubesvc"):
        self.machine, self.user, self.before, self.command = machine, user, before, command
        self.program, self.processes, self.log = program, {}, open("members", "ab")

    def words(self, pod, *command):
        return [self.program, "run", *self.before, pod, "--", *command]

    def start(self, pod):
        script = 'echo $$ >"/var/lib/data/$POD_NAME.pid"; exec "$@"'
        words = self.words(pod, "sh", "-c", script, "sh", *self.command)
        self.processes[pod] = subprocess.Popen(
            self.machine.command(*words, user=self.user),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    def ask(self, pod, *command):
        """(status, output) of a command that runs as the pod."""
        return self.machine.try_run(*self.words(pod, *command), user=self.user)

    def kill(self, pod):
        self.machine.try_run("sh", "-c", f"kill -KILL $(cat /var/lib/data/{pod}.pid)")
        return self.processes.pop(pod).wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.log.close()
        if kind is not None:
            print(pathlib.Path("members").read_text(errors="replace")[-4000:])
        for pod in list(self.processes):
            self.kill(pod)


def forwarding():
    """Are connections to cluster IPs forwarded in this network namespace, which is the machine's?"""
    with Proxy("/nonexistent") as proxy:
        wait_for(lambda: proxy.lines or proxy.process.poll() is not None, "the proxy to speak")
        if proxy.process.poll() is None:
            return True
    print(f"without regular Services: {proxy.lines}")
    return False


@contextlib.contextmanager
def installed(user, name):
    """A booted system with the packages and this manifest."""
    system = prepared(user)
    system.install(*both(), package(PROXY))
    system.write(f"{MANIFESTS}/{name}", (STATEFUL / name).read_text())
    with Machine(system) as machine:
        yield machine


@on_a_system("databases")
def test_etcd_of_three_members():
    forwarded = forwarding()
    with installed("etcd", "etcd.yaml") as machine:
        with Members(machine, "etcd", ["-n", "data"], ["etcd"]) as members:
            for i in range(3):
                members.start(f"etcd-{i}")

            def etcdctl(pod, *words):
                server = f"http://{pod}.etcd-peers:2379" if pod != "any" else "http://etcd:2379"
                return members.ask("etcd-0", "etcdctl", "--endpoints", server, *words)

            def healthy(pod):
                return etcdctl(pod, "endpoint", "health")[0] == 0

            for i in range(3):
                wait_for(lambda: healthy(f"etcd-{i}"), f"etcd-{i}", 60)
            same(etcdctl("etcd-0", "put", "key", "value"), (0, "OK\n"))
            same(etcdctl("etcd-2", "get", "key"), (0, "key\nvalue\n"))
            listed = etcdctl("etcd-1", "member", "list")[1]
            same(sorted(line.split(", ")[2] for line in listed.splitlines()),
                 ["etcd-0", "etcd-1", "etcd-2"])
            for _ in range(9 if forwarded else 0):  # each by one of them, at random
                same(etcdctl("any", "get", "key"), (0, "key\nvalue\n"))
            # A killed one is not missed, and comes back under its name and address.
            same(members.kill("etcd-1"), -signal.SIGKILL)
            assert etcdctl("etcd-1", "get", "key")[0] != 0
            same(etcdctl("etcd-2", "put", "key", "other"), (0, "OK\n"))
            members.start("etcd-1")
            wait_for(lambda: healthy("etcd-1"), "etcd-1", 60)
            same(etcdctl("etcd-1", "get", "key"), (0, "key\nother\n"))


@on_a_system("databases")
def test_postgresql_with_two_replicas():
    forwarded = forwarding()
    with installed("postgres", "postgresql.yaml") as machine:
        with Members(machine, "postgres", ["-n", "data"], ["sh", "-c", POSTGRES]) as members:
            for i in range(3):
                members.start(f"postgres-{i}")

            def psql(host, statement):
                """As a pod, so that name, user and password are those of its container."""
                return members.ask("postgres-0", "psql", "-h", host, "-Atc", statement)

            def answers(pod):
                return psql(f"{pod}.postgres-all", "select 1") == (0, "1\n")

            for i in range(3):
                wait_for(lambda: answers(f"postgres-{i}"), f"postgres-{i}", 90)
            same(psql("postgres-0.postgres-all", "create table t as select 7 as n")[0], 0)
            for i in 1, 2:
                replica = f"postgres-{i}.postgres-all"
                wait_for(lambda: psql(replica, "select n from t") == (0, "7\n"), f"{replica} to follow")
                same(psql(replica, "select pg_is_in_recovery()"), (0, "t\n"))
                status, said = psql(replica, "insert into t values (8)")
                assert status != 0 and "read-only" in said, said
            if forwarded:
                same(psql("postgres", "insert into t values (8) returning n")[1].split()[0], "8")
                same(psql("postgres", "select pg_is_in_recovery()"), (0, "f\n"))
                found = {psql("postgres-read", "select pg_is_in_recovery()") for _ in range(9)}
                same(found, {(0, "t\n")})
            same(psql("postgres-0.postgres-all", "select count(*) from pg_stat_replication"), (0, "2\n"))


def redis_works(machine, before, program, forwarded):
    with Members(machine, "redis", before, ["sh", "-c", REDIS], program) as members:
        for i in range(3):
            members.start(f"redis-{i}")

        def redis(host, *words):
            return members.ask("redis-0", "redis-cli", "-h", host, *words)

        for i in range(3):
            wait_for(lambda: redis(f"redis-{i}.redis-all", "ping") == (0, "PONG\n"), f"redis-{i}")
        same(redis("redis-0.redis-all", "set", "key", "value"), (0, "OK\n"))
        for i in 1, 2:
            replica = f"redis-{i}.redis-all"
            wait_for(lambda: redis(replica, "get", "key") == (0, "value\n"), "the replica")
            assert "READONLY" in redis(replica, "set", "key", "x")[1]
        same(redis("redis-0.redis-all", "wait", "2", "5000"), (0, "2\n"))
        if forwarded:
            same(redis("redis", "set", "key", "through the Service"), (0, "OK\n"))
            same(redis("redis", "get", "key"), (0, "through the Service\n"))
        assert "connected_slaves:2" in redis("redis-0.redis-all", "info", "replication")[1]


@on_a_system("databases")
def test_redis_with_two_replicas():
    forwarded = forwarding()
    with installed("redis", "redis.yaml") as machine:
        redis_works(machine, [], "kubesvc", forwarded)


@on_a_system("databases")
def test_redis_from_a_build_directory():
    """Nothing is installed and no daemon runs: each member brings its own."""
    system = prepared("redis")
    for name in "kubesvc", "kubesvcd", "libnss_kubesvc.so.2":
        system.file(BUILD_DIRECTORY).mkdir(parents=True, exist_ok=True)
        shutil.copy(built(name), system.file(BUILD_DIRECTORY))
    system.write("/srv/redis.yaml", (STATEFUL / "redis.yaml").read_text())
    with Machine(system) as machine:
        redis_works(machine, ["--manifests", "/srv/redis.yaml"], f"{BUILD_DIRECTORY}/kubesvc", False)
        left = "ls -d /tmp/kubesvc-run-* 2>/dev/null || pgrep kubesvcd || :"
        wait_for(lambda: machine.sh(left) == "", "the members' daemons to end")
