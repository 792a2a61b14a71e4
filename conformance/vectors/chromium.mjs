/**
 * Runs the vectors' runner as WASM in a page in Debian's Chromium: `node chromium.mjs MODULE DIR [TOPIC…]`.
 *
 * The page comes from a server on loopback, which serves it the module, the package and everything in DIR, and nothing else.
 *
 * @module
 */
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	readdirSync,
	rmSync,
	statSync,
} from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { argv, env, exit, stderr, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { complain, prepare } from "./prepare.mjs";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];
const TYPES = /** @type {Record<string, string>} */ ({
	".html": "text/html",
	".js": "text/javascript",
	".wasm": "application/wasm",
	".json": "application/json",
});
/** The least that a page must allow. */
const POLICY =
	"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
/** A page that says nothing for so long hangs. */
const MINUTES = 15;

const { module, directory, topics, sealgate } = prepare(
	"chromium.mjs",
	argv.slice(2),
);
if (!existsSync(CHROMIUM))
	complain(`${CHROMIUM} is missing (apt-get install chromium)`);

const files = filesBelow("");
/** What the page can ask for, made when it does. */
const served = new Map(
	/** @type {[string, () => Uint8Array | string][]} */ ([
		["/", () => own("page/index.html")],
		...["page/run.js", "page/preview1.js", "rounds.js"].map((name) => [
			`/${name}`,
			() => own(name),
		]),
		["/runner.wasm", () => readFileSync(module)],
		[
			"/files.json",
			() =>
				JSON.stringify(
					files.map((path) => [path, statSync(join(directory, path)).size]),
				),
		],
		[
			"/files",
			() =>
				Buffer.concat(files.map((path) => readFileSync(join(directory, path)))),
		],
	]),
);
const server = createServer(({ url = "/" }, response) => {
	const inPackage =
		url.startsWith("/sealgate/") && join(sealgate, basename(url));
	const make =
		served.get(url) ??
		(inPackage && existsSync(inPackage)
			? () => readFileSync(inPackage)
			: undefined);
	const type =
		TYPES[extname(url)] ??
		(url === "/" ? "text/html" : "application/octet-stream");
	response
		.writeHead(make ? 200 : 404, {
			"content-type": type,
			"content-security-policy": POLICY,
		})
		.end(make?.());
});
await new Promise((resolve) =>
	server.listen(0, "127.0.0.1", () => resolve(undefined)),
);
const { port } = /** @type {import('node:net').AddressInfo} */ (
	server.address()
);
const profile = mkdtempSync(join(tmpdir(), "sealgate-chromium-"));
let status = 2;
try {
	status = await inPage(`http://127.0.0.1:${port}/`);
} catch (error) {
	stderr.write(`${error instanceof Error ? error.stack : error}\n`);
} finally {
	rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
exit(status);

/** @param {string} address */
async function inPage(address) {
	const browser = await puppeteer().launch({
		browser: "chrome",
		executablePath: CHROMIUM,
		headless: true,
		userDataDir: profile,
		args: FLAGS,
		protocolTimeout: MINUTES * 60_000,
	});
	try {
		const page = await browser.newPage();
		page.on("pageerror", (error) => stderr.write(`page: ${error}\n`));
		await page.goto(address);
		const asked = { topics, provider: env.PROVIDER ?? "" };
		const { status, out, notes } = await page.evaluate(
			async (asked) =>
				(await import(/** @type {any} */ ("/page/run.js"))).run(asked),
			asked,
		);
		stderr.write(notes);
		await new Promise((resolve) => stdout.write(out, resolve));
		return status;
	} finally {
		await browser.close();
	}
}

/** @returns {import('puppeteer-core').PuppeteerNode} */
function puppeteer() {
	try {
		return createRequire(new URL("../../tools/package.json", import.meta.url))(
			"puppeteer-core",
		);
	} catch {
		return complain("puppeteer-core is missing (npm ci --prefix tools)");
	}
}

/** @param {string} name */
function own(name) {
	return readFileSync(fileURLToPath(new URL(name, import.meta.url)));
}

/** The paths of all files, from DIR. @param {string} folder @returns {string[]} */
function filesBelow(folder) {
	return readdirSync(join(directory, folder), { withFileTypes: true }).flatMap(
		(entry) => {
			const path = join(folder, entry.name);
			if (entry.isDirectory()) return filesBelow(path);
			return statSync(join(directory, path), {
				throwIfNoEntry: false,
			})?.isFile()
				? [path]
				: [];
		},
	);
}
