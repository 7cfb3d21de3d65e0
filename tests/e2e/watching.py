# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manifests for tests of watching: one Service with one address, and asking for it."""

from harness import Client, Daemon


def service(name, address):
    """Two documents, so that half of the file is not the same as all of it."""
    return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
            "spec: {clusterIP: None}\n"
            f"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
            f"metadata: {{name: {name}, labels: {{kubernetes.io/service-name: {name}}}}}\n"
            f"endpoints: [{{addresses: [{address}]}}]\n")


class World:
    """A daemon that watches the directory `manifests` (or `path` in the daemon's directory), and a
    client; further options are Daemon's. It always serves the Service `rest`, from another directory: where nothing is known at
    all, every name is another one's."""

    def __init__(self, manifests=None, config="", options=(), **more):
        files = [manifests or {}, {"rest.yaml": service("rest", "10.0.0.99")}]
        self.daemon = Daemon(files, config=config, options=options, **more)
        self.directory = self.daemon.directories[0]
        self.client = Client(self.daemon.env)

    def has(self, name, address):
        self.client.until("inet", f"{name}.default.svc", lambda a: a.addresses == [address])

    def lacks(self, name):
        self.client.until("inet", f"{name}.default.svc", lambda a: a.error == "EAI_NONAME")

    def still_has(self, name, address):
        answer = self.client.ask("inet", f"{name}.default.svc")
        assert answer.addresses == [address], answer

    def write(self, name, text):
        """In place."""
        (self.directory / name).write_text(text)

    def put(self, name, text):
        """By rename."""
        self.daemon.write(name, text, self.directory)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.client.__exit__(kind, *rest)
        self.daemon.__exit__(kind, *rest)
