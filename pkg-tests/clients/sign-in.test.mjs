// Clients that sign in at the gateway, and the gateway at registries: in workerd and in Node, with real clients and token services that
// check what they are sent.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CLIENT_PROGRAMS, need, run, startClients } from "../lib/clients.mjs";
import { makeKey, pushImage, signTag } from "../lib/peers.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { serveFails, startWorker } from "../lib/serve.mjs";
import {
	basic,
	startBasicRegistry,
	startEcr,
	startTokenRegistry,
} from "../lib/sign-in.mjs";
import { ACCEPT, FRONT_PROGRAMS, NAME, ask, signedBy } from "./front.mjs";

const PROGRAMS = { ...CLIENT_PROGRAMS, ...FRONT_PROGRAMS, openssl: "openssl" };
const RUNTIMES = ["workerd", "node"];
const CLI = fileURLToPath(new URL("../../pkg/cli.cjs", import.meta.url));
/** Long enough for a token to be had again, and short enough for a test. */
const RENEWED_MS = 4_000;

const generated = () => randomBytes(32).toString("hex");
const secrets = {
	ci: generated(),
	other: generated(),
	password: generated(),
	refreshToken: generated(),
	secretAccessKey: generated(),
	sessionToken: generated(),
};
const login = (/** @type {"ci" | "other"} */ name) =>
	`${name}:${secrets[name]}`;
const sha256 = (/** @type {string} */ text) =>
	createHash("sha256").update(text).digest("hex");
const CLIENTS = JSON.stringify([
	{ name: "ci", sha256: sha256(secrets.ci), repositories: [`${NAME}/team`] },
	{
		name: "other",
		sha256: sha256(secrets.other),
		repositories: [`${NAME}/te`, `${NAME}/team/signed/more`],
	},
]);

/** @type {string} */
let folder;
/** @type {string} */
let policy;
/** @type {Awaited<ReturnType<typeof startTokenRegistry>>} */
let registry;
/** @type {import("../lib/proxy.mjs").Proxy} */
let proxy;
/** @type {string} */
let digest;
/** @type {import("../lib/clients.mjs").Client[]} */
let clients = [];

before(async (t) => {
	if (!need(/** @type {object} */ (t), PROGRAMS)) return;
	folder = await mkdtemp(join(tmpdir(), "sealgate-sign-in-"));
	const { key } = await makeKey(folder, { name: "good" });
	policy = join(folder, "policy.json");
	const scopes = { [`${NAME}/team`]: signedBy("good.pub") };
	await writeFile(
		policy,
		JSON.stringify({
			sealgate: { version: 1 },
			default: [{ type: "reject" }],
			transports: { docker: scopes },
		}),
	);
	const { password, refreshToken } = secrets;
	registry = await startTokenRegistry({ password, refreshToken });
	proxy = await startProxy(registry.url);
	const { host } = registry.open;
	const repo = "team/signed";
	digest = await pushImage(host, repo, "1.0", { text: "signed in" });
	const identity = `${NAME}/${repo}`;
	await signTag(`${host}/${repo}@${digest}`, { key, identity });
	await pushImage(host, "team/unsigned", "1.0", { text: "not signed" });
	clients = await startClients();
});
after(async () => {
	await Promise.all(clients.map((client) => client.stop()));
	await proxy?.stop();
	await registry?.stop();
	if (folder) await rm(folder, { recursive: true, force: true });
});

/** @param {string} runtime @param {string} upstream @param {object} credential */
async function startGateway(runtime, upstream, credential) {
	const file = join(folder, `credentials-${runtime}.json`);
	const { host } = new URL(upstream);
	await writeFile(file, JSON.stringify({ [host]: credential }));
	return startWorker({
		runtime,
		upstream,
		name: NAME,
		policy,
		settings: { UPSTREAM_CREDENTIALS: `@${file}`, CLIENTS },
	});
}

/** A layer's and the manifest's pull, as clients make it. @param {string} url @param {string} [as] */
function pull(url, as = login("ci")) {
	const headers = { authorization: `Basic ${btoa(as)}`, accept: ACCEPT };
	return ask(url, "/v2/team/signed/manifests/1.0", { headers });
}

/** Nothing that is secret stands in what was printed, nor in what anybody may ask. @param {import("../lib/serve.mjs").Worker} worker */
async function assertNothingTold(worker) {
	const texts = [worker.output()];
	for (const path of [
		"/metrics",
		"/healthz",
		"/setup",
		"/v2/",
		"/v2/team/signed/manifests/1.0",
	])
		for (const headers of [
			{},
			{ authorization: `Basic ${btoa(login("ci"))}` },
		]) {
			const answer = await ask(worker.url, path, { headers });
			texts.push(JSON.stringify(answer.headers), answer.body.toString());
		}
	for (const text of texts)
		for (const [name, secret] of Object.entries(secrets))
			for (const shape of [
				secret,
				btoa(`${name}:${secret}`),
				btoa(`robot:${secret}`),
			])
				assert.ok(!text.includes(shape), `${name} stands in ${text}`);
}

for (const runtime of RUNTIMES)
	describe(`in ${runtime}`, () => {
		test("clients sign in, and the registry is asked by the gateway's name and password", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const worker = await startGateway(runtime, proxy.url, {
				username: "robot",
				password: secrets.password,
			});
			try {
				proxy.reset();
				registry.tokens.asked.length = 0;
				const reference = `${worker.host}/team/signed:1.0`;
				for (const client of clients) {
					await t.test(client.name, async () => {
						const known = await client.pull(reference, login("ci"));
						assert.ok(known.ok, known.output);
						const byDigest = `${worker.host}/team/signed@${digest}`;
						const again = await client.pull(byDigest, login("ci"));
						assert.ok(again.ok, again.output);
						const unsigned = `${worker.host}/team/unsigned:1.0`;
						const refused = await client.pull(unsigned, login("ci"));
						assert.ok(!refused.ok);
						assert.match(refused.output, /sealgate: /);
						const seen = proxy.log.length;
						const nobody = await client.pull(reference);
						assert.ok(!nobody.ok);
						assert.match(
							nobody.output,
							/401|unauthorized|authentication required/i,
						);
						const wrong = await client.pull(reference, `ci:${generated()}`);
						assert.ok(!wrong.ok, wrong.output);
						const foreign = await client.pull(reference, login("other"));
						assert.ok(!foreign.ok);
						if (client.printsBody)
							assert.match(
								foreign.output,
								/may not have registry\.test\/team\/signed/,
							);
						assert.equal(proxy.log.length, seen, "nothing was asked for them");
					});
				}
				const { asked } = registry.tokens;
				assert.ok(asked.length > 0);
				for (const { refused, method, parameters } of asked) {
					assert.equal(refused, undefined);
					assert.equal(method, "GET");
					assert.match(
						parameters.get("scope") ?? "",
						/^repository:team\/(un)?signed:pull$/,
					);
				}
				const bearers = proxy.log.map(({ headers }) => headers.authorization);
				assert.ok(
					bearers.every(
						(sent) => sent === undefined || sent.startsWith("Bearer "),
					),
				);
				await assertNothingTold(worker);
			} finally {
				await worker.stop();
			}
		});

		test("an identity token is exchanged for tokens", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const identityToken = secrets.refreshToken;
			const worker = await startGateway(runtime, proxy.url, { identityToken });
			try {
				registry.tokens.asked.length = 0;
				assert.equal((await pull(worker.url)).status, 200);
				const [asked, ...more] = registry.tokens.asked;
				assert.deepEqual(more, []);
				assert.deepEqual([asked?.method, asked?.refused], ["POST", undefined]);
				await assertNothingTold(worker);
			} finally {
				await worker.stop();
			}
		});

		test("what the registry does not accept is for the operator, and in no client's answer", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const worker = await startGateway(runtime, proxy.url, {
				username: "robot",
				password: "another one",
			});
			try {
				const { status, headers, body } = await pull(worker.url);
				assert.equal(status, 503);
				assert.equal(headers["www-authenticate"], undefined);
				assert.match(body.toString(), /\[registry\.credentials\]/);
				assert.match(worker.output(), /registry\.credentials/);
				assert.ok(!worker.output().includes("another one"));
			} finally {
				await worker.stop();
			}
		});

		test("Amazon's passwords are had by a signed request, and again before they end", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const account = {
				region: "eu-central-1",
				accessKeyId: "AKIDEXAMPLE",
				secretAccessKey: secrets.secretAccessKey,
				sessionToken: secrets.sessionToken,
			};
			// Half an hour before its end a password is had again.
			const ecr = await startEcr({
				...account,
				seconds: 1_800 + RENEWED_MS / 1000,
			});
			const basicRegistry = await startBasicRegistry(
				registry.open.url,
				(sent) => ecr.state.given > 0 && sent === basic("AWS", ecr.password()),
			);
			const worker = await startGateway(runtime, basicRegistry.url, {
				ecr: { ...account, endpoint: ecr.url },
			});
			try {
				const answers = await Promise.all(
					[1, 2, 3, 4].map(() => pull(worker.url)),
				);
				for (const { status, body } of answers)
					assert.equal(status, 200, body.toString());
				assert.deepEqual([ecr.state.given, ecr.state.refused], [1, []]);
				await new Promise((done) => setTimeout(done, RENEWED_MS + 1_500));
				assert.equal((await pull(worker.url)).status, 200);
				assert.equal(ecr.state.given, 2);
				const accepted = [1, 2].map((given) =>
					basic("AWS", `ecr-password-${given}`),
				);
				assert.ok(basicRegistry.borne.every((sent) => accepted.includes(sent)));
				await assertNothingTold(worker);
				assert.ok(!worker.output().includes("ecr-password"));
			} finally {
				await worker.stop();
				await basicRegistry.stop();
				await ecr.stop();
			}
		});

		test("where Amazon gives none, that is said, and why is in the log", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const account = {
				region: "eu-central-1",
				accessKeyId: "AKIDEXAMPLE",
				secretAccessKey: generated(),
				sessionToken: secrets.sessionToken,
			};
			const ecr = await startEcr({ ...account, seconds: 43_200 });
			const { secretAccessKey } = secrets;
			const worker = await startGateway(runtime, proxy.url, {
				ecr: { ...account, secretAccessKey, endpoint: ecr.url },
			});
			try {
				proxy.reset();
				const { status, body } = await pull(worker.url);
				assert.equal(status, 503);
				assert.match(body.toString(), /\[gateway\.credentials\]/);
				assert.ok(!body.includes(ecr.host), "an address of the operator's");
				assert.deepEqual(ecr.state.refused, ["SignatureDoesNotMatch"]);
				assert.match(worker.output(), /found 400 \(SignatureDoesNotMatch\)/);
				assert.deepEqual(proxy.log, [], "nobody is asked without a password");
				await assertNothingTold(worker);
			} finally {
				await worker.stop();
				await ecr.stop();
			}
		});

		test("what a pull asks of the registry", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const worker = await startGateway(runtime, proxy.url, {
				username: "robot",
				password: secrets.password,
			});
			const [, skopeo] = clients;
			const count = async () => {
				proxy.reset();
				registry.tokens.asked.length = 0;
				const { ok, output } =
					await /** @type {import("../lib/clients.mjs").Client} */ (
						skopeo
					).pull(`${worker.host}/team/signed:1.0`, login("ci"));
				assert.ok(ok, output);
				const of = (/** @type {string} */ method, /** @type {RegExp} */ path) =>
					proxy.log.filter(
						(line) => line.method === method && path.test(line.path),
					).length;
				return {
					tokens: registry.tokens.asked.length,
					manifestGets: of("GET", /\/manifests\//),
					manifestHeads: of("HEAD", /\/manifests\//),
					referrers: of("GET", /\/referrers\//),
					blobHeads: of("HEAD", /\/blobs\//),
					blobGets: of("GET", /\/blobs\//),
					all: proxy.log.length,
				};
			};
			try {
				// docs/registries.md "Requests" has these figures.
				const cold = await count();
				const warm = await count();
				assert.deepEqual({ cold, warm }, EXPECTED);
			} finally {
				await worker.stop();
			}
		});
	});

/** Of an image with one layer and one attached signature, pulled by skopeo: config and layer are two blobs. */
const EXPECTED = {
	// The tag (401, then with the token), the manifest, the signature's manifest and its one blob; then two blobs.
	cold: {
		tokens: 1,
		manifestGets: 2,
		manifestHeads: 2,
		referrers: 0,
		blobHeads: 2,
		blobGets: 3,
		all: 9,
	},
	// The tag, and two blobs.
	warm: {
		tokens: 0,
		manifestGets: 0,
		manifestHeads: 1,
		referrers: 0,
		blobHeads: 2,
		blobGets: 2,
		all: 5,
	},
};

test("the command line signs in at the gateway, and judges what is refused there", async (t) => {
	if (!need(t, PROGRAMS)) return;
	const worker = await startGateway("node", proxy.url, {
		username: "robot",
		password: secrets.password,
	});
	const file = join(folder, "auth.json");
	const auths = { [worker.host]: { auth: btoa(login("ci")) } };
	await writeFile(file, JSON.stringify({ auths }));
	const verify = (/** @type {string} */ image, env = {}) =>
		run(
			process.execPath,
			[
				...[CLI, "verify", `${worker.host}/${image}`, "--policy", policy],
				...["--as", `${NAME}/${image}`],
			],
			{ env: { REGISTRY_AUTH_FILE: file, HOME: folder, ...env } },
		);
	try {
		const signed = await verify("team/signed:1.0");
		assert.equal(signed.code, 0, signed.output);
		const unsigned = await verify("team/unsigned:1.0");
		assert.equal(unsigned.code, 1, unsigned.output);
		assert.match(unsigned.output, /signature\.missing/);
		const none = join(folder, "none.json");
		await writeFile(none, "{}");
		const nobody = await verify("team/signed:1.0", {
			REGISTRY_AUTH_FILE: none,
		});
		assert.equal(nobody.code, 2, nobody.output);
		assert.match(nobody.output, /registry\.unauthorized/);
	} finally {
		await worker.stop();
	}
});

test("a file that is not there ends the start", async (t) => {
	if (!need(t, PROGRAMS)) return;
	const settings = {
		UPSTREAM: proxy.url,
		POLICY: policy,
		CLIENTS: `@${join(folder, "no-such-file.json")}`,
	};
	for (const runtime of RUNTIMES) {
		const { code, output } = await serveFails(settings, runtime);
		assert.equal(code, 2, output);
		assert.match(output, /CLIENTS.*no-such-file\.json/);
	}
});

test("clients are read again when their file changes", async (t) => {
	if (!need(t, PROGRAMS)) return;
	const file = join(folder, "clients.json");
	await writeFile(file, CLIENTS);
	const { host } = new URL(proxy.url);
	const robot = { username: "robot", password: secrets.password };
	const worker = await startWorker({
		runtime: "node",
		upstream: proxy.url,
		name: NAME,
		policy,
		settings: {
			UPSTREAM_CREDENTIALS: JSON.stringify({ [host]: robot }),
			CLIENTS: `@${file}`,
		},
	});
	const until = async (/** @type {RegExp} */ line) => {
		const from = worker.output().length;
		for (let tries = 0; tries < 100; tries += 1) {
			if (line.test(worker.output().slice(from))) return;
			await new Promise((done) => setTimeout(done, 100));
		}
		throw new Error(`expected ${line}, found\n${worker.output()}`);
	};
	try {
		const next = `ci:${generated()}`;
		assert.equal((await pull(worker.url)).status, 200);
		assert.equal((await pull(worker.url, next)).status, 401);
		const hash = sha256(next.slice(3));
		await writeFile(file, CLIENTS.replace(sha256(secrets.ci), hash));
		await until(/"replaced":true/);
		assert.equal((await pull(worker.url, next)).status, 200);
		assert.equal((await pull(worker.url)).status, 401);
		// What cannot be understood takes nobody's place.
		await writeFile(file, "[]");
		await until(/"state":"kept","code":"config\.clients"/);
		assert.equal((await pull(worker.url, next)).status, 200);
		assert.equal((await pull(worker.url)).status, 401);
	} finally {
		await worker.stop();
	}
});
