// What a request waited for, as Server-Timing says it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { builtPackage } from "./support.mjs";

const { createTimes } = await import(
	pathToFileURL(join(builtPackage(), "times.js")).href
);

test("what is under way at once is not counted twice, and each kind for itself", async () => {
	let now = 0;
	const times = createTimes(() => now);
	/** Something that lasts until it is ended. @param {string} kind */
	const begin = (kind) => {
		/** @type {() => void} */
		let end = () => {};
		const done = times.during(
			kind,
			() => new Promise((ended) => (end = () => ended(undefined))),
		);
		return async () => {
			end();
			await done;
		};
	};
	const [first, second] = [begin("registry"), begin("registry")];
	now = 10;
	const checks = begin("checks");
	now = 15;
	await checks();
	await first();
	now = 60;
	await second();
	now = 100;
	const again = begin("registry");
	now = 103;
	await again();
	assert.equal(times.with({}).timing, "registry;dur=63, checks;dur=5");
});

test("what fails was waited for, too; where nothing was, nothing is said", async () => {
	let now = 0;
	const times = createTimes(() => now);
	assert.deepEqual(times.with({ kind: "respond" }), { kind: "respond" });
	const failing = times.watch({
		fetch: async () => {
			now = 30;
			throw new Error("down");
		},
	});
	await assert.rejects(failing.fetch(), /down/);
	assert.equal(failing.load, undefined);
	assert.deepEqual(times.with({ kind: "respond" }), {
		kind: "respond",
		timing: "registry;dur=30",
	});
});
