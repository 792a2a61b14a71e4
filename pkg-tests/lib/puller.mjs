/**
 * A client that asks as containerd asks, and as podman asks, in this process: it signs in where it is told to, takes what it is
 * refused as a manifest from among the blobs, and follows redirects of blobs. What it got whole is in its store, under the digest of
 * what it got: a manifest by tag whatever it is, as podman has it, anything else only if it is what was asked for.
 *
 * @module
 */
import { ACCEPT } from "../clients/front.mjs";
import { sha256 } from "./peers.mjs";

/** Longer than the gateway waits for a registry. */
const PATIENCE_MS = 4_000;

/** @typedef {{ stored: Set<string>, answers: string[] }} Pulled answers: in words, for who reads a failure */
/** @typedef {{ user: string, password: string }} User */

/**
 * @param {string} origin of the gateway
 * @param {string} repository
 * @param {string} tag
 * @param {User} user
 * @returns {Promise<Pulled>}
 */
export async function pull(origin, repository, tag, user) {
	/** @type {Pulled} */
	const pulled = { stored: new Set(), answers: [] };
	/** @type {string | undefined} */
	let bearer;

	/** @param {string} method @param {string} path */
	const ask = async (method, path) => {
		const url = `${origin}/v2/${repository}/${path}`;
		let answer = await send(method, url, bearer);
		if (answer.status === 401) {
			bearer = await tokenFor(answer.headers.get("www-authenticate"), user);
			if (bearer !== undefined) answer = await send(method, url, bearer);
		}
		pulled.answers.push(`${method} ${path}: ${answer.status}`);
		return answer;
	};
	/** What was asked for, or nothing. @param {string} path @param {string} digest */
	const take = async (path, digest) => {
		const { status, body } = await ask("GET", path);
		if (status !== 200 || sha256(body) !== digest) return undefined;
		pulled.stored.add(digest);
		return body;
	};
	/** @param {string} digest */
	const manifest = async (digest) =>
		(await take(`manifests/${digest}`, digest)) ??
		(await take(`blobs/${digest}`, digest));
	/** @param {Buffer | undefined} bytes @returns {Promise<void>} */
	const follow = async (bytes) => {
		const { manifests, config, layers = [] } = parsed(bytes);
		// Of an index, what would be of this machine's platform.
		if (Array.isArray(manifests))
			await follow(await manifest(manifests[0]?.digest));
		for (const part of config ? [config, ...layers] : [])
			await take(`blobs/${part.digest}`, part.digest);
	};

	const head = await ask("HEAD", `manifests/${tag}`);
	const digest = head.headers.get("docker-content-digest");
	if (head.status === 200 && digest) await follow(await manifest(digest));
	const byTag = await ask("GET", `manifests/${tag}`);
	if (byTag.status === 200) {
		pulled.stored.add(sha256(byTag.body));
		await follow(byTag.body);
	}
	return pulled;
}

/** @param {string} method @param {string} url @param {string | undefined} bearer */
async function send(method, url, bearer) {
	/** @type {Record<string, string>} */
	const headers = { accept: ACCEPT };
	if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
	try {
		const answer = await fetch(url, {
			method,
			headers,
			signal: AbortSignal.timeout(PATIENCE_MS),
		});
		const body = Buffer.from(await answer.arrayBuffer());
		return { status: answer.status, headers: answer.headers, body };
	} catch {
		// Cut, or too slow: nothing was got.
		return { status: 0, headers: new Headers(), body: Buffer.alloc(0) };
	}
}

/** @param {string | null} challenge @param {User} user @returns {Promise<string | undefined>} */
async function tokenFor(challenge, { user, password }) {
	const { realm, ...parameters } = Object.fromEntries(
		[...(challenge ?? "").matchAll(/(\w+)="([^"]*)"/g)].map(
			([, name, value]) => [name, value],
		),
	);
	if (realm === undefined) return undefined;
	const basic = Buffer.from(`${user}:${password}`).toString("base64");
	try {
		const answer = await fetch(`${realm}?${new URLSearchParams(parameters)}`, {
			headers: { authorization: `Basic ${basic}` },
			signal: AbortSignal.timeout(PATIENCE_MS),
		});
		const { token } = await answer.json();
		return typeof token === "string" ? token : undefined;
	} catch {
		return undefined;
	}
}

/** @param {Buffer | undefined} bytes */
function parsed(bytes) {
	try {
		return JSON.parse(bytes?.toString() ?? "{}") ?? {};
	} catch {
		return {};
	}
}
