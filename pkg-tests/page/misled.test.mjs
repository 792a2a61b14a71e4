// What must not mislead: what was allowed and not verified never looks verified, a link does not say more than it carries, of
// several images none is passed over, and a visitor's own policy is not called the gateway's.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
	drop,
	faintTexts,
	inEachBrowser,
	paste,
	screenshot,
	settled,
	text,
} from "./browser.mjs";
import { servedDemo } from "./worker.mjs";

/** @typedef {import('puppeteer-core').Page} Page */

const DEMO = new URL("../../fixtures/demo/", import.meta.url);
/** @param {string} name */
const demoFile = (name) => readFile(new URL(name, DEMO), "utf8");
/** Everything that the demo's policy names. */
const demoKeys = async () => ({
	"bundle.pub": await demoFile("bundle.pub"),
	"trusted_root.json": await demoFile("trusted_root.json"),
	"keyring.asc": await demoFile("keyring.asc"),
	"cosign.pub": await demoFile("cosign.pub"),
});

const demo = servedDemo();

/** @param {Page} page @param {string} part */
const ownCardSays = (page, part) =>
	page.waitForFunction(
		(wanted) => document.querySelector("#own")?.textContent?.includes(wanted),
		{ timeout: 10_000 },
		part,
	);
/** @param {Page} page @param {string} wanted */
const cardSays = (page, wanted) =>
	page.waitForFunction(
		(part) =>
			document.querySelector("#verdict .sg-card")?.textContent?.includes(part),
		{ timeout: 10_000 },
		wanted,
	);

/** Runs in the page: a report through its view, as if it had come of a look-up. @param {any} report */
async function show(report) {
	const view = await import(/** @type {any} */ ("/view.js"));
	const asked = {
		reference: report.image.reference,
		link: "http://x/#y",
		secure: false,
		loopback: true,
	};
	document.querySelector("#verdict")?.replaceChildren(view.verdictCard(report));
	document
		.querySelector("#evidence")
		?.replaceChildren(...view.reportBody(report, asked));
	const card = /** @type {HTMLElement} */ (
		document.querySelector("#verdict .sg-card")
	);
	const seal = /** @type {HTMLElement} */ (card.querySelector(".sg-seal"));
	const word = /** @type {HTMLElement} */ (card.querySelector(".sg-verdict"));
	return {
		word: word.textContent ?? "",
		colour: getComputedStyle(word).color,
		sign: card.querySelector(".sg-seal path")?.getAttribute("d") ?? "",
		seal: `${getComputedStyle(seal).backgroundColor} ${getComputedStyle(seal).borderRadius}`,
		line: card.querySelector(".sg-reason")?.textContent ?? "",
		chain: [...document.querySelectorAll(".sg-link")].map((one) =>
			one.className.replace("sg-link ", ""),
		),
	};
}

inEachBrowser((browser, name) => {
	test("allowed, allowed and not verified, denied, no verdict: each has words, a sign and a colour of its own", async () => {
		const { page, complaints } = await browser.page();
		await demo.open(page, "signed");
		const real = JSON.parse(await text(page, ".sg-raw pre"));
		const reports = {
			verified: { ...real, verified: true },
			unproven: { ...real, verified: false },
			denied: {
				...real,
				verdict: "deny",
				code: "signature.missing",
				verified: false,
			},
			unknown: {
				...real,
				verdict: "unknown",
				code: "limit.evidence",
				verified: false,
			},
		};
		for (const scheme of name === "chromium" ? ["light", "dark"] : ["light"]) {
			if (name === "chromium")
				await page.emulateMediaFeatures([
					{ name: "prefers-color-scheme", value: scheme },
					{ name: "prefers-reduced-motion", value: "reduce" },
				]);
			const seen = [];
			for (const [what, report] of Object.entries(reports)) {
				seen.push(await page.evaluate(show, report));
				await new Promise((resolve) => {
					setTimeout(resolve, 300);
				}); // the card has arrived
				assert.deepEqual(
					await page.evaluate(faintTexts),
					[],
					`${what}, ${scheme}: texts below 4.5:1`,
				);
				await screenshot(page, `page-state-${what}-${scheme}-${name}`);
			}
			assert.deepEqual(
				seen.map(({ word }) => word),
				["Allowed", "Allowed, not verified", "Denied", "Could not find out"],
			);
			for (const part of /** @type {const} */ ([
				"colour",
				"sign",
				"seal",
				"line",
			]))
				assert.equal(
					new Set(seen.map((one) => one[part])).size,
					4,
					`${scheme}: ${part} tells ${JSON.stringify(seen.map((one) => one[part]))} apart`,
				);
			assert.deepEqual(
				seen.map(({ chain }) => chain[3]),
				["sg-good", "sg-unproven", "sg-bad", "sg-unknown"],
			);
		}
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("only verified: true of an allowed image is the green state", async () => {
		const { page } = await browser.page();
		await demo.open(page, "signed");
		const { verified: _, ...real } = JSON.parse(
			await text(page, ".sg-raw pre"),
		);
		for (const [more, word] of /** @type {[object, string][]} */ ([
			[{}, "Allowed, not verified"],
			[{ verified: "true" }, "Allowed, not verified"],
			[{ verified: 1 }, "Allowed, not verified"],
			[{ verified: true, verdict: "deny" }, "Denied"],
			[{ verified: true, verdict: "unknown" }, "Could not find out"],
			[{ verified: true, verdict: "allowed" }, "Could not find out"],
		])) {
			const seen = await page.evaluate(show, { ...real, ...more });
			assert.equal(seen.word, word, JSON.stringify(more));
			assert.ok(!seen.chain.slice(2).includes("sg-good"), JSON.stringify(more));
		}
		await page.close();
	});

	test("an image of an index is green by its own verification", async () => {
		const { page } = await browser.page();
		await demo.open(page, "signed");
		const { requirements, ...real } = JSON.parse(
			await text(page, ".sg-raw pre"),
		);
		const one = (/** @type {boolean} */ verified) => ({
			digest: real.image.digest,
			platform: "linux/amd64",
			verdict: "allow",
			verified,
			code: "signature.accepted",
			message: "m",
			requirements,
		});
		const badges = async (/** @type {boolean[]} */ all) => {
			await page.evaluate(show, {
				...real,
				requirements: [],
				instances: all.map(one),
				verified: all.every(Boolean),
			});
			return page.$$eval(".sg-instance > summary .sg-badge", (list) =>
				list.map((badge) => badge.textContent),
			);
		};
		assert.deepEqual(await badges([true, false]), [
			"Allowed",
			"Allowed, not verified",
		]);
		assert.equal(await text(page, ".sg-verdict"), "Allowed, not verified");
		assert.deepEqual(await badges([true, true]), ["Allowed", "Allowed"]);
		assert.equal(await text(page, ".sg-verdict"), "Allowed");
		await page.close();
	});

	test("the cosign command is the report's, with the line above it; that a mirror is meant is a folded question", async () => {
		const { page } = await browser.page();
		await demo.open(page, "copied");
		const {
			equivalent: _,
			mirrorQuestion: __,
			...real
		} = JSON.parse(await text(page, ".sg-raw pre"));
		const equivalent =
			"# cosign compares the digest only, not the name\ncosign verify --key 'my key.pub' localhost/x@sha256:0";
		const mirrorQuestion = {
			question: "Is b a mirror of a, and do you know who filled it?",
			signed: "a",
			signedIdentity: '{"type":"exactRepository","dockerRepository":"a"}',
		};
		await page.evaluate(show, { ...real, equivalent, mirrorQuestion });
		assert.ok(
			(
				await page.$$eval("#evidence pre", (all) =>
					all.map((pre) => pre.textContent),
				)
			).includes(equivalent),
		);
		const fold = await page.$eval(".sg-question", (one) => ({
			open: /** @type {HTMLDetailsElement} */ (one).open,
			title: one.querySelector("summary")?.textContent ?? "",
			inside: one.textContent ?? "",
		}));
		assert.equal(fold.open, false);
		assert.match(fold.title, /\?$/u);
		assert.ok(
			fold.inside.includes(mirrorQuestion.question) &&
				fold.inside.includes(mirrorQuestion.signedIdentity),
		);
		assert.ok(
			!(await text(page, "#verdict")).includes("signedIdentity"),
			"the card does not hand it over",
		);
		await page.evaluate(show, real);
		assert.doesNotMatch(await text(page, "#evidence"), /with cosign|mirror/u);
		await page.close();
	});

	test("a copied image is refused, and nothing but the folded question says what would admit it", async () => {
		const { page, complaints } = await browser.page();
		await demo.open(page, "copied");
		assert.equal(await text(page, ".sg-verdict"), "Denied");
		assert.ok(
			await page.$(".sg-question:not([open])"),
			"the question is there, and folded",
		);
		const bare = await page.evaluate(() => {
			const copy = /** @type {HTMLElement} */ (
				document.querySelector("#result")?.cloneNode(true)
			);
			for (const one of copy.querySelectorAll(".sg-question, .sg-raw"))
				one.remove();
			return copy.textContent ?? "";
		});
		assert.doesNotMatch(
			bare,
			/exactRepository|remapIdentity|remapRepository|would admit|"type"/u,
		);
		assert.doesNotMatch(bare, /--as /u);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("what accepts anything is named so, down to its requirement", async () => {
		const { page, complaints } = await browser.page();
		const policy = JSON.parse(await demoFile("policy.json"));
		policy.transports.docker["demo.example/demo/unsigned"] = [
			{ type: "insecureAcceptAnything" },
		];
		await demo.open(page, "unsigned");
		await drop(page, {
			"policy.json": JSON.stringify(policy),
			...(await demoKeys()),
		});
		await page.waitForFunction(
			() =>
				document.querySelector(".sg-verdict")?.textContent ===
				"Allowed, not verified",
		);
		assert.match(await text(page, ".sg-reason"), /accepts anything/u);
		assert.match(await page.title(), /^Allowed, not verified · /u);
		assert.deepEqual(
			await page.$$eval("#result .sg-badge", (all) =>
				all.map((one) => one.textContent),
			),
			["Allowed, not verified"],
		);
		assert.equal(
			await page.$$eval(
				".sg-card.sg-good, .sg-badge.sg-good",
				(all) => all.length,
			),
			0,
		);
		await screenshot(page, `page-anything-${name}`);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("a link carries the image alone, and none is offered to a result under a dropped policy", async () => {
		const { page, complaints } = await browser.page();
		await page.goto(
			`${demo.base}/?as=demo.example/demo/signed:1.0&policy=x#${demo.host}/demo/copied:1.0`,
		);
		await settled(page);
		assert.ok(
			(
				await page.$$eval("#evidence pre", (all) =>
					all.map((one) => one.textContent),
				)
			).includes(`${demo.base}/#${demo.host}/demo/copied:1.0`),
			"the link is the image and nothing else",
		);
		const policy = JSON.parse(await demoFile("policy.json"));
		policy.transports.docker["demo.example/demo/copied"] = [
			{ type: "insecureAcceptAnything" },
		];
		await drop(page, {
			"policy.json": JSON.stringify(policy),
			...(await demoKeys()),
		});
		await page.waitForFunction(
			() =>
				document.querySelector(".sg-verdict")?.textContent ===
				"Allowed, not verified",
		);
		const shown = await text(page, "#result");
		assert.doesNotMatch(shown, /Link to this result/u);
		assert.match(shown, /no link to this result.*carries no policy/u);
		assert.match(
			await text(page, "#verdict"),
			/policy that you dropped, policy\.json, and not by the gateway’s/u,
		);
		assert.deepEqual(
			(
				await page.$$eval("#evidence pre", (all) =>
					all.map((one) => one.textContent ?? ""),
				)
			).filter((block) => block.includes("/#")),
			[],
		);
		await page.click("#own button");
		await cardSays(page, "Denied");
		assert.match(await text(page, "#result"), /Link to this result/u);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("several references: every one is judged, the worst first, and each opens", async () => {
		const { page, complaints } = await browser.page();
		await page.goto(demo.base);
		await paste(
			page,
			`${demo.host}/demo/signed:1.0\n${demo.host}/demo/unsigned:1.0  ${demo.host}/demo/nothing-here:1.0\n\nregistry.example.com/team/app:2`,
		);
		await settled(page);
		assert.equal(await text(page, ".sg-verdict"), "Denied: 1 of 4");
		assert.match(
			await text(page, ".sg-card"),
			/4 images1 denied, 2 without a verdict, 1 allowed\./u,
		);
		assert.equal(await page.$$eval(".sg-card.sg-good", (all) => all.length), 0);
		const rows = () =>
			page.$$eval(".sg-judged > summary", (all) =>
				all.map((one) => [
					one.querySelector(".sg-strong")?.textContent,
					one.querySelector(".sg-badge")?.textContent,
				]),
			);
		assert.deepEqual(await rows(), [
			[`${demo.host}/demo/unsigned:1.0`, "Denied"],
			[`${demo.host}/demo/nothing-here:1.0`, "Not found"],
			["registry.example.com/team/app:2", "Another registry"],
			[`${demo.host}/demo/signed:1.0`, "Allowed"],
		]);
		await screenshot(page, `page-several-${name}`);
		await page.focus(".sg-judged > summary");
		await page.keyboard.press("Enter");
		await page.waitForSelector(".sg-judged[open] .sg-card.sg-bad");
		assert.match(
			await text(page, ".sg-judged[open]"),
			/The evidence, step by step/u,
		);
		await page.setViewport({ width: 360, height: 740 });
		for (const scheme of name === "chromium" ? ["light", "dark"] : ["light"]) {
			if (name === "chromium")
				await page.emulateMediaFeatures([
					{ name: "prefers-color-scheme", value: scheme },
					{ name: "prefers-reduced-motion", value: "reduce" },
				]);
			await page.$$eval("details", (all) =>
				all.forEach((one) => {
					one.open = true;
				}),
			);
			await new Promise((resolve) => {
				setTimeout(resolve, 300);
			}); // everything has arrived
			assert.ok(
				(await page.evaluate(() => document.documentElement.scrollWidth)) <=
					360,
				"the list fits 360 pixels",
			);
			assert.deepEqual(
				await page.evaluate(faintTexts),
				[],
				`${scheme}: texts below 4.5:1`,
			);
			await screenshot(page, `page-several-360-${scheme}-${name}`);
		}
		// The link to it is the list again.
		await page.reload();
		await settled(page);
		assert.equal((await rows()).length, 4);
		// Unproven stands between "no verdict" and "allowed".
		const policy = JSON.parse(await demoFile("policy.json"));
		policy.transports.docker["demo.example/demo/unsigned"] = [
			{ type: "insecureAcceptAnything" },
		];
		await drop(page, {
			"policy.json": JSON.stringify(policy),
			...(await demoKeys()),
		});
		await cardSays(page, "1 allowed, not verified, 1 allowed");
		assert.deepEqual(
			(await rows()).map(([, badge]) => badge),
			["Not found", "Another registry", "Allowed, not verified", "Allowed"],
		);
		assert.deepEqual(
			(await complaints()).filter((one) => !one.includes("404")),
			[],
		);
		await page.close();
	});

	test("lines that are pasted into the field stay names of their own", async () => {
		const { page } = await browser.page();
		await page.goto(demo.base);
		await paste(
			page,
			`nginx\n${demo.host}/demo/signed:1.0\n${demo.host}/demo/copied:1.0\n`,
			"#reference",
		);
		await settled(page);
		assert.deepEqual(
			await page.$$eval(".sg-judged .sg-badge", (all) =>
				all.map((one) => one.textContent),
			),
			["Denied", "Another registry", "Allowed"],
		);
		await page.close();
	});

	test("many references: a bounded number, a few at a time, and the rest is never counted as allowed", async () => {
		const { page } = await browser.page();
		let asked = 0;
		let open = 0;
		let most = 0;
		await page.setRequestInterception(true);
		page.on("request", async (request) => {
			if (!request.url().includes("/api/evidence/demo/signed?ref=v"))
				return void request.continue();
			asked += 1;
			open += 1;
			most = Math.max(most, open);
			await new Promise((resolve) => {
				setTimeout(resolve, 50);
			});
			open -= 1;
			request.respond({
				status: 404,
				contentType: "application/json",
				body: "{}",
			});
		});
		await page.goto(demo.base);
		await paste(
			page,
			Array.from(
				{ length: 27 },
				(_, index) => `${demo.host}/demo/signed:v${index}`,
			).join("\n"),
		);
		await settled(page);
		assert.deepEqual(
			[asked, most <= 4 && most > 1],
			[20, true],
			`${most} at once`,
		);
		assert.equal(await page.$$eval(".sg-judged", (all) => all.length), 20);
		assert.match(
			await text(page, ".sg-card"),
			/At most 20 are looked at together\. Not looked at: 7/u,
		);
		assert.ok(
			(await text(page, ".sg-left-out")).includes(
				`${demo.host}/demo/signed:v26`,
			),
		);
		await page.close();
	});

	test("all allowed is green, and is not when some were left out", async () => {
		const { page } = await browser.page();
		await page.goto(demo.base);
		await paste(
			page,
			`${demo.host}/demo/signed:1.0 ${demo.host}/demo/multi:1.0`,
		);
		await settled(page);
		assert.equal(await text(page, ".sg-verdict"), "Allowed: all 2");
		// One allowed image under 21 tags.
		const evidence = await (
			await fetch(`${demo.base}/api/evidence/demo/signed?ref=1.0`)
		).text();
		await page.setRequestInterception(true);
		page.on("request", (request) => {
			const tag = /\/api\/evidence\/demo\/signed\?ref=(v\d+)$/u.exec(
				request.url(),
			)?.[1];
			if (!tag) return void request.continue();
			request.respond({
				status: 200,
				contentType: "application/json",
				body: evidence
					.replaceAll('manifests/1.0"', `manifests/${tag}"`)
					.replace('"1.0"', `"${tag}"`)
					.replace("demo/signed:1.0", `demo/signed:${tag}`),
			});
		});
		await paste(
			page,
			Array.from(
				{ length: 21 },
				(_, index) => `${demo.host}/demo/signed:v${index}`,
			).join(" "),
		);
		await cardSays(page, "21 images");
		assert.deepEqual(
			await page.$$eval(".sg-judged .sg-badge", (all) => [
				...new Set(all.map((one) => one.textContent)),
			]),
			["Allowed"],
		);
		assert.equal(await text(page, ".sg-verdict"), "No verdict: 1 of 21");
		assert.equal(await page.$$eval(".sg-card.sg-good", (all) => all.length), 0);
		await page.close();
	});

	test("a dropped policy that lacks a key is called what it is", async () => {
		const { page, complaints } = await browser.page();
		await demo.open(page, "signed");
		const { "cosign.pub": key, ...others } = await demoKeys();
		await drop(page, {
			"mine.json": await demoFile("policy.json"),
			...others,
		});
		await cardSays(
			page,
			"The policy that you dropped names the file cosign.pub, which was not dropped: drop it too.",
		);
		assert.match(await text(page, "#verdict .sg-code"), /key\.missing/u);
		assert.doesNotMatch(
			await text(page, "#result"),
			/gateway’s policy|operator/u,
		);
		await screenshot(page, `page-own-missing-${name}`);
		await drop(page, { "cosign.pub": key });
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Allowed",
		);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("a broken policy is shown with place and reason, and takes the place of the one before", async () => {
		const { page, complaints } = await browser.page();
		await demo.open(page, "signed");
		const good = await demoFile("policy.json");
		const keys = await demoKeys();
		await drop(page, { "policy.json": good, ...keys });
		await ownCardSays(page, "Judged by your policy");
		for (const [broken, code, place] of /** @type {const} */ ([
			[good.slice(0, 300), "policy.json", /byte 300/u],
			[
				good.replace("keyPath", "keyPth"),
				"policy.unknown-key",
				/transports\.docker\["demo\.example\/demo"\]\[0\] \(byte \d+\): Unknown key "keyPth"/u,
			],
			[
				good.replace('"default"', '"defualt"'),
				"policy.unknown-key",
				/byte \d+/u,
			],
		])) {
			await drop(page, { "policy.json": broken });
			await ownCardSays(page, "cannot be read");
			await cardSays(page, "Could not find out");
			await page.waitForFunction(
				(wanted) =>
					document
						.querySelector("#verdict .sg-code")
						?.textContent?.includes(wanted),
				{},
				code,
			);
			assert.match(await text(page, "#verdict"), place);
			assert.match(await text(page, "#own"), place);
			assert.doesNotMatch(
				await text(page, "#result"),
				/no policy|gateway’s policy|operator|Allowed/u,
			);
			assert.match(
				await text(page, "#verdict"),
				/The policy that you dropped, policy\.json/u,
			);
			await screenshot(page, `page-own-broken-${name}`);
		}
		await drop(page, { "policy.json": good, ...keys });
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Allowed",
		);
		// A key that is none is the visitor's to put right, too.
		await drop(page, {
			"policy.json": good,
			...keys,
			"trusted_root.json": "{",
		});
		await cardSays(
			page,
			"The policy that you dropped, policy.json, or a file that it names",
		);
		assert.doesNotMatch(await text(page, "#result"), /operator/u);
		// Two at once: neither is chosen for the visitor.
		await drop(page, {
			"policy.json": good,
			"policy-next.json": "{}",
			...keys,
		});
		await cardSays(page, "policy.json, policy-next.json");
		// With nothing to put in its place: still the reason, and the place.
		await page.click("#own button");
		await drop(page, { "rules.json": '{"defualt": []}' });
		await cardSays(page, "This policy cannot be read");
		assert.match(await text(page, "#verdict"), /policy\.unknown-key|byte \d+/u);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("a gateway that keeps its policy to itself: said so, and a dropped one judges", async () => {
		const { page } = await browser.page();
		const { policy: _, ...evidence } = await (
			await fetch(`${demo.base}/api/evidence/demo/signed?ref=1.0`)
		).json();
		await page.setRequestInterception(true);
		page.on("request", (request) =>
			request.url().includes("/api/evidence/demo/signed")
				? request.respond({
						status: 200,
						contentType: "application/json",
						body: JSON.stringify(evidence),
					})
				: request.continue(),
		);
		await demo.open(page, "signed");
		assert.equal(await text(page, ".sg-verdict"), "Could not find out");
		assert.match(await text(page, ".sg-card"), /does not publish its policy/u);
		await drop(page, {
			"policy.json": await demoFile("policy.json"),
			...(await demoKeys()),
		});
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Allowed",
		);
		await page.close();
	});

	test("the name that the gateway tells is shown as its word", async () => {
		const { page } = await browser.page();
		await demo.open(page, "copied");
		const fact = await page.$$eval(".sg-fact", (all) =>
			all
				.map((one) => one.textContent ?? "")
				.find((one) => one.startsWith("Judged as")),
		);
		assert.match(
			fact ?? "",
			/demo\.example\/demo\/copied:1\.0.*the gateway’s name for the image/u,
		);
		await page.close();
	});

	test("no command that is offered runs a name from a public registry", async () => {
		const { page } = await browser.page();
		await demo.open(page, "signed");
		await page.evaluate(() => {
			location.hash = "registry.example.com/team/app:2";
		});
		await cardSays(page, "Another registry");
		assert.deepEqual(
			await page.$$eval("#verdict pre", (all) =>
				all.map((one) => one.textContent),
			),
			["sealgate verify registry.example.com/team/app:2 --key cosign.pub"],
		);
		assert.match(await text(page, "#verdict"), /npm install --global \.\/pkg/u);
		await page.close();
	});
});
