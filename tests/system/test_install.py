# SPDX-License-Identifier: LGPL-2.1-or-later
"""The packages where no systemd runs: install, ask, remove, install again, purge."""

import re
import subprocess

from harness import BUILD, same, skip
from packages import DAEMON, MODULE, both, for_i386, newer, package
from programs import wrong_programs
from systems import HEADLESS, MANIFESTS, NSSWITCH, REGULAR, Chroot, on_a_system

FQDN = "headless-svc.default.svc.cluster.local"


def apt_install(system, *files):
    return system.run(
        "apt-get",
        "-y",
        "--no-install-recommends",
        "install",
        *(f"{path}" for path in system.bring(*files)),
    )


@on_a_system("minimal")
def test_apt_installs_and_purges():
    system = Chroot("minimal")
    before = system.file(NSSWITCH).read_bytes()
    tree = system.sh("find /etc /usr /var/lib/systemd /run | sort").splitlines()
    apt_install(system, *both())
    same(system.sh("getent passwd kubesvc | cut -d: -f6,7").strip(), "/:/usr/sbin/nologin")
    system.add_examples()
    with system.daemon():
        same(system.addresses("headless-svc"), HEADLESS)
        same(system.addresses("regular-svc"), REGULAR)
        same(system.addresses("Headless-Svc.Default.SVC"), HEADLESS)
        for database in "ahosts", "ahostsv4":
            lines = system.run("getent", database, FQDN).splitlines()
            same(sorted({line.split()[0] for line in lines}), HEADLESS)
        same(
            system.run("getent", "hosts", "127.96.0.1").split(),
            ["127.96.0.1", "regular-svc.default.svc.cluster.local"],
        )
        same(system.try_run("getent", "hosts", "no-such.default.svc")[0], 2)
    same(system.addresses("headless-svc"), [], "without a daemon")

    system.run("apt-get", "-y", "remove", MODULE, DAEMON)
    same(system.file(NSSWITCH).read_bytes(), before)
    assert system.file("/var/lib/kubesvc/leases").exists(), "removal is not purge"
    apt_install(system, *both())
    with system.daemon():
        same(system.addresses("headless-svc"), HEADLESS, "installed again")
    system.run("apt-get", "-y", "purge", MODULE, DAEMON)
    same(system.file(NSSWITCH).read_bytes(), before)
    same(
        sorted(file.name for file in system.file(MANIFESTS).iterdir()),
        ["deployment.yaml", "headless-svc.yaml", "regular-svc.yaml"],
        "the administrator's manifests",
    )
    left = set(system.sh("find /etc /usr /var/lib /run | sort").splitlines()) - set(tree)
    # Users stay, as always in Debian: files of theirs may be anywhere.
    ours = {path for path in left if "kubesvc" in path}
    same(ours, {path for path in ours if path.startswith("/etc/kubesvc")}, "left behind")
    same(sorted(file.name for file in system.file("/etc/kubesvc").iterdir()), ["manifests"])


@on_a_system("minimal")
def test_configuration_survives_an_upgrade():
    system = Chroot("minimal")
    system.install(*both())
    system.write("/etc/kubesvc/kubesvcd.yaml", "namespace: moon # mine\n")
    system.add_examples()
    system.install(newer(MODULE), newer(DAEMON))
    same(system.file("/etc/kubesvc/kubesvcd.yaml").read_text(), "namespace: moon # mine\n")
    with system.daemon():
        same(
            system.run("getent", "hosts", "regular-svc").split(),
            ["127.96.0.1", "regular-svc.moon.svc.cluster.local"],
        )
    system.purge(DAEMON, MODULE)
    assert not system.file("/etc/kubesvc/kubesvcd.yaml").exists()


@on_a_system("full")
def test_every_program_finds_the_example():
    system = Chroot("full")
    system.install(*both())
    system.add_examples()
    with system.daemon():
        same(wrong_programs(system), [])
        for user in "nobody", "daemon":
            same(system.addresses("headless-svc", user=user), HEADLESS, user)


@on_a_system("full")
def test_a_program_of_another_architecture():
    client = BUILD / "m32/e2e/client"
    if not client.exists():
        skip("no program for 32 bits was built (make tests, with gcc-multilib)")
    system = Chroot("full")
    # As libc6:i386 has it, of which only the files for amd64 systems are here.
    system.write("/etc/ld.so.conf.d/i386-linux-gnu.conf", "/usr/lib/i386-linux-gnu\n")
    system.run("dpkg", "--add-architecture", "i386")
    system.install(*both())
    system.run("dpkg", "--force-depends", "-i", *system.bring(for_i386()))
    system.add_examples()
    (program,) = system.bring(client)
    system.file(program).chmod(0o755)
    with system.daemon():
        output = system.run(program, "files kubesvc", stdin=f"inet {FQDN}\n")
        same(sorted(re.findall(r"127\.244\.\d+\.\d+", output)), HEADLESS)


@on_a_system("minimal/trixie")
def test_debian_13():
    """The packages as they are, with the next release's libraries."""
    system = Chroot("minimal/trixie")
    before = system.file(NSSWITCH).read_bytes()
    apt_install(system, *both())
    system.add_examples()
    with system.daemon():
        same(system.addresses("headless-svc"), HEADLESS)
    system.purge(MODULE, DAEMON)
    same(system.file(NSSWITCH).read_bytes(), before)


@on_a_system("minimal", "full")
def test_a_confined_client_needs_three_files():
    """Nothing is installed where it is but the module, nsswitch.conf and the socket's directory."""
    system, cell = Chroot("minimal"), Chroot("full")
    system.install(*both())
    system.add_examples()
    module = subprocess.run(
        ["dpkg-deb", "-c", package(MODULE)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    module = re.search(r"\./(\S*libnss_kubesvc\.so\.2)", module)[1]

    def bind(path):
        target = cell.file(path)
        if system.file(path).is_dir():
            target.mkdir(parents=True)
        else:
            target.touch()
        subprocess.run(["mount", "--bind", "-o", "ro", system.file(path), target], check=True)

    bind(module)
    bind(NSSWITCH)
    same(cell.addresses("headless-svc"), [], "without the socket")
    system.sh("mkdir /run/kubesvc")
    bind("/run/kubesvc")
    for _ in range(2):  # the daemon, and the next one, which makes another socket there
        with system.daemon():
            for user in "root", "nobody":
                same(cell.addresses("headless-svc", user=user), HEADLESS, user)
            python = "import socket; print(socket.gethostbyname('regular-svc'))"
            same(cell.run("python3", "-c", python).strip(), REGULAR[0])
        same(cell.addresses("headless-svc"), [], "while no daemon runs")
