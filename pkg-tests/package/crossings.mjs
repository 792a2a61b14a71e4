// Counts what passes between JavaScript and a module: calls into it, calls of it to us, and the bytes of memory that are copied.

/**
 * From now on every module that is instantiated counts. Call it before the package is loaded.
 */
export function countCrossings() {
	const counts = { into: 0, out: 0 };
	/** @type {string[]} */
	let names = [];
	const { Instance } = WebAssembly;
	/** @param {Function} call @param {"into" | "out"} way @param {string} name */
	const counted = (call, way, name) =>
		Object.assign(
			(/** @type {unknown[]} */ ...args) => {
				counts[way] += 1;
				names.push(name);
				return call(...args);
			},
			{ original: call },
		);
	/** @param {Record<string, any>} members @param {"into" | "out"} way */
	const wrapped = (members, way) =>
		Object.fromEntries(
			Object.entries(members).map(([name, member]) => [
				name,
				typeof member === "function" ? counted(member, way, name) : member,
			]),
		);
	// @ts-expect-error a stand-in that gives what the glue takes of an instance
	WebAssembly.Instance = function (module, imports = {}) {
		const all = Object.fromEntries(
			Object.entries(imports).map(([from, members]) => [
				from,
				wrapped(/** @type {any} */ (members), "out"),
			]),
		);
		const { exports } = new Instance(module, all);
		return { exports: wrapped(exports, "into") };
	};
	return {
		/** What has passed since the last time. */
		take() {
			const taken = { ...counts, names };
			counts.into = 0;
			counts.out = 0;
			names = [];
			return taken;
		},
	};
}
