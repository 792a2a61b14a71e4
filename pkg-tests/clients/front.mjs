// The worker in front of a real docker-registry, a fault-injecting proxy between the two.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	makeKey,
	pushImage,
	signBundle,
	signTag,
	startRegistry,
} from "../lib/peers.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { startWorker } from "../lib/serve.mjs";

/** The name under which policies and signatures know the registry, wherever it listens. */
export const NAME = "registry.test";

export const FRONT_PROGRAMS = {
	"docker-registry": "docker-registry",
	go: "golang-go (1.26 or newer: builds cosign)",
};

export const ACCEPT = [
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

/** @typedef {{ status: number, reason: string, headers: import("node:http").IncomingHttpHeaders, body: Buffer }} Answer */
/** @typedef {{ key: string, pub: string }} KeyPair */
/** @typedef {Awaited<ReturnType<typeof startFront>>} Front */

/** What admits images signed with a key, under their repository's name. @param {string} keyPath */
export function signedBy(keyPath) {
	return [
		{
			type: "sigstoreSigned",
			keyPath,
			signedIdentity: { type: "matchRepository" },
		},
	];
}

/** What admits images with a bundle by a key, which names no repository. @param {string} keyPath */
export function bundleBy(keyPath) {
	return [
		{
			type: "sigstoreSigned",
			keyPath,
			signedIdentity: { type: "matchDigest" },
		},
	];
}

export const ACCEPT_ANYTHING = [{ type: "insecureAcceptAnything" }];
export const REJECT = [{ type: "reject" }];

/**
 * @param {Record<string, object[]>} scopes docker scope → requirements; everything else is rejected. `good.pub` and `other.pub`
 *   are the keys that they may name
 * @param {{ sealgate?: object | null, registry?: typeof startRegistry, files?: Record<string, string> }} [options]
 *   sealgate: the policy's marker, `null` for a policy as podman knows it; files: further ones that it may name
 */
export async function startFront(
	scopes,
	{
		sealgate = { version: 1 },
		registry: start = startRegistry,
		files = {},
	} = {},
) {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-front-"));
	const good = await makeKey(folder, { name: "good" });
	const other = await makeKey(folder, { name: "other" });
	for (const [name, text] of Object.entries(files))
		await writeFile(join(folder, name), text);
	const policy = join(folder, "policy.json");
	await writeFile(
		policy,
		JSON.stringify({
			...(sealgate && { sealgate }),
			default: REJECT,
			transports: { docker: scopes },
		}),
	);
	const registry = await start();
	const proxy = await startProxy(registry.url);
	const worker = await startWorker({ upstream: proxy.url, name: NAME, policy });
	return {
		folder,
		policy,
		registry,
		proxy,
		worker,
		/** @param {string} path @param {AskOptions} [options] */
		ask: (path, options) => ask(worker.url, path, options),
		/**
		 * An image that only this test knows: nothing that was decided before can answer for it.
		 *
		 * @param {string} repo
		 * @param {string} tag
		 * @param {{ sign?: "tag" | "bundle", by?: "good" | "other", arches?: string[], identity?: string }} [options]
		 */
		async image(
			repo,
			tag,
			{ sign, by = "good", arches, identity = `${NAME}/${repo}` } = {},
		) {
			const digest = await pushImage(registry.host, repo, tag, {
				text: `${repo}:${tag} ${Math.random()}`,
				...(arches && { arches }),
			});
			const reference = `${registry.host}/${repo}@${digest}`;
			const { key } = by === "good" ? good : other;
			if (sign === "tag") await signTag(reference, { key, identity });
			if (sign === "bundle") await signBundle(reference, { key });
			return digest;
		},
		async stop() {
			await worker.stop();
			await proxy.stop();
			await registry.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** @typedef {{ method?: string, headers?: Record<string, string>, body?: string }} AskOptions */

/**
 * Sends the path as it is written: `fetch` would tidy it up first.
 *
 * @param {string} origin
 * @param {string} path
 * @param {AskOptions} [options]
 * @returns {Promise<Answer>}
 */
export function ask(origin, path, { method = "GET", headers = {}, body } = {}) {
	const { hostname, port } = new URL(origin);
	return new Promise((resolve, reject) => {
		const sent = request(
			{
				hostname,
				port,
				path,
				method,
				headers: { host: `localhost:${port}`, accept: ACCEPT, ...headers },
				agent: false,
			},
			(response) => {
				/** @type {Buffer[]} */
				const chunks = [];
				response.on("data", (chunk) => chunks.push(chunk));
				response.on("error", reject);
				response.on("end", () =>
					resolve({
						status: response.statusCode ?? 0,
						reason: response.statusMessage ?? "",
						headers: response.headers,
						body: Buffer.concat(chunks),
					}),
				);
			},
		);
		sent.on("error", reject);
		sent.end(body);
	});
}

/**
 * @param {Answer} answer
 * @param {number} status
 * @param {string} code
 */
export function assertRefused(answer, status, code) {
	const text = answer.body.toString();
	assert.equal(
		answer.status,
		status,
		`${answer.status} ${answer.reason}: ${text}`,
	);
	assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
	assert.match(answer.headers["cache-control"] ?? "", /no-store/);
	assert.equal(
		answer.headers["docker-content-digest"],
		undefined,
		"a refusal carries no digest",
	);
	const [first] = JSON.parse(text).errors;
	assert.equal(first.code, code);
	assert.match(first.message, /^sealgate: /);
	return first.message;
}

/** @param {Answer} answer */
export function assertDenied(answer) {
	const message = assertRefused(answer, 403, "DENIED");
	assert.match(answer.reason, /sealgate/, "the status line repeats the reason");
	return message;
}

/** Could not find out: never content. @param {Answer} answer */
export function assertUnavailable(answer) {
	return assertRefused(answer, 503, "UNAVAILABLE");
}
