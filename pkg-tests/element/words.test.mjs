// How the element reads and sounds: axe-core in every state, light and dark; by keyboard; announced; in German; in forced colours;
// and that a stranger's text stays text.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inEachBrowser, screenshot } from "../page/browser.mjs";
import { NAME, servedSite, shown } from "./site.mjs";

/** @typedef {import('puppeteer-core').Page} Page */

const axe = await readFile(
	createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
	"utf8",
);
const site = servedSite();

/** What axe-core finds: WCAG A and AA, and its best practices. @param {Page} page @returns {Promise<string[]>} */
async function violations(page) {
	await page.evaluate(axe);
	return page.evaluate(async () => {
		const { violations } = await /** @type {any} */ (globalThis).axe.run();
		return violations.flatMap((/** @type {any} */ { id, nodes }) =>
			nodes.map((/** @type {any} */ node) => `${id}: ${node.target}`),
		);
	});
}

/** Every state that the element has. */
const states = () =>
	[
		site.element("team/signed:1.0"),
		site.element("team/signed:1.0", 'key="/cosign.pub"'),
		site.element("open/any:1.0"),
		site.element("team/unsigned:1.0"),
		site.element("team/gone:1.0"),
		site.element("team/none:1.0"),
		"<sealgate-image></sealgate-image>",
	].join("");

inEachBrowser((browser, name) => {
	for (const scheme of ["light", "dark"])
		test(`axe-core finds nothing in any state, ${scheme}`, async () => {
			site.docs.put(
				"/page.css",
				"html { background: light-dark(#fff, #111); color: light-dark(#111, #eee) }",
			);
			const head = `<meta name="color-scheme" content="${scheme}"><link rel="stylesheet" href="/page.css">`;
			const { page } = await browser.page();
			await page.goto(
				site.page(`/axe-${name}-${scheme}.html`, states(), { head }),
			);
			await shown(page);
			assert.deepEqual(await violations(page), []);
			await page.$$eval("sealgate-image", (all) => {
				for (const { shadowRoot } of all)
					shadowRoot?.querySelector("summary")?.click();
			});
			assert.deepEqual(await violations(page), []);
			const ground = await page.$eval(
				"sealgate-image",
				({ shadowRoot }) =>
					getComputedStyle(
						/** @type {Element} */ (shadowRoot?.querySelector(".card")),
					).backgroundColor,
			);
			assert.equal(
				ground,
				scheme === "dark" ? "rgb(28, 31, 37)" : "rgb(255, 255, 255)",
			);
			await screenshot(page, `element-${scheme}-${name}`);
			await page.close();
		});

	test("axe-core finds nothing while it waits, and without WebAssembly", async () => {
		const waiting = site.page(
			`/axe-waiting-${name}.html`,
			"<p>line</p>".repeat(200) + site.element("team/signed:1.0"),
		);
		const { page } = await browser.page();
		await page.goto(waiting);
		await page.waitForFunction(() => customElements.get("sealgate-image"));
		assert.equal(
			await page.$eval(
				"sealgate-image",
				({ shadowRoot }) =>
					shadowRoot?.querySelector("[part=state]")?.textContent,
			),
			"Not checked yet",
		);
		assert.deepEqual(await violations(page), []);
		await page.goto(
			site.page(`/axe-no-wasm-${name}.html`, site.element("team/signed:1.0"), {
				wasm: false,
			}),
		);
		await shown(page);
		assert.deepEqual(await violations(page), []);
		await page.close();
	});

	test("axe-core looks into the element: what is planted there is found", async () => {
		const { page } = await browser.page();
		await page.goto(
			site.page(`/planted-${name}.html`, site.element("team/signed:1.0")),
		);
		await shown(page);
		await page.$eval("sealgate-image", ({ shadowRoot }) => {
			const card = shadowRoot?.querySelector(".card");
			card?.append(
				Object.assign(document.createElement("img"), { src: "data:," }),
			);
			const faint = document.createElement("p");
			faint.textContent = "faint";
			faint.style.setProperty("color", "#dddddd");
			card?.append(faint);
		});
		const found = (await violations(page)).join("\n");
		assert.match(found, /^image-alt: sealgate-image,/mu);
		assert.match(found, /^color-contrast: sealgate-image,/mu);
		await page.close();
	});

	test("by keyboard, and announced", async () => {
		const { page } = await browser.page();
		await page.goto(
			site.page(`/keyboard-${name}.html`, site.element("team/unsigned:1.0")),
		);
		await page.waitForFunction(() => customElements.get("sealgate-image"));
		/** The same place all the time, or nothing would be announced. */
		const status = await page.evaluateHandle(() =>
			document
				.querySelector("sealgate-image")
				?.shadowRoot?.querySelector("[role=status]"),
		);
		await shown(page);
		assert.match(
			await page.evaluate((element) => element?.textContent ?? "", status),
			new RegExp(
				`^Denied · ${NAME}/team/unsigned:1\\.0 · This image may not run`,
				"u",
			),
		);
		assert.ok(await page.evaluate((element) => element?.isConnected, status));
		const focused = () =>
			page.evaluate(() => {
				const inner = document.activeElement?.shadowRoot?.activeElement;
				return (inner ?? document.activeElement)?.localName;
			});
		/** @type {(string | undefined)[]} */
		const way = [];
		for (let at = 0; at < 4 && way.at(-1) !== "summary"; at += 1) {
			await page.keyboard.press("Tab");
			way.push(await focused());
		}
		assert.equal(way.at(-1), "summary", `${way}`);
		await page.keyboard.press("Enter");
		const open = await page.$eval("sealgate-image", ({ shadowRoot }) => ({
			open: shadowRoot?.querySelector("details")?.open,
			reason: shadowRoot?.querySelector("details p")?.checkVisibility(),
		}));
		assert.deepEqual(open, { open: true, reason: true });
		await page.keyboard.press("Tab");
		assert.equal(await focused(), "a");
		await page.close();
	});

	test("in German where the page is, or the part of it", async () => {
		const { page } = await browser.page();
		await page.goto(
			site.page(
				`/german-${name}.html`,
				`${site.element("team/signed:1.0")}${site.element("team/none:1.0")}<div lang="en">${site.element("team/unsigned:1.0")}</div>`,
				{ lang: "de-AT" },
			),
		);
		const elements = await shown(page);
		assert.deepEqual(
			elements.map(({ state, signer }) => [
				state,
				signer.replace(/[0-9a-f]{12}…$/u, ""),
			]),
			[
				["Erlaubt", "Signiert mit dem Schlüssel "],
				["Nicht feststellbar", ""],
				["Denied", ""],
			],
		);
		assert.match(
			elements[1]?.text ?? "",
			/Das Gateway hat dieses Image nicht/u,
		);
		const spoken = await page.$eval("sealgate-image", ({ shadowRoot }) =>
			shadowRoot?.querySelector("details p")?.getAttribute("lang"),
		);
		assert.equal(spoken, "en");
		assert.deepEqual(await violations(page), []);
		await page.close();
	});

	test("never by colour alone: a word and a picture of its own for each state", async () => {
		const { page } = await browser.page();
		await page.goto(site.page(`/colour-${name}.html`, states()));
		const elements = await shown(page);
		const pictures = await page.$$eval("sealgate-image", (all) =>
			all.map(({ shadowRoot }) =>
				shadowRoot?.querySelector("svg path")?.getAttribute("d"),
			),
		);
		const byTone = new Map(
			elements.map(({ tone, state }, at) => [tone, `${state} ${pictures[at]}`]),
		);
		assert.equal(byTone.size, 4);
		assert.equal(new Set(byTone.values()).size, 4);
		await page.close();
	});

	test("a stranger's text stays text, and steers nothing", async () => {
		const hostile = `${NAME}/\u202egnp.exe\u2066<img src=x onerror=alert(1)>:1.0`;
		const { page, complaints } = await browser.page();
		await page.goto(
			site.page(
				`/hostile-${name}.html`,
				`<sealgate-image reference="${hostile.replaceAll("<", "&lt;")}" via="${site.gateway.url}"></sealgate-image>`,
			),
		);
		const [element] = await shown(page);
		assert.match(element?.text ?? "", /\\u202egnp\.exe\\u2066<img/u);
		assert.doesNotMatch(element?.text ?? "", /[\u202a-\u202e\u2066-\u2069]/u);
		const { images, label } = await page.$eval(
			"sealgate-image",
			({ shadowRoot }) => ({
				images: shadowRoot?.querySelectorAll("img").length,
				label: shadowRoot?.querySelector(".card")?.getAttribute("aria-label"),
			}),
		);
		assert.equal(images, 0);
		assert.doesNotMatch(label ?? "", /[\u202a-\u202e\u2066-\u2069]/u);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("the page's properties and parts style it", async () => {
		site.docs.put(
			"/own.css",
			"sealgate-image { --sealgate-ground: rgb(1, 2, 3); --sealgate-block-size: 20rem } sealgate-image::part(state) { text-decoration: underline }",
		);
		const { page } = await browser.page();
		await page.goto(
			site.page(`/own-${name}.html`, site.element("team/signed:1.0"), {
				head: '<link rel="stylesheet" href="/own.css">',
				policy: `script-src ${site.gateway.url} 'wasm-unsafe-eval'; style-src 'self' ${site.gateway.url}; connect-src ${site.gateway.url}`,
			}),
		);
		await shown(page);
		const style = await page.$eval("sealgate-image", (element) => {
			const of = (/** @type {string} */ selector) =>
				getComputedStyle(
					/** @type {Element} */ (element.shadowRoot?.querySelector(selector)),
				);
			return [
				of(".card").backgroundColor,
				of("[part=state]").textDecorationLine,
				element.getBoundingClientRect().height,
			];
		});
		assert.deepEqual(style, ["rgb(1, 2, 3)", "underline", 320]);
		await page.close();
	});

	if (name === "chromium")
		test("in forced colours the border and the picture stay", async () => {
			const { page } = await browser.page();
			const session = await page.createCDPSession();
			await session.send("Emulation.setEmulatedMedia", {
				features: [{ name: "forced-colors", value: "active" }],
			});
			await page.goto(
				site.page("/forced.html", site.element("team/signed:1.0")),
			);
			await shown(page);
			const drawn = await page.$eval("sealgate-image", ({ shadowRoot }) => {
				const of = (/** @type {string} */ selector) =>
					getComputedStyle(
						/** @type {Element} */ (shadowRoot?.querySelector(selector)),
					);
				return {
					forced: matchMedia("(forced-colors: active)").matches,
					border: of(".card").borderInlineStartWidth,
					same: of(".sg-icon").stroke === of("[part=state]").color,
				};
			});
			assert.deepEqual(drawn, { forced: true, border: "5px", same: true });
			await screenshot(page, "element-forced");
			await page.close();
		});
});
