// Policies at scale: many images under one policy, or under two.

import { writeFileSync } from "node:fs";
import { codedError } from "../error.js";
import { parseReference, verifyImage } from "../node.js";
import { guardedFetch } from "../public.js";
import { asking, readPolicy } from "./inputs.js";
import { plain, styleOf } from "./show.js";

/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {{ image: string, as?: string }} Named */
/** @typedef {{ scope: string, digests: string[], until: string, reason: string }} Exception */

/** Images that are judged at the same time. */
const AT_ONCE = 8;
/** Bytes of a list: some hundred thousand names. */
const LONGEST_LIST = 64 * 1024 * 1024;
const DAY = 24 * 60 * 60 * 1000;

/**
 * Whose verdict changes. Status 1 when one does, else 2 when one could not be found out.
 *
 * @param {import("./arguments.js").PolicyDiffCommand} command
 */
export async function diffPolicies(command) {
	const bases = await Promise.all(
		[command.file, command.next].map((file) =>
			readPolicy(file, "policy diff", command.registriesD),
		),
	);
	const images = await readList("policy diff");
	const asked = images.map((one) => ({
		...one,
		asking: asking(one.image, command),
	}));
	const show = output(command.json);
	const progress = progressOf(images.length);
	const count = { changed: 0, unknown: 0 };
	await inTurn(
		asked,
		async ({ image, as, asking }) => {
			// Both look at the same answers: a tag that moves meanwhile is no change of the policy.
			const fetch = rememberingFetch();
			const reports = [];
			for (const basis of bases)
				reports.push(
					await verifyImage(image, {
						...asking,
						...basis,
						as,
						fetch,
						viaEvidence: true,
					}),
				);
			return { image, as, reports: /** @type {[Report, Report]} */ (reports) };
		},
		({ image, as, reports: [old, next] }) => {
			progress.step();
			const changes =
				old.verdict !== next.verdict || old.verified !== next.verified;
			const unknown = old.verdict === "unknown" || next.verdict === "unknown";
			if (unknown) count.unknown += 1;
			else if (changes) count.changed += 1;
			if (!changes && !unknown) return;
			const sign = unknown
				? "?"
				: next.verdict === "deny"
					? "-"
					: next.verified
						? "+"
						: "~";
			show({ image, as, before: brief(old), after: brief(next) }, () => [
				`${sign} ${name({ image, as })}: ${styleOf(old).word} → ${styleOf(next).word}`,
				`    before: ${old.message} (${old.code})`,
				`    after:  ${next.message} (${next.code})`,
			]);
		},
	);
	progress.end();
	show.sum(
		`${plural(images.length)}: ${count.changed} ${count.changed === 1 ? "changes" : "change"}${count.unknown > 0 ? `, ${count.unknown} could not be found out` : ""}`,
	);
	if (count.changed > 0) return 1;
	return count.unknown > 0 ? 2 : 0;
}

/**
 * What a policy would do to what runs. Status 1 when something is denied, else 2 when something could not be found out.
 *
 * @param {import("./arguments.js").AuditCommand} command
 */
export async function audit(command) {
	const basis = await readPolicy(
		command.policy,
		"--policy",
		command.registriesD,
	);
	const images = await readList("audit");
	const asked = images.map((one) => ({
		...one,
		asking: asking(one.image, command),
	}));
	const show = output(command.json);
	const progress = progressOf(images.length);
	const count = { allow: 0, deny: 0, unknown: 0 };
	let unverified = 0;
	/** @type {Report[]} */
	const denied = [];
	await inTurn(
		asked,
		async ({ image, as, asking }) => ({
			image,
			as,
			report: await verifyImage(image, {
				...asking,
				...basis,
				as,
				viaEvidence: true,
			}),
		}),
		({ image, as, report }) => {
			progress.step();
			count[report.verdict] += 1;
			if (report.verdict === "allow" && !report.verified) unverified += 1;
			if (report.verdict === "deny") denied.push(report);
			show({ image, as, digest: report.image.digest, ...brief(report) }, () => [
				`${styleOf(report).sign} ${name({ image, as })}: ${styleOf(report).word} (${report.code})`,
				...(report.verdict === "allow" ? [] : [`    ${report.message}`]),
			]);
		},
	);
	progress.end();
	if (command.writeExceptions !== undefined)
		writeExceptions(
			command.writeExceptions,
			denied,
			command.includeSuspicious,
			show,
		);
	show.sum(
		`${plural(images.length)}: ${count.allow} allowed${unverified > 0 ? ` (${unverified} of them not verified)` : ""}, ${count.deny} denied, ${count.unknown} could not be found out`,
	);
	if (count.deny > 0) return 1;
	return count.unknown > 0 ? 2 : 0;
}

/**
 * Exceptions that admit what was denied, for "sealgate": {"exceptions": […]}: a month to sign what runs. What bears a
 * signature that failed was not forgotten, it was made to look signed, and is left out.
 *
 * @param {string} path @param {Report[]} denied @param {boolean} includeSuspicious @param {ReturnType<typeof output>} show
 */
function writeExceptions(path, denied, includeSuspicious, show) {
	const until = new Date(Math.ceil(Date.now() / DAY) * DAY + 30 * DAY)
		.toISOString()
		.replace(/\.\d+Z$/, "Z");
	/** @type {Map<string, Exception>} */
	const scopes = new Map();
	const suspicious = denied.filter(
		({ failedSignatures = 0, image }) =>
			image.digest !== undefined && failedSignatures > 0,
	);
	const excused = includeSuspicious
		? denied
		: denied.filter((report) => !suspicious.includes(report));
	for (const {
		image: { name, digest },
	} of excused) {
		if (digest === undefined) continue;
		const scope = parseReference(name).name;
		const one = scopes.get(scope) ?? {
			scope,
			digests: [],
			until,
			reason: `ran already on ${new Date().toISOString().slice(0, 10)}, and the policy denies it: to be signed or replaced`,
		};
		if (!one.digests.includes(digest)) one.digests.push(digest);
		scopes.set(scope, one);
	}
	const exceptions = [...scopes.values()];
	try {
		writeFileSync(path, `${JSON.stringify(exceptions, null, 2)}\n`);
	} catch (error) {
		throw codedError(
			"exceptions.unwritable",
			`--write-exceptions: expected a file that can be written at ${path}, found ${/** @type {any} */ (error).code ?? error}`,
			error,
		);
	}
	const count = exceptions.reduce(
		(sum, { digests }) => sum + digests.length,
		0,
	);
	const without = denied.filter(
		({ image }) => image.digest === undefined,
	).length;
	if (!includeSuspicious && suspicious.length > 0) {
		show.sum(
			`${path}: without ${plural(suspicious.length)} whose signature failed (another key, digest or name): ${suspicious.map(({ image, code }) => `${image.name} (${code})`).join(", ")}; look into each, --include-suspicious excuses them too`,
		);
	}
	show.sum(
		`${path}: exceptions for ${count} digest${count === 1 ? "" : "s"} until ${until}${without > 0 ? `; ${without} denied images have no digest and no exception` : ""}`,
	);
}

/**
 * Standard input: a line for each image, "IMAGE [as NAME]", comments after #. Each is judged once. What kubectl tells as
 * imageID is understood too (docker-pullable://…).
 *
 * @param {string} why @returns {Promise<Named[]>}
 */
async function readList(why) {
	const text = await standardInput(why);
	/** @type {Map<string, Named>} */
	const images = new Map();
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		const [image, ...rest] = line
			.replace(/(^|\s)#.*/, "")
			.split(/\s+/)
			.filter(Boolean);
		if (image === undefined) continue;
		const [as, target, ...more] = rest;
		if (
			(as !== undefined && (as !== "as" || target === undefined)) ||
			more.length > 0
		) {
			throw codedError(
				"images.malformed",
				`${why}: standard input, line ${index + 1}: expected IMAGE [as NAME], found ${JSON.stringify(line.trim())}`,
			);
		}
		const one = {
			image: image.replace(/^(docker-pullable|docker):\/\//, ""),
			as: target,
		};
		images.set(JSON.stringify(one), one);
	}
	if (images.size === 0)
		throw codedError(
			"images.none",
			`${why}: expected at least one image on standard input, a line each, found none`,
		);
	return [...images.values()];
}

/** @param {string} why */
async function standardInput(why) {
	if (process.stdin.isTTY)
		console.error(
			plain(
				`sealgate: ${why} reads images from standard input, a line each; end with Ctrl-D`,
			),
		);
	const chunks = [];
	let length = 0;
	for await (const chunk of process.stdin) {
		length += chunk.length;
		if (length > LONGEST_LIST)
			throw codedError(
				"images.too-many",
				`${why}: expected at most ${LONGEST_LIST} bytes on standard input: split the list`,
			);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}

/**
 * Works on some at the same time, and tells in their order.
 *
 * @template T, R
 * @param {T[]} list @param {(one: T) => Promise<R>} work @param {(result: R) => void} tell
 */
async function inTurn(list, work, tell) {
	/** @type {Promise<R>[]} */
	const running = [];
	let next = 0;
	const start = () => {
		if (next >= list.length) return;
		const promise = work(/** @type {T} */ (list[next]));
		next += 1;
		// Whoever awaits it meets its error in turn.
		promise.catch(() => {});
		running.push(promise);
	};
	for (let index = 0; index < AT_ONCE; index += 1) start();
	for (
		let promise = running.shift();
		promise !== undefined;
		promise = running.shift()
	) {
		const result = await promise;
		start();
		tell(result);
	}
}

/** A fetch that asks each question once. @returns {import("../index.d.ts").Fetch} */
function rememberingFetch() {
	/** @type {Map<string, Promise<{ status: number, headers: [string, string][], body: ArrayBuffer }>>} */
	const known = new Map();
	return async (url, init) => {
		const key = JSON.stringify([
			url,
			init.method,
			init.headers,
			init.body,
			init.egress,
		]);
		const answer = known.get(key) ?? guardedFetch(url, init).then(whole);
		known.set(key, answer);
		const { status, headers, body } = await answer.catch((error) => {
			known.delete(key);
			throw error;
		});
		return new Response([101, 204, 205, 304].includes(status) ? null : body, {
			status,
			headers,
		});
	};
}

/** @param {import("../index.d.ts").FetchedResponse} response */
async function whole({ status, headers, body }) {
	/** @type {[string, string][]} */
	const list = [];
	headers.forEach((value, name) => {
		list.push([name, value]);
	});
	return {
		status,
		headers: list,
		body: await new Response(
			/** @type {ReadableStream | null} */ (/** @type {unknown} */ (body)),
		).arrayBuffer(),
	};
}

/** Lines for people on a terminal, JSON lines otherwise; what sums up goes to people alone. @param {boolean} json */
function output(json) {
	const people = process.stdout.isTTY && !json;
	/** @param {object} line @param {() => string[]} text */
	const show = (line, text) =>
		process.stdout.write(
			people
				? `${text().map(plain).join("\n")}\n`
				: `${JSON.stringify(line)}\n`,
		);
	return Object.assign(show, {
		sum: (/** @type {string} */ text) => console.error(plain(text)),
	});
}

/** How far it is, on a terminal. @param {number} all */
function progressOf(all) {
	let done = 0;
	const shown = process.stderr.isTTY;
	return {
		step() {
			done += 1;
			if (shown) process.stderr.write(`\r${done} of ${all}\u001b[K\r`);
		},
		end() {
			if (shown) process.stderr.write("\u001b[K");
		},
	};
}

/** @param {Report} report */
function brief({ verdict, verified, code, message }) {
	return { verdict, verified, code, message };
}

/** @param {Named} one */
function name({ image, as }) {
	return as === undefined ? image : `${image} as ${as}`;
}

/** @param {number} count */
function plural(count) {
	return `${count} image${count === 1 ? "" : "s"}`;
}
