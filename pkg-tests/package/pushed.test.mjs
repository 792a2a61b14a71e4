// What the worker makes of a store of pushed policies that behaves as Cloudflare's does and wrangler's local one does not: KV keeps
// in each place that it found nothing, for as long as whoever asked wanted answers kept
// (developers.cloudflare.com/kv/concepts/how-kv-works, "cacheTtl"; "negative lookups").

import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, mock, test } from "node:test";
import { root } from "./support.mjs";

const { createRunning } = await import(join(root, "pkg/worker/policy.js"));
const { Gateway } = await import(join(root, "pkg/node.js"));
const { configOf } = await import(join(root, "pkg/config.js"));
const { toBundle, printOf } = await import(join(root, "pkg/bundle.js"));

const REJECT = '{"default": [{"type": "reject"}]}';
const UPSTREAM = { UPSTREAM: "https://registry.example" };
const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
const bundle = (more = {}) =>
	toBundle({ policy: bytes(REJECT), assets: {}, ...more });

/** One place, and all that is written anywhere. */
function createKv() {
	/** @type {Map<string, string>} */
	const written = new Map();
	/** @type {Map<string, { value: string | null, at: number }>} */
	const seen = new Map();
	return {
		written,
		/** @param {string} key @param {{ cacheTtl: number }} options */
		async get(key, { cacheTtl }) {
			assert.ok(cacheTtl >= 60, "Cloudflare takes no less");
			const known = seen.get(key);
			if (known && Date.now() - known.at < cacheTtl * 1_000) return known.value;
			const value = written.get(key) ?? null;
			seen.set(key, { value, at: Date.now() });
			return value;
		},
		/** @param {string} key @param {string} value */
		async put(key, value) {
			written.set(key, value);
		},
	};
}

function createObject() {
	/** @type {string | null} */
	let policy = null;
	const object = {
		current: async () => policy,
		/** @param {string} next */
		set: async (next) => {
			policy = next;
		},
	};
	return { idFromName: () => "policy", get: () => object, object };
}

/** @type {object[]} */
let given;
const isolate = () =>
	createRunning(
		(/** @type {any} */ settings) => {
			given.push(settings);
			return Gateway.create(configOf(settings));
		},
		() => {},
	);

beforeEach(() => {
	given = [];
	mock.timers.reset();
	mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
});

test("a bundle that was not there a moment ago is had soon, not in a day", async () => {
	const POLICIES = createKv();
	const POLICY_IN_FORCE = createObject();
	const env = { ...UPSTREAM, POLICIES, POLICY_IN_FORCE };
	const text = bundle();
	const print = await printOf(text);
	await POLICY_IN_FORCE.object.set(print);
	const here = isolate();
	for (const wrong of [undefined, "{}"]) {
		if (wrong === undefined) POLICIES.written.delete(print);
		else POLICIES.written.set(print, wrong);
		mock.timers.tick(86_400_000);
		await assert.rejects(here.gateway(env), { code: "policies.unavailable" });
		await isolate().push(env, text);
		mock.timers.tick(70_000);
		assert.equal((await isolate().inForce(env)).policy, print, String(wrong));
	}
	assert.equal((await here.inForce(env)).policy, print);
});

test("what is kept is used for as long as it may be", async () => {
	const POLICIES = createKv();
	const env = { ...UPSTREAM, POLICIES, POLICY_IN_FORCE: createObject() };
	const { policy } = await isolate().push(env, bundle());
	await isolate().gateway(env);
	mock.timers.tick(80_000_000);
	POLICIES.written.clear();
	assert.equal((await isolate().inForce(env)).policy, policy);
});

test("a bundle is the whole of it: nothing of the settings is mixed in", async () => {
	const env = {
		...UPSTREAM,
		POLICY_NEXT: "{",
		REGISTRIES_D: '{"x.yaml": "eA=="}',
		POLICIES: createKv(),
		POLICY_IN_FORCE: createObject(),
	};
	await isolate().push(env, bundle());
	const gateway = await isolate().gateway(env);
	assert.equal(gateway.state().next, undefined);
	for (const settings of given) {
		const { policyNext, registriesD } = /** @type {any} */ (configOf(settings));
		assert.deepEqual([policyNext, registriesD], [undefined, undefined]);
	}
	assert.equal(given.length, 2);
});
