// What the element's tests stand on: Debian's docker-registry with images that cosign signed, the gateway in front of it, and a
// website of another origin under a content security policy as strict as the element allows.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import {
	fetchManifest,
	makeKey,
	pushImage,
	signTag,
	startRegistry,
	tagOf,
} from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { startDocs } from "./docs.mjs";

/** @typedef {import('puppeteer-core').Page} Page */
/** @typedef {{ wasm?: boolean, head?: string, lang?: string, base?: string, policy?: string }} PageOptions `base`: whence the element comes */

const PACKAGE = new URL("../../pkg/", import.meta.url);
export const NAME = "registry.example.com";

/** Runs as long as the tests of a file. */
export function servedSite() {
	const site = {
		/** @type {import('./docs.mjs').Docs} */ docs: /** @type {any} */ (null),
		/** @type {import('../lib/serve.mjs').Worker} */ gateway:
			/** @type {any} */ (null),
		/** The `integrity` of the element's script, as the package has it. */ sri: "",
		/** That of its stylesheet. */ styleSri: "",
		/** The public key that signed. */ key: "",
		/** The registry itself, as its own images are named there. */ registry: "",
		/** @param {string} image @param {string} [more] attributes @returns {string} */
		element: (image, more = "") =>
			`<sealgate-image reference="${NAME}/${image}" via="${site.gateway.url}" ${more}><a href="${site.gateway.url}/#${site.gateway.host}/${image}">${image}</a></sealgate-image>`,
		/** A page of the website; gives its address. @param {string} path @param {string} body @param {PageOptions} [options] @returns {string} */
		page(path, body, options = {}) {
			const { wasm = true, head = "", lang = "en" } = options;
			const base = options.base ?? `${site.gateway.url}/sealgate/`;
			const origin = new URL(base).origin;
			const { url: gateway } = site.gateway;
			const policy =
				options.policy ??
				[
					"default-src 'none'",
					`script-src ${origin}${wasm ? " 'wasm-unsafe-eval'" : ""}`,
					`style-src 'self' ${origin}`,
					`connect-src 'self' ${origin} ${gateway}`,
					`img-src data: ${gateway}`,
				].join("; ");
			const html = `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><title>Docs</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}element.css" integrity="${site.styleSri}" crossorigin="anonymous">
<script src="${base}element.js" integrity="${site.sri}" crossorigin="anonymous" defer></script>${head}</head><body><main><h1>Docs</h1>${body}</main></body></html>`;
			return site.docs.put(path, html, { "content-security-policy": policy });
		},
	};
	/** @type {(() => unknown)[]} */
	const ends = [];
	before(async () => {
		const folder = await mkdtemp(join(tmpdir(), "sealgate-element-"));
		ends.push(() => rm(folder, { recursive: true, force: true }));
		const [docs, registry, pair, sri, styleSri] = await Promise.all([
			startDocs(),
			startRegistry(),
			makeKey(folder),
			readFile(new URL("element.js.sri", PACKAGE), "utf8"),
			readFile(new URL("element.css.sri", PACKAGE), "utf8"),
		]);
		ends.push(docs.stop, registry.stop);
		site.docs = docs;
		site.sri = sri.trim();
		site.styleSri = styleSri.trim();
		site.registry = registry.host;
		site.key = await readFile(pair.pub, "utf8");
		await pushImages(registry, pair.key);
		await writeFile(join(folder, "policy.json"), JSON.stringify(policy()));
		site.gateway = await startWorker({
			upstream: registry.url,
			name: NAME,
			policy: join(folder, "policy.json"),
			settings: { CORS_ORIGINS: docs.url },
		});
		ends.push(site.gateway.stop);
		docs.put("/cosign.pub", site.key);
		docs.put("/rules/cosign.pub", site.key);
		docs.put("/rules/policy.json", JSON.stringify(policy()));
	});
	after(async () => {
		for (const end of ends.reverse()) await end();
	});
	return site;
}

/** @param {import('../lib/peers.mjs').Registry} registry @param {string} key */
async function pushImages({ host, url }, key) {
	for (const repo of [
		"team/signed",
		"team/unsigned",
		"team/gone",
		"open/any",
		"public/app",
	])
		await pushImage(host, repo, "1.0", { text: repo });
	for (const [repo, name] of /** @type {const} */ ([
		["team/signed", NAME],
		["team/gone", NAME],
		["public/app", host],
	])) {
		const { digest } = await manifestOf(host, repo, "1.0");
		await signTag(`${host}/${repo}@${digest}`, {
			key,
			identity: `${name}/${repo}`,
		});
	}
	// A signature that the registry lists, and does not have: nobody can say what it would have proven.
	const gone = await manifestOf(host, "team/gone", "1.0");
	const listed = await manifestOf(
		host,
		"team/gone",
		tagOf(gone.digest, ".sig"),
	);
	const { layers } = JSON.parse(listed.bytes.toString());
	const answer = await fetch(`${url}/v2/team/gone/blobs/${layers[0].digest}`, {
		method: "DELETE",
	});
	if (answer.status !== 202)
		throw new Error(
			`expected that the blob is deleted, found ${answer.status}`,
		);
}

/** @param {string} host @param {string} repo @param {string} reference */
async function manifestOf(host, repo, reference) {
	const found = await fetchManifest(host, repo, reference);
	if (!found) throw new Error(`${host} has no ${repo} under ${reference}`);
	return found;
}

export function policy() {
	const signed = [
		{
			type: "sigstoreSigned",
			keyPath: "cosign.pub",
			signedIdentity: { type: "matchRepository" },
		},
	];
	return {
		default: [{ type: "reject" }],
		transports: {
			docker: {
				[`${NAME}/team`]: signed,
				[`${NAME}/open`]: [{ type: "insecureAcceptAnything" }],
			},
		},
	};
}

/** What every element of a page shows, once each was looked at. @param {Page} page @returns {Promise<{ text: string, state: string, tone: string, signer: string, basis: string, code: string }[]>} */
export async function shown(page) {
	const count = await page.$$eval("sealgate-image", (all) => all.length);
	for (let at = 0; at < count; at += 1) {
		await page.evaluate(
			(index) =>
				document.querySelectorAll("sealgate-image")[index]?.scrollIntoView(),
			at,
		);
		await page.waitForFunction(
			(index) =>
				document
					.querySelectorAll("sealgate-image")
					[index]?.shadowRoot?.querySelector("details"),
			{ timeout: 30_000 },
			at,
		);
	}
	return page.$$eval("sealgate-image", (all) =>
		all.map(({ shadowRoot }) => {
			const part = (/** @type {string} */ selector) =>
				shadowRoot?.querySelector(selector)?.textContent ?? "";
			return {
				text: part(".card"),
				state: part("[part=state]"),
				tone: shadowRoot?.querySelector(".card")?.className ?? "",
				signer: part("[part=signer]"),
				basis: part("[part=basis]"),
				code: part("details .mono"),
			};
		}),
	);
}
