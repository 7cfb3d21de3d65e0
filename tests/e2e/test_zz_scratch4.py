from test_zz_scratch3 import *
def test_s7():
    private_network()
    for N in 1000,2000,4000:
      text = "\n---\n".join(workload(f"s{n}", 2) for n in range(N))
      with Daemon({"web.yaml": text}, config="podCIDRs: [127.244.0.0/14]\n") as daemon:
          sh(f"{built('kubesvc')} --socket {daemon.socket} export nft > x.nft; wc x.nft")
          sh("time /usr/sbin/nft -f x.nft")
          sh("/usr/sbin/nft -f x.nft & sleep .2; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat /proc/$!/stack | head -8; echo; sleep .2; done; wait")
          sh("time /usr/sbin/nft -f x.nft")
    raise AssertionError
