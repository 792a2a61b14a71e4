// A policy as one value: made, read again, and refused where it cannot be in force.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
	cp,
	mkdtemp,
	readFile,
	readdir,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromBundle, toBundle } from "../../pkg/bundle.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cli = join(root, "pkg/cli.cjs");
/** @type {string} */
let folder;
/** @param {string[]} args */
const bundle = (...args) =>
	promisify(execFile)(process.execPath, [cli, "policy", "bundle", ...args], {
		cwd: folder,
	}).then(
		({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
		({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
	);

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "sealgate-bundle-"));
	await cp(join(root, "fixtures/demo"), folder, { recursive: true });
});
after(() => rm(folder, { recursive: true, force: true }));

test("it has the bytes of everything, and is the same again", async () => {
	const args = ["policy.json", "--registries.d", "registries.d"];
	const { status, stdout, stderr } = await bundle(...args);
	assert.equal(status, 0, stderr);
	const found = fromBundle(stdout);
	assert.deepEqual(
		Buffer.from(found.POLICY),
		await readFile(join(folder, "policy.json")),
	);
	assert.equal(
		found.POLICY_ASSETS["cosign.pub"],
		(await readFile(join(folder, "cosign.pub"))).toString("base64"),
	);
	assert.deepEqual(
		Object.keys(found.REGISTRIES_D ?? {}),
		await readdir(join(folder, "registries.d")),
	);
	assert.equal(found.POLICY_NEXT, undefined);
	assert.equal((await bundle(...args)).stdout, stdout);
	const next = await bundle("policy.json", "--next", "policy.json");
	assert.deepEqual(
		fromBundle(next.stdout).POLICY_NEXT,
		fromBundle(next.stdout).POLICY,
	);
});

test("a file that is missing, and a policy by which nothing could be served, write nothing", async () => {
	const out = join(folder, "out.json");
	await writeFile(out, "as it was");
	const policy = JSON.parse(
		await readFile(join(folder, "policy.json"), "utf8"),
	);
	const write = (/** @type {object} */ changed) =>
		writeFile(join(folder, "changed.json"), JSON.stringify(changed));
	const reject = [{ type: "reject" }];
	const signed = (/** @type {string} */ keyPath) => ({
		default: reject,
		transports: { docker: { x: [{ type: "sigstoreSigned", keyPath }] } },
	});
	for (const [changed, code] of /** @type {const} */ ([
		[signed("nowhere.pub"), /asset\.unreadable.*nowhere\.pub/],
		[{ ...policy, default: "nobody" }, /policy\./],
	])) {
		await write(changed);
		const { status, stdout, stderr } = await bundle(
			"changed.json",
			"--output",
			out,
		);
		assert.equal(status, 2, stderr);
		assert.match(stderr, code);
		assert.equal(stdout, "");
	}
	await writeFile(join(folder, "changed.json"), "{}");
	const next = ["policy.json", "--next", "changed.json", "--output", out];
	assert.match((await bundle(...next)).stderr, /config\.policy: .*next/);
	assert.equal(await readFile(out, "utf8"), "as it was");
	// What always rejects is a policy, and the linter says so.
	await write(signed("policy.json"));
	const { stderr } = await bundle("changed.json");
	assert.match(stderr, /error SL14 key-unusable/);
	const { status } = await bundle("policy.json", "--output", out);
	assert.equal(status, 0);
	fromBundle(await readFile(out, "utf8"));
	const left = (await readdir(folder)).filter((name) => /\.new$/.test(name));
	assert.deepEqual(left, []);
});

test("a push goes over TLS or stays here, and wants a secret and a bundle", async () => {
	await bundle("policy.json", "--output", join(folder, "bundle.json"));
	const push = (
		/** @type {string} */ file,
		/** @type {string} */ url,
		POLICY_SECRET = "sixteen characters",
	) =>
		promisify(execFile)(process.execPath, [cli, "policy", "push", file, url], {
			cwd: folder,
			env: { ...process.env, POLICY_SECRET },
		}).then(
			() => assert.fail("it was pushed"),
			({ code, stderr }) => `${code} ${stderr}`,
		);
	const nobody = "http://127.0.0.1:1";
	for (const [found, expected] of /** @type {const} */ ([
		[await push("bundle.json", nobody, ""), /^2 .*POLICY_SECRET.*found none/],
		[await push("bundle.json", nobody, "short"), /^2 .*POLICY_SECRET.*found 5/],
		[await push("bundle.json", "http://gate.example.com"), /^2 .*https:/],
		[await push("bundle.json", "gate.example.com"), /^2 .*https:/],
		[await push("policy.json", nobody), /^2 .*policies\.bundle: policy\.json/],
		[await push("bundle.json", nobody), /^2 .*gateway\.unreachable/],
	]))
		assert.match(found, expected);
});

test("what is none is not taken for one", () => {
	const good = JSON.parse(
		toBundle({ policy: new Uint8Array([1]), assets: {} }),
	);
	fromBundle(JSON.stringify(good));
	for (const wrong of [
		"",
		"{",
		"[]",
		"null",
		'"sealgate-policy/1"',
		JSON.stringify({ ...good, format: "sealgate-policy/2" }),
		JSON.stringify({ ...good, policy: undefined }),
		JSON.stringify({ ...good, policy: "not base64!" }),
		JSON.stringify({ ...good, assets: undefined }),
		JSON.stringify({ ...good, assets: { "a.pub": 1 } }),
		JSON.stringify({ ...good, registriesD: [] }),
		JSON.stringify({ ...good, registriesd: {} }),
	])
		assert.throws(() => fromBundle(wrong), { code: "policies.bundle" }, wrong);
});
