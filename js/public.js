// Addresses that somebody else than the user named (a redirect, a challenge): asked over https, and only where the address that
// is connected to is a public one. A name is looked up once, and what it resolves to is what is connected to.

import { isIP } from "node:net";
import { codedError } from "./error.js";

/** IANA's special-purpose addresses: everything that is not globally reachable. @type {[string, number][]} */
const SPECIAL = [
	["0.0.0.0", 8],
	["10.0.0.0", 8],
	["100.64.0.0", 10],
	["127.0.0.0", 8],
	["169.254.0.0", 16],
	["172.16.0.0", 12],
	["192.0.0.0", 24],
	["192.0.2.0", 24],
	["192.168.0.0", 16],
	["198.18.0.0", 15],
	["198.51.100.0", 24],
	["203.0.113.0", 24],
	["224.0.0.0", 3],
];

/** Made when the first address is asked about: most commands ask about none. */
function makeLists() {
	const { BlockList } = process.getBuiltinModule("node:net");
	const blocked = new BlockList();
	const outside = new BlockList();
	for (const [address, prefix] of SPECIAL) {
		blocked.addSubnet(address, prefix, "ipv4");
		// NAT64 (RFC 6052) carries an IPv4 address in its last four bytes.
		const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
		blocked.addSubnet(
			`64:ff9b::${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`,
			96 + prefix,
			"ipv6",
		);
	}
	// Teredo and 6to4 lead to IPv4 addresses.
	for (const [address, prefix] of /** @type {[string, number][]} */ ([
		["2001::", 32],
		["2001:db8::", 32],
		["2002::", 16],
	]))
		blocked.addSubnet(address, prefix, "ipv6");
	for (const [address, prefix] of /** @type {[string, number][]} */ ([
		["2000::", 3],
		["64:ff9b::", 96],
	]))
		outside.addSubnet(address, prefix, "ipv6");
	return { blocked, outside };
}

/** @type {ReturnType<typeof makeLists> | undefined} */
let lists;

/** @param {string} address as it is written in an answer of DNS */
export function isPublic(address) {
	const bare = address.split("%")[0] ?? "";
	lists ??= makeLists();
	const { blocked, outside } = lists;
	switch (isIP(bare)) {
		case 4:
			return !blocked.check(bare, "ipv4");
		case 6:
			return outside.check(bare, "ipv6") && !blocked.check(bare, "ipv6");
		default:
			return false;
	}
}

/** The platform's own, and where addresses must be public ones, ours. @type {import("./index.d.ts").Fetch} */
export async function guardedFetch(url, init) {
	const fetch = /** @type {import("./index.d.ts").Fetch} */ (
		/** @type {unknown} */ (globalThis.fetch)
	);
	return init.egress === "public" ? publicFetch(url, init) : fetch(url, init);
}

/** @type {import("./index.d.ts").Fetch} */
export async function publicFetch(url, init) {
	checkPublic(new URL(url));
	return send(url, init, { lookup: publicLookup, agent: false });
}

/** What can be said before a name is looked up. @param {URL} url */
export function checkPublic({ protocol, hostname }) {
	const literal = hostname.replace(/^\[|\]$/g, "");
	if (protocol !== "https:") throw refused("it is plain http");
	// No name, so that nothing is looked up.
	if (isIP(literal) !== 0 && !isPublic(literal))
		throw refused(`${literal} is no public address`);
}

/**
 * One request over Node's own sockets, and nothing more: no redirect, no decompression.
 *
 * @param {string} url @param {Parameters<import("./index.d.ts").Fetch>[1]} init
 * @param {import("node:https").RequestOptions} options how it is connected
 */
export async function send(url, init, options) {
	return toResponse(url, init, await ask(url, init, options));
}

/**
 * The same, as Node has it: whoever asks must read the answer, or destroy it.
 *
 * @param {string} url @param {Parameters<import("./index.d.ts").Fetch>[1]} init
 * @param {import("node:https").RequestOptions} options how it is connected
 * @returns {Promise<import("node:http").IncomingMessage>}
 */
export async function ask(url, { method, headers, body, signal }, options) {
	// Loaded when it is needed: where WebAssembly is switched off, Node 22 does not survive the import of node:http.
	const { request } = process.getBuiltinModule(
		url.startsWith("http:") ? "node:http" : "node:https",
	);
	return new Promise((resolve, reject) => {
		const sent = request(
			url,
			{ method, headers: Object.fromEntries(headers), signal, ...options },
			resolve,
		);
		// Also what comes after the answer, which says it itself.
		sent.on("error", reject);
		sent.end(body);
	});
}

/** @param {string} url @param {{ method: string }} init @param {import("node:http").IncomingMessage} answer @returns {import("./index.d.ts").FetchedResponse} */
export function toResponse(url, { method }, answer) {
	const hasBody = method !== "HEAD";
	// Nobody reads what has no body, and an unread answer keeps its connection.
	if (!hasBody) answer.resume();
	return {
		status: answer.statusCode ?? 0,
		url,
		redirected: false,
		headers: {
			forEach: (each) => {
				for (const [name, value] of headersOf(answer)) each(value, name);
			},
		},
		body: hasBody ? piecesOf(answer) : null,
	};
}

/** What is read piece by piece: a web stream would cost more than all else here. @param {import("node:stream").Readable} stream @returns {import("./index.d.ts").Pieces} */
export function piecesOf(stream) {
	// What goes wrong before anybody reads is told to who does.
	stream.on("error", () => {});
	return {
		getReader() {
			const pieces = stream[Symbol.asyncIterator]();
			return {
				read: async () => {
					const { done, value } = await pieces.next();
					return { done: Boolean(done), value };
				},
				cancel: async () => {
					stream.destroy();
				},
			};
		},
	};
}

/** @param {{ rawHeaders: string[] }} message @returns {[string, string][]} names in lower case */
export function headersOf({ rawHeaders }) {
	return rawHeaders.flatMap((name, index) =>
		index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ""]] : [],
	);
}

/** Every address of a name must be a public one. @type {import("node:net").LookupFunction} */
export function publicLookup(hostname, options, done) {
	const dns = process.getBuiltinModule("node:dns");
	dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
		if (error) return done(error, []);
		const private_ = addresses.find(({ address }) => !isPublic(address));
		if (private_)
			return done(
				refused(
					`${hostname} is ${private_.address}, which is no public address`,
				),
				[],
			);
		if (options.all) return done(null, addresses);
		const [first] = addresses;
		return first
			? done(null, first.address, first.family)
			: done(refused(`${hostname} has no address`), []);
	});
}

/** @param {string} reason */
export function refused(reason) {
	return codedError(
		"egress",
		`${reason}, and it was named by a registry and not by you (list a token service that is meant in the option "realms", another host in "egress")`,
	);
}
