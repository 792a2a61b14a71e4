// The pages of docs/, and those that they link to, as a website: `node tools/docs-site.mjs MDBOOK OUT [HOST]`.
//
// mdBook shows what lies below one folder, and our pages link out of docs/. So they are copied as they lie in the repository, and
// the list of chapters is written for the folder above. HOST is the gateway that the element's example asks, localhost:8787 when absent.

import { spawnSync } from "node:child_process";
import {
	cp,
	mkdir,
	mkdtemp,
	readFile,
	rename,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** What pages link to, beside each other. */
const BESIDE = [
	"CHANGELOG.md",
	"CONTRIBUTING.md",
	"LICENSE",
	"README.md",
	"SECURITY.md",
	"examples/README.md",
	"examples/mdbook/book.toml",
	"examples/vitepress/.vitepress/config.mjs",
	"fixtures/README.md",
	"fixtures/demo/cosign.pub",
	"js/policy.schema.json",
	"js/report.schema.json",
];

const [mdbook, out, host = "localhost:8787"] = process.argv.slice(2);
if (mdbook === undefined || out === undefined) {
	console.error(
		"expected MDBOOK and OUT, found less: node tools/docs-site.mjs MDBOOK OUT [HOST]",
	);
	process.exit(2);
}
const book = await mkdtemp(join(tmpdir(), "sealgate-book-"));
try {
	const src = join(book, "src");
	await cp(join(ROOT, "docs"), join(src, "docs"), { recursive: true });
	for (const path of BESIDE) {
		await mkdir(dirname(join(src, path)), { recursive: true });
		await cp(join(ROOT, path), join(src, path));
	}
	const summary = await readFile(join(src, "docs/SUMMARY.md"), "utf8");
	await rm(join(src, "docs/SUMMARY.md"));
	await writeFile(join(src, "SUMMARY.md"), fromAbove(summary));
	await rename(join(src, "docs/book.toml"), join(book, "book.toml"));
	await rename(join(src, "docs/theme"), join(book, "theme"));
	for (const path of [join(book, "theme/head.hbs"), join(src, "docs/show.md")])
		await writeFile(
			path,
			(await readFile(path, "utf8")).replaceAll("localhost:8787", host),
		);
	const { status } = spawnSync(
		resolve(mdbook),
		["build", book, "--dest-dir", resolve(out)],
		{ stdio: "inherit" },
	);
	process.exitCode = status ?? 1;
} finally {
	await rm(book, { recursive: true, force: true });
}

/** @param {string} summary with links as they are in docs/ */
function fromAbove(summary) {
	return summary.replaceAll(/\]\((\.\.\/)?/gu, (_, up) =>
		up === undefined ? "](docs/" : "](",
	);
}
