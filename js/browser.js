// sealgate in a browser: a small module, and the one with everything once something needs it. A content security policy must say 'wasm-unsafe-eval'.
import * as glue from "./sealgate.js";
import { createApi } from "./api.js";
import { loadError } from "./error.js";
import { loader } from "./loader.js";

// Bundlers look for exactly this expression.
const address = new URL("./sealgate_bg.wasm", import.meta.url);
try {
	await glue.default({ module_or_path: address });
} catch (error) {
	throw loadError(error, String(address));
}

// Each with its own `import` and `new URL`, which bundlers look for.
const more = loader(
	() => import("./sealgate_full.js"),
	new URL("./sealgate_full_bg.wasm", import.meta.url),
);
const arithmetic = loader(
	() => import("./sealgate_arithmetic.js"),
	new URL("./sealgate_arithmetic_bg.wasm", import.meta.url),
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
	// A page cannot see redirects, so the browser follows them. Cookies stay out of it, and no password window opens.
	requestInit: {
		redirect: "follow",
		credentials: "omit",
		cache: "no-store",
		referrerPolicy: "no-referrer",
	},
});
