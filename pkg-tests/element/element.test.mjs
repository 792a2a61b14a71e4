// <sealgate-image> on a website of another origin than its gateway, in Debian's Chromium and Firefox: its four states, whose rules it
// names, what it says when there is no verdict, and that it shows none which it did not reach.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inEachBrowser, screenshot } from "../page/browser.mjs";
import { startWorker } from "../lib/serve.mjs";
import { startBetween } from "./docs.mjs";
import { NAME, policy, servedSite, shown } from "./site.mjs";

/** @typedef {import('puppeteer-core').Page} Page */

const DEMO_POLICY = fileURLToPath(
	new URL("../../fixtures/demo/policy.json", import.meta.url),
);
const site = servedSite();

/** Writes down what elements tell. @param {Page} page */
const listen = (page) =>
	page.evaluateOnNewDocument(() => {
		/** @type {{ name: string, detail: any }[]} */
		const told = [];
		Object.assign(globalThis, { told });
		for (const name of ["sealgate-verdict", "sealgate-error"])
			addEventListener(name, (event) => {
				told.push({ name, detail: /** @type {CustomEvent} */ (event).detail });
			});
	});

/** @param {Page} page @returns {Promise<{ name: string, detail: any }[]>} */
const told = (page) =>
	page.evaluate(() => /** @type {any} */ (globalThis).told);

inEachBrowser((browser, name) => {
	/** @param {string} address @param {string} [before] */
	async function open(address, before) {
		const { page, complaints } = await browser.page();
		if (before) await page.goto(before);
		await listen(page);
		await page.goto(address);
		return { page, complaints, elements: await shown(page) };
	}

	test("the four states, under a strict content security policy", async () => {
		const images = ["team/signed", "open/any", "team/unsigned", "team/gone"];
		const address = site.page(
			"/states.html",
			images.map((image) => site.element(`${image}:1.0`)).join(""),
		);
		const { page, complaints, elements } = await open(address);
		assert.deepEqual(
			elements.map(({ state, tone }) => `${state}: ${tone}`),
			[
				"Allowed: card good",
				"Allowed, not verified: card unproven",
				"Denied: card bad",
				"Could not find out: card unknown",
			],
		);
		const [signed, ...others] = elements;
		assert.match(signed?.signer ?? "", /^Signed with the key [0-9a-f]{12}…$/u);
		assert.deepEqual(
			others.map(({ signer }) => signer),
			["", "", ""],
		);
		for (const { basis } of elements)
			assert.equal(
				basis,
				`Judged in this browser, by the policy that ${site.gateway.host} gives`,
			);
		const events = await told(page);
		const byImage = Object.fromEntries(
			events.map(({ name, detail }) => [detail.reference, { name, ...detail }]),
		);
		assert.deepEqual(
			images.map((image) => {
				const told = byImage[`${NAME}/${image}:1.0`];
				return [told.name, told.verdict, told.verified, told.basis];
			}),
			[
				["sealgate-verdict", "allow", true, "gateway"],
				["sealgate-verdict", "allow", false, "gateway"],
				["sealgate-verdict", "deny", false, "gateway"],
				["sealgate-verdict", "unknown", false, "gateway"],
			],
		);
		const { signers, report } = byImage[`${NAME}/team/signed:1.0`];
		assert.equal(signers[0].by, "key");
		assert.equal(report.verdict, "allow");
		assert.deepEqual(await complaints(), []);
		await screenshot(page, `element-states-${name}`);
		await page.close();
	});

	test("the lines that the documentation gives to copy, as they stand there", async () => {
		const text = await readFile(
			new URL("../../docs/show.md", import.meta.url),
			"utf8",
		);
		const lines = /```html\n([^`]+)```/u.exec(text)?.[1] ?? "";
		const copied = lines
			.replaceAll("https://gateway.example.com", site.gateway.url)
			.replaceAll("gateway.example.com", site.gateway.host)
			.replaceAll("team/app", "team/signed");
		site.docs.put("/copied.html", copied);
		const { page, elements } = await open(`${site.docs.url}/copied.html`);
		assert.deepEqual(
			elements.map(({ state }) => state),
			["Allowed"],
		);
		await page.close();
	});

	test("by a key or a policy of the page, named as such", async () => {
		const inline = JSON.stringify({
			default: [{ type: "reject" }],
			transports: {
				docker: {
					[NAME]: [
						{
							type: "sigstoreSigned",
							keyData: Buffer.from(site.key).toString("base64"),
							signedIdentity: { type: "matchRepository" },
						},
					],
				},
			},
		}).replaceAll('"', "&quot;");
		const signed = "team/signed:1.0";
		const address = site.page(
			"/guide/rules.html",
			[
				site.element(signed, 'key="../cosign.pub"'),
				site.element(signed, 'data-key="/cosign.pub"'),
				site.element(signed, `key="${site.key}"`),
				site.element(signed, 'policy="/rules/policy.json"'),
				site.element(signed, `policy="${inline}"`),
				site.element("open/any:1.0", 'key="/cosign.pub"'),
			].join(""),
		);
		const { page, complaints, elements } = await open(address);
		const [byKey, , , byPolicy] = [
			"Judged in this browser, by the key that this page gives",
			"",
			"",
			"Judged in this browser, by the policy that this page gives",
		];
		assert.deepEqual(
			elements.map(({ state, basis }) => [state, basis]),
			[
				["Allowed", byKey],
				["Allowed", byKey],
				["Allowed", byKey],
				["Allowed", byPolicy],
				["Allowed", byPolicy],
				["Denied", byKey],
			],
		);
		// A key is no policy, and is not called one.
		const reason = (/** @type {number} */ at) => elements[at]?.text ?? "";
		assert.match(reason(0), /· Signed by the key that this page gives\./u);
		assert.match(reason(3), /· This image may run: the policy is satisfied\./u);
		assert.match(reason(5), /· No signature by the key that this page gives/u);
		assert.deepEqual(await complaints(), []);
		await page.close();
	});

	test("what stands in the way is said, with a code, and is no verdict", async () => {
		site.docs.put("/broken.json", "{}");
		site.docs.put("/lonely/policy.json", JSON.stringify(policy()));
		const gateway = site.gateway.url;
		site.docs.put("/elsewhere.pub", "", {
			location: `${gateway}/sealgate/element.css`,
		});
		const signed = `${NAME}/team/signed:1.0`;
		const cases = [
			[`reference="${signed}"`, "element.attribute"],
			[`reference="${signed}" via="ftp://example.com"`, "element.attribute"],
			[`via="${gateway}"`, "element.attribute"],
			[`reference="Not an image" via="${gateway}"`, /^reference\./u],
			[`reference="${NAME}/team/none:1.0" via="${gateway}"`, "element.status"],
			[
				`reference="other.example.com/team/signed:1.0" via="${gateway}"`,
				"element.other-image",
			],
			[
				`reference="${signed}" via="${gateway}" key="/none.pub"`,
				"element.file",
			],
			[
				`reference="${signed}" via="${gateway}" key="${gateway}/sealgate/element.css"`,
				"element.file",
			],
			[
				`reference="${signed}" via="${gateway}" key="/elsewhere.pub"`,
				"element.file",
			],
			[
				`reference="${signed}" via="${gateway}" policy="/broken.json"`,
				/^policy\./u,
			],
			[
				`reference="${signed}" via="${gateway}" policy="/lonely/policy.json"`,
				"element.file",
			],
			[
				`reference="${signed}" via="${gateway}" key="/cosign.pub" policy="/rules/policy.json"`,
				"argument",
			],
		];
		const address = site.page(
			"/problems.html",
			cases
				.map(
					([attributes]) => `<sealgate-image ${attributes}></sealgate-image>`,
				)
				.join(""),
		);
		const { page, elements } = await open(address);
		for (const [at, { state, tone, code, basis }] of elements.entries()) {
			const [attributes, wanted] = cases[at] ?? [];
			assert.deepEqual(
				[state, tone, basis],
				["Could not find out", "card unknown", "Nothing was verified here"],
				`${attributes}`,
			);
			if (wanted instanceof RegExp) assert.match(code, wanted);
			else assert.equal(code, wanted, `${attributes}`);
		}
		const events = await told(page);
		assert.deepEqual(
			events.map((event) => [event.name, event.detail.code]).sort(),
			elements.map(({ code }) => ["sealgate-error", code]).sort(),
		);
		assert.ok(events.every(({ detail }) => detail.message.length > 20));
		await page.close();
	});

	test("a gateway that does not let this website read is out of reach", async () => {
		const closed = await startWorker();
		try {
			const address = site.page(
				"/closed.html",
				`<sealgate-image reference="demo.example/demo/signed:1.0" via="${closed.url}"></sealgate-image>`,
				{
					policy: `script-src ${site.gateway.url} 'wasm-unsafe-eval'; connect-src *`,
				},
			);
			const { page, elements } = await open(address);
			assert.equal(elements[0]?.code, "element.unreachable");
			await page.close();
		} finally {
			await closed.stop();
		}
	});

	test("without 'wasm-unsafe-eval': the gateway's picture, and why", async () => {
		const address = site.page(
			"/no-wasm.html",
			site.element("team/signed:1.0") +
				site.element("team/unsigned:1.0", 'key="/cosign.pub"'),
			{ wasm: false },
		);
		const { page } = await browser.page();
		/** @type {string[]} */
		const asked = [];
		page.on("request", (request) =>
			asked.push(new URL(request.url()).pathname),
		);
		await listen(page);
		await page.goto(address);
		const elements = await shown(page);
		for (const { state, text, code } of elements) {
			assert.equal(state, "Could not find out");
			assert.match(
				text,
				/content security policy does not let WebAssembly run/u,
			);
			assert.match(text, /by its own policy/u);
			assert.equal(code, "host.wasm-forbidden");
		}
		const pictures = await page.$$eval("sealgate-image", (all) =>
			Promise.all(
				all.map(async ({ shadowRoot }) => {
					const image = shadowRoot?.querySelector("img");
					await image?.decode();
					return {
						src: image?.src,
						link: image?.closest("a")?.href,
						wide: (image?.naturalWidth ?? 0) > 100,
					};
				}),
			),
		);
		assert.deepEqual(
			pictures,
			["team/signed:1.0", "team/unsigned:1.0"].map((image) => ({
				src: `${site.gateway.url}/badge/${image}.svg`,
				link: `${site.gateway.url}/#${site.gateway.host}/${image}`,
				wide: true,
			})),
		);
		assert.ok(
			!asked.some((path) => /\.wasm$|verifier|evidence/u.test(path)),
			`${asked}`,
		);
		await screenshot(page, `element-no-wasm-${name}`);
		await page.close();
	});

	for (const more of ["", " 'strict-dynamic'"])
		test(`a nonce is passed on, so that no origin need be named:${more}`, async () => {
			const { url } = site.gateway;
			site.docs.put(
				"/nonce.html",
				`<!doctype html><title>Docs</title><link rel="icon" href="data:,"><script nonce="abc" src="${url}/sealgate/element.js" defer></script>${site.element("team/signed:1.0")}`,
				{
					"content-security-policy": `default-src 'none'; img-src data:; script-src 'nonce-abc'${more} 'wasm-unsafe-eval'; connect-src ${url}`,
				},
			);
			const { page, complaints, elements } = await open(
				`${site.docs.url}/nonce.html`,
			);
			assert.equal(elements[0]?.state, "Allowed");
			assert.deepEqual(await complaints(), []);
			await page.close();
		});

	test("what only the module with everything can judge is judged, too", async () => {
		const demo = await startWorker({
			settings: { CORS_ORIGINS: site.docs.url },
		});
		try {
			const images = ["gpg", "gpg-wrong-key", "keyless", "copied"];
			const address = site.page(
				"/demo.html",
				images
					.map(
						(image) =>
							`<sealgate-image reference="demo.example/demo/${image}:1.0" via="${demo.url}"></sealgate-image>`,
					)
					.join(""),
				{
					policy: `script-src ${site.gateway.url} 'wasm-unsafe-eval'; connect-src ${site.gateway.url} ${demo.url}`,
				},
			);
			const { page, elements } = await open(address);
			assert.deepEqual(
				elements.map(({ state, signer }) => [state, signer]),
				[
					["Allowed", "Signed with the OpenPGP key D70E43F269D2D2F8"],
					["Denied", ""],
					[
						"Allowed",
						"Signed by https://github.com/demo/app/.github/workflows/release.yml@refs/heads/main",
					],
					["Denied", ""],
				],
			);
			await page.close();
		} finally {
			await demo.stop();
		}
	});

	const byKey = 'key="/cosign.pub"';

	/** One image by way of another server. @param {Awaited<ReturnType<typeof startBetween>>} between @param {string} reference @param {string} more attributes @param {string} [under] @param {boolean} [whole] with all that it shows */
	async function through(between, reference, more, under = "", whole = false) {
		try {
			const { url } = between;
			const address = site.page(
				"/between.html",
				`<sealgate-image reference="${reference}" via="${url}${under}" ${more}></sealgate-image>`,
				{
					policy: `script-src ${site.gateway.url} 'wasm-unsafe-eval'; connect-src 'self' ${site.gateway.url} ${url}`,
				},
			);
			// Cookies know no ports: this one belongs to the other server as well.
			site.docs.put(
				"/cookie.html",
				"<!doctype html><link rel=icon href=data:,>",
				{ "set-cookie": "session=secret" },
			);
			const { page, elements } = await open(
				address,
				`${site.docs.url}/cookie.html`,
			);
			await page.close();
			for (const { cookie, referer, authorization } of between.headers)
				assert.deepEqual(
					[cookie, referer, authorization],
					[undefined, undefined, undefined],
				);
			assert.equal(between.headers.length, 1);
			const { state, code, text = "" } = elements[0] ?? {};
			return whole ? { state, code, text } : { state, code };
		} finally {
			await between.stop();
		}
	}

	test("a relay brings evidence of a registry that is not behind it, and the page the key", async () => {
		// Of what stands behind it nothing is asked here.
		const relay = await startWorker({
			upstream: "http://127.0.0.1:9",
			name: "private.example.com",
			policy: DEMO_POLICY,
			settings: {
				CORS_ORIGINS: site.docs.url,
				RELAY: `http://${site.registry}`,
			},
		});
		try {
			const image = `reference="${site.registry}/public/app:1.0" via="${relay.url}/relay"`;
			const address = site.page(
				"/relay.html",
				`<sealgate-image ${image} ${byKey}></sealgate-image><sealgate-image ${image}></sealgate-image><sealgate-image reference="other.example/app:1.0" via="${relay.url}/relay" ${byKey}></sealgate-image>`,
				{
					policy: `script-src ${site.gateway.url} 'wasm-unsafe-eval'; connect-src 'self' ${site.gateway.url} ${relay.url}`,
				},
			);
			const { page, elements } = await open(address);
			assert.deepEqual(
				elements.map(({ state, code }) => [state, code]),
				[
					["Allowed", "signature.accepted"],
					["Could not find out", "element.no-rules"],
					["Could not find out", "element.status"],
				],
			);
			await page.close();
		} finally {
			await relay.stop();
		}
	});

	test("a relay that gives a policy all the same is not judged by it", async () => {
		const { url } = site.gateway;
		const own = await fetch(`${url}/api/evidence/team/signed?ref=1.0`);
		const { policy } = /** @type {any} */ (await own.json());
		assert.ok(policy.text);
		const relay = await startBetween(url, (document) => {
			document.policy = policy;
		});
		assert.deepEqual(
			await through(relay, `${NAME}/team/signed:1.0`, "", "/relay"),
			{ state: "Could not find out", code: "element.no-rules" },
		);
	});

	test("what a gateway says is shown short, and without what nobody sees", async () => {
		const talking = await startBetween(site.gateway.url, ({ errors }) => {
			errors[0].message = `\u202eAllowed. ${"Allowed ".repeat(500)}`;
		});
		const { code, text = "" } = await through(
			talking,
			`${NAME}/team/none:1.0`,
			"",
			"",
			true,
		);
		assert.equal(code, "element.status");
		assert.match(text, /HTTP 404 .*: \\u202eAllowed\. Allowed .*…/u);
		assert.ok(text.length < 1_000, `${text.length}`);
	});

	test("evidence without an end is not read to one", async () => {
		/** @type {import("node:http").ServerResponse[]} */
		const answers = [];
		let sent = 0;
		const endless = createServer((_, answer) => {
			answers.push(answer);
			answer.writeHead(200, {
				"access-control-allow-origin": "*",
				"content-type": "application/json",
			});
			const piece = Buffer.alloc(1024 * 1024, " ");
			const more = () => {
				while (!answer.destroyed) {
					sent += piece.length;
					if (!answer.write(piece)) return void answer.once("drain", more);
				}
			};
			more();
		}).listen(0, "127.0.0.1");
		await once(endless, "listening");
		const { port } = /** @type {import("node:net").AddressInfo} */ (
			endless.address()
		);
		const url = `http://127.0.0.1:${port}`;
		try {
			const address = site.page(
				"/endless.html",
				`<sealgate-image reference="${NAME}/team/signed:1.0" via="${url}" ${byKey}></sealgate-image>`,
				{
					policy: `script-src ${site.gateway.url} 'wasm-unsafe-eval'; connect-src 'self' ${site.gateway.url} ${url}`,
				},
			);
			const { page, elements } = await open(address);
			assert.equal(elements[0]?.code, "element.malformed");
			assert.ok(answers.every((answer) => answer.destroyed));
			assert.ok(sent < 100 * 1024 * 1024, `${sent} bytes`);
			await page.close();
		} finally {
			endless.closeAllConnections();
			endless.close();
		}
	});

	test("evidence that was changed on its way, or is another image's, is not allowed", async () => {
		const { url } = site.gateway;
		const unsigned = `${NAME}/team/unsigned:1.0`;
		const changed = await startBetween(url, ({ answers }) => {
			const manifest = Buffer.from(answers[0].body, "base64").toString();
			answers[0].body = Buffer.from(
				manifest.replace('"schemaVersion"', ' "schemaVersion"'),
			).toString("base64");
		});
		const { state } = await through(changed, `${NAME}/team/signed:1.0`, byKey);
		assert.notEqual(state, "Allowed");
		// A signed image under the name of another one: its signature says what it is.
		const refused = { state: "Denied", code: "identity.other-name" };
		const signed = () => "team/signed";
		const lying = await startBetween(
			url,
			(document) => {
				document.name = unsigned;
			},
			signed,
		);
		assert.deepEqual(await through(lying, unsigned, byKey), refused);
		// What a gateway calls an image is no name to judge by the page's key.
		const renaming = await startBetween(url, undefined, signed);
		const own = `${new URL(renaming.url).host}/team/unsigned:1.0`;
		assert.deepEqual(await through(renaming, own, byKey), refused);
		const honest = await startBetween(url, undefined, signed);
		assert.deepEqual(await through(honest, unsigned, byKey), {
			state: "Could not find out",
			code: "element.other-image",
		});
	});
});
