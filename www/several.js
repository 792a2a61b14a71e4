// @ts-check
// Several references at once: each is judged on its own, and the worst stands first.

import { h, icon } from "./dom.js";
import { card } from "./view.js";
import { words } from "./words.js";

/** @typedef {import('./lookup.js').Outcome} Outcome */
/** @typedef {import('./view.js').Tone} Tone */
/** @typedef {{ tone: Tone, word: string, reason: string, head: Node, body: () => Node[] }} Shown one result, ready to be put into the page */
/**
 * @typedef {object} How
 * @property {(reference: string) => Promise<Outcome>} look
 * @property {(reference: string, outcome: Outcome) => Shown} shown
 * @property {(text: string) => void} progress
 * @property {() => boolean} goesOn whether anybody still waits for the answer
 */

/** Looked at for one question, and of these at a time. */
const MOST = 20;
const AT_ONCE = 4;
/** The worst first. What could not be judged counts as no verdict, whatever the reason. */
const ORDER = /** @type {const} */ (["bad", "unknown", "unproven", "good"]);

/**
 * @param {string[]} references
 * @param {How} how
 * @returns {Promise<{ card: Node, body: Node[], word: string } | undefined>} undefined when nobody waits any more
 */
export async function showList(references, how) {
	const looked = references.slice(0, MOST);
	const leftOut = references.slice(MOST);
	/** @type {(Shown & { reference: string })[]} */
	const all = [];
	const waiting = [...looked];
	how.progress(words.workingSeveral(0, looked.length));
	const work = async () => {
		for (
			let reference = waiting.shift();
			reference !== undefined && how.goesOn();
			reference = waiting.shift()
		) {
			all.push({ reference, ...(await one(reference, how)) });
			how.progress(words.workingSeveral(all.length, looked.length));
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
	if (!how.goesOn()) return undefined;
	all.sort(
		(a, b) =>
			rank(a) - rank(b) ||
			looked.indexOf(a.reference) - looked.indexOf(b.reference),
	);
	return list(all, leftOut);
}

/** What goes wrong with one is said of that one, and takes nothing from the others. @param {string} reference @param {How} how @returns {Promise<Shown>} */
async function one(reference, how) {
	try {
		return how.shown(reference, await how.look(reference));
	} catch (error) {
		return how.shown(reference, {
			problem: { ...words.problem.other, detail: String(error) },
		});
	}
}

/** @param {{ tone: Tone }} shown */
const kind = ({ tone }) => ORDER.find((known) => known === tone) ?? "unknown";
/** @param {{ tone: Tone }} shown */
const rank = (shown) => ORDER.indexOf(kind(shown));

/** @param {(Shown & { reference: string })[]} all @param {string[]} leftOut */
function list(all, leftOut) {
	const tally = { bad: 0, unknown: 0, unproven: 0, good: 0 };
	for (const shown of all) tally[kind(shown)] += 1;
	// What was left out has no verdict either.
	tally.unknown += leftOut.length;
	const count = all.length + leftOut.length;
	const worst = ORDER.find((known) => tally[known] > 0) ?? "unknown";
	const word = words.several.word(worst, tally[worst], count);
	const rest = leftOut.length
		? h(
				"details",
				{ class: "sg-left-out" },
				h("summary", {}, words.several.leftOut(MOST, leftOut.length)),
				h(
					"ul",
					{},
					...leftOut.map((reference) =>
						h("li", { class: "sg-mono" }, reference),
					),
				),
			)
		: null;
	return {
		word,
		card: card(
			worst,
			word,
			words.several.count(count),
			words.several.tally(tally),
			rest,
		),
		body: [
			h(
				"section",
				{ class: "sg-section" },
				h("h2", { class: "sg-heading" }, words.several.title),
				h("p", { class: "sg-hint" }, words.several.lead),
				...all.map(row),
			),
		],
	};
}

/** @param {Shown & { reference: string }} shown */
function row({ reference, tone, word, reason, head, body }) {
	const inside = h("div", { class: "sg-judged-body" });
	const element = h(
		"details",
		{ class: `sg-judged sg-${tone}` },
		h(
			"summary",
			{},
			h(
				"span",
				{ class: "sg-judged-text" },
				h("span", { class: "sg-line sg-mono sg-strong" }, reference),
				h("span", { class: "sg-line" }, reason),
			),
			h("span", { class: `sg-badge sg-${tone}` }, icon(tone), word),
		),
		inside,
	);
	element.addEventListener("toggle", () => {
		if (!element.open || inside.hasChildNodes()) return;
		inside.append(head, ...body());
	});
	return element;
}
