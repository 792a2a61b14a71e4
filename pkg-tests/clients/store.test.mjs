// The worker's store: the platform's cache, trusted for nothing, and never in the way.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createStore, objectName } from "../../worker/store.js";

test("without a Cache API nothing is there, and nothing fails", async () => {
	const store = createStore();
	await store.save("key", "value", 10);
	assert.equal(await store.load("key"), null);
	assert.ok(!("append" in store), "what was decided is kept nowhere else");
});

test('a Cache API is shared by isolates, and its failures read as "not there"', async () => {
	/** @type {Map<string, Response>} */
	const kept = new Map();
	let broken = false;
	const cache = {
		match: async (/** @type {string} */ url) => {
			if (broken) throw new Error("No Cache was configured");
			return kept.get(url)?.clone();
		},
		put: async (
			/** @type {string} */ url,
			/** @type {Response} */ response,
		) => {
			kept.set(url, response);
		},
	};
	Object.assign(globalThis, { caches: { default: cache } });
	try {
		await createStore().save("a key/ü?", "value", 60);
		assert.equal(
			await createStore().load("a key/ü?"),
			"value",
			"another isolate finds it",
		);
		assert.equal(await createStore().load("other"), null);
		assert.match(
			kept.values().next().value?.headers.get("cache-control") ?? "",
			/max-age=60/,
		);
		broken = true;
		const store = createStore();
		assert.equal(await store.load("a key/ü?"), null);
		await store.save("more", "value", 60);
		assert.equal(kept.size, 1);
	} finally {
		Reflect.deleteProperty(globalThis, "caches");
	}
});

test("each repository has an object, and each day's decisions", () => {
	const digest = `sha256:${"a".repeat(64)}`;
	const upstream = "https://registry.example.com:5000";
	for (const [key, name] of [
		[`hints/${upstream}/team/app`, `repository/${upstream}/team/app`],
		[`news/${upstream}/team/app`, `repository/${upstream}/team/app`],
		[
			`content/${upstream}/team/app/${digest}`,
			`repository/${upstream}/team/app`,
		],
		[`verdict/${upstream}/team/app/0f3a`, `repository/${upstream}/team/app`],
		["decisions/20787", "decisions/20787"],
	])
		assert.equal(objectName(key), name);
});

test("objects that stall or fail hold up nobody, are told of once, and are asked again later", async () => {
	mock.timers.enable({ apis: ["setTimeout", "Date"] });
	try {
		let asked = 0;
		/** @type {() => Promise<string | null>} */
		let answer = () => new Promise(() => {});
		const objects = {
			idFromName: (/** @type {string} */ name) => name,
			get: () => ({
				load: () => {
					asked += 1;
					return answer();
				},
				save: async () => void (await answer()),
				append: async () => void (await answer()),
				readBack: async () => (await answer()) ?? "",
			}),
		};
		/** @type {any[]} */
		const told = [];
		const store = createStore(objects, (line) => told.push(line));
		const waiting = [store.load("hints/u/r"), store.load("hints/u/r")];
		mock.timers.tick(999);
		assert.equal(told.length, 0);
		mock.timers.tick(1);
		assert.deepEqual(await Promise.all(waiting), [null, null]);
		assert.deepEqual(
			told.map(({ code }) => code),
			["store.failed"],
		);
		assert.equal(await store.load("hints/u/r"), null);
		await store.save("hints/u/r", "x", 60);
		await store.append?.("decisions/1", "x", 60);
		assert.equal(await store.readBack?.("decisions/1", [], ""), null);
		assert.equal(asked, 2, "it is left alone");
		mock.timers.tick(10_000);
		answer = async () => "found";
		assert.equal(await store.load("hints/u/r"), "found");
		answer = async () => {
			throw new Error("overloaded");
		};
		assert.equal(await store.load("hints/u/r"), null);
		assert.equal(told.length, 2);
		assert.match(told[1].message, /overloaded/);
	} finally {
		mock.timers.reset();
	}
});
