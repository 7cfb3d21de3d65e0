# SPDX-License-Identifier: LGPL-2.1-or-later
"""`kubesvc explain` names the cause, whatever it is that keeps a name from having the answer that was
expected; `status` shows what is not read."""

import json
import re
import subprocess

from harness import Daemon, built, same


def service(name, spec="clusterIP: 10.0.0.1, ports: [{port: 80}]", metadata=""):
    return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}{metadata}}}\n"
            f"spec: {{{spec}}}\n---\n")


def workload(name, metadata=""):
    return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}{metadata}}}\n"
            f"spec:\n  replicas: 2\n  selector: {{matchLabels: {{app: {name}}}}}\n"
            f"  template: {{metadata: {{labels: {{app: {name}}}}}, "
            "spec: {containers: [{name: a, image: a}]}}\n---\n")


def steps(daemon, name):
    done = subprocess.run([built("kubesvc"), "explain", name, "-o", "json"], env=daemon.env,
                          capture_output=True, text=True)
    return json.loads(done.stdout)["items"]


def causes(daemon, name):
    """[(file name, line, text)]"""
    return [(step["name"].rpartition("/")[2], step.get("position", {}).get("line"), step["text"])
            for step in steps(daemon, name) if step["step"] == "cause"]


def result(daemon, name):
    return steps(daemon, name)[-1]["text"]


def first_cause(daemon, name, file, line, text):
    found = causes(daemon, name)
    assert found, f"no cause for {name}"
    same(found[0][:2], (file, line), f"where, of {name}: {found}")
    assert text in found[0][2], f"{name}: {found}"


def test_what_is_wrong_with_the_service_itself():
    files = {
        "rest.yaml": service("rest"),
        "letters.yaml": service("My_App"),
        "refused.yaml": service("typed", "clusterIP: [1]"),
        "web.yaml": "a: [b\n",
    }
    with Daemon(files) as daemon:
        first_cause(daemon, "my_app", "letters.yaml", 3, "must be a DNS label")
        first_cause(daemon, "typed", "refused.yaml", 4, "clusterIP")
        # the file's name is a better reason than another file
        first_cause(daemon, "web", "web.yaml", 2, "invalid YAML")
        same(causes(daemon, "rest"), [])


def test_files_that_cannot_be_read():
    files = {
        "rest.yaml": service("rest"),
        "all.yaml": service("one") + "a: [b\n",
        "chart.yaml": service("two", 'clusterIP: "{{ .Values.ip }}"') + "{{- if .Values.x }}\n",
    }
    with Daemon(files) as daemon:
        for name in "one", "two", "one.default", "two.default.svc.cluster.local":
            found = causes(daemon, name)
            same([cause[0] for cause in found], ["all.yaml", "chart.yaml"])
            assert "invalid YAML" in found[0][2] and "[syntax]" in found[0][2], found
            assert "looks like a template" in found[1][2], found
        # what a host elsewhere is called is not in a manifest
        same(causes(daemon, "www.example.com"), [])
        daemon.write("all.yaml", service("one"))
        daemon.wait_line("all.yaml: fixed")
        same([cause[0] for cause in causes(daemon, "two")], ["chart.yaml"])


def test_files_that_are_passed_over():
    files = {
        "rest.yaml": service("rest"),
        "web.txt": service("web"),
        "30-api.yaml~": service("api"),
        ".db.yaml": service("db"),
        "apps/shop.yaml": service("shop"),
        "README.md": "",
    }
    with Daemon(files) as daemon:
        apps = ("apps", None, "is a directory, and `recursive` is not set; not read")
        for name, file, text in [
            ("web", "web.txt", "does not end in .yaml"),
            ("api", "30-api.yaml~", "a backup"),
            ("db", ".db.yaml", "hidden"),
        ]:
            first_cause(daemon, name, file, None, text)
            same(causes(daemon, name)[1:], [apps])
        same(causes(daemon, "shop"), [apps])
        status = json.loads(subprocess.check_output([built("kubesvc"), "status", "-o", "json"],
                                                    env=daemon.env))
        same({group["why"]: [path.rpartition("/")[2] for path in group["first"]]
              for group in status["passedOver"]},
             {"hidden": [".db.yaml"], "leftover": ["30-api.yaml~"],
              "other ending": ["README.md", "web.txt"], "not recursive": ["apps"]})
        same(status["ignored"], 5)
        shown = subprocess.check_output([built("kubesvc"), "status"], env=daemon.env, text=True)
        assert re.search(r"Skipped: +1 \(hidden\): .*/.db.yaml\n", shown), shown
        daemon.write("web.yaml", service("web"))
        daemon.wait_state("STATUS=Serving 2 objects.")
        same(causes(daemon, "web"), [])


def test_no_object_at_all():
    options = ["--manifests", "nowhere"]
    with Daemon({}, options=options) as daemon:
        assert "no object is known" in result(daemon, "web"), result(daemon, "web")
        same([cause[0::2] for cause in causes(daemon, "web")],
             [("manifests", "holds no manifest"), ("nowhere", "does not exist")])


def test_external_name_that_leads_nowhere():
    external = "type: ExternalName, externalName: {}.default.svc.cluster.local"
    files = {"a.yaml": service("a", external.format("nix")) + service("b", external.format("c")) +
             service("c", "clusterIP: None, ports: [{port: 80}]") +
             service("self", external.format("self")) + service("in", external.format("one")) +
             service("one", external.format("two")) + service("two", external.format("one")) +
             "".join(service(f"long-{i}", external.format(f"long-{i + 1}")) for i in range(12)) +
             service("no-svc", "type: ExternalName, externalName: web.cluster.local") +
             service("bad", "type: ExternalName, externalName: a..b")}
    with Daemon(files) as daemon:
        for name, text in {
            "self": "self.default.svc.cluster.local; the chain loops back to Service default/self",
            "in": "; the chain loops back to Service default/one",
            "one": "; the chain loops back to Service default/one",
            "long-0": "; the chain has more than 11 aliases",
            "long-1": "; no Service default/long-12",
            "no-svc": "; there is no such name in the zone",
            "bad": "; that is not a valid host name",
        }.items():
            assert result(daemon, name).endswith(text), result(daemon, name)
        assert result(daemon, "a").endswith("; no Service default/nix"), result(daemon, "a")
        assert result(daemon, "b").endswith("; Service default/c, no ready endpoint"), \
            result(daemon, "b")


def test_addresses_of_one_family_only():
    slices = ("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
              "metadata: {name: slices, labels: {kubernetes.io/service-name: slices}}\n"
              "endpoints: [{addresses: [10.0.0.9]}]\n---\n")
    headless = "clusterIP: None, ports: [{port: 80}]"
    dual = ", ipFamilyPolicy: PreferDualStack"
    files = {"a.yaml": "".join([
        service("four"), service("six", "clusterIP: 'fd00::1', ports: [{port: 80}]"),
        service("single", "ports: [{port: 80}]"), service("dual", "ports: [{port: 80}]" + dual),
        service("pods", headless + ", selector: {app: pods}" + dual), workload("pods"),
        service("slices", headless + dual), slices,
        service("both", "clusterIPs: [10.0.0.2, 'fd00::2'], ports: [{port: 80}]" + dual),
    ])}
    with Daemon(files) as daemon:
        for name, text in {
            "four": "no IPv6 address: its clusterIPs state none",
            "six": "no IPv4 address: its clusterIPs state none",
            "single": "no IPv6 address: its ipFamilyPolicy is SingleStack, which is the default",
            "dual": "no IPv6 address: serviceCIDRs has no such range",
            "pods": "no IPv6 address: podCIDRs has no such range",
            "slices": "no IPv6 address: no ready endpoint has one",
        }.items():
            assert result(daemon, name).endswith("; " + text), result(daemon, name)
        assert "no IPv" not in result(daemon, "both"), result(daemon, "both")


def test_objects_of_a_real_cluster():
    uid = ", uid: 0b1f5a6e"
    files = {"a.yaml": service("web", "ports: [{port: 80}], selector: {app: web}", uid) +
             workload("web", uid)}
    with Daemon(files) as daemon:
        found = steps(daemon, "web")
        pod = next(step for step in found if step["step"] == "pod")
        assert "it carries metadata.uid" in pod["text"], pod
        assert "it carries metadata.uid" in found[-1]["text"], found[-1]


def test_types_are_shown():
    ports = "ports: [{port: 80}]"
    files = {"a.yaml": service("lb", f"type: LoadBalancer, {ports}") +
             service("np", f"type: NodePort, {ports}") + service("ip", ports)}
    with Daemon(files) as daemon:
        shown = subprocess.check_output([built("kubesvc"), "get", "svc"], env=daemon.env, text=True)
        same([line.split()[:2] for line in shown.splitlines()[1:]],
             [["ip", "ClusterIP"], ["lb", "LoadBalancer"], ["np", "NodePort"]])


def test_the_nearest_pods_come_first():
    """Only some of those that a selector misses are listed: the one that it means is among them."""
    others = "".join(workload(f"app-{i}") for i in range(40))
    meant = workload("web", ", namespace: misspelt") + workload("web")
    key = workload("key").replace("labels: {app: key}", "labels: {aap: key}")
    files = {"a.yaml": others + meant + key + service("web", "clusterIP: None, selector: {app: webb}")
             + service("key", "clusterIP: None, selector: {app: key}")}
    with Daemon(files) as daemon:
        for name, text in (("web", "label app is web, selector wants webb"),
                           ("key", "label app is missing, selector wants key (there is aap: key)")):
            pods = [step for step in steps(daemon, name) if step["step"] == "pod"]
            same((pods[0]["name"], pods[0]["text"]), (f"Deployment/{name}", text))
            same(len(pods), 21, "with the line that counts the rest")


def test_pods_of_another_namespace():
    """The namespace was written in the Service and forgotten in the Deployment, or the other way."""
    headless = "clusterIP: None, selector: {app: web}"
    files = {"a.yaml": service("web", headless, ", namespace: shop") + workload("web") +
             workload("other", ", namespace: shop") +
             service("other", "clusterIP: None, selector: {app: other}", ", namespace: shop") +
             workload("other")}
    with Daemon(files) as daemon:
        pods = [step for step in steps(daemon, "web.shop") if step["step"] == "pod"]
        same([(pod["namespace"], pod["name"]) for pod in pods],
             [("default", "Deployment/web"), ("shop", "Deployment/other")])
        same(pods[0]["text"], "the labels match, but a Service selects only in its own namespace")
        same((pods[0]["counts"], pods[0]["position"]["line"]), (False, 6))
        # one that selects pods of its own namespace tells nothing about others
        pods = [step for step in steps(daemon, "other.shop") if step["step"] == "pod"]
        same([pod["name"] for pod in pods], ["Deployment/other"])


def test_status_without_objects():
    with Daemon({}) as daemon:
        text = subprocess.run([built("kubesvc"), "status"], env=daemon.env, capture_output=True,
                              text=True).stdout
        assert re.search(r"1 record in \d+ bytes, published", text), text
