#!/usr/bin/env node
// The command line. Exit status: 0 allowed, 1 denied, 2 could not find out or could not understand.
//
// Each command loads what it needs: a module more costs as much as a signature check.

import { parseArguments } from "./cli/arguments.js";
import { withFlags } from "./cli/flags.js";
import { plain } from "./cli/show.js";

// Until it is known otherwise: also of what never comes to an end, and lets Node run out of work.
process.exitCode = 2;
main(process.argv.slice(2)).then(
	(status) => {
		process.exitCode = status;
	},
	(error) => {
		console.error(
			plain(
				`sealgate: ${error.code ? `${error.code}: ` : ""}${withFlags(error)}`,
			),
		);
	},
);

/** @param {string[]} argv @returns {Promise<number>} */
async function main(argv) {
	const command = parseArguments(argv);
	switch (command.name) {
		case "help": {
			const { help } = await import("./cli/help.js");
			process.stdout.write(help(command.of));
			return 0;
		}
		case "completion": {
			const { completionScript } = await import("./cli/completion.js");
			process.stdout.write(completionScript(command.shell));
			return 0;
		}
		case "version": {
			const { version } = await import("./quick.js");
			console.log(`sealgate ${version()}`);
			return 0;
		}
		default:
			return judge(command);
	}
}

/** @typedef {import("./cli/arguments.js").Command} Command */

/** @param {Exclude<Command, { name: "help" | "completion" | "version" }>} command @returns {Promise<number>} */
async function judge(command) {
	const { reaching, takeStandardInput } = await import("./cli/inputs.js");
	await takeStandardInput(command);
	switch (command.name) {
		case "verify":
		case "verify-attestation":
			return (await import("./cli/verify.js")).verify(reaching(command));
		case "verify-blob":
		case "verify-blob-attestation":
			return (await import("./cli/blob.js")).verifyBlob(command);
		case "policy init":
			return (await import("./cli/policy.js")).initPolicy(reaching(command));
		case "policy lint":
			return (await import("./cli/policy.js")).lintPolicy(command);
		case "policy explain":
			return (await import("./cli/policy.js")).explainPolicy(command);
		case "policy test":
			return (await import("./cli/policy.js")).testPolicy(reaching(command));
		case "policy diff":
			return command.gateways.length > 0
				? (await import("./cli/next.js")).diffGateways(reaching(command))
				: (await import("./cli/fleet.js")).diffPolicies(reaching(command));
		case "doctor":
			return (await import("./cli/doctor.js")).doctor(reaching(command));
		case "policy bundle":
			return (await import("./cli/bundle.js")).bundlePolicy(command);
		case "policy push":
			return (await import("./cli/bundle.js")).pushPolicy(command);
		case "serve":
			return (await import("./cli/serve.js")).serve(command);
		case "audit":
			return (await import("./cli/fleet.js")).audit(reaching(command));
	}
}
