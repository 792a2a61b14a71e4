/**
 * `/admin/policy`: who bears `POLICY_SECRET` puts a policy in force, and asks which one is.
 *
 * @module
 */
import { MOST_BUNDLE } from "sealgate/bundle";

/** @typedef {ReturnType<typeof import("./policy.js").createRunning>} Running */
/** @typedef {import("./index.js").Env} Env */

/** As for the administrator's secret. */
const SHORTEST_SECRET = 16;

/**
 * @param {Request} request
 * @param {Env} env
 * @param {Running} running
 */
export async function policyAnswer(request, env, running) {
	if (!(await isAllowed(request, env))) return unauthorised();
	try {
		switch (request.method) {
			case "GET":
				return json(200, await running.inForce(env));
			case "PUT": {
				const text = await bodyOf(request);
				return text === undefined
					? failed(413, "policies.bundle", `at most ${MOST_BUNDLE} bytes`)
					: json(200, await running.push(env, text));
			}
			default:
				return failed(405, "policies.method", "GET or PUT");
		}
	} catch (error) {
		const { code = "internal", message } = /** @type {any} */ (error);
		return json(code === "internal" ? 503 : 422, { code, message });
	}
}

/** @param {Request} request @param {Env} env */
async function isAllowed({ headers }, { POLICY_SECRET = "" }) {
	if (POLICY_SECRET.length < SHORTEST_SECRET) return false;
	const given = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
	return (await hash(given ?? "")) === (await hash(POLICY_SECRET));
}

/** What is compared tells nothing of the secret by the time that it takes. @param {string} text */
async function hash(text) {
	const bytes = new TextEncoder().encode(text);
	return String(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** The text, unless it is too long. @param {Request} request @returns {Promise<string | undefined>} */
async function bodyOf({ body }) {
	const decoder = new TextDecoder();
	let text = "";
	let length = 0;
	for await (const chunk of /** @type {any} */ (body ?? [])) {
		length += chunk.length;
		if (length > MOST_BUNDLE) return undefined;
		text += decoder.decode(chunk, { stream: true });
	}
	return text + decoder.decode();
}

function unauthorised() {
	return json(
		401,
		{
			code: "policies.unauthorised",
			message:
				"expected Authorization: Bearer with POLICY_SECRET (16 characters at least, where none is set nobody may), found something else",
		},
		{ "www-authenticate": 'Bearer realm="sealgate"' },
	);
}

/** @param {number} status @param {string} code @param {string} expected */
function failed(status, code, expected) {
	return json(status, {
		code,
		message: `expected ${expected}, found something else`,
	});
}

/** @param {number} status @param {object} document @param {Record<string, string>} [headers] */
function json(status, document, headers = {}) {
	return Response.json(document, {
		status,
		headers: {
			...headers,
			"cache-control": "no-store",
			"x-content-type-options": "nosniff",
		},
	});
}
