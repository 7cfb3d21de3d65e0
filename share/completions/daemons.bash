# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for kubesvcd and the programs beside it: the options that --help lists, and files.

_kubesvc_daemon()
{
    local word=${COMP_WORDS[COMP_CWORD]}

    COMPREPLY=()
    [[ $word == -* ]] || return 0
    mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*')" -- "$word")
}

complete -o default -F _kubesvc_daemon kubesvcd kubesvc-cluster kubesvc-dns kubesvc-proxy
