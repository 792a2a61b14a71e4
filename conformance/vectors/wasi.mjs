/**
 * Runs the vectors' runner as WASM in Node: `node wasi.mjs MODULE DIR [TOPIC…]`.
 *
 * The module was built for wasm32-wasip1; DIR is the only folder of the machine that it sees, beside the one through which
 * it asks WebCrypto and the package.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, env, exit, stderr } from "node:process";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { WASI } from "node:wasi";
import { prepare } from "./prepare.mjs";
import { inRounds } from "./rounds.js";

const SEEN = "/vectors";
const EXCHANGE = "/exchange";

// Node's WASI can collect garbage inside such a call, and then crashes (https://github.com/nodejs/node/issues/46777).
setFlagsFromString("--no-turbo-fast-api-calls");

const { module, directory, topics, sealgate } = prepare(
	"wasi.mjs",
	argv.slice(2),
);
const part = (/** @type {string} */ name) =>
	import(pathToFileURL(join(sealgate, name)).href);
const [compiled, entries, { createWebCrypto }] = await Promise.all([
	readFile(module).then((bytes) => WebAssembly.compile(bytes)),
	part("node.js"),
	part("webcrypto.js"),
]);
const folder = await mkdtemp(join(tmpdir(), "sealgate-vectors-"));
let status = 2;
try {
	status = await inRounds(run, entries, createWebCrypto(), (text) =>
		stderr.write(text),
	);
} finally {
	await rm(folder, { recursive: true, force: true });
}
exit(status);

/** One round. A panic traps: Node prints it and exits with 1. @param {string} answers */
async function run(answers) {
	await writeFile(join(folder, "answers.json"), answers);
	const wasi = new WASI({
		version: "preview1",
		args: ["sealgate-vectors", SEEN, ...topics],
		env: { PROVIDER: env.PROVIDER ?? "", EXCHANGE },
		preopens: { [SEEN]: directory, [EXCHANGE]: folder },
		returnOnExit: true,
	});
	const status = wasi.start(
		await WebAssembly.instantiate(compiled, {
			wasi_snapshot_preview1: wasi.wasiImport,
		}),
	);
	const questions = await readFile(
		join(folder, "questions.json"),
		"utf8",
	).catch(() => "{}");
	return { status, questions };
}
