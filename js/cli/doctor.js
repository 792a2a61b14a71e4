// `sealgate doctor`: a gateway, its policy and one image, asked as a node would ask. It looks and compares; what a signature or a
// policy is worth is said by the core alone.

import { administration, lintPolicyOf } from "./doctor-policy.js";
import { images } from "./doctor-image.js";
import { nodes } from "./doctor-node.js";
import { states } from "./doctor-state.js";
import { Findings } from "./findings.js";
import { GatewayClient, readSecret } from "./gateway.js";

/** @typedef {import("./arguments.js").DoctorCommand & import("./inputs.js").Reaching} DoctorCommand */

/** @param {DoctorCommand} command @returns {Promise<number>} */
export async function doctor(command) {
	const { gateway: origin, image, json, clients, etc, ca } = command;
	const secret = readSecret(command, process.env);
	const client = new GatewayClient(origin, ca, secret);
	const findings = new Findings(json);
	/** @type {Awaited<ReturnType<typeof states>>} */
	let state;
	await findings.trying("gateway", async () => {
		state = await states(client, findings);
	});
	if (state !== undefined) {
		if (secret !== undefined)
			await findings.trying("administration", () =>
				administration(client, findings),
			);
		else
			console.error(
				"sealgate: the policy, the next one and what was refused lately are not looked at: they want --admin-secret-file FILE",
			);
		if (image !== undefined) {
			const asked = { ...command, image };
			const published = await images(client, findings, asked, state.audit);
			if (published !== undefined)
				await lintPolicyOf("policy for the image", published, findings);
		}
		for (const name of clients) await nodes(client, findings, name, etc);
	}
	return findings.end({ gateway: origin, ...(image && { image }) });
}
