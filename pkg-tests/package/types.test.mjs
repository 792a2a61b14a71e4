// A TypeScript project that uses every export compiles under --strict, however it resolves modules.

import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { consumerProject, devTool, here, run } from "./support.mjs";

/** @type {string} */
let project;
before(() => {
	project = consumerProject();
	copyFileSync(join(here, "types/consumer.ts"), join(project, "consumer.ts"));
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

test("tsc --strict accepts the platform's own fetch, Request and crypto", () => {
	writeFileSync(
		join(project, "page.ts"),
		'import { Gateway, verifyImage } from "sealgate";\nimport wasm from "sealgate/sealgate_bg.wasm";\nexport const module: WebAssembly.Module = wasm;\nawait verifyImage("a", { key: "k", fetch });\nawait verifyImage("a", { fetch: globalThis.fetch });\nawait new Gateway({ upstream: "http://a", name: "a", policy: "{}" }, { fetch }).handle(new Request("http://a/v2/"));\n',
	);
	const compilerOptions = {
		strict: true,
		noEmit: true,
		target: "ES2022",
		lib: ["ES2022", "DOM", "DOM.Iterable"],
		types: [],
		module: "NodeNext",
		moduleResolution: "NodeNext",
	};
	writeFileSync(
		join(project, "tsconfig.json"),
		JSON.stringify({ compilerOptions, files: ["page.ts"] }),
	);
	run(devTool("tsc"), ["-p", "."], project);
});
