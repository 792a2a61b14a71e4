// Counts what passes between JavaScript and a module: calls into it, calls of it to us, and the bytes of memory that are copied.

/**
 * From now on every module that is instantiated counts. Call it before the package is loaded.
 */
export function countCrossings() {
	let counts = { into: 0, out: 0, bytes: 0 };
	const { Instance } = WebAssembly;
	/** @param {Function} call @param {"into" | "out"} way @param {string} name */
	const counted = (call, way, name) =>
		Object.assign(
			(/** @type {unknown[]} */ ...args) => {
				counts[way] += 1;
				// Whatever is copied lies in memory that the module gives, or gives up afterwards.
				if (name === "__wbindgen_malloc") counts.bytes += Number(args[0]);
				if (name === "__wbindgen_free") counts.bytes += Number(args[1]);
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
	WebAssembly.Instance = new Proxy(Instance, {
		construct(target, [module, imports = {}]) {
			const all = Object.entries(imports).map(([from, members]) => [
				from,
				wrapped(members, "out"),
			]);
			const { exports } = new target(module, Object.fromEntries(all));
			// What the glue takes of an instance.
			return { exports: wrapped(exports, "into") };
		},
	});
	return {
		/** What has passed since the last time. */
		take() {
			const taken = counts;
			counts = { into: 0, out: 0, bytes: 0 };
			return taken;
		},
	};
}
