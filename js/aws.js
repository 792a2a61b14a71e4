// Requests to Amazon, signed as Signature Version 4 has it.

import { AwsV4Signer } from "./aws4fetch.js";

/** @typedef {{ service: string, region: string, accessKeyId: string, secretAccessKey: string, sessionToken?: string }} Signing */

/**
 * The headers of a request with its signature among them.
 *
 * @param {{ method: string, url: string, headers: [string, string][], body?: string }} request
 * @param {Signing} keys
 * @returns {Promise<[string, string][]>}
 */
export async function sign({ method, url, headers, body }, keys) {
	const signer = new AwsV4Signer({ method, url, headers, body, ...keys });
	const signed = await signer.sign();
	return [...signed.headers];
}
