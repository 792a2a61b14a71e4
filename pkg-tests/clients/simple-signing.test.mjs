// Images signed by GnuPG through skopeo, as most fleets of podman and CRI-O have them: the signatures in a lookaside that an HTTP server
// gives, the images in docker-registry, the policy that of a node. Who is let through by the worker, whom the command line allows, and
// that Debian's skopeo says the same of each.

import assert from "node:assert/strict";
import {
	cp,
	mkdir,
	mkdtemp,
	readFile,
	readdir,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CLIENT_PROGRAMS, need, run, startClients } from "../lib/clients.mjs";
import { startLookaside } from "../lib/lookaside.mjs";
import { NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import { pushImage, startRegistry } from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { FRONT_PROGRAMS, NAME, REJECT, ask, assertDenied } from "./front.mjs";

const PROGRAMS = {
	...CLIENT_PROGRAMS,
	...FRONT_PROGRAMS,
	...NODE_PROGRAMS,
	gpg: "gnupg",
};
/** As the kubelet asks: `PullImage` of the Container Runtime Interface. */
const KUBELET = "containerd 1.6, CRI";
const CLI = new URL("../../pkg/cli.cjs", import.meta.url).pathname;

/** @typedef {{ repo: string, digest: string }} Image */

/** @type {string} */ let folder;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */ let registry;
/** @type {Awaited<ReturnType<typeof startLookaside>>} */ let lookaside;
/** @type {import("../lib/serve.mjs").Worker} */ let worker;
/** @type {import("../lib/clients.mjs").Client[]} */ let clients = [];
/** @type {import("../lib/nodes.mjs").Node} */ let node;
/** @type {Record<string, string>} name → fingerprint */ const keys = {};
/** @type {Record<string, Image>} name of a key → what it signed while it counted */ const ended =
	{};

/** What is done with an image before it is asked for, and the codes that its refusal may have, if it is one. @type {Record<string, { make: (image: Image) => Promise<unknown>, refused?: string | RegExp, refusedBySkopeo?: boolean }>} */
const CASES = {
	signed: { make: (image) => sign(image, "team") },
	"signed by a subkey": {
		make: (image) => sign(image, "subkey"),
		// containers/image 5.23 takes no subkey for its primary key; later ones do (docs/containers-image.md section 5).
		refusedBySkopeo: true,
	},
	"signed by an elliptic key": { make: (image) => sign(image, "elliptic") },
	// What WebCrypto does not have: the module that checks signatures alone does it.
	"signed by a DSA key": { make: (image) => sign(image, "dsa") },
	"signed by an old key, which certifies itself over SHA-1": {
		make: (image) => sign(image, "old"),
	},
	// WebCrypto does not have this hash either.
	"signed over SHA-224": {
		make: async (image) => {
			const settings = join(home().GNUPGHOME, "gpg.conf");
			await writeFile(settings, "digest-algo SHA224\n");
			await sign(image, "team");
			await rm(settings);
			const file = join(signatures(image), "signature-1");
			assert.match(await gpg("--list-packets", file), /digest algo 11,/);
		},
	},
	"signed twice, the second by whom we trust": {
		make: async (image) => {
			await sign(image, "stranger");
			await sign(image, "team");
		},
	},
	unsigned: { make: async () => {}, refused: "signature.missing" },
	"signed by a stranger": {
		make: (image) => sign(image, "stranger"),
		refused: "openpgp.unknown-key",
	},
	"signed for another name": {
		make: (image) => sign(image, "team", `${NAME}/elsewhere/app:1.0`),
		refused: "identity.not-accepted",
	},
	"signed by a key that was revoked since": {
		make: (image) => useThatOf("revoked", image),
		refused: "openpgp.key-revoked",
	},
	"signed by a key that has expired since": {
		make: (image) => useThatOf("expired", image),
		refused: "openpgp.key-expired",
	},
	"with another image's signature": {
		make: async (image) => {
			const other = await push("gpg/other");
			await sign(other, "team", `${NAME}/${image.repo}:1.0`);
			await cp(signatures(other), signatures(image), { recursive: true });
		},
		refused: "digest.not-signed",
	},
	"with a signature that was cut short": {
		make: async (image) => {
			await sign(image, "team");
			await change(image, (bytes) => bytes.subarray(0, -1));
		},
		refused: /openpgp\.(malformed|inflate)/,
	},
	"with a signature of which one bit was changed": {
		make: async (image) => {
			await sign(image, "team");
			await change(image, (bytes) => {
				// In the signature's numbers. GnuPG does not read the end of what is compressed, behind them: what is changed there it may accept.
				const changed = bytes.length - 20;
				return Buffer.from(
					bytes.map((byte, at) => byte ^ Number(at === changed)),
				);
			});
		},
		refused: /signature\.invalid|openpgp\.(digest|inflate)/,
	},
	"with something that is no signature": {
		make: async (image) => {
			await mkdir(signatures(image), { recursive: true });
			await writeFile(join(signatures(image), "signature-1"), "no signature");
		},
		refused: "signature.format",
	},
};

before(
	async () => {
		if (!need({}, PROGRAMS)) return;
		folder = await mkdtemp(join(tmpdir(), "sealgate-gpg-"));
		await makeKeys();
		registry = await startRegistry();
		lookaside = await startLookaside(join(folder, "lookaside"));
		for (const [name, text] of [
			[
				"write",
				`  ${registry.host}:\n    lookaside-staging: file://${join(folder, "lookaside")}\n`,
			],
			["read", `  ${NAME}:\n    lookaside: ${lookaside.url}\n`],
			[
				"local",
				`  ${NAME}:\n    lookaside: file://${join(folder, "lookaside")}\n`,
			],
			["skopeo", `  ${registry.host}:\n    lookaside: ${lookaside.url}\n`],
		]) {
			await mkdir(join(folder, name));
			await writeFile(join(folder, name, "a.yaml"), `docker:\n${text}`);
		}
		await endKeys();
		await mkdir(join(folder, "copied"));
		await writeFile(join(folder, "policy.json"), policyOf(NAME));
		worker = await startWorker({
			upstream: registry.url,
			name: NAME,
			policy: join(folder, "policy.json"),
			registriesD: join(folder, "read"),
		});
		clients = await startClients();
		node = await (NODES[KUBELET] ?? assert.fail())();
	},
	{ timeout: 300_000 },
);

after(async () => {
	for (const client of clients) await client.stop();
	await node?.stop();
	await worker?.stop();
	await lookaside?.stop();
	await registry?.stop();
	if (folder === undefined) return;
	await run("gpgconf", ["--kill", "all"], { env: home() });
	await rm(folder, { recursive: true, force: true });
});

describe("simple signing", () => {
	let number = 0;
	for (const [name, { make, refused, refusedBySkopeo }] of Object.entries(
		CASES,
	))
		test(name, { timeout: 300_000 }, async (t) => {
			if (!need(t, PROGRAMS)) return;
			number += 1;
			const image = await push(`gpg/case-${number}`);
			await make(image);
			const says = (/** @type {string} */ text) =>
				refused instanceof RegExp
					? refused.test(text)
					: text.includes(refused ?? "allowed");
			for (const reference of ["1.0", image.digest]) {
				const answer = await ask(
					worker.url,
					`/v2/${image.repo}/manifests/${reference}`,
				);
				if (refused === undefined) assert.equal(answer.status, 200, reference);
				else {
					const message = assertDenied(answer);
					assert.ok(says(message), message);
				}
			}
			await byTheCommandLine(image, refused === undefined, says);
			await bySkopeo(image, refused === undefined && !refusedBySkopeo);
			for (const client of clients) {
				const { ok, output } = await client.pull(
					`${worker.host}/${image.repo}:1.0`,
				);
				assert.equal(ok, refused === undefined, `${client.name}: ${output}`);
			}
			const { ok, output } = await node.pull(
				`${worker.host}/${image.repo}:1.0`,
			);
			assert.equal(ok, refused === undefined, `${node.name}: ${output}`);
			const held = await node.holds();
			assert.equal(held.has(image.digest), refused === undefined, node.name);
		});

	test("the lookaside was given no credentials", () => {
		assert.ok(lookaside.seen.length > 0);
		for (const headers of lookaside.seen)
			assert.equal(headers.authorization, undefined);
	});
});

/** With the lookaside over http, and as a folder of this machine. @param {Image} image @param {boolean} allowed @param {(output: string) => boolean} says */
async function byTheCommandLine(image, allowed, says) {
	for (const registriesD of ["read", "local"]) {
		const { code, output } = await run(process.execPath, [
			...[CLI, "verify", `${registry.host}/${image.repo}:1.0`],
			...["--as", `${NAME}/${image.repo}:1.0`],
			...["--policy", join(folder, "policy.json")],
			...["--registries.d", join(folder, registriesD)],
			...(registriesD === "local" ? ["--verbose"] : []),
		]);
		assert.equal(code, allowed ? 0 : 1, output);
		assert.ok(says(output), output);
		assert.doesNotMatch(output, /\[object/);
		if (allowed && registriesD === "local")
			assert.match(
				output,
				/ with the (primary key itself|subkey [0-9A-F]{40}), made at 20\d\d-\d\d-\d\dT.*, without end\n/,
			);
		if (allowed)
			assert.match(
				output,
				/signed by "[a-z]+@demo\.example", key [0-9A-F]{40} \((RSA|ECDSA|Ed25519|DSA).*, SHA-(224|256|384|512)\) at 20\d\d-/,
			);
	}
}

/** Debian's, by gpgme, with the same policy under the registry's own name, to which the name that was signed is mapped. @param {Image} image @param {boolean} allowed */
async function bySkopeo(image, allowed) {
	const policy = join(folder, "skopeo.json");
	await writeFile(
		policy,
		policyOf(registry.host, {
			type: "remapIdentity",
			prefix: registry.host,
			signedPrefix: NAME,
		}),
	);
	const { ok, output } = await run(
		"skopeo",
		[
			...["--policy", policy, "--registries.d", join(folder, "skopeo")],
			...["copy", "--src-tls-verify=false"],
			`docker://${registry.host}/${image.repo}:1.0`,
			`oci:${join(folder, "copied", image.digest.replace(":", "-"))}`,
			// An OCI layout has no place for them.
			"--remove-signatures",
		],
		{ env: home() },
	);
	assert.equal(ok, allowed, output);
}

/** @param {string} scope @param {object} [identity] */
function policyOf(scope, identity) {
	const requirement = {
		type: "signedBy",
		keyType: "GPGKeys",
		keyPath: join(folder, "keys.gpg"),
		...(identity && { signedIdentity: identity }),
	};
	return JSON.stringify({
		default: REJECT,
		transports: { docker: { [scope]: [requirement] } },
	});
}

function home() {
	return { GNUPGHOME: join(folder, "gnupg") };
}

/** @param {...string} args */
async function gpg(...args) {
	const quiet = ["--batch", "--quiet", "--no-tty", "--yes"];
	const { ok, output } = await run(
		"gpg",
		[...quiet, "--pinentry-mode", "loopback", "--passphrase", "", ...args],
		{ env: home() },
	);
	assert.ok(ok, `gpg ${args.join(" ")}: ${output}`);
	return output;
}

async function makeKeys() {
	await mkdir(home().GNUPGHOME, { mode: 0o700 });
	for (const [name, algorithm, usage, ...more] of [
		["team", "rsa3072", "sign"],
		["subkey", "ed25519", "cert"],
		["elliptic", "nistp384", "sign"],
		["dsa", "dsa2048", "sign"],
		["old", "rsa2048", "sign", "--cert-digest-algo", "SHA1"],
		["stranger", "ed25519", "sign"],
		["revoked", "ed25519", "sign"],
		["expired", "ed25519", "sign"],
	]) {
		await gpg(
			...more,
			"--quick-generate-key",
			`${name}@demo.example`,
			algorithm,
			usage,
			"never",
		);
		const listed = await gpg(
			"--list-keys",
			"--with-colons",
			`${name}@demo.example`,
		);
		keys[name] = /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? "";
	}
	await gpg("--quick-add-key", keys.subkey ?? "", "rsa2048", "sign", "never");
}

/** Two sign once more, then one is revoked, and one expires. The keyring that is trusted is written after that. */
async function endKeys() {
	for (const name of ["revoked", "expired"]) {
		ended[name] = await push(`gpg/${name}`);
		await sign(/** @type {Image} */ (ended[name]), name);
	}
	const written = join(
		home().GNUPGHOME,
		`openpgp-revocs.d/${keys.revoked}.rev`,
	);
	const revocation = join(folder, "revocation.asc");
	// A colon guards it against being imported by accident.
	const text = (await readFile(written, "utf8")).replace(":-----", "-----");
	await writeFile(revocation, text);
	await gpg("--import", revocation);
	await gpg("--quick-set-expire", keys.expired ?? "", "seconds=1");
	await new Promise((done) => setTimeout(done, 2_500));
	const trusted = Object.keys(keys).filter((name) => name !== "stranger");
	await gpg(
		...["--output", join(folder, "keys.gpg"), "--export"],
		...trusted.map((name) => keys[name] ?? ""),
	);
}

/** This very image, and the signature of it that a key made before it ended. @param {string} name @param {Image} image */
async function useThatOf(name, image) {
	Object.assign(image, ended[name]);
}

/** @param {string} repo @returns {Promise<Image>} */
async function push(repo) {
	const text = `${repo} ${Math.random()}`;
	const digest = await pushImage(registry.host, repo, "1.0", { text });
	return { repo, digest };
}

/** @param {Image} image */
function signatures({ repo, digest }) {
	return join(folder, "lookaside", `${repo}@${digest.replace(":", "=")}`);
}

/** @param {Image} image @param {string} by @param {string} [identity] */
async function sign(image, by, identity = `${NAME}/${image.repo}:1.0`) {
	const { ok, output } = await run(
		"skopeo",
		[
			...["--insecure-policy", "--registries.d", join(folder, "write")],
			...["copy", "--preserve-digests", "--src-tls-verify=false"],
			...["--dest-tls-verify=false", "--sign-by", keys[by] ?? ""],
			...["--sign-identity", identity],
			`docker://${registry.host}/${image.repo}:1.0`,
			`docker://${registry.host}/${image.repo}:1.0`,
		],
		{ env: home() },
	);
	assert.ok(ok, output);
	assert.ok((await readdir(signatures(image))).length > 0);
}

/** @param {Image} image @param {(bytes: Buffer) => Uint8Array} to */
async function change(image, to) {
	const file = join(signatures(image), "signature-1");
	await writeFile(file, to(await readFile(file)));
}
