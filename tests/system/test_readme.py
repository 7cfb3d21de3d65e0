# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README's section on installation, word for word."""

import pathlib
import re
import subprocess

from harness import same
from packages import unpacked_source
from programs import wrong_programs
from systems import HEADLESS, Chroot, Machine, on_a_system

README = pathlib.Path(__file__).resolve().parent.parent.parent / "README.md"
HOME = "/home/new"


def commands():
    """What the section says to type, up to where it goes on to other ways."""
    section = re.search(
        r"^## Installation\n(.*?)^Without packages", README.read_text(), re.M | re.S
    )[1]
    return re.findall(r"^    (.*)$", section, re.M)


@on_a_system("build")
def test_a_new_user_follows_the_readme():
    system = Chroot("build")
    system.run("useradd", "-m", "-s", "/bin/bash", "new")
    system.write("/etc/sudoers.d/new", "new ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    source = system.file(HOME) / "kubesvc"
    unpacked_source(source)
    system.run("chown", "-R", "new:", HOME)
    # The tests of the units have run in another build.
    environment = {"HOME": HOME, "USER": "new", "DEB_BUILD_OPTIONS": "nocheck"}
    with Machine(system) as machine:
        typed = commands()
        assert "make deb" in typed and "getent hosts headless-svc" in typed, typed
        for command in typed:
            output = machine.run(
                "bash",
                "-c",
                f"cd {HOME}/kubesvc && {command}",
                user="new",
                env=environment,
                limit=300,
            )
            print(f"$ {command}\n{output}")
        same(sorted(line.split()[0] for line in output.splitlines()), HEADLESS)
        same(wrong_programs(machine), [])
        machine.run("sudo", "apt", "-y", "purge", "libnss-kubesvc", "kubesvcd")
