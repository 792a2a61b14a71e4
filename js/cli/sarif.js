// Results as SARIF 2.1.0 (OASIS), which code scanning reads.

import { version } from "../quick.js";

/** @typedef {import("./junit.js").Finding} Finding */

const SCHEMA =
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/** Allowed and verified is no result. */
const LEVELS = { bad: "error", unknown: "warning", unverified: "note" };

/** @param {string} file that the results are shown at: a policy, or a table of cases @param {Finding[]} findings */
export function sarif(file, findings) {
	const told = findings.flatMap((finding) =>
		finding.outcome === "good"
			? []
			: [{ ...finding, level: LEVELS[finding.outcome] }],
	);
	const rules = [...new Set(told.map(({ code }) => code))];
	const log = {
		$schema: SCHEMA,
		version: "2.1.0",
		runs: [
			{
				tool: {
					driver: {
						name: "sealgate",
						version: version(),
						rules: rules.map((id) => ({
							id,
							shortDescription: { text: `sealgate ${id}` },
						})),
					},
				},
				invocations: [
					{
						executionSuccessful: told.every(
							({ outcome }) => outcome !== "unknown",
						),
					},
				],
				results: told.map((finding) => result(file, rules, finding)),
			},
		],
	};
	return `${JSON.stringify(log, null, 2)}\n`;
}

/** @param {string} file @param {string[]} rules @param {Finding & { level: string }} finding */
function result(file, rules, { image, as, level, code, message, line }) {
	const name = as === undefined ? image : `${image} as ${as}`;
	return {
		ruleId: code,
		ruleIndex: rules.indexOf(code),
		level,
		message: { text: `${name}: ${message}` },
		locations: [
			{
				physicalLocation: {
					artifactLocation: { uri: uriOf(file) },
					region: { startLine: line ?? 1 },
				},
				logicalLocations: [{ fullyQualifiedName: name, kind: "resource" }],
			},
		],
	};
}

/** A relative reference, as it stands in the repository. @param {string} file */
function uriOf(file) {
	return file
		.split("/")
		.map((part) => encodeURIComponent(part))
		.join("/");
}
