// The tests of the library and the command line again, on the other versions of Node that the package is for.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { here, peer } from "./support.mjs";

/** Everything that runs in Node itself. */
const SUITES = [
	"abort",
	"cli",
	"driver",
	"egress",
	"fleet",
	"node",
	"policy",
].map((name) => join(here, `${name}.test.mjs`));

for (const version of [22, 24]) {
	test(`library and command line work in Node ${version}`, {
		timeout: 300_000,
	}, () => {
		const node = peer(`node-${version}-linux-${process.arch}/bin/node`);
		const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
		const env = {
			...environment,
			PATH: `${dirname(node)}:${environment.PATH}`,
		};
		const ask = (/** @type {string[]} */ ...args) =>
			spawnSync(node, args, { encoding: "utf8", env, maxBuffer: 1 << 26 });
		assert.match(ask("--version").stdout, new RegExp(`^v${version}\\.`));
		const { status, stdout, stderr } = ask(
			"--test",
			"--test-reporter=tap",
			...SUITES,
		);
		assert.equal(status, 0, `${failures(stdout)}${stderr}`);
		const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1]);
		assert.ok(passed >= 70, `${passed} tests passed`);
		assert.match(stdout, /^# skipped 0$/m);
	});
}

/** What failed, without what passed. @param {string} tap */
function failures(tap) {
	return tap
		.split(/\n(?=# Subtest)/)
		.filter((part) => /^not ok/m.test(part))
		.join("\n");
}
