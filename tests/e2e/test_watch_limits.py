# SPDX-License-Identifier: LGPL-2.1-or-later
"""Watching when inotify does not suffice, bursts, and a daemon that is told to read again."""

import os
import signal
import subprocess

from harness import Client, Daemon, need_program, skip
from watching import World, service


def limited(what):
    """A wrapper that runs a command where a user has only so few of inotify's instances or
    watches."""
    wrapper = [need_program("unshare"), "-r", "sh", "-c",
               f'echo {what.partition("=")[2]} >/proc/sys/user/{what.partition("=")[0]} && exec "$@"',
               "sh"]
    tried = subprocess.run([*wrapper, "true"], capture_output=True, text=True)
    if tried.returncode:
        skip(f"no user namespace with limits here: {tried.stderr.strip()}")
    return wrapper


def falls_back_to_polling(what):
    with World({"a.yaml": service("a", "10.0.0.1")}, wrapper=limited(what)) as world:
        world.daemon.wait_line("cannot watch all manifests")
        world.has("a", "10.0.0.1")
        world.put("a.yaml", service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")
        world.write("b.yaml", service("b", "10.0.0.3"))
        world.has("b", "10.0.0.3")
        os.unlink(world.directory / "a.yaml")
        world.lacks("a")


def test_polling_without_instances():
    falls_back_to_polling("max_inotify_instances=0")


def test_polling_without_watches():
    falls_back_to_polling("max_inotify_watches=1")


def test_queue_overflow():
    """More changes than the queue holds, while the daemon does not listen."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        events = int(file.read())
    if events > 100000:
        skip(f"the queue holds {events} events")
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        world.has("a", "10.0.0.1")
        world.daemon.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, world.daemon.process.pid, os.WSTOPPED | os.WNOWAIT)  # all its threads
        names = [world.directory / f".{name}" for name in "xy"]
        names[0].write_text("")
        for i in range(events // 2 + 10):  # two events each
            os.rename(names[i % 2], names[(i + 1) % 2])
        world.put("a.yaml", service("a", "10.0.0.2"))
        world.put("b.yaml", service("b", "10.0.0.3"))
        world.daemon.process.send_signal(signal.SIGCONT)
        world.daemon.wait_line("inotify lost events")
        world.has("a", "10.0.0.2")
        world.has("b", "10.0.0.3")


def publishes(daemon):
    """How often changes were made visible."""
    kubesvc = str(daemon.process.args[0]).replace("kubesvcd", "kubesvc")
    text = subprocess.run([kubesvc, "metrics"], env=daemon.env, check=True,
                          capture_output=True, text=True).stdout
    return next(int(line.split()[1]) for line in text.splitlines()
                if line.startswith("kubesvc_publishes_total "))


def test_burst_is_few_changes():
    """A thousand files that another program puts in place as fast as it can."""
    with World() as world:
        source = world.directory.parent / "source"
        source.mkdir()
        for i in range(1000):
            (source / f"{i}.yaml").write_text(service(f"s{i}", f"10.1.{i // 250}.{i % 250 + 1}"))
        before = publishes(world.daemon)
        subprocess.run(["cp", "-r", f"{source}/.", world.directory], check=True)
        world.put("zz.yaml", service("zz", "10.0.0.1"))
        world.has("zz", "10.0.0.1")
        for i in 0, 500, 999:
            world.still_has(f"s{i}", f"10.1.{i // 250}.{i % 250 + 1}")
        times = publishes(world.daemon) - before
        assert times < 100, f"{times} publishes"


def test_reload():
    world = {"a.yaml": service("a", "10.0.0.1")}
    with Daemon(world, config="namespace: default\n") as daemon, Client(daemon.env) as client:
        def short(name):
            return client.ask("inet", name).addresses

        assert short("a.default") == ["10.0.0.1"]
        daemon.config.write_text("namespace: default\nsearch: []\n")
        daemon.reload()
        assert short("a.default") == ["192.0.2.99"]  # the next service's
        daemon.config.write_text("namespace: default\nsearch: 17\n")
        daemon.reload()
        daemon.wait_line("configuration rejected; keeping the previous one")
        assert short("a.default") == ["192.0.2.99"]
        daemon.write("b.yaml", service("b", "10.0.0.2"))
        client.until("inet", "b.default.svc.cluster.local", lambda a: a.addresses == ["10.0.0.2"])
        daemon.config.write_text("")
        daemon.reload()
        assert short("a.default") == ["10.0.0.1"]


def test_reloads_while_a_large_file_is_read():
    """However often: each goes on with the file where the one before was."""
    with World() as world:
        many = 20000
        world.put("many.yaml", "---\n".join(service(f"s{i}", f"10.1.{i // 250}.{i % 250 + 1}")
                                            for i in range(many)))

        def reload_until(answer):
            world.daemon.process.send_signal(signal.SIGHUP)
            return answer.addresses

        world.client.until("inet", f"s{many - 1}.default.svc", reload_until)
