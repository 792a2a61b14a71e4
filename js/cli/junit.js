// Results as JUnit's XML, which test reports read.

import { plain } from "./show.js";

/** @typedef {{ image: string, as?: string, outcome: "good" | "unverified" | "bad" | "unknown", code: string, message: string, line?: number }} Finding */

/** @param {string} suite @param {Finding[]} findings */
export function junit(suite, findings) {
	const count = (/** @type {Finding["outcome"]} */ wanted) =>
		findings.filter(({ outcome }) => outcome === wanted).length;
	const counts = `tests="${findings.length}" failures="${count("bad")}" errors="${count("unknown")}" skipped="0"`;
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		`<testsuites name="sealgate" ${counts}>`,
		`  <testsuite name="${escaped(suite)}" ${counts}>`,
		...findings.map(testCase),
		"  </testsuite>",
		"</testsuites>",
		"",
	].join("\n");
}

/** @param {Finding} finding */
function testCase({ image, as, outcome, code, message }) {
	const name = as === undefined ? image : `${image} as ${as}`;
	const head = `    <testcase classname="sealgate" name="${escaped(name)}"`;
	const said = `type="${escaped(code)}" message="${escaped(message)}"`;
	switch (outcome) {
		case "good":
			return `${head}/>`;
		case "unverified":
			return `${head}><system-out>${escaped(`allowed, not verified: ${message} (${code})`)}</system-out></testcase>`;
		case "bad":
			return `${head}><failure ${said}/></testcase>`;
		default:
			return `${head}><error ${said}/></testcase>`;
	}
}

const ENTITIES = /** @type {Record<string, string>} */ ({
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&apos;",
});

/** Text of XML 1.0, which has no control characters, halves of pairs and noncharacters. @param {string} text */
function escaped(text) {
	return plain(text)
		.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? "")
		.replace(/\p{Surrogate}|[\ufffe\uffff]/gu, "\ufffd");
}
