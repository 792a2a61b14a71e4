// Images signed on the spot by cosign 3 in a private Sigstore, with identities instead of keys, behind the worker: who is admitted, and
// what of a signature may not be missing. Another Sigstore whose issuers and log have the same names signs too, and is not trusted.

import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CLIENT_PROGRAMS, need, startClients } from "../lib/clients.mjs";
import {
	pushImage,
	replaceBundle,
	run,
	startRegistry,
	tagOf,
	tool,
} from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import {
	CI_CLAIMS,
	CI_SUBJECT,
	attestImage,
	signImage,
	signTagKeyless,
	startSigstore,
} from "../lib/sigstore.mjs";
import { FRONT_PROGRAMS, NAME, REJECT, ask, assertDenied } from "./front.mjs";

const PROGRAMS = { ...CLIENT_PROGRAMS, ...FRONT_PROGRAMS };
const PERSON = "dev@demo.example";
const PREDICATE_TYPE = "https://slsa.dev/provenance/v1";
const BUILD_TYPE = "https://demo.example/build/v1";

/** @typedef {import("../lib/clients.mjs").Client} Client */
/** @typedef {import("../lib/sigstore.mjs").Sigstore} Sigstore */
/** @typedef {{ host: string, repo: string, digest: string, ref: string }} Image */
/** @typedef {{ scope: string, refused?: string, make: (image: Image) => Promise<unknown> }} Case */

/** @type {Sigstore} */ let sigstore;
/** @type {Sigstore} */ let other;
/** @type {string} */ let folder;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */ let registry;
/** @type {import("../lib/serve.mjs").Worker} */ let worker;
/** @type {Client[]} */ let clients = [];

const workflow = (claims = {}, by = sigstore) => ({
	token: by.token({ claims }),
});
const person = (email = PERSON) => ({ token: sigstore.token({ email }) });
const signed = (/** @type {Image} */ image) =>
	signImage(sigstore, image.ref, workflow());

/**
 * @param {Image} image
 * @param {string} buildType
 */
async function built(image, buildType) {
	const predicate = join(folder, `${image.repo.replace("/", "-")}.json`);
	await writeFile(
		predicate,
		JSON.stringify({
			buildDefinition: {
				buildType,
				externalParameters: {},
				resolvedDependencies: [],
			},
			runDetails: { builder: { id: "https://demo.example/builder" } },
		}),
	);
	await attestImage(sigstore, image.ref, workflow(), {
		type: "slsaprovenance1",
		predicate,
	});
}

/** Changes the bundle that hangs on a signed image. @param {(bundle: any) => void} change */
const changed = (change) => async (/** @type {Image} */ image) => {
	await signed(image);
	await replaceBundle(image, (bundle) => {
		change(bundle.verificationMaterial);
		return bundle;
	});
};

/**
 * What hangs on another image, signed by the same workflow.
 * @param {Image} image
 * @returns {Promise<{ twin: Image, material: any }>}
 */
async function anothers({ host, repo }) {
	const twin = `${repo}-twin`;
	const digest = await pushImage(host, twin, "1.0", { text: twin });
	const image = { host, repo: twin, digest, ref: `${host}/${twin}@${digest}` };
	await signed(image);
	/** @type {any} */ let material;
	await replaceBundle(image, (bundle, text) => {
		material = bundle.verificationMaterial;
		return text;
	});
	return { twin: image, material };
}

/** @type {Record<string, Case>} */
const CASES = {
	"a workflow": { scope: "workflow", make: signed },
	"a person": {
		scope: "person",
		make: (image) => signImage(sigstore, image.ref, person()),
	},
	"a workflow, and provenance by it": {
		scope: "attested",
		make: async (image) => {
			await signed(image);
			await built(image, BUILD_TYPE);
		},
	},
	"two signatures, one of them without its log entry": {
		scope: "workflow",
		make: async (image) => {
			await changed((material) => {
				material.tlogEntries = [];
			})(image);
			await signed(image);
		},
	},
	"no signature": {
		scope: "workflow",
		refused: "signature.missing",
		make: async () => {},
	},
	"another person": {
		scope: "person",
		refused: "sigstore.identity",
		make: (image) => signImage(sigstore, image.ref, person("eve@demo.example")),
	},
	"another workflow of the repository": {
		scope: "workflow",
		refused: "sigstore.identity",
		make: (image) =>
			signImage(
				sigstore,
				image.ref,
				workflow({
					job_workflow_ref:
						"demo/app/.github/workflows/nightly.yml@refs/heads/main",
				}),
			),
	},
	"the same workflow, called by another repository": {
		scope: "workflow",
		refused: "sigstore.identity",
		make: (image) =>
			signImage(
				sigstore,
				image.ref,
				workflow({ repository: "eve/app", repository_owner: "eve" }),
			),
	},
	"a person, under a policy that names another issuer": {
		scope: "elsewhere",
		refused: "sigstore.identity",
		make: (image) => signImage(sigstore, image.ref, person()),
	},
	"the same names in another Sigstore": {
		scope: "workflow",
		refused: "sigstore.log",
		make: (image) => signImage(other, image.ref, workflow({}, other)),
	},
	"the log entry taken out": {
		scope: "workflow",
		refused: "sigstore.log",
		make: changed((material) => {
			material.tlogEntries = [];
		}),
	},
	"the timestamp taken out": {
		scope: "workflow",
		refused: "sigstore.no-trusted-time",
		make: changed((material) => {
			material.timestampVerificationData = {};
		}),
	},
	"the proof of inclusion taken out": {
		scope: "workflow",
		refused: "bundle.shape",
		make: changed((material) => {
			delete material.tlogEntries[0].inclusionProof;
		}),
	},
	"another image's signature": {
		scope: "workflow",
		refused: "digest.not-signed",
		make: async (image) => {
			const { twin } = await anothers(image);
			await run(await tool("crane"), [
				"copy",
				"--insecure",
				`${image.host}/${twin.repo}:${tagOf(twin.digest)}`,
				`${image.host}/${image.repo}:${tagOf(image.digest)}`,
			]);
		},
	},
	"another signature's log entry": {
		scope: "workflow",
		refused: "log-body.digest",
		make: async (image) => {
			const { material } = await anothers(image);
			await changed((own) => {
				own.tlogEntries = material.tlogEntries;
			})(image);
		},
	},
	"another signature's timestamp": {
		scope: "workflow",
		refused: "timestamp.imprint",
		make: async (image) => {
			const { material } = await anothers(image);
			await changed((own) => {
				own.timestampVerificationData = material.timestampVerificationData;
			})(image);
		},
	},
	"signed by cosign 2, without a log entry": {
		scope: "workflow",
		refused: "sigstore.log",
		make: (image) =>
			signTagKeyless(sigstore, image.ref, workflow(), {
				identity: `${NAME}/${image.repo}`,
			}),
	},
	"a signature, no provenance": {
		scope: "attested",
		refused: "attestation.missing",
		make: signed,
	},
	"provenance, no signature": {
		scope: "attested",
		refused: "signature.missing",
		make: (image) => built(image, BUILD_TYPE),
	},
	"a signature, and provenance of another build": {
		scope: "attested",
		refused: "attestation.condition",
		make: async (image) => {
			await signed(image);
			await built(image, "https://demo.example/other/v1");
		},
	},
};

describe("identities of a private Sigstore, behind the worker", () => {
	/** @type {Map<string, string>} */
	const repos = new Map();

	before(async (t) => {
		if (!need(/** @type {object} */ (t), PROGRAMS)) return;
		folder = await mkdtemp(join(tmpdir(), "sealgate-keyless-"));
		[sigstore, other] = await Promise.all([startSigstore(), startSigstore()]);
		registry = await startRegistry();
		await copyFile(sigstore.trustedRoot, join(folder, "trusted_root.json"));
		await writeFile(
			join(folder, "policy.json"),
			JSON.stringify({
				sealgate: { version: 1 },
				default: REJECT,
				transports: { docker: scopes() },
			}),
		);
		for (const [index, [what, { scope, make }]] of Object.entries(
			CASES,
		).entries()) {
			const repo = `${scope}/case-${index}`;
			repos.set(what, repo);
			const digest = await pushImage(registry.host, repo, "1.0", {
				text: what,
			});
			await make({
				host: registry.host,
				repo,
				digest,
				ref: `${registry.host}/${repo}@${digest}`,
			});
		}
		worker = await startWorker({
			upstream: registry.url,
			name: NAME,
			policy: join(folder, "policy.json"),
		});
		clients = await startClients();
	});
	after(async () => {
		await Promise.all(clients.map((client) => client.stop()));
		await worker?.stop();
		await registry?.stop();
		await Promise.all([sigstore?.stop(), other?.stop()]);
		if (folder) await rm(folder, { recursive: true, force: true });
	});

	test("the reasons", async (t) => {
		if (!need(t, PROGRAMS)) return;
		for (const [what, { refused }] of Object.entries(CASES)) {
			await t.test(`${what}: ${refused ?? "admitted"}`, async () => {
				const answer = await ask(
					worker.url,
					`/v2/${repos.get(what)}/manifests/1.0`,
				);
				if (refused === undefined)
					return assert.equal(answer.status, 200, answer.body.toString());
				const message = assertDenied(answer);
				assert.ok(message.includes(`[${refused}]`), message);
			});
		}
	});

	for (const [index, name] of [
		"podman",
		"skopeo",
		"buildah",
		"crane",
		"ctr",
	].entries()) {
		test(name, async (t) => {
			if (!need(t, PROGRAMS)) return;
			for (const [what, { refused }] of Object.entries(CASES)) {
				await t.test(
					`${what}: ${refused === undefined ? "pulled" : "refused"}`,
					async () => {
						const { ok, output } = await /** @type {Client} */ (
							clients[index]
						).pull(`${worker.host}/${repos.get(what)}:1.0`);
						assert.equal(ok, refused === undefined, output);
						if (refused !== undefined)
							assert.match(output, /sealgate: /, output);
					},
				);
			}
		});
	}
});

/** The policy's scopes. */
function scopes() {
	const trust = (/** @type {object} */ identity) => ({
		trustedRootPath: "trusted_root.json",
		identities: [identity],
	});
	const ci = trust({
		issuer: sigstore.issuers.ci,
		subject: CI_SUBJECT,
		claims: {
			sourceRepositoryURI: `https://github.com/${CI_CLAIMS.repository}`,
		},
	});
	const signature = (/** @type {object} */ from) => ({
		type: "sigstoreSigned",
		...from,
		signedIdentity: { type: "matchDigest" },
	});
	const provenance = {
		type: "attested",
		predicateType: PREDICATE_TYPE,
		...ci,
		conditions: [{ pointer: "/buildDefinition/buildType", equals: BUILD_TYPE }],
	};
	return {
		[`${NAME}/workflow`]: [signature(ci)],
		[`${NAME}/person`]: [
			signature(trust({ issuer: sigstore.issuers.email, subject: PERSON })),
		],
		[`${NAME}/elsewhere`]: [
			signature(
				trust({ issuer: "https://accounts.other.example", subject: PERSON }),
			),
		],
		[`${NAME}/attested`]: [signature(ci), provenance],
	};
}
