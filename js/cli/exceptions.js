// Exceptions for what an audit denied.

import { writeFileSync } from "node:fs";
import { codedError } from "../error.js";
import { parseReference } from "../quick.js";
import { plural } from "./fleet.js";

/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {{ scope: string, digests: string[], until: string, reason: string }} Exception */

const DAY = 24 * 60 * 60 * 1000;

/**
 * Exceptions that admit what was denied, for "sealgate": {"exceptions": […]}: a month to sign what runs. What bears a
 * signature that failed was not forgotten, it was made to look signed, and is left out.
 *
 * @param {string} path @param {Report[]} denied @param {boolean} includeSuspicious @param {(text: string) => void} say
 */
export function writeExceptions(path, denied, includeSuspicious, say) {
	const until = new Date(Math.ceil(Date.now() / DAY) * DAY + 30 * DAY)
		.toISOString()
		.replace(/\.\d+Z$/, "Z");
	const suspicious = denied.filter(
		({ failedSignatures = 0, image }) =>
			image.digest !== undefined && failedSignatures > 0,
	);
	const excused = includeSuspicious
		? denied
		: denied.filter((report) => !suspicious.includes(report));
	const exceptions = exceptionsFor(excused, until);
	write(path, exceptions);
	const count = exceptions.reduce(
		(sum, { digests }) => sum + digests.length,
		0,
	);
	const without = denied.filter(
		({ image }) => image.digest === undefined,
	).length;
	if (!includeSuspicious && suspicious.length > 0)
		say(
			`${path}: without ${plural(suspicious.length)} whose signature failed (another key, digest or name): ${suspicious.map(({ image, code }) => `${image.name} (${code})`).join(", ")}; look into each, --include-suspicious excuses them too`,
		);
	say(
		`${path}: exceptions for ${count} digest${count === 1 ? "" : "s"} until ${until}${without > 0 ? `; ${without} denied images have no digest and no exception` : ""}`,
	);
}

/** One for each repository. @param {Report[]} excused @param {string} until @returns {Exception[]} */
function exceptionsFor(excused, until) {
	/** @type {Map<string, Exception>} */
	const scopes = new Map();
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
	return [...scopes.values()];
}

/** @param {string} path @param {Exception[]} exceptions */
function write(path, exceptions) {
	try {
		writeFileSync(path, `${JSON.stringify(exceptions, null, 2)}\n`);
	} catch (error) {
		throw codedError(
			"exceptions.unwritable",
			`--write-exceptions: expected a file that can be written at ${path}, found ${/** @type {any} */ (error).code ?? error}`,
			error,
		);
	}
}
