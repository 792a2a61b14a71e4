// The element in a VitePress site: examples/vitepress, built and shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inEachBrowser, screenshot } from "../page/browser.mjs";
import { builtExample } from "./example.mjs";
import { shown } from "./site.mjs";

const path = (/** @type {string} */ name) =>
	fileURLToPath(new URL(name, import.meta.url));

const example = builtExample(
	path("../../examples/vitepress"),
	(source, out) => [
		path("node_modules/.bin/vitepress"),
		["build", source, "--outDir", out],
	],
);

inEachBrowser((browser, name) => {
	test("VitePress: by the gateway's policy, and by the site's key", async () => {
		const { page, complaints } = await browser.page();
		await page.goto(`${example.docs.url}/`);
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
		assert.deepEqual(await complaints(), []);
		await screenshot(page, `element-vitepress-${name}`);
		await page.close();
	});
});
