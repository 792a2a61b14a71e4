// What the element loads, when, and that nothing but what its build pinned is run; and that a page does not move when it comes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../lib/peers.mjs";
import { inEachBrowser } from "../page/browser.mjs";
import { NAME, servedSite, shown } from "./site.mjs";

/** @typedef {import('puppeteer-core').Page} Page */

const PACKAGE = new URL("../../pkg/", import.meta.url);
/** Bytes of script and style before an element is near, as they lie on the disk. */
const BEFORE = 20_000;
const FILES = [
	"element.js",
	"element.css",
	"element-verifier.js",
	"sealgate_bg.wasm",
];

const site = servedSite();
const below = "<div id='below'></div>";

/** Far down, without a style in the page. */
const far = "<p>line</p>".repeat(200);

/** What a page asks for, by path. @param {Page} page */
function watch(page) {
	/** @type {string[]} */
	const asked = [];
	page.on("request", (request) => {
		const { protocol, pathname, search } = new URL(request.url());
		if (protocol === "http:") asked.push(`${pathname}${search}`);
	});
	return asked;
}

/** What changes a file's hash and nothing else: a line, and of a module a section that nobody reads. */
const HARMLESS = {
	js: Buffer.from("\n"),
	wasm: Uint8Array.of(0, 2, 1, 0x61),
};

/** The package's files beside the pages of the website, one of them with more at its end. @param {string} folder @param {string} changed */
async function hosted(folder, changed) {
	for (const name of FILES) {
		const bytes = await readFile(new URL(name, PACKAGE));
		const more = name.endsWith(".wasm") ? HARMLESS.wasm : HARMLESS.js;
		site.docs.put(
			`${folder}${name}`,
			name === changed ? Buffer.concat([bytes, more]) : bytes,
		);
	}
	return `${site.docs.url}${folder}`;
}

inEachBrowser((browser, name) => {
	test("ten elements: little before they are near, then one module, and each image's evidence once", async () => {
		const images = ["team/signed", "team/unsigned", "open/any", "team/gone"];
		const ten = Array.from({ length: 10 }, (_, at) =>
			site.element(`${images[at % images.length]}:1.0`),
		);
		const address = site.page(`/ten-${name}.html`, far + ten.join(""));
		const { page, complaints } = await browser.page();
		const asked = watch(page);
		await page.goto(address);
		await page.waitForFunction(() => customElements.get("sealgate-image"));
		await new Promise((done) => setTimeout(done, 500));
		const early = asked.filter((path) => path.startsWith("/sealgate/"));
		assert.deepEqual(early.sort(), [
			"/sealgate/element.css",
			"/sealgate/element.js",
		]);
		let bytes = 0;
		for (const path of early)
			bytes += (
				await readFile(new URL(path.slice("/sealgate/".length), PACKAGE))
			).length;
		assert.ok(
			bytes <= BEFORE,
			`expected at most ${BEFORE} bytes before, found ${bytes}`,
		);
		assert.ok(!asked.some((path) => path.startsWith("/api/")));

		await shown(page);
		const count = (/** @type {RegExp} */ which) =>
			asked.filter((path) => which.test(path)).length;
		assert.equal(count(/\.wasm/u), 1, `${asked}`);
		assert.equal(count(/element-verifier\.js/u), 1);
		for (const image of images)
			assert.equal(
				count(new RegExp(`^/api/evidence/${image}\\?`, "u")),
				1,
				image,
			);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("a page does not move: before the script, with it, and with the verdict", async () => {
		const address = site.page(
			`/still-${name}.html`,
			site.element("team/signed:1.0") +
				site.element("team/unsigned:1.0", 'lang="de"') +
				site.element("team/none:1.0") +
				below,
		);
		const { page } = await browser.page();
		await page.setViewport({ width: 400, height: 900 });
		await page.evaluateOnNewDocument(() => {
			let moved = 0;
			Object.assign(globalThis, { moved: () => moved });
			if (PerformanceObserver.supportedEntryTypes.includes("layout-shift"))
				new PerformanceObserver((list) => {
					for (const entry of list.getEntries())
						moved += /** @type {any} */ (entry).value;
				}).observe({ type: "layout-shift", buffered: true });
			// Where what follows the elements begins, frame by frame.
			/** @type {Set<number>} */
			const places = new Set();
			Object.assign(globalThis, { places });
			const look = () => {
				const mark = document.querySelector("#below");
				const styled = document.styleSheets.length > 0;
				if (mark && styled)
					places.add(mark.getBoundingClientRect().top + scrollY);
				requestAnimationFrame(look);
			};
			requestAnimationFrame(look);
		});
		// The script comes late, as from a slow host.
		await page.setRequestInterception(true);
		page.on("request", async (request) => {
			if (request.url().endsWith("/element.js"))
				await new Promise((done) => setTimeout(done, 700));
			await request.continue();
		});
		await page.goto(address);
		await shown(page);
		await new Promise((done) => setTimeout(done, 300));
		const { places, moved } = await page.evaluate(() => {
			const told = /** @type {any} */ (globalThis);
			return { places: [...told.places], moved: told.moved() };
		});
		assert.equal(places.length, 1, `what follows stood at ${places}`);
		assert.equal(moved, 0);
		await page.close();
	});

	test("without scripts the link is there", async () => {
		const address = site.page(
			`/plain-${name}.html`,
			site.element("team/signed:1.0"),
			{
				policy: `script-src 'none'; style-src ${site.gateway.url}`,
			},
		);
		const { page } = await browser.page();
		await page.goto(address);
		const link = await page.$eval("sealgate-image a", (found) => ({
			visible: found.checkVisibility(),
			text: found.textContent,
			href: /** @type {HTMLAnchorElement} */ (found).href,
		}));
		assert.deepEqual(link, {
			visible: true,
			text: "team/signed:1.0",
			href: `${site.gateway.url}/#${site.gateway.host}/team/signed:1.0`,
		});
		await page.close();
	});

	test("files beside the documentation work as well, and a changed one stops it", async () => {
		const open = async (
			/** @type {string} */ folder,
			/** @type {string} */ changed,
		) => {
			const base = await hosted(folder, changed);
			const { page } = await browser.page();
			await page.goto(
				site.page(`${folder}index.html`, site.element("team/signed:1.0"), {
					base,
				}),
			);
			return page;
		};
		const whole = await open(`/whole-${name}/`, "");
		assert.equal((await shown(whole))[0]?.state, "Allowed");
		await whole.close();
		for (const [changed, code] of /** @type {const} */ ([
			["element-verifier.js", "element.unloadable"],
			["sealgate_bg.wasm", "host.wasm-unloadable"],
		])) {
			const page = await open(`/${name}-${changed}/`, changed);
			const [element] = await shown(page);
			assert.deepEqual(
				[element?.state, element?.code],
				["Could not find out", code],
			);
			await page.close();
		}
		const page = await open(`/${name}-entry/`, "element.js");
		await new Promise((done) => setTimeout(done, 500));
		assert.equal(
			await page.evaluate(
				() => customElements.get("sealgate-image") === undefined,
			),
			true,
		);
		await page.close();
	});

	test("a change of its attributes is judged anew, and what comes too late is not shown", async () => {
		const { page } = await browser.page();
		await page.evaluateOnNewDocument(() => {
			/** @type {string[]} */
			const told = [];
			Object.assign(globalThis, { told });
			addEventListener("sealgate-verdict", (event) =>
				told.push(/** @type {CustomEvent} */ (event).detail.reference),
			);
		});
		// The first image's evidence comes when the other one has long been judged.
		await page.setRequestInterception(true);
		let late = Promise.resolve();
		page.on("request", (request) => {
			if (!request.url().includes("/api/evidence/team/signed"))
				return void request.continue();
			late = new Promise((done) => setTimeout(done, 2500)).then(() =>
				request.continue(),
			);
		});
		await page.goto(
			site.page(
				`/change-${name}.html`,
				site.element("team/signed:1.0") + site.element("team/signed:1.0"),
			),
		);
		await page.waitForRequest((request) =>
			request.url().includes("/api/evidence/team/signed"),
		);
		await page.evaluate(() => {
			const [changed, gone] = document.querySelectorAll("sealgate-image");
			const reference = changed?.getAttribute("reference") ?? "";
			changed?.setAttribute(
				"reference",
				reference.replace("signed", "unsigned"),
			);
			gone?.remove();
		});
		const state = () =>
			page.$eval(
				"sealgate-image",
				({ shadowRoot }) =>
					shadowRoot?.querySelector("[part=state]")?.textContent,
			);
		await page.waitForFunction(
			() => /** @type {any} */ (globalThis).told.length > 0,
		);
		assert.equal(await state(), "Denied");
		await late;
		await new Promise((done) => setTimeout(done, 1000));
		assert.equal(await state(), "Denied");
		assert.deepEqual(
			await page.evaluate(() => /** @type {any} */ (globalThis).told),
			[`${NAME}/team/unsigned:1.0`],
		);
		await page.close();
	});
});

test("the page's command gives the value that the package has", async () => {
	const page = await readFile(
		new URL("../../docs/show.md", import.meta.url),
		"utf8",
	);
	const command = /`(printf 'sha384-[^`]+)`/u.exec(page)?.[1] ?? "false";
	const { stdout } = await run("sh", ["-c", command], {
		cwd: fileURLToPath(PACKAGE),
	});
	assert.equal(stdout.trim(), site.sri);
	assert.match(site.sri, /^sha384-[A-Za-z0-9+/]{64}$/u);
});
