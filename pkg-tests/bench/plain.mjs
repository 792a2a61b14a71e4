// Workers that are none of ours, in workerd: what the gateway is measured beside.

import { spawn } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { freePort } from "../lib/serve.mjs";

const { default: workerd } = createRequire(
	new URL("../../tools/package.json", import.meta.url),
)("workerd");

/** A worker that passes requests on, and nothing more. @param {string} upstream */
export const bareOf = (upstream) =>
	`export default { fetch(request) { const { pathname, search } = new URL(request.url); return fetch("${upstream}" + pathname + search, request); } };\n`;

/** @param {string} folder @param {string} name @param {string} source */
export async function startPlain(folder, name, source) {
	const port = await freePort();
	await writeFile(join(folder, `${name}.js`), source);
	await writeFile(
		join(folder, `${name}.capnp`),
		`using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "plain", worker = .plain), (name = "internet", network = (allow = ["public", "private", "local"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "plain")]
);
const plain :Workerd.Worker = (compatibilityDate = "2025-09-01", modules = [(name = "${name}.js", esModule = embed "${name}.js")]);
`,
	);
	const log = await open(join(folder, `${name}.log`), "w");
	const child = spawn(workerd, ["serve", `${name}.capnp`], {
		cwd: folder,
		// Lines go into a file: while wrk runs, nobody here reads a pipe, and one that is full stops the worker.
		stdio: ["ignore", log.fd, "inherit"],
	});
	await log.close();
	const url = `http://127.0.0.1:${port}`;
	for (let attempt = 0; attempt < 200; attempt += 1) {
		if (await fetch(url).catch(() => undefined))
			return { url, stop: () => child.kill() };
		await new Promise((done) => setTimeout(done, 50));
	}
	child.kill();
	throw new Error(`expected the ${name} worker to answer within 10 s`);
}
