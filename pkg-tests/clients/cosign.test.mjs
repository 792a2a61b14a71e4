// Cosign itself as a client of the gateway, on registries with and without the referrers API; and the command that a report
// gives as the same question to cosign, run.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { need } from "../lib/clients.mjs";
import {
	attestBundle,
	attestTag,
	cosignVerify,
	makeKey,
	pushImage,
	signBundle,
	signTag,
	startCraneRegistry,
	startDistribution3,
	startRegistry,
	tool,
} from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { bundleBy, FRONT_PROGRAMS, NAME, REJECT, signedBy } from "./front.mjs";

const CLI = fileURLToPath(new URL("../../pkg/cli.cjs", import.meta.url));
const DEMO = fileURLToPath(new URL("../../fixtures/demo/", import.meta.url));

/** @param {string} program @param {string[]} args @param {string} [cwd] @returns {Promise<{ code: number, output: string, stdout: string }>} */
function run(program, args, cwd) {
	return new Promise((resolve) => {
		execFile(
			program,
			args,
			{ cwd, timeout: 60_000, env: { ...process.env, COSIGN_PASSWORD: "" } },
			(error, stdout, stderr) => {
				resolve({
					code: error ? Number(error.code ?? 1) : 0,
					output: stdout + stderr,
					stdout,
				});
			},
		);
	});
}

for (const [what, start] of /** @type {const} */ ([
	["docker-registry", startRegistry],
	["distribution 3", startDistribution3],
	["a registry with the referrers API", startCraneRegistry],
])) {
	describe(`cosign through the gateway, in front of ${what}`, () => {
		/** @type {string} */ let folder;
		/** @type {Awaited<ReturnType<typeof startRegistry>>} */ let registry;
		/** @type {Awaited<ReturnType<typeof startWorker>>} */ let worker;
		/** @type {{ key: string, pub: string }} */ let good;

		before(async (t) => {
			if (!need(/** @type {object} */ (t), FRONT_PROGRAMS)) return;
			folder = await mkdtemp(join(tmpdir(), "sealgate-cosign-"));
			good = await makeKey(folder, { name: "good" });
			registry = await start();
			const policy = join(folder, "policy.json");
			const scopes = {
				[`${NAME}/tag`]: signedBy("good.pub"),
				[`${NAME}/bundle`]: bundleBy("good.pub"),
			};
			await writeFile(
				policy,
				JSON.stringify({
					sealgate: { version: 1 },
					default: REJECT,
					transports: { docker: scopes },
				}),
			);
			worker = await startWorker({
				upstream: registry.url,
				name: NAME,
				policy,
			});
		});
		after(async () => {
			await worker?.stop();
			await registry?.stop();
			await rm(folder, { recursive: true, force: true });
		});

		test("containers/image verifies a `.sig` through the gateway, by a policy of its own", async () => {
			const digest = await pushImage(registry.host, "tag", "library", {
				text: `the library ${what}`,
			});
			await signTag(`${registry.host}/tag@${digest}`, {
				key: good.key,
				identity: `${NAME}/tag`,
				annotations: { layers: "an annotation may have any name" },
			});
			const other = await makeKey(folder, { name: "other" });
			const registries = join(folder, "registries.d");
			await mkdir(registries, { recursive: true });
			await writeFile(
				join(registries, "all.yaml"),
				"default-docker:\n  use-sigstore-attachments: true\n",
			);
			for (const [pub, expected] of /** @type {const} */ ([
				[good.pub, true],
				[other.pub, false],
			])) {
				const policy = join(folder, "their-policy.json");
				const requirement = {
					type: "sigstoreSigned",
					keyPath: pub,
					signedIdentity: {
						type: "exactRepository",
						dockerRepository: `${NAME}/tag`,
					},
				};
				await writeFile(policy, JSON.stringify({ default: [requirement] }));
				const target = await mkdtemp(join(folder, "copy-"));
				const { code, output } = await run(await tool("image-copy"), [
					policy,
					registries,
					`docker://${worker.host}/tag@${digest}`,
					target,
				]);
				assert.equal(code === 0, expected, output);
			}
		});

		for (const [repository, version] of /** @type {const} */ ([
			["tag", "cosign2"],
			["bundle", "cosign3"],
		])) {
			test(`${repository}: what cosign signed is admitted, and cosign verifies it through the gateway`, async () => {
				const digest = await pushImage(registry.host, repository, "1", {
					text: `${repository} ${what}`,
				});
				const image = `${registry.host}/${repository}@${digest}`;
				assert.equal(
					(await fetch(`${worker.url}/v2/${repository}/manifests/1`)).status,
					403,
					"before it is signed",
				);
				if (repository === "tag")
					await signTag(image, { key: good.key, identity: `${NAME}/tag` });
				else await signBundle(image, { key: good.key });
				// A refusal is remembered for ten seconds, because signing is push-then-sign.
				await new Promise((resolve) => setTimeout(resolve, 10_500));
				const answer = await fetch(
					`${worker.url}/v2/${repository}/manifests/1`,
				);
				assert.equal(answer.status, 200, await answer.text());
				const { ok, said } = await cosignVerify(
					version,
					`${worker.host}/${repository}@${digest}`,
					good.pub,
				);
				assert.ok(ok, said);
			});

			test(`${repository}: an attestation of an admitted image, verified by cosign through the gateway`, async () => {
				const digest = await pushImage(registry.host, repository, "attested", {
					text: `${repository} ${what}, attested`,
				});
				const image = `${registry.host}/${repository}@${digest}`;
				const predicate = join(folder, "predicate.json");
				await writeFile(
					predicate,
					'{"layers":["a predicate may hold anything"],"config":{}}',
				);
				if (repository === "tag") {
					await signTag(image, { key: good.key, identity: `${NAME}/tag` });
					await attestTag(image, { key: good.key, type: "custom", predicate });
				} else {
					await signBundle(image, { key: good.key });
					await attestBundle(image, {
						key: good.key,
						type: "custom",
						predicate,
					});
				}
				const args = [
					"verify-attestation",
					"--key",
					good.pub,
					"--type",
					"custom",
					"--insecure-ignore-tlog=true",
					"--allow-http-registry",
					`${worker.host}/${repository}@${digest}`,
				];
				const theirs = await run(await tool(version), args);
				assert.equal(theirs.code, 0, theirs.output);
			});

			test(`${repository}: the command line judges by the registry itself`, async () => {
				const good_ = await run(process.execPath, [
					CLI,
					"verify",
					`${registry.host}/${repository}:1`,
					"--key",
					good.pub,
					"--as",
					`${NAME}/${repository}:1`,
				]);
				assert.equal(good_.code, 0, good_.output);
				const bad = await run(process.execPath, [
					CLI,
					"verify",
					`${registry.host}/${repository}:1`,
					"--key",
					join(DEMO, "cosign.pub"),
				]);
				assert.equal(bad.code, 1, bad.output);
			});
		}
	});
}

/** As a person would: pasted into a shell, in this folder. @param {"cosign2" | "cosign3"} version @param {string} command @param {string} cwd */
async function paste(version, command, cwd) {
	assert.match(command, /^(# [^\n]*\n)?cosign verify/);
	return run(
		"/bin/sh",
		["-c", `cosign() { '${await tool(version)}' "$@"; }\n${command}`],
		cwd,
	);
}

describe("the same question to cosign", () => {
	/** @type {Awaited<ReturnType<typeof startWorker>>} */ let worker;
	before(async (t) => {
		if (need(/** @type {object} */ (t), FRONT_PROGRAMS))
			worker = await startWorker();
	});
	after(() => worker?.stop());

	for (const [repository, version, expected] of /** @type {const} */ ([
		["signed", "cosign2", 0],
		["bundle", "cosign3", 0],
		["multi", "cosign2", 0],
		["wrong-key", "cosign2", 1],
		["unsigned", "cosign2", 1],
	])) {
		const key = repository === "bundle" ? "bundle.pub" : "cosign.pub";
		test(`${repository}: the command of the report, run`, async () => {
			const own = await run(
				process.execPath,
				[
					CLI,
					"verify",
					`${worker.host}/demo/${repository}:1.0`,
					"--as",
					`demo.example/demo/${repository}:1.0`,
					"--key",
					key,
					"--json",
				],
				DEMO,
			);
			assert.equal(own.code, expected, own.output);
			const theirs = await paste(
				version,
				JSON.parse(own.stdout).equivalent,
				DEMO,
			);
			assert.equal(theirs.code === 0, expected === 0, theirs.output);
		});
	}

	test("a copied signature: cosign would say yes, so there is no command", async () => {
		const own = await run(
			process.execPath,
			[
				CLI,
				"verify",
				`${worker.host}/demo/copied:1.0`,
				"--key",
				"cosign.pub",
				"--json",
			],
			DEMO,
		);
		const { code, equivalent, image } = JSON.parse(own.stdout);
		assert.deepEqual(
			[own.code, code, equivalent],
			[1, "identity.other-name", undefined],
			own.output,
		);
		const theirs = await paste(
			"cosign2",
			`cosign verify --key cosign.pub --insecure-ignore-tlog=true ${worker.host}/demo/copied@${image.digest}`,
			DEMO,
		);
		assert.equal(theirs.code, 0, theirs.output);
	});

	test("a key whose path a shell would take apart", async () => {
		const folder = await mkdtemp(join(tmpdir(), "sealgate's keys "));
		try {
			await copyFile(join(DEMO, "cosign.pub"), join(folder, "$(key).pub"));
			const own = await run(
				process.execPath,
				[
					CLI,
					"verify",
					`${worker.host}/demo/signed:1.0`,
					"--as",
					"demo.example/demo/signed:1.0",
					"--key",
					join(folder, "$(key).pub"),
					"--json",
				],
				DEMO,
			);
			const theirs = await paste(
				"cosign2",
				JSON.parse(own.stdout).equivalent,
				DEMO,
			);
			assert.deepEqual([own.code, theirs.code], [0, 0], theirs.output);
		} finally {
			await rm(folder, { recursive: true, force: true });
		}
	});

	for (const [repository, subject, expected] of /** @type {const} */ ([
		["keyless", "release.yml", 0],
		["attested", "build.yml", 0],
		["keyless", "build.yml", 1],
	])) {
		test(`${repository} by ${subject}: the command of the report, run`, async () => {
			const who = [
				"--certificate-identity",
				`https://github.com/demo/app/.github/workflows/${subject}@refs/heads/main`,
				"--certificate-oidc-issuer",
				"https://token.actions.demo.example",
			];
			const own = await run(
				process.execPath,
				[
					CLI,
					"verify",
					`${worker.host}/demo/${repository}:1.0`,
					...who,
					"--trusted-root",
					"trusted_root.json",
					"--json",
				],
				DEMO,
			);
			assert.equal(own.code, expected, own.output);
			const theirs = await paste(
				"cosign3",
				JSON.parse(own.stdout).equivalent,
				DEMO,
			);
			assert.equal(theirs.code === 0, expected === 0, theirs.output);
		});
	}

	test("attested: the command for an attestation, run", async () => {
		const who = [
			"--certificate-identity",
			"https://github.com/demo/app/.github/workflows/build.yml@refs/heads/main",
			"--certificate-oidc-issuer",
			"https://token.actions.demo.example",
		];
		for (const [type, expected] of /** @type {const} */ ([
			["slsaprovenance1", 0],
			["cyclonedx", 0],
			["spdxjson", 1],
		])) {
			const own = await run(
				process.execPath,
				[
					CLI,
					"verify-attestation",
					`${worker.host}/demo/attested:1.0`,
					"--type",
					type,
					...who,
					"--trusted-root",
					"trusted_root.json",
					"--json",
				],
				DEMO,
			);
			assert.equal(own.code, expected, own.output);
			const command = JSON.parse(own.stdout).equivalent;
			const theirs = await paste("cosign3", command, DEMO);
			assert.equal(
				theirs.code === 0,
				expected === 0,
				`${type}: ${command}: ${theirs.output}`,
			);
		}
	});
});
