// A registry with images without end, for the soak: each is made when it is asked for, from its number, so that nothing here grows.
// In `soak/signed` every image is signed, in `soak/unsigned` none, in `soak/stranger` by another key. Prints its port and the key.

import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { payloadOf, signatureLayer } from "../lib/signature.mjs";

const NAME = "registry.soak";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
/** So many images are still known by their digests. */
const KNOWN = 20_000;

const pair = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const [ours, stranger] = [pair(), pair()];
const digestOf = (/** @type {Buffer} */ bytes) =>
	`sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const json = (/** @type {object} */ value) =>
	Buffer.from(JSON.stringify(value));
const described = (/** @type {Buffer} */ bytes) => ({
	digest: digestOf(bytes),
	size: bytes.length,
});

/** Digest of a manifest, its config or its signature's payload → the image. @type {Map<string, { repository: string, tag: string }>} */
const known = new Map();

/** @param {string} repository @param {string} tag */
function imageOf(repository, tag) {
	const config = json({ architecture: "amd64", os: "linux", repository, tag });
	const manifest = json({
		schemaVersion: 2,
		mediaType: MANIFEST,
		config: { mediaType: CONFIG, ...described(config) },
		layers: [],
	});
	const payload = payloadOf(`${NAME}/${repository}`, digestOf(manifest));
	for (const bytes of [config, manifest, payload]) {
		const digest = digestOf(bytes);
		known.delete(digest);
		known.set(digest, { repository, tag });
	}
	for (const [oldest] of known) {
		if (known.size <= 3 * KNOWN) break;
		known.delete(oldest);
	}
	return { config, manifest, payload };
}

/** @param {string} repository @param {string} kind @param {string} reference */
function find(repository, kind, reference) {
	const signs = /^sha256-([0-9a-f]{64})\.sig$/.exec(reference);
	const digest = signs ? `sha256:${signs[1]}` : reference;
	const of = digest.startsWith("sha256:")
		? known.get(digest)
		: { repository, tag: reference };
	if (of === undefined || of.repository !== repository) return undefined;
	if (!/^v\d+$/.test(of.tag)) return undefined;
	const { config, manifest, payload } = imageOf(repository, of.tag);
	if (signs) {
		if (repository === "soak/unsigned") return undefined;
		const { privateKey } = repository === "soak/signed" ? ours : stranger;
		return json({
			schemaVersion: 2,
			mediaType: MANIFEST,
			config: { mediaType: CONFIG, ...described(config) },
			layers: [signatureLayer(payload, described(payload), privateKey)],
		});
	}
	if (kind === "manifests") return manifest;
	return [config, payload].find((bytes) => digestOf(bytes) === digest);
}

const server = createServer((request, response) => {
	const { pathname } = new URL(request.url ?? "/", "http://registry");
	const [, repository, kind, reference] =
		/^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
	const body =
		pathname === "/v2/"
			? Buffer.from("{}")
			: kind && repository && reference
				? find(repository, kind, reference)
				: undefined;
	if (body === undefined) {
		response
			.writeHead(404, { "content-type": "application/json" })
			.end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
		return;
	}
	response.writeHead(200, {
		"content-type": kind === "blobs" ? "application/octet-stream" : MANIFEST,
		"content-length": body.length,
		"docker-content-digest": digestOf(body),
	});
	response.end(request.method === "HEAD" ? undefined : body);
});

server.listen(0, "127.0.0.1", () => {
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	console.log(
		JSON.stringify({
			port,
			name: NAME,
			key: ours.publicKey.export({ type: "spki", format: "pem" }),
		}),
	);
});
