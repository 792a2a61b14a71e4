// The worker's store: bounded, forgetful, and never in the way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../../worker/store.js";

test("what was saved is there until its time is over", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const store = createStore();
  await store.save("key", "value", 10);
  assert.equal(await store.load("key"), "value");
  assert.equal(await store.load("other"), null);
  t.mock.timers.tick(10_000);
  assert.equal(await store.load("key"), null);
});

test("a newer value replaces the older one; no time at all removes it", async () => {
  const store = createStore();
  await store.save("key", "old", 60);
  await store.save("key", "new", 60);
  assert.equal(await store.load("key"), "new");
  await store.save("key", "gone", 0);
  assert.equal(await store.load("key"), null);
});

test("the oldest entries make room, by number and by size", async () => {
  const store = createStore();
  for (let index = 0; index <= 10_000; index += 1) await store.save(`key ${index}`, "value", 60);
  assert.equal(await store.load("key 0"), null);
  assert.equal(await store.load("key 10000"), "value");

  const large = "x".repeat(9 * 1024 * 1024);
  await store.save("large 1", large, 60);
  await store.save("large 2", large, 60);
  assert.equal(await store.load("large 1"), null);
  assert.equal(await store.load("large 2"), large);
  await store.save("too large", large + large, 60);
  assert.equal(await store.load("too large"), null);
  assert.equal(await store.load("large 2"), large);
});

test("a Cache API stands behind the memory, and its failures read as \"not there\"", async () => {
  /** @type {Map<string, Response>} */
  const kept = new Map();
  let broken = false;
  const cache = {
    match: async (/** @type {string} */ url) => { if (broken) throw new Error("No Cache was configured"); return kept.get(url)?.clone(); },
    put: async (/** @type {string} */ url, /** @type {Response} */ response) => { kept.set(url, response); },
  };
  Object.assign(globalThis, { caches: { default: cache } });
  try {
    await createStore().save("a key/ü?", "value", 60);
    assert.equal(await createStore().load("a key/ü?"), "value", "another isolate finds it");
    assert.match(kept.values().next().value?.headers.get("cache-control") ?? "", /max-age=60/);
    broken = true;
    assert.equal(await createStore().load("a key/ü?"), null);
  } finally {
    Reflect.deleteProperty(globalThis, "caches");
  }
});
