// sealgate in Node: one module with everything, made for speed, since it is read from the disk. No top-level await stands here, so that `require("sealgate")` works too.
import { readFileSync } from "node:fs";
import * as glue from "./sealgate_node.js";
import { createApi } from "./api.js";
import { loadError } from "./error.js";
import { loader } from "./loader.js";
import { guardedFetch } from "./public.js";

const address = new URL("./sealgate_node_bg.wasm", import.meta.url);
try {
	glue.initSync({ module: readFileSync(address) });
} catch (error) {
	throw loadError(error, String(address));
}

const arithmetic = loader(
	() => import("./sealgate_arithmetic.js"),
	new URL("./sealgate_arithmetic_bg.wasm", import.meta.url),
	readFileSync,
);

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
} = createApi(/** @type {any} */ (glue), {
	arithmetic,
	// The core follows redirects itself: it knows which credentials may go where.
	requestInit: { redirect: "manual" },
	fetch: guardedFetch,
	sign: async (request, keys) => (await import("./aws.js")).sign(request, keys),
});
