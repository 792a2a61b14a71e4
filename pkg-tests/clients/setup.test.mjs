// What `/setup` writes, given to real clients as it stands: images keep their own names, what is refused is refused, and nothing
// falls back to the registry, which would give it. A plain mirror shows that it would.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { need, run } from "../lib/clients.mjs";
import { NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import { makeKey, pushImage, signTag, startRegistry } from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { FRONT_PROGRAMS, signedBy } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };
const ADMIN = "the administrator's secret";

/** @type {Awaited<ReturnType<typeof world>>} */
let here;

before(async (t) => {
	if (need(/** @type {object} */ (t), PROGRAMS)) here = await world();
});
after(() => here?.stop());

describe("registries.conf", () => {
	/** @param {string} conf @param {string} image */
	const pull = async (conf, image) => {
		const folder = await mkdtemp(join(here.folder, "pull-"));
		const path = join(folder, "registries.conf");
		await writeFile(path, conf);
		return run(
			"skopeo",
			[
				...["--policy", here.open, "--registries-conf", path],
				...["copy", `docker://${image}`, `dir:${folder}/to`],
			],
			{ env: { HOME: folder } },
		);
	};

	test("by its own name the signed image comes, and the other is refused with the reason", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const conf = await here.setup("for=podman");
		const signed = await pull(conf, `${here.name}/app:signed`);
		assert.ok(signed.ok, signed.output);
		const unsigned = await pull(conf, `${here.name}/app:unsigned`);
		assert.ok(!unsigned.ok, unsigned.output);
		assert.match(unsigned.output, /sealgate: .*app:unsigned is refused/);
	});

	test("a plain mirror gives what the gateway refused", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const { output, ok } = await pull(
			`[[registry]]\nlocation = "${here.name}"\ninsecure = true\n[[registry.mirror]]\nlocation = "${here.worker.host}/team"\ninsecure = true\n`,
			`${here.name}/app:unsigned`,
		);
		assert.ok(ok, output);
		assert.match(here.worker.output(), /"verdict":"deny"/);
	});
});

for (const version of ["1.6", "2"]) {
	describe(`hosts.toml, containerd ${version}`, () => {
		/** @param {string} toml @param {string} tag */
		const pull = async (toml, tag) => {
			const folder = await mkdtemp(join(here.folder, "certs-"));
			await mkdir(join(folder, here.name), { recursive: true });
			await writeFile(join(folder, here.name, "hosts.toml"), toml);
			const node = await (NODES[`containerd ${version}, ctr`] ?? assert.fail())(
				{ hosts: folder },
			);
			try {
				const { output } = await node.pull(`${here.name}/app:${tag}`);
				return {
					output,
					held: (await node.holds()).has(here.images[tag] ?? ""),
				};
			} finally {
				await node.stop();
			}
		};

		test("by its own name the signed image comes, and the other does not", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const toml = await here.setup(`for=containerd&name=${here.name}`);
			const signed = await pull(toml, "signed");
			assert.ok(signed.held, signed.output);
			const unsigned = await pull(toml, "unsigned");
			assert.ok(!unsigned.held, unsigned.output);
			assert.match(unsigned.output, /403/);
		});

		test("without the server that /setup names it falls back", async (t) => {
			if (!need(t, PROGRAMS)) return;
			const toml = await here.setup(`for=containerd&name=${here.name}`);
			const mirror = toml.slice(toml.indexOf("[host."));
			assert.ok((await pull(mirror, "unsigned")).held);
		});
	});
}

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

/** A registry, and a gateway that has it below a prefix and under its own name. */
async function world() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-setup-"));
	const registry = await startRegistry();
	const { host: name } = registry;
	const key = await makeKey(folder, { name: "good" });
	/** @type {Record<string, string>} */
	const images = {};
	for (const tag of ["signed", "unsigned"])
		images[tag] = await pushImage(name, "app", tag, { text: tag });
	await signTag(`${name}/app@${images.signed}`, { key: key.key });
	const policy = {
		default: [{ type: "reject" }],
		transports: { docker: { [`${name}/app`]: signedBy("good.pub") } },
	};
	await writeFile(join(folder, "policy.json"), JSON.stringify(policy));
	const open = join(folder, "open.json");
	await writeFile(open, '{"default":[{"type":"insecureAcceptAnything"}]}');
	const worker = await startWorker({
		policy: join(folder, "policy.json"),
		settings: {
			REGISTRIES: JSON.stringify([
				{ prefix: "team", upstream: `http://${name}`, name },
			]),
			ADMIN_SECRET: ADMIN,
		},
	});
	return {
		folder,
		name,
		images,
		policy,
		open,
		worker,
		/** @param {string} query */
		async setup(query) {
			const response = await fetch(`${worker.url}/setup?${query}`);
			assert.equal(response.status, 200);
			return response.text();
		},
		async stop() {
			await worker.stop();
			await registry.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
