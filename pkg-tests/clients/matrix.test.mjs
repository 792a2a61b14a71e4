// Every client, by every kind of reference, signed and not, with and without a sign-in, through every runtime. What is signed must be
// in the client's store, what is not must not, not even in part; what the client says of it is written down. CI takes a sample
// (`SEED=…` takes another), `MATRIX=all` everything, and writes "What clients say" of docs/clients.md.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { need } from "../lib/clients.mjs";
import { AUTHS, RUNTIMES, SAMPLED, SHOWS, cells } from "../lib/matrix.mjs";
import {
	ARCHITECTURE,
	NODES,
	NODE_PROGRAMS,
	versionOf,
} from "../lib/nodes.mjs";
import {
	fetchManifest,
	makeKey,
	pushImage,
	sha256,
	signTag,
	startRegistry,
	startTokenRegistry,
} from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { USER, startTokens } from "../lib/tokens.mjs";
import { FRONT_PROGRAMS, NAME, REJECT, ask, signedBy } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };
const ALL = process.env.MATRIX === "all";
const SEED = process.env.SEED ?? "1";
const ONLY = process.env.CLIENT;
const REPO = "team/app";
const OTHER = ARCHITECTURE === "amd64" ? "arm64" : "amd64";
const PAGE = new URL("../../docs/clients.md", import.meta.url);
const BEGIN = "## What clients say";
const END = "## Demo images";

/** @typedef {import("../lib/matrix.mjs").Cell} Cell */
/** @typedef {{ digest: string, tag: string, wanted: string[], parts: string[] }} Image parts: the digest of everything that it is made of */

/** @type {Awaited<ReturnType<typeof world>>} */
let here;
/** Client → runtime and sign-in → what became of its cells. @type {Map<string, Map<string, { pulled: number, refused: number }>>} */
const outcomes = new Map();
/** Client → what it said of the first image that was refused by its tag. @type {Map<string, string>} */
const says = new Map();
/** @type {Map<string, string>} */
const versions = new Map();

describe(`clients, ${ALL ? "every cell" : `a sample: SEED=${SEED}`}`, () => {
	before(async (t) => {
		if (need(/** @type {object} */ (t), PROGRAMS)) here = await world();
	});
	after(() => here?.stop());

	const groups = cells({ all: ALL, seed: SEED }).filter(
		([{ client }]) => ONLY === undefined || client === ONLY,
	);
	for (const group of groups) {
		const [{ client, runtime, auth }] = group;
		test(`${client}, ${auth === "token" ? "with a token, " : ""}through ${runtime}`, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const gateway = await here.gateway(runtime, auth);
			const { user, password } = USER;
			const login = { host: gateway.host, user, password };
			const node = await (NODES[client] ?? assert.fail(client))(
				auth === "token" ? { login } : {},
			);
			const tokens = here.allowed();
			try {
				for (const cell of group)
					await t.test(
						`${cell.signed ? "signed" : "unsigned"}, by ${cell.reference}`,
						() => check(cell, gateway.host, node),
					);
			} finally {
				await node.stop();
			}
			if (auth === "token")
				assert.ok(here.allowed() > tokens, "it signed in at the token service");
			else assert.equal(here.allowed(), tokens, "nobody signed in");
			versions.set(client, await versionOf(client));
		});
	}

	test("every client is known, with where it shows the reason", () => {
		assert.deepEqual(Object.keys(SHOWS).sort(), Object.keys(NODES).sort());
	});

	// What a sample says is not the whole page.
	const isWhole = ALL && ONLY === undefined;
	(isWhole ? test : () => {})("the page", async (t) => {
		if (!need(t, PROGRAMS)) return;
		const made = section();
		assert.doesNotMatch(made, /not run/, "what fails is not written down");
		const text = await readFile(PAGE, "utf8");
		const end = text.indexOf(END);
		assert.notEqual(end, -1, `${END} is missing in docs/clients.md`);
		const begin = text.includes(BEGIN) ? text.indexOf(BEGIN) : end;
		await writeFile(PAGE, text.slice(0, begin) + made + text.slice(end));
	});
});

/** @param {Cell} cell @param {string} host @param {import("../lib/nodes.mjs").Node} node */
async function check({ client, runtime, auth, reference, signed }, host, node) {
	const image = here.images[`${reference}, ${signed}`] ?? assert.fail();
	const { ok, output } = await node.pull(
		reference.endsWith("tag")
			? `${host}/${REPO}:${image.tag}`
			: `${host}/${REPO}@${image.digest}`,
	);
	const held = await node.holds();
	assert.equal(ok, signed, output);
	if (signed) {
		const missing = image.wanted.filter((digest) => !held.has(digest));
		assert.deepEqual(missing, [], "it holds the manifest and its config");
	} else {
		const kept = image.parts.filter((digest) => held.has(digest));
		assert.deepEqual(kept, [], "it holds a part of what nobody signed");
		assert.match(output, /sealgate: /, "the reason");
		if (SHOWS[client] === "message")
			assert.match(output, /\[signature\.missing\]/, "all of the reason");
		if (reference === "tag" && !says.has(client))
			says.set(client, plain(output, host));
	}
	const of = outcomes.get(client) ?? new Map();
	const counts = of.get(`${runtime} ${auth}`) ?? { pulled: 0, refused: 0 };
	counts[signed ? "pulled" : "refused"] += 1;
	outcomes.set(client, of.set(`${runtime} ${auth}`, counts));
}

async function world() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-matrix-"));
	/** @type {(() => unknown)[]} */
	const endings = [() => rm(folder, { recursive: true, force: true })];
	const stop = async () => {
		for (const end of endings.splice(0).reverse()) await end();
	};
	try {
		const { key } = await makeKey(folder, { name: "good" });
		const policy = join(folder, "policy.json");
		await writeFile(
			policy,
			JSON.stringify({
				sealgate: { version: 1 },
				default: REJECT,
				transports: { docker: { [`${NAME}/${REPO}`]: signedBy("good.pub") } },
			}),
		);
		const registry = await startRegistry();
		endings.push(registry.stop);
		const tokens = await startTokens();
		endings.push(tokens.stop);
		const guarded = await startTokenRegistry(registry, tokens);
		endings.push(guarded.stop);
		/** @type {Record<string, Image>} */
		const images = {};
		for (const reference of ["tag", "digest", "index tag", "index digest"])
			for (const signed of [false, true])
				images[`${reference}, ${signed}`] = await push(
					registry.host,
					`${signed ? "signed" : "unsigned"}-${reference.replace(" ", "-")}`,
					reference.startsWith("index"),
					signed ? key : undefined,
				);
		/** @type {Map<string, Promise<import("../lib/serve.mjs").Worker>>} */
		const gateways = new Map();
		const start = async (
			/** @type {string} */ runtime,
			/** @type {string} */ auth,
		) => {
			const worker = await startWorker({
				upstream: (auth === "token" ? guarded : registry).url,
				name: NAME,
				policy,
				runtime,
			});
			endings.push(worker.stop);
			const { status } = await ask(
				worker.url,
				`/v2/${REPO}/manifests/signed-tag`,
			);
			assert.equal(status, auth === "token" ? 401 : 200, "to nobody");
			return worker;
		};
		return {
			images,
			stop,
			allowed: () => tokens.asked.filter(({ allowed }) => allowed).length,
			gateway(
				/** @type {string} */ runtime,
				/** @type {typeof AUTHS[number]} */ auth,
			) {
				const name = `${runtime} ${auth}`;
				const known = gateways.get(name) ?? start(runtime, auth);
				gateways.set(name, known);
				return known;
			},
		};
	} catch (error) {
		await stop();
		throw error;
	}
}

/**
 * @param {string} host
 * @param {string} tag
 * @param {boolean} index
 * @param {string} [key]
 * @returns {Promise<Image>}
 */
async function push(host, tag, index, key) {
	const text = `${tag} ${Math.random()}`;
	const arches = index ? [ARCHITECTURE, OTHER] : [ARCHITECTURE];
	const digest = await pushImage(host, REPO, tag, { text, arches });
	if (key !== undefined)
		await signTag(`${host}/${REPO}@${digest}`, {
			key,
			identity: `${NAME}/${REPO}`,
		});
	const read = async (/** @type {string} */ reference) =>
		JSON.parse(
			(await fetchManifest(host, REPO, reference))?.bytes.toString() ?? "",
		);
	const top = await read(digest);
	const manifests = index
		? top.manifests.map((/** @type {{ digest: string }} */ one) => one.digest)
		: [digest];
	const parts = [digest, ...manifests, sha256(Buffer.from(text))];
	const wanted = [manifests[0]];
	for (const [number, manifest] of manifests.entries()) {
		const { config, layers } = await read(manifest);
		parts.push(config.digest, layers[0].digest);
		if (number === 0) wanted.push(config.digest);
	}
	return { digest, tag, wanted, parts };
}

/** Without what differs from run to run; the line that says why, or all of it. @param {string} output @param {string} host */
function plain(output, host) {
	const text = output
		.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "")
		.replaceAll(host, "gateway")
		.replace(/localhost:\d+/g, "gateway")
		.replace(/time="[^"]+" /g, "")
		.replace(/^\d{4}[-/]\d\d[-/]\d\d[T ]\S+ /gm, "")
		.replace(/\b[0-9a-f]{12,64}\b/g, "…");
	const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
	const why = lines.filter((line) => line.includes("sealgate: ")).at(-1);
	return (why ?? lines.join("\n")).trim();
}

function section() {
	const names = Object.keys(NODES);
	const pairs = RUNTIMES.flatMap((runtime) =>
		AUTHS.map((auth) => `${runtime} ${auth}`),
	);
	const row = (/** @type {string[]} */ columns) => `| ${columns.join(" | ")} |`;
	const told = (/** @type {string} */ client, /** @type {string} */ pair) => {
		const counts = outcomes.get(client)?.get(pair);
		return counts
			? `${counts.pulled} pulled, ${counts.refused} refused`
			: "not run";
	};
	const titles = pairs.map((pair) => {
		const [runtime, auth] = pair.split(" ");
		return `${runtime === "node" ? "Node" : runtime}${auth === "token" ? ", token" : ""}`;
	});
	return `${BEGIN}

Written by \`make test-matrix\`: each client pulls four signed images and four that nobody signed (by tag, by digest, an index by tag,
an index by digest), from a docker-registry without sign-in and from one with a token service, through each runtime of the gateway.
Each signed one is then in its store, by the digests of its manifest and config; of the others it holds nothing, not even a layer.

${row(["Client", "Version", ...titles, "Miniflare"])}
${row(["-", "-", ...titles.map(() => "-"), "-"])}
${names
	.map((name) =>
		row([
			name,
			versions.get(name) ?? "",
			...pairs.map((pair) => told(name, pair)),
			AUTHS.map((auth) => told(name, `${SAMPLED} ${auth}`)).find(
				(one) => one !== "not run",
			) ?? "not run",
		]),
	)
	.join("\n")}

What each says of an image that nobody signed; \`gateway\` stands for the gateway's address, … for digests and ids:

${names.map((name) => `**${name}** (${SHOWS[name] === "message" ? "the message" : "only what the status line has room for"})\n\n\`\`\`text\n${says.get(name) ?? "not run"}\n\`\`\`\n`).join("\n")}
`;
}
