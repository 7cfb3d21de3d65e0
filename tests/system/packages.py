# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages under test, as tools/make-deb built them, and others made of them."""

import pathlib
import subprocess

from harness import BUILD, skip

DIRECTORY = BUILD / "deb"
MODULE, DAEMON, CLUSTER = "libnss-kubesvc", "kubesvcd", "kubesvc-cluster"
DNS, PROXY = "kubesvc-dns", "kubesvc-proxy"


def package(name):
    found = sorted(DIRECTORY.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise FileNotFoundError(f"{DIRECTORY}: {len(found)} packages {name} (make deb)")
    return found[0]


def both():
    return [package(MODULE), package(DAEMON)]


def field(file, name):
    return subprocess.run(
        ["dpkg-deb", "-f", file, name], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def unpacked(file, directory):
    """The files of a package below `directory`."""
    subprocess.run(["dpkg-deb", "-x", file, directory], check=True)
    return pathlib.Path(directory)


def unpacked_source(directory):
    """The source package, as dpkg-source -x unpacks it."""
    directory.mkdir(parents=True, exist_ok=True)
    for pattern, strip in ("kubesvc_*.orig.tar.xz", 1), ("kubesvc_*.debian.tar.xz", 0):
        archive = next((DIRECTORY / "work").glob(pattern))
        subprocess.run(
            ["tar", "-xf", archive, "-C", directory, f"--strip-components={strip}"], check=True
        )


def packed(file, edit):
    """A package like `file`, after edit(tree) changed its files and its DEBIAN directory."""
    tree = pathlib.Path(f"{file.name}.tree")
    subprocess.run(["dpkg-deb", "-R", file, tree], check=True)
    edit(tree)
    done = subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", tree, "."],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout
    return pathlib.Path(done.split("'")[-2]).resolve()


def set_field(tree, name, value):
    control = tree / "DEBIAN/control"
    lines = [
        f"{name}: {value}" if line.startswith(f"{name}:") else line
        for line in control.read_text().splitlines()
    ]
    control.write_text("\n".join(lines) + "\n")


def newer(name):
    """The same package with a higher version."""
    file = package(name)
    return packed(file, lambda tree: set_field(tree, "Version", field(file, "Version") + "+newer"))


def for_i386():
    """The module's package for another architecture, with the build's 32-bit module."""
    module = BUILD / "m32/libnss_kubesvc.so.2"
    if not module.exists():
        skip("no 32-bit module was built")

    def edit(tree):
        set_field(tree, "Architecture", "i386")
        (tree / "usr/lib/i386-linux-gnu").mkdir()
        (tree / "usr/lib/i386-linux-gnu" / module.name).write_bytes(module.read_bytes())
        for old in (tree / "usr/lib").glob("x86_64-linux-gnu/*"):
            old.unlink()
        (tree / "usr/lib/x86_64-linux-gnu").rmdir()

    return packed(package(MODULE), edit)
