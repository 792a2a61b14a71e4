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
