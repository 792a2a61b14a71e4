// The worker that the page tests talk to: one that already runs (SEALGATE_URL), or one of their own.

import { after, before } from "node:test";
import { settled } from "./browser.mjs";

/** @returns {Promise<{ url: string, stop(): unknown }>} */
async function startWorker() {
	if (process.env.SEALGATE_URL)
		return { url: process.env.SEALGATE_URL, stop() {} };
	const serve = await import("../lib/serve.mjs");
	return serve.startWorker();
}

/** The demo and its page, which run as long as the tests of a file. */
export function servedDemo() {
	/** @type {Awaited<ReturnType<typeof startWorker>> | undefined} */
	let worker;
	const demo = {
		/** Without a slash at the end. */
		base: "",
		/** `host[:port]` of that. */
		host: "",
		/** Has the page show an image of the demo. @param {import('puppeteer-core').Page} page @param {string} repository */
		async open(page, repository) {
			await page.goto(`${demo.base}/#${demo.host}/demo/${repository}:1.0`);
			await settled(page);
		},
	};
	before(async () => {
		worker = await startWorker();
		demo.base = worker.url.replace(/\/$/u, "");
		demo.host = new URL(demo.base).host;
	});
	after(() => worker?.stop());
	return demo;
}
