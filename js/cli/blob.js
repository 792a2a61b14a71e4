// Signatures of files, which are hashed as they are read.

import { withFlags } from "./flags.js";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { codedError } from "../error.js";
import { verifyBundle } from "../quick.js";
import { showBundleDetails } from "./details.js";
import { ofItsFile, read, readSigner } from "./inputs.js";
import { keyFilesOf, plain, showShortBundle } from "./show.js";

/** @typedef {import("./arguments.js").VerifyBlobCommand} VerifyBlobCommand */

const ALGORITHMS = ["sha256", "sha384", "sha512"];
/** Bytes of a file that is needed whole, for a signature by an Ed25519 key. */
const LARGEST_WHOLE = 256 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** Files below this are read before anybody looks. */
const SHOWN_FROM = 32 * PIECE;
/** Errors that say nothing about the file: arguments, keys, roots and bundles that cannot be understood. */
const NOT_UNDERSTOOD =
	/^(argument|internal|host\.|key\.|limit\.keys|root\.|rule\.|pattern\.|predicate\.|trusted-root\.|file\.|bundle\.(json|media-type|shape)$)/;

/** @param {VerifyBlobCommand} command */
export async function verifyBlob(command) {
	const signer = readSigner(command);
	const bundle = read(command.bundle, "bundle.unreadable", "--bundle");
	const file = await digestsOf(command.file);
	const wanted =
		command.type === undefined
			? { wanted: /** @type {const} */ ("signature") }
			: { predicateType: command.type };
	const question = { ...signer, ...wanted, provider: command.provider };
	try {
		const verified = await ask(bundle, question, file, command.file);
		process.stdout.write(await show(verified, command));
		return 0;
	} catch (error) {
		const { code, message } =
			/** @type {import("../index.d.ts").SealgateError} */ (error);
		if (code === undefined || NOT_UNDERSTOOD.test(code))
			throw ofItsFile(error, command);
		process.stdout.write(showRefusal(command, code, message));
		return 1;
	}
}

/** By digests; by the file itself where the signature is over that. @param {Uint8Array} bundle @param {Omit<import("../index.d.ts").BundleOptions, "artifact" | "digest">} question @param {{ digests: string[], whole?: Uint8Array }} file @param {string} path */
async function ask(bundle, question, { digests, whole }, path) {
	try {
		return await verifyBundle(bundle, { ...question, digest: digests });
	} catch (error) {
		if (/** @type {any} */ (error).code !== "sigstore.need-bytes") throw error;
		const artifact = path === "-" ? whole : readWhole(path);
		if (artifact === undefined) throw tooLarge("standard input");
		return verifyBundle(bundle, { ...question, artifact });
	}
}

/** @param {import("../index.d.ts").VerifiedBundle} verified @param {VerifyBlobCommand} command */
async function show(verified, { json, length, file, keys }) {
	if (json) return `${JSON.stringify(verified, null, 2)}\n`;
	if (length === "quiet") return `✔ verified: ${plain(file)}\n`;
	if (length === "verbose") return showBundleDetails(verified, file);
	const files = await keyFilesOf(
		keys.map((path) => [path, read(path, "key.unreadable", "--key")]),
	);
	return showShortBundle(verified, file, files);
}

/** @param {VerifyBlobCommand} command @param {string} code @param {string} message */
function showRefusal({ json, length, file }, code, message) {
	if (json) return `${JSON.stringify({ code, message }, null, 2)}\n`;
	const verdict = `✘ not verified: ${file}`;
	return length === "quiet"
		? `${plain(verdict)}\n`
		: `${plain(`${verdict}: ${withFlags({ code, message })} (${code})`)}\n`;
}

/** By every algorithm that a signature may be over, in one reading. @param {string} path @returns {Promise<{ digests: string[], whole?: Uint8Array }>} */
async function digestsOf(path) {
	const hashes = ALGORITHMS.map((algorithm) => createHash(algorithm));
	const progress = progressOf(path);
	/** Standard input cannot be read again. @type {Uint8Array[] | undefined} */
	let kept = path === "-" ? [] : undefined;
	let length = 0;
	try {
		const stream =
			path === "-"
				? process.stdin
				: createReadStream(path, { highWaterMark: PIECE });
		for await (const piece of stream) {
			for (const hash of hashes) hash.update(piece);
			length += piece.length;
			kept?.push(piece);
			if (length > LARGEST_WHOLE) kept = undefined;
			progress.at(length);
		}
	} catch (error) {
		throw unreadable(path, error);
	} finally {
		progress.end();
	}
	const digests = hashes.map(
		(hash, index) => `${ALGORITHMS[index]}:${hash.digest("hex")}`,
	);
	return kept === undefined
		? { digests }
		: { digests, whole: Buffer.concat(kept) };
}

/** @param {string} path */
function readWhole(path) {
	try {
		if (statSync(path).size > LARGEST_WHOLE) throw tooLarge(path);
		return new Uint8Array(readFileSync(path));
	} catch (error) {
		const { code } = /** @type {any} */ (error);
		throw code === "file.too-large" ? error : unreadable(path, error);
	}
}

/** @param {string} what */
function tooLarge(what) {
	return codedError(
		"file.too-large",
		`${what}: expected a file of at most ${LARGEST_WHOLE} bytes, found more: for a signature by an Ed25519 key the whole file is held in memory; sign it with a key of another kind`,
	);
}

/** @param {string} path @param {any} error */
function unreadable(path, error) {
	return codedError(
		"file.unreadable",
		`the file: expected a readable file at ${path}, found ${error.code ?? error}`,
		error,
	);
}

/** How far a long file is read, on a terminal. @param {string} path */
function progressOf(path) {
	const size = path === "-" ? undefined : sizeOf(path);
	const shown =
		process.stderr.isTTY && (size === undefined || size >= SHOWN_FROM);
	let last = "";
	return {
		/** @param {number} length */
		at(length) {
			if (!shown) return;
			const far =
				size === undefined
					? `${Math.floor(length / PIECE)} MiB`
					: `${Math.min(100, Math.floor((length / size) * 100))} %`;
			if (far !== last)
				process.stderr.write(`\rreading ${plain(path)}: ${far}\u001b[K`);
			last = far;
		},
		end() {
			if (shown) process.stderr.write("\r\u001b[K");
		},
	};
}

/** @param {string} path */
function sizeOf(path) {
	return statSync(path, { throwIfNoEntry: false })?.size;
}
