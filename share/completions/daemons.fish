# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for kubesvcd and the programs beside it: the options that --help lists, and files.

function __kubesvc_daemon_options
    set -l program (commandline -opc)[1]
    $program --help 2>/dev/null | string match -r -- '--[a-z][a-z-]*'
end

for program in kubesvcd kubesvc-cluster kubesvc-dns kubesvc-proxy
    complete -c $program -a "(__kubesvc_daemon_options)"
end
