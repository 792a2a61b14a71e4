/**
 * The TypeScript types of a report, made from its JSON schema: `node tools/build/report-types.mjs` writes them.
 *
 * Takes what `report.schema.json` uses of JSON Schema, and stops at anything else.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {Record<string, any>} Schema */

/** Biome breaks a line that is longer. */
const WIDTH = 80;
/** A closed list that another file has. */
const ELSEWHERE = { Code: "./codes.js" };
/** What says nothing that TypeScript can say. */
const UNSAID = new Set([
	"$schema",
	"title",
	"description",
	"pattern",
	"minimum",
]);

/** @param {Schema} schema of a report @returns {string} a module of declarations */
export function typesOf(schema) {
	const named = Object.values(schema.$defs).filter(({ title }) => title);
	const declared = named.filter(({ title }) => !(title in ELSEWHERE));
	const { $defs, ...report } = schema;
	const root = {
		...report,
		title: "Report",
		description: `${report.description} report.schema.json says the same.`,
	};
	return [
		"// Made from report.schema.json by tools/build/report-types.mjs. Change the schema.\n",
		...Object.entries(ELSEWHERE).map(
			([name, file]) => `import type { ${name} } from "${file}";\n`,
		),
		...[root, ...declared].map((one) => declaration(one, $defs)),
	].join("\n");
}

/** @param {Schema} one @param {Schema} defs */
function declaration(one, defs) {
	const about = comment(one, "");
	if (one.type === "object")
		return `${about}export interface ${one.title} ${type(one, defs, "")}\n`;
	return `${about}export type ${one.title} =${spread(one.enum.map(literal), `export type ${one.title} =`, "")};\n`;
}

/** @param {Schema} schema @param {Schema} defs @param {string} indent @returns {string} */
function type(schema, defs, indent) {
	if (schema.$ref) {
		only(schema, ["$ref"]);
		const target = defs[schema.$ref.replace("#/$defs/", "")];
		return target.title ?? type(target, defs, indent);
	}
	if ("const" in schema) return literal(schema.const);
	if (schema.enum) return schema.enum.map(literal).join(" | ");
	switch (schema.type) {
		case "string":
		case "boolean":
			only(schema, ["type"]);
			return schema.type;
		case "integer":
			only(schema, ["type"]);
			return "number";
		case "array": {
			only(schema, ["type", "items"]);
			return `${type(schema.items, defs, indent)}[]`;
		}
		case "object":
			return object(schema, defs, indent);
	}
	throw new Error(`no type for ${JSON.stringify(schema)}`);
}

/** @param {Schema} schema @param {Schema} defs @param {string} indent */
function object(schema, defs, indent) {
	only(schema, ["type", "properties", "required", "additionalProperties"]);
	if (!schema.properties)
		return `Record<string, ${type(schema.additionalProperties, defs, indent)}>`;
	if (schema.additionalProperties !== false)
		throw new Error(`an open object: ${JSON.stringify(schema)}`);
	const inner = `${indent}\t`;
	const members = Object.entries(schema.properties).map(([name, member]) => {
		const optional = schema.required?.includes(name) ? "" : "?";
		const head = `${inner}${name}${optional}:`;
		const value = member.enum
			? spread(member.enum.map(literal), head, inner)
			: ` ${type(member, defs, inner)}`;
		return `${comment(member, inner)}${head}${value};\n`;
	});
	return `{\n${members.join("")}${indent}}`;
}

/** Alternatives on one line, or on one each. @param {string[]} words @param {string} head @param {string} indent */
function spread(words, head, indent) {
	const line = ` ${words.join(" | ")}`;
	if (head.replaceAll("\t", "  ").length + line.length < WIDTH) return line;
	return words.map((word) => `\n${indent}\t| ${word}`).join("");
}

/** @param {Schema} schema @param {string} indent */
function comment({ description }, indent) {
	return description === undefined ? "" : `${indent}/** ${description} */\n`;
}

/** @param {Schema} schema @param {string[]} understood */
function only(schema, understood) {
	for (const keyword of Object.keys(schema))
		if (!understood.includes(keyword) && !UNSAID.has(keyword))
			throw new Error(
				`${keyword} is not understood, in ${JSON.stringify(schema)}`,
			);
}

/** @param {unknown} value */
function literal(value) {
	return JSON.stringify(value);
}

if (process.argv[1] === import.meta.filename) {
	const js = join(import.meta.dirname, "../../js");
	const schema = JSON.parse(
		readFileSync(join(js, "report.schema.json"), "utf8"),
	);
	writeFileSync(join(js, "report.d.ts"), typesOf(schema));
}
