import json, os, pathlib, signal, socket, subprocess, time
from harness import *
from inspect_client import inspect
from proxying import *
from test_proxy import *
from test_zz_scratch import sh
from test_zz_scratch2 import rss
def test_s7():
    private_network()
    for N in 50, 200, 400,800, 3000:
      ports = ", ".join(f"{{name: p{n}, port: {n}, targetPort: {n}}}" for n in range(1, N+1))
      with Daemon({"web.yaml": workload("web", 10, ports)}) as daemon:
        t=time.monotonic()
        try:
            print(N, len(json.dumps(inspect(daemon.socket, "services"))), time.monotonic()-t)
        except Exception as e: print(N, e)
        t=time.monotonic()
        with Proxy(daemon.socket) as proxy:
          try:
            wait_for(lambda: any("Forwarding to" in s for s in proxy.states), "f", 10)
          except AssertionError as e: print(e)
          print(N, proxy.states, proxy.lines, time.monotonic()-t)
          sh(f"{built('kubesvc')} --socket {daemon.socket} status; {built('kubesvc')} --socket {daemon.socket} export nft | wc")
          sh(f"cat /proc/{proxy.process.pid}/stat; cat /proc/{proxy.process.pid}/wchan;  cat /proc/{daemon.process.pid}/stat")
    raise AssertionError
