// `sealgate doctor` and `policy diff --gateway`: gateways as they run, each mistake planted once. What no gateway of ours does is
// planted between it and the command.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { join } from "node:path";
import { afterEach, before, test } from "node:test";
import { startWorker } from "../lib/serve.mjs";
import { commandLine } from "./cli.mjs";
import { startRegistry } from "./registry.mjs";
import {
	atEnd,
	builtPackage,
	demo as readDemo,
	root,
	temporaryFolder,
} from "./support.mjs";

const SECRET = "the administrator's secret";
const IMAGE = "demo.example/demo/signed:1.0";
const DEMO = join(root, "fixtures/demo");

/** @type {ReturnType<typeof commandLine>} */
let cli;
/** @type {import("../lib/serve.mjs").Worker} */
let gate;

before(async () => {
	cli = commandLine();
	writeFileSync(join(cli.project, "secret.txt"), `${SECRET}\n`);
	gate = await serve();
	atEnd(gate.stop);
	started.length = 0;
});
afterEach(async () => {
	for (const { stop } of started.splice(0)) await stop();
});

/** Gateways of one test. @type {import("../lib/serve.mjs").Worker[]} */
const started = [];

/** @param {Parameters<typeof startWorker>[0]} [options] */
async function serve({ settings = {}, ...more } = {}) {
	const running = await startWorker({
		runtime: "node",
		settings: { ADMIN_SECRET: SECRET, ...settings },
		...more,
	});
	started.push(running);
	return running;
}

/** @typedef {{ check: string, level: string, found: string, remedy?: string, code?: string }} Finding */

/** @param {string[]} args @param {Record<string, string>} [env] */
async function doctor(args, env) {
	const { status, stdout, stderr } = await cli.sealgate(
		["doctor", ...args, "--json"],
		{ env },
	);
	assert.notEqual(stdout, "", stderr);
	/** @type {{ findings: Finding[] }} */
	const { findings } = JSON.parse(stdout);
	for (const { level, remedy, found } of findings)
		assert.equal(remedy === undefined, level === "ok", `what to do: ${found}`);
	return {
		status,
		stderr,
		findings,
		/** @param {string} check */
		of: (check) => findings.filter((finding) => finding.check === check),
		/** What is not well. */
		bad: findings
			.filter(({ level }) => level !== "ok")
			.map(({ check, level, code }) =>
				[level, check, code].filter(Boolean).join(" "),
			),
	};
}

const asAdministrator = ["--admin-secret-file", "secret.txt"];

/** @typedef {{ status: number, headers: Record<string, string>, body: Buffer }} Answer */
/** @typedef {(path: string, method: string, answer: Answer) => Partial<Answer> | undefined} Change */

/** Something between a gateway and who asks it, which changes its answers. @param {Change} change @param {{ of?: string, tls?: { key: Buffer, cert: Buffer } }} [options] */
async function between(change, { of = gate.url, tls } = {}) {
	/** @type {import("node:http").RequestListener} */
	const handle = async (request, response) => {
		const { authorization, accept, host = "" } = request.headers;
		const found = await fetch(`${of}${request.url}`, {
			method: request.method,
			headers: {
				...(authorization && { authorization }),
				...(accept && { accept }),
			},
		});
		const body = Buffer.from(await found.arrayBuffer());
		/** @type {Answer} */
		const answer = {
			status: found.status,
			headers: Object.fromEntries(found.headers),
			// It is known by the address that was asked.
			body: Buffer.from(
				body.toString("latin1").replaceAll(new URL(of).host, host),
				"latin1",
			),
		};
		const {
			status,
			headers,
			body: sent,
		} = {
			...answer,
			...change(request.url ?? "", request.method ?? "", answer),
		};
		for (const name of ["connection", "keep-alive", "transfer-encoding"])
			delete headers[name];
		const isHead = request.method === "HEAD";
		if (!isHead) headers["content-length"] = String(sent.length);
		response.writeHead(status, headers).end(isHead ? undefined : sent);
	};
	const server = (
		tls ? createSecureServer(tls, handle) : createServer(handle)
	).listen(0);
	await new Promise((done) => server.once("listening", done));
	atEnd(() => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return { port, url: `${tls ? "https" : "http"}://localhost:${port}` };
}

/** @param {(text: string) => string} edit @returns {(answer: Answer) => Partial<Answer>} */
const edited = (edit) => (answer) => ({
	body: Buffer.from(edit(answer.body.toString())),
});

test("a gateway that is well, with an image by both of its names, and without one", async () => {
	for (const image of [IMAGE, `${gate.host}/demo/signed:1.0`]) {
		const { status, bad, findings, stderr } = await doctor([
			gate.url,
			image,
			...asAdministrator,
		]);
		assert.deepEqual(
			[status, bad.filter((one) => !/refusals/.test(one))],
			[0, []],
		);
		assert.equal(stderr, "");
		assert.deepEqual(
			[...new Set(findings.map(({ check }) => check))],
			[
				...["reachable", "tls", "gateway", "configuration", "/v2/", "mode"],
				...[
					"reload",
					"roots",
					"policy",
					"next policy",
					"refusals",
					"manifest",
					"HEAD",
				],
				...["writes", "ns=", "report", "blobs", "judged here"],
				"policy for the image",
			],
		);
	}
	const alone = await doctor([gate.url]);
	assert.deepEqual([alone.status, alone.findings.length], [0, 8]);
	assert.match(alone.stderr, /--admin-secret-file/);
	const index = await doctor([gate.url, "demo.example/demo/multi:1.0"]);
	assert.deepEqual([index.status, index.bad], [0, []]);
});

test("in words: a line each, what to do below, and a count", async () => {
	const { status, stdout } = await cli.sealgate(
		["doctor", gate.url, "demo.example/demo/unsigned:1.0"],
		{ env: { SEALGATE_ADMIN_SECRET: SECRET } },
	);
	assert.equal(status, 1);
	assert.match(stdout, /^ok {7}reachable: http:\/\/localhost:\d+\n/);
	assert.match(
		stdout,
		/\nproblem {2}manifest: refused: sealgate: demo\.example\/demo\/unsigned:1\.0 is refused: .* \(signature\.missing\)\n {9}→ the message says what to do/,
	);
	assert.match(
		stdout,
		/\nok {7}blobs: gated, those of the refused image too\n/,
	);
	assert.match(stdout, /\n1 problem, \d warnings?\n$/);
});

test("nobody there, no gateway, TLS that is none, a certificate of nobody's", async () => {
	const nobody = await doctor(["http://localhost:1"]);
	assert.deepEqual(
		[nobody.status, nobody.bad],
		[2, ["unknown reachable ECONNREFUSED"]],
	);
	const registry = await startRegistry(readDemo());
	const none = await doctor([`http://${registry.host}`, IMAGE]);
	assert.deepEqual([none.status, none.bad], [1, ["problem gateway"]]);
	assert.ok(
		registry.asked.every((one) => /^GET \/(v2\/|metrics|healthz)$/.test(one)),
		"nothing more is asked of what is no gateway",
	);
	const plain = await doctor([gate.url.replace("http:", "https:")]);
	assert.equal(plain.status, 1);
	assert.match(
		plain.of("tls")[0]?.found ?? "",
		/expected TLS, found plain http/,
	);
	// By an address that is not this machine alone, as far as can be seen.
	const { port } = await between(() => undefined);
	const open = await doctor([`http://0.0.0.0:${port}`, ...asAdministrator]);
	assert.deepEqual(open.bad, ["problem tls", "problem administration"]);
});

test("over TLS: an authority of one's own, and a certificate that ends", async () => {
	const folder = temporaryFolder();
	const certificate = (
		/** @type {string} */ name,
		/** @type {number} */ days,
	) => {
		execFileSync(
			"openssl",
			`req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.pem -days ${days} -subj /CN=localhost -addext subjectAltName=DNS:localhost`.split(
				" ",
			),
			{ cwd: folder, stdio: "pipe" },
		);
		return {
			key: readFileSync(join(folder, `${name}.key`)),
			cert: readFileSync(join(folder, `${name}.pem`)),
		};
	};
	for (const [name, days, expected] of /** @type {const} */ ([
		["long", 90, []],
		["short", 5, ["warning tls"]],
	])) {
		const { url } = await between(() => undefined, {
			tls: certificate(name, days),
		});
		const unknown = await doctor([url]);
		assert.equal(unknown.status, 1);
		assert.match(
			unknown.bad[0] ?? "",
			/^problem tls DEPTH_ZERO_SELF_SIGNED_CERT/,
		);
		const found = await doctor([
			url,
			IMAGE,
			...["--ca", join(folder, `${name}.pem`), ...asAdministrator],
		]);
		assert.equal(found.status, 0);
		assert.deepEqual(
			found.bad.filter((one) => !/refusals/.test(one)),
			expected,
			"the image too is asked for over TLS",
		);
	}
});

test("what its metrics say: another version, old roots; and where they are not seen", async () => {
	const changed = async (
		/** @type {string} */ from,
		/** @type {string} */ to,
	) => {
		const { url } = await between((path, _, answer) =>
			path === "/metrics"
				? edited((text) => text.replace(new RegExp(from), to))(answer)
				: undefined,
		);
		const { status, bad } = await doctor([url]);
		return [status, bad];
	};
	const days = (/** @type {number} */ count) =>
		changed(
			"(sealgate_trusted_root_age_seconds) \\d+",
			`$1 ${count * 24 * 60 * 60}`,
		);
	assert.deepEqual(await days(89), [0, []]);
	assert.deepEqual(await days(90), [0, ["warning roots"]]);
	assert.deepEqual(await days(180), [1, ["problem roots"]]);
	assert.deepEqual(await changed('version="[^"]*"', 'version="9.9.9"'), [
		0,
		["warning gateway"],
	]);
	assert.deepEqual(await changed("(?:.|\n)*", "forbidden"), [
		2,
		["unknown gateway"],
	]);
});

test("no policy: a broken one, and keyless without a log", async () => {
	const scope = (/** @type {object} */ requirement) =>
		JSON.stringify({
			sealgate: { version: 1 },
			default: [{ type: "reject" }],
			transports: { docker: { "demo.example": [requirement] } },
		});
	for (const [name, text, code] of /** @type {[string, string, RegExp][]} */ ([
		["broken", "{", /^config\.policy$/],
		[
			"keyless",
			scope({
				type: "sigstoreSigned",
				fulcio: {
					caData: readFileSync(join(DEMO, "cosign.pub")).toString("base64"),
					oidcIssuer: "https://issuer.example",
					subjectEmail: "a@b.example",
				},
			}),
			/^config\./,
		],
	])) {
		const policy = join(cli.project, `${name}.json`);
		writeFileSync(policy, text);
		const { url } = await serve({ policy });
		const everybody = await doctor([url]);
		assert.equal(everybody.status, 1, name);
		assert.ok(everybody.bad.includes("problem configuration"), name);
		const { status, of } = await doctor([url, ...asAdministrator]);
		assert.equal(status, 1);
		const why = of("configuration").find((one) => one.code !== undefined);
		assert.match(why?.code ?? "", code, name);
		assert.ok((why?.found.length ?? 0) > 30, why?.found);
	}
});

test("a newer policy that was refused", async () => {
	const policy = join(cli.project, "renewed.json");
	const text = readFileSync(join(DEMO, "policy.json"), "utf8");
	for (const file of ["cosign.pub", "bundle.pub", "keyring.asc"])
		writeFileSync(join(cli.project, file), readFileSync(join(DEMO, file)));
	writeFileSync(policy, text);
	const { url, output } = await serve({ policy });
	assert.deepEqual((await doctor([url])).bad, []);
	writeFileSync(policy, text.slice(1));
	for (const deadline = Date.now() + 10_000; !/"kept"/.test(output()); ) {
		assert.ok(Date.now() < deadline, output());
		await new Promise((done) => setTimeout(done, 50));
	}
	const { status, bad } = await doctor([url]);
	assert.deepEqual([status, bad], [1, ["problem reload"]]);
});

test("the policy is linted as `policy lint` does: open by default, a scope that matches nothing, a key that is none", async () => {
	const policy = join(cli.project, "wide.json");
	writeFileSync(
		policy,
		JSON.stringify({
			sealgate: { version: 1 },
			default: [{ type: "insecureAcceptAnything" }],
			transports: {
				docker: {
					"*.demo.example/x": [{ type: "reject" }],
					"demo.example/keyed": [
						{ type: "sigstoreSigned", keyData: btoa("no key") },
					],
				},
			},
		}),
	);
	const { url } = await serve({ policy });
	const { status, of } = await doctor([url, IMAGE, ...asAdministrator]);
	const lints = await cli.sealgate(["policy", "lint", policy, "--json"]);
	const expected = JSON.parse(lints.stdout).filter(
		(/** @type {any} */ { severity }) => severity !== "note",
	);
	assert.deepEqual(
		of("policy").map(({ level, code }) => [level, code]),
		expected.map((/** @type {any} */ { severity, id }) => [
			severity === "error" ? "problem" : "warning",
			id,
		]),
	);
	const ids = of("policy").map(({ code }) => code);
	for (const id of ["PL01", "PL08", "SL14"])
		assert.ok(ids.includes(id), `${id}: ${ids.join(" ")}`);
	assert.equal(status, 1);
	// What is let through by it is not verified.
	assert.equal(of("report")[0]?.level, "warning");
	assert.equal(of("report")[0]?.code, "policy.accept-anything");
});

test("a secret that is another, or none", async () => {
	writeFileSync(join(cli.project, "other.txt"), "another secret of 26 bytes\n");
	const other = await doctor([gate.url, "--admin-secret-file", "other.txt"]);
	assert.deepEqual([other.status, other.bad], [1, ["problem administration"]]);
	for (const [text, code] of /** @type {const} */ ([
		["two\nlines\n", "admin-secret.malformed"],
		["", "admin-secret.malformed"],
		[undefined, "admin-secret.unreadable"],
	])) {
		const file = join(cli.project, "third.txt");
		if (text !== undefined) writeFileSync(file, text);
		const { status, stdout, stderr } = await cli.sealgate([
			"doctor",
			gate.url,
			"--admin-secret-file",
			text === undefined ? "nowhere.txt" : file,
		]);
		assert.deepEqual([status, stdout], [2, ""]);
		assert.match(stderr, new RegExp(code));
	}
});

/** The demo's policy with another key for one of its scopes. @param {string} name */
function nextPolicy(name) {
	const policy = JSON.parse(readFileSync(join(DEMO, "policy.json"), "utf8"));
	policy.transports.docker["demo.example/demo"] = [
		{
			...policy.transports.docker["demo.example/demo"][0],
			keyPath: "bundle.pub",
		},
	];
	policy.transports.docker["demo.example/demo/unsigned"] = [
		{ type: "insecureAcceptAnything" },
	];
	const path = join(cli.project, name);
	writeFileSync(path, JSON.stringify(policy));
	return path;
}

/** As nodes do; resolved when the next policy has judged them too. @param {import("../lib/serve.mjs").Worker} worker @param {string[]} images */
async function pull(worker, images) {
	for (const image of images)
		await fetch(`${worker.url}/v2/demo/${image}/manifests/1.0`);
	const compared = async () =>
		Number(
			/^sealgate_next_compared_total (\d+)$/m.exec(
				await (await fetch(`${worker.url}/metrics`)).text(),
			)?.[1],
		);
	for (const deadline = Date.now() + 10_000; ; ) {
		if ((await compared()) >= images.length) return;
		assert.ok(Date.now() < deadline, "compared within ten seconds");
		await new Promise((done) => setTimeout(done, 50));
	}
}

test("the next policy: what only the old key signed, and a next policy that is none", async () => {
	const settings = { POLICY_NEXT: nextPolicy("next.json") };
	const [one, two] = await Promise.all([
		serve({ settings }),
		serve({ settings }),
	]);
	const gateways = [one, two].flatMap(({ url }) => ["--gateway", url]);
	const diff = (/** @type {string[]} */ ...more) =>
		cli.sealgate(["policy", "diff", ...more, ...asAdministrator]);
	const nothing = await diff(...gateways);
	assert.deepEqual(
		[nothing.status, nothing.stdout, nothing.stderr],
		[2, "", "0 compared: 0 change\n"],
		"who saw nothing knows nothing",
	);
	// Each instance knows what it served itself.
	await pull(one, ["signed", "keyless"]);
	await pull(two, ["signed", "unsigned"]);
	const found = await diff(...gateways);
	assert.equal(found.status, 1);
	assert.match(
		found.stdout,
		/^1 would be refused: .* \(signature\.invalid\)\n {2}- demo\.example\/demo\/signed:1\.0\n1 would be allowed: until now: .* \(signature\.missing\)\n {2}\+ demo\.example\/demo\/unsigned:1\.0\n$/,
	);
	assert.equal(found.stderr, "4 compared: 2 change\n");
	const json = JSON.parse((await diff(...gateways, "--json")).stdout);
	assert.deepEqual(
		json.groups.map((/** @type {any} */ { change, code, images }) => [
			change,
			code,
			images,
		]),
		[
			["refused", "signature.invalid", ["demo.example/demo/signed:1.0"]],
			["allowed", "signature.missing", ["demo.example/demo/unsigned:1.0"]],
		],
	);
	await pull(two, ["keyless", "signed", "unsigned"].slice(0, 1));
	const only = await diff("--gateway", one.url);
	assert.match(only.stderr, /^2 compared: 1 changes\n/);

	const { status, of } = await doctor([one.url, ...asAdministrator]);
	assert.equal(status, 0);
	const [next] = of("next policy");
	assert.deepEqual([next?.level, next?.code], ["warning", "signature.invalid"]);
	assert.match(next?.found ?? "", /^1 image would be refused: .*signed:1\.0$/);
	assert.match(next?.remedy ?? "", /next policy does not have: sign again/);

	writeFileSync(join(cli.project, "no-policy.json"), "{");
	const broken = await serve({
		settings: { POLICY_NEXT: join(cli.project, "no-policy.json") },
	});
	const seen = await doctor([broken.url]);
	assert.deepEqual([seen.status, seen.bad], [0, ["warning next policy"]]);
	const why = await doctor([broken.url, ...asAdministrator]);
	assert.match(
		why.of("next policy").at(-1)?.found ?? "",
		/\[config\.policy\]$/,
	);
	const refused = await diff("--gateway", broken.url);
	assert.equal(refused.status, 2);
	assert.match(refused.stderr, /^sealgate: config\.policy: .*cannot be read/);
	const none = await diff("--gateway", gate.url);
	assert.match(none.stderr, /^sealgate: gateway\.answer: .*POLICY_NEXT/);
	assert.equal(none.status, 2);
});

test("of one image the newest word counts, whichever gateway is named first", async () => {
	const { merge } = await import(join(builtPackage(), "cli/next.js"));
	const of = (/** @type {string} */ code, /** @type {number} */ last) => ({
		compared: 1,
		open: 1,
		more: false,
		differences: [{ image: "a", next: { code }, since: last - 5, last }],
	});
	const [old, young] = [of("old", 10), of("young", 20)];
	for (const found of [
		[old, young],
		[young, old],
	]) {
		const { differences, ...rest } = merge(found);
		assert.deepEqual(rest, { compared: 2, open: 2, more: false });
		assert.deepEqual(differences, [
			{ image: "a", next: { code: "young" }, since: 5, last: 20 },
		]);
	}
	assert.equal(merge([old, { ...young, more: true }]).more, true);
});

test("what was refused lately, by its code", async () => {
	const fresh = await serve();
	assert.equal(
		(await doctor([fresh.url, ...asAdministrator])).of("refusals")[0]?.level,
		"ok",
	);
	for (const image of ["unsigned", "wrong-key", "copied"])
		await fetch(`${fresh.url}/v2/demo/${image}/manifests/1.0`);
	const { status, of } = await doctor([fresh.url, ...asAdministrator]);
	assert.equal(status, 0);
	assert.deepEqual(
		of("refusals")
			.map(({ level, code }) => `${level} ${code}`)
			.sort(),
		["identity.not-accepted", "signature.invalid", "signature.missing"].map(
			(code) => `warning ${code}`,
		),
	);
});

test("audit is a warning, and what it serves all the same too", async () => {
	const { url } = await serve({ settings: { MODE: "audit" } });
	const { status, bad } = await doctor([url, "demo.example/demo/unsigned:1.0"]);
	assert.deepEqual(
		[status, bad],
		[0, ["warning mode", "warning report signature.missing"]],
	);
	const policy = JSON.parse(readFileSync(join(DEMO, "policy.json"), "utf8"));
	policy.sealgate.audit = ["demo.example/demo/unsigned"];
	const path = join(cli.project, "audited.json");
	writeFileSync(path, JSON.stringify(policy));
	const one = await serve({ policy: path });
	const found = await doctor([one.url, "demo.example/demo/unsigned:1.0"]);
	assert.deepEqual(
		[found.status, found.bad],
		[0, ["warning report signature.missing"]],
	);
});

test("credentials: none, those of the nodes; an image that is not there; a registry that is not", async () => {
	const registry = await startRegistry(readDemo(), { basic: "node:password" });
	const { url, host } = await serve({
		upstream: `http://${registry.host}`,
		name: "demo.example",
		policy: join(DEMO, "policy.json"),
	});
	const none = await doctor([url, IMAGE]);
	assert.deepEqual([none.status, none.bad], [1, ["problem manifest"]]);
	assert.match(none.of("manifest")[0]?.remedy ?? "", /podman login localhost:/);
	const file = join(cli.project, "auth.json");
	const auth = btoa("node:password");
	writeFileSync(file, JSON.stringify({ auths: { [host]: { auth } } }));
	const env = { REGISTRY_AUTH_FILE: file };
	const known = await doctor([url, IMAGE, ...asAdministrator], env);
	assert.deepEqual(
		[known.status, known.bad.filter((one) => !/refusals/.test(one))],
		[0, []],
	);
	const absent = await doctor([url, "demo.example/demo/absent:1.0"], env);
	assert.deepEqual([absent.status, absent.bad], [1, ["problem manifest"]]);
	const other = await doctor([url, "quay.io/demo/signed:1.0"], env);
	assert.deepEqual(
		[other.status, other.bad],
		[2, ["unknown image image.elsewhere"]],
	);
	const gone = await serve({
		upstream: "http://localhost:1",
		name: "demo.example",
		policy: join(DEMO, "policy.json"),
	});
	const lost = await doctor([gone.url, IMAGE]);
	assert.equal(lost.status, 2);
	assert.match(lost.bad.join(), /unknown manifest/);
});

test("a registry below a prefix, whose token service is its own", async () => {
	const registry = await startRegistry(readDemo(), { bearer: "node:password" });
	const { url, host } = await serve({
		policy: join(DEMO, "policy.json"),
		// What is below a prefix is served if everybody may read it; the empty one gets what clients sign in with.
		settings: {
			REGISTRIES: JSON.stringify([
				{
					prefix: "team",
					upstream: "http://demo.example",
					name: "other.example",
				},
				{
					prefix: "",
					upstream: `http://${registry.host}`,
					name: "demo.example",
				},
			]),
			UPSTREAM: "",
		},
		upstream: "none",
	});
	const file = join(cli.project, "token.json");
	const auth = btoa("node:password");
	writeFileSync(file, JSON.stringify({ auths: { [host]: { auth } } }));
	const env = { REGISTRY_AUTH_FILE: file };
	const none = await doctor([url, IMAGE]);
	assert.deepEqual([none.status, none.bad], [1, ["problem manifest"]]);
	const known = await doctor([url, IMAGE], env);
	assert.deepEqual([known.status, known.bad], [0, []]);
	assert.ok(registry.asked.some((one) => one.startsWith("GET /token?")));
	assert.match(known.of("blobs")[0]?.found ?? "", /those that the image lists/);
	const below = await doctor([url, "other.example/x:1"], env);
	assert.match(
		below.findings.at(-1)?.found ?? "",
		/^localhost:\d+\/team\/x:1: /,
		"what the gateway calls it",
	);
});

test("a lookaside that cannot be had", async () => {
	const folder = join(cli.project, "registries.d");
	mkdirSync(folder);
	writeFileSync(
		join(folder, "demo.yaml"),
		"default-docker:\n  use-sigstore-attachments: true\n  lookaside: http://localhost:1/lookaside\n",
	);
	const registry = await startRegistry(readDemo());
	const { url } = await serve({
		upstream: `http://${registry.host}`,
		name: "demo.example",
		policy: join(DEMO, "policy.json"),
		registriesD: folder,
	});
	const image = "demo.example/demo/gpg:1.0";
	const { status, of } = await doctor([url, image]);
	assert.equal(status, 2);
	const [manifest] = of("manifest");
	// Where it is, clients are not told.
	assert.deepEqual(
		[manifest?.level, manifest?.code],
		["unknown", "host.unreachable"],
	);
	assert.doesNotMatch(manifest?.found ?? "", /localhost:1\b/);
	const lately = await doctor([url, ...asAdministrator]);
	const [refusals] = lately.of("refusals");
	assert.deepEqual(
		[refusals?.level, refusals?.code],
		["warning", "host.unreachable"],
	);
	assert.match(refusals?.remedy ?? "", /lookasides can be reached/);
});

/** Each: what is planted between, the image, and what is found. @type {[string, string, Change, string[]][]} */
const PLANTED = [
	[
		"another digest in the header",
		"signed",
		(path, _, { headers }) =>
			/\/manifests\/1\.0$/.test(path)
				? {
						headers: {
							...headers,
							"docker-content-digest": `sha256:${"0".repeat(64)}`,
						},
					}
				: undefined,
		["problem manifest digest.mismatch", "problem HEAD"],
	],
	[
		"HEAD of another type",
		"signed",
		(path, method, { headers }) =>
			method === "HEAD" && /\/manifests\//.test(path)
				? { headers: { ...headers, "content-type": "text/plain" } }
				: undefined,
		["problem HEAD"],
	],
	[
		"HEAD that is let through",
		"unsigned",
		(path, method) =>
			method === "HEAD" && /\/manifests\//.test(path)
				? { status: 200 }
				: undefined,
		["problem manifest signature.missing", "problem HEAD"],
	],
	[
		"HEAD that is refused",
		"signed",
		(path, method) =>
			method === "HEAD" && /\/manifests\//.test(path)
				? { status: 403 }
				: undefined,
		["problem HEAD"],
	],
	[
		"a digest that does not come after HEAD",
		"signed",
		(path) => (/\/manifests\/sha256:/.test(path) ? { status: 404 } : undefined),
		["problem HEAD"],
	],
	[
		"a manifest as a blob",
		"signed",
		(path, method, answer) =>
			/\/blobs\//.test(path) && method === "GET" && answer.status === 403
				? { status: 200 }
				: undefined,
		["problem blobs"],
	],
	[
		"layers of what is refused",
		"unsigned",
		(path, method) =>
			/\/blobs\//.test(path) && method === "HEAD" ? { status: 200 } : undefined,
		["problem manifest signature.missing", "warning blobs"],
	],
	[
		"layers that do not come",
		"signed",
		(path, method) =>
			/\/blobs\//.test(path) && method === "HEAD" ? { status: 403 } : undefined,
		["problem blobs"],
	],
	[
		"pushes",
		"signed",
		(_, method) => (method === "PUT" ? { status: 201 } : undefined),
		["problem writes"],
	],
	[
		"queries that do not arrive",
		"signed",
		(path) => (path.includes("ns=") ? { status: 200 } : undefined),
		["problem ns="],
	],
	[
		"a report that says something else than what is served",
		"signed",
		(path, _, answer) =>
			path.startsWith("/api/verify")
				? edited((text) =>
						text.replace('"verdict":"allow"', '"verdict":"deny"'),
					)(answer)
				: undefined,
		["problem report signature.accepted", "problem judged here"],
	],
	[
		"evidence with the policy of somebody else",
		"signed",
		(path, _, answer) =>
			path.startsWith("/api/evidence")
				? edited((text) => {
						const document = JSON.parse(text);
						document.policy.text = btoa('{"default":[{"type":"reject"}]}');
						return JSON.stringify(document);
					})(answer)
				: undefined,
		["problem judged here"],
	],
	[
		"a refusal that is not the gateway's",
		"signed",
		(path, method) =>
			/\/manifests\/1\.0$/.test(path) && method === "GET"
				? {
						status: 403,
						body: Buffer.from('{"errors":[{"code":"DENIED","message":"no"}]}'),
					}
				: undefined,
		["problem manifest"],
	],
	[
		"no /v2/ as registries have it",
		"signed",
		(path) => (path === "/v2/" ? { status: 404 } : undefined),
		["problem /v2/"],
	],
	[
		"no evidence and no reports",
		"signed",
		(path) => (path.startsWith("/api/") ? { status: 403 } : undefined),
		["warning report", "warning judged here"],
	],
];

for (const [what, image, change, expected] of PLANTED)
	test(`found between the gateway and its clients: ${what}`, async () => {
		const { url } = await between(change);
		const { status, bad } = await doctor([
			url,
			`demo.example/demo/${image}:1.0`,
		]);
		assert.deepEqual(bad, expected);
		assert.equal(status, expected.some((one) => /^problem/.test(one)) ? 1 : 0);
	});

test("a client that can get around it: podman, containerd, docker", async () => {
	const etc = temporaryFolder();
	const at = (/** @type {string} */ path, /** @type {string} */ text) => {
		mkdirSync(join(etc, path, ".."), { recursive: true });
		writeFileSync(join(etc, path), text);
	};
	const setup = async (/** @type {string} */ query) =>
		(await fetch(`${gate.url}/setup?${query}`)).text();
	const look = async (/** @type {string} */ client) => {
		const { of } = await doctor([gate.url, "--client", client, "--etc", etc]);
		return of(client).map(({ level }) => level);
	};
	const conf = await setup("for=podman");
	const drop = "containers/registries.conf.d/50-sealgate.conf";
	assert.deepEqual(await look("podman"), ["warning"]);
	at(drop, conf);
	assert.deepEqual(await look("podman"), ["ok"]);
	at(
		"containers/registries.conf.d/90-other.conf",
		'[[registry]]\nprefix = "demo.example"\nlocation = "demo.example"\n',
	);
	assert.deepEqual(await look("podman"), ["warning"]);
	at(
		"containers/registries.conf.d/90-other.conf",
		`[[registry]]\nlocation = "demo.example"\n[[registry.mirror]]\nlocation = "${gate.host}"\n`,
	);
	assert.deepEqual(await look("podman"), ["problem"]);

	const hosts = "containerd/certs.d/demo.example/hosts.toml";
	const toml = await setup("for=containerd");
	assert.deepEqual(await look("containerd"), ["warning"]);
	at(hosts, toml);
	assert.deepEqual(await look("containerd"), ["ok", "warning"]);
	const path = 'config_path = "/etc/containerd/certs.d"\n';
	at("containerd/config.toml", `[plugins."cri".registry]\n# ${path}`);
	assert.deepEqual(await look("containerd"), ["ok", "warning"]);
	at("containerd/config.toml", `[plugins."cri".registry]\n  ${path}`);
	assert.deepEqual(await look("containerd"), ["ok"]);
	at(hosts, toml.replace(/^server = .*\n/m, ""));
	assert.deepEqual(await look("containerd"), ["problem"]);

	assert.deepEqual(await look("docker"), ["ok"]);
	at("docker/daemon.json", '{"registry-mirrors": ["https://other.example"]}');
	assert.deepEqual(await look("docker"), ["ok"]);
	at("docker/daemon.json", `{"registry-mirrors": ["${gate.url}"]}`);
	assert.deepEqual(await look("docker"), ["problem"]);
	const lines = "0.0.0.0 registry-1.docker.io\n:: registry-1.docker.io\n";
	at("hosts", lines.replace("0.0.0.0 ", "# 0.0.0.0 "));
	assert.deepEqual(await look("docker"), ["problem"]);
	at("hosts", `127.0.0.1 localhost\n${lines}`);
	assert.deepEqual(await look("docker"), ["ok"]);
	const inDocker = "docker/certs.d/demo.example/hosts.toml";
	at(inDocker, toml);
	assert.deepEqual(await look("docker"), ["ok", "ok"]);
	at(inDocker, toml.replace(/^server = .*\n/m, ""));
	assert.deepEqual(await look("docker"), ["problem", "ok"]);
	at(inDocker, toml);
	at("docker/daemon.json", "{");
	assert.deepEqual(await look("docker"), ["ok", "unknown"]);
});

test("what may not stand together is refused before anything is asked", async () => {
	for (const [line, expected] of /** @type {[string, RegExp][]} */ ([
		["doctor", /doctor needs a gateway/],
		["doctor gate.example.com", /expected the gateway's address, http\(s\)/],
		["doctor https://gate.example.com/v2/", /http\(s\):\/\/host/],
		["doctor https://user:pass@gate.example.com", /http\(s\):\/\/host/],
		["doctor https://a.example x y", /one gateway and one image/],
		[
			"doctor https://a.example --client nerdctl",
			/podman or containerd or docker/,
		],
		["doctor https://a.example --etc /tmp", /add --client/],
		["policy diff --gateway a.example", /http\(s\):\/\/host/],
		[
			"policy diff a.json b.json --gateway https://a.example",
			/a gateway has both/,
		],
		["policy diff a.json b.json --admin-secret-file x", /add --gateway/],
		["policy diff", /policy diff needs a policy/],
		["policy diff a.json", /needs a second policy/],
		["policy diff --gateway http://0.0.0.0:1", /admin-secret\.(open|missing)/],
	])) {
		const { status, stdout, stderr } = await cli.sealgate(line.split(" "));
		assert.deepEqual([status, stdout], [2, ""], line);
		assert.match(stderr, expected, line);
	}
	const open = await cli.sealgate(
		["policy", "diff", "--gateway", "http://0.0.0.0:1"],
		{ env: { SEALGATE_ADMIN_SECRET: SECRET } },
	);
	assert.match(open.stderr, /^sealgate: admin-secret\.open: /);
});
