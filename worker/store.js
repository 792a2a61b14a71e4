/**
 * Where the gateway's hints and verdicts live beyond this isolate: in a Durable Object for each repository where `STATE` is bound,
 * else in the platform's Cache API. And what was decided, in one for each day: where there are none, nowhere else.
 *
 * Trusted for nothing: the gateway checks whatever it loads. Losing everything costs time only, so every failure of the store
 * reads as "not there", and what takes too long has failed. What this isolate itself remembers stands in the gateway.
 *
 * @module
 */

/** @typedef {{ load(key: string): Promise<string | null>, save(key: string, value: string, seconds: number): Promise<void> }} Records */
/** @typedef {Records & { append?(log: string, record: string, seconds: number): Promise<void>, readBack?(log: string, holding: string[], before: string): Promise<string | null> }} Store */
/** @typedef {Records & { append(record: string, seconds: number): Promise<void>, readBack(holding: string[], before: string): Promise<string> }} Kept */
/** @typedef {{ idFromName(name: string): any, get(id: any): Kept }} Namespace of Durable Objects of the class RepositoryState */

/** No request ever goes there: the Cache API wants URLs as keys. */
const KEY_BASE = "https://state.sealgate.invalid/";
/** A verification costs about as much; objects answer in a tenth of it. */
const PATIENCE_MS = 1_000;
/** For how long a store that failed is left alone: a pull asks it many times. */
const QUIET_MS = 10_000;

/**
 * @param {Namespace} [objects]
 * @param {(line: object) => void} [tell] the operator, when a store fails
 * @returns {Store}
 */
export function createStore(objects, tell = () => {}) {
	return objects === undefined
		? cacheStore()
		: withPatience(objectStore(objects), tell);
}

/** @param {Namespace} objects @returns {Required<Store>} */
function objectStore(objects) {
	const objectOf = (/** @type {string} */ key) =>
		objects.get(objects.idFromName(objectName(key)));
	return {
		load: (key) => objectOf(key).load(key),
		save: (key, value, seconds) => objectOf(key).save(key, value, seconds),
		append: (log, record, seconds) => objectOf(log).append(record, seconds),
		readBack: (log, holding, before) => objectOf(log).readBack(holding, before),
	};
}

/**
 * The object in which a record is: its repository's (`hints/<upstream>/<repository>`, `news/…`, `content/<upstream>/<repository>/<digest>`,
 * `verdict/<upstream>/<repository>/<hash>`), or that of a log (`decisions/<day>`).
 *
 * @param {string} key
 */
export function objectName(key) {
	const kind = key.slice(0, key.indexOf("/"));
	const rest = key.slice(kind.length + 1);
	switch (kind) {
		case "news":
		case "hints":
			return `repository/${rest}`;
		case "content":
		case "verdict":
			return `repository/${rest.slice(0, rest.lastIndexOf("/"))}`;
		default:
			return key;
	}
}

/**
 * Nothing waits long for it: neither once, nor again and again.
 *
 * @param {Required<Store>} store
 * @param {(line: object) => void} tell
 * @returns {Required<Store>}
 */
function withPatience(store, tell) {
	let quietUntil = 0;

	/** @template T @param {() => Promise<T>} ask @returns {Promise<T | null>} */
	async function patiently(ask) {
		if (Date.now() < quietUntil) return null;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer;
		const late = new Promise((_, fail) => {
			timer = setTimeout(
				() => fail(new Error(`no answer within ${PATIENCE_MS} ms`)),
				PATIENCE_MS,
			);
		});
		try {
			return await /** @type {Promise<T>} */ (Promise.race([ask(), late]));
		} catch (error) {
			// Of those that were waiting at once, one tells it.
			if (Date.now() >= quietUntil)
				tell({
					event: "store",
					code: "store.failed",
					message: `what was remembered is not used for ${QUIET_MS / 1_000} seconds: ${error instanceof Error ? error.message : error}`,
				});
			quietUntil = Date.now() + QUIET_MS;
			return null;
		} finally {
			clearTimeout(timer);
		}
	}

	return {
		load: (key) => patiently(() => store.load(key)),
		async save(key, value, seconds) {
			await patiently(() => store.save(key, value, seconds));
		},
		async append(log, record, seconds) {
			await patiently(() => store.append(log, record, seconds));
		},
		readBack: (log, holding, before) =>
			patiently(() => store.readBack(log, holding, before)),
	};
}

/** Plain workerd has a Cache API only when one is configured, and throws otherwise. @returns {Store} */
function cacheStore() {
	let there = true;
	const cache = () =>
		/** @type {Cache} */ (/** @type {any} */ (caches).default);

	/** @param {string} key */
	const urlOf = (key) => KEY_BASE + encodeURIComponent(key);

	return {
		async load(key) {
			if (!there) return null;
			try {
				const found = await cache().match(urlOf(key));
				return found === undefined ? null : await found.text();
			} catch {
				there = false;
				return null;
			}
		},
		async save(key, value, seconds) {
			if (!there) return;
			try {
				const headers = {
					"cache-control": `max-age=${Math.max(0, Math.floor(seconds))}`,
					"content-type": "text/plain; charset=utf-8",
				};
				await cache().put(urlOf(key), new Response(value, { headers }));
			} catch {
				there = false;
			}
		},
	};
}
