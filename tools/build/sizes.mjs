// Prints what files weigh on disk and on the wire: `node tools/build/sizes.mjs FILE…`.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What bytes weigh on the wire, as a server that compresses ahead of time sends them. @param {Uint8Array} raw */
export function brotli(raw) {
	return brotliCompressSync(raw, {
		params: {
			[constants.BROTLI_PARAM_QUALITY]: 11,
			[constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
		},
	}).length;
}

/** @param {number} bytes */
export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const path of process.argv.slice(2)) {
		const raw = readFileSync(path);
		const gzip = gzipSync(raw, { level: 9 }).length;
		console.log(
			`${basename(path)}: raw ${kilobytes(raw.length)}, gzip ${kilobytes(gzip)}, brotli ${kilobytes(brotli(raw))}`,
		);
	}
}
