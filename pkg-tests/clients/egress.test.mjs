// Where the worker goes, how long it waits, and what it tells of that: a hostile registry, and a hostile client, in workerd.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startWorker } from "../lib/serve.mjs";

const KEY = join(
	dirname(fileURLToPath(import.meta.url)),
	"../../fixtures/demo/cosign.pub",
);
const NAME = "registry.test";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const layer = Buffer.from("a layer");
const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
const digestOf = (/** @type {Buffer} */ bytes) =>
	`sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const described = (
	/** @type {string} */ mediaType,
	/** @type {Buffer} */ bytes,
) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
const image = Buffer.from(
	JSON.stringify({
		schemaVersion: 2,
		mediaType: MANIFEST,
		config: described("application/vnd.oci.image.config.v1+json", config),
		layers: [described("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
	}),
);

/** @type {string} */ let folder;
/** @type {string} */ let policy;
/** @type {(() => Promise<unknown> | void)[]} */ const endings = [];
before(async () => {
	folder = await mkdtemp(join(tmpdir(), "sealgate-egress-"));
	policy = join(folder, "policy.json");
	const signed = [
		{
			type: "sigstoreSigned",
			keyPath: KEY,
			signedIdentity: { type: "matchRepository" },
		},
	];
	await writeFile(
		policy,
		JSON.stringify({
			default: [{ type: "reject" }],
			transports: {
				docker: {
					[`${NAME}/open`]: [{ type: "insecureAcceptAnything" }],
					[`${NAME}/signed`]: signed,
				},
			},
		}),
	);
});
after(() => rm(folder, { recursive: true, force: true }));
afterEach(async () => {
	for (const end of endings.splice(0).reverse()) await end();
});

/** @typedef {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => boolean} Answer true: it has answered */

/** A registry with one image in every repository, and an answer of the test's before its own. */
async function registry() {
	const state = { /** @type {Answer} */ first: () => false };
	const server = createServer((request, response) => {
		if (state.first(request, response)) return;
		const { pathname } = new URL(request.url ?? "/", "http://registry");
		const reference = pathname.split("/").at(-1) ?? "";
		const known = new Map([
			["1.0", image],
			...[image, config, layer].map(
				(bytes) => /** @type {[string, Buffer]} */ ([digestOf(bytes), bytes]),
			),
		]);
		const body = pathname === "/v2/" ? Buffer.from("{}") : known.get(reference);
		if (body === undefined) {
			response
				.writeHead(404, { "content-type": "application/json" })
				.end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
			return;
		}
		const type = pathname.includes("/manifests/")
			? { "content-type": MANIFEST, "docker-content-digest": digestOf(body) }
			: { "content-type": "application/octet-stream" };
		response
			.writeHead(200, { ...type, "content-length": body.length })
			.end(request.method === "HEAD" ? undefined : body);
	});
	const port = await listen(server);
	endings.push(() => server.closeAllConnections());
	return { state, port, url: `http://127.0.0.1:${port}` };
}

/** Something of this machine that is nobody's business. */
async function secretServer() {
	/** @type {string[]} */
	const asked = [];
	const server = createServer((request, response) => {
		asked.push(request.url ?? "");
		response
			.writeHead(200, { "content-type": MANIFEST })
			.end(request.method === "HEAD" ? undefined : image);
	});
	const port = await listen(server);
	endings.push(() => server.closeAllConnections());
	return { port, asked };
}

/** @param {import("node:net").Server} server */
async function listen(server) {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	endings.push(() => void server.close());
	return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

/** @param {string} upstream @param {Record<string, string>} [settings] */
async function worker(upstream, settings = {}) {
	const started = await startWorker({ upstream, name: NAME, policy, settings });
	endings.push(() => started.stop());
	return started;
}

/** The log of the worker, once something is in it. @param {{ output: () => string }} started @param {RegExp} wanted */
async function logged(started, wanted) {
	for (let turn = 0; turn < 50 && !wanted.test(started.output()); turn += 1)
		await new Promise((done) => setTimeout(done, 20));
	assert.match(started.output(), wanted);
}

const redirect = (/** @type {string} */ location, /** @type {RegExp} */ path) =>
	/** @type {Answer} */ (
		(request, response) => {
			if (!path.test(request.url ?? "")) return false;
			response.writeHead(307, { location }).end();
			return true;
		}
	);

test("a manifest or evidence that redirects to another port of this machine is not fetched from there", async () => {
	const { state, port, url } = await registry();
	const secret = await secretServer();
	const gate = await worker(url);
	for (const path of [/\/manifests\//, /\/manifests\/sha256-/, /\/blobs\//]) {
		for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433"]) {
			state.first = redirect(`http://${host}:${secret.port}/metadata`, path);
			for (const asked of [
				"/v2/open/manifests/1.0",
				"/v2/signed/manifests/1.0",
				"/api/evidence/open?ref=1.0",
			]) {
				const answer = await fetch(`${gate.url}${asked}`);
				const text = await answer.text();
				assert.ok(
					path.source !== String.raw`\/manifests\/` || answer.status === 503,
					`${host} ${asked}: ${answer.status} ${text}`,
				);
				assert.ok(
					!text.includes(String(secret.port)) && !text.includes(String(port)),
					`an address is shown: ${text}`,
				);
			}
		}
	}
	assert.deepEqual(secret.asked, []);
	await logged(
		gate,
		new RegExp(`"upstream":\\[.*:${secret.port}/metadata.*EGRESS`),
	);
});

test("a redirect to a name of this machine, over https, reaches nothing: the network refuses the address", async () => {
	const { state, url } = await registry();
	let connections = 0;
	const tcp = createTcpServer((socket) => {
		connections += 1;
		socket.destroy();
	});
	tcp.listen(0, "::");
	await once(tcp, "listening");
	endings.push(() => void tcp.close());
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		tcp.address()
	);
	const gate = await worker(url);
	// Names that no rule about names knows, where this machine has such.
	const names = [];
	for (const name of [hostname(), "ip6-localhost", "ip6-loopback"])
		if (await lookup(name).catch(() => undefined)) names.push(name);
	for (const host of [...names, "localhost", "127.0.0.1", "127.0.0.1.nip.io"]) {
		state.first = redirect(`https://${host}:${port}/metadata`, /\/manifests\//);
		const answer = await fetch(`${gate.url}/v2/open/manifests/1.0`);
		const text = await answer.text();
		assert.equal(answer.status, 503, `${host}: ${text}`);
		// A name that nobody knows here is none in Node; workerd says no more than that it did not connect.
		const known = await lookup(host).catch(() => undefined);
		assert.match(
			text,
			known ? /\[host\.egress\]/ : /\[host\.(egress|unreachable)\]/,
			host,
		);
		assert.ok(!text.includes(String(port)), text);
	}
	assert.equal(connections, 0);
	assert.ok(
		names.length > 0,
		"no name of this machine resolves: the network's own refusal was not seen",
	);
});

test("a host in EGRESS is followed to, and no other port of it", async () => {
	const { state, url } = await registry();
	const store = await secretServer();
	const other = await secretServer();
	const gate = await worker(url, {
		EGRESS: `minio.internal, 127.0.0.1:${store.port}`,
	});
	state.first = redirect(`http://127.0.0.1:${store.port}/x`, /\/manifests\//);
	assert.equal((await fetch(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	assert.notEqual(store.asked.length, 0);
	state.first = redirect(`http://127.0.0.1:${other.port}/x`, /\/manifests\//);
	assert.equal((await fetch(`${gate.url}/v2/open/manifests/1.0`)).status, 503);
	assert.deepEqual(other.asked, []);
});

test("a redirect of a layer is the client's to follow", async () => {
	const { state, url } = await registry();
	const secret = await secretServer();
	const gate = await worker(url);
	assert.equal((await fetch(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	state.first = redirect("https://cdn.example/layer", /\/blobs\//);
	const answer = await fetch(`${gate.url}/v2/open/blobs/${digestOf(layer)}`, {
		redirect: "manual",
	});
	assert.deepEqual(
		[answer.status, answer.headers.get("location")],
		[307, "https://cdn.example/layer"],
	);
	assert.deepEqual(secret.asked, []);
});

test("a registry that stalls holds a request for as long as is set, bodies included, and its turn no longer", async () => {
	const { state, url } = await registry();
	const gate = await worker(url, { REQUEST_TIMEOUT_MS: "1500" });
	const silence = () => {};
	const halting = (
		/** @type {import("node:http").ServerResponse} */ response,
	) =>
		void response
			.writeHead(200, { "content-type": MANIFEST, "content-length": "1000" })
			.write("{");
	for (const [
		index,
		[path, stall],
	] of /** @type {[RegExp, (response: import("node:http").ServerResponse) => void][]} */ ([
		[/GET .*\.sig$/, silence],
		[/GET .*\.sig$/, halting],
		[/HEAD .*\/manifests\/1\.0$/, silence],
		[/GET .*\/manifests\/sha256:/, halting],
	]).entries()) {
		state.first = (request, response) => {
			if (!path.test(`${request.method} ${request.url}`)) return false;
			stall(response);
			return true;
		};
		const pull = async () => {
			const started = Date.now();
			const answer = await fetch(
				`${gate.url}/v2/signed/${index}/manifests/1.0`,
			);
			return {
				status: answer.status,
				text: await answer.text(),
				took: Date.now() - started,
			};
		};
		for (const { status, text, took } of await Promise.all([
			pull(),
			pull(),
			pull(),
			pull(),
		])) {
			assert.equal(status, 503, `${path}: ${text}`);
			assert.match(text, /\[limit\.request\]/, String(path));
			assert.ok(took < 4_000, `${path}: ${took} ms`);
		}
		state.first = () => false;
		const { status, took } = await pull();
		assert.equal(status, 403, "unsigned, and found out");
		assert.ok(took < 1_400, `${path}: the turn was held for ${took} ms`);
	}
});

test("a 503 names the registry and not its address; the log has it", async () => {
	const { state, port, url } = await registry();
	const gate = await worker(url);
	state.first = (_, response) => {
		response.writeHead(500).end();
		return true;
	};
	for (const path of [
		"/v2/open/manifests/1.0",
		"/v2/signed/manifests/1.0",
		`/v2/open/blobs/${digestOf(layer)}`,
		"/v2/",
		"/api/evidence/open?ref=1.0",
	]) {
		const answer = await fetch(`${gate.url}${path}`);
		const text = await answer.text();
		assert.equal(answer.status, 503, path);
		assert.ok(
			text.includes(NAME) &&
				!text.includes("127.0.0.1") &&
				!text.includes(String(port)),
			text,
		);
	}
	await logged(
		gate,
		new RegExp(
			`"upstream":\\["http://127\\.0\\.0\\.1:${port}/v2/open/manifests/1\\.0 answered with status 500`,
		),
	);
	// Without an upstream at all, and for what is streamed.
	const nobody = await worker("http://127.0.0.1:9");
	for (const path of ["/v2/open/manifests/1.0", "/v2/open/tags/list", "/v2/"]) {
		const answer = await fetch(`${nobody.url}${path}`);
		const text = await answer.text();
		assert.ok(
			answer.status === 503 && !text.includes("127.0.0.1"),
			`${path}: ${text}`,
		);
	}
});

test("PUBLIC_URL is the address that clients are told", async () => {
	const { state, url } = await registry();
	const gate = await worker(url, { PUBLIC_URL: "https://gate.example" });
	assert.equal((await fetch(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	const blob = `/v2/open/blobs/${digestOf(layer)}`;
	state.first = redirect(`${url}${blob}?x=1`, /\/blobs\//);
	assert.equal(
		(await fetch(`${gate.url}${blob}`, { redirect: "manual" })).headers.get(
			"location",
		),
		`https://gate.example${blob}?x=1`,
	);
	state.first = redirect(`${blob}?x=1`, /\/blobs\//);
	assert.equal(
		(await fetch(`${gate.url}${blob}`, { redirect: "manual" })).headers.get(
			"location",
		),
		`https://gate.example${blob}?x=1`,
	);
	state.first = () => false;
	const refused = await fetch(`${gate.url}/v2/signed/manifests/1.0`);
	assert.match(
		await refused.text(),
		/https:\/\/gate\.example\/#gate\.example\/signed:1\.0/,
	);
	const wrong = await worker(url, {
		PUBLIC_URL: "gate.example",
		EGRESS: "http://x",
	});
	assert.match(
		await (await fetch(`${wrong.url}/v2/open/manifests/1.0`)).text(),
		/\[config\.public-url\]/,
	);
});

test("odd request lines get a plain refusal, and no folder is listed", async () => {
	const gate = await startWorker();
	endings.push(() => gate.stop());
	const port = Number(new URL(gate.url).port);
	for (const line of [
		"GET //demo.json",
		"GET //",
		"GET ///",
		"GET //demo.json/",
		"GET //index.html",
		"GET /sealgate//",
		"GET //x/../demo.json",
		"GET /.",
		"GET //localhost/",
		"GET /%2f/demo.json",
		"GET /sealgate/../",
		"HEAD //demo.json",
	]) {
		const answer = await raw(port, line);
		const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
		assert.ok(
			(status >= 400 && status < 500) ||
				(/^HTTP\/1\.1 200[\s\S]*<!doctype html>/.test(answer) &&
					/GET \/(\.|sealgate\/\.\.\/)$/.test(line)),
			`${line}: ${answer.slice(0, 200)}`,
		);
		assert.doesNotMatch(answer, /"type":"(file|directory)"/, line);
	}
	for (const line of [
		"OPTIONS *",
		"TRACE /",
		"POST //demo.json",
		"GET http://[::1/",
		"GET /v2/%",
		"PROPFIND /v2/",
		"GET /\u0001",
	]) {
		assert.match(await raw(port, line), /^HTTP\/1\.1 4\d\d /, line);
	}
	const tunnel = await raw(port, "CONNECT evil.example:443");
	assert.doesNotMatch(tunnel, /^HTTP\/1\.1 5/);
	assert.match(tunnel, /405 Method Not Allowed/);
	assert.match(tunnel, /no proxy/);
});

/** What is answered to this request line, whole. @param {number} port @param {string} line */
async function raw(port, line) {
	const socket = connect(port, "127.0.0.1");
	let answer = "";
	socket.setEncoding("latin1").on("data", (text) => {
		answer += text;
	});
	socket.write(
		`${line} HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`,
	);
	await once(socket, "close");
	return answer;
}
