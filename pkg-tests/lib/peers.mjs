// The real parts that tests and fixtures are made with: registries, cosign 2 and 3, crane, and small images to sign.
//
// In scope: starting them on free loopback ports with storage of their own, ending them by process id, and signing on the spot.
// Out of scope: anything that judges a signature. Everything written here is made by the real tools.

import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUILD = fileURLToPath(new URL("../peers/build.sh", import.meta.url));

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX =
	"application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const MANIFESTS = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

// One fixed moment, so that the same text always gives the same image.
const CREATED = "2026-01-01T00:00:00Z";

/** Key types that `makeKey` makes, with openssl's arguments for each. */
export const KEY_TYPES = Object.freeze({
	"ecdsa-p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
	"ecdsa-p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
	"ecdsa-p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
	ed25519: ["-algorithm", "ED25519"],
	"rsa-2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
	"rsa-3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
	"rsa-4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
});

/**
 * @typedef {object} Registry
 * @property {string} url      e.g. `http://127.0.0.1:40123`
 * @property {string} host     e.g. `127.0.0.1:40123`
 * @property {string} [storage] the folder of its files, when it keeps any
 * @property {() => Promise<void>} stop   ends the process and removes its storage
 */

/** @typedef {{ mediaType: string, digest: string, size: number }} Descriptor */
/** @typedef {{ key: string, pub: string, pem?: string }} KeyPair paths: cosign's encrypted private key (empty password), the PEM public key, and openssl's PKCS#8 private key when it made the pair */

// --- programs ---

/** @type {Map<string, Promise<string>>} */
const built = new Map();

/**
 * The path of a peer's program, built first when the cache has none.
 * @param {"buildctl"|"buildkitd"|"containerd2"|"cosign2"|"cosign3"|"crane"|"cri"|"ctr2"|"distribution"|"dockerd"|"fulcio"|"go-reader"|"image-copy"|"mirror-sets"|"oci-conformance"|"oras"|"referrers-registry"|"rekor2"|"timestamp-authority"} name
 * @returns {Promise<string>}
 */
export function tool(name) {
	const known = built.get(name);
	if (known) return known;
	const path = run(BUILD, [name], { timeout: 1_200_000 }).then((out) =>
		out.stdout.trim(),
	);
	built.set(name, path);
	return path;
}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, timeout?: number }} [options]  timeout in milliseconds, two minutes when not given
 * @returns {Promise<{ stdout: string, stderr: string }>}
 * @throws {Error} with the program's own words, when it fails or is not there
 */
export function run(program, args, options = {}) {
	const env = { ...process.env, ...options.env };
	return new Promise((resolve, reject) => {
		const child = execFile(
			program,
			args,
			{
				env,
				cwd: options.cwd,
				maxBuffer: 64 << 20,
				timeout: options.timeout ?? 120_000,
			},
			(error, stdout, stderr) => {
				if (!error) return resolve({ stdout, stderr });
				const why =
					error.code === "ENOENT"
						? "the program is not installed"
						: error.killed
							? "took too long"
							: stderr.trim() || error.message;
				reject(new Error(`${program} ${args.join(" ")}: ${why}`));
			},
		);
		child.stdin?.end(); // a question to the terminal is a failure, not a wait
	});
}

/**
 * Starts a server and waits for the line that names its address.
 * @param {string} program
 * @param {string[]} args
 * @param {RegExp} address   its first group is `host:port`
 * @param {Record<string, string>} [env]  added to ours
 * @returns {Promise<{ host: string, stop: () => Promise<void> }>}
 */
export function serve(program, args, address, env = {}) {
	const child = spawn(program, args, {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, ...env },
	});
	const exited = new Promise((resolve) => child.once("exit", resolve));
	const end = () => void child.kill("SIGTERM");
	process.once("exit", end);
	const stop = async () => {
		process.removeListener("exit", end);
		if (child.exitCode === null && child.signalCode === null)
			child.kill("SIGTERM");
		await exited;
	};
	return new Promise((resolve, reject) => {
		let output = "";
		let found = false;
		const read = (/** @type {Buffer} */ chunk) => {
			if (found) return; // keep draining, or the server blocks on a full pipe
			output += chunk.toString();
			const match = address.exec(output);
			if (!match) return;
			found = true;
			resolve({ host: match[1], stop });
		};
		child.stdout.on("data", read);
		child.stderr.on("data", read);
		child.once("error", (error) =>
			reject(
				new Error(
					`${program} did not start: ${error.message} (Debian: apt-get install docker-registry)`,
				),
			),
		);
		child.once("exit", (code) =>
			reject(
				new Error(
					`${program} ended with ${code} before it served: ${output.trim()}`,
				),
			),
		);
	});
}

// --- registries ---

/**
 * Debian's docker-registry (distribution 2.8: no referrers API) on a free loopback port, storage in a temporary folder, deletion allowed.
 * @returns {Promise<Registry>}
 */
export async function startRegistry() {
	return startDistribution("docker-registry");
}

/**
 * The same, over the files of another one, for those who bring a token alone.
 * @param {Registry} of
 * @param {{ realm: string, service: string, issuer: string, bundle: string }} token  bundle: the issuer's certificate, as PEM
 * @returns {Promise<Registry>}
 */
export async function startTokenRegistry(
	{ storage },
	{ realm, service, issuer, bundle },
) {
	if (!storage) throw new Error("expected a registry with storage, found none");
	const auth = `auth:
  token: ${JSON.stringify({ realm, service, issuer, rootcertbundle: bundle })}
`;
	return startDistribution("docker-registry", { data: storage, more: auth });
}

/**
 * docker-registry as a cache of another registry: its mode `proxy`.
 * @param {string} remote   its address
 * @returns {Promise<Registry>}
 */
export async function startCachingRegistry(remote) {
	const more = `proxy: {remoteurl: ${JSON.stringify(remote)}}\n`;
	return startDistribution("docker-registry", { more });
}

/**
 * distribution 3 (no referrers API either), built from source.
 * @returns {Promise<Registry>}
 */
export async function startDistribution3() {
	return startDistribution(await tool("distribution"));
}

/**
 * @param {string} program
 * @param {{ data?: string, more?: string }} [options]  data: somebody else's folder of files; more: lines of the configuration
 * @returns {Promise<Registry>}
 */
async function startDistribution(program, { data, more = "" } = {}) {
	const storage = await mkdtemp(join(tmpdir(), "sealgate-registry-"));
	const config = join(storage, "config.yml");
	const files = data ?? join(storage, "data");
	await writeFile(
		config,
		`version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${JSON.stringify(files)}}
  delete: {enabled: true}
http: {addr: "127.0.0.1:0"}
${more}`,
	);
	const remove = () => rm(storage, { recursive: true, force: true });
	try {
		const server = await serve(
			program,
			["serve", config],
			/listening on (127\.0\.0\.1:\d+)/,
		);
		const stop = async () => {
			await server.stop();
			await remove();
		};
		return {
			url: `http://${server.host}`,
			host: server.host,
			storage: files,
			stop,
		};
	} catch (error) {
		await remove();
		throw error;
	}
}

/**
 * go-containerregistry's registry in memory, with the referrers API switched on.
 * @returns {Promise<Registry>}
 */
export async function startCraneRegistry() {
	const server = await serve(
		await tool("referrers-registry"),
		[],
		/^(127\.0\.0\.1:\d+)$/m,
	);
	return { url: `http://${server.host}`, host: server.host, stop: server.stop };
}

// --- images ---

/**
 * @typedef {object} ImageOptions
 * @property {string} text                  what the file `/hello` of the image says
 * @property {string[]} [arches]            one: an image; several: an index of images. Default `["amd64"]`
 * @property {"oci"|"docker"} [format]      media types. Default `"oci"`
 * @property {Record<string, string>} [annotations]  of the manifest that is tagged
 */

/**
 * Pushes an image of a few hundred bytes, the same bytes for the same arguments.
 * @param {string} host
 * @param {string} repo
 * @param {string} tag
 * @param {ImageOptions} options
 * @returns {Promise<string>} the digest of the manifest or index that the tag means
 */
export async function pushImage(
	host,
	repo,
	tag,
	{ text, arches = ["amd64"], format = "oci", annotations },
) {
	const types =
		format === "docker"
			? { manifest: DOCKER_MANIFEST, index: DOCKER_INDEX }
			: { manifest: OCI_MANIFEST, index: OCI_INDEX };
	if (arches.length === 1) {
		const manifest = await pushParts(host, repo, {
			text,
			arch: arches[0],
			format,
			annotations,
		});
		return putManifest(host, repo, tag, types.manifest, manifest);
	}
	const manifests = [];
	for (const arch of arches) {
		const bytes = await pushParts(host, repo, { text, arch, format });
		const digest = await putManifest(
			host,
			repo,
			sha256(bytes),
			types.manifest,
			bytes,
		);
		manifests.push({
			mediaType: types.manifest,
			digest,
			size: bytes.length,
			platform: { architecture: arch, os: "linux" },
		});
	}
	return putManifest(
		host,
		repo,
		tag,
		types.index,
		json({
			schemaVersion: 2,
			mediaType: types.index,
			manifests,
			...(annotations && { annotations }),
		}),
	);
}

/**
 * Pushes the config and the one layer of an image, and gives its manifest.
 * @param {string} host
 * @param {string} repo
 * @param {{ text: string, arch: string, format: "oci"|"docker", annotations?: Record<string, string> }} image
 * @returns {Promise<Buffer>}
 */
async function pushParts(host, repo, { text, arch, format, annotations }) {
	const docker = format === "docker";
	const tar = tarOf("hello", Buffer.from(text));
	const layer = gzip(tar);
	const config = json({
		created: CREATED,
		architecture: arch,
		os: "linux",
		config: {},
		rootfs: { type: "layers", diff_ids: [sha256(tar)] },
		history: [{ created: CREATED, created_by: "sealgate fixture" }],
	});
	await putBlob(host, repo, layer);
	await putBlob(host, repo, config);
	const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
	return json({
		schemaVersion: 2,
		mediaType,
		config: describe(docker ? DOCKER_CONFIG : OCI_CONFIG, config),
		layers: [describe(docker ? DOCKER_LAYER : OCI_LAYER, layer)],
		...(annotations && { annotations }),
	});
}

/**
 * Pushes an OCI layout as `make fixtures` writes it: all blobs, then every tag of index.json.
 * @param {string} host
 * @param {string} repo
 * @param {string} dir
 * @throws {Error} for a layout that was tampered with: push another image and see `tamper`
 */
export async function pushLayout(host, repo, dir) {
	const blob = (/** @type {string} */ digest) =>
		readFile(join(dir, "blobs", ...digest.split(":")));
	const push = async (
		/** @type {Descriptor} */ descriptor,
		/** @type {string} */ reference,
	) => {
		const bytes = await blob(descriptor.digest);
		// Under a tag a registry would take it, as another image than the one that was signed.
		if (sha256(bytes) !== descriptor.digest)
			throw new Error(
				`${dir}: expected the bytes of ${descriptor.digest}, found ${sha256(bytes)}`,
			);
		const manifest = JSON.parse(bytes.toString());
		for (const child of manifest.manifests ?? [])
			await push(child, child.digest);
		for (const part of [manifest.config, ...(manifest.layers ?? [])])
			if (part) await putBlob(host, repo, await blob(part.digest));
		await putManifest(host, repo, reference, descriptor.mediaType, bytes);
	};
	const index = JSON.parse(await readFile(join(dir, "index.json"), "utf8"));
	for (const entry of index.manifests)
		await push(entry, entry.annotations["org.opencontainers.image.ref.name"]);
}

/**
 * Changes stored bytes behind a registry's back: it goes on serving them under the old digest.
 * @param {Registry} registry   one with storage
 * @param {string} digest       of a manifest or blob
 * @param {string} from         what stands in it
 * @param {string} to           of the same length
 */
export async function tamper(registry, digest, from, to) {
	if (!registry.storage)
		throw new Error(
			`expected a registry with storage, found ${registry.url} without`,
		);
	const [algorithm, hex] = digest.split(":");
	const path = join(
		registry.storage,
		"docker/registry/v2/blobs",
		algorithm,
		hex.slice(0, 2),
		hex,
		"data",
	);
	const before = await readFile(path, "latin1");
	if (!before.includes(from) || from.length !== to.length)
		throw new Error(
			`${digest}: expected to replace "${from}" by as many bytes, found neither place nor length`,
		);
	await writeFile(path, before.replace(from, to), "latin1");
}

/**
 * @param {string} host
 * @param {string} repo
 * @param {string} reference tag or digest
 * @param {string} mediaType
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} digest
 */
export async function putManifest(host, repo, reference, mediaType, bytes) {
	const headers = { "content-type": mediaType };
	await expect(
		await fetch(`http://${host}/v2/${repo}/manifests/${reference}`, {
			method: "PUT",
			headers,
			body: /** @type {BodyInit} */ (bytes),
		}),
		`put manifest ${reference}`,
	);
	return sha256(bytes);
}

/**
 * @param {string} host
 * @param {string} repo
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} digest
 */
export async function putBlob(host, repo, bytes) {
	const digest = sha256(bytes);
	const start = await expect(
		await fetch(`http://${host}/v2/${repo}/blobs/uploads/`, { method: "POST" }),
		"start an upload",
	);
	const place = new URL(start.headers.get("location") ?? "", `http://${host}`);
	place.searchParams.set("digest", digest);
	const headers = { "content-type": "application/octet-stream" };
	await expect(
		await fetch(place, {
			method: "PUT",
			headers,
			body: /** @type {BodyInit} */ (bytes),
		}),
		`put blob ${digest}`,
	);
	return digest;
}

/**
 * @param {string} host
 * @param {string} repo
 * @param {string} reference tag or digest
 * @returns {Promise<{ bytes: Buffer, mediaType: string, digest: string } | null>} null when there is none
 */
export async function fetchManifest(host, repo, reference) {
	const response = await fetch(
		`http://${host}/v2/${repo}/manifests/${reference}`,
		{ headers: { accept: MANIFESTS.join(", ") } },
	);
	if (response.status === 404) return null;
	await expect(response, `get manifest ${reference}`);
	const bytes = Buffer.from(await response.arrayBuffer());
	return {
		bytes,
		mediaType: response.headers.get("content-type") ?? "",
		digest: sha256(bytes),
	};
}

/**
 * @param {string} host
 * @param {string} repo
 * @param {string} digest
 * @returns {Promise<Buffer>}
 */
export async function fetchBlob(host, repo, digest) {
	const response = await expect(
		await fetch(`http://${host}/v2/${repo}/blobs/${digest}`),
		`get blob ${digest}`,
	);
	return Buffer.from(await response.arrayBuffer());
}

/**
 * @param {string} host
 * @param {string} repo
 * @returns {Promise<string[]>} sorted
 */
export async function listTags(host, repo) {
	const response = await expect(
		await fetch(`http://${host}/v2/${repo}/tags/list?n=1000`),
		`list tags of ${repo}`,
	);
	const list = /** @type {{ tags?: string[] | null }} */ (
		await response.json()
	);
	return (list.tags ?? []).sort();
}

/**
 * The tag under which something about an image hangs: `sha256-<hex>` with cosign's suffix, or none (the referrers tag schema).
 * @param {string} digest
 * @param {string} [suffix] `.sig`, `.att` or empty
 */
export function tagOf(digest, suffix = "") {
	return digest.replace(":", "-") + suffix;
}

// --- signing ---

// No password: the keys live for one run. No docker configuration: nobody's credentials play a part.
export const COSIGN_ENV = {
	COSIGN_PASSWORD: "",
	DOCKER_CONFIG: "/nonexistent",
};

/**
 * A fresh key pair, as cosign keeps it.
 * @param {string} dir      made when it is not there
 * @param {{ name?: string, type?: keyof typeof KEY_TYPES }} [options]  type: made by openssl and imported; without it, cosign's own generation (ECDSA P-256)
 * @returns {Promise<KeyPair>}
 */
export async function makeKey(dir, { name = "cosign", type } = {}) {
	await mkdir(dir, { recursive: true });
	const prefix = join(dir, name);
	const pair = { key: `${prefix}.key`, pub: `${prefix}.pub` };
	if (!type) {
		await run(
			await tool("cosign2"),
			["generate-key-pair", "--output-key-prefix", prefix],
			{ env: COSIGN_ENV },
		);
		return pair;
	}
	const pem = `${prefix}.pem`;
	await run("openssl", ["genpkey", ...KEY_TYPES[type], "-out", pem]);
	await run(
		await tool("cosign2"),
		["import-key-pair", "--yes", "--key", pem, "--output-key-prefix", prefix],
		{ env: COSIGN_ENV },
	);
	return { ...pair, pem };
}

/**
 * Signs with cosign 2: a layer of the manifest under the tag `sha256-….sig`.
 * @param {string} image    `host/repo@sha256:…`
 * @param {{ key: string, identity?: string, annotations?: Record<string, string>, recursive?: boolean, args?: string[] }} options
 *        identity: the name that the payload records (without it, the repository as it was signed)
 */
export async function signTag(
	image,
	{ key, identity, annotations = {}, recursive = false, args = [] },
) {
	const options = [
		"--key",
		key,
		"--tlog-upload=false",
		"--allow-http-registry",
		...args,
	];
	if (identity) options.push("--sign-container-identity", identity);
	if (recursive) options.push("--recursive");
	for (const [name, value] of Object.entries(annotations))
		options.push("-a", `${name}=${value}`);
	await run(await tool("cosign2"), ["sign", "-y", ...options, image], {
		env: COSIGN_ENV,
	});
}

/**
 * Attests with cosign 2: a layer (the envelope) of the manifest under the tag `sha256-….att`.
 * @param {string} image    `host/repo@sha256:…`
 * @param {{ key: string, type: string, predicate: string }} options  predicate: path of a JSON file
 */
export async function attestTag(image, { key, type, predicate }) {
	const options = [
		"--key",
		key,
		"--tlog-upload=false",
		"--allow-http-registry",
		"--type",
		type,
		"--predicate",
		predicate,
	];
	await run(await tool("cosign2"), ["attest", "-y", ...options, image], {
		env: COSIGN_ENV,
	});
}

/**
 * Hangs a signature made elsewhere on an image, with `cosign attach signature` (what users of their own signing hardware do).
 * @param {string} image    `host/repo@sha256:…`
 * @param {{ payload: string, signature: string }} files  paths; the signature in base64
 */
export async function attachSignature(image, { payload, signature }) {
	const options = [
		"--payload",
		payload,
		"--signature",
		signature,
		"--allow-http-registry",
	];
	await run(await tool("cosign2"), ["attach", "signature", ...options, image], {
		env: COSIGN_ENV,
	});
}

/**
 * Signs with cosign 3: a Sigstore bundle as a referrer (without a referrers API: on the index under the tag `sha256-…`).
 * @param {string} image    `host/repo@sha256:…`
 * @param {{ key: string, annotations?: Record<string, string>, recursive?: boolean, args?: string[] }} options
 */
export async function signBundle(
	image,
	{ key, annotations = {}, recursive = false, args = [] },
) {
	const options = [
		"--key",
		key,
		"--tlog-upload=false",
		"--use-signing-config=false",
		"--allow-http-registry",
		...args,
	];
	if (recursive) options.push("--recursive");
	for (const [name, value] of Object.entries(annotations))
		options.push("-a", `${name}=${value}`);
	await run(await tool("cosign3"), ["sign", "-y", ...options, image], {
		env: COSIGN_ENV,
	});
}

/**
 * Attests with cosign 3: a bundle whose statement has another predicate type than a signature's.
 * @param {string} image    `host/repo@sha256:…`
 * @param {{ key: string, type: string, predicate: string, args?: string[] }} options  predicate: path of a JSON file
 */
export async function attestBundle(image, { key, type, predicate, args = [] }) {
	const options = [
		"--key",
		key,
		"--tlog-upload=false",
		"--use-signing-config=false",
		"--allow-http-registry",
		"--type",
		type,
		"--predicate",
		predicate,
		...args,
	];
	await run(await tool("cosign3"), ["attest", "-y", ...options, image], {
		env: COSIGN_ENV,
	});
}

/**
 * Puts another bundle in the place of the only one that hangs on an image (on the index under the tag `sha256-…`).
 * @param {{ host: string, repo: string, digest: string }} image
 * @param {(bundle: any, text: string) => unknown | Promise<unknown>} change   gives the new bundle, as text or as what JSON is made of
 */
export async function replaceBundle({ host, repo, digest }, change) {
	const read = async (/** @type {string} */ reference) =>
		JSON.parse(
			(await fetchManifest(host, repo, reference))?.bytes.toString() ?? "{}",
		);
	const index = await read(tagOf(digest));
	if (index.manifests?.length !== 1)
		throw new Error(
			`${repo}: expected one bundle at ${tagOf(digest)}, found ${index.manifests?.length ?? "none"}`,
		);
	const manifest = await read(index.manifests[0].digest);
	const text = (
		await fetchBlob(host, repo, manifest.layers[0].digest)
	).toString();
	const made = await change(JSON.parse(text), text);
	const bundle = Buffer.from(
		typeof made === "string" ? made : JSON.stringify(made),
	);
	Object.assign(manifest.layers[0], {
		digest: await putBlob(host, repo, bundle),
		size: bundle.length,
	});
	const bytes = json(manifest);
	Object.assign(index.manifests[0], {
		digest: await putManifest(
			host,
			repo,
			sha256(bytes),
			manifest.mediaType,
			bytes,
		),
		size: bytes.length,
	});
	await putManifest(host, repo, tagOf(digest), index.mediaType, json(index));
}

/**
 * What cosign itself says about an image.
 * @param {"cosign2"|"cosign3"} version
 * @param {string} image
 * @param {string} pub   path of the PEM public key
 * @returns {Promise<{ ok: boolean, said: string }>}
 */
export async function cosignVerify(version, image, pub) {
	const args = [
		"verify",
		"--key",
		pub,
		"--insecure-ignore-tlog=true",
		"--allow-http-registry",
		image,
	];
	try {
		const { stdout } = await run(await tool(version), args, {
			env: COSIGN_ENV,
		});
		return { ok: true, said: stdout };
	} catch (error) {
		return { ok: false, said: /** @type {Error} */ (error).message };
	}
}

// --- bytes ---

/**
 * @param {Uint8Array} bytes
 * @returns {string} `sha256:<hex>`
 */
export function sha256(bytes) {
	return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** @param {unknown} value */
function json(value) {
	return Buffer.from(JSON.stringify(value));
}

/**
 * @param {string} mediaType
 * @param {Uint8Array} bytes
 * @returns {Descriptor}
 */
function describe(mediaType, bytes) {
	return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/** @param {Uint8Array} bytes */
function gzip(bytes) {
	const out = gzipSync(bytes, { level: 9 });
	out[9] = 255; // "operating system unknown": zlib writes the one it runs on
	return out;
}

/**
 * A tar archive (ustar) of one file, at time zero, owned by root.
 * @param {string} name
 * @param {Uint8Array} content
 */
function tarOf(name, content) {
	const header = Buffer.alloc(512);
	const field = (/** @type {number} */ at, /** @type {string} */ text) =>
		header.write(text, at, "latin1");
	const octal = (
		/** @type {number} */ at,
		/** @type {number} */ digits,
		/** @type {number} */ value,
	) => field(at, value.toString(8).padStart(digits, "0"));
	field(0, name);
	octal(100, 7, 0o644);
	octal(108, 7, 0);
	octal(116, 7, 0);
	octal(124, 11, content.length);
	octal(136, 11, 0);
	field(148, " ".repeat(8)); // the checksum counts its own field as spaces
	field(156, "0");
	field(257, "ustar\u000000");
	octal(
		148,
		6,
		header.reduce((sum, byte) => sum + byte, 0),
	);
	header[154] = 0;
	const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
	return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/**
 * @param {Response} response
 * @param {string} doing
 * @returns {Promise<Response>} the response, when its status says that it worked
 */
async function expect(response, doing) {
	if (response.ok) return response;
	throw new Error(
		`${doing}: expected success, the registry answered ${response.status}: ${(await response.text()).trim()}`,
	);
}
