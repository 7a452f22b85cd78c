# fish completion for minivm. The options come from the program's own help.
function __minivm_command
    set -l words (commandline -opc)
    set -l commands (minivm help 2>/dev/null | string match -rg '^  ([a-z0-9]+) ')
    if set -q words[2]; and contains -- $words[2] $commands
        echo $words[2]
    else
        echo run
    end
end
function __minivm_options
    minivm help (__minivm_command) 2>/dev/null | string replace -rf '^ +(--[a-z0-9-]+)\S* ?\S* {2,}(.*)$' '$1\t$2'
    minivm help (__minivm_command) 2>/dev/null | string match -r '^ +--[a-z0-9-]+'  | string trim
end
complete -c minivm -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__minivm_options)'
complete -c minivm -n '__fish_is_first_token' -a '(minivm help 2>/dev/null | string replace -rf "^  ([a-z0-9]+) +(.*)" "\$1\t\$2")'
complete -c minivm -n 'test (__minivm_command) = help' -f -a '(minivm help 2>/dev/null | string match -rg "^  ([a-z0-9]+) ") features'
