// What every runtime does with what the gateway decides: worker/index.js in workerd, js/serve/ in Node.
//
// The gateway decides what happens to a request; this file only carries that out. It holds no rule about images, signatures
// or policies, and whatever goes wrong in it ends as a 503 without content. It touches no body: what a runtime lends is what
// that runtime gets back.

/** @typedef {import("./index.d.ts").Action} Action */
/** @typedef {{ readonly method: string, readonly url: string, readonly headers: Headers }} Asked */
/** @typedef {{ status: number, statusText?: string, headers: [string, string][], body: unknown }} Answer no body: null */
/** @typedef {{ readonly status: number, readonly headers: Headers, readonly body: unknown }} Upstream */
/** @typedef {{ fetch(url: string, init: { method: string }): Promise<{ readonly ok: boolean, readonly headers: Headers, readonly body: unknown }> }} Files */

/**
 * What a runtime lends for one request.
 *
 * @typedef {object} Lent
 * @property {() => Promise<import("./index.d.ts").Gateway>} gateway the one that is running
 * @property {(url: string, init: { method: string, headers: [string, string][], signal: AbortSignal, egress: "operator" }) => Promise<Upstream>} fetch asks the registry, for what is passed on as it comes
 * @property {(body: unknown) => unknown} discard ends a body of `fetch` that nobody wants
 * @property {number} patience milliseconds that one request waits
 * @property {Files} [assets] the page's
 * @property {AbortSignal} [gone] that the client has gone: then nothing more is asked for it, and what fails because of it is no failure
 * @property {() => void} [flushed] told when the gateway was told to forget: what was kept for it is to be forgotten, too
 * @property {(promise: Promise<unknown>) => void} [waitUntil] where a runtime ends what a request leaves behind
 */

/** An upstream that has not sent its headers after this time counts as one that does not answer. */
const UPSTREAM_TIMEOUT_MS = 30_000;

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

/** The package itself is no secret, and other websites load the element for docs from here. */
const PACKAGE_HEADERS = {
	"access-control-allow-origin": "*",
	"cross-origin-resource-policy": "cross-origin",
};

/** Who asks with a hash (`v`) checks what it gets, so that it may be kept. */
const KEPT = { "cache-control": "public, max-age=3600" };

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

/**
 * @param {Asked} request
 * @param {Lent} lent
 * @returns {Promise<Answer>}
 */
export async function answer(request, lent) {
	const started = Date.now();
	if (!URL.canParse(request.url)) return malformed(request);
	try {
		const gateway = await lent.gateway();
		const asked = {
			method: request.method,
			url: request.url,
			headers: request.headers,
			time: Math.floor(started / 1000),
		};
		// What is found out for nobody is not found out.
		const action = await gateway.handle(
			asked,
			lent.gone ? { signal: lent.gone } : {},
		);
		if (action.kind === "respond" && action.finished !== undefined)
			lent.waitUntil?.(action.finished);
		const answer = await carryOut(action, request, lent, started);
		if (answer.status === 200 && isFlush(request)) lent.flushed?.();
		const waited = action.timing ? `${action.timing}, ` : "";
		const all = `all;dur=${Date.now() - started}`;
		answer.headers.push(["server-timing", `${waited}${all}`]);
		// One member more in the object's text: nothing of it is read here.
		if (action.log !== undefined)
			console.log(`${action.log.slice(0, -1)},"ms":${Date.now() - started}}`);
		const stored =
			action.log === undefined ? undefined : gateway.storeDecisions();
		if (stored !== undefined) lent.waitUntil?.(stored.catch(tellStore));
		if (gateway.hasNext()) {
			const judged = judgeNext(gateway, asked);
			lent.waitUntil?.(judged);
		}
		return answer;
	} catch (error) {
		const failure = failureOf(error);
		if (!lent.gone?.aborted)
			log({ ...lineOf(failure, request), ms: Date.now() - started });
		return failClosed(failure, request);
	}
}

/**
 * When the answer is on its way: whatever comes of it changes nothing.
 *
 * @param {import("./index.d.ts").Gateway} gateway @param {import("./index.d.ts").GatewayRequest} asked
 */
async function judgeNext(gateway, asked) {
	await new Promise((done) => setTimeout(done));
	try {
		const line = await gateway.judgeNext(asked);
		if (line !== undefined) console.log(line);
	} catch (error) {
		log({ event: "next", ...failureOf(error) });
	}
}

/** @param {Asked} request */
function isFlush({ method, url }) {
	return method === "POST" && new URL(url).pathname === "/admin/flush";
}

/** @param {unknown} error */
function tellStore(error) {
	log({ event: "store", ...failureOf(error) });
}

/** The answer to CONNECT, as it goes over the wire. */
export function noProxy() {
	log({ event: "refused", method: "CONNECT", status: 405 });
	const body = JSON.stringify({
		errors: [
			{ code: "UNSUPPORTED", message: "sealgate: this gateway is no proxy" },
		],
	});
	return `HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
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
 * @param {Asked} request
 * @param {Lent} lent
 * @param {number} started
 */
async function carryOut(action, request, lent, started) {
	switch (action.kind) {
		case "respond":
			return respond(action, request);
		case "stream":
			return stream(action, lent, started);
		case "asset":
			return asset(action, request, lent);
		default:
			throw new Error(
				"the gateway asked for something that this runtime does not know",
			);
	}
}

/**
 * @param {Extract<Action, { kind: 'respond' }>} action
 * @param {Asked} request
 * @returns {Answer}
 */
function respond(action, request) {
	// A HEAD answer keeps the Content-Length that the gateway gave: the length of what GET would send.
	const body = request.method === "HEAD" ? null : (action.body ?? null);
	const { status, headers } = action;
	const statusText = reasonPhrase(action.statusText);
	return { status, ...(statusText && { statusText }), headers, body };
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
 * The body passes as the runtime has it, without a copy here.
 *
 * @param {Extract<Action, { kind: 'stream' }>} action
 * @param {Lent} lent
 * @param {number} started
 */
async function stream(action, lent, started) {
	const { method, url, headers } = action.request;
	const left = lent.patience - (Date.now() - started);
	const upstream = await withTimeout(left, (signal) =>
		lent.fetch(url, { method, headers, signal, egress: "operator" }),
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
	if (upstream.status >= 400) {
		await lent.discard(upstream.body);
		return refusedStream(upstream.status, action, passed);
	}
	const { status, body } = upstream;
	return { status, headers: [...passed], body };
}

/**
 * What comes with an error is the gateway's own.
 *
 * @param {number} status
 * @param {Extract<Action, { kind: 'stream' }>} action
 * @param {Headers} headers
 */
function refusedStream(status, action, headers) {
	const body = new TextEncoder().encode(action.errorBody);
	headers.set("content-type", "application/json");
	headers.set("content-length", String(body.length));
	for (const name of ["content-range", "etag", "last-modified"])
		headers.delete(name);
	return {
		status,
		headers: [...headers],
		body: action.request.method === "HEAD" ? null : body,
	};
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
 * @param {Asked} request
 * @param {Lent} lent
 */
async function asset(action, request, lent) {
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
			: await lent.assets?.fetch(`http://page.invalid${path}`, {
					method: request.method,
				});
	if (type === undefined || file === undefined || !file.ok)
		return notFound(request);
	const isPackage = path.startsWith("/sealgate/");
	const headers = new Headers({
		...PAGE_HEADERS,
		...(isPackage && PACKAGE_HEADERS),
		...(isPackage && new URL(request.url).searchParams.has("v") && KEPT),
		"content-type": type,
	});
	const length = file.headers.get("content-length");
	if (length !== null) headers.set("content-length", length);
	const body = request.method === "HEAD" ? null : file.body;
	return { status: 200, headers: [...headers], body };
}

/** @param {Asked} request @returns {Answer} */
function notFound(request) {
	return told(request, 404, "not found\n", {
		...PAGE_HEADERS,
		"content-type": "text/plain; charset=utf-8",
	});
}

/** @param {Asked} request @returns {Answer} */
function malformed(request) {
	log({ event: "refused", method: request.method, status: 400 });
	const message = "sealgate: the address is not well-formed";
	const body = JSON.stringify({ errors: [{ code: "NAME_INVALID", message }] });
	return told(request, 400, body, {
		"content-type": "application/json",
		"cache-control": "no-store",
		"x-content-type-options": "nosniff",
	});
}

/**
 * HEAD gets the length of what GET would get.
 *
 * @param {Asked} request
 * @param {number} status
 * @param {string} text
 * @param {Record<string, string>} headers
 * @returns {Answer}
 */
function told(request, status, text, headers) {
	const bytes = new TextEncoder().encode(text);
	const length = String(bytes.length);
	return {
		status,
		headers: Object.entries({ ...headers, "content-length": length }),
		body: request.method === "HEAD" ? null : bytes,
	};
}

/** @param {unknown} error @returns {{ code: unknown, message: string }} */
function failureOf(error) {
	const { code = "internal", message } =
		/** @type {Error & { code?: unknown }} */ (
			error instanceof Error ? error : new Error(String(error))
		);
	return { code, message };
}

/** @param {{ code: unknown, message: string }} failure @param {Asked} request */
function lineOf({ code, message }, { method, url }) {
	const { pathname: path } = new URL(url);
	return { event: "failure", method, path, status: 503, code, message };
}

/**
 * Never content, whatever happened.
 *
 * @param {{ code: unknown }} failure
 * @param {Asked} request
 */
function failClosed({ code }, request) {
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
export function log(line) {
	console.log(JSON.stringify(line));
}
