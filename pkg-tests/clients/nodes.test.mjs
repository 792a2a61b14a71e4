// An image that nobody signed, on its way into a node's store: pushed as evidence, asked for by digest, then listed in an index beside
// an image that is allowed. Whether it got there is read from the store of each real client, never from what the client says.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
	BUNDLE,
	DSSE,
	FORMATS,
	IN_TOTO,
	OCI_CONFIG,
	SIMPLE_SIGNING,
	artifactManifest,
	describe as descriptor,
	emptyConfig,
	evil,
	json,
	statement,
	unknownConfig,
} from "../lib/attack.mjs";
import { need } from "../lib/clients.mjs";
import { ARCHITECTURE, NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import {
	OCI_INDEX,
	OCI_MANIFEST,
	fetchBlob,
	fetchManifest,
	putBlob,
	putManifest,
	sha256,
	signTag,
	startCraneRegistry,
} from "../lib/peers.mjs";
import { FRONT_PROGRAMS, NAME, signedBy, startFront } from "./front.mjs";

const PROGRAMS = { ...NODE_PROGRAMS, ...FRONT_PROGRAMS };
/** Every day the clients that were seen to keep what they were refused, and one of containers/image; `ATTACK=all` every client. */
const EVERY_DAY = ["containerd 1.6, ctr", "containerd 1.6, CRI", "podman"];
const NAMES = Object.keys(NODES).filter(
	(name) => process.env.ATTACK === "all" || EVERY_DAY.includes(name),
);
const OTHER = ARCHITECTURE === "amd64" ? "arm64" : "amd64";

/** @typedef {Awaited<ReturnType<typeof startFront>>} Front */
/** @typedef {Awaited<ReturnType<typeof world>>} World */

for (const [coverage, sealgate] of /** @type {[string, object | null][]} */ ([
	["instance, without the marker", null],
	["instance", { version: 1, coverage: "instance" }],
	["index", { version: 1, coverage: "index" }],
])) {
	describe(`what nodes hold, coverage: ${coverage}`, () => {
		/** @type {World} */
		let here;
		before(async (t) => {
			if (need(/** @type {object} */ (t), PROGRAMS))
				here = await world(sealgate);
		});
		after(() => here?.front.stop());

		for (const name of NAMES) {
			test(name, async (t) => {
				if (!need(t, PROGRAMS)) return;
				const { front, signed, signedIndex, attested, attacks } = here;
				const at = (/** @type {string} */ reference) =>
					`${front.worker.host}/app${reference}`;

				for (const { how, tag, digest, config, index } of attacks) {
					await t.test(`never an image that was pushed as ${how}`, async () => {
						const node = await (NODES[name] ?? assert.fail())();
						try {
							// By its digest, by its tag, as anything that a runtime may ask for; then beside what is allowed.
							for (const reference of [
								`@${digest}`,
								`:${tag}`,
								`@${config}`,
								`:${index}`,
								`@${digest}`,
							])
								await node.pull(at(reference), reference === `:${index}`);
							const held = await node.holds();
							assert.deepEqual(
								[digest, config].filter((one) => held.has(one)),
								[],
								"it holds the manifest or the config of an image that nobody signed",
							);
						} finally {
							await node.stop();
						}
					});
				}

				await t.test(
					"an image, an index and an index with BuildKit's attestations that are allowed",
					async () => {
						const node = await (NODES[name] ?? assert.fail())();
						try {
							for (const [tag, image] of Object.entries({
								signed,
								multi: signedIndex,
								attested,
							})) {
								const { ok, output } = await node.pull(at(`:${tag}`), true);
								assert.ok(ok, `${tag}: ${output}`);
								const held = await node.holds();
								assert.ok(
									held.has(image.manifest) && held.has(image.config),
									`${tag}: expected ${image.manifest} and ${image.config} in the store`,
								);
							}
						} finally {
							await node.stop();
						}
					},
				);
			});
		}
	});
}

/**
 * A registry with what is allowed, and what a tenant pushed.
 *
 * @param {object | null} sealgate
 */
async function world(sealgate) {
	const front = await startFront(
		{ [`${NAME}/app`]: signedBy("good.pub") },
		{ sealgate, registry: startCraneRegistry },
	);
	const { host } = front.registry;
	const sign = (/** @type {string} */ digest, recursive = false) =>
		signTag(`${host}/app@${digest}`, {
			key: `${front.folder}/good.key`,
			identity: `${NAME}/app`,
			recursive,
		});
	const read = async (/** @type {string} */ digest) =>
		JSON.parse(
			(await fetchManifest(host, "app", digest))?.bytes.toString() ?? "",
		);

	const signed = await front.image("app", "signed", {
		sign: "tag",
		arches: [ARCHITECTURE],
	});
	const {
		config,
		layers: [layer],
	} = await read(signed);
	const diffIds = JSON.parse(
		(await fetchBlob(host, "app", config.digest)).toString(),
	).rootfs.diff_ids;
	const other = await front.image("app", "other", {
		sign: "tag",
		arches: [OTHER],
	});
	const otherSize =
		(await fetchManifest(host, "app", other))?.bytes.length ?? 0;
	const beside = {
		mediaType: OCI_MANIFEST,
		digest: other,
		size: otherSize,
		platform: { architecture: OTHER, os: "linux" },
	};

	// Somebody pulls what is approved, so that its layers are open to all.
	for (const tag of ["signed", "other"])
		await front.ask(`/v2/app/manifests/${tag}`);

	const multi = await front.image("app", "multi", {
		arches: [ARCHITECTURE, OTHER],
	});
	await sign(multi, true);
	const [own] = (await read(multi)).manifests;
	const signedIndex = {
		manifest: own.digest,
		config: (await read(own.digest)).config.digest,
	};

	const provenance = json(statement(signed));
	const unknown = json(unknownConfig([provenance]));
	const attestation = artifactManifest({
		config: unknown,
		configType: OCI_CONFIG,
		layerType: IN_TOTO,
		layers: [provenance],
	});
	for (const bytes of [provenance, unknown]) await putBlob(host, "app", bytes);
	await putManifest(
		host,
		"app",
		sha256(attestation),
		OCI_MANIFEST,
		attestation,
	);
	const signedSize =
		(await fetchManifest(host, "app", signed))?.bytes.length ?? 0;
	const built = await putManifest(
		host,
		"app",
		"attested",
		OCI_INDEX,
		json({
			schemaVersion: 2,
			mediaType: OCI_INDEX,
			manifests: [
				{
					mediaType: OCI_MANIFEST,
					digest: signed,
					size: signedSize,
					platform: { architecture: ARCHITECTURE, os: "linux" },
				},
				{
					...descriptor(OCI_MANIFEST, attestation),
					platform: { architecture: "unknown", os: "unknown" },
					annotations: {
						"vnd.docker.reference.digest": signed,
						"vnd.docker.reference.type": "attestation-manifest",
					},
				},
			],
		}),
	);
	await sign(built);

	/** @param {string} tag @param {Buffer[]} blobs @param {Buffer} manifest an artifact that a tenant pushes, and has the gateway look at */
	const tenant = async (tag, blobs, manifest) => {
		for (const bytes of blobs) await putBlob(host, "app", bytes);
		const digest = await putManifest(host, "app", tag, OCI_MANIFEST, manifest);
		for (const reference of [tag, digest])
			await front.ask(`/v2/app/manifests/${reference}`);
	};
	const payload = (/** @type {string} */ id) =>
		json(FORMATS["simple signing"]?.make(id));
	const attacks = [];
	for (const [how, tag, push] of ATTACKS) {
		const evil_ = evil(layer, `${tag} ${Math.random()}`, ARCHITECTURE, diffIds);
		const image = await push(evil_, tenant, payload(tag));
		// Its config comes out the same way, when a config may be any JSON.
		const carrier = payload(`${tag} config`);
		await tenant(
			`${tag}-config`,
			[carrier, evil_.config],
			artifactManifest({
				config: evil_.config,
				configType: OCI_CONFIG,
				layerType: SIMPLE_SIGNING,
				layers: [carrier],
			}),
		);
		const digest = await putManifest(host, "app", tag, OCI_MANIFEST, image);
		const index = json({
			schemaVersion: 2,
			mediaType: OCI_INDEX,
			manifests: [
				beside,
				{
					...descriptor(OCI_MANIFEST, image),
					platform: { architecture: ARCHITECTURE, os: "linux" },
				},
			],
		});
		await putManifest(host, "app", `${tag}-index`, OCI_INDEX, index);
		attacks.push({
			how,
			tag,
			digest,
			config: sha256(evil_.config),
			index: `${tag}-index`,
		});
	}
	return {
		front,
		signed: { manifest: signed, config: config.digest },
		signedIndex,
		attested: { manifest: signed, config: config.digest },
		attacks,
	};
}

/** @typedef {(tag: string, blobs: Buffer[], manifest: Buffer) => Promise<void>} Tenant */

/**
 * How the manifest of the image is pushed as evidence; gives its bytes.
 *
 * @type {[string, string, (evil_: ReturnType<typeof evil>, tenant: Tenant, payload: Buffer) => Promise<Buffer>][]}
 */
const ATTACKS = [
	[
		"the config of a signature",
		"as-config",
		async ({ manifest }, tenant, payload) => {
			await tenant(
				"as-config-evidence",
				[payload, manifest],
				artifactManifest({
					config: manifest,
					configType: OCI_CONFIG,
					layerType: SIMPLE_SIGNING,
					layers: [payload],
				}),
			);
			return manifest;
		},
	],
	[
		"an attestation with more members",
		"as-dsse",
		({ image }, tenant) =>
			polyglot(
				"as-dsse",
				DSSE,
				{ ...FORMATS.DSSE?.make(String(Math.random())), ...image },
				tenant,
			),
	],
	[
		"an attestation with more members, in capitals",
		"as-capitals",
		({ image }, tenant) =>
			polyglot(
				"as-capitals",
				DSSE,
				{
					...FORMATS.DSSE?.make(String(Math.random())),
					schemaVersion: 2,
					Config: image.config,
					LAYERS: image.layers,
				},
				tenant,
			),
	],
	[
		"a bundle with more members",
		"as-bundle",
		({ image }, tenant) =>
			polyglot(
				"as-bundle",
				BUNDLE,
				{
					...FORMATS.bundle?.make(String(Math.random())),
					schemaVersion: 2,
					config: image.config,
					layerſ: image.layers,
				},
				tenant,
			),
	],
];

/** @param {string} tag @param {string} mediaType @param {object} document @param {Tenant} tenant */
async function polyglot(tag, mediaType, document, tenant) {
	const bytes = json(document);
	const config = json(emptyConfig([bytes]));
	await tenant(
		`${tag}-evidence`,
		[bytes, config],
		artifactManifest({
			config,
			configType: OCI_CONFIG,
			layerType: mediaType,
			layers: [bytes],
		}),
	);
	return bytes;
}
