# SPDX-License-Identifier: LGPL-2.1-or-later
"""Would an API server take this object? Only what the worlds' objects can have wrong.

Source: Kubernetes pkg/apis/core/validation (ValidateService, ValidateServiceClusterIPsRelatedFields,
ValidateEndpoints, validatePodSpec), pkg/apis/{apps,batch,discovery}/validation and, for families
without a policy, pkg/registry/core/service/storage/alloc.go.
"""

import re

from .addresses import parse

SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
POD_MAKERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


def accepts(thing):
    check = {"Service": service, "EndpointSlice": endpoint_slice, "Endpoints": endpoints,
             "Job": job, "CronJob": cron_job}.get(thing.kind)
    if thing.kind in POD_MAKERS:
        check = pod_maker
    return check(thing.data) if check else True


def service(data):
    spec = data.get("spec") or {}
    ips, one = spec.get("clusterIPs") or [], spec.get("clusterIP") or ""
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy")
    if spec.get("type") == "ExternalName":
        name = spec["externalName"].removesuffix(".")
        return bool(SUBDOMAIN.fullmatch(name)) and not (ips or one or families or policy)
    headless = (ips or [one])[0] == "None"
    if not headless and not spec.get("ports"):
        return False
    if ips and ips[0] != one:
        return False
    if headless:
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            return False
        stated = []
    else:
        stated = [family(ip) for ip in ips or ([one] if one else [])]
    if any(has != wanted for has, wanted in zip(stated, families)) or len(set(stated)) < len(stated):
        return False
    if policy is None:
        policy = "RequireDualStack" if headless and not spec.get("selector") else "SingleStack"
    return policy != "SingleStack" or (len(stated) < 2 and len(families) < 2)


def family(ip):
    return "IPv6" if ":" in parse(ip) else "IPv4"


def endpoint_slice(data):
    kind = data["addressType"]
    return kind == "FQDN" or all(family(ip) == kind for endpoint in data.get("endpoints") or []
                                 for ip in endpoint["addresses"])


def endpoints(data):
    for subset in data.get("subsets") or []:
        every = [*(subset.get("addresses") or []), *(subset.get("notReadyAddresses") or [])]
        if not every or not all(parse(one["ip"]) for one in every):
            return False
    return True


def pod_maker(data):
    spec = data.get("spec") or {}
    return bool(spec.get("selector") and spec.get("template"))


def job(data):
    return data["spec"]["template"]["spec"].get("restartPolicy") in ("OnFailure", "Never")


def cron_job(data):
    return job(data["spec"]["jobTemplate"])
