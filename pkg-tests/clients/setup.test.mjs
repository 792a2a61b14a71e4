// What `/setup` writes, given to real clients as it stands: images keep their own names, what is refused is refused, and nothing
// falls back to the registry, which would give it. A plain mirror shows that it would.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { need, run } from "../lib/clients.mjs";
import { NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import {
	makeKey,
	pushImage,
	signTag,
	startRegistry,
	tool,
} from "../lib/peers.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { startWorker } from "../lib/serve.mjs";
import { FRONT_PROGRAMS, signedBy } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };
const ADMIN = "the administrator's secret";

/** @type {Awaited<ReturnType<typeof world>>} */
let here;

before(async (t) => {
	if (need(/** @type {object} */ (t), PROGRAMS)) here = await world();
});
beforeEach(() => here?.origin.reset());
after(() => here?.stop());

/**
 * @param {string} name of NODES
 * @param {import("../lib/nodes.mjs").Options} options
 * @param {string} tag
 * @param {boolean} [byDigest]
 */
async function pull(name, options, tag, byDigest = false) {
	const node = await (NODES[name] ?? assert.fail())(options);
	const digest = here.images[tag] ?? "";
	try {
		const { output } = await node.pull(
			`${here.name}/app${byDigest ? `@${digest}` : `:${tag}`}`,
		);
		return { output, held: (await node.holds()).has(digest) };
	} finally {
		await node.stop();
	}
}

/**
 * The signed image comes, the other is refused with the reason, and nobody asked the registry.
 *
 * @param {string} name of NODES
 * @param {import("../lib/nodes.mjs").Options} options
 */
async function cannotFallBack(name, options) {
	for (const byDigest of [false, true]) {
		const signed = await pull(name, options, "signed", byDigest);
		assert.ok(signed.held, signed.output);
		const unsigned = await pull(name, options, "unsigned", byDigest);
		assert.ok(!unsigned.held, unsigned.output);
		assert.match(unsigned.output, /sealgate: \S+\/app[:@]\S+ is refused/);
	}
	assert.deepEqual(here.origin.log, []);
}

/**
 * What the gateway refuses comes from the registry.
 *
 * @param {string} name of NODES
 * @param {import("../lib/nodes.mjs").Options} options
 */
async function fallsBack(name, options) {
	const { held, output } = await pull(name, options, "unsigned");
	assert.ok(held, output);
	assert.ok(here.origin.log.length > 0);
}

/** @param {string} name @param {string} text */
async function file(name, text) {
	const path = join(await mkdtemp(join(here.folder, "file-")), name);
	await writeFile(path, text);
	return path;
}

describe("registries.conf", () => {
	for (const kind of ["podman", "cri-o"])
		test(`${kind}, read by podman`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const conf = await here.setup(`for=${kind}`);
			await cannotFallBack("podman", {
				registries: await file("registries.conf", conf),
			});
		});

	test("a plain mirror gives what the gateway refused", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const conf = `[[registry]]\nlocation = "${here.name}"\ninsecure = true\n[[registry.mirror]]\nlocation = "${here.worker.host}/team"\ninsecure = true\n`;
		await fallsBack("podman", {
			registries: await file("registries.conf", conf),
		});
		assert.match(here.worker.output(), /"verdict":"deny"/);
	});
});

describe("OpenShift's mirror sets, as its own code writes them for nodes, read by podman", () => {
	/** @param {string} yaml */
	const rendered = async (yaml) => {
		const { ok, output } = await run(await tool("mirror-sets"), [
			await file("sealgate.yaml", yaml),
		]);
		assert.ok(ok, output);
		return { conf: output, path: await file("registries.conf", output) };
	};

	test("never contact the source", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const { conf, path } = await rendered(await here.setup("for=openshift"));
		assert.match(conf, /blocked = true/);
		await cannotFallBack("podman", { registries: path });
	});

	test("contact it where they are not told not to", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const yaml = await here.setup("for=openshift");
		const { path } = await rendered(
			yaml.replaceAll("NeverContactSource", "AllowContactingSource"),
		);
		await fallsBack("podman", { registries: path });
	});

	test("of one kind alone give nothing to pulls of the other kind", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const [digests = "", , image = ""] = (
			await here.setup("for=openshift")
		).split(/^---\n/m);
		const { path } = await rendered(`${digests}---\n${image}`);
		const { held } = await pull("podman", { registries: path }, "signed");
		assert.ok(!held);
		assert.deepEqual(here.origin.log, []);
	});
});

/** A folder as certs.d, with this for the registry. @param {string} toml */
async function certs(toml) {
	const folder = await mkdtemp(join(here.folder, "certs-"));
	await mkdir(join(folder, here.name), { recursive: true });
	await writeFile(join(folder, here.name, "hosts.toml"), toml);
	return folder;
}

for (const name of [
	"containerd 1.6, ctr",
	"containerd 1.6, CRI",
	"containerd 2, ctr",
	"containerd 2, CRI",
]) {
	describe(`hosts.toml, ${name}`, () => {
		const toml = () => here.setup(`for=containerd&name=${here.name}`);

		test("by its own name the signed image comes, and the other does not", async (t) => {
			if (!need(t, PROGRAMS)) return;
			await cannotFallBack(name, { hosts: await certs(await toml()) });
		});

		test("without the server that /setup names it falls back", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const text = await toml();
			const mirror = text.slice(text.indexOf("[host."));
			await fallsBack(name, { hosts: await certs(mirror) });
		});

		test("who is not told of the folder asks the registry", async (t) => {
			if (!need(t, PROGRAMS)) return;
			await fallsBack(name, {});
		});
	});
}

describe("where the CRI is told of hosts.toml", () => {
	const hosts = async () =>
		certs(await here.setup(`for=containerd&name=${here.name}`));
	const [OF_1, OF_2] = [
		"io.containerd.grpc.v1.cri",
		"io.containerd.cri.v1.images",
	];

	test("containerd 1.6 does not know the table of containerd 2, and asks the registry", async (t) => {
		if (!need(t, PROGRAMS)) return;
		await fallsBack("containerd 1.6, CRI", {
			hosts: await hosts(),
			edit: (config) =>
				config.replace(`${OF_1}".registry`, `${OF_2}".registry`),
		});
	});

	test("containerd 2 knows both", async (t) => {
		if (!need(t, PROGRAMS)) return;
		await cannotFallBack("containerd 2, CRI", {
			hosts: await hosts(),
			edit: (config) =>
				config.replace(`${OF_2}".registry`, `${OF_1}".registry`),
		});
	});

	test("containerd 2 reads it without its transfer service, too", async (t) => {
		if (!need(t, PROGRAMS)) return;
		await cannotFallBack("containerd 2, CRI", {
			hosts: await hosts(),
			edit: (config) =>
				config.replace(
					'snapshotter = "native"',
					'snapshotter = "native"\nuse_local_image_pull = true',
				),
		});
	});
});

test("the policy is the administrator's", async (t) => {
	if (!need(t, PROGRAMS)) return;
	const url = `${here.worker.url}/setup?for=policy`;
	assert.equal((await fetch(url)).status, 401);
	const headers = { authorization: `Bearer ${ADMIN}` };
	assert.equal(
		await (await fetch(url, { headers })).text(),
		JSON.stringify(here.policy),
	);
});

/** A registry, the address at which clients may get around the gateway, and a gateway that has it below a prefix by that name. */
async function world() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-setup-"));
	const registry = await startRegistry();
	const origin = await startProxy(registry.url);
	const { host: name } = origin;
	const key = await makeKey(folder, { name: "good" });
	/** @type {Record<string, string>} */
	const images = {};
	for (const tag of ["signed", "unsigned"])
		images[tag] = await pushImage(registry.host, "app", tag, { text: tag });
	await signTag(`${registry.host}/app@${images.signed}`, {
		key: key.key,
		identity: `${name}/app`,
	});
	const policy = {
		default: [{ type: "reject" }],
		transports: { docker: { [`${name}/app`]: signedBy("good.pub") } },
	};
	await writeFile(join(folder, "policy.json"), JSON.stringify(policy));
	const worker = await startWorker({
		policy: join(folder, "policy.json"),
		settings: {
			REGISTRIES: JSON.stringify([
				{ prefix: "team", upstream: registry.url, name },
			]),
			ADMIN_SECRET: ADMIN,
		},
	});
	return {
		folder,
		name,
		images,
		policy,
		origin,
		worker,
		/** @param {string} query */
		async setup(query) {
			const response = await fetch(`${worker.url}/setup?${query}`);
			assert.equal(response.status, 200);
			return response.text();
		},
		async stop() {
			await worker.stop();
			await origin.stop();
			await registry.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
