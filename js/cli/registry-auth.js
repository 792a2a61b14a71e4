// Credentials where podman and docker keep them: containers-auth.json(5) and docker's config.json.

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { codedError } from "../error.js";

/** @typedef {{ username: string, password: string } | { token: string }} Credentials */
/** @typedef {{ auths?: Record<string, { auth?: string, identitytoken?: string }>, credHelpers?: Record<string, string>, credsStore?: string }} AuthFile */

/** How docker spells docker.io in its own files. */
const DOCKER_HUB = [
	"docker.io",
	"https://index.docker.io/v1/",
	"index.docker.io",
	"registry-1.docker.io",
];
const HELPER_PATIENCE = 30_000;

/**
 * @param {{ domain: string, path: string }} reference
 * @param {Record<string, string | undefined>} environment
 * @param {(text: string) => void} warn
 * @returns {Credentials | undefined} none: the registry is asked anonymously
 */
export function findCredentials(reference, environment, warn) {
	for (const { path, demanded } of authFiles(environment)) {
		const file = readAuthFile(path, demanded);
		const found = file && inFile(file, path, reference, warn);
		if (found) return found;
	}
	return undefined;
}

/** A file that was named is the only one that is read. @param {Record<string, string | undefined>} environment */
function authFiles({
	REGISTRY_AUTH_FILE,
	XDG_RUNTIME_DIR,
	XDG_CONFIG_HOME,
	DOCKER_CONFIG,
}) {
	if (REGISTRY_AUTH_FILE) return [{ path: REGISTRY_AUTH_FILE, demanded: true }];
	const runtime = XDG_RUNTIME_DIR
		? join(XDG_RUNTIME_DIR, "containers")
		: `/run/containers/${process.getuid?.() ?? 0}`;
	const config = join(
		XDG_CONFIG_HOME || join(homedir(), ".config"),
		"containers",
	);
	const docker = DOCKER_CONFIG || join(homedir(), ".docker");
	return [
		join(runtime, "auth.json"),
		join(config, "auth.json"),
		join(docker, "config.json"),
	].map((path) => ({ path, demanded: false }));
}

/** @param {string} path @param {boolean} demanded @returns {AuthFile | undefined} */
function readAuthFile(path, demanded) {
	let text;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		const { code } = /** @type {NodeJS.ErrnoException} */ (error);
		if (
			!demanded &&
			(code === "ENOENT" || code === "ENOTDIR" || code === "EACCES")
		)
			return undefined;
		throw codedError(
			"credentials.unreadable",
			`expected a readable file of credentials at ${path}, found ${code}`,
			error,
		);
	}
	try {
		const file = JSON.parse(text);
		if (isObject(file)) return file;
	} catch {
		// Said below, without the text: it holds secrets.
	}
	throw malformed(
		path,
		"a JSON object as docker and podman write it",
		"something else",
	);
}

/** @param {AuthFile} file @param {string} path @param {{ domain: string, path: string }} reference @param {(text: string) => void} warn */
function inFile(file, path, reference, warn) {
	const registries =
		reference.domain === "docker.io" ? DOCKER_HUB : [reference.domain];
	const helped = registries.find(
		(registry) => typeof file.credHelpers?.[registry] === "string",
	);
	if (helped !== undefined)
		return askHelper(file.credHelpers?.[helped] ?? "", helped, warn);
	const listed = listedIn(file, path, reference, registries);
	if (listed) return listed;
	if (!file.credsStore) return undefined;
	return askHelper(
		file.credsStore,
		reference.domain === "docker.io"
			? "https://index.docker.io/v1/"
			: reference.domain,
		warn,
	);
}

/**
 * The most specific key first: registry/team/app, registry/team, registry.
 *
 * @param {AuthFile} file
 * @param {string} path of the file, for messages
 * @param {{ domain: string, path: string }} reference
 * @param {string[]} registries the registry's spellings
 */
function listedIn(file, path, reference, registries) {
	if (!isObject(file.auths)) return undefined;
	const parts = reference.path.split("/");
	const repositories = parts.map((_, index) =>
		[reference.domain, ...parts.slice(0, parts.length - index)].join("/"),
	);
	const entries = new Map(Object.entries(file.auths));
	// docker also wrote https://registry/v1/: a scheme and a path after the registry are not part of the name.
	const bare = (/** @type {string} */ key) =>
		key
			.replace(/^https?:\/\//, "")
			.replace(/\/v[12]\/?$/, "")
			.replace(/\/$/, "");
	const older = new Map(
		Object.entries(file.auths).map(([key, value]) => [bare(key), value]),
	);
	for (const key of [...repositories, ...registries]) {
		const entry = entries.get(key) ?? older.get(key);
		const credentials = isObject(entry) ? decode(entry, path, key) : undefined;
		if (credentials) return credentials;
	}
	return undefined;
}

/** @param {{ auth?: string, identitytoken?: string }} entry @param {string} path @param {string} key @returns {Credentials | undefined} */
function decode({ auth, identitytoken }, path, key) {
	if (identitytoken) return { token: identitytoken };
	// docker leaves an empty entry behind where a helper keeps the secret.
	if (!auth) return undefined;
	const text = Buffer.from(String(auth), "base64").toString("utf8");
	const colon = text.indexOf(":");
	if (colon <= 0)
		throw malformed(
			path,
			`"auth" of ${key} to be base64 of user:password`,
			"something else",
		);
	return {
		username: text.slice(0, colon),
		password: text.slice(colon + 1).replace(/\0+$/, ""),
	};
}

/** @param {string} name @param {string} registry @param {(text: string) => void} warn @returns {Credentials | undefined} */
function askHelper(name, registry, warn) {
	const program = `docker-credential-${name}`;
	// It becomes a program's name: never a path.
	if (!/^[A-Za-z0-9._-]+$/.test(name))
		throw codedError(
			"credentials.helper",
			`expected the name of a credential helper, found ${JSON.stringify(name)}`,
		);
	// Loaded where a helper is asked: most images need none.
	const { spawnSync } = /** @type {typeof import("node:child_process")} */ (
		process.getBuiltinModule("node:child_process")
	);
	const { status, stdout, error } = spawnSync(program, ["get"], {
		input: registry,
		encoding: "utf8",
		timeout: HELPER_PATIENCE,
		windowsHide: true,
	});
	if (error) {
		warn(
			`${program} could not be run (${error.message}); ${registry} is asked without credentials`,
		);
		return undefined;
	}
	if (status !== 0) {
		if (!/credentials not found/i.test(stdout))
			warn(
				`${program} gave no credentials (exit status ${status}); ${registry} is asked without any`,
			);
		return undefined;
	}
	const { Username, Secret } = parseAnswer(stdout, program);
	return Username === "<token>"
		? { token: Secret }
		: { username: Username, password: Secret };
}

/** @param {string} text @param {string} program @returns {{ Username: string, Secret: string }} */
function parseAnswer(text, program) {
	try {
		const answer = JSON.parse(text);
		if (
			typeof answer.Username === "string" &&
			typeof answer.Secret === "string"
		)
			return answer;
	} catch {
		// Said below, without the text: it holds secrets.
	}
	throw codedError(
		"credentials.helper",
		`expected ${program} to answer with JSON that has Username and Secret, found something else`,
	);
}

/** @param {string} path @param {string} expected @param {string} found */
function malformed(path, expected, found) {
	return codedError(
		"credentials.malformed",
		`${path}: expected ${expected}, found ${found}; sign in again, or point $REGISTRY_AUTH_FILE at another file`,
	);
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
