// A stand-in for the module, for faults and orders of events that the module is not to have.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtPackage } from "./support.mjs";

export const { createApi } = await import(join(builtPackage(), "api.js"));

/** A module whose tasks do what `advance` says; it counts how often it was started over, and its gateways. */
export function standIn(advance) {
	const gateway = () => {
		glue.made += 1;
		const number = glue.made;
		return {
			setStale: (isStale) => glue.stale.push([number, isStale]),
			look: () => undefined,
			storeDecisions: (now) => {
				glue.stored.push([number, now]);
				return { advance: () => ({ done: undefined }), free: () => {} };
			},
			handle: (request) => glue.startVerify({ reference: request.url }),
			state: () => ({ state: "ok" }),
		};
	};
	const glue = {
		made: 0,
		/** Which gateway was told so, and what. */
		stale: [],
		/** Which gateway was asked to hand over what was decided, and when. */
		stored: [],
		resets: 0,
		freed: 0,
		startVerify: (options) => ({
			advance: (answers) => advance(options, answers),
			free: () => (glue.freed += 1),
		}),
		parseReference: (text) => ({ domain: text, canonical: text }),
		version: () => "0.0.0",
		startGateway: () => ({
			advance: () => ({ done: gateway() }),
			free: () => {},
		}),
		__wbg_reset_state: () => (glue.resets += 1),
	};
	return glue;
}

const arithmetic = await import(join(builtPackage(), "sealgate_arithmetic.js"));
arithmetic.initSync({
	module: readFileSync(join(builtPackage(), "sealgate_arithmetic_bg.wasm")),
});

export const apiOver = (glue) =>
	createApi(glue, {
		requestInit: { redirect: "manual" },
		arithmetic: () => arithmetic,
	});
export const fetchAsk = (id, more = {}) => ({
	id,
	kind: "fetch",
	request: {
		method: "GET",
		url: "http://registry.example/v2/",
		headers: [["accept", "a/b"]],
		maxBytes: 100,
		...more,
	},
});

/** Asks one thing, and gives back its answer. */
export const echo = (ask) =>
	standIn((_, answers) =>
		answers.length === 0 ? { asks: [ask] } : { done: answers[0] },
	);
