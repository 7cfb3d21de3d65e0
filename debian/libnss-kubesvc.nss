# Behind files, before everything that would answer a cluster's name by itself, or end the line for it.
hosts before=mdns4_minimal,mdns_minimal,mdns6_minimal,mdns4,mdns6,mdns,mymachines,resolve,dns kubesvc [NOTFOUND=return]
# Where none of these is there.
hosts last kubesvc [NOTFOUND=return] skip-if-present=kubesvc
