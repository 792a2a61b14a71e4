// Manifests whose verdict is remembered, through the gateway in workerd, beside a bare pass-through worker in workerd: wrk asks 200
// tags, then their digests, in 10 repositories with credentials of their own. Rounds alternate, so that whatever slows the machine
// down slows both; what is compared are medians. The upstream's requests are counted: a tag's digest is asked for each time. A third
// worker shows what the limit is made of: it asks HEAD within a bounded time, answers from its memory and logs a line, and that is all.
//
//   node pkg-tests/bench/gateway.mjs        (`make bench`; WRK_ROUNDS=n, SECONDS=n)

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { REJECT, signedBy } from "../clients/front.mjs";
import { startWorker } from "../lib/serve.mjs";
import { bareOf, startPlain } from "./plain.mjs";

const ROUNDS = Number(process.env.WRK_ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 4);
const CONNECTIONS = 32;
const LIMIT = 0.9;

const folder = await mkdtemp(join(tmpdir(), "sealgate-bench-"));
/** @type {(() => unknown)[]} */
const endings = [() => rm(folder, { recursive: true, force: true })];
try {
	process.exitCode = (await bench()) ? 0 : 1;
} finally {
	for (const end of endings.reverse()) await end();
}

async function bench() {
	const upstream = await startUpstream();
	const policy = join(folder, "policy.json");
	await writeFile(join(folder, "key.pub"), upstream.key);
	await writeFile(
		policy,
		JSON.stringify({
			default: REJECT,
			transports: {
				docker: { [upstream.name]: signedBy("key.pub") },
			},
		}),
	);
	const gateway = await startWorker({
		upstream: upstream.url,
		name: upstream.name,
		policy,
	});
	endings.push(() => gateway.stop());
	const plain = async (
		/** @type {string} */ name,
		/** @type {string} */ source,
	) => {
		const started = await startPlain(folder, name, source);
		endings.push(() => started.stop());
		return started.url;
	};
	const bare = await plain("bare", bareOf(upstream.url));
	const least = await plain("least", leastOf(upstream.url));
	let ok = true;
	for (const by of /** @type {const} */ (["tag", "digest"])) {
		const paths = upstream.images.map((image) => image[by]);
		const script = join(folder, `${by}.lua`);
		await writeFile(script, luaOf(paths));
		for (const url of [gateway.url, least]) await warm(url, paths);
		/** @type {Record<string, number[]>} */
		const rates = { gateway: [], bare: [], least: [] };
		let asked = 0;
		for (let round = 0; round < ROUNDS; round += 1)
			for (const [name, url] of /** @type {const} */ ([
				["bare", bare],
				["gateway", gateway.url],
				["least", least],
			])) {
				await upstream.counts();
				const { rate, requests } = wrk(url, script);
				rates[name].push(rate);
				const counts = await upstream.counts();
				if (name === "gateway")
					asked = Object.values(counts).reduce((a, b) => a + b, 0) / requests;
			}
		const ratio = middle(rates.gateway) / middle(rates.bare);
		const holds = ratio >= LIMIT;
		const floor = middle(rates.least) / middle(rates.bare);
		console.log(
			`cached manifests by ${by}: gateway ${middle(rates.gateway).toFixed(0)}/s, bare ${middle(rates.bare).toFixed(0)}/s, ratio ${ratio.toFixed(2)} (wanted ≥ ${LIMIT})${holds ? "" : " MISSED"}; ${asked.toFixed(2)} requests to the upstream for each; HEAD, memory and a log line alone ${floor.toFixed(2)}`,
		);
		ok = ok && holds;
	}
	return ok;
}

async function startUpstream() {
	const child = spawn(
		process.execPath,
		[fileURLToPath(new URL("upstream.mjs", import.meta.url))],
		{ stdio: ["ignore", "pipe", "inherit"] },
	);
	endings.push(() => child.kill());
	const [line] = await once(createInterface({ input: child.stdout }), "line");
	/** @type {{ port: number, key: string, name: string, images: { tag: string, digest: string }[] }} */
	const { port, key, name, images } = JSON.parse(line);
	const url = `http://127.0.0.1:${port}`;
	return {
		url,
		key,
		name,
		images,
		/** @returns {Promise<Record<string, number>>} */
		counts: async () => (await fetch(`${url}/counts`)).json(),
	};
}

/** A worker that does what every answer of a gateway needs, without asking whether it may go out. @param {string} upstream */
function leastOf(upstream) {
	return `const kept = new Map();
export default {
	async fetch(request) {
		const { pathname, search } = new URL(request.url);
		const headers = { authorization: request.headers.get("authorization") ?? "", accept: request.headers.get("accept") ?? "" };
		const stop = new AbortController();
		const timer = setTimeout(() => stop.abort(), 30_000);
		const head = await fetch("${upstream}" + pathname + search, { method: "HEAD", headers, redirect: "manual", signal: stop.signal });
		clearTimeout(timer);
		const digest = head.headers.get("docker-content-digest") ?? "";
		let body = kept.get(digest);
		if (body === undefined) {
			body = new Uint8Array(await (await fetch("${upstream}" + pathname + search, request)).arrayBuffer());
			kept.set(digest, body);
		}
		console.log(JSON.stringify({ event: "decision", id: digest.slice(7, 19), verdict: "allow", image: pathname, code: "none", message: "nobody asked whether this may go out", ms: 0 }));
		return new Response(body, { headers: {
			"content-type": "application/vnd.oci.image.manifest.v1+json", "content-length": String(body.length), "docker-content-digest": digest,
			"x-content-type-options": "nosniff", "cache-control": "no-transform", "docker-distribution-api-version": "registry/2.0",
		} });
	},
};\n`;
}

/** Judges each image once. @param {string} url @param {string[]} paths */
async function warm(url, paths) {
	for (const path of paths) {
		const answer = await fetch(url + path, { headers: headersOf(path) });
		if (answer.status !== 200)
			throw new Error(
				`expected 200 for ${path}, found ${answer.status}: ${await answer.text()}`,
			);
		await answer.arrayBuffer();
	}
}

/** Each repository's own credentials. @param {string} path */
function headersOf(path) {
	const repository = path.split("/manifests/")[0];
	return {
		accept: "application/vnd.oci.image.manifest.v1+json",
		authorization: `Basic ${Buffer.from(`user:${repository}`).toString("base64")}`,
	};
}

/** @param {string[]} paths */
function luaOf(paths) {
	const rows = paths.map(
		(path) =>
			`  wrk.format("GET", "${path}", {["accept"]="${headersOf(path).accept}", ["authorization"]="${headersOf(path).authorization}"})`,
	);
	return `local requests, at
init = function(args)
  requests = {
${rows.join(",\n")}
  }
  at = math.random(#requests)
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
`;
}

/** @param {string} url @param {string} script */
function wrk(url, script) {
	const run = spawnSync(
		"wrk",
		["-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, "-s", script, url],
		{ encoding: "utf8" },
	);
	const rate = /Requests\/sec:\s+([\d.]+)/.exec(run.stdout)?.[1];
	const requests = /(\d+) requests in/.exec(run.stdout)?.[1];
	if (rate === undefined || requests === undefined)
		throw new Error(`wrk failed: ${run.stdout}${run.stderr}`);
	if (/Non-2xx/.test(run.stdout))
		throw new Error(`expected 200s alone: ${run.stdout}`);
	return { rate: Number(rate), requests: Number(requests) };
}

/** @param {number[]} values */
function middle(values) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
