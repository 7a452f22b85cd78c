# bash completion for minivm. The options come from the program's own help.
_minivm() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} commands command=run
  commands=$("${COMP_WORDS[0]}" help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z0-9]*\) .*/\1/p')
  [[ $COMP_CWORD -gt 1 && " ${commands//$'\n'/ } " == *" ${COMP_WORDS[1]} "* ]] && command=${COMP_WORDS[1]}
  case $prev in
    --dir) compopt -o nospace; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    --features) mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" help features 2>/dev/null | sed -n 's/^  \([a-z0-9-]*\) .*/\1/p')" -- "$cur"); return ;;
  esac
  case $cur in
    -*) mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" help "$command" 2>/dev/null | grep -oE '^ +--[a-z0-9-]+')" -- "$cur") ;;
    *)
      mapfile -t COMPREPLY < <(compgen -f -X '!*.@(wasm|wat|wast|mvm)' -- "$cur"; compgen -d -- "$cur")
      if [[ $COMP_CWORD -eq 1 ]]; then mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$commands" -- "$cur"); fi
      if [[ $command == help ]]; then mapfile -t COMPREPLY < <(compgen -W "$commands features" -- "$cur"); fi ;;
  esac
}
complete -o filenames -F _minivm minivm
