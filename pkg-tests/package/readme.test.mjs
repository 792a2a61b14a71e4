// The README's first commands say what they do, and nothing tells people to run a name that somebody else may register.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	readdirSync,
	rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startWorker } from "../lib/serve.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(join(ROOT, "README.md"), "utf8");
/** Lines such as `sealgate verify … # allowed`. */
const COMMANDS = [
	...readme.matchAll(
		/^(sealgate verify localhost:8787\/\S+ .*?) +# (allowed|denied)$/gmu,
	),
].map(([, command = "", verdict = ""]) => ({ command, verdict }));
/** What reaches people: texts, messages, the page. */
const SPOKEN = [
	"README.md",
	"CHANGELOG.md",
	"CONTRIBUTING.md",
	"SECURITY.md",
	...["docs", "www", "js", "element", "worker", "src"].flatMap((folder) =>
		readdirSync(join(ROOT, folder), { recursive: true })
			.map((name) => join(folder, String(name)))
			.filter((name) => /\.(md|m?js|ts|html|json|rs)$/u.test(name)),
	),
];

/** @type {Awaited<ReturnType<typeof startWorker>>} */
let worker;
/** Where the command was installed, as the README says. */
let prefix = "";
before(async () => {
	worker = await startWorker();
	prefix = mkdtempSync(join(tmpdir(), "sealgate-readme-"));
	const install =
		/^make build && (npm install --global \.\/pkg) /mu.exec(readme)?.[1] ?? "";
	const { status, stderr } = spawnSync(
		"bash",
		["-c", `${install} --no-fund --no-audit --offline --prefix ${prefix}`],
		{ cwd: ROOT, encoding: "utf8" },
	);
	assert.deepEqual([install !== "", status], [true, 0], stderr);
});
after(async () => {
	rmSync(prefix, { recursive: true, force: true });
	await worker?.stop();
});

test("the README shows an allowed and a copied image, and one asked for under another name", () => {
	assert.deepEqual(
		COMMANDS.map(({ verdict }) => verdict),
		["allowed", "denied", "denied"],
	);
});

for (const { command, verdict } of COMMANDS) {
	test(`${command}: ${verdict}`, () => {
		const line = `${command.replace("localhost:8787/", `${worker.host}/`)} --json`;
		const { status, stdout, stderr } = spawnSync("bash", ["-c", line], {
			cwd: ROOT,
			encoding: "utf8",
			env: {
				...process.env,
				PATH: `${join(prefix, "bin")}:${process.env.PATH}`,
			},
		});
		const report = JSON.parse(stdout || "{}");
		assert.deepEqual(
			[status, report.code],
			verdict === "allowed"
				? [0, "signature.accepted"]
				: [1, "identity.other-name"],
			stdout + stderr,
		);
		assert.equal(report.verified, verdict === "allowed");
	});
}

test("nobody is told to run an unclaimed name", () => {
	assert.ok(
		SPOKEN.length > 100 && SPOKEN.includes("www/lookup.js"),
		"the files were found",
	);
	const telling = SPOKEN.filter((name) =>
		/\b(npx|npm exec|npm install( -g| --global)?|cargo install|pnpm dlx|bunx) +sealgate\b/u.test(
			readFileSync(join(ROOT, name), "utf8"),
		),
	);
	assert.deepEqual(telling, []);
});

test("each row of docs/security.md names tests that are there", () => {
	const rows = readFileSync(join(ROOT, "docs/security.md"), "utf8")
		.split("\n")
		.filter((line) => /^\| \d+ \|/u.test(line))
		.map((line) => line.split(" | "));
	assert.deepEqual(
		rows.map(([number]) => number?.replace("| ", "")),
		rows.map((_, index) => String(index + 1)),
	);
	assert.ok(rows.length >= 34, "the rows were found");
	for (const [number, , until, , tests = ""] of rows) {
		const files = [...tests.matchAll(/`([^`]+)`/gu)].map(
			([, name = ""]) => name,
		);
		assert.match(until ?? "", /^\d{4}-\d\d-\d\d$/u, number);
		assert.deepEqual(
			files.filter((name) => !existsSync(join(ROOT, name))),
			[],
			`row ${number}`,
		);
		assert.ok(files.length > 0, `row ${number} names a test`);
	}
});

test("each published bypass names a test that is there, or why there is none", () => {
	const rows = readFileSync(join(ROOT, "docs/security.md"), "utf8")
		.split("\n")
		.filter((line) => /^\| (CVE|GHSA|TOB|RUSTSEC)-/u.test(line));
	assert.ok(rows.length > 40, "the rows were found");
	for (const row of rows) {
		const last = row.split(" | ").at(-1) ?? "";
		const file = /^`([^`]+)` \|$/u.exec(last)?.[1];
		assert.ok(
			file === undefined
				? /^(not yet: |no |details )/u.test(last)
				: existsSync(join(ROOT, file)),
			row,
		);
	}
});
