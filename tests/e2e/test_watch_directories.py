# SPDX-License-Identifier: LGPL-2.1-or-later
"""Directories that appear, vanish, are replaced, linked and mounted over, as getaddrinfo sees it."""

import os
import shutil
import subprocess

from harness import Client, Daemon, need_root, skip
from watching import World, service


def watch_missing(path):
    """A World's daemon with one more directory, which does not exist."""
    return World(options=["--manifests", path])


def test_directory_and_parent_appear_later():
    path = os.path.abspath("x/y/m")
    with watch_missing(path) as world:
        world.lacks("a")
        os.makedirs(path)
        world.lacks("a")
        with open(f"{path}/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.1"))
        world.has("a", "10.0.0.1")
        shutil.rmtree("x")
        world.lacks("a")
        os.makedirs("new/y/m")
        with open("new/y/m/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.2"))
        os.rename("new", "x")
        world.has("a", "10.0.0.2")


def test_directory_made_again():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        for i in range(2, 12):
            shutil.rmtree(world.directory)
            if i % 2:
                world.lacks("a")
            world.directory.mkdir()
            world.write("a.yaml", service("a", f"10.0.0.{i}"))
            world.has("a", f"10.0.0.{i}")


def test_large_directory_goes_while_it_is_written_to():
    """So many files that withdrawing them is interrupted, and something happens in between."""
    count = 6000
    files = {f"f{i}.yaml": service(f"s{i}", f"10.1.{i >> 8}.{i & 255}") for i in range(count)}
    with World(files) as world:
        away = world.directory.with_name("away")
        for i in range(1, 5):
            changed, removed, added = f"f{i}.yaml", f"f{i + 100}.yaml", f"g{i}.yaml"
            os.rename(world.directory, away)
            (away / removed).unlink()
            if i % 2:
                world.lacks(f"s{count - 1}")
            os.rename(away, world.directory)
            world.put(changed, service(f"s{i}", f"10.2.0.{i}"))
            world.write(added, service(f"t{i}", f"10.3.0.{i}"))
            world.has(f"t{i}", f"10.3.0.{i}")
            world.has(f"s{i}", f"10.2.0.{i}")
            world.lacks(f"s{i + 100}")
            world.has(f"s{count - 1}", f"10.1.{count - 1 >> 8}.{count - 1 & 255}")
        shutil.rmtree(world.directory)
        world.lacks(f"s{count - 1}")
        world.lacks("t1")
        world.has("rest", "10.0.0.99")


def test_linked_directory():
    path = os.path.abspath("m")
    for i in 1, 2:
        os.mkdir(f"release{i}")
        with open(f"release{i}/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", f"10.0.0.{i}"))
    os.symlink("release1", "m")
    with watch_missing(path) as world:
        world.has("a", "10.0.0.1")
        os.symlink("release2", "new")
        os.rename("new", "m")
        world.has("a", "10.0.0.2")
        with open("release2/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.3"))
        world.has("a", "10.0.0.3")


def test_recursive():
    os.makedirs("m/x")
    config = (f"manifests:\n- {{path: {os.path.abspath('m')}, recursive: true}}\n"
              f"- {os.path.abspath('other')}\n")
    os.mkdir("other")
    with open("other/rest.yaml", "w", encoding="utf-8") as file:
        file.write(service("rest", "10.0.0.99"))
    with Daemon([], config=config) as daemon, Client(daemon.env) as client:
        def until(condition):
            client.until("inet", "a.default.svc", condition)

        with open("m/x/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.1"))
        until(lambda a: a.addresses == ["10.0.0.1"])
        os.makedirs("m/y/z")
        os.rename("m/x/a.yaml", "m/y/z/a.yaml")
        with open("m/y/z/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.2"))
        until(lambda a: a.addresses == ["10.0.0.2"])
        os.rename("m/y", "m/.hidden")
        until(lambda a: a.error == "EAI_NONAME")


def test_links_among_directories():
    """Each leads to all others, so there are a million paths without a loop."""
    many = range(9)
    for i in many:
        os.makedirs(f"m/{i}")
        for j in many:
            os.symlink(f"../{j}", f"m/{i}/to{j}")
    config = f"manifests: [{{path: {os.path.abspath('m')}, recursive: true}}]\n"
    with Daemon([], config=config) as daemon, Client(daemon.env) as client:
        daemon.wait_line("too-many-directories")
        with open("m/3/a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.1"))
        client.until("inet", "a.default.svc", lambda a: a.addresses == ["10.0.0.1"])


def test_volume_is_one_set():
    """A ConfigMap's files change together: `a` and `b` are never of two sets."""
    with World() as world:
        directory = world.directory

        def write(generation):
            new = directory / f"..{generation}"
            new.mkdir()
            for i, name in enumerate("ab"):
                (new / f"{name}.yaml").write_text(service(name, f"10.{i}.0.{generation}"))
            os.symlink(new.name, directory / "..data_tmp")
            os.rename(directory / "..data_tmp", directory / "..data")

        write(1)
        for name in "ab":
            os.symlink(f"..data/{name}.yaml", directory / f"{name}.yaml")
        world.has("b", "10.1.0.1")
        for generation in range(2, 30):
            write(generation)
            shutil.rmtree(directory / f"..{generation - 1}")
            # whichever is seen first, the other must have changed with it
            for first, other in ("ab", "ba"):
                i, j = "ab".index(first), "ab".index(other)
                world.has(first, f"10.{i}.0.{generation}")
                world.still_has(other, f"10.{j}.0.{generation}")


def test_unreadable_touches_nothing_else():
    files = {"a.yaml": service("a", "10.0.0.1"), "b.yaml": service("b", "10.0.0.2")}
    drop = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    with World(files, wrapper=drop) as world:
        os.chmod(world.directory / "a.yaml", 0)
        world.daemon.wait_line("Permission denied")
        world.still_has("a", "10.0.0.1")
        world.put("b.yaml", service("b", "10.0.0.3"))
        world.has("b", "10.0.0.3")
        os.chmod(world.directory, 0)
        world.daemon.wait_line("cannot be listed")
        world.still_has("b", "10.0.0.3")
        os.chmod(world.directory, 0o700)
        os.unlink(world.directory / "a.yaml")
        world.lacks("a")


def mounting_world():
    """A daemon with a mount namespace of its own, and what runs a command there."""
    need_root()
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-m", "true"], check=False).returncode != 0:
        skip("needs a mount namespace")
    world = World({"a.yaml": service("a", "10.0.0.1")},
                  wrapper=[unshare, "-m", "--propagation", "private"])

    def run(*command):
        enter = ["nsenter", "-m", "-t", str(world.daemon.process.pid)]
        subprocess.run([*enter, *command], check=True)

    return world, run


def test_mount_over_the_directory():
    os.mkdir("over")
    with open("over/a.yaml", "w", encoding="utf-8") as file:
        file.write(service("a", "10.0.0.2"))
    world, run = mounting_world()
    with world:
        world.has("a", "10.0.0.1")
        run("mount", "--bind", os.path.abspath("over"), world.directory)
        world.has("a", "10.0.0.2")
        run("umount", world.directory)
        world.has("a", "10.0.0.1")


def test_mount_over_a_file():
    world, run = mounting_world()
    with world:
        over, under = world.directory.parent / "over", world.directory / "a file.yaml"
        os.rename(world.directory / "a.yaml", under)
        over.write_text(service("a", "10.0.0.2"))
        run("mount", "--bind", over, under)
        world.has("a", "10.0.0.2")
        over.write_text(service("a", "10.0.0.3"))
        world.has("a", "10.0.0.3")
        run("umount", under)
        world.has("a", "10.0.0.1")
