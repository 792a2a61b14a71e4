// @ts-check
// What the element says beside the words for verdicts, which are the page's (www/states.js).

import { de as deStates, en as enStates } from "../www/states.js";

/** @typedef {'module' | 'forbidden' | 'attributes' | 'reference' | 'unreachable' | 'absent' | 'busy' | 'status' | 'malformed' | 'otherImage' | 'noRules' | 'file' | 'rules' | 'other'} Problem why there is no verdict */

const en = {
	...enStates,
	language: "en",
	waiting: "Not checked yet",
	checking: "Checking …",
	summary: "Reason and evidence",
	signed: {
		identity: "Signed by",
		key: "Signed with the key",
		openpgp: "Signed with the OpenPGP key",
	},
	/** @param {number} count */
	more: (count) => `and ${count} more`,
	/** @param {string} host */
	byGateway: (host) =>
		`Judged in this browser, by the policy that ${host} gives`,
	byKey: "Judged in this browser, by the key that this page gives",
	/** Where it is judged by a key alone. @type {Partial<Record<string, string>>} */
	keyLine: {
		allow: "Signed by the key that this page gives.",
		deny: "No signature by the key that this page gives is good for this image.",
	},
	byPolicy: "Judged in this browser, by the policy that this page gives",
	nothingJudged: "Nothing was verified here",
	digest: "Digest",
	/** @param {string} who */
	toldBy: (who) => `said by ${who}`,
	/** @param {string} host */
	badge: (host) => `What ${host} says of it, by its own policy:`,
	/** @param {string} host */
	badgeText: (host) => `verdict of ${host}`,
	/** @type {Record<Problem, string>} */
	problem: {
		module:
			"The verifier could not be loaded, or is not the one that belongs to this element.",
		forbidden:
			"This page’s content security policy does not let WebAssembly run, so nothing can be verified here.",
		attributes: "The element is not written as it has to be.",
		reference: "This is not the name of an image.",
		unreachable:
			"The gateway cannot be reached from this page, or does not let this website read.",
		absent:
			"The gateway does not have this image, or does not show it to everybody.",
		busy: "The gateway cannot answer at the moment. Reload the page later.",
		status: "The gateway answered in a way that is not expected.",
		malformed: "What the gateway answered is no evidence.",
		otherImage: "The gateway answered about an image of another name.",
		noRules:
			"The gateway gives no policy, and this page gives neither a key nor a policy.",
		file: "The key or policy that this page names cannot be read.",
		rules: "By this key or policy nothing can be judged.",
		other: "The verifier stopped.",
	},
};

/** @typedef {typeof en} Words */

/** @type {Words} */
const de = {
	...deStates,
	language: "de",
	waiting: "Noch nicht geprüft",
	checking: "Wird geprüft …",
	summary: "Grund und Belege",
	signed: {
		identity: "Signiert von",
		key: "Signiert mit dem Schlüssel",
		openpgp: "Signiert mit dem OpenPGP-Schlüssel",
	},
	more: (count) => `und ${count} weitere`,
	byGateway: (host) =>
		`In diesem Browser beurteilt, nach der Policy, die ${host} nennt`,
	byKey:
		"In diesem Browser beurteilt, nach dem Schlüssel, den diese Seite nennt",
	keyLine: {
		allow: "Signiert mit dem Schlüssel, den diese Seite nennt.",
		deny: "Keine Signatur mit dem Schlüssel, den diese Seite nennt, gilt für dieses Image.",
	},
	byPolicy:
		"In diesem Browser beurteilt, nach der Policy, die diese Seite nennt",
	nothingJudged: "Hier wurde nichts verifiziert",
	digest: "Digest",
	toldBy: (who) => `genannt von ${who}`,
	badge: (host) => `Was ${host} nach der eigenen Policy dazu sagt:`,
	badgeText: (host) => `Urteil von ${host}`,
	problem: {
		module:
			"Der Verifizierer ließ sich nicht laden oder ist nicht der, der zu diesem Element gehört.",
		forbidden:
			"Die Content Security Policy dieser Seite lässt kein WebAssembly zu, also kann hier nichts verifiziert werden.",
		attributes: "Das Element ist nicht so geschrieben, wie es sein muss.",
		reference: "Das ist nicht der Name eines Images.",
		unreachable:
			"Das Gateway ist von dieser Seite aus nicht zu erreichen oder lässt diese Website nicht lesen.",
		absent: "Das Gateway hat dieses Image nicht oder zeigt es nicht jedem.",
		busy: "Das Gateway kann gerade nicht antworten. Laden Sie die Seite später neu.",
		status: "Das Gateway hat anders geantwortet als erwartet.",
		malformed: "Was das Gateway geantwortet hat, sind keine Belege.",
		otherImage: "Das Gateway hat zu einem Image mit anderem Namen geantwortet.",
		noRules:
			"Das Gateway nennt keine Policy, und diese Seite nennt weder Schlüssel noch Policy.",
		file: "Der Schlüssel oder die Policy, die diese Seite nennt, ist nicht lesbar.",
		rules:
			"Nach diesem Schlüssel oder dieser Policy lässt sich nichts beurteilen.",
		other: "Der Verifizierer ist stehen geblieben.",
	},
};

/** In the language of what stands around the element. @param {Element} element @returns {Words} */
export function wordsFor(element) {
	const language = element.closest("[lang]")?.getAttribute("lang") ?? "";
	return /^de\b/iu.test(language) ? de : en;
}
