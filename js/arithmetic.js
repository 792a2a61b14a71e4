// Signature checks in pure Rust, by a module of their own: where the platform has no WebCrypto, or does not take a key or a
// scheme. It is loaded when the first such check comes up. Keys and signatures come parsed and normalised from the core.

import { codedError } from "./error.js";

/** @typedef {{ checkSignature(scheme: string, spki: Uint8Array, message: Uint8Array, isDigest: boolean, signature: Uint8Array): boolean, __wbg_reset_state?(): void }} Arithmetic */
/** @typedef {import("./task.js").Computation} Computation */
/** @typedef {import("./task.js").Found} Found */

/** @param {(() => Arithmetic | Promise<Arithmetic>) | undefined} load gives the module, initialised; the same one at each call */
export function createArithmetic(load) {
	/** Anything but `true` is no; a module that cannot be had, or breaks, has not answered. @param {Computation} check @returns {Promise<Found>} */
	async function compute({ scheme, spki, message, isDigest, signature }) {
		if (load === undefined) throw missing();
		const module = await load();
		try {
			return {
				verified:
					module.checkSignature(scheme, spki, message, isDigest, signature) ===
					true,
			};
		} catch (error) {
			module.__wbg_reset_state?.();
			throw error;
		}
	}

	return { compute };
}

function missing() {
	return codedError(
		"part.missing",
		"expected a module that checks signatures, found none: give createApi one as `arithmetic`",
	);
}
