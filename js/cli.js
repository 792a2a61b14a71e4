#!/usr/bin/env node
// The command line. Exit status: 0 allowed, 1 denied, 2 could not find out or could not understand.

import { HELP, parseArguments } from "./cli/arguments.js";
import { asking, read, readPolicy, readSigner } from "./cli/inputs.js";
import { audit, diffPolicies } from "./cli/fleet.js";
import {
	explainPolicy,
	initPolicy,
	lintPolicy,
	testPolicy,
} from "./cli/policy.js";
import { withFlags } from "./cli/flags.js";
import { plain, showBundle, showReport, warnings } from "./cli/show.js";
import { verifyBundle, verifyImage, version } from "./node.js";

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
	switch (command.name) {
		case "help":
			process.stdout.write(HELP);
			return 0;
		case "version":
			console.log(`sealgate ${version()}`);
			return 0;
		case "verify":
		case "verify-attestation":
			return verify(command);
		case "verify-blob":
		case "verify-blob-attestation":
			return verifyBlob(command);
		case "policy init":
			return initPolicy(command);
		case "policy lint":
			return lintPolicy(command);
		case "policy explain":
			return explainPolicy(command);
		case "policy diff":
			return diffPolicies(command);
		case "audit":
			return audit(command);
		case "policy test":
			return testPolicy(command);
	}
}

/** @param {import("./cli/arguments.js").VerifyCommand} command */
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
	const report = await verifyImage(command.image, options);
	for (const warning of warnings(report))
		console.error(plain(`sealgate: warning: ${warning}`));
	if (command.json) console.log(JSON.stringify(report, null, 2));
	else process.stdout.write(showReport(report, process.stdout));
	// On a terminal the report is there to be read already.
	if (report.verdict === "unknown" && !process.stdout.isTTY)
		console.error(plain(`sealgate: ${report.code}: ${withFlags(report)}`));
	// Anything that this program does not know is no "allowed".
	return STATUS[report.verdict] ?? 2;
}

/** @param {import("./cli/arguments.js").VerifyBlobCommand} command */
async function verifyBlob(command) {
	const signer = readSigner(command);
	const bundle = read(command.bundle, "bundle.unreadable", "--bundle");
	const artifact = read(command.file, "file.unreadable", "the file");
	try {
		const wanted =
			command.type === undefined
				? { wanted: /** @type {const} */ ("signature") }
				: { predicateType: command.type };
		const verified = await verifyBundle(bundle, {
			artifact,
			...signer,
			...wanted,
			provider: command.provider,
		});
		process.stdout.write(
			command.json
				? `${JSON.stringify(verified, null, 2)}\n`
				: showBundle(verified, command.file),
		);
		return 0;
	} catch (error) {
		const { code, message } =
			/** @type {import("./index.d.ts").SealgateError} */ (error);
		// Arguments, keys, trusted roots and bundles that cannot be understood say nothing about the file.
		if (
			code === undefined ||
			/^(argument|internal|host\.|key\.|limit\.keys|root\.|rule\.|pattern\.|predicate\.|trusted-root\.|bundle\.(json|media-type|shape)$)/.test(
				code,
			)
		)
			throw error;
		if (command.json) console.log(JSON.stringify({ code, message }, null, 2));
		else
			console.log(
				plain(
					`✘ not verified: ${command.file}: ${withFlags({ code, message })} (${code})`,
				),
			);
		return 1;
	}
}
