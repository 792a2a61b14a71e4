/**
 * The table of the fault matrix: at which step of a pull, what goes wrong, and what a client may have in the end. Nothing here pulls.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The images of `fixtures/demo` that are pulled, and where the proof of each is. */
export const IMAGES = /** @type {const} */ ({
	signed: "a `.sig` tag",
	multi: "a `.sig` tag of its index",
	bundle: "a bundle, by the tag schema of referrers",
	gpg: "a simple signature in a lookaside",
});

/** What a client has: everything; all but the layer; nothing. @typedef {"all" | "no layer" | "none"} Outcome */
/** Which server a step asks. @typedef {"registry" | "lookaside" | "tokens"} Server */
/** @typedef {{ image: keyof typeof IMAGES, server: Server, method?: string, path: (image: Digests) => RegExp, evidence?: true }} Step */
/** @typedef {{ manifest: string, child: string, config: string, layer: string, payload: string }} Digests */

const escaped = (/** @type {string} */ text) => text.replaceAll(".", "\\.");
const dashed = (/** @type {string} */ digest) => digest.replace(":", "-");

/** @type {Record<string, Step>} */
export const STEPS = {
	token: { image: "signed", server: "tokens", path: () => /^\/token/ },
	"HEAD of the tag": {
		image: "signed",
		server: "registry",
		method: "HEAD",
		path: () => /\/manifests\/1\.0$/,
	},
	manifest: {
		image: "signed",
		server: "registry",
		method: "GET",
		path: ({ manifest }) => new RegExp(`/manifests/(1\\.0|${manifest})$`),
	},
	"image of an index": {
		image: "multi",
		server: "registry",
		method: "GET",
		path: ({ child }) => new RegExp(`/manifests/${child}$`),
	},
	referrers: {
		image: "bundle",
		server: "registry",
		method: "GET",
		path: () => /\/referrers\//,
		evidence: true,
	},
	"tag of referrers": {
		image: "bundle",
		server: "registry",
		method: "GET",
		path: ({ manifest }) => new RegExp(`/manifests/${dashed(manifest)}$`),
		evidence: true,
	},
	"signature's manifest": {
		image: "signed",
		server: "registry",
		method: "GET",
		path: ({ manifest }) =>
			new RegExp(`/manifests/${escaped(dashed(manifest))}\\.sig$`),
		evidence: true,
	},
	"signature's blob": {
		image: "signed",
		server: "registry",
		method: "GET",
		path: ({ payload }) => new RegExp(`/blobs/${payload}$`),
		evidence: true,
	},
	lookaside: {
		image: "gpg",
		server: "lookaside",
		method: "GET",
		path: () => /\/signature-1$/,
		evidence: true,
	},
	layer: {
		image: "signed",
		server: "registry",
		method: "GET",
		path: ({ layer }) => new RegExp(`/blobs/${layer}$`),
	},
};

/** What else a fault needs to know. @typedef {{ image: string, stranger: string, unsigned: { manifest: string, tag: string } }} Around */
/** @typedef {(around: Around) => Partial<import("./proxy.mjs").Rule>} Fault */

const answers = (
	/** @type {number} */ status,
	/** @type {Record<string, string>} */ headers = {},
	body = "{}",
) => /** @type {Fault} */ (() => ({ status, body, headers }));

/** @type {Record<string, Fault>} */
export const FAULTS = {
	"answers 401": answers(401),
	"answers 403": answers(403),
	"answers 404": answers(404),
	"answers 429": answers(429, { "retry-after": "1" }),
	"answers 500": answers(500),
	"answers 503": answers(503),
	"answers 200 with nothing": () => ({ status: 200, body: "" }),
	"answers 200 with {}": answers(200),
	"resets the connection": () => ({ drop: true }),
	"stalls before the headers": () => ({ stall: -1 }),
	"stalls within the body": () => ({ stall: 20 }),
	"ends within the body": () => ({ cut: 20 }),
	"changes a bit": () => ({ tamper: flip }),
	"says that it is shorter": () => ({ headers: { "content-length": "20" } }),
	"says that it is longer": () => ({ headers: { "content-length": "9999" } }),
	"says that it has another digest": ({ unsigned }) => ({
		headers: { "docker-content-digest": unsigned.manifest },
	}),
	"says that it is of another type": () => ({
		headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
	}),
	"redirects to another host": ({ stranger }) => ({
		status: 307,
		body: "",
		headers: { location: `${stranger}/taken` },
	}),
	"redirects to a private address over https": ({ stranger }) => ({
		status: 307,
		body: "",
		headers: { location: `${stranger.replace("http:", "https:")}/taken` },
	}),
	"gives a token that is none": answers(200, {}, '{"token":"e30.e30.e30"}'),
	"gives the unsigned image": ({ unsigned }) => ({
		rewrite: `/v2/demo/unsigned/manifests/${unsigned.tag}`,
	}),
};

/** What only bodies have. */
const OF_BODIES =
	/^(stalls within|ends within|changes a bit|answers 200|says that it is shorter|says that it is longer)/;
/** What a client, or the gateway, may overlook, because it looks at the bytes: the image is there. */
const HARMLESS = /^says that it (has another digest|is of another type)/;

/** @param {string} step @param {string} fault */
function applies(step, fault) {
	if (step === "HEAD of the tag" && OF_BODIES.test(fault)) return false;
	if (fault === "gives the unsigned image")
		return /^(HEAD of the tag|manifest|image of an index|tag of referrers|signature's manifest)$/.test(
			step,
		);
	if (fault === "says that it has another digest")
		return STEPS[step]?.server === "registry";
	if (fault === "gives a token that is none") return step === "token";
	if (fault === "changes a bit") return step !== "token";
	return true;
}

/** @typedef {{ step: string, fault: string, runtime: string, outcome: Outcome }} Cell */

/**
 * What a client may have in the end. Where proof is missing or cannot be had, nothing.
 *
 * @param {string} step
 * @param {string} fault
 * @returns {Outcome}
 */
export function outcomeOf(step, fault) {
	const found = EXCEPTIONS.find(
		([steps, faults]) => steps.test(step) && faults.test(fault),
	);
	if (found) return found[2];
	if (HARMLESS.test(fault)) return "all";
	return step === "layer" || step === "image of an index" ? "no layer" : "none";
}

/** @type {[RegExp, RegExp, Outcome][]} */
const EXCEPTIONS = [
	// The tag means an image that is not in that repository.
	[/^HEAD of the tag$/, /another digest$/, "none"],
	// An image as an index, a signature as an index: a document and its type that contradict each other are refused.
	[/^(manifest|signature's manifest)$/, /another type$/, "none"],
	[/^image of an index$/, /another type$/, "no layer"],
	// A registry without the API answers 404, some 401 or 403, and whatever stands in that answer: the proof hangs on the tag.
	[
		/^referrers$/,
		/^(answers (401|403|404|200)|changes a bit|ends within)/,
		"all",
	],
];

/**
 * @param {{ all: boolean, seed: string, runtimes: string[], count: number }} options all, or as many as are said
 * @returns {Cell[]}
 */
export function cells({ all, seed, runtimes, count }) {
	const every = runtimes.flatMap((runtime) =>
		Object.keys(STEPS).flatMap((step) =>
			Object.keys(FAULTS)
				.filter((fault) => applies(step, fault))
				.map((fault) => ({
					step,
					fault,
					runtime,
					outcome: outcomeOf(step, fault),
				})),
		),
	);
	if (all) return every;
	const rank = (/** @type {Cell} */ { step, fault, runtime }) =>
		createHash("sha256")
			.update([seed, step, fault, runtime].join("\0"))
			.digest("hex");
	return every.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}

/** A digit of the last digest, where there is one, else a bit in the middle. @param {Buffer} body */
function flip(body) {
	const copy = Buffer.from(body);
	const digest = copy.lastIndexOf("sha256:");
	const at = digest < 0 ? Math.floor(copy.length / 2) : digest + 7;
	copy[at] = digest < 0 ? (copy[at] ?? 0) ^ 1 : copy[at] === 0x30 ? 0x31 : 0x30;
	return copy;
}
