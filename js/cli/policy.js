// The commands that read, explain and try a policy.

import { readFileSync } from "node:fs";
import { codedError } from "../error.js";
import {
	policyAssets,
	policyExplain,
	policyInit,
	policyLint,
	verifyImage,
} from "../node.js";
import {
	asking,
	beside,
	read,
	readFolder,
	readKeys,
	readPolicy,
} from "./inputs.js";
import { plain } from "./show.js";

/** @typedef {import("../index.d.ts").Lint} Lint */
/** @typedef {{ image: string, as?: string, expect: "allow" | "deny", code?: string }} Case */
/** @typedef {{ image: string, as?: string, expected: { verdict: string, code?: string }, found: { verdict: string, verified: boolean, code: string, message: string }, same: boolean }} Result */

/** Characters of the policy's text that a suggestion shows. */
const SHOWN = 160;

/** @param {import("./arguments.js").PolicyInitCommand} command */
export async function initPolicy(command) {
	const key = readKeys(command.keys);
	const policy = await policyInit(command.image, {
		...asking(command.image, command),
		as: command.as,
		key,
		keyPath: command.keys[0],
		mirror: command.mirror,
	});
	process.stdout.write(policy.endsWith("\n") ? policy : `${policy}\n`);
	return 0;
}

/** @param {import("./arguments.js").PolicyLintCommand} command */
export async function lintPolicy({ file, registriesD, json }) {
	const policy = read(file, "policy.unreadable", "policy lint");
	const lints = await policyLint(policy, {
		assets: await readAssets(file, policy),
		registriesD:
			registriesD === undefined ? undefined : readFolder(registriesD),
	});
	if (json) console.log(JSON.stringify(lints, null, 2));
	else process.stdout.write(showLints(file, policy, lints));
	return lints.some(({ severity }) => severity === "error") ? 1 : 0;
}

/** @param {import("./arguments.js").PolicyExplainCommand} command */
export async function explainPolicy({ file, image, as, json }) {
	const { text, ...explanation } = await policyExplain(
		read(file, "policy.unreadable", "policy explain"),
		image,
		{ as },
	);
	console.log(
		json
			? JSON.stringify(explanation, null, 2)
			: text.trimEnd().split("\n").map(plain).join("\n"),
	);
	return 0;
}

/** Status 1 when a verdict differs, else 2 when one could not be found out. @param {import("./arguments.js").PolicyTestCommand} command */
export async function testPolicy(command) {
	const basis = await readPolicy(
		command.file,
		"policy test",
		command.registriesD,
	);
	const cases = parseCases(
		command.cases,
		Buffer.from(
			read(command.cases, "cases.unreadable", "policy test"),
		).toString("utf8"),
	);
	const asked = cases.map((one) => ({
		...one,
		asking: asking(one.image, command),
	}));
	/** @type {Result[]} */
	const results = [];
	for (const { image, as, expect, code, asking } of asked) {
		const {
			verdict,
			verified,
			code: found,
			message,
		} = await verifyImage(image, {
			...asking,
			...basis,
			as,
			viaEvidence: true,
		});
		const same = verdict === expect && (code === undefined || code === found);
		results.push({
			image,
			as,
			expected: { verdict: expect, code },
			found: { verdict, verified, code: found, message },
			same,
		});
	}
	process.stdout.write(
		command.json
			? `${JSON.stringify(results, null, 2)}\n`
			: showResults(results),
	);
	const differing = results.filter(({ same }) => !same);
	if (differing.some(({ found }) => found.verdict !== "unknown")) return 1;
	return differing.length > 0 ? 2 : 0;
}

/** What is there of the files that the policy names; a lint says what is not. @param {string} file @param {Uint8Array} policy */
async function readAssets(file, policy) {
	const there = (await policyAssets(policy)).flatMap((name) => {
		try {
			return [[name, new Uint8Array(readFileSync(beside(file, name)))]];
		} catch {
			return [];
		}
	});
	return Object.fromEntries(there);
}

/** @param {string} file @param {Uint8Array} policy @param {Lint[]} lints */
function showLints(file, policy, lints) {
	const lines = lints.flatMap(
		({ id, name, severity, pointer, at, message, edit }) => {
			const here = pointer.startsWith("registries.d ")
				? pointer
				: `${file}:${lineAndColumn(policy, at)}`;
			const place =
				here === pointer || pointer === "" ? [] : [`    at ${plain(pointer)}`];
			return [
				`${plain(here)}: ${severity} ${id} ${name}: ${plain(message)}`,
				...place,
				...(edit ? [`    ${plain(suggestion(policy, edit))}`] : []),
			];
		},
	);
	const count = (/** @type {string} */ severity) =>
		lints.filter((lint) => lint.severity === severity).length;
	const counts = ["error", "warning", "note"].map(
		(severity) =>
			`${count(severity)} ${severity}${count(severity) === 1 ? "" : "s"}`,
	);
	return `${[...lines, `${plain(file)}: ${lints.length === 0 ? "nothing to say" : counts.join(", ")}`].join("\n")}\n`;
}

/** Both from 1; columns in characters. @param {Uint8Array} bytes @param {number} at */
function lineAndColumn(bytes, at) {
	const lines = textOf(bytes.subarray(0, at)).split("\n");
	return `${lines.length}:${[...(lines.at(-1) ?? "")].length + 1}`;
}

/** @param {Uint8Array} policy @param {NonNullable<Lint["edit"]>} edit */
function suggestion(policy, { at, text }) {
	const old = short(textOf(policy.subarray(at.start, at.end)));
	if (old === "") return `add: ${short(text)}`;
	return text === ""
		? `remove: ${old}`
		: `write ${short(text)} in place of ${old}`;
}

/** @param {Uint8Array} bytes */
function textOf(bytes) {
	return new TextDecoder().decode(bytes);
}

/** @param {string} text */
function short(text) {
	const line = text.replace(/\s+/g, " ");
	return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}

/** @param {Result[]} results */
function showResults(results) {
	const lines = results.map(({ image, as, expected, found, same }) => {
		const name = as === undefined ? image : `${image} as ${as}`;
		const [sign, verdict] =
			found.verdict === "unknown"
				? ["?", "could not find out"]
				: [
						same ? "✔" : "✘",
						found.verdict === "allow" && !found.verified
							? "allow, not verified,"
							: found.verdict,
					];
		const wanted = [expected.verdict, expected.code].filter(Boolean).join(" ");
		return `${sign} ${plain(name)}: ${verdict} ${plain(found.code)}${same ? ", as expected" : `, expected ${plain(wanted)}\n    ${plain(found.message)}`}`;
	});
	const differing = results.filter(({ same }) => !same).length;
	return `${lines.join("\n")}\n${results.length} images, ${differing === 0 ? "all as expected" : `${differing} not as expected`}\n`;
}

/** A table that holds nothing, or something else than cases, is an error: it would always pass. @param {string} path @param {string} text @returns {Case[]} */
function parseCases(path, text) {
	const cases = /^\s*[[{]/.test(text)
		? jsonCases(path, text)
		: textCases(path, text);
	if (cases.length === 0) throw malformed(path, "at least one image", "none");
	return cases;
}

/** @param {string} path @param {string} text @returns {Case[]} */
function textCases(path, text) {
	return text.split(/\r?\n/).flatMap((line, index) => {
		const words = line
			.replace(/(^|\s)#.*/, "")
			.split(/\s+/)
			.filter(Boolean);
		if (words.length === 0) return [];
		const [image = "", ...rest] = words;
		const as = rest[0] === "as" ? rest[1] : undefined;
		const [expect, code, ...more] = rest.slice(as === undefined ? 0 : 2);
		if (more.length > 0)
			throw malformed(
				`${path}, line ${index + 1}`,
				"IMAGE [as NAME] allow|deny [CODE]",
				words.join(" "),
			);
		return [toCase(`${path}, line ${index + 1}`, { image, as, expect, code })];
	});
}

/** @param {string} path @param {string} text @returns {Case[]} */
function jsonCases(path, text) {
	/** @type {unknown} */
	let list;
	try {
		list = JSON.parse(text);
	} catch (error) {
		throw malformed(
			path,
			"a JSON array of cases",
			/** @type {Error} */ (error).message,
		);
	}
	if (!Array.isArray(list))
		throw malformed(path, "a JSON array of cases", typeof list);
	return list.map((one, index) => toCase(`${path}, case ${index + 1}`, one));
}

/** @param {string} where @param {any} one @returns {Case} */
function toCase(where, one) {
	const { image, as, expect, code, ...more } = one ?? {};
	const text = (/** @type {unknown} */ value) =>
		typeof value === "string" && value !== "";
	const optional = (/** @type {unknown} */ value) =>
		value === undefined || text(value);
	const good =
		text(image) &&
		optional(as) &&
		optional(code) &&
		(expect === "allow" || expect === "deny") &&
		Object.keys(more).length === 0;
	if (!good)
		throw malformed(
			where,
			'an image, perhaps "as" a name, "allow" or "deny", and perhaps a code',
			JSON.stringify(one),
		);
	return { image, as, expect, code };
}

/** @param {string} where @param {string} expected @param {string} found */
function malformed(where, expected, found) {
	return codedError(
		"cases.malformed",
		`${where}: expected ${expected}, found ${short(found)}`,
	);
}
