// HTTP for the core: one request, one answer, never more bytes than it asked for.

import { codedError } from "./error.js";

/** @typedef {import("./task.js").FetchRequest} FetchRequest */
/** @typedef {import("./task.js").FetchResponse} FetchResponse */

/** Milliseconds for one request with its whole answer. */
const PATIENCE = 30_000;

/**
 * @param {import("./index.d.ts").Fetch | undefined} given instead of the platform's
 * @param {import("./api.js").RequestDefaults} init what every request carries on this platform
 * @param {number} [patience] milliseconds
 * @returns {import("./task.js").Fetcher}
 */
export function createFetcher(given, init, patience = PATIENCE) {
	return async (request, stop) => {
		const controller = new AbortController();
		const timer = setTimeout(
			() =>
				controller.abort(
					codedError(
						"timeout",
						`no whole answer within ${patience / 1000} seconds`,
					),
				),
			patience,
		);
		const forward = () => controller.abort(stop.reason);
		stop.addEventListener("abort", forward);
		if (stop.aborted) forward();
		try {
			// Whatever is lent need not heed the signal.
			return await unless(controller.signal, () =>
				sendAndRead(given, init, request, controller.signal),
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

/** @param {import("./index.d.ts").Fetch | undefined} given @param {import("./api.js").RequestDefaults} init @param {FetchRequest} request @param {AbortSignal} signal */
async function sendAndRead(given, init, request, signal) {
	const { method, url, headers, body, egress } = request;
	// Called without a receiver: browsers refuse `fetch` as a method of anything but the global object.
	const fetch =
		given ?? /** @type {import("./index.d.ts").Fetch} */ (globalThis.fetch);
	// The platform's own knows no `egress`; where that matters it is not the platform's own.
	const response = await fetch(
		url,
		/** @type {any} */ ({ ...init, method, headers, body, signal, egress }),
	);
	return readAnswer(response, request);
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
	/** @type {[string, string][]} */
	const headers = [];
	response.headers.forEach((value, name) => {
		headers.push([name, value]);
	});
	// Only where the platform followed redirects by itself is the address news.
	return {
		response: {
			status: response.status,
			headers,
			body,
			url: response.redirected ? response.url : undefined,
		},
	};
}

/** All of it, or nothing when it is longer. @param {import("./index.d.ts").FetchedResponse["body"]} stream @param {number} maxBytes */
async function readBounded(stream, maxBytes) {
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
