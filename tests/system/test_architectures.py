# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages built for other architectures: on them, and across."""

import re
import subprocess

from harness import same, skip
from packages import CLUSTER, DAEMON, DNS, MODULE, PROXY, field, unpacked, unpacked_source
from systems import HEADLESS, Chroot, on_a_system
from tars import CROSS, architecture

SOURCE = "/srv/kubesvc"


def built(system, *command):
    """Builds the packages in the system by this command; their files here."""
    unpacked_source(system.file(SOURCE))
    output = system.sh(f"cd {SOURCE} && {' '.join(command)}", limit=1500)
    log = system.file(f"{SOURCE}/build/deb/work/build.log").read_text()
    same(re.findall(r"^\S+\.[ch]:\d+:.*warning:.*", log, re.M), [], "warnings")
    found = system.file(f"{SOURCE}/build/deb").glob("*.deb")
    files = {file.name.partition("_")[0]: file for file in found}
    same(sorted(files), [CLUSTER, DNS, PROXY, DAEMON, MODULE], output[-1000:])
    return files


def machines(files):
    """What the programs and the module in the packages are for, as readelf calls it."""
    for file in files.values():
        tree = unpacked(file, "tree")
    programs = [*tree.glob("usr/*bin/*"), *tree.glob("usr/lib/*/*.so.2")]
    same(len(programs), 6)
    headers = [
        subprocess.run(["readelf", "-h", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        for path in programs
    ]
    return {re.search(r"Machine: +(.*)", header)[1] for header in headers}


@on_a_system("i386")
def test_i386():
    if architecture() != "amd64":
        skip("only amd64 runs programs of i386")
    system = Chroot("i386")
    files = built(system, "setarch", "i686", "tools/make-deb", "build/deb")
    same({field(file, "Architecture") for file in files.values()}, {"i386"})
    same(machines(files), {"Intel 80386"})
    system.install(*files.values())
    system.add_examples()
    with system.daemon():
        same(system.addresses("headless-svc"), HEADLESS)


@on_a_system("cross")
def test_across():
    if architecture() == CROSS:
        skip(f"this is {CROSS} itself")
    files = built(
        Chroot("cross"), "tools/make-deb", "build/deb", f"-a{CROSS}", "-Pcross,nocheck"
    )
    same({field(file, "Architecture") for file in files.values()}, {CROSS})
    same(machines(files), {"AArch64"})
