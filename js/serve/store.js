// What the gateway remembers beyond one of its own lives: a policy that is read anew makes a new gateway, and a pull that is
// under way goes on with the links that the old one has found. In memory, bounded, and believed no more than any store.

/** Of keys and values, in UTF-16 units. */
const MOST = 16 * 1024 * 1024;

/** @param {number} [most] @param {() => number} [now] milliseconds */
export function createStore(most = MOST, now = Date.now) {
	/** In the order of their last use. @type {Map<string, { value: string, until: number }>} */
	const kept = new Map();
	let size = 0;

	/** @param {string} key */
	function forget(key) {
		const found = kept.get(key);
		if (found === undefined) return;
		kept.delete(key);
		size -= key.length + found.value.length;
	}

	return {
		/** @param {string} key @returns {Promise<string | null>} */
		async load(key) {
			const found = kept.get(key);
			if (found === undefined) return null;
			if (found.until <= now()) {
				forget(key);
				return null;
			}
			kept.delete(key);
			kept.set(key, found);
			return found.value;
		},
		/** Everything at once. */
		clear() {
			kept.clear();
			size = 0;
		},
		/** @param {string} key @param {string} value @param {number} seconds */
		async save(key, value, seconds) {
			forget(key);
			kept.set(key, { value, until: now() + seconds * 1000 });
			size += key.length + value.length;
			for (const oldest of kept.keys()) {
				if (size <= most) break;
				forget(oldest);
			}
		},
	};
}
