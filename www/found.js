// @ts-check
// What a report comes to, in the terms that the page and the element for docs show. Nothing is decided here.

/** @typedef {import('/sealgate/browser.js').Report} Report */
/** @typedef {Report['requirements'][number]} Requirement */
/** @typedef {Requirement['candidates'][number]} Candidate */
/** @typedef {NonNullable<Report['instances']>[number]} Instance */
/** @typedef {Report['verdict']} Verdict */
/** @typedef {'good' | 'unproven' | 'bad' | 'unknown' | 'skipped' | 'info'} Tone */
/** Allowed, and allowed without being verified, are two things. @typedef {Verdict | 'unproven'} Found */
/** A verdict, and how far it reaches. @typedef {Found | 'anything' | 'pinned' | 'excepted' | 'audited'} Kind */
/** @typedef {{ by: 'identity' | 'openpgp' | 'key', name: string }} SignedBy a subject, or the whole fingerprint of a key */

/** @type {Record<Found, Tone>} */
const VERDICT_TONE = {
	allow: "good",
	unproven: "unproven",
	deny: "bad",
	unknown: "unknown",
};
/** What an unverified image was allowed by, by the codes that say so. @type {Record<string, Kind>} */
const ALLOWED_BY = {
	"exception.admitted": "excepted",
	"policy.accept-anything": "anything",
	"pinned.listed": "pinned",
};
/** Over the payload or the envelope; logs, authorities and clocks have keys of their own. */
const OWN_SIGNATURES = new Set([
	"signature.cosign-payload",
	"signature.dsse-envelope",
]);

/** Whether it was verified the report alone says; where it does not, it was not. @param {Report | Instance} judged @returns {Found} */
export const foundIn = ({ verdict, verified }) =>
	verdict === "allow" && verified !== true ? "unproven" : verdict;

/**
 * The gateway's audit is no matter of a policy that somebody else gave.
 * @param {Report} report
 * @param {boolean} ofGateway whether it was judged by the gateway's policy
 * @returns {Kind}
 */
export function kindOf(report, ofGateway) {
	const found = foundIn(report);
	if (found === "unproven") return ALLOWED_BY[report.code] ?? found;
	if (found === "allow" || !ofGateway) return found;
	return (report.notes ?? []).some((note) => note.code === "policy.audit")
		? "audited"
		: found;
}

/** @param {string} found @returns {Tone} */
export const toneOf = (found) =>
	VERDICT_TONE[/** @type {Found} */ (found)] ?? "unknown";

/** @param {Candidate} accepted @returns {SignedBy | undefined} */
export function signedBy({ claims, steps }) {
	if (claims?.signer) return { by: "identity", name: claims.signer.subject };
	if (claims?.openpgp) return { by: "openpgp", name: claims.openpgp.key };
	const key = steps.find((step) => OWN_SIGNATURES.has(step.name))?.key;
	return key === undefined ? undefined : { by: "key", name: key };
}

/** All evidence that was looked at, of the images in an index, too. @param {Report} report */
export const requirementsOf = (report) =>
	[report, ...(report.instances ?? [])].flatMap(
		(judged) => judged.requirements ?? [],
	);
