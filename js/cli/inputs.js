// What a command is given: files beside the command, standard input, and how to ask a registry.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { codedError } from "../error.js";
import { parseReference, policyAssets } from "../quick.js";
import { createFetch } from "./network.js";
import { findCredentials } from "./registry-auth.js";
import { plain } from "./show.js";

/** Roots that the package carries, by name; a file of that name is written ./github. */
const EMBEDDED = ["public-good", "staging", "github"];
/** Bytes of standard input in place of a file, and of a list of images: some hundred thousand names. */
const LONGEST_INPUT = 64 * 1024 * 1024;
/** How standard input is called where a shell is shown the command. */
const STDIN_PATH = "/dev/stdin";

/** Standard input, when a file is given as `-`. @type {Uint8Array | undefined} */
let taken;

/** @typedef {import("./arguments.js").How & { fetch: import("../index.d.ts").Fetch }} Reaching */

/** With what reaches registries, read and checked before anything is asked. @template {import("./arguments.js").How} T @param {T} command */
export function reaching(command) {
	return { ...command, fetch: createFetch(command.ca, process.env) };
}

/** Reads standard input where a file is `-`; but for what is read as a stream. @param {Partial<Record<"keys" | "ca", string[]>> & Partial<Record<"policy" | "trustedRoot" | "bundle" | "cases" | "file" | "adminSecretFile", string>> & { name: string }} command */
export async function takeStandardInput({
	name,
	keys = [],
	ca = [],
	policy,
	trustedRoot,
	bundle,
	cases,
	file,
	adminSecretFile,
}) {
	const whole = name.startsWith("verify-blob") ? undefined : file;
	const files = [
		...[...keys, ...ca, policy, trustedRoot, bundle, cases, whole],
		adminSecretFile,
	];
	if (files.includes("-")) taken = await standardInput(LONGEST_INPUT);
}

/** @param {number} most @returns {Promise<Uint8Array>} */
export async function standardInput(most) {
	const chunks = [];
	let length = 0;
	for await (const chunk of process.stdin) {
		length += chunk.length;
		if (length > most)
			throw codedError(
				"input.too-large",
				`standard input: expected at most ${most} bytes, found more`,
			);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

/** How to ask the registry of an image. @param {string} image @param {Reaching} how */
export function asking(
	image,
	{ platform, plainHttp, realms, egress, provider, fetch },
) {
	const warn = (/** @type {string} */ text) =>
		console.error(plain(`sealgate: warning: ${text}`));
	return {
		platform,
		plainHttp,
		realms,
		egress,
		provider,
		fetch,
		credentials: findCredentials(parseReference(image), process.env, warn),
	};
}

/** Who is trusted, without a policy. @param {import("./arguments.js").Signer} command */
export function readSigner({
	keys,
	allKeys,
	identity,
	annotations,
	trustedRoot,
}) {
	const isFile = trustedRoot !== undefined && !EMBEDDED.includes(trustedRoot);
	const root = isFile
		? read(trustedRoot, "root.unreadable", "--trusted-root")
		: trustedRoot;
	return {
		...(keys.length > 0 ? { key: readKeys(keys) } : identity),
		...(allKeys && { allKeys }),
		...(annotations && { annotations }),
		...(root !== undefined && {
			trustedRoot: /** @type {import("../index.d.ts").TrustedRoot} */ (root),
		}),
		paths: {
			key: keys.map(pathOf),
			...(isFile && { trustedRoot: pathOf(trustedRoot) }),
		},
	};
}

/** As a shell would find it. @param {string} file */
function pathOf(file) {
	return file === "-" ? STDIN_PATH : file;
}

/** @param {string[]} paths */
function readKeys(paths) {
	return paths.map((path) => read(path, "key.unreadable", "--key"));
}

/** A policy with every file that it names, and a registries.d. @param {string} path @param {string} why @param {string} [registriesD] */
export async function readPolicy(path, why, registriesD) {
	const policy = read(path, "policy.unreadable", why);
	const names = await named(path, () => policyAssets(policy));
	const assets = readAssets(path, names);
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

/**
 * A policy that decides nothing, beside the one in force: what it names relatively lies beside that one, too, and of a file that is
 * not there the gateway says so.
 *
 * @param {string} path @param {string} policy path of the one in force @returns {Promise<{ policyNext: Uint8Array, assets: Record<string, Uint8Array> }>}
 */
export async function readNext(path, policy) {
	const policyNext = read(path, "policy.unreadable", "POLICY_NEXT");
	const names = await policyAssets(policyNext).catch(() => []);
	/** @type {Record<string, Uint8Array>} */
	const assets = {};
	for (const name of names) {
		const file = beside(policy, name);
		if (existsSync(file)) assets[name] = read(file, "asset.unreadable", path);
	}
	return { policyNext, assets };
}

/** All that are missing are named at once. @param {string} policy @param {string[]} names */
function readAssets(policy, names) {
	/** @type {Error[]} */
	const missing = [];
	const assets = names.map((name) => {
		try {
			return read(
				beside(policy, name),
				"asset.unreadable",
				`${policy} names ${name}`,
			);
		} catch (error) {
			missing.push(/** @type {Error} */ (error));
			return new Uint8Array();
		}
	});
	if (missing.length === 1) throw missing[0];
	if (missing.length > 1)
		throw codedError(
			"asset.unreadable",
			missing.map(({ message }) => message).join("; "),
		);
	return Object.fromEntries(
		names.map((name, at) => [name, assets[at] ?? new Uint8Array()]),
	);
}

/** What fails is said to be of this file. @template T @param {string} path @param {() => Promise<T>} work @returns {Promise<T>} */
export async function named(path, work) {
	try {
		return await work();
	} catch (error) {
		throw ofFile(error, path);
	}
}

/** @param {any} error @param {string} path */
export function ofFile(error, path) {
	if (error?.code === undefined || error.message.includes(path)) return error;
	const shown = path === "-" ? "standard input" : path;
	return codedError(error.code, `${shown}: ${error.message}`, error);
}

/** Policies cannot name an IPv6 address: the image needs another name there. @param {any} error @param {{ image?: string, as?: string }} asked */
function withName(error, { image, as }) {
	return error?.code === "reference.name" &&
		as === undefined &&
		image?.startsWith("[")
		? codedError(
				error.code,
				`${error.message}; a policy knows no IPv6 addresses: say with --as NAME how it knows the image`,
				error,
			)
		: error;
}

/** Which file an error of a verification is about, by its code. @param {any} error @param {{ policy?: string, trustedRoot?: string, registriesD?: string, bundle?: string, image?: string, as?: string }} files */
export function ofItsFile(error, files) {
	const code = String(error?.code ?? "");
	const file = /^(root|trusted-root)\./.test(code)
		? (files.trustedRoot ?? files.policy)
		: /^registries-d\./.test(code)
			? files.registriesD
			: /^bundle\.(json|media-type|shape)$/.test(code)
				? files.bundle
				: /^(policy|key|limit)\./.test(code)
					? files.policy
					: undefined;
	return file === undefined ? withName(error, files) : ofFile(error, file);
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

/** A file, or standard input. @param {string} path @param {string} code @param {string} why @returns {Uint8Array} */
export function read(path, code, why) {
	if (path === "-" && taken !== undefined) return taken;
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
