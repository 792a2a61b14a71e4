// How the command line reaches registries: directly or through a proxy, with further authorities for TLS.
//
// What a registry names (egress "public") is connected to by an address that was looked up and found public here. A proxy
// changes nothing about that: it is asked for this address, never for the name, which it could resolve to another one.

import { X509Certificate } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createReadStream, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isIP } from "node:net";
import { Readable } from "node:stream";
import { connect, rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { codedError } from "../error.js";
import {
	ask,
	checkPublic,
	publicLookup,
	refused,
	toResponse,
} from "../public.js";
import { read } from "./inputs.js";
import { proxies } from "./proxy.js";

/** @typedef {import("./proxy.js").Proxy} Proxy */
/** @typedef {import("../index.d.ts").Fetch} Fetch */
/** What a request tells the agent that opens a tunnel for it. */
const SIGNAL = Symbol("signal");
/** Milliseconds until a proxy has answered. */
const PATIENCE = 30_000;
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
			...agents(target, isPublic, proxy),
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
	const found = await stat(path).catch((error) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
		throw error;
	});
	// Anything else could keep us waiting.
	if (found !== undefined && !found.isFile())
		throw new Error(`expected a file, found something else at ${path}`);
	return {
		status: found === undefined ? 404 : 200,
		headers: new Headers(),
		body:
			found === undefined
				? null
				: /** @type {import("../index.d.ts").FetchedResponse["body"]} */ (
						Readable.toWeb(createReadStream(path, { signal }))
					),
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
	const plain = new HttpAgent(kept);
	const direct = new HttpsAgent({ ...kept, ca });
	const open = new HttpsAgent({ ...kept, ca });
	/** @type {Map<string, TunnelAgent>} */
	const tunnels = new Map();
	/** @param {URL} target @param {boolean} isPublic @param {Proxy | undefined} proxy */
	return (target, isPublic, proxy) => {
		if (target.protocol === "http:") return { agent: plain };
		if (proxy === undefined)
			return isPublic
				? { agent: open, lookup: publicLookup }
				: { agent: direct };
		const key = String(isPublic);
		const agent = tunnels.get(key) ?? new TunnelAgent(proxy, isPublic, ca);
		tunnels.set(key, agent);
		return { agent };
	};
}

/** Connections through a proxy that is asked to CONNECT. */
class TunnelAgent extends HttpsAgent {
	/** @param {Proxy} proxy @param {boolean} isPublic @param {string[] | undefined} ca */
	constructor(proxy, isPublic, ca) {
		super({ keepAlive: true, timeout: IDLE, ca });
		this.proxy = proxy;
		this.isPublic = isPublic;
		this.ca = ca;
	}

	/** @param {any} options @param {(error: Error | null, socket?: import("node:stream").Duplex) => void} callback @returns {any} */
	createConnection(options, callback) {
		const { host, port } = options;
		this.open(host, Number(port), options[SIGNAL]).then(
			(socket) =>
				callback(
					null,
					connect({
						socket,
						ca: this.ca,
						...(isIP(host) === 0 && { servername: host }),
						host,
					}),
				),
			(error) => callback(error),
		);
	}

	/** @param {string} host @param {number} port @param {AbortSignal | undefined} signal */
	async open(host, port, signal) {
		const address =
			this.isPublic && isIP(host) === 0 ? await publicAddress(host) : host;
		const authority = `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
		return openTunnel(this.proxy, authority, this.ca, signal);
	}
}

/** The address that the proxy is asked for. @param {string} host @returns {Promise<string>} */
function publicAddress(host) {
	return new Promise((resolve, reject) =>
		publicLookup(host, {}, (error, address) => {
			if (error === null) return resolve(String(address));
			const { code } = error;
			reject(
				code === "egress"
					? error
					: refused(
							`${host} cannot be looked up here (${code}), and the proxy alone would choose its address`,
						),
			);
		}),
	);
}

/** @param {Proxy} proxy @param {string} authority @param {string[] | undefined} ca @param {AbortSignal | undefined} signal @returns {Promise<import("node:stream").Duplex>} */
function openTunnel({ url, shown, authorization }, authority, ca, signal) {
	const secure = url.protocol === "https:";
	const failed = (/** @type {string} */ found, /** @type {unknown} */ cause) =>
		codedError(
			"proxy",
			`the proxy ${shown}: expected a connection to ${authority}, found ${found}`,
			cause,
		);
	return new Promise((resolve, reject) => {
		const sent = (secure ? httpsRequest : httpRequest)({
			host: url.hostname.replace(/^\[|\]$/g, ""),
			port: url.port || (secure ? 443 : 80),
			method: "CONNECT",
			path: authority,
			headers: {
				host: authority,
				...(authorization && { "proxy-authorization": authorization }),
			},
			agent: false,
			signal,
			timeout: PATIENCE,
			...(secure && ca && { ca }),
		});
		sent.once("timeout", () =>
			sent.destroy(new Error(`no answer within ${PATIENCE / 1000} seconds`)),
		);
		sent.once("error", (error) => reject(failed(error.message, error)));
		sent.once("connect", ({ statusCode }, socket, head) => {
			if (statusCode === 200 && head.length === 0) {
				socket.setTimeout(0);
				return resolve(socket);
			}
			socket.destroy();
			reject(
				failed(
					statusCode === 200
						? "something that spoke before it was asked"
						: `status ${statusCode}${statusCode === 407 ? ": give user and password in $HTTPS_PROXY (http://user:password@host:port)" : ""}`,
					undefined,
				),
			);
		});
		sent.end();
	});
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
	if (!NODE_EXTRA_CA_CERTS) return rootCertificates;
	try {
		const more = readFileSync(NODE_EXTRA_CA_CERTS, "utf8").match(PEM) ?? [];
		return [...rootCertificates, ...more];
	} catch {
		// Node warns about it by itself, and goes on.
		return rootCertificates;
	}
}
