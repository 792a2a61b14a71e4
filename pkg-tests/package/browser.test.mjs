// The tarball in a page, as a static server or another origin gives it, in Debian's Chromium and Firefox, under a strict content
// security policy.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { BROWSERS, POLICY, ask, serve } from "./browsers.mjs";
import { assertChecks, consumerProject, demo, here } from "./support.mjs";

/** @type {string} */
let packed;
before(() => {
	packed = join(consumerProject(), "node_modules/sealgate");
});

/** The page with its checks, and the package beside it. @param {string} pathname */
function page(pathname) {
	if (pathname === "/demo.json") return JSON.stringify(demo());
	if (pathname.startsWith("/sealgate/"))
		return { file: join(packed, pathname.slice("/sealgate/".length)) };
	const folder = pathname === "/checks.mjs" ? "." : "browser";
	return { file: join(here, folder, pathname) };
}

/** A page under this policy. @param {string} policy @param {typeof page} [find] */
const pageUnder = (policy, find = page) =>
	serve(find, { "content-security-policy": policy });

for (const name of Object.keys(BROWSERS)) {
	test(`everything works in a page in ${name}`, {
		timeout: 120_000,
	}, async () => {
		const address = await pageUnder(POLICY);
		assertChecks(await ask(name, `${address}/page.html`, "results"));
	});

	test(`a policy without 'wasm-unsafe-eval' is named as what is amiss, in ${name}`, {
		timeout: 60_000,
	}, async () => {
		const address = await pageUnder(POLICY.replace(" 'wasm-unsafe-eval'", ""));
		const { code, message } = await ask(
			name,
			`${address}/loads.html`,
			"loaded",
		);
		assert.equal(code, "host.wasm-forbidden", message);
		assert.match(message, /add 'wasm-unsafe-eval' to script-src/);
	});

	test(`a module that is not where it should be is named with its address, in ${name}`, {
		timeout: 60_000,
	}, async () => {
		const address = await pageUnder(POLICY, (pathname) =>
			pathname.endsWith(".wasm") ? undefined : page(pathname),
		);
		const { code, message } = await ask(
			name,
			`${address}/loads.html`,
			"loaded",
		);
		assert.equal(code, "host.wasm-unloadable", message);
		assert.ok(
			message.includes(`${address}/sealgate/sealgate_bg.wasm`),
			message,
		);
	});
}

/** The tarball's files below a deep path, as a CDN has them. @param {Record<string, string>} headers */
async function cdn(headers) {
	const { name, version, exports, jsdelivr, unpkg } = JSON.parse(
		readFileSync(join(packed, "package.json"), "utf8"),
	);
	assert.deepEqual(
		[jsdelivr, unpkg],
		[exports["."].default, exports["."].default],
	);
	const folder = `/some/mirror/npm/${name}@${version}/`;
	const origin = await serve(
		(pathname) =>
			pathname.startsWith(folder)
				? { file: join(packed, pathname.slice(folder.length)) }
				: undefined,
		headers,
	);
	return { origin, entry: new URL(jsdelivr, `${origin}${folder}`).href };
}

test("everything works from a CDN: another origin, below a deep path", {
	timeout: 120_000,
}, async () => {
	const { origin, entry } = await cdn({ "access-control-allow-origin": "*" });
	const address = await pageUnder(
		`default-src 'none'; script-src 'self' 'wasm-unsafe-eval' ${origin}; connect-src 'self' ${origin}`,
	);
	const from = `${address}/page.html?from=${encodeURIComponent(entry)}`;
	assertChecks(await ask("chromium", from, "results"));
});

test("a CDN whose module a page may not read is named with its address", {
	timeout: 60_000,
}, async () => {
	const { origin, entry } = await cdn({ "access-control-allow-origin": "*" });
	const address = await pageUnder(
		`default-src 'none'; script-src 'self' 'wasm-unsafe-eval' ${origin}; connect-src 'self'`,
	);
	const from = `${address}/loads.html?from=${encodeURIComponent(entry)}`;
	const { code, message } = await ask("chromium", from, "loaded");
	assert.equal(code, "host.wasm-unloadable", message);
	assert.match(message, /connect-src/);
});
