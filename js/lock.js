// One at a time per key: two requests for the same image are verified once.

/** The longest that one waits for another; then it does the work itself. */
const PATIENCE_MS = 5_000;

/** @returns {(key: string) => Promise<() => void>} which resolves to what ends the turn */
export function createLocks() {
	/** @type {Map<string, Promise<void>>} */
	const turns = new Map();

	return async function lock(key) {
		const before = turns.get(key);
		let end = () => {};
		const turn = /** @type {Promise<void>} */ (
			new Promise((resolve) => (end = resolve))
		);
		turns.set(key, turn);
		if (before) await patiently(before);
		return () => {
			end();
			if (turns.get(key) === turn) turns.delete(key);
		};
	};
}

/** @param {Promise<void>} turn */
async function patiently(turn) {
	let timer;
	await Promise.race([
		turn,
		new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS))),
	]);
	clearTimeout(timer);
}
