// The client for sigstore-conformance, over real bundles: those of fixtures/sigstore, and the shared vectors where they are there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtPackage, need, root } from "./support.mjs";

const client = join(root, "pkg-tests/sigstore-conformance/client");
const shared = join(root, "../shared/vectors/bundles");
/** Params that the command line can say. */
const SAID = [
	"identity",
	"issuer",
	"digest",
	"artifact_sha256",
	"artifact_digest_from_file",
];

/** @typedef {{ name: string, bundle: string, about: string, root: string, key?: string, identity?: string, issuer?: string, expected: boolean, isChoice?: boolean }} Case */

/** @param {string[]} args @returns {Promise<{ status: number | null, stderr: string }>} */
function run(args) {
	return new Promise((resolve) => {
		const child = spawn(client, args, {
			env: { ...process.env, SEALGATE_PACKAGE: builtPackage() },
			stdio: ["ignore", "ignore", "pipe"],
		});
		let stderr = "";
		child.stderr.on("data", (chunk) => (stderr += chunk));
		child.on("close", (status) => resolve({ status, stderr }));
	});
}

/** @param {Case} one */
const signer = (one) =>
	one.key === undefined
		? [
				"--certificate-identity",
				one.identity ?? "",
				"--certificate-oidc-issuer",
				one.issuer ?? "",
			]
		: ["--key", one.key];
/** @param {Case} one */
const command = (one) => [
	"verify-bundle",
	"--bundle",
	one.bundle,
	...signer(one),
	"--trusted-root",
	one.root,
	one.about,
];

/** Two at a time: a process each. @param {Case[]} cases */
async function judge(cases) {
	const failures = [];
	const queue = [...cases];
	await Promise.all(
		[0, 1].map(async () => {
			for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
				const { status, stderr } = await run(command(one));
				// Where careful verifiers differ, `make vectors` says how sealgate decides.
				const wanted = one.isChoice ? [0, 1] : [one.expected ? 0 : 1];
				if (!wanted.includes(status ?? -1))
					failures.push(
						`${one.name}: exit ${status}, expected ${wanted}: ${stderr.trim()}`,
					);
			}
		}),
	);
	assert.deepEqual(failures, []);
}

/** @returns {Case[]} */
function fixtures() {
	const own = need(join(root, "fixtures/sigstore"), "run `make fixtures`");
	const folders = ["", "public-good", "staging", "github"].flatMap((instance) =>
		readdirSync(join(own, instance)).map((name) => ({
			instance,
			folder: join(own, instance, name),
		})),
	);
	return folders
		.filter(({ folder }) => existsSync(join(folder, "bundle.json")))
		.flatMap(({ instance, folder }) => {
			const {
				issuer,
				identity,
				key,
				digest,
				root: file,
			} = JSON.parse(readFileSync(join(folder, "case.json"), "utf8"));
			const trusted =
				instance === ""
					? join(own, file)
					: join(root, `src/sigstore/roots/${instance}.json`);
			const artifact = join(folder, "artifact");
			const about = existsSync(artifact) ? [artifact, digest] : [digest];
			// A certificate without an issuer matches no identity.
			const expected =
				!folder.endsWith("_fail") &&
				(key !== undefined || issuer !== undefined);
			const one = {
				name: folder,
				bundle: join(folder, "bundle.json"),
				root: trusted,
				key: key && join(folder, key),
				identity,
				issuer: issuer ?? "https://issuer.test",
				expected,
			};
			return about.map((about) => ({ ...one, about }));
		});
}

/** @returns {Case[]} */
function vectors() {
	const { cases } = JSON.parse(
		readFileSync(join(shared, "cases.json"), "utf8"),
	);
	const path = (/** @type {string | undefined} */ name) =>
		name && join(shared, name);
	return cases
		.filter(
			({ kind, params, inputs }) =>
				kind !== "rfc3161" &&
				Object.keys(params).every((name) => SAID.includes(name)) &&
				!params.digest?.startsWith("sha1:") &&
				(inputs.key || params.identity),
		)
		.map(({ id, inputs, params, expect, policy_choice: isChoice }) => ({
			name: id,
			bundle: path(inputs.bundle),
			about: params.digest ?? path(inputs.artifact),
			root: path(inputs.trusted_root),
			key: path(inputs.key),
			identity: params.identity,
			issuer: params.issuer,
			expected: expect === "ok",
			isChoice,
		}))
		.filter(
			({ about, issuer, key }) =>
				about !== undefined && (key !== undefined || issuer !== undefined),
		);
}

test("bundles of the fixtures, by file and by digest", async () => {
	const cases = fixtures();
	assert.ok(
		cases.length > 20 && cases.some((one) => !one.expected),
		`${cases.length} cases`,
	);
	await judge(cases);
});

test("the shared vectors", async () => {
	// The project has them beside it where it is developed, and runs them by `make vectors` too.
	if (!existsSync(join(shared, "cases.json"))) return;
	const cases = vectors();
	assert.ok(cases.length > 50, `${cases.length} cases`);
	await judge(cases);
});

test("another identity, issuer, key or artifact, and the embedded roots", async () => {
	const blob = join(root, "fixtures/sigstore/public-good/v03-blob");
	const { issuer, identity } = JSON.parse(
		readFileSync(join(blob, "case.json"), "utf8"),
	);
	const say = (
		/** @type {string[]} */ signed,
		about = join(blob, "artifact"),
		/** @type {string[]} */ more = [],
	) =>
		run([
			"verify-bundle",
			...more,
			"--bundle",
			join(blob, "bundle.json"),
			...signed,
			about,
		]);
	const by = (/** @type {string} */ who, /** @type {string} */ whom) => [
		"--certificate-identity",
		who,
		"--certificate-oidc-issuer",
		whom,
	];
	assert.equal((await say(by(identity, issuer))).status, 0);
	for (const [asked, code] of [
		[say(by("someone@else.test", issuer)), "sigstore.identity"],
		[say(by(identity, "https://issuer.test")), "sigstore.identity"],
		[
			say([
				"--key",
				join(root, "fixtures/sigstore/public-good/v03-blob-key/key.pub"),
			]),
			"sigstore.material",
		],
		[say(by(identity, issuer), join(blob, "case.json")), "sigstore.artifact"],
		[
			say(by(identity, issuer), `sha256:${"0".repeat(64)}`),
			"sigstore.artifact",
		],
		[say(by(identity, issuer), undefined, ["--staging"]), "sigstore.log"],
	]) {
		const { status, stderr } = await asked;
		assert.equal(status, 1, stderr);
		assert.match(stderr, new RegExp(`refused: ${code}:`));
	}
});

test("what is no question is no refusal", async () => {
	for (const args of [
		[],
		["sign-bundle", "x"],
		["verify-bundle", "x"],
		["verify-bundle", "--bundle", "x", "--certificate-identity", "a", "x"],
		["verify-bundle", "--bundle", "nowhere", "--key", "nowhere", "x"],
	]) {
		assert.equal((await run(args)).status, 2, args.join(" "));
	}
});

test("a trusted root that was read before is that one, and no other", async () => {
	const { verifyBundle } = await import(join(builtPackage(), "node.js"));
	const own = join(root, "fixtures/sigstore");
	const blob = join(own, "blob-ci");
	const { issuer, identity } = JSON.parse(
		readFileSync(join(blob, "case.json"), "utf8"),
	);
	const bundle = readFileSync(join(blob, "bundle.json"));
	const artifact = readFileSync(join(blob, "artifact"));
	const under = (/** @type {any} */ trustedRoot) =>
		verifyBundle(bundle, {
			artifact,
			certificateIdentity: identity,
			certificateOidcIssuer: issuer,
			trustedRoot,
		}).then(
			() => "verified",
			(/** @type {any} */ error) => error.code,
		);
	const good = readFileSync(join(own, "trusted_root.json"));
	const spaced = (/** @type {number} */ count) =>
		Buffer.concat([good, Buffer.from(" ".repeat(count))]);
	for (let round = 0; round < 2; round += 1) {
		assert.equal(await under(good), "verified");
		assert.notEqual(
			await under(readFileSync(join(own, "trusted_root.other.json"))),
			"verified",
		);
		assert.equal(await under("public-good"), "sigstore.log");
		assert.equal(await under("staging"), "sigstore.log");
		// More than are kept.
		for (const count of [1, 2, 3, 4, 5])
			assert.equal(await under(spaced(count)), "verified");
		assert.equal(await under(Buffer.from("{}")), "root.unusable");
		assert.equal(await under("sha256:0"), "root.unusable");
	}
});
