// @ts-check
// A report as elements. Nothing is decided here: every word about the image comes from the report.

import { h, icon } from "./dom.js";
import { block, copyable } from "./copy.js";
import { foreign, keyId, short } from "./foreign.js";
import { foundIn, kindOf, requirementsOf, signedBy, toneOf } from "./found.js";
import { words } from "./words.js";

/** @typedef {import('/sealgate/browser.js').Report} Report */
/** @typedef {Report['requirements'][number]} Requirement */
/** @typedef {Requirement['candidates'][number]} Candidate */
/** @typedef {Candidate['steps'][number]} Step */
/** @typedef {NonNullable<Report['instances']>[number]} Instance */
/** @typedef {import('./found.js').Tone} Tone */
/** @typedef {import('./found.js').Found} Found */
/** @typedef {{ reference: string, link: string, secure: boolean, loopback: boolean, own?: string }} Pull how a client here reaches the image; `own`: the visitor's policy, where it was judged by that */
/** @type {Record<Candidate['outcome'], Tone>} */
const CANDIDATE_TONE = {
	accepted: "good",
	rejected: "bad",
	"set-aside": "skipped",
};
/** @type {Record<Step['outcome'], Tone>} */
const STEP_TONE = { holds: "good", fails: "bad", "not-run": "skipped" };
/** Requirements that are decided without looking at a signature. */
const NO_SIGNATURE = new Set([
	"reject",
	"insecureAcceptAnything",
	"pinned",
	"exception",
]);

/**
 * What the visitor came for, in one look: icon and colour repeat the word.
 * @param {Tone} tone
 * @param {string} word
 * @param {string} title
 * @param {string} text
 * @param {...(Node | null)} more
 */
export function card(tone, word, title, text, ...more) {
	return h(
		"section",
		{ class: `sg-card sg-${tone}` },
		h("div", { class: "sg-seal" }, icon(tone)),
		h(
			"div",
			{ class: "sg-card-body" },
			h("h2", { class: "sg-verdict" }, word),
			title ? h("p", { class: "sg-subject" }, title) : null,
			h("p", { class: "sg-reason" }, text),
			...more,
		),
	);
}

/**
 * By which policy of the visitor's own it is judged, what it lacks, and what it probably does not mean.
 * @param {import('./policy.js').OwnPolicy} own
 * @param {() => void} forget
 * @returns {Node[]}
 */
export function policyCard(
	{ name, missing, ambiguous, lints, broken },
	forget,
) {
	const button = h(
		"button",
		{ class: "sg-button sg-button-quiet", type: "button" },
		words.own.forget,
	);
	button.addEventListener("click", forget);
	const notes = lints.map(({ id, severity, pointer, message }) =>
		h(
			"li",
			{},
			`${words.own.severity[severity] ?? severity}: ${message} `,
			h(
				"span",
				{ class: "sg-code" },
				[id, pointer].filter(Boolean).join(" · "),
			),
		),
	);
	if (broken) {
		return [
			h("h2", { class: "sg-heading" }, words.own.broken(name)),
			h("p", { class: "sg-message" }, broken.message),
			broken.code ? h("p", { class: "sg-code" }, broken.code) : null,
			h("p", { class: "sg-hint" }, words.own.brokenText),
			button,
		].filter((part) => part !== null);
	}
	return [
		h("h2", { class: "sg-heading" }, words.own.title(name)),
		h("p", { class: "sg-hint" }, words.own.text),
		missing.length
			? h("p", { class: "sg-message" }, words.own.missing(missing.join(", ")))
			: null,
		ambiguous.length
			? h(
					"p",
					{ class: "sg-message" },
					words.own.ambiguous(ambiguous.join(", ")),
				)
			: null,
		notes.length
			? h(
					"details",
					{
						class: "sg-fold",
						open: lints.some(({ severity }) => severity === "error"),
					},
					h("summary", {}, words.own.lints(notes.length)),
					h("ul", { class: "sg-notes" }, ...notes),
				)
			: null,
		button,
	].filter((part) => part !== null);
}

/** @param {Report} report @param {string} [own] the visitor's policy, where it was judged by that */
export function verdictCard(report, own) {
	const found = foundIn(report);
	const kind = kindOf(report, own === undefined);
	return card(
		toneOf(found),
		verdictWord(found),
		report.image.reference,
		words.verdictLine[kind] ?? words.verdictLine.unknown,
		kind === "audited"
			? h("p", { class: "sg-message" }, badge("unproven", words.passesHere))
			: null,
		own === undefined
			? null
			: h("p", { class: "sg-message" }, words.byOwn(own)),
		h("p", { class: "sg-message" }, report.message),
		h("p", { class: "sg-code" }, report.code),
	);
}

/** The word for a verdict, and its tone, for lists and titles. @param {Report} report */
export function verdictOf(report) {
	const found = foundIn(report);
	return { tone: toneOf(found), word: verdictWord(found) };
}

/**
 * @param {Report} report
 * @param {Pull} asked
 */
export function reportBody(report, asked) {
	return [
		chain(report),
		facts(report, asked.own !== undefined),
		evidence(report),
		instances(report),
		notes(report),
		commands(report, asked),
		question(report),
		h(
			"details",
			{ class: "sg-fold sg-raw" },
			h("summary", {}, words.rawTitle),
			block(JSON.stringify(report, null, 2), words.rawTitle),
		),
	].filter((part) => part !== null);
}

/** A requirement that is met, and by no evidence, is not met in green either. @param {Requirement} one @returns {Found} */
const foundFor = ({ verdict, candidates }) =>
	verdict === "allow" &&
	!(candidates ?? []).some(({ outcome }) => outcome === "accepted")
		? "unproven"
		: verdict;

/** @param {string} found */
const verdictWord = (found) =>
	words.verdict[/** @type {Found} */ (found)] ?? words.verdict.unknown;
/**
 * The picture: image → signature → policy → verdict, joined as far as the proof reaches.
 * @param {Report} report
 */
function chain(report) {
	const found = foundIn(report);
	const tone = toneOf(found);
	const links = [
		link(
			report.image.digest ? "good" : "unknown",
			words.path.image,
			shortDigest(report.image.digest) ?? words.noDigest,
		),
		signatureLink(report),
		link(
			tone,
			words.path.rule,
			report.rule.scope ??
				(report.rule.source === "key" ? words.rule.key : words.rule.policy),
		),
		link(tone, words.path.verdict, verdictWord(found)),
	];
	return h(
		"section",
		{ class: "sg-section" },
		h("h2", { class: "sg-heading" }, words.pathTitle),
		h("ol", { class: "sg-path" }, ...links),
	);
}

/** @param {Report} report */
function signatureLink(report) {
	const asked = requirementsOf(report).filter(
		(one) => !NO_SIGNATURE.has(one.type),
	);
	if (!asked.length)
		return link("skipped", words.path.evidence, words.path.notLookedFor);
	const all = asked
		.flatMap((one) => one.candidates ?? [])
		.filter((one) => one.outcome !== "set-aside");
	const accepted = all.find((candidate) => candidate.outcome === "accepted");
	if (accepted) return link("good", words.path.evidence, bySigner(accepted));
	if (report.verdict === "unknown")
		return link("unknown", words.path.evidence, words.path.unknown);
	return link("bad", words.path.evidence, words.path.noneAccepted(all.length));
}

/** @param {Candidate} accepted */
function bySigner(accepted) {
	const signed = signedBy(accepted);
	if (signed === undefined) return words.path.accepted;
	const { by, name } = signed;
	if (by === "identity") return words.path.byIdentity(name);
	return words.path.byKey(by === "openpgp" ? keyId(name) : short(name));
}

/** @param {Tone} tone @param {string} name @param {string} value */
function link(tone, name, value) {
	return h(
		"li",
		{ class: `sg-link sg-${tone}` },
		h("span", { class: "sg-node" }, icon(tone)),
		h(
			"span",
			{ class: "sg-link-text" },
			h("span", { class: "sg-link-name" }, name),
			h("span", { class: "sg-link-value" }, value),
		),
	);
}

/** @param {Report} report @param {boolean} own */
function facts(report, own) {
	const { image, rule } = report;
	const kind = image.kind ? (words.kind[image.kind] ?? image.kind) : undefined;
	const size =
		image.size === undefined
			? undefined
			: words.bytes(image.size.toLocaleString(words.language));
	const told = [
		[words.facts.reference, mono(image.reference)],
		[
			words.facts.digest,
			image.digest ? copyable(image.digest) : words.noDigest,
		],
		[
			words.facts.kind,
			lines(kind, [image.mediaType, size].filter(Boolean).join(", ")),
		],
		[
			words.facts.name,
			h(
				"span",
				{},
				h("span", { class: "sg-line sg-mono" }, image.name),
				// Of a registry that the gateway does not front the name is the visitor's own.
				hostOf(image.name) !== hostOf(image.reference) &&
					h("span", { class: "sg-line" }, words.claimedName),
			),
		],
		[words.facts.toldBy, image.toldBy ? words.toldBy(image.toldBy) : undefined],
		[
			words.facts.rule,
			lines(
				[
					rule.source === "key"
						? words.rule.key
						: own
							? words.rule.own
							: words.rule.policy,
					rule.scope && words.rule.scope(rule.scope),
				]
					.filter(Boolean)
					.join(", "),
				image.kind === "index" && rule.coverage
					? words.rule[rule.coverage]
					: undefined,
			),
		],
		[words.facts.time, when(report.time)],
		[words.facts.verifier, mono(report.verifier)],
	];
	return h(
		"section",
		{ class: "sg-section" },
		h("h2", { class: "sg-heading" }, words.factsTitle),
		list(told),
	);
}

/** @param {Report} report */
function evidence(report) {
	if (report.instances?.length && !report.requirements?.length) return null;
	return h(
		"section",
		{ class: "sg-section" },
		h("h2", { class: "sg-heading" }, words.evidenceTitle),
		h("p", { class: "sg-hint" }, words.evidenceLead),
		requirements(report.requirements ?? []),
	);
}

/** @param {Requirement[]} all */
function requirements(all) {
	if (!all.length) return h("p", { class: "sg-empty" }, words.noRequirements);
	return h(
		"div",
		{ class: "sg-requirements" },
		...all.map((one, index) => {
			const verdict = foundFor(one);
			const tone = toneOf(verdict);
			const found = one.candidates ?? [];
			return h(
				"article",
				{ class: `sg-requirement sg-${tone}` },
				h(
					"p",
					{ class: "sg-row" },
					h(
						"span",
						{ class: "sg-strong" },
						words.requirement(index + 1, all.length),
						" ",
						mono(one.type),
					),
					badge(tone, verdictWord(verdict)),
				),
				h("p", { class: "sg-message" }, one.message),
				h(
					"p",
					{ class: "sg-code" },
					[one.code, one.trustedRoot && words.trustedRoot(one.trustedRoot)]
						.filter(Boolean)
						.join(" · "),
				),
				found.length
					? h(
							"div",
							{ class: "sg-candidates" },
							...found.map((each) =>
								candidate(
									each,
									found.length <= 3 || each.outcome === "accepted",
								),
							),
						)
					: null,
			);
		}),
	);
}

/** @param {Candidate} found @param {boolean} open */
function candidate(found, open) {
	const tone = CANDIDATE_TONE[found.outcome] ?? "unknown";
	const steps = found.steps ?? [];
	const claims = found.claims ? claimList(found.claims) : null;
	return h(
		"details",
		{ class: `sg-candidate sg-${tone}`, open },
		h(
			"summary",
			{},
			h(
				"span",
				{ class: "sg-candidate-source" },
				found.source.replace(/[0-9a-f]{64,}/gu, short),
			),
			badge(tone, words.candidate[found.outcome] ?? found.outcome),
		),
		h(
			"div",
			{ class: "sg-candidate-body" },
			h("p", { class: "sg-message" }, found.message),
			h(
				"p",
				{ class: "sg-code" },
				[found.code, words.format[found.format] ?? found.format]
					.filter(Boolean)
					.join(" · "),
			),
			steps.length
				? h("ol", { class: "sg-chain" }, ...steps.map(step))
				: h("p", { class: "sg-empty" }, words.noSteps),
			claims,
			list([
				[words.details.source, mono(found.source)],
				[
					words.details.digest,
					found.digest ? copyable(found.digest) : undefined,
				],
			]),
		),
	);
}

/** @param {Step} one */
function step(one) {
	const waived = one.kind === "waived";
	const over = words.signatureOver[one.name];
	const tone = waived ? "skipped" : (STEP_TONE[one.outcome] ?? "unknown");
	const outcome = waived
		? words.step.waived
		: one.remembered
			? words.step.remembered
			: (words.step[one.outcome] ?? one.outcome);
	return h(
		"li",
		{ class: `sg-step sg-${tone}` },
		h("span", { class: "sg-node" }, icon(tone)),
		h(
			"details",
			{},
			h(
				"summary",
				{},
				h(
					"span",
					{ class: "sg-step-text" },
					over === undefined ? one.text : `${over}: ${one.text}`,
				),
				h("span", { class: "sg-outcome" }, outcome),
			),
			list([
				[words.details.name, mono(one.name)],
				[words.details.kind, words.stepKind[one.kind] ?? one.kind],
				[words.details.scheme, one.scheme ? mono(one.scheme) : undefined],
				[words.details.key, one.key ? copyable(one.key) : undefined],
			]),
		),
	);
}

/** @param {NonNullable<Candidate['claims']>} claims */
function claimList(claims) {
	const told = [
		[words.claims.digest, claims.digest && mono(claims.digest)],
		[words.claims.identity, claims.identity && foreign(claims.identity)],
		[
			words.claims.predicateType,
			claims.predicateType && mono(claims.predicateType),
		],
		...openpgpList(claims.openpgp),
		[words.claims.creator, claims.creator && foreign(claims.creator)],
		[
			words.claims.timestamp,
			claims.timestamp !== undefined ? when(claims.timestamp) : undefined,
		],
		...signerList(claims.signer),
		...(claims.logEntries ?? []).map((entry) => [
			words.claims.logEntry,
			logEntry(entry),
		]),
		...(claims.timestamps ?? []).map(({ time, authority }) => [
			words.claims.stamp,
			h("span", {}, when(time), " ", words.by(authority)),
		]),
	];
	return told.some(([, value]) => value)
		? h(
				"div",
				{ class: "sg-claims" },
				h("p", { class: "sg-hint" }, words.claimsTitle),
				list(told),
			)
		: null;
}

/** @param {NonNullable<Candidate['claims']>['signer']} signer */
function signerList(signer) {
	if (!signer) return [];
	return [
		[words.claims.subject, mono(signer.subject)],
		[words.claims.issuer, signer.issuer && mono(signer.issuer)],
		...Object.entries(signer.claims).map(([name, value]) => [
			name,
			mono(value),
		]),
		[
			words.claims.certificate,
			h(
				"span",
				{},
				h("span", { class: "sg-line" }, words.by(signer.authority)),
				h(
					"span",
					{ class: "sg-line" },
					when(signer.notBefore),
					" – ",
					when(signer.notAfter),
				),
				copyable(signer.fingerprint),
			),
		],
	];
}

/** Who signed with GnuPG. The keyring vouches for the fingerprint; the name is what the key calls itself. @param {NonNullable<Candidate['claims']>['openpgp']} signer */
function openpgpList(signer) {
	if (!signer) return [];
	const { userId, key, subkey, algorithm, hash } = signer;
	const line = (/** @type {(string | Node | null)[]} */ ...parts) =>
		h("span", { class: "sg-line" }, ...parts);
	const until = (/** @type {number | undefined} */ end) =>
		end === undefined ? words.openpgp.noEnd : when(end);
	return [
		[
			words.claims.subject,
			h(
				"span",
				{},
				line(userId ? foreign(userId) : words.openpgp.noName),
				userId ? line(words.openpgp.ownName) : null,
			),
		],
		[words.openpgp.key, copyable(key)],
		[
			words.openpgp.signingKey,
			h(
				"span",
				{},
				line(subkey ? words.openpgp.subkey : words.openpgp.itself),
				subkey ? copyable(subkey) : null,
			),
		],
		[words.openpgp.algorithm, lines(algorithm, words.openpgp.over(hash))],
		[
			words.openpgp.keyValid,
			h(
				"span",
				{},
				line(when(signer.keyCreated), " – ", until(signer.keyExpires)),
				signer.keyExpired === undefined
					? null
					: line(
							badge("unproven", words.openpgp.expired),
							" ",
							words.openpgp.passedOver,
						),
			),
		],
		[
			words.openpgp.signed,
			h(
				"span",
				{},
				line(when(signer.signed)),
				signer.expires === undefined
					? null
					: line(words.openpgp.until, " ", when(signer.expires)),
			),
		],
	];
}

/** @param {NonNullable<NonNullable<Candidate['claims']>['logEntries']>[number]} entry */
function logEntry({ index, kind, logId, time, origin, treeSize }) {
	return h(
		"span",
		{},
		h("span", { class: "sg-line" }, words.logEntry(index, kind, short(logId))),
		time === undefined ? null : h("span", { class: "sg-line" }, when(time)),
		origin === undefined
			? null
			: h("span", { class: "sg-line" }, words.included(origin, treeSize ?? "")),
	);
}

/** @param {Report} report */
function instances(report) {
	const all = report.instances ?? [];
	if (!all.length) return null;
	return h(
		"section",
		{ class: "sg-section" },
		h("h2", { class: "sg-heading" }, words.instancesTitle),
		h("p", { class: "sg-hint" }, words.instancesLead),
		...all.map(instance),
	);
}

/** @param {Instance} one */
function instance(one) {
	const found = foundIn(one);
	const tone = toneOf(found);
	return h(
		"details",
		{ class: `sg-candidate sg-instance sg-${tone}` },
		h(
			"summary",
			{},
			h(
				"span",
				{ class: "sg-candidate-source" },
				one.platform ?? words.anyPlatform,
				" ",
				mono(shortDigest(one.digest) ?? ""),
			),
			badge(tone, verdictWord(found)),
		),
		h(
			"div",
			{ class: "sg-candidate-body" },
			h("p", { class: "sg-message" }, one.message),
			h("p", { class: "sg-code" }, one.code),
			list([[words.details.digest, copyable(one.digest)]]),
			one.requirements?.length ? requirements(one.requirements) : null,
		),
	);
}

/** @param {Report} report */
function notes(report) {
	if (!report.notes?.length) return null;
	return h(
		"section",
		{ class: "sg-section" },
		h("h2", { class: "sg-heading" }, words.notesTitle),
		h(
			"ul",
			{ class: "sg-notes" },
			...report.notes.map((note) =>
				h(
					"li",
					{},
					note.message,
					" ",
					h("span", { class: "sg-code" }, note.code),
				),
			),
		),
	);
}

/** Where a good signature names another image: a question to answer, and so folded; never the next step. @param {Report} report */
function question({ mirrorQuestion }) {
	if (!mirrorQuestion) return null;
	const { question: asked, signedIdentity } = mirrorQuestion;
	return h(
		"details",
		{ class: "sg-fold sg-question" },
		h("summary", {}, words.questionTitle),
		h("p", { class: "sg-message" }, asked),
		signedIdentity
			? [
					h("p", { class: "sg-message" }, words.questionIdentity),
					block(signedIdentity, words.questionIdentity),
				]
			: null,
	);
}

/**
 * @param {Report} report
 * @param {Pull} asked
 */
function commands(report, asked) {
	const kind = kindOf(report, true);
	// By another policy than the gateway's own nothing is known of what a pull would do.
	const verdict =
		asked.own !== undefined
			? "own"
			: kind in words.pullTitle
				? /** @type {keyof typeof words.pullTitle} */ (kind)
				: foundIn(report);
	return h(
		"section",
		{ class: "sg-section" },
		h("h2", { class: "sg-heading" }, words.commandsTitle),
		report.equivalent
			? [
					h("h3", { class: "sg-subheading" }, words.cosignTitle),
					block(report.equivalent, words.cosignTitle),
				]
			: null,
		h("h3", { class: "sg-subheading" }, words.pullTitle[verdict]),
		h("p", { class: "sg-hint" }, words.pullLead[verdict]),
		...pullCommands(asked).map((command) => block(command, command)),
		// A link to what another policy says would say something else to whoever opens it.
		asked.own !== undefined
			? h("p", { class: "sg-hint" }, words.noPermalink)
			: [
					h("h3", { class: "sg-subheading" }, words.permalink),
					block(asked.link, words.permalink),
				],
	);
}

/** @param {Pull} asked */
function pullCommands({ reference, secure, loopback }) {
	const plain = secure ? "" : " --tls-verify=false";
	return [
		`podman pull${plain} ${reference}`,
		// docker speaks http to loopback hosts by itself, and to no other without its daemon's configuration.
		secure || loopback ? `docker pull ${reference}` : "",
		`skopeo inspect${plain} docker://${reference}`,
		`crane pull${secure || loopback ? "" : " --insecure"} ${reference} image.tar`,
	].filter(Boolean);
}

/** @param {(string | Node | null | undefined)[][]} rows */
function list(rows) {
	return h(
		"dl",
		{ class: "sg-facts" },
		...rows
			.filter(([, value]) => value)
			.map(([name, value]) =>
				h("div", { class: "sg-fact" }, h("dt", {}, name), h("dd", {}, value)),
			),
	);
}

/** @param {Tone} tone @param {string} word */
const badge = (tone, word) =>
	h("span", { class: `sg-badge sg-${tone}` }, icon(tone), word);
/** @param {string} text */
const mono = (text) => h("span", { class: "sg-mono" }, text);
/** @param {...(string | undefined)} texts */
function lines(...texts) {
	const said = texts
		.filter(Boolean)
		.map((text) => h("span", { class: "sg-line" }, text));
	return said.length ? h("span", {}, ...said) : undefined;
}
/** @param {string | undefined} digest */
function shortDigest(digest) {
	if (!digest) return undefined;
	const [algorithm = "", hex = ""] = digest.split(":");
	return `${algorithm}:${short(hex)}`;
}
/** @param {number} seconds unix time, from a report */
function when(seconds) {
	const time = new Date(seconds * 1000);
	if (Number.isNaN(time.getTime())) return mono(String(seconds));
	return h(
		"time",
		{ datetime: time.toISOString() },
		time.toLocaleString(words.language, {
			dateStyle: "long",
			timeStyle: "medium",
		}),
	);
}

/** @param {string} reference */
const hostOf = (reference) => reference.split("/", 1)[0];
