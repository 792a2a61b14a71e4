// Completion scripts for shells, from the table. They complete words and ask nobody.

import { NAMES, OPERANDS, OPTIONS, entryOf, optionOf } from "./table.js";

/** @param {string} shell one of SHELLS */
export function completionScript(shell) {
	switch (shell) {
		case "zsh":
			return zsh();
		case "fish":
			return fish();
		default:
			return bash();
	}
}

/** @typedef {keyof typeof import("./table.js").COMMANDS} Name */

/** Words, or what kind of file. @param {{ from?: "file" | "folder" | readonly string[] } | undefined} what @returns {readonly string[] | "file" | "folder" | undefined} */
const sourceOf = (what) => what?.from;

/** The first words, and those that follow "policy" and "help". */
function firstWords() {
	return [...new Set(NAMES.map((name) => name.split(" ")[0] ?? "")), "help"];
}

function policyWords() {
	return NAMES.filter((name) => name.startsWith("policy ")).map((name) =>
		name.slice("policy ".length),
	);
}

/** @param {Name} name @returns {string[]} as they are typed */
function optionsOf(name) {
	return [...entryOf(name).takes, "help"].flatMap((option) => {
		const { short } = optionOf(option) ?? {};
		return short === undefined ? [`--${option}`] : [`--${option}`, `-${short}`];
	});
}

/** Options with a value, by where it is completed from. */
function valued() {
	return Object.keys(OPTIONS).flatMap((name) => {
		const option = optionOf(name);
		if (option?.value === undefined) return [];
		const typed = [
			`--${name}`,
			...(option.short === undefined ? [] : [`-${option.short}`]),
		];
		return [{ typed, from: sourceOf(option) }];
	});
}

/** What follows a command without being an option. @param {Name} name */
function operandSource(name) {
	const { operands } = entryOf(name);
	return operands.map((operand) => sourceOf(OPERANDS[operand])).find(Boolean);
}

/** @param {readonly string[] | "file" | "folder" | undefined} from */
function bashSource(from) {
	if (from === "file") return 'COMPREPLY=($(compgen -f -- "$word"))';
	if (from === "folder") return 'COMPREPLY=($(compgen -d -- "$word"))';
	return from === undefined
		? "COMPREPLY=()"
		: `COMPREPLY=($(compgen -W "${from.join(" ")}" -- "$word"))`;
}

function bash() {
	const values = valued().map(
		({ typed, from }) =>
			`    ${typed.join("|")}) ${bashSource(from)}; return ;;`,
	);
	const commands = NAMES.map(
		(name) =>
			`    "${name}")
      options="${optionsOf(name).join(" ")}"
      ${bashSource(operandSource(name))} ;;`,
	);
	return `# bash completion for sealgate
_sealgate() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" options=""
  local IFS=$' \\t\\n'
  COMPREPLY=()
  case "$before" in
${values.join("\n")}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${firstWords().join(" ")} --help --version" -- "$word"))
    return
  fi
  if [ "$command" = help ]; then
    if [ "$before" = policy ]; then
      COMPREPLY=($(compgen -W "${policyWords().join(" ")}" -- "$word"))
    elif [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -W "${firstWords().join(" ")}" -- "$word"))
    fi
    return
  fi
  if [ "$command" = policy ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      COMPREPLY=($(compgen -W "${policyWords().join(" ")}" -- "$word"))
      return
    fi
    command="policy \${COMP_WORDS[2]}"
  fi
  case "$command" in
${commands.join("\n")}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
  esac
}
complete -o filenames -o bashdefault -F _sealgate sealgate
`;
}

/** In single quotes, which have no escapes in zsh. @param {string} text */
function quoted(text) {
	return `'${text.replace(/'/g, "'\\''")}'`;
}

/** zsh's _arguments: brackets and colons mean something in a specification. @param {string} text */
function zshText(text) {
	return text.replace(/[[\]:\\]/g, "\\$&");
}

/** @param {readonly string[] | "file" | "folder" | undefined} from */
function zshSource(from) {
	if (from === "file") return "_files";
	if (from === "folder") return "_files -/";
	return from === undefined ? " " : `(${from.join(" ")})`;
}

/** @param {Name} name */
function zshSpecs(name) {
	const entry = entryOf(name);
	const options = [...entry.takes, "help"].flatMap((option) => {
		const { short, value, from, text = "" } = optionOf(option) ?? {};
		const action =
			value === undefined ? "" : `:${zshText(value)}:${zshSource(from)}`;
		const typed = [
			`--${option}`,
			...(short === undefined ? [] : [`-${short}`]),
		];
		return typed.map((one) => quoted(`*${one}[${zshText(text)}]${action}`));
	});
	const operands = entry.operands.map((operand) =>
		quoted(
			`:${OPERANDS[operand].what}:${zshSource(sourceOf(OPERANDS[operand]))}`,
		),
	);
	return [...options, ...operands];
}

function zsh() {
	const cases = NAMES.map(
		(name) =>
			`    ${quoted(name)})\n      _arguments ${zshSpecs(name).join(" \\\n        ")} ;;`,
	);
	return `#compdef sealgate
_sealgate() {
  local command="\${words[2]}"
  if (( CURRENT == 2 )); then
    compadd -- ${firstWords().join(" ")} --help --version
    return
  fi
  if [[ "$command" == help ]]; then
    compadd -- ${[...firstWords(), ...policyWords()].join(" ")}
    return
  fi
  if [[ "$command" == policy ]]; then
    if (( CURRENT == 3 )); then
      compadd -- ${policyWords().join(" ")}
      return
    fi
    command="policy \${words[3]}"
    shift words
    (( CURRENT -= 1 ))
  fi
  shift words
  (( CURRENT -= 1 ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_sealgate" ]; then
  _sealgate "$@"
else
  compdef _sealgate sealgate
fi
`;
}

/** @param {string} name */
function fishCondition(name) {
	const words = name.split(" ");
	return quoted(
		words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and "),
	);
}

function fish() {
	const lines = ["# fish completion for sealgate", "complete -c sealgate -f"];
	const begin = quoted("__fish_use_subcommand");
	for (const word of firstWords())
		lines.push(`complete -c sealgate -n ${begin} -a ${word}`);
	const policy = policyWords();
	const afterPolicy = quoted(
		`__fish_seen_subcommand_from policy; and not __fish_seen_subcommand_from ${policy.join(" ")}`,
	);
	lines.push(
		`complete -c sealgate -n ${afterPolicy} -a ${quoted(policy.join(" "))}`,
	);
	for (const name of NAMES) lines.push(...fishCommand(name));
	return `${lines.join("\n")}\n`;
}

/** @param {Name} name */
function fishCommand(name) {
	const head = `complete -c sealgate -n ${fishCondition(name)}`;
	const lines = [...entryOf(name).takes, "help"].map((option) => {
		const { short, value, from, text = "" } = optionOf(option) ?? {};
		const letter = short === undefined ? "" : ` -s ${short}`;
		const needs =
			value === undefined
				? ""
				: `${from === "file" ? " -r" : " -x"}${fishSource(from)}`;
		return `${head} -l ${option}${letter}${needs} -d ${quoted(text)}`;
	});
	const operand = operandSource(name);
	if (operand !== undefined) lines.push(`${head}${fishSource(operand)}`);
	return lines;
}

/** @param {readonly string[] | "file" | "folder" | undefined} from */
function fishSource(from) {
	if (from === "file") return " -F";
	if (from === "folder") return " -a '(__fish_complete_directories)'";
	return from === undefined ? "" : ` -a ${quoted(from.join(" "))}`;
}
