// Tables of images and what is expected of them.

import { codedError } from "../error.js";

/** @typedef {{ image: string, as?: string, expect: "allow" | "deny", code?: string, line?: number }} Case */

/** Characters of a text that a message shows. */
const SHOWN = 160;

/** @param {string} text */
export function short(text) {
	const line = text.replace(/\s+/g, " ");
	return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}

/** A table that holds nothing, or something else than cases, is an error: it would always pass. @param {string} path @param {string} text @returns {Case[]} */
export function parseCases(path, text) {
	const cases = /^\s*[[{]/.test(text)
		? jsonCases(path, text)
		: textCases(path, text);
	if (cases.length === 0) throw malformed(path, "at least one image", "none");
	return cases;
}

/** @param {string} path @param {string} text @returns {Case[]} */
function textCases(path, text) {
	return text.split(/\r?\n/).flatMap((line, index) => {
		const words = line
			.replace(/(^|\s)#.*/, "")
			.split(/\s+/)
			.filter(Boolean);
		if (words.length === 0) return [];
		const [image = "", ...rest] = words;
		const as = rest[0] === "as" ? rest[1] : undefined;
		const [expect, code, ...more] = rest.slice(as === undefined ? 0 : 2);
		if (more.length > 0)
			throw malformed(
				`${path}, line ${index + 1}`,
				"IMAGE [as NAME] allow|deny [CODE]",
				words.join(" "),
			);
		const one = toCase(`${path}, line ${index + 1}`, {
			image,
			as,
			expect,
			code,
		});
		return [{ ...one, line: index + 1 }];
	});
}

/** @param {string} path @param {string} text @returns {Case[]} */
function jsonCases(path, text) {
	/** @type {unknown} */
	let list;
	try {
		list = JSON.parse(text);
	} catch (error) {
		throw malformed(
			path,
			"a JSON array of cases",
			/** @type {Error} */ (error).message,
		);
	}
	if (!Array.isArray(list))
		throw malformed(path, "a JSON array of cases", typeof list);
	return list.map((one, index) => toCase(`${path}, case ${index + 1}`, one));
}

/** @param {string} where @param {any} one @returns {Case} */
function toCase(where, one) {
	const { image, as, expect, code, ...more } = one ?? {};
	const text = (/** @type {unknown} */ value) =>
		typeof value === "string" && value !== "";
	const optional = (/** @type {unknown} */ value) =>
		value === undefined || text(value);
	const good =
		text(image) &&
		optional(as) &&
		optional(code) &&
		(expect === "allow" || expect === "deny") &&
		Object.keys(more).length === 0;
	if (!good)
		throw malformed(
			where,
			'an image, perhaps "as" a name, "allow" or "deny", and perhaps a code',
			JSON.stringify(one),
		);
	return { image, as, expect, code };
}

/** @param {string} where @param {string} expected @param {string} found */
function malformed(where, expected, found) {
	return codedError(
		"cases.malformed",
		`${where}: expected ${expected}, found ${short(found)}`,
	);
}
