// A registry with 200 signed images (10 × TAGS) in 10 repositories, in memory: what the benches ask. It counts requests by method,
// under /counts, and lists them under /requests, both since the last time. Prints its port once it listens, and the policy's key.

import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { payloadOf, signatureLayer } from "../lib/signature.mjs";

const REPOSITORIES = 10;
const TAGS = Number(process.env.TAGS ?? 20);
/** The name under which the images are signed. */
const NAME = "registry.bench";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

const { privateKey, publicKey } = generateKeyPairSync("ec", {
	namedCurve: "prime256v1",
});
/** @type {Map<string, { body: Buffer, type: string, digest: string }>} */
const content = new Map();
/** Each image by its tag and by its digest. @type {{ tag: string, digest: string }[]} */
const images = [];
const digestOf = (/** @type {Buffer} */ bytes) =>
	`sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const json = (/** @type {object} */ value) =>
	Buffer.from(JSON.stringify(value));

/** @param {string} repository @param {"manifests" | "blobs"} kind @param {Buffer} body @param {string} [tag] */
function put(repository, kind, body, tag) {
	const digest = digestOf(body);
	const type = kind === "blobs" ? "application/octet-stream" : MANIFEST;
	for (const reference of tag === undefined ? [digest] : [digest, tag])
		content.set(`/v2/${repository}/${kind}/${reference}`, {
			body,
			type,
			digest,
		});
	return { digest, size: body.length };
}

for (let number = 0; number < REPOSITORIES; number += 1) {
	const repository = `team-${number}/app`;
	for (let tag = 0; tag < TAGS; tag += 1) {
		const config = put(repository, "blobs", json({ repository, tag }));
		const manifest = (
			/** @type {string} */ configType,
			/** @type {object} */ config,
			/** @type {object[]} */ layers,
		) =>
			json({
				schemaVersion: 2,
				mediaType: MANIFEST,
				config: { mediaType: configType, ...config },
				layers,
			});
		const CONFIG = "application/vnd.oci.image.config.v1+json";
		const image = put(
			repository,
			"manifests",
			manifest(CONFIG, config, []),
			`v${tag}`,
		);
		images.push({
			tag: `/v2/${repository}/manifests/v${tag}`,
			digest: `/v2/${repository}/manifests/${image.digest}`,
		});
		const payload = payloadOf(`${NAME}/${repository}`, image.digest);
		const layer = signatureLayer(
			payload,
			put(repository, "blobs", payload),
			privateKey,
		);
		put(
			repository,
			"manifests",
			manifest(CONFIG, config, [layer]),
			`${image.digest.replace(":", "-")}.sig`,
		);
	}
}

/** @type {Record<string, number>} */
let counts = {};
/** @type {{ method?: string, path: string, accept?: string }[]} */
let requests = [];

const server = createServer((request, response) => {
	const path = request.url ?? "";
	if (path === "/counts") {
		response.end(JSON.stringify(counts));
		counts = {};
		return;
	}
	if (path === "/requests") {
		response.end(JSON.stringify(requests));
		requests = [];
		return;
	}
	if (path === "/v2/") {
		response.end("{}");
		return;
	}
	const { method, headers } = request;
	if (requests.length < 100)
		requests.push({ method, path, accept: headers.accept });
	counts[request.method ?? ""] = (counts[request.method ?? ""] ?? 0) + 1;
	const found = content.get(path);
	if (found === undefined) {
		response.writeHead(404, { "content-type": "application/json" });
		response.end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
		return;
	}
	response.writeHead(200, {
		"content-type": found.type,
		"content-length": found.body.length,
		"docker-content-digest": found.digest,
	});
	response.end(request.method === "HEAD" ? undefined : found.body);
});

server.listen(0, "127.0.0.1", () => {
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	console.log(
		JSON.stringify({
			port,
			key: publicKey.export({ type: "spki", format: "pem" }),
			name: NAME,
			images,
		}),
	);
});
