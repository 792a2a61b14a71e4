// The OCI distribution-spec's own conformance suite, through the gateway, in front of three registries: what reads (ping, tags,
// manifests, blobs, referrers) of content that the suite makes itself, and its read-only mode with what cosign signed. Writes go past
// the gateway, to the registry; so does what the suite reads back as a part of a push. Each test that passes at the registry itself has
// to pass through the gateway; what is left out has a reason, and has to fail, or it would not be left out.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { need, run } from "../lib/clients.mjs";
import {
	fetchManifest,
	makeKey,
	pushImage,
	signBundle,
	startCraneRegistry,
	startDistribution3,
	startRegistry,
	tool,
} from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import {
	ACCEPT_ANYTHING,
	FRONT_PROGRAMS,
	NAME,
	REJECT,
	bundleBy,
} from "./front.mjs";

const REGISTRIES = {
	"docker-registry": startRegistry,
	"distribution 3": startDistribution3,
	"a registry with the referrers API": startCraneRegistry,
};

/** What reads. */
const READS =
	/^(ping|empty\/|sha\d+ blobs\/.*\/(blob-head|blob-get|range \S+)$|[^/]+\/(tag-list|head\/|pull\/|referrers))/;

/** Names of tests that pass at a registry and not through the gateway, and why. @type {[RegExp, string][]} */
const LEFT_OUT = [
	[
		/^sha\d+ blobs\//,
		"a blob goes out only while an allowed manifest lists it, and none lists these",
	],
];

/** @typedef {import("../lib/peers.mjs").Registry} Registry */
/** @typedef {Map<string, { passed: number, failed: number, said: string }>} Results */

/** @type {string} */ let folder;
/** @type {string} */ let key;
/** Reasons that were met. @type {Set<string>} */
const met = new Set();

describe("the conformance suite of the distribution-spec", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
		folder = await mkdtemp(join(tmpdir(), "sealgate-conformance-"));
		({ key } = await makeKey(folder, { name: "good" }));
		await writeFile(
			join(folder, "policy.json"),
			JSON.stringify({
				sealgate: { version: 1 },
				default: REJECT,
				transports: {
					docker: {
						[`${NAME}/gated`]: ACCEPT_ANYTHING,
						[`${NAME}/signed`]: bundleBy("good.pub"),
					},
				},
			}),
		);
	});
	after(() => folder && rm(folder, { recursive: true, force: true }));

	for (const [name, start] of Object.entries(REGISTRIES))
		describe(name, () => {
			/** @type {Registry} */ let registry;
			/** @type {import("../lib/serve.mjs").Worker} */ let gateway;
			before(async (t) => {
				if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
				registry = await start();
				gateway = await startWorker({
					upstream: registry.url,
					name: NAME,
					policy: join(folder, "policy.json"),
					settings: { FOREIGN_LAYERS: "allow" },
				});
			});
			after(async () => {
				await gateway?.stop();
				await registry?.stop();
			});

			test("what passes at the registry passes through the gateway", async (t) => {
				if (!need(t, FRONT_PROGRAMS)) return;
				const split = await startSplit(registry.url, gateway.url);
				try {
					const [direct, gated] = await Promise.all([
						suite(registry.host, "direct"),
						suite(split.host, "gated"),
					]);
					compare(direct, gated, 50);
				} finally {
					await split.stop();
				}
			});

			test("the read-only mode passes, with signed content alone", async (t) => {
				if (!need(t, FRONT_PROGRAMS)) return;
				const content = await signedContent(registry.host);
				const settings = {
					OCI_API_PUSH: "false",
					OCI_RO_DATA_TAGS: content.tags.join(" "),
					OCI_RO_DATA_MANIFESTS: content.manifests.join(" "),
					OCI_RO_DATA_BLOBS: content.blobs.join(" "),
					OCI_RO_DATA_REFERRERS: content.manifests.slice(0, 2).join(" "),
				};
				const direct = await suite(registry.host, "signed", settings);
				const results = await suite(gateway.host, "signed", settings);
				// What the registry itself does not have (pages of tags, referrers) fails there, too.
				compare(direct, results, 10);
				for (const [kind, { length }] of Object.entries({
					"manifest-by-tag": content.tags,
					"manifest-by-digest": content.manifests,
					"blob-get": content.blobs,
				}))
					assert.equal(
						results.get(`read-only/pull/${kind}`)?.passed,
						length,
						kind,
					);
			});
		});

	test("each reason to leave something out is met somewhere", (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		for (const [, reason] of LEFT_OUT) assert.ok(met.has(reason), reason);
	});
});

/** @param {Results} direct @param {Results} gated @param {number} least how many tests are compared, or more */
function compare(direct, gated, least) {
	const problems = [];
	let compared = 0;
	for (const [name, { passed }] of direct) {
		if (!READS.test(name) || passed === 0) continue;
		const through = gated.get(name);
		const [, reason] = LEFT_OUT.find(([left]) => left.test(name)) ?? [];
		if (reason !== undefined) {
			if ((through?.passed ?? 0) < passed) met.add(reason);
			continue;
		}
		// Blobs of an image whose manifest the registry did not take are blobs that none lists.
		const [data] = name.split("/");
		if (
			/\/blob-(get|head)$/.test(name) &&
			(direct.get(`${data}/pull/manifest-by-digest`)?.passed ?? 0) === 0
		)
			continue;
		compared += passed;
		if ((through?.passed ?? 0) < passed)
			problems.push(
				`${name}: passed ${passed} times at the registry, ${through?.passed ?? 0} through the gateway: ${through?.said}`,
			);
	}
	assert.deepEqual(problems, []);
	assert.ok(compared >= least, `compared ${compared} tests`);
}

/**
 * @param {string} host
 * @param {string} repo
 * @param {Record<string, string>} [settings]
 * @returns {Promise<Results>}
 */
async function suite(host, repo, settings = {}) {
	const results = await mkdtemp(join(folder, `${repo}-`));
	const { output } = await run(await tool("oci-conformance"), [], {
		cwd: results,
		env: {
			OCI_REGISTRY: host,
			OCI_TLS: "disabled",
			OCI_REPO1: `${repo}/one`,
			OCI_REPO2: `${repo}/two`,
			OCI_RESULTS_DIR: results,
			OCI_LOG: "error",
			OCI_VERSION: "1.1",
			OCI_API_BLOBS_DELETE: "false",
			OCI_API_MANIFESTS_DELETE: "false",
			OCI_API_TAGS_DELETE: "false",
			...settings,
		},
	});
	/** @type {Results} */
	const found = new Map();
	/** @type {{ passed: number, failed: number, said: string } | undefined} */
	let current;
	for (const line of output.split("\n")) {
		const [, name, status] =
			/^\s*OCI Conformance Test\/(.+): (\w+)$/.exec(line) ?? [];
		if (name === undefined) {
			if (current && current.said.length < 500) current.said += `${line}\n`;
			continue;
		}
		current = found.get(name) ?? { passed: 0, failed: 0, said: "" };
		if (status === "Pass") current.passed += 1;
		if (status === "FAIL") current.failed += 1;
		found.set(name, current);
	}
	assert.ok(found.size > 0, `expected results, found none: ${output}`);
	return found;
}

/** An image, an index and their bundles, with everything that they consist of. @param {string} host */
async function signedContent(host) {
	const repo = "signed/one";
	const read = async (/** @type {string} */ digest) =>
		JSON.parse(
			(await fetchManifest(host, repo, digest))?.bytes.toString() ?? "",
		);
	const manifests = [];
	const blobs = new Set();
	const tags = [];
	for (const [tag, arches] of /** @type {[string, string[]][]} */ ([
		["image", ["amd64"]],
		["index", ["amd64", "arm64"]],
	])) {
		const digest = await pushImage(host, repo, tag, {
			text: `${tag} ${Math.random()}`,
			arches,
		});
		await signBundle(`${host}/${repo}@${digest}`, { key });
		tags.push(tag);
		manifests.push(digest);
	}
	const { manifests: children } = await read(manifests[1] ?? "");
	for (const child of children) manifests.push(child.digest);
	for (const digest of manifests) {
		const { config, layers = [] } = await read(digest);
		for (const part of config ? [config, ...layers] : [])
			blobs.add(part.digest);
	}
	return { tags, manifests, blobs: [...blobs] };
}

/** Writes to the registry, and the first reading of what was just written; everything else to the gateway. @param {string} registry @param {string} gateway */
async function startSplit(registry, gateway) {
	/** Where the registry said that something is now. @type {Set<string>} */
	const written = new Set();
	const server = createServer((request, response) => {
		const { method = "GET", url = "/", headers } = request;
		const reads = method === "GET" || method === "HEAD";
		const ofPush = !reads || url.includes("/blobs/uploads/");
		const to = ofPush || written.delete(url) ? registry : gateway;
		const sent = httpRequest(to + url, { method, headers }, (answer) => {
			const { location } = answer.headers;
			if (ofPush && answer.statusCode === 201 && location !== undefined) {
				const { pathname, search } = new URL(location, registry);
				written.add(pathname + search);
			}
			response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
			answer.pipe(response);
		});
		sent.on("error", () => request.socket.destroy());
		request.pipe(sent);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		host: `127.0.0.1:${port}`,
		async stop() {
			server.close();
			server.closeAllConnections();
		},
	};
}
