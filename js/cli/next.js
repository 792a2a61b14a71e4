// What the next policies of gateways would change, by what they served.

import { codedError } from "../error.js";
import { GatewayClient, readSecret } from "./gateway.js";
import { plain } from "./show.js";

/** @typedef {{ verdict: string, code: string, message: string }} Side */
/** @typedef {{ image: string, now: Side, next: Side, since: number, last: number }} Difference */
/** @typedef {{ policy: { state: string, code?: string, message?: string }, compared: number, open: number, differences: Difference[], more: boolean }} Next */
/** @typedef {{ change: "refused" | "allowed", code: string, message: string, images: string[] }} Group */

/**
 * Status 1 when something changes, else 2 when something is unknown: an image that could not be judged, a list that goes on.
 *
 * @param {import("./arguments.js").PolicyDiffCommand & import("./inputs.js").Reaching} command
 */
export async function diffGateways({ gateways, ca, json, ...command }) {
	const secret = readSecret(command, process.env);
	const found = await Promise.all(
		gateways.map((origin) => asked(new GatewayClient(origin, ca, secret))),
	);
	const merged = merge(found);
	const groups = groupsOf(merged.differences);
	process.stdout.write(
		json
			? `${JSON.stringify({ gateways, ...merged, groups }, null, 2)}\n`
			: groups.flatMap(shown).map(plain).join("\n") +
					(groups.length > 0 ? "\n" : ""),
	);
	const { compared, open, differences, more } = merged;
	console.error(
		`${compared} compared: ${differences.length} ${differences.length === 1 ? "changes" : "change"}${open > 0 ? `, ${open} unknown` : ""}${more ? ", and more than gateways tell at once" : ""}`,
	);
	if (differences.length > 0) return 1;
	return open > 0 || more || compared === 0 ? 2 : 0;
}

/** @param {GatewayClient} client @returns {Promise<Next>} */
async function asked(client) {
	/** @type {Next | undefined} */
	const next = await client.administered("/admin/next");
	if (!Array.isArray(next?.differences))
		throw codedError(
			"gateway.answer",
			`${client.origin}/admin/next: expected what the next policy would change, found something else`,
		);
	if (next.policy.state !== "ok")
		throw codedError(
			next.policy.code ?? "config.policy",
			`${client.origin}: its next policy cannot be read: ${next.policy.message}`,
		);
	return next;
}

/** Each instance knows what it served; of one image the newest counts. @param {Next[]} found */
export function merge(found) {
	/** @type {Map<string, Difference>} */
	const byImage = new Map();
	for (const one of found.flatMap(({ differences }) => differences)) {
		const known = byImage.get(one.image);
		const newest = known === undefined || known.last <= one.last ? one : known;
		const since = Math.min(one.since, known?.since ?? one.since);
		byImage.set(one.image, { ...newest, since });
	}
	const sum = (/** @type {"compared" | "open"} */ name) =>
		found.reduce((all, next) => all + next[name], 0);
	return {
		compared: sum("compared"),
		open: sum("open"),
		more: found.some(({ more }) => more),
		differences: [...byImage.values()].sort((one, other) =>
			one.image < other.image ? -1 : 1,
		),
	};
}

/** What would be refused comes first. @param {Difference[]} differences @returns {Group[]} */
export function groupsOf(differences) {
	/** @type {Map<string, Group>} */
	const groups = new Map();
	for (const { image, now, next } of differences) {
		const isAllowed = next.verdict === "allow";
		const { code, message } = isAllowed ? now : next;
		const change = isAllowed ? "allowed" : "refused";
		const key = `${change} ${code}`;
		const group = groups.get(key) ?? { change, code, message, images: [] };
		group.images.push(image);
		groups.set(key, group);
	}
	return [...groups.values()].sort((one, other) =>
		one.change === other.change ? 0 : one.change === "refused" ? -1 : 1,
	);
}

/** @param {Group} group */
function shown({ change, code, message, images }) {
	const [sign, why] =
		change === "refused"
			? ["-", `${message} (${code})`]
			: ["+", `until now: ${message} (${code})`];
	return [
		`${images.length} would be ${change}: ${why}`,
		...images.map((image) => `  ${sign} ${image}`),
	];
}
