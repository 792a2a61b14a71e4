// The worker's store: the platform's cache, trusted for nothing, and never in the way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../worker/store.js";

test("without a Cache API nothing is there, and nothing fails", async () => {
	const store = createStore();
	await store.save("key", "value", 10);
	assert.equal(await store.load("key"), null);
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
