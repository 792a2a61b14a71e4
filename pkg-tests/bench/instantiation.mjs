// The page's module in Chromium, whose processor is slowed four times: from its bytes to the first call that it answers, by the very
// files that the page is served. Each of five times in a browser that has not seen them; what is compared is the median.
//
//   node pkg-tests/bench/instantiation.mjs        (`make bench`; SLOWED=n)

import { startWorker } from "../lib/serve.mjs";
import { launch } from "../page/browser.mjs";

const TIMES = 5;
const SLOWED = Number(process.env.SLOWED ?? 4);
/** Milliseconds. */
const LIMIT = 150;

const worker = await startWorker();
/** @type {number[]} */
const times = [];
try {
	for (let time = 0; time < TIMES; time += 1) {
		const { browser, close } = await launch("chromium");
		try {
			const page = await browser.newPage();
			// A page of the same origin, and the same content security policy, that loads no module by itself.
			await page.goto(`${worker.url}/style.css`);
			const session = await page.createCDPSession();
			await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWED });
			times.push(await page.evaluate(instantiate));
		} finally {
			await close();
		}
	}
} finally {
	await worker.stop();
}
const median = times.sort((one, other) => one - other)[TIMES >> 1] ?? Infinity;
const holds = median <= LIMIT;
console.log(
	`the page's module in Chromium, slowed ${SLOWED} times: ${times.map((time) => time.toFixed(0)).join(", ")} ms`,
);
console.log(
	`  ${holds ? "✔" : "✘"} instantiation: ${median.toFixed(0)} ms (at most ${LIMIT})`,
);
process.exitCode = holds ? 0 : 1;

/** Runs in the page. */
async function instantiate() {
	const glue = await import(String("/sealgate/sealgate.js"));
	const answer = await fetch("/sealgate/sealgate_bg.wasm");
	const bytes = await answer.arrayBuffer();
	const headers = { "content-type": "application/wasm" };
	const start = performance.now();
	await glue.default({ module_or_path: new Response(bytes, { headers }) });
	glue.version();
	return performance.now() - start;
}
