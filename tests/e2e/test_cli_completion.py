# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion in bash, and in zsh and fish if installed."""

import contextlib
import os
import pathlib
import pty
import re
import subprocess
import threading

from harness import BUILD, built, need_program, same, wait_for
from test_cli_golden import world

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "share" / "completions"
ASK = """
. "$1"; shift
_command_offset() { COMPREPLY=("command at $1"); }
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
        same(complete("run", "-n", "sun", "db-0", "--", "ls", "-"), ["6", "at", "command"])
        same(complete("check", "--s"), ["--skip-templates", "--strict"])
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


IN_FPATH = f"fpath=({SCRIPTS} $fpath)\nautoload -U compinit\ncompinit -u -D\n"
SOURCED = """
autoload -U compinit
compinit -u -D
source <(kubesvc completion zsh) || print BAD >>$FOUND
"""
ZSHRC = """
compadd() {
    local -a _offered
    # Those that ask for the matches themselves are helpers.
    [[ $* == *-[OAD]* ]] || { builtin compadd -O _offered "$@"; print -rl -- $_offered >>$FOUND; }
    builtin compadd "$@"
}
answer() { zle list-choices; print END >>$FOUND; zle kill-whole-line }
zle -N answer
bindkey '^X' answer
precmd() { print READY >>$FOUND }
"""


class Zsh:
    """What a real one offers for lines that are typed at its prompt."""

    def __init__(self, env, setup=IN_FPATH):
        self.found = pathlib.Path("found").resolve()
        self.found.touch()
        pathlib.Path(".zshrc").write_text(setup + ZSHRC)
        self.terminal, end = pty.openpty()
        env |= {"ZDOTDIR": os.getcwd(), "FOUND": str(self.found), "TERM": "vt100"}
        self.process = subprocess.Popen(["zsh", "-d", "-i"], env=env, stdin=end, stdout=end,
                                        stderr=end, start_new_session=True)
        os.close(end)
        # Nothing is to wait for a reader.
        threading.Thread(target=self.drain, daemon=True).start()
        self.until("READY")

    def drain(self):
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 65536):
                pass

    def until(self, word):
        wait_for(lambda: f"{word}\n" in self.found.read_text(), f"zsh to be {word}")
        return self.found.read_text()

    def complete(self, line):
        self.found.write_text("")
        os.write(self.terminal, f"{line}\x18".encode())
        return sorted({word for word in self.until("END").split("\n") if word not in ("", "END")})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


def test_zsh():
    need_program("zsh")
    with world() as daemon, Zsh(daemon.env | {"PATH": f"{BUILD}:/usr/bin:/bin"}) as zsh:
        complete = zsh.complete
        same(complete("kubesvc get svc "), ["headless-svc", "regular-svc", "typo"])
        same(complete("kubesvc get svc -n "), ["mars", "moon", "sun"])
        for line in ("-n sun get pods ", "get -n sun pods ", "get pods -n sun ", "get --namespace=sun pods ",
                     "--namespace=sun get pods ", "describe -n sun pod "):
            same(complete(f"kubesvc {line}"), ["db-0", "db-1"], line)
        assert {"db-0", "app-0"} <= set(complete("kubesvc get -A pods "))
        same(complete(f"kubesvc get --socket {daemon.socket} svc ty"), ["typo"])
        same(complete("kubesvc get --socket /nonexistent svc "), [])
        same(complete("kubesvc describe "), ["pod", "service"])
        same(complete("kubesvc describe svc ty"), ["typo"])
        same(complete("kubesvc export "), ["hosts", "json", "nft"])
        same(complete("kubesvc get pods -o "), ["custom-columns=", "json", "jsonpath=", "name", "wide", "yaml"])
        same(complete("kubesvc run -n sun db"), ["db-0", "db-1"])
        assert "service/db" in complete("kubesvc run -n sun ser")
        for line in "run app-0 -- kubesvc compl", "run -n sun db-0 kubesvc compl":
            same(complete(f"kubesvc {line}"), ["completion"], line)


def test_zsh_that_reads_it_at_its_start():
    need_program("zsh")
    with world() as daemon, Zsh(daemon.env | {"PATH": f"{BUILD}:/usr/bin:/bin"}, SOURCED) as zsh:
        assert "BAD" not in zsh.found.read_text()
        same(zsh.complete("kubesvc get svc ty"), ["typo"])
        same(zsh.complete("kubesvc export "), ["hosts", "json", "nft"])
    # without the completion system, and with options that make it strict
    for options in "-f", "-fu", "-feu":
        done = subprocess.run(["zsh", options, SCRIPTS / "_kubesvc"], capture_output=True, text=True)
        same((done.returncode, done.stdout, done.stderr), (0, "", ""), options)


def test_fish():
    fish = need_program("fish")
    with world() as daemon:
        env = daemon.env | {"PATH": f"{BUILD}:/usr/bin:/bin", "HOME": "."}

        def complete(line):
            done = subprocess.run([fish, "--no-config", "-c", f"source {SCRIPTS}/kubesvc.fish; "
                                   f"complete -C '{line}'"], env=env, stdout=subprocess.PIPE,
                                  text=True, check=True)
            found = [offer.split("\t")[0] for offer in done.stdout.splitlines()]
            # fish 4 also offers words that only contain these letters in this order.
            return sorted(word for word in found if word.startswith(line.split(" ")[-1]))

        same(complete("kubesvc get svc "), ["headless-svc", "regular-svc", "typo"])
        same(complete("kubesvc get svc -n "), ["mars", "moon", "sun"])
        same(complete("kubesvc -n sun get pods "), ["db-0", "db-1"])
        same(complete("kubesvc export "), ["hosts", "json", "nft"])
        same(complete("kubesvc get --namespace=sun pods "), ["db-0", "db-1"])
        same(complete(f"kubesvc get --socket {daemon.socket} svc ty"), ["typo"])
        same(complete("kubesvc describe "), ["pod", "service"])
        same(complete("kubesvc describe pod app-"), ["app-0", "app-1", "app-2"])
        same(complete("kubesvc describe -n sun svc d"), ["data", "db"])
        same(complete("kubesvc check -n "), ["mars", "moon", "sun"])
        same(complete("kubesvc check --s"), ["--skip-templates", "--strict"])
        same(complete("kubesvc run -n sun db"), ["db-0", "db-1"])
        assert "service/db" in complete("kubesvc run -n sun s")
        assert "/etc/" in complete("kubesvc run app-0 -- ls /et")
        assert "--namespace" in complete("kubesvc run app-0 -- kubesvc get --name")
