// Connections through a proxy that is asked to CONNECT. Loaded where there is one.

import { request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { codedError } from "../error.js";
import { publicLookup, refused } from "../public.js";
import { SIGNAL } from "./proxy.js";

/** @typedef {import("./proxy.js").Proxy} Proxy */
/** Milliseconds until a proxy has answered. */
const PATIENCE = 30_000;

/** One tunnel a host. */
export class TunnelAgent extends HttpsAgent {
	/** @param {Proxy} proxy @param {boolean} isPublic @param {import("node:https").AgentOptions} kept */
	constructor(proxy, isPublic, kept) {
		super(kept);
		this.proxy = proxy;
		this.isPublic = isPublic;
		this.ca = /** @type {string[] | undefined} */ (kept.ca);
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
