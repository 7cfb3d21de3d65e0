# SPDX-License-Identifier: LGPL-2.1-or-later
"""The world that the reports are compared on: one of everything that a report can say."""

APP = """
apiVersion: v1
kind: Service
metadata: {name: headless-svc, namespace: moon, labels: {team: red}}
spec:
  clusterIP: None
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: www}]
---
apiVersion: v1
kind: Service
metadata: {name: regular-svc, namespace: moon}
spec: {selector: {app: web}, ports: [{port: 80, protocol: TCP, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: moon}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: c, image: i, ports: [{name: www, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: typo, namespace: moon}
spec: {clusterIP: None, selector: {app: wbe, tier: front}}
"""

DB = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: star}
spec: {clusterIP: None, selector: {app: db}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: star}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy, namespace: star}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: tidy}}
        spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: dump, namespace: star, uid: 5f1b}
spec:
  replicas: 2
  selector: {matchLabels: {app: dump}}
  template: {metadata: {labels: {app: dump}}, spec: {containers: [{name: c, image: i}]}}
---
apiVersion: v1
kind: Service
metadata: {name: dump, namespace: star}
spec: {clusterIP: None, selector: {app: dump}}
"""

PODS = """
apiVersion: v1
kind: Service
metadata: {name: mixed, namespace: pods}
spec: {clusterIP: None, ipFamilies: [IPv4], selector: {role: mixed}}
---
apiVersion: v1
kind: Service
metadata: {name: stated, namespace: pods}
spec: {ipFamilyPolicy: PreferDualStack, selector: {role: mixed}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: pods, labels: {role: mixed}}
spec: {hostname: first, subdomain: mixed, containers: [{name: c, image: i}]}
status:
  phase: Running
  podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: v1
kind: Pod
metadata: {name: unready, namespace: pods, labels: {role: mixed}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: "False"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: leaving, namespace: pods, labels: {role: mixed}, deletionTimestamp: "2026-01-01T00:00:00Z"}
spec: {containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.0.3, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: pods, labels: {role: mixed}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Succeeded, podIP: 10.0.0.4}
---
apiVersion: v1
kind: Pod
metadata: {name: nowhere, namespace: pods, labels: {role: mixed}}
spec: {containers: [{name: c, image: i}]}
status: {phase: Pending}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: pods, labels: {rol: mixed}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: node, namespace: pods, labels: {role: agent}}
spec: {hostNetwork: true, containers: [{name: c, image: i}]}
"""

SLICES = """
apiVersion: v1
kind: Service
metadata: {name: sliced, namespace: slices}
spec: {clusterIP: None, selector: {app: sliced}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: sliced-1, namespace: slices, labels: {kubernetes.io/service-name: sliced}}
addressType: IPv4
endpoints:
  - {addresses: [10.1.0.1], hostname: one}
  - {addresses: [10.1.0.2], conditions: {ready: false}, targetRef: {kind: Pod, name: two}}
ports: [{name: http, port: 8080, protocol: TCP}]
---
apiVersion: v1
kind: Pod
metadata: {name: hidden, namespace: slices, labels: {app: sliced}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: manual, namespace: slices}
spec: {clusterIP: 10.96.7.7, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: manual, namespace: slices}
subsets: [{addresses: [{ip: 10.2.0.1}], ports: [{port: 5432}]}]
---
apiVersion: v1
kind: Service
metadata: {name: inside, namespace: slices}
spec: {type: ExternalName, externalName: manual.slices.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: slices}
spec: {type: ExternalName, externalName: example.test}
---
apiVersion: v1
kind: Service
metadata: {name: secret, namespace: dark, labels: {odd: "bell\\a esc\\e[31m \\u0085 end"}}
spec: {clusterIP: 10.96.7.8, ports: [{port: 80}]}
"""

# The second directory says the same Service again, and something broken.
AGAIN = """
apiVersion: v1
kind: Service
metadata: {name: manual, namespace: slices}
spec: {clusterIP: 10.96.7.9, ports: [{port: 5432}]}
"""
BROKEN = """
apiVersion: v1
kind: Service
metadata: {name: bad, namespace: moon}
spec: {clusterIP: nonsense}
"""

WORLD = [
    {"app.yaml": APP, "db.yaml": DB, "pods.yaml": PODS, "slices.yaml": SLICES},
    {"again\x1b.yaml": AGAIN, "broken.yaml": BROKEN, "ignored.yaml~": "x"},
]
CONFIG = """
namespaces: [moon, star, pods, slices]
nodeIPs: [192.0.2.1]
podCIDRs: [127.244.0.0/16]
serviceCIDRs: [127.96.0.0/16]
"""
NAMESPACE = "moon"

# Every request whose answer is kept.
REQUESTS = [
    ["services"], ["services", "moon"], ["services", "nowhere"], ["endpoints"], ["pods"],
    ["pods", "pods"], ["workloads"], ["namespaces"], ["names"], ["names", "dark"],
    ["describe", "moon", "headless-svc"], ["describe", "", "typo"], ["describe", "pods", "mixed"],
    ["describe", "slices", "sliced"], ["describe", "slices", "manual"],
    ["describe", "slices", "nothing"],
    *(["explain", "", name] for name in (
        "headless-svc", "regular-svc.moon", "typo", "regular-scv", "mixed.pods", "stated.pods",
        "sliced.slices", "manual.slices", "inside.slices", "outside.slices", "secret.dark",
        "dump.star", "db-2.db.star", "db-0.db.star.svc.cluster.local.", "db", "db.sta", "pod.moon",
        "127.244.0.1", "www.example.com", "a b", "localhost",
    )),
    *(["query", "", name, "any"] for name in (
        "headless-svc", "regular-svc.moon", "mixed.pods", "first.mixed.pods", "inside.slices",
        "outside.slices", "typo", "nothing", "nothing.moon.svc", "10-0-0-1.pods.pod.cluster.local",
        "127.244.0.1", "10.96.7.9", "10.0.0.2", "192.0.2.1", "198.51.100.1", "fd00::1",
        "::ffff:127.244.0.1",
    )),
    ["query", "", "headless-svc", "inet6"], ["query", "star", "db", "inet"],
    ["status"],
]
