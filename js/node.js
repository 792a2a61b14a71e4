// sealgate in Node, where the module with everything is at hand. No top-level await stands here, so that `require("sealgate")` works too.
import { readFileSync } from "node:fs";
import * as glue from "./sealgate_full.js";
import { createApi } from "./api.js";
import { loadError } from "./error.js";
import { guardedFetch } from "./public.js";

const address = new URL("./sealgate_full_bg.wasm", import.meta.url);
try {
	glue.initSync({ module: readFileSync(address) });
} catch (error) {
	throw loadError(error, String(address));
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
	fetch: guardedFetch,
});
