// Many images under one policy, or under two: `policy diff` and `audit`, against a registry on loopback that holds the demo.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { startRegistry } from "./registry.mjs";
import {
	copyDemoPolicy,
	consumerProject,
	demo as readDemo,
} from "./support.mjs";

/** @type {string} */
let project;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry;

before(async () => {
	project = consumerProject();
	copyDemoPolicy(project);
	registry = await startRegistry(readDemo());
});

/** Runs the command with this on standard input, in pieces. @param {string[]} args @param {string} input */
function run(args, input) {
	const child = spawn(join(project, "node_modules/.bin/sealgate"), args, {
		cwd: project,
		env: { PATH: process.env.PATH, HOME: project },
		stdio: ["pipe", "pipe", "pipe"],
	});
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (text) => (stdout += text));
	child.stderr.on("data", (text) => (stderr += text));
	child.stdin.on("error", () => {});
	child.stdin.write(input.slice(0, 10));
	setTimeout(() => child.stdin.end(input.slice(10)), 300);
	return new Promise((resolve, reject) =>
		child.on("error", reject).on("close", (status) =>
			resolve({
				status,
				stdout,
				stderr,
				lines: () =>
					stdout
						.split("\n")
						.filter(Boolean)
						.map((line) => JSON.parse(line)),
			}),
		),
	);
}

const line = (name) =>
	`${registry.host}/demo/${name}:1.0 as demo.example/demo/${name}:1.0`;
const list = (...names) =>
	["# what runs", "", ...names.map(line), line(names[0])].join("\n");

/** The demo's policy, changed. @param {string} name @param {(policy: any) => void} edit */
function changed(name, edit) {
	const policy = JSON.parse(readFileSync(join(project, "policy.json"), "utf8"));
	edit(policy);
	writeFileSync(join(project, name), JSON.stringify(policy));
	return name;
}

test("audit judges each image once, in their order, a JSON object a line", async () => {
	const { status, stderr, lines } = await run(
		["audit", "--policy", "policy.json"],
		list("signed", "unsigned", "keyless", "attested", "tampered"),
	);
	assert.equal(status, 1);
	assert.deepEqual(
		lines().map(({ image, as, verdict, code }) => [image, as, verdict, code]),
		[
			["signed", "allow", "signature.accepted"],
			["unsigned", "deny", "signature.missing"],
			["keyless", "allow", "signature.accepted"],
			["attested", "allow", "signature.accepted"],
			["tampered", "deny", "digest.mismatch"],
		].map(([name, ...rest]) => [
			`${registry.host}/demo/${name}:1.0`,
			`demo.example/demo/${name}:1.0`,
			...rest,
		]),
	);
	assert.match(lines()[0].digest, /^sha256:/);
	assert.equal(stderr, "5 images: 3 allowed, 2 denied, 0 unknown\n");
	assert.equal(
		(await run(["audit", "--policy", "policy.json"], list("signed", "multi")))
			.status,
		0,
	);
	assert.equal(
		(await run(["audit", "--policy", "policy.json"], list("signed", "absent")))
			.status,
		2,
	);
	assert.equal(
		(
			await run(
				["audit", "--policy", "policy.json"],
				list("absent", "unsigned"),
			)
		).status,
		1,
	);
});

test("the exceptions that audit writes admit what was denied, and nothing else", async () => {
	const images = list(
		"signed",
		"unsigned",
		"wrong-key",
		"copied",
		"other-digest",
	);
	const written = async (...more) => {
		const { status, stderr } = await run(
			[
				"audit",
				"--policy",
				"policy.json",
				"--write-exceptions",
				"exceptions.json",
				...more,
			],
			images,
		);
		assert.equal(status, 1);
		return {
			stderr,
			exceptions: JSON.parse(
				readFileSync(join(project, "exceptions.json"), "utf8"),
			),
		};
	};
	const { stderr, exceptions } = await written();
	assert.deepEqual(
		exceptions.map(({ scope }) => scope),
		["demo.example/demo/unsigned"],
		"what was made to look signed is not excused",
	);
	assert.match(
		stderr,
		/^exceptions\.json: without 3 images whose signature failed .*wrong-key:1\.0 \(signature\.invalid\), .*copied:1\.0 \(identity\.not-accepted\), .*other-digest:1\.0 \(digest\.not-signed\); .*--include-suspicious/,
	);
	assert.match(
		stderr,
		/\nexceptions\.json: exceptions for 1 digest until \d{4}-\d\d-\d\dT00:00:00Z\n/,
	);
	const days = (Date.parse(exceptions[0].until) - Date.now()) / 86_400_000;
	assert.ok(days >= 30 && days <= 31, String(days));
	changed(
		"excepted.json",
		(policy) => (policy.sealgate.exceptions = exceptions),
	);
	const second = await run(["audit", "--policy", "excepted.json"], images);
	assert.deepEqual(
		second.lines().map(({ code, verified }) => [code, verified]),
		[
			["signature.accepted", true],
			["exception.admitted", false],
			["signature.invalid", false],
			["identity.not-accepted", false],
			["digest.not-signed", false],
		],
	);
	assert.match(
		second.stderr,
		/^5 images: 2 allowed \(1 of them not verified\), 3 denied/,
	);
	const all = await written("--include-suspicious");
	assert.deepEqual(
		all.exceptions.map(({ scope }) => scope.split("/").at(-1)),
		["unsigned", "wrong-key", "copied", "other-digest"],
	);
	assert.doesNotMatch(all.stderr, /without/);
});

test("what is allowed now, and no longer verified, is a change", async () => {
	const open = changed(
		"signed-open.json",
		(policy) =>
			(policy.transports.docker["demo.example/demo/signed"] = [
				{ type: "insecureAcceptAnything" },
			]),
	);
	const found = await run(
		["policy", "diff", "policy.json", open],
		list("signed", "keyless"),
	);
	assert.equal(found.status, 1);
	assert.deepEqual(
		found
			.lines()
			.map(({ as, before, after }) => [
				as,
				before.verdict,
				before.verified,
				after.verdict,
				after.verified,
			]),
		[["demo.example/demo/signed:1.0", "allow", true, "allow", false]],
	);
});

test("policy diff names what changes, and why, and asks a registry once", async () => {
	const images = list("signed", "unsigned", "bundle", "keyless");
	const before = registry.asked.length;
	assert.deepEqual(
		await run(["policy", "diff", "policy.json", "policy.json"], images).then(
			({ status, stdout, stderr }) => [status, stdout, stderr],
		),
		[0, "", "4 images: 0 change\n"],
	);
	const twice = registry.asked.length - before;
	const once = await run(["audit", "--policy", "policy.json"], images).then(
		() => registry.asked.length - before - twice,
	);
	assert.ok(
		twice <= once + 2,
		`${twice} requests for two policies, ${once} for one`,
	);

	const next = changed("next.json", (policy) => {
		policy.transports.docker["demo.example/demo/bundle"][0].keyPath =
			"cosign.pub";
		policy.transports.docker["demo.example/demo/unsigned"] = [
			{ type: "insecureAcceptAnything" },
		];
	});
	const found = await run(["policy", "diff", "policy.json", next], images);
	assert.equal(found.status, 1);
	assert.equal(found.stderr, "4 images: 2 change\n");
	assert.deepEqual(
		found.lines().map(({ as, before, after }) => [as, before.code, after.code]),
		[
			[
				"demo.example/demo/unsigned:1.0",
				"signature.missing",
				"policy.accept-anything",
			],
			[
				"demo.example/demo/bundle:1.0",
				"signature.accepted",
				"signature.invalid",
			],
		],
	);
	assert.ok(found.lines()[0].before.message.includes("signature"));
	const unknown = await run(
		["policy", "diff", "policy.json", next],
		list("signed", "absent"),
	);
	assert.deepEqual([unknown.status, unknown.lines().length], [2, 1]);
});

test("nothing is fetched before all that is local is there", async () => {
	const before = registry.asked.length;
	for (const [args, input, expected] of [
		[["audit"], "", /--policy FILE/],
		[
			["audit", "--policy", "nowhere.json"],
			line("signed"),
			/policy\.unreadable/,
		],
		[["audit", "image:1", "--policy", "policy.json"], "", /standard input/],
		[["audit", "--policy", "policy.json"], "# none\n", /images\.none/],
		[
			["audit", "--policy", "policy.json"],
			`${line("signed")}\na.b/c:1 b.c/d:1\n`,
			/images\.malformed.*line 2/,
		],
		[
			["audit", "--policy", "policy.json"],
			"Not/An:Image:at all",
			/images\.malformed/,
		],
		[["audit", "--policy", "policy.json"], "UPPER/case:1", /reference\./],
		[["policy", "diff", "policy.json"], line("signed"), /second policy/],
		[
			["policy", "diff", "policy.json", "nowhere.json"],
			line("signed"),
			/policy\.unreadable/,
		],
	]) {
		const { status, stdout, stderr } = await run(args, input);
		assert.deepEqual([status, stdout], [2, ""], args.join(" "));
		assert.match(stderr, expected);
	}
	assert.equal(registry.asked.length, before);
	const kept = await run(
		[
			"audit",
			"--policy",
			"policy.json",
			"--write-exceptions",
			"no/such/folder.json",
		],
		line("unsigned"),
	);
	assert.match(kept.stderr, /exceptions\.unwritable/);
	assert.ok(!existsSync(join(project, "no")));
});
