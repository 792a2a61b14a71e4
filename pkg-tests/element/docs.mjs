// A website of documentation: what it is given, at an address of its own, under the content security policy that a test wants.

import { createServer } from "node:http";
import { once } from "node:events";
import { extname } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
	".css": "text/css",
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".json": "application/json",
	".pub": "text/plain",
	".svg": "image/svg+xml",
	".wasm": "application/wasm",
};

/** @typedef {{ url: string, put(path: string, body: string | Uint8Array, headers?: Record<string, string>): string, asked(): string[], stop(): Promise<void> }} Docs */

/** @param {(path: string) => Promise<Uint8Array | undefined>} [file] what was not put there is looked for here @returns {Promise<Docs>} */
export async function startDocs(file = async () => undefined) {
	/** @type {Map<string, { body: string | Uint8Array, headers: Record<string, string> }>} */
	const files = new Map();
	/** @type {string[]} */
	const asked = [];
	const server = createServer(async (request, answer) => {
		const { pathname } = new URL(request.url ?? "", "http://docs.invalid");
		asked.push(pathname);
		// What browsers ask for of their own accord.
		if (pathname === "/favicon.ico") return void answer.writeHead(204).end();
		const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
		const found = files.get(path);
		const body = found?.body ?? (await file(path));
		if (body === undefined) return void answer.writeHead(404).end();
		const type = TYPES[extname(path)] ?? "application/octet-stream";
		const status = found?.headers.location === undefined ? 200 : 307;
		answer
			.writeHead(status, { "content-type": type, ...found?.headers })
			.end(body);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	const url = `http://127.0.0.1:${port}`;
	return {
		url,
		put(path, body, headers = {}) {
			files.set(path, { body, headers });
			return `${url}${path}`;
		},
		asked: () => asked,
		async stop() {
			server.close();
			server.closeAllConnections();
			await once(server, "close");
		},
	};
}

/**
 * Stands between a page and a gateway: evidence is the gateway's, as `change` leaves it.
 *
 * @param {string} gateway
 * @param {(document: any) => unknown} [change]
 * @param {(path: string) => string} [instead] which repository is asked for
 */
export async function startBetween(
	gateway,
	change = () => {},
	instead = (path) => path,
) {
	/** @type {import("node:http").IncomingHttpHeaders[]} */
	const headers = [];
	const server = createServer(async (request, answer) => {
		headers.push(request.headers);
		const { pathname, search } = new URL(request.url ?? "", gateway);
		// Also by the address that a relay has for it.
		const path = pathname.replace(/^\/(relay\/[^/]+|api\/evidence)\//u, "");
		const found = await fetch(
			`${gateway}/api/evidence/${instead(path)}${search}`,
		);
		const document = /** @type {any} */ (await found.json());
		change(document);
		answer
			.writeHead(found.status, {
				"content-type": "application/json",
				"access-control-allow-origin": "*",
			})
			.end(JSON.stringify(document));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		url: `http://127.0.0.1:${port}`,
		/** Of what was asked. */
		headers,
		async stop() {
			server.close();
			server.closeAllConnections();
			await once(server, "close");
		},
	};
}
