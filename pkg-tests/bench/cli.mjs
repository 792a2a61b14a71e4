// The command line as a whole process. `verify` of an image with a `.sig` signature: CPU (user and system, of all processes that it
// starts) beside a bare Node script that makes the same requests over node:http, one after the other on one connection, and does
// nothing with the answers (one that uses fetch costs twice as much). `audit` of 1,000 different images: images a second beside
// cosign 2, of which 8 run at a time, on images of the same registry. Rounds alternate, so that whatever slows the machine down
// slows all; what is compared are medians.
//
//   node pkg-tests/bench/cli.mjs        (`make bench`; CLI_ROUNDS=n, IMAGES=n, SEALGATE_PACKAGE=DIR)

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { REJECT, signedBy } from "../clients/front.mjs";
import { tool } from "../lib/peers.mjs";

const ROUNDS = Number(process.env.CLI_ROUNDS ?? 15);
const AUDITS = 3;
const IMAGES = Number(process.env.IMAGES ?? 1000);
/** Of these cosign judges so many a round: its rate does not depend on how many there are. */
const BY_COSIGN = Math.min(IMAGES, 160);
const AT_ONCE = 8;
const root = fileURLToPath(new URL("../..", import.meta.url));
const COMMAND = join(
	resolve(process.env.SEALGATE_PACKAGE ?? join(root, "pkg")),
	"cli.cjs",
);

const folder = await mkdtemp(join(tmpdir(), "sealgate-bench-"));
/** @type {(() => unknown)[]} */
const endings = [() => rm(folder, { recursive: true, force: true })];
try {
	const upstream = await startUpstream();
	await writeFile(join(folder, "key.pub"), upstream.key);
	await writeFile(
		join(folder, "policy.json"),
		JSON.stringify({
			default: REJECT,
			transports: { docker: { [upstream.name]: signedBy("key.pub") } },
		}),
	);
	const holds = [await verify(upstream), await audit(upstream)];
	process.exitCode = holds.every(Boolean) ? 0 : 1;
} finally {
	for (const end of endings.reverse()) await end();
}

/** @typedef {Awaited<ReturnType<typeof startUpstream>>} Upstream */

/** @param {Upstream} upstream */
async function verify(upstream) {
	const [image] = named(upstream);
	const ask = [
		...["node", COMMAND, "verify", image?.image ?? ""],
		...["--as", image?.as ?? "", "--key", join(folder, "key.pub")],
	];
	await upstream.requests();
	await cpuOf(ask);
	const requests = await upstream.requests();
	const script = join(folder, "bare.mjs");
	await writeFile(script, bareScript(upstream.url, requests));
	/** @type {Record<"sealgate" | "bare", number[]>} */
	const times = { sealgate: [], bare: [] };
	for (let round = 0; round < ROUNDS; round += 1) {
		times.sealgate.push(await cpuOf(ask));
		times.bare.push(await cpuOf(["node", script]));
	}
	const [sealgate, bare] = [middle(times.sealgate), middle(times.bare)];
	console.log(
		`verify, ${requests.length} requests: ${sealgate.toFixed(0)} ms of CPU, bare script ${bare.toFixed(0)} ms`,
	);
	return figure(
		"sealgate verify / a bare Node script with the same requests, CPU",
		sealgate / bare,
		{
			most: 1.4,
		},
	);
}

/** @param {string} url @param {{ method: string, path: string, accept?: string }[]} requests */
function bareScript(url, requests) {
	const list = requests.map(({ method, path, accept }) => ({
		url: `${url}${path}`,
		init: { method, headers: accept === undefined ? {} : { accept } },
	}));
	return `import { Agent, request } from "node:http";
const agent = new Agent({ keepAlive: true });
for (const { url, init } of ${JSON.stringify(list)})
	await new Promise((done) =>
		request(url, { ...init, agent }, (answer) => answer.resume().on("end", done)).end());
agent.destroy();
`;
}

/** @param {Upstream} upstream */
async function audit(upstream) {
	const list = named(upstream).slice(0, IMAGES);
	const lines = list.map(({ image, as }) => `${image} as ${as}\n`).join("");
	const cosign = await tool("cosign2");
	/** @type {Record<"sealgate" | "cosign", number[]>} */
	const rates = { sealgate: [], cosign: [] };
	for (let round = 0; round < AUDITS; round += 1) {
		rates.sealgate.push(
			await rateOf(list.length, () =>
				run(
					["node", COMMAND, "audit", "--policy", join(folder, "policy.json")],
					lines,
				),
			),
		);
		rates.cosign.push(
			await rateOf(BY_COSIGN, () =>
				inParallel(list.slice(0, BY_COSIGN), ({ image }) =>
					run([
						...[cosign, "verify", "--key", join(folder, "key.pub")],
						...["--insecure-ignore-tlog", "--allow-http-registry", image],
					]),
				),
			),
		);
	}
	const [sealgate, theirs] = [middle(rates.sealgate), middle(rates.cosign)];
	console.log(
		`audit of ${list.length} images: ${sealgate.toFixed(1)} a second, cosign verify ${theirs.toFixed(1)}`,
	);
	return figure(
		`sealgate audit / cosign verify, ${AT_ONCE} at a time, images a second`,
		sealgate / theirs,
		{ least: 5 },
	);
}

/** @param {number} images @param {() => Promise<unknown>} work */
async function rateOf(images, work) {
	const start = performance.now();
	await work();
	return images / ((performance.now() - start) / 1000);
}

/** @template T @param {T[]} list @param {(one: T) => Promise<unknown>} work */
async function inParallel(list, work) {
	const left = [...list];
	const worker = async () => {
		for (let one = left.pop(); one !== undefined; one = left.pop())
			await work(one);
	};
	await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Milliseconds of user and system time, by bash: Node tells those of its own process only. @param {string[]} command */
async function cpuOf(command) {
	const { stderr } = await run([
		...["bash", "-c", 'TIMEFORMAT="cpu %U %S"; time "$@" > /dev/null'],
		...["bash", ...command],
	]);
	const [, user, system] = stderr.match(/^cpu ([\d.]+) ([\d.]+)$/m) ?? [];
	return (Number(user) + Number(system)) * 1000;
}

/** A command that must end well. @param {string[]} command @param {string} [input] */
async function run([program = "", ...args], input = "") {
	const child = spawn(program, args, {
		env: { ...process.env, HOME: folder, LC_ALL: "C" },
	});
	let stderr = "";
	child.stderr.on("data", (text) => (stderr += text));
	child.stdout.resume();
	child.stdin.on("error", () => {});
	child.stdin.end(input);
	const [status] = await once(child, "close");
	if (status !== 0)
		throw new Error(`${program} ${args.join(" ")}: ${status}\n${stderr}`);
	return { stderr };
}

async function startUpstream() {
	const child = spawn(
		process.execPath,
		[fileURLToPath(new URL("upstream.mjs", import.meta.url))],
		{
			stdio: ["ignore", "pipe", "inherit"],
			env: { ...process.env, TAGS: String(Math.ceil(IMAGES / 10)) },
		},
	);
	endings.push(() => child.kill());
	const [line] = await once(createInterface({ input: child.stdout }), "line");
	/** @type {{ port: number, key: string, name: string, images: { tag: string }[] }} */
	const started = JSON.parse(line);
	const url = `http://127.0.0.1:${started.port}`;
	return {
		...started,
		url,
		/** @returns {Promise<{ method: string, path: string, accept?: string }[]>} */
		requests: async () => (await fetch(`${url}/requests`)).json(),
	};
}

/** Where each image is, and the name that was signed. @param {Upstream} upstream */
function named({ port, name, images }) {
	return images.map(({ tag: path }) => {
		const [, repository, tag] =
			path.match(/^\/v2\/(.*)\/manifests\/(.*)$/) ?? [];
		return {
			image: `127.0.0.1:${port}/${repository}:${tag}`,
			as: `${name}/${repository}:${tag}`,
		};
	});
}

/** @param {string} what @param {number} ratio @param {{ most?: number, least?: number }} limit */
function figure(what, ratio, { most = Infinity, least = 0 }) {
	const holds = ratio <= most && ratio >= least;
	console.log(
		`  ${holds ? "✔" : "✘"} ${what}: ${ratio.toFixed(2)} (${least > 0 ? `at least ${least}` : `at most ${most}`})`,
	);
	return holds;
}

/** @param {number[]} values */
function middle(values) {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
