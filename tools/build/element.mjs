/**
 * Makes the element for docs: `element.js`, which a page loads, and `element-verifier.js`, which that loads later. Each carries the
 * hashes of what it loads, so that the hash of the first (`element.js.sri`) stands for all of it. The stylesheet beside it, which may
 * dress what the element says, has a hash of its own (`element.css.sri`).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const SOURCES = fileURLToPath(new URL("../../element/", import.meta.url));
/** Node and the gateway in workerd have modules of their own. */
const NOT_LOADED = new Set([
	"sealgate_gateway_bg.wasm",
	"sealgate_node_bg.wasm",
]);

/** @param {string} folder the package, with its modules */
export async function makeElement(folder) {
	const modules = readdirSync(folder)
		.filter((name) => name.endsWith(".wasm") && !NOT_LOADED.has(name))
		.sort()
		.map((name) => [name, integrityOf(join(folder, name))]);
	const verifier = join(folder, "element-verifier.js");
	await bundle("verifier.js", verifier, "esm", folder, {
		MODULES: Object.fromEntries(modules),
	});
	const element = join(folder, "element.js");
	await bundle("element.js", element, "iife", folder, {
		VERIFIER: integrityOf(verifier),
	});
	cpSync(join(SOURCES, "element.css"), join(folder, "element.css"));
	for (const file of [element, join(folder, "element.css")])
		writeFileSync(`${file}.sri`, `${integrityOf(file)}\n`);
}

/** As `integrity` has it. @param {string} path */
export const integrityOf = (path) =>
	`sha384-${createHash("sha384").update(readFileSync(path)).digest("base64")}`;

/** @param {string} entry @param {string} outfile @param {"esm" | "iife"} format @param {string} folder @param {object} pins */
async function bundle(entry, outfile, format, folder, pins) {
	await build({
		entryPoints: [join(SOURCES, entry)],
		outfile,
		format,
		bundle: true,
		minify: true,
		charset: "utf8",
		target: "es2022",
		legalComments: "none",
		logLevel: "warning",
		plugins: [parts(folder, pins)],
	});
}

/**
 * As a gateway has them: the package is at /sealgate/. Styles are text; what is pinned is what was built.
 *
 * @param {string} folder @param {object} pins
 * @returns {import("esbuild").Plugin}
 */
function parts(folder, pins) {
	return {
		name: "parts",
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^\/sealgate\// }, ({ path }) => ({
				path: resolve(folder, path.slice("/sealgate/".length)),
			}));
			onLoad({ filter: /element[\\/]pins\.js$/ }, () => ({
				contents: Object.entries(pins)
					.map(
						([name, value]) =>
							`export const ${name} = ${JSON.stringify(value)};`,
					)
					.join("\n"),
			}));
			onLoad({ filter: /\.css$/ }, async ({ path }) => {
				const text = await readFile(path, "utf8");
				const { code } = await transform(text, { loader: "css", minify: true });
				return { loader: "text", contents: code.trim() };
			});
		},
	};
}
