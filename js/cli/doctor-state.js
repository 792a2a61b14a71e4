// What a gateway says of itself to everybody.

import { version } from "../quick.js";
import { errorOf, isOpen, parsed, readMetrics, textOf } from "./gateway.js";

/** @typedef {import("./gateway.js").GatewayClient} GatewayClient */
/** @typedef {import("./findings.js").Findings} Findings */
/** @typedef {ReturnType<typeof readMetrics>} Metrics */

const DAY = 24 * 60 * 60;
/** Days before a certificate ends, to replace it in. */
const LAST_DAYS = 14;
/** Days after which the roots of a build are old, and after which they are too old. */
const OLD_ROOTS = 90;
const TOO_OLD_ROOTS = 180;

/** Node's codes of what TLS does not accept, by their beginnings. */
const OF_TLS =
	/^(CERT_|DEPTH_ZERO|ERR_TLS|ERR_SSL|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_MISMATCH)/;

/** @param {GatewayClient} client @param {Findings} findings @returns {Promise<{ audit: boolean } | undefined>} nothing where no gateway answers */
export async function states(client, findings) {
	/** @type {import("./gateway.js").Answer} */
	let ping;
	try {
		ping = await client.ask("/v2/");
	} catch (error) {
		unreachable(client, findings, /** @type {any} */ (error));
		return undefined;
	}
	findings.ok("reachable", client.origin);
	tls(client, findings, ping);
	const metrics = readMetrics(textOf(await client.ask("/metrics")));
	const health = await client.ask("/healthz");
	if (!isGateway(client, findings, metrics, health)) return undefined;
	configuration(findings, health);
	pinged(findings, ping);
	if (metrics.size > 0) measured(findings, metrics);
	return { audit: metrics.get("sealgate_audit")?.[0]?.value === 1 };
}

/** @param {GatewayClient} client @param {Findings} findings @param {{ code?: string, message: string }} error */
function unreachable({ origin }, findings, { code = "internal", message }) {
	const isTls = OF_TLS.test(code);
	if (isTls && /wrong version number|packet length/i.test(message))
		return findings.problem(
			"tls",
			`${origin}: expected TLS, found plain http`,
			`ask http://${new URL(origin).host}, or give the gateway a certificate (--tls-cert, --tls-key)`,
			code,
		);
	if (isTls)
		return findings.problem(
			"tls",
			`${origin}: the certificate is not accepted: ${message}`,
			"give the gateway a certificate for this name by an authority that nodes trust; one of your own authority: --ca FILE here, and on every node",
			code,
		);
	findings.unknown(
		"reachable",
		message.includes(origin) ? message : `${origin}: no answer: ${message}`,
		"check the address, and that the gateway runs and may be reached from here; a port that speaks TLS ends plain http without an answer: ask https://",
		code,
	);
}

/** @param {GatewayClient} client @param {Findings} findings @param {import("./gateway.js").Answer} answer */
function tls({ origin }, findings, { validTo }) {
	if (isOpen(origin))
		return findings.problem(
			"tls",
			"plain http: whoever is between can change what nodes get, by tag even unseen",
			"give it a certificate (--tls-cert, --tls-key), or TLS in front of it, and ask https://",
		);
	if (validTo === undefined)
		return findings.ok("tls", "plain http, on this machine");
	const left = Math.floor((Date.parse(validTo) - Date.now()) / 1000 / DAY);
	const until = `a certificate that nodes with the same authorities accept, until ${validTo}`;
	if (left >= LAST_DAYS) return findings.ok("tls", until);
	findings.warning(
		"tls",
		until,
		`replace it within ${left} days: then no node can pull`,
	);
}

/** @param {GatewayClient} client @param {Findings} findings @param {Metrics} metrics @param {import("./gateway.js").Answer} health */
function isGateway({ origin }, findings, metrics, health) {
	const [info] = metrics.get("sealgate_build_info") ?? [];
	const found = /version="([^"]*)"/.exec(info?.labels ?? "")?.[1];
	const own = version();
	if (found === own) {
		findings.ok("gateway", `sealgate ${found}`);
		return true;
	}
	if (found !== undefined) {
		findings.warning(
			"gateway",
			`sealgate ${found}, and this command is ${own}`,
			"use the same version on both sides: where the two judge otherwise below, that may be why",
		);
		return true;
	}
	if (/^(ok|misconfigured)$/.test(parsed(health)?.state)) {
		findings.unknown(
			"gateway",
			"a sealgate gateway without /metrics here: its version, its mode and the age of its roots are not seen",
			"ask it where Prometheus does",
		);
		return true;
	}
	findings.problem(
		"gateway",
		`expected a sealgate gateway at ${origin}, found something else: neither /metrics nor /healthz is one's`,
		"point nodes at the gateway: what they pull here is not judged",
	);
	return false;
}

/** @param {Findings} findings @param {import("./gateway.js").Answer} health */
function configuration(findings, health) {
	if (health.status === 200)
		return findings.ok("configuration", "it can judge");
	findings.problem(
		"configuration",
		`wrong (/healthz says ${health.status}): nothing can be judged`,
		"look at what its log says of the policy and the keys, roots and certificates that it names (event: configuration), or ask with --admin-secret-file FILE",
	);
}

/** podman and crane begin with it. @param {Findings} findings @param {import("./gateway.js").Answer} answer */
function pinged(findings, answer) {
	if (
		[200, 401].includes(answer.status) &&
		answer.headers.has("docker-distribution-api-version")
	)
		return findings.ok(
			"/v2/",
			answer.status === 401 ? "asks who is there" : "open to everybody",
		);
	const text = `expected 200 or 401 as a registry has it, found ${answer.status} ${errorOf(answer)?.message ?? ""}`;
	if (answer.status >= 500)
		return findings.unknown(
			"/v2/",
			text,
			"see whether its registry can be reached from the gateway (its log says upstream)",
		);
	findings.problem(
		"/v2/",
		text,
		"let what stands before the gateway pass /v2/ on unchanged",
	);
}

/** @param {Findings} findings @param {Metrics} metrics */
function measured(findings, metrics) {
	const value = (/** @type {string} */ name) => metrics.get(name)?.[0]?.value;
	if (value("sealgate_audit") === 1)
		findings.warning(
			"mode",
			"audit: everything that is refused is served all the same",
			"enforce scope by scope, then without MODE=audit (docs/rollout.md)",
		);
	else findings.ok("mode", "enforce");
	if (value("sealgate_configuration_stale") === 1)
		findings.problem(
			"reload",
			"a newer policy or file was refused, so that the one before stays in force",
			'put right what its log says ("event":"configuration","state":"kept"), then send SIGHUP or wait for two seconds',
		);
	else findings.ok("reload", "what was read last is in force");
	const days = Math.floor(
		(value("sealgate_trusted_root_age_seconds") ?? Number.NaN) / DAY,
	);
	const age = `the build's trusted roots are ${days} days old`;
	const remedy =
		"update the gateway: keys of logs and authorities change, and what is signed under new ones is refused";
	if (days >= TOO_OLD_ROOTS) findings.problem("roots", age, remedy);
	else if (days >= OLD_ROOTS) findings.warning("roots", age, remedy);
	else if (days >= 0) findings.ok("roots", age);
	if (value("sealgate_next_misconfigured") === 1)
		findings.warning(
			"next policy",
			"POLICY_NEXT cannot be read, so that nothing is compared with it",
			"ask with --admin-secret-file FILE for the reason; it changes nothing for the policy in force",
		);
}
