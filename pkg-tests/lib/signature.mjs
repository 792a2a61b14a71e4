// A signature of an image in cosign's older form, made here: fixtures have one of each kind, and some tests need many.

import { sign } from "node:crypto";

/** The payload that says which image this is (containers/image's simple signing). @param {string} name without a tag @param {string} digest */
export const payloadOf = (name, digest) =>
	Buffer.from(
		JSON.stringify({
			critical: {
				identity: { "docker-reference": name },
				image: { "docker-manifest-digest": digest },
				type: "cosign container image signature",
			},
			optional: null,
		}),
	);

/** The layer of it, signed. @param {Buffer} payload @param {{ digest: string, size: number }} blob where the payload lies @param {import("node:crypto").KeyObject} key private, of P-256 */
export const signatureLayer = (payload, blob, key) => ({
	mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
	...blob,
	annotations: {
		"dev.cosignproject.cosign/signature": sign("sha256", payload, key).toString(
			"base64",
		),
	},
});
