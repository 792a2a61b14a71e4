/**
 * The embedded demo registry: answers the read side of the OCI distribution protocol from OCI layouts on disk.
 *
 * It is a registry like any other to the gateway, and as little trusted. `demo/tampered` proves it: its manifest's bytes are
 * not those that its index.json names, and this registry, as a hostile one would, sends the named digest along with them.
 *
 * Layout: `<repository>/{oci-layout,index.json,blobs/sha256/*}`, tags by the annotation `org.opencontainers.image.ref.name`.
 * Referrers are not answered (404), so that clients use the tag schema. Beside the registry, under `/lookaside/`, lie the simple
 * signatures of `lookaside/`, as a web server would give them.
 *
 * @module
 */

/** @typedef {{ fetch(input: string, init?: RequestInit): Promise<Response> }} Fetcher */
/** @typedef {{ mediaType?: string, digest: string, size?: number, annotations?: Record<string, string> }} Descriptor */

const REPOSITORY = /^\/v2\/demo\/([a-z0-9-]+)\/(.+)$/;
/** As registries.d has it: `<repository>@<digest>/signature-<number>`. */
const SIGNATURE =
	/^\/lookaside\/(demo\/[a-z0-9-]+@sha256=[0-9a-f]{64}\/signature-[0-9]+)$/;
const DIGEST = /^sha256:([0-9a-f]{64})$/;
const TAG_ANNOTATION = "org.opencontainers.image.ref.name";
/** As the gateway bounds manifests. */
const MANIFEST_LIMIT = 4 * 1024 * 1024;

/** The address at which the demo stands for a gateway; there is no such host. */
export const DEMO_UPSTREAM = "http://demo.example";

/** Whether the demo is asked: its registry, or its lookaside. @param {string} url */
export const isOfDemo = (url) => new URL(url).origin === DEMO_UPSTREAM;

/**
 * @param {Request} request
 * @param {Fetcher} layouts the folder of layouts, as a file service
 * @returns {Promise<Response>}
 */
export async function demoRegistry(request, layouts) {
	if (request.method !== "GET" && request.method !== "HEAD")
		return failure(
			request,
			405,
			"UNSUPPORTED",
			"the demo registry is read-only",
		);
	const { pathname } = new URL(request.url);
	if (pathname === "/v2/" || pathname === "/v2")
		return reply(request, 200, "application/json", encode({}));
	const signature = SIGNATURE.exec(pathname)?.[1];
	if (signature !== undefined)
		return layouts.fetch(`http://demo.invalid/lookaside/${signature}`, {
			method: request.method,
		});
	const [, repository, rest] = REPOSITORY.exec(pathname) ?? [];
	const index =
		repository === undefined ? undefined : await indexOf(layouts, repository);
	if (repository === undefined || rest === undefined || index === undefined)
		return failure(
			request,
			404,
			"NAME_UNKNOWN",
			"no such repository in the demo",
		);
	if (rest.startsWith("manifests/"))
		return manifest(
			request,
			layouts,
			repository,
			index,
			rest.slice("manifests/".length),
		);
	if (rest.startsWith("blobs/"))
		return blob(request, layouts, repository, rest.slice("blobs/".length));
	if (rest === "tags/list") return tags(request, repository, index);
	return failure(
		request,
		404,
		"NOT_FOUND",
		"the demo registry has no such endpoint",
	);
}

/**
 * @param {Fetcher} layouts
 * @param {string} repository
 * @returns {Promise<Descriptor[] | undefined>}
 */
async function indexOf(layouts, repository) {
	const file = await layouts.fetch(
		`http://demo.invalid/${repository}/index.json`,
	);
	if (!file.ok) return undefined;
	return /** @type {{ manifests: Descriptor[] }} */ (await file.json())
		.manifests;
}

/**
 * @param {Request} request
 * @param {Fetcher} layouts
 * @param {string} repository
 * @param {Descriptor[]} index
 * @param {string} reference a tag or a digest
 */
async function manifest(request, layouts, repository, index, reference) {
	const known = index.find(
		({ digest, annotations }) =>
			digest === reference || annotations?.[TAG_ANNOTATION] === reference,
	);
	const digest = known?.digest ?? reference;
	const file = await blobFile(layouts, repository, digest);
	const length = Number(file?.headers.get("content-length") ?? MANIFEST_LIMIT);
	if (file === undefined || length > MANIFEST_LIMIT)
		return failure(
			request,
			404,
			"MANIFEST_UNKNOWN",
			`the demo has no manifest ${reference}`,
		);
	const bytes = new Uint8Array(await file.arrayBuffer());
	// The children of an index are not in index.json: they say themselves what they are.
	const type = known?.mediaType ?? mediaTypeOf(bytes);
	if (type === undefined)
		return failure(
			request,
			404,
			"MANIFEST_UNKNOWN",
			`the demo has no manifest ${reference}`,
		);
	return reply(request, 200, type, bytes, { "docker-content-digest": digest });
}

/** @param {Uint8Array} bytes */
function mediaTypeOf(bytes) {
	try {
		const { mediaType } = JSON.parse(new TextDecoder().decode(bytes));
		return typeof mediaType === "string" ? mediaType : undefined;
	} catch {
		return undefined;
	}
}

/**
 * @param {Request} request
 * @param {Fetcher} layouts
 * @param {string} repository
 * @param {string} digest
 */
async function blob(request, layouts, repository, digest) {
	const file = await blobFile(layouts, repository, digest, request);
	if (file === undefined)
		return failure(
			request,
			404,
			"BLOB_UNKNOWN",
			`the demo has no blob ${digest}`,
		);
	const headers = new Headers({
		"content-type": "application/octet-stream",
		"docker-content-digest": digest,
		"accept-ranges": "bytes",
	});
	for (const name of ["content-length", "content-range"]) {
		const value = file.headers.get(name);
		if (value !== null) headers.set(name, value);
	}
	return new Response(request.method === "HEAD" ? null : file.body, {
		status: file.status,
		headers,
	});
}

/**
 * @param {Fetcher} layouts
 * @param {string} repository
 * @param {string} digest
 * @param {Request} [request] whose method and range count
 */
async function blobFile(layouts, repository, digest, request) {
	const hex = DIGEST.exec(digest)?.[1];
	if (hex === undefined) return undefined;
	const range = request?.headers.get("range");
	const file = await layouts.fetch(
		`http://demo.invalid/${repository}/blobs/sha256/${hex}`,
		{
			method: request?.method ?? "GET",
			headers: range == null ? {} : { range },
		},
	);
	return file.ok || file.status === 416 ? file : undefined;
}

/**
 * @param {Request} request
 * @param {string} repository
 * @param {Descriptor[]} index
 */
function tags(request, repository, index) {
	const names = index
		.flatMap(({ annotations }) => annotations?.[TAG_ANNOTATION] ?? [])
		.sort();
	return reply(
		request,
		200,
		"application/json",
		encode({ name: `demo/${repository}`, tags: names }),
	);
}

/**
 * @param {Request} request
 * @param {number} status
 * @param {string} code
 * @param {string} message
 */
function failure(request, status, code, message) {
	return reply(
		request,
		status,
		"application/json",
		encode({ errors: [{ code, message }] }),
	);
}

/**
 * @param {Request} request
 * @param {number} status
 * @param {string} type
 * @param {Uint8Array} body
 * @param {Record<string, string>} [more]
 */
function reply(request, status, type, body, more = {}) {
	return new Response(
		request.method === "HEAD" ? null : /** @type {BodyInit} */ (body),
		{
			status,
			headers: {
				"content-type": type,
				"content-length": String(body.length),
				"docker-distribution-api-version": "registry/2.0",
				...more,
			},
		},
	);
}

/** @param {object} value */
function encode(value) {
	return new TextEncoder().encode(JSON.stringify(value));
}
