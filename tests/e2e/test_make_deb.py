# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tools/make-deb makes a source package of: a checkout of whomever, or an unpacked archive."""

import os
import pathlib
import shutil
import subprocess
import tarfile

from harness import need_program, need_root, same

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Replaces the build itself, which takes a minute.
BUILD = """#!/bin/sh
echo "$*" >"$ARGUMENTS"
echo "   dh_auto_build"
echo "gcc -O2 -MMD -MP -c -o build/obj/nss/module.o nss/module.c"
echo "  test_name                           4 passed   0 failed   0.01 s"
echo "dpkg-deb: building package 'x' in '../x.deb'."
touch ../x_1_all.deb ../x-dbgsym_1_all.deb
exit "${STATUS:-0}"
"""
TRACKED = ["Makefile", "debian/changelog", "debian/rules", "nss/module.c", "tools/make-deb"]
BUILT = ["build/kubesvcd", "compile_commands.json"]


def make_tree():
    """A small one, with something built, something new and something deleted in it."""
    for name in "dpkg-parsechangelog", "xz":
        need_program(name)
    tree = pathlib.Path("tree").resolve()
    for name in TRACKED:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "gone.c").write_text("int gone;\n")
    (tree / ".gitignore").write_text("/build/\n/compile_commands.json\n")
    for name in BUILT:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("built")
    return tree


def commit(tree):
    git = [need_program("git"), "-C", str(tree), "-c", "user.name=x", "-c", "user.email=x@example"]
    for command in ["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]:
        subprocess.run([*git, *command], check=True)
    (tree / "gone.c").unlink()
    (tree / "new.c").write_text("int new;\n")


def make_deb(tree, *options, path=None, **env):
    """(exit status, output, the files that went into the source package)."""
    tools = pathlib.Path("tools").resolve()
    tools.mkdir(exist_ok=True)
    (tools / "dpkg-buildpackage").write_text(BUILD)
    (tools / "dpkg-buildpackage").chmod(0o755)
    out = pathlib.Path("out").resolve()
    done = subprocess.run(
        [tree / "tools/make-deb", out, *options],
        env={"PATH": f"{tools}:{path or os.environ['PATH']}", "HOME": str(tools), "LC_ALL": "C",
             "ARGUMENTS": str(tools / "arguments")} | env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    files = [path for path in out.glob("work/kubesvc-*/**/*") if not path.is_dir()]
    root = next(out.glob("work/kubesvc-*"))
    return done.returncode, done.stdout, sorted(str(path.relative_to(root)) for path in files)


def archived():
    """What is in the archive of upstream's source, without the directory at its top."""
    with tarfile.open(next(pathlib.Path("out/work").glob("*.orig.tar.xz"))) as archive:
        return sorted(member.name.split("/", 1)[1] for member in archive if member.isfile())


def without_git():
    """A PATH with all programs but git."""
    directory = pathlib.Path("no-git").resolve()
    directory.mkdir()
    for place in os.environ["PATH"].split(":"):
        for program in pathlib.Path(place).glob("*"):
            link = directory / program.name
            if program.name != "git" and not link.is_symlink():
                link.symlink_to(program)
    return str(directory)


def test_a_checkout_of_another_user():
    need_root()
    tree = make_tree()
    commit(tree)
    subprocess.run(["chown", "-R", "65534:65534", tree], check=True)
    status, output, files = make_deb(tree)
    same(status, 0, output)
    same(files, sorted([*TRACKED, ".gitignore", "new.c"]))
    same(archived(), sorted(file for file in files if not file.startswith("debian/")))
    same({path.stat().st_uid for path in pathlib.Path("out").rglob("*")}, {0}, "owners")


def test_a_checkout_without_git():
    tree = make_tree()
    commit(tree)
    status, output, files = make_deb(tree, path=without_git())
    same(status, 0, output)
    same(files, sorted([*TRACKED, ".gitignore", "new.c"]))


def test_an_unpacked_archive():
    status, output, files = make_deb(make_tree())
    same(status, 0, output)
    same(files, sorted([*TRACKED, ".gitignore", "gone.c"]))


def test_progress_and_failure_are_shown():
    tree = make_tree()
    status, output, _ = make_deb(tree, "-aarm64")
    same(status, 0, output)
    for line in (
        "  dh_auto_build",
        "  CC      nss/module.c",
        "  test_name                           4 passed   0 failed   0.01 s",
        "dpkg-deb: building package 'x' in '../x.deb'.",
        str(pathlib.Path("out/x_1_all.deb").resolve()),
    ):
        assert line in output.splitlines(), (line, output)
    assert "dbgsym" not in output, output
    same(pathlib.Path("tools/arguments").read_text(), "-us -uc -aarm64\n")
    status, output, _ = make_deb(tree, STATUS="3")
    assert status != 0 and "gcc -O2" in output, output  # the end of the log
