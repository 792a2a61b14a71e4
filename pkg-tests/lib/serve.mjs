/**
 * The gateway for tests: the very program that `make serve` runs, on a free port; with RUNTIME=node in the environment the one that
 * `make serve RUNTIME=node` runs, with RUNTIME=miniflare the worker in Miniflare.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";

// Another build's folder (with its worker/ and pkg/) can be put in its place, to see a test fail there.
const AT = process.env.SEALGATE_AT
	? pathToFileURL(`${process.env.SEALGATE_AT}/`)
	: new URL("../../", import.meta.url);
const SERVE = fileURLToPath(new URL("worker/serve.mjs", AT));
const CLI = fileURLToPath(new URL("pkg/cli.cjs", AT));
const MINIFLARE = fileURLToPath(
	new URL("../miniflare/serve.mjs", import.meta.url),
);
const START_TIMEOUT_MS = 30_000;

/**
 * @typedef {object} Worker
 * @property {string} host `localhost:PORT`, as clients name the registry
 * @property {string} url `http://localhost:PORT`
 * @property {() => Promise<number>} pid of workerd itself, or of Node
 * @property {() => string} output everything that was printed so far
 * @property {() => Promise<void>} stop
 */

/**
 * Without `upstream` it is the embedded demo.
 *
 * @param {{ upstream?: string, name?: string, policy?: string, registriesD?: string, port?: number, settings?: Record<string, string>, runtime?: string }} [options] `policy` and `registriesD` are paths
 * @returns {Promise<Worker>}
 */
export async function startWorker({
	upstream = "",
	name = "",
	policy = "",
	registriesD = "",
	port,
	settings = {},
	runtime = process.env.RUNTIME,
} = {}) {
	const listen = port ?? (await freePort());
	const env = {
		...process.env,
		UPSTREAM: upstream,
		NAME: name,
		POLICY: policy,
		REGISTRIES_D: registriesD,
		PORT: String(listen),
		...settings,
	};
	const inNode = runtime === "node";
	const child = spawn(process.execPath, programOf(runtime, upstream), {
		env,
		stdio: ["ignore", "pipe", "pipe"],
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (text) => {
			output += text;
		});
	const ended = once(child, "exit");
	const end = () => void child.kill("SIGTERM");
	process.once("exit", end);
	await untilPrinted(() => output, /^sealgate is serving /m, ended);
	return {
		host: `localhost:${listen}`,
		url: `http://localhost:${listen}`,
		async pid() {
			if (inNode) return /** @type {number} */ (child.pid);
			const children = (
				await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
			)
				.trim()
				.split(" ");
			for (const pid of children)
				if ((await readFile(`/proc/${pid}/comm`, "utf8")).trim() === "workerd")
					return Number(pid);
			throw new Error(
				`expected workerd among the children of ${SERVE}, found ${children.length} others`,
			);
		},
		output: () => output,
		async stop() {
			process.removeListener("exit", end);
			child.kill("SIGTERM");
			await ended;
		},
	};
}

/** @param {string | undefined} runtime @param {string} upstream */
function programOf(runtime, upstream) {
	if (runtime === "miniflare") return [MINIFLARE];
	if (runtime !== "node") return [SERVE];
	return [CLI, "serve", ...(upstream === "" ? ["--demo"] : [])];
}

/**
 * Runs what `make serve` runs where it is expected to end by itself.
 *
 * @param {Record<string, string>} settings
 * @param {string} [runtime]
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function serveFails(settings, runtime = process.env.RUNTIME) {
	const env = {
		...process.env,
		UPSTREAM: "",
		NAME: "",
		POLICY: "",
		PORT: String(await freePort()),
		...settings,
	};
	const args = programOf(runtime, env.UPSTREAM ?? "");
	const child = spawn(process.execPath, args, {
		env,
		stdio: ["ignore", "pipe", "pipe"],
		timeout: START_TIMEOUT_MS,
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (text) => {
			output += text;
		});
	const [code] = await once(child, "close");
	return { code, output };
}

/** @returns {Promise<number>} */
export async function freePort() {
	const server = createServer();
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	server.close();
	await once(server, "close");
	return port;
}

/**
 * @param {() => string} output
 * @param {RegExp} line
 * @param {Promise<unknown>} ended
 */
async function untilPrinted(output, line, ended) {
	let over = false;
	ended.then(() => {
		over = true;
	});
	const deadline = Date.now() + START_TIMEOUT_MS;
	while (!line.test(output())) {
		if (over)
			throw new Error(`the worker ended before it served:\n${output()}`);
		if (Date.now() > deadline)
			throw new Error(
				`the worker did not serve within ${START_TIMEOUT_MS / 1000} s:\n${output()}`,
			);
		await new Promise((done) => setTimeout(done, 50));
	}
}
