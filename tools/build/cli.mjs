/**
 * Makes the command line one file, `cli.cjs`: to find and load forty modules takes a quarter of what a command needs beside Node
 * itself (docs/performance.md "Command line"). What a command does not need of it is not run.
 *
 * @module
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** What a module asks where it lies. */
const HERE = 'const here = require("node:url").pathToFileURL(__filename).href;';

/** @param {string} folder the package, with its modules */
export async function makeCli(folder) {
	const outfile = join(folder, "cli.cjs");
	await build({
		entryPoints: [join(folder, "cli.js")],
		outfile,
		bundle: true,
		format: "cjs",
		platform: "node",
		target: "node20.19",
		minify: true,
		charset: "utf8",
		legalComments: "none",
		logLevel: "warning",
		define: { "import.meta.url": "here" },
		banner: { js: HERE },
	});
	chmodSync(outfile, 0o755);
}
