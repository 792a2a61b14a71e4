// A TypeScript project that uses every export compiles under --strict, however it resolves modules.

import assert from "node:assert/strict";
import {
	copyFileSync,
	cpSync,
	existsSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { typesOf } from "../../tools/build/report-types.mjs";
import { consumerProject, devTool, here, peer, root, run } from "./support.mjs";

/** @type {string} */
let project;
before(() => {
	project = consumerProject();
	copyFileSync(join(here, "types/consumer.ts"), join(project, "consumer.ts"));
});

test("the types of a report are those of its schema, and all of them are the package's", () => {
	const file = (name) => readFileSync(join(root, "js", name), "utf8");
	const types = typesOf(JSON.parse(file("report.schema.json")));
	assert.equal(
		file("report.d.ts"),
		types,
		"run `node tools/build/report-types.mjs`",
	);
	const exported = /export type \{([^}]*)\} from "\.\/report\.js"/.exec(
		file("index.d.ts"),
	)?.[1];
	const names = [...types.matchAll(/^export (?:interface|type) (\w+)/gm)];
	assert.deepEqual(
		exported?.match(/\w+/g)?.sort(),
		names.map(([, name]) => name).sort(),
	);
	assert.ok(names.length >= 14);
});

test("what the generator of types does not understand stops it", () => {
	const schema = (member) => ({
		type: "object",
		additionalProperties: false,
		properties: { member },
		$defs: {},
	});
	assert.match(typesOf(schema({ type: "string" })), /member\?: string;/);
	for (const member of [
		{ type: "null" },
		{ type: "string", format: "uri" },
		{ type: "object", properties: {} },
		{ oneOf: [{ type: "string" }] },
	])
		assert.throws(() => typesOf(schema(member)), /no type|not understood|open/);
});

const settings = {
	"Node's resolution": { module: "NodeNext", moduleResolution: "NodeNext" },
	"a bundler's resolution": { module: "ESNext", moduleResolution: "Bundler" },
	// What is not set here: the package's types must not lean on a page's or on Node's.
	"exact optional properties": {
		module: "ESNext",
		moduleResolution: "Bundler",
		exactOptionalPropertyTypes: true,
		noUncheckedIndexedAccess: true,
	},
};

for (const [name, compilerOptions] of Object.entries(settings)) {
	test(`tsc --strict accepts a consumer with ${name}`, () => {
		const common = {
			strict: true,
			noEmit: true,
			target: "ES2022",
			lib: ["ES2022"],
			types: [],
			skipLibCheck: false,
		};
		writeFileSync(
			join(project, "package.json"),
			JSON.stringify({ name: "consumer", private: true, type: "module" }),
		);
		writeFileSync(
			join(project, "tsconfig.json"),
			JSON.stringify({
				compilerOptions: { ...common, ...compilerOptions },
				files: ["consumer.ts"],
			}),
		);
		run(devTool("tsc"), ["-p", "."], project);
	});
}

/** What a page and Node have of the same name. */
const PLATFORM = `import { Gateway, verifyImage, policyLint } from "sealgate";
await verifyImage("a", { key: "k", fetch, signal: AbortSignal.timeout(1000) });
await verifyImage("a", { fetch: globalThis.fetch, signal: new AbortController().signal });
await policyLint("{}", { signal: AbortSignal.abort() });
const gateway = await Gateway.create({ upstream: "http://a", name: "a", policy: "{}" }, { fetch });
await gateway.handle(new Request("http://a/v2/"), { signal: AbortSignal.timeout(1000) });
`;

/** @param {string} text @param {object} compilerOptions */
function compile(text, compilerOptions) {
	writeFileSync(join(project, "platform.ts"), text);
	const common = {
		strict: true,
		noEmit: true,
		target: "ES2022",
		types: [],
		module: "NodeNext",
		moduleResolution: "NodeNext",
	};
	writeFileSync(
		join(project, "tsconfig.json"),
		JSON.stringify({
			compilerOptions: { ...common, ...compilerOptions },
			files: ["platform.ts"],
		}),
	);
	run(devTool("tsc"), ["-p", "."], project);
}

test("tsc --strict accepts a page's own fetch, Request, signals and crypto", () => {
	const wasm = `import wasm from "sealgate/sealgate_bg.wasm";
export const module: WebAssembly.Module = wasm;
`;
	compile(wasm + PLATFORM, { lib: ["ES2022", "DOM", "DOM.Iterable"] });
});

/** As npm would install them. @param {number} version */
function installNodeTypes(version) {
	const from = dirname(peer(`types-node-${version}/package.json`));
	const modules = join(project, "node_modules");
	for (const name of ["@types/node", "undici-types"])
		rmSync(join(modules, name), { recursive: true, force: true });
	cpSync(from, join(modules, "@types/node"), { recursive: true });
	const nested = join(from, "node_modules/undici-types");
	if (!existsSync(nested))
		cpSync(peer("undici-types"), join(modules, "undici-types"), {
			recursive: true,
		});
	const manifest = join(modules, "@types/node/package.json");
	return JSON.parse(readFileSync(manifest, "utf8")).version;
}

for (const version of [20, 22, 24]) {
	test(`tsc --strict accepts the fetch, Request and signals of @types/node ${version}`, () => {
		assert.match(installNodeTypes(version), new RegExp(`^${version}\\.`));
		const node = { lib: ["ES2022"], types: ["node"] };
		compile(PLATFORM, node);
		// Types that let everything pass would let this pass, too.
		assert.throws(
			() => compile(PLATFORM.replace("globalThis.fetch", "setTimeout"), node),
			/is not assignable/,
		);
	});
}
