// Ten minutes at full rate: pulls of ever new images and of some again and again, signed, unsigned and signed by a stranger. Each answer
// is looked at: what is signed comes out byte for byte, what is not is refused, and its blobs with it. Every ten seconds a line with the
// memory of the gateway and what was counted; it is kept in pkg-tests/bench/soak-RUNTIME.log. Fails for an error, a wrong answer, or
// memory that grows.
//
//   node pkg-tests/bench/soak.mjs        (`make soak`; RUNTIME=node|workerd, SECONDS=n)

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { REJECT, signedBy } from "../clients/front.mjs";
import { startWorker } from "../lib/serve.mjs";

const RUNTIME = process.env.RUNTIME || "node";
const SECONDS = Number(process.env.SECONDS || 600);
const EVERY_MS = 10_000;
const AT_ONCE = 16;
/** Pulled again and again. */
const WARM = 200;
/**
 * What the last fifth may take more than the middle one: a collector's moods, not a leak's. Until then memory grows by what may be
 * remembered (hints of some 50,000 images, 32 MiB of manifests, in Node a store of 16 MiB), which the first half fills.
 */
const GROWTH = 1.15;
const ACCEPT = "application/vnd.oci.image.manifest.v1+json";
const LOG = fileURLToPath(new URL(`soak-${RUNTIME}.log`, import.meta.url));

const folder = await mkdtemp(join(tmpdir(), "sealgate-soak-"));
/** @type {(() => unknown)[]} */
const endings = [() => rm(folder, { recursive: true, force: true })];
try {
	process.exitCode = (await soak()) ? 0 : 1;
} finally {
	for (const end of endings.reverse()) await end();
}

async function soak() {
	const registry = await startRegistry();
	await writeFile(join(folder, "key.pub"), registry.key);
	await writeFile(
		join(folder, "policy.json"),
		JSON.stringify({
			default: REJECT,
			transports: { docker: { [registry.name]: signedBy("key.pub") } },
		}),
	);
	const gateway = await startWorker({
		upstream: `http://127.0.0.1:${registry.port}`,
		name: registry.name,
		policy: join(folder, "policy.json"),
		runtime: RUNTIME,
	});
	endings.push(() => gateway.stop());
	const pid = await gateway.pid();
	const counts = { pulls: 0, requests: 0, refused: 0, errors: 0, wrong: 0 };
	/** The first of what went wrong. @type {string[]} */
	const complaints = [];
	const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
	endings.push(() => agent.destroy());
	const ask = askerOf(gateway.url, agent, counts);
	const end = Date.now() + SECONDS * 1000;
	let number = 0;
	const pullOn = async () => {
		while (Date.now() < end) {
			number += 1;
			const complaint = await pull(ask, number, counts);
			counts.pulls += 1;
			if (complaint !== undefined && complaints.length < 20)
				complaints.push(complaint);
		}
	};
	await writeFile(LOG, "");
	/** @type {number[]} */
	const memory = [];
	const began = Date.now();
	let before = 0;
	const timer = setInterval(async () => {
		const rss = await memoryOf(pid);
		memory.push(rss);
		const line = JSON.stringify({
			seconds: Math.round((Date.now() - began) / 1000),
			rssMiB: Math.round(rss / 1024),
			...counts,
			perSecond: Math.round((counts.requests - before) / (EVERY_MS / 1000)),
		});
		before = counts.requests;
		console.log(line);
		await appendFile(LOG, `${line}\n`);
	}, EVERY_MS);
	await Promise.all(Array.from({ length: AT_ONCE }, pullOn));
	clearInterval(timer);

	const fifth = Math.floor(memory.length / 5);
	const growth =
		middle(memory.slice(-fifth)) / middle(memory.slice(2 * fifth, 3 * fifth));
	const holds =
		counts.errors === 0 && counts.wrong === 0 && growth <= GROWTH && fifth > 0;
	const said = `${RUNTIME}, ${SECONDS} s: ${counts.pulls} pulls, ${counts.requests} requests, ${counts.refused} refused, ${counts.errors} errors, ${counts.wrong} wrong; memory of the last fifth / the middle one ${growth.toFixed(2)} (wanted ≤ ${GROWTH})${holds ? "" : " MISSED"}`;
	console.log([said, ...complaints].join("\n"));
	await appendFile(LOG, `${[said, ...complaints].join("\n")}\n`);
	return holds;
}

async function startRegistry() {
	const child = spawn(
		process.execPath,
		[fileURLToPath(new URL("endless.mjs", import.meta.url))],
		{ stdio: ["ignore", "pipe", "inherit"] },
	);
	endings.push(() => child.kill());
	const [line] = await once(createInterface({ input: child.stdout }), "line");
	/** @type {{ port: number, name: string, key: string }} */
	const started = JSON.parse(line);
	return started;
}

/** @typedef {{ status: number, digest: string | undefined, body: Buffer }} Answer */
/** @typedef {(method: string, path: string) => Promise<Answer | undefined>} Ask undefined: no answer */

/**
 * By turns: two of three are signed, and every second of all is one that was pulled before.
 *
 * @param {Ask} ask
 * @param {number} number
 * @param {{ refused: number, errors: number, wrong: number }} counts
 * @returns {Promise<string | undefined>} what is wrong
 */
async function pull(ask, number, counts) {
	const image = number % 2 === 0 ? (number / 2) % WARM : WARM + number;
	const repository = [
		"signed",
		"signed",
		"unsigned",
		"signed",
		"signed",
		"stranger",
	][image % 6];
	const base = `/v2/soak/${repository}`;
	const wrong = (
		/** @type {string} */ what,
		/** @type {Answer | undefined} */ answer,
	) => {
		counts[answer === undefined || answer.status >= 500 ? "errors" : "wrong"] +=
			1;
		return `${base} v${image}: ${what}: ${answer?.status} ${answer?.body.toString().slice(0, 300)}`;
	};
	const head = await ask("HEAD", `${base}/manifests/v${image}`);
	const manifest = await ask(
		"GET",
		`${base}/manifests/${head?.digest ?? `v${image}`}`,
	);
	if (repository !== "signed") {
		if (head?.status !== 403) return wrong("HEAD, expected 403", head);
		if (manifest?.status !== 403) return wrong("expected 403", manifest);
		counts.refused += 1;
		return undefined;
	}
	if (head?.status !== 200) return wrong("HEAD, expected 200", head);
	if (manifest?.status !== 200) return wrong("expected 200", manifest);
	if (sha256(manifest.body) !== head.digest)
		return wrong("its digest", manifest);
	const { config } = JSON.parse(manifest.body.toString());
	const blob = await ask("GET", `${base}/blobs/${config.digest}`);
	if (blob?.status !== 200) return wrong("config, expected 200", blob);
	if (sha256(blob.body) !== config.digest) return wrong("its digest", blob);
	if (JSON.parse(blob.body.toString()).tag !== `v${image}`)
		return wrong("another image", blob);
	return undefined;
}

/** @param {string} origin @param {Agent} agent @param {{ requests: number }} counts @returns {Ask} */
function askerOf(origin, agent, counts) {
	const { hostname, port } = new URL(origin);
	return (method, path) => {
		counts.requests += 1;
		return new Promise((resolve) => {
			const headers = { accept: ACCEPT };
			request({ hostname, port, path, method, headers, agent }, (answer) => {
				/** @type {Buffer[]} */
				const chunks = [];
				answer
					.on("data", (chunk) => chunks.push(chunk))
					.on("error", () => resolve(undefined))
					.on("end", () =>
						resolve({
							status: answer.statusCode ?? 0,
							digest: /** @type {string | undefined} */ (
								answer.headers["docker-content-digest"]
							),
							body: Buffer.concat(chunks),
						}),
					);
			})
				.on("error", () => resolve(undefined))
				.end();
		});
	};
}

/** In KiB. @param {number} pid */
async function memoryOf(pid) {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}

/** @param {Buffer} bytes */
function sha256(bytes) {
	return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** @param {number[]} values */
function middle(values) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
