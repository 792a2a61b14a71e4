// What `wasm-pack build` makes of the crate, with the driver of js/ over it, passes what the package itself must pass.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { createApi } from "../../js/api.js";
import { guardedFetch } from "../../js/public.js";
import { POLICY, ask, serve } from "../package/browsers.mjs";
import { runChecks } from "../package/checks.mjs";
import {
	assertChecks,
	demo,
	devLibrary,
	here as ofPackage,
	need,
	root,
	run,
	temporaryFolder,
} from "../package/support.mjs";

const here = import.meta.dirname;

/** A file that wasm-pack made. @param {"web" | "bundler" | "nodejs"} target @param {string} name */
const made = (target, name) =>
	need(
		join(root, "target/wasm-pack", target, name),
		"run `make test-wasm-pack`",
	);

/** @param {any} glue */
const inNode = (glue) =>
	createApi(glue, {
		requestInit: { redirect: "manual" },
		fetch: guardedFetch,
	});

test("--target web works in Node", async () => {
	const glue = await import(made("web", "sealgate.js"));
	assert.throws(() => inNode(glue).version(), { code: "host.not-initialised" });
	glue.initSync({ module: readFileSync(made("web", "sealgate_bg.wasm")) });
	assertChecks(await runChecks(inNode(glue), demo()));
});

test("--target nodejs works in Node", async () => {
	const glue = createRequire(import.meta.url)(made("nodejs", "sealgate.js"));
	assertChecks(await runChecks(inNode(glue), demo()));
});

test("--target web works in a page", { timeout: 120_000 }, async () => {
	const folders = {
		"/web/": join(root, "target/wasm-pack/web"),
		"/js/": join(root, "js"),
		"/": here,
	};
	const address = await serve(
		(pathname) => {
			if (pathname === "/demo.json") return JSON.stringify(demo());
			if (pathname === "/checks.mjs")
				return { file: join(ofPackage, "checks.mjs") };
			const [prefix, folder] =
				Object.entries(folders).find(([start]) => pathname.startsWith(start)) ??
				[];
			return { file: join(folder, pathname.slice(prefix.length)) };
		},
		{ "content-security-policy": POLICY },
	);
	assertChecks(await ask("chromium", `${address}/page.html`, "results"));
});

/** What esbuild lacks: `import * as exports from "….wasm"`, as bundlers that have it understand it. */
const wasmModules = {
	name: "wasm",
	setup(build) {
		build.onLoad({ filter: /\.wasm$/ }, ({ path }) => {
			const bytes = readFileSync(path);
			const module = new WebAssembly.Module(bytes);
			const from = [
				...new Set(WebAssembly.Module.imports(module).map((one) => one.module)),
			];
			const names = WebAssembly.Module.exports(module).map(({ name }) => name);
			const contents = `
				${from.map((name, at) => `import * as from${at} from ${JSON.stringify(name)};`).join("\n")}
				const bytes = Uint8Array.from(atob("${bytes.toString("base64")}"), (one) => one.charCodeAt(0));
				const { instance } = await WebAssembly.instantiate(bytes, { ${from.map((name, at) => `${JSON.stringify(name)}: from${at}`).join(", ")} });
				export const { ${names.join(", ")} } = instance.exports;`;
			return { contents, loader: "js" };
		});
	},
};

test("--target bundler works in a bundle", async () => {
	const folder = temporaryFolder();
	made("bundler", "sealgate.js");
	await devLibrary("esbuild").build({
		entryPoints: [join(here, "app.mjs")],
		bundle: true,
		format: "esm",
		platform: "node",
		outfile: join(folder, "app.mjs"),
		plugins: [wasmModules],
		logLevel: "warning",
	});
	writeFileSync(join(folder, "demo.json"), JSON.stringify(demo()));
	const { results } = JSON.parse(run(process.execPath, ["app.mjs"], folder));
	assertChecks(results);
});
