# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random objects for a world, made for collisions: few names, few labels, few addresses.

What each method chances to leave out or to say twice is what the rules are about; see rules.py.
"""

import copy

from .objects import ADDRESSES
from .services import LEADER, SERVICE_NAME, SKIP_MIRROR, TOLERATE

NAMESPACES = ["default", "a", "prod", "svc", "web"]
SERVICES = ["web", "db", "prod", "a", "svc", "1web", "any", "x-y", "localhost"]
HOSTNAMES = ["h0", "db", "web-0", "db-0", "h1", "tcp", "10-71-0-1", "fd00-71--1"]
LONG = "w" * 61  # with two more characters it is as long as a label may be
WORKLOADS = ["web", "db", "job", "node", "x-y"]
UPSTREAM = {
    "www.example.com": ["192.0.2.53", "2001:db8::53"],
    "v4.example.com": ["192.0.2.54"],
    "v6.example.com": ["2001:db8::55", "2001:db8::56"],
    "many.example.org": ["192.0.2.60", "192.0.2.61", "192.0.2.62"],
}
EXTERNAL = [*UPSTREAM, "missing.example.org", "WWW.Example.COM", "www.example.com."]
POOL4 = [f"10.71.0.{n}" for n in range(1, 8)] + ["127.244.0.5", "127.96.0.3"]
POOL6 = [f"fd00:71::{n}" for n in range(1, 5)] + ["fd00:71::", "fd44::5", "2001:db8:0:1:1:1:1:1"]
CLUSTER4 = [f"10.96.0.{n}" for n in range(1, 7)] + ["10.71.0.1", "127.96.0.4"]
CLUSTER6 = [f"fd00:96::{n}" for n in range(1, 4)] + ["fd00:71::1"]
ODD = {
    "10.71.0.1": ["010.071.0.1", "::ffff:10.71.0.1"],
    "10.71.0.2": ["::FFFF:a47:2"],
    "fd00:71::1": ["FD00:71::1", "fd00:0071:0:0:0:0:0:1"],
    "fd00:71::2": ["fd00:71:0:0::2"],
    "fd00:71::": ["fd00:71:0:0:0:0:0:0"],
    "fd00:96::1": ["fd00:96:0::0001"],
}
LABELS = [{"app": "web"}, {"app": "db"}, {"app": "web", "tier": "x"}, {"app": "db", "tier": "x"},
          {"app": "web", "tier": "y"}]
PORTS = [{"port": 80}, {"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"},
         {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"},
         {"name": "sql", "port": 5432, "targetPort": "nope"},
         {"name": "admin", "port": 81, "targetPort": 8081}]


class Inventor:
    """Needs of World: rng, config, namespaces, services."""

    def __init__(self):
        self.workload_names = set()  # (namespace, name, kind)
        self.templates = {}  # (namespace, name of a workload) -> the labels of its pods
        self.shadows = []  # (namespace, Service in it, endpoint of that): see named()
        self.selectors = {}  # (namespace, name of a Service) -> its selector

    def chance(self, probability):
        return self.rng.random() < probability

    def all_objects(self):
        rng, objects = self.rng, []
        if self.chance(0.03):
            return [self.decoy()]
        for namespace in self.namespaces:
            if self.chance(0.4):
                objects.append({"apiVersion": "v1", "kind": "Namespace",
                                "metadata": {"name": namespace}})
            for name in self.services:
                if self.chance(0.7):
                    objects.append(self.service(namespace, name))
                if self.chance(0.35):
                    objects += [self.slice(namespace, name) for _ in range(rng.randint(1, 3))]
                if self.chance(0.2):
                    objects.append(self.mirror(namespace, name))
            objects += [o for _ in range(rng.randint(0, 4)) for o in self.workload(namespace)]
            objects += [self.pod(namespace, n) for n in range(rng.randint(0, 4))]
        if self.chance(0.2):
            objects += self.chain()
        if self.chance(0.15):
            objects += self.named(*self.rng.sample(self.namespaces, 2))
        if f"{self.services[0]}.{self.namespaces[0]}" == self.config.zone:
            objects += self.named(self.namespaces[0], self.services[0])
        objects += [self.decoy() for _ in range(rng.randint(0, 2))]
        objects += self.duplicates(objects)
        if rng.random() < 0.5:
            rng.shuffle(objects)
        return objects

    def meta(self, namespace, name, labels=None, uid=0.1, **annotations):
        meta = {"name": name, "namespace": namespace}
        if labels is not None:
            meta["labels"] = dict(labels)
        if self.chance(uid):
            meta["uid"] = f"7f0cf3b3-8b59-4f3f-9a77-{self.rng.randrange(10**12):012}"
        if annotations:
            meta["annotations"] = {self.keys[key]: value for key, value in annotations.items()}
        return meta

    keys = {"stated": ADDRESSES, "tolerate": TOLERATE, "leader": LEADER}

    def address(self, pool):
        address = self.rng.choice(pool)
        return self.rng.choice(ODD[address]) if address in ODD and self.chance(0.2) else address

    def addresses(self, least=1, most=2):
        pool = POOL4 if self.chance(0.65) else POOL6
        return [self.address(pool) for _ in range(self.rng.randint(least, most))]

    def ports(self):
        return self.rng.choice([None, [], [self.rng.choice(PORTS)], self.rng.sample(PORTS[1:3], 2),
                                [PORTS[4]], [PORTS[1], PORTS[5]]])

    def service(self, namespace, name):
        rng, chance, spec, notes = self.rng, self.chance, {}, {}
        shape = rng.choices(["headless", "stated", "none", "external"], [35, 25, 22, 18])[0]
        if shape == "headless":
            spec["clusterIP"] = "None"
            if chance(0.4):
                spec["clusterIPs"] = ["None"]
        elif shape == "stated":
            self.cluster_ips(spec)
        elif chance(0.3):
            spec["clusterIP"] = ""
        if shape == "external":
            spec |= {"type": "ExternalName", "externalName": self.target()}
            if chance(0.3):
                spec["clusterIP"] = rng.choice(["None", "10.96.0.6"])
        elif shape != "headless" and chance(0.3):
            self.outer(spec)
        if chance(0.7):
            spec["selector"] = dict(rng.choice(LABELS[:3] + [{"tier": "x"}]))
        elif chance(0.5):
            spec["selector"] = rng.choice([None, {}])
        if spec.get("selector"):
            self.selectors[namespace, name] = spec["selector"]
        ports = self.ports()
        if ports is not None:
            spec["ports"] = copy.deepcopy(ports)
        if chance(0.2):
            spec["publishNotReadyAddresses"] = True
        if chance(0.25):
            spec["ipFamilies"] = rng.choice([["IPv4"], ["IPv6"], ["IPv4", "IPv6"]])
        if chance(0.25):
            spec["ipFamilyPolicy"] = rng.choice(["SingleStack", "PreferDualStack",
                                                 "RequireDualStack"])
        if chance(0.15 if shape == "none" else 0.05):
            notes["stated"] = ", ".join(self.addresses(1, 2))
        if chance(0.1):
            notes["tolerate"] = "true"
        service = {"apiVersion": "v1", "kind": "Service",
                   "metadata": self.meta(namespace, name, **notes), "spec": spec}
        if "externalIPs" in spec:
            service["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}
        return service

    def cluster_ips(self, spec):
        four, six = self.address(CLUSTER4), self.address(CLUSTER6)
        ips = self.rng.choice([[four], [four], [six], [four, six], [six, four]])
        if self.chance(0.8) or len(ips) > 1:
            spec["clusterIPs"] = ips
        if len(ips) == 1 or self.chance(0.7):
            spec["clusterIP"] = ips[0]

    def outer(self, spec):
        spec["type"] = self.rng.choice(["NodePort", "LoadBalancer", "ClusterIP"])
        if spec["type"] == "LoadBalancer":
            spec["externalIPs"] = ["203.0.113.8"]

    def target(self):
        zone, rng = self.config.zone, self.rng
        namespace = rng.choice(self.namespaces)
        below = f"{rng.choice(self.services)}.{namespace}.svc.{zone}"
        short = rng.choice([name for name in self.services if name != "localhost"])
        return rng.choice([
            below, below, below, below + ".", below.upper(), f"{rng.choice(HOSTNAMES)}.{below}",
            f"nothing.{namespace}.svc.{zone}", f"web.nosuch.svc.{zone}", "web",
            short, short, f"{namespace}.svc",
            f"{namespace}.svc.{zone}", f"10-71-0-1.{namespace}.pod.{zone}", "192.0.2.7",
            "2001:db8::7", f"_http._tcp.{below}", *EXTERNAL])

    def chain(self):
        """c1 -> c2 -> ... -> the target, of a length about the limit."""
        namespace, length = self.rng.choice(self.namespaces), self.rng.randint(9, 13)
        last = self.rng.choice(["www.example.com", f"web.{namespace}.svc.{self.config.zone}"])
        for n in range(1, length + 1):
            following = f"c{n + 1}.{namespace}.svc.{self.config.zone}" if n < length else last
            yield {"apiVersion": "v1", "kind": "Service",
                   "metadata": self.meta(namespace, f"c{n}", uid=0),
                   "spec": {"type": "ExternalName", "externalName": following}}

    def named(self, here, there):
        """A Service named like another namespace, with an endpoint named like a Service of that."""
        name = self.rng.choice(self.services)
        self.shadows.append((here, there, name))
        yield {"apiVersion": "v1", "kind": "Service", "metadata": self.meta(here, there),
               "spec": {"clusterIP": "None"}}
        slice_ = self.slice(here, there)
        slice_["endpoints"] = [self.endpoint(POOL4) | {"hostname": name}]
        slice_["addressType"] = "IPv4"
        yield slice_
        yield {"apiVersion": "v1", "kind": "Service", "metadata": self.meta(there, name),
               "spec": {"clusterIP": "10.96.0.5"}}

    def target_ref(self, endpoint):
        if self.chance(0.3):
            name = self.rng.choice(["web-0", "pod-7", "p" * 70])
            kind = self.rng.choice([{"kind": "Pod"}] * 4 + [{"kind": "Node"}, {}])
            uid = self.rng.choice([{}, {}, {"uid": "u1"}, {"uid": "u2"}])
            endpoint["targetRef"] = kind | uid | {"name": name}

    def slice(self, namespace, service):
        rng, chance = self.rng, self.chance
        labels = {SERVICE_NAME: service}
        if chance(0.12):
            labels = rng.choice([{}, {"app": "web"}, {SERVICE_NAME: "nosuch"}])
        if chance(0.08):
            namespace = rng.choice(NAMESPACES)
        slice_ = {"apiVersion": rng.choice(["discovery.k8s.io/v1"] * 3
                                           + ["discovery.k8s.io/v1beta1"]),
                  "kind": "EndpointSlice",
                  "metadata": self.meta(namespace, f"{service}-{rng.randint(1, 4)}", labels)}
        pool, slice_["addressType"] = (POOL4, "IPv4") if chance(0.65) else (POOL6, "IPv6")
        if chance(0.03):
            pool, slice_["addressType"] = ["host.example.com"], "FQDN"
        ports = self.ports()
        if ports is not None:
            # slices of one port name may have different numbers
            more = 1000 * (slice_["metadata"]["name"][-1] in "24")
            slice_["ports"] = [{k: v for k, v in port.items() if k != "targetPort"}
                               | {"port": port["port"] + more} for port in ports]
        elif chance(0.5):
            slice_["ports"] = None
        slice_["endpoints"] = [self.endpoint(pool) for _ in range(rng.randint(0, 3))] or rng.choice(
            [None, []])
        return slice_

    def endpoint(self, pool):
        chance = self.chance
        endpoint = {"addresses": [self.address(pool) for _ in range(1 + chance(0.25))]}
        if chance(0.4):
            endpoint["hostname"] = self.rng.choice(HOSTNAMES)
        if chance(0.7):
            ready = self.rng.choice([True, True, False, None, "absent"])
            endpoint["conditions"] = {} if ready == "absent" else {"ready": ready}
            if chance(0.4):
                endpoint["conditions"] |= {"serving": chance(0.5), "terminating": chance(0.5)}
        self.target_ref(endpoint)
        return endpoint

    def mirror(self, namespace, service):
        rng, chance, notes, labels = self.rng, self.chance, {}, None
        if chance(0.2):
            labels = {SKIP_MIRROR: rng.choice(["true", "true", "false"])}
        elif chance(0.2):
            notes["leader"] = '{"holderIdentity":"x"}'
        subsets, self.again = [], []
        for _ in range(rng.randint(0, 3)):
            subset = {}
            for key in "addresses", "notReadyAddresses":
                if chance(0.7):
                    subset[key] = [self.mirrored() for _ in range(rng.randint(1, 2))]
            ports = self.ports()
            if ports is not None:
                subset["ports"] = [{k: v for k, v in p.items() if k != "targetPort"} for p in ports]
            subsets.append(subset)
        return {"apiVersion": "v1", "kind": "Endpoints",
                "metadata": self.meta(namespace, service, labels, **notes), "subsets": subsets}

    def mirrored(self):
        """An endpoint's address, not seldom one that the object has already."""
        one = {"ip": self.addresses(1, 1)[0] if self.chance(0.9) else "this-is-not-an-ip"}
        if self.again and self.chance(0.5):
            one["ip"] = self.rng.choice(self.again)
        self.again.append(one["ip"])
        if self.chance(0.4):
            one["hostname"] = self.rng.choice(HOSTNAMES)
        self.target_ref(one)
        return one

    def labels_and_service(self, namespace):
        """Labels of a pod and the Service that its subdomain names, not seldom one selecting it."""
        rng = self.rng
        selecting = sorted(name for where, name in self.selectors if where == namespace)
        if selecting and self.chance(0.6):
            name = rng.choice(selecting)
            return self.selectors[namespace, name] | rng.choice([{}, {"tier": "x"}]), name
        return rng.choice(LABELS), rng.choice(self.services)

    def pod_spec(self, subdomain):
        spec, rng, chance = {}, self.rng, self.chance
        if chance(0.4):
            spec["hostname"] = rng.choice(HOSTNAMES[:6])
        if chance(0.5):
            spec["subdomain"] = subdomain
        if chance(0.2):
            spec["hostNetwork"] = True
        if chance(0.1):
            spec["hostnameOverride"] = "over"
        if chance(0.1):
            spec["setHostnameAsFQDN"] = True
        port = {"name": "http", "containerPort": 8080}
        spec["containers"] = [{"name": "c", "image": "i:1"} | (
            {"ports": [port]} if chance(0.4) else {})]
        return spec

    def pod(self, namespace, number):
        rng, chance, notes = self.rng, self.chance, {}
        name = f"{rng.choice(['pod', 'stray', *WORKLOADS])}-{number + 5}"
        labels, subdomain = self.labels_and_service(namespace)
        workloads = sorted(n for where, n in self.templates if where == namespace)
        if workloads and chance(0.5):  # one of its pods, or nearly
            workload = rng.choice(workloads)
            labels = self.templates[namespace, workload]
            name = self.pod_name(workload, number) if chance(0.9) else name
            if chance(0.3):
                labels = labels | {"pod-template-hash": "5d8f7c9b4d"}
        spec = self.pod_spec(subdomain)
        status = self.pod_status() if chance(0.7) else rng.choice([None, {}])
        if chance(0.05 if status else 0.2):
            notes["stated"] = ",".join(self.addresses(1, 2))
        meta = self.meta(namespace, name, labels, **notes)
        if chance(0.12):
            meta["deletionTimestamp"] = "2026-03-01T00:00:00Z"
        if chance(0.25):
            kind = rng.choice(["Deployment", "ReplicaSet", "StatefulSet", "Node"])
            meta["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": kind,
                                        "name": rng.choice(WORKLOADS + ["web-5d"]),
                                        "controller": True}]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
        if status is not None:
            pod["status"] = status
        return pod

    def pod_name(self, workload, number):
        """As one of its pods might be called, or nearly so."""
        end = "2456"[number]
        return workload + self.rng.choice([
            f"-{number}", f"-{self.rng.randint(0, 6)}", f"-0{number}", f"-x7kp{end}", f"-abcd{end}",
            f"-5d8f7c9b4d-x7kp{end}", f"-5d8f7c9b-x7kp{end}", f"-7c9-x7kp{end}",
            f"-{number}-x7kp{end}", f"-debug-{number}", f"x-{number}"])

    def pod_status(self):
        rng, status = self.rng, {}
        ip4, ip6 = self.address(POOL4), self.address(POOL6)
        ips = rng.choice([[ip4], [ip4], [ip6], [ip4, ip6], [ip6, ip4], []])
        phase = rng.choice(["Running"] * 5 + ["Pending", "Succeeded", "Failed", "Unknown", None])
        if phase:
            status["phase"] = phase
        if ips and (len(ips) > 1 or self.chance(0.6)):
            status["podIPs"] = [{"ip": ip} for ip in ips]
        if ips and ("podIPs" not in status or self.chance(0.8)):
            status["podIP"] = ips[0]
        ready = rng.choice(["True"] * 4 + ["False", "Unknown", None])
        if ready or not status:
            status["conditions"] = [{"type": "Initialized", "status": "True"},
                                    {"type": "Ready", "status": ready or "False"}]
        return status

    def workload(self, namespace):
        rng, chance = self.rng, self.chance
        name = rng.choice(WORKLOADS)
        kind = rng.choice(["Deployment", "Deployment", "ReplicaSet", "ReplicationController",
                           "StatefulSet", "StatefulSet", "DaemonSet", "Job", "Job", "Job",
                           "CronJob"])
        if kind == "StatefulSet" and chance(0.25):
            name = LONG
        taken = [k for *known, k in self.workload_names if known == [namespace, name]]
        if kind in taken or (taken and chance(0.8)):
            return
        self.workload_names.add((namespace, name, kind))
        labels, subdomain = self.labels_and_service(namespace)
        self.templates[namespace, name] = labels
        template = {"metadata": {"labels": dict(labels)}, "spec": self.pod_spec(subdomain)}
        if chance(0.08):
            template["metadata"]["annotations"] = {ADDRESSES: ",".join(self.addresses(1, 2))}
        workload = {"apiVersion": {"Job": "batch/v1", "CronJob": "batch/v1",
                                   "ReplicationController": "v1"}.get(kind, "apps/v1"),
                    "kind": kind, "metadata": self.meta(namespace, name)}
        spec = workload["spec"] = {"template": template}
        if kind == "ReplicationController":
            spec |= {"selector": dict(labels)} if chance(0.5) else {}
        elif kind == "CronJob":
            del spec["template"]
            spec |= {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}
        elif kind != "Job":
            key = rng.choice(sorted(labels))
            spec["selector"] = {"matchLabels": dict(labels)} if chance(0.7) else {
                "matchExpressions": [rng.choice([
                    {"key": key, "operator": "In", "values": ["q", labels[key]]},
                    {"key": key, "operator": "Exists"},
                    {"key": key, "operator": "NotIn", "values": ["q"]},
                    {"key": "other", "operator": "DoesNotExist"}])]}
        if kind in ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"):
            spec |= {"replicas": rng.randint(0, 3)} if chance(0.7) else {}
            if chance(0.1 if "replicas" in spec else 0.5):
                yield self.autoscaler(namespace, kind, name)
        if kind == "StatefulSet":
            spec["serviceName"] = subdomain
            spec |= {"ordinals": {"start": rng.randint(0, 3)}} if chance(0.5) else {}
            if name == LONG:
                spec["ordinals"] = {"start": rng.randint(7, 10)}
        if kind in ("Job", "CronJob") and chance(0.8):
            template["spec"]["restartPolicy"] = rng.choice(["OnFailure", "Never"])
        if kind == "Job":
            self.job(workload, spec, subdomain)
        owners = [o for o in self.workload_names if o[0] == namespace and o[1] != name]
        if chance(0.12) and kind != "CronJob" and owners:
            _, owner, of_kind = rng.choice(sorted(owners))
            workload["metadata"]["ownerReferences"] = [{
                "apiVersion": "apps/v1", "kind": rng.choice([of_kind, of_kind, "Deployment"]),
                "name": owner, "controller": True}]
        yield workload
        if kind == "Deployment" and chance(0.3):
            yield {"apiVersion": "apps/v1", "kind": "ReplicaSet",
                   "metadata": self.meta(namespace, f"{name}-5d") | {"ownerReferences": [{
                       "apiVersion": "apps/v1", "kind": "Deployment", "name": name,
                       "controller": True}]},
                   "spec": copy.deepcopy(spec)}

    def autoscaler(self, namespace, kind, name):
        """Of a workload, or nearly so."""
        rng, spec = self.rng, {"maxReplicas": 9}
        version = "v1" if kind == "ReplicationController" else "apps/v1"
        target = {"kind": rng.choice([kind] * 5 + ["Deployment"]), "name": name}
        if self.chance(0.7):
            target["apiVersion"] = rng.choice([version] * 5 + ["example.com/v1"])
        if self.chance(0.8):
            spec["minReplicas"] = rng.randint(0, 4)
        return {"apiVersion": rng.choice(["autoscaling/v1", "autoscaling/v2"]),
                "kind": "HorizontalPodAutoscaler",
                "metadata": self.meta(namespace, f"scale-{rng.randint(0, 3)}"),
                "spec": spec | {"scaleTargetRef": target}}

    def job(self, workload, spec, subdomain):
        rng, chance = self.rng, self.chance
        if chance(0.7):
            spec["parallelism"] = rng.randint(1, 3)
        if chance(0.6):
            spec |= {"completionMode": "Indexed", "completions": rng.randint(1, 4)}
            spec["template"]["spec"]["subdomain"] = subdomain
        if chance(0.2):
            spec["suspend"] = chance(0.7)
        if chance(0.2):
            workload["status"] = {"conditions": [
                {"type": rng.choice(["Complete", "Complete", "Suspended"]),
                 "status": rng.choice(["True", "True", "False"])}]}
        if chance(0.25):
            workload["status"] = workload.get("status", {}) | {"succeeded": rng.randint(0, 3)}
            workload["status"] |= {"active": rng.randint(1, 3)} if chance(0.5) else {}
        if chance(0.15):
            annotations = workload["metadata"].setdefault("annotations", {})
            annotations["helm.sh/hook"] = rng.choice(["pre-install", "post-install", "test", ""])

    def decoy(self):
        rng = self.rng
        namespace = rng.choice(self.namespaces)
        return rng.choice([
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "decoy"},
             "data": {"svc.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: decoy\n"}},
            {"apiVersion": "v1", "kind": "ConfigMap",
             "metadata": {"name": "decoy", "namespace": rng.choice(["other", "Bad"])}},
            {"apiVersion": "serving.knative.dev/v1", "kind": "Service",
             "metadata": {"name": rng.choice(self.services), "namespace": namespace},
             "spec": {"clusterIP": "10.66.6.8"}},
            {"apiVersion": "v1", "kind": "Service",
             "metadata": {"name": rng.choice(["front_end", "Web"]),
                          "namespace": namespace},
             "spec": {"clusterIP": "10.66.6.9"}},
        ])

    def duplicates(self, objects):
        """The same identity again, saying something else."""
        makers = {"Service": self.service, "Endpoints": self.mirror}
        for one in list(objects):
            if one["kind"] in makers and self.chance(0.08):
                meta = one["metadata"]
                if one["apiVersion"] == "v1" and "_" not in meta["name"]:
                    yield makers[one["kind"]](meta["namespace"], meta["name"].lower())
            elif one["kind"] in ("Deployment", "StatefulSet") and self.chance(0.1):  # a patch
                meta = one["metadata"]
                yield {"apiVersion": one["apiVersion"], "kind": one["kind"],
                       "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
                       "spec": {"replicas": self.rng.randint(0, 4)}}
