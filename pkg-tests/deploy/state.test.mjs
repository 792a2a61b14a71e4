// What a Durable Object keeps, in workerd: within its bounds, for as long as it was told, and hints before all else.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../lib/serve.mjs";
import { root, startProcess, workerd } from "./front.mjs";

/** Calls what it is told of the object that it is told, and gives the answers. */
const CALLER = `import { RepositoryState as Kept } from "./state.js";
// An alarm cannot be called from outside.
export class RepositoryState extends Kept { clean() { return this.alarm(); } }
export default {
	async fetch(request, { STATE }) {
		if (request.method === "GET") return new Response();
		const { name, calls } = await request.json();
		const object = STATE.get(STATE.idFromName(name));
		const answers = [];
		for (const [method, ...args] of calls)
			answers.push((await object[method](...args)) ?? null);
		return Response.json(answers);
	},
};
`;
const CONFIG = (
	/** @type {number} */ port,
) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "caller", worker = .caller),
    (name = "state", disk = (path = "state", writable = true))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "caller")]
);
const caller :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [
    (name = "caller.js", esModule = embed "caller.js"),
    (name = "state.js", esModule = embed "state.js")
  ],
  bindings = [(name = "STATE", durableObjectNamespace = "RepositoryState")],
  durableObjectNamespaces = [(className = "RepositoryState", uniqueKey = "test", enableSql = true)],
  durableObjectStorage = (localDisk = "state")
);
`;
const HINTS = 30 * 24 * 3_600;
const HOUR = 3_600;

/** @type {string} */
let folder;
/** @type {import("./front.mjs").Process} */
let at;
/** @param {string} name @param {unknown[][]} calls */
async function call(name, ...calls) {
	const answer = await fetch(at.url, {
		method: "POST",
		body: JSON.stringify({ name, calls }),
	});
	assert.equal(answer.status, 200, await answer.clone().text());
	return answer.json();
}

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "sealgate-state-"));
	await cp(join(root, "worker/state.js"), join(folder, "state.js"));
	const port = await freePort();
	await writeFile(join(folder, "caller.js"), CALLER);
	await writeFile(join(folder, "config.capnp"), CONFIG(port));
	const args = ["serve", join(folder, "config.capnp")];
	await mkdir(join(folder, "state"));
	at = await startProcess(workerd, args, {}, port, folder);
});
after(async () => {
	await at?.stop();
	await rm(folder, { recursive: true, force: true });
});

test("what was saved is there, until it ends, and in its own object", async () => {
	const found = await call(
		"one",
		["load", "k"],
		["save", "k", "first", HOUR],
		["save", "k", "second", HOUR],
		["load", "k"],
		["save", "none", "x", 0],
		["save", "none", "x", -5],
		["load", "none"],
		["save", "short", "x", 1],
		["load", "short"],
	);
	assert.deepEqual(found[0], null);
	assert.equal(found[3], "second");
	assert.equal(found[6], null);
	assert.equal(found[8], "x");
	assert.deepEqual(await call("other", ["load", "k"]), [null]);
	await new Promise((done) => setTimeout(done, 1_100));
	assert.deepEqual(await call("one", ["load", "short"], ["load", "k"]), [
		null,
		"second",
	]);
});

test("records that push are pushed out, and hints are not", async () => {
	const many = Array.from({ length: 1_500 }, (_, n) => [
		"save",
		`content/${n}`,
		"x",
		HOUR + n,
	]);
	await call("many", ["save", "hints/r", "all of them", HINTS], ...many);
	const loads = many.map(([, key]) => ["load", key]);
	const kept = (await call("many", ...loads)).filter(Boolean).length;
	assert.ok(kept >= 700 && kept <= 1_000, String(kept));
	const [hints, first, last] = await call(
		"many",
		["load", "hints/r"],
		["load", "content/0"],
		["load", "content/1499"],
	);
	assert.deepEqual([hints, first, last], ["all of them", null, "x"]);
});

test("so are characters", async () => {
	const large = "x".repeat(500_000);
	for (let n = 0; n < 30; n += 1)
		await call("large", ["save", `content/${n}`, large, HOUR + n]);
	const loads = Array.from({ length: 30 }, (_, n) => ["load", `content/${n}`]);
	const kept = (await call("large", ...loads)).filter(Boolean).length;
	assert.ok(kept >= 12 && kept <= 16, String(kept));
	const [tooLarge, longKey] = (
		await call(
			"large",
			["save", "v", "x".repeat(600_000), HOUR],
			["load", "v"],
			["save", "k".repeat(2_000), "x", HOUR],
			["load", "k".repeat(2_000)],
		)
	).filter((/** @type {unknown} */ _, /** @type {number} */ n) => n % 2 === 1);
	assert.deepEqual([tooLarge, longKey], [null, null]);
});

test("a log is read back newest first, piece by piece, and by what stands in it", async () => {
	assert.deepEqual(await call("log", ["readBack", [], ""]), ["\n\n"]);
	const began = Math.floor(Date.now() / 1000);
	const records = Array.from({ length: 400 }, (_, n) => [
		"append",
		`{"id":"${n}","verdict":"${n % 40 === 0 ? "deny" : "allow"}"}${"x".repeat(3_000)}`,
		HOUR,
	]);
	await call("log", ...records);
	/** @param {string[]} holding */
	const pieces = async (holding) => {
		const texts = [];
		let before = "";
		do {
			const [piece] = await call("log", ["readBack", holding, before]);
			const [since, next, ...lines] = piece.split("\n");
			assert.ok(Math.abs(Number(since) - began) <= 5, since);
			assert.ok(next === "" || before === "" || next < before, next);
			texts.push(lines.join("\n"));
			before = next;
		} while (before !== "");
		return texts;
	};
	const ids = (/** @type {string[]} */ texts) =>
		texts.map((text) =>
			[...text.matchAll(/"id":"(\d+)"/g)].map(([, id]) => Number(id)),
		);
	const all = ids(await pieces([]));
	assert.ok(all.length > 1, "it does not come at once");
	assert.deepEqual(
		all.flat().sort((a, b) => a - b),
		records.map((_, n) => n),
	);
	// Of two pieces the first is the newer one.
	assert.ok(Math.min(...all[0]) > Math.max(...all[1]));
	const [[...one]] = ids(await pieces(['"id":"7"']));
	assert.ok(one.includes(7) && one.length < 30, String(one));
	const refused = ids(await pieces(['"verdict":"deny"', '"verdict":"audit"']));
	const found = refused.flat().filter((n) => n % 40 === 0);
	assert.equal(found.length, 10);
	const [nothing] = await call("log", ["readBack", [], "0"]);
	assert.match(nothing, /^\d+\n\n$/);
	const [none] = await call("log", ["readBack", ["' OR '1'='1"], ""]);
	assert.match(none, /^\d+\n\n$/);
});

test("a log is bounded, and its newest records stay", async () => {
	const record = "x".repeat(32 * 1024);
	for (let n = 0; n < 20; n += 1)
		await call(
			"full",
			...Array.from({ length: 20 }, (_, m) => [
				"append",
				`"id":"${20 * n + m}",${record}`,
				HOUR,
			]),
		);
	const has = async (/** @type {number} */ id) => {
		const [piece] = await call("full", ["readBack", [`"id":"${id}"`], ""]);
		return piece.includes(`"id":"${id}"`);
	};
	assert.deepEqual(
		[await has(0), await has(399), await has(250)],
		[false, true, true],
	);
	await call("short", ["append", "x", 1]);
	await new Promise((done) => setTimeout(done, 1_100));
	assert.deepEqual(
		await call("short", ["readBack", [], ""], ["clean"], ["readBack", [], ""]),
		["\n\n", null, "\n\n"],
	);
});

test("cleaning leaves what has not ended, and an empty object can be used again", async () => {
	await call("clean", ["save", "short", "x", 1], ["save", "long", "y", HOUR]);
	await new Promise((done) => setTimeout(done, 1_100));
	const after = await call("clean", ["clean"], ["load", "long"]);
	assert.equal(after[1], "y");
	await call("empty", ["save", "short", "x", 1]);
	await new Promise((done) => setTimeout(done, 1_100));
	const again = await call(
		"empty",
		["clean"],
		["load", "short"],
		["clean"],
		["save", "new", "z", HOUR],
		["load", "new"],
	);
	assert.deepEqual([again[1], again[4]], [null, "z"]);
});
