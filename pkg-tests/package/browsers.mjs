// Debian's browsers, and what a static server gives them.

import { createServer } from "node:http";
import { readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import { atEnd, devLibrary, need, temporaryFolder } from "./support.mjs";

export const BROWSERS = {
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
	".css": "text/css",
	".html": "text/html",
	".js": "text/javascript",
	".mjs": "text/javascript",
	".json": "application/json",
	".wasm": "application/wasm",
};
/** The least that a page must allow. */
export const POLICY =
	"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/**
 * What a page sets as a global of this name.
 *
 * @param {keyof typeof BROWSERS} browser
 * @param {string} address
 * @param {string} global
 */
export async function ask(browser, address, global) {
	const { remedy, ...how } = BROWSERS[browser];
	need(how.executablePath, remedy);
	const running = await devLibrary("puppeteer-core").launch({
		...how,
		headless: true,
		userDataDir: temporaryFolder(),
	});
	try {
		const page = await running.newPage();
		const complaints = [];
		page.on("pageerror", (error) => complaints.push(String(error)));
		page.on("console", (message) => complaints.push(message.text()));
		await page.goto(address);
		const expression = `globalThis.${global}`;
		await page
			.waitForFunction(`${expression} !== undefined`, { timeout: 90_000 })
			.catch(() => {
				throw new Error(`the page gave no ${global}: ${complaints.join("; ")}`);
			});
		return await page.evaluate(expression);
	} finally {
		await running.close();
	}
}

/**
 * A static server, for as long as the tests of a file run.
 *
 * @param {(pathname: string) => string | Buffer | { file: string } | undefined} find
 * @param {Record<string, string>} [headers]
 */
export async function serve(find, headers = {}) {
	const server = createServer((request, response) => {
		const { pathname } = new URL(request.url, "http://localhost");
		const found = find(pathname);
		const type = TYPES[extname(pathname)] ?? "text/plain";
		const body =
			typeof found === "object" && "file" in found ? bytesOf(found) : found;
		if (body === undefined)
			return response.writeHead(404, headers).end("not found");
		return response
			.writeHead(200, { "content-type": type, ...headers })
			.end(body);
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	atEnd(() => server.close());
	return `http://127.0.0.1:${server.address().port}`;
}

/** @param {{ file: string }} found */
function bytesOf({ file }) {
	return statSync(file, { throwIfNoEntry: false })?.isFile()
		? readFileSync(file)
		: undefined;
}
