/**
 * The worker in Miniflare, which `wrangler dev` runs it in: bundled by esbuild, as wrangler bundles it, with a Cache API that keeps
 * what is put there. It takes the settings of `make serve` from the environment, and prints the line that says that it serves.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Miniflare } from "miniflare";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { build } = createRequire(join(root, "tools/package.json"))("esbuild");
const { policyAssets } = await import(
	pathToFileURL(join(root, "pkg/node.js")).href
);
const { TEXTS } = await import(pathToFileURL(join(root, "pkg/config.js")).href);

const { UPSTREAM = "", NAME = "", POLICY = "", PORT = "8787" } = process.env;
const policy = await readFile(POLICY);
/** @type {Record<string, string>} */
const assets = {};
for (const path of await policyAssets(policy))
	assets[path] = (
		await readFile(resolve(dirname(resolve(POLICY)), path))
	).toString("base64");

const { outputFiles } = await build({
	entryPoints: [join(root, "worker/index.js")],
	bundle: true,
	external: ["cloudflare:workers"],
	format: "esm",
	write: false,
	outdir: root,
	plugins: [
		{
			name: "the package",
			/** @param {import("esbuild").PluginBuild} made */
			setup(made) {
				made.onResolve({ filter: /^sealgate(\/|$)/ }, ({ path }) => ({
					path: join(
						root,
						"pkg",
						path === "sealgate" ? "workerd.js" : `${path.slice(9)}.js`,
					),
				}));
				made.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({
					path: `./${path.split("/").at(-1)}`,
					external: true,
				}));
			},
		},
	],
});
const [bundle] = outputFiles;
const modules = [...new Set(bundle.text.match(/[\w-]+\.wasm(?=["'])/g))];

const miniflare = new Miniflare({
	port: Number(PORT),
	host: "127.0.0.1",
	compatibilityDate: "2025-09-01",
	modulesRoot: root,
	modules: [
		{ type: "ESModule", path: join(root, "index.js"), contents: bundle.text },
		...(await Promise.all(
			modules.map(async (name) => ({
				type: /** @type {const} */ ("CompiledWasm"),
				path: join(root, name),
				contents: await readFile(join(root, "pkg", name)),
			})),
		)),
	],
	bindings: {
		UPSTREAM,
		NAME,
		POLICY: policy.toString(),
		POLICY_ASSETS: assets,
		...Object.fromEntries(
			TEXTS.flatMap((/** @type {string} */ name) =>
				process.env[name] ? [[name, process.env[name]]] : [],
			),
		),
	},
	serviceBindings: {
		UPSTREAMS: { network: { allow: ["public", "private", "local"] } },
	},
	outboundService: { network: { allow: ["public"] } },
});
await miniflare.ready;
console.log(`sealgate is serving http://localhost:${PORT} in Miniflare`);
for (const signal of ["SIGINT", "SIGTERM"])
	process.once(
		signal,
		() => void miniflare.dispose().then(() => process.exit()),
	);
