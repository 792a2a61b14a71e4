// WebAssembly's memory, which never shrinks: after 10,000 verifications of different bundles it is as large as after the first 100.
// Nine of ten are signed here by a key (files and statements of different lengths), each tenth is one of the keyless fixtures.
//
//   node pkg-tests/bench/memory.mjs        (`make bench`; BUNDLES=n, SEALGATE_PACKAGE=DIR)

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const BUNDLES = Number(process.env.BUNDLES ?? 10_000);
const FIRST = 100;
const root = fileURLToPath(new URL("../..", import.meta.url));
const at = resolve(process.env.SEALGATE_PACKAGE ?? join(root, "pkg"));
const load = (/** @type {string} */ file) =>
	import(pathToFileURL(join(at, file)).href);

const { privateKey, publicKey } = generateKeyPairSync("ec", {
	namedCurve: "prime256v1",
});
const key = /** @type {string} */ (
	publicKey.export({ type: "spki", format: "pem" })
);
const KEYLESS = [
	"public-good/v03-attestation",
	"public-good/v03-blob",
	"staging/rekor2-blob",
	"staging/rekor2-provenance",
].map(keyless);

const glue = await load("sealgate_full.js");
const { createApi } = await load("api.js");
const { memory } = glue.initSync({
	module: readFileSync(join(at, "sealgate_full_bg.wasm")),
});
const arithmetic = await load("sealgate_arithmetic.js");
arithmetic.initSync({
	module: readFileSync(join(at, "sealgate_arithmetic_bg.wasm")),
});
const { verifyBundle } = createApi(glue, {
	requestInit: { redirect: "manual" },
	arithmetic: () => arithmetic,
});

let before = 0;
for (let number = 1; number <= BUNDLES; number += 1) {
	const [bundle, options] =
		KEYLESS[number % 10 === 0 ? (number / 10) % KEYLESS.length : -1] ??
		keyed(number);
	await verifyBundle(bundle, options);
	if (number === FIRST) before = memory.buffer.byteLength;
}
const after = memory.buffer.byteLength;
const holds = after === before && BUNDLES > FIRST;
console.log(
	`memory: ${mib(before)} after ${FIRST} different bundles, ${mib(after)} after ${BUNDLES}`,
);
console.log(
	`  ${holds ? "✔" : "✘"} growth after the first ${FIRST}: ${mib(after - before)} (none)`,
);
process.exitCode = holds ? 0 : 1;

/** @param {number} number @returns {[string, object]} */
function keyed(number) {
	const artifact = Buffer.from(`file ${number}\n`.repeat(1 + (number % 500)));
	const digest = createHash("sha256").update(artifact).digest();
	const frame = (/** @type {object} */ content) =>
		JSON.stringify({
			mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
			verificationMaterial: { publicKey: { hint: "" } },
			...content,
		});
	if (number % 2 === 0)
		return [
			frame({
				messageSignature: {
					messageDigest: {
						algorithm: "SHA2_256",
						digest: digest.toString("base64"),
					},
					signature: sign("sha256", artifact, privateKey).toString("base64"),
				},
			}),
			{ artifact, key },
		];
	const predicateType = "https://example.com/bench/v1";
	const payloadType = "application/vnd.in-toto+json";
	const payload = Buffer.from(
		JSON.stringify({
			_type: "https://in-toto.io/Statement/v1",
			subject: [{ name: "file", digest: { sha256: digest.toString("hex") } }],
			predicateType,
			predicate: { number, text: "x".repeat(number % 3000) },
		}),
	);
	const signed = Buffer.concat([
		Buffer.from(
			`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `,
		),
		payload,
	]);
	const sig = sign("sha256", signed, privateKey).toString("base64");
	return [
		frame({
			dsseEnvelope: {
				payload: payload.toString("base64"),
				payloadType,
				signatures: [{ sig, keyid: "" }],
			},
		}),
		{ artifact, key, predicateType },
	];
}

/** @param {string} folder @returns {[string, object]} */
function keyless(folder) {
	const file = (/** @type {string} */ name) =>
		readFileSync(join(root, "fixtures/sigstore", folder, name));
	const {
		identity: certificateIdentity,
		issuer: certificateOidcIssuer,
		predicateType,
		digest,
	} = JSON.parse(file("case.json").toString());
	return [
		file("bundle.json").toString(),
		{
			digest,
			...(predicateType && { predicateType }),
			certificateIdentity,
			certificateOidcIssuer,
			trustedRoot: folder.split("/")[0],
		},
	];
}

/** @param {number} bytes */
function mib(bytes) {
	return `${(bytes / (1 << 20)).toFixed(2)} MiB`;
}
