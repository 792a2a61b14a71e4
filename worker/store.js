/**
 * Where the gateway's hints and verdicts live beyond this isolate: the platform's Cache API.
 *
 * Trusted for nothing: the gateway checks whatever it loads. Losing everything costs time only, so every failure of the store
 * reads as "not there". What this isolate itself remembers stands in the gateway.
 *
 * @module
 */

/** No request ever goes there: the Cache API wants URLs as keys. */
const KEY_BASE = "https://state.sealgate.invalid/";

/** Plain workerd has a Cache API only when one is configured, and throws otherwise. */
export function createStore() {
	let there = true;
	const cache = () =>
		/** @type {Cache} */ (/** @type {any} */ (caches).default);

	/** @param {string} key */
	const urlOf = (key) => KEY_BASE + encodeURIComponent(key);

	return {
		/**
		 * @param {string} key
		 * @returns {Promise<string | null>}
		 */
		async load(key) {
			if (!there) return null;
			try {
				const found = await cache().match(urlOf(key));
				return found === undefined ? null : await found.text();
			} catch {
				there = false;
				return null;
			}
		},
		/**
		 * @param {string} key
		 * @param {string} value
		 * @param {number} seconds
		 */
		async save(key, value, seconds) {
			if (!there) return;
			try {
				const headers = {
					"cache-control": `max-age=${Math.max(0, Math.floor(seconds))}`,
					"content-type": "text/plain; charset=utf-8",
				};
				await cache().put(urlOf(key), new Response(value, { headers }));
			} catch {
				there = false;
			}
		},
	};
}
