// A report for people, on a terminal. The verdict comes first and is never told by colour or sign alone.

import { withFlags } from "./flags.js";

/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {import("../index.d.ts").RequirementReport} RequirementReport */
/** @typedef {import("../index.d.ts").Candidate} Candidate */

const VERDICTS = {
	allow: { sign: "✔", word: "allowed", met: "met", colour: "32" },
	deny: { sign: "✘", word: "denied", met: "not met", colour: "31" },
	unknown: {
		sign: "?",
		word: "could not find out",
		met: "could not find out",
		colour: "33",
	},
};
/** Allowed, and no signature or attestation vouches for it: never with the sign and the colour of what was verified. */
const UNVERIFIED = {
	sign: "~",
	word: "allowed, not verified",
	met: "met, without a signature",
	colour: "35",
};
const OUTCOMES = {
	accepted: { sign: "✔", colour: "32" },
	rejected: { sign: "✘", colour: "31" },
	"set-aside": { sign: "·", colour: "33" },
	holds: { sign: "✔", colour: "32" },
	fails: { sign: "✘", colour: "31" },
	"not-run": { sign: "·", colour: "33" },
};
const OTHER = { sign: "?", colour: "33" };

/** @param {Report} report @param {{ isTTY?: boolean, columns?: number }} terminal @param {Record<string, string | undefined>} [environment] */
export function showReport(report, terminal, environment = process.env) {
	const coloured =
		Boolean(terminal.isTTY) &&
		!environment.NO_COLOR &&
		environment.TERM !== "dumb";
	/** @param {{ colour: string }} style @param {string} text */
	const paint = ({ colour }, text) =>
		coloured ? `\u001b[${colour}m${text}\u001b[0m` : text;

	const verdict = styleOf(report);
	const lines = [
		`${paint(verdict, `${verdict.sign} ${verdict.word}`)}: ${plain(report.image.reference)}`,
		`  ${plain(withFlags(report))} (${plain(report.code)})`,
		"",
		...showFacts(report),
		...showRequirements(report, paint, ""),
	];
	for (const instance of report.instances ?? []) {
		const style = styleOf(instance);
		lines.push(
			"",
			`${paint(style, `${style.sign} ${style.word}`)}: ${plain(instance.platform ?? "image")} ${plain(instance.digest)}`,
		);
		lines.push(
			`  ${plain(instance.message)} (${plain(instance.code)})`,
			...showRequirements(instance, paint, "  "),
		);
	}
	if (report.notes.length > 0)
		lines.push(
			"",
			"Notes",
			...report.notes.map(
				({ code, message }) => `  - ${plain(message)} (${plain(code)})`,
			),
		);
	if (report.equivalent)
		lines.push(
			"",
			"The same question to cosign",
			...report.equivalent
				.split(/\n(?=cosign )/)
				.map((line) => `  ${plain(line)}`),
		);
	if (report.mirrorQuestion)
		lines.push(
			"",
			"A question that only you can answer",
			...showMirror(report).map((line) => `  ${line}`),
		);
	return `${lines.join("\n")}\n`;
}

/** What allows is verified or not; whoever is not asked is not trusted. @param {{ verdict: Report["verdict"], verified?: boolean }} judged */
export function styleOf({ verdict, verified }) {
	if (verdict === "allow" && verified !== true) return UNVERIFIED;
	return VERDICTS[verdict] ?? VERDICTS.unknown;
}

/** A question to answer, not a step to take. @param {Report} report */
function showMirror({ mirrorQuestion, rule }) {
	if (mirrorQuestion === undefined) return [];
	const { question, signed, signedIdentity } = mirrorQuestion;
	if (rule.source !== "policy")
		return [
			plain(question),
			`the signature names ${plain(signed)}; --as NAME judges under another name, --any-name under any (sealgate --help)`,
		];
	return [
		plain(question),
		...(signedIdentity === undefined
			? []
			: [`a policy says so with "signedIdentity": ${plain(signedIdentity)}`]),
	];
}

/** Notes that somebody has to read who looks at the exit status alone. */
const WARNED =
	/^identity\.(open|any-caller|unanchored|exact-wildcard|unescaped-dot|issuer-form)$/;

/** @param {Report} report */
export function warnings({ notes }) {
	return notes
		.filter(({ code }) => WARNED.test(code))
		.map(({ code, message }) => `${message} (${code})`);
}

/** @param {Report} report */
function showFacts({ image, rule, time, verifier }) {
	const direct = {
		key: "the keys that were given",
		identity: "the identity that was given",
	};
	const scope =
		rule.source === "policy"
			? `the policy, ${rule.scope ?? "default"}`
			: direct[rule.source];
	const coverage =
		rule.coverage === "instance"
			? ", each image of an index by its own signatures"
			: rule.coverage === "index"
				? ", an index covers its images"
				: "";
	const size = image.size === undefined ? "" : `, ${image.size} bytes`;
	/** @type {[string, string | undefined][]} */
	const facts = [
		["judged as", image.name],
		["digest", image.digest],
		["told by", image.toldBy],
		[
			"kind",
			image.kind &&
				`${image.kind}${image.mediaType ? `, ${image.mediaType}` : ""}${size}`,
		],
		["rule", scope + coverage],
		[
			"at",
			`${new Date(time * 1000).toISOString().replace(".000Z", "Z")}, by ${verifier}`,
		],
	];
	return facts
		.filter(([, value]) => value)
		.map(([name, value]) => `  ${name.padEnd(10)} ${plain(value ?? "")}`);
}

/**
 * @param {{ message: string, requirements: RequirementReport[] }} whole
 * @param {(style: { colour: string }, text: string) => string} paint
 * @param {string} indent
 */
function showRequirements(whole, paint, indent) {
	return whole.requirements.flatMap((requirement, index) => {
		const style = styleOf({
			verdict: requirement.verdict,
			verified: requirement.candidates.some(
				({ outcome }) => outcome === "accepted",
			),
		});
		return [
			"",
			`${indent}Requirement ${index + 1}, ${plain(requirement.type)}: ${paint(style, `${style.sign} ${style.met}`)}`,
			...(requirement.trustedRoot
				? [
						`${indent}  under the trusted root ${plain(requirement.trustedRoot)}`,
					]
				: []),
			...showReason(requirement, whole, `${indent}  `),
			...requirement.candidates.flatMap((candidate) =>
				showCandidate(candidate, requirement, paint, `${indent}  `),
			),
		];
	});
}

/** A reason that stands above already is not said again. @param {{ code: string, message: string }} part @param {{ message: string }} above @param {string} indent */
function showReason({ code, message }, above, indent) {
	return message === above.message
		? []
		: [`${indent}${plain(message)} (${plain(code)})`];
}

/**
 * @param {Candidate} candidate
 * @param {RequirementReport} requirement
 * @param {(style: { colour: string }, text: string) => string} paint
 * @param {string} indent
 */
function showCandidate(candidate, requirement, paint, indent) {
	const { source, format, outcome, claims, steps } = candidate;
	const style = OUTCOMES[outcome] ?? OTHER;
	return [
		`${indent}${paint(style, `${style.sign} ${plain(outcome)}`)}: ${plain(source)}, ${plain(format)}`,
		...showReason(candidate, requirement, `${indent}  `),
		...showClaims(claims ?? {}).map((line) => `${indent}  ${line}`),
		...showSteps(steps, paint, `${indent}  `),
	];
}

/** @param {import("../index.d.ts").Step[]} steps @param {(style: { colour: string }, text: string) => string} paint @param {string} indent */
function showSteps(steps, paint, indent) {
	return steps.map((step) => {
		const { sign, colour } = OUTCOMES[step.outcome] ?? OTHER;
		const word = step.kind === "waived" ? "waived" : step.outcome;
		const key = step.key ? ` (key sha256:${plain(step.key)})` : "";
		return `${indent}${paint({ colour }, `${sign} ${plain(word)}`)}: ${plain(step.text)}${key}`;
	});
}

/** What a verified signature says, who made it and when. @param {import("../index.d.ts").Claims} claims */
function showClaims({ signer, logEntries = [], timestamps = [], ...said }) {
	const lines = [];
	const words = Object.entries(said).filter(
		([, value]) => value !== undefined && value !== null,
	);
	if (words.length > 0)
		lines.push(
			`it says: ${words.map(([name, value]) => `${name} ${plain(String(value))}`).join(", ")}`,
		);
	if (signer) {
		lines.push(
			`signed by ${plain(signer.subject)}, by the word of ${plain(signer.issuer ?? "nobody")}`,
		);
		lines.push(
			`  certificate of ${plain(signer.authority)}, valid from ${day(signer.notBefore)} to ${day(signer.notAfter)} (sha256:${plain(signer.fingerprint)})`,
		);
		lines.push(
			...Object.entries(signer.claims).map(
				([name, value]) => `  ${plain(name)} ${plain(value)}`,
			),
		);
	}
	for (const { index, logId, kind, time, origin, treeSize } of logEntries) {
		const proof =
			origin === undefined
				? ""
				: `, proven in the checkpoint of ${origin} at size ${treeSize}`;
		lines.push(
			`logged: entry ${plain(index)} (${plain(kind)}) of log ${plain(logId.slice(0, 16))}…${time === undefined ? "" : ` at ${day(time)}`}${plain(proof)}`,
		);
	}
	lines.push(
		...timestamps.map(
			({ time, authority }) => `stamped: ${day(time)} by ${plain(authority)}`,
		),
	);
	return lines;
}

/** @param {import("../index.d.ts").VerifiedBundle} verified @param {string} file */
export function showBundle({ kind, claims, trustedRoot, steps }, file) {
	const root =
		trustedRoot === undefined ? [] : [`  trusted root ${plain(trustedRoot)}`];
	const plainly = (
		/** @type {{ colour: string }} */ _,
		/** @type {string} */ text,
	) => text;
	const what =
		kind === "message"
			? "a signature of the file"
			: `a statement about the file, of type ${plain(claims.predicateType ?? "?")}`;
	return `${[`✔ verified: ${plain(file)}`, `  ${what}`, ...root, ...showClaims(claims).map((line) => `  ${line}`), ...showSteps(steps, plainly, "  ")].join("\n")}\n`;
}

/** @param {number} seconds */
function day(seconds) {
	const date = new Date(seconds * 1000);
	return Number.isNaN(date.getTime())
		? String(seconds)
		: date.toISOString().replace(".000Z", "Z");
}

/**
 * Text from a registry as what it is: no control characters that steer a terminal, none that turn the direction of reading.
 *
 * @param {string} text
 */
export function plain(text) {
	const unsafe =
		/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
	return String(text)
		.replace(/\n/g, " ")
		.replace(
			unsafe,
			(found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
		);
}
