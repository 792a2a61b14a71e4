// `sealgate serve`: the gateway in this process, until a signal ends it.

import { existsSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { requestTimeout } from "../config.js";
import { demoRegistry } from "../demo.js";
import { codedError } from "../error.js";
import { policyLint } from "../quick.js";
import { headersOf } from "../public.js";
import { log } from "../shell.js";
import { fileService, listed, siteFiles } from "../serve/files.js";
import { createRunning } from "../serve/running.js";
import { createServer } from "../serve/server.js";
import { demoFolder, readSettings } from "../serve/settings.js";
import { plain } from "./show.js";

/** @typedef {import("../serve/settings.js").Serving} Serving */
/** @typedef {Awaited<ReturnType<typeof createRunning>>} Runs */

/** @param {import("./arguments.js").ServeCommand} command @returns {Promise<number>} */
export async function serve(command) {
	const serving = readSettings(command, process.env);
	const runs = await createRunning(serving, process.env, (next) =>
		server.useCertificate(next),
	);
	const { read, gateway } = runs.current();
	const server = createServer(read.certificate, lending(serving, runs));
	const address = await server.listen(serving.listen).catch((error) => {
		runs.stop();
		throw error;
	});
	process.on("SIGHUP", () => void runs.reload(true));
	// A reader of what is printed that has gone is no reason to refuse images.
	for (const stream of [process.stdout, process.stderr])
		stream.on("error", () => {});
	const stopped = untilStopped(server, runs);
	const state = gateway.state();
	if (
		state.state !== "ok" ||
		state.next !== undefined ||
		state.note !== undefined
	)
		log({ event: "configuration", ...state });
	// Advice: without it the gateway serves as well.
	await tellLints(serving, read, state).catch((error) =>
		tell(`sealgate: the policy was not linted: ${error.message}`),
	);
	for (const line of announcement(serving, address)) tell(line);
	await stopped;
	return process.exit(0);
}

/** @param {Serving} serving @param {Runs} runs @returns {(gone: AbortSignal) => import("../serve/server.js").Lends} */
function lending({ demo, texts }, runs) {
	const assets = fileService(siteFiles());
	const layouts = demo ? fileService(listed(demoFolder)) : undefined;
	const patience = requestTimeout(texts);
	return (gone) => {
		const { gateway, reach } = runs.current();
		return {
			gateway: async () => gateway,
			gone,
			patience,
			assets,
			flushed: runs.forget,
			fetch: async (url, init) => {
				const signal = AbortSignal.any([init.signal, gone]);
				const asked = { ...init, signal };
				return layouts === undefined
					? upstream(url, await reached(url, reach(url, asked)), init.method)
					: demoRegistry(new Request(url, asked), layouts);
			},
		};
	};
}

/** @template T @param {string} url @param {Promise<T>} answer @returns {Promise<T>} */
async function reached(url, answer) {
	try {
		return await answer;
	} catch (error) {
		const { message } = /** @type {Error} */ (error);
		throw codedError(
			"upstream.unreachable",
			`${url}: expected an answer, found none (${message}): check the address and the network`,
			error,
		);
	}
}

/** @param {string} url @param {import("node:http").IncomingMessage} found @param {string} method @returns {import("../shell.js").Upstream} */
function upstream(url, found, method) {
	const headers = new Headers();
	for (const [name, value] of headersOf(found)) headers.append(name, value);
	const encoding = headers.get("content-encoding") ?? "identity";
	if (encoding !== "identity") {
		found.destroy();
		throw codedError(
			"upstream.encoding",
			`${url}: expected a blob as it is, found it encoded (${encoding}), which nobody asked for`,
		);
	}
	if (method === "HEAD") found.resume();
	return {
		status: found.statusCode ?? 0,
		headers,
		body: method === "HEAD" ? null : found,
	};
}

/** The first signal lets what is under way end, a second one does not wait. @param {ReturnType<typeof createServer>} server @param {Runs} runs */
function untilStopped(server, runs) {
	return new Promise((resolve) => {
		let stopping = false;
		const end = (/** @type {NodeJS.Signals} */ signal) => {
			if (stopping) {
				server.cut();
				process.exit(1);
			}
			stopping = true;
			runs.stop();
			log({ event: "stopping", signal });
			server.stop().then(() => resolve(undefined));
		};
		process.on("SIGTERM", end);
		process.on("SIGINT", end);
	});
}

/** What the policy probably does not mean, but for what is merely good to know. @param {Serving} serving @param {import("../serve/running.js").Read} read @param {import("../index.d.ts").GatewayState} state */
async function tellLints({ policy: path, texts }, read, { state, message }) {
	const { policy, assets, registriesD } = read;
	const file = basename(path);
	if (state !== "ok") {
		const what =
			texts.MODE === "audit" ? "nothing is judged" : "every pull is refused";
		tell(`sealgate: ${what}, because the configuration is wrong: ${message}`);
		return;
	}
	// The demo's own has mistakes on purpose, such as a key that has expired.
	if (path === join(demoFolder, "policy.json")) return;
	const lints = await policyLint(policy, {
		assets,
		...(registriesD && { registriesD }),
	});
	for (const { id, name, severity, pointer, message } of lints)
		if (severity !== "note")
			tell(
				`${file}: ${severity} ${id} ${name}${pointer === "" ? "" : `, ${pointer}`}: ${message}`,
			);
	const notes = lints.filter(({ severity }) => severity === "note").length;
	if (notes > 0)
		tell(
			`${file}: ${notes} note${notes === 1 ? "" : "s"}, which sealgate policy lint shows`,
		);
}

/** Where it serves what, and what to try next. @param {Serving} serving @param {import("node:net").AddressInfo} address */
function announcement({ demo, tls, policy, texts }, address) {
	const scheme = tls === undefined ? "http" : "https";
	const host = `${hostOf(address)}:${address.port}`;
	const { UPSTREAM: upstream, NAME: name, REGISTRIES } = texts;
	if (REGISTRIES !== undefined) {
		const at = `${scheme}://${host}`;
		return [
			`sealgate is serving ${at} in front of the registries in $REGISTRIES, judged by ${basename(policy)}. Next:`,
			`  podman pull${tls === undefined ? " --tls-verify=false" : ""} ${host}/PREFIX/REPOSITORY:TAG`,
			`  curl -s ${at}/setup      # what podman, containerd, docker and others need, by the names of these registries`,
			`  curl -s ${at}/metrics`,
		];
	}
	const front = demo ? "the embedded demo registry" : upstream;
	const insecure = tls === undefined ? " --tls-verify=false" : "";
	const verify = `${command()} verify`;
	const file = shell(policy);
	const next = demo
		? [
				`podman pull${insecure} ${host}/demo/signed:1.0`,
				`podman pull${insecure} ${host}/demo/unsigned:1.0      # is refused, and says why`,
				`${verify} ${host}/demo/copied:1.0 --as ${name}/demo/copied:1.0 --policy ${file}`,
			]
		: [
				`podman pull${insecure} ${host}/REPOSITORY:TAG`,
				`${verify} ${host}/REPOSITORY:TAG --as ${name}/REPOSITORY:TAG --policy ${file}      # why it is refused`,
				`printf '[[registry]]\\nprefix = "${name}"\\nlocation = "${host}"\\n${tls === undefined ? "insecure = true\\n" : ""}' | sudo tee /etc/containers/registries.conf.d/sealgate.conf      # podman, CRI-O: ${name}/… through this gateway`,
			];
	return [
		`sealgate is serving ${scheme}://${host} in front of ${front}, judged as ${name} by ${basename(policy)}. Next:`,
		...next.map((line) => `  ${line}`),
	];
}

/** How this program is called from a shell: by its name only where a shell finds it. */
function command() {
	const folders = (process.env.PATH ?? "").split(delimiter);
	if (folders.some((folder) => existsSync(join(folder, "sealgate"))))
		return "sealgate";
	const [, own = "sealgate"] = process.argv;
	return own.endsWith(".js") ? `node ${shell(own)}` : shell(own);
}

/** @param {string} word */
function shell(word) {
	return /^[\w./:@=+-]+$/.test(word)
		? word
		: `'${word.replaceAll("'", "'\\''")}'`;
}

/** By which name this machine's clients reach it. @param {import("node:net").AddressInfo} address */
function hostOf({ address, family }) {
	if (["127.0.0.1", "0.0.0.0", "::"].includes(address)) return "localhost";
	return family === "IPv6" ? `[${address}]` : address;
}

/** Beside the log, which has standard output for itself. @param {string} text */
function tell(text) {
	console.error(plain(text));
}
