#compdef proxyctl
# Completion of proxyctl for zsh: as _proxyctl in a directory of fpath, or
#   source <(proxyctl completion zsh)

_proxyctl() {
    local program=proxyctl answer
    [[ $words[1] == */* ]] && program=${words[1]/#\~\//$HOME/}
    # The answer is one command whose every name stands within single quotes.
    answer=$(_PROXYCTL_COMPLETE=complete_zsh \
        _TYPER_COMPLETE_ARGS="${(j: :)words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX" $program 2>/dev/null)
    eval $answer
}

if [[ $funcstack[1] == _proxyctl ]]; then
    _proxyctl "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -D; }
    compdef _proxyctl proxyctl
fi
