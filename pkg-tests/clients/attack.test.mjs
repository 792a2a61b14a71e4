// A tenant who may push tries to have the gateway send an image that nobody signed, as evidence or beside what is allowed: the
// whole table over HTTP. What real clients then hold in their stores is nodes.test.mjs's.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { need } from "../lib/clients.mjs";
import {
	BUNDLE,
	DSSE,
	FORMATS,
	IN_TOTO,
	OCI_CONFIG,
	OCI_LAYER,
	artifactManifest,
	describe as describeBytes,
	emptyConfig,
	evil,
	goReader,
	json,
	randomFrom,
	randomPush,
	statement,
	table,
	unknownConfig,
} from "../lib/attack.mjs";
import {
	OCI_INDEX,
	OCI_MANIFEST,
	fetchManifest,
	putBlob,
	putManifest,
	sha256,
	startCraneRegistry,
	tagOf,
} from "../lib/peers.mjs";
import { FRONT_PROGRAMS, NAME, signedBy, startFront } from "./front.mjs";

/** @typedef {import("../lib/attack.mjs").Artifact} Artifact */

const AT_ONCE = 8;
/** Every day each place and each reading of the table in some spellings; `ATTACK=all` in all of them. */
const SAMPLE = process.env.ATTACK === "all" ? 1 : 4;

/** The same ones every day, spread over all spellings. @param {string} name */
const inSample = (name, one = SAMPLE) =>
	parseInt(sha256(Buffer.from(name)).slice(7, 15), 16) % one === 0;

/** @type {import("./front.mjs").Front} */
let front;
/** @type {{ digest: string, layer: import("../lib/peers.mjs").Descriptor, config: import("../lib/peers.mjs").Descriptor }} */
let approved;

describe("what a tenant passes off as evidence", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
		front = await startFront(
			{ [`${NAME}/app`]: signedBy("good.pub") },
			{ registry: startCraneRegistry },
		);
		const digest = await front.image("app", "approved", { sign: "tag" });
		const manifest = JSON.parse(
			(
				await fetchManifest(front.registry.host, "app", digest)
			)?.bytes.toString() ?? "",
		);
		approved = { digest, layer: manifest.layers[0], config: manifest.config };
	});
	after(() => front?.stop());

	for (const group of [
		"simple signing",
		"DSSE",
		"bundle",
		"statement",
		"config of a simple signing",
		"config of a DSSE",
		"config of a bundle",
		"an evidence manifest",
		"a list of evidence",
	]) {
		test(`${group}: only what is evidence and nothing else comes out`, async (t) => {
			if (!need(t, FRONT_PROGRAMS)) return;
			const cases = table(approved.layer).filter(({ name }) =>
				name.startsWith(group),
			);
			const tried = cases.filter(
				({ honest, name }) => honest || inSample(name),
			);
			assert.ok(
				tried.length >= 4,
				`expected cases of ${group}, found ${tried.length}`,
			);
			/** @type {string[]} */
			const wrong = [];
			const queue = [...tried];
			await Promise.all(
				Array.from({ length: AT_ONCE }, async () => {
					for (let one = queue.shift(); one !== undefined; one = queue.shift())
						wrong.push(...(await attempt(one)));
				}),
			);
			assert.deepEqual(
				wrong,
				[],
				`${new Set(wrong.map((line) => line.split(": ")[0])).size} of ${tried.length} cases`,
			);
		});
	}

	test("in the table, Go reads what each polyglot pretends to be", async (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		const reader = await goReader();
		try {
			for (const { name, polyglot, honest } of table(approved.layer)) {
				if (!polyglot || honest || !/at the top|which is/.test(name)) continue;
				const reading = await reader.read(polyglot);
				const what = /(image config)/.test(name)
					? reading.config || reading.diffIds.length > 0
					: /index/.test(name)
						? reading.index
						: reading.manifest;
				assert.ok(what, `${name}: ${JSON.stringify(reading)} of ${polyglot}`);
			}
		} finally {
			await reader.stop();
		}
	});

	test("whatever a tenant writes at random, what comes out is of an allowed image, or nothing that Go would run", async (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		const seed = Number(
			process.env.SEED ?? Math.floor(Math.random() * 2 ** 31),
		);
		const random = randomFrom(seed);
		const reader = await goReader();
		const { host } = front.registry;
		const allowed = new Set([
			approved.digest,
			approved.layer.digest,
			approved.config.digest,
		]);
		const size =
			(await fetchManifest(host, "app", approved.digest))?.bytes.length ?? 0;
		const harmless = async (/** @type {Buffer} */ bytes) => {
			const { manifest, index, config, diffIds } = await reader.read(bytes);
			return (
				!manifest && !index && !config && !diffIds.some((id) => allowed.has(id))
			);
		};
		let served = 0;
		try {
			for (let round = 0; round < 160 / SAMPLE; round += 1) {
				const { blobs, manifests } = randomPush(
					random,
					{ ...approved, size },
					`r${seed}-${round}`,
				);
				/** @type {Map<string, Buffer>} */
				const content = new Map(
					[...blobs, ...manifests.map(({ bytes }) => bytes)].map((bytes) => [
						sha256(bytes),
						bytes,
					]),
				);
				for (const bytes of blobs) await putBlob(host, "app", bytes);
				const references = new Set(content.keys());
				for (const { reference, mediaType, bytes } of manifests) {
					// A registry refuses an index of what it does not have.
					await putManifest(host, "app", reference, mediaType, bytes).then(
						() => references.add(reference),
						() => {},
					);
				}
				const paths = [...references].flatMap((reference) => [
					`manifests/${reference}`,
					...(content.has(reference) ? [`blobs/${reference}`] : []),
				]);
				for (const path of [...paths, ...paths]
					.map((one) => ({ one, at: random() }))
					.sort((a, b) => a.at - b.at)
					.map(({ one }) => one)) {
					const { status, body } = await front.ask(`/v2/app/${path}`);
					if (status !== 200 || allowed.has(sha256(body))) continue;
					served += 1;
					const said = `SEED=${seed}, round ${round}: ${path} came out: ${body.toString().slice(0, 1_000)}`;
					if (path.startsWith("blobs/")) assert.ok(await harmless(body), said);
					else {
						for (const listed of (await reader.read(body)).lists) {
							const bytes = content.get(listed);
							assert.ok(bytes !== undefined && !allowed.has(listed), said);
							const isManifest =
								manifests.some((one) => one.bytes.equals(bytes)) &&
								(await reader.read(body)).index;
							if (!isManifest) assert.ok(await harmless(bytes), said);
						}
					}
				}
			}
		} finally {
			await reader.stop();
		}
		assert.ok(
			served > 20,
			`expected some of it to be evidence, found ${served} answers`,
		);
	});

	test("the evidence of an allowed image, as /api/evidence tells it, holds nothing that the gateway refuses", async (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		const { layer } = approved;
		const polyglots = table(layer)
			.filter(({ name }) =>
				/^(simple signing|DSSE|bundle), .*(the top|nothing else)/.test(name),
			)
			.flatMap(({ polyglot, name }) =>
				polyglot && inSample(name, 4 * SAMPLE) ? [{ polyglot, name }] : [],
			);
		const digest = await front.image("app", "watched", { sign: "tag" });
		const told = async () =>
			(await front.ask("/api/evidence/app?ref=watched")).body.toString();
		/** @type {string[]} */
		const wrong = [];
		for (const { polyglot, name } of polyglots) {
			await putBlob(front.registry.host, "app", polyglot);
			const config = json(emptyConfig([polyglot]));
			await putBlob(front.registry.host, "app", config);
			const type = name.startsWith("DSSE")
				? DSSE
				: (FORMATS[name.split(",")[0] ?? ""]?.mediaType ?? "");
			await putManifest(
				front.registry.host,
				"app",
				tagOf(digest, name.startsWith("DSSE") ? ".att" : ".sig"),
				OCI_MANIFEST,
				artifactManifest({
					config,
					configType: OCI_CONFIG,
					layerType: type,
					layers: [polyglot],
				}),
			);
			if ((await told()).includes(polyglot.toString("base64")))
				wrong.push(name);
		}
		assert.ok(polyglots.length > 3, String(polyglots.length));
		assert.match(await told(), /"name"/, "the document itself is told");
		assert.deepEqual(wrong, []);
	});
});

describe("an index under `instance`, one of whose images is signed", () => {
	/** @type {import("./front.mjs").Front} */
	let here;
	/** @type {{ mediaType: string, digest: string, size: number, platform: object }} */
	let signed;
	/** @type {import("../lib/peers.mjs").Descriptor} */
	let layer;
	let count = 0;
	before(async (t) => {
		if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
		here = await startFront(
			{ [`${NAME}/app`]: signedBy("good.pub") },
			{ sealgate: null, registry: startCraneRegistry },
		);
		const digest = await here.image("app", "signed", { sign: "tag" });
		const { bytes = Buffer.alloc(0) } =
			(await fetchManifest(here.registry.host, "app", digest)) ?? {};
		signed = {
			mediaType: OCI_MANIFEST,
			digest,
			size: bytes.length,
			platform: { architecture: "amd64", os: "linux" },
		};
		[layer] = JSON.parse(bytes.toString()).layers;
	});
	after(() => here?.stop());

	/** @param {Buffer} manifest @param {Buffer[]} blobs @param {object} entry what the index says of it beside its digest */
	const indexWith = async (manifest, blobs, entry) => {
		const { host } = here.registry;
		for (const bytes of blobs) await putBlob(host, "app", bytes);
		await putManifest(host, "app", sha256(manifest), OCI_MANIFEST, manifest);
		count += 1;
		const tag = `index-${count}`;
		await putManifest(
			host,
			"app",
			tag,
			OCI_INDEX,
			json({
				schemaVersion: 2,
				mediaType: OCI_INDEX,
				manifests: [
					signed,
					{ ...describeBytes(OCI_MANIFEST, manifest), ...entry },
				],
			}),
		);
		const [index, child] = [
			await here.ask(`/v2/app/manifests/${tag}`),
			await here.ask(`/v2/app/manifests/${sha256(manifest)}`),
		];
		const contents = [];
		for (const bytes of blobs)
			contents.push((await here.ask(`/v2/app/blobs/${sha256(bytes)}`)).status);
		return {
			index: index.status,
			child: child.status,
			contents,
			said: index.body.toString(),
		};
	};
	const ATTESTATION = {
		platform: { architecture: "unknown", os: "unknown" },
		annotations: { "vnd.docker.reference.type": "attestation-manifest" },
	};
	/** @param {string} id @param {{ change?: (config: any, layer: import("../lib/peers.mjs").Descriptor) => object, more?: object, layerType?: string }} [how] */
	const attestation = (
		id,
		{ change = (config) => config, more = {}, layerType = IN_TOTO } = {},
	) => {
		const bytes = json({ ...statement(id), ...more });
		const config = json(change(unknownConfig([bytes]), layer));
		return {
			manifest: artifactManifest({
				config,
				configType: OCI_CONFIG,
				layerType,
				layers: [bytes],
			}),
			blobs: [bytes, config],
		};
	};

	test("is refused, whatever it says of the unsigned one", async (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		/** @type {Record<string, object>} */
		const entries = {
			"the same platform": { platform: { architecture: "amd64", os: "linux" } },
			"another platform": { platform: { architecture: "arm64", os: "linux" } },
			"no platform": {},
			"an empty platform": { platform: {} },
			unknown: ATTESTATION,
			"os unknown alone": {
				platform: { architecture: "amd64", os: "unknown" },
			},
			"architecture unknown alone": {
				platform: { architecture: "unknown", os: "linux" },
			},
			Unknown: { platform: { architecture: "Unknown", os: "Unknown" } },
			"unknown, and a variant": {
				platform: { architecture: "unknown", os: "unknown", variant: "v8" },
			},
			"unknown, and an os.version": {
				platform: {
					architecture: "unknown",
					os: "unknown",
					"os.version": "10",
				},
			},
			"an artifact type": { artifactType: "application/vnd.in-toto+json" },
			"typed as a signature": { artifactType: BUNDLE },
		};
		const wrong = [];
		for (const [name, entry] of Object.entries(entries)) {
			const { manifest, config } = evil(layer, name);
			const { index, child, contents } = await indexWith(
				manifest,
				[config],
				entry,
			);
			if (index !== 403 || child !== 403 || contents[0] !== 403)
				wrong.push(
					`${name}: the index is ${index}, the image ${child}, its config ${contents[0]}`,
				);
		}
		assert.deepEqual(wrong, []);
	});

	test("is refused where the other one only looks like BuildKit's attestation", async (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		/** @type {Record<string, [{ manifest: Buffer, blobs: Buffer[] }, object]>} */
		const cases = {
			"a variant in its platform": [
				attestation("1"),
				{
					...ATTESTATION,
					platform: { architecture: "unknown", os: "unknown", variant: "v8" },
				},
			],
			"a real platform in its config": [
				attestation("2", {
					change: (config) => ({
						...config,
						architecture: "amd64",
						os: "linux",
					}),
				}),
				ATTESTATION,
			],
			"an entrypoint in its config": [
				attestation("3", {
					change: (config) => ({
						...config,
						config: { Entrypoint: ["/evil"] },
					}),
				}),
				ATTESTATION,
			],
			"other layers in its config": [
				attestation("4", {
					change: (config) => ({
						...config,
						rootfs: { type: "layers", diff_ids: [layer.digest] },
					}),
				}),
				ATTESTATION,
			],
			"a layer of another type": [
				attestation("5", { layerType: OCI_LAYER }),
				ATTESTATION,
			],
		};
		const wrong = [];
		for (const [name, [{ manifest, blobs }, entry]] of Object.entries(cases)) {
			const { index } = await indexWith(manifest, blobs, entry);
			if (index !== 403) wrong.push(`${name}: the index is ${index}`);
		}
		assert.deepEqual(wrong, []);
	});

	test("is served with BuildKit's attestation, which is served, too", async (t) => {
		if (!need(t, FRONT_PROGRAMS)) return;
		for (const [name, how] of Object.entries({
			"its own config": {},
			"an empty config": { change: () => ({}) },
		})) {
			const { manifest, blobs } = attestation(name, how);
			const { said, ...answers } = await indexWith(
				manifest,
				blobs,
				ATTESTATION,
			);
			assert.deepEqual(
				answers,
				{ index: 200, child: 200, contents: [200, 200] },
				`${name}: ${said.slice(0, 300)}`,
			);
		}
	});
});

/**
 * Pushes a case, asks for it in every way, and says what is wrong with the answers.
 *
 * @param {Artifact} one
 * @returns {Promise<string[]>}
 */
async function attempt({
	name,
	blobs,
	children,
	manifest,
	mediaType,
	forbidden,
	polyglot,
	honest,
}) {
	const { host } = front.registry;
	for (const bytes of blobs) await putBlob(host, "app", bytes);
	for (const child of children)
		await putManifest(
			host,
			"app",
			sha256(child.bytes),
			child.mediaType,
			child.bytes,
		);
	const digest = sha256(manifest);
	const tag = `t${digest.slice(7, 19)}`;
	await putManifest(host, "app", tag, mediaType, manifest);
	if (polyglot && !honest)
		await putManifest(
			host,
			"app",
			sha256(polyglot),
			polyglot.includes("anifest") && !polyglot.includes("ayer")
				? OCI_INDEX
				: OCI_MANIFEST,
			polyglot,
		).catch(() => {});
	/** @type {string[]} */
	const wrong = [];
	const expect = async (
		/** @type {string} */ path,
		/** @type {Buffer | undefined} */ bytes,
	) => {
		for (const method of ["HEAD", "GET"]) {
			const answer = await front.ask(`/v2/app/${path}`, { method });
			const right =
				bytes === undefined
					? [403, 404].includes(answer.status)
					: answer.status === 200 &&
						(method === "HEAD" || answer.body.equals(bytes));
			if (!right)
				wrong.push(
					`${name}: ${method} ${path.slice(0, 24)}… is ${answer.status}${answer.status === 200 ? "" : ` ${answer.body.toString().slice(0, 200)}`}`,
				);
		}
	};
	for (const reference of [tag, digest])
		await expect(`manifests/${reference}`, honest ? manifest : undefined);
	if (honest)
		for (const { bytes } of children)
			await expect(`manifests/${sha256(bytes)}`, bytes);
	if (honest)
		for (const bytes of blobs) await expect(`blobs/${sha256(bytes)}`, bytes);
	for (const bytes of forbidden)
		await expect(`blobs/${sha256(bytes)}`, undefined);
	if (polyglot) await expect(`manifests/${sha256(polyglot)}`, undefined);
	return wrong;
}
