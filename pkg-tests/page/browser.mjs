// A browser with a fresh profile in front of a running worker, and everything that a page must not do written down.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const SCREENS = fileURLToPath(
	new URL("../../target/screens/", import.meta.url),
);
const PATHS = {
	chromium: "/usr/bin/chromium",
	firefox: "/usr/bin/firefox-esr",
};

/** What cannot run here, in words; undefined when everything is there. @param {'chromium' | 'firefox'} name */
function missing(name) {
	if (!existsSync(PATHS[name]))
		return `${PATHS[name]} is missing (apt-get install ${name === "firefox" ? "firefox-esr" : "chromium"})`;
	try {
		tools().resolve("puppeteer-core");
	} catch {
		return "puppeteer-core is missing (npm ci in tools/)";
	}
	return undefined;
}

/** With a new profile. Whoever launches it closes it. @param {'chromium' | 'firefox'} name */
export async function launch(name) {
	const profile = mkdtempSync(join(tmpdir(), `sealgate-${name}-`));
	const puppeteer = /** @type {typeof import('puppeteer-core')} */ (
		tools()("puppeteer-core")
	);
	const chromium = [
		"--no-sandbox",
		"--disable-gpu",
		"--no-first-run",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
	];
	const browser = await puppeteer.launch({
		browser: name === "firefox" ? "firefox" : "chrome",
		executablePath: PATHS[name],
		headless: true,
		userDataDir: profile,
		args: name === "firefox" ? [] : chromium,
	});
	return {
		browser,
		page: () => watchedPage(browser),
		async close() {
			await browser.close();
			rmSync(profile, { recursive: true, force: true });
		},
	};
}

/** The same tests in each browser. In CI none may be missing. @param {(browser: { page: () => ReturnType<typeof watchedPage> }, name: 'chromium' | 'firefox') => void} tests */
export function inEachBrowser(tests) {
	for (const name of /** @type {const} */ (["chromium", "firefox"])) {
		const lacking = missing(name);
		if (lacking && process.env.CI) test(name, () => assert.fail(lacking));
		describe(name, { skip: process.env.CI ? false : lacking }, () => {
			/** @type {Awaited<ReturnType<typeof launch>>} */
			let launched;
			before(async () => {
				launched = await launch(name);
			});
			after(() => launched?.close());
			tests({ page: () => launched.page() }, name);
		});
	}
}

/** @param {import('puppeteer-core').Page} page @param {string} name */
export async function screenshot(page, name) {
	mkdirSync(SCREENS, { recursive: true });
	const path = /** @type {`${string}.png`} */ (join(SCREENS, `${name}.png`));
	await page.screenshot({ path, fullPage: true });
}

/** Until there is a verdict, or what stands in its place. @param {import('puppeteer-core').Page} page */
export const settled = (page) =>
	page.waitForFunction(
		() =>
			document.querySelector("#verdict .sg-card") &&
			!document.querySelector("#result")?.hasAttribute("aria-busy"),
		{ timeout: 30_000 },
	);

/** @param {import('puppeteer-core').Page} page @param {string} selector */
export const text = (page, selector) =>
	page.$eval(selector, (element) => element.textContent ?? "");

/** Files as if they were dropped. @param {import('puppeteer-core').Page} page @param {Record<string, string>} files */
export const drop = (page, files) =>
	page.evaluate((list) => {
		const data = new DataTransfer();
		for (const [name, content] of Object.entries(list))
			data.items.add(new File([content], name));
		dispatchEvent(
			new DragEvent("drop", { dataTransfer: data, cancelable: true }),
		);
	}, files);

/** Text as if it were pasted. @param {import('puppeteer-core').Page} page @param {string} pasted @param {string} [into] */
export const paste = (page, pasted, into = "body") =>
	page.evaluate(
		(given, selector) => {
			const clipboardData = new DataTransfer();
			clipboardData.setData("text/plain", given);
			// `data` and `dataType`: what Firefox knows.
			const init = {
				clipboardData,
				data: given,
				dataType: "text/plain",
				bubbles: true,
				cancelable: true,
			};
			document
				.querySelector(selector)
				?.dispatchEvent(new ClipboardEvent("paste", init));
		},
		pasted,
		into,
	);

/** Runs in the page: texts whose contrast with what is behind them is below WCAG AA. */
export function faintTexts() {
	/** @param {string} colour */
	const channels = (colour) => (colour.match(/[\d.]+/gu) ?? []).map(Number);
	/** @param {number[]} rgb */
	const light = (rgb) => {
		const [r = 0, g = 0, b = 0] = rgb
			.slice(0, 3)
			.map((value) => value / 255)
			.map((value) =>
				value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
			);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	/** @param {Element | null} element @returns {number[]} */
	const ground = (element) => {
		if (!element) return [255, 255, 255];
		const colour = channels(getComputedStyle(element).backgroundColor);
		return colour[3] === 0 ? ground(element.parentElement) : colour;
	};
	const faint = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const element = node.parentElement;
		if (
			!element ||
			!node.textContent?.trim() ||
			!element.checkVisibility() ||
			element.closest("noscript")
		)
			continue;
		const [low = 0, high = 0] = [
			light(channels(getComputedStyle(element).color)),
			light(ground(element)),
		].sort((a, b) => a - b);
		const ratio = (high + 0.05) / (low + 0.05);
		if (ratio < 4.5)
			faint.push(
				`${ratio.toFixed(2)} ${element.className} ${node.textContent.trim().slice(0, 40)}`,
			);
	}
	return faint;
}

/** @param {import('puppeteer-core').Browser} browser */
async function watchedPage(browser) {
	const page = await browser.newPage();
	/** @type {string[]} */
	const complaints = [];
	page.on("pageerror", (error) => complaints.push(`exception: ${error}`));
	page.on("console", (message) => {
		// That a gateway carries nothing of a registry is an answer.
		const isRelay = message.location().url?.includes("/relay/");
		if (message.type() === "error" && !isRelay)
			complaints.push(`console: ${message.text()}`);
	});
	page.on("dialog", (dialog) => {
		complaints.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	await page.evaluateOnNewDocument(() => {
		/** @type {string[]} */
		const violations = [];
		Object.assign(globalThis, { violations });
		addEventListener("securitypolicyviolation", (event) =>
			violations.push(`${event.effectiveDirective} ${event.blockedURI}`),
		);
	});
	return {
		page,
		complaints: async () => [
			...complaints,
			...(await page.evaluate(
				() =>
					/** @type {any} */ (globalThis).violations ?? [
						"the page was not watched",
					],
			)),
		],
	};
}

function tools() {
	return createRequire(new URL("../../tools/package.json", import.meta.url));
}
