// sealgate in Node, where the module with everything is at hand. No top-level await stands here, so that `require("sealgate")` works too.
import { readFileSync } from "node:fs";
import * as computing from "./sealgate_arithmetic.js";
import * as glue from "./sealgate_full.js";
import { createApi } from "./api.js";
import { loadError } from "./error.js";
import { guardedFetch } from "./public.js";

/** @param {{ initSync(given: { module: BufferSource }): unknown }} glue @param {URL} address */
function load(glue, address) {
	try {
		glue.initSync({ module: readFileSync(address) });
	} catch (error) {
		throw loadError(error, String(address));
	}
}

load(glue, new URL("./sealgate_full_bg.wasm", import.meta.url));

let isComputing = false;

/** Checks signatures where the platform's WebCrypto cannot. A second start would take the first one's memory away. */
function arithmetic() {
	if (!isComputing)
		load(computing, new URL("./sealgate_arithmetic_bg.wasm", import.meta.url));
	isComputing = true;
	return computing;
}

export const {
	verifyImage,
	verifyBundle,
	policyInit,
	policyAssets,
	policyLint,
	policyExplain,
	parseReference,
	predicateType,
	verifySignature,
	version,
	Gateway,
} = createApi(glue, {
	// The core follows redirects itself: it knows which credentials may go where.
	requestInit: { redirect: "manual" },
	arithmetic,
	fetch: guardedFetch,
});
