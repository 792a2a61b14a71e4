/**
 * Writes which module the package holds into its `build.js`, and for `sha256sum -c` beside it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const file = join(folder, "build.js");
const hash = createHash("sha256")
	.update(readFileSync(join(folder, "sealgate_bg.wasm")))
	.digest("hex");
const text = readFileSync(file, "utf8");
const stamped = text.replace('BUILD = "none"', `BUILD = "${hash}"`);
if (stamped === text)
	throw new Error(`${file}: expected BUILD = "none", found something else`);
writeFileSync(file, stamped);
writeFileSync(
	join(folder, "sealgate_bg.wasm.sha256"),
	`${hash}  sealgate_bg.wasm\n`,
);
