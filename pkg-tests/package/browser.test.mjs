// The tarball in a page, as a static server gives it, in Debian's Chromium and Firefox, under a strict content security policy.

import { createServer } from "node:http";
import { readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { before, test } from "node:test";
import {
	assertChecks,
	atEnd,
	consumerProject,
	demo,
	devLibrary,
	here,
	need,
	temporaryFolder,
} from "./support.mjs";

const BROWSERS = {
	chromium: {
		browser: "chrome",
		executablePath: "/usr/bin/chromium",
		remedy: "apt-get install chromium",
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
		],
	},
	firefox: {
		browser: "firefox",
		executablePath: "/usr/bin/firefox-esr",
		remedy: "apt-get install firefox-esr",
		args: [],
	},
};
const TYPES = {
	".html": "text/html",
	".js": "text/javascript",
	".mjs": "text/javascript",
	".json": "application/json",
	".wasm": "application/wasm",
};
/** The least that a page must allow. */
const POLICY =
	"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/** @type {string} */
let address;
before(async () => {
	const project = consumerProject();
	const server = createServer((request, response) =>
		serve(project, request, response),
	).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => server.close());
	address = `http://127.0.0.1:${server.address().port}`;
});

/** @param {string} project @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response */
function serve(project, request, response) {
	const { pathname } = new URL(request.url, "http://localhost");
	const headers = {
		"content-security-policy": POLICY,
		"content-type": TYPES[extname(pathname)] ?? "text/plain",
	};
	if (pathname === "/demo.json")
		return response.writeHead(200, headers).end(JSON.stringify(demo()));
	if (pathname === "/large")
		return response
			.writeHead(200, headers)
			.end(Buffer.alloc(8 * 1024 * 1024, 120));
	const file = pathname.startsWith("/sealgate/")
		? join(project, "node_modules", pathname)
		: join(here, pathname === "/checks.mjs" ? "." : "browser", pathname);
	if (!statSync(file, { throwIfNoEntry: false })?.isFile())
		return response.writeHead(404, headers).end("not found");
	response.writeHead(200, headers).end(readFileSync(file));
}

for (const [name, { remedy, ...how }] of Object.entries(BROWSERS)) {
	test(`everything works in a page in ${name}`, {
		timeout: 120_000,
	}, async () => {
		need(how.executablePath, remedy);
		const puppeteer = devLibrary("puppeteer-core");
		const browser = await puppeteer.launch({
			...how,
			headless: true,
			userDataDir: temporaryFolder(),
		});
		try {
			const page = await browser.newPage();
			const complaints = [];
			page.on("pageerror", (error) => complaints.push(String(error)));
			await page.goto(`${address}/page.html`);
			await page
				.waitForFunction("globalThis.results !== undefined", {
					timeout: 90_000,
				})
				.catch(() => {
					throw new Error(`the page gave no results: ${complaints.join("; ")}`);
				});
			assertChecks(await page.evaluate("globalThis.results"));
		} finally {
			await browser.close();
		}
	});
}
