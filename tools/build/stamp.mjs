/**
 * Writes the SHA-256 of each module beside it, for `sha256sum -c`, and which modules the package holds into its `build.js`; and
 * makes the element for docs, which carries hashes, too, and the command line.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCli } from "./cli.mjs";
import { makeElement } from "./element.mjs";

const [folder] = process.argv.slice(2);
const file = join(folder, "build.js");
const modules = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
const lines = modules.sort().map((name) => {
	const bytes = readFileSync(join(folder, name));
	const line = `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
	writeFileSync(join(folder, `${name}.sha256`), line);
	return line;
});
const build = createHash("sha256").update(lines.join("")).digest("hex");
const text = readFileSync(file, "utf8");
const stamped = text.replace('BUILD = "none"', `BUILD = "${build}"`);
if (stamped === text)
	throw new Error(`${file}: expected BUILD = "none", found something else`);
writeFileSync(file, stamped);
await makeElement(folder);
await makeCli(folder);
