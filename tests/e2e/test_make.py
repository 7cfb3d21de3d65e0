# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make`, `make install` and `make uninstall`, in a copy of the sources and with a compiler that only
makes empty files, so that what is tested is the Makefile."""

import pathlib
import re
import shutil
import subprocess

from harness import HERE, need_program, same, skip

ROOT = HERE.parent.parent
BUILT = {"libnss_kubesvc.so.2", "kubesvcd", "kubesvc", "kubesvc-cluster", "kubesvc-proxy", "kubesvc-dns"}
COMPILER = """#!/bin/sh
echo "$*" >>"$0.log"
while [ $# -gt 0 ]; do
    [ "$1" != -o ] || [ "$2" = /dev/null ] || echo >"$2"
    shift
done
"""


class Sources:
    def __init__(self):
        self.path = pathlib.Path("sources").resolve()
        self.path.mkdir()
        for name in ("Makefile", "cli", "cluster", "daemon", "debian", "dns", "docs", "examples", "include", "lib", "nss",
                     "proxy", "share", "tests", "tools"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, self.path / name)
        self.compiler = self.program("compiler", COMPILER)
        self.program("ar", '#!/bin/sh\necho >"$2"\n')

    def program(self, name, text):
        path = self.path.parent / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def try_make(self, *arguments, **more):
        path = f"{self.compiler.parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            [need_program("make"), *arguments], cwd=self.path, env={"PATH": path} | more, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def make(self, *arguments, **more):
        done = self.try_make(*arguments, **more)
        same(done.returncode, 0, f"make {arguments}: {done.stdout[-2000:]}")

    def compiled(self):
        """The calls of the compiler since the last call of this."""
        log = self.compiler.with_name("compiler.log")
        lines = log.read_text().splitlines() if log.exists() else []
        log.write_text("")
        return [line for line in lines if "/dev/null" not in line]


def files(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


def test_make_alone_builds_everything():
    sources = Sources()
    sources.make("-j2", f"CC={sources.compiler}")
    same({path.name for path in (sources.path / "build").iterdir()} & BUILT, BUILT)


def test_without_the_libraries_it_says_what_installs_them():
    sources = Sources()
    none = sources.program("no-pkg-config", "#!/bin/sh\necho >&2 no package; exit 1\n")
    for target in "all", "install", "tests":
        done = sources.try_make(target, f"CC={sources.compiler}", f"PKG_CONFIG={none}")
        same(done.returncode, 2, target)
        assert "'make deps-build' installs what is missing" in done.stdout, done.stdout
    same(sources.compiled(), [])
    sources.make("clean", f"PKG_CONFIG={none}")  # needs none of them


def test_objects_are_linked_in_the_same_order_in_every_locale():
    """GNU make sorts what a wildcard matches by the rules of the locale."""
    sources = Sources()
    made = subprocess.run(
        [need_program("localedef"), "-i", "tr_TR", "-f", "UTF-8", "./tr_TR.UTF-8"],
        cwd=sources.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if not (sources.path / "tr_TR.UTF-8").exists():
        skip(f"localedef cannot make tr_TR: {made.stdout.strip()[:200]}")
    commands = {}
    for locale in "C", "tr_TR.UTF-8":
        done = sources.try_make("-n", f"CC={sources.compiler}", LC_ALL=locale, LOCPATH=str(sources.path))
        same(done.returncode, 0, done.stdout[-2000:])
        commands[locale] = {line for line in done.stdout.splitlines() if line.count(".o ") > 1}
    assert len(commands["C"]) > 10, commands
    same(commands["tr_TR.UTF-8"], commands["C"])


def test_make_install_compiles_nothing_that_is_built():
    sources = Sources()
    sources.make("-j2", f"CC={sources.compiler}", "CFLAGS=-O1 -g")
    assert sources.compiled()
    before = {path: path.stat().st_mtime_ns for path in (sources.path / "build").rglob("*")}
    # root has another PATH, other CFLAGS and another compiler
    other = sources.program("other", COMPILER)
    target = sources.path / "target"
    sources.make("install", f"CC={other}", f"DESTDIR={target}", CFLAGS="-O3")
    same(sources.compiled(), [])
    same(other.with_name("other.log").exists() and "-c " in other.with_name("other.log").read_text(),
         False, "compiled by install")
    after = {path: path.stat().st_mtime_ns for path in (sources.path / "build").rglob("*")}
    same(after, before, "what install changed in the build")
    # but other flags and changed sources still count for a build
    sources.make("-j2", f"CC={sources.compiler}", "CFLAGS=-O3")
    assert len(sources.compiled()) > 50
    path = sources.path / "cli/main.c"
    path.write_text(path.read_text() + "\n")
    sources.make("install", f"CC={sources.compiler}", f"DESTDIR={target}")
    same([line.split()[-1] for line in sources.compiled() if " -c " in line], ["cli/main.c"])


def test_make_install_alone_builds_first():
    sources = Sources()
    target = sources.path / "target"
    sources.make("-j2", "install", f"CC={sources.compiler}", f"DESTDIR={target}")
    assert (target / "usr/sbin/kubesvcd").is_file()


def test_units_start_what_was_installed():
    sources = Sources()
    target = sources.path / "target"
    for prefix in "/usr", "/opt/names":
        sources.make("-j2", "install", f"CC={sources.compiler}", f"DESTDIR={target}",
                     f"prefix={prefix}")
        for unit in (target / prefix[1:] / "lib/systemd").rglob("*.service"):
            if unit.name == "kubesvcd-runtime.service":  # starts nothing of ours
                continue
            started = re.findall(r"^Exec(?:Start|Reload)=(/\S*/kubesvc[\w-]*)", unit.read_text(), re.M)
            wanted = [f"{prefix}/sbin/{re.match('[a-z-]+', unit.name)[0]}"]
            same(started, wanted + [f"{prefix}/bin/kubesvc"] * (unit.name == "kubesvcd.service"), unit)
            for path in started:
                assert (target / path[1:]).is_file(), path


def test_make_install_and_uninstall():
    sources = Sources()
    target = sources.path / "the target"
    sources.make("-j2", f"CC={sources.compiler}")
    sources.make("install", f"CC={sources.compiler}", f"DESTDIR={target}", "libdir=/usr/lib/here")
    same(oct((target / "usr/bin/kubesvc").stat().st_mode & 0o777), "0o755")
    installed = files(target)
    for expected in ("usr/lib/here/libnss_kubesvc.so.2", "usr/sbin/kubesvcd", "usr/bin/kubesvc",
                     "usr/sbin/kubesvc-proxy", "usr/lib/systemd/system/kubesvc-proxy.service",
                     "usr/sbin/kubesvc-cluster", "usr/lib/sysusers.d/kubesvc-cluster.conf",
                     "usr/lib/systemd/system/kubesvc-cluster@.service",
                     "usr/lib/systemd/system/kubesvcd.service",
                     "usr/lib/systemd/system/kubesvcd-runtime.service",
                     "usr/lib/systemd/user/kubesvcd.service",
                     "usr/lib/systemd/user/kubesvcd-runtime.service",
                     "usr/lib/sysusers.d/kubesvcd.conf", "usr/share/man/man1/kubesvc.1",
                     "usr/share/man/man5/kubesvcd.yaml.5", "usr/share/man/man8/nss-kubesvc.8",
                     "usr/share/doc/kubesvcd/docs/rules.md",
                     "usr/share/doc/kubesvcd/examples/deployment.yaml"):
        assert expected in installed, expected
    for directory in "manifests", "kubesvcd.yaml.d", "clusters":
        same((target / "etc/kubesvc" / directory).is_dir(), True, f"README's {directory}")

    own = {"etc/kubesvc/kubesvcd.yaml", "etc/kubesvc/manifests/web.yaml", "usr/bin/other",
           "usr/share/doc/kubesvcd/notes", "var/lib/kubesvc/leases"}
    for name in own:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text("")
    uninstall = ["uninstall", f"CC={sources.compiler}", f"DESTDIR={target}", "libdir=/usr/lib/here"]
    sources.compiled()
    sources.make(*uninstall)
    same(files(target), own, "what uninstall leaves")
    same(sources.compiled(), [])
    for name in own:
        (target / name).unlink()
    sources.make(*uninstall)
    same(files(target), set())
    for directory in "etc/kubesvc", "usr/share/doc/kubesvcd":
        same((target / directory).exists(), False, f"{directory} after a second uninstall")
