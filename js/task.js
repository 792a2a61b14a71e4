// Runs the module's Tasks, behind the one guard that every entry of the module goes through.

import { codedError } from "./error.js";
import { unless } from "./fetch.js";

/**
 * @typedef {{ startVerify(options: object): Task, startPolicyInit(options: object): Task, startVerifyBundle(options: object): Task, predicateType(name: string): string, verifySignature(options: object): Task,
 *   policyAssets(policy: Uint8Array): string[], policyLint(policy: Uint8Array, known: object): any,
 *   policyExplain(policy: Uint8Array, reference: string, as?: string): any, parseReference(text: string): any, version(): string,
 *   startGateway(config: object): Task, __wbg_reset_state?(): void }} Glue whose module starts over where it can; wasm-pack's cannot
 * @typedef {{ advance(answers: Answer[]): object, free(): void }} Task whose steps are `{ done }` or `{ asks }`
 * @typedef {{ method: string, url: string, headers: [string, string][], body?: string, maxBytes: number, egress: "operator" | "public", sign?: import("./aws.js").Signing }} FetchRequest
 * @typedef {{ scheme: string, spki: Uint8Array, message: Uint8Array, isDigest: boolean, signature: Uint8Array }} Computation
 * @typedef {{ importAlgorithm: any, spki: Uint8Array, verifyAlgorithm: any, signature: Uint8Array, data: Uint8Array, keyId: string }} WebCryptoCheck
 * @typedef {{ id: number, kind: "fetch", request: FetchRequest } | { id: number, kind: "verify", check: WebCryptoCheck } | { id: number, kind: "compute", check: Computation }
 *   | { id: number, kind: "pause" } | { id: number, kind: "load" | "lock", key: string } | { id: number, kind: "save", key: string, value: string, seconds: number }
 *   | { id: number, kind: "append", key: string, value: string, seconds: number } | { id: number, kind: "readBack", key: string, holding: string[], before: string }
 *   | { id: number, kind: "begin", status: number, headers: [string, string][] } | { id: number, kind: "write", piece: Uint8Array }} Ask
 * @typedef {{ kind: "unreachable" | "timeout" | "too-large" | "refused" | "egress" | "budget" | "other", message: string, url?: string }} AnswerError
 * @typedef {{ status: number, headers: [string, string][], body: Uint8Array, url?: string }} FetchResponse
 * @typedef {{ response: FetchResponse } | { verified: boolean } | { value: string | null } | { error: AnswerError }} Found
 * @typedef {{ id: number } & Found} Answer
 * @typedef {Map<string, () => void>} Held
 * @typedef {import("./index.d.ts").Signal} Signal
 * @typedef {(request: FetchRequest, stop: AbortSignal) => Promise<{ response: FetchResponse } | { error: AnswerError }>} Fetcher
 * @typedef {{ fetch: Fetcher, verify: (check: WebCryptoCheck) => Promise<Found>, compute: (check: Computation) => Promise<Found>,
 *   begin?: (head: { status: number, headers: [string, string][] }) => void, write?: (piece: Uint8Array) => Promise<void>,
 *   patience?: number, lock?: (key: string) => Promise<() => void>,
 *   load?: (key: string) => Promise<string | null | undefined>, save?: (key: string, value: string, seconds: number) => Promise<unknown>,
 *   append?: (log: string, record: string, seconds: number) => Promise<unknown>, readBack?: (log: string, holding: string[], before: string) => Promise<string | null | undefined> }} Services
 */

const BROUGHT_DOWN = "another task brought the module down";
const PASSING = "later calls are not affected";
const FOR_GOOD =
	"this module cannot start over, so that every later call fails, too: load it anew";

/** @param {Glue} glue */
export function createRunner(glue) {
	// How often the module has started over. Whatever was made in another era is gone.
	let era = 0;
	/** @type {Set<AbortController>} */
	const running = new Set();
	/** What ended a module that cannot start over. It is not entered again: nobody knows what its memory holds. @type {Error | undefined} */
	let ended;

	/** @template T @param {() => T} enter @returns {T} */
	function call(enter) {
		if (ended) throw ended;
		try {
			return enter();
		} catch (error) {
			if (isUninitialised(glue, error)) throw notInitialised(error);
			if (!isTrap(error)) throw error;
			throw startOver(error);
		}
	}

	/** @param {unknown} trap @returns {Error} what the call fails with */
	function startOver(trap) {
		era += 1;
		if (glue.__wbg_reset_state) glue.__wbg_reset_state();
		else ended = internal(trap, FOR_GOOD);
		for (const other of running) {
			try {
				other.abort(ended ?? internal(BROUGHT_DOWN));
			} catch {
				// workerd lets no request stop another's work. That task meets the new era when its answers come.
			}
		}
		return ended ?? internal(trap);
	}

	/** @param {() => Task} start @param {Services} services @param {Signal} [signal] @returns {Promise<any>} */
	async function run(start, services, signal) {
		if (signal?.aborted) throw signal.reason;
		const stop = new AbortController();
		const inbox = createInbox(stop.signal);
		const task = call(start);
		const born = era;
		running.add(stop);
		// From when on nothing more is waited for; what was found out still counts.
		const { patience } = services;
		const late = patience === undefined ? stop : new AbortController();
		const timer =
			patience === undefined
				? undefined
				: setTimeout(
						() => late.abort(codedError("budget", `waited for ${patience} ms`)),
						patience,
					);
		if (late !== stop)
			stop.signal.addEventListener("abort", () =>
				late.abort(stop.signal.reason),
			);
		const forward = () => stop.abort(signal?.reason);
		signal?.addEventListener("abort", forward);
		/** Turns that this task holds until it ends. @type {Held} */
		const held = new Map();
		try {
			/** @type {Answer[]} */
			let answers = [];
			for (;;) {
				if (era !== born) throw internal(BROUGHT_DOWN);
				const step = /** @type {{ done: any } | { asks: Ask[] }} */ (
					call(() => task.advance(answers))
				);
				if ("done" in step) return step.done;
				for (const ask of step.asks)
					inbox.expect(answer(ask, services, late.signal, held));
				answers = await inbox.take();
			}
		} finally {
			running.delete(stop);
			signal?.removeEventListener("abort", forward);
			clearTimeout(timer);
			for (const release of held.values()) release();
			// What is still under way is ended; the usual task leaves nothing, and signals cost more than its answer.
			if (inbox.waits()) stop.abort();
			if (era === born) call(() => task.free());
		}
	}

	return { call, run, era: () => era };
}

/** Gathers answers as they come, in whatever order. @param {AbortSignal} stop */
function createInbox(stop) {
	/** @type {Answer[]} */
	let arrived = [];
	let outstanding = 0;
	let wake = () => {};
	stop.addEventListener("abort", () => wake());

	return {
		/** @param {Promise<Answer>} promise which never rejects */
		expect(promise) {
			outstanding += 1;
			promise.then((answer) => {
				outstanding -= 1;
				arrived.push(answer);
				wake();
			});
		},
		/** Whether something was asked for whose answer is not there. */
		waits: () => outstanding > 0,
		/** At least one answer. */
		async take() {
			if (arrived.length === 0 && !stop.aborted) {
				if (outstanding === 0) throw internal("the core waits for nothing");
				await new Promise((resolve) => (wake = () => resolve(undefined)));
			}
			if (stop.aborted) throw stop.reason;
			const taken = arrived;
			arrived = [];
			return taken;
		},
	};
}

/** @param {Ask} ask @param {Services} services @param {AbortSignal} late @param {Held} held @returns {Promise<Answer>} */
async function answer(ask, services, late, held) {
	try {
		return { id: ask.id, ...(await find(ask, services, late, held)) };
	} catch (error) {
		return { id: ask.id, error: { kind: "other", message: messageOf(error) } };
	}
}

/** @param {Ask} ask @param {Services} services @param {AbortSignal} late @param {Held} held @returns {Promise<Found>} */
async function find(ask, services, late, held) {
	switch (ask.kind) {
		case "fetch":
			return services.fetch(ask.request, late);
		case "verify":
			return services.verify(ask.check);
		case "compute":
			return services.compute(ask.check);
		// Everything works without a store, or with one that fails.
		case "load":
			return {
				value:
					(await unless(late, async () => services.load?.(ask.key)).catch(
						() => null,
					)) ?? null,
			};
		case "lock": {
			if (held.has(ask.key)) return { value: null };
			await unless(late, () => takeTurn(ask.key, services, late, held)).catch(
				() => null,
			);
			return { value: null };
		}
		case "save":
			await unless(late, async () =>
				services.save?.(ask.key, ask.value, ask.seconds),
			).catch(() => null);
			return { value: null };
		case "append":
			await unless(late, async () =>
				services.append?.(ask.key, ask.value, ask.seconds),
			).catch(() => null);
			return { value: null };
		case "readBack":
			return {
				value:
					(await unless(late, async () =>
						services.readBack?.(ask.key, ask.holding, ask.before),
					).catch(() => null)) ?? null,
			};
		case "begin":
			services.begin?.({ status: ask.status, headers: ask.headers });
			return { value: null };
		case "write":
			// Whoever reads too slowly has read enough.
			await unless(late, async () => services.write?.(ask.piece));
			return { value: null };
		case "pause":
			await turn();
			return { value: null };
		default:
			throw new Error(
				`the driver does not know how to answer ${JSON.stringify(/** @type {any} */ (ask).kind)}`,
			);
	}
}

/** A turn that comes too late is given back at once. @param {string} key @param {Services} services @param {AbortSignal} late @param {Held} held */
async function takeTurn(key, services, late, held) {
	const release = await services.lock?.(key);
	if (late.aborted) release?.();
	else if (release) held.set(key, release);
}

/** Lets everything else that waits have its turn; a resolved promise would not. */
function turn() {
	const runtime =
		/** @type {{ setImmediate?: (done: () => void) => unknown }} */ (
			globalThis
		);
	/** @type {Promise<void>} */
	const turned = new Promise((done) =>
		runtime.setImmediate
			? runtime.setImmediate(() => done())
			: setTimeout(done),
	);
	return turned;
}

/** A panic ends as a RuntimeError, a stack that ran over as a RangeError; what the core throws itself has a code. @param {unknown} error */
function isTrap(error) {
	return (
		error instanceof WebAssembly.RuntimeError ||
		(error instanceof RangeError && !("code" in error))
	);
}

/** The glue of a module that was never loaded has nothing to call into. @param {Glue} glue @param {unknown} error */
function isUninitialised(glue, error) {
	if (!(error instanceof TypeError) || "code" in error) return false;
	try {
		glue.version();
		return false;
	} catch {
		return true;
	}
}

/** @param {unknown} cause */
function notInitialised(cause) {
	return codedError(
		"host.not-initialised",
		"expected the WebAssembly module to be loaded before the first call, found that it is not: await the initialisation of the module (init() of its glue) and call again",
		cause,
	);
}

/** @param {unknown} cause @param {string} [outlook] */
function internal(cause, outlook = PASSING) {
	return codedError(
		"internal",
		`sealgate failed inside (${messageOf(cause)}). Nothing was decided; ${outlook}. Please report it with the input that led to it`,
		cause,
	);
}

/** @param {unknown} error */
function messageOf(error) {
	return error instanceof Error ? error.message : String(error);
}
