/**
 * What isolates share through Durable Objects: what is remembered of a repository, what was decided on a day, and which policy is in
 * force.
 *
 * The two are classes of their own, so that what is kept of images can never be in the way of a policy. The records of
 * `RepositoryState` carry an HMAC of the gateway's core; this store is trusted for nothing, and may lose everything.
 *
 * @module
 */
import { DurableObject } from "cloudflare:workers";

/** Of keys and values together, in UTF-16 units: the hints of a repository (some 300 KiB at most) and some twenty large manifests. */
const MOST_SIZE = 8 * 1024 * 1024;
/** So that counting and cleaning stay quick; 30 days of hints are two records. */
const MOST_RECORDS = 1_000;
/** A manifest that is kept has at most 256 KiB, and is base64 here. SQLite's own bound on Cloudflare is 2 MB. */
const MOST_VALUE = 512 * 1024;
/** Names have 255 characters, upstreams and digests less. */
const MOST_KEY = 1_024;
/** No record of the gateway's is to live longer. */
const MOST_SECONDS = 30 * 24 * 3_600;
/** What is added to a log goes into its last record until that is so long: few records, each written anew a few times. */
const LOG_RECORD = 64 * 1024;
/** So many records of a log are given out at once. */
const LOG_RECORDS = 8;
/** Digits of the key of a log's record: milliseconds since 1970. */
const LOG_KEY = 15;
/** How often what has expired is thrown away; it is not given out before that either. */
const CLEAN_EVERY_MS = 6 * 3_600_000;

/** Records with a time to live, bounded. What would end first goes first, so that nothing pushes out the hints. */
export class RepositoryState extends DurableObject {
	/** @param {any} ctx @param {unknown} env */
	constructor(ctx, env) {
		super(ctx, env);
		/** @type {{ exec(query: string, ...values: unknown[]): { toArray(): any[], one(): any } }} */
		this.sql = ctx.storage.sql;
		this.hasTable =
			this.sql
				.exec("SELECT name FROM sqlite_master WHERE name = 'record'")
				.toArray().length > 0;
		this.records = 0;
		this.size = 0;
		if (this.hasTable) this.count();
	}

	/** @param {string} key @returns {string | null} */
	load(key) {
		return this.found(key)?.value ?? null;
	}

	/** @param {string} key @param {string} value @param {number} seconds */
	async save(key, value, seconds) {
		if (key.length > MOST_KEY || value.length > MOST_VALUE || !(seconds > 0))
			return;
		if (!this.hasTable) this.createTable();
		const old = this.found(key, 0);
		this.sql.exec(
			"INSERT OR REPLACE INTO record (key, value, until) VALUES (?, ?, ?)",
			key,
			value,
			Date.now() + Math.min(seconds, MOST_SECONDS) * 1_000,
		);
		this.records += old === undefined ? 1 : 0;
		this.size += value.length - (old?.value.length ?? -key.length);
		if (this.size > MOST_SIZE || this.records > MOST_RECORDS) this.makeRoom();
		if ((await this.ctx.storage.getAlarm()) === null)
			await this.ctx.storage.setAlarm(Date.now() + CLEAN_EVERY_MS);
	}

	/**
	 * A log: its records have keys by which they are in order. When it is full, the oldest go.
	 *
	 * @param {string} record @param {number} seconds
	 */
	async append(record, seconds) {
		const last = this.hasTable
			? this.sql
					.exec("SELECT key, value FROM record ORDER BY key DESC LIMIT 1")
					.toArray()[0]
			: undefined;
		const joined = last === undefined ? record : `${last.value}\n\n${record}`;
		if (last !== undefined && joined.length <= LOG_RECORD)
			return this.save(last.key, joined, seconds);
		// Clocks may go back.
		const next = Math.max(Date.now(), Number(last?.key ?? 0) + 1);
		return this.save(String(next).padStart(LOG_KEY, "0"), record, seconds);
	}

	/**
	 * Lines: since when there are any, in seconds; the key before which it goes on; the records, the newest first.
	 *
	 * @param {string[]} holding texts, one of which is to stand in a record; none: all records
	 * @param {string} before a key, or nothing
	 * @returns {string}
	 */
	readBack(holding, before) {
		if (!this.hasTable) return "\n\n";
		const now = Date.now();
		const { oldest } = this.sql
			.exec("SELECT min(key) AS oldest FROM record WHERE until > ?", now)
			.one();
		const isHeld = holding.map(() => "instr(value, ?) > 0").join(" OR ");
		const found = this.sql
			.exec(
				`SELECT key, value FROM record WHERE until > ? AND key < ? AND (${isHeld || "1"}) ORDER BY key DESC LIMIT ${LOG_RECORDS}`,
				now,
				before || "~",
				...holding,
			)
			.toArray();
		const since = oldest === null ? "" : Math.floor(Number(oldest) / 1_000);
		const next = found.length < LOG_RECORDS ? "" : found.at(-1).key;
		const records = found.map(({ value }) => value).join("\n\n");
		return `${since}\n${next}\n${records}`;
	}

	/** An object in which nothing is left takes no space. */
	async alarm() {
		if (!this.hasTable) return;
		this.sql.exec("DELETE FROM record WHERE until <= ?", Date.now());
		this.count();
		if (this.records > 0) {
			await this.ctx.storage.setAlarm(Date.now() + CLEAN_EVERY_MS);
			return;
		}
		this.hasTable = false;
		await this.ctx.storage.deleteAll();
	}

	createTable() {
		this.sql.exec(
			"CREATE TABLE record (key TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL)",
		);
		this.sql.exec("CREATE INDEX by_until ON record (until)");
		this.hasTable = true;
	}

	/** @param {string} key @param {number} [now] @returns {{ value: string } | undefined} */
	found(key, now = Date.now()) {
		if (!this.hasTable) return undefined;
		return this.sql
			.exec("SELECT value FROM record WHERE key = ? AND until > ?", key, now)
			.toArray()[0];
	}

	count() {
		Object.assign(
			this,
			this.sql
				.exec(
					"SELECT count(*) AS records, coalesce(sum(length(key) + length(value)), 0) AS size FROM record",
				)
				.one(),
		);
	}

	/** A quarter at once, so that it is not done at each write. */
	makeRoom() {
		this.sql.exec(
			`DELETE FROM record WHERE until <= ?1 OR key IN (SELECT key FROM (
				SELECT key, sum(length(key) + length(value)) OVER latest AS size, row_number() OVER latest AS records
				FROM record WINDOW latest AS (ORDER BY until DESC, key)
			) WHERE size > ?2 OR records > ?3)`,
			Date.now(),
			MOST_SIZE * 0.75,
			MOST_RECORDS * 0.75,
		);
		this.count();
	}
}

/** Which pushed policy is in force: one object, which every isolate asks. */
export class PolicyInForce extends DurableObject {
	/** @returns {Promise<string | null>} SHA-256 of the policy's bundle */
	async current() {
		return (await this.ctx.storage.get("policy")) ?? null;
	}

	/** @param {string} policy */
	async set(policy) {
		await this.ctx.storage.put("policy", policy);
	}
}
