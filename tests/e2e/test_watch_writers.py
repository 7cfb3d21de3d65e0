# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writers of a file: it is read when they have closed it, and not delayed by writers of other files
or by writers that are no longer observed."""

import contextlib
import ctypes
import mmap
import os
import signal
import time

from harness import wait_for
from watching import World, service

RENAME_EXCHANGE = 2


@contextlib.contextmanager
def unheard(world):
    """What is done meanwhile is heard at once."""
    world.daemon.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, world.daemon.process.pid, os.WSTOPPED | os.WNOWAIT)  # all its threads
    yield
    world.daemon.process.send_signal(signal.SIGCONT)


def begin(path, text="# more\n"):
    """A writer who does not close the file."""
    file = open(path, "a", encoding="utf-8")
    file.write(text)
    file.flush()
    return file


def await_heard(world, name, address):
    """Until everything that happened before was heard."""
    world.put(f"{name}.yaml", service(name, address))
    world.has(name, address)


def replace_while_written(world, path):
    """A writer has the file open by this path, and writes to it after another file took its place."""
    with open(path, "a", encoding="utf-8") as file:
        with unheard(world):
            world.put("a.yaml", service("a", "10.0.0.2"))
            file.write("# of the one before\n")
            file.flush()
        world.has("a", "10.0.0.2")


def test_writer_of_a_replaced_file():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        replace_while_written(world, world.directory / "a.yaml")


def test_writer_of_another_name():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        other = world.directory.parent / "other"
        os.link(world.directory / "a.yaml", other)
        world.daemon.reload()  # a name outside is not heard of
        await_heard(world, "b", "10.0.0.9")
        replace_while_written(world, other)


def test_writer_in_a_replaced_directory():
    libc = ctypes.CDLL(None, use_errno=True)
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        new = world.directory.parent / "new"
        new.mkdir()
        (new / "a.yaml").write_text(service("a", "10.0.0.2"))
        with begin(world.directory / "a.yaml"):
            await_heard(world, "b", "10.0.0.9")
            assert libc.renameat2(-100, os.fsencode(new), -100, os.fsencode(world.directory),
                                  RENAME_EXCHANGE) == 0, os.strerror(ctypes.get_errno())
            world.has("a", "10.0.0.2")


def test_writer_where_a_link_led():
    with World() as world:
        base = world.directory.parent
        for i in 1, 2:
            (base / f"release{i}").mkdir()
            (base / f"release{i}" / "a.yaml").write_text(service("a", f"10.0.0.{i}"))
        os.symlink("release1", base / "current")
        os.symlink("../current/a.yaml", world.directory / "a.yaml")
        world.has("a", "10.0.0.1")
        with begin(base / "release1" / "a.yaml"):
            await_heard(world, "b", "10.0.0.9")
            os.symlink("release2", base / "new")
            os.rename(base / "new", base / "current")
            world.has("a", "10.0.0.2")


def test_reload_while_somebody_writes():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        with open(world.directory / "a.yaml", "w", encoding="utf-8") as file:
            file.write("# the rest is still to come\n")
            file.flush()
            world.daemon.reload()
            await_heard(world, "b", "10.0.0.9")
            world.still_has("a", "10.0.0.1")
            file.write(service("a", "10.0.0.2"))
        world.has("a", "10.0.0.2")


def test_another_closes_while_one_writes():
    with World({"a.yaml": service("a", "10.0.0.1")}) as world:
        path = world.directory / "a.yaml"
        with open(path, "w", encoding="utf-8") as file:
            for half in "# the rest is still to come\n", service("a", "10.0.0.2"):
                with begin(path, ""):
                    os.utime(path)
                await_heard(world, "b", "10.0.0.9")
                world.still_has("a", "10.0.0.1")
                file.write(half)
                file.flush()
            os.unlink(world.directory / "b.yaml")
            world.lacks("b")
            world.still_has("a", "10.0.0.1")
        world.has("a", "10.0.0.2")


def test_pause_without_closing():
    """Only the time that has passed shows that no more will be written."""
    whole = service("b", "10.0.0.2")
    more = service("b", "10.0.0.3").partition("---\n")[2]
    with World({"a.yaml": service("a", "10.0.0.1"), "b.yaml": f"{whole}---\n{more}"}) as world:
        with open(world.directory / "a.yaml", "w", encoding="utf-8") as file:
            file.write(service("a", "10.0.0.2"))
            file.flush()
            os.truncate(world.directory / "b.yaml", len(whole))
            await_heard(world, "c", "10.0.0.9")
            world.still_has("a", "10.0.0.1")
            world.has("a", "10.0.0.2")
            world.has("b", "10.0.0.2")


def test_writing_to_mapped_memory():
    """A page that is written to once more after the file was read may keep the file's times."""
    text = service("a", "10.0.0.1")
    with World({"a.yaml": text}) as world:
        with open(world.directory / "a.yaml", "r+b") as file:
            with mmap.mmap(file.fileno(), 0) as memory:
                at = text.index("10.0.0.1")  # on a tmpfs, reading memory first would keep the time
                memory[at:at + 8] = b"10.0.0.2"
                wait_for(lambda: time.time() - os.stat(file.fileno()).st_mtime > 0.1,
                         "a time that no longer changes with each writing")
                world.daemon.reload()
                world.has("a", "10.0.0.2")
                memory[at:at + 8] = b"10.0.0.3"
        world.has("a", "10.0.0.3")
