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
import { demoRegistry, isOfDemo } from "sealgate/demo";
import { answer, log, noProxy } from "sealgate/shell";
import { policyAnswer } from "./admin.js";
import { createRunning } from "./policy.js";
import { createStore } from "./store.js";

export { PolicyInForce, RepositoryState } from "./state.js";

/**
 * What the platform binds, beside the settings of every runtime.
 *
 * @typedef {object} Bindings
 * @property {Fetcher} [UPSTREAMS] reaches private networks, for addresses that the operator wrote; the worker's own outbound must not
 * @property {Fetcher} [ASSETS] the page's files
 * @property {Fetcher} [PACKAGE] in place of them: the folder of the npm package, which has them
 * @property {Fetcher} [DEMO] the OCI layouts of the embedded demo registry; bound only when that is the upstream
 * @property {import("./store.js").Namespace} [STATE] what is remembered of each repository
 * @property {{ limit(of: { key: string }): Promise<{ success: boolean }> }} [LIMIT] how often one address may ask beside pulls
 * @property {string} [POLICY_SECRET] who bears it may push a policy
 */
/** @typedef {import("sealgate/config").Settings & import("./policy.js").PolicyBindings & Bindings} Env */
/** @typedef {{ fetch(input: string | Request, init?: RequestInit): Promise<Response> }} Fetcher */
/** @typedef {{ waitUntil(promise: Promise<unknown>): void }} Context */

/** What is not a pull, costs as much as one, and may be asked for by anybody. */
const LIMITED = /^\/(admin|api|badge|relay)(\/|$)/;

/** A module of the package, in the page's addresses; and the element for docs. */
const MODULE = /^\/sealgate\/([\w-]+\.(?:css|js|wasm))$/;

/** Of this isolate: it holds the gateway, which holds the parsed policy. */
const running = createRunning(makeGateway, log);
/** Of this isolate, whatever the policy. @type {import("./store.js").Store | undefined} */
let store;
/** When the gateway was told to forget, in milliseconds: one that takes its place must not remember it either. */
let flushed = 0;

export default {
	/**
	 * @param {Request} request
	 * @param {Env} bound
	 * @param {Context} ctx
	 * @returns {Promise<Response>}
	 */
	async fetch(request, bound, ctx) {
		const env = whatIsThere(bound);
		const path = pathOf(request.url);
		if (await isTooMuch(path, request, env)) return tooMany();
		if (path === "/admin/policy") return policyAnswer(request, env, running);
		const { body, headers, ...head } = await answer(request, {
			gateway: () => running.gateway(env),
			fetch: /** @type {import("sealgate/shell").Lent["fetch"]} */ (
				upstreamFetch(env)
			),
			// The body passes natively, without a copy in JavaScript.
			discard: (body) => /** @type {ReadableStream | null} */ (body)?.cancel(),
			patience: requestTimeout(env),
			assets: env.ASSETS ?? pageOf(env.PACKAGE),
			waitUntil: (promise) => ctx.waitUntil(promise),
			flushed: () => {
				flushed = Date.now();
			},
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

/** What is bound stays the same for as long as the isolate lives. @type {{ bound?: Env, env?: Env }} */
const known = {};

/**
 * What is empty counts as not there, as in Node; workerd binds `null` where a variable of the environment is not set.
 *
 * @param {Env} bound
 * @returns {Env}
 */
function whatIsThere(bound) {
	if (known.env !== undefined && known.bound === bound) return known.env;
	const there = Object.entries(bound).filter(
		([, value]) => value !== null && value !== "",
	);
	known.env = /** @type {Env} */ (Object.fromEntries(there));
	known.bound = bound;
	return known.env;
}

/**
 * @param {Env} env with the policy
 */
async function makeGateway(env) {
	store ??= storeOf(env);
	return Gateway.create(
		{ ...configOf(env), ...(flushed > 0 && { since: flushed }) },
		{
			fetch: upstreamFetch(env),
			requestTimeout: requestTimeout(env),
			endsRequests: true,
			...store,
		},
	);
}

/** @param {Env} env */
function storeOf({ STATE, SECRET }) {
	if (STATE !== undefined && SECRET === undefined)
		log({
			event: "store",
			code: "store.no-secret",
			message:
				"expected SECRET, the same for every instance, because what is remembered in STATE carries an HMAC under it; found none, so each isolate remembers for itself alone: wrangler secret put SECRET, or in workerd the environment",
		});
	return createStore(SECRET === undefined ? undefined : STATE, log);
}

/** @param {string} url */
function pathOf(url) {
	return URL.canParse(url) ? new URL(url).pathname : "";
}

/**
 * The page's own files are below www/ in the package, and its modules, by `/sealgate/`, beside that. Nothing else is given out.
 *
 * @param {Fetcher} [files]
 * @returns {Fetcher | undefined}
 */
function pageOf(files) {
	if (files === undefined) return undefined;
	return {
		async fetch(asked, init) {
			const { pathname } = new URL(String(asked));
			const file = MODULE.exec(pathname)?.[1] ?? `www${pathname}`;
			return files.fetch(`http://package.invalid/${file}`, init);
		},
	};
}

/**
 * A limit that cannot be asked limits nobody: it protects the budget of those who pull, and no image.
 *
 * @param {string} path
 * @param {Request} request
 * @param {Env} env
 */
async function isTooMuch(path, { headers }, { LIMIT }) {
	if (LIMIT === undefined || !LIMITED.test(path)) return false;
	const key = headers.get("cf-connecting-ip") ?? "";
	const { success } = await LIMIT.limit({ key }).catch(() => ({
		success: true,
	}));
	return !success;
}

function tooMany() {
	const message =
		"sealgate: too many requests from this address; try again in a minute";
	return Response.json(
		{ errors: [{ code: "TOOMANYREQUESTS", message }] },
		{
			status: 429,
			headers: { "retry-after": "60", "cache-control": "no-store" },
		},
	);
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
		if (DEMO !== undefined && isOfDemo(url))
			return demoRegistry(new Request(url, init), DEMO);
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
