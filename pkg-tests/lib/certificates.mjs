/**
 * Certificates that no tool would issue: written byte by byte, signed by Node's crypto. For what an attacker hangs on an image.
 *
 * @module
 */
import {
	createHash,
	generateKeyPairSync,
	randomBytes,
	sign,
} from "node:crypto";

/** @typedef {{ publicKey: import("node:crypto").KeyObject, privateKey: import("node:crypto").KeyObject }} Pair */

/** @param {string} curve as OpenSSL names it @returns {Pair} */
export const keyPair = (curve) =>
	generateKeyPairSync("ec", { namedCurve: curve });

/** @param {import("node:crypto").KeyObject} key */
export const spki = (key) => key.export({ type: "spki", format: "der" });

/** One DER value. @param {number} tag @param {Uint8Array[]} parts */
function der(tag, ...parts) {
	const body = Buffer.concat(parts);
	const size =
		body.length < 0x80
			? [body.length]
			: body.length < 0x100
				? [0x81, body.length]
				: [0x82, body.length >> 8, body.length & 255];
	return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (/** @type {Uint8Array[]} */ ...parts) => der(0x30, ...parts);
const set = (/** @type {Uint8Array[]} */ ...parts) => der(0x31, ...parts);
const octets = (/** @type {Uint8Array} */ bytes) => der(0x04, bytes);
const bits = (/** @type {Uint8Array} */ bytes, unused = 0) =>
	der(0x03, Buffer.from([unused]), bytes);
const TRUE = der(0x01, Buffer.from([255]));

/** @param {string} dotted */
function oid(dotted) {
	const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
	const base128 = (/** @type {number} */ value) => {
		const out = [value & 127];
		for (let left = value >> 7; left > 0; left >>= 7)
			out.unshift((left & 127) | 128);
		return out;
	};
	return der(
		0x06,
		Buffer.from([first * 40 + second, ...rest.flatMap(base128)]),
	);
}

/** @param {string} common */
const name = (common) =>
	sequence(set(sequence(oid("2.5.4.3"), der(0x0c, Buffer.from(common)))));
/** @param {string} id @param {Uint8Array} value @param {boolean} [critical] */
const extension = (id, value, critical = false) =>
	sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));
/** `opaque<0..2^16-1>` @param {Uint8Array} bytes */
const prefixed = (bytes) =>
	Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);

const AUTHORITY = [
	extension("2.5.29.19", sequence(TRUE), true),
	extension("2.5.29.15", bits(Buffer.from([0x06]), 1), true),
];
const CODE_SIGNING = extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.3")));

/**
 * A certificate of 2026, signed with SHA-512.
 *
 * @param {{ subject: string, issuer: string, key: import("node:crypto").KeyObject, by: Pair, extensions: Uint8Array[] }} options
 */
function certificate({ subject, issuer, key, by, extensions }) {
	const algorithm = sequence(oid("1.2.840.10045.4.3.4"));
	const time = (/** @type {string} */ text) => der(0x17, Buffer.from(text));
	const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)]));
	const tbs = sequence(
		der(0xa0, der(0x02, Buffer.from([2]))),
		serial,
		algorithm,
		name(issuer),
		sequence(time("260101000000Z"), time("270101000000Z")),
		subject === "" ? sequence() : name(subject),
		spki(key),
		der(0xa3, sequence(...extensions)),
	);
	return sequence(tbs, algorithm, bits(sign("sha512", tbs, by.privateKey)));
}

/** @param {string} subject @param {Pair} own */
export const root = (subject, own) =>
	certificate({
		subject,
		issuer: subject,
		key: own.publicKey,
		by: own,
		extensions: AUTHORITY,
	});

/** An authority that says that another one issued it, and is signed by itself. @param {string} subject @param {string} issuer @param {Pair} own */
export const pretender = (subject, issuer, own) =>
	certificate({
		subject,
		issuer,
		key: own.publicKey,
		by: own,
		extensions: [...AUTHORITY, CODE_SIGNING],
	});

/**
 * A leaf as Fulcio writes it.
 *
 * @param {{ issuer: string, by: Pair, identity: string, oidcIssuer: string, logs?: Uint8Array[], promises?: number }} options logs: SPKIs whose promises it claims to carry
 */
export function leaf({
	issuer,
	by,
	identity,
	oidcIssuer,
	logs = [],
	promises = 0,
}) {
	const promise = (/** @type {number} */ at) => {
		const time = Buffer.alloc(8);
		time.writeBigUInt64BE(BigInt(Date.parse("2026-11-25T13:50:00Z") + at));
		const log = createHash("sha256")
			.update(logs[at % logs.length] ?? Buffer.alloc(0))
			.digest();
		const signature = sequence(
			der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(31)])),
			der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(31)])),
		);
		return prefixed(
			Buffer.concat([
				Buffer.from([0]),
				log,
				time,
				prefixed(Buffer.alloc(0)),
				Buffer.from([4, 3]),
				prefixed(signature),
			]),
		);
	};
	const list = prefixed(
		Buffer.concat(Array.from({ length: promises }, (_, at) => promise(at))),
	);
	return certificate({
		subject: "",
		issuer,
		key: keyPair("prime256v1").publicKey,
		by,
		extensions: [
			extension("2.5.29.15", bits(Buffer.from([0x80]), 7), true),
			CODE_SIGNING,
			extension("2.5.29.17", sequence(der(0x86, Buffer.from(identity))), true),
			extension("1.3.6.1.4.1.57264.1.8", der(0x0c, Buffer.from(oidcIssuer))),
			...(promises > 0
				? [extension("1.3.6.1.4.1.11129.2.4.2", octets(list))]
				: []),
		],
	});
}
