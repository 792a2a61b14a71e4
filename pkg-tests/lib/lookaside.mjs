// A lookaside as most have it: a web server that gives the files of a folder.

import { once } from "node:events";
import { mkdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

/** @param {string} root   made here; `seen` are the headers of each request */
export async function startLookaside(root) {
	await mkdir(root);
	/** @type {import("node:http").IncomingHttpHeaders[]} */
	const seen = [];
	const server = createServer(async (request, response) => {
		seen.push(request.headers);
		const file = join(root, decodeURIComponent(request.url ?? "/"));
		const found = await stat(file).catch(() => undefined);
		response.writeHead(found?.isFile() ? 200 : 404);
		response.end(found?.isFile() ? await readFile(file) : "");
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		url: `http://127.0.0.1:${port}`,
		seen,
		async stop() {
			server.closeAllConnections();
			server.close();
		},
	};
}
