// The pages of docs/, and those that they link to, as a website: `node tools/docs-site.mjs MDBOOK OUT [HOST]`.
//
// mdBook shows what lies below one folder, and our pages link out of docs/. So they are copied as they lie in the repository, and
// the list of chapters is written for the folder above. HOST is the gateway that the element's example asks, localhost:8787 when absent.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
	cp,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rename,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Pages that lie elsewhere, and what the element's example names. */
const BESIDE = [
	"CHANGELOG.md",
	"CONTRIBUTING.md",
	"README.md",
	"SECURITY.md",
	"examples/README.md",
	"fixtures/README.md",
	"fixtures/demo/cosign.pub",
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
	for (const path of BESIDE) await copy(path, src);
	for (const page of await readdir(src, { recursive: true }))
		if (page.endsWith(".md"))
			for (const path of await linked(join(src, page), dirname(page)))
				await copy(path, src);
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

/** @param {string} path in the repository @param {string} src */
async function copy(path, src) {
	const target = join(src, path);
	if (existsSync(target) || !existsSync(join(ROOT, path))) return;
	await mkdir(dirname(target), { recursive: true });
	await cp(join(ROOT, path), target);
}

/** Files that a page links to and that are no pages: sources, schemas. @param {string} page @param {string} folder */
async function linked(page, folder) {
	const text = await readFile(page, "utf8");
	return [...text.matchAll(/\]\(([^)#:]+)/gu)]
		.map(([, link = ""]) => normalize(join(folder, link)))
		.filter((path) => !/\.md$|[\\/]$|^\.\./u.test(path));
}

/** @param {string} summary with links as they are in docs/ */
function fromAbove(summary) {
	return summary.replaceAll(/\]\((\.\.\/)?/gu, (_, up) =>
		up === undefined ? "](docs/" : "](",
	);
}
