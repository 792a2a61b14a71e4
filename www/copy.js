// @ts-check
// Text with a button that copies it.

import { byId, h } from "./dom.js";
import { words } from "./words.js";

/**
 * A command, or a document that scrolls.
 * @param {string} text
 * @param {string} name what a screen reader calls it
 */
export function block(text, name) {
	const code = h(
		"pre",
		{ class: "sg-pre", tabindex: "0", role: "region", "aria-label": name },
		text,
	);
	return h("div", { class: "sg-block" }, code, button(text, name, code));
}

/**
 * A digest or a fingerprint in running text.
 * @param {string} text
 */
export function copyable(text) {
	const code = h("span", { class: "sg-mono" }, text);
	return h("span", { class: "sg-copyable" }, code, button(text, text, code));
}

/** @param {string} text @param {string} name @param {HTMLElement} source */
function button(text, name, source) {
	const element = h(
		"button",
		{ class: "sg-copy", type: "button", "aria-label": words.copyLabel(name) },
		words.copy,
	);
	element.addEventListener("click", async () => {
		const done = await copy(text, source);
		element.textContent = done;
		byId("status").textContent = done;
		setTimeout(() => {
			element.textContent = words.copy;
			byId("status").textContent = "";
		}, 2500);
	});
	return element;
}

/** @param {string} text @param {HTMLElement} source */
async function copy(text, source) {
	try {
		// Over plain http, other than on this machine, there is no clipboard: then the text is selected instead.
		await navigator.clipboard.writeText(text);
		return words.copied;
	} catch {
		getSelection()?.selectAllChildren(source);
		return words.selected;
	}
}
