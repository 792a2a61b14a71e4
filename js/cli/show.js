// A report in a few lines: the verdict, who signed or why not, and what was checked. The verdict is never shown by colour or
// sign alone.

import { withFlags } from "./flags.js";

/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {{ isTTY?: boolean, columns?: number }} Terminal */
/** @typedef {(style: { colour: string }, text: string) => string} Paint */

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

/** @param {Terminal} terminal @param {Record<string, string | undefined>} environment @returns {Paint} */
export function painter(terminal, environment) {
	const coloured =
		Boolean(terminal.isTTY) &&
		!environment.NO_COLOR &&
		environment.TERM !== "dumb";
	return ({ colour }, text) =>
		coloured ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

/** The verdict line. @param {Report} report @param {Terminal} terminal @param {Record<string, string | undefined>} [environment] */
export function showVerdict(report, terminal, environment = process.env) {
	const style = styleOf(report);
	const verdict = painter(terminal, environment)(
		style,
		`${style.sign} ${style.word}`,
	);
	return `${verdict}: ${plain(report.image.reference)}\n`;
}

/** Verdict, signer or reason, and what was checked. @param {Report} report @param {Map<string, string>} keyFiles by fingerprint @param {Terminal} terminal @param {Record<string, string | undefined>} [environment] */
export function showShort(
	report,
	keyFiles,
	terminal,
	environment = process.env,
) {
	const signers = report.verified ? signersOf(report, keyFiles) : [];
	const lines = [
		signers.length > 0
			? `signed by ${signers.join(" and ")}`
			: `${plain(withFlags(report))} (${plain(report.code)})`,
		`checked: ${checkedIn(report)}`,
		...(report.verdict === "allow" ? [] : notesOf(report)),
	];
	return `${showVerdict(report, terminal, environment)}${[...lines.map((line) => `  ${line}`), ...showMirror(report)].join("\n")}\n`;
}

/** What may explain a refusal. @param {Report} report */
function notesOf({ notes }) {
	return notes
		.filter(({ code }) => code !== "log.not-required")
		.map(({ code, message }) => `note: ${plain(message)} (${plain(code)})`);
}

/** Each accepted signer once. @param {Report} report @param {Map<string, string>} keyFiles */
function signersOf(report, keyFiles) {
	const accepted = [report, ...(report.instances ?? [])]
		.flatMap(({ requirements }) => requirements)
		.flatMap(({ candidates }) => candidates)
		.filter(({ outcome }) => outcome === "accepted");
	return [
		...new Set(
			accepted.map(({ claims, steps }) =>
				claims?.openpgp
					? openpgpSigner(claims.openpgp)
					: signerOf(claims?.signer, steps, keyFiles),
			),
		),
	];
}

/** @param {import("../index.d.ts").Claims["signer"]} signer @param {import("../index.d.ts").Step[]} steps @param {Map<string, string>} keyFiles */
function signerOf(signer, steps, keyFiles) {
	if (signer !== undefined)
		return `${plain(signer.subject)} (vouched for by ${plain(signer.issuer ?? "nobody")})`;
	const keys = steps.flatMap(({ key, outcome }) =>
		key !== undefined && outcome === "holds" ? [key] : [],
	);
	const known = keys.find((key) => keyFiles.has(key));
	return known === undefined
		? `the key sha256:${keys[0] ?? "?"}`
		: `the key in ${plain(keyFiles.get(known) ?? "")} (sha256:${known})`;
}

/** Name, key, how and when. The name is the key's own word, and stands in quotes. @param {import("../index.d.ts").OpenPgpSigner} signer */
export function openpgpSigner({
	userId,
	key,
	algorithm,
	hash,
	signed,
	keyExpired,
}) {
	const name = userId ? `"${plain(userId).replaceAll('"', "'")}", ` : "";
	const expired =
		keyExpired === undefined
			? ""
			: `; the key expired at ${at(keyExpired)}, which the policy passes over`;
	return `${name}key ${plain(key)} (${plain(algorithm)}, ${plain(hash)}) at ${at(signed)}${expired}`;
}

/** Unix time, as text. @param {number} seconds */
export function at(seconds) {
	const date = new Date(seconds * 1000);
	return Number.isNaN(date.getTime())
		? String(seconds)
		: date.toISOString().replace(".000Z", "Z");
}

/** @param {Report} report */
function checkedIn({ image, rule, requirements, notes, instances = [] }) {
	const words = [image.digest ?? "no digest", `as ${image.name}`];
	words.push(
		rule.source === "policy"
			? `under ${rule.scope ?? "default"} of the policy`
			: rule.source === "key"
				? "by key"
				: "by identity",
	);
	if (instances.length > 0)
		words.push(`${instances.length} images of the index`);
	const candidates = [{ requirements }, ...instances]
		.flatMap((one) => one.requirements)
		.flatMap((requirement) => requirement.candidates);
	words.push(
		candidates.length === 1
			? "1 signature or attestation found"
			: `${candidates.length} signatures or attestations found`,
	);
	if (notes.some(({ code }) => code === "log.not-required"))
		words.push("transparency log not required");
	return plain(words.join(", "));
}

/** What a verified bundle says in a few lines. @param {import("../index.d.ts").VerifiedBundle} verified @param {string} file @param {Map<string, string>} keyFiles */
export function showShortBundle(
	{ kind, claims, trustedRoot, steps },
	file,
	keyFiles,
) {
	const what =
		kind === "message"
			? "a signature of the file"
			: `a statement about the file, of type ${plain(claims.predicateType ?? "?")}`;
	const root =
		trustedRoot === undefined
			? "without a trusted root"
			: `under the trusted root ${plain(trustedRoot)}`;
	return [
		`✔ verified: ${plain(file)}`,
		`  signed by ${signerOf(claims.signer, steps, keyFiles)}`,
		`  checked: ${what}, ${root}`,
		"",
	].join("\n");
}

/** Public keys by their fingerprints, to call them by their files. @param {[string, Uint8Array][]} files @returns {Promise<Map<string, string>>} */
export async function keyFilesOf(files) {
	/** @type {Map<string, string>} */
	const known = new Map();
	for (const [path, pem] of files) {
		try {
			// By WebCrypto, which checked the signature: node:crypto would be loaded for this alone.
			const print = await crypto.subtle.digest("SHA-256", await spkiOf(pem));
			known.set(Buffer.from(print).toString("hex"), path);
		} catch {
			// No key that Node knows: it is shown by its fingerprint.
		}
	}
	return known;
}

/** SubjectPublicKeyInfo in DER. @param {Uint8Array} pem */
async function spkiOf(pem) {
	const [, text] =
		/^-----BEGIN PUBLIC KEY-----$([^-]+)^-----END PUBLIC KEY-----$/m.exec(
			new TextDecoder().decode(pem).replaceAll("\r", ""),
		) ?? [];
	if (text !== undefined) return Buffer.from(text, "base64");
	const { createPublicKey } = await import("node:crypto");
	const key = createPublicKey(Buffer.from(pem));
	return key.export({ type: "spki", format: "der" });
}

/** What allows is verified or not; whoever is not asked is not trusted. @param {{ verdict: Report["verdict"], verified?: boolean }} judged */
export function styleOf({ verdict, verified }) {
	if (verdict === "allow" && verified !== true) return UNVERIFIED;
	return VERDICTS[verdict] ?? VERDICTS.unknown;
}

/** A question to answer, not a step to take. @param {Report} report */
export function showMirror({ mirrorQuestion, rule }) {
	if (mirrorQuestion === undefined) return [];
	const lines = answersTo(mirrorQuestion, rule);
	return [
		"",
		"A question that only you can answer",
		...lines.map((line) => `  ${line}`),
	];
}

/** @param {import("../index.d.ts").MirrorQuestion} mirrorQuestion @param {Report["rule"]} rule */
function answersTo(mirrorQuestion, rule) {
	const { question, signed, signedIdentity } = mirrorQuestion;
	if (rule.source !== "policy")
		return [
			plain(question),
			`the signature names ${plain(signed)}; --as NAME judges under another name, --any-name under any (sealgate help verify)`,
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
