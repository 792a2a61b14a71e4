/**
 * The edge worker: a thin shell around the gateway of the `sealgate` package.
 *
 * The gateway decides what happens to a request; this file only carries that out. It holds no rule about images, signatures
 * or policies, and whatever goes wrong in it ends as a 503 without content.
 *
 * @module
 */
import { Gateway } from "sealgate";
import { demoRegistry } from "./demo.js";
import { createStore } from "./store.js";

/**
 * What the platform binds. `UPSTREAM_CREDENTIALS` and `CLIENTS` are reserved for what the
 * documentation calls the long form.
 *
 * @typedef {object} Env
 * @property {string} [UPSTREAM] address of the registry, `http(s)://host[:port]`
 * @property {string} [REGISTRIES] several registries instead: JSON, `[{"prefix": …, "upstream": …, "name": …}]`
 * @property {string} [NAME] name by which policies and signatures know that registry
 * @property {ArrayBuffer | string} [POLICY] the policy's bytes
 * @property {ArrayBuffer | string} [POLICY_NEXT] the bytes of a policy that decides nothing: what it would change is logged
 * @property {Record<string, string> | string} [POLICY_ASSETS] path as the policy writes it → its bytes in base64
 * @property {Record<string, string> | string} [REGISTRIES_D] file of a registries.d → its bytes in base64; without it attachments are looked at everywhere
 * @property {string} [SECRET] for the HMAC of what is kept in the platform's cache, 16 characters at least; random at each start when absent
 * @property {string} [CORS_ORIGINS] origins of websites that may read evidence, separated by spaces or commas; `*` is every one
 * @property {string} [PUBLISH_POLICY] `none` leaves the policy out of the evidence; else the part that decides for the image is in it
 * @property {string} [MAX_REQUESTS] requests to the upstream that one request may need, fewer than the standard
 * @property {string} [PUBLIC_URL] by which address clients know this gateway, `http(s)://host[:port]`
 * @property {string} [MODE] `audit` serves what is refused and reports it; anything else enforces
 * @property {string} [ADMIN_SECRET] who bears it may ask `/admin/…`; 16 characters at least
 * @property {string} [FOREIGN_LAYERS] `allow` lets images pass whose layers are foreign by their type and have `urls`
 * @property {string} [EGRESS] `host[:port]`, separated by commas or spaces, that redirects may lead to although they are private
 * @property {string} [REQUEST_TIMEOUT_MS] how long one request waits, less than a minute
 * @property {Fetcher} [UPSTREAMS] reaches private networks, for addresses that the operator wrote; the worker's own outbound must not
 * @property {Fetcher} [ASSETS] the page's files
 * @property {Fetcher} [DEMO] the OCI layouts of the embedded demo registry; bound only when that is the upstream
 */
/** @typedef {{ fetch(input: string | Request, init?: RequestInit): Promise<Response> }} Fetcher */
/** @typedef {{ waitUntil(promise: Promise<unknown>): void }} Context */
/** @typedef {import("sealgate").Action} Action */

/** An upstream that has not sent its headers after this time counts as one that does not answer. */
const UPSTREAM_TIMEOUT_MS = 30_000;

/** How long one request waits, all in all, unless it is configured lower. */
const REQUEST_TIMEOUT_MS = 60_000;

/** The page may run its own scripts and its own WASM, and talk to this worker; nothing else. */
const PAGE_HEADERS = {
	"content-security-policy":
		"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"x-content-type-options": "nosniff",
	"referrer-policy": "no-referrer",
	"cross-origin-opener-policy": "same-origin",
	"cache-control": "no-cache",
};

/** @type {Record<string, string>} */
const CONTENT_TYPES = {
	css: "text/css; charset=utf-8",
	html: "text/html; charset=utf-8",
	ico: "image/x-icon",
	js: "text/javascript; charset=utf-8",
	json: "application/json",
	mjs: "text/javascript; charset=utf-8",
	png: "image/png",
	pub: "text/plain; charset=utf-8",
	svg: "image/svg+xml",
	txt: "text/plain; charset=utf-8",
	wasm: "application/wasm",
	webmanifest: "application/manifest+json",
};

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
		const started = Date.now();
		if (!URL.canParse(request.url)) return malformed(request);
		try {
			const running = await runningGateway(env);
			const action = await running.handle({
				method: request.method,
				url: request.url,
				headers: request.headers,
				time: Math.floor(started / 1000),
			});
			if (action.kind === "respond" && action.finished !== undefined)
				ctx.waitUntil(action.finished);
			const response = await carryOut(action, request, env, started);
			// One member more in the object's text: nothing of it is read here.
			if (action.log !== undefined)
				console.log(`${action.log.slice(0, -1)},"ms":${Date.now() - started}}`);
			if (env.POLICY_NEXT !== undefined)
				ctx.waitUntil(judgeNext(running, request));
			return response;
		} catch (error) {
			return failClosed(error, request, Date.now() - started);
		}
	},

	/**
	 * CONNECT. The runtime has agreed to it already; the tunnel leads here, where a request line gets its answer, and no further.
	 *
	 * @param {{ writable: WritableStream<Uint8Array> }} socket
	 */
	async connect(socket) {
		log({ event: "refused", method: "CONNECT", status: 405 });
		const writer = socket.writable.getWriter();
		const body = JSON.stringify({
			errors: [
				{ code: "UNSUPPORTED", message: "sealgate: this gateway is no proxy" },
			],
		});
		await writer.write(
			new TextEncoder().encode(
				`HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
			),
		);
		await writer.close();
	},
};

/**
 * Whatever comes of it, the answer is out.
 *
 * @param {Gateway} running
 * @param {Request} request
 */
async function judgeNext(running, { method, url, headers }) {
	try {
		const line = await running.judgeNext({ method, url, headers });
		if (line !== undefined) console.log(line);
	} catch (error) {
		log({ event: "next", failure: messageOf(error) });
	}
}

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
 * What is absent or no text stays empty: the gateway says what is wrong with it, in `state()` and in each refusal.
 *
 * @param {Env} env
 */
function configOf(env) {
	const files = (/** @type {unknown} */ given) =>
		Object.fromEntries(
			Object.entries(
				typeof given === "string" ? JSON.parse(given) : (given ?? {}),
			).map(([path, base64]) => [path, bytesOf(String(base64))]),
		);
	return {
		upstream: env.UPSTREAM ?? "",
		name: env.NAME ?? "",
		...(env.REGISTRIES !== undefined && { registries: env.REGISTRIES }),
		policy: bytesOfFile(env.POLICY ?? ""),
		...(env.POLICY_NEXT !== undefined && {
			policyNext: bytesOfFile(env.POLICY_NEXT),
		}),
		assets: files(env.POLICY_ASSETS),
		corsOrigins: (env.CORS_ORIGINS ?? "")
			.split(/[\s,]+/)
			.filter((origin) => origin !== ""),
		publishPolicy: env.PUBLISH_POLICY !== "none",
		...(env.SECRET === undefined ? {} : { secret: env.SECRET }),
		...(env.MAX_REQUESTS === undefined
			? {}
			: { requests: Number(env.MAX_REQUESTS) }),
		...(env.REGISTRIES_D === undefined
			? {}
			: { registriesD: files(env.REGISTRIES_D) }),
		publicUrl: env.PUBLIC_URL ?? "",
		mode: env.MODE ?? "enforce",
		...(env.ADMIN_SECRET && { adminSecret: env.ADMIN_SECRET }),
		foreignLayers: env.FOREIGN_LAYERS === "allow",
		egress: (env.EGRESS ?? "").split(/[\s,]+/).filter((host) => host !== ""),
	};
}

/** @param {Env} env */
function requestTimeout(env) {
	const asked = Number(env.REQUEST_TIMEOUT_MS);
	return asked > 0 ? Math.min(asked, REQUEST_TIMEOUT_MS) : REQUEST_TIMEOUT_MS;
}

/** @param {ArrayBuffer | string} file */
function bytesOfFile(file) {
	return typeof file === "string"
		? new TextEncoder().encode(file)
		: new Uint8Array(file);
}

/** @param {string} base64 */
function bytesOf(base64) {
	return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
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
 * Bounds the time to the headers only: a layer may stream for as long as it takes.
 *
 * @param {number} left milliseconds that the request has
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask
 */
async function withTimeout(left, ask) {
	const abort = new AbortController();
	const patience = Math.max(0, Math.min(UPSTREAM_TIMEOUT_MS, left));
	const reason = new DOMException(
		`no answer within ${patience / 1000} seconds`,
		"TimeoutError",
	);
	const timer = setTimeout(() => abort.abort(reason), patience);
	try {
		return await ask(abort.signal);
	} finally {
		clearTimeout(timer);
	}
}

/**
 * @param {Action} action
 * @param {Request} request
 * @param {Env} env
 * @param {number} started
 */
async function carryOut(action, request, env, started) {
	switch (action.kind) {
		case "respond":
			return respond(action, request);
		case "stream":
			return stream(action, env, started);
		case "asset":
			return asset(action, request, env);
		default:
			throw new Error(
				"the gateway asked for something that this worker does not know",
			);
	}
}

/**
 * @param {Extract<Action, { kind: 'respond' }>} action
 * @param {Request} request
 */
function respond(action, request) {
	// A HEAD answer keeps the Content-Length that the gateway gave: the length of what GET would send.
	const body = request.method === "HEAD" ? null : (action.body ?? null);
	return new Response(/** @type {BodyInit | null} */ (body), {
		status: action.status,
		statusText: reasonPhrase(action.statusText),
		headers: record(action.headers),
	});
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

/**
 * RFC 9112 section 4: only visible ASCII and spaces are sure to arrive.
 *
 * @param {string} [text]
 */
function reasonPhrase(text) {
	return text?.replaceAll(/[^\x20-\x7e]/g, "?");
}

/**
 * The body passes natively, without a copy in JavaScript.
 *
 * @param {Extract<Action, { kind: 'stream' }>} action
 * @param {Env} env
 * @param {number} started
 */
async function stream(action, env, started) {
	const { method, url, headers } = action.request;
	const upstream = /** @type {Response} */ (
		await withTimeout(requestTimeout(env) - (Date.now() - started), (signal) =>
			upstreamFetch(env)(url, { method, headers, signal, egress: "operator" }),
		)
	);
	const passed = new Headers();
	for (const name of action.pass) {
		const value = upstream.headers.get(name);
		if (value !== null) passed.set(name, value);
	}
	if (passed.has("location"))
		passed.set(
			"location",
			mapLocation(passed.get("location") ?? "", url, action.location),
		);
	if (passed.has("link"))
		passed.set("link", mapLink(passed.get("link") ?? "", url, action.location));
	// The runtime decodes what it was not told to pass on encoded; the encoded length would then be wrong.
	if (
		upstream.headers.has("content-encoding") &&
		!passed.has("content-encoding")
	)
		passed.delete("content-length");
	for (const [name, value] of action.set) passed.set(name, value);
	if (upstream.status >= 400) return refusedStream(upstream, action, passed);
	return new Response(upstream.body, {
		status: upstream.status,
		headers: passed,
	});
}

/**
 * What comes with an error is the gateway's own.
 *
 * @param {Response} upstream
 * @param {Extract<Action, { kind: 'stream' }>} action
 * @param {Headers} headers
 */
async function refusedStream(upstream, action, headers) {
	await upstream.body?.cancel();
	const body = new TextEncoder().encode(action.errorBody);
	headers.set("content-type", "application/json");
	headers.set("content-length", String(body.length));
	for (const name of ["content-range", "etag", "last-modified"])
		headers.delete(name);
	return new Response(action.request.method === "HEAD" ? null : body, {
		status: upstream.status,
		headers,
	});
}

/**
 * @param {string} location as the upstream wrote it, perhaps relative
 * @param {string} base
 * @param {{ from: string, to: string }} [mapping]
 */
function mapLocation(location, base, mapping) {
	const absolute = new URL(location, base).href;
	// Both in the one spelling that URLs have: upper case and default ports are gone.
	const from = mapping === undefined ? "" : new URL(mapping.from).href;
	return mapping !== undefined && absolute.startsWith(from)
		? mapping.to + absolute.slice(from.length)
		: absolute;
}

/**
 * RFC 8288 section 3: each target stands in angle brackets. Relative ones hold here as they hold there.
 *
 * @param {string} link
 * @param {string} base
 * @param {{ from: string, to: string }} [mapping]
 */
function mapLink(link, base, mapping) {
	return link.replaceAll(
		/<([^<>]*)>/g,
		(whole, /** @type {string} */ target) =>
			URL.canParse(target) ? `<${mapLocation(target, base, mapping)}>` : whole,
	);
}

/**
 * @param {Extract<Action, { kind: 'asset' }>} action
 * @param {Request} request
 * @param {Env} env
 */
async function asset(action, request, env) {
	const path = action.path.endsWith("/")
		? `${action.path}index.html`
		: action.path;
	// One slash at a time: two at the start name a host, and the file service would list its root.
	const type =
		path.startsWith("/") && !path.includes("//")
			? CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)]
			: undefined;
	// A name without a known ending is a directory (which the file service would list) or nothing of the page's.
	const file =
		type === undefined
			? undefined
			: await env.ASSETS?.fetch(`http://page.invalid${path}`, {
					method: request.method,
				});
	if (type === undefined || file === undefined || !file.ok)
		return notFound(request);
	const headers = new Headers({ ...PAGE_HEADERS, "content-type": type });
	const length = file.headers.get("content-length");
	if (length !== null) headers.set("content-length", length);
	return new Response(request.method === "HEAD" ? null : file.body, {
		headers,
	});
}

/** @param {Request} request */
function notFound(request) {
	const text = "not found\n";
	return new Response(request.method === "HEAD" ? null : text, {
		status: 404,
		headers: {
			...PAGE_HEADERS,
			"content-type": "text/plain; charset=utf-8",
			"content-length": String(text.length),
		},
	});
}

/** @param {Request} request */
function malformed(request) {
	log({ event: "refused", method: request.method, status: 400 });
	const body = JSON.stringify({
		errors: [
			{
				code: "NAME_INVALID",
				message: "sealgate: the address is not well-formed",
			},
		],
	});
	return new Response(request.method === "HEAD" ? null : body, {
		status: 400,
		headers: {
			"content-type": "application/json",
			"cache-control": "no-store",
			"x-content-type-options": "nosniff",
		},
	});
}

/**
 * Never content, whatever happened.
 *
 * @param {unknown} error
 * @param {Request} request
 * @param {number} ms
 */
function failClosed(error, request, ms) {
	const { code = "internal", message } =
		/** @type {Error & { code?: string }} */ (
			error instanceof Error ? error : new Error(String(error))
		);
	const { pathname } = new URL(request.url);
	log({
		event: "failure",
		method: request.method,
		path: pathname,
		status: 503,
		code,
		message,
		ms,
	});
	// The message may name the upstream's address: it is for the log.
	const text = `sealgate: this request could not be judged, so nothing is served (${code}). Try again; when it stays, look into the gateway's log.`;
	const body = new TextEncoder().encode(
		JSON.stringify({ errors: [{ code: "UNAVAILABLE", message: text }] }),
	);
	return respond(
		{
			kind: "respond",
			status: 503,
			statusText: "Service Unavailable: sealgate: could not find out",
			headers: [
				["content-type", "application/json"],
				["content-length", String(body.length)],
				["cache-control", "no-store"],
				["docker-distribution-api-version", "registry/2.0"],
				["x-content-type-options", "nosniff"],
			],
			body,
		},
		request,
	);
}

/** @param {object} line */
function log(line) {
	console.log(JSON.stringify(line));
}
