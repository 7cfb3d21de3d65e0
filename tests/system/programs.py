# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of all kinds that look up the regular Service of the examples, each in its own way."""

import re

# What asks, and what it says when it has found the address. Nothing listens there, on purpose.
PROGRAMS = {
    "getent": ("getent hosts NAME", "127.96.0.1"),
    "python3": ("python3 -c 'import socket; print(socket.gethostbyname(\"NAME\"))'", "127.96.0.1"),
    "python3, all": (
        "python3 -c 'import socket; print(socket.getaddrinfo(\"NAME\", 80))'",
        "127.96.0.1",
    ),
    "perl": ("perl -MSocket -e 'print inet_ntoa(inet_aton(\"NAME\"))'", "127.96.0.1"),
    "curl": ("curl -sS -v -m 5 http://NAME/", "127.96.0.1:80"),
    "wget": ("wget -t 1 -T 5 -O- http://NAME/", "127.96.0.1"),
    "git": ("git ls-remote http://NAME/x", "Failed to connect to NAME"),
    "ssh": ("ssh -o BatchMode=yes -v NAME true", "Connecting to NAME .127.96.0.1. port 22"),
    "rsync": ("rsync NAME::x", "failed to connect to NAME .127.96.0.1."),
    "ping": ("ping -c 1 -W 5 NAME", "127.96.0.1.: icmp_seq=1"),
    "netcat": ("nc -v -w 5 NAME 80", "to NAME .127.96.0.1. port 80"),
    "socat": ("socat -d -d - TCP:NAME:80", "127.96.0.1"),
    "telnet": ("telnet NAME 80", "Trying 127.96.0.1"),
    "openssl": ("openssl s_client -connect NAME:443", "Connection refused|errno=111"),
    "bash": ("bash -c 'exec 3<>/dev/tcp/NAME/80'", "Connection refused"),
    "gawk": (
        "gawk 'BEGIN { s = \"/inet4/tcp/0/NAME/80\"; if ((s |& getline l) < 0) print ERRNO }'",
        "Connection refused",
    ),
    "busybox": ("busybox wget -O- http://NAME/", "127.96.0.1:80"),
    "apt": (
        "echo 'deb [trusted=yes] http://NAME/ ./' >/var/tmp/list; apt-get -o Acquire::Retries=0 "
        "-o Dir::Etc::sourceparts=- -o Dir::Etc::sourcelist=/var/tmp/list update",
        "Could not connect to NAME:80 .127.96.0.1.",
    ),
    "nscd": ("mkdir -p /run/nscd; nscd; getent ahostsv4 NAME; nscd -K", "127.96.0.1"),
}


def wrong_programs(system):
    """Runs all; those that do not find the address, with what they said instead."""
    wrong = []
    for program, (command, pattern) in PROGRAMS.items():
        output = system.try_run("sh", "-c", command.replace("NAME", "regular-svc"))[1]
        if not re.search(pattern.replace("NAME", "regular-svc"), output):
            wrong.append((program, output[-300:]))
    return wrong
