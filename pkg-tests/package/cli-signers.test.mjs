// Who must have signed, as it is typed: several keys, annotations, identities for a first policy; and files that messages name.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { commandLine } from "./cli.mjs";
import { startRegistry } from "./registry.mjs";
import { demo as readDemo, root } from "./support.mjs";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** @type {ReturnType<typeof commandLine>} */
let cli;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry;
/** Signed by one and by two with annotations, by three not at all. @type {Record<string, import("node:crypto").KeyPairKeyObjectResult>} */
const pairs = {};

before(async () => {
	cli = commandLine();
	for (const name of ["one", "two", "three"]) {
		pairs[name] = generateKeyPairSync("ec", { namedCurve: "P-256" });
		writeFileSync(
			join(cli.project, `${name}.pub`),
			pairs[name].publicKey.export({ type: "spki", format: "pem" }),
		);
	}
	const demo = readDemo();
	Object.assign(demo.routes, signedImage());
	registry = await startRegistry(demo);
});

/** @param {string | Buffer} content */
function digestOf(content) {
	return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** As `cosign sign -a team=red -a stage=prod` leaves it, twice. */
function signedImage() {
	const base = "/v2/demo/annotated";
	const config = "{}";
	const image = JSON.stringify({
		schemaVersion: 2,
		mediaType: MANIFEST,
		config: {
			mediaType: "application/vnd.oci.image.config.v1+json",
			digest: digestOf(config),
			size: config.length,
		},
		layers: [],
	});
	const digest = digestOf(image);
	const payload = (/** @type {object | null} */ optional) =>
		JSON.stringify({
			critical: {
				identity: { "docker-reference": "demo.example/demo/annotated" },
				image: { "docker-manifest-digest": digest },
				type: "cosign container image signature",
			},
			optional,
		});
	const signed = [
		["one", payload({ team: "red", stage: "prod", number: 1 })],
		["two", payload({ team: "blue" })],
	];
	const layers = signed.map(([name = "", text = ""]) => ({
		mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
		digest: digestOf(text),
		size: text.length,
		annotations: {
			"dev.cosignproject.cosign/signature": sign(
				"sha256",
				Buffer.from(text),
				pairs[name].privateKey,
			).toString("base64"),
		},
	}));
	const signatures = JSON.stringify({
		...JSON.parse(image),
		layers,
	});
	const blob = (/** @type {string} */ text) => [
		`${base}/blobs/${digestOf(text)}`,
		{
			type: "application/octet-stream",
			digest: digestOf(text),
			body: Buffer.from(text).toString("base64"),
		},
	];
	const manifest = (/** @type {string} */ name, /** @type {string} */ text) => [
		`${base}/manifests/${name}`,
		{
			type: MANIFEST,
			digest: digestOf(text),
			body: Buffer.from(text).toString("base64"),
		},
	];
	return Object.fromEntries([
		manifest("1.0", image),
		manifest(digest, image),
		manifest(`${digest.replace(":", "-")}.sig`, signatures),
		...[config, ...signed.map(([, text = ""]) => text)].map(blob),
	]);
}

/** @param {string[]} more */
async function look(...more) {
	const { stdout, stderr, status } = await cli.sealgate([
		"verify",
		`${registry.host}/demo/annotated:1.0`,
		"--as",
		"demo.example/demo/annotated:1.0",
		"--json",
		...more,
	]);
	const report = stdout === "" ? undefined : JSON.parse(stdout);
	return { status, code: report?.code, stderr, report };
}

const keys = (/** @type {string[]} */ ...names) =>
	names.flatMap((name) => ["--key", `${name}.pub`]);

test("annotations must be signed, all of them, as text", async () => {
	for (const [
		more,
		status,
		code,
	] of /** @type {[string[], number, string][]} */ ([
		[keys("one"), 0, "signature.accepted"],
		[[...keys("one"), "-a", "team=red"], 0, "signature.accepted"],
		[
			[...keys("one"), "-a", "team=red", "--annotation", "stage=prod"],
			0,
			"signature.accepted",
		],
		[[...keys("one"), "-a", "team=blue"], 1, "annotation.missing"],
		[[...keys("one"), "-a", "team=red", "-a", "x=y"], 1, "annotation.missing"],
		[[...keys("one"), "-a", "number=1"], 1, "annotation.missing"],
		[[...keys("two"), "-a", "team=red"], 1, "annotation.missing"],
		// The other one's signature carries it.
		[[...keys("one", "two"), "-a", "team=blue"], 0, "signature.accepted"],
		// Both in one signature.
		[
			[...keys("one", "two"), "-a", "team=blue", "-a", "stage=prod"],
			1,
			"annotation.missing",
		],
	])) {
		const found = await look(...more);
		assert.deepEqual(
			[found.status, found.code],
			[status, code],
			`${more.join(" ")} ${found.stderr}`,
		);
	}
	const { report } = await look(...keys("one"), "-a", "team=red");
	assert.match(
		report.equivalent,
		/\ncosign verify --key one\.pub -a team=red /,
	);
	const bundle = await cli.sealgate([
		"verify",
		`${registry.host}/demo/bundle:1.0`,
		"--key",
		"bundle.pub",
		"-a",
		"team=red",
	]);
	assert.equal(bundle.status, 1);
	assert.match(bundle.stdout, /\(annotation\.unsupported\)/);
	for (const [more, expected] of /** @type {[string[], RegExp][]} */ ([
		[[...keys("one"), "-a", "team"], /--annotation: expected NAME=VALUE/],
		[[...keys("one"), "-a", "a=b", "-a", "a=c"], /"a" was given several/],
		[["--policy", "policy.json", "-a", "a=b"], /--annotation and --policy/],
	])) {
		const wrong = await look(...more);
		assert.equal(wrong.status, 2);
		assert.match(wrong.stderr, expected);
	}
	assert.match(
		(
			await cli.sealgate([
				"verify-attestation",
				"a.b/c",
				...keys("one"),
				"--type",
				"vuln",
				"-a",
				"a=b",
			])
		).stderr,
		/does not take --annotation/,
	);
});

test("one of several keys, or each of them", async () => {
	for (const [
		names,
		all,
		status,
	] of /** @type {[string[], boolean, number][]} */ ([
		[["one", "three"], false, 0],
		[["three", "two"], false, 0],
		[["three"], false, 1],
		[["one", "two"], true, 0],
		[["two", "one"], true, 0],
		[["one", "three"], true, 1],
		[["three", "one"], true, 1],
		[["one"], true, 0],
	])) {
		const found = await look(...keys(...names), ...(all ? ["--all-keys"] : []));
		assert.equal(found.status, status, `${names} ${all} ${found.stderr}`);
		assert.equal(found.report.verified, status === 0);
	}
	const { report } = await look(...keys("one", "two"), "--all-keys");
	assert.equal(report.requirements.length, 2);
	assert.equal(report.equivalent, undefined);
	const { stdout } = await cli.sealgate([
		"verify",
		`${registry.host}/demo/annotated:1.0`,
		"--any-name",
		...keys("one", "two"),
		"--all-keys",
	]);
	assert.match(
		stdout,
		/^✔ allowed: .*\n {2}signed by the key in one\.pub \(sha256:[0-9a-f]{64}\) and the key in two\.pub \(sha256:[0-9a-f]{64}\)\n {2}checked: sha256:.*\n$/,
	);
	const without = await look("--policy", "policy.json", "--all-keys");
	assert.match(without.stderr, /--all-keys/);
});

test("a first policy for an identity admits its image, and no other identity's", async () => {
	const who = [
		"--certificate-oidc-issuer",
		"https://token.actions.demo.example",
		"--certificate-identity",
		"https://github.com/demo/app/.github/workflows/release.yml@refs/heads/main",
		"--trusted-root",
		"trusted_root.json",
	];
	const name = (/** @type {string} */ repository) => [
		`${registry.host}/demo/${repository}:1.0`,
		"--as",
		`demo.example/demo/${repository}:1.0`,
	];
	const claim = [
		"--certificate-claim",
		"sourceRepositoryURI=https://github.com/demo/app",
	];
	const init = await cli.sealgate([
		"policy",
		"init",
		...name("keyless"),
		...who,
		...claim,
	]);
	assert.equal(init.status, 0, init.stderr);
	const policy = JSON.parse(init.stdout);
	assert.deepEqual(
		policy.transports.docker["demo.example/demo/keyless"][0].identities,
		[
			{
				issuer: who[1],
				subject: who[3],
				claims: { sourceRepositoryURI: "https://github.com/demo/app" },
			},
		],
	);
	// The policy from standard input; its files are looked for here.
	const ask = (/** @type {string} */ text) =>
		cli.sealgate(["verify", ...name("keyless"), "--policy", "-"], {
			input: text,
		});
	const admitted = await ask(init.stdout);
	assert.equal(admitted.status, 0, admitted.stdout + admitted.stderr);
	assert.equal(
		(await ask(init.stdout.replace("release.yml", "other.yml"))).status,
		1,
	);
	const other = await cli.sealgate([
		"policy",
		"init",
		...name("signed"),
		...who,
	]);
	assert.equal(other.status, 2);
	assert.match(other.stderr, /^sealgate: init\.not-signed: /);
	const expression = await cli.sealgate([
		"policy",
		"init",
		...name("keyless"),
		"--certificate-identity-regexp",
		".*",
	]);
	assert.match(
		expression.stderr,
		/does not take --certificate-identity-regexp/,
	);
});

test("messages name the file that they mean", async () => {
	const write = (/** @type {string} */ name, /** @type {string} */ text) =>
		writeFileSync(join(cli.project, name), text);
	write("no-key.pem", "no key\n");
	write(
		"pair.pem",
		`${readFileSync(join(cli.project, "one.pub"), "utf8")}-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neA==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`,
	);
	write("no-policy.json", '{"default": []}');
	write("no-root.json", "{}");
	write("no-bundle.json", "{}");
	const artifact = join(root, "fixtures/sigstore/blob-ci/artifact");
	const here = `${registry.host}/demo/signed:1.0`;
	const asked = registry.asked.length;
	for (const [line, expected] of /** @type {[string[], RegExp][]} */ ([
		[
			["verify", here, ...keys("one"), "--key", "no-key.pem"],
			/^sealgate: (key|pem)\.[a-z-]+: the key no-key\.pem: /,
		],
		[
			["verify", here, ...keys("one"), "--key", "pair.pem"],
			/^sealgate: key\.private: the key pair\.pem holds a private key/,
		],
		[["policy", "init", here, "--key", "no-key.pem"], /the key no-key\.pem: /],
		[
			["verify", here, ...keys("one"), "--trusted-root", "no-root.json"],
			/^sealgate: root\.unusable: no-root\.json: /,
		],
		[["verify", here, "--policy", "no-policy.json"], /: no-policy\.json: /],
		[["policy", "lint", "no-policy.json"], /: no-policy\.json: /],
		[["policy", "explain", "no-policy.json", "a.b/c"], /: no-policy\.json: /],
		[["policy", "test", "no-policy.json", "one.pub"], /: no-policy\.json: /],
		[["audit", "--policy", "no-policy.json"], /: no-policy\.json: /],
		[
			["policy", "diff", "policy.json", "no-policy.json"],
			/: no-policy\.json: /,
		],
		[
			["verify-blob", artifact, ...keys("one"), "--bundle", "no-bundle.json"],
			/^sealgate: bundle\.[a-z-]+: no-bundle\.json: /,
		],
		[
			["verify-blob", "nowhere", ...keys("one"), "--bundle", "no-bundle.json"],
			/^sealgate: file\.unreadable: .*nowhere/,
		],
	])) {
		const { status, stdout, stderr } = await cli.sealgate(line);
		assert.deepEqual([status, stdout], [2, ""], line.join(" "));
		assert.match(stderr, expected, line.join(" "));
	}
	assert.equal(registry.asked.length, asked, "nothing was fetched");
});
