// What reads a policy without deciding: the lints, the explanation, the table of cases, the schema.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { before, test } from "node:test";
import { startWorker } from "../lib/serve.mjs";
import { startRegistry } from "./registry.mjs";
import {
	copyDemoPolicy,
	consumerProject,
	demo as readDemo,
	devLibrary,
	root,
} from "./support.mjs";

/** @type {string} */
let project;
/** @type {any} */
let sealgate;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry;

const REJECT = [{ type: "reject" }];
const OPEN = {
	default: [{ type: "insecureAcceptAnything" }],
	transports: { docker: { busybox: REJECT } },
};
const FINE = { default: REJECT };

before(async () => {
	const demo = readDemo();
	project = consumerProject();
	copyDemoPolicy(project);
	sealgate = createRequire(join(project, "package.json"))("sealgate");
	registry = await startRegistry(demo);
});

/** @param {string[]} args */
function run(...args) {
	const child = spawn(join(project, "node_modules/.bin/sealgate"), args, {
		cwd: project,
		env: { PATH: process.env.PATH, HOME: project },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (text) => (stdout += text));
	child.stderr.on("data", (text) => (stderr += text));
	return new Promise((resolve, reject) =>
		child
			.on("error", reject)
			.on("close", (status) => resolve({ status, stdout, stderr })),
	);
}

/** @param {string} name @param {unknown} content */
function file(name, content) {
	const path = join(project, name);
	mkdirSync(join(path, ".."), { recursive: true });
	writeFileSync(
		path,
		typeof content === "string" ? content : JSON.stringify(content),
	);
	return name;
}

const ids = (lints) => lints.map(({ id }) => id);

test("lints are plain data, with places and changes in bytes", async () => {
	const text = JSON.stringify({
		default: REJECT,
		transports: { docker: { "ü.example/x": REJECT, busybox: REJECT } },
	});
	const lints = await sealgate.policyLint(text);
	assert.deepEqual(ids(lints), ["PL06", "PL05"]);
	const { severity, name, pointer, at, message, edit } = lints[1];
	assert.deepEqual(
		[severity, name, pointer, typeof message],
		["error", "unexpanded-scope", 'transports.docker["busybox"]', "string"],
	);
	const bytes = Buffer.from(text);
	assert.equal(
		bytes.subarray(edit.at.start, edit.at.end).toString(),
		'"busybox"',
	);
	assert.equal(at, edit.at.start);
	const better = Buffer.concat([
		bytes.subarray(0, edit.at.start),
		Buffer.from(edit.text),
		bytes.subarray(edit.at.end),
	]);
	assert.deepEqual(ids(await sealgate.policyLint(better)), ["PL06"]);
});

test("lints know what they are told, and nothing else", async () => {
	const signed = (members) =>
		JSON.stringify({
			default: REJECT,
			transports: {
				docker: {
					"a.b": [
						{
							type: "sigstoreSigned",
							signedIdentity: { type: "matchRepository" },
							...members,
						},
					],
				},
			},
		});
	const lint = async (policy, options) =>
		ids(await sealgate.policyLint(policy, options));
	const key = readFileSync(join(project, "cosign.pub"));
	const policy = signed({ keyPath: "cosign.pub" });
	const always = await lint(policy);
	assert.deepEqual(
		await lint(policy, { assets: { "cosign.pub": key } }),
		always,
	);
	assert.deepEqual(
		(await lint(policy, { assets: {} })).filter((id) => !always.includes(id)),
		["SL13"],
	);
	assert.ok(
		(await lint(policy, { assets: { "cosign.pub": "no key" } })).includes(
			"SL14",
		),
	);
	assert.ok(
		(
			await lint(policy, {
				assets: {
					"cosign.pub": `${key}-----BEGIN PRIVATE KEY-----\neA==\n-----END PRIVATE KEY-----\n`,
				},
			})
		).includes("SL17"),
	);
	assert.ok(
		(
			await lint(
				JSON.stringify({
					default: REJECT,
					transports: { docker: { "docker.io": OPEN.default } },
				}),
			)
		).includes("SL15"),
	);
	assert.ok(
		(
			await lint(
				JSON.stringify({
					sealgate: { version: 1, audit: ["a.b"] },
					default: REJECT,
					transports: { docker: { "a.b/c": REJECT } },
				}),
			)
		).includes("SL16"),
	);
	assert.ok(
		(
			await lint(policy, { assets: { "cosign.pub": `${key}\n${key}` } })
		).includes("PL21"),
	);
	assert.ok((await lint(policy, { registriesD: {} })).includes("PL26"));
	assert.deepEqual(
		await lint(policy, {
			registriesD: {
				"a.yaml": "docker:\n  a.b:\n    use-sigstore-attachments: true\n",
			},
		}),
		always,
	);
	assert.ok((await lint(policy, { images: ["a.b:5000/x"] })).includes("PL07"));
	assert.ok((await lint(policy, { indexes: ["a.b/x:1"] })).includes("PL28"));
	assert.ok((await lint(policy, { userPolicy: true })).includes("PL31"));
	const until = (until) =>
		JSON.stringify({
			sealgate: {
				version: 1,
				exceptions: [
					{
						scope: "a.b/c",
						digests: [`sha256:${"0".repeat(64)}`],
						until,
						reason: "r",
					},
				],
			},
			default: REJECT,
		});
	assert.deepEqual(
		await lint(until("2027-01-31T00:00:00Z"), {
			time: new Date("2027-01-20T00:00:00Z"),
		}),
		["SL11"],
	);
	assert.deepEqual(
		await lint(until("2027-01-31T00:00:00Z"), {
			time: new Date("2026-12-20T00:00:00Z"),
		}),
		[],
	);
});

test("what is wrong has a code, and the module stays usable", async () => {
	for (const [attempt, code] of [
		[() => sealgate.policyLint("{"), "policy.json"],
		[() => sealgate.policyLint(7), "argument"],
		[() => sealgate.policyLint("{}", { assets: 7 }), "argument"],
		[
			() => sealgate.policyLint(JSON.stringify(FINE), { images: "x" }),
			"argument",
		],
		[
			() => sealgate.policyLint(JSON.stringify(FINE), { images: ["a b"] }),
			"reference.name",
		],
		[
			() =>
				sealgate.policyLint(JSON.stringify(FINE), {
					registriesD: { "a.yaml": "a: [b]" },
				}),
			"registries-d.subset",
		],
		[() => sealgate.policyExplain("{}", "x"), "policy.no-default"],
		[() => sealgate.policyExplain(JSON.stringify(FINE), ""), "reference.empty"],
		[
			() =>
				sealgate.policyExplain(
					JSON.stringify(FINE),
					`x:1@sha256:${"0".repeat(64)}`,
				),
			"reference.tag-and-digest",
		],
	])
		await assert.rejects(
			attempt,
			(error) => error instanceof Error && error.code === code,
			code,
		);
	assert.deepEqual(await sealgate.policyLint(JSON.stringify(FINE)), []);
});

test("an explanation is plain data and text", async () => {
	const explanation = await sealgate.policyExplain(
		readFileSync(join(project, "policy.json")),
		"localhost:5000/demo/signed:2",
		{ as: "demo.example/demo/signed" },
	);
	assert.deepEqual(explanation.lookedUp, [
		{ scope: 'docker "demo.example/demo/signed:2"', isThere: false },
		{ scope: 'docker "demo.example/demo/signed"', isThere: false },
		{ scope: 'docker "demo.example/demo"', isThere: true },
	]);
	assert.deepEqual(
		[explanation.image, explanation.scope, explanation.coverage],
		["demo.example/demo/signed:2", 'docker "demo.example/demo"', "index"],
	);
	assert.match(
		explanation.requirements[0].demands,
		/the key in cosign\.pub.*any tag of demo\.example\/demo\/signed/,
	);
	assert.match(explanation.text, /is decided by docker "demo\.example\/demo"/);
});

test("policy lint: statuses, places for people, and JSON", async () => {
	const fine = await run("policy", "lint", file("fine.json", FINE));
	assert.deepEqual(fine, {
		status: 0,
		stdout: "fine.json: no lints\n",
		stderr: "",
	});
	const open = await run(
		"policy",
		"lint",
		file("open.json", JSON.stringify(OPEN, null, 2)),
	);
	assert.equal(open.status, 1);
	assert.match(open.stdout, /^open\.json:2:3: warning PL01 default-open: /);
	assert.match(
		open.stdout,
		/\nopen\.json:9:7: error PL05 unexpanded-scope: .*\n {4}at transports\.docker\["busybox"\]\n {4}write "docker\.io\/library\/busybox" in place of "busybox"\n/,
	);
	assert.match(open.stdout, /\nopen\.json: 1 error, 1 warning, 0 notes\n$/);
	const json = await run("policy", "lint", "open.json", "--json");
	assert.deepEqual(
		[json.status, ids(JSON.parse(json.stdout))],
		[1, ["PL01", "PL05"]],
	);
	const warned = await run(
		"policy",
		"lint",
		file("warned.json", { default: OPEN.default }),
	);
	assert.equal(warned.status, 0);
	for (const broken of ["{", "{}"])
		assert.equal(
			(await run("policy", "lint", file("broken.json", broken))).status,
			2,
		);
	assert.match(
		(await run("policy", "lint", "nowhere.json")).stderr,
		/policy\.unreadable.*nowhere\.json/,
	);
});

test("policy lint looks at the files beside the policy, and at registries.d", async () => {
	const policy = {
		default: REJECT,
		transports: {
			docker: {
				"a.b": [
					{
						type: "sigstoreSigned",
						keyPath: "two.pub",
						signedIdentity: { type: "matchRepository" },
					},
				],
			},
		},
	};
	const key = readFileSync(join(project, "cosign.pub"), "utf8");
	const lint = async (...more) =>
		ids(
			JSON.parse(
				(
					await run(
						"policy",
						"lint",
						file("beside/policy.json", policy),
						"--json",
						...more,
					)
				).stdout,
			),
		);
	assert.ok((await lint()).includes("SL13"));
	file("beside/two.pub", key + key);
	const found = await lint();
	assert.ok(
		found.includes("PL21") &&
			!found.includes("SL13") &&
			!found.includes("PL26"),
		found.join(),
	);
	file("registries.d/a.yaml", "docker:\n  c.d:\n    lookaside: http://x/\n");
	file("registries.d/b.yml", "");
	assert.deepEqual(
		(await lint("--registries.d", "registries.d"))
			.filter((id) => id === "PL26" || id === "PL27")
			.sort(),
		["PL26", "PL27", "PL27"],
	);
	const text = await run(
		"policy",
		"lint",
		"beside/policy.json",
		"--registries.d",
		"registries.d",
	);
	assert.match(
		text.stdout,
		/registries\.d a\.yaml: docker\["c\.d"\]\.lookaside: warning PL27/,
	);
	assert.match(
		(
			await run(
				"policy",
				"lint",
				"beside/policy.json",
				"--registries.d",
				"nowhere",
			)
		).stderr,
		/registries-d\.unreadable/,
	);
});

test("policy explain", async () => {
	const asked = [
		"policy",
		"explain",
		"policy.json",
		`${registry.host}/demo/signed:1.0`,
	];
	const other = await run(...asked);
	assert.deepEqual(
		[other.status, /is decided by default/.test(other.stdout)],
		[0, true],
	);
	const named = await run(...asked, "--as", "demo.example/demo/signed");
	assert.match(
		named.stdout,
		/^demo\.example\/demo\/signed:1\.0 is decided by docker "demo\.example\/demo"\n/,
	);
	assert.equal(
		JSON.parse((await run(...asked, "--json")).stdout).scope,
		"default",
	);
	assert.equal(
		(await run("policy", "explain", "policy.json", "Not An Image")).status,
		2,
	);
	assert.deepEqual(registry.asked, [], "nothing was fetched");
});

test("policy test judges a table of images", async () => {
	const image = (name) => `${registry.host}/demo/${name}:1.0`;
	const as = (name) => `as demo.example/demo/${name}:1.0`;
	const table = (...lines) =>
		file("cases.txt", ["# image, verdict", "", ...lines].join("\n"));
	const test = (cases, ...more) =>
		run("policy", "test", "policy.json", cases, ...more);
	const good = [
		`${image("signed")} ${as("signed")} allow`,
		`${image("unsigned")} ${as("unsigned")} deny signature.missing  # none`,
		`${image("signed")} deny policy.reject`,
	];
	const all = await test(table(...good));
	assert.deepEqual([all.status, all.stderr], [0, ""], all.stdout);
	assert.match(
		all.stdout,
		/✔ .*signed:1\.0 as demo\.example\/demo\/signed:1\.0: allow signature\.accepted, as expected\n/,
	);
	assert.match(all.stdout, /\n3 images, all as expected\n$/);

	const differing = await test(
		table(
			...good,
			`${image("unsigned")} ${as("unsigned")} allow`,
			`${image("unsigned")} ${as("unsigned")} deny other.code`,
		),
	);
	assert.equal(differing.status, 1);
	assert.match(
		differing.stdout,
		/✘ .*: deny signature\.missing, expected allow\n {4}.+\n✘ .*: deny signature\.missing, expected deny other\.code\n/,
	);
	assert.match(differing.stdout, /\n5 images, 2 not as expected\n$/);

	const unknown = await test(
		table(...good, `${image("absent")} ${as("absent")} deny`),
	);
	assert.equal(unknown.status, 2);
	assert.match(unknown.stdout, /\? .*: could not find out .*, expected deny\n/);

	const json = file("cases.json", [
		{
			image: image("signed"),
			as: "demo.example/demo/signed:1.0",
			expect: "allow",
		},
		{ image: image("unsigned"), expect: "allow" },
	]);
	const results = await test(json, "--json");
	assert.equal(results.status, 1);
	assert.deepEqual(
		JSON.parse(results.stdout).map(({ same, found }) => [same, found.verdict]),
		[
			[true, "allow"],
			[false, "deny"],
		],
	);
});

test("policy test takes no table that cannot fail", async () => {
	const before = registry.asked.length;
	for (const [cases, expected] of [
		["", /cases\.malformed.*at least one image/],
		["# nothing\n", /cases\.malformed/],
		["[]", /cases\.malformed/],
		["a.b/c:1\n", /line 1: expected an image/],
		["a.b/c:1 allowed\n", /line 1/],
		["\na.b/c:1 as allow\n", /line 2/],
		["a.b/c:1 allow code more\n", /IMAGE \[as NAME\] allow\|deny \[CODE\]/],
		['[{"image": "a.b/c:1", "expect": "allow", "expected": "deny"}]', /case 1/],
		['[{"image": "a.b/c:1", "expect": true}]', /case 1/],
		['{"a.b/c:1": "allow"}', /JSON array/],
		["[1", /JSON array/],
	]) {
		const { status, stdout, stderr } = await run(
			"policy",
			"test",
			"policy.json",
			file("wrong.txt", cases),
		);
		assert.deepEqual([status, stdout], [2, ""], cases);
		assert.match(stderr, expected, cases);
	}
	assert.match(
		(await run("policy", "test", "policy.json", "nowhere.txt")).stderr,
		/cases\.unreadable/,
	);
	assert.equal((await run("policy", "test", "policy.json")).status, 2);
	assert.equal(registry.asked.length, before);
});

test("the worker shows the lints of its policy at its start, a line each, and counts its notes", async () => {
	const start = async (policy) => {
		const worker = await startWorker({ policy: join(project, policy) });
		await worker.stop();
		return worker
			.output()
			.split("\n")
			.filter((line) => / [PS]L\d\d |policy lint/.test(line));
	};
	const lines = await start(file("open.json", OPEN));
	assert.deepEqual(
		lines.map((line) => line.split(": ").slice(0, 2).join(": ")),
		[
			"open.json: warning PL01 default-open, default",
			'open.json: error PL05 unexpanded-scope, transports.docker["busybox"]',
		],
	);
	assert.deepEqual(await start(file("fine.json", FINE)), []);
	// The demo's policy means what it says. One of its images is signed by a key that has expired.
	const [expired, ...others] = await start("policy.json");
	assert.match(
		expired ?? "",
		/^policy\.json: warning PL23 expired-key, transports\.docker\["demo\.example\/demo\/gpg"\]\[0\]: the file "keyring\.asc"/,
	);
	assert.deepEqual(others, [
		"policy.json: 7 notes, which sealgate policy lint shows",
	]);
});

test("the worker judges by a registries.d", async () => {
	const pull = async (registriesD) => {
		const worker = await startWorker({
			registriesD: registriesD && join(project, registriesD),
		});
		try {
			const answer = await fetch(`${worker.url}/v2/demo/signed/manifests/1.0`);
			return [
				answer.status,
				answer.status === 200
					? ""
					: (await answer.text()).match(/\[([a-z.-]+)\]/)?.[1],
			];
		} finally {
			await worker.stop();
		}
	};
	file(
		"on.d/a.yaml",
		"docker:\n  demo.example:\n    use-sigstore-attachments: true\n",
	);
	file("off.d/a.yaml", "default-docker:\n  lookaside: https://x.example\n");
	assert.deepEqual(
		[await pull(""), await pull("on.d"), await pull("off.d")],
		[
			[200, ""],
			[200, ""],
			[403, "signature.missing"],
		],
	);
});

test("the schema accepts what the core accepts, and refuses what it refuses", () => {
	const Ajv = devLibrary("ajv/dist/2020").default;
	const schema = JSON.parse(
		readFileSync(
			join(project, "node_modules/sealgate/policy.schema.json"),
			"utf8",
		),
	);
	// In its alternatives members are named that the object around them describes.
	const validate = new Ajv({
		allErrors: true,
		strict: true,
		strictRequired: false,
	}).compile(schema);
	const why = (policy) =>
		JSON.stringify(policy) + JSON.stringify(validate.errors);
	const demo = JSON.parse(readFileSync(join(project, "policy.json"), "utf8"));
	assert.ok(validate(demo), why(demo));
	const table = JSON.parse(
		readFileSync(join(root, "fixtures/policy/policies.json"), "utf8"),
	);
	assert.ok(
		table.filter(({ code }) => code === "ok").length > 40 && table.length > 200,
	);
	for (const { policy, code, beyondSchema } of table)
		assert.equal(
			validate(policy),
			code === "ok" || beyondSchema === true,
			`${code} ${why(policy)}`,
		);
});
