// Apps that esbuild and Vite bundle with the package, as anybody would, run where they are meant to.

import assert from "node:assert/strict";
import {
	copyFileSync,
	cpSync,
	mkdirSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { POLICY, ask, serve } from "./browsers.mjs";
import {
	assertChecks,
	consumerProject,
	demo,
	devTool,
	here,
	peer,
	run,
} from "./support.mjs";

/** @type {string} */
let project;
before(() => {
	project = consumerProject();
	copyFileSync(join(here, "checks.mjs"), join(project, "checks.mjs"));
	cpSync(join(here, "bundled"), project, { recursive: true });
	writeFileSync(join(project, "demo.json"), JSON.stringify(demo()));
});

/** @param {string} folder */
const served = (folder) =>
	serve((pathname) => ({ file: join(project, folder, pathname) }), {
		"content-security-policy": POLICY,
	});

test("an app bundled by Vite works in a page", {
	timeout: 120_000,
}, async () => {
	run(
		process.execPath,
		[peer("vite/bin/vite.js"), "build", "--logLevel=warn", "--outDir=by-vite"],
		project,
	);
	const address = await served("by-vite");
	assertChecks(await ask("chromium", `${address}/index.html`, "results"));
});

test("Vite's development server gives an app that works", {
	timeout: 120_000,
}, async () => {
	const { createServer } = await import(peer("vite/dist/node/index.js"));
	const server = await createServer({
		root: project,
		cacheDir: join(project, "vite-cache"),
		configFile: false,
		logLevel: "warn",
		server: { host: "127.0.0.1", port: 0 },
	});
	await server.listen();
	try {
		const [address] = server.resolvedUrls.local;
		assertChecks(await ask("chromium", address, "results"));
	} finally {
		await server.close();
	}
});

/** @param {string[]} how */
const esbuild = (...how) =>
	run(
		devTool("esbuild"),
		["--bundle", "--format=esm", "--log-level=warning", ...how],
		project,
	);
const modules = join(project, "node_modules/sealgate");

test("an app bundled by esbuild works in a page, with the module beside it, and says what is lacking without", {
	timeout: 120_000,
}, async () => {
	esbuild("page.mjs", "--outdir=by-esbuild", "--out-extension:.js=.mjs");
	copyFileSync(
		join(project, "index.html"),
		join(project, "by-esbuild/index.html"),
	);
	const address = await served("by-esbuild");
	const [{ error }] = await ask("chromium", `${address}/index.html`, "results");
	assert.match(error, /host\.wasm-unloadable.*\/sealgate_bg\.wasm/s);
	for (const name of [
		"sealgate_bg.wasm",
		"sealgate_full_bg.wasm",
		"sealgate_arithmetic_bg.wasm",
	])
		copyFileSync(join(modules, name), join(project, "by-esbuild", name));
	assertChecks(await ask("chromium", `${address}/index.html`, "results"));
});

test("an app bundled by esbuild works in Node, with the module beside it, and says what is lacking without", () => {
	esbuild(
		"node.mjs",
		"--platform=node",
		"--outdir=for-node",
		"--out-extension:.js=.mjs",
	);
	// Where nothing of the package can be found by accident.
	const folder = join(project, "elsewhere");
	mkdirSync(folder);
	copyFileSync(join(project, "for-node/node.mjs"), join(folder, "app.mjs"));
	const start = () => run(process.execPath, ["app.mjs"], folder);
	assert.match(JSON.parse(start()).results[0].error, /host\.wasm-unloadable/);
	for (const name of ["sealgate_node_bg.wasm", "sealgate_arithmetic_bg.wasm"])
		copyFileSync(join(modules, name), join(folder, name));
	assertChecks(JSON.parse(start()).results);
	rmSync(folder, { recursive: true });
});
