/**
 * A token service as registries have one beside them: it signs what docker-registry takes, for the one user whom it knows, and for
 * nobody else. As clients ask it: GET with Basic, and POST with a form.
 *
 * @module
 */
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./peers.mjs";

const ISSUER = "tokens.test";
const SERVICE = "registry.test";
const SECONDS = 300;

export const USER = Object.freeze({ user: "alice", password: "open sesame" });

export async function startTokens() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-tokens-"));
	const bundle = join(folder, "certificate.pem");
	const keyFile = join(folder, "key.pem");
	await run("openssl", [
		...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
		...["-nodes", "-keyout", keyFile, "-out", bundle, "-days", "2"],
		...["-subj", `/CN=${ISSUER}`],
	]);
	const key = createPrivateKey(await readFile(keyFile));
	const certificate = (await readFile(bundle, "utf8")).replace(
		/-----[A-Z ]+-----|\s/g,
		"",
	);
	/** @type {{ method: string, allowed: boolean, scopes: string[] }[]} */
	const asked = [];
	const server = createServer(async (request, response) => {
		let body = "";
		for await (const chunk of request) body += chunk;
		const { searchParams } = new URL(request.url ?? "/", "http://tokens");
		const form = new URLSearchParams(body);
		const scopes = [
			...searchParams.getAll("scope"),
			...form.getAll("scope"),
		].flatMap((scopes) => scopes.split(" "));
		const allowed = isUser(request.headers.authorization, form);
		asked.push({ method: request.method ?? "", allowed, scopes });
		response.setHeader("content-type", "application/json");
		if (!allowed) {
			response
				.writeHead(401, { "www-authenticate": `Basic realm="${ISSUER}"` })
				.end('{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}');
			return;
		}
		const token = tokenFor(scopes, key, certificate);
		response.end(
			JSON.stringify({ token, access_token: token, expires_in: SECONDS }),
		);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		// By name: crane takes no realm that is a private address and another host than the registry.
		realm: `http://localhost:${port}/token`,
		service: SERVICE,
		issuer: ISSUER,
		bundle,
		asked,
		async stop() {
			server.close();
			server.closeAllConnections();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** @param {string | undefined} authorization @param {URLSearchParams} form */
function isUser(authorization, form) {
	const { user, password } = USER;
	const basic = Buffer.from(`${user}:${password}`).toString("base64");
	return (
		authorization === `Basic ${basic}` ||
		(form.get("username") === user && form.get("password") === password)
	);
}

/** To pull, and nothing else. @param {string[]} scopes @param {import("node:crypto").KeyObject} key @param {string} certificate */
function tokenFor(scopes, key, certificate) {
	const now = Math.floor(Date.now() / 1000);
	const part = (/** @type {object} */ value) =>
		Buffer.from(JSON.stringify(value)).toString("base64url");
	const access = scopes.flatMap((scope) => {
		const [, type, name, actions] =
			/^([a-z]+):([^:]+):([a-z,*]+)$/.exec(scope) ?? [];
		if (type !== "repository" || !actions?.split(",").includes("pull"))
			return [];
		return [{ type, name, actions: ["pull"] }];
	});
	const signed = `${part({ typ: "JWT", alg: "ES256", x5c: [certificate] })}.${part(
		{
			iss: ISSUER,
			sub: USER.user,
			aud: SERVICE,
			iat: now,
			nbf: now - 5,
			exp: now + SECONDS,
			jti: randomUUID(),
			access,
		},
	)}`;
	const signature = sign("sha256", Buffer.from(signed), {
		key,
		dsaEncoding: "ieee-p1363",
	});
	return `${signed}.${signature.toString("base64url")}`;
}
