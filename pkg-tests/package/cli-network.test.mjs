// How the command reaches registries: proxies, authorities of one's own, IPv6; and that a proxy weakens no rule.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import dns from "node:dns";
import { readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import { createServer as createSecureServer } from "node:tls";
import { pathToFileURL } from "node:url";
import { commandLine } from "./cli.mjs";
import { startRegistry } from "./registry.mjs";
import { atEnd, builtPackage, demo as readDemo } from "./support.mjs";

/** @type {ReturnType<typeof commandLine>} */
let cli;
/** @type {ReturnType<typeof readDemo>} */
let demo;
/** @type {{ key: Buffer, cert: Buffer }} */
let tls;

before(() => {
	demo = readDemo();
	cli = commandLine();
	tls = authority(cli.project);
});

/** An authority of our own, ca.pem, and a certificate of it for every name that is used here. @param {string} folder */
function authority(folder) {
	const openssl = (/** @type {string} */ line) =>
		execFileSync("openssl", line.split(" "), { cwd: folder, stdio: "pipe" });
	const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
	openssl(
		`req -x509 ${newKey} -keyout ca.key -out ca.pem -days 2 -subj /CN=ours -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign`,
	);
	openssl(`req -new ${newKey} -keyout tls.key -out tls.csr -subj /CN=ours`);
	writeFileSync(
		join(folder, "names.txt"),
		"subjectAltName=DNS:registry.test,DNS:cdn.test,DNS:proxy.localhost,DNS:localhost,IP:0.0.0.0\n",
	);
	openssl(
		"x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names.txt -out tls.pem",
	);
	return {
		key: readFileSync(join(folder, "tls.key")),
		cert: readFileSync(join(folder, "tls.pem")),
	};
}

/** A proxy that understands CONNECT alone, and leads everything to one port here. @param {number} port @param {{ authorization?: string, secure?: boolean, answer?: string }} [wants] */
async function startProxy(port, { authorization, secure, answer } = {}) {
	/** @type {string[]} */
	const asked = [];
	/** @param {import("node:net").Socket} socket */
	const handle = (socket) => {
		let head = "";
		socket.on("error", () => {});
		const read = (/** @type {Buffer} */ piece) => {
			head += piece.toString("latin1");
			if (!head.includes("\r\n\r\n")) return;
			socket.off("data", read);
			const [method, authority] = head.split(" ");
			asked.push(`${method} ${authority}`);
			const allowed =
				authorization === undefined ||
				head
					.toLowerCase()
					.includes(
						`proxy-authorization: basic ${btoa(authorization)}`.toLowerCase(),
					);
			if (answer !== undefined || !allowed) {
				socket.end(
					answer ?? "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
				);
				return;
			}
			const upstream = connect(port, "127.0.0.1", () => {
				socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
				upstream.pipe(socket).pipe(upstream);
			});
			upstream.on("error", () => socket.destroy());
			socket.on("close", () => upstream.destroy());
		};
		socket.on("data", read);
	};
	const server = secure
		? createSecureServer(tls, handle)
		: createServer(handle);
	server.listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => server.close());
	return { port: /** @type {any} */ (server.address()).port, asked };
}

const verify = (
	/** @type {string} */ host,
	/** @type {string[]} */ ...more
) => [
	"verify",
	`${host}/demo/signed:1.0`,
	"--key",
	"cosign.pub",
	"--as",
	"demo.example/demo/signed:1.0",
	...more,
];

test("a registry with a certificate of one's own authority", async () => {
	const registry = await startRegistry(demo, { tls, listen: "0.0.0.0" });
	const host = `0.0.0.0:${registry.port}`;
	const without = await cli.sealgate(verify(host));
	assert.equal(without.status, 2);
	assert.match(without.stderr, /host\.unreachable: .*certificate/);
	assert.equal(registry.asked.length, 0);
	const { status, stderr } = await cli.sealgate(verify(host, "--ca", "ca.pem"));
	assert.equal(status, 0, stderr);
	const byInput = await cli.sealgate(verify(host, "--ca", "-"), {
		input: readFileSync(join(cli.project, "ca.pem")),
	});
	assert.equal(byInput.status, 0, byInput.stderr);
	writeFileSync(
		join(cli.project, "broken.pem"),
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	);
	for (const [file, expected] of /** @type {[string, RegExp][]} */ ([
		["cosign.pub", /^sealgate: ca\.malformed: --ca cosign\.pub: .*found none/],
		["broken.pem", /^sealgate: ca\.malformed: --ca broken\.pem: .*number 1/],
		["nowhere.pem", /^sealgate: ca\.unreadable: .*nowhere\.pem/],
	])) {
		const wrong = await cli.sealgate(verify(host, "--ca", file));
		assert.equal(wrong.status, 2);
		assert.match(wrong.stderr, expected);
	}
});

test("through a proxy, by http and by https, with credentials", async () => {
	const registry = await startRegistry(demo, { tls });
	for (const secure of [false, true]) {
		const proxy = await startProxy(registry.port, {
			secure,
			authorization: "me:p@ss word",
		});
		const scheme = secure ? "https" : "http";
		const address = `localhost:${proxy.port}`;
		const ask = (/** @type {Record<string, string>} */ env) =>
			cli.sealgate(verify("registry.test", "--ca", "ca.pem"), { env });
		const good = `${scheme}://me:p%40ss%20word@${address}`;
		for (const name of ["HTTPS_PROXY", "https_proxy"]) {
			const { status, stderr } = await ask({ [name]: good });
			assert.equal(status, 0, stderr);
		}
		assert.deepEqual([...new Set(proxy.asked)], ["CONNECT registry.test:443"]);
		assert.ok(proxy.asked.length < 5, "connections are kept");
		const closed = await ask({
			HTTPS_PROXY: `${scheme}://me:s3cret@${address}`,
		});
		assert.equal(closed.status, 2);
		assert.match(
			closed.stderr,
			/the proxy https?:\/\/localhost:\d+: expected a connection to registry\.test:443, found status 407/,
		);
		assert.doesNotMatch(closed.stdout + closed.stderr, /s3cret/);
	}
});

test("what the proxy answers instead, and addresses that are none", async () => {
	const spoke = await startProxy(1, {
		answer: "HTTP/1.1 200 OK\r\n\r\nhello",
	});
	const dead = await startProxy(1, { answer: "no http at all\r\n\r\n" });
	for (const [proxy, expected] of /** @type {[string, RegExp][]} */ ([
		[`http://127.0.0.1:${spoke.port}`, /spoke before it was asked/],
		[`127.0.0.1:${dead.port}`, /the proxy http:\/\/127\.0\.0\.1:\d+: /],
		["socks5://127.0.0.1:1", /^sealgate: proxy\.address: \$HTTPS_PROXY: /],
		["http://u:%ZZ@127.0.0.1:1", /^sealgate: proxy\.address: .*%25/],
		["http://", /^sealgate: proxy\.address: /],
	])) {
		const { status, stderr } = await cli.sealgate(verify("registry.test"), {
			env: { HTTPS_PROXY: proxy },
		});
		assert.equal(status, 2);
		assert.match(stderr, expected);
	}
});

test("$NO_PROXY and loopback hosts are asked directly", async () => {
	const { proxies } = await load("cli/proxy.js");
	const through = (/** @type {string} */ list, /** @type {string} */ url) =>
		proxies({ HTTPS_PROXY: "http://p:1", NO_PROXY: list })(new URL(url)) !==
		undefined;
	for (const [
		list,
		url,
		expected,
	] of /** @type {[string, string, boolean][]} */ ([
		["", "https://a.example/", true],
		["", "http://a.example/", false],
		["", "https://localhost/", false],
		["", "https://x.localhost:1/", false],
		["", "https://127.8.9.1/", false],
		["", "https://[::1]/", false],
		["*", "https://a.example/", false],
		["a.example", "https://a.example:5000/", false],
		["a.example", "https://b.a.example/", false],
		["a.example", "https://ba.example/", true],
		["a.example", "https://A.Example./", false],
		[".a.example", "https://b.a.example/", false],
		["*.a.example", "https://b.a.example/", false],
		["a.example:5000", "https://a.example:5000/", false],
		["a.example:5000", "https://a.example/", true],
		["a.example:443", "https://a.example/", false],
		["x, a.example  y", "https://a.example/", false],
		["10.0.0.0/8", "https://10.9.9.9/", false],
		["10.0.0.0/8", "https://11.9.9.9/", true],
		["10.0.0.0/99", "https://10.9.9.9/", true],
		["192.0.2.1", "https://192.0.2.1/", false],
		["2.0.2.1", "https://192.0.2.1/", true],
		["[2001:db8::1]:5000", "https://[2001:db8::1]:5000/", false],
		["2001:db8::1", "https://[2001:db8::1]/", false],
		["2001:db8::/32", "https://[2001:db8:1::1]/", false],
		[".", "https://a.example/", true],
	]))
		assert.equal(through(list, url), expected, `${list} ${url}`);
	const registry = await startRegistry(demo);
	const proxy = await startProxy(registry.port);
	const { status } = await cli.sealgate(verify(registry.host), {
		env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
	});
	assert.deepEqual([status, proxy.asked], [0, []]);
});

/** @param {string} file */
const load = (file) => import(pathToFileURL(join(builtPackage(), file)).href);

test("a proxy is asked for addresses that were looked up here, where a registry named the host", async () => {
	const registry = await startRegistry(demo, { tls });
	const proxy = await startProxy(registry.port);
	const { createFetch } = await load("cli/network.js");
	const fetch = createFetch([join(cli.project, "ca.pem")], {
		HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
	});
	const ask = (/** @type {string} */ url, egress = "public") =>
		fetch(url, {
			method: "HEAD",
			headers: [],
			signal: AbortSignal.timeout(10_000),
			egress,
		});
	const known = /** @type {Record<string, string>} */ ({
		"cdn.test": "8.8.8.8",
		"inside.test": "10.0.0.1",
	});
	const original = dns.lookup;
	dns.lookup = /** @type {any} */ (
		(
			/** @type {string} */ name,
			/** @type {any} */ _,
			/** @type {any} */ done,
		) =>
			name in known
				? done(null, [{ address: known[name], family: 4 }])
				: done(Object.assign(new Error("none"), { code: "ENOTFOUND" }), [])
	);
	syncBuiltinESMExports();
	try {
		// By the address that was checked, and with the name's certificate.
		assert.equal((await ask("https://cdn.test/v2/x")).status, 404);
		assert.deepEqual(proxy.asked.splice(0), ["CONNECT 8.8.8.8:443"]);
		for (const [url, reason] of /** @type {[string, RegExp][]} */ ([
			[
				"https://inside.test/",
				/inside\.test is 10\.0\.0\.1, which is no public/,
			],
			[
				"https://unknown.test/",
				/unknown\.test cannot be looked up here \(ENOTFOUND\)/,
			],
			["https://10.0.0.1/", /10\.0\.0\.1 is no public address/],
			["https://[fd00::1]/", /fd00::1 is no public address/],
			["http://cdn.test/", /plain http/],
		]))
			await assert.rejects(ask(url), { code: "egress", message: reason }, url);
		assert.deepEqual(proxy.asked, []);
		// What the user named is the proxy's to look up, and has a connection of its own.
		assert.equal(
			(await ask("https://registry.test/v2/x", "operator")).status,
			404,
		);
		assert.deepEqual(proxy.asked, ["CONNECT registry.test:443"]);
	} finally {
		dns.lookup = original;
		syncBuiltinESMExports();
	}
});

test("a redirect through a proxy, to a host that only the proxy knows", async () => {
	const store = await startRegistry(demo, { tls });
	const registry = await startRegistry(demo, {
		tls,
		redirect: (path) =>
			path.includes("/manifests/") ? `https://cdn.test${path}` : undefined,
	});
	/** @type {Record<string, number>} */
	const ports = {
		"registry.test:443": registry.port,
		"cdn.test:443": store.port,
	};
	const asked = /** @type {string[]} */ ([]);
	const server = createServer((socket) => {
		socket.on("error", () => {});
		socket.once("data", (head) => {
			const authority = head.toString("latin1").split(" ")[1] ?? "";
			asked.push(authority);
			const upstream = connect(ports[authority] ?? 1, "127.0.0.1", () => {
				socket.write("HTTP/1.1 200 OK\r\n\r\n");
				upstream.pipe(socket).pipe(upstream);
			});
			upstream.on("error", () => socket.destroy());
			socket.on("close", () => upstream.destroy());
		});
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => server.close());
	const env = {
		HTTPS_PROXY: `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`,
	};
	const ask = (/** @type {string[]} */ ...more) =>
		cli.sealgate(verify("registry.test", "--ca", "ca.pem", ...more), { env });
	const refused = await ask();
	assert.equal(refused.status, 2);
	assert.match(refused.stderr, /host\.egress: .*cdn\.test.*--egress/);
	assert.ok(!asked.includes("cdn.test:443"));
	const { status, stderr } = await ask("--egress", "cdn.test");
	assert.equal(status, 0, stderr);
	assert.ok(asked.includes("cdn.test:443"));
});

test("a registry at an IPv6 address", async () => {
	const registry = await startRegistry(demo, { listen: "::1" });
	const host = `[::1]:${registry.port}`;
	const named = await cli.sealgate(verify(host));
	assert.equal(named.status, 0, named.stderr);
	const own = await cli.sealgate([
		"verify",
		`${host}/demo/bundle:1.0`,
		"--key",
		"bundle.pub",
	]);
	assert.equal(own.status, 0, own.stderr);
	assert.match(own.stdout, /^✔ allowed: \[::1\]:/);
	const policy = ["--policy", "policy.json"];
	const unnamed = await cli.sealgate([
		"verify",
		`${host}/demo/signed:1.0`,
		...policy,
	]);
	assert.equal(unnamed.status, 2);
	assert.match(unnamed.stderr, /reference\.name: .*--as NAME/);
	assert.equal(
		(
			await cli.sealgate([
				"verify",
				`${host}/demo/signed:1.0`,
				...policy,
				"--as",
				"demo.example/demo/signed:1.0",
			])
		).status,
		0,
	);
	const init = await cli.sealgate([
		"policy",
		"init",
		`${host}/demo/bundle:1.0`,
		"--key",
		"bundle.pub",
	]);
	assert.match(init.stderr, /reference\.name: .*--as NAME/);
});

test("a lookaside on this machine gives files, and to nobody but the operator's word", async () => {
	const { createFetch } = await load("cli/network.js");
	const { readBounded } = await load("fetch.js");
	const fetch = createFetch([], {});
	const file = join(cli.project, "signature-1");
	writeFileSync(file, "bytes");
	execFileSync("mkfifo", [join(cli.project, "pipe")]);
	const ask = (/** @type {string} */ path, more = {}) =>
		fetch(pathToFileURL(path).href, {
			method: "GET",
			headers: [],
			signal: undefined,
			egress: "operator",
			...more,
		});
	const found = await ask(file);
	assert.equal(found.status, 200);
	const bytes = await readBounded(found.body, 5);
	assert.equal(Buffer.from(bytes).toString(), "bytes");
	assert.equal((await ask(join(cli.project, "signature-2"))).status, 404);
	assert.equal((await ask(join(file, "below"))).status, 404);
	for (const other of [cli.project, join(cli.project, "pipe"), "/dev/zero"])
		await assert.rejects(ask(other), /expected a file/, other);
	await assert.rejects(ask(file, { egress: "public" }), { code: "egress" });
	await assert.rejects(ask(file, { egress: undefined }), { code: "egress" });
	await assert.rejects(ask(file, { method: "PUT" }), { code: "egress" });
});
