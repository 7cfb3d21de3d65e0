# SPDX-License-Identifier: LGPL-2.1-or-later
"""A scripted API server, as much of one as list and watch need, and a kubesvc-cluster to go with it.

    with ApiServer() as api:
        api.put("services", service("moon", "web", "10.0.0.1"))
        with Follower(api, "out") as follower:
            follower.until(lambda: pathlib.Path("out/moon/web.json").exists())
            api.fail("watch", "services", status(403, "Forbidden"), times=3)

Objects have versions of one counter, as in etcd; a watch goes on from the version that it is asked
for, and one from the future is silent. `requests` is what came, in order. An action given to fail()
gets the handler and answers instead of the server; times=None: until clear() is called.
"""

import base64
import gzip
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

from harness import PATIENCE, built, same, wait_for

KINDS = {
    "services": ("/api/v1", "Service", "v1"),
    "namespaces": ("/api/v1", "Namespace", "v1"),
    "pods": ("/api/v1", "Pod", "v1"),
    "endpointslices": ("/apis/discovery.k8s.io/v1", "EndpointSlice", "discovery.k8s.io/v1"),
}
MANAGED = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:ports": {}}}}]


def service(namespace, name, *addresses, **spec):
    addresses = list(addresses) or ["None"]
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"s-{namespace}-{name}",
                     "annotations": {"note": "ä" * 20}, "managedFields": MANAGED},
        "spec": {"clusterIP": addresses[0], "clusterIPs": addresses,
                 "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
                 "sessionAffinity": "None"} | spec,
        "status": {"loadBalancer": {}},
    }


def endpoint_slice(namespace, name, service_name, *addresses):
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": f"e-{namespace}-{name}",
                     "labels": {"kubernetes.io/service-name": service_name},
                     "managedFields": MANAGED},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address],
                       "conditions": {"ready": True, "serving": True, "terminating": False},
                       "nodeName": "node-1",
                       "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"pod-{i}"}}
                      for i, address in enumerate(addresses)],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


def namespace(name):
    return {"metadata": {"name": name, "uid": f"n-{name}"}, "spec": {"finalizers": ["kubernetes"]}}


def status_body(code, reason, message="scripted", causes=()):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
            "reason": reason, "message": message, "details": {"causes": list(causes)}}


def status(code, reason, headers=(), **more):
    """An action: this Status, with that code."""
    return lambda handler: handler.send_json(code, status_body(code, reason, **more), headers)


TOO_LARGE = status(504, "Timeout", message="Too large resource version: 999, current: 5",
                   causes=[{"reason": "ResourceVersionTooLarge", "message": "Too large"}])


class Request:
    def __init__(self, path, headers):
        parts = urllib.parse.urlsplit(path)
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.path, self.headers, self.time = parts.path, dict(headers), time.monotonic()
        segments = parts.path.split("/")
        self.resource = segments[-1]
        self.namespace = segments[-2] if "namespaces" in segments[:-1] else None
        if "watch" in self.query:
            self.verb = "watch"
        else:
            self.verb = "probe" if self.query.get("limit") == "1" else "list"

    def __repr__(self):
        return f"{self.verb} {self.resource} {self.query}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send_body(self, code, body, headers=()):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, code, value, headers=()):
        self.send_body(code, json.dumps(value).encode(), [("Content-Type", "application/json"),
                                                          *headers])

    def begin_watch(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, kind, value):
        self.chunk(json.dumps({"type": kind, "object": value}, ensure_ascii=False).encode() + b"\n")

    def end_watch(self):
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def drop(self):
        """Closes the connection, whatever was said on it."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def do_CONNECT(self):
        """As a proxy: passes everything on to this same server."""
        api = self.server.api
        api.connects.append(self.path)
        with socket.create_connection(("127.0.0.1", api.target_port)) as other:
            self.send_response(200)
            self.end_headers()
            self.wfile.flush()
            back = threading.Thread(target=_copy, args=(other, self.connection), daemon=True)
            back.start()
            _copy(self.connection, other)
        self.close_connection = True

    def do_GET(self):
        api = self.server.api
        request = Request(self.path, self.headers)
        with api.lock:
            api.requests.append(request)
            action = api.action_for(request)
            api.lock.notify_all()
        try:
            if action:
                action(self)
            elif request.headers.get("Authorization") not in api.accepted:
                self.send_json(401, status_body(401, "Unauthorized", "Unauthorized"))
            elif request.verb == "watch":
                api.serve_watch(self, request)
            else:
                api.serve_list(self, request)
        except (BrokenPipeError, ConnectionError, ssl.SSLError):
            self.close_connection = True


def _copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls = None

    def process_request_thread(self, request, client_address):
        if self.tls:  # in the connection's own thread
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                self.shutdown_request(request)
                return
        super().process_request_thread(request, client_address)

    def handle_error(self, request, client_address):
        pass


class ApiServer:
    def __init__(self, tls=None, port=0):
        self.lock = threading.Condition()
        self.objects = {resource: {} for resource in KINDS}
        self.events = {resource: [] for resource in KINDS}
        self.oldest = 0
        self.version = 100
        self.epoch = 0  # a watch ends when it changes
        self.requests, self.connects = [], []
        self.actions = []
        self.accepted = {None, "Bearer secret"}
        self.tls, self.server = tls, None
        self.start(port)

    def start(self, port=0):
        self.server = _Server(("127.0.0.1", port), Handler)
        self.server.tls = self.tls
        self.server.api = self
        self.port = self.target_port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """As if killed: nothing listens, watches end in the middle."""
        self.server.shutdown()
        self.server.server_close()
        with self.lock:
            self.epoch += 1
            self.broken = True
            self.lock.notify_all()

    broken = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    # --- What it has ---

    def _change(self, kind, resource, value):
        with self.lock:
            self.version += 1
            value = json.loads(json.dumps(value))
            value["metadata"]["resourceVersion"] = str(self.version)
            key = (value["metadata"].get("namespace"), value["metadata"]["name"])
            if kind == "DELETED":
                self.objects[resource].pop(key, None)
            else:
                kind = "MODIFIED" if key in self.objects[resource] else "ADDED"
                self.objects[resource][key] = value
            self.events[resource].append((self.version, kind, value))
            self.lock.notify_all()

    def put(self, resource, value):
        self._change("ADDED", resource, value)

    def delete(self, resource, value):
        self._change("DELETED", resource, value)

    def bookmark(self, resource):
        with self.lock:
            self.version += 1
            self.events[resource].append(
                (self.version, "BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}}))
            self.lock.notify_all()

    def forget(self, version=None):
        """Versions up to this (default: all) are gone: a watch from them gets 410."""
        with self.lock:
            self.oldest = self.version if version is None else version
            self.events = {resource: [] for resource in KINDS}

    def end_watches(self):
        with self.lock:
            self.epoch += 1
            self.lock.notify_all()

    # --- Scripting ---

    def fail(self, verb, resource, action, times=1):
        """`verb`, `resource`: None is any."""
        with self.lock:
            self.actions.append([verb, resource, action, times])

    def clear(self):
        with self.lock:
            self.actions.clear()

    def action_for(self, request):
        for entry in self.actions:
            verb, resource, action, times = entry
            if verb in (None, request.verb) and resource in (None, request.resource):
                if times is not None:
                    entry[3] -= 1
                    if entry[3] == 0:
                        self.actions.remove(entry)
                return action
        return None

    def count(self, verb, resource=None):
        with self.lock:
            return len(self.seen(verb, resource))

    def seen(self, verb, resource=None):
        return [r for r in list(self.requests)
                if r.verb == verb and resource in (None, r.resource)]

    def wait_requests(self, verb, resource, n):
        """Until that many came; returns them."""
        wait_for(lambda: self.count(verb, resource) >= n, f"{n} x {verb} {resource}: "
                 f"{self.requests[-20:]}")
        return self.seen(verb, resource)

    # --- Answers ---

    def serve_list(self, handler, request):
        query = request.query
        asked = int(query.get("resourceVersion") or 0)
        with self.lock:
            if query.get("resourceVersionMatch") == "NotOlderThan" and asked > self.version:
                TOO_LARGE(handler)
                return
            items = [value for (ns, _), value in sorted(
                self.objects[request.resource].items(), key=lambda item: (item[0][0] or "", item[0][1]))
                if request.namespace in (None, ns)]
            version = self.version
        metadata = {"resourceVersion": str(version)}
        limit = int(query.get("limit") or 0)
        start = int(query.get("continue") or 0)
        if limit and query.get("resourceVersion") != "0":
            if start + limit < len(items):
                metadata["continue"] = str(start + limit)
                metadata["remainingItemCount"] = len(items) - start - limit
            items = items[start : start + limit]
        _, kind, api_version = KINDS[request.resource]
        body = json.dumps({"kind": f"{kind}List", "apiVersion": api_version, "metadata": metadata,
                           "items": items}, ensure_ascii=False).encode()
        headers = [("Content-Type", "application/json")]
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            headers.append(("Content-Encoding", "gzip"))
        handler.send_body(200, body, headers)

    def serve_watch(self, handler, request):
        version = int(request.query["resourceVersion"])
        with self.lock:
            epoch = self.epoch
            gone = version < self.oldest
        handler.begin_watch()
        if gone:
            handler.event("ERROR", status_body(410, "Expired", "too old resource version"))
            handler.end_watch()
            return
        while True:
            with self.lock:
                while True:
                    new = [e for e in self.events[request.resource] if e[0] > version]
                    if new or self.epoch != epoch:
                        break
                    self.lock.wait()
                ended = self.epoch != epoch
            for version, kind, value in new:
                if kind == "BOOKMARK" or request.namespace in (
                        None, value["metadata"].get("namespace")):
                    handler.event(kind, value)
            if ended:
                break
        if self.broken:
            handler.drop()
        else:
            with self.lock:
                version = self.version
            if request.query.get("allowWatchBookmarks"):
                handler.event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})
            handler.end_watch()

    # --- Clients ---

    def kubeconfig(self, path="kubeconfig", user=None, **cluster):
        user = {"token": "secret"} if user is None else user
        value = {
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "c", "cluster": {"server": self.url} | cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        path = pathlib.Path(path).resolve()
        path.write_text(json.dumps(value))
        return path


class Follower:
    """kubesvc-cluster, writing to `output`."""

    def __init__(self, kubeconfig, output="out", options=(), env=(), wrapper=()):
        if isinstance(kubeconfig, ApiServer):
            kubeconfig = kubeconfig.kubeconfig()
        self.output = pathlib.Path(output).resolve()
        self.command = [*wrapper, built("kubesvc-cluster"), "--kubeconfig", str(kubeconfig),
                        "--output", str(self.output), *options]
        self.env = {k: v for k, v in os.environ.items()
                    if not k.lower().endswith("_proxy")} | dict(env)
        self.lines = []
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True,
                                        env=self.env, errors="replace")
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()

    def _read(self, process):
        for line in process.stderr:
            self.lines.append(line.rstrip("\n"))

    def status(self):
        try:
            return json.loads((self.output / ".status.json").read_text())
        except FileNotFoundError:
            return {}

    def until(self, condition, what="", seconds=PATIENCE):
        try:
            wait_for(lambda: condition() or self.process.poll() is not None, what, seconds)
            if not condition():
                raise AssertionError(f"it ended: {self.process.poll()}")
        except AssertionError as error:
            said = "\n".join(self.lines[-20:])
            raise AssertionError(f"{error}\n{said}") from None

    def until_state(self, state, seconds=PATIENCE):
        self.until(lambda: self.status().get("state") == state, f"the state {state}", seconds)

    def wait_line(self, text, seconds=PATIENCE):
        self.until(lambda: any(text in line for line in self.lines), repr(text), seconds)
        return next(line for line in self.lines if text in line)

    def files(self):
        """{path: [objects]} of all manifests; each must be whole."""
        files = {}
        for path in sorted(self.output.glob("*/[!.]*.json")):
            try:
                files[str(path.relative_to(self.output))] = json.loads(path.read_text())["items"]
            except FileNotFoundError:
                pass  # removed since it was listed
        return files

    def wait(self):
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return code

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        running = self.process.poll() is None
        code = self.stop()
        if kind is not None:
            print("--- kubesvc-cluster said:", *self.lines[-40:], sep="\n")
        elif running:
            same(code, 0, "status of kubesvc-cluster after SIGTERM")


def make_tls(name="127.0.0.1"):
    """(server context, PEM of the authority, base64 of a client's certificate and of its key)"""
    def run(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    kind = "IP" if name[0].isdigit() else "DNS"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("req", "-x509", *key, "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
    pathlib.Path("server.ext").write_text(f"subjectAltName={kind}:{name}\n")
    for who in ("server", "client"):
        run("req", *key, "-subj", f"/CN={who}", "-keyout", f"{who}.key", "-out", f"{who}.csr")
        extensions = ["-extfile", "server.ext"] if who == "server" else []
        run("x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-out", f"{who}.pem", *extensions)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem", "server.key")
    context.load_verify_locations("ca.pem")
    return context


def base64_of(path):
    return base64.b64encode(pathlib.Path(path).read_bytes()).decode()
