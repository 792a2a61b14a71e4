// When a worker looks where its policy comes from, and what it does with what it finds, by a clock and stores of the test's own.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { printOf, toBundle } from "../../pkg/bundle.js";
import { createRunning } from "../../pkg/worker/policy.js";

const SECOND = 1_000;
/** @param {string} text what a gateway makes of it is in its first word */
const bundle = (text) =>
	toBundle({ policy: new TextEncoder().encode(text), assets: {} });

/** @type {Map<string, string>} */
let stored;
/** @type {string | null} */
let pushed;
/** @type {string[]} */
let asked;
/** @type {any[]} */
let told;
let stalls = false;
/** What the gateway in force is told. @type {boolean | undefined} */
let stale;

const env = {
	POLICIES: {
		async get(/** @type {string} */ key) {
			asked.push("get");
			return stored.get(key) ?? null;
		},
		async put(/** @type {string} */ key, /** @type {string} */ value) {
			asked.push("put");
			stored.set(key, value);
		},
	},
	POLICY_IN_FORCE: {
		idFromName: (/** @type {string} */ name) => name,
		get: () => ({
			async current() {
				asked.push("current");
				return stalls ? new Promise(() => {}) : pushed;
			},
			async set(/** @type {string} */ policy) {
				asked.push("set");
				pushed = policy;
			},
		}),
	},
};

let trap = false;
/** @type {any} */
let running;
beforeEach(() => {
	mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000_000_000 });
	stored = new Map();
	pushed = null;
	asked = [];
	told = [];
	stalls = false;
	trap = false;
	running = createRunning(
		/** @type {any} */ (
			async ({ POLICY }) => {
				await new Promise(setImmediate);
				if (trap)
					throw Object.assign(new Error("trapped"), { code: "internal" });
				const text = POLICY === "" ? "" : new TextDecoder().decode(POLICY);
				const state = text.startsWith("bad") ? "misconfigured" : "ok";
				return {
					text,
					/** @param {boolean} isStale */
					setStale: (isStale) => (stale = isStale),
					state: () =>
						state === "ok"
							? { state }
							: { state, code: "config.policy", message: text },
				};
			}
		),
		(line) => told.push(line),
	);
});
afterEach(() => mock.timers.reset());

const judges = async () => (await running.gateway(env)).text;
/** Past everybody. @param {string} text @param {string} [value] what stands there instead */
async function put(text, value = bundle(text)) {
	pushed = await printOf(bundle(text));
	stored.set(pushed, value);
}

test("it looks every five seconds when it is asked, and before it judges", async () => {
	await put("one");
	assert.equal(await judges(), "one");
	await put("two");
	asked = [];
	mock.timers.tick(5 * SECOND - 1);
	assert.equal(await judges(), "one");
	assert.deepEqual(asked, []);
	mock.timers.tick(1);
	assert.equal(await judges(), "two");
	assert.deepEqual(asked, ["current", "get"]);
	await put("three");
	mock.timers.tick(3_600 * SECOND);
	assert.equal(await judges(), "three", "also after an idle hour");
	asked = [];
	mock.timers.tick(5 * SECOND);
	assert.equal(await judges(), "three");
	assert.deepEqual(asked, ["current"], "what is known is not read again");
});

test("what is in KV is what was pushed, or is not taken", async () => {
	await put("one");
	await judges();
	await put("two", bundle("three"));
	mock.timers.tick(5 * SECOND);
	assert.equal(await judges(), "one");
	stored.delete(String(pushed));
	for (let look = 0; look < 3; look += 1) {
		mock.timers.tick(5 * SECOND);
		assert.equal(await judges(), "one");
	}
	assert.deepEqual(
		told.filter(({ state }) => state === "kept").map(({ code }) => code),
		["policies.unavailable", "policies.unavailable"],
	);
	await put("two");
	mock.timers.tick(5 * SECOND);
	assert.equal(await judges(), "two", "it is asked for again");
	assert.equal((await running.inForce(env)).wrong, undefined);
});

test("an object that stalls holds up a request for three seconds, and the next ones not at all", async () => {
	await put("one");
	await judges();
	await put("two");
	stalls = true;
	mock.timers.tick(5 * SECOND);
	const waiting = judges();
	await new Promise(setImmediate);
	mock.timers.tick(3 * SECOND);
	assert.equal(await waiting, "one");
	asked = [];
	assert.equal(await judges(), "one");
	assert.deepEqual(asked, []);
	assert.equal(told.at(-1).code, "policies.unavailable");
	stalls = false;
	mock.timers.tick(5 * SECOND);
	assert.equal(await judges(), "two");
});

test("one that cannot serve never replaces one that does, and is told once", async () => {
	await put("one");
	await judges();
	await put("bad one");
	for (let look = 0; look < 3; look += 1) {
		mock.timers.tick(5 * SECOND);
		assert.equal(await judges(), "one");
	}
	const kept = told.filter(({ state }) => state === "kept");
	assert.deepEqual(
		kept.map(({ code }) => code),
		["config.policy"],
	);
	assert.equal(stale, true, "in the metrics");
	await put("one");
	mock.timers.tick(5 * SECOND);
	assert.equal(await judges(), "one");
	assert.equal(stale, false);
	assert.equal((await running.inForce(env)).wrong, undefined, "taken back");
});

test("what failed in passing is tried again", async () => {
	await put("one");
	trap = true;
	await assert.rejects(judges(), { code: "internal" });
	trap = false;
	mock.timers.tick(SECOND);
	assert.equal(await judges(), "one");
});

test("with nothing pushed nothing is judged, and an audit has no policy", async () => {
	await assert.rejects(judges(), { code: "policies.not-pushed" });
	const audit = await running.gateway({ ...env, MODE: "audit" });
	assert.equal(audit.text, "");
	await put("one");
	mock.timers.tick(SECOND);
	assert.equal(await judges(), "one");
});

test("a push stores the policy before it says that it is in force, and nothing of a bad one", async () => {
	await running.push(env, bundle("one"));
	assert.deepEqual(asked, ["put", "set"]);
	assert.equal(await judges(), "one");
	asked = [];
	await assert.rejects(running.push(env, bundle("bad")), {
		code: "config.policy",
	});
	await assert.rejects(running.push(env, "{"), { code: "policies.bundle" });
	assert.deepEqual(asked, []);
	assert.equal(await judges(), "one");
	await assert.rejects(running.push({}, bundle("two")), {
		code: "policies.not-here",
	});
});

test("of many that ask at once, each has the new one", async () => {
	await put("one");
	await judges();
	await put("two");
	mock.timers.tick(5 * SECOND);
	assert.deepEqual(await Promise.all([judges(), judges(), judges()]), [
		"two",
		"two",
		"two",
	]);
	const replaced = told.filter(({ replaced }) => replaced);
	assert.equal(replaced.length, 1);
});
