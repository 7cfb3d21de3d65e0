# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the module's package makes of /etc/nsswitch.conf; a removal takes every byte of it back."""

import subprocess

from harness import same
from packages import MODULE, for_i386, newer, package
from systems import NSSWITCH, Chroot, on_a_system

ENTRY = "kubesvc [NOTFOUND=return]"

# The hosts line before, and with us; None: stays as it is.
SHAPES = [
    ("hosts:          files dns", "hosts:          files {} dns"),
    ("hosts:\tfiles\tdns", "hosts:\tfiles\t{} dns"),
    ("hosts:\tfiles\t\tdns\tmyhostname", "hosts:\tfiles\t\t{} dns myhostname"),
    ("hosts: files  dns  myhostname", "hosts: files  {} dns  myhostname"),
    (
        "hosts: files mdns4_minimal [NOTFOUND=return] dns",
        "hosts: files {} mdns4_minimal [NOTFOUND=return] dns",
    ),
    (
        "hosts: files mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns mdns4",
        "hosts: files {} mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns mdns4",
    ),
    (
        "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns",
        "hosts: {} mymachines resolve [!UNAVAIL=return] files myhostname dns",
    ),
    ("hosts: files resolve[!UNAVAIL=return] dns", "hosts: files {} resolve [!UNAVAIL=return] dns"),
    (
        "hosts: files myhostname docker [NOTFOUND=return] dns",
        "hosts: files myhostname docker [NOTFOUND=return] {} dns",
    ),
    (
        "hosts: files [success=return notfound=continue] dns",
        "hosts: files [success=return notfound=continue] {} dns",
    ),
    (
        "hosts: files dns [NOTFOUND=return] myhostname",
        "hosts: files {} dns [NOTFOUND=return] myhostname",
    ),
    ("hosts: files dns # a local remark", "hosts: files {} dns # a local remark"),
    ("hosts: files dns# glued", "hosts: files {} dns# glued"),
    (
        "hosts: files myhostname # no dns here # nor mdns",
        "hosts: files myhostname {} # no dns here # nor mdns",
    ),
    ("hosts: files dns\t# kubesvc comes later", "hosts: files {} dns\t# kubesvc comes later"),
    ("hosts: files dns ", "hosts: files {} dns "),
    ("hosts: files dns \t ", "hosts: files {} dns \t "),
    ("hosts: files", "hosts: files {}"),
    ("hosts: files # only", "hosts: files {} # only"),
    ("hosts:files dns", "hosts: files {} dns"),
    ("hosts: kubesvc files dns", None),
    ("hosts: files kubesvc [NOTFOUND=return] dns # mine", None),
    ("hosts: files\tkubesvc\tdns\t", None),
    ("hosts: files kubesvc#glued", None),
    ("hosts: files dns \r", "hosts: files {} dns \r"),
]


def with_us(before, line):
    return before if line is None else line.format(ENTRY)


def tree(system):
    """What there is where a package may leave something, without the package manager's own."""
    return system.sh(
        "find /etc /run /tmp /usr /var -path /var/lib/dpkg -prune -o -path /var/cache -prune -o "
        "-path /var/log -prune -o -path /var/tmp -prune -o -type f -print -o -type l -print "
        "-o -type d -print | LC_ALL=C sort"
    ).splitlines()


def check_shape(system, deb, text, expected):
    """One nsswitch.conf through its whole life."""
    conf = system.file(NSSWITCH)
    conf.write_bytes(text)
    before = tree(system)
    system.run("dpkg", "--force-unsafe-io", "-i", deb)
    same(conf.read_bytes(), expected, "installed")
    system.run("dpkg", "--force-unsafe-io", "-i", deb)
    same(conf.read_bytes(), expected, "installed again")
    system.remove(MODULE)
    same(conf.read_bytes(), text, "removed")
    system.purge(MODULE)
    same(conf.read_bytes(), text, "purged")
    left = set(tree(system)) - set(before)
    same({path for path in left if "ld.so" not in path}, set(), "left behind")


@on_a_system("minimal")
def test_every_shape_of_the_line_comes_back_to_the_byte():
    system = Chroot("minimal")
    (deb,) = system.bring(package(MODULE))
    shipped = system.file(NSSWITCH).read_text()
    first = next(line for line in shipped.splitlines() if line.startswith("hosts:"))
    shapes = (
        [(first, None)]
        if "kubesvc" in first
        else [(first, first.replace("dns", "{} dns")), *SHAPES]
    )
    for before, line in shapes:
        # A blank at the end of some other line is none of our business.
        text = shipped.replace(first, before) + "# latin-1: \xe4 \n"
        expected = text.replace(before, with_us(before, line))
        check_shape(system, deb, text.encode("latin-1"), expected.encode("latin-1"))


@on_a_system("minimal")
def test_unusual_files_come_back_to_the_byte():
    system = Chroot("minimal")
    (deb,) = system.bring(package(MODULE))
    check_shape(
        system,
        deb,
        b"passwd: files\nhosts: files dns",
        b"passwd: files\nhosts: files %b dns" % ENTRY.encode(),
    )
    check_shape(
        system,
        deb,
        b"hosts: files dns\n\npasswd: files",
        b"hosts: files %b dns\n\npasswd: files" % ENTRY.encode(),
    )
    check_shape(system, deb, b"passwd: files\n", b"passwd: files\n")
    check_shape(system, deb, b"", b"")
    check_shape(
        system,
        deb,
        b"hosts: dns\nhosts: files dns # last\n",
        b"hosts: %b dns\nhosts: files %b dns # last\n" % (ENTRY.encode(), ENTRY.encode()),
    )


@on_a_system("minimal")
def test_the_file_keeps_its_link_its_owner_and_its_mode():
    system = Chroot("minimal")
    (deb,) = system.bring(package(MODULE))
    system.sh(
        "mv /etc/nsswitch.conf /etc/names.conf; ln -s names.conf /etc/nsswitch.conf; "
        "chmod 640 /etc/names.conf; chown daemon:adm /etc/names.conf"
    )
    before = system.run("cat", NSSWITCH)
    stat = system.run("stat", "-c", "%F %U %G %a", NSSWITCH, "/etc/names.conf")
    system.run("dpkg", "-i", deb)
    assert ENTRY in system.run("cat", "/etc/names.conf")
    same(system.run("stat", "-c", "%F %U %G %a", NSSWITCH, "/etc/names.conf"), stat)
    system.purge(MODULE)
    same(system.run("cat", NSSWITCH), before)
    same(system.run("stat", "-c", "%F %U %G %a", NSSWITCH, "/etc/names.conf"), stat)


@on_a_system("minimal")
def test_there_may_be_no_file():
    system = Chroot("minimal")
    (deb,) = system.bring(package(MODULE))
    system.file(NSSWITCH).unlink()
    before = tree(system)
    system.run("dpkg", "-i", deb)
    system.purge(MODULE)
    same(
        {path for path in set(tree(system)) - set(before) if "ld.so" not in path},
        set(),
        "left behind",
    )


@on_a_system("minimal")
def test_a_line_that_cannot_be_edited_is_said():
    system = Chroot("minimal")
    system.write(NSSWITCH, "passwd: files\n")
    output = system.install(package(MODULE))
    assert 'begins with "hosts:"' in output, output


@on_a_system("minimal")
def test_an_edit_that_fails_leaves_nothing_behind():
    system = Chroot("minimal")
    (deb,) = system.bring(package(MODULE))
    shipped = system.file(NSSWITCH).read_text()
    system.file("/srv/small").mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", system.file("/srv/small")], check=True
    )
    system.sh(f"mv {NSSWITCH} /srv/small/ && ln -s /srv/small/nsswitch.conf {NSSWITCH}")
    status, _ = system.try_run("sh", "-c", "cat /dev/zero >/srv/small/full")
    assert status != 0, "the file system is not full"
    status, output = system.try_run("dpkg", "-i", deb)
    assert status != 0 and "No space left" in output, output
    same(sorted(file.name for file in system.file("/srv/small").iterdir()), ["full", "nsswitch.conf"])
    same(system.file("/srv/small/nsswitch.conf").read_text(), shipped)
    same(system.sh("ls /tmp").split(), [], "scratch directories")
    system.run("rm", "/srv/small/full")
    system.run("dpkg", "--configure", "-a")
    assert ENTRY in system.file("/srv/small/nsswitch.conf").read_text()


@on_a_system("minimal")
def test_the_edit_is_on_disk_before_it_takes_the_file_s_place():
    system = Chroot("minimal")
    (deb,) = system.bring(package(MODULE))
    # Found before the real one: what is synchronized, and whether the file has our entry already.
    system.write(
        "/usr/local/sbin/sync",
        "#!/bin/sh\n"
        f'echo "$@" "$(grep -c kubesvc {NSSWITCH})" "$(grep -c kubesvc "$1")" >>/var/tmp/synced\n',
        0o755,
    )
    environment = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
    system.run("dpkg", "-i", deb, env=environment)
    system.run("dpkg", "-r", MODULE, env=environment)
    edited = f"{NSSWITCH}.dpkg-kubesvc"
    same(
        system.file("/var/tmp/synced").read_text().splitlines(),
        [f"{edited} 0 1", f"{edited} 1 0"],
    )


@on_a_system("minimal")
def test_what_an_administrator_does_survives():
    system = Chroot("minimal")
    old, new = system.bring(package(MODULE), newer(MODULE))
    system.run("dpkg", "-i", old)

    # Taken out by hand: neither an upgrade nor a reconfiguration brings it back.
    plain = "hosts: files dns\n"
    system.write(NSSWITCH, plain)
    for step in (["dpkg", "-i", new], ["dpkg-reconfigure", MODULE], ["dpkg", "-i", old]):
        system.run(*step)
        same(system.file(NSSWITCH).read_text(), plain, " ".join(step))
    system.purge(MODULE)
    same(system.file(NSSWITCH).read_text(), plain, "purged")

    # Edited by hand: an upgrade leaves it, a removal takes out the word and leaves the rest.
    system.run("dpkg", "-i", old)
    edited = "passwd: files # me\nhosts: kubesvc  files myhostname dns # mine\n"
    system.write(NSSWITCH, edited)
    system.run("dpkg", "-i", new)
    same(system.file(NSSWITCH).read_text(), edited, "upgraded")
    system.remove(MODULE)
    gone = edited.replace(" kubesvc ", "")
    same(system.file(NSSWITCH).read_text().replace("  ", " "), gone.replace("  ", " "), "removed")

    # Another line edited: ours comes back to the byte all the same.
    system.write(NSSWITCH, "hosts:\tfiles\tdns \n")
    system.run("dpkg", "-i", old)
    with open(system.file(NSSWITCH), "a", encoding="utf-8") as conf:
        conf.write("passwd: files  \n")
    system.remove(MODULE)
    same(system.file(NSSWITCH).read_text(), "hosts:\tfiles\tdns \npasswd: files  \n", "removed")

    # Listed again after a removal: a purge takes out nothing more.
    system.write(NSSWITCH, "hosts: files kubesvc dns\n")
    system.purge(MODULE)
    same(system.file(NSSWITCH).read_text(), "hosts: files kubesvc dns\n", "purged")


NEIGHBOURS = "libnss-mdns", "libnss-resolve", "libnss-mymachines", "libnss-myhostname"


def neighbour(system, name):
    return "/srv/neighbours/" + next(
        file.name for file in system.file("/srv/neighbours").glob(f"{name}_*")
    )


def place(system, names):
    """Installs packages in this order, and says what the hosts line is then."""
    for name in names:
        file = system.bring(package(MODULE))[0] if name == MODULE else neighbour(system, name)
        system.run("dpkg", "--force-unsafe-io", "--force-depends", "-i", file)
    return system.hosts_line()


@on_a_system("full")
def test_it_gets_along_with_other_modules():
    system = Chroot("full")
    before = system.hosts_line()
    for first in range(len(NEIGHBOURS) + 1):
        # Some of them are there already, the others come later; what is without us is the measure.
        system.write(NSSWITCH, before + "\n")
        without = place(system, NEIGHBOURS)
        system.run("dpkg", "-P", "--force-depends", *NEIGHBOURS)
        system.write(NSSWITCH, before + "\n")

        line = place(system, [*NEIGHBOURS[:first], MODULE, *NEIGHBOURS[first:]])
        words = line.split()
        ours = words.index("kubesvc")
        same(words[ours + 1], "[NOTFOUND=return]")
        for other in "mdns4_minimal", "mymachines", "resolve", "dns":
            assert ours < words.index(other), line
        assert words.index("files") < ours, line

        # Purged while the others stay, and the others after it.
        system.purge(MODULE)
        same(system.hosts_line().split(), without.split(), f"{first} before us")
        system.run("dpkg", "-P", "--force-depends", *NEIGHBOURS)
        same(system.hosts_line().split(), before.split(), "all purged")

    # And the other way round: they go first.
    for first in 0, 2, len(NEIGHBOURS):
        system.write(NSSWITCH, before + "\n")
        place(system, [*NEIGHBOURS[:first], MODULE, *NEIGHBOURS[first:]])
        system.run("dpkg", "-P", "--force-depends", *NEIGHBOURS)
        system.purge(MODULE)
        same(system.hosts_line().split(), before.split(), f"{first} before us, purged before us")


@on_a_system("full")
def test_the_last_architecture_takes_the_entry_away():
    system = Chroot("full")
    system.run("dpkg", "--add-architecture", "i386")
    amd64, i386 = system.bring(package(MODULE), for_i386())
    before = system.file(NSSWITCH).read_bytes()

    def install(*files):
        # There is no libc6 of the other architecture here.
        system.run("dpkg", "--force-depends", "--force-unsafe-io", "-i", *files)

    install(amd64)
    entered = system.file(NSSWITCH).read_bytes()
    assert ENTRY.encode() in entered
    install(i386)
    same(system.file(NSSWITCH).read_bytes(), entered, "both")
    system.purge(f"{MODULE}:amd64")
    same(system.file(NSSWITCH).read_bytes(), entered, "one is left")
    system.purge(f"{MODULE}:i386")
    same(system.file(NSSWITCH).read_bytes(), before, "none is left")

    # Both at once; one is held when the other goes.
    install(amd64, i386)
    same(system.file(NSSWITCH).read_bytes(), entered, "both at once")
    system.run("apt-mark", "hold", f"{MODULE}:amd64")
    system.purge(f"{MODULE}:i386")
    same(system.file(NSSWITCH).read_bytes(), entered, "the held one is left")

    # What an administrator took out is not entered for the second architecture.
    system.file(NSSWITCH).write_bytes(before)
    install(i386)
    same(system.file(NSSWITCH).read_bytes(), before, "taken out before the second")
