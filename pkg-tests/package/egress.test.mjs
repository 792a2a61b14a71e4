// Where the package goes, and with what: whose word an address is decides whether it may be private, and who gets credentials.

import assert from "node:assert/strict";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { assetsOf, bytesOf, evidenceOf, fakeRegistry } from "./checks.mjs";
import { startRegistry } from "./registry.mjs";
import {
	atEnd,
	builtPackage,
	demo as readDemo,
	root,
	temporaryFolder,
} from "./support.mjs";

/** @param {string} file */
const load = (file) => import(pathToFileURL(join(builtPackage(), file)).href);
/** @type {any} */
let sealgate;
/** @type {ReturnType<typeof readDemo>} */
let demo;

before(async () => {
	demo = readDemo();
	sealgate = await load("node.js");
});

const USER = { username: "user", password: "secret" };

/** A gateway that refuses, and names this realm where its evidence is. @param {string} realm @param {{ url: string, secret: boolean }[]} sent */
function gateway(realm, sent) {
	return async (
		/** @type {string} */ url,
		/** @type {any} */ { headers, body },
	) => {
		const authorization =
			headers.find(([name]) => name === "authorization")?.[1] ?? "";
		sent.push({
			url,
			secret:
				authorization.startsWith("Basic ") ||
				String(body ?? "").includes("refresh_token="),
		});
		if (url.includes("/manifests/"))
			return Response.json(
				{ errors: [{ code: "DENIED", message: "sealgate: it is unsigned" }] },
				{ status: 403 },
			);
		if (!url.includes("/api/evidence/"))
			return Response.json({ token: "a-token" });
		if (authorization === "Bearer a-token")
			return new Response(evidenceOf("unsigned", demo));
		return new Response("{}", {
			status: 401,
			headers: { "www-authenticate": `Bearer realm="${realm}",service="gate"` },
		});
	};
}

test("a gateway's challenge sends credentials to no other host, and none over plain http", async () => {
	const verify = async (realm, more = {}) => {
		const sent = [];
		const report = await sealgate.verifyImage(
			"gate.example/demo/unsigned:1.0",
			{
				key: bytesOf(demo.key),
				viaEvidence: true,
				credentials: USER,
				fetch: gateway(realm, sent),
				...more,
			},
		);
		return {
			verdict: report.verdict,
			notes: report.notes.map(({ code }) => code),
			asked: sent
				.filter(({ secret }) => secret)
				.map(({ url }) => new URL(url).origin),
		};
	};
	for (const credentials of [USER, { token: "refresh" }]) {
		for (const realm of [
			"http://127.0.0.1:1/token",
			"http://localhost:1/token",
			"http://a.localhost/token",
			"http://gate.example/token",
			"https://evil.example/token",
		]) {
			const { verdict, notes, asked } = await verify(realm, { credentials });
			assert.deepEqual([realm, verdict, asked], [realm, "unknown", []]);
			assert.ok(notes.includes("gateway.no-evidence"), String(notes));
		}
		for (const [realm, more] of /** @type {[string, object][]} */ ([
			["https://gate.example:5001/token", {}],
			[
				"https://sso.corp.example/token",
				{ realms: ["https://sso.corp.example/token"] },
			],
		])) {
			const { verdict, asked } = await verify(realm, { credentials, ...more });
			assert.deepEqual(
				[realm, verdict, asked],
				[realm, "deny", [new URL(realm).origin]],
			);
		}
	}
	const message = (
		await sealgate.verifyImage("r.example/a:1", {
			key: bytesOf(demo.key),
			credentials: USER,
			fetch: async () =>
				new Response("{}", {
					status: 401,
					headers: {
						"www-authenticate": 'Bearer realm="https://evil.example/t"',
					},
				}),
		})
	).message;
	assert.match(message, /https:\/\/evil\.example\/t.*"realms"/);
});

test("one rule says which hosts are loopback, for pulls and for evidence", async () => {
	const sent = [];
	const report = await sealgate.verifyImage(
		"gate.localhost:8787/demo/unsigned:1.0",
		{
			key: bytesOf(demo.key),
			viaEvidence: true,
			credentials: USER,
			fetch: gateway("http://auth.localhost:1/token", sent),
		},
	);
	assert.equal(report.verdict, "deny");
	assert.deepEqual(
		[...new Set(sent.map(({ url }) => new URL(url).origin))],
		["http://gate.localhost:8787", "http://auth.localhost:1"],
	);
});

test("what a gateway says stays its claim", async () => {
	const fetch = gateway("https://gate.example/token", []);
	const { notes } = await sealgate.verifyImage(
		"gate.example/demo/unsigned:1.0",
		{ key: bytesOf(demo.key), viaEvidence: true, fetch },
	);
	const note = notes.find(({ code }) => code === "gateway.other-name");
	assert.match(
		note.message,
		/demo\.example\/demo\/unsigned:1\.0; that is its claim/,
	);
	assert.doesNotMatch(note.message, /--as/);
});

test("which requests may go to private addresses is said with each", async () => {
	const classes = [];
	const registry = fakeRegistry(demo.routes);
	const fetch = async (url, init) => {
		classes.push([new URL(url).host, init.egress]);
		if (url.endsWith("/manifests/1.0") && !url.includes("cdn.example"))
			return new Response(null, {
				status: 307,
				headers: {
					location: "https://cdn.example/v2/demo/signed/manifests/1.0",
				},
			});
		return registry(url, init);
	};
	const report = await sealgate.verifyImage("demo.example/demo/signed:1.0", {
		key: bytesOf(demo.key),
		fetch,
	});
	assert.equal(report.verdict, "allow");
	assert.deepEqual(classes.slice(0, 2), [
		["demo.example", "operator"],
		["cdn.example", "public"],
	]);
	assert.ok(
		classes
			.slice(2)
			.every(
				([host, egress]) => host === "demo.example" && egress === "operator",
			),
		String(classes),
	);
});

test("Node connects to public addresses only, whatever the name", async () => {
	const { publicFetch, isPublic } = await load("public.js");
	for (const address of [
		"127.0.0.1",
		"10.0.0.1",
		"100.64.0.1",
		"169.254.169.254",
		"172.31.0.1",
		"192.168.1.1",
		"0.0.0.0",
		"224.0.0.1",
		"::1",
		"::",
		"::ffff:8.8.8.8",
		"fe80::1%eth0",
		"fd00::1",
		"64:ff9b::7f00:1",
		"64:ff9b::a9fe:a9fe",
		"2002:7f00:1::",
		"2001::1",
		"ff02::1",
		"localhost",
		"",
	]) {
		assert.equal(isPublic(address), false, address);
	}
	for (const address of [
		"8.8.8.8",
		"172.32.0.1",
		"100.128.0.1",
		"2606:4700::1111",
		"64:ff9b::808:808",
	])
		assert.equal(isPublic(address), true, address);

	let connections = 0;
	const server = createServer((socket) => {
		connections += 1;
		socket.destroy();
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => server.close());
	const { port } = server.address();
	const original = dns.lookup;
	// As an attacker's DNS answers: for one of its addresses a public one, for the other ours.
	dns.lookup = /** @type {any} */ (
		(name, _options, done) =>
			done(
				null,
				name === "both.example"
					? [
							{ address: "8.8.8.8", family: 4 },
							{ address: "127.0.0.1", family: 4 },
						]
					: [{ address: "127.0.0.1", family: 4 }],
			)
	);
	syncBuiltinESMExports();
	try {
		for (const url of [
			`https://rebound.example:${port}/`,
			`https://both.example:${port}/`,
			`https://127.0.0.1:${port}/`,
			`https://[::1]:${port}/`,
			`https://[::ffff:127.0.0.1]:${port}/`,
			`https://2130706433:${port}/`,
			`http://8.8.8.8:${port}/`,
		]) {
			await assert.rejects(
				publicFetch(url, {
					method: "GET",
					headers: [],
					signal: AbortSignal.timeout(5_000),
				}),
				{ code: "egress" },
				url,
			);
		}
		// The whole way: a registry that the user named sends its client there.
		const native = globalThis.fetch;
		globalThis.fetch = async () =>
			new Response(null, {
				status: 307,
				headers: { location: `https://rebound.example:${port}/` },
			});
		try {
			const report = await sealgate.verifyImage("r.example/a:1", {
				key: bytesOf(demo.key),
			});
			assert.deepEqual(
				[report.verdict, report.code],
				["unknown", "host.egress"],
			);
		} finally {
			globalThis.fetch = native;
		}
	} finally {
		dns.lookup = original;
		syncBuiltinESMExports();
	}
	assert.equal(connections, 0);
});

test("the command line names token services and hosts that are meant", async () => {
	const home = temporaryFolder();
	/** @type {string[]} */
	const secrets = [];
	/** What the registry says first; false: the demo's answer. @type {(path: string) => [number, Record<string, string>] | false} */
	let first = () => false;
	const store = await startRegistry(demo);
	const server = createHttpServer((request, response) => {
		if (request.headers.authorization)
			secrets.push(request.headers.authorization);
		const [status, headers] = first(request.url ?? "") || [
			307,
			{ location: `http://localhost:${store.port}${request.url}` },
		];
		response.writeHead(status, headers).end();
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => server.close());
	const host = `localhost:${server.address().port}`;
	writeFileSync(
		join(home, "auth.json"),
		JSON.stringify({ auths: { [host]: { auth: btoa("user:secret") } } }),
	);
	const verify = async (/** @type {string[]} */ ...more) => {
		const args = [
			join(builtPackage(), "cli.cjs"),
			"verify",
			`${host}/demo/signed:1.0`,
			"--as",
			"demo.example/demo/signed:1.0",
			"--key",
			join(root, "fixtures/demo/cosign.pub"),
			"--json",
			...more,
		];
		const child = spawn(process.execPath, args, {
			env: {
				PATH: process.env.PATH,
				HOME: home,
				REGISTRY_AUTH_FILE: join(home, "auth.json"),
			},
			stdio: ["ignore", "pipe", "pipe"],
		});
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (text) => (stdout += text));
		child.stderr.on("data", (text) => (stderr += text));
		const status = await new Promise((resolve) => child.on("close", resolve));
		return { status, code: stdout ? JSON.parse(stdout).code : stderr };
	};
	const before = store.asked.length;
	assert.deepEqual(await verify(), { status: 2, code: "host.egress" });
	assert.deepEqual(await verify("--egress", "localhost:1"), {
		status: 2,
		code: "host.egress",
	});
	assert.equal(store.asked.length, before);
	assert.equal((await verify("--egress", `localhost:${store.port}`)).status, 0);
	// A name that does not exist: that it was asked for at all is what counts.
	first = () => [
		401,
		{ "www-authenticate": 'Bearer realm="https://sso.invalid/token"' },
	];
	assert.deepEqual(await verify(), { status: 2, code: "registry.realm" });
	assert.deepEqual(await verify("--realm", "https://other.invalid/token"), {
		status: 2,
		code: "registry.realm",
	});
	assert.deepEqual(await verify("--realm", "https://sso.invalid/token"), {
		status: 2,
		code: "host.unreachable",
	});
	assert.match((await verify("--realm=")).code, /--realm needs a value/);
	assert.match(
		(await verify("--realm", "sso.invalid")).code,
		/registry\.address/,
	);
	assert.deepEqual(secrets, []);
});

test("one request of a gateway waits so long and no longer, and gives its turn back", async () => {
	const registry = fakeRegistry(demo.routes);
	const { policy, assets } = assetsOf(demo);
	let stalled = true;
	// It heeds no signal, and never ends.
	const fetch = (url, init) =>
		stalled && url.endsWith(".sig")
			? new Promise(() => {})
			: registry(url, init);
	const gateway = await sealgate.Gateway.create(
		{
			upstream: "http://demo.example",
			name: "demo.example",
			policy,
			assets,
		},
		{ fetch, requestTimeout: 300 },
	);
	const pull = () =>
		gateway.handle({
			method: "GET",
			url: "http://localhost:8787/v2/demo/signed/manifests/1.0",
			headers: [],
		});
	const started = Date.now();
	for (const { status, body } of await Promise.all([pull(), pull(), pull()])) {
		assert.equal(status, 503);
		assert.match(new TextDecoder().decode(body), /\[limit\.request\]/);
	}
	assert.ok(Date.now() - started < 2_000, `${Date.now() - started} ms`);
	stalled = false;
	const again = Date.now();
	assert.equal((await pull()).status, 200);
	assert.ok(Date.now() - again < 1_000, `${Date.now() - again} ms`);
});

test("no longer time than a minute can be asked for", async () => {
	const { createApi } = await load("api.js");
	/** @type {number[]} */
	const timers = [];
	const native = globalThis.setTimeout;
	globalThis.setTimeout = /** @type {any} */ (
		(call, milliseconds) => {
			timers.push(milliseconds);
			return native(call, 0);
		}
	);
	try {
		const task = { advance: () => ({ done: "done" }), free() {} };
		const glue = {
			startGateway: () => ({
				advance: () => ({
					done: {
						look: () => undefined,
						handle: () => task,
						state: () => ({ state: "ok" }),
					},
				}),
				free() {},
			}),
			__wbg_reset_state() {},
		};
		const { Gateway } = createApi(/** @type {any} */ (glue), {
			requestInit: { redirect: "manual" },
		});
		for (const requestTimeout of [undefined, 600_000, Number.NaN, -1, 5_000])
			await (await Gateway.create({ policy: "" }, { requestTimeout })).handle({
				method: "GET",
				url: "http://x/",
				headers: [],
			});
	} finally {
		globalThis.setTimeout = native;
	}
	// Its making waits as long as a request, and no longer.
	const patience = [60_000, 60_000, 60_000, 60_000, 5_000];
	assert.deepEqual(
		timers,
		patience.flatMap((each) => [each, each]),
	);
});
