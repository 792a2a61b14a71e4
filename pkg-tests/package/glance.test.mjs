// What one request to the gateway costs whose answer is remembered, in what no clock measures: requests to the registry, signature
// checks, crossings between JavaScript and the module, and the bytes that cross. And that it says what the general way says.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { payloadOf, signatureLayer } from "../lib/signature.mjs";
import { countCrossings } from "./crossings.mjs";
import { builtPackage } from "./support.mjs";

/** What a cached request may cost. More needs a reason in the commit that raises it. */
const LIMITS = {
	head: 1,
	otherRequests: 0,
	checks: 0,
	into: 8,
	out: 0,
	bytes: 4_096,
};

const NAME = "registry.example";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const AUTHORIZATION = "Basic dXNlcjpzZWNyZXQ=";

const crossings = countCrossings();
const load = (/** @type {string} */ file) =>
	import(pathToFileURL(join(builtPackage(), file)).href);
const glue = await load("sealgate_gateway.js");
glue.initSync({
	module: readFileSync(join(builtPackage(), "sealgate_gateway_bg.wasm")),
});
const { createApi } = await load("api.js");
const { privateKey, publicKey } = generateKeyPairSync("ec", {
	namedCurve: "P-256",
});

/** @param {Buffer | string} bytes */
const digestOf = (bytes) =>
	`sha256:${createHash("sha256").update(bytes).digest("hex")}`;
/** @param {object} value */
const json = (value) => Buffer.from(JSON.stringify(value));

/** A registry with a signed image and one that is not, which counts what it is asked. */
function registry() {
	/** @type {Map<string, { body: Buffer, type: string }>} */
	const content = new Map();
	/** @param {string} path @param {Buffer} body @param {string} type */
	const put = (path, body, type) => {
		content.set(`/v2/app/${path}`, { body, type });
		return { digest: digestOf(body), size: body.length };
	};
	/** @param {Buffer} body @param {string} tag */
	const manifest = (body, tag) => {
		put(`manifests/${digestOf(body)}`, body, MANIFEST);
		return put(`manifests/${tag}`, body, MANIFEST).digest;
	};
	/** @param {object} config @param {object[]} layers */
	const image = (config, layers) =>
		json({
			schemaVersion: 2,
			mediaType: MANIFEST,
			config: { mediaType: CONFIG, ...config },
			layers,
		});
	/** @param {Buffer} body */
	const blob = (body) =>
		put(`blobs/${digestOf(body)}`, body, "application/octet-stream");
	/** @param {string} tag */
	const push = (tag) => manifest(image(blob(json({ tag })), []), tag);
	/** @param {string} digest */
	const signed = (digest) => {
		const payload = payloadOf(`${NAME}/app`, digest);
		const layer = signatureLayer(payload, blob(payload), privateKey);
		manifest(image(blob(json({})), [layer]), `${digest.replace(":", "-")}.sig`);
		return digest;
	};
	/** @type {string[]} */
	let asked = [];
	/** @type {import("sealgate").Fetch} */
	const fetch = async (url, { method, headers }) => {
		const path = new URL(url).pathname;
		asked.push(`${method} ${path}`);
		if (new Headers(headers).get("authorization") !== AUTHORIZATION)
			return new Response(null, {
				status: 401,
				headers: {
					"www-authenticate": 'Bearer realm="https://auth.example/token"',
				},
			});
		const found = content.get(path);
		if (found === undefined) return new Response(null, { status: 404 });
		return new Response(method === "HEAD" ? null : found.body, {
			headers: {
				"content-type": found.type,
				"content-length": String(found.body.length),
				"docker-content-digest": digestOf(found.body),
			},
		});
	};
	return {
		content,
		digest: signed(push("signed")),
		other: signed(push("other")),
		unsigned: push("unsigned"),
		fetch,
		/** What it was asked since the last time. */
		take() {
			const taken = asked;
			asked = [];
			return taken;
		},
	};
}

/** @param {ReturnType<typeof registry>} upstream @param {any} [of] the module, or one that stands in for it */
const gatewayOf = ({ fetch }, of = glue) =>
	createApi(of, { requestInit: { redirect: "manual" } }).Gateway.create(
		{
			upstream: "http://registry.example",
			name: NAME,
			policy: JSON.stringify({
				default: [{ type: "reject" }],
				transports: {
					docker: {
						[NAME]: [
							{
								type: "sigstoreSigned",
								keyPath: "key.pub",
								signedIdentity: { type: "matchRepository" },
							},
						],
					},
				},
			}),
			assets: { "key.pub": publicKey.export({ type: "spki", format: "pem" }) },
			secret: "a secret of some length",
		},
		{ fetch, ...store() },
	);

function store() {
	/** @type {Map<string, string>} */
	const kept = new Map();
	return {
		load: async (/** @type {string} */ key) => kept.get(key),
		save: async (/** @type {string} */ key, /** @type {string} */ value) =>
			kept.set(key, value),
	};
}

/** @param {string} reference @param {{ method?: string, authorization?: string | undefined, time?: number }} [more] */
function asking(
	reference,
	{ method = "GET", authorization = AUTHORIZATION, time = 1_800_000_000 } = {},
) {
	return {
		method,
		url: `http://gate.example/v2/app/manifests/${reference}`,
		headers: new Headers({
			accept: MANIFEST,
			host: "gate.example",
			...(authorization && { authorization }),
		}),
		time,
	};
}

/** What one call costs. @param {ReturnType<typeof registry>} upstream @param {() => Promise<unknown>} call */
async function costOf(upstream, call) {
	let checks = 0;
	const { verify } = crypto.subtle;
	crypto.subtle.verify = (...given) => {
		checks += 1;
		return verify.apply(crypto.subtle, given);
	};
	upstream.take();
	crossings.take();
	try {
		await call();
	} finally {
		crypto.subtle.verify = verify;
	}
	const { into, out, bytes } = crossings.take();
	const asked = upstream.take();
	const head = asked.filter((line) => line.startsWith("HEAD ")).length;
	return { head, otherRequests: asked.length - head, checks, into, out, bytes };
}

/** @param {Awaited<ReturnType<typeof costOf>>} cost */
function assertCheap(cost) {
	assert.equal(cost.head, LIMITS.head, "the registry is asked once, each time");
	for (const [name, limit] of Object.entries(LIMITS))
		assert.ok(
			cost[/** @type {keyof typeof LIMITS} */ (name)] <= limit,
			`a cached request: expected at most ${limit} of ${name}, found ${JSON.stringify(cost)}`,
		);
}

test("a request whose answer is remembered costs one HEAD, no signature check and eight crossings", async () => {
	const upstream = registry();
	const gateway = await gatewayOf(upstream);
	for (const reference of ["signed", upstream.digest]) {
		const first = await costOf(upstream, () =>
			gateway.handle(asking(reference)),
		);
		if (reference === "signed")
			assert.ok(
				first.checks === 1 && first.otherRequests > 1,
				"counting works",
			);
		for (const method of ["GET", "HEAD"])
			for (let time = 0; time < 3; time += 1)
				assertCheap(
					await costOf(upstream, () =>
						gateway.handle(asking(reference, { method })),
					),
				);
	}
});

test("one crossing more, one request more or a check fails that test", async () => {
	const upstream = registry();
	const gateway = await gatewayOf(upstream);
	const cached = () => gateway.handle(asking("signed"));
	await cached();
	assertCheap(await costOf(upstream, cached));
	for (const more of [
		() => glue.version(),
		() =>
			upstream.fetch("http://registry.example/v2/", {
				method: "GET",
				headers: [],
				signal: undefined,
			}),
		() =>
			upstream.fetch("http://registry.example/v2/", {
				method: "HEAD",
				headers: [],
				signal: undefined,
			}),
		() => glue.parseReference("a".repeat(200)),
	]) {
		const cost = await costOf(upstream, async () => {
			await cached();
			await more();
		});
		assert.throws(() => assertCheap(cost), String(more));
	}
});

test("it is answered byte for byte as on the general way, and so is everything else", async () => {
	const upstream = registry();
	// The module as it is, but for the two calls: everything goes the general way.
	class General extends glue.Gateway {
		look() {
			return undefined;
		}
	}
	const [gateway, general] = [
		await gatewayOf(upstream),
		await gatewayOf(upstream, { ...glue, Gateway: General }),
	];
	const bytes = ({ timing: _, .../** @type {any} */ action }) => ({
		...action,
		...(action.body && { body: Buffer.from(action.body).toString("hex") }),
	});
	const app = "/v2/app/manifests/";
	const asks =
		(/** @type {string} */ reference, /** @type {object} */ more = {}) =>
		async () => {
			const answer = bytes(await gateway.handle(asking(reference, more)));
			assert.deepEqual(
				answer,
				bytes(await general.handle(asking(reference, more))),
				reference,
			);
			return answer.status;
		};
	const move = (/** @type {string} */ to) => {
		const there = upstream.content.get(app + to);
		if (there) upstream.content.set(`${app}moving`, there);
	};
	move(upstream.digest);
	for (const method of ["GET", "HEAD"])
		for (let round = 0; round < 3; round += 1)
			for (const [reference, status] of /** @type {[string, number][]} */ ([
				["signed", 200],
				[upstream.digest, 200],
				["unsigned", 403],
				[upstream.unsigned, 403],
				["missing", 404],
				["signed?ns=elsewhere.example", 403],
			])) {
				assert.equal(await asks(reference, { method })(), status, reference);
				for (const authorization of ["", "Basic bm8="]) {
					const expected = reference.includes("ns=") ? 403 : 401;
					assert.equal(
						await asks(reference, { method, authorization })(),
						expected,
						reference,
					);
				}
			}
	// A tag that moves: to another image, to one that is refused, and back.
	for (const [to, status] of /** @type {[string, number][]} */ ([
		[upstream.digest, 200],
		[upstream.other, 200],
		[upstream.unsigned, 403],
		[upstream.digest, 200],
	])) {
		move(to);
		for (let round = 0; round < 2; round += 1) {
			assert.equal(await asks("moving")(), status, to);
			const { headers } = await gateway.handle(asking("moving"));
			if (status === 200)
				assert.equal(new Headers(headers).get("docker-content-digest"), to);
		}
	}
	// An hour later it is verified anew.
	const later = { time: 1_800_003_600 };
	const cost = await costOf(upstream, () =>
		gateway.handle(asking("signed", later)),
	);
	assert.deepEqual([cost.checks, cost.head], [1, 1]);
});

test("what the registry said first is not asked for again on the general way", async () => {
	const upstream = registry();
	const gateway = await gatewayOf(upstream);
	for (const reference of ["signed", "unsigned", "unsigned", "missing"]) {
		upstream.take();
		await gateway.handle(asking(reference));
		const heads = upstream
			.take()
			.filter((line) => line === `HEAD /v2/app/manifests/${reference}`);
		assert.equal(heads.length, 1, reference);
	}
});

test("a registry that is silent costs no more than the time that one request has, and an abort ends it at once", async () => {
	const upstream = registry();
	/** @type {unknown[]} */
	const ended = [];
	let silent = false;
	/** @type {import("sealgate").Fetch} */
	const fetch = (url, init) =>
		silent
			? new Promise(() =>
					init.signal.addEventListener("abort", () =>
						ended.push(init.signal.reason),
					),
				)
			: upstream.fetch(url, init);
	for (const times of [{ timeout: 50 }, { requestTimeout: 50 }]) {
		const gateway = await createApi(glue, {
			requestInit: { redirect: "manual" },
		}).Gateway.create(
			{
				upstream: "http://registry.example",
				name: NAME,
				policy: JSON.stringify({
					default: [{ type: "insecureAcceptAnything" }],
				}),
			},
			{ fetch, ...times },
		);
		silent = false;
		assert.equal((await gateway.handle(asking("signed"))).status, 200);
		silent = true;
		const started = Date.now();
		assert.equal((await gateway.handle(asking("signed"))).status, 503);
		assert.ok(Date.now() - started < 2_000);
		assert.equal(ended.length, 1, "its request was ended");
		ended.length = 0;
		const controller = new AbortController();
		const reason = new Error("gone");
		setTimeout(() => controller.abort(reason), 5);
		await assert.rejects(
			gateway.handle(asking("signed"), { signal: controller.signal }),
			(error) => error === reason,
		);
		assert.equal(ended[0], reason);
		ended.length = 0;
	}
});
