// The gateway that is running, and what takes its place when the operator's files change. A request ends with the one that it
// began with. What cannot be read or understood never replaces one that runs.

import { createHash, randomBytes } from "node:crypto";
import { createSecureContext } from "node:tls";
import { codedError } from "../error.js";
import { createReach } from "../cli/network.js";
import { read, readFolder, readNext, readPolicy } from "../cli/inputs.js";
import { FILES, configOf, requestTimeout } from "../config.js";
import { demoRegistry, isOfDemo } from "../demo.js";
import { Gateway } from "../node.js";
import { toResponse } from "../public.js";
import { log } from "../shell.js";
import { fileService, listed } from "./files.js";
import { demoFolder } from "./settings.js";
import { createStore } from "./store.js";

/** @typedef {import("./settings.js").Serving} Serving */
/** @typedef {{ cert: Uint8Array, key: Uint8Array }} Certificate */
/** @typedef {import("../cli/network.js").Reach} Reach */
/** @typedef {{ ca: Uint8Array[], policy: Uint8Array, policyNext?: Uint8Array, assets: Record<string, Uint8Array>, registriesD?: Record<string, Uint8Array>, certificate?: Certificate, texts: Record<string, Uint8Array> }} Read */
/** @typedef {{ gateway: import("../index.d.ts").Gateway, read: Read, reach: Reach }} Running */

/**
 * How often the operator's files are looked at: their content, since a change by renaming (a ConfigMap's symlinks) makes no event
 * that could be relied on, and a copy may keep its time.
 */
const LOOK_EVERY_MS = 2_000;
/** Of a policy that is none, the gateway itself says what is wrong; of a file that is not there, whoever reads it. */
const UNREADABLE = /\.unreadable$/;

/** @param {Serving} serving @param {Record<string, string | undefined>} environment @param {(certificate: Certificate) => void} [useCertificate] one that takes the place of the first */
export async function createRunning(
	serving,
	environment,
	useCertificate = () => {},
) {
	const secret = serving.texts.SECRET ?? randomBytes(32).toString("base64");
	const store = createStore();
	const layouts = serving.demo ? fileService(listed(demoFolder)) : undefined;

	/** @param {Read} found @param {Running} [before] @returns {Promise<Running>} */
	async function make(found, before) {
		// Its connections are kept, unless other authorities count now.
		const reach =
			before !== undefined && printOf(before.read.ca) === printOf(found.ca)
				? before.reach
				: createReach(serving.ca, environment);
		const settings = settingsOf(serving, found, secret);
		// The store outlives a gateway, and what one was told to forget is known to it alone.
		const config = { ...configOf(settings), since: Date.now() };
		const gateway = await Gateway.create(config, {
			fetch: async (url, init) =>
				layouts === undefined || !isOfDemo(url)
					? toResponse(url, init, await reach(url, init))
					: demoRegistry(
							new Request(url, /** @type {RequestInit} */ (init)),
							layouts,
						),
			requestTimeout: requestTimeout(settings),
			load: store.load,
			save: store.save,
		});
		return { gateway, read: found, reach };
	}

	const first = await readFiles(serving);
	let seen = printOf(first);
	let current = await make(first);
	/** One after the other. @type {Promise<void>} */
	let working = Promise.resolve();

	/** @param {Read} found */
	async function replace(found) {
		const next = await make(found, current);
		const {
			state,
			code,
			message,
			note,
			next: nextState,
		} = next.gateway.state();
		// Of two that refuse everything, the newer one says what is wrong now.
		if (state !== "ok" && current.gateway.state().state === "ok")
			throw codedError(code ?? "internal", message ?? "");
		if (found.certificate) useCertificate(found.certificate);
		current = next;
		log({
			event: "configuration",
			state,
			code,
			message,
			note,
			replaced: true,
			next: nextState,
		});
	}

	/** @param {boolean} asked for: then it is told even if nothing has changed */
	async function look(asked) {
		/** @type {unknown} */
		let wrong;
		const found = await readFiles(serving, true).catch((error) => {
			wrong = error;
			return undefined;
		});
		const print = found === undefined ? String(wrong) : printOf(found);
		if (print === seen && !asked) return;
		seen = print;
		try {
			if (found === undefined) throw wrong;
			await replace(found);
		} catch (error) {
			const { code = "internal", message } = /** @type {any} */ (error);
			current.gateway.setStale(true);
			log({ event: "configuration", state: "kept", code, message });
		}
	}

	/** @param {boolean} asked */
	function reload(asked) {
		working = working.then(() => look(asked));
		return working;
	}

	const timer = setInterval(() => void reload(false), LOOK_EVERY_MS);
	return {
		current: () => current,
		reload,
		forget: store.clear,
		stop: () => clearInterval(timer),
	};
}

/**
 * Everything that the operator's files say. A next policy that is not there any more is none, which the gateway itself reports: it
 * must not keep the one in force from being read, whose place it may just have taken.
 *
 * @param {Serving} serving @param {boolean} [again] not at the start, where a path may be mistaken @returns {Promise<Read>}
 */
async function readFiles(
	{ policy: path, policyNext: nextPath, registriesD, ca, tls, texts },
	again = false,
) {
	const found = await readPolicy(path, "--policy", registriesD).catch(
		(error) => {
			if (UNREADABLE.test(String(error?.code))) throw error;
			return {
				policy: read(path, "policy.unreadable", "--policy"),
				assets: {},
				...(registriesD !== undefined && {
					registriesD: readFolder(registriesD),
				}),
			};
		},
	);
	const { policy, assets, registriesD: folder } = found;
	const next =
		nextPath === undefined
			? undefined
			: await readNext(nextPath, path).catch((error) => {
					if (!again) throw error;
					return { policyNext: new Uint8Array(), assets: {} };
				});
	return {
		policy,
		...(next && { policyNext: next.policyNext }),
		assets: { ...next?.assets, ...assets },
		...(folder && { registriesD: folder }),
		ca: ca.map((file) => read(file, "ca.unreadable", "--ca")),
		...(tls && { certificate: readCertificate(tls) }),
		texts: readTexts(texts),
	};
}

/** Settings that lie in files. @param {import("../config.js").Settings} texts @returns {Record<string, Uint8Array>} */
function readTexts(texts) {
	return Object.fromEntries(
		FILES.flatMap((name) => {
			const text = texts[name] ?? "";
			return text.startsWith("@")
				? [[name, read(text.slice(1), "setting.unreadable", `$${name}`)]]
				: [];
		}),
	);
}

/** @param {{ cert: string, key: string }} files @returns {Certificate} */
function readCertificate(files) {
	const cert = read(files.cert, "tls.unreadable", "--tls-cert");
	const key = read(files.key, "tls.unreadable", "--tls-key");
	try {
		createSecureContext({ cert: Buffer.from(cert), key: Buffer.from(key) });
	} catch (error) {
		throw codedError(
			"tls.malformed",
			`--tls-cert ${files.cert} and --tls-key ${files.key}: expected a chain of certificates in PEM and the private key of the first, found something else (${/** @type {Error} */ (error).message})`,
			error,
		);
	}
	return { cert, key };
}

/** @param {Serving} serving @param {Read} found @param {string} secret @returns {import("../config.js").Settings} */
function settingsOf(
	{ texts },
	{ policy, policyNext, assets, registriesD, texts: inFiles },
	secret,
) {
	return {
		...texts,
		...Object.fromEntries(
			Object.entries(inFiles).map(([name, bytes]) => [
				name,
				Buffer.from(bytes).toString("utf8"),
			]),
		),
		SECRET: secret,
		POLICY: policy,
		...(policyNext && { POLICY_NEXT: policyNext }),
		POLICY_ASSETS: inBase64(assets),
		...(registriesD && { REGISTRIES_D: inBase64(registriesD) }),
	};
}

/** @param {Record<string, Uint8Array>} files */
function inBase64(files) {
	return Object.fromEntries(
		Object.entries(files).map(([name, bytes]) => [
			name,
			Buffer.from(bytes).toString("base64"),
		]),
	);
}

/** The same for the same content. @param {unknown} content of plain objects, lists and bytes */
function printOf(content) {
	const hash = createHash("sha256");
	/** @param {unknown} one */
	const add = (one) => {
		if (one instanceof Uint8Array) {
			hash.update(`${one.length}:`).update(one);
			return;
		}
		for (const [name, inner] of Object.entries(one ?? {})) {
			hash.update(`${name.length}:${name}`);
			add(inner);
		}
	};
	add(content);
	return hash.digest("hex");
}
