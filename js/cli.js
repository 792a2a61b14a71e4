#!/usr/bin/env node
// The command line. Exit status: 0 allowed, 1 denied, 2 could not find out or could not understand.

import { parseArguments } from "./cli/arguments.js";
import { verifyBlob } from "./cli/blob.js";
import { completionScript } from "./cli/completion.js";
import { showDetails } from "./cli/details.js";
import { audit, diffPolicies } from "./cli/fleet.js";
import { help } from "./cli/help.js";
import {
	asking,
	ofItsFile,
	reaching,
	readPolicy,
	readSigner,
	takeStandardInput,
} from "./cli/inputs.js";
import {
	explainPolicy,
	initPolicy,
	lintPolicy,
	testPolicy,
} from "./cli/policy.js";
import { withFlags } from "./cli/flags.js";
import {
	keyFilesOf,
	plain,
	showShort,
	showVerdict,
	warnings,
} from "./cli/show.js";
import { verifyImage, version } from "./node.js";

/** @typedef {import("./cli/arguments.js").VerifyCommand} VerifyCommand */

const STATUS = { allow: 0, deny: 1, unknown: 2 };

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
	console.error(
		plain(
			`sealgate: ${error.code ? `${error.code}: ` : ""}${withFlags(error)}`,
		),
	);
	return 2;
});

/** @param {string[]} argv @returns {Promise<number>} */
async function main(argv) {
	const command = parseArguments(argv);
	await takeStandardInput(command);
	switch (command.name) {
		case "help":
			process.stdout.write(help(command.of));
			return 0;
		case "version":
			console.log(`sealgate ${version()}`);
			return 0;
		case "completion":
			process.stdout.write(completionScript(command.shell));
			return 0;
		case "verify":
		case "verify-attestation":
			return verify(reaching(command));
		case "verify-blob":
		case "verify-blob-attestation":
			return verifyBlob(command);
		case "policy init":
			return initPolicy(reaching(command));
		case "policy lint":
			return lintPolicy(command);
		case "policy explain":
			return explainPolicy(command);
		case "policy test":
			return testPolicy(reaching(command));
		case "policy diff":
			return diffPolicies(reaching(command));
		case "audit":
			return audit(reaching(command));
	}
}

/** @param {VerifyCommand & import("./cli/inputs.js").Reaching} command */
async function verify(command) {
	// Everything local comes first: nothing is fetched before all of it is there.
	const basis =
		command.policy === undefined
			? readSigner(command)
			: await readPolicy(command.policy, "--policy", command.registriesD);
	const predicate =
		command.type === undefined ? {} : { predicateType: command.type };
	const names = command.anyName ? { anyName: true } : {};
	// What may not stand together is refused by the core, in its own words.
	const options = /** @type {import("./index.d.ts").VerifyOptions} */ ({
		...asking(command.image, command),
		...basis,
		...predicate,
		...names,
		as: command.as,
		viaEvidence: true,
	});
	const report = await verifyImage(command.image, options).catch((error) => {
		throw ofItsFile(error, command);
	});
	for (const warning of warnings(report))
		console.error(plain(`sealgate: warning: ${warning}`));
	process.stdout.write(show(report, command, keyFiles(command, basis)));
	// On a terminal the report is there to be read already.
	if (
		report.verdict === "unknown" &&
		(command.length === "quiet" || !process.stdout.isTTY)
	)
		console.error(plain(`sealgate: ${report.code}: ${withFlags(report)}`));
	// Anything that this program does not know is no "allowed".
	return STATUS[report.verdict] ?? 2;
}

/** @param {import("./index.d.ts").Report} report @param {VerifyCommand} command @param {Map<string, string>} files */
function show(report, { json, length }, files) {
	if (json) return `${JSON.stringify(report, null, 2)}\n`;
	switch (length) {
		case "quiet":
			return showVerdict(report, process.stdout);
		case "verbose":
			return showDetails(report, process.stdout);
		default:
			return showShort(report, files, process.stdout);
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
