# SPDX-License-Identifier: LGPL-2.1-or-later
"""kubesvc run: what a command is told about the pod that it is, and pods that find each other."""

import os
import pathlib
import resource
import shutil
import subprocess
import sys

from harness import (Daemon, HERE, PATIENCE, built, need_program, need_root, same, skip,
                     unsanitized, wait_for)

EXAMPLES = HERE.parent.parent / "examples"
WORLD = {
    "web.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: dual, namespace: moon}
spec: {hostname: first, subdomain: web, containers: [{name: c}]}
status: {podIPs: [{ip: 127.0.0.9}, {ip: "::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, namespace: moon, uid: "1"}
spec: {containers: [{name: c}]}
status: {phase: Pending}
"""
}


SERVICE = {
    "svc.yaml": """
apiVersion: v1
kind: Service
metadata: {name: all}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
"""
}


def run(daemon, *arguments, status=0, given=True, **more):
    options = ["--socket", str(daemon.socket)] if given else []
    env = {k: v for k, v in daemon.env.items() if given is False or k != "KUBESVC_SOCKET"}
    done = subprocess.run([built("kubesvc"), "run", *options, *arguments], env=env | more,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    same(done.returncode, status, f"status of run {arguments}: {done.stderr}")
    return done


def environment(daemon, *arguments, **options):
    lines = run(daemon, *arguments, "--", "env", **options).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_what_the_command_is_told():
    with Daemon(WORLD) as daemon:
        env = environment(daemon, "web-1", HOSTNAME="machine")
        same({k: env.get(k) for k in ("POD_NAME", "POD_NAMESPACE", "HOSTNAME", "KUBESVC_NAMESPACE",
                                      "KUBESVC_SOCKET")},
             {"POD_NAME": "web-1", "POD_NAMESPACE": "default", "HOSTNAME": "web-1",
              "KUBESVC_NAMESPACE": "default", "KUBESVC_SOCKET": str(daemon.socket)})
        assert env["POD_IP"].startswith("127.244."), env
        same(env["POD_IPS"], env["POD_IP"])
        env = environment(daemon, "-n", "moon", "dual")
        same((env["POD_IP"], env["POD_IPS"]), ("127.0.0.9", "127.0.0.9,::1"))
        same((env["HOSTNAME"], env["KUBESVC_NAMESPACE"]), ("first", "moon"))
        same(environment(daemon, "dual", KUBESVC_NAMESPACE="moon")["POD_NAMESPACE"], "moon")
        same(environment(daemon, "web-0", given=False)["KUBESVC_SOCKET"], str(daemon.socket))


def test_the_command_itself():
    with Daemon(WORLD) as daemon:
        same(run(daemon, "web-0", "--", "printf", "%s|", "-n", "a b", "").stdout, "-n|a b||")
        run(daemon, "web-0", "--", "sh", "-c", "exit 7", status=7)
        done = run(daemon, "web-0", "--", "./absent/command", status=127)
        assert "cannot run './absent/command': No such file" in done.stderr, done
        pathlib.Path("plain").write_text("")
        run(daemon, "web-0", "--", "./plain", status=126)


def test_pods_that_are_none():
    with Daemon(WORLD) as daemon:
        same(run(daemon, "wbe-1", "--", "true", status=2).stderr,
             "kubesvc: no pod 'wbe-1' in namespace default; did you mean 'web-1'?\n")
        done = run(daemon, "-n", "mars", "web-1", "--", "true", status=2)
        assert "no pod 'web-1' in namespace mars" in done.stderr and "-A" in done.stderr, done
        done = run(daemon, "-n", "moon", "waiting", "--", "true", status=1)
        assert "has no address" in done.stderr and "kubesvc.io/addresses" in done.stderr, done
        run(daemon, "web-1", status=1)
        daemon.stop()
        done = run(daemon, "web-1", "--", "true", status=1)
        assert "no daemon is listening" in done.stderr, done


def need_namespaces(user=False):
    """Skips where a process may not have mount and UTS namespaces of its own."""
    unshare = [need_program("unshare"), *(["-r"] if user else []), "-mu"]
    tried = subprocess.run([*unshare, "mount", "-t", "tmpfs", "x", "/tmp"], capture_output=True,
                           text=True)
    if tried.returncode:
        skip(f"no namespaces here: {tried.stderr.strip()}")


def bare(daemon):
    """The environment without the path that leads Client to the module."""
    return {k: v for k, v in daemon.env.items() if k not in ("LD_LIBRARY_PATH", "LD_PRELOAD")}


def test_namespaces_of_its_own():
    need_namespaces(os.geteuid() != 0)
    before = [pathlib.Path(name).read_bytes() for name in ("/etc/hosts", "/etc/nsswitch.conf")]
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    with Daemon(WORLD) as daemon:
        address = environment(daemon, "web-0")["POD_IP"]
        script = "hostname; cat /etc/hosts; echo ---; cat /etc/nsswitch.conf"
        out = run(daemon, "web-0", "--", "sh", "-c", script).stdout
        name, rest = out.split("\n", 1)
        hosts, nsswitch = rest.split("---\n")
        same(name, "web-0")
        assert f"\n{address}\tweb-0\n" in hosts and "127.0.0.1\tlocalhost" in hosts, hosts
        assert "hosts: files kubesvc [NOTFOUND=return] dns\n" in nsswitch, nsswitch
        out = run(daemon, "-n", "moon", "dual", "--", "sh", "-c", script).stdout
        assert out.startswith("first\n"), out
        for address in "127.0.0.9", "::1":
            assert f"\n{address}\tfirst.web.moon.svc.cluster.local\tfirst\n" in out, out
        host = os.uname().nodename
        same(run(daemon, "--no-namespaces", "web-0", "--", "uname", "-n").stdout, f"{host}\n")
    after = [pathlib.Path(name).read_bytes() for name in ("/etc/hosts", "/etc/nsswitch.conf")]
    same(after, before, "the host's files")
    same(pathlib.Path("/proc/self/mountinfo").read_text(), mounts)


def test_names_resolve_without_an_installation():
    unsanitized("a program without the sanitizers' library cannot load the module")
    need_namespaces(os.geteuid() != 0)
    with Daemon(WORLD | SERVICE) as daemon:
        addresses = [environment(daemon, name)["POD_IP"] for name in ("web-0", "web-1")]
        # env -i: it is not a variable that leads to the module
        script = ("env -i KUBESVC_SOCKET=$KUBESVC_SOCKET getent ahostsv4 all; getent hosts nothing.here.svc.cluster.local; echo $?; echo ${LD_LIBRARY_PATH-unset}")
        done = subprocess.run([built("kubesvc"), "run", "--socket", daemon.socket, "web-0", "--", "sh",
                               "-c", script], env=bare(daemon), capture_output=True, text=True,
                              timeout=PATIENCE)
        lines = done.stdout.splitlines()
        same(sorted({line.split()[0] for line in lines[:-2]}), sorted(addresses), done)
        same(lines[-2:], ["2", "unset"], done)


def test_an_ordinary_user():
    """Has a user namespace besides, in which it is still itself and has no capability."""
    unsanitized("a program without the sanitizers' library cannot load the module")
    need_root()
    need_namespaces(user=True)
    with Daemon(WORLD | SERVICE) as daemon:
        os.chmod(".", 0o755)
        for path in daemon.dir, daemon.socket.parent:
            path.chmod(0o755)
        script = ("hostname; id -u; id -g; grep CapEff /proc/self/status;"
                  "getent ahostsv4 all >/dev/null; echo $?")
        done = subprocess.run(["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
                               built("kubesvc"), "run", "web-1", "--", "sh", "-c", script],
                              env=bare(daemon) | {"KUBESVC_SOCKET": str(daemon.socket)},
                              capture_output=True, text=True, timeout=PATIENCE)
        same(done.stdout.splitlines(), ["web-1", "65533", "65533", "CapEff:\t0000000000000000", "0"],
             done)


def test_where_namespaces_are_not_allowed():
    need_root()
    with Daemon(WORLD) as daemon:
        done = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", built("kubesvc"),
                               "run", "web-1", "--", "sh", "-c", "uname -n; echo $POD_NAME; exit 7"],
                              env=daemon.env, capture_output=True, text=True, timeout=PATIENCE)
        same((done.returncode, done.stdout), (7, f"{os.uname().nodename}\nweb-1\n"), done)
        assert "those of the host: namespaces are not allowed: " in done.stderr, done
        done = subprocess.run([need_program("unshare"), "-m", "sh", "-c",
                               'mount -t tmpfs x /etc && exec "$0" run web-1 -- uname -n', built("kubesvc")],
                              env=daemon.env, capture_output=True, text=True, timeout=PATIENCE)
        same((done.returncode, done.stdout, done.stderr),
             (0, f"{os.uname().nodename}\n",
              "kubesvc: host name, hosts file and nsswitch.conf are those of the host: "
              "mounting on /etc/nsswitch.conf: No such file or directory\n"))


HOST_NAMES = """
apiVersion: v1
kind: Pod
metadata: {name: whole}
spec: {hostname: h, subdomain: web, setHostnameAsFQDN: true, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: LONG}
spec: {subdomain: web, setHostnameAsFQDN: true, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {hostname: h, subdomain: web, hostnameOverride: over.example, containers: [{name: c, image: i}]}
"""


def test_host_names_that_manifests_choose():
    need_namespaces(os.geteuid() != 0)
    long = "p23456789-123456789-123456789-123456789"
    with Daemon({"a.yaml": HOST_NAMES.replace("LONG", long)}) as daemon:
        script = 'uname -n; echo "$HOSTNAME"; tail -n 1 /etc/hosts | cut -f 2-'
        domain = "web.default.svc.cluster.local"
        for pod, name, hosts in (("whole", f"h.{domain}", f"h.{domain}\th"),
                                 (long, long, f"{long}.{domain}\t{long}"),
                                 ("other", "over.example", "over.example")):
            done = run(daemon, pod, "--", "sh", "-c", script)
            same(done.stdout, f"{name}\n{name}\n{hosts}\n")
            same(done.stderr, "" if pod != long else
                 f"kubesvc: the host name {long}.{domain} has more than 64 characters; {long} is used "
                 "instead\n")


def test_the_process_is_the_command():
    """Same process, same parent, and only one descriptor more."""
    with Daemon(WORLD) as daemon:
        script = "echo $$ $PPID; cd /proc/$$/fd && ls -d 3 4 5 6 7 8 9 64 2>/dev/null"
        started = subprocess.Popen([built("kubesvc"), "run", "web-0", "--", "sh", "-c", script],
                                   env=daemon.env, stdout=subprocess.PIPE, text=True)
        out = started.communicate(timeout=PATIENCE)[0].splitlines()
        same(out[0], f"{started.pid} {os.getpid()}")
        same(out[1:], ["64"], out)


CONTAINER = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: moon}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata:
      labels: {app: db, tier: back}
      annotations: {note: "a b", kubectl.kubernetes.io/default-container: main}
    spec:
      hostAliases: [{ip: 192.0.2.7, hostnames: [far, far.example]}]
      initContainers: [{name: init, env: [{name: WHICH, value: init}]}]
      containers:
      - {name: side, env: [{name: WHICH, value: side}]}
      - name: main
        resources: {limits: {cpu: 1500m, memory: 64Mi}, requests: {memory: 1Mi}}
        envFrom:
        - {configMapRef: {name: settings}}
        - {prefix: S_, secretRef: {name: secret}}
        - {configMapRef: {name: absent, optional: true}}
        env:
        - {name: WHICH, value: main}
        - {name: FIRST, value: "1"}
        - {name: SECOND, value: "$(FIRST) $(LATER) $$(FIRST) $(WEB_SERVICE_PORT) $(COLOUR) $(HOME)"}
        - {name: LATER, value: "2"}
        - {name: COLOUR, value: green}
        - {name: EMPTY, value: ""}
        - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        - {name: TIER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['tier']"}}}
        - {name: INDEX, valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}}
        - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
        - {name: NONE, valueFrom: {fieldRef: {fieldPath: "metadata.labels['none']"}}}
        - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
        - {name: ACCOUNT, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
        - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: MILLI, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
        - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
        - {name: DISK, valueFrom: {resourceFieldRef: {resource: limits.ephemeral-storage, divisor: 1Mi}}}
        - {name: NO_DISK, valueFrom: {resourceFieldRef: {resource: requests.ephemeral-storage}}}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: secret, key: password}}}
        - {name: PLAIN, valueFrom: {secretKeyRef: {name: secret, key: plain}}}
        - {name: SIZE, valueFrom: {configMapKeyRef: {name: settings, key: size}}}
        - {name: LEFT_OUT, valueFrom: {secretKeyRef: {name: secret, key: nothing}}}
        - {name: OPTIONAL, valueFrom: {secretKeyRef: {name: nothing, key: nothing, optional: true}}}
        - {name: RAW, valueFrom: {secretKeyRef: {name: secret, key: raw}}}
        - {name: GONE, valueFrom: {configMapKeyRef: {name: gone, key: x}}}
        - {name: WRONG, valueFrom: {fieldRef: {fieldPath: status.phase}}}
"""
DATA = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: moon}
data: {COLOUR: red, size: "12", "not=a-name": x}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: mars}
data: {COLOUR: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, namespace: moon}
data: {password: aHVudGVyMg==, binary: AAEC, raw: hunter2, cut: aHVudGVyMg, long: "aHVudGVy\\nMg==\\n"}
stringData: {plain: text}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: moon}
spec: {clusterIP: 10.96.7.7, ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443}]}
"""


def test_variables_of_the_container():
    with Daemon({"a.yaml": CONTAINER, "b.yaml": DATA}, config="nodeIPs: [192.0.2.99]\n") as daemon:
        done = run(daemon, "-n", "moon", "db-1", "--", "env", LEFT_OUT="mine", WHICH="mine")
        env = dict(line.split("=", 1) for line in done.stdout.splitlines())
        expected = {
            "WHICH": "main", "FIRST": "1", "LATER": "2", "EMPTY": "", "COLOUR": "green",
            "SECOND": "1 $(LATER) $(FIRST) 8080 red $(HOME)", "size": "12", "S_password": "hunter2",
            "S_plain": "text", "S_long": "hunter2", "NO_DISK": "0", "NAME": "db-1", "NS": "moon", "TIER": "back", "INDEX": "1",
            "NOTE": "a b", "NONE": "", "IP": env["POD_IP"], "HOST": "192.0.2.99", "ACCOUNT": "default",
            "NODE": os.uname().nodename, "CPU": "2", "MILLI": "1500", "MEMORY": "64",
            "PASSWORD": "hunter2", "PLAIN": "text", "SIZE": "12", "LEFT_OUT": "mine",
            "WEB_SERVICE_HOST": "10.96.7.7", "WEB_SERVICE_PORT_HTTP": "8080",
            "WEB_PORT_8080_TCP": "tcp://10.96.7.7:8080", "KUBERNETES_SERVICE_HOST": "10.96.0.1",
            "KUBERNETES_SERVICE_PORT_HTTPS": "443",
        }
        same({name: env.get(name) for name in expected}, expected)
        same(int(env["DISK"]) > 0, True)
        for name in "S_binary", "S_raw", "S_cut", "RAW", "not=a-name", "OPTIONAL", "GONE", "WRONG":
            assert name not in env, name
        # messages name the place and the fault, never what a Secret holds
        for text in ("a.yaml:", "Secret secret has no text in base64 under the key nothing",
                     "a.yaml:22:35: Secret secret has no text in base64 under the key cut; the variable is left out",
                     "no ConfigMap gone in namespace moon among the manifests",
                     "status.phase is not a field"):
            assert text in done.stderr, (text, done.stderr)
        same(done.stderr.count("no text in base64 under the key raw"), 2, "each reference")
        assert "hunter2" not in done.stderr and "aHVudGVyMg" not in done.stderr, done.stderr
        same(environment(daemon, "-n", "moon", "db-0", "-c", "side")["WHICH"], "side")
        same(environment(daemon, "-n", "moon", "db-0", "--container", "init")["WHICH"], "init")
        done = run(daemon, "-n", "moon", "-c", "mian", "db-0", "--", "true", status=2)
        same(done.stderr, "kubesvc: the pod db-0 has no container 'mian'\n")
        daemon.write("a.yaml", CONTAINER.replace("hostAliases:", "enableServiceLinks: false\n      hostAliases:"))
        env = environment(daemon, "-n", "moon", "db-1")
        assert "WEB_SERVICE_HOST" not in env and "KUBERNETES_SERVICE_HOST" in env, env


OTHERS = """
apiVersion: batch/v1
kind: Job
metadata: {name: load}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: x
        env:
        - {name: INDEX, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}
        - {name: JOB, valueFrom: {fieldRef: {fieldPath: "metadata.labels['job-name']"}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {hostNetwork: true, containers: [{name: c, image: x}]}
"""


def test_pods_of_jobs_and_of_the_hosts_network():
    hosts = pathlib.Path("/etc/hosts").read_text()
    with Daemon({"a.yaml": OTHERS}, config="nodeIPs: [192.0.2.99]\n") as daemon:
        env = environment(daemon, "load-1")
        same([env[name] for name in ("JOB_COMPLETION_INDEX", "INDEX", "JOB")], ["1", "1", "load"])
        script = "uname -n; echo $POD_NAME $POD_IP $HOSTNAME; cat /etc/hosts"
        host = os.uname().nodename
        same(run(daemon, "ds/agent", "--", "sh", "-c", script).stdout,
             f"{host}\nagent-0 192.0.2.99 {host}\n{hosts}")


def test_the_later_directory_wins():
    one, two = ({"cm.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{X: {x}}}\n"}
                for x in ("one", "two"))
    one["pod.yaml"] = """
apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {kubesvc.io/addresses: 127.0.0.9}}
spec: {containers: [{name: c, envFrom: [{configMapRef: {name: c}}]}]}
"""
    with Daemon([one, two]) as daemon:
        same(environment(daemon, "p")["X"], "two")
        daemon.write("cm.yaml", "a: [", daemon.directories[1])
        same(environment(daemon, "p")["X"], "one")


def test_a_free_pod_of_a_workload_or_service():
    network = f"podCIDRs: [127.{130 + os.getpid() % 100}.{os.getpid() // 100 % 250}.0/24]\n"
    with Daemon(WORLD | SERVICE, config=network) as daemon:
        def start(what):
            process = subprocess.Popen([built("kubesvc"), "run", what, "--", "sh", "-c",
                                        "echo $POD_NAME; read -r x"], env=daemon.env, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            return process, process.stdout.readline().strip()

        first, name = start("deploy/web")
        same(name, "web-0")
        second, name = start("svc/all")
        same(name, "web-1")
        done = run(daemon, "deployment/web", "--", "true", status=1)
        assert "deployment/web has 2 pods, all of which run already" in done.stderr, done
        run(daemon, "pod/web-1", "--", "true")  # by its name, a second time
        first.kill()
        first.wait(PATIENCE)
        same(run(daemon, "deployments.apps/web", "--", "sh", "-c", "echo $POD_NAME").stdout, "web-0\n")
        second.communicate("\n", timeout=PATIENCE)
        for what, said in (("deploy/wbe", "no Deployment 'wbe' in namespace default; did you mean 'web'?"),
                           ("sts/web", "no StatefulSet 'web' in namespace default; see 'kubesvc get workloads -A'"),
                           ("svc/none", "no Service 'none' in namespace default; see 'kubesvc get services -A'"),
                           ("web", "no pod 'web' in namespace default; did you mean 'deployment/web'?")):
            done = run(daemon, what, "--", "true", status=2)
            assert said in done.stderr, done
        done = run(daemon, "cm/web", "--", "true", status=1)
        assert "'cm' is not a kind that has pods" in done.stderr, done


FILLER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: filler}
spec: {replicas: %d, template: {spec: {containers: [{name: c}]}}}
"""


def own_daemon(*arguments, **options):
    """`kubesvc run --manifests m ...`, with a daemon of its own in a directory below r."""
    directory = pathlib.Path("r").resolve()
    directory.mkdir(exist_ok=True)
    pathlib.Path("m").mkdir(exist_ok=True)
    # so that the pods have other addresses than in tests that run at the same time
    filler = {"a.yaml": FILLER % (os.getpid() % 900)}
    for name, text in (WORLD | SERVICE | filler).items():
        pathlib.Path("m", name).write_text(text)
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("KUBESVC_") and k not in ("LD_LIBRARY_PATH", "LD_PRELOAD")}
    return subprocess.Popen([built("kubesvc"), "run", "--manifests", "m", *arguments],
                            env=env | {"XDG_RUNTIME_DIR": str(directory)}, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            **options)


def processes(word):
    """Of processes with this word in their arguments: {pid: parent}."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if word.encode() in words:
            found[int(path.name)] = parent
    return found


def test_a_daemon_of_its_own():
    need_namespaces(os.geteuid() != 0)
    started = own_daemon("web-1", "--", "sh", "-c", "echo $POD_IP $KUBESVC_SOCKET; exec cat")
    address, socket = started.stdout.readline().split()
    assert address.startswith("127."), address
    directory = pathlib.Path(socket).parent
    same(directory.parent, pathlib.Path("r").resolve())
    same(directory.stat().st_mode & 0o777, 0o700)
    daemon, = processes(socket)
    # another of the same manifests gives the same addresses, so that they are one world
    other = own_daemon("deploy/web", "--", "sh", "-c", 'echo $POD_NAME; "$0" query all', built("kubesvc"))
    out, _ = other.communicate(timeout=PATIENCE)
    same((other.returncode, out.splitlines()[0]), (0, "web-0"))
    assert address in out, out
    # a change is seen
    pathlib.Path("m", "more.yaml").write_text(WORLD["web.yaml"].replace("name: web}", "name: more}"))
    wait_for(lambda: "more-0" in subprocess.run(
        [built("kubesvc"), "get", "pods", "--socket", socket], capture_output=True, text=True).stdout,
        "the new pod")
    started.stdin.close()
    same(started.wait(PATIENCE), 0)
    wait_for(lambda: not list(pathlib.Path("r").iterdir()), "the end of the directory")
    assert daemon not in processes(socket)


def test_a_daemon_of_its_own_ends_however_the_command_ends():
    for signal in 2, 9, 15:
        started = own_daemon("web-1", "--", "sh", "-c", "echo $KUBESVC_SOCKET; read -r x",
                             start_new_session=True)
        socket = started.stdout.readline().strip()
        os.killpg(started.pid, signal)
        same(started.wait(PATIENCE), -signal)
        wait_for(lambda: not list(pathlib.Path("r").iterdir()), "the end of the directory")
        wait_for(lambda: not processes(socket), "the end of the daemon")


def test_a_daemon_of_its_own_ends_when_its_start_is_interrupted():
    """At the moment at which its directory is there, and somewhat later."""
    directory = pathlib.Path("r")
    for later in range(40):
        started = own_daemon("web-1", "--", "true")
        while not list(directory.iterdir()):
            same(started.poll(), None)
        for _ in range(later * 10):
            directory.exists()
        started.send_signal(15)
        started.communicate(timeout=PATIENCE)
        wait_for(lambda: not list(directory.iterdir()), "the end of the directory")


def test_what_a_killed_guard_leaves_is_removed():
    started = own_daemon("web-1", "--", "sh", "-c", "echo $KUBESVC_SOCKET; read -r x")
    socket = started.stdout.readline().strip()
    (daemon, guard), = processes(socket).items()
    assert guard != started.pid, "the guard is no child of the command's"
    os.kill(guard, 9)
    wait_for(lambda: not processes(socket), f"the end of the daemon {daemon}")
    started.communicate("\n", timeout=PATIENCE)
    same(started.returncode, 0)
    stale = pathlib.Path(socket).parent
    os.utime(stale, (0, 0))
    same(own_daemon("web-1", "--", "true").wait(PATIENCE), 0)
    assert not stale.exists()


def test_a_daemon_of_its_own_that_cannot_be():
    done = own_daemon("--manifests", "absent", "web-1", "--", "true")
    _, said = done.communicate(timeout=PATIENCE)
    same((done.returncode, said), (1, "kubesvc: absent: No such file or directory\n"))
    pathlib.Path("m", "bad.yaml").write_text("kind: [\n")
    done = own_daemon("web-1", "--", "true")
    _, said = done.communicate(timeout=PATIENCE)
    same(done.returncode, 0)
    assert "m/bad.yaml:" in said, said
    for ns in "moon", "Moon":  # this one can, as with any other daemon
        done = own_daemon("-n", ns, "dual", "--", "sh", "-c", "echo $POD_NAMESPACE")
        said = done.communicate(timeout=PATIENCE)
        same((done.returncode, said[0]), (0, "moon\n"), said)
    done = own_daemon("web-9", "--", "true")
    same(done.communicate(timeout=PATIENCE)[1].splitlines()[-1:], [
        "kubesvc: no pod 'web-9' in namespace default; did you mean 'web-0'?"])
    done = own_daemon("lost", "--", "true")  # of which no other command of kubesvc knows
    same(done.communicate(timeout=PATIENCE)[1].splitlines()[-1:], [
        "kubesvc: no pod 'lost' in namespace default; its manifest says in which namespace it is: choose that with -n"])
    same(done.returncode, 2)
    done = own_daemon("-n", "Not_A_Namespace", "web-1", "--", "true")
    done.communicate(timeout=PATIENCE)
    same(done.returncode, 1)
    wait_for(lambda: not list(pathlib.Path("r").iterdir()), "the end of the directories")


def test_a_daemon_of_its_own_that_lacks_descriptors():
    """However many are missing, and wherever: the command ends, says why, and leaves nothing."""
    for n in 5, 7, 8, 12, 16, 20, 24, 30:
        done = own_daemon("web-1", "--", "true", preexec_fn=lambda n=n: resource.setrlimit(
            resource.RLIMIT_NOFILE, (n, n)))
        _, said = done.communicate(timeout=PATIENCE)
        same(done.returncode, 1, f"with {n}: {said}")
        assert "Too many open files" in said and "ulimit -n" in said, (n, said)
    wait_for(lambda: not list(pathlib.Path("r").iterdir()), "the end of the directories")


def test_a_daemon_of_its_own_that_fails_to_start():
    shutil.copy(built("kubesvc"), "kubesvc")
    daemon = pathlib.Path("kubesvcd")
    for script, expected in (
            ("no program", "cannot start a private {}: Exec format error"),
            ("#!/bin/sh\nkill -9 $$", "the private kubesvcd was killed by signal 9 (Killed) without a message"),
            ("#!/bin/sh\necho no luck >&2; exit 1", "the private kubesvcd has exited; its output:\nno luck"),
            ("#!/bin/sh\nexit 0", "the private kubesvcd has exited without a message")):
        daemon.write_text(script + "\n")
        daemon.chmod(0o755)
        done = own_daemon("web-1", "--", "true", executable="./kubesvc")
        _, said = done.communicate(timeout=PATIENCE)
        same((done.returncode, said),
             (1, "kubesvc: " + expected.format(daemon.resolve()) + "\n"))
    wait_for(lambda: not list(pathlib.Path("r").iterdir()), "the end of the directories")
    # the guard is killed, which then says nothing
    daemon.write_text("#!/bin/sh\nkill -9 $PPID\n")
    done = own_daemon("web-1", "--", "true", executable="./kubesvc")
    _, said = done.communicate(timeout=PATIENCE)
    same((done.returncode, said), (1, "kubesvc: the private kubesvcd has exited without a message\n"))


def test_a_daemon_of_its_own_without_room():
    """For its directory, for what is in it, and for its log."""
    need_root()
    pathlib.Path("r").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=1", "r", "r"], check=True)
    try:
        for inodes, expected in (1, "cannot use "), (2, "cannot use "), (3, "cannot start a private "):
            subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes}", "r"], check=True)
            done = own_daemon("web-1", "--", "true")
            _, said = done.communicate(timeout=PATIENCE)
            same(done.returncode, 1)
            assert said.startswith(f"kubesvc: {expected}") and "No space left on device" in said, said
            wait_for(lambda: not list(pathlib.Path("r").iterdir()), "the end of the directory")
    finally:
        subprocess.run(["umount", "-l", "r"], check=True)


def test_three_members_find_each_other():
    """The example: started as three pods, they meet under the name of their headless Service."""
    unsanitized("a program without the sanitizers' library cannot load the module")
    need_namespaces(os.geteuid() != 0)
    manifest = (EXAMPLES / "ring" / "ring.yaml").read_text()
    # an address of the test's own, so that others may run at the same time
    network = f"podCIDRs: [127.{130 + os.getpid() % 100}.{os.getpid() // 100 % 250}.0/24]\n"
    with Daemon({"ring.yaml": manifest}, config=network) as daemon:
        members = [
            subprocess.Popen([built("kubesvc"), "run", f"ring-{i}", "--", sys.executable,
                              str(EXAMPLES / "ring" / "ring.py")],
                             env=bare(daemon), stdout=subprocess.PIPE, text=True)
            for i in range(3)
        ]
        outputs = []
        for member in members:
            outputs.append(member.communicate(timeout=2 * PATIENCE)[0])
            same(member.returncode, 0, f"status of {member.args[-1]}")
        text = "".join(outputs)
        same(text.count("passes on to"), 3, text)
        assert "the token went round: " in text, text
        way = text.split("the token went round: ")[1].split("\n")[0].split()
        same((way[0], sorted(way[1:])), (way[-1], ["ring-0", "ring-1", "ring-2"]), "the way")
