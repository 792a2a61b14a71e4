// What the command line asks a gateway beside images: its health, its metrics, what it tells its administrator.

import { codedError } from "../error.js";
import { headersOf } from "../public.js";
import { read } from "./inputs.js";
import { createReach } from "./network.js";

/** Bytes of an answer: an evidence document of 16 MiB in base64 is the largest. */
const LONGEST_ANSWER = 32 * 1024 * 1024;
const PATIENCE = 30_000;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** @typedef {{ status: number, headers: Map<string, string>, bytes: Uint8Array, validTo?: string }} Answer validTo: of the certificate, over TLS */
/** @typedef {{ method?: string, headers?: [string, string][], asAdministrator?: boolean }} Asking */

/** The administrator's secret, from a file or the environment: a flag would show it to everybody on the machine. @param {{ adminSecretFile?: string }} command @param {Record<string, string | undefined>} environment */
export function readSecret({ adminSecretFile }, { SEALGATE_ADMIN_SECRET }) {
	if (adminSecretFile === undefined) return SEALGATE_ADMIN_SECRET || undefined;
	const bytes = read(
		adminSecretFile,
		"admin-secret.unreadable",
		"--admin-secret-file",
	);
	const secret = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
	if (/^[\x21-\x7e][\x20-\x7e]*$/.test(secret)) return secret;
	throw codedError(
		"admin-secret.malformed",
		`--admin-secret-file ${adminSecretFile}: expected the secret on one line of ASCII, found something else`,
	);
}

/** Whether what is sent there can be read on the way. @param {string} origin */
export function isOpen(origin) {
	const { protocol, hostname } = new URL(origin);
	return protocol === "http:" && !LOOPBACK.test(hostname);
}

/** One gateway, and who asks it. */
export class GatewayClient {
	/** @param {string} origin @param {string[]} ca @param {string} [secret] */
	constructor(origin, ca, secret) {
		this.origin = origin;
		this.reach = createReach(ca, process.env);
		this.secret = secret;
	}

	/** @param {string} path @param {Asking} [asking] @returns {Promise<Answer>} */
	async ask(
		path,
		{ method = "GET", headers = [], asAdministrator = false } = {},
	) {
		const address = `${this.origin}${path}`;
		const signal = patience(address);
		const sent = asAdministrator ? [...headers, this.authorization()] : headers;
		try {
			const found = await this.reach(address, {
				method,
				headers: sent,
				signal,
				egress: "operator",
			});
			const socket = /** @type {import("node:tls").TLSSocket} */ (found.socket);
			const validTo = socket.getPeerCertificate?.().valid_to;
			return {
				status: found.statusCode ?? 0,
				headers: new Map(headersOf(found)),
				bytes: await whole(found, path),
				...(validTo && { validTo }),
			};
		} catch (error) {
			throw signal.aborted ? signal.reason : error;
		}
	}

	/** A document for the administrator alone. @param {string} path @returns {Promise<any>} */
	async administered(path) {
		const answer = await this.ask(path, { asAdministrator: true });
		if (answer.status === 200) return parsed(answer);
		const expected = `${this.origin}${path}: expected an answer for the administrator`;
		if (answer.status === 401)
			throw codedError(
				"admin-secret.refused",
				`${expected}, found 401: give the secret that the gateway has as ADMIN_SECRET`,
			);
		const { message = "" } = errorOf(answer) ?? {};
		throw codedError(
			"gateway.answer",
			`${expected}, found ${answer.status} (${message}): ${answer.status === 404 ? "give the gateway an ADMIN_SECRET, and for /admin/next a POLICY_NEXT" : "look into its log"}`,
		);
	}

	/** @returns {[string, string]} */
	authorization() {
		if (this.secret === undefined)
			throw codedError(
				"admin-secret.missing",
				"expected the administrator's secret, found none: add --admin-secret-file FILE or set $SEALGATE_ADMIN_SECRET",
			);
		if (isOpen(this.origin))
			throw codedError(
				"admin-secret.open",
				`the administrator's secret is not sent to ${this.origin}, where everybody on the way could read it: expected https://, or an address of this machine`,
			);
		return ["authorization", `Bearer ${this.secret}`];
	}
}

/** Until the whole answer is there. @param {string} address */
function patience(address) {
	const abort = new AbortController();
	setTimeout(
		() =>
			abort.abort(
				codedError(
					"gateway.silent",
					`${address}: expected an answer within ${PATIENCE / 1000} seconds, found none`,
				),
			),
		PATIENCE,
	).unref();
	return abort.signal;
}

/** @param {AsyncIterable<Uint8Array>} body @param {string} path */
async function whole(body, path) {
	const pieces = [];
	let length = 0;
	for await (const piece of body) {
		length += piece.length;
		if (length > LONGEST_ANSWER)
			throw codedError(
				"gateway.answer",
				`${path}: expected at most ${LONGEST_ANSWER} bytes, found more`,
			);
		pieces.push(piece);
	}
	return new Uint8Array(Buffer.concat(pieces));
}

/** @param {{ bytes: Uint8Array }} answer */
export function textOf({ bytes }) {
	return new TextDecoder().decode(bytes);
}

/** JSON, or nothing. @param {{ bytes: Uint8Array }} answer @returns {any} */
export function parsed(answer) {
	try {
		return JSON.parse(textOf(answer));
	} catch {
		return undefined;
	}
}

/** The first error of a registry's answer. @param {Answer} answer @returns {{ code?: string, message?: string } | undefined} */
export function errorOf(answer) {
	return parsed(answer)?.errors?.[0];
}

/** What a metric says: its values with their labels, as they stand there. @param {string} text @returns {Map<string, { labels: string, value: number }[]>} */
export function readMetrics(text) {
	/** @type {Map<string, { labels: string, value: number }[]>} */
	const found = new Map();
	for (const line of text.split("\n")) {
		const [, name, labels = "", value] =
			/^(\w+)(?:\{([^}]*)\})? (\S+)$/.exec(line) ?? [];
		if (name === undefined) continue;
		found.set(name, [
			...(found.get(name) ?? []),
			{ labels, value: Number(value) },
		]);
	}
	return found;
}
