// Whole pulls through the gateway, in Node and in workerd, in front of a docker-registry: layers of 100 MB beside a bare pass-through in
// the same runtime; and the same pulls beside docker-registry's own `proxy` mode and nginx as a caching proxy, which verify nothing. What
// is measured side by side takes turns; what is compared are medians. Then how long one image takes that nobody has asked for yet.
//
//   node pkg-tests/bench/pulls.mjs        (`make bench-gateway`; ROUNDS=n, IMAGES=n)

import { spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REJECT, signedBy } from "../clients/front.mjs";
import {
	OCI_MANIFEST,
	putBlob,
	putManifest,
	sha256,
	startCachingRegistry,
	startRegistry,
	tagOf,
} from "../lib/peers.mjs";
import { freePort, startWorker } from "../lib/serve.mjs";
import { payloadOf, signatureLayer } from "../lib/signature.mjs";
import { bareOf, startPlain } from "./plain.mjs";

const ROUNDS = Number(process.env.ROUNDS || 31);
const IMAGES = Number(process.env.IMAGES || 200);
const LARGE = 100_000_000;
const LIMIT = 0.95;
const NAME = "registry.bench";
const REPO = "team/app";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

/** @typedef {{ tag: string, digest: string, config: string, layer: string }} Image */

const folder = await mkdtemp(join(tmpdir(), "sealgate-pulls-"));
/** @type {(() => unknown)[]} */
const endings = [() => rm(folder, { recursive: true, force: true })];
const agent = new Agent({ keepAlive: true });
endings.push(() => agent.destroy());
try {
	process.exitCode = (await bench()) ? 0 : 1;
} finally {
	for (const end of endings.reverse()) await end();
}

async function bench() {
	const { privateKey, publicKey } = generateKeyPairSync("ec", {
		namedCurve: "prime256v1",
	});
	await writeFile(
		join(folder, "key.pub"),
		publicKey.export({ type: "spki", format: "pem" }),
	);
	await writeFile(
		join(folder, "policy.json"),
		JSON.stringify({
			default: REJECT,
			transports: { docker: { [NAME]: signedBy("key.pub") } },
		}),
	);
	const registry = keep(await startRegistry());
	const large = await push(
		registry.host,
		"large",
		randomBytes(LARGE),
		privateKey,
	);
	/** @type {Image[]} */
	const images = [];
	for (let number = 0; number < IMAGES; number += 1)
		images.push(
			await push(registry.host, `v${number}`, randomBytes(1_000), privateKey),
		);
	const gateway = async (/** @type {string} */ runtime) =>
		keep(
			await startWorker({
				upstream: registry.url,
				name: NAME,
				policy: join(folder, "policy.json"),
				runtime,
			}),
		).url;
	const ways = {
		"gateway in Node": await gateway("node"),
		"bare Node": keep(await startBareNode(registry.url)).url,
		"gateway in workerd": await gateway("workerd"),
		"bare workerd": keep(await startPlain(folder, "bare", bareOf(registry.url)))
			.url,
		"docker-registry, proxy": keep(await startCachingRegistry(registry.url))
			.url,
		"nginx, caching": keep(await startNginx(registry.url)).url,
		"the registry itself": registry.url,
	};
	const holds = await largeLayers(ways, large);
	await wholePulls(ways, images);
	return holds;
}

/** @param {Record<string, string>} ways @param {Image} large */
async function largeLayers(ways, large) {
	/** @type {Record<string, number[]>} */
	const rates = {};
	for (const url of Object.values(ways)) await pull(url, large);
	for (let round = 0; round < ROUNDS; round += 1)
		for (const [name, url] of Object.entries(ways)) {
			const began = performance.now();
			const { size } = await ask(url, "GET", `blobs/${large.layer}`, false);
			if (size !== LARGE)
				throw new Error(`expected ${LARGE} bytes, found ${size}`);
			rates[name] ??= [];
			rates[name].push(LARGE / 1e3 / (performance.now() - began));
		}
	let ok = true;
	for (const runtime of ["Node", "workerd"]) {
		// Of each round, which both made in the same seconds.
		const ratio = at(
			(rates[`gateway in ${runtime}`] ?? []).map(
				(rate, round) => rate / (rates[`bare ${runtime}`]?.[round] ?? 0),
			),
			0.5,
		);
		const held = ratio >= LIMIT;
		console.log(
			`layers of 100 MB: gateway in ${runtime} / bare ${runtime}: ${ratio.toFixed(2)} (wanted ≥ ${LIMIT})${held ? "" : " MISSED"}`,
		);
		ok &&= held;
	}
	for (const [name, found] of Object.entries(rates))
		console.log(`  ${name}: ${at(found, 0.5).toFixed(0)} MB/s`);
	return ok;
}

/** @param {Record<string, string>} ways @param {Image[]} images */
async function wholePulls(ways, images) {
	/** @type {Record<string, number[][]>} */
	const times = {};
	/** @type {Record<string, number[]>} */
	const judged = {};
	for (const turn of [0, 1])
		for (const image of images)
			for (const [name, url] of Object.entries(ways)) {
				const began = performance.now();
				const manifest = await pull(url, image);
				times[name] ??= [[], []];
				times[name][turn]?.push(performance.now() - began);
				judged[name] ??= [];
				if (turn === 0) judged[name].push(manifest);
			}
	console.log(
		"pulls of a small image (HEAD, manifest, config, layer), ms: p50 and p99 the first time; again; of the first HEAD alone",
	);
	for (const [name, [first = [], again = []]] of Object.entries(times)) {
		const both = (/** @type {number[]} */ values) =>
			`${at(values, 0.5).toFixed(1)} ${at(values, 0.99).toFixed(1)}`;
		console.log(
			`  ${name}: ${both(first)}; ${both(again)}; ${both(judged[name] ?? [])}`,
		);
	}
}

/** As containerd pulls; gives the time of the HEAD, in which a gateway judges. @param {string} url @param {Image} image */
async function pull(url, { tag, digest, config, layer }) {
	const began = performance.now();
	await ask(url, "HEAD", `manifests/${tag}`);
	const judged = performance.now() - began;
	for (const path of [
		`manifests/${digest}`,
		`blobs/${config}`,
		`blobs/${layer}`,
	]) {
		const { hash } = await ask(url, "GET", path, !path.endsWith(layer));
		if (hash !== undefined && !path.endsWith(hash))
			throw new Error(`${url}: ${path}: expected it, found ${hash}`);
	}
	return judged;
}

/** @param {string} url @param {string} method @param {string} path @param {boolean} [hashed] @returns {Promise<{ size: number, hash?: string }>} */
function ask(url, method, path, hashed = true) {
	const { hostname, port } = new URL(url);
	return new Promise((resolve, reject) => {
		request(
			{
				hostname,
				port,
				method,
				path: `/v2/${REPO}/${path}`,
				headers: { accept: OCI_MANIFEST },
				agent,
			},
			(answer) => {
				/** @type {Buffer[]} */
				const chunks = [];
				let size = 0;
				answer
					.on("data", (chunk) => {
						size += chunk.length;
						if (hashed) chunks.push(chunk);
					})
					.on("error", reject)
					.on("end", () => {
						if (answer.statusCode !== 200)
							return reject(
								new Error(
									`${url} ${method} ${path}: expected 200, found ${answer.statusCode}: ${Buffer.concat(chunks)}`,
								),
							);
						const hash =
							hashed && method === "GET"
								? sha256(Buffer.concat(chunks))
								: undefined;
						resolve({ size, ...(hash && { hash }) });
					});
			},
		)
			.on("error", reject)
			.end();
	});
}

/** @param {string} host @param {string} tag @param {Buffer} layer @param {import("node:crypto").KeyObject} key @returns {Promise<Image>} */
async function push(host, tag, layer, key) {
	const json = (/** @type {object} */ value) =>
		Buffer.from(JSON.stringify(value));
	const described = (
		/** @type {string} */ mediaType,
		/** @type {Buffer} */ bytes,
	) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
	const config = json({ architecture: "amd64", os: "linux", tag });
	const put = async (
		/** @type {string} */ reference,
		/** @type {object[]} */ layers,
	) => {
		const bytes = json({
			schemaVersion: 2,
			mediaType: OCI_MANIFEST,
			config: described(CONFIG, config),
			layers,
		});
		return putManifest(host, REPO, reference, OCI_MANIFEST, bytes);
	};
	for (const bytes of [config, layer]) await putBlob(host, REPO, bytes);
	const digest = await put(tag, [described(LAYER, layer)]);
	const payload = payloadOf(`${NAME}/${REPO}`, digest);
	await putBlob(host, REPO, payload);
	await put(tagOf(digest, ".sig"), [
		signatureLayer(
			payload,
			{ digest: sha256(payload), size: payload.length },
			key,
		),
	]);
	return { tag, digest, config: sha256(config), layer: sha256(layer) };
}

/** @param {string} upstream */
async function startBareNode(upstream) {
	const { hostname, port } = new URL(upstream);
	const kept = new Agent({ keepAlive: true });
	const server = createServer((asked, answer) => {
		const { method, url: path, headers } = asked;
		const sent = request(
			{ hostname, port, method, path, headers, agent: kept },
			(found) => {
				answer.writeHead(found.statusCode ?? 502, found.headers);
				found.pipe(answer);
			},
		);
		sent.on("error", () => answer.destroy());
		asked.pipe(sent);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		url: `http://127.0.0.1:${address.port}`,
		stop() {
			server.close();
			server.closeAllConnections();
			kept.destroy();
		},
	};
}

/** @param {string} upstream */
async function startNginx(upstream) {
	const port = await freePort();
	const home = join(folder, "nginx");
	await mkdir(home);
	await writeFile(
		join(home, "nginx.conf"),
		`daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log; user root;
events {}
http {
  access_log off;
  proxy_cache_path ${home}/cache keys_zone=pulls:10m max_size=2g;
  proxy_temp_path ${home}/temp; client_body_temp_path ${home}/body; fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache pulls; proxy_cache_valid 200 10m; proxy_cache_key $request_method$request_uri; proxy_cache_convert_head off;
    }
  }
}
`,
	);
	const child = spawn("nginx", ["-p", home, "-c", join(home, "nginx.conf")], {
		stdio: ["ignore", "ignore", "inherit"],
	});
	const url = `http://127.0.0.1:${port}`;
	for (let attempt = 0; attempt < 100; attempt += 1) {
		if (await fetch(`${url}/v2/`).catch(() => undefined))
			return { url, stop: () => child.kill() };
		await new Promise((done) => setTimeout(done, 50));
	}
	child.kill();
	throw new Error("expected nginx to answer within 5 s");
}

/** @template {{ stop: () => unknown }} T @param {T} started */
function keep(started) {
	endings.push(() => started.stop());
	return started;
}

/** @param {number[]} values @param {number} quantile */
function at(values, quantile) {
	const sorted = [...values].sort((a, b) => a - b);
	return (
		sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ??
		0
	);
}
