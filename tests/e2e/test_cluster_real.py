# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-cluster and kubesvcd behind a real kube-apiserver, where $KUBE_BIN has one."""

import pathlib
import random
import socket
import subprocess
import threading

from api_server import Follower, endpoint_slice, service
from harness import Client, Daemon, limit, need_program, same
from real_api import inside


def real(value, kind="Service"):
    """As the API takes it."""
    value = value | {"apiVersion": "discovery.k8s.io/v1" if kind == "EndpointSlice" else "v1",
                     "kind": kind}
    value["metadata"] = {k: v for k, v in value["metadata"].items()
                         if k in ("name", "namespace", "labels")}
    value.pop("status", None)
    return value


def headless(ns, name):
    return real(service(ns, name))


def slice_of(ns, name, *addresses):
    value = real(endpoint_slice(ns, f"{name}-1", name, *addresses), "EndpointSlice")
    for endpoint in value["endpoints"]:
        del endpoint["targetRef"]
    return value


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def daemon_for(output):
    return Daemon([], config=f"manifests:\n- path: {output}\n  recursive: true\n",
                  options=["--namespace", "a"])


def patient(daemon):
    """A client whose lookups do not fail because the machine is busy."""
    return Client(daemon.env | {"GUEST_CLOCK": "40"})


def name_of(ns, name):
    return f"{name}.{ns}.svc.cluster.local"


def replaced(client, name, old, new):
    """Asks until the new address is the answer, and before it only the old one."""
    def is_new(answer):
        assert answer.addresses in ([old], [new]), (answer, old, new)
        return answer.addresses == [new]
    client.until("inet", name, is_new)


def patches(api):
    """Each change is answered, and in between no other answer than the one before it."""
    api.create(namespace("a"))
    api.create(headless("a", "web"))
    value = slice_of("a", "web", "10.1.0.1")
    api.create(value)
    with Follower(api.reader_kubeconfig()) as follower:
        follower.until_state("synced")
        with daemon_for(follower.output) as daemon, patient(daemon) as client:
            name, shown = name_of("a", "web"), "10.1.0.1"
            client.until("inet", name, lambda a: a.addresses == [shown])
            for i in range(200):
                address = f"10.2.0.{i + 1}"
                api.patch(value, {"endpoints": [{"addresses": [address], "conditions": {"ready": True}}]})
                replaced(client, name, shown, address)
                shown = address


@limit(180)
def test_each_patch_is_answered():
    inside("patches")


def random_life(api, n=2000):
    rng = random.Random(20261128)
    spaces, live, slices = ["a", "b", "c"], {}, {}
    for ns in spaces:
        api.create(namespace(ns))
    with Follower(api.reader_kubeconfig()) as follower:
        follower.until_state("synced")
        with daemon_for(follower.output) as daemon, patient(daemon) as client:
            for step in range(n):
                ns, name = rng.choice(spaces), f"s{rng.randrange(12)}"
                key = ns, name
                roll = rng.random()
                if key not in live:
                    value = headless(ns, name)
                    api.create(value)
                    live[key], slices[key] = value, None
                elif slices[key] is None or roll < 0.5:
                    wanted = [f"10.{rng.randrange(1, 200)}.0.{i + 1}" for i in range(rng.randrange(1, 5))]
                    value = slice_of(ns, name, *wanted)
                    if slices[key] is None:
                        api.create(value)
                    else:
                        api.patch(value, {"endpoints": value["endpoints"]})
                    slices[key] = wanted
                elif roll < 0.75:
                    api.delete(slice_of(ns, name))
                    slices[key] = None
                else:
                    api.delete(slice_of(ns, name))
                    api.delete(live.pop(key))
                    slices.pop(key)
                expected = sorted(slices.get(key) or [])
                client.until("inet", name_of(*key), lambda a: sorted(a.addresses) == expected)
                if step % 100 == 0:
                    for ns in spaces:
                        for i in range(12):
                            same(sorted(client.ask("inet", name_of(ns, f"s{i}")).addresses),
                                 sorted(slices.get((ns, f"s{i}")) or []), (step, ns, i))


@limit(400)
def test_random_life():
    inside("random_life")


class Relay:
    """A proxy that is asked to forget the connections it has: what comes on them goes nowhere, but they stay open."""

    def __init__(self, port):
        self.forgotten = self.connections = 0
        self.listening = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listening.accept()
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", 6443))
            for ends in (client, server), (server, client):
                threading.Thread(target=self.copy, args=(*ends, self.connections), daemon=True).start()

    def copy(self, source, target, number):
        while data := source.recv(65536):
            if number > self.forgotten:
                target.sendall(data)

    def forget(self):
        self.forgotten = self.connections


def silence(api):
    """One follower's network drops all packets for a while, another one's proxy forgets its connection."""
    api.create(namespace("a"))
    api.create(headless("a", "web"))
    value = slice_of("a", "web", "10.1.0.1")
    api.create(value)
    relay = Relay(7443)
    through = pathlib.Path("through").resolve()
    through.write_text(api.reader_kubeconfig().read_text().replace("6443", "7443"))

    def patch(address):
        api.patch(value, {"endpoints": [{"addresses": [address], "conditions": {"ready": True}}]})

    def until(follower, address, seconds):
        follower.until(lambda: address in (follower.output / "a" / "web.json").read_text(), address, seconds)

    with Follower(api.reader_kubeconfig(), "direct") as direct, Follower(through, "relayed") as relayed:
        for follower in direct, relayed:
            follower.until_state("synced")
            until(follower, "10.1.0.1", 10)
        relay.forget()
        patch("10.1.0.2")
        until(direct, "10.1.0.2", 10)
        subprocess.run(["nft", "add table inet silence; add chain inet silence c { type filter hook input priority 0; }; "
                        "add rule inet silence c tcp dport 6443 drop; add rule inet silence c tcp sport 6443 drop"],
                       check=True)
        direct.until_state("disconnected", 70)
        subprocess.run(["nft", "delete table inet silence"], check=True)
        api.connection = None
        patch("10.1.0.3")
        until(direct, "10.1.0.3", 100)
        until(relayed, "10.1.0.3", 150)
        assert relay.connections > relay.forgotten


@limit(400)
def test_silence_is_noticed():
    need_program("nft")
    inside("silence")


def disasters(api):
    def fill():
        api.create(namespace("a"))
        api.create(headless("a", "web"))
        api.create(slice_of("a", "web", "10.1.0.1"))

    fill()
    with Follower(api.reader_kubeconfig()) as follower:
        follower.until_state("synced")
        follower.until(lambda: "a/web.json" in follower.files(), "the Service")
        with daemon_for(follower.output) as daemon, patient(daemon) as client:
            client.until("inet", name_of("a", "web"), lambda a: a.addresses == ["10.1.0.1"])
            lost, asked, ended = [], [0], threading.Event()

            def watch():
                with patient(daemon) as other:
                    while not ended.wait(0.01):
                        asked[0] += 1
                        answer = other.ask("inet", name_of("a", "web"))
                        if answer.addresses != ["10.1.0.1"]:
                            lost.append(answer)

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                for i in range(2):
                    api.kill()
                    follower.until_state("disconnected")
                    api.start()
                    follower.until_state("synced", 100)
                    value = headless("a", f"after-{i}")
                    api.create(value)
                    api.create(slice_of("a", f"after-{i}", "10.1.0.9"))
                    client.until("inet", name_of("a", f"after-{i}"),
                                 lambda a: a.addresses == ["10.1.0.9"])
                api.wipe()
                for value in api.rbac():
                    api.create(value)
                fill()
                follower.until_state("synced", 100)
                api.create(headless("a", "new"))
                api.create(slice_of("a", "new", "10.1.0.8"))
                client.until("inet", name_of("a", "new"), lambda a: a.addresses == ["10.1.0.8"], 60)
            finally:
                ended.set()
                watcher.join()
            same(lost, [], f"answers of {asked[0]} that were not there")
            assert asked[0] > 100
    assert pathlib.Path(follower.output / "a" / "web.json").exists()


@limit(400)
def test_killed_restarted_and_wiped_no_name_is_lost():
    inside("disasters")
