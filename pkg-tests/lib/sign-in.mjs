/**
 * Registries that want credentials, with token services that check what they are sent; and a stand-in for Amazon's, which
 * computes the signature again, by the description of Signature Version 4 and not by the library that made it.
 *
 * @module
 */
import { createHash, createHmac, randomBytes, sign } from "node:crypto";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve, startRegistry } from "./peers.mjs";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {{ method: string, authorization?: string, parameters: URLSearchParams, refused?: string }} Asked what was asked of a token service, and why it gave nothing */

export const SERVICE = "registry.test";

/** @param {(request: Request, body: string, response: Response) => void} answer */
export async function listen(answer) {
	const server = createServer(async (request, response) => {
		let body = "";
		for await (const chunk of request) body += chunk;
		answer(request, body, response);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		host: `127.0.0.1:${port}`,
		url: `http://127.0.0.1:${port}`,
		async stop() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

/** @param {Response} response @param {number} status @param {object} document @param {Record<string, string>} [headers] */
export function json(response, status, document, headers = {}) {
	const text = JSON.stringify(document);
	response
		.writeHead(status, { "content-type": "application/json", ...headers })
		.end(text);
}

/** @param {string} name @param {string} secret */
export const basic = (name, secret) =>
	`Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;

/** @param {Buffer | string} bytes */
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/**
 * The token service of docker-registry: whoever signs in by name and password, or by a refresh token, gets a token for pulling the
 * one repository that the scope names. Whatever else is asked is refused, and written down.
 *
 * @param {{ password?: string, refreshToken?: string }} accepted the user is `robot`
 */
async function startTokenService({ password, refreshToken }) {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-tokens-"));
	const key = join(folder, "key.pem");
	const certificate = join(folder, "certificate.pem");
	execFileSync(
		"openssl",
		[
			...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
			...["-subj", "/CN=tokens", "-keyout", key, "-out", certificate],
		],
		{ stdio: "ignore" },
	);
	const privateKey = await readFile(key);
	const [x5c = ""] = /(?<=CERTIFICATE-----)[^-]+/.exec(
		await readFile(certificate, "utf8"),
	) ?? [""];
	/** @type {Asked[]} */
	const asked = [];

	/** @param {string} account @param {{ type: string, name: string, actions: string[] }[]} access */
	function token(account, access) {
		const now = Math.floor(Date.now() / 1000);
		const head = { typ: "JWT", alg: "RS256", x5c: [x5c.replaceAll(/\s/g, "")] };
		const claims = {
			iss: "tokens",
			sub: account,
			aud: SERVICE,
			nbf: now - 10,
			iat: now,
			exp: now + 300,
			jti: randomBytes(8).toString("hex"),
			access,
		};
		const signed = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(claims))}`;
		return `${signed}.${base64url(sign("sha256", Buffer.from(signed), privateKey))}`;
	}

	/** @param {Asked} question @returns {string | undefined} what is wrong with it */
	function wrongWith({ method, authorization, parameters }) {
		const scope = parameters.getAll("scope");
		if (parameters.get("service") !== SERVICE) return "service";
		if (!/^repository:[a-z0-9/]+:pull$/.test(scope.join(" "))) return "scope";
		if (method === "GET")
			return password !== undefined &&
				authorization === basic("robot", password)
				? undefined
				: "user";
		if (authorization !== undefined) return "a header beside a form";
		if (parameters.get("grant_type") !== "refresh_token") return "grant";
		return refreshToken !== undefined &&
			parameters.get("refresh_token") === refreshToken
			? undefined
			: "refresh token";
	}

	const server = await listen((request, body, response) => {
		const { method = "", url = "" } = request;
		const { authorization } = request.headers;
		const parameters =
			method === "GET"
				? new URL(url, "http://x").searchParams
				: new URLSearchParams(body);
		const names = parameters
			.getAll("scope")
			.map((scope) => scope.split(":")[1] ?? "");
		const refused = wrongWith({ method, authorization, parameters });
		asked.push({
			method,
			...(authorization !== undefined && { authorization }),
			parameters,
			...(refused !== undefined && { refused }),
		});
		if (refused !== undefined) {
			json(response, 401, {
				errors: [{ code: "UNAUTHORIZED", message: refused }],
			});
			return;
		}
		const [name = ""] = names;
		const given = token("robot", [
			{ type: "repository", name, actions: ["pull"] },
		]);
		json(response, 200, { token: given, access_token: given, expires_in: 300 });
	});
	return {
		realm: `${server.url}/token`,
		certificate,
		asked,
		async stop() {
			await server.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/**
 * docker-registry twice over one storage: one that wants tokens, whose service is its own host at another port; and an open one, to
 * push and sign at.
 *
 * @param {Parameters<typeof startTokenService>[0]} accepted
 */
export async function startTokenRegistry(accepted) {
	const open = await startRegistry();
	const tokens = await startTokenService(accepted);
	const folder = await mkdtemp(join(tmpdir(), "sealgate-registry-"));
	const config = join(folder, "config.yml");
	await writeFile(
		config,
		`version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${JSON.stringify(open.storage)}}
http: {addr: "127.0.0.1:0"}
auth:
  token:
    realm: ${tokens.realm}
    service: ${SERVICE}
    issuer: tokens
    rootcertbundle: ${tokens.certificate}
`,
	);
	const server = await serve(
		"docker-registry",
		["serve", config],
		/listening on (127\.0\.0\.1:\d+)/,
	);
	return {
		open,
		tokens,
		url: `http://${server.host}`,
		async stop() {
			await server.stop();
			await tokens.stop();
			await open.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/**
 * A registry that wants Basic authentication, as Amazon's do, before an open one.
 *
 * @param {string} upstream its address
 * @param {(authorization: string) => boolean} accepts
 */
export async function startBasicRegistry(upstream, accepts) {
	/** @type {string[]} */
	const borne = [];
	const server = await listen(async (asked, _, response) => {
		const { authorization, host: _host, ...headers } = asked.headers;
		if (authorization !== undefined) borne.push(authorization);
		if (authorization === undefined || !accepts(authorization)) {
			const challenge = { "www-authenticate": 'Basic realm="ecr"' };
			return json(response, 401, {}, challenge);
		}
		const answer = await fetch(`${upstream}${asked.url}`, {
			method: asked.method ?? "GET",
			headers: { accept: String(headers.accept ?? "*/*") },
		});
		const passed = ["content-type", "docker-content-digest", "content-length"];
		const named = passed.flatMap((name) => {
			const value = answer.headers.get(name);
			return value === null ? [] : [[name, value]];
		});
		response.writeHead(answer.status, Object.fromEntries(named));
		response.end(Buffer.from(await answer.arrayBuffer()));
	});
	return { ...server, borne };
}

/**
 * Amazon ECR's `GetAuthorizationToken`, to whoever signs for it with these keys; each call gives another password.
 *
 * @param {{ accessKeyId: string, secretAccessKey: string, sessionToken: string, region: string, seconds: number }} account
 */
export async function startEcr(account) {
	const state = {
		given: 0,
		refused: /** @type {string[]} */ ([]),
		down: false,
	};
	const password = () => `ecr-password-${state.given}`;
	const server = await listen((request, body, response) => {
		const wrong = state.down
			? "ServiceUnavailableException"
			: wrongSignature(request, body, account);
		if (wrong !== undefined) {
			state.refused.push(wrong);
			// It repeats what was signed, as Amazon does.
			const message = `${wrong}: ${JSON.stringify(request.headers)}`;
			json(response, state.down ? 500 : 400, { __type: wrong, message });
			return;
		}
		state.given += 1;
		json(response, 200, {
			authorizationData: [
				{
					authorizationToken: Buffer.from(`AWS:${password()}`).toString(
						"base64",
					),
					expiresAt: Date.now() / 1000 + account.seconds,
					proxyEndpoint: "https://somewhere.example",
				},
			],
		});
	});
	return { ...server, state, password };
}

/** @param {string | Buffer} key @param {string} text */
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
/** @param {string} text */
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/**
 * AWS General Reference, "Signature Version 4": the canonical request, what is signed of it, and the key.
 *
 * @param {Request} request @param {string} body @param {Parameters<typeof startEcr>[0]} account
 * @returns {string | undefined} what is wrong
 */
function wrongSignature({ method, url, headers }, body, account) {
	if (method !== "POST" || url !== "/" || body !== "{}")
		return "UnknownOperationException";
	if (
		headers["x-amz-target"] !==
		"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
	)
		return "UnknownOperationException";
	if (headers["content-type"] !== "application/x-amz-json-1.1")
		return "SerializationException";
	if (headers["x-amz-security-token"] !== account.sessionToken)
		return "UnrecognizedClientException";
	const [, id, day, region, service, names = "", signature] =
		/^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
			headers.authorization ?? "",
		) ?? [];
	if (id !== account.accessKeyId) return "UnrecognizedClientException";
	if (region !== account.region || service !== "ecr")
		return "SignatureDoesNotMatch";
	const time = String(headers["x-amz-date"]);
	const at = Date.parse(
		time.replace(
			/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
			"$1-$2-$3T$4:$5:$6Z",
		),
	);
	if (!time.startsWith(day ?? "?") || !(Math.abs(Date.now() - at) < 300_000))
		return "SignatureDoesNotMatch";
	const signed = names.split(";");
	if (
		!["host", "x-amz-date", "x-amz-security-token", "x-amz-target"].every(
			(name) => signed.includes(name),
		)
	)
		return "IncompleteSignatureException";
	const canonical = [
		method,
		"/",
		"",
		...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
		"",
		names,
		sha256(body),
	].join("\n");
	const scope = `${day}/${region}/${service}/aws4_request`;
	const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
	const key = [day ?? "", region, service, "aws4_request"].reduce(
		(/** @type {string | Buffer} */ key, part) => hmac(key, part),
		`AWS4${account.secretAccessKey}`,
	);
	return hmac(key, text).toString("hex") === signature
		? undefined
		: "SignatureDoesNotMatch";
}
