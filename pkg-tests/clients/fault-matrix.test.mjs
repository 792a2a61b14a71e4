// What goes wrong at each step of a pull, through each runtime: that it went wrong is counted, and what the client has in the end is
// looked up in its store. Never anything but what is allowed, never a blob without its manifest, never a credential at another host; and
// once nothing is wrong any more, all of it. CI takes a sample (`SEED=…` takes another), `FAULTS=all` everything.

import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { need } from "../lib/clients.mjs";
import { FAULTS, IMAGES, STEPS, cells } from "../lib/faults.mjs";
import { startLookaside } from "../lib/lookaside.mjs";
import { NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import {
	fetchBlob,
	fetchManifest,
	pushLayout,
	startRegistry,
	startTokenRegistry,
	tagOf,
} from "../lib/peers.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { pull } from "../lib/puller.mjs";
import { startWorker } from "../lib/serve.mjs";
import { USER, startTokens } from "../lib/tokens.mjs";
import { FRONT_PROGRAMS } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };
const ALL = process.env.FAULTS === "all";
const SEED = process.env.SEED ?? "1";
const ONLY = process.env.STEP;
const RUNTIMES = ["node", "workerd"];
const SAMPLE = 40;
/** With a real client: so many of the cells, in turn by these. */
const REAL = ALL ? 40 : 4;
const CLIENTS = ["containerd 1.6, ctr", "containerd 2, CRI", "podman"];
const NAME = "demo.example";
const COPIES = "copies";
const ADMIN = "an administrator's secret";
const TIMEOUT_MS = 1_500;
const DEMO = fileURLToPath(new URL("../../fixtures/demo", import.meta.url));

/** @typedef {import("../lib/faults.mjs").Cell} Cell */
/** @typedef {import("../lib/faults.mjs").Digests} Digests */

/** @type {Awaited<ReturnType<typeof world>>} */
let here;
const table = cells({
	all: ALL,
	seed: SEED,
	runtimes: RUNTIMES,
	count: SAMPLE,
}).filter(({ step }) => ONLY === undefined || step === ONLY);

describe(`faults, ${ALL ? "every cell" : `a sample: SEED=${SEED}`}`, () => {
	before(async (t) => {
		if (need(/** @type {object} */ (t), PROGRAMS)) here = await world();
	});
	after(() => here?.stop());

	for (const cell of table)
		test(`${cell.runtime}: ${cell.step} ${cell.fault}: ${cell.outcome}`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const { image } = STEPS[cell.step] ?? assert.fail(cell.step);
			const gateway = await here.gateway(cell.runtime);
			const repository = await here.repository(image);
			await gateway.flush();
			try {
				const rule = here.goesWrong(cell);
				const { stored, answers } = await pull(
					gateway.url,
					repository,
					"1.0",
					USER,
				);
				const said = answers.join("; ");
				assert.ok((rule.fired ?? 0) > 0, `it did not go wrong: ${said}`);
				here.assertNothingElse(image, stored, said);
				here.assertNothingTold(cell);
				assert.equal(here.outcome(image, stored), cell.outcome, said);
			} finally {
				here.goesRight();
			}
			await gateway.flush();
			const later = await pull(gateway.url, repository, "1.0", USER);
			assert.equal(
				here.outcome(image, later.stored),
				"all",
				`once it is over: ${later.answers.join("; ")}`,
			);
		});

	for (const [index, cell] of table
		.filter((_, at) => at % Math.ceil(table.length / REAL) === 0)
		.entries()) {
		const client = CLIENTS[index % CLIENTS.length] ?? "";
		test(`${client}, ${cell.runtime}: ${cell.step} ${cell.fault}`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const { image } = STEPS[cell.step] ?? assert.fail(cell.step);
			const gateway = await here.gateway(cell.runtime);
			const repository = await here.repository(image);
			await gateway.flush();
			const node = await (NODES[client] ?? assert.fail(client))({
				login: { host: gateway.host, ...USER },
			});
			try {
				const rule = here.goesWrong(cell);
				const { ok, output } = await node.pull(
					`${gateway.host}/${repository}:1.0`,
				);
				const held = await node.holds();
				// podman never asks HEAD of a tag, but the gateway does for it.
				assert.ok((rule.fired ?? 0) > 0, `it did not go wrong: ${output}`);
				assert.deepEqual(here.foreign(held), [], output);
				here.assertNothingTold(cell);
				if (cell.outcome === "none")
					assert.deepEqual(here.partsOf(image, held), [], output);
				if (cell.outcome !== "all") assert.equal(ok, false, output);
			} finally {
				here.goesRight();
				await node.stop();
			}
		});
	}
});

async function world() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-faults-"));
	/** @type {(() => unknown)[]} */
	const endings = [() => rm(folder, { recursive: true, force: true })];
	const stop = async () => {
		for (const end of endings.splice(0).reverse()) await end();
	};
	const keep = (/** @type {{ stop: () => unknown }} */ started) =>
		endings.push(() => started.stop());
	try {
		const registry = await startRegistry();
		keep(registry);
		for (const image of [...Object.keys(IMAGES), "unsigned"])
			await pushLayout(registry.host, `demo/${image}`, join(DEMO, image));
		const tokens = await startTokens();
		keep(tokens);
		const ofTokens = await startProxy(tokens.realm.replace("/token", ""));
		keep(ofTokens);
		const guarded = await startTokenRegistry(registry, {
			...tokens,
			realm: `http://localhost:${new URL(ofTokens.url).port}/token`,
		});
		keep(guarded);
		const ofRegistry = await startProxy(guarded.url);
		keep(ofRegistry);
		const lookaside = await startLookaside(join(folder, "lookaside"));
		keep(lookaside);
		await cp(join(DEMO, "lookaside"), join(folder, "lookaside"), {
			recursive: true,
		});
		const ofLookaside = await startProxy(lookaside.url);
		keep(ofLookaside);
		await mkdir(join(folder, "registries.d"));
		await writeFile(
			join(folder, "registries.d/demo.yaml"),
			`docker:\n  ${NAME}:\n    lookaside: ${ofLookaside.url}\n    use-sigstore-attachments: true\n`,
		);
		await cp(DEMO, folder, { recursive: true, filter: isPolicyOrKey });
		await writeFile(
			join(folder, "policy.json"),
			withCopies(JSON.parse(await readFile(join(DEMO, "policy.json"), "utf8"))),
		);
		let copies = 0;
		const proxies = {
			tokens: ofTokens,
			registry: ofRegistry,
			lookaside: ofLookaside,
		};

		/** @type {Record<string, Digests>} */
		const digests = {};
		for (const image of [...Object.keys(IMAGES), "unsigned"])
			digests[image] = await digestsOf(registry.host, `demo/${image}`);
		const { unsigned, ...allowed } = digests;
		const stranger = await startStranger(
			(await fetchManifest(registry.host, "demo/unsigned", "1.0"))?.bytes,
		);
		keep(stranger);
		const partsOf = (
			/** @type {string} */ image,
			/** @type {Set<string>} */ stored,
		) => {
			const { payload: _, ...parts } = digests[image] ?? assert.fail(image);
			return Object.values(parts).filter((digest) => stored.has(digest));
		};

		/** @type {Map<string, Promise<Awaited<ReturnType<typeof start>>>>} */
		const gateways = new Map();
		const start = async (/** @type {string} */ runtime) => {
			const worker = await startWorker({
				upstream: ofRegistry.url,
				name: NAME,
				policy: join(folder, "policy.json"),
				registriesD: join(folder, "registries.d"),
				runtime,
				settings: {
					ADMIN_SECRET: ADMIN,
					REQUEST_TIMEOUT_MS: String(TIMEOUT_MS),
				},
			});
			keep(worker);
			return {
				...worker,
				async flush() {
					const { status } = await fetch(`${worker.url}/admin/flush`, {
						method: "POST",
						headers: { authorization: `Bearer ${ADMIN}` },
					});
					assert.equal(status, 200, "forgotten");
				},
			};
		};
		return {
			stop,
			partsOf,
			/** One that no gateway has seen the content of, for what each pull begins with: a flush forgets verdicts, not what bytes are. @param {string} image */
			async repository(image) {
				if (image !== "signed") return `demo/${image}`;
				copies += 1;
				const repository = `${COPIES}/${copies}`;
				await pushLayout(registry.host, repository, join(DEMO, image));
				return repository;
			},
			gateway(/** @type {string} */ runtime) {
				const known = gateways.get(runtime) ?? start(runtime);
				gateways.set(runtime, known);
				return known;
			},
			/** @param {Cell} cell */
			goesWrong({ step, fault }) {
				const { image, server, method, path } =
					STEPS[step] ?? assert.fail(step);
				/** @type {import("../lib/proxy.mjs").Rule} */
				const rule = {
					path: path(digests[image] ?? assert.fail(image)),
					...(method && { method }),
					...FAULTS[fault]?.({
						stranger: stranger.url,
						unsigned: { manifest: unsigned.manifest, tag: "1.0" },
						image,
					}),
				};
				proxies[server].rules.push(rule);
				return rule;
			},
			goesRight() {
				for (const proxy of Object.values(proxies)) proxy.reset();
				stranger.asked.length = 0;
			},
			/** Of the image that is allowed, or of nothing; and a blob with its manifest alone. @param {string} image @param {Set<string>} stored @param {string} said */
			assertNothingElse(image, stored, said) {
				const parts = partsOf(image, stored);
				assert.deepEqual(
					[...stored].filter((digest) => !parts.includes(digest)),
					[],
					`it has what nobody signed: ${said}`,
				);
				const { manifest, config, layer } = digests[image] ?? assert.fail();
				if (stored.has(config) || stored.has(layer))
					assert.ok(
						stored.has(manifest),
						`a blob without its manifest: ${said}`,
					);
			},
			/** Parts of an image that nobody signed. @param {Set<string>} held */
			foreign: (held) => partsOf("unsigned", held),
			/** @param {Cell} cell */
			assertNothingTold({ step }) {
				assert.deepEqual(
					stranger.asked.filter(({ authorization }) => authorization),
					[],
					"a credential came to another host",
				);
				// A client follows redirects of blobs and of its token service; the gateway none of these.
				if (step !== "layer" && step !== "token")
					assert.deepEqual(stranger.asked, [], "another host was asked");
				assert.deepEqual(
					lookaside.seen.filter(({ authorization }) => authorization),
					[],
					"a credential came to the lookaside",
				);
			},
			/** @param {string} image @param {Set<string>} stored @returns {import("../lib/faults.mjs").Outcome | "something"} */
			outcome(image, stored) {
				const { manifest, layer, config, child } =
					digests[image] ?? assert.fail();
				if (stored.size === 0) return "none";
				if (!stored.has(manifest)) return "something";
				if (!stored.has(layer)) return "no layer";
				return stored.has(config) && stored.has(child) ? "all" : "something";
			},
			allowed,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}

/** What the fixtures' policy names. @param {string} path */
const isPolicyOrKey = (path) =>
	path === DEMO || /\.(pub|asc|json)$/.test(path.slice(DEMO.length));

/** Copies of the signed image are allowed by the name that it was signed under. @param {any} policy */
function withCopies(policy) {
	const { docker } = policy.transports;
	docker[`${NAME}/${COPIES}`] = [
		{
			type: "sigstoreSigned",
			keyPath: "cosign.pub",
			signedIdentity: {
				type: "exactRepository",
				dockerRepository: `${NAME}/demo/signed`,
			},
		},
	];
	return JSON.stringify(policy);
}

/** @param {string} host @param {string} repo @returns {Promise<Digests>} */
async function digestsOf(host, repo) {
	const read = async (/** @type {string} */ reference) => {
		const found = await fetchManifest(host, repo, reference);
		return found && { ...JSON.parse(found.bytes.toString()), at: found.digest };
	};
	const top = await read("1.0");
	const child = top.manifests ? await read(top.manifests[0].digest) : top;
	const signature = await read(tagOf(top.at, ".sig"));
	const layer = child.layers[0].digest;
	assert.ok((await fetchBlob(host, repo, layer)).length > 0);
	return {
		manifest: top.at,
		child: child.at,
		config: child.config.digest,
		layer,
		payload: signature?.layers[0].digest ?? "none",
	};
}

/** Gives everybody an image that nobody signed, and listens. @param {Buffer} [body] */
async function startStranger(body) {
	/** @type {{ url?: string, authorization?: string }[]} */
	const asked = [];
	const server = createServer(({ url, headers }, response) => {
		asked.push({ url, authorization: headers.authorization });
		response.writeHead(200, { "content-type": "application/json" }).end(body);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		url: `http://127.0.0.1:${port}`,
		asked,
		stop() {
			server.close();
			server.closeAllConnections();
		},
	};
}
