/**
 * The edge worker: the gateway of the `sealgate` package in workerd and on Cloudflare.
 *
 * The gateway decides what happens to a request, and the package's shell carries that out; this file lends them what the
 * platform has. It holds no rule about images, signatures or policies.
 *
 * @module
 */
import { Gateway } from "sealgate";
import { configOf, requestTimeout } from "sealgate/config";
import { demoRegistry } from "sealgate/demo";
import { answer, log, noProxy } from "sealgate/shell";
import { createStore } from "./store.js";

/**
 * What the platform binds, beside the settings of every runtime.
 *
 * @typedef {object} Bindings
 * @property {Fetcher} [UPSTREAMS] reaches private networks, for addresses that the operator wrote; the worker's own outbound must not
 * @property {Fetcher} [ASSETS] the page's files
 * @property {Fetcher} [DEMO] the OCI layouts of the embedded demo registry; bound only when that is the upstream
 */
/** @typedef {import("sealgate/config").Settings & Bindings} Env */
/** @typedef {{ fetch(input: string | Request, init?: RequestInit): Promise<Response> }} Fetcher */
/** @typedef {{ waitUntil(promise: Promise<unknown>): void }} Context */

/** One gateway an isolate: it holds the parsed policy. @type {Gateway | undefined} */
let gateway;

export default {
	/**
	 * @param {Request} request
	 * @param {Env} env
	 * @param {Context} ctx
	 * @returns {Promise<Response>}
	 */
	async fetch(request, env, ctx) {
		const { body, headers, ...head } = await answer(request, {
			gateway: () => runningGateway(env),
			fetch: /** @type {import("sealgate/shell").Lent["fetch"]} */ (
				upstreamFetch(env)
			),
			// The body passes natively, without a copy in JavaScript.
			discard: (body) => /** @type {ReadableStream | null} */ (body)?.cancel(),
			patience: requestTimeout(env),
			assets: env.ASSETS,
			waitUntil: (promise) => ctx.waitUntil(promise),
		});
		return new Response(/** @type {BodyInit | null} */ (body), {
			...head,
			headers: record(headers),
		});
	},

	/**
	 * CONNECT. The runtime has agreed to it already; the tunnel leads here, where a request line gets its answer, and no further.
	 *
	 * @param {{ writable: WritableStream<Uint8Array> }} socket
	 */
	async connect(socket) {
		const writer = socket.writable.getWriter();
		await writer.write(new TextEncoder().encode(noProxy()));
		await writer.close();
	},
};

/**
 * @param {Env} env
 */
async function runningGateway(env) {
	if (gateway !== undefined) return gateway;
	const store = createStore();
	const made = await Gateway.create(configOf(env), {
		fetch: upstreamFetch(env),
		requestTimeout: requestTimeout(env),
		endsRequests: true,
		load: store.load,
		save: store.save,
	});
	// In workerd a promise belongs to the request that made it, so each makes its own, and the first one stays.
	if (gateway === undefined) {
		gateway = made;
		const state = gateway.state();
		if (state.state !== "ok" || state.next !== undefined)
			log({ event: "configuration", ...state });
	}
	return gateway;
}

/**
 * Redirects stay with the caller: following them here would carry credentials to another host. What the operator did not write
 * goes out by the worker's own network, which reaches public addresses only.
 *
 * @param {Env} env
 * @returns {import("sealgate").Fetch}
 */
function upstreamFetch({ DEMO, UPSTREAMS }) {
	return async (url, { method, headers, body, signal, egress }) => {
		/** @type {RequestInit} */
		const init = {
			method,
			headers: record(headers),
			body,
			signal,
			redirect: "manual",
		};
		if (DEMO !== undefined) return demoRegistry(new Request(url, init), DEMO);
		if (egress === "operator")
			return (UPSTREAMS ?? globalThis).fetch(url, init);
		try {
			return await fetch(url, init);
		} catch (error) {
			// workerd says no more of an address that its network refuses.
			if (UPSTREAMS === undefined || !/^internal error/.test(messageOf(error)))
				throw error;
			throw Object.assign(
				new Error(
					`no connection was made (${messageOf(error)}): a redirect or challenge named it, so that it may only have public addresses`,
				),
				{ code: "egress" },
			);
		}
	};
}

/** @param {unknown} error */
function messageOf(error) {
	return error instanceof Error ? error.message : String(error);
}

/**
 * Headers as an object, which this runtime takes in faster than a list; as the list, where a name stands in it twice.
 *
 * @param {[string, string][]} headers
 */
function record(headers) {
	/** @type {Record<string, string>} */
	const object = {};
	for (const [name, value] of headers) {
		if (name in object) return headers;
		object[name] = value;
	}
	return object;
}
