# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make demo` on a host without any network, and what tools/deps installs for which purpose."""

import os
import pathlib
import re
import shutil
import subprocess

from harness import BUILD, need_program, same, skip, unsanitized

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Stand for programs of the system; what they are called with goes to `called`.
RECORD = """#!/bin/bash
echo "${0##*/} $*" >>"$STAND_INS/called"
"""
STAND_INS = {
    "id": '#!/bin/bash\necho "${UID_OF_TEST:-1000}"\n',
    "dpkg": "#!/bin/bash\necho amd64\n",
    # The last argument is a package.
    "dpkg-query": """#!/bin/bash
grep -qx -- "${!#}" "$STAND_INS/installed" && printf installed
""",
    "apt-get": RECORD,
}
SUDO = RECORD + 'exec "$@"\n'
DENIED = RECORD + 'echo "test is not in the sudoers file." >&2\nexit 1\n'


def test_the_demo_needs_no_address_but_those_of_the_loopback():
    unsanitized("a program without the sanitizers' library cannot load the module")
    alone = [need_program("unshare"), *([] if os.geteuid() == 0 else ["-r"]), "-mn"]
    tried = subprocess.run([*alone, "unshare", "-mn", "true"], capture_output=True, text=True,
                           check=False)
    if tried.returncode:
        skip(f"no namespaces here: {tried.stderr.strip()}")
    done = subprocess.run([*alone, ROOT / "tools/demo", BUILD], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    same(done.returncode, 0, done.stdout)
    looked_up = [rf"Name:\t{name}\.moon\.svc\.cluster\.local\nAddress: {address}"
                 for name, address in [("headless-svc", "127.244.0.1"), ("headless-svc", "127.244.0.2"),
                                       ("headless-svc", "127.244.0.3"), ("regular-svc", "127.96.0.1")]]
    for line in (
        r"127\.244\.0\.5 +headless-svc\.moon\.svc\.cluster\.local",
        r"connected to 127\.244\.0\.3 -> replica at 127\.244\.0\.3",
        r"\(waiting for the daemon to .*\)",
        r"\(waiting for headless-svc to have 5 addresses\)",
        r"# Nothing is left behind\.",
        r"\(waiting for kubesvc-dns to have the names\)",
        *(looked_up if shutil.which("nslookup") else [r"\(nslookup is not installed: .*\)"]),
    ):
        assert re.search(f"^{line}$", done.stdout, re.M), (line, done.stdout)
    same(re.findall(r"^<\d>.*", done.stdout, re.M), [], "prefixes for the journal")
    if not re.search(r"^\(not shown here: .*nftables.*\)$", done.stdout, re.M):
        same(re.findall(r"^[ \d]\d of \d+ connections -> replica at (.*)$", done.stdout, re.M),
             ["127.244.0.1", "127.244.0.2", "127.244.0.3"])


class Deps:
    """tools/deps on a system with these packages installed; and perhaps with a sudo."""

    def __init__(self, installed, sudo=None):
        self.directory = pathlib.Path("stand-ins").resolve()
        self.directory.mkdir(exist_ok=True)
        for name, text in (STAND_INS | ({"sudo": sudo} if sudo else {})).items():
            (self.directory / name).write_text(text)
            (self.directory / name).chmod(0o755)
        for name in "bash", "dirname", "env", "grep", "sed", "sort", "tr":
            link = self.directory / name
            if not link.exists():
                link.symlink_to(need_program(name))
        (self.directory / "installed").write_text("".join(f"{name}\n" for name in installed))
        (self.directory / "called").write_text("")

    def run(self, *arguments, **env):
        done = subprocess.run(
            [ROOT / "tools/deps", *arguments],
            env={"PATH": str(self.directory), "STAND_INS": str(self.directory)} | env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def called(self):
        return (self.directory / "called").read_text().splitlines()


def needed(purpose):
    names = Deps([]).run("--list", purpose)[1].split()
    return [name.partition("|")[0] for name in names]


def test_each_purpose_has_its_packages():
    build, demo, deb, bench, check = map(needed, ("build", "demo", "deb", "bench", "check"))
    assert len(build) <= 12 and "gcc" in build and "libyaml-dev" in build, build
    same(set(demo) - set(build), {"python3", "mount"})
    for purpose in demo, deb, bench:
        assert set(build) <= set(purpose) <= set(check), purpose
    same({"clang-tidy", "lintian", "valgrind", "vim"} & ({*demo} | {*deb} | {*bench}), set())
    same(Deps([]).run("nonsense")[0], 2)


def test_with_everything_installed_no_privileges_are_needed():
    for purpose in "build", "demo", "deb", "bench":
        deps = Deps([name for name in needed(purpose) if name != "pkgconf"] + ["pkg-config"])
        same(deps.run(purpose), (0, ""), purpose)
        same(deps.called(), [], purpose)


def test_a_user_who_cannot_install_is_told_what_is_missing():
    present = [name for name in needed("demo") if name not in ("gcc", "libyajl-dev")]
    command = "    apt-get install --no-install-recommends gcc libyajl-dev\n"
    deps = Deps(present)
    status, output = deps.run("demo")
    same(status, 1)
    assert output.endswith(command), output
    same(deps.called(), [])
    # One whom sudo refuses is told the same.
    status, output = Deps(present, sudo=DENIED).run("demo")
    same(status, 1)
    assert "not in the sudoers file" in output and output.endswith(command), output


def test_root_and_sudoers_get_what_is_missing_and_nothing_else():
    present = [name for name in needed("demo") if name not in ("gcc", "libyajl-dev")]
    for sudo, uid in (SUDO, "1000"), (None, "0"):
        (pathlib.Path("stand-ins/sudo")).unlink(missing_ok=True)
        deps = Deps(present, sudo=sudo)
        status, output = deps.run("demo", UID_OF_TEST=uid)
        same(status, 0, output)
        assert "gcc libyajl-dev" in output, output
        installs = [line for line in deps.called() if re.match(r"apt-get install .*", line)]
        same([line.endswith("Dpkg::Use-Pty=0 gcc libyajl-dev") for line in installs], [True])
