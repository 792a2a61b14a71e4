// @ts-check
// One look-up: a reference → the gateway's evidence → the verifier in this page → a report, or the problem that stood in the way.

import {
	codeOf,
	evidencePath,
	isElsewhere,
	readEvidence,
	registryError,
} from "./evidence.js";
import { ownPolicy } from "./policy.js";
import { words } from "./words.js";

/** @typedef {import('/sealgate/browser.js').Report} Report */
/**
 * @typedef {object} Problem
 * @property {'info' | 'unknown'} [tone] `info`: there was nothing to judge; `unknown` (the default): there was, and no verdict came of it
 * @property {string} title
 * @property {string} text
 * @property {string} [detail] what the gateway or the verifier said
 * @property {string} [code]
 * @property {string} [instead] a reference that may be what was meant
 * @property {string} [command]
 * @property {string} [commandTitle]
 * @property {string} [commandHint]
 * @property {boolean} [again] whether trying again makes sense
 */
/** @typedef {import('./policy.js').OwnPolicy} OwnPolicy */
/** @typedef {{ report: Report, pull: string, own?: string } | { problem: Problem }} Outcome `pull`: the image as a client here names it; `own`: the visitor's policy, where it was judged by that */

/** Loading begins with the page, not with the first look-up. */
export const loading = import("/sealgate/browser.js");
loading.catch(() => {
	/* said at the look-up that needs it */
});

/**
 * @param {string} text
 * @param {Location | URL} page
 * @returns {Promise<Outcome>}
 */
export async function lookUp(text, page) {
	let sealgate;
	try {
		sealgate = await loading;
	} catch (error) {
		return { problem: { ...words.problem.module, ...said(error) } };
	}
	let reference;
	try {
		reference = sealgate.parseReference(text);
	} catch (error) {
		return {
			problem: { tone: "info", ...words.problem.reference, ...said(error) },
		};
	}
	return judge(sealgate, text, reference, page);
}

/**
 * Which registry stands behind this gateway: known from any evidence answer.
 * @param {string} repository
 * @param {string} tag
 * @returns {Promise<string | undefined>}
 */
export async function gatewayName(repository, tag) {
	const answer = await fetch(evidencePath(repository, tag), {
		credentials: "omit",
	});
	if (!answer.ok) return undefined;
	const { name } = await answer.json();
	const tail = `/${repository}:${tag}`;
	return typeof name === "string" && name.endsWith(tail)
		? name.slice(0, -tail.length)
		: undefined;
}

/**
 * @param {typeof import('/sealgate/browser.js')} sealgate
 * @param {string} text
 * @param {import('/sealgate/browser.js').Reference} reference
 * @param {Location | URL} page
 * @returns {Promise<Outcome>}
 */
async function judge(sealgate, text, reference, page) {
	const { domain, path } = reference;
	// Of other registries a gateway may carry the evidence.
	const isForeign = domain !== page.host;
	const ref = reference.digest ?? reference.tag ?? "latest";
	const pull = `${domain}/${path}${reference.digest ? "@" : ":"}${ref}`;
	const at = isForeign
		? evidencePath(`${domain}/${path}`, ref, "/relay")
		: evidencePath(path, ref);
	let answer, bytes;
	try {
		// Without cookies and stored passwords: this page shows what anybody may read.
		answer = await fetch(at, {
			credentials: "omit",
			headers: { accept: "application/json" },
		});
		bytes = new Uint8Array(await answer.arrayBuffer());
	} catch (error) {
		return {
			problem: { ...words.problem.unreachable, ...said(error), again: true },
		};
	}
	if (!answer.ok)
		return {
			problem:
				isForeign && registryError(bytes).code === "NAME_UNKNOWN"
					? foreign(text, reference, page)
					: refused(answer.status, bytes, text),
		};
	let name, published;
	try {
		({ name, published } = readEvidence(bytes));
	} catch (error) {
		return {
			problem: { ...words.problem.malformed, ...said(error), again: true },
		};
	}
	const own = await ownPolicy(sealgate);
	if (own?.broken)
		return {
			problem: {
				title: words.problem.ownBroken.title,
				text: words.problem.ownBroken.text(own.name),
				detail: own.broken.message,
				code: own.broken.code,
			},
		};
	const basis = own ? { policy: own.policy, assets: own.assets } : published;
	if (!basis)
		return {
			problem: isForeign
				? {
						title: words.problem.relayed.title,
						text: words.problem.relayed.text(domain),
					}
				: words.problem.noPolicy,
		};
	try {
		const report = await sealgate.verifyImage(text, {
			evidence: bytes,
			...basis,
			// A gateway has a name of its own for what it fronts, and none for what is elsewhere.
			...(!isForeign && { as: name }),
		});
		return { report, pull, own: own?.name };
	} catch (error) {
		return {
			problem: {
				...(own ? thrownByOwn(error, own) : thrown(error)),
				...said(error),
			},
		};
	}
}

/**
 * @param {string} text
 * @param {{ domain: string, path: string, tag?: string, digest?: string }} reference
 * @param {Location | URL} page
 * @returns {Problem}
 */
function foreign(text, { domain, path, tag, digest }, page) {
	const { title, text: say, cli } = words.problem.foreign;
	return {
		tone: "info",
		title,
		text: say(domain, page.host),
		instead: `${page.host}/${path}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`,
		commandTitle: cli,
		command: `sealgate verify ${text} --key cosign.pub`,
		commandHint: words.installed,
	};
}

/** @param {number} status @param {Uint8Array} bytes @param {string} reference @returns {Problem} */
function refused(status, bytes, reference) {
	const { code, message } = registryError(bytes);
	return {
		tone: status === 401 || status === 404 ? "info" : "unknown",
		...(words.http[status] ?? words.httpOther),
		detail: message && `${words.gatewaySays} ${message}`,
		code: [`HTTP ${status}`, code].filter(Boolean).join(" · "),
		commandTitle: status === 401 ? words.signIn : undefined,
		command:
			status === 401
				? `sealgate verify ${reference} --key cosign.pub`
				: undefined,
		commandHint:
			status === 401 ? `${words.signInName} ${words.installed}` : undefined,
		again: status === 429 || status >= 500,
	};
}

/** @param {unknown} error */
function thrown(error) {
	const code = codeOf(error) ?? "";
	if (code.startsWith("reference.")) return words.problem.reference;
	if (code.startsWith("evidence")) return words.problem.malformed;
	return isElsewhere(code) ? words.problem.other : words.problem.policy;
}

/** Under the visitor's own policy it is not the gateway's operator who has to correct anything. @param {unknown} error @param {OwnPolicy} own */
function thrownByOwn(error, own) {
	const problem = thrown(error);
	if (problem !== words.problem.policy) return problem;
	const { title, file } = words.problem.ownBroken;
	const lacking = words.problem.ownMissing;
	const files = own.missing.filter(
		(path) => !own.ambiguous.includes(path.slice(path.lastIndexOf("/") + 1)),
	);
	if (codeOf(error) !== "key.missing" || !own.missing.length)
		return { title, text: file(own.name) };
	return {
		title: lacking.title,
		text: files.length ? lacking.text(files) : lacking.ambiguous(own.ambiguous),
	};
}

/** @param {unknown} error */
function said(error) {
	return {
		detail: error instanceof Error ? error.message : String(error),
		code: codeOf(error),
	};
}
