// A report with every step, for people (--verbose).

import { withFlags } from "./flags.js";
import {
	at,
	openpgpSigner,
	painter,
	plain,
	showMirror,
	styleOf,
} from "./show.js";

/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {import("../index.d.ts").RequirementReport} RequirementReport */
/** @typedef {import("../index.d.ts").Candidate} Candidate */

const OUTCOMES = {
	accepted: { sign: "✔", colour: "32" },
	rejected: { sign: "✘", colour: "31" },
	"set-aside": { sign: "·", colour: "33" },
	holds: { sign: "✔", colour: "32" },
	fails: { sign: "✘", colour: "31" },
	"not-run": { sign: "·", colour: "33" },
};
const OTHER = { sign: "?", colour: "33" };

/** @param {Report} report @param {import("./show.js").Terminal} terminal @param {Record<string, string | undefined>} [environment] */
export function showDetails(report, terminal, environment = process.env) {
	const paint = painter(terminal, environment);
	const verdict = styleOf(report);
	const lines = [
		`${paint(verdict, `${verdict.sign} ${verdict.word}`)}: ${plain(report.image.reference)}`,
		`  ${plain(withFlags(report))} (${plain(report.code)})`,
		"",
		...showFacts(report),
		...showRequirements(report, paint, ""),
		...(report.instances ?? []).flatMap((instance) =>
			showInstance(instance, paint),
		),
	];
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
	lines.push(...showMirror(report));
	return `${lines.join("\n")}\n`;
}

/** @param {import("../index.d.ts").InstanceReport} instance @param {import("./show.js").Paint} paint */
function showInstance(instance, paint) {
	const style = styleOf(instance);
	return [
		"",
		`${paint(style, `${style.sign} ${style.word}`)}: ${plain(instance.platform ?? "image")} ${plain(instance.digest)}`,
		`  ${plain(instance.message)} (${plain(instance.code)})`,
		...showRequirements(instance, paint, "  "),
	];
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
		["registry", image.toldBy],
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
 * @param {import("./show.js").Paint} paint
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
 * @param {import("./show.js").Paint} paint
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

/** @param {import("../index.d.ts").Step[]} steps @param {import("./show.js").Paint} paint @param {string} indent */
export function showSteps(steps, paint, indent) {
	return steps.map((step) => {
		const { sign, colour } = OUTCOMES[step.outcome] ?? OTHER;
		const word =
			step.kind === "waived"
				? "waived"
				: step.remembered
					? "remembered"
					: step.outcome;
		const key = step.key ? ` (key sha256:${plain(step.key)})` : "";
		return `${indent}${paint({ colour }, `${sign} ${plain(word)}`)}: ${plain(step.text)}${key}`;
	});
}

/** What a verified signature says, who made it and when. @param {import("../index.d.ts").Claims} claims */
export function showClaims({
	signer,
	openpgp,
	logEntries = [],
	timestamps = [],
	...said
}) {
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
			`signed by ${plain(signer.subject)}, vouched for by ${plain(signer.issuer ?? "nobody")}`,
		);
		lines.push(
			`  certificate of ${plain(signer.authority)}, valid from ${at(signer.notBefore)} to ${at(signer.notAfter)} (sha256:${plain(signer.fingerprint)})`,
		);
		lines.push(
			...Object.entries(signer.claims).map(
				([name, value]) => `  ${plain(name)} ${plain(value)}`,
			),
		);
	}
	if (openpgp) {
		const { subkey, keyCreated, keyExpires, expires } = openpgp;
		lines.push(
			`signed by ${openpgpSigner(openpgp)}`,
			`  ${subkey ? `with the subkey ${plain(subkey)}` : "with the primary key itself"}, made at ${at(keyCreated)}, ${keyExpires === undefined ? "without end" : `valid until ${at(keyExpires)}`}`,
			...(expires === undefined
				? []
				: [`  the signature counts until ${at(expires)}`]),
		);
	}
	for (const { index, logId, kind, time, origin, treeSize } of logEntries) {
		const proof =
			origin === undefined
				? ""
				: `, proven in the checkpoint of ${origin} at size ${treeSize}`;
		lines.push(
			`logged: entry ${plain(index)} (${plain(kind)}) of log ${plain(logId.slice(0, 16))}…${time === undefined ? "" : ` at ${at(time)}`}${plain(proof)}`,
		);
	}
	lines.push(
		...timestamps.map(
			({ time, authority }) => `stamped: ${at(time)} by ${plain(authority)}`,
		),
	);
	return lines;
}

/** @param {import("../index.d.ts").VerifiedBundle} verified @param {string} file */
export function showBundleDetails({ kind, claims, trustedRoot, steps }, file) {
	const root =
		trustedRoot === undefined ? [] : [`  trusted root ${plain(trustedRoot)}`];
	/** @type {import("./show.js").Paint} */
	const plainly = (_, text) => text;
	const what =
		kind === "message"
			? "a signature of the file"
			: `a statement about the file, of type ${plain(claims.predicateType ?? "?")}`;
	return `${[`✔ verified: ${plain(file)}`, `  ${what}`, ...root, ...showClaims(claims).map((line) => `  ${line}`), ...showSteps(steps, plainly, "  ")].join("\n")}\n`;
}
