// An example of a website of documentation: built as its readers would, with the address of a gateway of the test's own in place of
// the one that it names, and shown from another origin.

import {
	cp,
	mkdtemp,
	readdir,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { run } from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { startDocs } from "./docs.mjs";

/** The gateway that the examples name: `make serve`. */
const NAMED = "localhost:8787";

/**
 * The demo's gateway and the website, as long as the tests of a file run.
 *
 * @param {string} folder
 * @param {(source: string, out: string, host: string) => [string, string[]]} builder the program that builds it, with its arguments; `host`: the gateway's
 */
export function builtExample(folder, builder) {
	const example = {
		/** @type {import('./docs.mjs').Docs} */ docs: /** @type {any} */ (null),
		/** @type {import('../lib/serve.mjs').Worker} */ gateway:
			/** @type {any} */ (null),
	};
	/** @type {(() => unknown)[]} */
	const ends = [];
	before(async () => {
		const scratch = await mkdtemp(join(tmpdir(), "sealgate-docs-"));
		ends.push(() => rm(scratch, { recursive: true, force: true }));
		const out = join(scratch, "out");
		example.docs = await startDocs((path) =>
			readFile(join(out, path)).catch(() => undefined),
		);
		ends.push(example.docs.stop);
		example.gateway = await startWorker({
			settings: { CORS_ORIGINS: example.docs.url },
		});
		ends.push(example.gateway.stop);
		const source = join(scratch, "source");
		await cp(folder, source, {
			recursive: true,
			filter: (path) => !/node_modules|[\\/]book$/u.test(path),
		});
		await rename(source, example.gateway.host);
		const [program, args] = builder(source, out, example.gateway.host);
		await run(program, args, { cwd: source });
	});
	after(async () => {
		for (const end of ends.reverse()) await end();
	});
	return example;
}

/** @param {string} folder @param {string} host */
async function rename(folder, host) {
	const entries = await readdir(folder, {
		recursive: true,
		withFileTypes: true,
	});
	for (const entry of entries.filter((each) => each.isFile())) {
		if (!/\.(md|mjs|hbs|toml)$/u.test(entry.name)) continue;
		const path = join(entry.parentPath ?? entry.path, entry.name);
		const text = await readFile(path, "utf8");
		if (text.includes(NAMED))
			await writeFile(path, text.replaceAll(NAMED, host));
	}
}
