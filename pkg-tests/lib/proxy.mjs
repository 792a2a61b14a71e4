/**
 * A reverse proxy that logs what passes and breaks what its rules say: for faults that a real registry will not produce on demand.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";

/**
 * The first rule that matches a request decides; without one it passes unchanged.
 *
 * @typedef {object} Rule
 * @property {RegExp} path matched against path and query
 * @property {string} [method] any, when absent
 * @property {number} [times] how often the rule applies; always, when absent
 * @property {boolean} [drop] cut the connection without an answer
 * @property {number} [delay] milliseconds before anything else
 * @property {string} [rewrite] path to ask the upstream for instead
 * @property {number} [status] replaces the upstream's status; together with `body` the upstream is not asked
 * @property {Record<string, string | null>} [headers] replaced, or removed by null
 * @property {string | Buffer} [body] replaces the upstream's body
 * @property {(body: Buffer) => Buffer} [tamper] changes the upstream's body
 * @property {number} [cut] cut the connection after this many bytes of the body
 * @property {number} [fired] counts how often it was applied
 * @property {number} [stall] nothing more comes after this many bytes of the body; below 0, not even the headers
 */
/** @typedef {{ method: string, path: string, headers: import("node:http").IncomingHttpHeaders, status: number, bytes: number }} LogLine */
/** @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: Buffer }} Answer */

/**
 * @typedef {object} Proxy
 * @property {string} url
 * @property {string} host
 * @property {Rule[]} rules to be changed by tests at any time
 * @property {LogLine[]} log status 0: the connection was cut; bytes: of the body as it was sent
 * @property {() => void} reset forgets rules and log, and cuts the connections that a rule was applied to: some wait for more
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} upstream `http://host:port`
 * @returns {Promise<Proxy>}
 */
export async function startProxy(upstream) {
	/** @type {Rule[]} */
	const rules = [];
	/** @type {LogLine[]} */
	const log = [];
	/** @type {Set<import("node:net").Socket>} */
	const touched = new Set();
	const server = createServer((request, response) => {
		const { socket } = request;
		handle(upstream, rules, log, request, response)
			.then((ruled) => {
				if (!ruled || socket.destroyed || touched.has(socket)) return;
				touched.add(socket);
				socket.once("close", () => touched.delete(socket));
			})
			.catch(() => socket.destroy());
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		server.address()
	);
	return {
		url: `http://127.0.0.1:${port}`,
		host: `127.0.0.1:${port}`,
		rules,
		log,
		reset() {
			rules.length = 0;
			log.length = 0;
			for (const socket of touched) socket.destroy();
		},
		async stop() {
			server.close();
			server.closeAllConnections();
			await once(server, "close");
		},
	};
}

/**
 * @param {string} upstream
 * @param {Rule[]} rules
 * @param {LogLine[]} log
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 * @returns {Promise<boolean>} whether a rule was applied
 */
async function handle(upstream, rules, log, request, response) {
	const { method = "GET", url = "/", headers } = request;
	const line = { method, path: url, headers, status: 0, bytes: 0 };
	log.push(line);
	const rule = take(rules, method, url);
	if (rule?.delay !== undefined)
		await new Promise((done) => setTimeout(done, rule.delay));
	if (rule?.drop) {
		request.socket.destroy();
		return true;
	}
	if (rule?.stall !== undefined && rule.stall < 0) return true;
	const answer =
		rule?.status !== undefined && rule.body !== undefined
			? { status: rule.status, headers: {}, body: Buffer.from(rule.body) }
			: await ask(`${upstream}${rule?.rewrite ?? url}`, request);
	const { status, headers: answerHeaders, body } = apply(rule, answer, method);
	line.status = status;
	line.bytes = method === "HEAD" ? 0 : body.length;
	response.writeHead(status, answerHeaders);
	if (method === "HEAD") response.end();
	else if (rule?.stall !== undefined)
		response.write(body.subarray(0, rule.stall));
	else if (rule?.cut !== undefined)
		response.write(body.subarray(0, rule.cut), () => request.socket.destroy());
	else response.end(body);
	return rule !== undefined;
}

/**
 * @param {Rule[]} rules
 * @param {string} method
 * @param {string} path
 */
function take(rules, method, path) {
	const rule = rules.find(
		(one) =>
			(one.method ?? method) === method &&
			one.path.test(path) &&
			one.times !== 0,
	);
	if (rule?.times !== undefined) rule.times -= 1;
	if (rule) rule.fired = (rule.fired ?? 0) + 1;
	return rule;
}

/**
 * @param {string} url
 * @param {import("node:http").IncomingMessage} from
 * @returns {Promise<Answer>}
 */
async function ask(url, from) {
	const { host: _, ...headers } = from.headers;
	const request = httpRequest(url, { method: from.method, headers });
	from.pipe(request);
	const [response] = await once(request, "response");
	const chunks = [];
	for await (const chunk of response) chunks.push(chunk);
	return {
		status: response.statusCode,
		headers: response.headers,
		body: Buffer.concat(chunks),
	};
}

/**
 * @param {Rule | undefined} rule
 * @param {Answer} answer
 * @param {string} method
 * @returns {Answer}
 */
function apply(rule, answer, method) {
	if (rule === undefined) return answer;
	const body =
		rule.tamper?.(answer.body) ??
		(rule.body === undefined ? answer.body : Buffer.from(rule.body));
	const headers = { ...answer.headers };
	if (method !== "HEAD" || rule.body !== undefined)
		headers["content-length"] = String(body.length);
	delete headers["transfer-encoding"];
	for (const [name, value] of Object.entries(rule.headers ?? {})) {
		if (value === null) delete headers[name];
		else headers[name] = value;
	}
	return { status: rule.status ?? answer.status, headers, body };
}
