// The driver around the module: bounds, times, traps. The faults come from a stand-in, since the module is not to have them.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { apiOver, createApi, echo, fetchAsk, standIn } from "./stand-in.mjs";
import { builtPackage } from "./support.mjs";

const load = (file) => import(join(builtPackage(), file));

/** @param {Error} error */
const isInternal = (error) =>
	error.code === "internal" &&
	/later calls are not affected/.test(error.message);

for (const [name, Trap] of [
	["a panic", WebAssembly.RuntimeError],
	["a stack that ran over", RangeError],
]) {
	test(`${name} after an await fails every task in flight, and the next call works`, async () => {
		const glue = standIn(({ reference }, answers) => {
			if (reference === "quiet")
				return answers.length === 0
					? { asks: [fetchAsk(1)] }
					: { done: { verdict: "deny" } };
			if (answers.length === 0) return { asks: [fetchAsk(1)] };
			throw new Trap("unreachable");
		});
		const api = apiOver(glue);
		const gateway = await api.Gateway.create({ policy: "{}" });
		const stopped = [];
		const never = (_, { signal }) =>
			new Promise((_, reject) =>
				signal.addEventListener("abort", () =>
					reject(stopped.push(signal.reason.code)),
				),
			);
		const inFlight = api.verifyImage("quiet", { fetch: never });
		await assert.rejects(
			api.verifyImage("loud", { fetch: async () => new Response("ok") }),
			isInternal,
		);
		await assert.rejects(inFlight, isInternal);
		assert.deepEqual(stopped, ["internal"], "its request was ended");
		assert.deepEqual(
			[glue.resets, glue.freed],
			[1, 0],
			"nothing of the old module is touched",
		);
		assert.equal(
			(
				await api.verifyImage("quiet", {
					fetch: async () => new Response("ok"),
				})
			).verdict,
			"deny",
		);
		assert.equal(glue.freed, 1);
		assert.equal(glue.made, 1);
		gateway.setStale(true);
		assert.deepEqual(glue.stale, [], "the one of before is not touched");
		await gateway.handle({ method: "GET", url: "quiet", headers: [] });
		assert.equal(glue.made, 2, "the gateway was made again");
		assert.deepEqual(glue.stale, [[2, true]], "and told what the other was");
		gateway.setStale(false);
		assert.deepEqual(glue.stale.at(-1), [2, false]);
	});
}

test("a module that cannot start over, such as wasm-pack's, is not entered again after a trap", async () => {
	let entered = 0;
	const { __wbg_reset_state: _, ...glue } = standIn(
		({ reference }, answers) => {
			entered += 1;
			if (reference === "quiet" || answers.length === 0)
				return { asks: [fetchAsk(1)] };
			throw new WebAssembly.RuntimeError("unreachable");
		},
	);
	const api = apiOver(glue);
	const gateway = await api.Gateway.create({ policy: "{}" });
	const isOver = ({ code, message }) =>
		code === "internal" && /every later call fails, too/.test(message);
	const inFlight = api.verifyImage("quiet", {
		fetch: () => new Promise(() => {}),
	});
	const loud = { fetch: async () => new Response("ok") };
	await assert.rejects(api.verifyImage("loud", loud), isOver);
	await assert.rejects(inFlight, isOver);
	assert.equal(entered, 3);
	await assert.rejects(api.verifyImage("loud", loud), isOver);
	assert.throws(() => api.parseReference("a"), isOver);
	await assert.rejects(
		gateway.handle({ method: "GET", url: "quiet", headers: [] }),
		isOver,
	);
	assert.equal(entered, 3);
});

test("the real module starts over: what it made before is gone, the next call works", async () => {
	const glue = await load("sealgate_full.js");
	glue.initSync({
		module: readFileSync(join(builtPackage(), "sealgate_full_bg.wasm")),
	});
	const loud = () => ({
		advance: () => {
			throw new WebAssembly.RuntimeError("unreachable");
		},
		free: () => {},
	});
	const api = apiOver({
		...glue,
		startVerify: (options) =>
			options.reference === "loud" ? loud() : glue.startVerify(options),
	});
	const gateway = await api.Gateway.create({
		upstream: "http://registry.example",
		name: "registry.example",
		policy: '{"default": [{"type": "reject"}]}',
	});
	assert.equal(gateway.state().state, "ok");
	const request = () =>
		gateway.handle({
			method: "GET",
			url: "http://localhost/v2/a/manifests/b",
			headers: [],
		});
	const publicKey = generateKeyPairSync("ec", {
		namedCurve: "P-256",
	}).publicKey.export({ type: "spki", format: "pem" });
	for (let round = 0; round < 50; round += 1) {
		const never = (_, { signal }) =>
			new Promise((_, reject) => signal.addEventListener("abort", reject));
		const inFlight = assert.rejects(
			api.verifyImage("registry.example/a:b", {
				policy: '{"default": [{"type": "sigstoreSigned", "keyPath": "k"}]}',
				assets: { k: publicKey },
				fetch: never,
			}),
			isInternal,
		);
		await assert.rejects(api.verifyImage("loud"), isInternal);
		await inFlight;
		assert.equal(api.parseReference("a:b").canonical, "docker.io/library/a:b");
	}
	assert.equal(gateway.state().state, "ok");
	assert.equal((await request()).kind, "respond");
});

test("a module that was never loaded is called so, with what to do", async () => {
	// A module of its own, since another test loads the first.
	const glue = await import(
		`${pathToFileURL(join(builtPackage(), "sealgate_full.js"))}?uninitialised`
	);
	const api = apiOver(glue);
	const isUninitialised = (error) =>
		error.code === "host.not-initialised" && /init\(\)/.test(error.message);
	assert.throws(() => api.version(), isUninitialised);
	assert.throws(() => api.parseReference("a"), isUninitialised);
	await assert.rejects(api.policyLint("{}"), isUninitialised);
	await assert.rejects(api.verifyImage("a", { key: "k" }), isUninitialised);
	await assert.rejects(api.Gateway.create({ policy: "{}" }), isUninitialised);
	glue.initSync({
		module: readFileSync(join(builtPackage(), "sealgate_full_bg.wasm")),
	});
	assert.match(api.version(), /^\d/);
});

test("a trap in a synchronous call is met by the same guard", () => {
	const glue = Object.assign(
		standIn(() => ({})),
		{
			parseReference: () => {
				throw new WebAssembly.RuntimeError("unreachable");
			},
		},
	);
	const api = apiOver(glue);
	assert.throws(() => api.parseReference("x"), isInternal);
	assert.equal(glue.resets, 1);
	assert.equal(api.version(), "0.0.0");
});

test("an error with a code passes through and starts nothing over", async () => {
	const glue = standIn(() => {
		throw Object.assign(new RangeError("too many"), { code: "limit.some" });
	});
	await assert.rejects(apiOver(glue).verifyImage("x"), { code: "limit.some" });
	assert.deepEqual([glue.resets, glue.freed], [0, 1]);
});

test("a task that waits for nothing is internal, not for ever", async () => {
	await assert.rejects(
		apiOver(standIn(() => ({ asks: [] }))).verifyImage("x"),
		isInternal,
	);
});

test("a pause gives everything else that waits its turn", async () => {
	let left = 20;
	const glue = standIn((_, answers) => {
		if (answers.length > 0) left -= 1;
		return answers.length > 0 && left === 0
			? { done: answers[0] }
			: { asks: [{ id: left, kind: "pause" }] };
	});
	let [turns, over] = [0, false];
	const other = () => {
		turns += 1;
		if (!over) setImmediate(other);
	};
	setImmediate(other);
	assert.deepEqual(await apiOver(glue).verifyImage("x"), {
		id: 1,
		value: null,
	});
	over = true;
	assert.ok(turns >= 19, `${turns} turns`);
});

test("asks that the driver does not know are answered with an error", async () => {
	const { error } = await apiOver(echo({ id: 1, kind: "sing" })).verifyImage(
		"x",
	);
	assert.equal(error.kind, "other");
});

test("answers arrive as they come, several in one call", async () => {
	const calls = [];
	const glue = standIn((_, answers) => {
		calls.push(answers.map(({ id }) => id));
		if (calls.length === 1)
			return {
				asks: [fetchAsk(1, { url: "http://a/slow" }), fetchAsk(2), fetchAsk(3)],
			};
		return calls.flat().length === 3
			? { done: { verdict: "deny" } }
			: { asks: [] };
	});
	const fetch = async (url) => {
		if (url.endsWith("slow"))
			await new Promise((resolve) => setTimeout(resolve, 30));
		return new Response("ok");
	};
	await apiOver(glue).verifyImage("x", { fetch });
	assert.deepEqual(calls, [[], [2, 3], [1]]);
});

test("a task that is done ends what is still under way, and leaves alone what is not", async () => {
	const glue = standIn((_, answers) =>
		answers.length === 0
			? { asks: [fetchAsk(1), fetchAsk(2)] }
			: { done: { verdict: "deny" } },
	);
	/** @type {AbortSignal[]} */
	const signals = [];
	const asked = async () => {
		await apiOver(glue).verifyImage("a", {
			fetch: async (_, { signal }) => {
				signals.push(signal);
				return signals.length === 1
					? new Response("ok")
					: new Promise(() => {});
			},
		});
		await new Promise((done) => setTimeout(done));
		return signals.map((signal) => signal.aborted);
	};
	assert.deepEqual(await asked(), [false, true]);
});

test("a body of the bound passes, one byte more does not and ends the transfer", async () => {
	const { server, address, sent } = await endlessServer();
	const api = apiOver(
		echo(fetchAsk(1, { url: `${address}/endless`, maxBytes: 1000 })),
	);
	const { error } = await api.verifyImage("x");
	assert.equal(error.kind, "too-large");
	await new Promise((resolve) => server.once("stopped", resolve));
	assert.ok(sent() < 64 * 1024 * 1024, `sent ${sent()}`);

	const exact = apiOver(echo(fetchAsk(1, { maxBytes: 1000 })));
	const { response } = await exact.verifyImage("x", {
		fetch: async () => new Response(new Uint8Array(1000)),
	});
	assert.equal(response.body.length, 1000);
	const over = await exact.verifyImage("x", {
		fetch: async () => new Response(new Uint8Array(1001)),
	});
	assert.equal(over.error.kind, "too-large");
});

test("redirects are handed to the core, headers and statuses as they came", async () => {
	const { address } = await endlessServer();
	const api = apiOver(echo(fetchAsk(1, { url: `${address}/redirect` })));
	const { response } = await api.verifyImage("x");
	assert.equal(response.status, 307);
	assert.deepEqual(
		response.headers.find(([name]) => name === "location"),
		["location", "/elsewhere"],
	);
	assert.equal(response.url, undefined);
	const followed = createApi(
		echo(fetchAsk(1, { url: `${address}/redirect` })),
		{ requestInit: { redirect: "follow" } },
	);
	assert.equal(
		(await followed.verifyImage("x")).response.url,
		`${address}/elsewhere`,
	);
});

test("a HEAD has no body", async () => {
	const { address } = await endlessServer();
	const { response } = await apiOver(
		echo(fetchAsk(1, { method: "HEAD", url: `${address}/endless` })),
	).verifyImage("x");
	assert.deepEqual([response.status, response.body.length], [200, 0]);
});

test("silence ends as a timeout, in headers or within the body", async () => {
	const { address } = await endlessServer();
	for (const path of ["silent", "halting"]) {
		const { error } = await apiOver(
			echo(fetchAsk(1, { url: `${address}/${path}` })),
		).verifyImage("x", { timeout: 100 });
		assert.equal(error.kind, "timeout", path);
	}
});

test("no server, and a connection that breaks within the body, are unreachable with the reason", async () => {
	const { address } = await endlessServer();
	const closed = await apiOver(
		echo(fetchAsk(1, { url: "http://127.0.0.1:9/" })),
	).verifyImage("x");
	assert.equal(closed.error.kind, "unreachable");
	assert.match(closed.error.message, /ECONNREFUSED|bad port/);
	const broken = await apiOver(
		echo(fetchAsk(1, { url: `${address}/broken` })),
	).verifyImage("x");
	assert.equal(broken.error.kind, "unreachable");
});

test("WebCrypto imports a key once, and only true is true", async () => {
	const pair = await crypto.subtle.generateKey(
		{ name: "ECDSA", namedCurve: "P-256" },
		true,
		["sign", "verify"],
	);
	const spki = new Uint8Array(
		await crypto.subtle.exportKey("spki", pair.publicKey),
	);
	const data = new TextEncoder().encode("data");
	const verifyAlgorithm = { name: "ECDSA", hash: "SHA-256" };
	const signature = new Uint8Array(
		await crypto.subtle.sign(verifyAlgorithm, pair.privateKey, data),
	);
	const check = {
		importAlgorithm: { name: "ECDSA", namedCurve: "P-256" },
		spki,
		verifyAlgorithm,
		signature,
		data,
		keyId: "one",
	};
	const { createWebCrypto } = await load("webcrypto.js");
	const { verify } = createWebCrypto();
	const { importKey } = crypto.subtle;
	let imports = 0;
	crypto.subtle.importKey = (...args) => {
		imports += 1;
		return importKey.apply(crypto.subtle, args);
	};
	try {
		assert.deepEqual(await verify(check), { verified: true });
		assert.deepEqual(
			await verify({ ...check, signature: new Uint8Array(64) }),
			{ verified: false },
		);
		assert.equal(imports, 1);
		const failed = await verify({
			...check,
			keyId: "two",
			spki: new Uint8Array(8),
		});
		assert.equal(failed.error.kind, "other");
		assert.deepEqual(
			await verify({ ...check, keyId: "two" }),
			{ verified: true },
			"a failed import is not kept",
		);
		for (let key = 0; key < 100; key += 1)
			await verify({ ...check, keyId: `many ${key}` });
		assert.deepEqual(await verify(check), { verified: true });
		assert.equal(imports, 104, "one that was crowded out is imported again");
	} finally {
		crypto.subtle.importKey = importKey;
	}
});

test("a store that fails or is absent is as good as empty", async () => {
	for (const services of [
		{},
		{
			load: async () => {
				throw new Error("down");
			},
			save: async () => {
				throw new Error("down");
			},
			append: async () => {
				throw new Error("down");
			},
			readBack: async () => {
				throw new Error("down");
			},
		},
	]) {
		for (const ask of [
			{ id: 1, kind: "load", key: "k" },
			{ id: 1, kind: "save", key: "k", value: "v", seconds: 5 },
			{ id: 1, kind: "append", key: "k", value: "v", seconds: 5 },
			{ id: 1, kind: "readBack", key: "k", holding: [], before: "" },
		]) {
			const gateway = await apiOver(echo(ask)).Gateway.create(
				{ policy: "{}" },
				services,
			);
			const { timing, ...action } = await gateway.handle(
				new Request("http://localhost/v2/"),
			);
			assert.deepEqual(action, { id: 1, value: null });
			const waits = ask.kind === "load" && "load" in services;
			assert.match(timing ?? "", waits ? /^store;dur=\d+$/ : /^$/);
		}
	}
});

test("a log is written and read as it is asked for", async () => {
	/** @type {unknown[][]} */
	const asked = [];
	const services = {
		append: async (...args) => void asked.push(args),
		readBack: async (...args) => {
			asked.push(args);
			return "found";
		},
	};
	for (const [ask, value] of [
		[{ id: 1, kind: "append", key: "l", value: "v", seconds: 5 }, null],
		[
			{ id: 1, kind: "readBack", key: "l", holding: ["h"], before: "9" },
			"found",
		],
	]) {
		const gateway = await apiOver(echo(ask)).Gateway.create(
			{ policy: "{}" },
			services,
		);
		const action = await gateway.handle(new Request("http://localhost/v2/"));
		assert.equal(action.value, value);
	}
	assert.deepEqual(asked, [
		["l", "v", 5],
		["l", ["h"], "9"],
	]);
});

test("what was decided is handed over once in five seconds, and by another where one was ended before", async () => {
	mock.timers.enable({ apis: ["setTimeout", "Date"] });
	try {
		const glue = standIn(() => ({ done: {} }));
		const { Gateway } = apiOver(glue);
		const alone = await Gateway.create({ policy: "{}" });
		assert.equal(alone.storeDecisions(), undefined, "nobody keeps it");
		const gateway = await Gateway.create(
			{ policy: "{}" },
			{ append: async () => {} },
		);
		const first = gateway.storeDecisions();
		assert.equal(gateway.storeDecisions(), undefined, "the first one does it");
		mock.timers.tick(4_999);
		assert.equal(glue.stored.length, 0);
		mock.timers.tick(1);
		await first;
		assert.deepEqual(glue.stored, [[2, 5]]);
		const second = gateway.storeDecisions();
		mock.timers.tick(5_000);
		await second;
		assert.equal(glue.stored.length, 2);
		// A platform may end what a request has left under way.
		gateway.storeDecisions();
		mock.timers.reset();
		mock.timers.enable({ apis: ["setTimeout", "Date"], now: 25_000 });
		const third = gateway.storeDecisions();
		mock.timers.tick(5_000);
		await third;
		assert.deepEqual(glue.stored.at(-1), [2, 30]);
	} finally {
		mock.timers.reset();
	}
});

/** A registry with bad manners. */
async function endlessServer() {
	let sent = 0;
	const server = createServer((request, response) => {
		if (request.url === "/redirect")
			return response.writeHead(307, { location: "/elsewhere" }).end();
		if (request.url === "/silent") return undefined;
		if (request.url === "/elsewhere")
			return response.writeHead(200).end("here");
		response.writeHead(200, { "content-type": "application/octet-stream" });
		response.write("x");
		if (request.url === "/halting") return undefined;
		if (request.url === "/broken")
			return setTimeout(() => response.destroy(), 20);
		if (request.method === "HEAD") return response.end();
		const more = () => {
			while (!response.destroyed && response.write(Buffer.alloc(65536)))
				sent += 65536;
		};
		response.on("drain", more).on("close", () => server.emit("stopped"));
		return more();
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	after(() => {
		server.closeAllConnections();
		server.close();
	});
	return {
		server,
		address: `http://127.0.0.1:${server.address().port}`,
		sent: () => sent,
	};
}
