// A policy on its way to a gateway that has no files: made into one value, pushed, and seen to be in force.

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBundle, printOf, toBundle } from "../bundle.js";
import { codedError } from "../error.js";
import { readBounded } from "../fetch.js";
import { Gateway, policyLint } from "../quick.js";
import { createFetch } from "./network.js";
import { named, read, readNext, readPolicy } from "./inputs.js";
import { plain } from "./show.js";

/** @typedef {{ status: number, document: any }} Answer */

/** As the gateway has it. */
const SHORTEST_SECRET = 16;
/** Isolates look every 5 seconds: whoever asks for longer meets one that looked after the push. */
const IN_A_ROW_MS = 6_000;
const ASK_EVERY_MS = 500;
const PATIENCE_MS = 60_000;
const ANSWER_MS = 30_000;
/** Bytes of the gateway's answer. */
const LONGEST_ANSWER = 1024 * 1024;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** @param {import("./arguments.js").PolicyBundleCommand} command */
export async function bundlePolicy({ file, next, registriesD, output }) {
	const { policy, assets, ...rest } = await readPolicy(
		file,
		"policy bundle",
		registriesD,
	);
	const coming = next === undefined ? undefined : await readNext(next, file);
	const contents = {
		policy,
		...(coming && { policyNext: coming.policyNext }),
		assets: { ...coming?.assets, ...assets },
		...(rest.registriesD && { registriesD: rest.registriesD }),
	};
	await named(file, () => tryGateway(contents));
	const lints = await policyLint(policy, {
		assets,
		registriesD: rest.registriesD,
	});
	for (const { id, name, severity, pointer, message } of lints)
		if (severity !== "note")
			tell(
				`${file}: ${severity} ${id} ${name}${pointer === "" ? "" : `, ${pointer}`}: ${message}`,
			);
	const text = toBundle(contents);
	if (output === undefined) process.stdout.write(text);
	else {
		writeWhole(output, text);
		tell(`${output}: policy ${await printOf(text)}`);
	}
	return 0;
}

/** A gateway says of a policy that it cannot serve by it; here it is not needed yet. @param {import("../bundle.js").Contents} contents */
async function tryGateway(contents) {
	const upstream = "https://registry.invalid";
	const gateway = await Gateway.create({ upstream, ...contents });
	const { state, code, message, next } = gateway.state();
	if (state !== "ok") throw codedError(code ?? "internal", message ?? "");
	if (next !== undefined)
		throw codedError(next.code, `the next policy: ${next.message}`);
}

/** Whoever looks meets the old file or the new one. @param {string} path @param {string} text */
function writeWhole(path, text) {
	const fresh = `${path}.${process.pid}.new`;
	try {
		writeFileSync(fresh, text);
		renameSync(fresh, path);
	} catch (error) {
		rmSync(fresh, { force: true });
		throw codedError(
			"output.unwritable",
			`--output: expected a file that can be written at ${path}, found ${/** @type {any} */ (error).code ?? error}`,
			error,
		);
	}
}

/** Status 1: the gateway does not take it. @param {import("./arguments.js").PolicyPushCommand} command */
export async function pushPolicy({ file, gateway, plainHttp, ca }) {
	const bytes = read(file, "policy.unreadable", "policy push");
	const text = new TextDecoder().decode(bytes);
	await named(file, async () => fromBundle(text));
	const print = await printOf(text);
	const ask = asker(gateway, plainHttp, ca);
	const { status, document } = await ask("PUT", text);
	if (status === 422 || status === 413) {
		tell(
			`sealgate: ${gateway} does not take ${file}, and goes on with what it has: ${document.message} [${document.code}]`,
		);
		return 1;
	}
	if (status !== 200 || document.policy !== print)
		throw unexpected(gateway, "a policy that is pushed", { status, document });
	if (document.next !== undefined)
		tell(
			`sealgate: warning: the next policy: ${document.next.message} [${document.next.code}]`,
		);
	return untilInForce(gateway, print, ask);
}

/** Asks until every answer of some seconds names it, so that more than one isolate was asked. @param {string} gateway @param {string} print @param {ReturnType<typeof asker>} ask */
async function untilInForce(gateway, print, ask) {
	const pushed = Date.now();
	let since = 0;
	/** @type {Answer | undefined} */
	let last;
	while (Date.now() < pushed + PATIENCE_MS) {
		last = await ask("GET");
		const isInForce = last.status === 200 && last.document.policy === print;
		if (!isInForce) since = 0;
		else if (since === 0) since = Date.now();
		if (since > 0 && Date.now() - since >= IN_A_ROW_MS) {
			console.log(`in force at ${gateway}: policy ${print}`);
			return 0;
		}
		await sleep(ASK_EVERY_MS);
	}
	throw unexpected(
		gateway,
		`policy ${print} in force within ${PATIENCE_MS / 1000} seconds`,
		/** @type {Answer} */ (last),
	);
}

/** @param {string} gateway @param {boolean} plainHttp @param {string[]} ca @returns {(method: string, body?: string) => Promise<Answer>} */
function asker(gateway, plainHttp, ca) {
	const secret = process.env.POLICY_SECRET ?? "";
	if (secret.length < SHORTEST_SECRET)
		throw codedError(
			"arguments",
			`policy push: expected $POLICY_SECRET, the secret of the gateway with at least ${SHORTEST_SECRET} characters, found ${secret === "" ? "none" : `${secret.length}`}. See sealgate help policy push`,
		);
	const url = addressOf(gateway, plainHttp);
	const fetch = createFetch(ca, process.env);
	return async (method, body) => {
		const answer = await fetch(url, {
			method,
			headers: [["authorization", `Bearer ${secret}`]],
			body,
			signal: AbortSignal.timeout(ANSWER_MS),
			egress: "operator",
		}).catch((error) => {
			throw codedError(
				"gateway.unreachable",
				`${gateway}: expected a gateway, found no answer (${error.message}): check the address and the network`,
				error,
			);
		});
		const bytes = await readBounded(answer.body, LONGEST_ANSWER);
		const text = new TextDecoder().decode(bytes);
		return { status: answer.status, document: parsed(text) };
	};
}

/** The secret goes over TLS, or stays on this machine. @param {string} gateway @param {boolean} plainHttp */
function addressOf(gateway, plainHttp) {
	const { protocol = "", hostname = "" } = URL.canParse(gateway)
		? new URL(gateway)
		: {};
	const isFine =
		protocol === "https:" ||
		(protocol === "http:" && (plainHttp || LOOPBACK.test(hostname)));
	if (!isFine)
		throw codedError(
			"arguments",
			`policy push: expected the gateway's address, https://… (http:// for this machine, or with --plain-http), found ${JSON.stringify(gateway)}. See sealgate help policy push`,
		);
	return new URL("/admin/policy", gateway).href;
}

/** @param {string} text */
function parsed(text) {
	try {
		return JSON.parse(text) ?? {};
	} catch {
		return { message: text.slice(0, 200) };
	}
}

/** @param {string} gateway @param {string} expected @param {Answer} found */
function unexpected(gateway, expected, { status, document }) {
	const { code = "gateway.answer", message, policy, wrong } = document;
	const said = wrong?.message ?? message ?? `policy ${policy}`;
	return codedError(
		wrong?.code ?? code,
		`${gateway}: expected ${expected}, found status ${status}: ${said}`,
	);
}

/** Beside what is printed for others. @param {string} text */
function tell(text) {
	console.error(plain(text));
}
