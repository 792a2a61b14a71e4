// A stand-in for the module, for faults and orders of events that the module is not to have.

import { join } from "node:path";
import { builtPackage } from "./support.mjs";

export const { createApi } = await import(join(builtPackage(), "api.js"));

/** A module whose tasks do what `advance` says; it counts how often it was started over. */
export function standIn(advance) {
	const glue = {
		resets: 0,
		freed: 0,
		startVerify: (options) => ({
			advance: (answers) => advance(options, answers),
			free: () => (glue.freed += 1),
		}),
		parseReference: (text) => ({ domain: text, canonical: text }),
		version: () => "0.0.0",
		Gateway: class {
			constructor() {
				this.era = glue.resets;
			}
			look() {}
			handle(request) {
				return glue.startVerify({ reference: request.url });
			}
			state() {
				return { state: "ok", era: this.era };
			}
		},
		__wbg_reset_state: () => (glue.resets += 1),
	};
	return glue;
}

export const apiOver = (glue) =>
	createApi(glue, { requestInit: { redirect: "manual" } });
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
