// How the command line reaches registries: directly or through a proxy, with further authorities for TLS.
//
// What a registry names (egress "public") is connected to by an address that was looked up and found public here. A proxy
// changes nothing about that: it is asked for this address, never for the name, which it could resolve to another one.

import { createReadStream, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { codedError } from "../error.js";
import {
	ask,
	checkPublic,
	piecesOf,
	publicLookup,
	refused,
	toResponse,
} from "../public.js";
import { read } from "./inputs.js";
import { SIGNAL, proxies } from "./proxy.js";

/** @typedef {import("./proxy.js").Proxy} Proxy */
/** @typedef {import("../index.d.ts").Fetch} Fetch */
/** Milliseconds for which an unused connection is kept. */
const IDLE = 30_000;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @param {string[]} files of authorities @param {Record<string, string | undefined>} environment @returns {Fetch} */
export function createFetch(files, environment) {
	const reach = createReach(files, environment);
	return async (url, init) => {
		const target = new URL(url);
		if (target.protocol === "file:") return readFile(target, init);
		return toResponse(url, init, await reach(url, init));
	};
}

/** @typedef {(url: string, init: Parameters<Fetch>[1]) => Promise<import("node:http").IncomingMessage>} Reach */

/** The network alone, and answers as Node has them. @param {string[]} files of authorities @param {Record<string, string | undefined>} environment @returns {Reach} */
export function createReach(files, environment) {
	const proxyOf = proxies(environment);
	const authorities = files.flatMap(readAuthorities);
	const ca =
		authorities.length === 0
			? undefined
			: [...usualAuthorities(environment), ...authorities];
	const agents = createAgents(ca);
	return async (url, init) => {
		const target = new URL(url);
		const isPublic = init.egress === "public";
		if (isPublic) checkPublic(target);
		const proxy = proxyOf(target);
		const options = {
			...(await agents(target, isPublic, proxy)),
			[SIGNAL]: init.signal,
		};
		// Registries behind content networks refuse whoever says no name.
		const headers = /** @type {[string, string][]} */ ([
			["user-agent", "sealgate"],
			...init.headers,
		]);
		return again(() => ask(url, { ...init, headers }, options));
	};
}

/**
 * A file of a lookaside on this machine, as if a server gave it: only a `registries.d` leads here.
 *
 * @param {URL} address @param {Parameters<Fetch>[1]} init @returns {Promise<import("../index.d.ts").FetchedResponse>}
 */
async function readFile(address, { method, egress, signal }) {
	if (egress !== "operator" || method !== "GET" || address.host !== "")
		throw refused(
			`${address} is a file of this machine, which only a registries.d may name`,
		);
	const path = fileURLToPath(address);
	const { stat } = await import("node:fs/promises");
	const found = await stat(path).catch((error) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
		throw error;
	});
	// Anything else could keep us waiting.
	if (found !== undefined && !found.isFile())
		throw new Error(`expected a file, found something else at ${path}`);
	return {
		status: found === undefined ? 404 : 200,
		headers: { forEach() {} },
		body:
			found === undefined ? null : piecesOf(createReadStream(path, { signal })),
		url: address.href,
		redirected: false,
	};
}

/** A kept connection may have been closed while the request was on its way. @template T @param {() => Promise<T>} ask */
async function again(ask) {
	try {
		return await ask();
	} catch (error) {
		if (/** @type {any} */ (error)?.code !== "ECONNRESET") throw error;
		return ask();
	}
}

/** Connections are kept, and never shared between what the user named and what a registry named. @param {string[] | undefined} ca */
function createAgents(ca) {
	// An unused connection is not trusted for long: something on the way may have forgotten it.
	const kept = { keepAlive: true, timeout: IDLE };
	/** Each is made, and what it is made of loaded, when something is asked that needs it. @type {Map<string, Promise<import("node:http").Agent>>} */
	const agents = new Map();

	/** @param {string} name @param {() => Promise<import("node:http").Agent>} make */
	function once(name, make) {
		const agent = agents.get(name) ?? make();
		agents.set(name, agent);
		return agent;
	}

	async function plain() {
		const { Agent } = process.getBuiltinModule("node:http");
		return new Agent(kept);
	}

	async function secure() {
		const { Agent } = process.getBuiltinModule("node:https");
		return new Agent({ ...kept, ca });
	}

	/** @param {URL} target @param {boolean} isPublic @param {Proxy | undefined} proxy */
	return async (target, isPublic, proxy) => {
		if (target.protocol === "http:")
			return { agent: await once("plain", plain) };
		if (proxy === undefined)
			return isPublic
				? { agent: await once("open", secure), lookup: publicLookup }
				: { agent: await once("direct", secure) };
		const agent = await once(`tunnel ${isPublic}`, async () => {
			const { TunnelAgent } = await import("./tunnel.js");
			return new TunnelAgent(proxy, isPublic, { ...kept, ca });
		});
		return { agent };
	};
}

/** @param {string} path @returns {string[]} */
function readAuthorities(path) {
	const text = new TextDecoder().decode(read(path, "ca.unreadable", "--ca"));
	const blocks = text.match(PEM) ?? [];
	const wrong = (/** @type {string} */ found, /** @type {unknown} */ cause) =>
		codedError(
			"ca.malformed",
			`--ca ${path}: expected certificates in PEM (-----BEGIN CERTIFICATE-----), found ${found}`,
			cause,
		);
	if (blocks.length === 0) throw wrong("none", undefined);
	const { X509Certificate } = process.getBuiltinModule("node:crypto");
	for (const [index, block] of blocks.entries()) {
		try {
			new X509Certificate(block);
		} catch (error) {
			throw wrong(`one that cannot be read, number ${index + 1}`, error);
		}
	}
	return blocks;
}

/** What Node trusts without --ca, $NODE_EXTRA_CA_CERTS included. @param {Record<string, string | undefined>} environment */
function usualAuthorities({ NODE_EXTRA_CA_CERTS }) {
	const { rootCertificates } = process.getBuiltinModule("node:tls");
	if (!NODE_EXTRA_CA_CERTS) return rootCertificates;
	try {
		const more = readFileSync(NODE_EXTRA_CA_CERTS, "utf8").match(PEM) ?? [];
		return [...rootCertificates, ...more];
	} catch {
		// Node warns about it by itself, and goes on.
		return rootCertificates;
	}
}
