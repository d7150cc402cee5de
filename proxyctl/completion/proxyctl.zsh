#compdef proxyctl
# Completion of proxyctl for zsh: as _proxyctl in a directory of fpath, or
#   source <(proxyctl completion zsh)

_proxyctl() {
    local program=proxyctl answer
    local -a found
    [[ $words[1] == */* ]] && program=${words[1]/#\~\//$HOME/}
    answer=$(_PROXYCTL_COMPLETE=complete_zsh \
        _TYPER_COMPLETE_ARGS="${(j: :)words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX" $program 2>/dev/null)
    found=("${(@f)answer}")
    [[ $PREFIX == -*=* ]] && compset -P '*='
    case $answer in
        '') ;;
        $'\tfiles') _files ;;
        $'\tdirectories') _files -/ ;;
        *) _describe -t values proxyctl found ;;
    esac
}

if [[ $funcstack[1] == _proxyctl ]]; then
    _proxyctl "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -D; }
    compdef _proxyctl proxyctl
fi
