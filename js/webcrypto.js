// Signature checks by the platform's WebCrypto. Keys and signatures come parsed and normalised from the core.

/** @typedef {import("./task.js").WebCryptoCheck} WebCryptoCheck */
/** @typedef {import("./task.js").Found} Found */

/** Importing a key costs as much as several checks; more than these are not kept. */
const KEPT_KEYS = 64;

export function createWebCrypto() {
	// Keys, not promises of keys: in workerd a promise belongs to the request that made it.
	/** @type {Map<string, CryptoKey>} */
	const keys = new Map();

	/** @param {WebCryptoCheck} check @returns {Promise<CryptoKey>} */
	async function keyOf({ keyId, spki, importAlgorithm }) {
		// It names the scheme, too, by which a key is imported.
		const kept = keys.get(keyId);
		if (kept) return kept;
		const key = await subtle().importKey(
			"spki",
			/** @type {BufferSource} */ (spki),
			importAlgorithm,
			false,
			["verify"],
		);
		keys.set(keyId, key);
		for (const oldest of keys.keys()) {
			if (keys.size <= KEPT_KEYS) break;
			keys.delete(oldest);
		}
		return key;
	}

	/** Anything but `true` is no. A platform that throws has not answered, and the core decides that check by itself. @param {WebCryptoCheck} check @returns {Promise<Found>} */
	async function verify(check) {
		try {
			const key = await keyOf(check);
			const { signature, data } = /** @type {Record<string, BufferSource>} */ (
				/** @type {unknown} */ (check)
			);
			return {
				verified:
					(await subtle().verify(
						check.verifyAlgorithm,
						key,
						signature,
						data,
					)) === true,
			};
		} catch (error) {
			return {
				error: {
					kind: "other",
					message: `WebCrypto: ${error instanceof Error ? `${error.name}: ${error.message}` : error}`,
				},
			};
		}
	}

	return { verify };
}

function subtle() {
	const found = globalThis.crypto?.subtle;
	if (!found)
		throw new Error(
			"this page has none, since it was not loaded over https or from localhost",
		);
	return found;
}
