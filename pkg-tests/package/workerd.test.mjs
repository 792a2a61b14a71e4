// The tarball in a worker, in workerd: as separate modules, and bundled by a bundler that finds the entry by its condition.

import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { before, test } from "node:test";
import {
	assertChecks,
	consumerProject,
	demo,
	devLibrary,
	devTool,
	here,
	run,
} from "./support.mjs";

/** @type {string} */
let project;
before(() => {
	project = consumerProject();
	copyFileSync(join(here, "checks.mjs"), join(project, "checks.mjs"));
	copyFileSync(join(here, "workerd/worker.mjs"), join(project, "worker.mjs"));
	writeFileSync(join(project, "demo.json"), JSON.stringify(demo()));
});

test("everything works in workerd, as separate modules", async () => {
	const folder = "node_modules/sealgate";
	const files = readdirSync(join(project, folder)).filter(
		(file) => /\.(js|wasm)$/.test(file) && file !== "node.js",
	);
	const modules = files.map((file) => [
		`${folder}/${file}`,
		file.endsWith(".wasm") ? "wasm" : "esModule",
		`${folder}/${file}`,
	]);
	writeFileSync(
		join(project, "sealgate.mjs"),
		`export * from "${folder}/workerd.js";\n`,
	);
	assertChecks(
		await serveAndAsk([
			["worker.mjs", "esModule", "worker.mjs"],
			["sealgate", "esModule", "sealgate.mjs"],
			...modules,
			["checks.mjs", "esModule", "checks.mjs"],
		]),
	);
});

test("everything works in workerd, bundled", async () => {
	run(
		devTool("esbuild"),
		[
			"worker.mjs",
			"--bundle",
			"--format=esm",
			"--conditions=workerd,worker",
			"--loader:.wasm=copy",
			"--external:*.json",
			"--asset-names=[name]",
			"--outdir=bundle",
		],
		project,
	);
	assertChecks(
		await serveAndAsk([
			["worker.js", "esModule", "bundle/worker.js"],
			...["gateway", "full", "arithmetic"].map((name) => [
				`sealgate_${name}_bg.wasm`,
				"wasm",
				`bundle/sealgate_${name}_bg.wasm`,
			]),
		]),
	);
});

/** @param {string[][]} modules name, kind and file; the first is the worker */
async function serveAndAsk(modules) {
	const port = await freePort();
	const embedded = [...modules, ["demo.json", "json", "demo.json"]].map(
		([name, kind, file]) =>
			`(name = ${JSON.stringify(name)}, ${kind} = embed ${JSON.stringify(file)})`,
	);
	const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  compatibilityDate = "2025-11-01",
  modules = [${embedded.join(", ")}]
);
`;
	writeFileSync(join(project, "config.capnp"), config);
	// The program itself: npm's wrapper around it would leave it running when it is ended.
	const worker = spawn(
		devLibrary("workerd").default,
		["serve", "config.capnp"],
		{ cwd: project, stdio: ["ignore", "pipe", "pipe"] },
	);
	let said = "";
	worker.stdout.on("data", (text) => (said += text));
	worker.stderr.on("data", (text) => (said += text));
	try {
		return await ask(`http://127.0.0.1:${port}/`, worker);
	} catch (error) {
		throw new Error(`${error.message}\n${said}`);
	} finally {
		worker.kill();
	}
}

/** @param {string} url @param {import("node:child_process").ChildProcess} worker */
async function ask(url, worker) {
	for (let attempt = 0; attempt < 100; attempt += 1) {
		if (worker.exitCode !== null)
			throw new Error(`workerd ended with status ${worker.exitCode}`);
		const response = await fetch(url).catch(() => undefined);
		if (response?.ok) return response.json();
		if (response)
			throw new Error(`status ${response.status}: ${await response.text()}`);
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error("workerd gave no answer within 10 seconds");
}

/** @returns {Promise<number>} */
async function freePort() {
	return new Promise((resolve) => {
		const server = createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}
