/**
 * What the package takes from npm and carries along, so that it has no dependency: workers import files, and no packages.
 *
 * @module
 */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Name, and what is taken of it: file there, file in the package. @type {Record<string, [string, string][]>} */
const CARRIED = {
	aws4fetch: [
		["dist/aws4fetch.esm.js", "aws4fetch.js"],
		["dist/main.d.ts", "aws4fetch.d.ts"],
		["LICENSE", "aws4fetch.LICENSE"],
	],
};

/** Copies it, and says what it is. @param {string} folder of the package @returns {{ name: string, version: string, license: string }[]} */
export function carry(folder) {
	return Object.entries(CARRIED).map(([name, files]) => {
		const from = fileURLToPath(
			new URL(`../node_modules/${name}/`, import.meta.url),
		);
		for (const [file, to] of files)
			copyFileSync(join(from, file), join(folder, to));
		const { version, license } = JSON.parse(
			readFileSync(join(from, "package.json"), "utf8"),
		);
		if (!license)
			throw new Error(`${name} ${version} states no licence in its manifest`);
		return { name, version, license };
	});
}
