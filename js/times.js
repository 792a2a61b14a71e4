// Where a request's time went, for the header Server-Timing (W3C Server Timing).

/** @typedef {"registry" | "checks" | "store"} Kind */

/**
 * For each kind, the milliseconds in which at least one such thing was under way: what is done at once is not counted twice.
 *
 * @param {() => number} [clock] in milliseconds
 */
export function createTimes(clock = () => performance.now()) {
	/** @type {Map<Kind, { active: number, since: number, spent: number }>} */
	const kinds = new Map();

	/** @template T @param {Kind} kind @param {() => Promise<T>} work @returns {Promise<T>} */
	async function during(kind, work) {
		const one = kinds.get(kind) ?? { active: 0, since: 0, spent: 0 };
		kinds.set(kind, one);
		if (one.active === 0) one.since = clock();
		one.active += 1;
		try {
			return await work();
		} finally {
			one.active -= 1;
			if (one.active === 0) one.spent += clock() - one.since;
		}
	}

	return {
		during,

		/** @param {import("./task.js").Services} services @returns {import("./task.js").Services} the same, watched */
		watch(services) {
			const { fetch, verify, compute, load } = services;
			return {
				...services,
				fetch: (request, stop) =>
					during("registry", () => fetch(request, stop)),
				verify: (check) => during("checks", () => verify(check)),
				compute: (check) => during("checks", () => compute(check)),
				...(load && {
					load: (key) => during("store", async () => load(key)),
				}),
			};
		},

		/** The action with what was waited for, in whole milliseconds, where anything was. @template {object} T @param {T} action */
		with(action) {
			if (kinds.size === 0) return action;
			const all = [...kinds].map(
				([kind, { spent }]) => `${kind};dur=${Math.round(spent)}`,
			);
			return { ...action, timing: all.join(", ") };
		},
	};
}
