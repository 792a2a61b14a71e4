// The tarball in a Node project, as an ES module and by require().

import assert from "node:assert/strict";
import {
	copyFileSync,
	cpSync,
	existsSync,
	readFileSync,
	renameSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import {
	assertChecks,
	builtPackage,
	consumerProject,
	demo,
	devLibrary,
	here,
	run,
} from "./support.mjs";

/** @type {string} */
let project;
before(() => {
	project = consumerProject();
	for (const file of ["checks.mjs", "node/esm.mjs", "node/require.cjs"])
		copyFileSync(join(here, file), join(project, file.replace("node/", "")));
	writeFileSync(join(project, "demo.json"), JSON.stringify(demo()));
});

test("everything works from an ES module", () => {
	const { results } = JSON.parse(run("node", ["esm.mjs"], project));
	assertChecks(results);
});

test("everything works by require()", () => {
	const { results } = JSON.parse(run("node", ["require.cjs"], project));
	assertChecks(results);
});

test("reports are what the schema says", () => {
	const { reports } = JSON.parse(run("node", ["esm.mjs", "reports"], project));
	const Ajv = devLibrary("ajv/dist/2020").default;
	const schema = JSON.parse(
		readFileSync(
			join(project, "node_modules/sealgate/report.schema.json"),
			"utf8",
		),
	);
	const validate = new Ajv({ allErrors: true, strict: true }).compile(schema);
	assert.ok(reports.length >= 8);
	for (const report of reports)
		assert.ok(
			validate(report),
			`${report.image?.reference}: ${JSON.stringify(validate.errors)}`,
		);
});

test("the tarball holds what it should, and nothing else", () => {
	const packed = join(project, "node_modules/sealgate");
	const manifest = JSON.parse(
		readFileSync(join(packed, "package.json"), "utf8"),
	);
	assert.equal(manifest.name, "sealgate");
	assert.equal(manifest.dependencies, undefined);
	const targets = [
		manifest.bin.sealgate,
		...Object.values(manifest.exports).flatMap((target) =>
			typeof target === "string" ? [target] : Object.values(target),
		),
	];
	for (const target of targets)
		assert.ok(
			existsSync(join(packed, target)),
			`${target} is named in package.json and not there`,
		);
	// The command line is one file.
	for (const part of ["cli.js", "cli", "serve", "quick.js", "here.js"])
		assert.ok(!existsSync(join(packed, part)), part);
});

test("without WebAssembly, or without the module, loading fails with a code", () => {
	const load =
		'import("sealgate").then(() => console.log("loaded"), ({ code, message }) => console.log(code, message))';
	const said = (...flags) =>
		run("node", [...flags, "--input-type=module", "--eval", load], project);
	assert.equal(said(), "loaded\n");
	assert.match(said("--jitless"), /^host\.wasm-forbidden .*--jitless/m);
	const module = join(project, "node_modules/sealgate/sealgate_node_bg.wasm");
	renameSync(module, `${module}.away`);
	try {
		assert.match(said(), /^host\.wasm-unloadable .*\/sealgate_node_bg\.wasm/);
	} finally {
		renameSync(`${module}.away`, module);
	}
});

test("a command begins with a small module, says when the larger one is missing, and looks for it again the next time", () => {
	const folder = join(project, "whole");
	cpSync(builtPackage(), folder, { recursive: true });
	const larger = join(folder, "sealgate_full_bg.wasm");
	renameSync(larger, `${larger}.away`);
	const lint = `const { policyLint, parseReference } = await import("./whole/quick.js");
		const { renameSync } = await import("node:fs");
		const ask = () => policyLint('{"default":[{"type":"reject"}]}').then(() => "linted", ({ code }) => code);
		console.log(parseReference("a.example/b:1").name, await ask());
		renameSync(${JSON.stringify(`${larger}.away`)}, ${JSON.stringify(larger)});
		console.log(await ask());`;
	assert.equal(
		run("node", ["--input-type=module", "--eval", lint], project),
		"a.example/b host.wasm-unloadable\nlinted\n",
	);
});

test("npx runs the command", () => {
	assert.match(
		run("npx", ["--no-install", "sealgate", "--version"], project),
		/^sealgate \d+\.\d+\.\d+\n$/,
	);
});
