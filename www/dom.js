// @ts-check
// Building elements. Text goes in as text nodes only; there is no way to hand in markup.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined | false | (Node | string | null | undefined | false)[]} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean | undefined>} [attributes] `true` writes an empty attribute, `false` and `undefined` none
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined && value !== false)
			element.setAttribute(name, value === true ? "" : value);
	}
	element.append(
		...children
			.flat()
			.filter(
				(child) => child !== null && child !== undefined && child !== false,
			)
			.map((child) => /** @type {Node | string} */ (child)),
	);
	return element;
}

/** @type {Record<string, string>} */
const PATHS = {
	good: "M5 12.5l4.5 4.5L19 7.5",
	bad: "M7 7l10 10M17 7L7 17",
	unproven: "M6 11.5h12v8H6zM9 11.5V8a3.2 3.2 0 0 1 6-1.5",
	unknown: "M9 9.5a3 3 0 1 1 4.4 2.6c-.9.5-1.4 1-1.4 2M12 17.6v.1",
	skipped: "M7 12h10",
	info: "M12 11v6M12 7v.1",
};

/**
 * Decoration beside a word that says the same.
 * @param {'good' | 'unproven' | 'bad' | 'unknown' | 'skipped' | 'info'} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
	const svg = document.createElementNS(SVG, "svg");
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("class", "sg-icon");
	const path = document.createElementNS(SVG, "path");
	path.setAttribute("d", PATHS[name] ?? "");
	svg.append(path);
	return svg;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
	const element = document.getElementById(id);
	if (!element) throw new Error(`the page has no element #${id}`);
	return element;
}
