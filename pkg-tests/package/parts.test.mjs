// The package's modules differ in size, never in what they say: what one lacks it says before it decides anything.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtPackage, root } from "./support.mjs";

/** @param {string} file */
const load = (file) => import(join(builtPackage(), file));

const { createApi } = await load("api.js");

/** @param {string} name */
async function glueOf(name) {
	const glue = await load(`${name}.js`);
	glue.initSync({
		module: readFileSync(join(builtPackage(), `${name}_bg.wasm`)),
	});
	return glue;
}

const [small, gateway, full, computing] = await Promise.all(
	["sealgate", "sealgate_gateway", "sealgate_full", "sealgate_arithmetic"].map(
		glueOf,
	),
);

/** A registry that has nothing. */
const fetch = async () => new Response(null, { status: 404 });
/** @param {any} glue @param {(() => any)} [more] */
const apiOver = (glue, more) =>
	createApi(glue, {
		requestInit: { redirect: "manual" },
		fetch,
		more,
		arithmetic: () => computing,
	});

/** What comes of a call, as plain data. @param {() => Promise<unknown>} call */
async function outcome(call) {
	try {
		return { value: await call() };
	} catch (error) {
		const { code, message } = /** @type {any} */ (error);
		return { code, message };
	}
}

const POLICIES = [
	...JSON.parse(
		readFileSync(join(root, "fixtures/policy/policies.json"), "utf8"),
	).map(({ policy }) =>
		typeof policy === "string" ? policy : JSON.stringify(policy),
	),
	...[{ subjectRegexp: ".*" }, { issuerRegexp: ".*" }].map((expression) =>
		JSON.stringify({
			sealgate: { version: 1 },
			default: [
				{
					type: "sigstoreSigned",
					trustedRoot: "public-good",
					identities: [
						{
							...("issuerRegexp" in expression
								? { subject: "a@b.example" }
								: { issuer: "https://accounts.example" }),
							...expression,
						},
					],
					signedIdentity: { type: "matchRepository" },
				},
			],
		}),
	),
];
const IMAGE = "r.example/a/b:1";

/** Every call that takes a policy. @param {any} api @param {string} policy */
const calls = (api, policy) => ({
	verifyImage: () => api.verifyImage(IMAGE, { policy, time: 1_700_000_000 }),
	policyAssets: () => api.policyAssets(policy),
	policyLint: () => api.policyLint(policy, { time: 1_700_000_000 }),
	policyExplain: () => api.policyExplain(policy, IMAGE),
	gateway: async () => {
		const made = await api.Gateway.create({
			upstream: "http://r.example",
			name: "r.example",
			policy,
		});
		return made.state();
	},
});

for (const [name, glue] of /** @type {[string, any][]} */ ([
	["the small module", small],
	["the gateway's module", gateway],
])) {
	test(`${name} says the same as the one with everything, or that a part is missing`, async () => {
		let [same, missing, undecided] = [0, 0, 0];
		for (const policy of POLICIES) {
			const whole = calls(apiOver(full), policy);
			const alone = calls(apiOver(glue), policy);
			const loading = calls(
				apiOver(glue, () => full),
				policy,
			);
			for (const call of /** @type {(keyof typeof whole)[]} */ (
				Object.keys(whole)
			)) {
				const expected = await outcome(whole[call]);
				const found = await outcome(alone[call]);
				if (found.code === "part.missing") {
					missing += 1;
					if (call === "verifyImage") undecided += 1;
				} else {
					assert.deepEqual(found, expected, `${call} ${policy}`);
					same += 1;
				}
				assert.deepEqual(await outcome(loading[call]), expected);
			}
		}
		assert.ok(same > POLICIES.length && missing > POLICIES.length);
		assert.ok(undecided > 3, `${undecided} policies have expressions`);
	});
}

test("an identity by an expression is judged by the module with everything", async () => {
	const options = {
		certificateIdentityRegexp: ".*",
		certificateOidcIssuer: "https://accounts.example",
	};
	const alone = await outcome(() => apiOver(small).verifyImage(IMAGE, options));
	assert.equal(alone.code, "part.missing");
	const loaded = await outcome(() =>
		apiOver(small, () => full).verifyImage(IMAGE, options),
	);
	assert.equal(/** @type {any} */ (loaded.value).code, "image.not-found");
});

test("where the larger module cannot be loaded, nothing is decided, and the next call tries again", async () => {
	let tries = 0;
	const api = apiOver(small, async () => {
		tries += 1;
		if (tries < 3)
			throw Object.assign(new Error("gone"), { code: "host.wasm-unloadable" });
		return full;
	});
	const policy = POLICIES.at(-1);
	for (let number = 0; number < 2; number++)
		assert.equal(
			(await outcome(() => api.verifyImage(IMAGE, { policy }))).code,
			"host.wasm-unloadable",
		);
	await api.policyLint(policy);
	await api.policyLint(policy);
	assert.equal(tries, 3);
});

test("signatures that the platform cannot check are checked by the module that computes, which nothing else loads", async () => {
	const { publicKey, privateKey } = generateKeyPairSync("ec", {
		namedCurve: "P-384",
	});
	const data = Buffer.from("what was signed");
	const asked = {
		key: publicKey.export({ type: "spki", format: "pem" }),
		algorithm: "ecdsa-sha384",
		data,
		signature: sign("sha384", data, privateKey),
	};
	let loads = 0;
	/** @param {() => any} [arithmetic] */
	const over = (arithmetic) =>
		createApi(small, { requestInit: { redirect: "manual" }, arithmetic });
	const api = over(() => {
		loads += 1;
		return computing;
	});
	assert.equal(await api.verifySignature(asked), true);
	assert.equal(loads, 0);
	const inRust = { ...asked, provider: "rust" };
	assert.equal(await api.verifySignature(inRust), true);
	assert.equal(loads, 1);
	const other = { ...inRust, data: "what was not" };
	assert.equal(await api.verifySignature(other), false);
	// One that cannot be had, or breaks, has said nothing; anything but `true` is no.
	const broken = () => {
		throw new Error("it is not there");
	};
	for (const arithmetic of [
		undefined,
		broken,
		() => ({ checkSignature: broken }),
	])
		assert.equal(
			(await outcome(() => over(arithmetic).verifySignature(inRust))).code,
			"host.provider",
		);
	const truthy = over(() => ({ checkSignature: () => 1 }));
	assert.equal(await truthy.verifySignature(inRust), false);
});

test("a lookaside that a plain policy's images may have is read by the module with everything", async () => {
	const plain = JSON.stringify({ default: [{ type: "reject" }] });
	const marked = JSON.stringify({
		sealgate: { version: 1 },
		default: [{ type: "reject" }],
	});
	const lookaside = (/** @type {string} */ base) => ({
		"a.yaml": `default-docker:\n  lookaside: ${base}\n`,
	});
	const remote = lookaside("https://lookaside.example/sigs");
	for (const [policy, registriesD, isMissing] of /** @type {const} */ ([
		[plain, remote, true],
		[plain, lookaside("file:///var/lib/containers/sigstore"), false],
		[marked, remote, false],
	])) {
		const missing = isMissing ? "part.missing" : undefined;
		const verify = (/** @type {any} */ api) =>
			outcome(() => api.verifyImage(IMAGE, { policy, registriesD }));
		const serve = (/** @type {any} */ api) =>
			outcome(async () => {
				const made = await api.Gateway.create({
					upstream: "http://r.example",
					name: "r.example",
					policy,
					registriesD,
				});
				return made.state();
			});
		assert.deepEqual(
			{
				small: (await verify(apiOver(small))).code,
				gateway: (await serve(apiOver(gateway))).code,
			},
			{ small: missing, gateway: missing },
		);
		const more = () => full;
		const { value: verdict } = await verify(apiOver(small, more));
		assert.equal(/** @type {any} */ (verdict).code, "image.not-found");
		assert.deepEqual((await serve(apiOver(gateway, more))).value, {
			state: "ok",
		});
	}
});
