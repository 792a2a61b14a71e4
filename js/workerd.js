// sealgate in workerd and Cloudflare Workers, where a module is imported, never compiled at run time.
import * as glue from "./sealgate.js";
import module from "./sealgate_bg.wasm";
import { createApi } from "./api.js";

glue.initSync({ module });

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
});
