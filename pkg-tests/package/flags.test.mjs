// The library speaks of options, the command line of flags.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtPackage, root } from "./support.mjs";

const { OPTIONS } = await import(join(builtPackage(), "cli/table.js"));
const { withFlags } = await import(join(builtPackage(), "cli/flags.js"));
const FLAGS = Object.keys(OPTIONS).map((name) => `--${name}`);
/** Commands of others, which have flags of the same names. */
const OTHERS = /\b(?:cosign|openssl|gpg|skopeo|podman)\b/;
/** Makes cosign's command line. */
const COSIGNS = "src/verify/equivalent.rs";

/** What the library is made of, without its tests. */
function sources() {
	const rust = readdirSync(join(root, "src"), { recursive: true })
		.map((name) => join("src", String(name)))
		.filter((name) => /\.rs$/.test(name) && !/tests(\.rs|\/)/.test(name));
	const js = readdirSync(join(root, "js"))
		.filter((name) => /\.(js|ts)$/.test(name) && name !== "cli.js")
		.map((name) => join("js", name));
	return [...rust, ...js].filter((name) => name !== COSIGNS);
}

/** Texts in quotes that name a flag of ours. @param {string} text */
function flagged(text) {
	const joined = text.replace(/\\\n\s*/g, "").replace(/^\s*\/\/.*$/gm, "");
	const quoted = joined.match(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g) ?? [];
	return quoted.filter(
		(one) =>
			FLAGS.some((flag) => new RegExp(`(?<![\\w-])${flag}\\b`).test(one)) &&
			!OTHERS.test(one),
	);
}

test("no message of the library names a flag of the command line", () => {
	assert.ok(FLAGS.length > 20, FLAGS.join(" "));
	assert.deepEqual(flagged('"name it with --realm URL"').length, 1);
	assert.deepEqual(flagged('"say so \\\n   with --mirror"').length, 1);
	const found = sources().flatMap((name) =>
		flagged(readFileSync(join(root, name), "utf8")).map(
			(text) => `${name}: ${text}`,
		),
	);
	assert.deepEqual(found, []);
});

test("the command line adds its flag, and leaves other messages alone", () => {
	const realm = withFlags({ code: "registry.realm", message: "list it" });
	assert.equal(realm, "list it; on this command line: --realm URL");
	for (const code of ["signature.missing", "toString", undefined])
		assert.equal(withFlags({ code, message: "as it is" }), "as it is");
});

test("each flag that is added is one that there is", () => {
	const text = readFileSync(join(root, "js/cli/flags.js"), "utf8");
	const named = text.match(/(?<=[" ])--[a-z-]+/g) ?? [];
	assert.ok(named.length >= 6);
	for (const flag of named) assert.ok(FLAGS.includes(flag), flag);
});
