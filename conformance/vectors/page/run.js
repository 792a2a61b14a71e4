/**
 * The vectors' runner in a page; chromium.mjs calls it.
 *
 * @module
 */
import * as sealgate from "/sealgate/browser.js";
import { createWebCrypto } from "/sealgate/webcrypto.js";
import { createFolder, start } from "./preview1.js";
import { inRounds } from "../rounds.js";

const EXCHANGE = "/exchange";
const SEEN = "/vectors";

/**
 * The exit status, and what was written until then, also by a run that broke.
 *
 * @param {{ topics: string[], provider: string }} asked
 */
export async function run({ topics, provider }) {
	const written = { out: "", notes: "" };
	const tell = (/** @type {string} */ text) => {
		written.notes += text;
	};
	try {
		const [runner, vectors] = await Promise.all([
			WebAssembly.compileStreaming(fetch("/runner.wasm")),
			fetchFiles(),
		]);
		const oneRound = async (/** @type {string} */ answers) => {
			const exchange = createFolder([
				["answers.json", new TextEncoder().encode(answers)],
			]);
			const status = await start(runner, {
				arguments: ["sealgate-vectors", SEEN, ...topics],
				environment: { PROVIDER: provider, EXCHANGE },
				folders: { [SEEN]: vectors, [EXCHANGE]: exchange },
				out: (text) => {
					written.out += text;
				},
				notes: tell,
			});
			return { status, questions: exchange.text("questions.json") ?? "{}" };
		};
		return {
			status: await inRounds(oneRound, sealgate, createWebCrypto(), tell),
			...written,
		};
	} catch (error) {
		tell(`${error instanceof Error ? error.stack : error}\n`);
		return {
			status: error instanceof WebAssembly.RuntimeError ? 1 : 2,
			...written,
		};
	}
}

/** All files of the vectors, which come one after the other. */
async function fetchFiles() {
	const [list, all] = await Promise.all([
		fetch("/files.json").then((response) => response.json()),
		fetch("/files").then((response) => response.arrayBuffer()),
	]);
	let at = 0;
	return createFolder(
		list.map((/** @type {[string, number]} */ [path, size]) => {
			const bytes = new Uint8Array(all, at, size);
			at += size;
			return [path, bytes];
		}),
	);
}
