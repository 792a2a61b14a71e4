// sealgate for a command that ends soon: in Node, by the page's small module, which starts in half the time of the one that is made
// for speed; and by the one with everything once something needs it.
import { readFileSync } from "node:fs";
import * as glue from "./sealgate.js";
import { createApi } from "./api.js";
import { loadError } from "./error.js";
import { loader } from "./loader.js";
import { guardedFetch } from "./public.js";

const address = new URL("./sealgate_bg.wasm", import.meta.url);
try {
	glue.initSync({ module: readFileSync(address) });
} catch (error) {
	throw loadError(error, String(address));
}

const more = loader(
	() => import("./sealgate_full.js"),
	new URL("./sealgate_full_bg.wasm", import.meta.url),
	readFileSync,
);
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
	more,
	arithmetic,
	// The core follows redirects itself: it knows which credentials may go where.
	requestInit: { redirect: "manual" },
	fetch: guardedFetch,
	sign: async (request, keys) => (await import("./aws.js")).sign(request, keys),
});
