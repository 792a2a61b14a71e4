// Images of a registry that is not behind the gateway whose page this is: their evidence comes over its relay, and the visitor's
// own policy judges.

import assert from "node:assert/strict";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startWorker } from "../lib/serve.mjs";
import { drop, inEachBrowser, settled, text } from "./browser.mjs";

const KEY = new URL("../../fixtures/demo/cosign.pub", import.meta.url);
/** As the demo's images are signed. */
const POLICY = JSON.stringify({
	default: [{ type: "reject" }],
	transports: {
		docker: {
			"": [
				{
					type: "sigstoreSigned",
					keyPath: "cosign.pub",
					signedIdentity: {
						type: "exactRepository",
						dockerRepository: "demo.example/demo/signed",
					},
				},
			],
		},
	},
});

/** @type {Awaited<ReturnType<typeof startWorker>>} the demo, which is a registry like any other */
let registry;
/** @type {Awaited<ReturnType<typeof startWorker>>} */
let gateway;
before(async () => {
	registry = await startWorker();
	const policy = join(
		await mkdtemp(join(tmpdir(), "sealgate-relay-")),
		"policy.json",
	);
	await writeFile(policy, '{"default":[{"type":"reject"}]}');
	gateway = await startWorker({
		upstream: "http://127.0.0.1:9",
		name: "registry.example",
		policy,
		settings: { RELAY: registry.url },
	});
});
after(async () => {
	await gateway?.stop();
	await registry?.stop();
});

inEachBrowser((browser) => {
	test("the visitor's policy judges what the gateway carries, and nothing else is carried", async () => {
		const { page, complaints } = await browser.page();
		const open = async (/** @type {string} */ image) => {
			await page.goto(`${gateway.url}/#${image}`);
			await settled(page);
		};
		const verdict = () => text(page, ".sg-verdict");
		await open(`${registry.host}/demo/signed:1.0`);
		assert.equal(await verdict(), "By which policy?");
		await drop(page, {
			"policy.json": POLICY,
			"cosign.pub": await readFile(KEY, "utf8"),
		});
		await page.waitForFunction(
			() => document.querySelector(".sg-verdict")?.textContent === "Allowed",
		);
		// What the registry does not give to everybody, or does not have, is not there.
		await open(`${registry.host}/demo/absent:1.0`);
		assert.notEqual(await verdict(), "Allowed");
		await open("other.example/demo/signed:1.0");
		assert.equal(await verdict(), "Another registry");
		assert.deepEqual(await complaints(), []);
		await page.close();
	});
});
