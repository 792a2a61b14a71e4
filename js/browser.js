// sealgate in a browser: a small module, and the one with everything once something needs it. A content security policy must say 'wasm-unsafe-eval'.
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

/** @type {Promise<import("./modules.js").Glue> | undefined} */
let loading;

/** The module with everything, once: a second start would take the first one's memory away. After a failure it is tried again. */
function more() {
	loading ??= loadMore().catch((error) => {
		loading = undefined;
		throw error;
	});
	return loading;
}

async function loadMore() {
	const larger = new URL("./sealgate_full_bg.wasm", import.meta.url);
	try {
		const full = await import("./sealgate_full.js");
		await full.default({ module_or_path: larger });
		return full;
	} catch (error) {
		throw loadError(error, String(larger));
	}
}

/** @type {Promise<import("./arithmetic.js").Arithmetic> | undefined} */
let computing;

/** The module that checks signatures where the browser cannot, once; after a failure it is tried again. */
function arithmetic() {
	computing ??= loadArithmetic().catch((error) => {
		computing = undefined;
		throw error;
	});
	return computing;
}

async function loadArithmetic() {
	const address = new URL("./sealgate_arithmetic_bg.wasm", import.meta.url);
	try {
		const module = await import("./sealgate_arithmetic.js");
		await module.default({ module_or_path: address });
		return module;
	} catch (error) {
		throw loadError(error, String(address));
	}
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
	// A page cannot see redirects, so the browser follows them. Cookies stay out of it, and no password window opens.
	requestInit: {
		redirect: "follow",
		credentials: "omit",
		cache: "no-store",
		referrerPolicy: "no-referrer",
	},
});
