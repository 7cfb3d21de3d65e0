# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for kubesvc(1). Names and namespaces are asked of the daemon.

_kubesvc_names() {
    kubesvc "${asked[@]}" get "$1" --no-headers -o name 2>/dev/null | sed 's|^[a-z.]*/||'
}

# What `run` can be: a pod, or one of a workload or Service.
_kubesvc_targets() {
    _kubesvc_names pods
    kubesvc "${asked[@]}" get workloads,services --no-headers -o name 2>/dev/null | sed 's|^\([a-z]*\)\.[a-z]*/|\1/|'
}

_kubesvc_kinds="services endpoints pods workloads deployments replicasets replicationcontrollers
    statefulsets daemonsets jobs cronjobs namespaces names all"

_kubesvc_options() {
    case $1 in
    query) echo "-n --namespace -4 --ipv4 -6 --ipv6 --nss --dns -o --output" ;;
    get) echo "-n --namespace -A --all-namespaces -l --selector -L --label-columns --show-labels -o --output
        --no-headers -w --watch" ;;
    describe | explain) echo "-n --namespace -o --output" ;;
    status | config | reload | version) echo "-o --output" ;;
    doctor) echo "--root -o --output" ;;
    monitor) echo "--questions -o --output" ;;
    check) echo "-n --namespace -R --recursive --strict --ignore --skip-templates -o --output" ;;
    export) echo "-n --namespace" ;;
    run) echo "-n --namespace -c --container --manifests --no-namespaces" ;;
    esac
    case $1 in
    check | completion | help) echo "-h --help" ;;
    *) echo "--socket -h --help" ;;
    esac
}

# The command behind "--", as bash-completion completes it.
_kubesvc_command() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || break
    done
    if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
    else
        compopt -o default
    fi
}

_kubesvc() {
    local command= kind= words= rest=$COMP_LINE i word
    local -a asked=() given=()
    COMPREPLY=()

    # bash takes NAMESPACE@ZONE apart, and tells by the line alone whether there was a blank.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 1)) && [[ $word == @ || ${COMP_WORDS[i - 1]} == @ ]] && [[ $rest != [[:blank:]]* ]]; then
            given[-1]+=$word
        else
            given+=("$word")
        fi
        rest=${rest#"${rest%%[![:blank:]]*}"}
        rest=${rest#"$word"}
    done
    local last=$((${#given[@]} - 1))
    local current=${given[last]} previous=${given[last - 1]}

    for ((i = 1; i < last; i++)); do
        word=${given[i]}
        case $word in
        --)
            [[ $command == run ]] && _kubesvc_command
            return
            ;;
        -n | --namespace | --socket)
            ((++i < last)) && asked+=("$word" "${given[i]}")
            ;;
        -o | --output | -l | --selector | -L | --label-columns | --ignore | --root | -c | --container | --manifests)
            ((i++))
            ;;
        -A | --all-namespaces) asked+=(-A) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then command=$word
            elif [[ -z $kind ]]; then kind=$word; fi
            ;;
        esac
    done

    case $previous in
    -n | --namespace) words=$(_kubesvc_names namespaces) ;;
    -o | --output)
        case $command in
        get) words="wide json yaml name jsonpath= custom-columns=" ;;
        config | status) words="json yaml" ;;
        *) words="json" ;;
        esac
        ;;
    --socket | --root | --ignore | --manifests)
        compopt -o default
        return
        ;;
    -l | --selector | -L | --label-columns | -c | --container) return ;;
    *)
        if [[ $current == -* ]]; then
            words=$(_kubesvc_options "$command")
        elif [[ -z $command ]]; then
            words="query get describe explain check status monitor metrics export run doctor config reload version completion help"
        else
            case $command in
            help) words="query get describe explain check status monitor metrics export run doctor config reload version completion" ;;
            query | explain) words="$(_kubesvc_names services) $(_kubesvc_names names)" ;;
            describe)
                case $kind in
                "") words="service pod" ;;
                po | pod | pods) words=$(_kubesvc_names pods) ;;
                *) words=$(_kubesvc_names services) ;;
                esac
                ;;
            get) if [[ -z $kind ]]; then words=$_kubesvc_kinds; else words=$(_kubesvc_names "$kind"); fi ;;
            run) if [[ -z $kind ]]; then words=$(_kubesvc_targets); else compopt -o default; fi ;;
            export) words="hosts json nft" ;;
            config) words=show ;;
            completion) words="bash zsh fish" ;;
            check) compopt -o default ;;
            esac
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    # What is behind the last "@" is all that bash replaces.
    if [[ $current == *@* && $COMP_WORDBREAKS == *@* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*@}"}"}")
    fi
}

complete -F _kubesvc kubesvc
