// A policy with everything that belongs to it, as one value: `sealgate policy bundle` makes it, gateways that have no files take it.
//
// {"format": "sealgate-policy/1", "policy": …, "next": …, "assets": {path: …}, "registriesD": {file: …}}, all contents in base64:
// the bytes as they were, since verdicts are keyed by them.

import { codedError } from "./error.js";

export { codedError };

/** @typedef {{ policy: Uint8Array, policyNext?: Uint8Array, assets: Record<string, Uint8Array>, registriesD?: Record<string, Uint8Array> }} Contents */
/** @typedef {{ POLICY: Uint8Array, POLICY_NEXT: Uint8Array | undefined, POLICY_ASSETS: Record<string, string>, REGISTRIES_D: Record<string, string> | undefined }} PolicySettings as `configOf` takes them */

const FORMAT = "sealgate-policy/1";
/** Bytes of a bundle: a policy has 1 MiB at most, a trusted root some 10 KiB. */
export const MOST_BUNDLE = 8 * 1024 * 1024;
const MEMBERS = ["format", "policy", "next", "assets", "registriesD"];

/** The same text for the same contents. @param {Contents} contents */
export function toBundle({ policy, policyNext, assets, registriesD }) {
	return `${JSON.stringify(
		{
			format: FORMAT,
			policy: toBase64(policy),
			...(policyNext && { next: toBase64(policyNext) }),
			assets: filesToBase64(assets),
			...(registriesD && { registriesD: filesToBase64(registriesD) }),
		},
		null,
		"\t",
	)}\n`;
}

/** @param {string} text @returns {PolicySettings} */
export function fromBundle(text) {
	const bundle = parsed(text);
	const { format, policy, next, assets, registriesD } = bundle;
	if (format !== FORMAT)
		throw malformed(
			`"format": ${JSON.stringify(FORMAT)}`,
			JSON.stringify(format),
		);
	for (const name of Object.keys(bundle))
		if (!MEMBERS.includes(name))
			throw malformed(MEMBERS.join(", "), JSON.stringify(name));
	return {
		POLICY: bytesOf("policy", policy),
		// What it does not have there is none of, whatever stands in the settings.
		POLICY_NEXT: next === undefined ? undefined : bytesOf("next", next),
		POLICY_ASSETS: filesOf("assets", assets),
		REGISTRIES_D:
			registriesD === undefined
				? undefined
				: filesOf("registriesD", registriesD),
	};
}

/** Which bundle it is: SHA-256, in hexadecimal. @param {string} text */
export async function printOf(text) {
	const bytes = new TextEncoder().encode(text);
	const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
	return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text @returns {Record<string, unknown>} */
function parsed(text) {
	let bundle;
	try {
		bundle = JSON.parse(text);
	} catch (error) {
		throw malformed(
			"JSON",
			error instanceof Error ? error.message : String(error),
		);
	}
	if (!isObject(bundle)) throw malformed("an object", typeof bundle);
	return bundle;
}

/** @param {string} name @param {unknown} files @returns {Record<string, string>} */
function filesOf(name, files) {
	if (!isObject(files)) throw malformed(`an object as "${name}"`, typeof files);
	for (const [path, content] of Object.entries(files))
		bytesOf(`${name}, ${path}`, content);
	return /** @type {Record<string, string>} */ (files);
}

/** @param {string} name @param {unknown} base64 */
function bytesOf(name, base64) {
	try {
		if (typeof base64 === "string")
			return Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
	} catch {
		// Said below.
	}
	throw malformed(`base64 as "${name}"`, typeof base64);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {Record<string, Uint8Array>} files */
function filesToBase64(files) {
	return Object.fromEntries(
		Object.entries(files)
			.sort(([one], [other]) => (one < other ? -1 : 1))
			.map(([name, bytes]) => [name, toBase64(bytes)]),
	);
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
	let text = "";
	for (const byte of bytes) text += String.fromCharCode(byte);
	return btoa(text);
}

/** @param {string} expected @param {string} found */
function malformed(expected, found) {
	return codedError(
		"policies.bundle",
		`expected a policy's bundle, as sealgate policy bundle writes it, with ${expected}, found ${found}: write it again`,
	);
}
