// @ts-check
// What the element loads once it is near the viewport: the verifier, and what it takes to ask it. The gateway brings the
// evidence, the page or the gateway the rules; what they come to is decided in the module alone.

import * as glue from "/sealgate/sealgate.js";
import { createApi } from "/sealgate/api.js";
import { loadError } from "/sealgate/error.js";
import { readBounded } from "/sealgate/fetch.js";
import { loader } from "/sealgate/loader.js";
import {
	codeOf,
	evidencePath,
	isElsewhere,
	readEvidence,
	registryError,
} from "../www/evidence.js";
import { plain } from "../www/foreign.js";
import { MODULES } from "./pins.js";

/** @typedef {import('./words.js').Problem} Problem */
/** @typedef {import('/sealgate/browser.js').Report} Report */
/** @typedef {import('/sealgate/browser.js').Reference} Reference */
/** @typedef {{ reference: string, via: URL, key: string | null, policy: string | null, page: string }} Asked `key` and `policy`: the text itself, or an address; `page`: what that is relative to */
/** @typedef {'gateway' | 'key' | 'policy'} Basis whose rules it was judged by */
/** @typedef {{ report: Report, basis: Basis } | { problem: Problem, code: string, message: string }} Outcome */

/** Milliseconds. */
const PATIENCE = 30_000;
/** For as long as this, images that stand on a page twice are asked for once; milliseconds. */
const FRESH = 60_000;
/** Bytes of a key or a policy, as the verifier has it. */
const LARGEST = 1024 * 1024;
/** Bytes of evidence, as the verifier has it: no more of it is read. */
const LARGEST_EVIDENCE = 64 * 1024 * 1024;

/** Without cookies and stored passwords: the element shows what anybody may read. @type {RequestInit} */
const ANONYMOUS = { credentials: "omit", referrerPolicy: "no-referrer" };

/** @type {Promise<ReturnType<typeof createApi>> | undefined} */
let starting;
/** @type {Map<string, Promise<{ status: number, bytes: Uint8Array }>>} */
const asked = new Map();

/** What stands in the way of a verdict. */
class Stop extends Error {
	/** @param {Problem} problem @param {string} code @param {string} message */
	constructor(problem, code, message) {
		super(message);
		this.outcome = { problem, code, message };
	}
}

/** @param {Asked} question @returns {Promise<Outcome>} */
export async function check(question) {
	try {
		return await judge(await start(), question);
	} catch (error) {
		if (error instanceof Stop) return error.outcome;
		const code = codeOf(error) ?? "internal";
		return { problem: problemOf(code), code, message: messageOf(error) };
	}
}

/** @param {ReturnType<typeof createApi>} sealgate @param {Asked} question @returns {Promise<Outcome>} */
async function judge(sealgate, question) {
	const { reference, via } = question;
	const parsed = sealgate.parseReference(reference);
	const base = via.href.replace(/\/+$/u, "");
	const isRelay = base.endsWith("/relay");
	const isOwn = !isRelay && parsed.domain === via.host;
	const answer = await evidenceOf(parsed, base, isRelay);
	if (answer.status !== 200) throw refused(answer);
	const { name, published } = read(answer.bytes);
	// A gateway has a name of its own for what it fronts; of any other name it must be the very image that was asked for.
	if (!isOwn && !isSame(sealgate.parseReference(name), parsed))
		throw new Stop(
			"otherImage",
			"element.other-image",
			`expected evidence on ${parsed.domain}/${parsed.path}, found some on ${name}: write the reference as the gateway's policy names the image, or with the gateway's own host`,
		);
	const given = await rulesOf(question, sealgate);
	// A relay has none: the image is not behind it.
	const own = isRelay ? undefined : published;
	const rules = given ?? (own && { basis: "gateway", options: own });
	if (!rules)
		throw new Stop(
			"noRules",
			"element.no-rules",
			"expected a policy in the gateway's evidence, or `key` or `policy` on the element, found none: give the element one of them",
		);
	const report = await sealgate.verifyImage(reference, {
		evidence: answer.bytes,
		...rules.options,
		// Rules of the page's speak about the name that the page wrote; the gateway's, about the gateway's.
		...(rules.basis === "gateway" && { as: name }),
	});
	return { report, basis: rules.basis };
}

/** Loaded once, for all elements of the page; after a failure it is tried again. */
function start() {
	starting ??= load().catch((error) => {
		starting = undefined;
		throw error;
	});
	return starting;
}

async function load() {
	const { href } = address("sealgate_bg.wasm");
	try {
		await glue.default({ module_or_path: pinned("sealgate_bg.wasm") });
	} catch (error) {
		throw loadError(error, href);
	}
	return createApi(/** @type {any} */ (glue), {
		more: loader(
			() => import("/sealgate/sealgate_full.js"),
			address("sealgate_full_bg.wasm"),
			() => pinned("sealgate_full_bg.wasm"),
		),
		arithmetic: loader(
			() => import("/sealgate/sealgate_arithmetic.js"),
			address("sealgate_arithmetic_bg.wasm"),
			() => pinned("sealgate_arithmetic_bg.wasm"),
		),
		requestInit: { ...ANONYMOUS, redirect: "manual" },
		// Everything that is judged is in the evidence.
		fetch: () => Promise.reject(new Error("the element asks no registry")),
	});
}

/** @param {string} name */
const address = (name) => new URL(`./${name}`, import.meta.url);

/** The browser checks the hash before anything sees the bytes. @param {string} name */
function pinned(name) {
	const integrity = MODULES[name];
	if (!integrity) throw new Error(`${name} has no hash in this build`);
	const url = address(name);
	url.searchParams.set("v", integrity);
	return fetch(url, { ...ANONYMOUS, integrity });
}

/** @param {Reference} reference @param {string} base @param {boolean} isRelay */
function evidenceOf(reference, base, isRelay) {
	const under = isRelay
		? `${base}/${encodeURIComponent(reference.domain)}`
		: `${base}/api/evidence`;
	const url = evidencePath(reference.path, refOf(reference), under);
	const known = asked.get(url);
	if (known) return known;
	const answer = ask(url);
	asked.set(url, answer);
	const forget = () => asked.delete(url);
	answer.then(() => setTimeout(forget, FRESH), forget);
	return answer;
}

/** @param {string} url */
async function ask(url) {
	const { status, bytes } = await answerOf(url);
	if (bytes) return { status, bytes };
	throw new Stop(
		"malformed",
		"element.malformed",
		`expected at most ${LARGEST_EVIDENCE} bytes of ${url}, found more`,
	);
}

/** @param {string} url */
async function answerOf(url) {
	try {
		const answer = await fetch(url, {
			...ANONYMOUS,
			headers: { accept: "application/json" },
			signal: AbortSignal.timeout(PATIENCE),
		});
		return {
			status: answer.status,
			bytes: await readBounded(answer.body, LARGEST_EVIDENCE),
		};
	} catch (error) {
		throw new Stop(
			"unreachable",
			"element.unreachable",
			`expected an answer of ${url}, found none that this page may read (${messageOf(error)}): the gateway has to name this website in CORS_ORIGINS, and this page the gateway in connect-src`,
		);
	}
}

/** @param {{ status: number, bytes: Uint8Array }} answer */
function refused({ status, bytes }) {
	const { code = "", message = "" } = registryError(bytes);
	const said = [code && ` (${plain(code)})`, message && `: ${plain(message)}`];
	const problem =
		status === 401 || status === 404
			? "absent"
			: status === 429 || status >= 500
				? "busy"
				: "status";
	return new Stop(
		problem,
		"element.status",
		`expected evidence, found HTTP ${status}${said.join("")}`,
	);
}

/** @param {Uint8Array} bytes */
function read(bytes) {
	try {
		return readEvidence(bytes);
	} catch (error) {
		throw new Stop("malformed", "element.malformed", messageOf(error));
	}
}

/** @param {Reference} one @param {Reference} other */
const isSame = (one, other) =>
	one.domain === other.domain &&
	one.path === other.path &&
	refOf(one) === refOf(other);

/** @param {Reference} reference */
const refOf = ({ tag, digest }) => digest ?? tag ?? "latest";

/**
 * What the page gives, if it gives anything. Both at once the verifier refuses.
 * @param {Asked} question
 * @param {ReturnType<typeof createApi>} sealgate
 * @returns {Promise<{ basis: Basis, options: Record<string, any> } | undefined>}
 */
async function rulesOf({ key, policy, page }, sealgate) {
	if (key === null && policy === null) return undefined;
	/** @type {Record<string, any>} */
	const options = {};
	if (key !== null)
		options.key = (await fileOf(key, /^\s*-----BEGIN /u, page)).bytes;
	if (policy !== null) {
		const { bytes, base } = await fileOf(policy, /^\s*\{/u, page);
		options.policy = bytes;
		const paths = await sealgate.policyAssets(bytes);
		options.assets = Object.fromEntries(
			await Promise.all(
				paths.map(async (path) => [
					path,
					await fileAt(new URL(path, base), page),
				]),
			),
		);
	}
	return { basis: policy === null ? "key" : "policy", options };
}

/** @param {string} given @param {RegExp} isText @param {string} page */
async function fileOf(given, isText, page) {
	if (isText.test(given))
		return { bytes: new TextEncoder().encode(given), base: page };
	if (!URL.canParse(given, page)) throw unread(given, "it is no address");
	const url = new URL(given, page);
	return { bytes: await fileAt(url, page), base: url.href };
}

/** Of the page's own origin: what chooses the rules is part of the page. @param {URL} url @param {string} page */
async function fileAt(url, page) {
	if (url.origin !== new URL(page).origin)
		throw unread(url.href, "it is of another origin than the page");
	/** @type {Response} */
	let answer;
	try {
		answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
	} catch (error) {
		throw unread(url.href, messageOf(error));
	}
	if (new URL(answer.url).origin !== url.origin)
		throw unread(url.href, "it leads to another origin than the page's");
	if (!answer.ok) throw unread(url.href, `HTTP ${answer.status}`);
	const bytes = await readBounded(answer.body, LARGEST);
	if (!bytes) throw unread(url.href, `it is larger than ${LARGEST} bytes`);
	return bytes;
}

/** @param {string} what @param {string} why */
const unread = (what, why) =>
	new Stop(
		"file",
		"element.file",
		`expected a key or policy at ${what}, found none (${why}): give the text itself, or the address of a file beside this page`,
	);

/** @param {string} code @returns {Problem} */
function problemOf(code) {
	if (code.startsWith("reference.")) return "reference";
	if (code.startsWith("evidence")) return "malformed";
	if (code === "argument") return "attributes";
	if (code === "host.wasm-forbidden") return "forbidden";
	if (code === "host.wasm-unloadable") return "module";
	return isElsewhere(code) ? "other" : "rules";
}

/** @param {unknown} error */
const messageOf = (error) =>
	error instanceof Error ? error.message : String(error);
