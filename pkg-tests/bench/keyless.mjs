// Keyless bundles: sealgate in pure Rust and through WebCrypto, beside sigstore-js and beside the bare signature checks, in one
// process. Runs are interleaved, so that whatever slows the machine down slows all of them; what is compared are medians.
//
// The bare checks are all signatures that the first verification checks, all at once, their keys imported before. Two more show what
// is between: the same checks in the rounds in which they were asked, and the verification with each check answered at once. What is measured
// are later verifications of the same bundle. Of all that is remembered then (trusted roots, imported keys, links of chains) nothing
// is of this bundle: a signer's own link is checked each time, as if the bundle were another one.
//
//   node pkg-tests/bench/keyless.mjs        (`make bench`; ROUNDS=n, SEALGATE_PACKAGE=DIR)
//
// The figures are those of docs/design.md section 7. Exit status 1 when one of them does not hold.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(import.meta.url);
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const {
	Verifier,
	toSignedEntity,
	toTrustMaterial,
} = require("@sigstore/verify");

const ROUNDS = Number(process.env.ROUNDS ?? 60);
const WARM_UP = 10;

/** @typedef {Parameters<SubtleCrypto["verify"]>} Check */

/** Every check that WebCrypto was asked, by rounds: a round begins where no check is under way. @type {Check[][]} */
let recorded = [];
const original = crypto.subtle.verify.bind(crypto.subtle);

const { verifyBundle } = await import(
	pathToFileURL(
		join(resolve(process.env.SEALGATE_PACKAGE ?? join(root, "pkg")), "node.js"),
	).href
);

const BUNDLES = [
	{
		name: "v0.3, Rekor v1 (DSSE)",
		folder: "public-good/v03-attestation",
		trustedRoot: "public-good",
	},
	{
		name: "v0.3, Rekor v1 and timestamp",
		folder: "public-good/v03-blob",
		trustedRoot: "public-good",
	},
	{
		name: "v0.3, Rekor v2 and timestamp",
		folder: "staging/rekor2-blob",
		trustedRoot: "staging",
	},
];

let ok = true;
for (const bundle of BUNDLES) ok = (await measure(bundle)) && ok;
process.exitCode = ok ? 0 : 1;

/** @param {typeof BUNDLES[number]} one */
async function measure({ name, folder, trustedRoot }) {
	const subjects = await subjectsOf(
		join(root, "fixtures/sigstore", folder),
		trustedRoot,
	);
	const names = Object.keys(subjects);
	/** @type {Record<string, number[]>} */
	const times = Object.fromEntries(names.map((name) => [name, []]));
	for (let round = -WARM_UP; round < ROUNDS; round += 1) {
		// Another one begins each round.
		for (let turn = 0; turn < names.length; turn += 1) {
			const subject = names[(turn + Math.abs(round)) % names.length];
			const start = performance.now();
			await subjects[subject]();
			if (round >= 0) times[subject].push(performance.now() - start);
		}
	}
	const median = Object.fromEntries(
		names.map((name) => [name, middle(times[name])]),
	);
	console.log(
		`${name}: ${names.map((name) => `${name} ${median[name].toFixed(2)} ms`).join(", ")}`,
	);
	return [
		figure(
			"WebCrypto / bare checks",
			median.webcrypto / median["bare checks"],
			1.6,
		),
		figure(
			"WebCrypto / sigstore-js",
			median.webcrypto / median["sigstore-js"],
			1 / 5,
		),
		figure("pure Rust / sigstore-js", median.rust / median["sigstore-js"], 0.8),
	].every(Boolean);
}

/** @param {string} folder @param {string} trustedRoot @returns {Promise<Record<string, () => unknown>>} */
async function subjectsOf(folder, trustedRoot) {
	const text = readFileSync(join(folder, "bundle.json"), "utf8");
	const artifact = readFileSync(join(folder, "artifact"));
	const { identity, issuer } = JSON.parse(
		readFileSync(join(folder, "case.json"), "utf8"),
	);
	const asked = {
		artifact,
		certificateIdentity: identity,
		certificateOidcIssuer: issuer,
		trustedRoot,
	};
	const ask = () => verifyBundle(text, { ...asked, provider: "webcrypto" });
	// The root is read and verified once, whatever is asked under it.
	await verifyBundle("{}", asked).catch(() => {});
	const { rounds, result: cold } = await record(ask);
	const checks = rounds.flat();
	const signatures = signaturesOf(cold);
	const remembered = signaturesOf(await ask()).filter(
		({ remembered }) => remembered,
	);
	// A link above signers, once a bundle, and no other.
	if (
		checks.length !== signatures.length ||
		signatures.some(({ remembered }) => remembered) ||
		remembered.some(({ name }) => name !== "signature.timestamp-certificate")
	)
		throw new Error(
			`expected ${signatures.length} bare checks and at most a timestamp authority's link to be remembered, found ${checks.length} and ${JSON.stringify(remembered)}`,
		);
	console.log(
		`${folder}: ${checks.length} bare checks in ${rounds.length} rounds, ${remembered.length} of them remembered`,
	);
	const material = toTrustMaterial(
		TrustedRoot.fromJSON(
			JSON.parse(
				readFileSync(
					join(root, `src/sigstore/roots/${trustedRoot}.json`),
					"utf8",
				),
			),
		),
	);
	const verifier = new Verifier(material);
	// Exactly this identity: sigstore-js takes expressions.
	const policy = {
		subjectAlternativeName: new RegExp(
			`^${identity.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`,
		),
		extensions: { issuer },
	};
	return {
		webcrypto: () => verifyBundle(text, { ...asked, provider: "webcrypto" }),
		rust: () => verifyBundle(text, { ...asked, provider: "rust" }),
		"sigstore-js": () =>
			verifier.verify(
				toSignedEntity(bundleFromJSON(JSON.parse(text)), artifact),
				policy,
			),
		"bare checks": () => allHold(checks),
		"in rounds": async () => {
			for (const round of rounds) await allHold(round);
		},
		"without checks": async () => {
			crypto.subtle.verify = async () => true;
			try {
				await ask();
			} finally {
				restore();
			}
		},
	};
}

/** @param {Check[]} checks */
async function allHold(checks) {
	const answers = await Promise.all(checks.map((check) => original(...check)));
	if (!answers.every((answer) => answer === true))
		throw new Error("a bare check fails");
}

function restore() {
	// @ts-expect-error the own member hid the prototype's
	delete crypto.subtle.verify;
}

/** @param {{ steps: import("../../js/index.d.ts").Step[] }} verified */
function signaturesOf({ steps }) {
	return steps.filter(({ kind }) => kind === "signature");
}

/** What one verification asks of WebCrypto, keys imported. @template T @param {() => Promise<T>} run */
async function record(run) {
	recorded = [];
	let underWay = 0;
	crypto.subtle.verify = async (...check) => {
		// The bytes are the module's, and may be written over.
		const copy = /** @type {typeof check} */ (
			check.map((part) => (part instanceof Uint8Array ? part.slice() : part))
		);
		if (underWay === 0) recorded.push([]);
		recorded.at(-1)?.push(copy);
		underWay += 1;
		try {
			return await original(...check);
		} finally {
			underWay -= 1;
		}
	};
	/** @type {T} */
	let result;
	try {
		result = await run();
	} finally {
		restore();
	}
	if (recorded.flat().length < 3)
		throw new Error(
			`expected the checks of a keyless bundle, found ${recorded.flat().length}`,
		);
	return { rounds: recorded, result };
}

/** @param {string} what @param {number} ratio @param {number} limit */
function figure(what, ratio, limit) {
	const holds = ratio <= limit;
	console.log(
		`  ${holds ? "✔" : "✘"} ${what}: ${ratio.toFixed(3)} (at most ${limit})`,
	);
	return holds;
}

/** @param {number[]} values */
function middle(values) {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.floor(sorted.length / 2)];
}
