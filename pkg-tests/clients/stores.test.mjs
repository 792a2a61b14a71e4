// What the gateway is lent may fail, too: a store that is down, slow, full or forged, and a clock that is wrong. Through the package,
// in front of a real docker-registry; what is signed comes out or is "could not find out", what is not never does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { need } from "../lib/clients.mjs";
import { pushLayout, sha256, startRegistry } from "../lib/peers.mjs";

const DEMO = fileURLToPath(new URL("../../fixtures/demo", import.meta.url));
const PROGRAMS = { "docker-registry": "docker-registry" };
const NAME = "demo.example";
const NOW = Math.floor(Date.now() / 1000);
const SIGNED = ["signed", "bundle", "multi", "keyless"];
const REFUSED = ["unsigned", "wrong-key", "other-digest"];
const YEAR = 31_557_600;

/** @typedef {{ load(key: string): Promise<string | null>, save(key: string, value: string, seconds: number): Promise<void> }} Store */

/** @type {import("../lib/peers.mjs").Registry} */ let registry;
/** What a gateway that worked has stored. @type {Map<string, string>} */
const records = new Map();

before(async (t) => {
	if (!need(/** @type {object} */ (t), PROGRAMS)) return;
	registry = await startRegistry();
	for (const image of [...SIGNED, ...REFUSED])
		await pushLayout(registry.host, `demo/${image}`, join(DEMO, image));
});
after(() => registry?.stop());

const never = () => new Promise(() => {});
const later = (/** @type {number} */ ms) =>
	new Promise((done) => setTimeout(done, ms));

/** @type {Record<string, (counts: { calls: number }) => Store>} */
const STORES = {
	"is down": (counts) => ({
		async load() {
			counts.calls += 1;
			throw new Error("no connection");
		},
		async save() {
			throw new Error("no connection");
		},
	}),
	"is slow": (counts) => ({
		async load() {
			counts.calls += 1;
			await later(100);
			return null;
		},
		save: () => later(100),
	}),
	"is full": (counts) => ({
		async load() {
			counts.calls += 1;
			return null;
		},
		async save() {
			throw new Error("no space left");
		},
	}),
	"says yes to everything": (counts) => ({
		async load(key) {
			counts.calls += 1;
			return recordLike(key, () => true);
		},
		async save() {},
	}),
	"gives each question the answer to another": (counts) => ({
		async load(key) {
			counts.calls += 1;
			return recordLike(key, (other) => other !== key);
		},
		async save() {},
	}),
	"gives records with one digit changed": (counts) => ({
		async load(key) {
			counts.calls += 1;
			const value = recordLike(key, () => true);
			return value?.replace(/.$/, (end) => (end === "0" ? "1" : "0")) ?? null;
		},
		async save() {},
	}),
	"gives what is no record": (counts) => ({
		async load() {
			counts.calls += 1;
			return '{"verdict":"allow"}';
		},
		async save() {},
	}),
};

/** A record of the same kind: the text before the first slash. @param {string} key @param {(key: string) => boolean} wanted */
function recordLike(key, wanted) {
	const [kind] = key.split("/");
	for (const [other, value] of records)
		if (other.startsWith(`${kind}/`) && wanted(other)) return value;
	return null;
}

describe("a store", () => {
	test("that works is used", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const gateway = await gatewayWith({
			load: async (key) => records.get(key) ?? null,
			async save(key, value) {
				records.set(key, value);
			},
		});
		for (const image of SIGNED)
			assert.equal((await ask(gateway, image)).status, 200, image);
		for (let turn = 0; records.size === 0 && turn < 100; turn += 1)
			await later(20);
		const kinds = new Set([...records.keys()].map((key) => key.split("/")[0]));
		assert.ok(kinds.has("verdict"), `verdicts are stored: ${[...kinds]}`);
	});

	for (const [what, make] of Object.entries(STORES))
		test(`that ${what} changes no verdict`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const counts = { calls: 0 };
			const gateway = await gatewayWith(make(counts));
			for (const image of [...REFUSED, ...SIGNED, ...REFUSED]) {
				const allowed = SIGNED.includes(image);
				const { status, digest } = await ask(gateway, image);
				assert.equal(status, allowed ? 200 : 403, image);
				if (allowed) assert.equal(digest, await digestOf(image), image);
			}
			assert.ok(counts.calls > 0, "the store was asked");
		});

	test("that never answers is not waited for, and changes no verdict", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const gateway = await gatewayWith(
			{
				load: () => /** @type {Promise<null>} */ (never()),
				save: () => /** @type {Promise<void>} */ (never()),
			},
			500,
		);
		for (const image of [...REFUSED, ...SIGNED]) {
			const answer = await Promise.race([ask(gateway, image), later(3_000)]);
			assert.ok(answer, `${image}: no answer within 3 s`);
			const { status, digest } = /** @type {any} */ (answer);
			const allowed = SIGNED.includes(image);
			assert.ok(
				[allowed ? 200 : 403, 503].includes(status),
				`${image}: ${status}`,
			);
			if (status === 200) assert.equal(digest, await digestOf(image), image);
		}
	});
});

describe("a clock", () => {
	for (const [what, time] of /** @type {[string, number][]} */ ([
		["that stands at 1970", 0],
		["before 1970", -YEAR],
		["of thirty years ago", NOW - 30 * YEAR],
		["an hour slow", NOW - 3_600],
		["an hour fast", NOW + 3_600],
		["of thirty years from now", NOW + 30 * YEAR],
		["at the end of all time", Number.MAX_SAFE_INTEGER],
	]))
		test(`${what} lets nothing unsigned through`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const gateway = await gatewayWith();
			for (const image of REFUSED)
				assert.notEqual((await ask(gateway, image, time)).status, 200, image);
			for (const image of SIGNED) {
				const { status, digest } = await ask(gateway, image, time);
				if (status === 200) assert.equal(digest, await digestOf(image), image);
				// A key has no time; an identity was signed in its own.
				if (image === "signed" && time > 0) assert.equal(status, 200);
			}
		});

	test("that jumps back and forth makes no refusal an allowance", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const gateway = await gatewayWith();
		for (const time of [NOW, NOW - YEAR, NOW + YEAR, NOW, NOW + 5, NOW - 5])
			for (const image of REFUSED)
				assert.equal((await ask(gateway, image, time)).status, 403, image);
	});
});

/** @param {Partial<Store>} [store] @param {number} [requestTimeout] */
async function gatewayWith(store = {}, requestTimeout = 10_000) {
	const { Gateway } = await import(
		fileURLToPath(new URL("../../pkg/node.js", import.meta.url))
	);
	/** @type {Record<string, Uint8Array>} */
	const assets = {};
	for (const name of [
		"cosign.pub",
		"bundle.pub",
		"trusted_root.json",
		"keyring.asc",
	])
		assets[name] = await readFile(join(DEMO, name));
	return Gateway.create(
		{
			upstream: registry.url,
			name: NAME,
			policy: await readFile(join(DEMO, "policy.json")),
			assets,
			secret: "a secret of sixteen bytes and more",
		},
		{
			fetch: (
				/** @type {string} */ url,
				/** @type {RequestInit} */ { method, headers, body },
			) => fetch(url, { method, headers, body }),
			requestTimeout,
			...store,
		},
	);
}

/** @param {any} gateway @param {string} image @param {number} [time] @returns {Promise<{ status: number, digest?: string }>} */
async function ask(gateway, image, time = NOW) {
	try {
		const { status, body } = await gateway.handle({
			method: "GET",
			url: `http://gate.test/v2/demo/${image}/manifests/1.0`,
			headers: new Headers(),
			time,
		});
		return { status, ...(body && { digest: sha256(body) }) };
	} catch {
		// The shell answers 503 without content.
		return { status: 503 };
	}
}

/** @param {string} image */
async function digestOf(image) {
	const index = JSON.parse(
		await readFile(join(DEMO, image, "index.json"), "utf8"),
	);
	return index.manifests[0].digest;
}
