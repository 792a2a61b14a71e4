// Which requests go through a proxy, by $HTTPS_PROXY and $NO_PROXY as curl and Go read them.

import { BlockList, isIP } from "node:net";
import { codedError } from "../error.js";

/** What a request tells the agent that opens a tunnel for it. */
export const SIGNAL = Symbol("signal");

/** @typedef {{ url: URL, shown: string, authorization?: string }} Proxy */

/** @param {Record<string, string | undefined>} environment @returns {(url: URL) => Proxy | undefined} */
export function proxies(environment) {
	// The spelling in lower case counts first, as with curl.
	const [name, text] = read(environment, "https_proxy");
	if (text === undefined) return () => undefined;
	const proxy = parseProxy(name, text);
	const [, list = ""] = read(environment, "no_proxy");
	const direct = list
		.split(/[\s,]+/)
		.filter(Boolean)
		.map(exception);
	return (url) =>
		url.protocol !== "https:" ||
		isLoopback(url.hostname) ||
		direct.some((matches) => matches(url))
			? undefined
			: proxy;
}

/** @param {Record<string, string | undefined>} environment @param {string} name @returns {[string, string | undefined]} */
function read(environment, name) {
	const upper = name.toUpperCase();
	if (environment[name]) return [name, environment[name]];
	return [upper, environment[upper] || undefined];
}

/** Its password is in no message. @param {string} name @param {string} text @returns {Proxy} */
function parseProxy(name, text) {
	const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
	const parsed = URL.canParse(url) ? new URL(url) : undefined;
	if (
		parsed === undefined ||
		parsed.hostname === "" ||
		!["http:", "https:"].includes(parsed.protocol)
	)
		throw codedError(
			"proxy.address",
			`$${name}: expected http://[user:password@]host:port or https://…, found ${parsed === undefined ? "something else" : JSON.stringify(`${parsed.protocol}//…`)}`,
		);
	const { username, password } = parsed;
	const authorization =
		username === "" && password === ""
			? {}
			: {
					authorization: `Basic ${Buffer.from(`${decode(name, username)}:${decode(name, password)}`).toString("base64")}`,
				};
	return {
		url: parsed,
		shown: `${parsed.protocol}//${parsed.host}`,
		...authorization,
	};
}

/** @param {string} name @param {string} text */
function decode(name, text) {
	try {
		return decodeURIComponent(text);
	} catch {
		throw codedError(
			"proxy.address",
			`$${name}: expected user and password with % only as in %40, found another one: write %25 for it`,
		);
	}
}

/** @param {string} hostname as a URL has it */
function isLoopback(hostname) {
	const bare = bareHost(hostname);
	if (isIP(bare) === 4) return bare.startsWith("127.");
	return bare === "::1" || bare === "localhost" || bare.endsWith(".localhost");
}

/** @param {string} hostname */
function bareHost(hostname) {
	return hostname
		.replace(/^\[|\]$/g, "")
		.replace(/\.$/, "")
		.toLowerCase();
}

/** One entry of $NO_PROXY. @param {string} entry @returns {(url: URL) => boolean} */
function exception(entry) {
	if (entry === "*") return () => true;
	const network = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(entry);
	if (network) return inNetwork(network[1] ?? "", Number(network[2]));
	const [, bracketed, plain, port] =
		/^(?:\[([0-9a-f:.]+)\]|(.*?))(?::(\d+))?$/i.exec(
			isIP(entry) === 6 ? `[${entry}]` : entry,
		) ?? [];
	const host = bareHost(bracketed ?? plain ?? "").replace(/^\*?\./, "");
	if (host === "") return () => false;
	return ({ hostname, port: asked }) => {
		const bare = bareHost(hostname);
		const same =
			bare === host ||
			(isIP(bare) === 0 && isIP(host) === 0 && bare.endsWith(`.${host}`));
		return same && (port === undefined || port === (asked || "443"));
	};
}

/** @param {string} address @param {number} prefix @returns {(url: URL) => boolean} */
function inNetwork(address, prefix) {
	const version = isIP(address);
	if (version === 0 || prefix > (version === 4 ? 32 : 128)) return () => false;
	const list = new BlockList();
	const family = version === 4 ? "ipv4" : "ipv6";
	list.addSubnet(address, prefix, family);
	return ({ hostname }) => {
		const bare = bareHost(hostname);
		return isIP(bare) === version && list.check(bare, family);
	};
}
