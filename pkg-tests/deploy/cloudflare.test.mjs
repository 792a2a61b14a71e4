// The worker on Cloudflare, as far as wrangler and its local platform (miniflare, which is workerd) go: docs/deploy/cloudflare.md.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
	FRONT_PROGRAMS,
	REJECT,
	ask,
	assertDenied,
	signedBy,
} from "../clients/front.mjs";
import { CLIENT_PROGRAMS, need, run, startClients } from "../lib/clients.mjs";
import {
	SECRETS,
	logged,
	makeProject,
	must,
	readTemplate,
	root,
	startUpstream,
	stopAll,
	startWrangler,
	until,
	wrangler,
} from "./front.mjs";

const PROGRAMS = { ...CLIENT_PROGRAMS, ...FRONT_PROGRAMS };
/** Bytes of a worker on the free plan, packed: 3 MB. */
const MOST_PACKED_KIB = 3_000;
const QUIET = { WRANGLER_SEND_METRICS: "false", CI: "true" };

/** @type {Awaited<ReturnType<typeof makeProject>>} */
let project;

before(async () => {
	project = await makeProject();
});
after(() => project?.remove());

describe("wrangler deploy --dry-run", () => {
	/** @param {(text: string) => string} [change] */
	async function dryRun(change = (text) => text) {
		const path = join(
			project.folder,
			"node_modules/sealgate/deploy/cloudflare/wrangler.jsonc",
		);
		const copy = join(project.folder, "wrangler.jsonc");
		await writeFile(copy, change(await readFile(path, "utf8")));
		const output = await must(
			process.execPath,
			[wrangler, "deploy", "--dry-run", "--outdir", "out", "--config", copy],
			{ cwd: project.folder, env: QUIET },
		);
		await rm(copy);
		return output;
	}

	test("takes the file as it is, within what the free plan takes", async () => {
		const output = await dryRun();
		assert.doesNotMatch(output, /WARNING|ERROR/);
		for (const binding of [
			"STATE (RepositoryState)",
			"POLICY_IN_FORCE (PolicyInForce)",
			"POLICIES",
			"LIMIT",
			"PACKAGE",
			"UPSTREAM",
			"NAME",
			'MAX_REQUESTS ("45")',
		])
			assert.ok(output.includes(`env.${binding}`), `${binding}: ${output}`);
		const packed = Number(/gzip: ([\d.]+) KiB/.exec(output)?.[1]);
		assert.ok(packed > 0 && packed < MOST_PACKED_KIB, `${packed} KiB`);
	});

	test("takes what stands in comments for the paid plan", async () => {
		let lines = 0;
		const output = await dryRun((text) =>
			text.replaceAll(/^(\s*)\/\/ (".*)$/gm, (_, space, line) => {
				lines += 1;
				return space + line;
			}),
		);
		assert.equal(lines, 1, "limits");
		assert.doesNotMatch(output, /WARNING|ERROR/);
	});
});

describe("the local platform", () => {
	/** @type {import("./front.mjs").Upstream} */
	let upstream;
	/** @type {import("../lib/clients.mjs").Client[]} */
	let clients;
	/** @type {string} */
	let state;
	/** @type {import("./front.mjs").Process} */
	let gateway;
	/** @type {string} */
	let bundle;

	const start = (/** @type {(config: any) => void} */ change = () => {}) =>
		startWrangler({
			project: project.folder,
			upstream: upstream.proxy.url,
			state,
			change,
		});
	const push = (/** @type {string} */ file) =>
		run(
			process.execPath,
			[join(root, "pkg/cli.cjs"), "policy", "push", file, gateway.url],
			{ env: { POLICY_SECRET: SECRETS.POLICY_SECRET } },
		);
	const inForce = async () =>
		(
			await fetch(`${gateway.url}/admin/policy`, {
				headers: { authorization: `Bearer ${SECRETS.POLICY_SECRET}` },
			})
		).json();

	before(async (t) => {
		if (!need(/** @type {object} */ (t), PROGRAMS)) return;
		upstream = await startUpstream();
		state = await mkdtemp(join(tmpdir(), "sealgate-cloudflare-"));
		bundle = join(state, "bundle.json");
		await upstream.bundle(bundle);
		gateway = await start();
		clients = await startClients();
	});
	after(async () => {
		await Promise.all((clients ?? []).map((client) => client.stop()));
		stopAll();
		await upstream?.stop();
		if (state) await rm(state, { recursive: true, force: true });
	});

	test("before a policy is pushed nothing is served", async () => {
		await upstream.image("team/signed", true);
		const { status, body } = await ask(
			gateway.url,
			"/v2/team/signed/manifests/1.0",
		);
		assert.equal(status, 503);
		assert.match(body.toString(), /policies\.not-pushed/);
	});

	test("what is pushed is in force, and what is none changes nothing", async () => {
		const pushed = await push(bundle);
		assert.ok(pushed.ok, pushed.output);
		assert.match(pushed.output, /^in force at .*: policy [0-9a-f]{64}$/m);
		const { policy: first } = await inForce();
		assert.ok(pushed.output.includes(first), pushed.output);
		const path = "/v2/team/signed/manifests/1.0";
		assert.equal((await ask(gateway.url, path)).status, 200);

		const good = await readFile(bundle, "utf8");
		const broken = join(state, "broken.json");
		await writeFile(
			broken,
			good.replace(/"policy": "[^"]+"/, '"policy": "e30="'),
		);
		const refused = await push(broken);
		assert.equal(refused.code, 1, refused.output);
		assert.match(refused.output, /goes on with what it has: .*config\.policy/);
		await writeFile(broken, "{");
		assert.equal((await push(broken)).code, 2);
		assert.equal((await inForce()).policy, first);
		assert.equal((await ask(gateway.url, path)).status, 200);

		await upstream.writePolicy(REJECT);
		const rejecting = join(state, "rejecting.json");
		await upstream.bundle(rejecting);
		const replaced = await push(rejecting);
		assert.ok(replaced.ok, replaced.output);
		assertDenied(await ask(gateway.url, path));
		const back = await push(bundle);
		assert.ok(back.ok, back.output);
		assert.equal((await ask(gateway.url, path)).status, 200);
		await upstream.writePolicy(signedBy("good.pub"));
		assert.deepEqual(
			logged(gateway, "configuration")
				.filter(({ state }) => state === "ok")
				.map(({ replaced }) => replaced),
			[false, true, true],
		);
	});

	test("clients pull what is signed, and nothing else", async () => {
		await upstream.image("team/unsigned", false);
		for (const { name, pull } of clients.filter(({ name }) =>
			["podman", "skopeo"].includes(name),
		)) {
			const good = await pull(`${gateway.host}/team/signed:1.0`);
			assert.ok(good.ok, `${name}: ${good.output}`);
			const bad = await pull(`${gateway.host}/team/unsigned:1.0`);
			assert.ok(!bad.ok && /sealgate: /.test(bad.output), bad.output);
		}
	});

	test("a pull goes on over a restart, by the Durable Object", async () => {
		const { layer } = await upstream.image("team/restart", true);
		const blob = `/v2/team/restart/blobs/${layer}`;
		assertDenied(await ask(gateway.url, blob));
		const path = "/v2/team/restart/manifests/1.0";
		assert.equal((await ask(gateway.url, path)).status, 200);
		await gateway.stop();
		gateway = await start();
		assert.equal((await ask(gateway.url, blob)).status, 200);
	});

	test("who asks too often beside pulls is told so, and pulls", async () => {
		await gateway.stop();
		gateway = await start((config) => {
			config.ratelimits[0].simple.limit = 3;
		});
		const statuses = [];
		for (let asked = 0; asked < 5; asked += 1)
			statuses.push(
				(await ask(gateway.url, "/api/evidence/team/signed?ref=1.0")).status,
			);
		assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
		const path = "/v2/team/signed/manifests/1.0";
		assert.equal((await ask(gateway.url, path)).status, 200);
	});

	test("an object that does not answer holds up no pull", async () => {
		const entry = join(project.folder, "stalled.js");
		await writeFile(
			entry,
			`export { default, PolicyInForce } from "sealgate/worker";
import { DurableObject } from "cloudflare:workers";
export class RepositoryState extends DurableObject {
	load() { return new Promise((done) => setTimeout(() => done(null), 120_000)); }
	save() { return this.load(); }
}
`,
		);
		await gateway.stop();
		gateway = await start((config) => {
			config.main = entry;
		});
		const { layer } = await upstream.image("team/stalled", true);
		const started = Date.now();
		const path = "/v2/team/stalled/manifests/1.0";
		assert.equal((await ask(gateway.url, path)).status, 200);
		const blob = `/v2/team/stalled/blobs/${layer}`;
		assert.equal((await ask(gateway.url, blob)).status, 200);
		const took = Date.now() - started;
		assert.ok(took < 4_000, `${took} ms`);
		await until(() => logged(gateway, "store").length > 0, gateway.output());
		assert.deepEqual(
			new Set(logged(gateway, "store").map(({ code }) => code)),
			new Set(["store.failed"]),
		);
	});
});

test("each binding of the file is one that the worker knows", async () => {
	const { durable_objects, kv_namespaces, ratelimits, assets, vars } =
		await readTemplate(project.folder);
	const worker = await Promise.all(
		["index.js", "policy.js"].map((name) =>
			readFile(join(root, "worker", name), "utf8"),
		),
	);
	for (const name of [
		...durable_objects.bindings.map((/** @type {any} */ one) => one.name),
		...kv_namespaces.map((/** @type {any} */ one) => one.binding),
		...ratelimits.map((/** @type {any} */ one) => one.name),
		assets.binding,
	])
		assert.ok(worker.join("").includes(`[${name}]`), name);
	const { configOf } = await import(join(root, "pkg/config.js"));
	assert.equal(configOf(vars).requests, 45);
});
