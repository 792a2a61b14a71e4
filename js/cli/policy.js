// The commands that read, explain and try a policy.

import { readFileSync } from "node:fs";
import {
	policyAssets,
	policyExplain,
	policyInit,
	policyLint,
	verifyImage,
} from "../quick.js";
import { parseCases, short } from "./cases.js";
import {
	asking,
	beside,
	named,
	ofItsFile,
	read,
	readFolder,
	readPolicy,
	readSigner,
} from "./inputs.js";
import { junit } from "./junit.js";
import { sarif } from "./sarif.js";
import { plain } from "./show.js";

/** @typedef {import("../index.d.ts").Lint} Lint */
/** @typedef {import("./cases.js").Case} Case */
/** @typedef {import("./inputs.js").Reaching} Reaching */
/** @typedef {{ image: string, as?: string, expected: { verdict: string, code?: string }, found: { verdict: string, verified: boolean, code: string, message: string }, same: boolean }} Result */

/** @param {import("./arguments.js").PolicyInitCommand & Reaching} command */
export async function initPolicy(command) {
	// One of both was typed, or this would not be a command.
	const options = /** @type {import("../index.d.ts").PolicyInitOptions} */ ({
		...asking(command.image, command),
		...readSigner(command),
		as: command.as,
		keyPath: command.keys[0],
		mirror: command.mirror,
	});
	const policy = await policyInit(command.image, options).catch((error) => {
		throw ofItsFile(error, command);
	});
	process.stdout.write(policy.endsWith("\n") ? policy : `${policy}\n`);
	return 0;
}

/** @param {import("./arguments.js").PolicyLintCommand} command */
export async function lintPolicy({ file, registriesD, json }) {
	const policy = read(file, "policy.unreadable", "policy lint");
	const lints = await named(file, async () =>
		policyLint(policy, {
			assets: await readAssets(file, policy),
			registriesD:
				registriesD === undefined ? undefined : readFolder(registriesD),
		}),
	);
	if (json) console.log(JSON.stringify(lints, null, 2));
	else process.stdout.write(showLints(file, policy, lints));
	return lints.some(({ severity }) => severity === "error") ? 1 : 0;
}

/** @param {import("./arguments.js").PolicyExplainCommand} command */
export async function explainPolicy({ file, image, as, json }) {
	const policy = read(file, "policy.unreadable", "policy explain");
	// What it names is nobody's business here; that it is a policy is.
	await named(file, () => policyAssets(policy));
	const { text, ...explanation } = await policyExplain(policy, image, { as });
	console.log(
		json
			? JSON.stringify(explanation, null, 2)
			: text.trimEnd().split("\n").map(plain).join("\n"),
	);
	return 0;
}

/** Status 1 when a verdict differs, else 2 when one is unknown. @param {import("./arguments.js").PolicyTestCommand & Reaching} command */
export async function testPolicy(command) {
	const basis = await readPolicy(
		command.file,
		"policy test",
		command.registriesD,
	);
	const table = read(command.cases, "cases.unreadable", "policy test");
	const cases = parseCases(
		command.cases === "-" ? "standard input" : command.cases,
		Buffer.from(table).toString("utf8"),
	);
	const asked = cases.map((one) => ({
		...one,
		asking: { ...asking(one.image, command), ...basis },
	}));
	/** @type {(Result & { line?: number })[]} */
	const results = [];
	for (const { asking, line, ...one } of asked)
		results.push({ ...(await testCase(one, asking, command)), line });
	process.stdout.write(printed(results, command));
	const differing = results.filter(({ same }) => !same);
	if (differing.some(({ found }) => found.verdict !== "unknown")) return 1;
	return differing.length > 0 ? 2 : 0;
}

/** @param {Case} one @param {import("../index.d.ts").VerifyOptions} asking @param {import("./arguments.js").PolicyTestCommand} command @returns {Promise<Result>} */
async function testCase({ image, as, expect, code }, asking, command) {
	const report = await verifyImage(image, {
		...asking,
		as,
		viaEvidence: true,
	}).catch((error) => {
		throw ofItsFile(error, {
			policy: command.file,
			registriesD: command.registriesD,
		});
	});
	const { verdict, verified, code: found, message } = report;
	return {
		image,
		as,
		expected: { verdict: expect, code },
		found: { verdict, verified, code: found, message },
		same: verdict === expect && (code === undefined || code === found),
	};
}

/** @param {(Result & { line?: number })[]} results @param {import("./arguments.js").PolicyTestCommand} command */
function printed(results, { format, file, cases }) {
	switch (format) {
		case "json": {
			const list = results.map(({ line: _, ...result }) => result);
			return `${JSON.stringify(list, null, 2)}\n`;
		}
		case "junit":
			return junit(`sealgate policy test ${file}`, results.map(toFinding));
		case "sarif":
			return sarif(
				cases === "-" ? file : cases,
				results.map((result) =>
					cases === "-"
						? { ...toFinding(result), line: undefined }
						: toFinding(result),
				),
			);
		default:
			return showResults(results);
	}
}

/** @param {Result & { line?: number }} result @returns {import("./junit.js").Finding} */
function toFinding({ image, as, expected, found, same, line }) {
	const { verdict, code, message } = found;
	const wanted = [expected.verdict, expected.code].filter(Boolean).join(" ");
	const outcome = same ? "good" : verdict === "unknown" ? "unknown" : "bad";
	return {
		image,
		as,
		outcome,
		code,
		message: same
			? message
			: `expected ${wanted}, found ${verdict} ${code}: ${message}`,
		line,
	};
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
	return `${[...lines, `${plain(file)}: ${lints.length === 0 ? "no lints" : counts.join(", ")}`].join("\n")}\n`;
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
