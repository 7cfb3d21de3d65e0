# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc-cluster and an API server, or a network, that does not do what it should."""

import json
import pathlib
import threading

from api_server import (
    TOO_LARGE,
    ApiServer,
    Follower,
    base64_of,
    endpoint_slice,
    make_tls,
    namespace,
    service,
    status,
)
from harness import limit, same

RESOURCES = ("services", "endpointslices", "namespaces")


class World:
    """A server with one Service and a follower in sync with it."""

    def __init__(self, options=(), **api):
        self.api = ApiServer(**api)
        self.api.put("namespaces", namespace("moon"))
        self.api.put("services", service("moon", "web", "10.0.0.1"))
        self.api.put("endpointslices", endpoint_slice("moon", "web-1", "web", "10.1.0.1"))
        self.options = options

    def __enter__(self):
        self.follower = Follower(self.api, options=self.options)
        self.follower.until_state("synced")
        for resource in RESOURCES:
            self.api.wait_requests("watch", resource, 1)
        return self.api, self.follower

    def __exit__(self, *what):
        try:
            self.follower.__exit__(*what)
        finally:
            self.api.stop()


def address(follower):
    """Of the Service moon/web, None if it is not there."""
    for value in follower.files().get("moon/web.json", []):
        if value["kind"] == "Service":
            return value["spec"]["clusterIP"]
    return None


def until_address(follower, expected):
    follower.until(lambda: address(follower) == expected, expected)


def settle(api, follower, expected="10.0.9.9"):
    """A change still arrives."""
    api.put("services", service("moon", "web", expected))
    until_address(follower, expected)


def test_expired_as_an_event():
    with World() as (api, follower):
        api.delete("services", service("moon", "web"))  # unnoticed
        api.put("services", service("moon", "new", "10.0.0.2"))
        follower.until(lambda: "moon/new.json" in follower.files(), "the new one")
        api.forget(api.version + 1)
        api.end_watches()
        lists = api.wait_requests("list", "services", 2)
        same(lists[1].query, {"limit": "500", "resourceVersion": str(api.version),
                              "resourceVersionMatch": "NotOlderThan"})
        api.oldest = 0
        api.put("services", service("moon", "web", "10.0.9.9"))
        until_address(follower, "10.0.9.9")


def test_expired_as_a_status():
    with World() as (api, follower):
        api.fail("watch", "services", status(410, "Expired"))
        api.end_watches()
        api.wait_requests("list", "services", 2)
        settle(api, follower)


def test_deleted_while_nobody_watched():
    with World() as (api, follower):
        api.fail("watch", "services", status(410, "Gone"))
        api.put("services", service("moon", "gone", "10.0.0.3"))
        follower.until(lambda: "moon/gone.json" in follower.files(), "the Service")
        with api.lock:  # neither an event nor a version shows it
            del api.objects["services"][("moon", "gone")]
        api.end_watches()
        follower.until(lambda: "moon/gone.json" not in follower.files(), "its end")


def test_too_many_requests_with_retry_after():
    with World() as (api, follower):
        api.fail("watch", "services", status(429, "TooManyRequests", [("Retry-After", "3")]))
        api.end_watches()
        failed = api.wait_requests("watch", "services", 2)[1]
        again = api.wait_requests("probe", "services", 1)[0]
        assert again.time - failed.time >= 3, again.time - failed.time
        settle(api, follower)


@limit(90)
def test_backoff_grows_and_is_bounded():
    with World() as (api, follower):
        api.fail("watch", "services", status(503, "ServiceUnavailable"), times=1)
        api.fail("probe", "services", status(503, "ServiceUnavailable"), times=3)
        api.end_watches()
        before = api.wait_requests("watch", "services", 2)[1].time
        for i in range(4):  # how much longer at most: tests/unit/cluster/test_backoff.c
            after = api.wait_requests("probe", "services", i + 1)[i].time
            assert after - before >= 0.8 * 2**i, (i, after - before)
            before = after
        settle(api, follower)


def test_denied_after_a_restart_keeps_everything():
    with World() as (api, follower):
        api.fail("watch", None, status(403, "Forbidden", message="no RBAC yet"), times=None)
        api.fail("probe", None, status(403, "Forbidden", message="no RBAC yet"), times=None)
        api.end_watches()
        follower.until_state("denied")
        assert "HTTP 403: no RBAC yet" in follower.status()["problem"]
        same(address(follower), "10.0.0.1")
        api.clear()
        follower.until_state("synced")
        same(api.count("list"), 3)
        settle(api, follower)


def test_missing_rights_are_named():
    with ApiServer() as api:
        api.fail("list", "endpointslices", status(403, "Forbidden", message="nope"), times=None)
        with Follower(api) as follower:
            follower.until_state("denied")
            same(follower.status()["problem"],
                 "cannot list endpointslices.discovery.k8s.io: HTTP 403: nope")
            same(follower.files(), {})
            same(follower.wait_line("cannot list endpointslices.discovery.k8s.io") is None, False)


def test_a_watch_that_is_denied_is_not_in_sync_in_between():
    """It may be listed, so every probe succeeds; that is no news."""
    with World() as (api, follower):
        api.fail("watch", "services", status(403, "Forbidden", message="no watch"), times=None)
        n = api.count("watch", "services")
        api.end_watches()
        api.wait_requests("watch", "services", n + 4)
        same([line for line in follower.lines if "services: " in line],
             ["cannot watch services: HTTP 403: no watch; keeping what is known"])
        same(follower.status()["state"], "denied")
        api.clear()
        follower.wait_line("services: connected again")
        follower.until_state("synced")
        settle(api, follower)


def test_server_restarts():
    with World() as (api, follower):
        port = api.port
        api.stop()
        follower.until_state("disconnected")
        same(address(follower), "10.0.0.1")
        api.put("services", service("moon", "web", "10.0.0.8"))
        api.delete("endpointslices", endpoint_slice("moon", "web-1", "web"))
        api.broken = False
        api.start(port)
        until_address(follower, "10.0.0.8")
        follower.until(lambda: len(follower.files()["moon/web.json"]) == 1, "the slice's end")
        follower.until_state("synced")
        same(api.count("list"), 3)


def test_restored_etcd():
    """Its versions are smaller, and what it does not have yet is kept for a while."""
    with World() as (api, follower):
        api.stop()
        follower.until_state("disconnected")
        with api.lock:
            api.version = 5
            api.events = {resource: [] for resource in api.events}
            del api.objects["services"][("moon", "web")]
        api.broken = False
        api.start(api.port)
        lists = api.wait_requests("list", "services", 2)
        same(lists[1].query, {"limit": "500"})
        follower.until_state("synced")
        same(address(follower), "10.0.0.1")
        settle(api, follower)


def test_list_from_the_future():
    with World() as (api, follower):
        api.fail("watch", "services", status(410, "Expired"))
        api.fail("list", "services", TOO_LARGE)
        api.end_watches()
        same(api.wait_requests("list", "services", 3)[2].query, {"limit": "500"})
        settle(api, follower)


def test_character_split_between_chunks():
    with World() as (api, follower):
        value = service("moon", "web", "10.0.0.6")
        value["metadata"]["labels"] = {"note": "äöü€𝄞"}
        value["metadata"]["resourceVersion"] = "200"

        def bytewise(handler):
            handler.begin_watch()
            line = json.dumps({"type": "MODIFIED", "object": value}, ensure_ascii=False)
            for byte in line.encode() + b"\n":
                handler.chunk(bytes([byte]))
            handler.end_watch()

        api.fail("watch", "services", bytewise)
        api.end_watches()
        until_address(follower, "10.0.0.6")
        same(follower.files()["moon/web.json"][0]["metadata"]["labels"], {"note": "äöü€𝄞"})


def test_type_behind_the_object():
    with World() as (api, follower):
        value = service("moon", "web", "10.0.0.6")

        def backwards(handler):
            handler.begin_watch()
            handler.chunk(json.dumps({"object": value, "type": "MODIFIED"}).encode())
            handler.end_watch()

        api.fail("watch", "services", backwards)
        api.end_watches()
        until_address(follower, "10.0.0.6")


def test_half_an_event_at_the_end():
    with World() as (api, follower):
        version = api.version

        def half(handler):
            handler.begin_watch()
            handler.chunk(b'{"type":"DELETED","object":{"kind":"Service","metadata":{"name":"web",'
                          b'"namespace":"moon","resourceVersion":"900"}')
            handler.end_watch()

        for action in (half, lambda handler: (half_started(handler), handler.drop())):
            api.fail("watch", "services", action)
            n = api.count("watch", "services")
            api.end_watches()
            watches = api.wait_requests("watch", "services", n + 2)
            assert int(watches[-1].query["resourceVersion"]) <= version
            same(address(follower), "10.0.0.1")
        settle(api, follower)


def half_started(handler):
    handler.begin_watch()
    handler.chunk(b'{"type":"ADDED","object":{"metadata"')


@limit(300)
def test_a_watch_on_which_nothing_comes_is_not_trusted_for_long():
    """A proxy has lost it, say: the connection is open, but nothing that happens is told on it."""
    with World() as (api, follower):
        ended = threading.Event()

        def silence(handler):
            handler.begin_watch()
            ended.wait()
            handler.drop()

        api.fail("watch", "services", silence)
        n = api.count("watch", "services")
        api.end_watches()
        api.wait_requests("watch", "services", n + 1)
        api.put("services", service("moon", "web", "10.0.0.2"))
        try:
            follower.until(lambda: address(follower) == "10.0.0.2", "the change", 200)
        finally:
            ended.set()
        same([line for line in follower.lines if "cannot" in line], [])


@limit(120)
def test_requests_that_hang_do_not_hold_up_others():
    """Also not on new connections, after the first ones have timed out."""
    with World() as (api, follower):
        ended = threading.Event()
        api.fail("probe", None, lambda handler: (ended.wait(), handler.drop()), times=None)
        api.fail("watch", None, status(500, "InternalError"), times=3)
        api.end_watches()
        try:
            follower.until(lambda: api.count("probe") == 6, "more than one probe each", 50)
        finally:
            ended.set()
        same({line.rpartition(": ")[2] for line in follower.lines if "cannot list" in line},
             {"Operation timed out; keeping what is known"})


def test_what_is_no_json():
    with World() as (api, follower):
        for body in (b"<html>sorted out</html>", b'{"type":"ADDED","object":' + b'{"a":' * 200):
            def odd(handler, body=body):
                handler.begin_watch()
                handler.chunk(body)
                handler.end_watch()

            n = api.count("probe", "services")
            api.fail("watch", "services", odd)
            api.end_watches()
            api.wait_requests("probe", "services", n + 1)
            follower.until_state("synced")
        same(address(follower), "10.0.0.1")
        settle(api, follower)


def test_incomplete_list_deletes_nothing():
    bodies = (
        b'{"kind":"ServiceList","metadata":{"resourceVersion":"500"},"items":[',
        b'{"kind":"ServiceList","metadata":{"resourceVersion":"500"}}',
        b'{"kind":"ServiceList","items":[]}',
        b"{}",
        b"",
    )
    with World() as (api, follower):
        api.fail("watch", "services", status(410, "Expired"))
        for body in bodies:
            api.fail("list", "services", lambda handler, body=body: handler.send_body(200, body))
        api.end_watches()
        api.wait_requests("list", "services", 3)
        same(address(follower), "10.0.0.1")


def test_page_token_expires():
    with ApiServer() as api:
        for i in range(1200):
            api.put("services", service("moon", f"s{i:04}", "10.0.0.1"))

        def page(handler):
            api.requests[-1].query.pop("resourceVersion", None)
            api.serve_list(handler, api.requests[-1])

        # A server that pages what it has in its cache, too.
        api.fail("list", "services", page)
        api.fail("list", "services", lambda handler: api.serve_list(handler, api.requests[-1]))
        api.fail("list", "services", status(410, "Expired"))
        with Follower(api) as follower:
            follower.until_state("synced")
            lists = api.seen("list", "services")
            same([r.query.get("continue") for r in lists[:3]], [None, "500", "1000"])
            same(lists[3].query.get("continue"), None)
            same(len(follower.files()), 1200)


def test_pages():
    with World() as (api, follower):
        for i in range(1100):
            api.put("services", service("moon", f"s{i:04}", "10.0.0.1"))
        follower.until(lambda: len(follower.files()) == 1102, "all")
        api.fail("watch", "services", status(410, "Expired"))
        api.delete("services", service("moon", "s0500"))
        follower.until(lambda: len(follower.files()) == 1101, "all but one")
        api.end_watches()
        lists = api.wait_requests("list", "services", 4)
        same([r.query.get("continue") for r in lists[1:]], [None, "500", "1000"])
        follower.until_state("synced")
        same(len(follower.files()), 1101)


def test_bookmarks_keep_the_version_young():
    with World() as (api, follower):
        for _ in range(5):
            api.bookmark("services")
        version = api.version
        api.end_watches()
        watches = api.wait_requests("watch", "services", 2)
        same(watches[1].query["resourceVersion"], str(version))


def test_watch_that_ends_at_once_is_not_repeated_at_once():
    with World() as (api, follower):
        def nothing(handler):
            handler.begin_watch()
            handler.end_watch()

        api.fail("watch", "services", nothing, times=None)
        api.end_watches()
        api.wait_requests("probe", "services", 2)
        assert api.count("watch", "services") <= 4, api.requests
        api.clear()
        settle(api, follower)


def test_large_list_in_little_memory():
    """100 MB of it, most of which is not kept."""
    with ApiServer() as api:
        ballast = "x" * 100_000
        for i in range(1000):
            value = service("moon", f"s{i:04}", "10.0.0.1")
            value["metadata"]["annotations"] = {"ballast": ballast}
            api.put("services", value)
        with Follower(api) as follower:
            follower.until_state("synced", 50)
            same(len(follower.files()), 1000)
            text = pathlib.Path(f"/proc/{follower.process.pid}/status").read_text()
            peak = int(text.split("VmHWM:")[1].split()[0])
            assert peak < 40_000, peak


def test_tls_with_client_certificate_and_another_name():
    context = make_tls("api.example")
    context.verify_mode = 2  # CERT_REQUIRED
    with ApiServer(tls=context) as api:
        api.put("services", service("moon", "web", "10.0.0.1"))
        user = {"client-certificate-data": base64_of("client.pem"),
                "client-key-data": base64_of("client.key")}
        ca = {"certificate-authority-data": base64_of("ca.pem")}
        good = api.kubeconfig("good", user, **ca, **{"tls-server-name": "api.example"})
        with Follower(good, options=["--once"]) as follower:
            same(follower.wait(), 0, follower.lines)
        files = {"client-certificate": "client.pem", "client-key": "client.key"}
        relative = api.kubeconfig("relative", files, **{"certificate-authority": "ca.pem",
                                                        "tls-server-name": "api.example"})
        with Follower(relative, "out2", options=["--once"]) as follower:
            same(follower.wait(), 0, follower.lines)
        for name, expected in (({}, "127.0.0.1"), ({"tls-server-name": "other"}, "other")):
            with Follower(api.kubeconfig("bad", user, **ca, **name), "out3", ["--once"]) as follower:
                same(follower.wait(), 1)
                assert expected in " ".join(follower.lines), follower.lines
        # Another authority, if only the system's own, is not believed.
        with Follower(api.kubeconfig("none", user, **{"tls-server-name": "api.example"}), "out4",
                      ["--once"]) as follower:
            same(follower.wait(), 1)
            assert "certificate" in " ".join(follower.lines), follower.lines
        with Follower(api.kubeconfig("open", user, **{"insecure-skip-tls-verify": True}), "out5",
                      ["--once"]) as follower:
            same(follower.wait(), 0)
            assert "certificate is not checked" in follower.lines[0]


def test_token_is_replaced_during_a_watch():
    with ApiServer() as api:
        api.put("services", service("moon", "web", "10.0.0.1"))
        pathlib.Path("token").write_text("secret\n")
        with Follower(api.kubeconfig(user={"tokenFile": "token"})) as follower:
            follower.until_state("synced")
            api.wait_requests("watch", "services", 1)
            api.accepted = {"Bearer other"}
            pathlib.Path("token").write_text("other\n")
            api.end_watches()
            settle(api, follower)
            same(api.count("probe"), 0)
            same(follower.status()["state"], "synced")
            assert not any("401" in line or "other" in line for line in follower.lines)


def test_basic_authentication():
    with ApiServer() as api:
        api.accepted = {"Basic dTpw"}
        kubeconfig = api.kubeconfig(user={"username": "u", "password": "p"})
        with Follower(kubeconfig, options=["--once"]) as follower:
            same(follower.wait(), 0)


def test_proxy_is_asked_to_connect():
    context = make_tls("127.0.0.1")
    with ApiServer(tls=context) as api, ApiServer() as proxy:
        proxy.target_port = api.port
        api.put("services", service("moon", "web", "10.0.0.1"))
        kubeconfig = api.kubeconfig(**{"certificate-authority-data": base64_of("ca.pem"),
                                       "proxy-url": f"http://127.0.0.1:{proxy.port}"})
        with Follower(kubeconfig) as follower:
            follower.until_state("synced")
            settle(api, follower)
        same(set(proxy.connects), {f"127.0.0.1:{api.port}"})


def test_unsupported_credentials_name_the_way_out():
    with ApiServer() as api:
        for key, value in (("exec", {"command": "aws"}), ("auth-provider", {"name": "gcp"}),
                           ("as", "root")):
            with Follower(api.kubeconfig(user={key: value})) as follower:
                same(follower.wait(), 1)
                assert "kubeconfig:1:" in follower.lines[0], follower.lines
                assert f"{key}: " in follower.lines[0], follower.lines
        same(api.requests, [])


def test_max_age_takes_the_names_away():
    config = pathlib.Path("cluster.yaml").resolve()
    config.write_text("maxAge: 3s\njitter: 0\n")
    with World(options=["--config", str(config)]) as (api, follower):
        api.stop()
        follower.until_state("disconnected")
        same(address(follower), "10.0.0.1")
        follower.until_state("expired")
        same(follower.files(), {})
        api.broken = False
        api.start(api.port)
        follower.until_state("synced")
        same(address(follower), "10.0.0.1")


@limit(120)
def test_storm_of_fifty():
    """50 at once: one list each of each resource, and after a failure they come back spread."""
    with ApiServer() as api:
        api.put("services", service("moon", "web", "10.0.0.1"))
        kubeconfig = api.kubeconfig()
        followers = [Follower(kubeconfig, f"out{i}") for i in range(50)]
        try:
            for follower in followers:
                follower.until_state("synced", 60)
            same({r: api.count("list", r) for r in RESOURCES}, dict.fromkeys(RESOURCES, 50))
            port = api.port
            api.stop()
            for follower in followers:
                follower.until_state("disconnected", 60)
            with api.lock:
                api.requests.clear()
            api.broken = False
            api.start(port)
            for follower in followers:
                follower.until_state("synced", 60)
            same(api.count("list"), 0)
            times = sorted(r.time for r in api.seen("probe", "services"))
            assert times[-1] - times[0] > 0.3, times
        finally:
            for follower in followers:
                follower.process.terminate()
            for follower in followers:
                follower.wait()


@limit(90)
def test_first_lists_over_a_copy_are_spread():
    config = pathlib.Path("cluster.yaml").resolve()
    config.write_text("jitter: 4\n")
    with ApiServer() as api:
        kubeconfig = api.kubeconfig()
        for i in range(8):
            with Follower(kubeconfig, f"out{i}", ["--once"]) as follower:
                same(follower.wait(), 0)
        with api.lock:
            api.requests.clear()
        followers = [Follower(kubeconfig, f"out{i}", ["--config", str(config)]) for i in range(8)]
        try:
            for follower in followers:
                follower.until_state("synced")
            times = sorted(r.time for r in api.seen("list", "services"))
            same(len(times), 8)
            assert times[-1] - times[0] > 0.5, times
        finally:
            for follower in followers:
                follower.process.terminate()
            for follower in followers:
                follower.wait()
