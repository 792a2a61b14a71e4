// An image of the transport `dir:`, as skopeo and podman write it into a folder of this machine. What its files mean is the core's.

import {
	closeSync,
	openSync,
	readSync,
	readdirSync,
	realpathSync,
	statSync,
} from "node:fs";
import { join } from "node:path";
import { codedError } from "../error.js";

/** Manifests and signatures, of the image and of each image of an index; not its layers. */
const FILES = /^([0-9a-f]+\.)?(manifest\.json|signature-[1-9][0-9]*)$/u;
/** A byte more than the core takes of a file: it says that there are too many. */
const MOST = 4 * 1024 * 1024 + 1;
/** Of all files: manifests of as many images as an index may have, and as many signatures as are looked at. */
const MOST_OF_ALL = 64 * 1024 * 1024;

/** @param {string} folder @returns {{ path: string, files: Record<string, Uint8Array> }} */
export function readDir(folder) {
	try {
		// As containers/image has it: scopes are compared with where links lead.
		const path = realpathSync(folder);
		const names = readdirSync(path).filter((name) => FILES.test(name));
		/** @type {Record<string, Uint8Array>} */
		const files = {};
		let left = MOST_OF_ALL;
		for (const name of names) {
			const bytes = readStart(join(path, name));
			left -= bytes.length;
			if (left < 0) throw new Error("more than 64 MiB of them");
			files[name] = bytes;
		}
		return { path, files };
	} catch (error) {
		const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
		throw codedError(
			"dir.unreadable",
			`dir: expected a readable folder with the manifests and signatures of an image at ${folder}, found ${code ?? message}`,
			error,
		);
	}
}

/** @param {string} file @returns {Uint8Array} */
function readStart(file) {
	// Anything else could keep us waiting, or never end.
	if (!statSync(file).isFile()) throw new Error(`no file at ${file}`);
	const opened = openSync(file, "r");
	try {
		const bytes = Buffer.alloc(MOST);
		let length = 0;
		for (let more = 1; more > 0 && length < MOST; length += more)
			more = readSync(opened, bytes, length, MOST - length, null);
		return new Uint8Array(bytes.subarray(0, length));
	} finally {
		closeSync(opened);
	}
}
