// What the command prints: short answers, help, suggestions, completion, and documents for other programs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { commandLine } from "./cli.mjs";
import { startRegistry } from "./registry.mjs";
import { builtPackage, demo as readDemo, root } from "./support.mjs";

/** @type {ReturnType<typeof commandLine>} */
let cli;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry;
/** @type {any} */
let table;

before(async () => {
	cli = commandLine();
	registry = await startRegistry(readDemo());
	table = await import(
		pathToFileURL(join(builtPackage(), "cli/table.js")).href
	);
});

const image = (/** @type {string} */ name) =>
	`${registry.host}/demo/${name}:1.0`;
const verify = (/** @type {string} */ name, /** @type {string[]} */ ...more) =>
	cli.sealgate([
		"verify",
		image(name),
		"--key",
		"cosign.pub",
		"--as",
		`demo.example/demo/${name}:1.0`,
		...more,
	]);

test("verdict, signer and what was checked, a line each", async () => {
	const { stdout } = await verify("signed");
	const lines = stdout.split("\n");
	assert.equal(lines.length, 4, stdout);
	assert.equal(lines[0], `✔ allowed: ${image("signed")}`);
	assert.match(
		lines[1],
		/^ {2}signed by the key in cosign\.pub \(sha256:[0-9a-f]{64}\)$/,
	);
	assert.match(
		lines[2],
		/^ {2}checked: sha256:[0-9a-f]{64}, as demo\.example\/demo\/signed:1\.0, by key, 1 signature or attestation found, transparency log not required$/,
	);
	const denied = await verify("wrong-key");
	assert.match(
		denied.stdout,
		/^✘ denied: .*\n {2}.*\(signature\.invalid\)\n {2}checked: .*\n$/,
	);
	const keyless = await cli.sealgate([
		"verify",
		image("keyless"),
		"--policy",
		"policy.json",
		"--as",
		"demo.example/demo/keyless:1.0",
	]);
	assert.match(
		keyless.stdout,
		/\n {2}signed by https:\/\/github\.com\/demo\/app\S+ \(vouched for by https:\/\/token\.actions\.demo\.example\)\n/,
	);
});

test("-q is the verdict line alone, -v every step", async () => {
	for (const [
		name,
		line,
		status,
	] of /** @type {[string, string, number][]} */ ([
		["signed", "✔ allowed", 0],
		["unsigned", "✘ denied", 1],
		["absent", "? could not find out", 2],
	])) {
		const found = await verify(name, "-q");
		assert.deepEqual(
			[found.status, found.stdout],
			[status, `${line}: ${image(name)}\n`],
		);
	}
	assert.match((await verify("signed", "--verbose")).stdout, /✔ holds: /);
	assert.doesNotMatch((await verify("signed")).stdout, /holds/);
	const both = await verify("signed", "-qv");
	assert.match(both.stderr, /-q and -v are opposites/);
});

test("every command has help in two ways, with every option that it takes", async () => {
	for (const name of table.NAMES) {
		const words = name.split(" ");
		const [first, second] = [
			await cli.sealgate(["help", ...words]),
			await cli.sealgate([...words, "--help"]),
		];
		assert.deepEqual(first, second);
		assert.equal(first.status, 0);
		assert.ok(first.stdout.startsWith(`sealgate ${name}: `), first.stdout);
		for (const option of table.entryOf(name).takes)
			assert.ok(first.stdout.includes(`--${option}`), `${name} --${option}`);
		assert.ok(
			first.stdout
				.split("\n")
				.every((line) => line.length <= 100 || line.startsWith("  sealgate ")),
			name,
		);
	}
	const all = (await cli.sealgate(["--help"])).stdout;
	for (const name of table.NAMES) assert.ok(all.includes(`  ${name} `), name);
	const policy = (await cli.sealgate(["policy", "--help"])).stdout;
	assert.match(policy, /policy lint/);
	assert.doesNotMatch(policy, /verify-blob-attestation/);
	// An option that no command takes would be a text that nobody reads.
	const taken = new Set(
		table.NAMES.flatMap(
			(/** @type {string} */ name) => table.entryOf(name).takes,
		),
	);
	assert.deepEqual(
		Object.keys(table.OPTIONS).filter((name) => !taken.has(name)),
		["help", "version"],
	);
});

test("docs/cli.md has every command and option, in the words of the table", () => {
	const page = readFileSync(join(root, "docs/cli.md"), "utf8").split("\n");
	const cell = (/** @type {string} */ text) => text.replaceAll("|", "\\|");
	const rows = table.NAMES.map((/** @type {string} */ name) => {
		const { purpose, usage } = table.entryOf(name);
		const given = usage.map(
			(/** @type {string} */ line) => `\`${cell(line)}\``,
		);
		return `| \`sealgate ${name}\` | ${purpose} | ${given.join("<br>")} |`;
	});
	for (const name of Object.keys(table.OPTIONS)) {
		const { short, value, text } = table.optionOf(name);
		const typed = `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`;
		const by = table.NAMES.filter((/** @type {string} */ command) =>
			table.entryOf(command).takes.includes(name),
		);
		rows.push(`| \`${typed}\` | ${cell(text)} | ${by.join(", ") || "all"} |`);
	}
	const found = page.filter((line) => /^\| `(sealgate |-)/.test(line));
	assert.deepEqual(found.sort(), rows.sort());
});

test("one suggestion for what was mistyped, and none for what is far from all", async () => {
	for (const [line, expected] of /** @type {[string, RegExp][]} */ ([
		["verfiy x", /found "verfiy"; did you mean verify\? See/],
		["verify-blbo x", /did you mean verify-blob\?/],
		["polciy lint x", /did you mean policy\?/],
		["policy lnit x", /did you mean (lint|init)\?/],
		[
			"verify x --polcy p",
			/'--polcy'; did you mean --policy\? See sealgate help verify/,
		],
		[
			"verify x --certificate-identiy p",
			/did you mean --certificate-identity\?/,
		],
		["audit --polcy p", /did you mean --policy\?/],
		["policy lint x --jsn", /did you mean --json\?/],
		[
			"policy lint x --key k",
			/policy lint does not take --key\. See sealgate help policy lint/,
		],
		["policy init x --mirrors", /did you mean --mirror\?/],
		["frobnicate", /found "frobnicate"\. See/],
		["verify x --frobnicate", /'--frobnicate'\. See/],
		["help verfiy", /did you mean verify\?/],
		["verify x --sa n", /did you mean --as\?/],
		["completion bsh", /expected bash, zsh, fish, found "bsh"/],
	])) {
		const { status, stdout, stderr } = await cli.sealgate(line.split(" "));
		assert.deepEqual([status, stdout], [2, ""], line);
		assert.match(stderr, expected, line);
	}
});

/** What bash offers for the last word. @param {string[]} words */
function offered(words) {
	const script = `source <("$0" completion bash); COMP_WORDS=("\${@}"); COMP_CWORD=$(($# - 1)); _sealgate; printf '%s\\n' "\${COMPREPLY[@]}"`;
	const { stdout, stderr } = spawnSync(
		"bash",
		[
			"-c",
			script,
			join(cli.project, "node_modules/.bin/sealgate"),
			"sealgate",
			...words,
		],
		{ cwd: cli.project, encoding: "utf8" },
	);
	assert.equal(stderr, "");
	return stdout.split("\n").filter(Boolean).sort();
}

test("bash completes commands, options, values and files", () => {
	assert.deepEqual(offered(["ver"]), [
		"verify",
		"verify-attestation",
		"verify-blob",
		"verify-blob-attestation",
	]);
	assert.deepEqual(offered(["policy", ""]), [
		"bundle",
		"diff",
		"explain",
		"init",
		"lint",
		"push",
		"test",
	]);
	assert.deepEqual(offered(["help", "pol"]), ["policy"]);
	assert.deepEqual(offered(["verify", "x", "--key", "cos"]), ["cosign.pub"]);
	assert.deepEqual(offered(["verify", "x", "--provider", ""]), [
		"rust",
		"webcrypto",
	]);
	assert.deepEqual(offered(["audit", "--format", "j"]), ["json", "junit"]);
	assert.deepEqual(offered(["completion", ""]), ["bash", "fish", "zsh"]);
	assert.deepEqual(offered(["policy", "lint", "pol"]), ["policy.json"]);
	for (const name of table.NAMES) {
		const expected = [...table.entryOf(name).takes, "help"].map(
			(option) => `--${option}`,
		);
		assert.deepEqual(
			offered([...name.split(" "), "--"]),
			expected.sort(),
			name,
		);
	}
});

for (const [shell, check] of /** @type {[string, string[]][]} */ ([
	["bash", ["bash", "-n"]],
	["zsh", ["zsh", "-n"]],
	["fish", ["fish", "--no-execute"]],
]))
	test(`the completion script of ${shell} names every option`, async () => {
		const { status, stdout } = await cli.sealgate(["completion", shell]);
		assert.equal(status, 0);
		for (const option of Object.keys(table.OPTIONS))
			if (option !== "version")
				assert.ok(
					stdout.includes(shell === "fish" ? `-l ${option}` : `--${option}`),
					option,
				);
		const file = join(cli.project, `completion.${shell}`);
		writeFileSync(file, stdout);
		const [program = "", ...args] = check;
		const found = spawnSync(program, [...args, file], { encoding: "utf8" });
		// Where the shell is installed, it reads its script.
		if (/** @type {any} */ (found.error)?.code !== "ENOENT")
			assert.deepEqual([found.status, found.stderr], [0, ""]);
	});

const NAMED = ["signed", "unsigned", "wrong-key", "absent"];
const list = () =>
	NAMED.map((name) => `${image(name)} as demo.example/demo/${name}:1.0\n`).join(
		"",
	);
const audit = (/** @type {string[]} */ ...more) =>
	cli.sealgate(["audit", "--policy", "policy.json", ...more], {
		input: list(),
	});

/** A reader of XML that refuses what is not well-formed; elements with their attributes, in order. @param {string} text */
function readXml(text) {
	const entity = (/** @type {string} */ value) => {
		assert.doesNotMatch(value, /[<]|&(?!(amp|lt|gt|quot|apos);)/);
		return value
			.replace(/&lt;/g, "<")
			.replace(/&gt;/g, ">")
			.replace(/&quot;/g, '"')
			.replace(/&apos;/g, "'")
			.replace(/&amp;/g, "&");
	};
	assert.doesNotMatch(
		text,
		/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/,
	);
	const open = /** @type {string[]} */ ([]);
	const elements =
		/** @type {{ name: string, in: string, attributes: Record<string, string>, text: string }[]} */ ([]);
	const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
	assert.notEqual(body, text, "an XML declaration");
	const token =
		/<(\/?)([a-z-]+)((?:\s+[a-z]+="[^"<]*")*)\s*(\/?)>|([^<]+)|([\s\S])/gy;
	for (const [
		,
		closes,
		name = "",
		attributes = "",
		empty,
		said,
		other,
	] of body.matchAll(token)) {
		assert.equal(other, undefined, `at ${other}`);
		if (said !== undefined) {
			const last = elements.at(-1);
			if (said.trim() !== "" && last) last.text += entity(said);
			continue;
		}
		if (closes) {
			assert.equal(open.pop(), name);
			continue;
		}
		const pairs = [...attributes.matchAll(/([a-z]+)="([^"]*)"/g)].map(
			([, key = "", value = ""]) => [key, entity(value)],
		);
		elements.push({
			name,
			in: open.at(-1) ?? "",
			attributes: Object.fromEntries(pairs),
			text: "",
		});
		if (!empty) open.push(name);
	}
	assert.deepEqual(open, []);
	return elements;
}

test("audit as JUnit's XML", async () => {
	const { status, stdout, stderr } = await audit("--format", "junit");
	assert.equal(status, 1);
	assert.match(stderr, /4 images: 1 allowed, 2 denied, 1 unknown/);
	const elements = readXml(stdout);
	assert.deepEqual(
		elements.map(({ name }) => name),
		[
			"testsuites",
			"testsuite",
			"testcase",
			"testcase",
			"failure",
			"testcase",
			"failure",
			"testcase",
			"error",
		],
	);
	const [whole, suite] = elements;
	for (const one of [whole, suite])
		assert.deepEqual(
			[one?.attributes.tests, one?.attributes.failures, one?.attributes.errors],
			["4", "2", "1"],
		);
	assert.equal(suite?.attributes.name, "sealgate audit policy.json");
	assert.deepEqual(
		elements
			.filter(({ in: parent }) => parent === "testcase")
			.map(({ attributes }) => attributes.type),
		["signature.missing", "signature.invalid", "image.not-found"],
	);
});

test("text of JUnit's XML is escaped", async () => {
	const { junit } = await import(
		pathToFileURL(join(builtPackage(), "cli/junit.js")).href
	);
	const evil = `]]><a b="c" d='e'>&amp; \u0000\u001b[31m\ud800 \uffff \u202e ü 😀`;
	const elements = readXml(
		junit(evil, [
			{ image: evil, as: evil, outcome: "bad", code: evil, message: evil },
			{ image: "a", outcome: "unverified", code: "c", message: evil },
		]),
	);
	const expected = `]]><a b="c" d='e'>&amp; \\u0000\\u001b[31m\ufffd \ufffd \\u202e ü 😀`;
	assert.equal(elements[1]?.attributes.name, expected);
	assert.equal(
		elements.find(({ name }) => name === "failure")?.attributes.message,
		expected,
	);
	assert.ok(elements.at(-1)?.text.includes(expected));
});

/** The essential structure of SARIF 2.1.0. @param {any} log */
function checkSarif(log) {
	assert.equal(log.version, "2.1.0");
	assert.match(log.$schema, /sarif-schema-2\.1\.0\.json$/);
	assert.equal(log.runs.length, 1);
	const [{ tool, results, invocations }] = log.runs;
	assert.equal(tool.driver.name, "sealgate");
	assert.match(tool.driver.version, /^\d+\.\d+\.\d+$/);
	assert.equal(typeof invocations[0].executionSuccessful, "boolean");
	const ids = tool.driver.rules.map((/** @type {any} */ rule) => rule.id);
	assert.equal(new Set(ids).size, ids.length);
	for (const { shortDescription } of tool.driver.rules)
		assert.ok(shortDescription.text.length > 0);
	for (const { ruleId, ruleIndex, level, message, locations } of results) {
		assert.equal(ids[ruleIndex], ruleId);
		assert.ok(["none", "note", "warning", "error"].includes(level));
		assert.ok(message.text.length > 0);
		assert.equal(locations.length, 1);
		const [{ physicalLocation, logicalLocations }] = locations;
		assert.doesNotMatch(physicalLocation.artifactLocation.uri, /[ \\]/);
		assert.ok(physicalLocation.region.startLine >= 1);
		assert.ok(logicalLocations[0].fullyQualifiedName.length > 0);
	}
	return results;
}

test("audit as SARIF, and as text and JSON when that is said", async () => {
	const { status, stdout } = await audit("--format", "sarif");
	assert.equal(status, 1);
	const log = JSON.parse(stdout);
	const results = checkSarif(log);
	assert.deepEqual(
		results.map((/** @type {any} */ one) => [
			one.ruleId,
			one.level,
			one.locations[0].physicalLocation.artifactLocation.uri,
		]),
		[
			["signature.missing", "error", "policy.json"],
			["signature.invalid", "error", "policy.json"],
			["image.not-found", "warning", "policy.json"],
		],
	);
	assert.equal(log.runs[0].invocations[0].executionSuccessful, false);
	for (const more of [["--json"], ["--format", "json"], []])
		assert.equal(
			(await audit(...more)).stdout
				.trim()
				.split("\n")
				.map((line) => JSON.parse(line)).length,
			4,
		);
	assert.match((await audit("--format", "text")).stdout, /^✔ .*: allowed /);
	assert.match(
		(await audit("--format", "xml")).stderr,
		/--format: expected text or json or junit or sarif, found "xml"/,
	);
	assert.match(
		(await audit("--json", "--format", "sarif")).stderr,
		/give one of them/,
	);
});

test("policy test in every format, with the lines of its table", async () => {
	const open = { default: [{ type: "insecureAcceptAnything" }] };
	writeFileSync(join(cli.project, "open.json"), JSON.stringify(open));
	writeFileSync(
		join(cli.project, "my cases.txt"),
		`# one\n${image("signed")} as demo.example/demo/signed:1.0 allow\n\n${image("unsigned")} as demo.example/demo/unsigned:1.0 allow\n${image("absent")} as demo.example/demo/absent:1.0 deny\n`,
	);
	const run = (/** @type {string[]} */ ...more) =>
		cli.sealgate(["policy", "test", "policy.json", "my cases.txt", ...more]);
	const asText = await run();
	assert.deepEqual(
		[asText.status, (await run("--format", "text")).stdout],
		[1, asText.stdout],
	);
	const asJson = JSON.parse((await run("--json")).stdout);
	assert.deepEqual(Object.keys(asJson[0]).sort(), [
		"as",
		"expected",
		"found",
		"image",
		"same",
	]);
	const results = checkSarif(
		JSON.parse((await run("--format", "sarif")).stdout),
	);
	assert.deepEqual(
		results.map((/** @type {any} */ one) => [
			one.level,
			one.locations[0].physicalLocation.artifactLocation.uri,
			one.locations[0].physicalLocation.region.startLine,
		]),
		[
			["error", "my%20cases.txt", 4],
			["warning", "my%20cases.txt", 5],
		],
	);
	assert.match(
		results[0].message.text,
		/expected allow, found deny signature\.missing: /,
	);
	const elements = readXml((await run("--format", "junit")).stdout);
	assert.deepEqual(elements.map(({ name }) => name).slice(2), [
		"testcase",
		"testcase",
		"failure",
		"testcase",
		"error",
	]);
	const byInput = await cli.sealgate(
		["policy", "test", "policy.json", "-", "--format", "sarif"],
		{ input: readFileSync(join(cli.project, "my cases.txt")) },
	);
	assert.equal(byInput.status, 1);
	assert.equal(
		checkSarif(JSON.parse(byInput.stdout))[0].locations[0].physicalLocation
			.artifactLocation.uri,
		"policy.json",
	);
	writeFileSync(join(cli.project, "open.txt"), `${image("signed")} allow\n`);
	assert.deepEqual(
		checkSarif(
			JSON.parse(
				(
					await cli.sealgate([
						"policy",
						"test",
						"open.json",
						"open.txt",
						"--format",
						"sarif",
					])
				).stdout,
			),
		),
		[],
	);
	const audited = await cli.sealgate(
		["audit", "--policy", "open.json", "--format", "sarif"],
		{ input: `${image("signed")}\n` },
	);
	assert.deepEqual(
		checkSarif(JSON.parse(audited.stdout)).map(
			(/** @type {any} */ one) => one.level,
		),
		["note"],
	);
});
