// A small registry on loopback that serves the demo images, with what a test wants of it: sign-in, or a gateway that refuses.

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { bytesOf, evidenceOf } from "./checks.mjs";
import { atEnd } from "./support.mjs";

/**
 * @param {ReturnType<typeof import("./support.mjs").demo>} demo
 * @param {{ basic?: string, bearer?: string, refuse?: string[], withheld?: boolean, tls?: { key: Buffer, cert: Buffer }, listen?: string, redirect?: (path: string) => string | undefined }} [wants] user:password; the same by a token; repositories that a gateway refuses, with or without saying why; a certificate; the address; where a path leads to
 */
export async function startRegistry(demo, wants = {}) {
	/** @type {string[]} */
	const asked = [];
	const create = wants.tls
		? (/** @type {any} */ handle) => createSecureServer(wants.tls, handle)
		: createServer;
	const server = create((request, response) => {
		const location = wants.redirect?.(request.url ?? "");
		if (location !== undefined)
			return response.writeHead(307, { location }).end();
		asked.push(`${request.method} ${request.url}`);
		const answer = answerTo(request, demo, wants, address());
		const body = request.method === "HEAD" ? undefined : answer.body;
		response
			.writeHead(answer.status, {
				"content-length": String(answer.body?.length ?? 0),
				...answer.headers,
			})
			.end(body);
	}).listen(0, wants.listen ?? "127.0.0.1");
	const address = () => `localhost:${server.address().port}`;
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => {
		server.closeAllConnections();
		server.close();
	});
	return { host: address(), port: server.address().port, asked };
}

const TOKEN = "a-token-for-pulling";

/** @param {import("node:http").IncomingMessage} request @param {any} demo @param {any} wants @param {string} host */
function answerTo(
	request,
	demo,
	{ basic, bearer, refuse = [], withheld },
	host,
) {
	const { pathname, searchParams } = new URL(
		request.url ?? "/",
		"http://localhost",
	);
	const authorization = request.headers.authorization ?? "";
	if (pathname === "/token") return tokenFor(authorization, bearer);
	if (basic && authorization !== `Basic ${btoa(basic)}`)
		return json(401, "UNAUTHORIZED", "sign in", {
			"www-authenticate": 'Basic realm="demo"',
		});
	if (bearer && authorization !== `Bearer ${TOKEN}`) {
		const challenge = `Bearer realm="http://${host}/token",service="demo",scope="repository:${pathname.split("/").slice(2, 4).join("/")}:pull"`;
		return json(401, "UNAUTHORIZED", "sign in", {
			"www-authenticate": challenge,
		});
	}
	if (pathname === "/v2/")
		return {
			status: 200,
			headers: { "docker-distribution-api-version": "registry/2.0" },
			body: Buffer.from("{}"),
		};
	const repository = refuse.find((name) => pathname.includes(`/demo/${name}`));
	if (repository && pathname.startsWith("/api/evidence/")) {
		if (withheld || searchParams.get("ref") !== "1.0")
			return json(404, "MANIFEST_UNKNOWN", "no such tag");
		return {
			status: 200,
			headers: { "content-type": "application/json" },
			body: Buffer.from(evidenceOf(repository, demo)),
		};
	}
	if (repository && pathname.includes("/manifests/"))
		return json(
			403,
			"DENIED",
			`sealgate: demo/${repository}:1.0: refused for the sake of a test`,
		);
	const route = demo.routes[pathname];
	if (!route) return json(404, "MANIFEST_UNKNOWN", "not here");
	return {
		status: 200,
		headers: {
			"content-type": route.type,
			"docker-content-digest": route.digest,
		},
		body: Buffer.from(bytesOf(route.body)),
	};
}

/** @param {string} authorization @param {string | undefined} bearer */
function tokenFor(authorization, bearer) {
	if (authorization !== `Basic ${btoa(bearer ?? "")}`)
		return json(401, "UNAUTHORIZED", "who are you");
	return {
		status: 200,
		headers: { "content-type": "application/json" },
		body: Buffer.from(JSON.stringify({ token: TOKEN })),
	};
}

/** @param {number} status @param {string} code @param {string} message @param {Record<string, string>} [headers] */
function json(status, code, message, headers = {}) {
	return {
		status,
		headers: { "content-type": "application/json", ...headers },
		body: Buffer.from(JSON.stringify({ errors: [{ code, message }] })),
	};
}
