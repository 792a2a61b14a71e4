/**
 * Where the policy comes from, and the gateway that is running by it.
 *
 * - `POLICY_FILES` (a folder, in workerd): `bundle.json` in it.
 * - `POLICIES` (KV) and `POLICY_IN_FORCE` (Durable Object, on Cloudflare): what was pushed. KV has the bundles under their SHA-256,
 *   which therefore never change and may be cached anywhere; the object says which of them is in force, at once and to everybody.
 *   KV alone may say the old one for a minute and more.
 * - neither: what stands in the settings, for as long as the isolate lives.
 *
 * Policy and keys are one value, and live in another store than what is remembered. A value that cannot be read or understood never
 * replaces one that runs.
 *
 * @module
 */
import { MOST_BUNDLE, codedError, fromBundle, printOf } from "sealgate/bundle";

/**
 * @typedef {object} PolicyBindings
 * @property {{ fetch(url: string, init?: RequestInit): Promise<Response> }} [POLICY_FILES]
 * @property {{ get(key: string, options: { type: "text", cacheTtl: number }): Promise<string | null>, put(key: string, value: string): Promise<void> }} [POLICIES]
 * @property {{ idFromName(name: string): any, get(id: any): { current(): Promise<string | null>, set(policy: string): Promise<void> } }} [POLICY_IN_FORCE]
 */
/** @typedef {import("sealgate").Gateway} Gateway */
/** @typedef {import("sealgate/config").Settings} Settings */
/** @typedef {Settings & PolicyBindings} Env */
/** @typedef {{ gateway: Gateway, print: string, since: string }} Running */
/** @typedef {{ code: string, message: string }} Failure */
/** @typedef {{ print: string, settings(): Settings }} Found */

/**
 * How old what is known of the source may be when a request is judged by it. With the time that a look takes at most, a policy
 * reaches every isolate within ten seconds, and one that had nothing to do before it does anything.
 */
const LOOK_EVERY_MS = 5_000;
/** How long a look takes at most. What runs goes on running then. */
const PATIENCE_MS = 3_000;
/** After this time an isolate without a policy asks again. */
const RETRY_MS = 1_000;
/** What a bundle itself is to blame for. */
const UNUSABLE = /^(policies\.bundle$|config\.)/;
/** A bundle under its SHA-256 stays what it is. */
const CACHE_SECONDS = 86_400;
/** That there is none does not, and KV keeps that for as long as the answer was to be kept: the least that it takes. */
const NONE_SECONDS = 60;

/**
 * @param {(settings: Settings) => Promise<Gateway>} make
 * @param {(line: object) => void} tell
 */
export function createRunning(make, tell) {
	/** @type {Running | undefined} */
	let current;
	/** What was read last: what runs, or what cannot be used. @type {string | undefined} */
	let seen;
	let lookedAt = Number.NEGATIVE_INFINITY;
	/** @type {Failure | undefined} */
	let wrong;
	/** For an audit without a policy. @type {Gateway | undefined} */
	let blind;

	/** @param {Env} env @param {Found} found */
	async function replace(env, { print, settings }) {
		if (current?.print === print) return;
		const gateway = await make({ ...env, ...settings() });
		// In workerd a promise belongs to the request that made it, so each makes its own, and the first one stays.
		if (current?.print === print) return;
		const { state, code, message, note, next } = gateway.state();
		// Of two that refuse everything, the newer one says what is wrong now.
		if (state !== "ok" && current?.gateway.state().state === "ok")
			throw codedError(code ?? "internal", message ?? "");
		const policy = print === "" ? {} : { policy: print };
		const replaced = current !== undefined;
		current = { gateway, print, since: new Date().toISOString() };
		if (
			print !== "" ||
			state !== "ok" ||
			note !== undefined ||
			next !== undefined
		)
			tell({
				event: "configuration",
				state,
				code,
				message,
				note,
				...policy,
				replaced,
				next,
			});
	}

	/** @param {Env} env */
	async function look(env) {
		/** @type {Found | undefined} */
		let found;
		try {
			found = await within(PATIENCE_MS, () => read(env, seen));
			if (found !== undefined) await replace(env, found);
			if (found !== undefined || seen === current?.print) wrong = undefined;
			seen = found?.print ?? seen;
		} catch (error) {
			const failure = failureOf(error);
			// What cannot be used is not tried again until there is something else; what failed in passing is.
			if (UNUSABLE.test(failure.code)) seen = found?.print ?? seen;
			if (failure.message !== wrong?.message)
				tell({
					event: "configuration",
					state: current === undefined ? "missing" : "kept",
					...(found && { policy: found.print }),
					...failure,
				});
			wrong = failure;
		}
		current?.gateway.setStale(wrong !== undefined);
		const again = current === undefined ? RETRY_MS : LOOK_EVERY_MS;
		lookedAt = Date.now() + again - LOOK_EVERY_MS;
	}

	/** @param {Env} env */
	async function upToDate(env) {
		if (Date.now() - lookedAt >= LOOK_EVERY_MS) await look(env);
	}

	return {
		/**
		 * @param {Env} env
		 * @returns {Promise<Gateway>} which rejects where there is none: then nothing is served
		 */
		async gateway(env) {
			await upToDate(env);
			if (current !== undefined) return current.gateway;
			// An audit breaks no pull: the gateway reports that it has no policy.
			if (env.MODE === "audit") {
				blind ??= await make({ ...env, POLICY: "" });
				return blind;
			}
			throw codedError(
				wrong?.code ?? "policies.unavailable",
				wrong?.message ?? "expected a policy, found none",
			);
		},
		/** What this isolate judges by. @param {Env} env */
		async inForce(env) {
			await upToDate(env);
			return {
				policy: current?.print ?? null,
				since: current?.since ?? null,
				...(wrong && { wrong }),
			};
		},
		/**
		 * Puts a policy in force, if it can be understood: every isolate has it with its next look, this one included.
		 *
		 * @param {Env} env
		 * @param {string} text
		 */
		async push(env, text) {
			const object = objectOf(env);
			if (object === undefined || env.POLICIES === undefined)
				throw codedError(
					"policies.not-here",
					"expected POLICIES and POLICY_IN_FORCE to be bound, found that the policy of this gateway comes from elsewhere: change it there",
				);
			const settings = fromBundle(text);
			const print = await printOf(text);
			const gateway = await make({ ...env, ...settings });
			const { state, code, message, next } = gateway.state();
			if (state !== "ok") throw codedError(code ?? "internal", message ?? "");
			await env.POLICIES.put(print, text);
			await object.set(print);
			lookedAt = Number.NEGATIVE_INFINITY;
			return { policy: print, ...(next && { next }) };
		},
	};
}

/**
 * What the source has, if it is another than this.
 *
 * @param {Env} env
 * @param {string} [known]
 * @returns {Promise<Found | undefined>}
 */
async function read(env, known) {
	const { POLICY_FILES, POLICIES } = env;
	if (POLICY_FILES !== undefined) {
		const text = await readFile(POLICY_FILES);
		const print = await printOf(text);
		return print === known
			? undefined
			: { print, settings: () => fromBundle(text) };
	}
	const object = objectOf(env);
	if (object === undefined || POLICIES === undefined)
		return known === "" ? undefined : { print: "", settings: () => ({}) };
	const print = await object.current();
	if (print === known) return undefined;
	if (print === null)
		throw codedError(
			"policies.not-pushed",
			"expected a policy that was pushed, found none yet: sealgate policy push FILE URL",
		);
	/** @type {string | null} */
	let text = null;
	for (const cacheTtl of [CACHE_SECONDS, NONE_SECONDS]) {
		text = await POLICIES.get(print, { type: "text", cacheTtl });
		if (text === null || (await printOf(text)) !== print) continue;
		const bundle = text;
		return { print, settings: () => fromBundle(bundle) };
	}
	throw unavailable(
		`the policy ${print} in KV, found ${text === null ? "nothing" : "another one"} under that key`,
	);
}

/** @param {NonNullable<PolicyBindings["POLICY_FILES"]>} files */
async function readFile(files) {
	const answer = await files.fetch("http://policy.invalid/bundle.json");
	const text = await answer.text();
	if (answer.status !== 200)
		throw unavailable(
			`bundle.json in the folder of POLICY_FILES, found none (${answer.status})`,
		);
	if (text.length > MOST_BUNDLE)
		throw unavailable(
			`at most ${MOST_BUNDLE} bytes in bundle.json, found ${text.length}`,
		);
	return text;
}

/** One for all of it. @param {PolicyBindings} env */
function objectOf({ POLICY_IN_FORCE }) {
	return POLICY_IN_FORCE?.get(POLICY_IN_FORCE.idFromName("policy"));
}

/** @template T @param {number} ms @param {() => Promise<T>} work @returns {Promise<T>} */
async function within(ms, work) {
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	const late = new Promise((_, fail) => {
		timer = setTimeout(
			() => fail(unavailable(`the policy's store to answer within ${ms} ms`)),
			ms,
		);
	});
	try {
		return await /** @type {Promise<T>} */ (Promise.race([work(), late]));
	} finally {
		clearTimeout(timer);
	}
}

/** @param {string} expected */
function unavailable(expected) {
	return codedError("policies.unavailable", `expected ${expected}`);
}

/** @param {unknown} error @returns {Failure} */
function failureOf(error) {
	const { code = "policies.unavailable", message } =
		/** @type {{ code?: string, message: string }} */ (error);
	return { code: String(code), message };
}
