// Help, from the table.

import { COMMANDS, NAMES, entryOf, optionOf } from "./table.js";

const WIDTH = 100;

/** Of one command, of the commands that begin with a word, or of all. @param {string} [of] */
export function help(of) {
	if (of !== undefined && of in COMMANDS)
		return commandHelp(/** @type {keyof typeof COMMANDS} */ (of));
	const names = NAMES.filter(
		(name) => of === undefined || name.startsWith(`${of} `),
	);
	const width = Math.max(...names.map((name) => name.length)) + 2;
	const list = names.map(
		(name) => `  ${name.padEnd(width)}${entryOf(name).purpose}`,
	);
	return `sealgate: may this container image run?

${list.join("\n")}

  sealgate verify IMAGE --key FILE    is the shortest way to ask
  sealgate help COMMAND               tells what a command takes
  sealgate --version

Where a file is expected, - is standard input; a file of that name is ./-

Exit status: 0 allowed · 1 denied · 2 could not find out, or could not understand
`;
}

/** @param {keyof typeof COMMANDS} name */
function commandHelp(name) {
	const { purpose, usage, takes, more } = entryOf(name);
	const parts = [
		`sealgate ${name}: ${purpose}`,
		usage.map((line) => `  sealgate ${name} ${line}`).join("\n"),
	];
	if (takes.length > 0)
		parts.push(["Options:", ...takes.map(optionHelp)].join("\n"));
	if (more !== undefined) parts.push(more);
	return `${parts.join("\n\n")}\n`;
}

/** @param {string} name */
function optionHelp(name) {
	const { short, value, text = "" } = optionOf(name) ?? {};
	const head = `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
	const lines = wrap(text, WIDTH - 20);
	const first = head.length > 16 ? [`  ${head}`] : [];
	const rest = first.length > 0 ? lines : lines.slice(1);
	if (first.length === 0) first.push(`  ${head.padEnd(18)}${lines[0] ?? ""}`);
	return [...first, ...rest.map((line) => `${" ".repeat(20)}${line}`)].join(
		"\n",
	);
}

/** @param {string} text @param {number} width */
function wrap(text, width) {
	/** @type {string[]} */
	const lines = [];
	for (const word of text.split(" ")) {
		const last = lines.at(-1);
		if (last === undefined || last.length + 1 + word.length > width)
			lines.push(word);
		else lines[lines.length - 1] = `${last} ${word}`;
	}
	return lines;
}
