/**
 * Writes which modules the package holds into its `build.js`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const file = join(folder, "build.js");
const modules = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
const hash = createHash("sha256");
for (const name of modules.sort()) {
	const bytes = readFileSync(join(folder, name));
	hash.update(createHash("sha256").update(bytes).digest());
}
const text = readFileSync(file, "utf8");
const stamped = text.replace(
	'BUILD = "none"',
	`BUILD = "${hash.digest("hex")}"`,
);
if (stamped === text)
	throw new Error(`${file}: expected BUILD = "none", found something else`);
writeFileSync(file, stamped);
