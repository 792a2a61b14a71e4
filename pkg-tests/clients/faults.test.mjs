// What a hostile or broken registry, and a hostile client, can get out of the worker: only what the policy allows.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { need } from "../lib/clients.mjs";
import {
	OCI_MANIFEST,
	fetchManifest,
	putBlob,
	putManifest,
	sha256,
	signTag,
	startRegistry,
	tagOf,
} from "../lib/peers.mjs";
import { serveFails, startWorker } from "../lib/serve.mjs";
import {
	ACCEPT_ANYTHING,
	FRONT_PROGRAMS,
	NAME,
	REJECT,
	ask,
	assertDenied,
	assertUnavailable,
	bundleBy,
	signedBy,
	startFront,
} from "./front.mjs";

const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";

/** @typedef {import("./front.mjs").Answer} Answer */

/** @type {import("./front.mjs").Front} */
let front;

describe("the worker, a faulty proxy and a docker-registry", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
		front = await startFront({
			[`${NAME}/app`]: signedBy("good.pub"),
			[`${NAME}/bundle`]: bundleBy("good.pub"),
			[`${NAME}/open`]: ACCEPT_ANYTHING,
			[`${NAME}/mixed`]: signedBy("good.pub"),
			[`${NAME}/mixed:prod`]: signedBy("other.pub"),
			[`${NAME}/tagged`]: REJECT,
			[`${NAME}/tagged:1.0`]: signedBy("good.pub"),
		});
	});
	after(() => front?.stop());

	/** @param {string} name @param {() => Promise<void>} body */
	const check = (name, body) =>
		test(name, async (t) => {
			if (!need(t, FRONT_PROGRAMS)) return;
			front.proxy.reset();
			await body();
		});

	describe("what is allowed", () => {
		check(
			"is served byte for byte, by tag and by digest, and HEAD says what GET says",
			async () => {
				const digest = await front.image("app", "allowed", { sign: "tag" });
				const original = await fetchManifest(
					front.registry.host,
					"app",
					digest,
				);
				for (const reference of ["allowed", digest]) {
					const get = await front.ask(`/v2/app/manifests/${reference}`);
					assert.equal(get.status, 200, get.body.toString());
					assert.deepEqual(get.body, original?.bytes);
					assert.equal(get.headers["docker-content-digest"], digest);
					assert.equal(get.headers["content-type"], OCI_MANIFEST);
					assert.equal(get.headers["content-length"], String(get.body.length));
					assert.match(get.headers["cache-control"] ?? "", /no-transform/);
					await assertSameHead(`/v2/app/manifests/${reference}`, get);
				}
			},
		);

		check("a signed index, then each image that it lists", async () => {
			const digest = await front.image("app", "multi", {
				sign: "tag",
				arches: ["amd64", "arm64"],
			});
			const index = await front.ask("/v2/app/manifests/multi");
			assert.equal(index.status, 200, index.body.toString());
			assert.equal(index.headers["docker-content-digest"], digest);
			for (const child of JSON.parse(index.body.toString()).manifests) {
				const { status, body } = await front.ask(
					`/v2/app/manifests/${child.digest}`,
				);
				assert.equal(status, 200, body.toString());
				assert.equal(sha256(body), child.digest);
			}
		});

		check("a bundle", async () => {
			await front.image("bundle", "1.0", { sign: "bundle" });
			const { status, body } = await front.ask("/v2/bundle/manifests/1.0");
			assert.equal(status, 200, body.toString());
		});

		check(
			"its blobs, whole and in ranges; HEAD keeps their length",
			async () => {
				await front.image("app", "blobs", { sign: "tag" });
				const manifest = JSON.parse(
					(await front.ask("/v2/app/manifests/blobs")).body.toString(),
				);
				for (const { digest, size } of [manifest.config, ...manifest.layers]) {
					const whole = await front.ask(`/v2/app/blobs/${digest}`);
					assert.equal(whole.status, 200, whole.body.toString());
					assert.equal(sha256(whole.body), digest);
					const part = await front.ask(`/v2/app/blobs/${digest}`, {
						headers: { range: "bytes=10-19" },
					});
					assert.equal(part.status, 206);
					assert.deepEqual(part.body, whole.body.subarray(10, 20));
					assert.equal(part.headers["content-range"], `bytes 10-19/${size}`);
					const head = await front.ask(`/v2/app/blobs/${digest}`, {
						method: "HEAD",
					});
					assert.equal(head.status, 200);
					assert.equal(head.headers["content-length"], String(size));
				}
			},
		);

		check("many at once", async () => {
			await front.image("app", "crowd", { sign: "tag" });
			const answers = await Promise.all(
				Array.from({ length: 16 }, () => front.ask("/v2/app/manifests/crowd")),
			);
			assert.deepEqual(
				answers.map(({ status }) => status),
				answers.map(() => 200),
			);
		});

		check(
			"an image that was unsigned a moment ago, soon after it is signed",
			async () => {
				const digest = await front.image("app", "late");
				assertDenied(await front.ask("/v2/app/manifests/late"));
				await signTag(`${front.registry.host}/app@${digest}`, {
					key: join(front.folder, "good.key"),
					identity: `${NAME}/app`,
				});
				const status = await eventually(
					async () => (await front.ask("/v2/app/manifests/late")).status,
					200,
					15_000,
				);
				assert.equal(status, 200);
			},
		);
	});

	describe("what is not allowed", () => {
		check(
			"an unsigned image, by tag and by digest; HEAD says what GET says",
			async () => {
				const digest = await front.image("app", "unsigned");
				for (const reference of ["unsigned", digest]) {
					const get = await front.ask(`/v2/app/manifests/${reference}`);
					const message = assertDenied(get);
					assert.ok(
						message.includes(`${NAME}/app`),
						`the image is missing in: ${message}`,
					);
					assert.ok(
						message.includes(`${front.worker.url}/#`),
						`the link is missing in: ${message}`,
					);
					await assertSameHead(`/v2/app/manifests/${reference}`, get);
				}
			},
		);

		check(
			"a signature by another key, and one that names another repository",
			async () => {
				await front.image("app", "wrong-key", { sign: "tag", by: "other" });
				assertDenied(await front.ask("/v2/app/manifests/wrong-key"));
				await front.image("app", "wrong-name", {
					sign: "tag",
					identity: `${NAME}/other`,
				});
				assertDenied(await front.ask("/v2/app/manifests/wrong-name"));
			},
		);

		check("the blobs of an unsigned image", async () => {
			const digest = await front.image("app", "no-blobs");
			await assertBlobsClosed("app", digest);
			assertDenied(await front.ask("/v2/app/manifests/no-blobs"));
			await assertBlobsClosed("app", digest);
		});

		check(
			"the blobs of an allowed image, through another repository",
			async () => {
				await front.image("app", "cross", { sign: "tag" });
				const manifest = JSON.parse(
					(await front.ask("/v2/app/manifests/cross")).body.toString(),
				);
				const answer = await front.ask(
					`/v2/mixed/blobs/${manifest.layers[0].digest}`,
				);
				assert.ok([403, 404].includes(answer.status), String(answer.status));
			},
		);

		check(
			"an image under a tag with stricter rules, after an Allow for the same digest",
			async () => {
				const digest = await front.image("mixed", "dev", { sign: "tag" });
				const { bytes = Buffer.alloc(0), mediaType = "" } =
					(await fetchManifest(front.registry.host, "mixed", digest)) ?? {};
				await putManifest(
					front.registry.host,
					"mixed",
					"prod",
					mediaType,
					bytes,
				);
				for (const _ of ["cold", "warm"]) {
					assert.equal(
						(await front.ask("/v2/mixed/manifests/dev")).status,
						200,
					);
					assert.equal(
						(await front.ask(`/v2/mixed/manifests/${digest}`)).status,
						200,
					);
					assertDenied(await front.ask("/v2/mixed/manifests/prod"));
					assert.equal(
						(await front.ask("/v2/mixed/manifests/prod", { method: "HEAD" }))
							.status,
						403,
					);
				}
			},
		);

		check(
			"a digest whose own scope refuses it, except where its tag was resolved here and is allowed",
			async () => {
				const unresolved = await front.image("tagged", "2.0", { sign: "tag" });
				assertDenied(await front.ask(`/v2/tagged/manifests/${unresolved}`));
				const digest = await front.image("tagged", "1.0", { sign: "tag" });
				assert.equal(
					(await front.ask("/v2/tagged/manifests/1.0", { method: "HEAD" }))
						.status,
					200,
				);
				assert.equal(
					(await front.ask(`/v2/tagged/manifests/${digest}`)).status,
					200,
				);
				assertDenied(await front.ask(`/v2/tagged/manifests/${unresolved}`));
			},
		);

		check("paths that are not what they look like", async () => {
			await front.image("app", "hidden");
			await front.image("open", "1.0");
			const paths = [
				"/v2/open/../app/manifests/hidden",
				"/v2/open/%2e%2e/app/manifests/hidden",
				"/v2/open/..%2fapp/manifests/hidden",
				"/v2/open/manifests/../../app/manifests/hidden",
				"/v2/open/manifests/..%2f..%2fapp%2fmanifests%2fhidden",
				"/v2//app/manifests/hidden",
				"//v2/app/manifests/hidden",
				"/v2/app//manifests/hidden",
				"/v2/app/manifests/hidden/",
				"/v2/app/manifests/hidden%00",
				"/v2/app/manifests/hidden%3Fx",
				"/v2/%61pp/manifests/hidden",
				"/V2/app/manifests/hidden",
				"/v2/app/manifests/hidden?ref=1.0",
				"/v2/open/app/../../app/manifests/hidden",
				"/v2/open\\..\\app/manifests/hidden",
				"/v2/app/manifests//hidden",
				"/v2/app/./manifests/hidden",
				"/v2/app;x/manifests/hidden",
				"/v2/app/manifests/hidden#x",
			];
			for (const path of paths) {
				const { status, body } = await front.ask(path);
				assert.notEqual(status, 200, `${path}: ${body}`);
			}
		});
	});

	describe("a registry that lies", () => {
		check("a manifest that is not what its digest says", async () => {
			const digest = await front.image("app", "tampered", { sign: "tag" });
			front.proxy.rules.push({
				path: /\/manifests\/(tampered|sha256:[0-9a-f]{64})$/,
				method: "GET",
				tamper: flip,
			});
			for (const reference of ["tampered", digest]) {
				assertDenied(await front.ask(`/v2/app/manifests/${reference}`));
				assert.equal(
					(
						await front.ask(`/v2/app/manifests/${reference}`, {
							method: "HEAD",
						})
					).status,
					403,
				);
			}
		});

		check("a digest header that names another image", async () => {
			const signed = await front.image("app", "claimed", { sign: "tag" });
			const unsigned = await front.image("app", "claims");
			front.proxy.rules.push({
				path: /\/manifests\/claims$/,
				headers: { "docker-content-digest": signed },
			});
			const answer = await front.ask("/v2/app/manifests/claims");
			assert.ok(
				answer.status >= 400 ||
					(answer.headers["docker-content-digest"] === signed &&
						sha256(answer.body) === signed),
				`${answer.status} ${sha256(answer.body)} ${unsigned}`,
			);
		});

		check("a tag that moves between HEAD and GET", async () => {
			const signed = await front.image("app", "moves", { sign: "tag" });
			const unsigned = await front.image("app", "moved");
			front.proxy.rules.push({
				path: /\/manifests\/moves$/,
				method: "GET",
				rewrite: `/v2/app/manifests/${unsigned}`,
			});
			assertServedOnly(await front.ask("/v2/app/manifests/moves"), signed);
			front.proxy.rules.splice(0, 1, {
				path: /\/manifests\/moves$/,
				method: "HEAD",
				rewrite: `/v2/app/manifests/${unsigned}`,
			});
			assertServedOnly(await front.ask("/v2/app/manifests/moves"), signed);
		});

		check(
			"a tag that moves between a client's HEAD and its GET by digest",
			async () => {
				const signed = await front.image("app", "later", { sign: "tag" });
				assert.equal(
					(await front.ask("/v2/app/manifests/later", { method: "HEAD" }))
						.headers["docker-content-digest"],
					signed,
				);
				await front.image("app", "later");
				assert.equal(
					(await front.ask(`/v2/app/manifests/${signed}`)).status,
					200,
				);
				assertDenied(await front.ask("/v2/app/manifests/later"));
			},
		);

		check("a signature whose payload is not what its digest says", async () => {
			const digest = await front.image("app", "payload", { sign: "tag" });
			const payload = await signatureBlob("app", digest);
			front.proxy.rules.push({
				path: new RegExp(`/blobs/${payload}$`),
				tamper: flip,
			});
			const { status, body } = await front.ask("/v2/app/manifests/payload");
			assert.ok([403, 503].includes(status), `${status}: ${body}`);
		});

		check(
			"documents that are two things, or none: refused even where anything is accepted",
			async () => {
				await front.image("open", "1.0");
				const { bytes = Buffer.alloc(0) } =
					(await fetchManifest(front.registry.host, "open", "1.0")) ?? {};
				const manifest = JSON.parse(bytes.toString());
				const index = "application/vnd.oci.image.index.v1+json";
				const schema1 = {
					schemaVersion: 1,
					name: "open",
					tag: "odd",
					architecture: "amd64",
					fsLayers: [{ blobSum: sha256(bytes) }],
					history: [{ v1Compatibility: "{}" }],
				};
				const documents = {
					"schema 1": [
						"application/vnd.docker.distribution.manifest.v1+json",
						schema1,
					],
					"schema 1, signed": [
						"application/vnd.docker.distribution.manifest.v1+prettyjws",
						{ ...schema1, signatures: [] },
					],
					"manifests and layers": [
						OCI_MANIFEST,
						{ ...manifest, manifests: [] },
					],
					"layers in an index": [
						index,
						{
							schemaVersion: 2,
							mediaType: index,
							manifests: [],
							layers: manifest.layers,
							config: manifest.config,
						},
					],
					"media type against content type": [index, manifest],
					"a member twice": [
						OCI_MANIFEST,
						bytes.toString().replace("{", '{"layers":[],'),
					],
					"no JSON": [OCI_MANIFEST, "hello"],
					"an empty object": [OCI_MANIFEST, {}],
					"over 4 MiB": [
						OCI_MANIFEST,
						{ ...manifest, annotations: { long: "x".repeat(4 * 1024 * 1024) } },
					],
				};
				for (const [name, [type, document]] of Object.entries(documents)) {
					const body = Buffer.from(
						typeof document === "string" ? document : JSON.stringify(document),
					);
					const digest = sha256(body);
					front.proxy.rules.splice(0, 1, {
						path: /^\/v2\/open\/manifests\//,
						status: 200,
						body,
						headers: {
							"content-type": String(type),
							"docker-content-digest": digest,
						},
					});
					for (const reference of ["odd", digest]) {
						for (const method of ["GET", "HEAD"]) {
							const answer = await front.ask(
								`/v2/open/manifests/${reference}`,
								{ method },
							);
							assert.ok(
								[403, 503].includes(answer.status),
								`${name}, ${method} ${reference}: ${answer.status} ${answer.body}`,
							);
							assert.equal(
								answer.headers["docker-content-digest"],
								undefined,
								name,
							);
						}
					}
				}
			},
		);
	});

	describe("a registry that breaks", () => {
		/** @type {[string, (digest: string) => import("../lib/proxy.mjs").Rule][]} */
		const faults = [
			[
				"answers 503 for the .sig tag",
				(digest) => ({
					path: new RegExp(`${tagOf(digest, ".sig")}$`),
					status: 503,
					body: "{}",
				}),
			],
			[
				"answers 500 for the .sig tag",
				(digest) => ({
					path: new RegExp(`${tagOf(digest, ".sig")}$`),
					status: 500,
					body: "",
				}),
			],
			[
				"cuts the connection at the .sig tag",
				(digest) => ({
					path: new RegExp(`${tagOf(digest, ".sig")}$`),
					drop: true,
				}),
			],
			[
				"cuts the .sig manifest short",
				(digest) => ({
					path: new RegExp(`${tagOf(digest, ".sig")}$`),
					method: "GET",
					cut: 50,
				}),
			],
			[
				"answers 503 for the signature's payload",
				() => ({ path: /\/blobs\//, status: 503, body: "" }),
			],
			[
				"cuts the connection at the signature's payload",
				() => ({ path: /\/blobs\//, drop: true }),
			],
			[
				"answers 503 for the manifest",
				() => ({
					path: /\/manifests\/(broken-|sha256:)/,
					status: 503,
					body: "{}",
				}),
			],
			[
				"cuts the connection at the manifest",
				() => ({ path: /\/manifests\/(broken-|sha256:)/, drop: true }),
			],
			[
				"cuts the manifest short",
				() => ({
					path: /\/manifests\/(broken-|sha256:)/,
					method: "GET",
					cut: 50,
				}),
			],
			["does not answer at all", () => ({ path: /./, drop: true })],
		];
		for (const [index, [name, rule]] of faults.entries()) {
			check(`${name}: 503 and no manifest; then it recovers`, async () => {
				const tag = `broken-${index}`;
				const digest = await front.image("app", tag, { sign: "tag" });
				front.proxy.rules.push(rule(digest));
				for (const method of ["GET", "HEAD"]) {
					const answer = await front.ask(`/v2/app/manifests/${tag}`, {
						method,
					});
					if (method === "GET") assertUnavailable(answer);
					assert.equal(answer.status, 503, method);
					assert.equal(answer.headers["docker-content-digest"], undefined);
				}
				front.proxy.reset();
				const { status, body } = await front.ask(`/v2/app/manifests/${tag}`);
				assert.equal(status, 200, body.toString());
			});
		}

		check(
			'answers 503 for referrers, and for their tag: never "unsigned"',
			async () => {
				for (const [index, path] of [
					/\/referrers\//,
					/\/manifests\/sha256-[0-9a-f]{64}$/,
				].entries()) {
					await front.image("bundle", `broken-${index}`, { sign: "bundle" });
					front.proxy.rules.splice(0, 1, { path, status: 503, body: "{}" });
					assertUnavailable(
						await front.ask(`/v2/bundle/manifests/broken-${index}`),
					);
					await front.image("bundle", `unsigned-${index}`);
					assertUnavailable(
						await front.ask(`/v2/bundle/manifests/unsigned-${index}`),
					);
				}
			},
		);
	});

	describe("evidence", () => {
		check(
			"a signature, under its tag and by digest, with its payload",
			async () => {
				const digest = await front.image("app", "evidence", { sign: "tag" });
				const answer = await front.ask(
					`/v2/app/manifests/${tagOf(digest, ".sig")}`,
				);
				assert.equal(answer.status, 200, answer.body.toString());
				assert.equal(
					answer.headers["docker-content-digest"],
					sha256(answer.body),
				);
				assert.equal(
					(await front.ask(`/v2/app/manifests/${sha256(answer.body)}`)).status,
					200,
				);
				const { config, layers } = JSON.parse(answer.body.toString());
				for (const blob of [config, ...layers]) {
					const { status, body } = await front.ask(
						`/v2/app/blobs/${blob.digest}`,
					);
					assert.equal(status, 200, body.toString());
					assert.equal(sha256(body), blob.digest);
				}
			},
		);

		check(
			"of an unsigned image too: a bundle's list, manifest and blobs, though the image is refused",
			async () => {
				const digest = await front.image("bundle", "refused", {
					sign: "bundle",
					by: "other",
				});
				assertDenied(await front.ask("/v2/bundle/manifests/refused"));
				const list = await front.ask(`/v2/bundle/manifests/${tagOf(digest)}`);
				assert.equal(list.status, 200, list.body.toString());
				for (const child of JSON.parse(list.body.toString()).manifests) {
					assert.equal(
						(await front.ask(`/v2/bundle/manifests/${child.digest}`)).status,
						200,
					);
				}
			},
		);

		check(
			"an image whose layers are typed as signatures is refused like any image",
			async () => {
				const { host } = front.registry;
				const victim = await front.image("app", "typed", { sign: "tag" });
				const layer = gzipSync(Buffer.from("not a signature, but a program"));
				const config = Buffer.from(
					JSON.stringify({
						architecture: "amd64",
						os: "linux",
						config: { Cmd: ["/hello"] },
						rootfs: { type: "layers", diff_ids: [sha256(layer)] },
					}),
				);
				const payload = Buffer.from(
					JSON.stringify({
						critical: {
							identity: { "docker-reference": `${NAME}/app` },
							image: { "docker-manifest-digest": victim },
							type: "cosign container image signature",
						},
						optional: null,
					}),
				);
				for (const blob of [layer, config, payload])
					await putBlob(host, "app", blob);
				const signature = {
					mediaType: SIMPLE_SIGNING,
					digest: sha256(payload),
					size: payload.length,
					annotations: { "dev.cosignproject.cosign/signature": "AAAA" },
				};
				const program = {
					mediaType: SIMPLE_SIGNING,
					digest: sha256(layer),
					size: layer.length,
					annotations: { "dev.cosignproject.cosign/signature": "AAAA" },
				};
				const documents = {
					"a program alone": {
						config: {
							mediaType: OCI_CONFIG,
							digest: sha256(config),
							size: config.length,
						},
						layers: [program],
					},
					"a program beside a signature": {
						config: {
							mediaType: OCI_CONFIG,
							digest: sha256(config),
							size: config.length,
						},
						layers: [signature, program],
					},
					"a program as the config": {
						config: {
							mediaType: OCI_CONFIG,
							digest: sha256(layer),
							size: layer.length,
						},
						layers: [signature],
					},
					"no layers": {
						config: {
							mediaType: OCI_CONFIG,
							digest: sha256(config),
							size: config.length,
						},
						layers: [],
					},
				};
				for (const [name, document] of Object.entries(documents)) {
					const bytes = Buffer.from(
						JSON.stringify({
							schemaVersion: 2,
							mediaType: OCI_MANIFEST,
							...document,
							subject: { mediaType: OCI_MANIFEST, digest: victim, size: 1 },
						}),
					);
					const digest = sha256(bytes);
					for (const tag of [
						tagOf(digest, ".sig"),
						tagOf(victim, ".att"),
						tagOf(digest),
						"program",
					]) {
						await putManifest(host, "app", tag, OCI_MANIFEST, bytes);
						assertDenied(await front.ask(`/v2/app/manifests/${tag}`));
					}
					assertDenied(
						await front.ask(`/v2/app/manifests/${digest}`, {
							headers: { "user-agent": "cosign/v2.6.0" },
						}),
					);
					const blob = await front.ask(`/v2/app/blobs/${sha256(layer)}`);
					assert.ok(
						[403, 404].includes(blob.status),
						`${name}: its blob: ${blob.status}`,
					);
				}
			},
		);

		check(
			"can be inspected where the image is refused, without its layers",
			async () => {
				const digest = await front.image("app", "inspect");
				const { status, headers, body } = await front.ask(
					"/api/evidence/app?ref=inspect",
				);
				assert.equal(status, 200, body.toString());
				assert.match(headers["content-type"] ?? "", /^application\/json/);
				const document = JSON.parse(body.toString());
				assert.equal(document.digest, digest);
				assert.ok(document.name.startsWith(`${NAME}/app`), document.name);
				const { bytes = Buffer.alloc(0) } =
					(await fetchManifest(front.registry.host, "app", digest)) ?? {};
				for (const { digest: layer } of JSON.parse(bytes.toString()).layers) {
					assert.ok(
						!document.answers.some((/** @type {{ path: string }} */ { path }) =>
							path.endsWith(layer),
						),
						"a layer is in the evidence",
					);
				}
			},
		);
	});

	describe("the protocol", () => {
		check("writes get 405 and say where to push", async () => {
			const writes = [
				["PUT", "/v2/app/manifests/1.0"],
				["DELETE", "/v2/app/manifests/1.0"],
				["POST", "/v2/app/blobs/uploads/"],
				["PATCH", "/v2/app/blobs/uploads/x"],
				["DELETE", `/v2/app/blobs/sha256:${"0".repeat(64)}`],
			];
			for (const [method = "", path = ""] of writes) {
				const answer = await front.ask(path, {
					method,
					...(method === "PUT" && { body: "{}" }),
				});
				assert.equal(answer.status, 405, `${method} ${path}`);
				const [error] = JSON.parse(answer.body.toString()).errors;
				assert.equal(error.code, "UNSUPPORTED");
				assert.ok(error.message.includes(NAME), error.message);
			}
		});

		check(
			"ns= may name this registry or this worker, nothing else",
			async () => {
				await front.image("app", "ns", { sign: "tag" });
				for (const [ns, expected] of [
					[NAME, 200],
					[front.worker.host, 200],
					["evil.example", 403],
					["docker.io", 403],
				]) {
					const { status, body } = await front.ask(
						`/v2/app/manifests/ns?ns=${encodeURIComponent(String(ns))}`,
					);
					assert.equal(status, expected, `${ns}: ${body}`);
				}
				await front.image("app", "ns-unsigned");
				assertDenied(
					await front.ask(`/v2/app/manifests/ns-unsigned?ns=${NAME}`),
				);
			},
		);

		check(
			"what the registry says about existence, sign-in and rate passes",
			async () => {
				for (const method of ["GET", "HEAD"])
					assert.equal(
						(await front.ask("/v2/app/manifests/nowhere", { method })).status,
						404,
					);
				assert.equal(
					(await front.ask("/v2/nowhere/manifests/1.0")).status,
					404,
				);

				await front.image("app", "statuses", { sign: "tag" });
				const challenge =
					'Bearer realm="https://auth.example/token",service="registry.test",scope="repository:app:pull"';
				front.proxy.rules.push({
					path: /./,
					status: 401,
					body: '{"errors":[{"code":"UNAUTHORIZED","message":"sign in"}]}',
					headers: {
						"www-authenticate": challenge,
						"content-type": "application/json",
					},
				});
				for (const path of [
					"/v2/",
					"/v2/app/manifests/statuses",
					"/v2/app/tags/list",
					"/api/evidence/app?ref=statuses",
				]) {
					const answer = await front.ask(path);
					assert.equal(answer.status, 401, `${path}: ${answer.body}`);
					assert.equal(answer.headers["www-authenticate"], challenge, path);
				}
				front.proxy.rules.splice(0, 1, {
					path: /./,
					status: 429,
					body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
					headers: { "retry-after": "7", "content-type": "application/json" },
				});
				const limited = await front.ask("/v2/app/manifests/statuses");
				assert.equal(limited.status, 429, limited.body.toString());
				assert.equal(limited.headers["retry-after"], "7");
			},
		);

		check(
			"an allowed image is not served to a caller whom the registry turns away",
			async () => {
				await front.image("app", "private", { sign: "tag" });
				assert.equal(
					(await front.ask("/v2/app/manifests/private")).status,
					200,
				);
				const manifest = JSON.parse(
					(await front.ask("/v2/app/manifests/private")).body.toString(),
				);
				front.proxy.rules.push({
					path: /./,
					status: 401,
					body: "{}",
					headers: { "www-authenticate": 'Basic realm="x"' },
				});
				assert.equal(
					(await front.ask("/v2/app/manifests/private")).status,
					401,
				);
				assert.equal(
					(await front.ask(`/v2/app/blobs/${manifest.layers[0].digest}`))
						.status,
					401,
				);
			},
		);

		check(
			"the next page of a list is here, wherever the registry says that it is",
			async () => {
				await front.image("app", "paged");
				const here = '</v2/app/tags/list?n=1&last=paged>; rel="next"';
				for (const [link, expected] of [
					[
						`<${front.proxy.url}/v2/app/tags/list?n=1&last=paged>; rel="next"`,
						here,
					],
					[here, here],
					['<https://other.example/x>; rel="help"', undefined],
				]) {
					front.proxy.rules.splice(0, 1, {
						path: /tags\/list/,
						status: 200,
						body: '{"name":"app","tags":["paged"]}',
						headers: { "content-type": "application/json", link: String(link) },
					});
					assert.equal(
						(await front.ask("/v2/app/tags/list?n=1")).headers.link,
						expected,
					);
				}
			},
		);

		check("/v2/, tags and health", async () => {
			const ping = await front.ask("/v2/");
			assert.equal(ping.status, 200);
			assert.equal(
				ping.headers["docker-distribution-api-version"],
				"registry/2.0",
			);
			await front.image("app", "listed");
			const tags = await front.ask("/v2/app/tags/list");
			assert.equal(tags.status, 200);
			assert.ok(JSON.parse(tags.body.toString()).tags.includes("listed"));
			const health = await front.ask("/healthz");
			assert.equal(health.status, 200, health.body.toString());
		});

		check(
			"the page, with its security headers; nothing else of the disk",
			async () => {
				const page = await front.ask("/");
				assert.equal(page.status, 200);
				assert.match(page.headers["content-type"] ?? "", /^text\/html/);
				assert.match(
					String(page.headers["content-security-policy"]),
					/^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'/,
				);
				assert.equal(page.headers["x-content-type-options"], "nosniff");
				const wasm = await front.ask("/sealgate/sealgate_bg.wasm", {
					method: "HEAD",
				});
				assert.equal(wasm.headers["content-type"], "application/wasm");
				for (const path of [
					"/sealgate/",
					"/../policy.json",
					"/%2e%2e/policy.json",
					"/..%2fpolicy.json",
					"/policy.json",
					"/config.capnp",
				]) {
					assert.equal((await front.ask(path)).status, 404, path);
				}
			},
		);
	});
});

describe("wrong configuration", () => {
	/** @type {string} */
	let folder;
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "sealgate-settings-"));
	});
	after(() => rm(folder, { recursive: true, force: true }));

	test("a policy that cannot be understood refuses everything, and each refusal says why", async (t) => {
		if (!need(t, { "docker-registry": "docker-registry" })) return;
		const registry = await startRegistry();
		const policy = join(folder, "broken.json");
		await writeFile(policy, '{"default": [{"type": "insecureAcceptAnythin"}]}');
		const worker = await startWorker({
			upstream: registry.url,
			name: NAME,
			policy,
		});
		try {
			for (const path of [
				"/v2/app/manifests/1.0",
				`/v2/app/manifests/sha256:${"0".repeat(64)}`,
				`/v2/app/blobs/sha256:${"0".repeat(64)}`,
			]) {
				const { status, body } = await ask(worker.url, path);
				assert.ok([403, 503].includes(status), `${path}: ${status}`);
				const [error] = JSON.parse(body.toString()).errors;
				assert.match(error.message, /^sealgate: .*policy/s, path);
			}
			const health = await ask(worker.url, "/healthz");
			assert.match(health.body.toString(), /misconfigured/);
			assert.match(worker.output(), /insecureAcceptAnythin/);
		} finally {
			await worker.stop();
			await registry.stop();
		}
	});

	test("every key file that is missing is named at once", async () => {
		const policy = join(folder, "missing.json");
		await writeFile(
			policy,
			JSON.stringify({
				default: signedBy("first.pub"),
				transports: { docker: { [NAME]: signedBy("keys/second.pub") } },
			}),
		);
		const { code, output } = await serveFails({
			UPSTREAM: "http://127.0.0.1:1",
			POLICY: policy,
		});
		assert.equal(code, 2);
		assert.match(output, /first\.pub/);
		assert.match(output, /keys\/second\.pub/);
	});

	test("settings that cannot work are said, with what to do", async () => {
		for (const [
			settings,
			expected,
		] of /** @type {[Record<string, string>, RegExp][]} */ ([
			[{ UPSTREAM: "http://127.0.0.1:5000" }, /POLICY is missing|--policy/],
			[{ UPSTREAM: "127.0.0.1:5000", POLICY: "x.json" }, /with its scheme/],
			[{ POLICY: "/nonexistent/policy.json" }, /no such file|readable file at/],
			[{ PORT: "70000" }, /PORT/],
		])) {
			const { code, output } = await serveFails(settings);
			assert.equal(code, 2, output);
			assert.match(output, expected);
		}
	});
});

/** @param {string} path @param {Answer} get */
async function assertSameHead(path, get) {
	const head = await front.ask(path, { method: "HEAD" });
	assert.equal(head.status, get.status);
	assert.equal(head.reason, get.reason);
	assert.equal(head.body.length, 0);
	for (const name of [
		"content-type",
		"content-length",
		"docker-content-digest",
		"cache-control",
	])
		assert.equal(
			head.headers[name],
			get.headers[name],
			`HEAD ${path}: ${name}`,
		);
}

/** @param {Answer} answer @param {string} digest */
function assertServedOnly(answer, digest) {
	if (answer.status === 200) assert.equal(sha256(answer.body), digest);
	else assert.ok([403, 503].includes(answer.status), String(answer.status));
}

/** @param {string} repo @param {string} digest */
async function assertBlobsClosed(repo, digest) {
	const { bytes = Buffer.alloc(0) } =
		(await fetchManifest(front.registry.host, repo, digest)) ?? {};
	const { config, layers } = JSON.parse(bytes.toString());
	for (const blob of [config, ...layers]) {
		for (const method of ["GET", "HEAD"]) {
			const { status } = await front.ask(`/v2/${repo}/blobs/${blob.digest}`, {
				method,
			});
			assert.ok([403, 404].includes(status), `${method}: ${status}`);
		}
	}
	// containerd asks for a manifest among the blobs when it was refused.
	assert.ok(
		[403, 404].includes(
			(await front.ask(`/v2/${repo}/blobs/${digest}`)).status,
		),
	);
}

/** The digest of the payload of an image's signature. @param {string} repo @param {string} digest */
async function signatureBlob(repo, digest) {
	const { bytes = Buffer.alloc(0) } =
		(await fetchManifest(front.registry.host, repo, tagOf(digest, ".sig"))) ??
		{};
	return JSON.parse(bytes.toString()).layers[0].digest;
}

/** One bit, in the middle. @param {Buffer} body */
function flip(body) {
	const copy = Buffer.from(body);
	const middle = Math.floor(copy.length / 2);
	copy[middle] = (copy[middle] ?? 0) ^ 1;
	return copy;
}

/** @template T @param {() => Promise<T>} value @param {T} wanted @param {number} milliseconds */
async function eventually(value, wanted, milliseconds) {
	const deadline = Date.now() + milliseconds;
	for (;;) {
		const found = await value();
		if (found === wanted || Date.now() > deadline) return found;
		await new Promise((done) => setTimeout(done, 500));
	}
}
