// Which of the package's modules a call runs in. Each is whole and has a memory of its own: nothing crosses between them.
//
// The first is small. What it lacks it says (`part.missing`) before it decides anything, and the call starts again in the
// larger one, which is loaded then. Where that cannot be loaded, the call fails with the loader's error: nothing is decided.

import { codedError } from "./error.js";
import { createRunner } from "./task.js";

/** @typedef {import("./task.js").Glue} Glue */
/** @typedef {import("./task.js").Services} Services */
/** @typedef {import("./task.js").Signal} Signal */
/** @typedef {{ glue: Glue, runner: ReturnType<typeof createRunner> }} Module */
/** @typedef {keyof Glue} Entry */

/**
 * @param {Glue} glue the first module, initialised
 * @param {(() => Glue | Promise<Glue>) | undefined} more gives the larger one, initialised; the same one at each call
 */
export function createModules(glue, more) {
	/** @type {Module} */
	const first = { glue, runner: createRunner(glue) };
	/** @type {Module | undefined} */
	let second;

	async function larger() {
		if (second !== undefined) return second;
		if (more === undefined) throw missing();
		const found = await more();
		second ??= { glue: found, runner: createRunner(found) };
		return second;
	}

	/**
	 * Runs a task to its end.
	 *
	 * @param {Entry} entry what the task needs of a module @param {(glue: Glue) => import("./task.js").Task} start @param {Services} services @param {Signal} [signal] @returns {Promise<any>}
	 */
	async function run(entry, start, services, signal) {
		return (await make(entry, start, services, signal)).value;
	}

	/**
	 * Runs a task to its end, and says in which module.
	 *
	 * @param {Entry} entry what the task needs of a module @param {(glue: Glue) => import("./task.js").Task} start @param {Services} services @param {Signal} [signal] @returns {Promise<{ module: Module, value: any }>}
	 */
	async function make(entry, start, services, signal) {
		if (signal?.aborted) throw signal.reason;
		const runIn = async (/** @type {Module} */ module) => ({
			module,
			value: await module.runner.run(
				() => start(module.glue),
				services,
				signal,
			),
		});
		if (entry in first.glue) {
			try {
				return await runIn(first);
			} catch (error) {
				if (!isMissing(error)) throw error;
			}
		}
		return runIn(await larger());
	}

	/**
	 * Calls what answers at once, and says which module did.
	 *
	 * @template T @param {Entry} entry what the call needs of a module @param {(glue: Glue) => T} enter @returns {Promise<{ module: Module, value: T }>}
	 */
	async function call(entry, enter) {
		const callIn = (/** @type {Module} */ module) => ({
			module,
			value: module.runner.call(() => enter(module.glue)),
		});
		if (entry in first.glue) {
			try {
				return callIn(first);
			} catch (error) {
				if (!isMissing(error)) throw error;
			}
		}
		return callIn(await larger());
	}

	return { first, run, make, call };
}

/** @param {unknown} error */
function isMissing(error) {
	return /** @type {{ code?: unknown } | null} */ (error)?.code === MISSING;
}

const MISSING = "part.missing";

function missing() {
	return codedError(
		MISSING,
		"expected a module with every part that this call needs, found a smaller one alone: give createApi the larger module as `more`",
	);
}
