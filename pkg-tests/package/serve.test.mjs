// `sealgate serve` as somebody runs it who has the npm package alone: real clients, Node's own HTTP/1.1 and HTTP/2, and a registry
// that stalls, breaks off and moves keys as no real one does on demand.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import {
	copyFileSync,
	mkdirSync,
	readFileSync,
	renameSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { connect as connectSession } from "node:http2";
import {
	createServer as createSecureServer,
	request as httpsRequest,
} from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { consumerProject, copyDemoPolicy, root } from "./support.mjs";

const NAME = "registry.test";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const MEGABYTE = 1024 * 1024;
/** Of the large layer, which is a pattern: nobody keeps it. */
const LARGE = 128 * MEGABYTE;
const PIECE = Buffer.alloc(MEGABYTE, "sealgate ");

const digestOf = (/** @type {Buffer} */ bytes) =>
	`sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const large = (() => {
	const hash = createHash("sha256");
	for (let sent = 0; sent < LARGE; sent += PIECE.length) hash.update(PIECE);
	return `sha256:${hash.digest("hex")}`;
})();
const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
const image = Buffer.from(
	JSON.stringify({
		schemaVersion: 2,
		mediaType: MANIFEST,
		config: {
			mediaType: "application/vnd.oci.image.config.v1+json",
			digest: digestOf(config),
			size: config.length,
		},
		layers: [
			{
				mediaType: "application/vnd.oci.image.layer.v1.tar",
				digest: large,
				size: LARGE,
			},
		],
	}),
);
const BLOB = `/v2/open/blobs/${large}`;

/** Lets everything in under these repositories, and nothing else. @param {string[]} repositories */
const policyOf = (...repositories) =>
	JSON.stringify({
		default: [{ type: "reject" }],
		transports: {
			docker: Object.fromEntries(
				repositories.map((repository) => [
					`${NAME}/${repository}`,
					[{ type: "insecureAcceptAnything" }],
				]),
			),
		},
	});

/** @type {string} */
let project;
before(() => {
	project = consumerProject();
	copyDemoPolicy(project);
	mkdirSync(join(project, "policies"));
	writeFileSync(join(project, "open.json"), policyOf("open"));
	certificates();
});
/** @type {(() => unknown)[]} */
const endings = [];
after(async () => {
	for (const end of endings.reverse()) await end();
});

/** An authority of our own, and two certificates of it for this machine. */
function certificates() {
	const openssl = (/** @type {string} */ line) =>
		execFileSync("openssl", line.split(" "), { cwd: project, stdio: "pipe" });
	const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
	openssl(
		`req -x509 ${key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ours -addext basicConstraints=critical,CA:TRUE`,
	);
	writeFileSync(
		join(project, "names.txt"),
		"subjectAltName=DNS:localhost,DNS:upstream.test,IP:127.0.0.1\n",
	);
	for (const name of ["first", "second"]) {
		openssl(
			`req -new ${key} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`,
		);
		openssl(
			`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names.txt -out ${name}.pem`,
		);
	}
}

/** @param {string} name */
const file = (name) => readFileSync(join(project, name));

/** @param {string[]} args @param {Record<string, string>} [env] */
function launch(args, env = {}) {
	const child = spawn(
		join(project, "node_modules/.bin/sealgate"),
		["serve", ...args],
		{
			cwd: project,
			// Nothing of the machine's own credentials and proxies.
			env: { PATH: process.env.PATH, HOME: project, ...env },
			stdio: ["ignore", "pipe", "pipe"],
		},
	);
	let out = "";
	let err = "";
	child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
	child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
	const ended = once(child, "close").then(([code]) => code);
	return { child, ended, out: () => out, err: () => err };
}

/** @param {string[]} args @param {Record<string, string>} [env] */
async function start(args, env) {
	const running = launch(args, { LISTEN: "127.0.0.1:0", ...env });
	const { child, ended } = running;
	endings.push(async () => {
		child.kill("SIGKILL");
		await ended;
	});
	const serving =
		/^sealgate is serving (https?:\/\/\S+) .* Next:\n(?: {2}.+\n){3}/m;
	await until(() => serving.test(running.err()) || child.exitCode !== null);
	const url = serving.exec(running.err())?.[1];
	assert.ok(url, running.err());
	return { ...running, url, port: Number(new URL(url).port) };
}

/** @param {() => unknown} holds @param {number} [patience] */
async function until(holds, patience = 10_000) {
	const deadline = Date.now() + patience;
	while (!holds()) {
		assert.ok(Date.now() < deadline, `within ${patience} ms: ${holds}`);
		await new Promise((done) => setTimeout(done, 20));
	}
}

/** What the large layer has been sent so far, and how that ended. @typedef {{ sent: number, closed: boolean, response: import("node:http").ServerResponse }} Sending */

/** A registry with one image in every repository. Its large layer goes out as fast as it is taken. */
async function registry({ secure = false, pieces = LARGE / MEGABYTE } = {}) {
	/** @type {Sending[]} */
	const sendings = [];
	/** @type {import("node:http").IncomingMessage[]} */
	const asked = [];
	const state = {
		pieces,
		/** Whether an answer is kept back. @type {(path: string) => boolean} */
		stalls: () => false,
		/** How many of those ended without one. */
		left: 0,
	};
	const answer = (
		/** @type {import("node:http").IncomingMessage} */ request,
		/** @type {import("node:http").ServerResponse} */ response,
	) => {
		asked.push(request);
		const path = request.url ?? "";
		const reference = path.split("/").at(-1);
		const isHead = request.method === "HEAD";
		if (state.stalls(path))
			return void response.on("close", () => (state.left += 1));
		if (path.endsWith("/v2/")) return void response.end("{}");
		if (reference === large) {
			response.writeHead(200, { "content-length": LARGE });
			if (isHead) return void response.end();
			const sending = { sent: 0, closed: false, response };
			sendings.push(sending);
			response.on("close", () => (sending.closed = true));
			return void pour(sending, state.pieces);
		}
		const known = new Map([
			["1.0", image],
			[digestOf(image), image],
			[digestOf(config), config],
		]).get(reference ?? "");
		if (known === undefined)
			return void response
				.writeHead(404, { "content-type": "application/json" })
				.end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
		response
			.writeHead(200, {
				"content-length": known.length,
				"content-type": path.includes("/manifests/")
					? MANIFEST
					: "application/octet-stream",
			})
			.end(isHead ? undefined : known);
	};
	const server = secure
		? createSecureServer(
				{ key: file("first.key"), cert: file("first.pem") },
				answer,
			)
		: createServer(answer);
	const port = await listen(server);
	endings.push(() => server.closeAllConnections());
	return { sendings, asked, state, port, url: `http://127.0.0.1:${port}` };
}

/** @param {Sending} sending @param {number} pieces */
function pour(sending, pieces) {
	const { response } = sending;
	const more = () => {
		while (sending.sent < pieces * MEGABYTE && !sending.closed) {
			sending.sent += PIECE.length;
			if (!response.write(PIECE)) return;
		}
		if (sending.sent === LARGE) response.end();
	};
	response.on("drain", more);
	more();
}

/** @param {import("node:net").Server} server */
async function listen(server) {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	endings.push(() => void server.close());
	return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

/** @param {string} upstream @param {string[]} [more] @param {Record<string, string>} [env] */
const front = (upstream, more = [], env = {}) =>
	start(
		["--upstream", upstream, "--name", NAME, "--policy", "open.json", ...more],
		env,
	);

/** @param {string} url @param {import("node:https").RequestOptions} [options] @returns {Promise<import("node:http").IncomingMessage>} which must be read */
function begin(url, options = {}) {
	const send = url.startsWith("https:") ? httpsRequest : httpRequest;
	return new Promise((resolve, reject) => {
		const sent = send(url, { agent: false, ...options }, resolve);
		sent.on("error", reject);
		sent.end();
	});
}

/** @param {import("node:stream").Readable} stream @returns {Promise<Buffer>} */
async function whole(stream) {
	return Buffer.concat(await stream.toArray());
}

/** @param {string} url @param {import("node:https").RequestOptions} [options] */
async function ask(url, options) {
	const answer = await begin(url, options);
	const body = (await whole(answer)).toString();
	return {
		status: answer.statusCode,
		reason: answer.statusMessage,
		headers: answer.headers,
		body,
	};
}

/** Whether the bytes are the large layer's. @param {import("node:stream").Readable} stream */
async function isLarge(stream) {
	const hash = createHash("sha256");
	for await (const piece of stream) hash.update(piece);
	return `sha256:${hash.digest("hex")}` === large;
}

/** @param {number | undefined} pid @param {string} what */
const megabytes = (pid, what) =>
	Number(
		new RegExp(`${what}:\\s+(\\d+) kB`).exec(
			readFileSync(`/proc/${pid}/status`, "utf8"),
		)?.[1],
	) / 1024;

/** Lines of the log, each a JSON object. @param {{ out(): string }} running @returns {any[]} */
const logOf = (running) =>
	running
		.out()
		.split("\n")
		.filter(Boolean)
		.map((line) => JSON.parse(line));

test("--demo: a client pulls what is signed, and is told why it does not get what is not", async () => {
	const gate = await start(["--demo"]);
	const host = `localhost:${gate.port}`;
	const policy = join(project, "any.json");
	writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
	const skopeo = (/** @type {string} */ repository) =>
		execFileSync(
			"skopeo",
			[
				...["--policy", policy, "copy", "--src-tls-verify=false"],
				`docker://${host}/demo/${repository}:1.0`,
				`dir:${join(project, repository)}`,
			],
			{ stdio: "pipe" },
		);
	skopeo("signed");
	skopeo("keyless");
	assert.throws(
		() => skopeo("unsigned"),
		/signature was required.*signature\.missing/s,
	);
	// What it proposes to do next does what it says.
	assert.match(gate.err(), new RegExp(`podman pull .*${host}/demo/signed:1.0`));
	const pasted = /^ {2}(\S*sealgate verify .*)$/m.exec(gate.err())?.[1];
	assert.ok(pasted, gate.err());
	assert.throws(
		() => execFileSync("sh", ["-c", pasted], { stdio: "pipe" }),
		(/** @type {any} */ error) =>
			error.status === 1 && /identity\.not-accepted/.test(String(error.stdout)),
	);
	const verdicts = () => logOf(gate).map(({ verdict }) => verdict);
	await until(() => verdicts().includes("deny"));
	assert.ok(verdicts().includes("allow"));
	const pulled = await ask(`${gate.url}/v2/demo/signed/manifests/1.0`);
	assert.match(
		String(pulled.headers["server-timing"]),
		/^registry;dur=\d+.*, all;dur=\d+$/,
	);
	const page = await ask(`${gate.url}/`);
	assert.match(page.body, /<!doctype html>/);
	assert.match(
		String(page.headers["content-security-policy"]),
		/default-src 'none'/,
	);
	const module = await ask(`${gate.url}/sealgate/browser.js`);
	assert.equal(
		module.headers["content-type"],
		"text/javascript; charset=utf-8",
	);
	for (const path of [
		"/sealgate/cli.js",
		"/sealgate/cli.cjs",
		"/sealgate/here.js",
		"/sealgate/package.json",
		"/demo.json/",
	])
		assert.equal((await ask(`${gate.url}${path}`)).status, 404, path);
});

test("--demo: what its policy does not mean is told of one's own, and not of the demo's", async () => {
	writeFileSync(
		join(project, "anything.json"),
		'{"default":[{"type":"insecureAcceptAnything"}]}',
	);
	const gates = await Promise.all([
		start(["--demo"]),
		start(["--demo", "--policy", "anything.json"]),
	]);
	assert.deepEqual(
		gates.map((gate) => / PL\d\d /.test(gate.err())),
		[false, true],
	);
});

test("--demo: other registries are where they are", async () => {
	const { url } = await registry();
	const gate = await start(["--demo"], { RELAY: url });
	const carried = await ask(
		`${gate.url}/relay/${new URL(url).host}/open?ref=1.0`,
	);
	assert.equal(carried.status, 200, carried.body);
	assert.equal(JSON.parse(carried.body).digest, digestOf(image));
});

test("HTTP/1.1: the reason phrase arrives, HEAD has the length and no body, writes are refused and the connection stays", async () => {
	const { url } = await registry();
	const gate = await front(url);
	const refused = await ask(`${gate.url}/v2/closed/manifests/1.0`);
	assert.equal(refused.status, 403);
	assert.match(
		String(refused.reason),
		/^sealgate: registry\.test\/closed:1\.0 is refused/,
	);
	assert.match(refused.body, /"code":"DENIED"/);
	assert.equal(
		(await ask(`${gate.url}/v2/open/manifests/1.0`)).body,
		image.toString(),
	);
	for (const [path, length] of [
		["/v2/open/manifests/1.0", image.length],
		[BLOB, LARGE],
		["/v2/closed/manifests/1.0", refused.body.length],
		["/", (await ask(`${gate.url}/`)).body.length],
	]) {
		const head = await ask(`${gate.url}${path}`, { method: "HEAD" });
		assert.deepEqual(
			[head.headers["content-length"], head.body],
			[String(length), ""],
			String(path),
		);
	}
	// One connection: a write with a body, one that asks first, and a pull after both.
	const text = await over(gate.port, [
		`POST /v2/open/blobs/uploads/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello`,
		`HEAD /v2/open/manifests/1.0 HTTP/1.1\r\nhost: localhost\r\n\r\n`,
		`PUT /v2/open/manifests/1.0 HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 9\r\nconnection: close\r\n\r\n`,
	]);
	assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), [
		"HTTP/1.1 405",
		"HTTP/1.1 200",
		"HTTP/1.1 405",
	]);
	// Not even a large one that comes unasked hides the answer.
	const pushed = await fetch(`${gate.url}/v2/open/blobs/uploads/`, {
		method: "POST",
		body: Buffer.alloc(8 * MEGABYTE),
	});
	assert.equal(pushed.status, 405);
	const odd = await over(gate.port, [
		"GET http://other.example/v2/ HTTP/1.1\r\nhost: a/b\r\nconnection: close\r\n\r\n",
	]);
	assert.match(odd, /^HTTP\/1\.1 200/);
	assert.match(
		await over(gate.port, [
			"GET /v2/ HTTP/1.1\r\nhost: a/b\r\nconnection: close\r\n\r\n",
		]),
		/^HTTP\/1\.1 400/,
	);
});

/** What comes back for these, one after the other on one connection. @param {number} port @param {string[]} requests */
async function over(port, requests) {
	const socket = connect(port, "127.0.0.1");
	let text = "";
	socket.setEncoding("latin1").on("data", (piece) => (text += piece));
	for (const [index, one] of requests.entries()) {
		socket.write(one);
		if (index < requests.length - 1)
			await until(() => (text.match(/HTTP\/1\.1 /g) ?? []).length > index);
	}
	await once(socket, "close");
	return text;
}

test("a large blob streams: what a client does not take is not read from the registry", async () => {
	const { url, sendings } = await registry();
	const gate = await front(url);
	assert.equal((await ask(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	const before = megabytes(gate.child.pid, "VmHWM");
	assert.ok(await isLarge(await begin(`${gate.url}${BLOB}`)));
	const slow = await begin(`${gate.url}${BLOB}`);
	slow.pause();
	await until(() => sendings.length === 2);
	// It fills what the system buffers between the three, and no more.
	let last = -1;
	while ((sendings[1]?.sent ?? 0) !== last) {
		last = sendings[1]?.sent ?? 0;
		await new Promise((done) => setTimeout(done, 300));
	}
	assert.ok(
		last < 40 * MEGABYTE,
		`${last} bytes were taken from the registry for nobody`,
	);
	const grown = megabytes(gate.child.pid, "VmHWM") - before;
	assert.ok(grown < 100, `${grown} MB more for ${LARGE / MEGABYTE} MB`);
	assert.ok(await isLarge(slow));
});

test("a client that goes away ends the registry's answer; a registry that breaks off breaks the client's", async () => {
	const { url, sendings, state } = await registry();
	const gate = await front(url);
	assert.equal((await ask(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	const leaving = await begin(`${gate.url}${BLOB}`);
	await once(leaving, "data");
	leaving.destroy();
	await until(() => sendings[0]?.closed);
	assert.ok((sendings[0]?.sent ?? LARGE) < LARGE);
	state.pieces = 2;
	const broken = await begin(`${gate.url}${BLOB}`);
	broken.once("data", () => sendings[1]?.response.socket?.resetAndDestroy());
	await assert.rejects(whole(broken), /aborted|ECONNRESET/);
	// HTTP/1.0 has no other end than the connection's: it must not look like one. (Node's own client takes a reset behind data for an
	// end, curl does not: 56 is a reset, 18 an end that comes too early.)
	const curl = ["--http1.0", "--silent", "--output", "/dev/null"];
	const old = spawn("curl", [...curl, `${gate.url}${BLOB}`]);
	await until(() => sendings[2]?.sent === 2 * MEGABYTE);
	sendings[2]?.response.socket?.resetAndDestroy();
	assert.equal((await once(old, "close"))[0], 56);
	const failures = () =>
		logOf(gate)
			.filter(({ event }) => event === "failure")
			.map(({ code }) => code);
	await until(() => failures().length === 2);
	assert.deepEqual(failures(), ["stream.cut", "stream.cut"]);
	// What is being judged for a client alone ends with it, without a word in the log.
	state.stalls = (path) => path.includes("/other/");
	const impatient = begin(`${gate.url}/v2/other/manifests/1.0`, {
		signal: AbortSignal.timeout(200),
	});
	await assert.rejects(impatient);
	await until(() => state.left === 1);
	state.stalls = () => false;
	assert.deepEqual(failures(), ["stream.cut", "stream.cut"]);
	// And it serves on.
	state.pieces = LARGE / MEGABYTE;
	assert.ok(await isLarge(await begin(`${gate.url}${BLOB}`)));
});

test("with a certificate: HTTP/2 and HTTP/1.1 on one port, cut as cleanly, and a new certificate without a restart", async () => {
	const { url, sendings, state } = await registry();
	for (const kind of ["key", "pem"])
		copyFileSync(join(project, `first.${kind}`), join(project, `tls.${kind}`));
	const gate = await front(url, [
		"--tls-cert",
		"tls.pem",
		"--tls-key",
		"tls.key",
	]);
	const ca = file("ca.pem");
	const session = connectSession(gate.url, { ca });
	const stream = (/** @type {Record<string, string>} */ headers) =>
		session.request(headers);
	const get = async (/** @type {Record<string, string>} */ headers) => {
		const asked = stream(headers);
		const [answer] = await once(asked, "response");
		return {
			status: answer[":status"],
			headers: answer,
			body: (await whole(asked)).toString(),
		};
	};
	const pulled = await get({ ":path": "/v2/open/manifests/1.0" });
	assert.deepEqual([pulled.status, pulled.body], [200, image.toString()]);
	const refused = await get({ ":path": "/v2/closed/manifests/1.0" });
	assert.equal(refused.status, 403);
	assert.match(
		refused.body,
		/sealgate: registry\.test\/closed:1\.0 is refused.*details: https:/,
	);
	const head = await get({ ":path": BLOB, ":method": "HEAD" });
	assert.deepEqual(
		[head.headers["content-length"], head.body],
		[String(LARGE), ""],
	);
	assert.equal(
		(await get({ ":path": "/v2/open/x", ":method": "POST" })).status,
		405,
	);
	const connecting = stream({
		":method": "CONNECT",
		":authority": "evil.example:443",
	});
	assert.equal((await once(connecting, "response"))[0][":status"], 405);
	assert.ok(await isLarge(stream({ ":path": BLOB })));
	const leaving = stream({ ":path": BLOB });
	await once(leaving, "data");
	leaving.close(8);
	await until(() => sendings[1]?.closed);
	state.pieces = 2;
	const broken = stream({ ":path": BLOB });
	broken.once("data", () => sendings[2]?.response.socket?.resetAndDestroy());
	await assert.rejects(whole(broken), /NGHTTP2_INTERNAL_ERROR/);
	const old = await ask(`${gate.url}/v2/closed/manifests/1.0`, { ca });
	assert.match(String(old.reason), /^sealgate: /);
	const curl = execFileSync(
		"curl",
		[
			"--silent",
			"--http2",
			"--cacert",
			"ca.pem",
			"--output",
			"/dev/null",
			"--write-out",
			"%{http_version} %{http_code}",
			`${gate.url}/healthz`,
		],
		{ cwd: project, encoding: "utf8" },
	);
	assert.equal(curl, "2 200");
	const subject = async () => {
		const answer = await begin(`${gate.url}/healthz`, { ca });
		answer.resume();
		return /** @type {import("node:tls").TLSSocket} */ (
			answer.socket
		).getPeerCertificate().subject.CN;
	};
	assert.equal(await subject(), "first");
	// Half of a renewal is none.
	copyFileSync(join(project, "second.pem"), join(project, "tls.pem"));
	gate.child.kill("SIGHUP");
	await until(() => logOf(gate).some(({ code }) => code === "tls.malformed"));
	assert.equal(await subject(), "first");
	copyFileSync(join(project, "second.key"), join(project, "tls.key"));
	await until(() => logOf(gate).some(({ replaced }) => replaced));
	assert.equal(await subject(), "second");
	session.destroy();
});

test("a policy that changes takes the place of the one that runs; one that is none, or lacks a file, does not", async () => {
	const { url } = await registry();
	const policies = join(project, "policies");
	const put = (/** @type {string} */ name, /** @type {string} */ text) => {
		// As a ConfigMap is mounted: the files change by a symlink, and none of them is written to.
		mkdirSync(join(policies, name));
		writeFileSync(join(policies, name, "policy.json"), text);
		symlinkSync(name, join(policies, "new"));
		renameSync(join(policies, "new"), join(policies, "data"));
	};
	put("one", policyOf("open"));
	symlinkSync("data/policy.json", join(policies, "policy.json"));
	const gate = await start([
		"--upstream",
		url,
		"--name",
		NAME,
		"--policy",
		"policies/policy.json",
	]);
	const status = async (/** @type {string} */ repository) =>
		(await ask(`${gate.url}/v2/${repository}/manifests/1.0`)).status;
	const configurations = () =>
		logOf(gate).filter(({ event }) => event === "configuration");
	assert.deepEqual([await status("open"), await status("other")], [200, 403]);
	// A pull under way: its request, and the blobs that it has not asked for yet.
	const blob = await begin(`${gate.url}${BLOB}`);
	blob.pause();
	put("two", policyOf("open", "other"));
	await until(() => configurations().length === 1);
	assert.deepEqual(configurations()[0], {
		event: "configuration",
		state: "ok",
		replaced: true,
	});
	// Before anything else is asked of the new one.
	const links = await ask(`${gate.url}/v2/open/blobs/${digestOf(config)}`);
	assert.equal(links.status, 200, "found out before, and not forgotten");
	assert.deepEqual([await status("open"), await status("other")], [200, 200]);
	// By file change, then when asked.
	put("three", "{");
	await until(() => configurations().length === 2);
	assert.equal(configurations()[1].state, "kept");
	assert.match(configurations()[1].code, /^(config|policy|json)\./);
	put(
		"four",
		policyOf("other").replace(
			"insecureAcceptAnything",
			'sigstoreSigned","keyPath":"missing.pub',
		),
	);
	gate.child.kill("SIGHUP");
	await until(() => configurations().length >= 3);
	assert.deepEqual(
		[configurations()[2].state, configurations()[2].code],
		["kept", "asset.unreadable"],
	);
	const stale = async () =>
		/^sealgate_configuration_stale (\d)$/m.exec(
			(await ask(`${gate.url}/metrics`)).body,
		)?.[1];
	assert.equal(await stale(), "1");
	assert.deepEqual([await status("open"), await status("other")], [200, 200]);
	put("five", policyOf("other"));
	await until(
		() =>
			configurations().at(-1)?.state === "ok" && configurations().length >= 4,
	);
	assert.deepEqual([await status("open"), await status("other")], [403, 200]);
	assert.equal(await stale(), "0");
	assert.equal((await ask(`${gate.url}/healthz`)).status, 200);
	assert.ok(
		await isLarge(blob),
		"a request ends with the policy that it began with",
	);
});

test("a key that is rotated counts without a restart", async () => {
	const folder = join(project, "keys");
	mkdirSync(folder);
	copyFileSync(
		join(root, "fixtures/demo/policy.json"),
		join(folder, "policy.json"),
	);
	for (const name of [
		"cosign.pub",
		"bundle.pub",
		"keyring.asc",
		"trusted_root.json",
	])
		copyFileSync(join(root, "fixtures/demo", name), join(folder, name));
	const gate = await start(["--demo", "--policy", "keys/policy.json"]);
	const status = async () =>
		(await ask(`${gate.url}/v2/demo/signed/manifests/1.0`)).status;
	assert.equal(await status(), 200);
	copyFileSync(
		join(root, "fixtures/demo/bundle.pub"),
		join(folder, "cosign.pub"),
	);
	await until(() => logOf(gate).some(({ replaced }) => replaced));
	assert.equal(await status(), 403);
});

test("in audit nothing is refused, the administrator sees what would be, and a next policy is tried on real pulls", async () => {
	const { url } = await registry();
	writeFileSync(join(project, "next.json"), policyOf("other"));
	const secret = "0123456789abcdef";
	const gate = await front(url, [], {
		MODE: "audit",
		ADMIN_SECRET: secret,
		POLICY_NEXT: "next.json",
	});
	const status = async (/** @type {string} */ repository) =>
		(await ask(`${gate.url}/v2/${repository}/manifests/1.0`)).status;
	const told = async (/** @type {string} */ path) => {
		const headers = { authorization: `Bearer ${secret}` };
		return JSON.parse(
			(await ask(`${gate.url}/admin/${path}`, { headers })).body,
		);
	};
	assert.deepEqual([await status("open"), await status("other")], [200, 200]);
	assert.equal((await ask(`${gate.url}/admin/refusals`)).status, 401);
	const { decisions } = await told("refusals");
	assert.deepEqual(
		decisions.map(({ image, verdict, code }) => [image, verdict, code]),
		[[`${NAME}/other:1.0`, "audit", "policy.reject"]],
	);
	await until(
		() => logOf(gate).filter(({ event }) => event === "next").length === 2,
	);
	const next = await told("next");
	assert.deepEqual(
		next.differences.map((/** @type {any} */ { image, now, next }) => [
			image,
			now.verdict,
			next.verdict,
		]),
		[
			[`${NAME}/open:1.0`, "allow", "deny"],
			[`${NAME}/other:1.0`, "audit", "allow"],
		],
	);
	// One that is none changes nothing, and is told.
	writeFileSync(join(project, "next.json"), "{");
	await until(() =>
		logOf(gate).some(({ next }) => next?.code === "config.policy"),
	);
	assert.equal(await status("open"), 200);
	assert.equal((await told("next")).policy.state, "misconfigured");
	const metrics = (await ask(`${gate.url}/metrics`)).body;
	assert.match(metrics, /^sealgate_next_misconfigured 1$/m);
	assert.match(metrics, /^sealgate_audit 1$/m);
});

test("a flush forgets everything that the process has, and the log says what an audit does not stop", async () => {
	const { url } = await registry();
	const secret = "0123456789abcdef";
	const authorization = `Bearer ${secret}`;
	const gate = await front(url, [], { ADMIN_SECRET: secret });
	const blob = `${gate.url}/v2/open/blobs/${digestOf(config)}`;
	const manifest = `${gate.url}/v2/open/manifests/1.0`;
	const status = async (/** @type {string} */ at) => (await ask(at)).status;
	assert.equal(await status(manifest), 200);
	assert.equal(await status(blob), 200);
	const flush = (/** @type {object} */ headers) =>
		ask(`${gate.url}/admin/flush`, { method: "POST", headers });
	assert.equal((await flush({})).status, 401);
	assert.equal(await status(blob), 200);
	assert.equal((await flush({ authorization })).status, 200);
	assert.equal(await status(blob), 403);
	assert.deepEqual([await status(manifest), await status(blob)], [200, 200]);
	const decisions = `${gate.url}/admin/decisions`;
	const told = await ask(decisions, { headers: { authorization } });
	const { kept } = JSON.parse(told.body);
	assert.deepEqual([kept.in, kept.count], ["instance", 10_000]);
	assert.ok(Math.abs(kept.since - Date.now() / 1_000) < 60);
	assert.equal(logOf(gate).filter(({ note }) => note).length, 0);
	const policy = {
		...JSON.parse(policyOf("open")),
		sealgate: { version: 1, distrusted: [digestOf(image)] },
	};
	writeFileSync(join(project, "distrust.json"), JSON.stringify(policy));
	const args = ["--upstream", url, "--name", NAME, "--policy", "distrust.json"];
	const [enforce, audit] = [
		await start(args, {}),
		await start(args, { MODE: "audit" }),
	];
	const pull = (/** @type {{ url: string }} */ at) =>
		status(`${at.url}/v2/open/manifests/1.0`);
	assert.deepEqual([await pull(enforce), await pull(audit)], [403, 200]);
	const notes = [enforce, audit].map((at) =>
		logOf(at).flatMap(({ note }) => note ?? []),
	);
	assert.deepEqual(notes[0], []);
	assert.match(String(notes[1]), /^MODE=audit: what the policy distrusts is/);
});

test("a next policy that is moved to the place of the one in force is in force", async () => {
	const { url } = await registry();
	const folder = join(project, "moved");
	mkdirSync(folder);
	writeFileSync(join(folder, "policy.json"), policyOf("open"));
	writeFileSync(join(folder, "next.json"), policyOf("other"));
	const gate = await start(
		["--upstream", url, "--name", NAME, "--policy", "moved/policy.json"],
		{ POLICY_NEXT: "moved/next.json" },
	);
	const status = async (/** @type {string} */ repository) =>
		(await ask(`${gate.url}/v2/${repository}/manifests/1.0`)).status;
	assert.deepEqual([await status("open"), await status("other")], [200, 403]);
	renameSync(join(folder, "next.json"), join(folder, "policy.json"));
	await until(() => logOf(gate).some(({ event }) => event === "configuration"));
	const { state, next } =
		logOf(gate).find(({ event }) => event === "configuration") ?? {};
	assert.deepEqual([state, next?.code], ["ok", "config.policy"]);
	assert.deepEqual([await status("open"), await status("other")], [403, 200]);
});

test("several registries stand behind one gateway, each below its prefix", async () => {
	const [one, two] = [await registry(), await registry()];
	const gate = await start(["--policy", "open.json"], {
		REGISTRIES: JSON.stringify([
			{ prefix: "team", upstream: one.url, name: NAME },
			{ prefix: "hub", upstream: two.url, name: "docker.io" },
		]),
	});
	const { status } = await ask(`${gate.url}/v2/team/open/manifests/1.0`);
	assert.equal(status, 200);
	const refused = await ask(`${gate.url}/v2/hub/open/manifests/1.0`);
	assert.equal(refused.status, 403);
	assert.match(refused.body, /docker\.io\/library\/open:1\.0 is refused/);
	const paths = (/** @type {typeof one} */ { asked }) =>
		asked.map(({ url }) => url);
	assert.ok(paths(one).includes("/v2/open/manifests/1.0"));
	assert.ok(paths(two).includes("/v2/library/open/manifests/1.0"));
	const blob = await begin(`${gate.url}${BLOB.replace("open", "team/open")}`);
	assert.ok(await isLarge(blob));
	const setup = await ask(`${gate.url}/setup?for=podman`);
	assert.match(setup.body, /prefix = "docker\.io"\nlocation = "[^"]*\/hub"/);
});

test("a stop lets a blob end, takes nobody new, and exits with 0; a second signal does not wait", async () => {
	const { url, sendings, state } = await registry();
	const gate = await front(url);
	assert.equal((await ask(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	const blob = await begin(`${gate.url}${BLOB}`, { agent: undefined });
	blob.pause();
	const idle = connect(gate.port, "127.0.0.1");
	await once(idle, "connect");
	const idleEnded = once(idle.resume(), "close");
	gate.child.kill("SIGTERM");
	await until(() => logOf(gate).some(({ event }) => event === "stopping"));
	await idleEnded;
	await assert.rejects(ask(`${gate.url}/healthz`), /ECONNREFUSED/);
	assert.ok(await isLarge(blob));
	assert.equal(await gate.ended, 0);
	state.pieces = 2;
	const second = await front(url);
	assert.equal((await ask(`${second.url}/v2/open/manifests/1.0`)).status, 200);
	const never = await begin(`${second.url}${BLOB}`);
	await until(() => sendings.length === 2);
	second.child.kill("SIGINT");
	await until(() => logOf(second).some(({ event }) => event === "stopping"));
	assert.equal(second.child.exitCode, null);
	second.child.kill("SIGINT");
	await assert.rejects(whole(never), /aborted|ECONNRESET/);
	assert.equal(await second.ended, 1);
});

test("the registry is reached through a proxy, under an authority of one's own", async () => {
	const { port, asked } = await registry({ secure: true });
	/** @type {string[]} */
	const tunnels = [];
	const proxy = createServer().on("connect", (request, socket) => {
		tunnels.push(request.url ?? "");
		const through = connect(port, "127.0.0.1", () => {
			socket.write("HTTP/1.1 200 OK\r\n\r\n");
			through.pipe(socket).pipe(through);
		});
		for (const one of [through, socket]) one.on("error", () => {});
	});
	const env = { HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}` };
	const gate = await front(
		"https://upstream.test:8443",
		["--ca", "ca.pem"],
		env,
	);
	assert.equal((await ask(`${gate.url}/v2/open/manifests/1.0`)).status, 200);
	assert.ok(await isLarge(await begin(`${gate.url}${BLOB}`)));
	assert.deepEqual([...new Set(tunnels)], ["upstream.test:8443"]);
	assert.ok(tunnels.length < asked.length, "connections are kept");
	const untrusting = await front("https://upstream.test:8443", [], env);
	assert.equal(
		(await ask(`${untrusting.url}/v2/open/manifests/1.0`)).status,
		503,
	);
	assert.match(untrusting.out(), /certificate/);
});

test("what a registry names is asked only at a public address", async () => {
	let connections = 0;
	const inside = createTcpServer((socket) => {
		connections += 1;
		socket.destroy();
	});
	const port = await listen(inside);
	// A name that no rule about names knows, and an address of this machine.
	await lookup(hostname());
	const server = createServer((_, response) =>
		response
			.writeHead(307, { location: `https://${hostname()}:${port}/metadata` })
			.end(),
	);
	const gate = await front(`http://127.0.0.1:${await listen(server)}`);
	const { status, body } = await ask(`${gate.url}/v2/open/manifests/1.0`);
	assert.equal(status, 503);
	assert.match(body, /host\.egress/);
	assert.equal(connections, 0);
});

test("IPv6, settings from the environment, and what cannot be started says so", async () => {
	const { url } = await registry();
	const gate = await start([], {
		LISTEN: "[::1]:0",
		UPSTREAM: url,
		POLICY: "open.json",
		NAME,
		PUBLIC_URL: "https://gate.example",
	});
	assert.equal(new URL(gate.url).hostname, "[::1]");
	const refused = await ask(`${gate.url}/v2/closed/manifests/1.0`);
	assert.match(refused.body, /details: https:\/\/gate\.example\//);
	const taken = createServer();
	const port = await listen(taken);
	for (const [args, said] of /** @type {[string[], RegExp][]} */ ([
		[
			["--demo", "--listen", `127.0.0.1:${port}`],
			new RegExp(
				`serve\\.address: .*127\\.0\\.0\\.1:${port} a port that is taken.*--listen`,
			),
		],
		[
			["--demo", "--listen", "here"],
			/arguments: --listen: expected HOST:PORT.*"here"/,
		],
		[["--demo", "--listen", "127.0.0.1:99999"], /arguments: --listen/],
		[["--demo", "--upstream", url], /arguments: --demo and --upstream/],
		[[], /arguments: serve: expected a registry.*--upstream URL.*--demo/],
		[["--upstream", url], /arguments: .*--policy FILE/],
		[
			["--upstream", "registry.example.com", "--policy", "open.json"],
			/arguments: --upstream: expected .*scheme/,
		],
		[
			["--upstream", url, "--policy", "none.json"],
			/policy\.unreadable: .*none\.json/,
		],
		[["--demo", "--tls-cert", "first.pem"], /arguments: .*--tls-key FILE/],
		[
			["--demo", "--tls-cert", "first.pem", "--tls-key", "second.key"],
			/tls\.malformed/,
		],
		[["--demo", "--ca", "open.json"], /ca\.malformed/],
		[["--demo", "--policy", "-"], /a file cannot be - here/],
	])) {
		const failed = launch(args);
		assert.equal(await failed.ended, 2, args.join(" "));
		assert.match(failed.err(), said, args.join(" "));
		assert.doesNotMatch(failed.err(), /\n {4}at /);
	}
	writeFileSync(join(project, "broken.json"), "{");
	// A policy that is none refuses everything, and says why.
	const closed = await start(["--upstream", url, "--policy", "broken.json"]);
	const answer = await ask(`${closed.url}/v2/open/manifests/1.0`);
	assert.equal(answer.status, 403);
	assert.match(answer.body, /\[config\./);
	assert.match(closed.err(), /every pull is refused/);
	assert.equal((await ask(`${closed.url}/healthz`)).status, 503);
});
