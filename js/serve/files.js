// The package's own files as a file service: the page, and the layouts of the embedded demo. What is served was listed at the
// start; no path that a client names is ever looked up on a disk.

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { HERE } from "../here.js";

/** What a browser has no use for. */
const NOT_OF_THE_PAGE =
	/^(bundle|cli|config|demo|here|node|public|quick|shell|workerd)\.js$|^sealgate_node/;

/** @typedef {Map<string, string>} Listed path in the address → file */

/** The page, and the package's modules that it imports from /sealgate/, with the element for docs. @param {string} page folder @param {string} [built] the built package @returns {Listed} */
export function siteFiles(page = join(HERE, "www"), built = HERE) {
	const modules = readdirSync(built)
		.filter(
			(name) => /\.(css|js|wasm)$/.test(name) && !NOT_OF_THE_PAGE.test(name),
		)
		.map(
			(name) => /** @type {const} */ ([`/sealgate/${name}`, join(built, name)]),
		);
	return new Map([...listed(page), ...modules]);
}

/** @param {string} folder @returns {Listed} */
export function listed(folder) {
	return new Map(
		readdirSync(folder, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => {
				const file = join(entry.parentPath ?? entry.path, entry.name);
				return [file.slice(folder.length).replaceAll("\\", "/"), file];
			}),
	);
}

/** @param {Listed} files */
export function fileService(files) {
	return {
		/** @param {string} address @param {RequestInit} [init] @returns {Promise<Response>} */
		async fetch(address, { method } = {}) {
			const file = files.get(new URL(address).pathname);
			if (file === undefined) return new Response(null, { status: 404 });
			const bytes = await readFile(file);
			return new Response(method === "HEAD" ? null : bytes, {
				headers: { "content-length": String(bytes.length) },
			});
		},
	};
}
