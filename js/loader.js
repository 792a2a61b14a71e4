// The modules beside the first one, each loaded by the first call that needs it.

import { loadError } from "./error.js";

/** @typedef {URL | BufferSource | Promise<Response>} Source */

/**
 * Loads a module once: a second start would take the first one's memory away. After a failure it is tried again.
 *
 * @template T
 * @param {() => Promise<T & { default(given: { module_or_path: Source }): Promise<unknown> }>} glueOf
 * @param {URL} address
 * @param {(address: URL) => Source} [source] what the glue starts from, where it cannot fetch the address by itself, or should not
 */
export function loader(glueOf, address, source = (address) => address) {
	/** @type {Promise<T> | undefined} */
	let loading;
	async function load() {
		try {
			const glue = await glueOf();
			await glue.default({ module_or_path: source(address) });
			return glue;
		} catch (error) {
			loading = undefined;
			throw loadError(error, String(address));
		}
	}
	return () => (loading ??= load());
}
