# SPDX-License-Identifier: LGPL-2.1-or-later
"""The module as a file: what it exports, what it needs, how large it is."""

import re
import subprocess

from harness import BUILD, need_program, same, unsanitized

MODULE = BUILD / "libnss_kubesvc.so.2"
FUNCTIONS = ["gethostbyaddr2_r", "gethostbyaddr_r", "gethostbyname2_r", "gethostbyname3_r",
             "gethostbyname4_r", "gethostbyname_r"]
# What it may call: no memory, no stdio, no locale, no lock, nothing that ends the program.
CALLS = {"__errno_location", "clock_gettime", "close", "connect", "fcntl", "fcntl64", "memchr",
         "memcpy", "memset", "poll", "pthread_setcancelstate", "read", "secure_getenv", "send",
         "setsockopt", "socket", "strlen", "strnlen", "strpbrk",
         # Signals wait while a lookup has something open; it is recognized by its thread:
         "pthread_self", "sigdelset", "sigfillset", "sigismember", "sigpending", "sigprocmask",
         # The snapshot, mapped and read:
         "inet_ntop", "inet_pton", "lseek", "lseek64", "madvise", "memcmp", "mempcpy", "memrchr",
         "mmap", "mmap64", "munmap", "recvmsg", "__cxa_finalize", "__stack_chk_fail",
         "__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"}
OLDEST_GLIBC = (2, 31)  # Debian 11: containers mount the module


def output(*command):
    return subprocess.run([need_program(command[0]), *command[1:]], stdout=subprocess.PIPE,
                          check=True, text=True).stdout


def test_exports_six_functions():
    lines = output("nm", "-D", "--defined-only", str(MODULE)).splitlines()
    same(sorted(line.split()[2] for line in lines), [f"_nss_kubesvc_{f}" for f in FUNCTIONS])


def test_needs_only_libc_and_of_it_little():
    unsanitized("sanitizers need more")
    dynamic = output("readelf", "-dW", str(MODULE))
    same(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic), ["libc.so.6"])
    same(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic), ["libnss_kubesvc.so.2"])
    assert re.search(r"FLAGS_1.*NOW.*NODELETE", dynamic), dynamic
    undefined = output("nm", "-D", "--undefined-only", str(MODULE))
    calls = {line.split()[-1].split("@")[0] for line in undefined.splitlines()}
    # __memcpy_chk and the like are what a fortified build makes of memcpy.
    same({c for c in calls if re.sub(r"^__(.*)_chk$", r"\1", c) not in CALLS}, set())
    for version in re.findall(r"GLIBC_([\d.]+)", undefined):
        assert tuple(map(int, version.split("."))) <= OLDEST_GLIBC, undefined


def test_segments():
    unsanitized("sanitizers add segments")
    program = output("readelf", "-lW", str(MODULE))
    assert "GNU_RELRO" in program
    assert re.search(r"GNU_STACK.*RW ", program), program
    assert not re.search(r"^\s+TLS ", program, re.M), program


def test_size():
    """What a program maps of it; debug information is not."""
    unsanitized("sanitizers add code")
    text, data, bss = map(int, output("size", str(MODULE)).splitlines()[1].split()[:3])
    assert text + data + bss < 48 * 1024, (text, data, bss)
