// A gateway's request whose answer is remembered: two calls of the module and one request to the registry. What crosses is text,
// and the bytes that go out; nothing is made for such a request that it does not use.

/** @typedef {{ url: string, headers: [string, string][] }} Head what is asked of the registry: HEAD, an address that the operator wrote */

/** What of a client's headers these two calls need; what lets a request in stands last. */
const HEADERS = ["host", "authorization"];

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Lines: the time, the method, the address, then a name and a value for each header. Nothing where a line would not be one.
 *
 * @param {import("./index.d.ts").GatewayRequest} request @param {number} time @returns {string | undefined}
 */
export function requestText({ method, url, headers }, time) {
	// Only of manifests is anything remembered that answers at once.
	if (!url.includes("/manifests/") || /[\r\n]/.test(url)) return undefined;
	// Of a list, the general way takes what it needs.
	const { get } = /** @type {Partial<Headers>} */ (headers);
	if (typeof get !== "function") return undefined;
	let text = `${time}\n${method}\n${url}`;
	for (const name of HEADERS) {
		const value = get.call(headers, name);
		if (value !== null) text += `\n${name}\n${value}`;
	}
	return text;
}

/** @param {string} text lines: the address, then a name and a value for each header @returns {Head} */
export function readHead(text) {
	const [url = "", ...flat] = text.split("\n");
	return { url, headers: pairs(flat, 0) };
}

/**
 * Lines: the status, the reason phrase, the log's line, then a name and a value for each header. After them, where there is a body,
 * a zero byte and the body.
 *
 * @param {Uint8Array} bytes @returns {import("./index.d.ts").Action}
 */
export function readAction(bytes) {
	const end = bytes.indexOf(0);
	const head = end === -1 ? bytes : bytes.subarray(0, end);
	const flat = decoder.decode(head).split("\n");
	const [status, statusText, log] = flat;
	return {
		kind: "respond",
		status: Number(status),
		...(statusText && { statusText }),
		headers: pairs(flat, 3),
		...(end !== -1 && { body: bytes.subarray(end + 1) }),
		...(log && { log }),
	};
}

/** @param {string[]} flat @param {number} from */
function pairs(flat, from) {
	/** @type {[string, string][]} */
	const list = [];
	for (let at = from; at + 1 < flat.length; at += 2)
		list.push([flat[at] ?? "", flat[at + 1] ?? ""]);
	return list;
}
