# SPDX-License-Identifier: LGPL-2.1-or-later
"""Root file systems as tar files, made once with mmdebstrap from the apt sources of this machine.

They are kept in the user's cache directory, named after what is in them, and made again after a
week.
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from harness import skip

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "kubesvc")
WEEK = 7 * 24 * 3600
LIMIT = 400  # seconds
SOURCES = pathlib.Path("/etc/apt/sources.list.d/debian.sources")

# What the packages depend on; a test of their dependencies is the one that follows the README.
DEPENDENCIES = "libc-ares2,libglib2.0-0,libsystemd0,libyajl2,libyaml-0-2"
PROGRAMS = (
    "busybox,curl,gawk,git,iputils-ping,netcat-openbsd,openssh-client,openssl,perl,procps,python3,"
    "rsync,socat,telnet,wget,libc6-i386,nscd,make,sudo"
)
# Packages that edit the hosts line, too. They lie in the file system and are not installed.
NEIGHBOURS = "libnss-mdns libnss-myhostname libnss-mymachines libnss-resolve"

# The architecture to build for on this one, and its compiler.
CROSS, COMPILER = "arm64", "crossbuild-essential-arm64"

MINIMAL = f"systemd-standalone-sysusers,{DEPENDENCIES}"
DATABASES = (
    f"systemd,systemd-sysv,procps,{DEPENDENCIES},libnftables1,"
    "etcd-server,etcd-client,postgresql,redis-server"
)
PODMAN = (
    "podman,netavark,aardvark-dns,catatonit,crun,iptables,nftables,iproute2,busybox-static,"
    f"slirp4netns,passt,uidmap,{MINIMAL}"
)
CONTAINERD = (
    f"containerd,containernetworking-plugins,runc,iptables,iproute2,busybox-static,{MINIMAL}"
)
RESOLVED = f"systemd,systemd-sysv,systemd-resolved,dbus,procps,{DEPENDENCIES}"
FORWARDING = f"systemd,systemd-sysv,procps,python3-minimal,libmnl0,libnftables1,nftables,{DEPENDENCIES}"
FULL = f"systemd,systemd-sysv,dbus-user-session,libpam-systemd,{DEPENDENCIES},{PROGRAMS}"


def needed(purpose):
    """The packages that tools/deps installs for a purpose."""
    program = pathlib.Path(__file__).resolve().parent.parent.parent / "tools/deps"
    names = subprocess.run(
        [program, "--list", purpose], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return [name.partition("|")[0] for name in names.split()]


def needed_to_cross():
    """The same for packages of CROSS: libraries are those of that architecture."""
    names = [COMPILER]
    for name in needed("deb"):
        names.append(f"{name}:{CROSS}" if name.startswith("lib") else name)
    return names


def suite():
    """The release of Debian that this machine runs: what is built here is for it."""
    text = pathlib.Path("/etc/os-release").read_text()
    found = re.search(r"^VERSION_CODENAME=(\w+)", text, re.M)
    return found[1] if found else "bookworm"


def architecture():
    return subprocess.run(
        ["dpkg", "--print-architecture"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def sources(release, foreign):
    """The apt sources of this machine; for another release, and for other architectures, which a
    mirror may have less of, the first stanza of them."""
    if not SOURCES.exists():
        skip(f"there is no {SOURCES}")
    text = SOURCES.read_text()
    if release == suite() and not foreign:
        return text
    return re.sub(r"^Suites:.*", f"Suites: {release}", text.split("\n\n")[0], flags=re.M) + "\n"


def make(path, release, include, options):
    command = [
        "mmdebstrap",
        "--mode=root",
        "--format=tar",
        "--variant=minbase",
        f"--include={include}",
        '--aptopt=APT::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        *(f"--aptopt={file}" for file in sorted(pathlib.Path("/etc/apt/apt.conf.d").glob("99*"))),
        *options,
        release,
        path,
        "-",
    ]
    try:
        with open(path.with_suffix(".log"), "w", encoding="utf-8") as log:
            subprocess.run(
                command,
                input=sources(release, any("--architectures" in option for option in options)),
                text=True,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=LIMIT,
                check=True,
            )
    except subprocess.TimeoutExpired:
        return f"does not end within {LIMIT} s"
    except subprocess.CalledProcessError:
        return f"fails; see {path.with_suffix('.log')}"
    return None


def tar(kind):
    """The file of one kind: "minimal"; "full", which has systemd and many programs; "databases",
    which has systemd and databases of several members; "podman" and "containerd", which run containers; "resolved",
    which has systemd-resolved; "build", where packages can be built, too; "i386", where those of
    this architecture can be built, and "cross", those of CROSS. Of another release of Debian than
    this one with a slash: "minimal/trixie". The network is needed to make it."""
    kind, _, release = kind.partition("/")
    release = release or suite()
    include, options = MINIMAL, []
    if kind == "build":
        include = f"{FULL},{','.join(needed('deb'))}"
    elif kind == "i386":
        include = ",".join([MINIMAL, *needed("deb")])
        options = ["--architectures=i386", "--skip=check/qemu"]
    elif kind == "cross":
        include = ",".join(needed_to_cross())
        options = [f"--architectures={architecture()},{CROSS}", "--skip=check/qemu"]
    elif kind == "databases":
        include = DATABASES
    elif kind == "podman":
        include = PODMAN
    elif kind == "containerd":
        include = CONTAINERD
    elif kind == "resolved":
        include = RESOLVED
    elif kind == "forwarding":
        include = FORWARDING
    elif kind == "full":
        include = FULL
        options = [
            '--customize-hook=mkdir "$1/srv/neighbours"',
            f'--customize-hook=cd "$1/srv/neighbours" && chroot "$1" sh -c '
            f'"cd /srv/neighbours && apt-get -q download {NEIGHBOURS}"',
        ]
    if shutil.which("mmdebstrap") is None:
        skip("there is no mmdebstrap")
    key = hashlib.sha256(repr((include, options)).encode()).hexdigest()[:8]
    path = CACHE / f"{release}-{kind}-{key}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failure = path.with_suffix(".failed")
        if path.exists() and time.time() - path.stat().st_mtime < WEEK:
            return path
        if failure.exists() and time.time() - failure.stat().st_mtime < LIMIT:
            skip(failure.read_text())
        for old in CACHE.glob(f"{release}-{kind}-*.tar"):
            old.unlink()
        part = path.with_suffix(".part")
        why = make(part, release, include, options)
        if why:
            part.unlink(missing_ok=True)
            failure.write_text(f"mmdebstrap for {release} {why}")
            skip(failure.read_text())
        part.rename(path)
    return path
