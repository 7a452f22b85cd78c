#compdef minivm
# zsh completion for minivm. The options come from the program's own help.
local program=$words[1] command=run
local -a commands options
commands=(${(f)"$($program help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z0-9]*\)  *\(.*\)/\1:\2/p')"})
(( CURRENT > 2 )) && (( ${commands[(I)$words[2]:*]} )) && command=$words[2]
case $words[CURRENT-1] in
  --dir) _files -/; return ;;
  --features) compadd -- ${(f)"$($program help features 2>/dev/null | sed -n 's/^  \([a-z0-9-]*\) .*/\1/p')"}; return ;;
esac
if [[ $words[CURRENT] == -* ]]; then
  options=(${(f)"$($program help $command 2>/dev/null | grep -oE '^ +--[a-z0-9-]+' | tr -d ' ')"})
  compadd -- $options
elif [[ $command == help ]]; then
  _describe command commands
else
  (( CURRENT == 2 )) && _describe command commands
  _files -g '*.(wasm|wat|wast|mvm)'
fi
