// @ts-check
// <sealgate-image reference via key policy>: the verdict on an image inside a page of documentation. This file draws; what
// judges is loaded when an element comes near the viewport, by the hash that the build wrote into it.
//
// It is a classic script: it needs to be neither module nor bundle, and says itself where it came from.

import { h, icon } from "../www/dom.js";
import { foreign, keyId, short } from "../www/foreign.js";
import {
	foundIn,
	kindOf,
	requirementsOf,
	signedBy,
	toneOf,
} from "../www/found.js";
import { wasmForbidden } from "/sealgate/error.js";
import { VERIFIER } from "./pins.js";
import style from "./style.css";
import { wordsFor } from "./words.js";

/** @typedef {import('./verifier.js').Outcome} Outcome */
/** @typedef {import('./verifier.js').Basis} Basis */
/** @typedef {import('./words.js').Words} Words */
/** @typedef {import('../www/found.js').Report} Report */
/** @typedef {import('../www/found.js').SignedBy} SignedBy */
/** @typedef {{ reference: string, via: URL, key: string | null, policy: string | null }} Wish */

const NAME = "sealgate-image";
/** `data-key`: frameworks keep `key` for themselves. */
const ATTRIBUTES = ["reference", "via", "key", "data-key", "policy"];
/** How near the viewport an element is looked at. */
const NEAR = "300px";
/** Signers that are named; of more, how many. */
const NAMED = 3;

const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
/** @type {Promise<typeof import('./verifier.js')> | undefined} */
let loading;
/** @type {CSSStyleSheet | undefined} */
let sheet;

const near = new IntersectionObserver(
	(entries) => {
		for (const { isIntersecting, target } of entries)
			if (isIntersecting && target instanceof SealgateImage) {
				near.unobserve(target);
				target.check();
			}
	},
	{ rootMargin: NEAR },
);

class SealgateImage extends HTMLElement {
	static observedAttributes = ATTRIBUTES;
	#internals = this.attachInternals();
	/** What the element shows may change while it is asked. */
	#turn = 0;
	/** Always there, so that what is put into it is announced. */
	#status = h("p", { role: "status", part: "status" });
	#more = h("div");
	#said = h("div", { class: "said" });
	#card = h("div", { class: "card", part: "card", role: "group" });

	constructor() {
		super();
		const root = this.attachShadow({ mode: "open" });
		if (!sheet) {
			sheet = new CSSStyleSheet();
			sheet.replaceSync(style);
		}
		root.adoptedStyleSheets = [sheet];
		this.#said.append(h("div", { class: "body" }, this.#status, this.#more));
		this.#card.append(this.#said, h("p", { part: "link" }, h("slot")));
		root.append(this.#card);
	}

	connectedCallback() {
		this.#begin();
	}

	disconnectedCallback() {
		this.#turn += 1;
		near.unobserve(this);
	}

	/** @param {string} _name @param {string | null} before @param {string | null} now */
	attributeChangedCallback(_name, before, now) {
		if (this.isConnected && before !== now) this.#begin();
	}

	/** Says that it has not been checked, and waits until somebody comes near. */
	#begin() {
		this.#turn += 1;
		near.unobserve(this);
		near.observe(this);
		const words = wordsFor(this);
		this.#show("skipped", words.waiting, null, []);
	}

	async check() {
		this.#turn += 1;
		const turn = this.#turn;
		const words = wordsFor(this);
		this.#show("skipped", words.checking, null, []);
		const wish = this.#wish();
		const outcome = "problem" in wish ? wish : await judged(wish);
		if (turn !== this.#turn) return;
		const via = "problem" in wish ? undefined : wish.via;
		if ("problem" in outcome) this.#showProblem(outcome, via, words);
		else this.#showReport(outcome, via, words);
	}

	/** @returns {Wish | Extract<Outcome, { problem: unknown }>} */
	#wish() {
		const reference = this.getAttribute("reference")?.trim() ?? "";
		const via = this.getAttribute("via")?.trim() ?? "";
		if (reference === "")
			return unwritten(
				"expected the name of an image in `reference`, found none",
			);
		if (via === "" || !/^https?:/u.test(addressOf(via)?.protocol ?? ""))
			return unwritten(
				`expected in \`via\` the address of a gateway, or that of its /relay, found ${via === "" ? "none" : via}`,
			);
		return {
			reference,
			via: /** @type {URL} */ (addressOf(via)),
			key: this.getAttribute("key") ?? this.getAttribute("data-key"),
			policy: this.getAttribute("policy"),
		};
	}

	/** @param {Extract<Outcome, { report: unknown }>} outcome @param {URL | undefined} via @param {Words} words */
	#showReport({ report, basis }, via, words) {
		const found = foundIn(report);
		const kind = kindOf(report, basis === "gateway");
		const signers = found === "allow" ? signersOf(report) : [];
		const { digest, toldBy } = report.image;
		this.#show(
			toneOf(found),
			words.verdict[found] ?? words.verdict.unknown,
			(basis === "key" ? words.keyLine[kind] : undefined) ??
				words.verdictLine[kind] ??
				words.verdictLine.unknown,
			[
				signers.length ? signersLine(signers, words) : null,
				h("p", { class: "soft", part: "basis" }, basisLine(basis, via, words)),
				this.#details(words, report, [
					digest
						? [
								words.digest,
								h("span", { class: "mono" }, digest),
								// Whoever told it to the element: under which name is the gateway's matter.
								toldBy && via ? ` (${words.toldBy(via.host)})` : null,
							]
						: [],
					...signers.map(({ by, name }) => [words.signed[by], foreign(name)]),
				]),
			],
		);
		this.#tell("sealgate-verdict", {
			reference: report.image.reference,
			verdict: report.verdict,
			verified: report.verified === true,
			code: report.code,
			basis,
			signers: signers.map(({ by, name }) => ({ by, name })),
			report,
		});
	}

	/** @param {Extract<Outcome, { problem: unknown }>} outcome @param {URL | undefined} via @param {Words} words */
	#showProblem({ problem, code, message }, via, words) {
		this.#show(
			"unknown",
			words.verdict.unknown,
			words.problem[problem] ?? words.problem.other,
			[
				problem === "forbidden" && via
					? badge(this.getAttribute("reference") ?? "", via, words)
					: h("p", { class: "soft", part: "basis" }, words.nothingJudged),
				this.#details(words, { code, message }, []),
			],
		);
		this.#tell("sealgate-error", { code, message });
	}

	/** @param {string} tone @param {string} state @param {string | null} reason @param {(Node | null)[]} more */
	#show(tone, state, reason, more) {
		const reference = this.getAttribute("reference")?.trim() ?? "";
		const name = foreign(reference);
		name.setAttribute("part", "reference");
		this.#card.className = `card ${tone}`;
		this.#card.setAttribute("aria-label", `sealgate: ${name.textContent}`);
		const drawn = icon(/** @type {any} */ (tone));
		drawn.setAttribute("part", "icon");
		if (this.#said.firstChild instanceof SVGElement)
			this.#said.firstChild.remove();
		this.#said.prepend(drawn);
		this.#status.replaceChildren(
			h("span", { class: "state", part: "state" }, state),
			reference ? " · " : "",
			reference ? name : "",
			reason ? h("span", { part: "reason" }, ` · ${reason}`) : "",
		);
		this.#more.replaceChildren(...more.filter((part) => part !== null));
		this.#internals.states.delete("open");
	}

	/** @param {Words} words @param {{ code: string, message: string }} said @param {(string | Node | null)[][]} facts */
	#details(words, { code, message }, facts) {
		const details = h(
			"details",
			{ part: "details" },
			h("summary", {}, words.summary),
			// The verifier speaks English.
			h("p", { lang: "en" }, message),
			h("p", { class: "soft mono", lang: "en" }, code),
			h(
				"dl",
				{},
				...facts
					.filter(([name]) => name)
					.map(([name, ...value]) =>
						h("div", {}, h("dt", {}, name), h("dd", {}, value)),
					),
			),
		);
		details.addEventListener("toggle", () => {
			if (details.open) this.#internals.states.add("open");
			else this.#internals.states.delete("open");
		});
		return details;
	}

	/** @param {string} name @param {object} detail */
	#tell(name, detail) {
		this.dispatchEvent(
			new CustomEvent(name, { detail, bubbles: true, composed: true }),
		);
	}
}

/** @param {Wish} wish @returns {Promise<Outcome>} */
async function judged(wish) {
	const forbidden = wasmForbidden();
	if (forbidden)
		return {
			problem: "forbidden",
			code: forbidden.code,
			message: forbidden.message,
		};
	try {
		const { check } = await verifier();
		return await check({ ...wish, page: document.baseURI });
	} catch (error) {
		return {
			problem: "module",
			code: "element.unloadable",
			message: error instanceof Error ? error.message : String(error),
		};
	}
}

/** One for all elements of the page; after a failure it is tried again. */
function verifier() {
	loading ??= load().catch((error) => {
		loading = undefined;
		throw error;
	});
	return loading;
}

/** A script's hash is checked by every browser, an import's by none: so it comes as a script, and is then imported by its address. */
async function load() {
	const url = new URL("./element-verifier.js", script?.src || document.baseURI);
	url.searchParams.set("v", VERIFIER);
	const { href } = url;
	const element = document.createElement("script");
	element.type = "module";
	element.integrity = VERIFIER;
	element.crossOrigin = "anonymous";
	element.referrerPolicy = "no-referrer";
	if (script?.nonce) element.nonce = script.nonce;
	element.src = href;
	await new Promise((done, fail) => {
		element.addEventListener("load", done);
		element.addEventListener("error", () =>
			fail(
				new Error(
					`expected at ${href} the file that belongs to this element, found none, or another one: put the files of one version beside each other, and allow their origin in script-src`,
				),
			),
		);
		document.head.append(element);
	});
	element.remove();
	return import(href);
}

/** Whose signatures were accepted, each once. @param {Report} report @returns {SignedBy[]} */
function signersOf(report) {
	/** @type {Map<string, SignedBy>} */
	const found = new Map();
	for (const { candidates = [] } of requirementsOf(report))
		for (const candidate of candidates) {
			const signed =
				candidate.outcome === "accepted" ? signedBy(candidate) : undefined;
			if (signed) found.set(`${signed.by} ${signed.name}`, signed);
		}
	return [...found.values()];
}

/** @param {SignedBy[]} signers @param {Words} words */
function signersLine(signers, words) {
	const named = signers.slice(0, NAMED).flatMap(({ by, name }, at) => {
		const shown =
			by === "identity"
				? foreign(name)
				: h(
						"span",
						{ class: "mono" },
						by === "openpgp" ? keyId(name) : short(name),
					);
		return [at ? ", " : "", `${words.signed[by]} `, shown];
	});
	const others = signers.length - NAMED;
	return h(
		"p",
		{ part: "signer" },
		...named,
		others > 0 ? ` ${words.more(others)}` : null,
	);
}

/** @param {Basis} basis @param {URL | undefined} via @param {Words} words */
function basisLine(basis, via, words) {
	if (basis === "key") return words.byKey;
	return basis === "policy" ? words.byPolicy : words.byGateway(via?.host ?? "");
}

/** What the gateway itself decided, where nothing can be decided here: a picture without a word of this page's. @param {string} reference @param {URL} via @param {Words} words */
function badge(reference, via, words) {
	const base = via.href.replace(/\/+$/u, "");
	// A relay decides nothing.
	const path = reference.trim().replace(/^[^/]*[.:][^/]*\//u, "");
	if (base.endsWith("/relay") || path === reference.trim()) return null;
	const named = /[:@][^/]*$/u.test(path) ? path : `${path}:latest`;
	const parts = named.split("/").map(encodeURIComponent).join("/");
	const address = parts.replace(/%(3A|40)/gu, (code) =>
		decodeURIComponent(code),
	);
	return h(
		"p",
		{ part: "badge" },
		h("span", { class: "soft" }, words.badge(via.host)),
		h(
			"a",
			{ href: `${base}/#${via.host}/${address}` },
			h("img", {
				src: `${base}/badge/${address}.svg`,
				alt: words.badgeText(via.host),
				referrerpolicy: "no-referrer",
				height: "20",
			}),
		),
	);
}

/** @param {string} message @returns {Extract<Outcome, { problem: unknown }>} */
const unwritten = (message) => ({
	problem: "attributes",
	code: "element.attribute",
	message,
});

/** @param {string} text */
const addressOf = (text) =>
	URL.canParse(text, document.baseURI)
		? new URL(text, document.baseURI)
		: undefined;

if (!customElements.get(NAME)) customElements.define(NAME, SealgateImage);
