// Prints what a file weighs on disk and on the wire.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

for (const path of process.argv.slice(2)) {
	const raw = readFileSync(path);
	const gzip = gzipSync(raw, { level: 9 });
	const brotli = brotliCompressSync(raw, {
		params: {
			[constants.BROTLI_PARAM_QUALITY]: 11,
			[constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
		},
	});
	const kilobytes = (/** @type {Uint8Array} */ bytes) =>
		`${(bytes.length / 1000).toFixed(1)} KB`;
	console.log(
		`${basename(path)}: raw ${kilobytes(raw)}, gzip ${kilobytes(gzip)}, brotli ${kilobytes(brotli)}`,
	);
}
