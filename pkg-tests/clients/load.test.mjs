// What those who may push, and those who may read, can make one gateway do: requests, bytes and memory are counted, and /healthz is
// asked all the while. Bounds, not benchmarks: a time is less what an idle worker took at the same time for the same question, which is
// the machine's part in it; one that a busy machine spoils still is taken again, on a fresh worker, and the best counts.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
	BUNDLE,
	DSSE,
	IN_TOTO,
	OCI_CONFIG,
	OCI_EMPTY,
	SIMPLE_SIGNING,
	artifactManifest,
	describe as descriptor,
	emptyConfig,
	json,
} from "../lib/attack.mjs";
import { keyPair, leaf, pretender, root, spki } from "../lib/certificates.mjs";
import { need } from "../lib/clients.mjs";
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
import { startWorker } from "../lib/serve.mjs";
import {
	FRONT_PROGRAMS,
	NAME,
	ask,
	bundleBy,
	signedBy,
	startFront,
} from "./front.mjs";

/** How many bundles are different ones: each an upload, so that every day has fewer. A candidate is one by its bytes. */
const DIFFERENT = process.env.ATTACK === "all" ? 16_384 : 1_024;
const REQUESTS = 256;
const HEALTH_MS = 250;
const ATTEMPTS = 3;
const MIB = 1 << 20;
/** docs/gateway.md "One request, one budget". */
const FETCHED = 32 * MIB;
/** Growth for eight maximal requests at once. */
const GROWTH = 8 * 48 * MIB;
const PATIENCE_MS = 90_000;

const IDENTITY =
	"https://github.com/demo/app/.github/workflows/release.yml@refs/heads/main";
const OIDC_ISSUER = "https://token.actions.demo.example";
const AUTHORITY = "load";

const [anchor, attacker, log] = [
	keyPair("secp521r1"),
	keyPair("secp521r1"),
	keyPair("prime256v1"),
];

/** @type {import("./front.mjs").Front} */
let front;

describe("one gateway, under load", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
		const keyless = {
			type: "sigstoreSigned",
			trustedRootPath: "trusted_root.json",
			identities: [{ issuer: OIDC_ISSUER, subject: IDENTITY }],
			signedIdentity: { type: "matchDigest" },
		};
		front = await startFront(
			{
				[`${NAME}/app`]: signedBy("good.pub"),
				[`${NAME}/bundles`]: bundleBy("good.pub"),
				[`${NAME}/keyless`]: [keyless],
			},
			{
				sealgate: { version: 1, coverage: "instance" },
				registry: startCraneRegistry,
				files: { "trusted_root.json": JSON.stringify(trustedRoot()) },
			},
		);
	});
	after(() => front?.stop());

	/** @param {string} name @param {() => Promise<void>} body */
	const check = (name, body) =>
		test(name, async (t) => {
			if (need(t, FRONT_PROGRAMS)) await body();
		});

	describe("evidence without end", () => {
		check(
			"128 referrers of 128 bundles each, for one HEAD and for eight at once",
			async () => {
				const digest = await front.image("bundles", "many");
				await each(
					Array.from({ length: DIFFERENT }, (_, at) => at),
					async (at) => {
						await putBlob(front.registry.host, "bundles", bundle(digest, at));
					},
				);
				await each(
					Array.from({ length: 128 }, (_, at) => at),
					async (at) => {
						await refer(
							"bundles",
							digest,
							Array.from({ length: 128 }, (__, layer) =>
								bundle(
									digest,
									(at * 128 + layer + Math.floor((at * 128) / DIFFERENT)) %
										DIFFERENT,
								),
							),
							false,
						);
					},
				);
				await assertBounded("one", ["/v2/bundles/manifests/many"]);
				await assertBounded("eight", await eightNames("bundles", digest));
			},
		);

		check(
			"bundles with nine intermediates on P-521 and sixteen promises of a certificate log",
			async () => {
				const digest = await front.image("keyless", "chains");
				await refer(
					"keyless",
					digest,
					Array.from({ length: 8 }, (_, at) => chained(digest, at)),
					true,
				);
				await assertBounded("one", ["/v2/keyless/manifests/chains"]);
				await assertBounded("eight", await eightNames("keyless", digest));
			},
		);

		check("an index of sixteen images, each with 128 signatures", async () => {
			const { host } = front.registry;
			const children = await Promise.all(
				Array.from({ length: 16 }, async (_, at) => {
					const digest = await front.image("app", `child-${at}`);
					const payloads = Array.from({ length: 128 }, (__, n) =>
						json({
							critical: {
								identity: { "docker-reference": `${NAME}/app` },
								image: { "docker-manifest-digest": digest },
								type: "cosign container image signature",
							},
							optional: { n, pad: "x".repeat(16 << 10) },
						}),
					);
					const config = json(emptyConfig(payloads));
					await each([config, ...payloads], async (blob) => {
						await putBlob(host, "app", blob);
					});
					await putManifest(
						host,
						"app",
						tagOf(digest, ".sig"),
						OCI_MANIFEST,
						signatures(payloads, config),
					);
					const { bytes = Buffer.alloc(0) } =
						(await fetchManifest(host, "app", digest)) ?? {};
					return {
						...descriptor(OCI_MANIFEST, bytes),
						platform: { architecture: "amd64", os: "linux", variant: `v${at}` },
					};
				}),
			);
			await putManifest(
				host,
				"app",
				"sixteen",
				OCI_INDEX,
				json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: children }),
			);
			await assertBounded("one", ["/v2/app/manifests/sixteen"]);
		});
	});

	check(
		"sixty large manifests that are denied do not close the blobs of a pull in flight",
		async () => {
			const { host } = front.registry;
			await front.image("app", "flight", { sign: "tag" });
			const { config, layers } = JSON.parse(
				(await front.ask("/v2/app/manifests/flight")).body.toString(),
			);
			const large = Array.from({ length: 60 }, (_, at) =>
				json({
					schemaVersion: 2,
					mediaType: OCI_MANIFEST,
					config,
					layers,
					annotations: {
						at: String(at),
						pad: randomBytes(125_000).toString("hex"),
					},
				}),
			);
			await each(large, async (bytes) => {
				await putManifest(host, "app", sha256(bytes), OCI_MANIFEST, bytes);
				assert.equal(
					(await front.ask(`/v2/app/manifests/${sha256(bytes)}`)).status,
					403,
				);
			});
			for (const { digest } of [config, ...layers]) {
				const answer = await front.ask(`/v2/app/blobs/${digest}`);
				assert.equal(answer.status, 200, answer.body.toString());
				assert.equal(sha256(answer.body), digest);
			}
		},
	);

	check("a config of two bytes costs its manifest and itself", async () => {
		const { host } = front.registry;
		const payloads = Array.from({ length: 4 }, (_, at) =>
			envelope(at, 3 * MIB),
		);
		const config = Buffer.from("{}");
		for (const bytes of [config, ...payloads])
			await putBlob(host, "app", bytes);
		const manifest = artifactManifest({
			config,
			layerType: DSSE,
			layers: payloads,
		});
		await putManifest(host, "app", "heavy", OCI_MANIFEST, manifest);
		const first = await front.ask("/v2/app/manifests/heavy");
		assert.equal(first.status, 200, first.body.toString().slice(0, 300));
		front.proxy.reset();
		for (let at = 0; at < 10; at += 1) {
			const answer = await front.ask(`/v2/app/blobs/${sha256(config)}`);
			assert.equal(answer.status, 200, answer.body.toString().slice(0, 300));
			assert.equal(answer.body.toString(), "{}");
		}
		const bytes =
			front.proxy.log.reduce((sum, line) => sum + line.bytes, 0) / 10;
		assert.ok(
			bytes <= manifest.length + 1_024,
			`expected at most the manifest's ${manifest.length} bytes and the config's 2 for each request, found ${bytes}`,
		);
	});

	describe("memory, for eight maximal requests at once", () => {
		check(
			"/api/evidence with 16 MiB of evidence, and /healthz all the while",
			async () => {
				const { host } = front.registry;
				const digest = await front.image("app", "documented");
				const payloads = Array.from({ length: 4 }, (_, at) =>
					envelope(at + 10, 4 * MIB - 128 * 1024),
				);
				const config = json(emptyConfig(payloads));
				for (const bytes of [config, ...payloads])
					await putBlob(host, "app", bytes);
				await putManifest(
					host,
					"app",
					tagOf(digest, ".att"),
					OCI_MANIFEST,
					artifactManifest({
						config,
						configType: OCI_CONFIG,
						layerType: DSSE,
						layers: payloads,
					}),
				);
				const paths = Array.from(
					{ length: 8 },
					() => "/api/evidence/app?ref=documented",
				);
				await assertGrowth(paths, ({ status, body }) => {
					assert.ok(
						status === 503 || (status === 200 && body.length > 16 * MIB),
						`${status}, ${body.length} bytes: ${body.subarray(0, 300)}`,
					);
				});
				await assertBounded("eight", paths, {
					method: "GET",
					expected: [200, 503],
				});
			},
		);

		check("manifests with a member of 4 MB of zeros", async () => {
			const { host } = front.registry;
			await front.image("app", "zeros", { sign: "tag" });
			const { config, layers } = JSON.parse(
				(await front.ask("/v2/app/manifests/zeros")).body.toString(),
			);
			const references = [];
			for (let at = 0; at < 8; at += 1) {
				const bytes = json({
					schemaVersion: 2,
					mediaType: OCI_MANIFEST,
					config,
					layers,
					annotations: { at: String(at) },
					zeros: zeros(3.9),
				});
				references.push(
					await putManifest(host, "app", `zeros-${at}`, OCI_MANIFEST, bytes),
				);
			}
			await assertGrowth(
				references.map((digest) => `/v2/app/manifests/${digest}`),
				({ status }) => assert.equal(status, 403),
				true,
			);
		});

		check("evidence with a member of 4 MB of zeros", async () => {
			const { host } = front.registry;
			const references = [];
			for (let at = 0; at < 8; at += 1) {
				const bytes = json({
					...JSON.parse(envelope(at + 20, 100).toString()),
					zeros: zeros(3.9),
				});
				const config = json(emptyConfig([bytes]));
				for (const blob of [bytes, config]) await putBlob(host, "app", blob);
				references.push(
					await putManifest(
						host,
						"app",
						`evidence-zeros-${at}`,
						OCI_MANIFEST,
						artifactManifest({
							config,
							configType: OCI_CONFIG,
							layerType: DSSE,
							layers: [bytes],
						}),
					),
				);
			}
			await assertGrowth(
				references.map((digest) => `/v2/app/manifests/${digest}`),
				({ status }) => assert.equal(status, 403),
				true,
			);
		});
	});
});

// --- what is measured ---

/**
 * Requests that end, each within its budget of upstream requests and bytes, while the worker goes on answering others.
 *
 * @param {string} what
 * @param {string[]} paths asked for all at once
 * @param {{ method?: string, expected?: number[] }} [how] expected: any of these statuses
 */
async function assertBounded(
	what,
	paths,
	{ method = "HEAD", expected = [403, 503] } = {},
) {
	/** @type {{ longest: number, idle: number, ms: number, requests: number, bytes: number, statuses: number[] }[]} */
	const seen = [];
	// Only a time can be the machine's fault, and only a little of it.
	const again = (/** @type {number} */ time) =>
		time > HEALTH_MS && time < 10 * HEALTH_MS;
	const own = () => seen.map(({ longest, idle }) => longest - idle);
	do seen.push(await judged(paths, method));
	while (seen.length < ATTEMPTS && again(own().at(-1) ?? 0));
	const best = Math.min(...own());
	const found = `${what}: ${JSON.stringify(seen)}`;
	for (const { statuses, requests, bytes } of seen) {
		assert.ok(
			statuses.every((status) => expected.includes(status)),
			found,
		);
		assert.ok(
			requests <= REQUESTS * paths.length,
			`expected at most ${REQUESTS} upstream requests for each, found ${found}`,
		);
		assert.ok(
			bytes <= FETCHED * paths.length,
			`expected at most ${FETCHED} bytes for each, found ${found}`,
		);
	}
	assert.ok(
		best <= HEALTH_MS,
		`expected /healthz within ${HEALTH_MS} ms all the while, found ${found}`,
	);
}

/** On a worker that has seen nothing yet, beside one that has nothing to do. @param {string[]} paths @param {string} method */
async function judged(paths, method) {
	const worker = await startWorker({
		upstream: front.proxy.url,
		name: NAME,
		policy: front.policy,
	});
	const bystander = await startWorker({
		upstream: front.proxy.url,
		name: NAME,
		policy: front.policy,
	});
	try {
		for (const { url } of [worker, bystander]) await ask(url, "/healthz");
		front.proxy.reset();
		const started = Date.now();
		let over = false;
		const answers = Promise.all(
			paths.map((path) => patiently(ask(worker.url, path, { method }))),
		).finally(() => {
			over = true;
		});
		const health = async (/** @type {string} */ url) => {
			let longest_ = 0;
			while (!over) {
				const asked = Date.now();
				await patiently(ask(url, "/healthz"));
				longest_ = Math.max(longest_, Date.now() - asked);
				await new Promise((done) => setTimeout(done, 10));
			}
			return longest_;
		};
		const [longest, idle] = await Promise.all([
			health(worker.url),
			health(bystander.url),
		]);
		const statuses = (await answers).map(({ status }) => status);
		return {
			longest,
			idle,
			ms: Date.now() - started,
			requests: front.proxy.log.length,
			bytes: front.proxy.log.reduce((sum, line) => sum + line.bytes, 0),
			statuses,
		};
	} finally {
		await bystander.stop();
		await worker.stop();
	}
}

/** Status 0 when there is no answer in time. @param {Promise<import("./front.mjs").Answer>} answer */
function patiently(answer) {
	return Promise.race([
		answer,
		new Promise((done) =>
			setTimeout(done, PATIENCE_MS, {
				status: 0,
				body: Buffer.alloc(0),
			}).unref(),
		),
	]);
}

/**
 * The worker's resident memory at its highest, less what it was before: linear memory, heap and all else.
 *
 * @param {string[]} paths asked for with GET, all at once
 * @param {(answer: import("./front.mjs").Answer) => void} expect
 * @param {boolean} [isOneAlone] whether the first of them, before the others, has a share of the bound of its own: what is done and
 *   forgotten at one go does not add up, but the linear memory that it took once is never given back
 */
async function assertGrowth(paths, expect, isOneAlone = false) {
	const worker = await startWorker({
		upstream: front.proxy.url,
		name: NAME,
		policy: front.policy,
	});
	try {
		// One small answer of each kind, so that what every start costs is not counted.
		await ask(worker.url, "/v2/app/manifests/none");
		await ask(worker.url, "/api/evidence/app?ref=none");
		const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / MIB);
		const pid = await worker.pid();
		await writeFile(`/proc/${pid}/clear_refs`, "5");
		const [before_] = await resident(pid);
		if (isOneAlone) await patiently(ask(worker.url, paths[0] ?? ""));
		const [, alone] = await resident(pid);
		const answers = await Promise.all(
			paths.map((path) => patiently(ask(worker.url, path))),
		);
		const [, highest] = await resident(pid);
		assert.ok(
			!isOneAlone || alone - before_ <= GROWTH / 8,
			`expected one request to make it grow by at most ${megabytes(GROWTH / 8)} MiB, found ${megabytes(alone - before_)} (from ${megabytes(before_)} to ${megabytes(alone)})`,
		);
		assert.ok(
			highest - before_ <= GROWTH,
			`expected to grow by at most ${megabytes(GROWTH)} MiB, found ${megabytes(highest - before_)} (from ${megabytes(before_)} to ${megabytes(highest)}), after ${answers.map(({ status }) => status)}`,
		);
		for (const answer of answers) expect(answer);
	} finally {
		await worker.stop();
	}
}

/** Now, and at its highest since it was reset. @param {number} pid @returns {Promise<[number, number]>} */
async function resident(pid) {
	const status = await readFile(`/proc/${pid}/status`, "utf8");
	const read = (/** @type {string} */ name) =>
		Number(
			new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? NaN,
		) * 1024;
	return [read("VmRSS"), read("VmHWM")];
}

/** @template T @param {T[]} list @param {(one: T) => Promise<void>} body */
async function each(list, body) {
	const queue = [...list];
	await Promise.all(
		Array.from({ length: 16 }, async () => {
			for (let one = queue.shift(); one !== undefined; one = queue.shift())
				await body(one);
		}),
	);
}

// --- what is pushed ---

/** Eight tags of one image: eight judgements, since a verdict holds for one name. @param {string} repo @param {string} digest */
async function eightNames(repo, digest) {
	const { bytes = Buffer.alloc(0) } =
		(await fetchManifest(front.registry.host, repo, digest)) ?? {};
	const tags = Array.from({ length: 8 }, (_, at) => `name-${at}`);
	for (const tag of tags)
		await putManifest(front.registry.host, repo, tag, OCI_MANIFEST, bytes);
	return tags.map((tag) => `/v2/${repo}/manifests/${tag}`);
}

/** A bundle of a signature of an image by some key: right in all that costs nothing to look at. @param {string} digest @param {number} number */
function bundle(digest, number) {
	const sig = Buffer.from(
		`30440220${"01".repeat(32)}0220${createHash("sha256").update(`${number}`).digest("hex").replace(/^./, "1")}`,
		"hex",
	);
	return json({
		mediaType: BUNDLE,
		verificationMaterial: { publicKey: { hint: "" } },
		dsseEnvelope: {
			payload: claim(digest),
			payloadType: IN_TOTO,
			signatures: [{ sig: sig.toString("base64") }],
		},
	});
}

/** What cosign 3 signs. @param {string} digest */
function claim(digest) {
	return Buffer.from(
		JSON.stringify({
			_type: "https://in-toto.io/Statement/v1",
			subject: [{ digest: { sha256: digest.slice(7) } }],
			predicateType: "https://sigstore.dev/cosign/sign/v1",
			predicate: {},
		}),
	).toString("base64");
}

const FIXTURES = new URL("../../fixtures/sigstore/", import.meta.url);
const KEYLESS = JSON.parse(
	readFileSync(new URL("image-ci/bundle.json", FIXTURES), "utf8"),
);

/** The fixtures' timestamp authority vouches for a time; authority and certificate log are ours, and no log of signatures is demanded. */
function trustedRoot() {
	const given = JSON.parse(
		readFileSync(new URL("trusted_root.json", FIXTURES), "utf8"),
	);
	const start = { start: "2026-01-01T00:00:00Z" };
	return {
		...given,
		tlogs: [],
		certificateAuthorities: [
			{
				subject: { organization: "", commonName: AUTHORITY },
				uri: "https://load.example",
				certChain: {
					certificates: [
						{ rawBytes: root(AUTHORITY, anchor).toString("base64") },
					],
				},
				validFor: start,
			},
		],
		ctlogs: [
			{
				baseUrl: "https://ct.load.example",
				hashAlgorithm: "SHA2_256",
				publicKey: {
					rawBytes: spki(log.publicKey).toString("base64"),
					keyDetails: "PKIX_ECDSA_P256_SHA_256",
					validFor: start,
				},
				logId: {
					keyId: createHash("sha256")
						.update(spki(log.publicKey))
						.digest("base64"),
				},
			},
		],
	};
}

/**
 * A keyless bundle with a time that the root trusts (the timestamp is over the fixtures' signature), and certificates that each could
 * have issued each other, and say that the root issued them all.
 *
 * @param {string} digest
 * @param {number} number
 */
function chained(digest, number) {
	const certificates = [
		leaf({
			issuer: AUTHORITY,
			by: attacker,
			identity: IDENTITY,
			oidcIssuer: OIDC_ISSUER,
			logs: [spki(log.publicKey)],
			promises: 16,
		}),
		...Array.from({ length: 9 }, () =>
			pretender(AUTHORITY, AUTHORITY, attacker),
		),
	];
	return json({
		mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.2",
		verificationMaterial: {
			x509CertificateChain: {
				certificates: certificates.map((bytes) => ({
					rawBytes: bytes.toString("base64"),
				})),
			},
			timestampVerificationData:
				KEYLESS.verificationMaterial.timestampVerificationData,
		},
		dsseEnvelope: {
			payload: claim(digest),
			payloadType: IN_TOTO,
			signatures: [
				{ keyid: String(number), sig: KEYLESS.dsseEnvelope.signatures[0].sig },
			],
		},
	});
}

/** An attestation of about this many bytes. @param {number} number @param {number} size */
function envelope(number, size) {
	const payload = Buffer.alloc(Math.floor((size * 3) / 4), number);
	return json({
		payloadType: IN_TOTO,
		payload: payload.toString("base64"),
		signatures: [{ keyid: "", sig: "AAAA" }],
	});
}

/** @param {number} megabytes as JSON */
const zeros = (megabytes) =>
	new Array(Math.floor((megabytes * MIB) / 2)).fill(0);

/** A `.sig` manifest whose signatures are by some key. @param {Buffer[]} payloads @param {Buffer} config */
function signatures(payloads, config) {
	const manifest = JSON.parse(
		artifactManifest({
			config,
			configType: OCI_CONFIG,
			layerType: SIMPLE_SIGNING,
			layers: payloads,
		}).toString(),
	);
	for (const layer of manifest.layers)
		layer.annotations = {
			"dev.cosignproject.cosign/signature": Buffer.from(
				`30440220${"01".repeat(32)}0220${layer.digest.slice(7).replace(/^./, "1")}`,
				"hex",
			).toString("base64"),
		};
	return json(manifest);
}

/** A referrer of an image. @param {string} repo @param {string} digest @param {Buffer[]} bundles @param {boolean} push whether the bundles are not there yet */
async function refer(repo, digest, bundles, push) {
	const { host } = front.registry;
	const empty = Buffer.from("{}");
	for (const bytes of push ? [empty, ...bundles] : [empty])
		await putBlob(host, repo, bytes);
	const { bytes = Buffer.alloc(0) } =
		(await fetchManifest(host, repo, digest)) ?? {};
	const manifest = json({
		schemaVersion: 2,
		mediaType: OCI_MANIFEST,
		artifactType: BUNDLE,
		config: descriptor(OCI_EMPTY, empty),
		layers: bundles.map((one) =>
			descriptor(JSON.parse(one.toString()).mediaType, one),
		),
		subject: descriptor(OCI_MANIFEST, bytes),
	});
	await putManifest(host, repo, sha256(manifest), OCI_MANIFEST, manifest);
}
