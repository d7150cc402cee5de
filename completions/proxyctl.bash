# Completion of proxyctl for bash 3.2 and later. It needs no other package:
#   source <(proxyctl completion bash)

_proxyctl() {
    ((BASH_VERSINFO[0] >= 5)) || local LC_ALL=C  # COMP_POINT counts bytes there
    local line=${COMP_LINE:0:COMP_POINT} program=proxyctl answer
    if [[ $1 == */* ]]; then program=${1/#\~\//$HOME/}; fi
    COMPREPLY=()
    while IFS= read -r answer; do
        case $answer in
            $'\tfiles') compopt -o default 2>/dev/null ;;
            $'\tdirectories') compopt -o dirnames 2>/dev/null ;;
            *) COMPREPLY+=("$answer") ;;
        esac
    done < <(_PROXYCTL_COMPLETE=complete_bash _PROXYCTL_COMPLETE_WORD=$2 _TYPER_COMPLETE_ARGS=$line \
        "$program" 2>/dev/null)
}

complete -F _proxyctl proxyctl
