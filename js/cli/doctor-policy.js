// What a gateway tells its administrator: the policy, what the next one would change, what was refused lately.

import { policyLint } from "../quick.js";
import { plural } from "./findings.js";
import { isOpen, parsed, textOf } from "./gateway.js";
import { groupsOf } from "./next.js";

/** @typedef {import("./gateway.js").GatewayClient} GatewayClient */
/** @typedef {import("./findings.js").Findings} Findings */
/** @typedef {{ policy: Uint8Array, assets?: Record<string, Uint8Array>, registriesD?: Record<string, Uint8Array> }} Published */

/** Seconds of refusals that are looked at. */
const LATELY = 60 * 60;

/** What to do where a verdict is open: how its code begins, and the advice. @type {[RegExp, string][]} */
const REMEDIES = [
	[
		/^(lookaside|limit\.lookaside)/,
		"see that the lookasides in registries.d can be read from the gateway",
	],
	[/^host\.egress/, "list the host in EGRESS if it is yours"],
	[
		/^(host|registry|upstream)\./,
		"see that the registry, its token service and lookasides can be reached from the gateway: its log says which did not answer (upstream)",
	],
	[/^config\./, "put the configuration right: the message says what"],
	[
		/^(signature\.invalid|openpgp\.unknown-key)$/,
		"signed by a key that the policy does not have: sign again, or list that key too if it is yours (keyPaths)",
	],
	[/^signature\.missing$/, "sign the image, or write the scope that it is in"],
	[
		/^gateway\.not-linked$/,
		"let the client pull the manifest again (this command asks for such blobs, too)",
	],
];
const OTHERWISE =
	'see docs/gateway.md "Why was it refused?", or sealgate doctor URL IMAGE';

/** @param {GatewayClient} client @param {Findings} findings */
export async function administration(client, findings) {
	if (isOpen(client.origin))
		return findings.problem(
			"administration",
			"the administrator's secret is not sent over plain http",
			"ask https://, or an address of this machine (a port that is forwarded)",
		);
	const answer = await client.ask("/healthz", { asAdministrator: true });
	const health = parsed(answer) ?? {};
	if (health.version === undefined)
		return findings.problem(
			"administration",
			"the gateway does not know this secret",
			"give the one that it has as ADMIN_SECRET (at least 16 bytes); without one nobody administrates it",
		);
	if (health.message !== undefined)
		findings.problem(
			"configuration",
			health.message,
			"until then nothing is served in enforce",
			health.code,
		);
	if (health.next !== undefined)
		findings.warning(
			"next policy",
			health.next,
			"put POLICY_NEXT right, or leave it out",
		);
	await findings.trying("policy", () => policy(client, findings));
	if (health.next === undefined)
		await findings.trying("next policy", () => next(client, findings));
	await findings.trying("refusals", () => refusals(client, findings));
}

/** @param {GatewayClient} client @param {Findings} findings */
async function policy(client, findings) {
	const answer = await client.ask("/setup?for=policy", {
		asAdministrator: true,
	});
	if (answer.status !== 200)
		throw new Error(`/setup?for=policy answers ${answer.status}`);
	await lintPolicyOf("policy", { policy: answer.bytes }, findings);
}

/** By the core's own lints. @param {string} check @param {Published} published @param {Findings} findings */
export async function lintPolicyOf(check, published, findings) {
	await findings.trying(check, async () => {
		const lints = (await policyLint(published.policy, published)).filter(
			({ severity }) => severity !== "note",
		);
		for (const { id, name, severity, pointer, message, edit } of lints)
			findings[severity === "error" ? "problem" : "warning"](
				check,
				`${name}${pointer === "" ? "" : `, ${pointer}`}: ${message}`,
				edit === undefined
					? `look ${id} up in docs/policy.md "Lints"`
					: edit.text === ""
						? "remove it: sealgate policy lint shows the place"
						: `write ${edit.text}`,
				id,
			);
		if (lints.length === 0)
			findings.ok(check, "no lint beyond what is good to know");
	});
}

/** @param {GatewayClient} client @param {Findings} findings */
async function next(client, findings) {
	const answer = await client.ask("/admin/next", { asAdministrator: true });
	if (answer.status === 404)
		return findings.ok("next policy", "none (POLICY_NEXT)");
	if (answer.status !== 200)
		throw new Error(`/admin/next answers ${answer.status}`);
	const document = parsed(answer);
	if (document?.policy === undefined)
		throw new Error(`/admin/next is no such document: ${textOf(answer)}`);
	const { compared, open, differences } = document;
	const judged = `${plural(compared, "image")} compared${open > 0 ? `, ${open} could not be judged by it` : ""}`;
	if (differences.length === 0)
		findings.ok("next policy", `${judged}, nothing changes`);
	for (const { change, code, images } of groupsOf(differences))
		findings.warning(
			"next policy",
			`${plural(images.length, "image")} would be ${change}: ${some(images)}`,
			change === "allowed"
				? "see that this is meant"
				: remedyOf(code).replace("policy does", "next policy does"),
			code,
		);
}

/** @param {GatewayClient} client @param {Findings} findings */
async function refusals(client, findings) {
	const since = Math.floor(Date.now() / 1000) - LATELY;
	const { decisions, more } = await client.administered(
		`/admin/refusals?since=${since}`,
	);
	if (decisions.length === 0)
		return findings.ok("refusals", "none within the last hour");
	/** @type {Map<string, Set<string>>} */
	const byCode = new Map();
	for (const { code, image } of decisions)
		byCode.set(code, (byCode.get(code) ?? new Set()).add(image));
	for (const [code, images] of byCode)
		findings.warning(
			"refusals",
			`${plural(images.size, "image")} within the last hour${more ? " (the newest 1,000)" : ""}: ${some([...images])}`,
			remedyOf(code),
			code,
		);
}

/** @param {string} code */
function remedyOf(code) {
	return REMEDIES.find(([of]) => of.test(code))?.[1] ?? OTHERWISE;
}

/** @param {string[]} images */
function some(images) {
	const shown = images.slice(0, 3).join(", ");
	return images.length > 3 ? `${shown} …` : shown;
}
