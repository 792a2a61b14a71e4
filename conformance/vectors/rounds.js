/**
 * The other side of src/exchange.rs, in Node and in a page: runs the runner again and again until nothing is asked any more.
 *
 * @module
 */

/**
 * @typedef {typeof import('../../js/index.d.ts')} Sealgate
 * @typedef {{ verify(check: any): Promise<{ verified: boolean } | { error: { message: string } } | object> }} WebCrypto
 * @typedef {{ check: object } | { entry: keyof Sealgate, arguments: any[] }} Question
 */

/** The exit status that asks for another round. */
const AGAIN = 3;
/** A round answers everything that can be asked at once; what asks one after the other asks less often than this. */
const ROUNDS = 256;

/**
 * The exit status of the last round.
 *
 * @param {(answers: string) => Promise<{ status: number, questions: string }>} run one round; both are JSON, `questions` after AGAIN only
 * @param {Sealgate} sealgate the package
 * @param {WebCrypto} webCrypto the package's driver of WebCrypto
 * @param {(text: string) => void} tell
 */
export async function inRounds(run, sealgate, webCrypto, tell) {
	/** @type {Record<string, unknown>} */
	const answers = {};
	for (let round = 1; round <= ROUNDS; round += 1) {
		const { status, questions } = await run(JSON.stringify(answers));
		if (status !== AGAIN) return status;
		const asked = Object.entries(
			/** @type {Record<string, Question>} */ (
				JSON.parse(questions, withBytes)
			),
		);
		const calls = asked.filter(([, question]) => "entry" in question).length;
		tell(
			`round ${round}: the package is called ${calls} times, and WebCrypto asked ${asked.length - calls} checks\n`,
		);
		for (const [id, question] of asked)
			answers[id] =
				"entry" in question
					? await call(sealgate, question)
					: await check(webCrypto, question);
	}
	tell(`after ${ROUNDS} rounds there are still questions\n`);
	return 2;
}

/** @param {WebCrypto} webCrypto @param {{ check: object }} question */
async function check(webCrypto, { check: asked }) {
	const found = await webCrypto.verify(asked);
	if ("verified" in found) return found.verified;
	return "error" in found
		? /** @type {any} */ (found).error.message
		: "no answer";
}

/** @param {Sealgate} sealgate @param {{ entry: keyof Sealgate, arguments: any[] }} question */
async function call(sealgate, { entry, arguments: given }) {
	try {
		return {
			value: (await /** @type {any} */ (sealgate[entry])(...given)) ?? null,
		};
	} catch (error) {
		const { code, message } =
			/** @type {{ code?: unknown, message?: unknown }} */ (error);
		return { code, message: String(message ?? error) };
	}
}

/** Bytes are `{"base64": …}`. @param {string} _ @param {any} value */
function withBytes(_, value) {
	return typeof value?.base64 === "string"
		? Uint8Array.from(atob(value.base64), (character) =>
				character.charCodeAt(0),
			)
		: value;
}
