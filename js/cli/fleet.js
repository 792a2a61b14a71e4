// Policies at scale: many images under one policy, or under two.

import { codedError } from "../error.js";
import { readBounded } from "../fetch.js";
import { verifyImage } from "../node.js";
import { writeExceptions } from "./exceptions.js";
import { asking, ofItsFile, readPolicy, standardInput } from "./inputs.js";
import { junit } from "./junit.js";
import { sarif } from "./sarif.js";
import { plain, styleOf } from "./show.js";

/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {{ image: string, as?: string }} Named */
/** @typedef {import("./inputs.js").Reaching} Reaching */

/** Images that are judged at the same time. */
const AT_ONCE = 8;
/** Bytes of a list: some hundred thousand names. */
const LONGEST_LIST = 64 * 1024 * 1024;

/** Bytes of an answer that is kept: the longest document that the core reads (limits.rs). */
const LONGEST_ANSWER = 64 * 1024 * 1024;

/** @typedef {Named & { asking: ReturnType<typeof asking> }} Asked */

/**
 * Whose verdict changes. Status 1 when one does, else 2 when one is unknown.
 *
 * @param {import("./arguments.js").PolicyDiffCommand & Reaching} command
 */
export async function diffPolicies(command) {
	const files = [command.file, command.next];
	const bases = await Promise.all(
		files.map((file) => readPolicy(file, "policy diff", command.registriesD)),
	);
	const asked = await askedFor("policy diff", command);
	const print = printer(command.json ? "json" : undefined);
	const progress = progressOf(asked.length);
	const count = { changed: 0, unknown: 0 };
	await inTurn(
		asked,
		async ({ image, as, asking }) => {
			// Both look at the same answers: a tag that moves meanwhile is no change of the policy.
			const fetch = rememberingFetch(asking.fetch);
			const reports = [];
			for (const [index, basis] of bases.entries())
				reports.push(
					await judged(
						image,
						{ ...asking, ...basis, as, fetch },
						{
							policy: files[index],
							registriesD: command.registriesD,
						},
					),
				);
			return { image, as, reports: /** @type {[Report, Report]} */ (reports) };
		},
		({ image, as, reports: [old, next] }) => {
			progress.step();
			const change = changeOf(old, next);
			if (change === undefined) return;
			count[change === "?" ? "unknown" : "changed"] += 1;
			print({ image, as, before: brief(old), after: brief(next) }, () => [
				`${change} ${name({ image, as })}: ${styleOf(old).word} → ${styleOf(next).word}`,
				`    before: ${old.message} (${old.code})`,
				`    after:  ${next.message} (${next.code})`,
			]);
		},
	);
	progress.end();
	say(
		`${plural(asked.length)}: ${count.changed} ${count.changed === 1 ? "changes" : "change"}${count.unknown > 0 ? `, ${count.unknown} unknown` : ""}`,
	);
	if (count.changed > 0) return 1;
	return count.unknown > 0 ? 2 : 0;
}

/** The sign of what is shown; none: nothing changes. @param {Report} old @param {Report} next */
function changeOf(old, next) {
	if (old.verdict === "unknown" || next.verdict === "unknown") return "?";
	if (old.verdict === next.verdict && old.verified === next.verified)
		return undefined;
	if (next.verdict === "deny") return "-";
	return next.verified ? "+" : "~";
}

/**
 * What a policy would do to what runs. Status 1 when something is denied, else 2 when something is unknown.
 *
 * @param {import("./arguments.js").AuditCommand & Reaching} command
 */
export async function audit(command) {
	const basis = await readPolicy(
		command.policy,
		"--policy",
		command.registriesD,
	);
	const asked = await askedFor("audit", command);
	const print = printer(command.format);
	const progress = progressOf(asked.length);
	/** @type {(Named & { report: Report })[]} */
	const results = [];
	await inTurn(
		asked,
		async ({ image, as, asking }) => ({
			image,
			as,
			report: await judged(image, { ...asking, ...basis, as }, command),
		}),
		({ image, as, report }) => {
			progress.step();
			results.push({ image, as, report });
			print(
				{ image, as, digest: report.image.digest, ...brief(report) },
				() => [
					`${styleOf(report).sign} ${name({ image, as })}: ${styleOf(report).word} (${report.code})`,
					...(report.verdict === "allow" ? [] : [`    ${report.message}`]),
				],
			);
		},
	);
	progress.end();
	process.stdout.write(document(command, results));
	const reports = results.map(({ report }) => report);
	if (command.writeExceptions !== undefined)
		writeExceptions(
			command.writeExceptions,
			reports.filter(({ verdict }) => verdict === "deny"),
			command.includeSuspicious,
			say,
		);
	return summed(reports);
}

/** @param {Report[]} reports the exit status */
function summed(reports) {
	const count = (/** @type {string} */ wanted) =>
		reports.filter(({ verdict }) => verdict === wanted).length;
	const unverified = reports.filter(
		({ verdict, verified }) => verdict === "allow" && !verified,
	).length;
	say(
		`${plural(reports.length)}: ${count("allow")} allowed${unverified > 0 ? ` (${unverified} of them not verified)` : ""}, ${count("deny")} denied, ${count("unknown")} unknown`,
	);
	if (count("deny") > 0) return 1;
	return count("unknown") > 0 ? 2 : 0;
}

/** What is printed when all is known. @param {import("./arguments.js").AuditCommand} command @param {(Named & { report: Report })[]} results */
function document({ format, policy }, results) {
	const findings = results.map(({ image, as, report }) => ({
		image,
		as,
		outcome: outcomeOf(report),
		code: report.code,
		message: report.message,
	}));
	if (format === "junit") return junit(`sealgate audit ${policy}`, findings);
	return format === "sarif" ? sarif(policy, findings) : "";
}

/** @param {Report} report @returns {import("./junit.js").Finding["outcome"]} */
function outcomeOf({ verdict, verified }) {
	if (verdict === "allow") return verified ? "good" : "unverified";
	return verdict === "deny" ? "bad" : "unknown";
}

/** @param {string} image @param {import("../index.d.ts").VerifyOptions} options @param {{ policy?: string, registriesD?: string }} files */
function judged(image, options, files) {
	return verifyImage(image, { ...options, viaEvidence: true }).catch(
		(error) => {
			throw ofItsFile(error, files);
		},
	);
}

/** Every image with its credentials, before the first is asked for. @param {string} why @param {Reaching} command @returns {Promise<Asked[]>} */
async function askedFor(why, command) {
	const images = await readList(why);
	return images.map((one) => ({ ...one, asking: asking(one.image, command) }));
}

/**
 * Standard input: a line for each image, "IMAGE [as NAME]", comments after #. Each is judged once. What kubectl shows as
 * imageID is understood too (docker-pullable://…).
 *
 * @param {string} why @returns {Promise<Named[]>}
 */
async function readList(why) {
	if (process.stdin.isTTY)
		say(
			`sealgate: ${why} reads images from standard input, a line each; end with Ctrl-D`,
		);
	const text = Buffer.from(await standardInput(LONGEST_LIST)).toString("utf8");
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

/**
 * Works on some at the same time, and reports in their order.
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

/** A fetch that asks each question once. @param {import("../index.d.ts").Fetch} fetch @returns {import("../index.d.ts").Fetch} */
function rememberingFetch(fetch) {
	/** @type {Map<string, Promise<{ status: number, headers: [string, string][], body: Uint8Array<ArrayBuffer> }>>} */
	const known = new Map();
	return async (url, init) => {
		const key = JSON.stringify([
			url,
			init.method,
			init.headers,
			init.body,
			init.egress,
		]);
		const answer = known.get(key) ?? fetch(url, init).then(whole);
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
	const bytes = await readBounded(body, LONGEST_ANSWER);
	if (bytes === undefined)
		throw new Error(`the answer has more than ${LONGEST_ANSWER} bytes`);
	/** @type {[string, string][]} */
	const list = [];
	headers.forEach((value, name) => {
		list.push([name, value]);
	});
	return {
		status,
		headers: list,
		body: bytes,
	};
}

/** Lines for people on a terminal, JSON lines otherwise; nothing where one document follows. @param {import("./arguments.js").Format} [format] */
function printer(format) {
	const people =
		format === "text" || (format === undefined && process.stdout.isTTY);
	/** @param {object} line @param {() => string[]} text */
	return (line, text) => {
		if (format === "junit" || format === "sarif") return;
		process.stdout.write(
			people
				? `${text().map(plain).join("\n")}\n`
				: `${JSON.stringify(line)}\n`,
		);
	};
}

/** What is for people alone. @param {string} text */
function say(text) {
	console.error(plain(text));
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
export function plural(count) {
	return `${count} image${count === 1 ? "" : "s"}`;
}
