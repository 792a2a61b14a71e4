// @ts-check
// The page: one field, one result, or a list of them. The fragment is the only state, but for a policy that was dropped, so that
// results have links, and back and forward work.

import { byId, h } from "./dom.js";
import { block } from "./copy.js";
import { gatewayName, loading, lookUp } from "./lookup.js";
import { forgetPolicy, ownPolicy, takeFiles } from "./policy.js";
import { showList } from "./several.js";
import { findReferences, readFragment, writeFragment } from "./text.js";
import {
	card,
	policyCard,
	reportBody,
	verdictCard,
	verdictOf,
} from "./view.js";
import { words } from "./words.js";

/** @typedef {import('./lookup.js').Problem} Problem */
/** @typedef {import('./lookup.js').Outcome} Outcome */

const field = /** @type {HTMLInputElement} */ (byId("reference"));
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u;
/** Answers may come out of order; only the last question counts. */
let asked = 0;
/** @type {Promise<Node[] | undefined> | undefined} */
let examplesOnce;

fillWords();
byId("form").addEventListener("submit", (event) => {
	event.preventDefault();
	open(field.value);
});
byId("home").addEventListener("click", goHome);
byId("skip").addEventListener("click", (event) => {
	event.preventDefault(); // the fragment names an image, never a place in the page
	byId("result").focus();
});
addEventListener("hashchange", show);
takeDrops();
takePastes();
show();

/** @param {string} text what somebody typed, pasted or dropped */
function open(text) {
	const references = findReferences(text, location);
	if (!references.length) return field.focus();
	const fragment = writeFragment(...references);
	if (location.hash === fragment) return void show();
	location.hash = fragment;
}

async function show() {
	const turn = ++asked;
	const references = readFragment(location.hash.slice(1));
	const [reference = ""] = references;
	field.value = references.join(" ");
	document.body.dataset.view = reference ? "result" : "start";
	byId("examples").hidden = true;
	if (!reference) return start(turn);
	if (references.length > 1) return showSeveral(references, turn);
	working(words.working(reference));
	const outcome = await lookUp(reference, location);
	if (turn !== asked) return;
	try {
		fill(reference, outcome);
	} catch (error) {
		// A report that cannot be shown whole is not shown in part.
		byId("evidence").replaceChildren();
		fill(reference, unshown(error));
	}
}

/** @param {string[]} references @param {number} turn */
async function showSeveral(references, turn) {
	const list = await showList(references, {
		look: (reference) => lookUp(reference, location),
		shown: (reference, outcome) => shown(reference, outcome),
		progress: (text) => {
			if (turn === asked) working(text);
		},
		goesOn: () => turn === asked,
	});
	if (turn !== asked || !list) return;
	byId("verdict").replaceChildren(list.card);
	byId("evidence").replaceChildren(...list.body);
	document.title = words.pageTitle(
		list.word,
		words.several.count(references.length),
	);
	byId("result").removeAttribute("aria-busy");
}

/** @param {number} turn */
async function start(turn) {
	document.title = words.title;
	byId("verdict").replaceChildren();
	byId("evidence").replaceChildren();
	byId("result").removeAttribute("aria-busy");
	const list = await examples();
	if (turn !== asked || !list) return;
	byId("examples").replaceChildren(...list);
	byId("examples").hidden = false;
}

/** @param {string} text */
function working(text) {
	byId("result").setAttribute("aria-busy", "true");
	byId("evidence").replaceChildren();
	byId("verdict").replaceChildren(h("p", { class: "sg-working" }, text));
}

/** @param {string} reference @param {Outcome} outcome */
function fill(reference, outcome) {
	const { head, body, word } = shown(reference, outcome);
	byId("verdict").replaceChildren(head);
	byId("evidence").replaceChildren(...body());
	document.title = words.pageTitle(word, reference);
	byId("result").removeAttribute("aria-busy");
}

/**
 * @param {string} reference
 * @param {Outcome} outcome
 * @returns {import('./several.js').Shown}
 */
function shown(reference, outcome) {
	if ("problem" in outcome) {
		const { tone = "unknown", title, text } = outcome.problem;
		return {
			tone,
			word: title,
			reason: text,
			head: problemCard(reference, outcome.problem),
			body: () => [],
		};
	}
	const { report, pull, own } = outcome;
	const secure = location.protocol === "https:";
	const link = `${location.origin}/${writeFragment(reference)}`;
	return {
		...verdictOf(report),
		reason: report.message,
		head: verdictCard(report, own),
		body: () =>
			reportBody(report, {
				own,
				reference: pull,
				link,
				secure,
				loopback: LOOPBACK.test(location.hostname),
			}),
	};
}

/** @param {unknown} error @returns {Outcome} */
function unshown(error) {
	return { problem: { ...words.problem.other, detail: String(error) } };
}

/** @param {string} reference @param {Problem} problem */
function problemCard(reference, problem) {
	const more = [
		problem.instead
			? h("p", { class: "sg-message" }, ...sentenceWithLink(problem.instead))
			: null,
		problem.commandTitle
			? h("p", { class: "sg-message" }, problem.commandTitle)
			: null,
		problem.command ? block(problem.command, problem.command) : null,
		problem.commandHint
			? h("p", { class: "sg-hint" }, problem.commandHint)
			: null,
		problem.detail ? h("p", { class: "sg-message" }, problem.detail) : null,
		problem.code ? h("p", { class: "sg-code" }, problem.code) : null,
		problem.again ? againButton() : null,
	];
	return card(
		problem.tone ?? "unknown",
		problem.title,
		reference,
		problem.text,
		...more,
	);
}

/** @param {string} reference */
function sentenceWithLink(reference) {
	const mark = "\u0000"; // no sentence contains it
	const [before = "", after = ""] = words.problem.foreign
		.instead(mark)
		.split(mark);
	return [
		before,
		h("a", { class: "sg-mono", href: writeFragment(reference) }, reference),
		after,
	];
}

function againButton() {
	const button = h(
		"button",
		{ class: "sg-button sg-button-quiet", type: "button" },
		words.again,
	);
	button.addEventListener("click", () => {
		field.focus();
		show();
	});
	return button;
}

/** The demo images, if this gateway really stands in front of the demo registry: its own evidence says so. */
function examples() {
	examplesOnce ??= findExamples().catch(() => undefined); // decoration: without it the page is as useful
	return examplesOnce;
}

async function findExamples() {
	/** @type {{ name: string, images: { repository: string, tag: string }[] }} */
	const demo = await (await fetch("/demo.json")).json();
	const first = demo.images[0];
	if (!first || (await gatewayName(first.repository, first.tag)) !== demo.name)
		return undefined;
	const cards = demo.images.map(({ repository, tag }) =>
		h(
			"li",
			{},
			h(
				"a",
				{
					class: "sg-example",
					href: writeFragment(`${location.host}/${repository}:${tag}`),
				},
				h("span", { class: "sg-mono sg-strong" }, `${repository}:${tag}`),
				h(
					"span",
					{ class: "sg-example-text" },
					words.examples[repository] ?? "",
				),
			),
		),
	);
	return [
		h("h2", { class: "sg-heading", id: "examples-title" }, words.examplesTitle),
		h("p", { class: "sg-hint" }, words.examplesLead),
		h("ul", { class: "sg-example-list" }, ...cards),
	];
}

function fillWords() {
	document.documentElement.lang = words.language;
	for (const element of document.querySelectorAll("[data-word]")) {
		const text =
			words[
				/** @type {keyof typeof words} */ (element.getAttribute("data-word"))
			];
		if (typeof text === "string") element.textContent = text;
	}
	byId("host").textContent = words.gateway(location.host);
	field.placeholder = words.placeholder(location.host);
}

/** @param {MouseEvent} event */
function goHome(event) {
	if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
		return;
	event.preventDefault();
	if (location.hash) history.pushState(null, "", "/");
	show();
	field.focus();
}

function takeDrops() {
	let depth = 0; // dragenter and dragleave also fire for every child
	const mark = () => document.body.classList.toggle("sg-dropping", depth > 0);
	addEventListener("dragenter", (event) => {
		event.preventDefault();
		depth += 1;
		mark();
	});
	addEventListener("dragleave", () => {
		depth = Math.max(0, depth - 1);
		mark();
	});
	addEventListener("dragover", (event) => event.preventDefault());
	addEventListener("drop", (event) => {
		event.preventDefault();
		depth = 0;
		mark();
		const text =
			event.dataTransfer?.getData("text/plain") ||
			event.dataTransfer?.getData("text/uri-list") ||
			"";
		if (text.trim()) return open(text);
		const files = [...(event.dataTransfer?.files ?? [])];
		if (files.length)
			judgeBy(files).catch((error) =>
				refuseFiles(files, { ...words.problem.file, detail: String(error) }),
			);
	});
}

/** From now on by this policy, and what is shown again by it. @param {File[]} files */
async function judgeBy(files) {
	const taken = await takeFiles(await loading, files);
	if (taken.kind === "large")
		return refuseFiles(files, {
			...words.problem.largeFiles,
			text: words.problem.largeFiles.text(taken.names),
		});
	if (taken.kind === "two")
		return refuseFiles(files, {
			...words.problem.twoPolicies,
			text: words.problem.twoPolicies.text(taken.names),
		});
	if (taken.kind === "nothing") {
		const { message, code } = taken.complaint ?? {};
		return refuseFiles(files, {
			...(taken.json ? words.problem.brokenFile : words.problem.file),
			detail: message,
			code,
		});
	}
	await showPolicy();
	await show();
}

async function showPolicy() {
	const own = await ownPolicy(await loading);
	byId("own").hidden = !own;
	byId("own").replaceChildren(
		...(own
			? policyCard(own, () => {
					forgetPolicy();
					showPolicy();
					show();
				})
			: []),
	);
}

/** @param {File[]} files @param {Problem} problem */
function refuseFiles(files, problem) {
	asked += 1;
	document.body.dataset.view = "result";
	byId("examples").hidden = true;
	byId("evidence").replaceChildren();
	byId("result").removeAttribute("aria-busy");
	byId("verdict").replaceChildren(
		problemCard(
			files
				.map(({ name }) => name)
				.slice(0, 5)
				.join(", "),
			{ ...problem, tone: "info" },
		),
	);
}

function takePastes() {
	addEventListener("paste", (event) => {
		const text = event.clipboardData?.getData("text/plain") ?? "";
		// There the visitor goes on typing; but a field of one line would join several lines to one name.
		if (
			event.target instanceof HTMLInputElement &&
			!/\S\s*[\r\n]\s*\S/u.test(text)
		)
			return;
		event.preventDefault();
		if (text.trim()) open(text);
	});
}
