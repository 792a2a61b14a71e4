// Errors of the JavaScript side, in the form of the core's own: a real Error with a stable code.

/**
 * @param {string} code
 * @param {string} message what was expected, what was found, what to do
 * @param {unknown} [cause]
 * @returns {Error & { code: string }}
 */
export function codedError(code, message, cause) {
	return Object.assign(
		new Error(message, cause === undefined ? undefined : { cause }),
		{ code },
	);
}

/** The smallest module that there is. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * Why the module is not there: browsers say it in words of their own, so they are asked again with a module that cannot be at fault.
 *
 * @param {unknown} cause
 * @param {string} address of the module
 */
export function loadError(cause, address) {
	const reason = cause instanceof Error ? cause.message : String(cause);
	const forbidden = wasmForbidden(cause);
	if (forbidden) return forbidden;
	return codedError(
		"host.wasm-unloadable",
		`expected the WebAssembly module of this package at ${address}, found none that can be loaded (${reason}): serve the file of the same version there, allow it in connect-src, and with CORS where it is another origin`,
		cause,
	);
}

/**
 * Why no module could run here, whatever it were; nothing where one could.
 *
 * @param {unknown} [cause]
 */
export function wasmForbidden(cause) {
	if (typeof WebAssembly === "undefined")
		return codedError(
			"host.wasm-forbidden",
			"expected a platform that runs WebAssembly, found none here (a lockdown mode or --jitless switches it off): allow it",
			cause,
		);
	try {
		new WebAssembly.Module(EMPTY_MODULE);
		return undefined;
	} catch (error) {
		const reason = cause ?? error;
		return codedError(
			"host.wasm-forbidden",
			`expected a content security policy that allows WebAssembly, found one that does not (${reason instanceof Error ? reason.message : reason}): add 'wasm-unsafe-eval' to script-src`,
			reason,
		);
	}
}
