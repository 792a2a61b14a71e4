/**
 * What a tenant who may push would pass off as evidence: documents of each format that Go reads as an image manifest, an index or an
 * image's config as well. A table, made from format × place of the foreign member × its spelling × what it would be read as.
 *
 * Out of scope: judging any of it. Everything here is only pushed and asked for.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { OCI_INDEX, OCI_MANIFEST, sha256, tagOf, tool } from "./peers.mjs";

export const SIMPLE_SIGNING =
	"application/vnd.dev.cosign.simplesigning.v1+json";
export const DSSE = "application/vnd.dsse.envelope.v1+json";
export const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const IN_TOTO = "application/vnd.in-toto+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
export const OCI_EMPTY = "application/vnd.oci.empty.v1+json";

/** @typedef {import("./peers.mjs").Descriptor} Descriptor */
/** @typedef {{ bytes: Buffer, mediaType: string }} Blob */

/**
 * An artifact to push: blobs, then the manifest.
 *
 * @typedef {object} Artifact
 * @property {string} name        of the case
 * @property {Buffer[]} blobs     everything that the manifest lists
 * @property {{ bytes: Buffer, mediaType: string }[]} children  manifests that a list lists
 * @property {Buffer} manifest
 * @property {string} mediaType   of the manifest
 * @property {Buffer[]} forbidden what must not come out under `blobs/`
 * @property {Buffer} [polyglot]  what is evidence and something else; pushed as a manifest, too, as a registry would hold it
 * @property {boolean} honest     a control: it must come out
 */

/** @param {unknown} value */
export const json = (value) => Buffer.from(JSON.stringify(value));

/** @param {string} mediaType @param {Uint8Array} bytes @returns {Descriptor} */
export const describe = (mediaType, bytes) => ({
	mediaType,
	digest: sha256(bytes),
	size: bytes.length,
});

/** The bundle of a keyless signature by cosign 3, with a log entry and a timestamp: it has every level that the format has. */
const KEYLESS = JSON.parse(
	readFileSync(
		new URL("../../fixtures/sigstore/image-ci/bundle.json", import.meta.url),
		"utf8",
	),
);

/** The documents themselves, as cosign writes them; made anew for each case, so that no two cases share a digest. @type {Record<string, { mediaType: string, make(id: string): object }>} */
export const FORMATS = {
	"simple signing": {
		mediaType: SIMPLE_SIGNING,
		make: (id) => ({
			critical: {
				identity: { "docker-reference": "registry.test/app" },
				image: { "docker-manifest-digest": sha256(Buffer.from(id)) },
				type: "cosign container image signature",
			},
			optional: null,
		}),
	},
	DSSE: {
		mediaType: DSSE,
		make: (id) => ({
			payloadType: IN_TOTO,
			payload: Buffer.from(JSON.stringify({ id })).toString("base64"),
			signatures: [{ keyid: "", sig: "AAAA" }],
		}),
	},
	bundle: {
		mediaType: BUNDLE,
		make: (id) => ({
			...KEYLESS,
			dsseEnvelope: {
				...KEYLESS.dsseEnvelope,
				payload: Buffer.from(JSON.stringify({ id })).toString("base64"),
			},
		}),
	},
};

/**
 * Ways to write a name that Go's encoding/json takes for it: it folds case as Unicode does, and reads JSON's escapes.
 *
 * @type {Record<string, (name: string) => string>}
 */
const SPELLINGS = {
	"as it is": (name) => name,
	capital: (name) => name[0].toUpperCase() + name.slice(1),
	"all capitals": (name) => name.toUpperCase(),
	"long s": (name) => name.replaceAll("s", "ſ"),
	"Kelvin sign": (name) => name.replaceAll("k", "\u212a"),
	escaped: (name) => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
};

/** A member as text: names that JSON.stringify would not write, and the same one twice. @typedef {string} Member */

/** @param {string} spelled @param {unknown} value @returns {Member} */
const member = (spelled, value) => `"${spelled}":${JSON.stringify(value)}`;

/**
 * An image that nobody approved: the layers of one that is, and a config that starts something else.
 *
 * @param {Descriptor} layer
 * @param {string} id
 * @param {string} architecture
 * @param {string[]} diffIds of that layer, for who would unpack it
 */
export function evil(
	layer,
	id,
	architecture = "amd64",
	diffIds = [layer.digest],
) {
	const meaning = {
		architecture,
		os: "linux",
		config: { Entrypoint: [`/evil/${id}`] },
		rootfs: { type: "layers", diff_ids: diffIds },
	};
	const config = json(meaning);
	const image = {
		schemaVersion: 2,
		config: describe(OCI_CONFIG, config),
		layers: [layer],
	};
	const manifest = json({
		schemaVersion: 2,
		mediaType: OCI_MANIFEST,
		config: image.config,
		layers: image.layers,
	});
	const index = {
		schemaVersion: 2,
		manifests: [
			{
				...describe(OCI_MANIFEST, manifest),
				platform: { architecture, os: "linux" },
			},
		],
	};
	return { config, manifest, meaning, image, index };
}

/**
 * Foreign members, by what Go would read them as.
 *
 * @param {ReturnType<typeof evil>} evil_
 * @returns {Record<string, Record<string, unknown>>}
 */
const readings = ({ meaning, image, index }) => ({
	manifest: image,
	"layers alone": { layers: image.layers },
	"config alone": { config: image.config },
	index,
	"image config": meaning,
});

/**
 * Each set of foreign members in each spelling that changes something.
 *
 * @param {Record<string, unknown>} members
 * @returns {[string, Member[]][]}
 */
function spelled(members) {
	const plain = Object.entries(members);
	/** @type {[string, Member[]][]} */
	const all = [];
	for (const [how, spell] of Object.entries(SPELLINGS)) {
		if (how !== "as it is" && plain.every(([name]) => spell(name) === name))
			continue;
		all.push([how, plain.map(([name, value]) => member(spell(name), value))]);
	}
	all.push([
		"twice",
		plain.flatMap(([name, value]) => [member(name, null), member(name, value)]),
	]);
	all.push([
		"twice, in two spellings",
		plain.flatMap(([name, value]) => [
			member(name, value),
			member(SPELLINGS.capital(name), value),
		]),
	]);
	return all;
}

/** The place of every object in a document. @param {unknown} value @param {(string | number)[]} at @returns {(string | number)[][]} */
export function objectsOf(value, at = []) {
	if (Array.isArray(value))
		return value.length === 0 ? [] : objectsOf(value[0], [...at, 0]);
	if (value === null || typeof value !== "object") return [];
	return [
		at,
		...Object.entries(value).flatMap(([name, inner]) =>
			objectsOf(inner, [...at, name]),
		),
	];
}

/**
 * A document with foreign members in one of its objects.
 *
 * @param {unknown} value
 * @param {(string | number)[]} place
 * @param {Member[]} foreign
 * @param {boolean} first before the object's own members, or after them
 * @returns {string}
 */
function write(value, place, foreign, first) {
	const inside = (
		/** @type {string | number} */ name,
		/** @type {unknown} */ inner,
	) =>
		place[0] === name
			? write(inner, place.slice(1), foreign, first)
			: JSON.stringify(inner);
	if (Array.isArray(value))
		return `[${value.map((inner, at) => inside(at, inner)).join(",")}]`;
	const own = Object.entries(/** @type {object} */ (value)).map(
		([name, inner]) =>
			`${JSON.stringify(name)}:${place.length === 0 ? JSON.stringify(inner) : inside(name, inner)}`,
	);
	const here = place.length === 0 ? foreign : [];
	return `{${(first ? [...here, ...own] : [...own, ...here]).join(",")}}`;
}

/** What cosign 2 writes as the config of signatures. @param {Buffer[]} layers */
export const emptyConfig = (layers) => ({
	architecture: "",
	created: "0001-01-01T00:00:00Z",
	history: [{ created: "0001-01-01T00:00:00Z" }],
	os: "",
	rootfs: { type: "layers", diff_ids: layers.map(sha256) },
	config: {},
});

/** What BuildKit writes as the config of attestations. @param {Buffer[]} layers */
export const unknownConfig = (layers) => ({
	architecture: "unknown",
	os: "unknown",
	config: {},
	rootfs: { type: "layers", diff_ids: layers.map(sha256) },
});

/** A provenance as BuildKit attaches it. @param {string} id */
export const statement = (id) => ({
	_type: "https://in-toto.io/Statement/v0.1",
	predicateType: "https://slsa.dev/provenance/v0.2",
	subject: [
		{
			name: "pkg:docker/app@1.0",
			digest: { sha256: sha256(Buffer.from(id)).slice(7) },
		},
	],
	predicate: { builder: { id } },
});

/**
 * @param {{ config?: Buffer, configType?: string, layerType: string, layers: Buffer[], foreign?: Member[], first?: boolean }} parts
 */
export function artifactManifest({
	config = Buffer.from("{}"),
	configType = OCI_EMPTY,
	layerType,
	layers,
	foreign = [],
	first = false,
}) {
	const annotations =
		layerType === SIMPLE_SIGNING
			? { "dev.cosignproject.cosign/signature": "AAAA" }
			: undefined;
	const document = {
		schemaVersion: 2,
		mediaType: OCI_MANIFEST,
		...(layerType === BUNDLE && { artifactType: BUNDLE }),
		config: describe(configType, config),
		layers: layers.map((bytes) => ({
			...describe(layerType, bytes),
			...(annotations && { annotations }),
		})),
	};
	return Buffer.from(write(document, [], foreign, first));
}

/**
 * The table.
 *
 * @param {Descriptor} layer of an approved image
 * @returns {Artifact[]}
 */
export function table(layer) {
	/** @type {Artifact[]} */
	const all = [];
	let count = 0;
	const id = () => {
		count += 1;
		return `case ${count}`;
	};
	const add = (
		/** @type {Omit<Artifact, "children" | "mediaType" | "honest"> & Partial<Artifact>} */ one,
	) =>
		all.push({ children: [], mediaType: OCI_MANIFEST, honest: false, ...one });

	for (const [format, { mediaType, make }] of Object.entries(FORMATS)) {
		const polyglot = (
			/** @type {string} */ name,
			/** @type {Buffer} */ bytes,
			/** @type {Buffer[]} */ more,
		) => {
			const config = json(emptyConfig([bytes]));
			const parts =
				mediaType === BUNDLE ? {} : { config, configType: OCI_CONFIG };
			add({
				name: `${format}, ${name}`,
				blobs: [bytes, config, Buffer.from("{}"), ...more],
				manifest: artifactManifest({
					...parts,
					layerType: mediaType,
					layers: [bytes],
				}),
				forbidden: [bytes, ...more],
				polyglot: bytes,
			});
		};
		const honest = json(make(id()));
		for (const config of [Buffer.from("{}"), json(emptyConfig([honest]))]) {
			const parts =
				config.length === 2 ? { config } : { config, configType: OCI_CONFIG };
			add({
				name: `${format}, as cosign writes it (config ${config})`,
				blobs: [honest, config],
				manifest: artifactManifest({
					...parts,
					layerType: mediaType,
					layers: [honest],
				}),
				forbidden: [],
				honest: true,
			});
		}
		const whole = evil(layer, id());
		polyglot("which is an image manifest and nothing else", whole.manifest, [
			whole.config,
		]);
		for (const place of objectsOf(make("x"))) {
			for (const reading of place.length === 0
				? Object.keys(readings(whole))
				: ["manifest", "index"]) {
				for (
					let which = 0;
					which < spelled(readings(whole)[reading] ?? {}).length;
					which += 1
				) {
					const own = evil(layer, id());
					const [how, foreign] = spelled(readings(own)[reading] ?? {})[
						which
					] ?? ["", []];
					const text = write(make(id()), place, foreign, count % 4 === 0);
					polyglot(
						`${reading}, at ${place.length === 0 ? "the top" : place.join(".")}, ${how}`,
						Buffer.from(text),
						[own.config],
					);
				}
			}
		}
	}

	// BuildKit's attestations: statements in an index beside the images.
	const attested = (
		/** @type {string} */ name,
		/** @type {Buffer} */ bytes,
		/** @type {Buffer[]} */ more,
		/** @type {Buffer} */ config,
		honest = false,
	) => {
		add({
			name: `statement, ${name}`,
			blobs: [bytes, config, ...more],
			manifest: artifactManifest({
				config,
				configType: OCI_CONFIG,
				layerType: IN_TOTO,
				layers: [bytes],
			}),
			forbidden: honest ? [] : [bytes, ...more],
			honest,
		});
	};
	for (const reading of Object.keys(readings(evil(layer, "x")))) {
		for (
			let which = 0;
			which < spelled(readings(evil(layer, "x"))[reading] ?? {}).length;
			which += 1
		) {
			const own = evil(layer, id());
			const [how, foreign] = spelled(readings(own)[reading] ?? {})[which] ?? [
				"",
				[],
			];
			const bytes = Buffer.from(
				write(statement(id()), [], foreign, which % 2 === 0),
			);
			attested(
				`${reading}, at the top, ${how}`,
				bytes,
				[own.config],
				json(unknownConfig([bytes])),
			);
		}
	}
	const provenance = json(statement(id()));
	attested(
		"as BuildKit writes it",
		provenance,
		[],
		json(unknownConfig([provenance])),
		true,
	);
	for (const [name, change] of Object.entries(MEANINGFUL)) {
		const bytes = json(statement(id()));
		const config = json(change(unknownConfig([bytes]), layer));
		add({
			name: `statement, its config with ${name}`,
			blobs: [bytes, config],
			manifest: artifactManifest({
				config,
				configType: OCI_CONFIG,
				layerType: IN_TOTO,
				layers: [bytes],
			}),
			forbidden: [config],
		});
	}

	// The config: small JSON that means something.
	const configs = (
		/** @type {string} */ name,
		/** @type {(layers: Buffer[]) => string} */ make,
		/** @type {Buffer[]} */ more = [],
	) => {
		for (const [format, { mediaType, make: document }] of Object.entries(
			FORMATS,
		)) {
			const payload = json(document(id()));
			const config = Buffer.from(make([payload]));
			add({
				name: `config of a ${format}, ${name}`,
				blobs: [payload, config, ...more],
				manifest: artifactManifest({
					config,
					configType: OCI_CONFIG,
					layerType: mediaType,
					layers: [payload],
				}),
				forbidden: [config, ...more],
				polyglot: config,
			});
		}
	};
	for (const reading of Object.keys(readings(evil(layer, "x")))) {
		for (
			let which = 0;
			which < spelled(readings(evil(layer, "x"))[reading] ?? {}).length;
			which += 1
		) {
			const [how] = spelled(readings(evil(layer, "x"))[reading] ?? {})[
				which
			] ?? [""];
			const own = evil(layer, id());
			const foreign = spelled(readings(own)[reading] ?? {})[which]?.[1] ?? [];
			configs(`which is ${reading}, ${how}`, () => `{${foreign.join(",")}}`, [
				own.config,
			]);
			for (const place of objectsOf(emptyConfig([Buffer.alloc(0)]))) {
				if (
					place.length > 0 &&
					reading !== "manifest" &&
					reading !== "image config"
				)
					continue;
				configs(
					`cosign's with ${reading} at ${place.length === 0 ? "the top" : place.join(".")}, ${how}`,
					(layers) =>
						write(emptyConfig(layers), place, foreign, which % 2 === 0),
					[own.config],
				);
			}
		}
	}
	for (const [name, change] of Object.entries(MEANINGFUL))
		configs(`cosign's with ${name}`, (layers) =>
			JSON.stringify(change(emptyConfig(layers), layer)),
		);

	// The artifact's own manifest, and a list of evidence: they go out as manifests, of exactly one form.
	const alone = json(FORMATS["simple signing"]?.make(id()));
	const lone = artifactManifest({ layerType: SIMPLE_SIGNING, layers: [alone] });
	add({
		name: "a list of evidence, and nothing else",
		blobs: [alone, Buffer.from("{}")],
		children: [{ bytes: lone, mediaType: OCI_MANIFEST }],
		mediaType: OCI_INDEX,
		forbidden: [],
		honest: true,
		manifest: json({
			schemaVersion: 2,
			mediaType: OCI_INDEX,
			manifests: [
				{ ...describe(OCI_MANIFEST, lone), artifactType: SIMPLE_SIGNING },
			],
		}),
	});
	for (const reading of ["manifest", "layers alone", "config alone", "index"]) {
		for (
			let which = 0;
			which < spelled(readings(evil(layer, "x"))[reading] ?? {}).length;
			which += 1
		) {
			const own = evil(layer, id());
			const [how, foreign] = spelled(readings(own)[reading] ?? {})[which] ?? [
				"",
				[],
			];
			const payload = json(FORMATS["simple signing"]?.make(id()));
			const blobs = [payload, Buffer.from("{}"), own.config];
			const first = count % 2 === 0;
			add({
				name: `an evidence manifest that is ${reading}, too, ${how}`,
				blobs,
				manifest: artifactManifest({
					layerType: SIMPLE_SIGNING,
					layers: [payload],
					foreign,
					first,
				}),
				forbidden: [own.config],
			});
			const child = artifactManifest({
				layerType: SIMPLE_SIGNING,
				layers: [payload],
			});
			const list = {
				schemaVersion: 2,
				mediaType: OCI_INDEX,
				manifests: [
					{ ...describe(OCI_MANIFEST, child), artifactType: SIMPLE_SIGNING },
				],
			};
			add({
				name: `a list of evidence that is ${reading}, too, ${how}`,
				blobs,
				children: [child, own.manifest].map((bytes) => ({
					bytes,
					mediaType: OCI_MANIFEST,
				})),
				manifest: Buffer.from(write(list, [], foreign, first)),
				mediaType: OCI_INDEX,
				forbidden: [own.config],
			});
		}
	}
	return all;
}

/**
 * Configs of exactly the form that cosign writes, but for one value: what a runtime would act on.
 *
 * @type {Record<string, (config: any, layer: Descriptor) => object>}
 */
const MEANINGFUL = {
	"an entrypoint": (config) => ({
		...config,
		config: { Entrypoint: ["/evil"] },
	}),
	"an entrypoint in small letters": (config) => ({
		...config,
		config: { entrypoint: ["/evil"] },
	}),
	"a command": (config) => ({ ...config, config: { Cmd: ["/evil"] } }),
	"an environment": (config) => ({
		...config,
		config: { Env: ["LD_PRELOAD=/evil"] },
	}),
	"a user": (config) => ({ ...config, config: { User: "0" } }),
	"another list of layers": (config, layer) => ({
		...config,
		rootfs: { type: "layers", diff_ids: [layer.digest] },
	}),
	"one layer more": (config, layer) => ({
		...config,
		rootfs: {
			type: "layers",
			diff_ids: [...config.rootfs.diff_ids, layer.digest],
		},
	}),
	container_config: (config) => ({
		...config,
		container_config: { Entrypoint: ["/evil"] },
	}),
	docker_version: (config) => ({ ...config, docker_version: "1" }),
	docKer_version: (config) => ({ ...config, "doc\u212aer_version": "1" }),
	"a variant": (config) => ({ ...config, variant: "v8" }),
};

// --- at random ---

/** @typedef {{ manifest: boolean, index: boolean, config: boolean, lists: string[], diffIds: string[] }} Reading */

/** What Go makes of documents. */
export async function goReader() {
	const child = spawn(await tool("go-reader"), [], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
	/** @type {Map<string, Promise<Reading>>} */
	const known = new Map();
	let last = Promise.resolve();
	return {
		/** @param {Buffer} bytes @returns {Promise<Reading>} */
		read(bytes) {
			const digest = sha256(bytes);
			const before = known.get(digest);
			if (before) return before;
			const answer = last.then(async () => {
				child.stdin.write(`${bytes.toString("base64")}\n`);
				return JSON.parse((await lines.next()).value);
			});
			last = answer.then(() => {});
			known.set(digest, answer);
			return answer;
		},
		async stop() {
			child.stdin.end();
			if (child.exitCode === null) await once(child, "exit");
		},
	};
}

/** Numbers below 1, the same for the same seed (mulberry32). @param {number} seed */
export function randomFrom(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/**
 * What one tenant pushes in one go: blobs, then manifests, by the tags and digests that they stand under.
 *
 * @param {() => number} random
 * @param {{ digest: string, size: number, layer: Descriptor, config: Descriptor }} approved
 * @param {string} id
 * @returns {{ blobs: Buffer[], manifests: { reference: string, mediaType: string, bytes: Buffer }[] }}
 */
export function randomPush(random, approved, id) {
	const chance = (/** @type {number} */ likely) => random() < likely;
	/** @template T @param {T[]} list @returns {T} */
	const pick = (list) =>
		/** @type {T} */ (list[Math.floor(random() * list.length)]);
	const own = evil(approved.layer, id);
	/** @type {Buffer[]} */
	const blobs = [own.config, own.manifest, json(own.index)];
	const spell = (/** @type {string} */ name) =>
		[...name]
			.map((character) => {
				if (chance(0.85)) return character;
				if (character === "s" && chance(0.5)) return "ſ";
				if (character === "k" && chance(0.5)) return "\u212a";
				return chance(0.5)
					? character.toUpperCase()
					: `\\u00${character.charCodeAt(0).toString(16)}`;
			})
			.join("");
	const mutated = (
		/** @type {object} */ document,
		/** @type {number} */ likely,
	) => {
		if (!chance(likely)) return json(document);
		const members = Object.entries(pick(Object.values(readings(own)))).filter(
			() => chance(0.8),
		);
		const foreign = members.map(([name, value]) =>
			member(
				chance(0.4) ? name : spell(name),
				chance(0.85) ? value : pick([null, 1, "x", [], {}]),
			),
		);
		if (chance(0.1)) foreign.push(member(spell("annotation"), "x"));
		return Buffer.from(
			`${chance(0.1) ? " " : ""}${write(document, chance(0.6) ? [] : pick(objectsOf(document)), foreign, chance(0.5))}`,
		);
	};
	const kinds = [
		...Object.values(FORMATS),
		{ mediaType: IN_TOTO, make: statement },
	];
	const artifact = (/** @type {string} */ name) => {
		const { mediaType, make } = pick(kinds);
		const layers = Array.from({ length: chance(0.7) ? 1 : 2 }, (_, at) =>
			chance(0.1) ? pick(blobs) : mutated(make(`${id} ${name} ${at}`), 0.4),
		);
		const empty =
			mediaType === IN_TOTO ? unknownConfig(layers) : emptyConfig(layers);
		/** @type {Buffer} */
		const config = chance(0.3)
			? Buffer.from("{}")
			: chance(0.15)
				? pick(blobs)
				: chance(0.15)
					? json(pick(Object.values(MEANINGFUL))(empty, approved.layer))
					: mutated(empty, 0.3);
		blobs.push(config, ...layers);
		const foreign = chance(0.15)
			? Object.entries(pick(Object.values(readings(own)))).map(([key, value]) =>
					member(spell(key), value),
				)
			: [];
		const manifest = artifactManifest({
			config,
			configType: pick([OCI_CONFIG, OCI_EMPTY]),
			layerType: chance(0.9) ? mediaType : pick(kinds).mediaType,
			layers,
			foreign,
			first: chance(0.5),
		});
		if (!chance(0.1)) return manifest;
		// One real layer among them, called evidence.
		const parsed = JSON.parse(manifest.toString());
		parsed.layers.push({ ...approved.layer, mediaType });
		return json(parsed);
	};
	const [first, second] = [artifact("first"), artifact("second")];
	const described = [first, second].map((bytes) => ({
		...describe(OCI_MANIFEST, bytes),
		artifactType: pick([SIMPLE_SIGNING, DSSE, BUNDLE, IN_TOTO]),
	}));
	const image = {
		mediaType: OCI_MANIFEST,
		digest: approved.digest,
		size: approved.size,
		platform: { architecture: "arm64", os: "linux" },
	};
	const extra = pick([
		[],
		[],
		own.index.manifests,
		[image],
		[image, ...own.index.manifests],
	]);
	const list = mutated(
		{
			schemaVersion: 2,
			mediaType: OCI_INDEX,
			manifests: [...described, ...extra].filter(() => chance(0.9)),
		},
		0.2,
	);
	const tag = (/** @type {string} */ name) =>
		pick([
			`${id}-${name}`,
			tagOf(sha256(own.manifest), pick([".sig", ".att", ""])),
		]);
	/** @type {{ reference: string, mediaType: string, bytes: Buffer }[]} */
	const manifests = [own.manifest, first, second].map((bytes) => ({
		reference: sha256(bytes),
		mediaType: OCI_MANIFEST,
		bytes,
	}));
	// A polyglot is a manifest, too, where a registry takes it for one.
	for (const bytes of blobs)
		if (chance(0.3))
			manifests.push({
				reference: sha256(bytes),
				mediaType: OCI_MANIFEST,
				bytes,
			});
	manifests.push(
		{ reference: tag("first"), mediaType: OCI_MANIFEST, bytes: first },
		{ reference: tag("list"), mediaType: OCI_INDEX, bytes: list },
		{ reference: sha256(list), mediaType: OCI_INDEX, bytes: list },
	);
	return { blobs, manifests };
}
