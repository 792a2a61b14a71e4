// The driver: it lends the core what the core has not (fetch, WebCrypto, a clock, a store) and decides nothing.
//
// Every entry of the module is synchronous. Work that must wait is a Task: `advance(answers)` returns what is asked next,
// or the result. A trap inside the module (RuntimeError, RangeError) fails the tasks in flight with the code "internal"
// and starts the module over; the next call works.

import { createArithmetic } from "./arithmetic.js";
import { BUILD } from "./build.js";
import { answerOf, createFetcher, createHeadFetcher } from "./fetch.js";
import { codedError } from "./error.js";
import { readAction, readHead, requestText } from "./glance.js";
import { createLocks } from "./lock.js";
import { createModules } from "./modules.js";
import { createTimes } from "./times.js";
import { createWebCrypto } from "./webcrypto.js";

/** @typedef {import("./task.js").Glue} Glue */
/** @typedef {import("./task.js").Services} Services */
/** @typedef {import("./arithmetic.js").Arithmetic} Arithmetic */
/** @typedef {{ redirect: "follow" | "manual" } & RequestInit} RequestDefaults */

/** Milliseconds that one request of a gateway waits at most, for registries, stores and its turn (docs/gateway.md "One request, one budget"). */
const LONGEST_WAIT = 60_000;
/** After which what was decided goes to the store, with what is decided meanwhile. */
const STORED_AFTER_MS = 5_000;
/** A request may be ended before it has done so for others. */
const STORED_AT_LAST_MS = 15_000;

/** What only `Gateway.create` has. */
const CREATED = Symbol("created");

/**
 * The API over one module, or over a small one and another with everything.
 *
 * @param {Glue} glue what wasm-bindgen made, initialised
 * @param {{ requestInit: RequestDefaults, fetch?: import("./index.d.ts").Fetch, sign?: import("./fetch.js").Signer, more?: () => Glue | Promise<Glue>, arithmetic?: () => Arithmetic | Promise<Arithmetic> }} platform how this platform must be asked, and by what; what signs requests to Amazon; the module with everything, where `glue` is a smaller one; and the one that checks signatures, where those were built without it
 */
export function createApi(glue, platform) {
	const modules = createModules(glue, platform.more);
	const { runner } = modules.first;
	const webCrypto = createWebCrypto();
	const arithmetic = createArithmetic(platform.arithmetic);

	/** @param {{ fetch?: import("./index.d.ts").Fetch, timeout?: number, load?: Services["load"], save?: Services["save"], append?: Services["append"], readBack?: Services["readBack"] }} given @returns {Services} */
	const services = (given) => ({
		fetch: createFetcher(
			given.fetch ?? platform.fetch,
			platform.requestInit,
			given.timeout,
			platform.sign,
		),
		verify: webCrypto.verify,
		compute: arithmetic.compute,
		load: given.load,
		save: given.save,
		append: given.append,
		readBack: given.readBack,
	});

	/** @param {string} reference @param {import("./index.d.ts").VerifyOptions} [options] @returns {Promise<import("./index.d.ts").Report>} */
	async function verifyImage(reference, options = {}) {
		const { fetch, timeout, signal, ...rest } = checkOptions(options);
		return modules.run(
			"startVerify",
			(glue) => glue.startVerify(coreOptions(reference, rest)),
			services({ fetch, timeout }),
			checkSignal(signal),
		);
	}

	/** @param {string} reference @param {import("./index.d.ts").PolicyInitOptions} options @returns {Promise<string>} */
	async function policyInit(reference, options) {
		const { fetch, timeout, signal, ...rest } = checkOptions(options);
		return modules.run(
			"startPolicyInit",
			(glue) => glue.startPolicyInit(coreOptions(reference, rest)),
			services({ fetch, timeout }),
			checkSignal(signal),
		);
	}

	/** @param {import("./index.d.ts").Bytes} bundle @param {import("./index.d.ts").BundleOptions} options @returns {Promise<import("./index.d.ts").VerifiedBundle>} */
	async function verifyBundle(bundle, options) {
		const { artifact, keyValidity, signal, ...rest } = checkOptions(options);
		const asked = /** @type {Record<string, unknown>} */ ({
			...coreOptions("", rest),
			bundle: toBytes("bundle", bundle),
		});
		if (artifact !== undefined) asked.artifact = toBytes("artifact", artifact);
		if (keyValidity !== undefined)
			asked.keyValidity = {
				start: toSeconds(keyValidity.start),
				end:
					keyValidity.end === undefined
						? undefined
						: toSeconds(keyValidity.end),
			};
		return modules.run(
			"startVerifyBundle",
			(glue) => glue.startVerifyBundle(asked),
			services({}),
			checkSignal(signal),
		);
	}

	/** @param {import("./index.d.ts").SignatureOptions} options @returns {Promise<boolean>} */
	async function verifySignature(options) {
		const { key, signature, data, signal, ...rest } = checkOptions(options);
		const check = {
			...rest,
			key: toBytes("key", key),
			signature: toBytes("signature", signature),
			data: toBytes("data", data),
			provider: providerOr(rest.provider),
		};
		return modules.run(
			"verifySignature",
			(glue) => glue.verifySignature(check),
			services({}),
			checkSignal(signal),
		);
	}

	// These return promises since what they need may be a part that is loaded only now.

	/** @param {import("./index.d.ts").Bytes} policy @param {import("./index.d.ts").Abortable} [options] @returns {Promise<string[]>} */
	async function policyAssets(policy, options = {}) {
		throwIfAborted(checkOptions(options).signal);
		const bytes = toBytes("policy", policy);
		const { value } = await modules.call("policyAssets", (glue) =>
			glue.policyAssets(bytes),
		);
		return value;
	}

	/** @param {import("./index.d.ts").Bytes} policy @param {import("./index.d.ts").LintOptions} [options] @returns {Promise<import("./index.d.ts").Lint[]>} */
	async function policyLint(policy, options = {}) {
		const { assets, registriesD, time, signal, ...rest } =
			checkOptions(options);
		throwIfAborted(signal);
		const known = {
			...rest,
			...(assets && { assets: toAssets(assets) }),
			...(registriesD && { registriesD: toAssets(registriesD, "registriesD") }),
			time: toSeconds(time),
		};
		const bytes = toBytes("policy", policy);
		const { value } = await modules.call("policyLint", (glue) =>
			glue.policyLint(bytes, known),
		);
		return value;
	}

	/** @param {import("./index.d.ts").Bytes} policy @param {string} reference @param {import("./index.d.ts").ExplainOptions} [options] @returns {Promise<import("./index.d.ts").Explanation>} */
	async function policyExplain(policy, reference, options = {}) {
		const { as, signal } = checkOptions(options);
		throwIfAborted(signal);
		const bytes = toBytes("policy", policy);
		const { value } = await modules.call("policyExplain", (glue) =>
			glue.policyExplain(bytes, reference, as),
		);
		return value;
	}

	/** @param {string} text @returns {import("./index.d.ts").Reference} */
	const parseReference = (text) => runner.call(() => glue.parseReference(text));
	/** @param {string} name @returns {string} */
	const predicateType = (name) => runner.call(() => glue.predicateType(name));
	/** @returns {string} */
	const version = () => runner.call(() => glue.version());

	class Gateway {
		#config;
		#services;
		#head;
		#module;
		/** @type {{ inner: any, era: number }} */
		#made;
		/** @type {import("./index.d.ts").GatewayState} */
		#state;
		#isStale = false;
		/** Until when another call sees to what was decided, in milliseconds. */
		#storesUntil = 0;

		/** @param {import("./index.d.ts").GatewayConfig} config @param {import("./index.d.ts").GatewayServices} [given] @param {import("./index.d.ts").Abortable} [options] */
		static async create(config, given = {}, options = {}) {
			const { signal } = checkOptions(options);
			throwIfAborted(signal);
			const checked = {
				...gatewayConfig(config),
				storesDecisions: given.append !== undefined,
			};
			const lent = {
				...services(given),
				lock: createLocks(),
				patience: patienceOf(given.requestTimeout),
			};
			const head = createHeadFetcher(
				given.fetch ?? platform.fetch,
				platform.requestInit,
				given.timeout,
				given.endsRequests,
			);
			const { module, value } = await modules.make(
				"startGateway",
				(glue) => glue.startGateway(checked),
				lent,
				signal,
			);
			return new Gateway(CREATED, checked, lent, head, module, value);
		}

		/** @param {typeof CREATED} created @param {object} config @param {Services & { patience: number }} lent @param {ReturnType<typeof createHeadFetcher>} head @param {import("./modules.js").Module} module that has all that the policy needs @param {any} inner */
		constructor(created, config, lent, head, module, inner) {
			if (created !== CREATED)
				throw codedError(
					"argument",
					"expected `await Gateway.create(config, services)`, found `new Gateway(…)`: a gateway is made asynchronously",
				);
			this.#config = config;
			this.#services = lent;
			this.#head = head;
			this.#module = module;
			this.#made = { inner, era: module.runner.era() };
			this.#state = module.runner.call(() => inner.state());
		}

		/** @param {import("./index.d.ts").GatewayRequest} request @param {import("./index.d.ts").Abortable} [options] @returns {Promise<import("./index.d.ts").Action>} */
		async handle(request, options = {}) {
			const signal = checkSignal(checkOptions(options).signal);
			throwIfAborted(signal);
			const time = request.time ?? now();
			const text = requestText(request, time);
			const { runner } = this.#module;
			if (this.#made.era !== runner.era()) await this.#renew();
			const { inner, era } = this.#made;
			/** @type {string | undefined} */
			const asked = text && runner.call(() => inner.look(text));
			const times = createTimes();
			if (asked === undefined)
				return this.#judge(request, time, { times }, signal);
			const started = Date.now();
			const { patience } = this.#services;
			const head = readHead(asked);
			const { url } = head;
			const found = await times.during("registry", () =>
				this.#head(head, patience, signal),
			);
			if ("error" in found)
				return this.#judge(
					request,
					time,
					{
						times,
						known: { id: 0, url, ...found },
						spent: Date.now() - started,
					},
					signal,
				);
			const { response } = found;
			// Meanwhile the module may have started over.
			const stands = era === runner.era();
			if (stands && response.status === 200 && !response.redirected) {
				const bytes = runner.call(() =>
					inner.answer(text, url, digestOf(response)),
				);
				if (bytes !== undefined) return times.with(readAction(bytes));
			}
			const known = {
				id: 0,
				url,
				response: answerOf(response, new Uint8Array()),
			};
			return this.#judge(
				request,
				time,
				{ times, known, spent: Date.now() - started },
				signal,
			);
		}

		/**
		 * The general way. What the registry has said already is not asked for again.
		 *
		 * @param {import("./index.d.ts").GatewayRequest} request @param {number} time @param {{ times: ReturnType<typeof createTimes>, known?: object, spent?: number }} sofar @param {import("./index.d.ts").Signal} [signal] @returns {Promise<import("./index.d.ts").Action>}
		 */
		async #judge(
			{ method, url, headers },
			time,
			{ times, known, spent = 0 },
			signal,
		) {
			const asked = { method, url, headers: [...headers], time };
			const pieces = createPieces();
			await this.#renew();
			const done = this.#module.runner.run(
				() => this.#made.inner.handle(asked, known),
				{
					...times.watch(this.#services),
					patience: Math.max(0, this.#services.patience - spent),
					begin: pieces.begin,
					write: pieces.write,
				},
				signal,
			);
			// An answer in pieces begins before the task is done.
			return times.with(await Promise.race([pieces.begun, pieces.until(done)]));
		}

		/**
		 * What the next policy says of what was answered: for the log, where the verdict would change.
		 *
		 * @param {import("./index.d.ts").GatewayRequest} request @param {import("./index.d.ts").Abortable} [options] @returns {Promise<string | undefined>}
		 */
		async judgeNext(request, options = {}) {
			const signal = checkSignal(checkOptions(options).signal);
			throwIfAborted(signal);
			if (!this.hasNext()) return undefined;
			const { method, url, headers, time = now() } = request;
			const asked = { method, url, headers: [...headers], time };
			await this.#renew();
			const { runner } = this.#module;
			if (!runner.call(() => this.#made.inner.hasNext(asked))) return undefined;
			return runner.run(
				() => this.#made.inner.judgeNext(asked),
				this.#services,
				signal,
			);
		}

		/**
		 * Where a store keeps what was decided: hands over, in a moment, what was decided until then. Nothing where there is no such store,
		 * or another call is about to.
		 *
		 * @returns {Promise<void> | undefined}
		 */
		storeDecisions() {
			const { append } = this.#services;
			if (append === undefined || Date.now() < this.#storesUntil)
				return undefined;
			this.#storesUntil = Date.now() + STORED_AT_LAST_MS;
			return this.#storeDecisions();
		}

		async #storeDecisions() {
			await new Promise((done) => setTimeout(done, STORED_AFTER_MS));
			this.#storesUntil = 0;
			const { runner } = this.#module;
			const { inner, era } = this.#made;
			if (era === runner.era())
				await runner.run(() => inner.storeDecisions(now()), this.#services);
		}

		/** Says whether a newer configuration was refused, so that this one stays in force. @param {boolean} isStale */
		setStale(isStale) {
			this.#isStale = isStale;
			const { runner } = this.#module;
			const { inner, era } = this.#made;
			// Where the module has started over, the gateway inside is made anew, and told then.
			if (era === runner.era()) runner.call(() => inner.setStale(isStale));
		}

		/** Whether there is a next policy. */
		hasNext() {
			return "policyNext" in this.#config;
		}

		/** @returns {import("./index.d.ts").GatewayState} */
		state() {
			return this.#state;
		}

		/** Makes the gateway inside the module again where the module has started over. */
		async #renew() {
			const { glue, runner } = this.#module;
			while (this.#made.era !== runner.era()) {
				const era = runner.era();
				const inner = await runner.run(
					// What was to be forgotten is known no more, so nothing of before is asked for.
					() => glue.startGateway({ ...this.#config, since: Date.now() }),
					this.#services,
				);
				this.#made = { inner, era };
				if (this.#isStale) runner.call(() => inner.setStale(true));
			}
		}
	}

	return {
		verifyImage,
		verifyBundle,
		policyInit,
		policyAssets,
		policyLint,
		policyExplain,
		parseReference,
		predicateType,
		verifySignature,
		version,
		Gateway,
	};
}

/** What the registry says that it has. @param {import("./index.d.ts").FetchedResponse} response @returns {string | undefined} */
function digestOf({ headers }) {
	const { get } = /** @type {Partial<Headers>} */ (headers);
	if (typeof get === "function")
		return get.call(headers, "docker-content-digest") ?? undefined;
	/** @type {string | undefined} */
	let digest;
	headers.forEach((value, name) => {
		if (name === "docker-content-digest") digest = value;
	});
	return digest;
}

/** @param {import("./index.d.ts").GatewayConfig} config */
function gatewayConfig(config) {
	const {
		policy,
		assets,
		registriesD,
		provider,
		secret: ownSecret,
		adminSecret,
		policyNext,
		...rest
	} = checkOptions(config);
	// For the HMAC of what is stored; a new one at each start makes what an earlier one wrote worthless.
	const secret =
		ownSecret === undefined
			? crypto.getRandomValues(new Uint8Array(32))
			: toBytes("secret", ownSecret);
	return {
		build: BUILD,
		...rest,
		secret,
		policy: toBytes("policy", policy),
		...(policyNext !== undefined && {
			policyNext: toBytes("policyNext", policyNext),
		}),
		assets: toAssets(assets),
		...(adminSecret && { adminSecret: toBytes("adminSecret", adminSecret) }),
		...(registriesD && { registriesD: toAssets(registriesD, "registriesD") }),
		provider: providerOr(provider),
	};
}

/** An answer that goes out piece by piece, as it is read. */
function createPieces() {
	/** @type {WritableStreamDefaultWriter<Uint8Array> | undefined} */
	let writer;
	/** @type {(action: import("./index.d.ts").Action) => void} */
	let start = () => {};
	/** @type {Promise<import("./index.d.ts").Action>} */
	const begun = new Promise((resolve) => (start = resolve));
	/** @type {Promise<unknown>} */
	let finished = Promise.resolve();

	return {
		begun,
		/** @param {{ status: number, headers: [string, string][] }} head */
		begin(head) {
			const { readable, writable } = new TransformStream();
			writer = writable.getWriter();
			// Whoever goes away ends the writing, which says so itself.
			writer.closed.catch(() => {});
			start({ kind: "respond", ...head, body: readable, finished });
		},
		/** @param {Uint8Array} piece */
		async write(piece) {
			await writer?.write(piece);
		},
		/** The task's own action, when there were no pieces. @param {Promise<import("./index.d.ts").Action>} done */
		until(done) {
			const ended = done.then(
				async (action) => {
					await writer?.close().catch(() => {});
					return action;
				},
				async (error) => {
					// What has begun and cannot be ended is cut off: half a document is none.
					await writer?.abort(error).catch(() => {});
					throw error;
				},
			);
			finished = ended.catch(() => {});
			return ended;
		},
	};
}

/** What the core takes, from what people pass. @param {string} reference @param {Record<string, any>} options */
function coreOptions(
	reference,
	{
		key,
		policy,
		assets,
		registriesD,
		evidence,
		dir,
		trustedRoot,
		provider,
		time,
		...rest
	},
) {
	/** @type {Record<string, unknown>} */
	const options = {
		...rest,
		reference,
		provider: providerOr(provider),
		time: toSeconds(time),
	};
	if (key !== undefined)
		options.key = (Array.isArray(key) ? key : [key]).map((one) =>
			toBytes("key", one),
		);
	if (policy !== undefined) options.policy = toBytes("policy", policy);
	if (assets !== undefined) options.assets = toAssets(assets);
	if (registriesD !== undefined)
		options.registriesD = toAssets(registriesD, "registriesD");
	// A string is the name of a root that the module carries; the content of a file is bytes.
	if (trustedRoot !== undefined)
		options.trustedRoot =
			typeof trustedRoot === "string"
				? trustedRoot
				: toBytes("trustedRoot", trustedRoot);
	if (dir !== undefined)
		options.dir = {
			path: checkOptions(dir).path,
			files: toAssets(dir.files, "dir.files"),
		};
	if (evidence !== undefined) options.evidence = toBytes("evidence", evidence);
	for (const name of Object.keys(options))
		if (options[name] === undefined) delete options[name];
	return options;
}

/** Pages that are not served over https (or from localhost) have no WebCrypto. @param {string | undefined} asked */
function providerOr(asked) {
	return asked ?? (globalThis.crypto?.subtle ? "webcrypto" : "rust");
}

/** Shorter than the longest, or the longest. @param {number | undefined} asked milliseconds */
function patienceOf(asked) {
	return asked !== undefined && asked > 0 && asked < LONGEST_WAIT
		? asked
		: LONGEST_WAIT;
}

/** @template {object} T @param {T} options @returns {T} */
function checkOptions(options) {
	if (typeof options === "object" && options !== null) return options;
	throw codedError(
		"argument",
		`expected an object of options, found ${options === null ? "null" : typeof options}`,
	);
}

/** An AbortSignal, of whatever realm. @param {import("./index.d.ts").Signal | undefined} signal */
function checkSignal(signal) {
	if (
		signal === undefined ||
		(typeof signal?.aborted === "boolean" &&
			typeof signal.addEventListener === "function")
	)
		return signal;
	throw codedError(
		"argument",
		`signal: expected an AbortSignal, found ${signal === null ? "null" : typeof signal}`,
	);
}

/** @param {import("./index.d.ts").Signal | undefined} signal */
function throwIfAborted(signal) {
	if (checkSignal(signal)?.aborted) throw signal?.reason;
}

/** @param {string} name @param {unknown} value @returns {Uint8Array} */
function toBytes(name, value) {
	if (typeof value === "string") return new TextEncoder().encode(value);
	if (value instanceof Uint8Array) return value;
	if (value instanceof ArrayBuffer) return new Uint8Array(value);
	throw codedError(
		"argument",
		`${name}: expected text or bytes (string, Uint8Array, ArrayBuffer), found ${value === null ? "null" : typeof value}`,
	);
}

/** @param {Record<string, unknown> | undefined} assets @param {string} [option] */
function toAssets(assets = {}, option = "assets") {
	return Object.fromEntries(
		Object.entries(checkOptions(assets)).map(([name, value]) => [
			name,
			toBytes(`${option}[${JSON.stringify(name)}]`, value),
		]),
	);
}

/** @param {number | Date | undefined} time */
function toSeconds(time) {
	if (time === undefined) return now();
	return time instanceof Date ? Math.floor(time.getTime() / 1000) : time;
}

function now() {
	return Math.floor(Date.now() / 1000);
}
