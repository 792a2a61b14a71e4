// What `/setup` writes for docker and BuildKit, given to the real ones as it stands, in front of what they take for Docker Hub: they
// may fall back to it, by its name and without being told, and it would give what the gateway refuses.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { need } from "../lib/clients.mjs";
import { startHub } from "../lib/hub.mjs";
import { NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import { makeKey, pushImage, signTag, startRegistry } from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { FRONT_PROGRAMS, signedBy } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };

/** @type {Awaited<ReturnType<typeof world>>} */
let here;

before(async (t) => {
	if (need(/** @type {object} */ (t), PROGRAMS)) here = await world();
});
beforeEach(() => {
	if (here) here.hub.log.length = 0;
});
after(() => here?.stop());

/**
 * @param {string} name of NODES
 * @param {import("../lib/nodes.mjs").Options} options
 * @param {string} reference
 */
async function pull(name, options, reference) {
	const node = await (NODES[name] ?? assert.fail())(options);
	try {
		const { output } = await node.pull(reference);
		const held = await node.holds();
		const digest = here.images[reference.split(":").at(-1) ?? ""] ?? "";
		return { output, held: held.has(digest) };
	} finally {
		await node.stop();
	}
}

/**
 * The signed image comes, the other is refused with the reason, and nobody asked Docker Hub.
 *
 * @param {string} name of NODES
 * @param {import("../lib/nodes.mjs").Options} options
 * @param {string} [repository]
 * @param {RegExp} [reason]
 */
async function cannotFallBack(
	name,
	options,
	repository = "docker.io/team/app",
	reason = /sealgate: docker\.io\/team\/app:unsigned is refused/,
) {
	const signed = await pull(name, options, `${repository}:signed`);
	assert.ok(signed.held, signed.output);
	const unsigned = await pull(name, options, `${repository}:unsigned`);
	assert.ok(!unsigned.held, unsigned.output);
	assert.match(unsigned.output, reason);
	assert.deepEqual(here.hub.log, []);
}

/**
 * What the gateway refuses comes from Docker Hub.
 *
 * @param {string} name of NODES
 * @param {import("../lib/nodes.mjs").Options} options
 */
async function fallsBack(name, options) {
	const unsigned = await pull(name, options, "docker.io/team/app:unsigned");
	assert.ok(unsigned.held, unsigned.output);
	assert.ok(here.hub.log.length > 0);
}

/** A folder in the place of /etc/docker, with the hosts.toml that /setup writes. */
async function etcDocker() {
	const etc = await mkdtemp(join(here.folder, "etc-docker-"));
	const folder = join(etc, "certs.d/docker.io");
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, "hosts.toml"), await here.setup("containerd"));
	return etc;
}

for (const name of ["docker 20.10", "docker 29"]) {
	describe(name, () => {
		test("by the gateway's name", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const usual = await here.hub.nodes("");
			await cannotFallBack(name, usual, `${here.worker.host}/team/app`);
		});

		test("a mirror falls back", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const daemonJson = await here.setup("docker");
			await fallsBack(name, { ...(await here.hub.nodes("")), daemonJson });
			assert.match(here.worker.output(), /"verdict":"deny"/);
		});

		test("a mirror, and a hub whose name leads nowhere", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const daemonJson = await here.setup("docker");
			const blocked = await here.hub.nodes(await here.setup("hosts"));
			// The old one tells what went wrong at the last place that it asked.
			const reason = name === "docker 20.10" ? /registry-1/ : undefined;
			const options = { ...blocked, daemonJson };
			await cannotFallBack(name, options, undefined, reason);
		});
	});
}

test("docker 29 reads hosts.toml, whose server is the gateway", async (t) => {
	if (!need(t, PROGRAMS)) return;
	const { mounts, env } = await here.hub.nodes("");
	const options = { mounts: { ...mounts, "/etc/docker": await etcDocker() } };
	await cannotFallBack("docker 29", { ...options, env });
});

test("docker 20.10 does not, and asks the hub", async (t) => {
	if (!need(t, PROGRAMS)) return;
	const { mounts, env } = await here.hub.nodes("");
	const options = { mounts: { ...mounts, "/etc/docker": await etcDocker() } };
	await fallsBack("docker 20.10", { ...options, env });
});

describe("buildkit", () => {
	const name = "buildkit";

	test("a source policy leads FROM to the gateway", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const sourcePolicy = join(here.folder, "source-policy.json");
		await writeFile(sourcePolicy, await here.setup("buildkit"));
		const usual = await here.hub.nodes("");
		await cannotFallBack(name, { ...usual, sourcePolicy });
	});

	test("mirrors fall back", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const toml = await here.setup("buildkitd");
		await fallsBack(name, { ...(await here.hub.nodes("")), toml });
		assert.match(here.worker.output(), /"verdict":"deny"/);
	});

	test("mirrors, and a hub whose name leads nowhere", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const toml = await here.setup("buildkitd");
		const blocked = await here.hub.nodes(await here.setup("hosts"));
		await cannotFallBack(name, { ...blocked, toml });
	});
});

/** A gateway with Docker Hub at its root, and a hub. */
async function world() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-setup-"));
	const registry = await startRegistry();
	const hub = await startHub(registry.url, folder);
	const { key } = await makeKey(folder, { name: "good" });
	/** @type {Record<string, string>} */
	const images = {};
	for (const tag of ["signed", "unsigned"])
		images[tag] = await pushImage(registry.host, "team/app", tag, {
			text: tag,
		});
	await signTag(`${registry.host}/team/app@${images.signed}`, {
		key,
		identity: "docker.io/team/app",
	});
	const policy = join(folder, "policy.json");
	await writeFile(
		policy,
		JSON.stringify({
			default: [{ type: "reject" }],
			transports: { docker: { "docker.io/team": signedBy("good.pub") } },
		}),
	);
	const worker = await startWorker({
		policy,
		upstream: registry.url,
		name: "docker.io",
	});
	return {
		folder,
		hub,
		images,
		worker,
		/** @param {string} what */
		async setup(what) {
			const response = await fetch(`${worker.url}/setup?for=${what}`);
			assert.equal(response.status, 200);
			return response.text();
		},
		async stop() {
			await worker.stop();
			await hub.stop();
			await registry.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
