# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion in bash, and in zsh and fish if installed."""

import pathlib
import re
import subprocess

from harness import BUILD, built, need_program, same
from test_cli_golden import world

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "share" / "completions"
ASK = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_kubesvc 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash():
    bash = need_program("bash")
    built("kubesvc")
    with world() as daemon:
        env = daemon.env | {"PATH": f"{BUILD}:/usr/bin:/bin"}

        def complete(*words):
            done = subprocess.run([bash, "-c", ASK, "bash", SCRIPTS / "kubesvc.bash", "kubesvc", *words],
                                  env=env, stdout=subprocess.PIPE, text=True, check=True)
            return sorted(done.stdout.split())

        assert {"query", "get", "explain", "doctor"} <= set(complete(""))
        same(complete("des"), ["describe"])
        same(complete("get", "serv"), ["services"])
        same(complete("get", "svc", ""), ["headless-svc", "regular-svc", "typo"])
        same(complete("get", "svc", "-n", "s"), ["sun"])
        same(complete("get", "svc", "-n", ""), ["mars", "moon", "sun"])
        same(complete("get", "svc", "-n", "sun", "d"), ["data", "db"])
        same(complete("-n", "sun", "get", "pods", ""), ["db-0", "db-1"])
        same(complete("describe", ""), ["pod", "service"])
        same(complete("describe", "pod", "app-"), ["app-0", "app-1", "app-2"])
        same(complete("completion", ""), ["bash", "fish", "zsh"])
        same(complete("describe", "service", "ty"), ["typo"])
        assert "headless-svc.moon.svc.cluster.local" in complete("query", "head")
        same(complete("explain", "ty"), ["typo"])
        same(complete("run", "app-"), ["app-0", "app-1", "app-2"])
        same(complete("export", ""), ["hosts", "json", "nft"])
        same(complete("get", "svc", "-o", ""), ["custom-columns=", "json", "jsonpath=", "name", "wide", "yaml"])
        same(complete("status", "--s"), ["--socket"])
        daemon.stop()
        same(complete("get", "svc", ""), [])  # without a message


def test_the_scripts_are_printed():
    for shell, script in ("bash", "kubesvc.bash"), ("zsh", "_kubesvc"), ("fish", "kubesvc.fish"):
        same(subprocess.check_output([built("kubesvc"), "completion", shell]),
             (SCRIPTS / script).read_bytes(), shell)
    done = subprocess.run([built("kubesvc"), "completion", "tcsh"], stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE, check=False)
    same((done.returncode, done.stdout), (1, b""))


def test_options_are_those_of_the_help():
    """Each script offers every long option, and no command is forgotten."""
    text = subprocess.check_output([built("kubesvc"), "--help"], text=True)
    commands = [line.split()[0] for line in text.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert len(commands) > 8, commands
    for script in (SCRIPTS / name for name in ("kubesvc.bash", "_kubesvc", "kubesvc.fish")):
        content = script.read_text()
        for command in commands:
            assert command in content, (script, command)
            if command == "help":
                continue
            shown = subprocess.check_output([built("kubesvc"), command, "--help"], text=True)
            options = shown.split("Options:\n")[1].split("\n\n")[0]
            for option in (word.strip(",") for word in options.split() if word.startswith("--")):
                if option not in ("--", "--version"):
                    assert option[2:].split("[")[0] in content, (script, command, option)


DAEMONS = "kubesvcd", "kubesvc-cluster", "kubesvc-dns", "kubesvc-proxy"


def long_options(program):
    text = subprocess.check_output([built(program), "--help"], text=True)
    return sorted(set(re.findall(r"--[a-z][a-z-]*", text)))


def test_daemons_in_bash():
    bash = need_program("bash")
    for program in DAEMONS:
        done = subprocess.run(
            [bash, "-c", f'. {SCRIPTS}/daemons.bash; COMP_WORDS=({program} --); COMP_CWORD=1; '
             f'_kubesvc_daemon {program}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
            env={"PATH": f"{BUILD}:/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True, check=True)
        same(sorted(set(done.stdout.split())), long_options(program), program)


def test_daemons_in_fish():
    fish = need_program("fish")
    for program in DAEMONS:
        done = subprocess.run(
            [fish, "--no-config", "-c", f"source {SCRIPTS}/daemons.fish; complete -C '{program} --'"],
            env={"PATH": f"{BUILD}:/usr/bin:/bin", "HOME": "."}, stdout=subprocess.PIPE, text=True,
            check=True)
        found = {line.split("\t")[0] for line in done.stdout.splitlines()}
        same(sorted(found & set(long_options(program))), long_options(program), program)


def test_zsh_can_read_it():
    for script in "_kubesvc", "_kubesvcd":
        subprocess.run([need_program("zsh"), "-n", SCRIPTS / script], check=True)


def test_fish():
    fish = need_program("fish")
    with world() as daemon:
        env = daemon.env | {"PATH": f"{BUILD}:/usr/bin:/bin", "HOME": "."}

        def complete(line):
            done = subprocess.run([fish, "--no-config", "-c", f"source {SCRIPTS}/kubesvc.fish; "
                                   f"complete -C '{line}'"], env=env, stdout=subprocess.PIPE,
                                  text=True, check=True)
            return sorted(found.split("\t")[0] for found in done.stdout.splitlines())

        same(complete("kubesvc get svc "), ["headless-svc", "regular-svc", "typo"])
        same(complete("kubesvc get svc -n "), ["mars", "moon", "sun"])
        same(complete("kubesvc -n sun get pods "), ["db-0", "db-1"])
        same(complete("kubesvc export "), ["hosts", "json", "nft"])
