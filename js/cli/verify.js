// An image, judged by a policy, keys or identities.

import { verifyImage } from "../quick.js";
import { withFlags } from "./flags.js";
import { asking, ofItsFile, readPolicy, readSigner } from "./inputs.js";
import { keyFilesOf, plain, showShort, showVerdict, warnings } from "./show.js";

/** @typedef {import("./arguments.js").VerifyCommand} VerifyCommand */

const STATUS = { allow: 0, deny: 1, unknown: 2 };

/** @param {VerifyCommand & import("./inputs.js").Reaching} command */
export async function verify(command) {
	// Everything local comes first: nothing is fetched before all of it is there.
	const basis =
		command.policy === undefined
			? readSigner(command)
			: await readPolicy(command.policy, "--policy", command.registriesD);
	const predicate =
		command.type === undefined ? {} : { predicateType: command.type };
	const names = command.anyName ? { anyName: true } : {};
	const { image, where } = await source(command);
	// What may not stand together is refused by the core, in its own words.
	const options = /** @type {import("../index.d.ts").VerifyOptions} */ ({
		...where,
		...basis,
		...predicate,
		...names,
		as: command.as,
		viaEvidence: true,
	});
	const report = await verifyImage(image, options).catch((error) => {
		throw ofItsFile(error, command);
	});
	for (const warning of warnings(report))
		console.error(plain(`sealgate: warning: ${warning}`));
	process.stdout.write(
		await show(report, command, () => keyFiles(command, basis)),
	);
	// On a terminal the report is there to be read already.
	if (
		report.verdict === "unknown" &&
		(command.length === "quiet" || !process.stdout.isTTY)
	)
		console.error(plain(`sealgate: ${report.code}: ${withFlags(report)}`));
	// Anything that this program does not know is no "allowed".
	return STATUS[report.verdict] ?? 2;
}

/** The image as the core is asked for it, and where it is. @param {VerifyCommand & import("./inputs.js").Reaching} command */
async function source(command) {
	const { name, image } = command;
	if (name !== "verify" || !image.startsWith("dir:"))
		return { image, where: asking(image, command) };
	const { readDir } = await import("./dir.js");
	const dir = readDir(image.slice("dir:".length));
	const { platform, provider } = command;
	return { image: `dir:${dir.path}`, where: { dir, platform, provider } };
}

/** @param {import("../index.d.ts").Report} report @param {VerifyCommand} command @param {() => Promise<Map<string, string>>} files */
async function show(report, { json, length }, files) {
	if (json) return `${JSON.stringify(report, null, 2)}\n`;
	switch (length) {
		case "quiet":
			return showVerdict(report, process.stdout);
		case "verbose": {
			const { showDetails } = await import("./details.js");
			return showDetails(report, process.stdout);
		}
		default:
			return showShort(report, await files(), process.stdout);
	}
}

/** Keys by the files that they were read from. @param {VerifyCommand} command @param {{ key?: Uint8Array[], assets?: Record<string, Uint8Array>, paths: object }} basis */
function keyFiles({ keys }, { key = [], assets = {} }) {
	return keyFilesOf([
		...key.map(
			(pem, index) =>
				/** @type {[string, Uint8Array]} */ ([keys[index] ?? "", pem]),
		),
		...Object.entries(assets),
	]);
}
