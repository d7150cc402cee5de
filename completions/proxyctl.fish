# Completion of proxyctl for fish:
#   proxyctl completion fish | source

function __proxyctl_complete
    set -l words (commandline -opc)
    set -l program proxyctl
    string match -q '*/*' -- $words[1]; and set program $words[1]
    set -lx _PROXYCTL_COMPLETE complete_fish
    set -lx _PROXYCTL_COMPLETE_WORD (commandline -ct)
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp | string collect)
    for answer in ($program 2>/dev/null)
        switch $answer
            case \tfiles
                __fish_complete_path (commandline -ct)
            case \tdirectories
                __fish_complete_directories (commandline -ct)
            case '*'
                printf '%s\n' $answer
        end
    end
end

complete -c proxyctl -f -a '(__proxyctl_complete)'
