// The settings of a gateway, by the names that every runtime has for them, as what `Gateway.create` takes.

/**
 * @typedef {object} Settings
 * @property {string} [UPSTREAM] address of the registry, `http(s)://host[:port]`
 * @property {string} [NAME] name by which policies and signatures know that registry
 * @property {string} [REGISTRIES] several registries instead: JSON, `[{"prefix": …, "upstream": …, "name": …}]`
 * @property {string} [UPSTREAM_CREDENTIALS] what registries are asked with: JSON, from `host[:port]` to credentials, or docker's `config.json`
 * @property {string} [CLIENTS] who may ask: JSON, `[{"name": …, "sha256": …, "repositories": […]}]`
 * @property {ArrayBuffer | Uint8Array | string} [POLICY] the policy's bytes
 * @property {ArrayBuffer | Uint8Array | string} [POLICY_NEXT] the bytes of one that decides nothing: what it would change is logged
 * @property {Record<string, string> | string} [POLICY_ASSETS] path as the policy writes it → its bytes in base64
 * @property {Record<string, string> | string} [REGISTRIES_D] file of a registries.d → its bytes in base64; without it attachments are looked at everywhere
 * @property {string} [SECRET] for the HMAC of what is kept in the platform's cache, 16 characters at least; random at each start when absent
 * @property {string} [CORS_ORIGINS] origins of websites that may read evidence, separated by spaces or commas; `*` is every one
 * @property {string} [RELAY] registries that are not behind this gateway, whose evidence it carries to websites: `host[:port]`, separated by spaces or commas
 * @property {string} [PUBLISH_POLICY] `none` leaves the policy out of the evidence; else the part that decides for the image is in it
 * @property {string} [MAX_REQUESTS] requests to the upstream that one request may need, fewer than the standard
 * @property {string} [PUBLIC_URL] by which address clients know this gateway, `http(s)://host[:port]`
 * @property {string} [MODE] `audit` serves what is refused and reports it; anything else enforces
 * @property {string} [ADMIN_SECRET] who bears it may ask `/admin/…`; 16 characters at least
 * @property {string} [FOREIGN_LAYERS] `allow` lets images pass whose layers are foreign by their type and have `urls`
 * @property {string} [EGRESS] `host[:port]`, separated by commas or spaces, that redirects may lead to although they are private
 * @property {string} [REQUEST_TIMEOUT_MS] how long one request waits, less than a minute
 */

/** The settings that are plain text, which a runtime passes on as they are: the gateway reads, and complains of, them itself. */
export const TEXTS = /** @type {const} */ ([
	"PUBLIC_URL",
	"EGRESS",
	"REQUEST_TIMEOUT_MS",
	"CORS_ORIGINS",
	"RELAY",
	"PUBLISH_POLICY",
	"SECRET",
	"MAX_REQUESTS",
	"REGISTRIES",
	"MODE",
	"ADMIN_SECRET",
	"FOREIGN_LAYERS",
	"UPSTREAM_CREDENTIALS",
	"CLIENTS",
]);

/** Those of them that are secret, or lists that change: with `@` before it, the path of a file that holds it, where a runtime has files. */
export const FILES = /** @type {const} */ (["UPSTREAM_CREDENTIALS", "CLIENTS"]);

/** How long one request waits, all in all, unless it is configured lower. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * What is absent or no text stays empty: the gateway says what is wrong with it, in `state()` and in each refusal.
 *
 * @param {Settings} env
 */
export function configOf(env) {
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
		...(env.UPSTREAM_CREDENTIALS !== undefined && {
			upstreamCredentials: env.UPSTREAM_CREDENTIALS,
		}),
		...(env.CLIENTS !== undefined && { clients: env.CLIENTS }),
		policy: bytesOfFile(env.POLICY ?? ""),
		...(env.POLICY_NEXT !== undefined && {
			policyNext: bytesOfFile(env.POLICY_NEXT),
		}),
		assets: files(env.POLICY_ASSETS),
		corsOrigins: listOf(env.CORS_ORIGINS),
		relay: listOf(env.RELAY),
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
		egress: listOf(env.EGRESS),
	};
}

/** @param {Pick<Settings, "REQUEST_TIMEOUT_MS">} env */
export function requestTimeout(env) {
	const asked = Number(env.REQUEST_TIMEOUT_MS);
	return asked > 0 ? Math.min(asked, REQUEST_TIMEOUT_MS) : REQUEST_TIMEOUT_MS;
}

/** What spaces and commas separate. @param {string} [text] */
function listOf(text = "") {
	return text.split(/[\s,]+/).filter((one) => one !== "");
}

/** @param {ArrayBuffer | Uint8Array | string} file */
function bytesOfFile(file) {
	return typeof file === "string"
		? new TextEncoder().encode(file)
		: new Uint8Array(file);
}

/** @param {string} base64 */
function bytesOf(base64) {
	return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
