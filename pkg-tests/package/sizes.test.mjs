// What an artefact weighs on the wire, its glue included, beside what sizes.json has: it may grow by 2 %. Whatever makes it
// grow more raises the figure there in the same commit, and says why.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotli, kilobytes } from "../../tools/build/sizes.mjs";
import { here, need, root } from "./support.mjs";

const MAY_GROW = 1.02;

/** @type {Record<string, {files: string[], brotli: number, why: string}>} */
const sizes = JSON.parse(readFileSync(join(here, "sizes.json"), "utf8"));

for (const [artefact, { files, brotli: limit, why }] of Object.entries(sizes)) {
	test(`${artefact} weighs what is allowed`, (context) => {
		const weights = files.map((file) =>
			brotli(readFileSync(need(join(root, "pkg", file), "make build"))),
		);
		const weight = weights.reduce((sum, one) => sum + one, 0);
		context.diagnostic(
			`${kilobytes(weight)} brotli (${files.map((file, at) => `${file} ${kilobytes(weights[at])}`).join(", ")}); ${kilobytes(limit)} ${why}`,
		);
		assert.ok(
			weight <= limit * MAY_GROW,
			`expected at most ${kilobytes(limit * MAY_GROW)} brotli of ${files.join(" and ")}, found ${kilobytes(weight)}: make it smaller, or raise the figure in pkg-tests/package/sizes.json and say why there`,
		);
		assert.ok(
			weight * MAY_GROW >= limit,
			`expected about ${kilobytes(limit)} brotli of ${files.join(" and ")}, found ${kilobytes(weight)}: write the smaller figure into pkg-tests/package/sizes.json, so that it stays`,
		);
	});
}
