/**
 * What both ways of running the WASM runner need to be there.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { env, exit, stderr, stdout } from "node:process";
import { fileURLToPath } from "node:url";

/** The arguments `MODULE DIR [TOPIC…]`, and the folder of the package. @param {string} program @param {string[]} given */
export function prepare(program, [module, directory, ...topics]) {
	if (module === undefined || directory === undefined)
		complain(`usage: ${program} MODULE DIR [TOPIC…]`);
	if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
		stdout.write(
			`no vectors: ${directory} is not there (VECTORS=DIR names another place)\n`,
		);
		exit(0);
	}
	const sealgate =
		env.SEALGATE_PACKAGE ||
		fileURLToPath(new URL("../../pkg", import.meta.url));
	if (!existsSync(join(sealgate, "package.json")))
		complain(
			`${sealgate} has no package: run \`make build\` first, since cases run through the package as well`,
		);
	return { module, directory, topics, sealgate };
}

/** @param {string} text @returns {never} */
export function complain(text) {
	stderr.write(`${text}\n`);
	exit(2);
}
