package commandline

import (
	"fmt"
	"strings"
)

// Shells are those for which there is a script.
const Shells = "bash,zsh,fish"

// Script is what makes the shell complete the program's command line, by asking the program itself.
func Script(shell, program string) (string, error) {
	script, ok := map[string]string{"bash": bash, "zsh": zsh, "fish": fish}[shell]
	if !ok {
		return "", fmt.Errorf("there is no completion for %s, but for %s", shell, Shells)
	}
	return strings.ReplaceAll(script, "PROGRAM", program), nil
}

const bash = `# bash completion of PROGRAM: source <(PROGRAM completion bash)
_PROGRAM() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if [[ ${COMPREPLY[0]} == :files ]]; then
    COMPREPLY=()
    compopt -o default
  fi
}
complete -F _PROGRAM PROGRAM
`

const zsh = `#compdef PROGRAM
# zsh completion of PROGRAM: source <(PROGRAM completion zsh), after compinit
_PROGRAM() {
  local -a lines found
  local line
  lines=("${(@f)$("${words[1]}" __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ ${lines[1]} == :files ]]; then
    compset -P '--*='
    _files
    return
  fi
  for line in "${(@)lines}"; do
    [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  _describe -t commands PROGRAM found
}
if [[ ${funcstack[1]} == _PROGRAM ]]; then
  _PROGRAM "$@"
else
  compdef _PROGRAM PROGRAM
fi
`

const fish = `# fish completion of PROGRAM: PROGRAM completion fish | source
function __PROGRAM_complete
    set -l words (commandline -opc)
    set -l found ($words[1] __complete fish $words[2..-1] (commandline -ct | string collect --allow-empty) 2>/dev/null)
    if test "$found" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $found
    end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`
