// sealgate in workerd and Cloudflare Workers, where a module is imported, never compiled at run time.
import * as glue from "./sealgate_gateway.js";
import module from "./sealgate_gateway_bg.wasm";
import * as full from "./sealgate_full.js";
import fullModule from "./sealgate_full_bg.wasm";
import * as computing from "./sealgate_arithmetic.js";
import computingModule from "./sealgate_arithmetic_bg.wasm";
import { createApi } from "./api.js";
import { sign } from "./aws.js";

glue.initSync({ module });

/** Synchronous: in workerd a promise belongs to the request that made it. */
function more() {
	full.initSync({ module: fullModule });
	return full;
}

let isComputing = false;

/** Checks signatures where the platform cannot. A second start would take the first one's memory away. */
function arithmetic() {
	if (!isComputing) computing.initSync({ module: computingModule });
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
} = createApi(/** @type {any} */ (glue), {
	more,
	arithmetic,
	// The core follows redirects itself: it knows which credentials may go where.
	requestInit: { redirect: "manual" },
	sign,
});
