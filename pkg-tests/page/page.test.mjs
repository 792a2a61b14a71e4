// The page in front of a running worker, in Debian's Chromium and Firefox: verdicts, links, what it says when there is none,
// and that it neither breaks its content security policy nor lets text become markup.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import {
	copyFile,
	mkdtemp,
	readFile,
	readdir,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startWorker as startServer } from "../lib/serve.mjs";
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

/** The demo's policy with an exception, a scope under audit and a pin, and its files. @returns {Promise<string>} its path */
async function exceptions() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-page-"));
	for (const file of [
		"bundle.pub",
		"cosign.pub",
		"keyring.asc",
		"trusted_root.json",
	])
		await copyFile(new URL(file, DEMO), join(folder, file));
	const policy = JSON.parse(
		await readFile(new URL("policy.json", DEMO), "utf8"),
	);
	const index = JSON.parse(
		await readFile(new URL("unsigned/index.json", DEMO), "utf8"),
	);
	const { digest } = index.manifests.find(
		(/** @type {any} */ one) =>
			one.annotations?.["org.opencontainers.image.ref.name"] === "1.0",
	);
	const until = new Date(Date.now() + 86_400_000)
		.toISOString()
		.replace(/\.\d+Z$/, "Z");
	Object.assign(policy.sealgate, {
		exceptions: [
			{
				scope: "demo.example/demo/unsigned",
				digests: [digest],
				until,
				reason: "the signer is down",
			},
		],
		audit: ["demo.example/demo/wrong-key"],
	});
	policy.transports.docker["demo.example/demo/other-digest"] = [
		{ type: "pinned", pins: { "demo.example/demo/other-digest:1.0": digest } },
	];
	await writeFile(join(folder, "policy.json"), JSON.stringify(policy));
	return join(folder, "policy.json");
}

const demo = servedDemo();

/** @param {Page} page @param {string} reference */
async function link(page, reference) {
	await page.goto(`${demo.base}/#${reference}`);
	await settled(page);
}
/** @param {Page} page @param {string} reference */
async function type(page, reference) {
	await page.$eval("#reference", (field) => {
		/** @type {HTMLInputElement} */ (field).value = "";
	});
	await page.type("#reference", reference);
	await page.keyboard.press("Enter");
	await page.waitForFunction(
		(wanted) => decodeURIComponent(location.hash.slice(1)) === wanted,
		{},
		reference,
	);
	await settled(page);
}

inEachBrowser((browser, name) => {
	test("signed: typed in, allowed, with its evidence", async () => {
		const { page, complaints } = await browser.page();
		await page.goto(demo.base);
		await type(page, `${demo.host}/demo/signed:1.0`);
		assert.equal(await text(page, ".sg-verdict"), "Allowed");
		assert.equal(
			await text(page, ".sg-subject"),
			`${demo.host}/demo/signed:1.0`,
		);
		assert.equal(
			await page.$eval("#verdict", (element) =>
				element.getAttribute("aria-live"),
			),
			"polite",
		);
		const steps = await page.$$eval(".sg-step .sg-outcome", (all) =>
			all.map((one) => one.textContent),
		);
		assert.ok(
			steps.includes("Holds") && !steps.includes("Fails"),
			`steps of an allowed image: ${steps}`,
		);
		const report = JSON.parse(await text(page, ".sg-raw pre"));
		assert.equal(report.verdict, "allow");
		assert.equal(report.image.name, "demo.example/demo/signed:1.0");
		assert.match(report.image.digest, /^sha256:[0-9a-f]{64}$/u);
		assert.match(
			await text(page, "#evidence"),
			/podman pull --tls-verify=false /u,
		);
		await screenshot(page, `page-signed-${name}`);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("the module of the page decides: no verdict is asked of the server", async () => {
		const { page } = await browser.page();
		/** @type {string[]} */
		const urls = [];
		page.on("request", (request) => urls.push(request.url()));
		await link(page, `${demo.host}/demo/signed:1.0`);
		assert.ok(
			urls.some((url) => url.endsWith(".wasm")),
			`expected the WASM among ${urls}`,
		);
		assert.deepEqual(
			urls.filter(
				(url) => url.includes("/api/verify") || !url.startsWith(demo.base),
			),
			[],
		);
		await page.close();
	});

	test("unsigned: the link of a refusal opens it, denied and why", async () => {
		const { page, complaints } = await browser.page();
		await link(page, `${demo.host}/demo/unsigned:1.0`);
		assert.equal(await text(page, ".sg-verdict"), "Denied");
		const report = JSON.parse(await text(page, ".sg-raw pre"));
		assert.equal(report.verdict, "deny");
		assert.ok(
			(await text(page, ".sg-card")).includes(report.message),
			"the card gives the reason",
		);
		assert.equal(
			await page.$eval(
				"#reference",
				(field) => /** @type {HTMLInputElement} */ (field).value,
			),
			`${demo.host}/demo/unsigned:1.0`,
		);
		await screenshot(page, `page-unsigned-${name}`);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	for (const repository of [
		"wrong-key",
		"tampered",
		"copied",
		"other-digest",
		"gpg-wrong-key",
		"gpg-expired",
		"gpg-copied",
	]) {
		test(`${repository}: denied`, async () => {
			const { page, complaints } = await browser.page();
			await link(page, `${demo.host}/demo/${repository}:1.0`);
			assert.equal(await text(page, ".sg-verdict"), "Denied");
			await screenshot(page, `page-${repository}-${name}`);
			assert.deepEqual(await complaints(), []);
			await page.close();
		});
	}

	for (const repository of ["bundle", "multi", "keyless", "attested", "gpg"]) {
		test(`${repository}: allowed`, async () => {
			const { page, complaints } = await browser.page();
			await link(page, `${demo.host}/demo/${repository}:1.0`);
			assert.equal(await text(page, ".sg-verdict"), "Allowed");
			await screenshot(page, `page-${repository}-${name}`);
			assert.deepEqual(await complaints(), []);
			await page.close();
		});
	}

	test("exceptions, pins and scopes under audit say how far the verdict reaches", async () => {
		const own = await startServer({ policy: await exceptions() });
		const { page, complaints } = await browser.page();
		const look = async (/** @type {string} */ repository) => {
			await page.goto("about:blank");
			await page.goto(`${own.url}/#${own.host}/demo/${repository}:1.0`);
			await settled(page);
			await screenshot(page, `page-policy-${repository}-${name}`);
			const chain = await page.$$eval(".sg-link-value", (all) =>
				all.map((one) => one.textContent),
			);
			return {
				verdict: await text(page, ".sg-verdict"),
				reason: await text(page, ".sg-reason"),
				badges: await page.$$eval(".sg-card .sg-badge", (all) =>
					all.map((one) => `${one.className} ${one.textContent}`),
				),
				signature: chain[1],
				commands: await text(page, "#result"),
			};
		};
		try {
			const excepted = await look("unsigned");
			assert.equal(excepted.verdict, "Allowed, not verified");
			assert.match(excepted.reason, /by an exception/);
			assert.equal(excepted.signature, "none accepted");
			assert.ok(
				!excepted.commands.includes("cosign verify"),
				"cosign would say no",
			);
			const audited = await look("wrong-key");
			assert.equal(audited.verdict, "Denied");
			assert.match(audited.reason, /lets the image pass/);
			assert.deepEqual(audited.badges, [
				"sg-badge sg-unproven At this gateway, for now: allowed, not verified",
			]);
			assert.ok(!audited.commands.includes("refused here and prints"));
			const pinned = await look("other-digest");
			assert.deepEqual(
				[pinned.verdict, pinned.signature],
				["Denied", "not looked for"],
			);
			assert.deepEqual(await complaints(), []);
		} finally {
			await page.close();
			await own.stop();
		}
	});

	test("a dropped policy judges in place of the gateway's, with the files that it names", async () => {
		const { page, complaints } = await browser.page();
		const policy = JSON.parse(
			await readFile(new URL("policy.json", DEMO), "utf8"),
		);
		policy.transports.docker["demo.example/demo/unsigned"] = [
			{ type: "insecureAcceptAnything" },
		];
		policy.transports.docker[
			"demo.example/demo/keyless"
		][0].identities[0].subject = "someone";
		const key = await readFile(new URL("cosign.pub", DEMO), "utf8");
		const own = (/** @type {string} */ part) =>
			page.waitForFunction(
				(wanted) =>
					document.querySelector("#own")?.textContent?.includes(wanted),
				{ timeout: 10_000 },
				part,
			);
		const verdictOf = async (/** @type {string} */ repository) => {
			await page.evaluate((fragment) => {
				location.hash = fragment;
			}, `${demo.host}/demo/${repository}:1.0`);
			await page.waitForFunction(
				(wanted) =>
					document.querySelector("#verdict .sg-subject")?.textContent ===
					wanted,
				{},
				`${demo.host}/demo/${repository}:1.0`,
			);
			await settled(page);
			return text(page, ".sg-verdict");
		};
		await link(page, `${demo.host}/demo/signed:1.0`);
		// What is no policy changes nothing.
		await drop(page, { "notes.txt": "hello" });
		await page.waitForFunction(
			() =>
				document.querySelector(".sg-verdict")?.textContent ===
				"That is no policy",
		);
		await drop(page, {
			"my-policy.json": JSON.stringify(policy),
			"cosign.pub": key,
		});
		await own("Still missing");
		assert.match(
			await text(page, "#own"),
			/my-policy\.json.*bundle\.pub, trusted_root\.json, keyring\.asc/,
		);
		await page.waitForFunction(() =>
			document
				.querySelector("#verdict .sg-code")
				?.textContent?.includes("key.missing"),
		);
		await drop(page, {
			"bundle.pub": await readFile(new URL("bundle.pub", DEMO), "utf8"),
			"trusted_root.json": await readFile(
				new URL("trusted_root.json", DEMO),
				"utf8",
			),
			"keyring.asc": await readFile(new URL("keyring.asc", DEMO), "utf8"),
		});
		await page.waitForFunction(
			() =>
				!document.querySelector("#own")?.textContent?.includes("Still missing"),
		);
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Allowed",
		);
		assert.match(await text(page, "#own"), /SL02/);
		await screenshot(page, `page-own-policy-${name}`);
		assert.match(await text(page, "#evidence"), /your policy/);
		assert.deepEqual(
			[await verdictOf("unsigned"), await verdictOf("keyless")],
			["Allowed, not verified", "Denied"],
		);
		await page.click("#own button");
		await page.waitForFunction(
			() => /** @type {HTMLElement} */ (document.querySelector("#own")).hidden,
		);
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Allowed",
		);
		assert.equal(await verdictOf("unsigned"), "Denied");
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("the start page lists the demo images, and they are links; back returns", async () => {
		const { page, complaints } = await browser.page();
		await page.goto(demo.base);
		await page.waitForSelector(".sg-example");
		const listed = await page.$$eval(".sg-example .sg-mono", (all) =>
			all.map((one) => one.textContent),
		);
		const there = (await readdir(DEMO, { withFileTypes: true }))
			.filter((one) => existsSync(new URL(`${one.name}/index.json`, DEMO)))
			.map((one) => `demo/${one.name}:1.0`);
		assert.deepEqual(
			[...listed].sort(),
			there.sort(),
			"every image of the demo",
		);
		await screenshot(page, `page-start-${name}`);
		await page.click(".sg-example");
		await settled(page);
		assert.equal(await text(page, ".sg-verdict"), "Allowed");
		await page.evaluate(() => history.back());
		await page.waitForFunction(
			() =>
				document.body.dataset.view === "start" &&
				!document.querySelector(".sg-card"),
		);
		await page.evaluate(() => history.forward());
		await settled(page);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("another registry is explained, with what to type instead", async () => {
		const { page, complaints } = await browser.page();
		await link(page, "registry.example.com/team/app:2");
		const card = await text(page, ".sg-card");
		assert.match(card, /registry\.example\.com/u);
		assert.match(card, /images behind this gateway/u);
		assert.equal(
			await page.$eval(".sg-card a", (a) => a.getAttribute("href")),
			`#${demo.host}/team/app:2`,
		);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("an image that is not there: in words, with its status", async () => {
		const { page } = await browser.page();
		await link(page, `${demo.host}/demo/nothing-here:1.0`);
		assert.equal(await text(page, ".sg-verdict"), "Not found");
		assert.match(await text(page, ".sg-card"), /HTTP 404/u);
		await page.close();
	});

	for (const [status, body, verdict, wanted] of /** @type {const} */ ([
		[
			401,
			'{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}',
			"Sign-in needed",
			/HTTP 401 · UNAUTHORIZED/u,
		],
		[
			503,
			'{"errors":[{"code":"UNAVAILABLE","message":"sealgate: <b>no answer</b>"}]}',
			"Could not find out",
			/sealgate: <b>no answer<\/b>HTTP 503/u,
		],
		[502, "<html>", "Could not find out", /HTTP 502/u],
		[200, "{}", "Could not find out", /expected `name`/u],
	])) {
		test(`the gateway answers ${status} ${body}: explained, never a verdict`, async () => {
			const { page } = await browser.page();
			await page.setRequestInterception(true);
			page.on("request", (request) =>
				request.url().includes("/api/evidence/demo/signed")
					? request.respond({ status, contentType: "application/json", body })
					: request.continue(),
			);
			await link(page, `${demo.host}/demo/signed:1.0`);
			assert.equal(await text(page, ".sg-verdict"), verdict);
			assert.match(await text(page, ".sg-card"), wanted);
			await page.close();
		});
	}

	for (const probe of [
		"<img src=x onerror=alert(1)>",
		'"><script>alert(1)</script>',
		"javascript:alert(1)//'",
	]) {
		test(`markup stays text: ${probe}`, async () => {
			const { page, complaints } = await browser.page();
			await link(page, encodeURIComponent(`${demo.host}/demo/${probe}`));
			assert.equal(await text(page, ".sg-verdict"), "Not an image reference");
			assert.ok(
				(await text(page, ".sg-card")).includes(probe),
				"the probe is shown as it was typed",
			);
			assert.equal(
				await page.$$eval("#result img, #result script", (all) => all.length),
				0,
			);
			assert.deepEqual(await complaints(), []);
			await page.close();
		});
	}

	test("text dropped anywhere, and a whole command pasted", async () => {
		const { page, complaints } = await browser.page();
		await page.goto(demo.base);
		await page.evaluate((dropped) => {
			const dataTransfer = new DataTransfer();
			dataTransfer.setData("text/plain", dropped);
			document.body.dispatchEvent(
				new DragEvent("drop", {
					dataTransfer,
					bubbles: true,
					cancelable: true,
				}),
			);
		}, `${demo.host}/demo/signed:1.0`);
		await settled(page);
		assert.equal(await text(page, ".sg-verdict"), "Allowed");
		await paste(
			page,
			`podman pull --tls-verify=false ${demo.host}/demo/unsigned:1.0`,
		);
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Denied",
		);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("fits 360 pixels, and every text is readable in light and dark", async () => {
		const { page } = await browser.page();
		await page.setViewport({ width: 360, height: 740 });
		for (const scheme of name === "chromium" ? ["light", "dark"] : ["light"]) {
			if (name === "chromium")
				await page.emulateMediaFeatures([
					{ name: "prefers-color-scheme", value: scheme },
					{ name: "prefers-reduced-motion", value: "reduce" },
				]);
			for (const repository of ["signed", "wrong-key", "multi", "gpg"]) {
				await link(page, `${demo.host}/demo/${repository}:1.0`);
				await page.$$eval("details", (all) =>
					all.forEach((one) => {
						one.open = true;
					}),
				);
				await new Promise((resolve) => {
					setTimeout(resolve, 300);
				}); // the card has arrived
				const width = await page.evaluate(
					() => document.documentElement.scrollWidth,
				);
				assert.ok(
					width <= 360,
					`${repository}: the page is ${width} pixels wide`,
				);
				assert.deepEqual(
					await page.evaluate(faintTexts),
					[],
					`${repository}, ${scheme}: texts below 4.5:1`,
				);
			}
			await screenshot(page, `page-360-${scheme}-${name}`);
		}
		await page.close();
	});

	test("by keyboard alone", async () => {
		const { page } = await browser.page();
		await link(page, `${demo.host}/demo/wrong-key:1.0`);
		await page.evaluate(() =>
			/** @type {HTMLElement} */ (document.activeElement)?.blur(),
		);
		await page.focus(".sg-step summary");
		await page.keyboard.press("Enter");
		assert.equal(
			await page.$eval(".sg-step details", (details) => details.open),
			true,
		);
		const unnamed = await page.$$eval("button, a, input, summary", (all) =>
			all
				.filter(
					(one) =>
						!(one.getAttribute("aria-label") ?? one.textContent ?? "").trim() &&
						!(/** @type {HTMLInputElement} */ (one).labels?.length),
				)
				.map((one) => one.outerHTML),
		);
		assert.deepEqual(unnamed, []);
		await page.close();
	});
});
