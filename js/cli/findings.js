// What `sealgate doctor` found: a line each, as it is found, or one JSON document.

import { painter, plain } from "./show.js";

/** @typedef {"ok" | "warning" | "problem" | "unknown"} Level */
/** @typedef {{ check: string, level: Level, found: string, remedy?: string, code?: string }} Finding */

const COLOURS = { ok: "32", warning: "33", problem: "31", unknown: "35" };
const WIDTH = "warning".length + 1;

export class Findings {
	/** @param {boolean} json */
	constructor(json) {
		this.json = json;
		/** @type {Finding[]} */
		this.all = [];
		this.paint = painter(process.stdout, process.env);
	}

	/** @param {string} check @param {string} found */
	ok(check, found) {
		this.add({ check, level: "ok", found });
	}

	/** @param {string} check @param {string} found @param {string} remedy @param {string} [code] */
	warning(check, found, remedy, code) {
		this.add({ check, level: "warning", found, remedy, code });
	}

	/** @param {string} check @param {string} found @param {string} remedy @param {string} [code] */
	problem(check, found, remedy, code) {
		this.add({ check, level: "problem", found, remedy, code });
	}

	/** @param {string} check @param {string} found @param {string} remedy @param {string} [code] */
	unknown(check, found, remedy, code) {
		this.add({ check, level: "unknown", found, remedy, code });
	}

	/** What fails in a check leaves that check open, and no other. @param {string} check @param {() => Promise<void>} work */
	async trying(check, work) {
		try {
			await work();
		} catch (error) {
			const { code = "internal", message } = /** @type {any} */ (error);
			this.unknown(
				check,
				message,
				/^(image|reference)\./.test(code)
					? "name it by the gateway's host, or as its policy names it"
					: "ask again; when it stays, look into the gateway's log",
				code,
			);
		}
	}

	/** @param {Finding} finding */
	add(finding) {
		this.all.push(finding);
		if (this.json) return;
		const { check, level, found, remedy, code } = finding;
		const word = this.paint({ colour: COLOURS[level] }, level.padEnd(WIDTH));
		const lines = [
			`${word} ${check}: ${plain(found)}${code === undefined ? "" : ` (${plain(code)})`}`,
			...(remedy === undefined
				? []
				: [`${" ".repeat(WIDTH)} → ${plain(remedy)}`]),
		];
		process.stdout.write(`${lines.join("\n")}\n`);
	}

	/** The last line, or the document. @param {{ gateway: string, image?: string }} of @returns {number} the exit status */
	end(of) {
		const count = (/** @type {Level} */ wanted) =>
			this.all.filter(({ level }) => level === wanted).length;
		const [problems, warnings, unknown] = [
			count("problem"),
			count("warning"),
			count("unknown"),
		];
		process.stdout.write(
			this.json
				? `${JSON.stringify({ ...of, problems, warnings, unknown, findings: this.all }, null, 2)}\n`
				: `${plural(problems, "problem")}, ${plural(warnings, "warning")}${unknown > 0 ? `, ${unknown} unknown` : ""}\n`,
		);
		if (problems > 0) return 1;
		return unknown > 0 ? 2 : 0;
	}
}

/** @param {number} count @param {string} what */
export function plural(count, what) {
	return `${count} ${what}${count === 1 ? "" : "s"}`;
}
