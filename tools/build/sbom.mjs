/**
 * Writes which crates the module is made of, and what of npm is carried along, with their licences, into the package: CycloneDX, without a time, so that the same sources give the same bytes.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { carry } from "./vendor.mjs";

const [folder] = process.argv.slice(2);
const { packages, resolve } = JSON.parse(
	execFileSync(
		"cargo",
		[
			"metadata",
			"--locked",
			"--format-version=1",
			"--features=wasm",
			"--filter-platform=wasm32-unknown-unknown",
			`--manifest-path=${fileURLToPath(new URL("../../Cargo.toml", import.meta.url))}`,
		],
		{ encoding: "utf8", maxBuffer: 2 ** 28 },
	),
);
/** @type {Map<string, any>} */
const byId = new Map(packages.map((/** @type {any} */ one) => [one.id, one]));
/** @type {Map<string, any>} */
const nodes = new Map(
	resolve.nodes.map((/** @type {any} */ node) => [node.id, node]),
);

/** What is compiled into the module: neither tests nor build scripts nor macros. @param {any} node @returns {string[]} */
const compiledIn = (node) =>
	node.deps
		.filter(
			({ pkg, dep_kinds }) =>
				dep_kinds.some(({ kind }) => kind === null) &&
				!byId.get(pkg).targets.some(({ kind }) => kind.includes("proc-macro")),
		)
		.map(({ pkg }) => pkg);

/** @type {Set<string>} */
const found = new Set();
const open = [resolve.root];
for (let id = open.pop(); id !== undefined; id = open.pop()) {
	if (found.has(id)) continue;
	found.add(id);
	open.push(...compiledIn(nodes.get(id)));
}

const reference = (/** @type {string} */ id) =>
	`pkg:cargo/${byId.get(id).name}@${byId.get(id).version}`;
const component = (/** @type {string} */ id) => {
	const { name, version, license } = byId.get(id);
	if (!license)
		throw new Error(`${name} ${version} states no licence in its manifest`);
	return {
		type: "library",
		"bom-ref": reference(id),
		name,
		version,
		// The older way to write a choice.
		licenses: [{ expression: license.replaceAll("/", " OR ") }],
		purl: reference(id),
	};
};
const carried = carry(folder).map(({ name, version, license }) => ({
	type: "library",
	"bom-ref": `pkg:npm/${name}@${version}`,
	name,
	version,
	licenses: [{ expression: license }],
	purl: `pkg:npm/${name}@${version}`,
}));
const sorted = [...found].sort((a, b) =>
	reference(a) < reference(b) ? -1 : 1,
);
const document = {
	bomFormat: "CycloneDX",
	specVersion: "1.6",
	version: 1,
	metadata: { component: component(resolve.root) },
	components: [
		...sorted.filter((id) => id !== resolve.root).map(component),
		...carried,
	],
	dependencies: [
		...sorted.map((id) => ({
			ref: reference(id),
			dependsOn: [
				...compiledIn(nodes.get(id)).map(reference),
				...(id === resolve.root ? carried.map(({ purl }) => purl) : []),
			].sort(),
		})),
		...carried.map(({ purl }) => ({ ref: purl, dependsOn: [] })),
	],
};
writeFileSync(
	join(folder, "sbom.cdx.json"),
	`${JSON.stringify(document, undefined, "\t")}\n`,
);
