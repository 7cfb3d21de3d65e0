# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for kubesvc(1). Names and namespaces are asked of the daemon.

set -l commands query get describe explain check status monitor metrics export run doctor \
    config reload version completion help

# The objects of a kind, as KIND/NAME.
function __kubesvc_list
    set -l words (commandline -opc)
    set -l asked
    for i in (seq 2 (count $words))
        switch $words[$i]
            case -n --namespace --socket
                set -q words[(math $i + 1)]; and set -a asked $words[$i] $words[(math $i + 1)]
            case '--namespace=*' '--socket=*'
                set -a asked $words[$i]
            case -A --all-namespaces
                set -a asked -A
            case --
                break
        end
    end
    kubesvc $asked get $argv[1] -o name 2>/dev/null
end

function __kubesvc_names
    __kubesvc_list $argv[1] | string replace -r '^.*/' ''
end

# The command and the operands behind it, up to the word that is completed.
function __kubesvc_operands
    set -l words (commandline -opc)
    set -l is_value false
    for word in $words[2..]
        if $is_value
            set is_value false
            continue
        end
        switch $word
            case -n --namespace --socket -o --output -l --selector -L --label-columns --ignore --root -c --container --manifests
                set is_value true
            case '-*'
            case '*'
                echo $word
        end
    end
end

function __kubesvc_kind
    set -l operands (__kubesvc_operands)
    set -q operands[2]; and echo $operands[2]
end

# Is this the command, with its first operand not yet there?
function __kubesvc_begins
    set -l operands (__kubesvc_operands)
    test "$operands[1]" = "$argv[1]"; and not set -q operands[2]
end

# The command that is run as a pod, and its arguments.
function __kubesvc_command
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words); or set at (contains -i -- (__kubesvc_kind) $words)
    set -l rest $words[(math $at + 1)..]
    complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
end

complete -c kubesvc -f
complete -c kubesvc -n "not __fish_seen_subcommand_from check completion help" -l socket -r -F -d "the daemon's socket"
complete -c kubesvc -s h -l help -d "show help"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -l version -d "show the version"

complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a query -d "look up a name or an address as programs do"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a get -d "list services, endpoints, pods, workloads, namespaces or names"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a describe -d "show all about a Service or Pod"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a explain -d "explain why a name resolves as it does"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a check -d "check manifests for errors"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a status -d "show the daemon's state"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a monitor -d "print changes and lookups as they happen"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a metrics -d "print counters for Prometheus"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a export -d "print everything that resolves"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a run -d "run a command as one of the pods"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a doctor -d "check whether this host is set up"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a config -d "show the configuration in effect"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a reload -d "reload configuration and manifests"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a version -d "show the versions of program and daemon"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a completion -d "print the completion script for a shell"
complete -c kubesvc -n "not __fish_seen_subcommand_from $commands" -a help -d "show options and examples of a command"

complete -c kubesvc -n "__fish_seen_subcommand_from query get describe explain export run check" \
    -s n -l namespace -x -a "(__kubesvc_names namespaces)" -d "in this namespace"
complete -c kubesvc -n "__fish_seen_subcommand_from query describe explain check monitor doctor reload version" \
    -s o -l output -x -a json -d "output format"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -s o -l output -x -a "wide json yaml name jsonpath= custom-columns=" \
    -d "output format"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -s A -l all-namespaces -d "in all namespaces"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -s l -l selector -x -d "only these labels"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -s L -l label-columns -x -d "a column for each label"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -l show-labels -d "a column of all labels"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -l no-headers -d "print no headings"
complete -c kubesvc -n "__fish_seen_subcommand_from get" -s w -l watch -d "follow changes"
complete -c kubesvc -n "__fish_seen_subcommand_from query" -s 4 -l ipv4 -d "IPv4 only"
complete -c kubesvc -n "__fish_seen_subcommand_from query" -s 6 -l ipv6 -d "IPv6 only"
complete -c kubesvc -n "__fish_seen_subcommand_from query" -l nss -d "also ask libc"
complete -c kubesvc -n "__fish_seen_subcommand_from query" -l dns -d "compare with libc and DNS"
complete -c kubesvc -n "__fish_seen_subcommand_from monitor" -l questions -d "also print lookups"
complete -c kubesvc -n "__fish_seen_subcommand_from check" -l strict -d "fail on warnings as well"
complete -c kubesvc -n "__fish_seen_subcommand_from check" -s R -l recursive -d "enter subdirectories"
complete -c kubesvc -n "__fish_seen_subcommand_from check" -l ignore -r -F -d "ignore rules or files"
complete -c kubesvc -n "__fish_seen_subcommand_from check" -l skip-templates -d "skip templates"
complete -c kubesvc -n "__fish_seen_subcommand_from run" -s c -l container -x -d "set its variables"
complete -c kubesvc -n "__fish_seen_subcommand_from run" -l manifests -r -F -d "start a private daemon for these"
complete -c kubesvc -n "__fish_seen_subcommand_from run" -l no-namespaces -d "keep the caller's namespaces"
complete -c kubesvc -n "__fish_seen_subcommand_from doctor" -l root -r -F -d "examine files below it"

complete -c kubesvc -n "__kubesvc_begins get" \
    -a "services endpoints pods workloads deployments replicasets replicationcontrollers statefulsets \
        daemonsets jobs cronjobs namespaces names all"
complete -c kubesvc -n "__fish_seen_subcommand_from get; and __kubesvc_kind >/dev/null" \
    -a "(__kubesvc_names (__kubesvc_kind))"
complete -c kubesvc -n "__kubesvc_begins describe" -a "service pod"
complete -c kubesvc -n "__fish_seen_subcommand_from describe; and string match -q 'po*' (__kubesvc_kind)" \
    -a "(__kubesvc_names pods)"
complete -c kubesvc -n "__fish_seen_subcommand_from describe; and string match -q 's*' (__kubesvc_kind)" \
    -a "(__kubesvc_names services)"
complete -c kubesvc -n "__fish_seen_subcommand_from query explain" \
    -a "(__kubesvc_names services) (__kubesvc_names names)"
complete -c kubesvc -n "__kubesvc_begins run" -a "(__kubesvc_names pods) (__kubesvc_list workloads,services)"
complete -c kubesvc -n "__fish_seen_subcommand_from run; and __kubesvc_kind >/dev/null" -a "(__kubesvc_command)"
complete -c kubesvc -n "__fish_seen_subcommand_from export" -a "hosts json nft"
complete -c kubesvc -n "__fish_seen_subcommand_from config" -a show
complete -c kubesvc -n "__fish_seen_subcommand_from completion" -a "bash zsh fish"
complete -c kubesvc -n "__fish_seen_subcommand_from config status" -s o -l output -x -a "json yaml" \
    -d "output format"
complete -c kubesvc -n "__fish_seen_subcommand_from help" -a "$commands"
complete -c kubesvc -n "__fish_seen_subcommand_from check" -F
