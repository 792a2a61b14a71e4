/**
 * Where the gateway's hints and verdicts live: a bounded map in this isolate's memory, and behind it the platform's Cache API.
 *
 * Trusted for nothing: the gateway checks whatever it loads. Losing everything costs time only, so every failure of the store
 * reads as "not there".
 *
 * @module
 */

const MAX_ENTRIES = 10_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** No request ever goes there: the Cache API wants URLs as keys. */
const KEY_BASE = "https://state.sealgate.invalid/";

/** @typedef {{ value: string, until: number }} Entry */

export function createStore() {
  const memory = createMemory();
  const cache = createCache();
  return {
    /**
     * @param {string} key
     * @returns {Promise<string | null>}
     */
    async load(key) {
      return memory.get(key) ?? cache.get(key);
    },
    /**
     * @param {string} key
     * @param {string} value
     * @param {number} seconds
     */
    async save(key, value, seconds) {
      memory.set(key, value, seconds);
      await cache.set(key, value, seconds);
    },
  };
}

/** The oldest written entry goes first when the bound is reached. */
function createMemory() {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  let characters = 0;

  /** @param {string} key */
  function remove(key) {
    characters -= key.length + (entries.get(key)?.value.length ?? -key.length);
    entries.delete(key);
  }

  return {
    /** @param {string} key */
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return null;
      if (entry.until > Date.now()) return entry.value;
      remove(key);
      return null;
    },
    /**
     * @param {string} key
     * @param {string} value
     * @param {number} seconds
     */
    set(key, value, seconds) {
      if (entries.has(key)) remove(key);
      if (!(seconds > 0) || key.length + value.length > MAX_CHARACTERS) return;
      entries.set(key, { value, until: Date.now() + seconds * 1000 });
      characters += key.length + value.length;
      for (const oldest of entries.keys()) {
        if (entries.size <= MAX_ENTRIES && characters <= MAX_CHARACTERS) break;
        remove(oldest);
      }
    },
  };
}

/** Plain workerd has a Cache API only when one is configured, and throws otherwise. */
function createCache() {
  let there = true;
  const cache = () => /** @type {Cache} */ (/** @type {any} */ (caches).default);

  /** @param {string} key */
  const urlOf = (key) => KEY_BASE + encodeURIComponent(key);

  return {
    /**
     * @param {string} key
     * @returns {Promise<string | null>}
     */
    async get(key) {
      if (!there) return null;
      try {
        const found = await cache().match(urlOf(key));
        return found === undefined ? null : await found.text();
      } catch {
        there = false;
        return null;
      }
    },
    /**
     * @param {string} key
     * @param {string} value
     * @param {number} seconds
     */
    async set(key, value, seconds) {
      if (!there) return;
      try {
        const headers = { "cache-control": `max-age=${Math.max(0, Math.floor(seconds))}`, "content-type": "text/plain; charset=utf-8" };
        await cache().put(urlOf(key), new Response(value, { headers }));
      } catch {
        there = false;
      }
    },
  };
}
