// @ts-check
// A gateway's evidence: where it is, and what has to be read of it to hand it on. What it proves is the verifier's business.

/** @param {string} path of the repository @param {string} ref a tag or a digest @param {string} [under] */
export function evidencePath(path, ref, under = "/api/evidence") {
	return `${under}/${path.split("/").map(encodeURIComponent).join("/")}?ref=${encodeURIComponent(ref)}`;
}

/**
 * The name by which the gateway knows the image, and its policy for it: a gateway need not publish that.
 * @param {Uint8Array} bytes
 */
export function readEvidence(bytes) {
	const { name, policy } = JSON.parse(new TextDecoder().decode(bytes));
	if (typeof name !== "string" || (policy && typeof policy.text !== "string"))
		throw new Error("evidence: expected `name` and `policy.text`");
	const files = (/** @type {object} */ given) =>
		Object.fromEntries(
			Object.entries(given).map(([path, text]) => [
				path,
				fromBase64(String(text)),
			]),
		);
	const published = policy && {
		policy: fromBase64(policy.text),
		assets: files(policy.assets ?? {}),
		...(policy.registriesD && { registriesD: files(policy.registriesD) }),
	};
	return { name, published };
}

/** @param {string} text */
const fromBase64 = (text) =>
	Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** What a refusal says. @param {Uint8Array} bytes @returns {{ code?: string, message?: string }} */
export function registryError(bytes) {
	try {
		const first = JSON.parse(new TextDecoder().decode(bytes)).errors[0];
		return {
			code: typeof first.code === "string" ? first.code : undefined,
			message: typeof first.message === "string" ? first.message : undefined,
		};
	} catch {
		return {}; // no registry error document: the status says enough
	}
}

/** What is no matter of the rules has these beginnings. @param {string} code */
export const isElsewhere = (code) =>
	code === "" || /^(argument|internal|host|wasm)\b/u.test(code);

/** @param {unknown} error @returns {string | undefined} */
export function codeOf(error) {
	const code = /** @type {{ code?: unknown } | null} */ (error)?.code;
	return typeof code === "string" ? code : undefined;
}
