// sealgate in a browser. A content security policy must say 'wasm-unsafe-eval'.
import * as glue from "./sealgate.js";
import { createApi } from "./api.js";
import { loadError } from "./error.js";

// Bundlers look for exactly this expression.
const address = new URL("./sealgate_bg.wasm", import.meta.url);
try {
	await glue.default({ module_or_path: address });
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
	// A page cannot see redirects, so the browser follows them. Cookies stay out of it, and no password window opens.
	requestInit: {
		redirect: "follow",
		credentials: "omit",
		cache: "no-store",
		referrerPolicy: "no-referrer",
	},
});
