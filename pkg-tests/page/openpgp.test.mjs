// What the page shows of signatures of GnuPG: who signed, with which key and until when it counts; a name of any text stays in its
// place; and what cannot be read in a lookaside is never allowed.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startLookaside } from "../lib/lookaside.mjs";
import { pushImage, startRegistry } from "../lib/peers.mjs";
import { startWorker as startServer } from "../lib/serve.mjs";
import {
	faintTexts,
	inEachBrowser,
	screenshot,
	settled,
	text,
} from "./browser.mjs";
import { servedDemo } from "./worker.mjs";

/** @typedef {import('puppeteer-core').Page} Page */

const SIGNED = new URL("../../fixtures/simple-signing/", import.meta.url);

const demo = servedDemo();

/** What stands in the list of what a signature says: names and values. @param {Page} page */
const claims = (page) =>
	page.$$eval(".sg-claims .sg-fact", (all) =>
		Object.fromEntries(
			all.map((one) => [
				one.querySelector("dt")?.textContent ?? "",
				one.querySelector("dd")?.textContent ?? "",
			]),
		),
	);

/** What each step says. @param {Page} page */
const steps = (page) =>
	page.$$eval(".sg-step-text", (all) =>
		all.map((one) => one.textContent ?? ""),
	);

/** Of the first candidate of the report that is shown. @param {Page} page */
async function candidate(page) {
	const report = JSON.parse(await text(page, ".sg-raw pre"));
	return report.requirements[0].candidates[0];
}

/** Evidence as a gateway gives it, of the image of fixtures/simple-signing. @param {string} signature @param {string} keyring @param {object} [more] members of the requirement */
async function evidence(signature, keyring, more = {}) {
	const file = (/** @type {string} */ name) => readFile(new URL(name, SIGNED));
	const base64 = (/** @type {Uint8Array | string} */ content) =>
		Buffer.from(content).toString("base64");
	const image = await file("manifest.json");
	const digest = `sha256:${createHash("sha256").update(image).digest("hex")}`;
	const policy = {
		...("expiredKeys" in more && { sealgate: { version: 1 } }),
		default: [
			{
				type: "signedBy",
				keyType: "GPGKeys",
				keyData: base64(await file(keyring)),
				...more,
			},
		],
	};
	const given = (/** @type {string} */ path, /** @type {string} */ body) => ({
		path,
		status: 200,
		body,
	});
	return JSON.stringify({
		version: 1,
		name: "registry.example/team/app:1",
		repository: "team/app",
		reference: "1",
		digest,
		policy: { text: base64(JSON.stringify(policy)), assets: {} },
		answers: [
			given("manifests/1", base64(image)),
			{ path: `signatures/${digest}`, status: 404 },
			given(
				`lookaside/${digest}/signature-1`,
				base64(await file(`${signature}.sig`)),
			),
			{ path: `lookaside/${digest}/signature-2`, status: 404 },
		],
	});
}

/** @param {Page} page @param {string} body */
async function openEvidence(page, body) {
	await page.setRequestInterception(true);
	page.on("request", (request) =>
		request.url().includes("/api/evidence/team/app")
			? request.respond({ status: 200, contentType: "application/json", body })
			: request.continue(),
	);
	await page.goto(`${demo.base}/#${demo.host}/team/app:1`);
	await settled(page);
}

inEachBrowser((browser, name) => {
	test("an image that GnuPG signed: who, with which key, when", async () => {
		const { page, complaints } = await browser.page();
		await demo.open(page, "gpg");
		assert.equal(await text(page, ".sg-verdict"), "Allowed");
		const { key } = (await candidate(page)).claims.openpgp;
		const shown = await claims(page);
		assert.match(
			shown["Signed by"] ?? "",
			/^Demo Team <team@demo\.example>the name that the key gives itself/u,
		);
		assert.ok(shown["Primary key"]?.startsWith(key), shown["Primary key"]);
		assert.equal(shown["Signed with"], "the primary key itself");
		assert.equal(shown.Algorithm, "RSA 3072over SHA-512");
		assert.match(shown["Key valid"] ?? "", /January 1, 2026.* – no end$/u);
		assert.match(shown["Signed at"] ?? "", /^January 3, 2026/u);
		assert.equal(shown.Names, "demo.example/demo/gpg:1.0");
		const chain = await page.$$eval(".sg-link-value", (all) =>
			all.map((one) => one.textContent),
		);
		assert.equal(chain[1], `accepted, key ${key.slice(-16)}`);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("refused ones: whose signature it is, where that is known, and why it does not count", async () => {
		const { page, complaints } = await browser.page();
		const look = async (/** @type {string} */ repository) => {
			await page.goto("about:blank");
			await demo.open(page, repository);
			assert.equal(await text(page, ".sg-verdict"), "Denied");
			return {
				code: (await candidate(page)).code,
				shown: await claims(page),
				requirement: await text(page, ".sg-requirement"),
			};
		};
		const expired = await look("gpg-expired");
		assert.equal(expired.code, "openpgp.key-expired");
		assert.match(expired.shown["Signed by"] ?? "", /^Demo Team \(retired\)/u);
		assert.equal(expired.shown.Algorithm, "Ed25519over SHA-256");
		assert.match(expired.shown["Key valid"] ?? "", / – January 31, 2026/u);
		assert.doesNotMatch(expired.requirement, /passes that over/u);
		const copied = await look("gpg-copied");
		assert.equal(copied.code, "identity.not-accepted");
		assert.match(copied.shown["Signed by"] ?? "", /^Demo Team </u);
		assert.equal(copied.shown.Names, "demo.example/demo/gpg:1.0");
		// Nobody vouches for anything that a stranger's signature says.
		const stranger = await look("gpg-wrong-key");
		assert.equal(stranger.code, "openpgp.unknown-key");
		assert.deepEqual(stranger.shown, {});
		assert.match(stranger.requirement, /not in the keyring/u);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("a subkey, and a key whose expiry is passed over", async () => {
		const subkey = await browser.page();
		await openEvidence(subkey.page, await evidence("subkey", "subkey.gpg"));
		assert.equal(await text(subkey.page, ".sg-verdict"), "Allowed");
		const { key, subkey: own } = (await candidate(subkey.page)).claims.openpgp;
		const shown = await claims(subkey.page);
		assert.ok(shown["Primary key"]?.startsWith(key));
		assert.ok(shown["Signed with"]?.startsWith(`its subkey${own}`));
		const signatures = (await steps(subkey.page)).filter((step) =>
			step.includes(": the signature ("),
		);
		assert.deepEqual(
			signatures.map((step) => step.split(": the signature (")[0]),
			[
				"Over the message",
				"Over the key itself",
				"Over the key itself",
				"By the subkey, over the key it belongs to",
			],
		);
		await screenshot(subkey.page, `page-openpgp-subkey-${name}`);
		await subkey.page.close();

		const over = await browser.page();
		const until = { expiredKeys: { until: "2099-01-01T00:00:00Z" } };
		await openEvidence(
			over.page,
			await evidence("expiring", "expiring.gpg", until),
		);
		assert.equal(await text(over.page, ".sg-verdict"), "Allowed");
		const valid = (await claims(over.page))["Key valid"] ?? "";
		assert.match(valid, / – January 11, 2026/u);
		assert.match(valid, /Expired the policy passes that over/u);
		await screenshot(over.page, `page-openpgp-passed-over-${name}`);
		assert.deepEqual(await over.complaints(), []);
		await over.page.close();

		const refused = await browser.page();
		await openEvidence(
			refused.page,
			await evidence("expiring", "expiring.gpg"),
		);
		assert.equal(await text(refused.page, ".sg-verdict"), "Denied");
		await refused.page.close();
	});

	test("the name that a key gives itself stays text, in its place, and is bounded", async () => {
		const { page, complaints } = await browser.page();
		await page.setViewport({ width: 360, height: 740 });
		await demo.open(page, "gpg");
		const report = JSON.parse(await text(page, ".sg-raw pre"));
		const { claims: said } = report.requirements[0].candidates[0];
		for (const [userId, wanted] of [
			["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
			[
				"a\u202Egnp.exe\u2066\u0000\n\u200Bb",
				"a\\u202egnp.exe\\u2066\\u0000\\u000a\\u200bb",
			],
			["\u05D0\u05D1 <x@y>", "\u05D0\u05D1 <x@y>"],
			["x".repeat(5_000), `${"x".repeat(256)}…`],
			[
				"Z\u0301\u0302\u0303\u0304".repeat(40),
				"Z\u0301\u0302\u0303\u0304".repeat(40),
			],
		]) {
			said.openpgp.userId = userId;
			await page.evaluate(async (given) => {
				const view = await import(/** @type {any} */ ("/view.js"));
				const asked = {
					reference: given.image.reference,
					link: "http://x/#y",
					secure: false,
					loopback: true,
				};
				document
					.querySelector("#verdict")
					?.replaceChildren(view.verdictCard(given));
				document
					.querySelector("#evidence")
					?.replaceChildren(...view.reportBody(given, asked));
			}, report);
			const seen = await page.$eval(".sg-claims .sg-foreign", (one) => ({
				tag: one.localName,
				text: one.textContent,
				isolates: getComputedStyle(one).unicodeBidi,
			}));
			// Its own first row is the name that was signed.
			const names = await page.$$eval(".sg-claims .sg-foreign", (all) =>
				all.map((one) => one.textContent),
			);
			assert.ok(names.includes(wanted ?? ""), JSON.stringify(names));
			assert.deepEqual([seen.tag, seen.isolates], ["bdi", "isolate"]);
			assert.equal(await page.$$eval("#result img", (all) => all.length), 0);
			assert.ok(
				(await page.evaluate(() => document.documentElement.scrollWidth)) <=
					360,
				"it fits 360 pixels",
			);
		}
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("light, dark and forced colours, wide and narrow: it can be read", async () => {
		const { page } = await browser.page();
		const until = { expiredKeys: { until: "2099-01-01T00:00:00Z" } };
		await openEvidence(page, await evidence("expiring", "expiring.gpg", until));
		for (const width of [360, 1_100])
			for (const scheme of name === "chromium"
				? ["light", "dark", "forced"]
				: ["light"]) {
				await page.setViewport({ width, height: 740 });
				if (name === "chromium") {
					const session = await page.createCDPSession();
					await session.send("Emulation.setEmulatedMedia", {
						features: [
							{
								name: "prefers-color-scheme",
								value: scheme === "dark" ? "dark" : "light",
							},
							{ name: "prefers-reduced-motion", value: "reduce" },
							{
								name: "forced-colors",
								value: scheme === "forced" ? "active" : "none",
							},
						],
					});
				}
				await new Promise((resolve) => {
					setTimeout(resolve, 300);
				}); // the card has arrived
				assert.ok(
					(await page.evaluate(() => document.documentElement.scrollWidth)) <=
						width,
					`${scheme}: it fits ${width} pixels`,
				);
				assert.deepEqual(
					await page.evaluate(faintTexts),
					[],
					`${scheme}, ${width}: texts below 4.5:1`,
				);
				await screenshot(page, `page-openpgp-${scheme}-${width}-${name}`);
			}
		await page.close();
	});

	test("what cannot be read in a lookaside is not allowed, although its address is not published", async () => {
		const folder = await mkdtemp(join(tmpdir(), "sealgate-page-"));
		const registry = await startRegistry();
		const lookaside = await startLookaside(join(folder, "lookaside"));
		const repository = "team/app";
		const digest = await pushImage(registry.host, repository, "1", {
			text: "hello",
		});
		const there = `${repository}@${digest.replace(":", "=")}`;
		await mkdir(join(folder, "lookaside", there), { recursive: true });
		await writeFile(
			join(folder, "lookaside", there, "signature-1"),
			"no signature",
		);
		await mkdir(join(folder, "registries.d"));
		await writeFile(
			join(folder, "registries.d/a.yaml"),
			`default-docker:\n  lookaside: ${lookaside.url}\n`,
		);
		await writeFile(
			join(folder, "policy.json"),
			'{"default":[{"type":"insecureAcceptAnything"}]}',
		);
		const own = await startServer({
			upstream: registry.url,
			name: "registry.test",
			policy: join(folder, "policy.json"),
			registriesD: join(folder, "registries.d"),
		});
		const { page, complaints } = await browser.page();
		try {
			const pulled = await fetch(`${own.url}/v2/${repository}/manifests/1`);
			assert.equal(pulled.status, 403);
			const published = await (
				await fetch(`${own.url}/api/evidence/${repository}?ref=1`)
			).text();
			assert.ok(!published.includes(new URL(lookaside.url).host));
			await page.goto(`${own.url}/#${own.host}/${repository}:1`);
			await settled(page);
			assert.equal(await text(page, ".sg-verdict"), "Could not find out");
			assert.match(await text(page, ".sg-card"), /reading signatures: /u);
			assert.equal(
				await page.$$eval(
					".sg-card.sg-good, .sg-card.sg-unproven",
					(all) => all.length,
				),
				0,
			);
			assert.deepEqual(await complaints(), []);
		} finally {
			await page.close();
			await own.stop();
			await lookaside.stop();
			await registry.stop();
			await rm(folder, { recursive: true, force: true });
		}
	});
});
