// The element and its tests against the package's own types.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const path = (/** @type {string} */ name) =>
	fileURLToPath(new URL(name, import.meta.url));

for (const project of ["../../element/tsconfig.json", "tsconfig.json"])
	test(`tsc accepts ${project}`, () => {
		const { status, stdout, error } = spawnSync(
			path("../../tools/node_modules/.bin/tsc"),
			["-p", path(project)],
			{ encoding: "utf8" },
		);
		assert.equal(error, undefined, "tsc is missing (npm ci in tools/)");
		assert.equal(status, 0, stdout);
	});
