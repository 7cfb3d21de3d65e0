#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stores of manifests to measure with: store.py slices|pods SERVICES PODS DIRECTORY

Half of the Services have a cluster IP, half are headless; pods are dealt out to them in turn. With
`slices` their endpoints are EndpointSlices of at most 100 in up to 20 files, with `pods` they are
minimal Pods of about 600 bytes in one file. The addresses begin at `base` for pods (10.128.0.0) and
at 10.64.0.0 for cluster IPs.
"""

import ipaddress
import pathlib
import sys

SLICE = 100
FILES = 20
BASE = int(ipaddress.IPv4Address("10.128.0.0"))
CLUSTER_BASE = int(ipaddress.IPv4Address("10.64.0.0"))

SERVICE = """\
---
apiVersion: v1
kind: Service
metadata:
  name: svc-{i}
  namespace: ns-{ns}
spec:
  clusterIP: {ip}
  selector:
    app: app-{i}
  ports:
  - name: http
    port: 80
    targetPort: 8080
"""

SLICE_HEAD = """\
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
addressType: IPv4
metadata:
  name: svc-{i}-{n}
  namespace: ns-{ns}
  labels:
    kubernetes.io/service-name: svc-{i}
ports:
- name: http
  port: 8080
  protocol: TCP
endpoints:
"""

ENDPOINT = """\
- addresses: [{ip}]
  conditions: {{ready: true}}
  targetRef: {{kind: Pod, name: p-{pod}, namespace: ns-{ns}}}
"""

POD = """\
---
apiVersion: v1
kind: Pod
metadata:
  name: app-{i}-7d9c5b8f6-{pod:06}
  namespace: ns-{ns}
  labels:
    app: app-{i}
    pod-template-hash: 7d9c5b8f6
  ownerReferences:
  - apiVersion: apps/v1
    kind: ReplicaSet
    name: app-{i}-7d9c5b8f6
    controller: true
spec:
  nodeName: node-{node}
  containers:
  - name: main
    image: registry.example/app:1.2.3
    ports:
    - containerPort: 8080
      name: http
status:
  phase: Running
  podIP: {ip}
  podIPs:
  - ip: {ip}
  conditions:
  - type: Ready
    status: "True"
"""


def address(number):
    return str(ipaddress.IPv4Address(number))


def namespace_of(service):
    return service % 100


def write_services(directory, services):
    with open(directory / "services.yaml", "w", encoding="ascii") as file:
        for i in range(services):
            ip = address(CLUSTER_BASE + i) if i % 2 == 0 else "None"
            file.write(SERVICE.format(i=i, ns=namespace_of(i), ip=ip))


def slices_of(services, pods):
    """(service, number of the slice, its pods). With fewer than SLICE pods for each Service, only
    the first Services have any, so that the slices are full."""
    backed = max(1, min(services, pods // SLICE))
    for i in range(backed):
        mine = list(range(i, pods, backed))
        for n in range(0, len(mine), SLICE):
            yield i, n // SLICE, mine[n : n + SLICE]


def write_slices(directory, services, pods, base):
    slices = list(slices_of(services, pods))
    files = min(FILES, len(slices))
    for f in range(files):
        with open(directory / f"slices-{f}.yaml", "w", encoding="ascii") as file:
            for i, n, members in slices[f::files]:
                ns = namespace_of(i)
                file.write(SLICE_HEAD.format(i=i, n=n, ns=ns))
                for pod in members:
                    file.write(ENDPOINT.format(ip=address(base + pod), pod=pod, ns=ns))


def write_pods(path, services, pods, base):
    with open(path, "w", encoding="ascii") as file:
        for pod in range(pods):
            i = pod % services
            file.write(POD.format(i=i, pod=pod, ns=namespace_of(i), node=pod % 5000,
                                  ip=address(base + pod)))


def write(form, services, pods, directory, base=BASE):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_services(directory, services)
    if form == "slices":
        write_slices(directory, services, pods, base)
    else:
        write_pods(directory / "pods.yaml", services, pods, base)


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("slices", "pods"):
        sys.exit(__doc__)
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
