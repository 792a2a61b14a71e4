// Signatures of files: long ones are hashed as they are read; standard input stands for each of the files.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, createSign, generateKeyPairSync, sign } from "node:crypto";
import {
	openSync,
	readFileSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { commandLine } from "./cli.mjs";
import { need, root } from "./support.mjs";

const MIB = 1024 * 1024;
const SIZE = 200 * MIB;

/** @type {ReturnType<typeof commandLine>} */
let cli;
/** @type {(name: string) => string} */
let at;

before(() => {
	cli = commandLine();
	at = (name) => join(cli.project, name);
	// Zeros, but for what stands at the end.
	truncateSync(openSync(at("long"), "w+"), SIZE - 4);
	writeSync(openSync(at("long"), "a"), "last");
	writeFileSync(at("short"), "short");
	const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const ed = generateKeyPairSync("ed25519");
	for (const [name, { publicKey }] of Object.entries({ ec, ed }))
		writeFileSync(
			at(`${name}.pub`),
			publicKey.export({ type: "spki", format: "pem" }),
		);
	for (const name of ["long", "short"]) {
		const bytes = readFileSync(at(name));
		writeFileSync(
			at(`${name}.json`),
			bundle(
				"SHA2_256",
				hash("sha256", bytes),
				createSign("sha256").update(bytes).sign(ec.privateKey),
			),
		);
	}
	writeFileSync(
		at("ed.json"),
		bundle(
			"SHA2_512",
			hash("sha512", Buffer.from("short")),
			sign(null, Buffer.from("short"), ed.privateKey),
		),
	);
	// The kernel's own figure: resourceUsage() begins with that of whoever started the process.
	writeFileSync(
		at("measure.mjs"),
		'import { readFileSync, writeFileSync } from "node:fs";\nprocess.on("exit", () => writeFileSync(process.env.PEAK, readFileSync("/proc/self/status", "utf8").match(/VmHWM:\\s+(\\d+)/)[1]));\n',
	);
});

/** @param {string} algorithm @param {Buffer} bytes */
function hash(algorithm, bytes) {
	return createHash(algorithm).update(bytes).digest("base64");
}

/** @param {string} algorithm @param {string} digest @param {Buffer} signature */
function bundle(algorithm, digest, signature) {
	return JSON.stringify({
		mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
		verificationMaterial: { publicKey: { hint: "x" } },
		messageSignature: {
			messageDigest: { algorithm, digest },
			signature: signature.toString("base64"),
		},
	});
}

/** @param {string} file @param {string} made @param {string} key */
const ask = (file, made = file, key = "ec.pub") => [
	"verify-blob",
	file,
	"--bundle",
	made.endsWith(".json") || made === "-" ? made : `${made}.json`,
	"--key",
	key,
];

test("a file of 200 MB is verified in less memory than it has", async () => {
	const { status, stdout, stderr } = await cli.sealgate(ask("long"), {
		env: {
			NODE_OPTIONS: `--import ${pathToFileURL(at("measure.mjs")).href}`,
			PEAK: at("peak"),
		},
	});
	assert.equal(status, 0, stderr);
	assert.match(
		stdout,
		/^✔ verified: long\n {2}signed by the key in ec\.pub \(sha256:[0-9a-f]{64}\)\n {2}checked: a signature of the file, without a trusted root\n$/,
	);
	const kilobytes = Number(readFileSync(at("peak"), "utf8"));
	assert.ok(kilobytes > 1024 && kilobytes < 150 * 1024, `${kilobytes} KB`);
	writeSync(openSync(at("long"), "r+"), "x", 100 * MIB);
	assert.equal((await cli.sealgate(ask("long"))).status, 1);
});

test("how far it is, on a terminal alone", () => {
	need("/usr/bin/script", "install util-linux");
	truncateSync(at("long"), SIZE);
	const line = `node_modules/.bin/sealgate ${ask("long").join(" ")}`;
	const { stdout } = spawnSync("script", ["-qec", line, "/dev/null"], {
		cwd: cli.project,
		encoding: "utf8",
	});
	assert.match(stdout, /\rreading long: \d+ %\u001b\[K/);
	const quiet = spawnSync("sh", ["-c", line], {
		cwd: cli.project,
		encoding: "utf8",
	});
	assert.equal(quiet.stderr, "");
});

test("a signature by an Ed25519 key needs the whole file, which has a bound", async () => {
	// Node signs without a prehash, so that it is refused once the file was looked at.
	for (const [file, input] of [["short"], ["-", "short"]]) {
		const { status, stdout, stderr } = await cli.sealgate(
			ask(file, "ed.json", "ed.pub"),
			{ input },
		);
		assert.equal(status, 1, stderr);
		assert.match(stdout, /Ed25519ph.*\(signature\.invalid\)/);
	}
	truncateSync(openSync(at("longest"), "w+"), 257 * MIB);
	const bytes = Buffer.alloc(257 * MIB);
	writeFileSync(
		at("longest.json"),
		bundle("SHA2_512", hash("sha512", bytes), Buffer.alloc(64)),
	);
	for (const [file, input, named] of [
		["longest", undefined, /longest: /],
		["-", bytes, /standard input: /],
	]) {
		const { status, stdout, stderr } = await cli.sealgate(
			ask(file, "longest", "ed.pub"),
			{ input },
		);
		assert.deepEqual([status, stdout], [2, ""]);
		assert.match(stderr, /^sealgate: file\.too-large: .*another kind/);
		assert.match(stderr, named);
	}
});

test("standard input stands for a file, once", async () => {
	const read = (/** @type {string} */ name) => readFileSync(at(name));
	for (const [line, input] of /** @type {[string[], Buffer][]} */ ([
		[ask("-", "short"), read("short")],
		[ask("short", "-"), read("short.json")],
		[ask("short", "short", "-"), read("ec.pub")],
	])) {
		const { status, stderr } = await cli.sealgate(line, { input });
		assert.equal(status, 0, `${line.join(" ")} ${stderr}`);
		assert.equal(
			(await cli.sealgate(line, { input: "another" })).status === 0,
			false,
		);
	}
	const twice = await cli.sealgate(ask("-", "short", "-"), { input: "x" });
	assert.deepEqual(twice.status, 2);
	assert.match(twice.stderr, /standard input can be read once/);
	const audit = await cli.sealgate(["audit", "--policy", "-"], { input: "{}" });
	assert.match(audit.stderr, /audit reads its images from standard input/);
});

test("in one line, in three, in full, as JSON", async () => {
	const show = async (/** @type {string[]} */ ...more) =>
		(await cli.sealgate([...ask("short"), ...more])).stdout;
	assert.equal(await show("-q"), "✔ verified: short\n");
	assert.match(await show("-v"), /\n {2}✔ holds: the signature .*\n/);
	assert.equal(JSON.parse(await show("--json")).kind, "message");
	const denied = async (/** @type {string[]} */ ...more) =>
		(await cli.sealgate([...ask("policy.json", "short"), ...more])).stdout;
	assert.equal(await denied("-q"), "✘ not verified: policy.json\n");
	assert.match(
		await denied(),
		/^✘ not verified: policy\.json: .*\(sigstore\.artifact\)\n$/,
	);
});

test("a statement about a file is compared with its digests", async () => {
	const fixture = (/** @type {string} */ path) =>
		join(root, "fixtures/sigstore/attestation-key", path);
	const { status, stderr } = await cli.sealgate([
		"verify-blob-attestation",
		fixture("manifest.json"),
		"--bundle",
		fixture("bundle.json"),
		"--key",
		fixture("key.pub"),
		"--type",
		"slsaprovenance1",
		"--trusted-root",
		join(root, "fixtures/sigstore/trusted_root.json"),
	]);
	assert.equal(status, 0, stderr);
});
