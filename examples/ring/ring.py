#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passes a token round the members of a headless Service.

Each member listens at its own address, looks up the Service's name until all members are there,
and passes what it receives on to the next address. The first member starts the token; once it is
back, all members have had it, and a second round tells them to exit.

    python3 ring.py [SERVICE [MEMBERS]]

POD_IP is this member's address, HOSTNAME its name, as in a pod. Nothing in this program knows about kubesvc:

    for i in 0 1 2; do kubesvc run ring-$i -- python3 ring.py & done; wait
"""

import ipaddress
import os
import socket
import sys
import time

PORT = 7400
TIMEOUT = 30  # seconds


def members(service, number):
    """Returns the sorted addresses of all members, once there are that many."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        try:
            found = socket.getaddrinfo(service, PORT, type=socket.SOCK_STREAM)
        except socket.gaierror:
            found = []
        addresses = {ipaddress.ip_address(address[4][0]) for address in found}
        if len(addresses) >= number:
            return sorted(addresses, key=lambda address: (address.version, address))
        time.sleep(0.1)
    sys.exit(f"{service}: not {number} members within {TIMEOUT} s")


def send(address, text):
    """Sends a text to a member, which may not have started yet."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            with socket.create_connection((str(address), PORT), timeout=TIMEOUT) as connection:
                connection.sendall(text.encode())
                return
        except OSError as error:
            if time.monotonic() > end:
                sys.exit(f"{address}: {error}")
            time.sleep(0.1)


def receive(server):
    connection, _ = server.accept()
    with connection, connection.makefile() as stream:
        return stream.read()


def main():
    service = sys.argv[1] if len(sys.argv) > 1 else "ring"
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    name = os.environ["HOSTNAME"]
    own = ipaddress.ip_address(os.environ["POD_IP"])

    family = socket.AF_INET if own.version == 4 else socket.AF_INET6
    with socket.create_server((str(own), PORT), family=family) as server:
        server.settimeout(TIMEOUT)
        ring = members(service, number)
        first = ring[0] == own
        successor = ring[(ring.index(own) + 1) % len(ring)]
        print(f"{name} at {own} passes on to {successor}", flush=True)
        if first:
            send(successor, name)
        token = receive(server)
        if first:
            print(f"the token went round: {token} {name}", flush=True)
            send(successor, "done")
        else:
            send(successor, f"{token} {name}")
        receive(server)  # done
        if not first:
            send(successor, "done")


if __name__ == "__main__":
    main()
