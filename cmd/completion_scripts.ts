/**
 * The scripts that teach a shell to complete. Each hands the words over as they stand, reads lines
 * of `VALUE<TAB>HELP`, and evaluates nothing; the line `:files` asks for the shell's own files. They
 * need no package besides the shell, and may be loaded any number of times.
 */
export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = typeof shells[number];

/** Bash splits words at `:` and `=`, so the line is split again at blanks and the front cut off. */
const bash = String
  .raw`# Completion of xenon for bash: source it, or put it into /etc/bash_completion.d/xenon.
_xenon() {
  local program=$1 current=$2 line=${"$"}{COMP_LINE:0:COMP_POINT} cut= value help
  local -a words=()
  COMPREPLY=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last=${"$"}{words[${"$"}{#words[@]}-1]}
  [[ $current == [:=] ]] && current=
  [[ $last == *"$current" ]] && cut=${"$"}{last%"$current"}
  [[ $program == "~/"* ]] && program=$HOME/${"$"}{program#"~/"}
  while IFS=$'\t' read -r value help; do
    if [[ $value == :files ]]; then
      compopt -o default
    elif [[ -n $value ]]; then
      COMPREPLY+=("${"$"}{value#"$cut"}")
    fi
  done < <("$program" __complete -- "${"$"}{words[@]:1}" 2>/dev/null)
}
complete -F _xenon xenon
`;

const zsh = String.raw`#compdef xenon
# Completion of xenon for zsh: put it as _xenon into a folder of $fpath, or source it after compinit.
_xenon() {
  local -a values descriptions
  local value help
  while IFS=$'\t' read -r value help; do
    if [[ $value == :files ]]; then
      _files
    elif [[ -n $value ]]; then
      values+=("$value")
      descriptions+=("$value${"$"}{help:+  -- $help}")
    fi
  done < <("${"$"}{(Q)words[1]}" __complete -- "${"$"}{(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#values )) && compadd -l -d descriptions -a values
  return 0
}
compdef _xenon xenon
`;

const fish = String
  .raw`# Completion of xenon for fish: put it into ~/.config/fish/completions/xenon.fish.
function __xenon_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (command $words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c xenon -e
complete -c xenon -f -a '(__xenon_complete)'
`;

/** The script of each shell. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
