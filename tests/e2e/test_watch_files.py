# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that come, change and go, seen through getaddrinfo. What the loader does in detail is
tested in tests/unit/test_loader*.c; here it is the whole way that counts."""

import os
import subprocess

from harness import need_program
from watching import World, service


def test_create_write_rename_delete():
    with World() as world:
        world.lacks("a")
        world.write("a.yaml", service("a", "10.0.0.1"))
        world.has("a", "10.0.0.1")
        world.write("a.yaml", service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")
        world.put("a.yaml", service("a", "10.0.0.3"))
        world.has("a", "10.0.0.3")
        os.rename(world.directory / "a.yaml", world.directory / "b.yaml")
        world.put("c.yaml", service("c", "10.0.0.4"))
        world.has("c", "10.0.0.4")
        world.still_has("a", "10.0.0.3")
        os.rename(world.directory / "b.yaml", world.directory.parent / "b.yaml")
        world.lacks("a")
        os.rename(world.directory.parent / "b.yaml", world.directory / "b.yaml")
        world.has("a", "10.0.0.3")
        os.unlink(world.directory / "b.yaml")
        world.lacks("a")


def test_in_place_write_answers_after_close():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        with open(world.directory / "a.yaml", "w", encoding="utf-8") as file:
            for line in service("a", "10.0.0.2").splitlines(keepends=True):
                file.write(line)
                file.flush()
                # what comes after is seen, this not
                world.put("b.yaml", service("b", f"10.0.1.{file.tell() % 250 + 1}"))
                world.has("b", f"10.0.1.{file.tell() % 250 + 1}")
                world.still_has("a", "10.0.0.1")
        world.has("a", "10.0.0.2")


def test_broken_keeps_the_last_good():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        world.put("a.yaml", "a: [1\nb: }")
        world.daemon.wait_line("its last good content stays in effect")
        world.still_has("a", "10.0.0.1")
        world.put("a.yaml", service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")
        world.daemon.wait_line("fixed")
        world.put("a.yaml", "a: [1\nb: }")
        os.unlink(world.directory / "a.yaml")
        world.lacks("a")


def test_links():
    with World() as world:
        target = world.directory.parent / "target"
        target.write_text(service("a", "10.0.0.1"))
        os.symlink("../target", world.directory / "a.yaml")
        world.has("a", "10.0.0.1")
        target.write_text(service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")
        target.unlink()
        world.lacks("a")
        target.write_text(service("a", "10.0.0.3"))
        world.has("a", "10.0.0.3")
        os.unlink(world.directory / "a.yaml")
        world.lacks("a")
        os.link(target, world.directory / "a.yaml")
        world.has("a", "10.0.0.3")
        target.write_text(service("a", "10.0.0.4"))
        world.has("a", "10.0.0.4")


def test_file_written_through_its_later_name():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        world.has("a", "10.0.0.1")
        os.link(world.directory / "a.yaml", world.directory / "b.yaml")
        world.put("c.yaml", service("c", "10.0.0.3"))
        world.has("c", "10.0.0.3")
        world.write("b.yaml", service("a", "10.0.0.2"))
        os.unlink(world.directory / "b.yaml")
        world.has("a", "10.0.0.2")


def test_special_files_are_not_read():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        os.mkfifo(world.directory / "fifo.yaml")
        os.symlink("/dev/zero", world.directory / "zero.yaml")
        world.daemon.wait_line("is a FIFO")
        world.daemon.wait_line("is a device")
        world.put("b.yaml", service("b", "10.0.0.2"))
        world.has("b", "10.0.0.2")


def test_burst_of_a_thousand_files():
    with World() as world:
        for i in range(1000):
            world.write(f"{i}.yaml", service(f"s{i}", f"10.1.{i // 250}.{i % 250 + 1}"))
        world.has("s999", "10.1.3.250")
        world.still_has("s0", "10.1.0.1")
        for i in range(1000):
            os.unlink(world.directory / f"{i}.yaml")
        world.lacks("s0")
        world.lacks("s999")


def test_sed():
    need_program("sed")
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        subprocess.run(["sed", "-i.bak", "s/10.0.0.1/10.0.0.2/", world.directory / "a.yaml"],
                       check=True)
        world.has("a", "10.0.0.2")


def test_vim():
    vim = need_program("vim")
    for setting in "backupcopy=no", "backupcopy=yes":
        with World({"a.yaml": service("a", "10.0.0.1")}) as world:
            subprocess.run([vim, "-u", "NONE", "-es", "-c", f"set {setting} backup", "-c",
                            "%s/10.0.0.1/10.0.0.2/", "-c", "wq", world.directory / "a.yaml"],
                           check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            world.has("a", "10.0.0.2")


def test_emacs():
    """What it does to save a file: a lock that is a dangling link, and the old file kept under
    another name, moved away the first time and written over later."""
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        file, backup = world.directory / "a.yaml", world.directory / "a.yaml~"
        for i in range(2, 5):
            os.symlink("me@host.1234:5678", world.directory / ".#a.yaml")
            world.write("#a.yaml#", service("a", "10.0.9.9"))
            if i == 2:
                os.rename(file, backup)
            world.write("a.yaml", service("a", f"10.0.0.{i}"))
            os.unlink(world.directory / "#a.yaml#")
            os.unlink(world.directory / ".#a.yaml")
            world.has("a", f"10.0.0.{i}")


def test_rsync():
    rsync = need_program("rsync")
    with World() as world:
        source = world.directory.parent / "source"
        source.mkdir()
        for options in [], ["--inplace"]:
            for i in 1, 2:
                text = service("a", f"10.0.{len(options)}.{i}")
                (source / "a.yaml").write_text(text)
                subprocess.run([rsync, "-a", "--checksum", "--delete", *options, f"{source}/",
                                world.directory], check=True)
                world.has("a", f"10.0.{len(options)}.{i}")
        os.unlink(source / "a.yaml")
        subprocess.run([rsync, "-a", "--delete", f"{source}/", world.directory], check=True)
        world.lacks("a")


def test_git():
    git = need_program("git")
    with World() as world:
        def run(*arguments):
            subprocess.run([git, "-C", world.directory, "-c", "user.name=x", "-c",
                            "user.email=x@example.com", *arguments], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run("init", "-b", "one")
        world.write("a.yaml", service("a", "10.0.0.1"))
        run("add", "a.yaml")
        run("commit", "-m", "one")
        run("checkout", "-b", "two")
        world.write("a.yaml", service("a", "10.0.0.2"))
        world.write("b.yaml", service("b", "10.0.0.3"))
        run("add", "a.yaml", "b.yaml")
        run("commit", "-m", "two")
        world.has("b", "10.0.0.3")
        run("checkout", "one")
        world.lacks("b")
        world.has("a", "10.0.0.1")
        run("checkout", "two")
        world.has("b", "10.0.0.3")
        world.has("a", "10.0.0.2")
