// Pulls that do not go from the beginning to the end through one gateway that stays as it is: a manifest from one and its blobs from
// another, a restart or another policy in between, an image of an index a month later; and what many pulls of one image cost.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	after,
	afterEach,
	before,
	beforeEach,
	describe,
	test,
} from "node:test";
import { fileURLToPath } from "node:url";
import { need } from "../lib/clients.mjs";
import { ARCHITECTURE, NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import {
	fetchManifest,
	makeKey,
	pushImage,
	sha256,
	signTag,
	startRegistry,
} from "../lib/peers.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { freePort, startWorker } from "../lib/serve.mjs";
import { FRONT_PROGRAMS, NAME, REJECT, ask, signedBy } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };
const REPO = "app";
const ADMIN = "an administrator's secret";
const DAY = 86_400;
const CROWD = 64;

/** @typedef {import("../lib/serve.mjs").Worker} Worker */
/** @typedef {{ digest: string, tag: string, config: string, layer: string, text: string }} Image */

/** @type {string} */ let folder;
/** @type {import("../lib/peers.mjs").Registry} */ let registry;
/** @type {import("../lib/proxy.mjs").Proxy} */ let proxy;
/** @type {(() => unknown)[]} */ const endings = [];

before(async (t) => {
	if (!need(/** @type {object} */ (t), PROGRAMS)) return;
	folder = await mkdtemp(join(tmpdir(), "sealgate-pulls-"));
	await makeKey(folder, { name: "good" });
	await writeFile(join(folder, "open.json"), policyOf(signedBy("good.pub")));
	await writeFile(join(folder, "closed.json"), policyOf(REJECT));
	registry = await startRegistry();
	proxy = await startProxy(registry.url);
});
after(async () => {
	await proxy?.stop();
	await registry?.stop();
	if (folder) await rm(folder, { recursive: true, force: true });
});
beforeEach(() => proxy?.reset());
afterEach(async () => {
	for (const end of endings.splice(0).reverse()) await end();
});

for (const runtime of ["node", "workerd"])
	describe(`through ${runtime}`, () => {
		/** @param {string} [policy] @param {number} [port] */
		const gateway = async (policy = "open", port) => {
			const started = await startWorker({
				upstream: proxy.url,
				name: NAME,
				policy: join(folder, `${policy}.json`),
				runtime,
				settings: { ADMIN_SECRET: ADMIN },
				...(port !== undefined && { port }),
			});
			let over = false;
			const stop = async () => {
				if (!over) await started.stop();
				over = true;
			};
			endings.push(stop);
			/** Without a farewell. */
			const crash = async () => {
				process.kill(await started.pid(), "SIGKILL");
				await stop();
			};
			return { ...started, stop, crash };
		};

		test("a manifest from one gateway opens no blob of another, until that has seen it, too", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const image = await push();
			const [one, other] = [await gateway(), await gateway()];
			assert.equal((await manifest(one, image.tag)).status, 200);
			for (const digest of [image.config, image.layer]) {
				assert.equal((await blob(one, digest)).status, 200);
				const refused = await blob(other, digest);
				assert.equal(refused.status, 403);
				assert.match(refused.body.toString(), /\[gateway\.not-linked\]/);
			}
			assert.equal((await manifest(other, image.tag)).status, 200);
			assert.equal((await blob(other, image.layer)).status, 200);
		});

		for (const client of ["containerd 1.6, ctr", "containerd 2, CRI", "podman"])
			test(`${client}: a restart in the middle of a pull; the next one brings the image`, async (t) => {
				if (!need(t, PROGRAMS)) return;
				const image = await push();
				const port = await freePort();
				const [first, node] = [
					await gateway("open", port),
					await start(client),
				];
				const { done } = await heldAtTheLayer(first, node, image);
				await first.crash();
				const second = await gateway("open", port);
				proxy.rules.length = 0;
				await done;
				const { ok, output } = await node.pull(
					`${second.host}/${REPO}:${image.tag}`,
				);
				assert.ok(ok, output);
				const held = await node.holds();
				assert.ok(held.has(image.digest) && held.has(image.config), output);
			});

		test("a policy that refuses the image from the middle of a pull on keeps the rest of it", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const image = await push();
			const port = await freePort();
			const first = await gateway("open", port);
			const node = await start("containerd 1.6, ctr");
			const { done } = await heldAtTheLayer(first, node, image);
			await first.crash();
			const second = await gateway("closed", port);
			proxy.rules.length = 0;
			await done;
			const { ok, output } = await node.pull(
				`${second.host}/${REPO}:${image.tag}`,
			);
			assert.equal(ok, false, output);
			assert.match(output, /sealgate: /);
			assert.equal((await blob(second, image.layer)).status, 403);
			const held = await node.holds();
			assert.ok(!held.has(image.layer), "it holds the layer");
		});

		test("a tag that is pulled again costs no GET of its manifest, by a node that has nothing", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const image = await push();
			const one = await gateway();
			for (const first of [true, false]) {
				proxy.reset();
				const node = await start("containerd 1.6, ctr");
				const { ok, output } = await node.pull(
					`${one.host}/${REPO}:${image.tag}`,
				);
				assert.ok(ok, output);
				const gets = proxy.log.filter(
					({ method, path }) =>
						method === "GET" && path.includes("/manifests/"),
				);
				if (first) assert.ok(gets.length > 0, "the first pull fetched it");
				else assert.deepEqual(gets, [], "no manifest was fetched");
			}
		});

		test("a stop does not wait without end for a registry that never ends a layer", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const image = await push();
			const one = await gateway();
			assert.equal((await manifest(one, image.tag)).status, 200);
			proxy.rules.push({
				path: new RegExp(`/blobs/${image.layer}`),
				stall: 20,
			});
			const { status, body } = await fetch(
				`${one.url}/v2/${REPO}/blobs/${image.layer}`,
			);
			assert.equal(status, 200);
			const began = Date.now();
			await one.stop();
			const took = Date.now() - began;
			assert.ok(took < 45_000, `it took ${took} ms`);
			await body?.cancel().catch(() => {});
		});

		for (const by of /** @type {const} */ (["tag", "digest"]))
			test(`${CROWD} pulls of one image at once, by its ${by}, fetch and verify it once`, async (t) => {
				if (!need(t, PROGRAMS)) return;
				const image = await push();
				const one = await gateway();
				const answers = await crowd(one, image[by]);
				for (const { status, body } of answers) {
					assert.equal(status, 200, body.toString());
					assert.equal(sha256(body), image.digest);
				}
				assert.equal(asked("GET", image.digest), 1);
				// Each was let in by a request of its own; the one that fetched by digest, by that.
				const heads = asked("HEAD", image[by]);
				assert.equal(heads, by === "tag" ? CROWD : CROWD - 1);
				assert.equal(await metric(one, "sealgate_signature_checks_total"), 1);
			});

		test(`${CROWD} pulls at once of what is refused fetch it once`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const tag = `t${Math.floor(Math.random() * 1e12)}`;
			const digest = await pushImage(registry.host, REPO, tag, { text: tag });
			// What is refused is not kept: they have it for as long as they wait.
			const path = new RegExp(`/manifests/${digest}$`);
			proxy.rules.push({ path, method: "GET", delay: 2_000 });
			for (const { status } of await crowd(await gateway(), tag))
				assert.equal(status, 403);
			assert.equal(asked("GET", digest), 1);
		});

		test("who was first and leaves fails none of those who wait", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const image = await push();
			const one = await gateway();
			const path = new RegExp(`/manifests/${image.digest}$`);
			proxy.rules.push({ path, method: "GET", stall: -1, times: 1 });
			const leave = new AbortController();
			const address = `${one.url}/v2/${REPO}/manifests/${image.tag}`;
			const first = fetch(address, { signal: leave.signal });
			for (let turn = 0; asked("GET", image.digest) === 0; turn += 1) {
				assert.ok(turn < 200, "the manifest was not asked for");
				await new Promise((done) => setTimeout(done, 50));
			}
			const others = crowd(one, image.tag);
			leave.abort();
			await assert.rejects(first);
			for (const { status, body } of await others) {
				assert.equal(status, 200, body.toString());
				assert.equal(sha256(body), image.digest);
			}
		});
	});

describe("through the package, whose clock is an argument", () => {
	test("an image of an index is served by its digest a month later, by what the index was then; not after it", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const tag = `index-${Math.random()}`;
		const digest = await pushImage(registry.host, REPO, tag, {
			text: tag,
			arches: ["amd64", "arm64"],
		});
		await sign(digest);
		const { manifests } = JSON.parse(
			(await fetchManifest(registry.host, REPO, digest))?.bytes.toString() ??
				"",
		);
		const { Gateway } = await import(
			fileURLToPath(new URL("../../pkg/node.js", import.meta.url))
		);
		const { createStore } = await import(
			fileURLToPath(new URL("../../pkg/serve/store.js", import.meta.url))
		);
		const begin = Math.floor(Date.now() / 1000);
		let time = begin;
		const store = createStore(1 << 24, () => time * 1000);
		const make = () => gatewayOf(Gateway, store);
		let gateway = await make();
		const status = async (/** @type {string} */ reference) => {
			const action = await gateway.handle({
				method: "GET",
				url: `http://gate.test/v2/${REPO}/manifests/${reference}`,
				headers: new Headers(),
				time,
			});
			return action.status;
		};
		const child = manifests[1].digest;
		assert.equal(await status(child), 403, "before its index was seen");
		time += 20;
		assert.equal(await status(tag), 200);
		time = begin + 29 * DAY;
		assert.equal(await status(child), 200, "29 days later");
		gateway = await make();
		assert.equal(await status(child), 200, "after a restart, by the store");
		// A month without being asked for.
		time += 31 * DAY;
		gateway = await make();
		assert.equal(await status(child), 403, "when the link is over");
		time += 20;
		assert.equal(await status(tag), 200);
		assert.equal(await status(child), 200, "once the index was pulled again");
	});
});

/** @param {any} Gateway @param {{ load: unknown, save: unknown }} store */
async function gatewayOf(Gateway, { load, save }) {
	return Gateway.create(
		{
			upstream: registry.url,
			name: NAME,
			policy: await readFile(join(folder, "open.json")),
			assets: { "good.pub": await readFile(join(folder, "good.pub")) },
			secret: "a secret that outlives a gateway",
		},
		{
			fetch: (
				/** @type {string} */ url,
				/** @type {RequestInit} */ { method, headers, body },
			) => fetch(url, { method, headers, body }),
			load,
			save,
		},
	);
}

/** @param {object[]} requirements */
function policyOf(requirements) {
	return JSON.stringify({
		sealgate: { version: 1 },
		default: REJECT,
		transports: { docker: { [`${NAME}/${REPO}`]: requirements } },
	});
}

/** An image that is signed, and that no gateway has seen. @returns {Promise<Image>} */
async function push() {
	const tag = `t${Math.floor(Math.random() * 1e12)}`;
	const text = `${tag} ${Math.random()}`;
	const digest = await pushImage(registry.host, REPO, tag, {
		text,
		arches: [ARCHITECTURE],
	});
	await sign(digest);
	const { config, layers } = JSON.parse(
		(await fetchManifest(registry.host, REPO, digest))?.bytes.toString() ?? "",
	);
	return {
		digest,
		tag,
		config: config.digest,
		layer: layers[0].digest,
		text,
	};
}

/** @param {string} digest */
const sign = (digest) =>
	signTag(`${registry.host}/${REPO}@${digest}`, {
		key: join(folder, "good.key"),
		identity: `${NAME}/${REPO}`,
	});

/** @param {string} client */
async function start(client) {
	const node = await (NODES[client] ?? assert.fail(client))();
	endings.push(node.stop);
	return node;
}

/**
 * Begins a pull, and comes back once the registry was asked for the layer, which it does not give.
 *
 * @param {Worker} gateway
 * @param {import("../lib/nodes.mjs").Node} node
 * @param {Image} image
 * @returns {Promise<{ done: Promise<unknown> }>} done: the pull, which awaiting this must not wait for
 */
async function heldAtTheLayer(gateway, node, image) {
	proxy.rules.push({
		path: new RegExp(`/blobs/${image.layer}`),
		stall: -1,
	});
	const pulling = node.pull(`${gateway.host}/${REPO}:${image.tag}`);
	const asked = () =>
		proxy.log.some(({ path }) => path.endsWith(`/blobs/${image.layer}`));
	for (let turn = 0; !asked(); turn += 1) {
		assert.ok(turn < 200, "the layer was not asked for");
		await new Promise((done) => setTimeout(done, 50));
	}
	return { done: pulling };
}

/** @param {Worker} at @param {string} reference */
const manifest = ({ url }, reference) =>
	ask(url, `/v2/${REPO}/manifests/${reference}`);
/** @param {Worker} at @param {string} reference */
const crowd = (at, reference) =>
	Promise.all(Array.from({ length: CROWD }, () => manifest(at, reference)));
/** How often the registry was. @param {string} method @param {string} reference */
const asked = (method, reference) =>
	proxy.log.filter(
		(line) =>
			line.method === method && line.path.endsWith(`/manifests/${reference}`),
	).length;
/** @param {Worker} at @param {string} digest */
const blob = ({ url }, digest) => ask(url, `/v2/${REPO}/blobs/${digest}`);

/** @param {Worker} at @param {string} name */
async function metric({ url }, name) {
	const text = await (
		await fetch(`${url}/metrics`, {
			headers: { authorization: `Bearer ${ADMIN}` },
		})
	).text();
	const [, value] = new RegExp(`^${name} (\\d+)$`, "m").exec(text) ?? [];
	return value === undefined ? assert.fail(text) : Number(value);
}
