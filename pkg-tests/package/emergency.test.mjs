// What must stop now, stops now: from the change of a file to the refusal on every instance, with what was remembered before, and the
// command that proves it (docs/rollout.md "Stopping something now").

import assert from "node:assert/strict";
import {
	copyFileSync,
	mkdirSync,
	readFileSync,
	renameSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { startWorker } from "../lib/serve.mjs";
import { commandLine } from "./cli.mjs";
import { copyDemoPolicy, root } from "./support.mjs";

/** What docs/rollout.md says. */
const AT_MOST_MS = 10_000;
const SECRET = "the administrator's secret";
const DEMO = join(root, "fixtures/demo");

/** @type {ReturnType<typeof commandLine>} */
let cli;
before(() => {
	cli = commandLine();
});

/** Two instances of one policy. @param {string} name @param {import("node:test").TestContext} t */
async function instances(name, t) {
	const folder = join(cli.project, name);
	mkdirSync(folder);
	copyDemoPolicy(folder);
	const policy = join(folder, "policy.json");
	const gates = await Promise.all(
		[1, 2].map(() =>
			startWorker({
				runtime: "node",
				policy,
				settings: { ADMIN_SECRET: SECRET },
			}),
		),
	);
	t.after(() => Promise.all(gates.map(({ stop }) => stop())));
	return { folder, policy, gates };
}

/** @param {string} path @param {(policy: any) => void} change put in its place as one */
function edit(path, change) {
	const policy = JSON.parse(readFileSync(path, "utf8"));
	change(policy);
	writeFileSync(`${path}.new`, JSON.stringify(policy));
	renameSync(`${path}.new`, path);
}

/** @typedef {import("../lib/serve.mjs").Worker} Worker */

/** By tag and by digest, HEAD and GET. @param {Worker} gate @param {string} path @param {string[]} references */
async function statuses({ url }, path, references) {
	const asked = references.flatMap((reference) =>
		["HEAD", "GET"].map((method) =>
			fetch(`${url}/v2/${path}/manifests/${reference}`, { method }),
		),
	);
	return (await Promise.all(asked)).map(({ status }) => status);
}

/** @param {Worker} gate */
async function basis({ url }) {
	const metrics = await (await fetch(`${url}/metrics`)).text();
	return /sealgate_policy_info\{basis="(\w+)"\}/.exec(metrics)?.[1];
}

/** @param {Worker[]} gates @param {string} path @param {() => void} change @param {string} code */
async function stops(gates, path, change, code) {
	const digest = (
		await fetch(`${gates[0]?.url}/v2/${path}/manifests/1.0`)
	).headers.get("docker-content-digest");
	assert.ok(digest);
	const references = ["1.0", digest];
	// Twice, so that it is remembered.
	for (const expected of [200, 200])
		for (const gate of gates)
			assert.deepEqual(
				new Set(await statuses(gate, path, references)),
				new Set([expected]),
			);
	const before = await Promise.all(gates.map(basis));
	assert.equal(new Set(before).size, 1);

	change();
	const began = Date.now();
	for (const gate of gates)
		for (;;) {
			const found = await statuses(gate, path, references);
			if (found.every((status) => status === 403)) break;
			assert.ok(
				Date.now() - began < AT_MOST_MS,
				`${gate.url} still answers ${found} after ${AT_MOST_MS / 1000} s:\n${gate.output().slice(-500)}`,
			);
			await new Promise((done) => setTimeout(done, 100));
		}

	const after = await Promise.all(gates.map(basis));
	assert.equal(new Set(after).size, 1, "one policy on every instance");
	assert.notEqual(after[0], before[0]);
	const image = `demo.example/${path}:1.0`;
	for (const gate of gates) {
		const proof = await cli.sealgate(["doctor", gate.url, image, "--json"]);
		assert.equal(proof.status, 1, proof.stdout + proof.stderr);
		const { findings } = JSON.parse(proof.stdout);
		assert.deepEqual(
			findings
				.filter((/** @type {any} */ { level }) => level !== "ok")
				.map((/** @type {any} */ { check, level, code }) => [
					check,
					level,
					code,
				]),
			[["manifest", "problem", code]],
		);
		const kept = await fetch(
			`${gate.url}/admin/decisions?image=${encodeURIComponent(image)}`,
			{ headers: { authorization: `Bearer ${SECRET}` } },
		);
		const [newest] = (await kept.json()).decisions;
		assert.deepEqual([newest.verdict, newest.code], ["deny", code]);
	}
}

test("a key whose file is another one now", async (t) => {
	const { folder, gates } = await instances("file", t);
	await stops(
		gates,
		"demo/signed",
		() => copyFileSync(join(DEMO, "bundle.pub"), join(folder, "cosign.pub")),
		"signature.invalid",
	);
});

test("a key that the policy does not list any more", async (t) => {
	const { policy, gates } = await instances("list", t);
	const list = (/** @type {string[]} */ keyPaths) =>
		edit(policy, ({ transports: { docker } }) => {
			const [{ keyPath: _, ...requirement }] = docker["demo.example/demo"];
			docker["demo.example/demo"] = [{ ...requirement, keyPaths }];
		});
	list(["cosign.pub", "bundle.pub"]);
	for (const gate of gates)
		for (const deadline = Date.now() + AT_MOST_MS; ; ) {
			if (/"replaced":true/.test(gate.output())) break;
			assert.ok(Date.now() < deadline, gate.output());
			await new Promise((done) => setTimeout(done, 50));
		}
	await stops(
		gates,
		"demo/signed",
		() => list(["bundle.pub"]),
		"signature.invalid",
	);
});

test("a digest that is distrusted, whatever else the policy says", async (t) => {
	const { policy, gates } = await instances("digest", t);
	const url = `${gates[0]?.url}/v2/demo/signed/manifests/1.0`;
	const digest = (await fetch(url)).headers.get("docker-content-digest");
	await stops(
		gates,
		"demo/signed",
		() =>
			edit(policy, ({ sealgate }) => {
				sealgate.distrusted = [digest];
			}),
		"policy.distrusted",
	);
});

test("an index that lists a distrusted image", async (t) => {
	const { policy, gates } = await instances("index", t);
	const url = `${gates[0]?.url}/v2/demo/multi/manifests/1.0`;
	const [{ digest }] = (await (await fetch(url)).json()).manifests;
	await stops(
		gates,
		"demo/multi",
		() =>
			edit(policy, ({ sealgate }) => {
				sealgate.distrusted = [digest];
			}),
		"policy.distrusted",
	);
});
