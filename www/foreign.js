// @ts-check
// Text of a stranger's choice, and the short forms of fingerprints.

import { h } from "./dom.js";

/** Characters of a stranger's text that are shown. */
const FOREIGN = 256;
/** What steers, or cannot be seen: controls, and what formats without being seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/** Without marks that nobody sees, and not long. @param {string} text */
export function plain(text) {
	const shown = [...text].slice(0, FOREIGN).join("");
	const seen = shown.replace(
		UNSEEN,
		(found) =>
			`\\u${found.codePointAt(0)?.toString(16).padStart(4, "0") ?? ""}`,
	);
	return shown === text ? seen : `${seen}…`;
}

/** The same, of one direction for itself. @param {string} text */
export const foreign = (text) =>
	h("bdi", { class: "sg-mono sg-foreign" }, plain(text));

/** @param {string} hex */
export const short = (hex) => (hex.length > 16 ? `${hex.slice(0, 12)}…` : hex);

/** By which GnuPG names a key for short: the end of a fingerprint of version 4, the start of one of version 6. @param {string} key */
export const keyId = (key) =>
	key.length === 40 ? key.slice(-16) : key.slice(0, 16);
