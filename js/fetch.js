// HTTP for the core: one request, one answer, never more bytes than it asked for.

import { codedError } from "./error.js";

/** @typedef {import("./task.js").FetchRequest} FetchRequest */
/** @typedef {import("./task.js").FetchResponse} FetchResponse */
/** @typedef {(request: Omit<FetchRequest, "maxBytes">, keys: import("./aws.js").Signing) => Promise<[string, string][]>} Signer gives the headers that go out */
/** @typedef {{ response: import("./index.d.ts").FetchedResponse } | { error: import("./task.js").AnswerError }} Found */

/** Milliseconds for one request with its whole answer. */
const PATIENCE = 30_000;

/**
 * @param {import("./index.d.ts").Fetch | undefined} given instead of the platform's
 * @param {import("./api.js").RequestDefaults} init what every request carries on this platform
 * @param {number} [patience] milliseconds
 * @param {Signer} [sign] for requests to Amazon
 * @returns {import("./task.js").Fetcher}
 */
export function createFetcher(given, init, patience = PATIENCE, sign) {
	return async (request, stop) => {
		const controller = new AbortController();
		const timer = setTimeout(() => controller.abort(late(patience)), patience);
		const forward = () => controller.abort(stop.reason);
		stop.addEventListener("abort", forward);
		if (stop.aborted) forward();
		try {
			// Whatever is lent need not heed the signal.
			return await unless(controller.signal, () =>
				sendAndRead(given, init, request, controller.signal, sign),
			);
		} catch (error) {
			return {
				error: {
					...describe(
						controller.signal.aborted ? controller.signal.reason : error,
					),
					url: request.url,
				},
			};
		} finally {
			clearTimeout(timer);
			stop.removeEventListener("abort", forward);
		}
	};
}

/**
 * HEAD alone, which has no body to be read. Never rejects, but for the reason of `signal`.
 *
 * @param {import("./index.d.ts").Fetch | undefined} given instead of the platform's
 * @param {import("./api.js").RequestDefaults} init what every request carries on this platform
 * @param {number} [patience] milliseconds
 * @param {boolean} [ended] whether the platform ends what a request leaves under way: then no signal is made for it
 */
export function createHeadFetcher(
	given,
	init,
	patience = PATIENCE,
	ended = false,
) {
	return (
		/** @type {import("./glance.js").Head} */ { url, headers },
		/** @type {number} milliseconds that may be waited for anything */ left,
		/** @type {import("./index.d.ts").Signal | undefined} */ signal,
	) =>
		/** @type {Promise<Found>} */ (
			new Promise((resolve, reject) => {
				const controller = ended ? undefined : new AbortController();
				const timer = setTimeout(
					() => {
						const reason =
							left < patience
								? codedError("budget", `waited for ${left} ms`)
								: late(patience);
						end({ error: { ...describe(reason), url } });
						controller?.abort(reason);
					},
					Math.min(left, patience),
				);
				const forward = () => {
					reject(signal?.reason);
					end(undefined);
					controller?.abort(signal?.reason);
				};
				signal?.addEventListener("abort", forward);
				/** @param {Found | undefined} found */
				const end = (found) => {
					clearTimeout(timer);
					signal?.removeEventListener("abort", forward);
					if (found !== undefined) resolve(found);
				};
				const request = {
					method: "HEAD",
					url,
					headers,
					egress: /** @type {const} */ ("operator"),
				};
				send(given, init, request, controller?.signal).then(
					(response) => end({ response }),
					(error) => end({ error: { ...describe(error), url } }),
				);
			})
		);
}

/** @param {number} patience */
function late(patience) {
	return codedError(
		"timeout",
		`no whole answer within ${patience / 1000} seconds`,
	);
}

/** @param {import("./index.d.ts").Fetch | undefined} given @param {import("./api.js").RequestDefaults} init @param {FetchRequest} request @param {AbortSignal} signal @param {Signer} [sign] */
async function sendAndRead(given, init, request, signal, sign) {
	const signed = await withSignature(request, sign);
	return readAnswer(await send(given, init, signed, signal), request);
}

/** Nothing that wants a signature goes out without one. @param {FetchRequest} request @param {Signer} [sign] */
async function withSignature(request, sign) {
	if (request.sign === undefined) return request;
	if (sign === undefined)
		throw new Error("this platform signs no requests to Amazon");
	return { ...request, headers: await sign(request, request.sign) };
}

/** @param {import("./index.d.ts").Fetch | undefined} given @param {import("./api.js").RequestDefaults} init @param {Omit<FetchRequest, "maxBytes">} request @param {AbortSignal | undefined} signal */
async function send(given, init, request, signal) {
	const { method, url, headers, body, egress } = request;
	// Called without a receiver: browsers refuse `fetch` as a method of anything but the global object.
	const fetch =
		given ?? /** @type {import("./index.d.ts").Fetch} */ (globalThis.fetch);
	// The platform's own knows no `egress`; where that matters it is not the platform's own.
	return fetch(
		url,
		/** @type {any} */ ({ ...init, method, headers, body, signal, egress }),
	);
}

/**
 * What `work` comes to, or the signal's reason as soon as there is one.
 *
 * @template T
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function unless(signal, work) {
	if (signal.aborted) throw signal.reason;
	let stop = () => {};
	/** @type {Promise<never>} */
	const aborted = new Promise(
		(_, reject) => (stop = () => reject(signal.reason)),
	);
	signal.addEventListener("abort", stop);
	try {
		return await Promise.race([work(), aborted]);
	} finally {
		signal.removeEventListener("abort", stop);
	}
}

/**
 * @param {import("./index.d.ts").FetchedResponse} response
 * @param {FetchRequest} request
 * @returns {Promise<{ response: FetchResponse } | { error: import("./task.js").AnswerError }>}
 */
async function readAnswer(response, { method, url, maxBytes }) {
	const body =
		method === "HEAD"
			? new Uint8Array()
			: await readBounded(response.body, maxBytes);
	if (body === undefined)
		return {
			error: {
				kind: "too-large",
				message: `the answer has more than ${maxBytes} bytes`,
				url,
			},
		};
	return { response: answerOf(response, body) };
}

/** @param {import("./index.d.ts").FetchedResponse} response @param {Uint8Array} body @returns {FetchResponse} */
export function answerOf(response, body) {
	/** @type {[string, string][]} */
	const headers = [];
	response.headers.forEach((value, name) => {
		headers.push([name, value]);
	});
	// Only where the platform followed redirects by itself is the address news.
	return {
		status: response.status,
		headers,
		body,
		url: response.redirected ? response.url : undefined,
	};
}

/** All of it, or nothing when it is longer. @param {import("./index.d.ts").FetchedResponse["body"]} stream @param {number} maxBytes */
export async function readBounded(stream, maxBytes) {
	if (!stream) return new Uint8Array();
	const reader = stream.getReader();
	/** @type {Uint8Array[]} */
	const chunks = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done || !value) break;
		length += value.length;
		if (length > maxBytes) {
			await reader.cancel().catch(() => {});
			return undefined;
		}
		chunks.push(value);
	}
	const whole = new Uint8Array(length);
	let at = 0;
	for (const chunk of chunks) {
		whole.set(chunk, at);
		at += chunk.length;
	}
	return whole;
}

/** @param {any} error @returns {import("./task.js").AnswerError} */
function describe(error) {
	if (error?.code === "budget" || error?.code === "egress")
		return { kind: error.code, message: error.message };
	if (error?.code === "timeout" || error?.name === "TimeoutError")
		return { kind: "timeout", message: error.message };
	// Node hides the reason in the cause; a host with several addresses fails with one cause for each.
	const causes = [error?.cause, ...(error?.cause?.errors ?? [])]
		.map((cause) => cause?.message || cause?.code)
		.filter(Boolean);
	return {
		kind: "unreachable",
		message: [error?.message ?? String(error), ...new Set(causes)].join(": "),
	};
}
