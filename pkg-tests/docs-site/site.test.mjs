// mdBook: the pages of docs/ as a website with the element live in it, and examples/mdbook.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { builtExample } from "../element/example.mjs";
import { shown } from "../element/site.mjs";
import { run } from "../lib/peers.mjs";
import { inEachBrowser, screenshot } from "../page/browser.mjs";

const path = (/** @type {string} */ name) =>
	fileURLToPath(new URL(name, import.meta.url));
const MDBOOK = process.env.MDBOOK ?? "mdbook";
const SITE = path("../../tools/docs-site.mjs");

const docs = builtExample(path("../../docs"), (_, out, host) => [
	process.execPath,
	[SITE, MDBOOK, out, host],
]);
const book = builtExample(path("../../examples/mdbook"), (source, out) => [
	MDBOOK,
	["build", source, "--dest-dir", out],
]);

inEachBrowser((browser, name) => {
	for (const [what, example, address] of /** @type {const} */ ([
		["our own pages", docs, "/docs/show.html"],
		["the example", book, "/images.html"],
	]))
		test(`mdBook, ${what}: by the gateway's policy, and by a key of the website`, async () => {
			const { page, complaints } = await browser.page();
			await page.goto(`${example.docs.url}${address}`);
			const elements = await shown(page);
			assert.deepEqual(
				elements.map(({ state, basis }) => [state, basis]),
				[
					[
						"Allowed",
						`Judged in this browser, by the policy that ${example.gateway.host} gives`,
					],
					["Denied", "Judged in this browser, by the key that this page gives"],
				],
			);
			// mdBook has a rem of 10 pixels.
			const size = await page.$eval("sealgate-image", (element) =>
				Number.parseFloat(getComputedStyle(element).fontSize),
			);
			assert.ok(size >= 14, `letters of ${size} pixels`);
			await page.evaluate(() => scrollTo(0, 0));
			await screenshot(page, `element-mdbook-${address.split("/")[1]}-${name}`);
			assert.deepEqual(await complaints(), []);
			await page.close();
		});
});

test("no link in the website leads nowhere", async () => {
	const out = await mkdtemp(join(tmpdir(), "sealgate-site-"));
	after(() => rm(out, { recursive: true, force: true }));
	await run(process.execPath, [SITE, MDBOOK, out]);
	const entries = await readdir(out, { recursive: true });
	const pages = entries.filter(
		(file) => /\.html$/u.test(file) && !/^(404|print|toc)\.html$/u.test(file),
	);
	const texts = new Map(
		await Promise.all(
			pages.map(
				async (file) =>
					/** @type {const} */ ([
						file,
						await readFile(join(out, file), "utf8"),
					]),
			),
		),
	);
	const files = new Set(entries);
	const nowhere = [];
	let count = 0;
	for (const [file, text] of texts)
		for (const [, link = ""] of text.matchAll(/(?:href|src)="([^"]+)"/gu)) {
			if (/^[a-z]+:/u.test(link)) continue;
			count += 1;
			const [to = "", anchor] = link.split("#");
			const target = to === "" ? file : normalize(join(dirname(file), to));
			const found = texts.get(target);
			if (
				!files.has(target) ||
				(anchor && found && !found.includes(`id="${anchor}"`))
			)
				nowhere.push(`${file}: ${link}`);
		}
	assert.ok(
		pages.length > 15 && count > 500,
		`${pages.length} pages, ${count} links`,
	);
	assert.deepEqual(nowhere, []);
});
