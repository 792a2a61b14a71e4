// What one verification costs, by what does not depend on the clock: requests to the registry and their bytes, checks and keys that
// the platform is given, and calls between JavaScript and WebAssembly, in both directions. Only `make bench` times.
//
// A limit that is raised needs a reason in the same commit. Requests, checks and bytes are exact; so that a change elsewhere in the
// module need not touch this file, calls have a few per cent of room.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bytesOf, fakeRegistry } from "./checks.mjs";
import { countCrossings } from "./crossings.mjs";
import { builtPackage, demo, root } from "./support.mjs";

/** @typedef {{ requests: number, bytes: number, checks: number, imports: number, crossings: number }} Counts */

let counts = nothing();

function nothing() {
	return { requests: 0, bytes: 0, checks: 0, imports: 0 };
}

const calls = countCrossings();
const at = builtPackage();
const { createApi } = await import(join(at, "api.js"));
const glue = await import(join(at, "sealgate_full.js"));
glue.initSync({ module: readFileSync(join(at, "sealgate_full_bg.wasm")) });

const { subtle } = crypto;
const [verify, importKey] = [subtle.verify, subtle.importKey].map((one) =>
	one.bind(subtle),
);
subtle.verify = async (...check) => {
	counts.checks += 1;
	return verify(...check);
};
subtle.importKey = /** @type {any} */ (
	async (/** @type {any[]} */ ...key) => {
		counts.imports += 1;
		return importKey(...key);
	}
);

const images = demo();
const registry = fakeRegistry(images.routes);
/** @param {string} url @param {any} init */
const fetch = async (url, init) => {
	const answer = await registry(url, init);
	counts.requests += 1;
	counts.bytes += (await answer.clone().arrayBuffer()).byteLength;
	return answer;
};
const api = createApi(glue, { requestInit: { redirect: "manual" }, fetch });

/** @param {string} folder */
function keyless(folder) {
	const file = (/** @type {string} */ name) =>
		readFileSync(join(root, "fixtures/sigstore", folder, name));
	const { identity, issuer } = JSON.parse(file("case.json").toString());
	const bundle = file("bundle.json").toString();
	const options = {
		artifact: file("artifact"),
		certificateIdentity: identity,
		certificateOidcIssuer: issuer,
		trustedRoot: folder.split("/")[0],
	};
	return async () => {
		await api.verifyBundle(bundle, options);
	};
}

/** @type {Record<string, { run: () => Promise<void>, limits: Counts }>} */
const CASES = {
	"a `.sig` signature": {
		async run() {
			const { verdict } = await api.verifyImage(
				"demo.example/demo/signed:1.0",
				{
					key: bytesOf(images.key),
				},
			);
			assert.equal(verdict, "allow");
		},
		limits: { requests: 3, bytes: 1262, checks: 1, imports: 0, crossings: 400 },
	},
	"a keyless bundle, Rekor v1": {
		run: keyless("public-good/v03-attestation"),
		limits: { requests: 0, bytes: 0, checks: 5, imports: 0, crossings: 315 },
	},
	"a keyless bundle, Rekor v1 and timestamp": {
		run: keyless("public-good/v03-blob"),
		limits: { requests: 0, bytes: 0, checks: 6, imports: 0, crossings: 358 },
	},
	"a keyless bundle, Rekor v2 and timestamp": {
		run: keyless("staging/rekor2-blob"),
		limits: { requests: 0, bytes: 0, checks: 5, imports: 0, crossings: 311 },
	},
};

/** The second time: roots are read and keys are imported then. @param {() => Promise<void>} run @param {() => Promise<unknown>} [more] */
async function costOf(run, more) {
	await run();
	counts = nothing();
	calls.take();
	await run();
	await more?.();
	const { into, out } = calls.take();
	return { ...counts, crossings: into + out };
}

/** @param {Counts} cost @param {Counts} limits */
function assertWithin(cost, { crossings, ...exact }) {
	const { crossings: crossed, ...rest } = cost;
	assert.deepEqual(rest, exact);
	assert.ok(
		crossed <= crossings,
		`expected at most ${crossings} calls between JavaScript and WebAssembly, found ${crossed}`,
	);
}

for (const [name, { run, limits }] of Object.entries(CASES))
	test(`${name} costs what it should`, async () => {
		assertWithin(await costOf(run), limits);
	});

test("one more of anything is found", async () => {
	const { run, limits } = /** @type {typeof CASES[string]} */ (
		CASES["a `.sig` signature"]
	);
	const key = await importKey(
		"raw",
		new Uint8Array(32),
		{ name: "HMAC", hash: "SHA-256" },
		false,
		["verify"],
	);
	/** @type {Record<string, () => Promise<unknown>>} */
	const planted = {
		"a request, with its bytes": () => fetch("https://x/", { method: "GET" }),
		"a request without bytes": () => fetch("https://x/", { method: "HEAD" }),
		"a check": () =>
			subtle.verify("HMAC", key, new Uint8Array(), new Uint8Array()),
		"an import": () =>
			subtle.importKey(
				"raw",
				new Uint8Array(32),
				{ name: "HMAC", hash: "SHA-256" },
				false,
				["verify"],
			),
	};
	for (const [what, more] of Object.entries(planted)) {
		const cost = await costOf(run, more);
		assert.throws(() => assertWithin(cost, limits), undefined, what);
	}
	// The room that calls have is less than another verification.
	for (const [name, { run, limits }] of Object.entries(CASES)) {
		const { crossings } = await costOf(run, async () => {
			for (let call = 0; call < limits.crossings / 20; call += 1) api.version();
		});
		assert.ok(crossings > limits.crossings, name);
	}
});
