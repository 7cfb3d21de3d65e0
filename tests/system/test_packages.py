# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages themselves: what is in them, how they are built. Any user can run this."""

import filecmp
import os
import pathlib
import re
import shutil
import subprocess

from harness import limit, need_program, same
from packages import CLUSTER, DAEMON, DIRECTORY, DNS, MODULE, PROXY, field, package, unpacked, unpacked_source

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ENTRY_POINTS = [
    "gethostbyaddr2_r",
    "gethostbyaddr_r",
    "gethostbyname2_r",
    "gethostbyname3_r",
    "gethostbyname4_r",
    "gethostbyname_r",
]


def output(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


def module_file(tree):
    triplet = output("gcc", "-print-multiarch").strip()
    return tree / "usr/lib" / triplet / "libnss_kubesvc.so.2"


@limit(400)
def test_two_builds_are_bit_identical():
    """In another directory, with another mask, time zone and language, and without git."""
    other = pathlib.Path("elsewhere/with-a-longer-name").resolve()
    unpacked_source(other)
    before = output("find", other, "-printf", "%p %s %t %m\\n")
    environment = os.environ | {
        "DEB_BUILD_OPTIONS": "nocheck",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
    }
    done = subprocess.run(
        ["tools/make-deb", "build/deb"],
        cwd=other,
        env=environment,
        umask=0o077,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    same(done.returncode, 0, done.stdout[-3000:])
    shutil.move(other / "build/deb", "second")
    (other / "build").rmdir()
    same(
        output("find", other, "-printf", "%p %s %t %m\\n").split("\n")[1:],
        before.split("\n")[1:],
        "the tree",
    )
    made = sorted(
        file.name
        for file in (DIRECTORY / "work").iterdir()
        if file.is_file() and file.suffix not in (".buildinfo", ".changes", ".log")
    )
    packages = len(re.findall("^Package: ", (ROOT / "debian" / "control").read_text(), re.M))
    # symbols for each package, and the source in three files
    assert len(made) == 2 * packages + 3, made
    for name in made:
        assert filecmp.cmp(DIRECTORY / "work" / name, f"second/work/{name}", shallow=False), name


def test_unit_tests_ran_in_the_build():
    rules = (ROOT / "debian/rules").read_text()
    assert "check-unit" in rules
    log = (DIRECTORY / "work/build.log").read_text()
    assert re.search(r"^[1-9]\d* passed, 0 failed, \d+ skipped$", log, re.M)


def test_lintian_finds_nothing():
    need_program("lintian")
    changes = next((DIRECTORY / "work").glob("*.changes"))
    done = subprocess.run(
        [
            "lintian",
            "--allow-root",
            "--pedantic",
            "--display-info",
            "--fail-on",
            "error,warning",
            "--suppress-tags",
            "alien-tag",  # an override that only another release of lintian needs
            changes,
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout)
    same(done.returncode, 0, done.stdout)
    for file in (
        "source/lintian-overrides",
        f"{MODULE}.lintian-overrides",
        f"{DAEMON}.lintian-overrides",
        f"{CLUSTER}.lintian-overrides",
        f"{DNS}.lintian-overrides",
        f"{PROXY}.lintian-overrides",
    ):
        lines = (ROOT / "debian" / file).read_text().splitlines()
        for before, line in zip(["", *lines], lines):
            assert line.startswith("#") or before.startswith("#"), f"{file}: no reason for: {line}"


def test_the_module_is_a_good_guest():
    tree = unpacked(package(MODULE), "module")
    file = module_file(tree)
    same(list(tree.glob("usr/lib/**/*.so*")), [file])
    assert file.is_file() and not file.is_symlink()
    same(file.stat().st_mode & 0o7777, 0o644)
    dynamic = output("readelf", "-dW", file)
    same(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic), ["libc.so.6"])
    same(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic), ["libnss_kubesvc.so.2"])
    assert re.search(r"FLAGS_1\).*NOW.*NODELETE", dynamic), dynamic
    assert "GNU_RELRO" in output("readelf", "-lW", file)
    same(
        sorted(re.findall(r"_nss_kubesvc_(\w+)", output("nm", "-D", "--defined-only", file))),
        ENTRY_POINTS,
    )
    same(len(output("nm", "-D", "--defined-only", file).splitlines()), len(ENTRY_POINTS))


def test_the_daemon_is_hardened_and_asks_no_name_service():
    for name in DAEMON, CLUSTER, DNS, PROXY:
        check_program(unpacked(package(name), name) / "usr/sbin" / name)


def check_program(file):
    header = output("readelf", "-hlW", file)
    assert "DYN (Position-Independent" in header and "GNU_RELRO" in header, header
    assert "NOW" in output("readelf", "-dW", file)
    imported = re.findall(r"\bU (\w+)", output("nm", "-D", file))
    assert any(name.endswith("_chk") for name in imported)
    same(
        [name for name in imported if re.match(r"getaddrinfo|gethostby|getpw|getgr|getserv", name)],
        [],
    )


def test_what_the_packages_say_of_themselves():
    module, daemon = package(MODULE), package(DAEMON)
    same(
        [field(module, name) for name in ("Multi-Arch", "Section", "Recommends")],
        ["same", "admin", DAEMON],
    )
    same(field(daemon, "Recommends"), MODULE)
    same(re.sub(r" \(.*?\)", "", field(module, "Depends")), "libc6")
    conffiles = unpacked_control(daemon, "conffiles")
    same(conffiles, "/etc/kubesvc/kubesvcd.yaml\n")
    files = {str(path.relative_to("all")) for path in unpacked(daemon, "all").rglob("*")}
    for file in (
        "etc/kubesvc/manifests",
        "usr/lib/systemd/user/kubesvcd.service",
        "usr/lib/sysusers.d/kubesvcd.conf",
        "usr/sbin/kubesvcd",
        "usr/share/doc/kubesvcd/examples/headless-svc.yaml",
        "usr/share/man/man5/kubesvcd.yaml.5.gz",
        "usr/share/man/man8/kubesvcd.8.gz",
    ):
        assert file in files, file
    assert any(file.endswith("lib/systemd/system/kubesvcd.service") for file in files)
    assert files & {"usr/share/doc/kubesvcd/README.md", "usr/share/doc/kubesvcd/README.md.gz"}
    for example in (ROOT / "examples").rglob("*.*"):
        if example.is_file():
            assert f"usr/share/doc/kubesvcd/{example.relative_to(ROOT)}" in files, example
    same([file for file in files if file.endswith(".socket")], [])
    # The command line, its manual and its completions, where there is one.
    if any((DIRECTORY / "work").glob("kubesvc-*/build/kubesvc")):
        for file in (
            "usr/bin/kubesvc",
            "usr/share/man/man1/kubesvc.1.gz",
            "usr/share/man/man1/kubesvc-run.1.gz",
            "usr/share/bash-completion/completions/kubesvc",
        ):
            assert file in files, file


def test_only_the_package_of_the_cluster_needs_libcurl():
    assert "libcurl4" in field(package(CLUSTER), "Depends")
    for name in MODULE, DAEMON:
        assert "curl" not in field(package(name), "Depends"), name
    files = {str(p.relative_to("c")) for p in unpacked(package(CLUSTER), "c").rglob("*")}
    for file in (
        "etc/kubesvc/clusters",
        "usr/lib/sysusers.d/kubesvc-cluster.conf",
        "usr/sbin/kubesvc-cluster",
        "usr/share/doc/kubesvc-cluster/examples/cluster/rbac.yaml",
        "usr/share/man/man8/kubesvc-cluster.8.gz",
    ):
        assert file in files, file
    assert any(file.endswith("lib/systemd/system/kubesvc-cluster@.service") for file in files)
    same([file for file in files if file.endswith("kubesvc.conf")], [])


def test_the_package_of_dns_has_its_units_and_needs_little():
    same(re.sub(r" \(.*?\)", "", field(package(DNS), "Depends")).count("curl"), 0)
    files = {str(p.relative_to("n")) for p in unpacked(package(DNS), "n").rglob("*")}
    for file in ("usr/sbin/kubesvc-dns", "usr/share/man/man8/kubesvc-dns.8.gz"):
        assert file in files, file
    for unit in "kubesvc-dns.service", "kubesvc-dns.socket":
        assert any(file.endswith(f"lib/systemd/system/{unit}") for file in files), unit


def test_only_the_package_of_the_proxy_needs_nftables():
    for name in MODULE, DAEMON, CLUSTER, DNS:
        same("nftables" in field(package(name), "Depends"), False, name)
    assert "libnftables1" in field(package(PROXY), "Depends")
    files = {str(p.relative_to("p")) for p in unpacked(package(PROXY), "p").rglob("*")}
    for file in ("usr/sbin/kubesvc-proxy", "usr/share/man/man8/kubesvc-proxy.8.gz"):
        assert file in files, file
    assert any(file.endswith("lib/systemd/system/kubesvc-proxy.service") for file in files)


def unpacked_control(file, name):
    return output("dpkg-deb", "-I", file, name)


def test_manual_pages_are_in_order():
    need_program("man")
    pages = []
    for name in MODULE, DAEMON, CLUSTER, DNS, PROXY:
        pages += unpacked(package(name), "pages").glob("usr/share/man/man*/*")
    pages = sorted(set(pages))
    assert len(pages) >= 4, pages
    for page in pages:
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
            check=False,
        )
        same((done.returncode, done.stderr), (0, ""), str(page))
        assert len(done.stdout) > 500, page


def test_units_are_in_order():
    need_program("systemd-analyze")
    for name in DAEMON, DNS, PROXY:
        tree = unpacked(package(name), "units")
        unit = next(tree.glob(f"**/systemd/system/{name}.service"))
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=14", unit],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        same(done.returncode, 0, done.stdout[-200:])
