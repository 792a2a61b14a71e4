// The gateway over Node's own servers: HTTP/1.1, and over TLS HTTP/2 too.
//
// In scope: what a client sends as what the shell is asked, the answer as it goes over the wire, and every way in which a client or
// a registry leaves in the middle of it. An answer that cannot be sent whole is cut, and never ended as if it were whole.

import { createServer as createPlainServer } from "node:http";
import { createSecureServer } from "node:http2";
import { Readable, pipeline } from "node:stream";
import { codedError } from "../error.js";
import { headersOf } from "../public.js";
import { answer, log, noProxy } from "../shell.js";

/** @typedef {import("node:http").IncomingMessage} Request1 */
/** @typedef {import("node:http2").Http2ServerRequest} Request2 */
/** @typedef {import("node:http").ServerResponse} Response1 */
/** @typedef {import("node:http2").Http2ServerResponse} Response2 */
/** @typedef {Omit<import("../shell.js").Lent, "discard">} Lends */

/** Tokens of registries are long: half of it is what Node takes by itself. */
const MOST_HEADERS = 32 * 1024;
const LIMITS = {
	maxHeaderSize: MOST_HEADERS,
	/** Milliseconds until the headers of a request are there; nobody who pulls needs seconds. */
	headersTimeout: 15_000,
	/** Until all of it is there. Bodies are thrown away as they come: nothing takes one. */
	requestTimeout: 30_000,
	/** Longer than load balancers keep a connection (60 s), so that they are the ones who close it. */
	keepAliveTimeout: 75_000,
	connectionsCheckingInterval: 5_000,
};
/** Until a TLS handshake is done. */
const HANDSHAKE_MS = 15_000;
/** For which nothing moves: longer than any request waits for its judgement. A client that does not read, a registry that stalls. */
const SILENCE_MS = 120_000;
/** Streams of one HTTP/2 connection. */
const MOST_STREAMS = 100;
/** Until what is under way at a stop is cut. */
const GRACE_MS = 30_000;

/** A host as it stands in a Host header: no more, since an address is made with it. */
const HOST = /^[\w.\-:[\]%]+$/;

/**
 * @param {{ cert: Uint8Array, key: Uint8Array } | undefined} certificate
 * @param {(gone: AbortSignal) => Lends} lend for one request, whose client goes away when the signal says so
 */
export function createServer(certificate, lend) {
	const server =
		certificate === undefined
			? createPlainServer(LIMITS)
			: createSecureServer({ ...LIMITS, ...tlsOptions(certificate) });
	Object.assign(server, LIMITS);
	server.setTimeout(SILENCE_MS);
	const connections = trackConnections(server);
	const scheme = certificate === undefined ? "http" : "https";
	/** @param {Request1 & Request2} request @param {Response1 & Response2} response */
	const serve = (request, response) => {
		connections.begin(request, response);
		handle(scheme, lend, request, response).catch((error) => {
			log({ event: "failure", code: "internal", message: error.message });
			cut(request, response);
		});
	};
	server.on("request", serve);
	// Whoever asks first whether to send a body gets the answer, and is not asked for one.
	server.on("checkContinue", serve);
	server.on("connect", refuseTunnel);
	return {
		/** @param {{ host: string, port: number }} address */
		listen: (address) => listen(server, address),
		stop: () => connections.stop(),
		/** @param {{ cert: Uint8Array, key: Uint8Array }} next for connections from now on */
		useCertificate(next) {
			if ("setSecureContext" in server)
				server.setSecureContext(tlsOptions(next));
		},
	};
}

/** @param {{ cert: Uint8Array, key: Uint8Array }} certificate */
function tlsOptions({ cert, key }) {
	return {
		cert: Buffer.from(cert),
		key: Buffer.from(key),
		allowHTTP1: true,
		handshakeTimeout: HANDSHAKE_MS,
		settings: {
			maxConcurrentStreams: MOST_STREAMS,
			maxHeaderListSize: MOST_HEADERS,
		},
	};
}

/** @param {string} scheme @param {(gone: AbortSignal) => Lends} lend @param {Request1 & Request2} request @param {Response1 & Response2} response */
async function handle(scheme, lend, request, response) {
	const gone = new AbortController();
	response.once("close", () => gone.abort());
	const { status, statusText, headers, body } = await answer(
		asked(scheme, request),
		{ ...lend(gone.signal), discard },
	);
	if (gone.signal.aborted) return discard(body);
	const fields = fieldsOf(headers);
	// A phrase is HTTP/1.1's alone.
	if (statusText !== undefined && request.httpVersionMajor === 1)
		response.writeHead(status, statusText, fields);
	else response.writeHead(status, fields);
	if (body === null || body === undefined) response.end();
	else if (body instanceof Uint8Array) response.end(body);
	else send(body, request, response);
}

/** What is asked, as the shell has it; no address where none can be made of it. @param {string} scheme @param {Request1 & Request2} request */
function asked(scheme, request) {
	const { method = "GET" } = request;
	const headers = new Headers();
	for (const [name, value] of headersOf(request))
		if (!name.startsWith(":")) headers.append(name, value);
	const { localPort } = request.socket;
	const host =
		headers.get("host") ?? request.authority ?? `localhost:${localPort}`;
	headers.set("host", host);
	return { method, url: addressOf(scheme, host, request.url ?? ""), headers };
}

/** RFC 9112 section 3.2: a path, or the whole address as a proxy is asked. @param {string} scheme @param {string} host @param {string} target */
function addressOf(scheme, host, target) {
	if (/^https?:\/\//i.test(target)) return target;
	return target.startsWith("/") && HOST.test(host)
		? `${scheme}://${host}${target}`
		: "";
}

/** A name that stands twice goes out twice. @param {[string, string][]} headers */
function fieldsOf(headers) {
	/** @type {Record<string, string | string[]>} */
	const fields = {};
	for (const [name, value] of headers) {
		const before = fields[name];
		fields[name] = before === undefined ? value : [before, value].flat();
	}
	return fields;
}

/**
 * A body as it comes: no more of it is read than the client takes, and neither side outlives the other.
 *
 * @param {unknown} body @param {Request1 & Request2} request @param {Response1 & Response2} response
 */
function send(body, request, response) {
	const source =
		body instanceof Readable
			? body
			: Readable.fromWeb(/** @type {any} */ (body));
	/** @type {import("node:stream").Writable} */
	const sink = response.stream ?? response;
	response.stream?.setTimeout(SILENCE_MS, () => cut(request, response));
	source.once("error", (error) => {
		// Not so if it ends because the client has gone.
		if (!sink.destroyed)
			log({ event: "failure", code: "stream.cut", message: error.message });
		cut(request, response);
	});
	pipeline(source, sink, () => {});
}

/** @param {unknown} body */
function discard(body) {
	if (body instanceof Readable) body.destroy();
	else if (body instanceof ReadableStream) body.cancel().catch(() => {});
}

/** So that nobody takes what was sent for all of it: also not HTTP/1.0, which knows no other end than the connection's. @param {Request1 & Request2} request @param {Response1 & Response2} response */
function cut(request, response) {
	// Not close(), which would first end it as if it were whole.
	if (response.stream) response.stream.destroy(new Error("cut"));
	else if ("encrypted" in request.socket) request.socket.destroy();
	else request.socket.resetAndDestroy();
}

/** CONNECT: over HTTP/1.1 with the bare connection, over HTTP/2 with an answer. @param {unknown} _ @param {import("node:net").Socket | Response2} to */
function refuseTunnel(_, to) {
	if ("writeHead" in to) to.writeHead(405).end();
	else to.end(noProxy());
}

/** @param {import("node:http").Server | import("node:http2").Http2SecureServer} server @param {{ host: string, port: number }} address @returns {Promise<import("node:net").AddressInfo>} */
function listen(server, { host, port }) {
	return new Promise((resolve, reject) => {
		server.once("error", (/** @type {NodeJS.ErrnoException} */ error) =>
			reject(notListening(host, port, error)),
		);
		server.listen({ host, port }, () =>
			resolve(/** @type {import("node:net").AddressInfo} */ (server.address())),
		);
	});
}

/** @param {string} host @param {number} port @param {NodeJS.ErrnoException} error */
function notListening(host, port, error) {
	const { code = "" } = error;
	const shown = `${host.includes(":") ? `[${host}]` : host}:${port}`;
	const reason =
		{
			EADDRINUSE: `a port that is taken: end what listens there (ss -ltnp 'sport = :${port}' names it), or choose another one with --listen`,
			EACCES:
				"a port that this user may not take: choose one from 1024 on, or grant CAP_NET_BIND_SERVICE",
			EADDRNOTAVAIL:
				"an address that is none of this machine: choose one of its own, or 0.0.0.0 or [::] for all",
		}[code] ?? `${code || error.message}: choose another one with --listen`;
	return codedError(
		"serve.address",
		`serve: expected an address to listen on, found at ${shown} ${reason}`,
		error,
	);
}

/** Which connections there are and how many requests each has under way, so that a stop ends what is idle and waits for what is not. @param {import("node:http").Server | import("node:http2").Http2SecureServer} server */
function trackConnections(server) {
	/** @type {Set<import("node:net").Socket>} */
	const all = new Set();
	/** Of HTTP/1.1. @type {Map<import("node:net").Socket, number>} */
	const working = new Map();
	/** @type {Set<import("node:http2").Http2Session>} */
	const sessions = new Set();
	let stopping = false;

	server.on("connection", (socket) => {
		all.add(socket);
		socket.once("close", () => all.delete(socket));
	});
	server.on("session", (session) => {
		sessions.add(session);
		session.once("close", () => sessions.delete(session));
	});

	/** @param {import("node:net").Socket} socket */
	function endIfIdle(socket) {
		if (stopping && working.get(socket) === 0) socket.destroySoon();
	}

	/** HTTP/1.1's connections: over TLS not the ones that are in `all`. */
	const connected = (/** @type {import("node:net").Socket} */ socket) => {
		if (/** @type {any} */ (socket).alpnProtocol === "h2") return;
		working.set(socket, 0);
		socket.once("close", () => working.delete(socket));
		endIfIdle(socket);
	};
	server.on(
		"setSecureContext" in server ? "secureConnection" : "connection",
		connected,
	);

	return {
		/** @param {Request1 & Request2} request @param {Response1 & Response2} response */
		begin({ socket, httpVersionMajor }, response) {
			if (httpVersionMajor !== 1) return;
			if (stopping) response.shouldKeepAlive = false;
			working.set(socket, (working.get(socket) ?? 0) + 1);
			response.once("close", () => {
				const left = (working.get(socket) ?? 1) - 1;
				if (working.has(socket)) working.set(socket, left);
				endIfIdle(socket);
			});
		},
		/** Resolves when all is done, or cut. @returns {Promise<void>} */
		stop() {
			stopping = true;
			return new Promise((resolve) => {
				const timer = setTimeout(() => {
					for (const socket of all) socket.destroy();
				}, GRACE_MS);
				server.close(() => {
					clearTimeout(timer);
					resolve();
				});
				for (const session of sessions) session.close();
				for (const socket of working.keys()) endIfIdle(socket);
			});
		},
	};
}
