// What a command is given: files beside the command, and how to ask a registry.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { codedError } from "../error.js";
import { parseReference, policyAssets } from "../node.js";
import { findCredentials } from "./registry-auth.js";
import { plain } from "./show.js";

/** Roots that the package carries, by name; a file of that name is written ./github. */
const EMBEDDED = ["public-good", "staging", "github"];

/**
 * How to ask the registry of an image.
 *
 * @param {string} image
 * @param {{ platform?: string, plainHttp: boolean, realms: string[], egress: string[], provider?: "webcrypto" | "rust" }} how
 */
export function asking(
	image,
	{ platform, plainHttp, realms, egress, provider },
) {
	const warn = (/** @type {string} */ text) =>
		console.error(plain(`sealgate: warning: ${text}`));
	return {
		platform,
		plainHttp,
		realms,
		egress,
		provider,
		credentials: findCredentials(parseReference(image), process.env, warn),
	};
}

/** Who is trusted, without a policy. @param {import("./arguments.js").Signer} command */
export function readSigner({ keys, identity, trustedRoot }) {
	const root =
		trustedRoot === undefined || EMBEDDED.includes(trustedRoot)
			? trustedRoot
			: read(trustedRoot, "root.unreadable", "--trusted-root");
	const paths = {
		key: keys,
		...(root === undefined || root === trustedRoot ? {} : { trustedRoot }),
	};
	return {
		...(keys.length > 0 ? { key: readKeys(keys) } : identity),
		...(root === undefined
			? {}
			: {
					trustedRoot: /** @type {import("../index.d.ts").TrustedRoot} */ (
						root
					),
				}),
		paths,
	};
}

/** @param {string[]} paths */
export function readKeys(paths) {
	return paths.map((path) => read(path, "key.unreadable", "--key"));
}

/** A policy with every file that it names, and a registries.d. @param {string} path @param {string} why @param {string} [registriesD] */
export async function readPolicy(path, why, registriesD) {
	const policy = read(path, "policy.unreadable", why);
	const names = await policyAssets(policy);
	const assets = Object.fromEntries(
		names.map((name) => [
			name,
			read(beside(path, name), "asset.unreadable", `${path} names ${name}`),
		]),
	);
	// As a person in this folder would write them.
	const paths = {
		assets: Object.fromEntries(
			names.map((name) => [
				name,
				isAbsolute(name) ? name : join(dirname(path), name),
			]),
		),
	};
	return {
		policy,
		assets,
		paths,
		...(registriesD === undefined
			? {}
			: { registriesD: readFolder(registriesD) }),
	};
}

/** The files of a registries.d, by their names. @param {string} folder @returns {Record<string, Uint8Array>} */
export function readFolder(folder) {
	try {
		const files = readdirSync(folder, { withFileTypes: true }).filter(
			(entry) => !entry.isDirectory(),
		);
		return Object.fromEntries(
			files.map(({ name }) => [
				name,
				new Uint8Array(readFileSync(join(folder, name))),
			]),
		);
	} catch (error) {
		throw codedError(
			"registries-d.unreadable",
			`--registries.d: expected a readable folder at ${folder}, found ${/** @type {any} */ (error).code ?? error}`,
			error,
		);
	}
}

/** A path as the policy writes it. @param {string} policy @param {string} name */
export function beside(policy, name) {
	return resolve(dirname(policy), name);
}

/** @param {string} path @param {string} code @param {string} why */
export function read(path, code, why) {
	try {
		return new Uint8Array(readFileSync(path));
	} catch (error) {
		throw codedError(
			code,
			`${why}: expected a readable file at ${path}, found ${/** @type {any} */ (error).code ?? error}; nothing was fetched`,
			error,
		);
	}
}
