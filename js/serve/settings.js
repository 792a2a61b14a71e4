// What `sealgate serve` is to do: flags, and what they leave open from the environment, by the names that the worker's settings have.

import { join } from "node:path";
import { TEXTS } from "../config.js";
import { DEMO_UPSTREAM } from "../demo.js";
import { codedError } from "../error.js";
import { HERE } from "../here.js";

/** @typedef {import("../config.js").Settings} Settings */
/** @typedef {{ host: string, port: number }} Address */
/** @typedef {{ cert: string, key: string }} Certificate files */
/** @typedef {{ listen: Address, tls?: Certificate, ca: string[], policy: string, policyNext?: string, registriesD?: string, demo: boolean, texts: Settings & { UPSTREAM: string, NAME: string } }} Serving */

/** The embedded demo, in the package. */
const DEMO = {
	upstream: DEMO_UPSTREAM,
	name: "demo.example",
	folder: join(HERE, "demo"),
};
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = "8787";

export const demoFolder = DEMO.folder;

/** @param {import("../cli/arguments.js").ServeCommand} command @param {Record<string, string | undefined>} environment @returns {Serving} */
export function readSettings(command, environment) {
	const { demo, ca } = command;
	const texts = /** @type {Settings} */ (
		Object.fromEntries(
			TEXTS.flatMap((name) =>
				environment[name] ? [[name, environment[name]]] : [],
			),
		)
	);
	if (command.egress.length > 0) texts.EGRESS = command.egress.join(",");
	if (command.publicUrl !== undefined) texts.PUBLIC_URL = command.publicUrl;
	const registriesD =
		command.registriesD ?? (environment.REGISTRIES_D || undefined);
	const policy = command.policy ?? (environment.POLICY || undefined);
	const policyNext = environment.POLICY_NEXT || undefined;
	const upstream = command.upstream ?? (environment.UPSTREAM || undefined);
	const name = command.registry ?? (environment.NAME || undefined);
	const listen = listenAddress(command, environment);
	const tls = certificate(command, environment);
	if (demo)
		return {
			listen,
			tls,
			ca,
			demo,
			policy: policy ?? `${DEMO.folder}/policy.json`,
			...(policyNext !== undefined && { policyNext }),
			registriesD: registriesD ?? `${DEMO.folder}/registries.d`,
			texts: { ...texts, UPSTREAM: DEMO.upstream, NAME: name ?? DEMO.name },
		};
	const { NAME, UPSTREAM } = fronted(upstream, name, texts);
	if (policy === undefined) throw noPolicy();
	return {
		listen,
		tls,
		ca,
		demo,
		policy,
		...(policyNext !== undefined && { policyNext }),
		...(registriesD !== undefined && { registriesD }),
		texts: { ...texts, UPSTREAM, NAME },
	};
}

/** What is told as wrong where both are there is the gateway's to say. @param {string | undefined} upstream @param {string | undefined} name @param {Settings} texts */
function fronted(upstream, name, { REGISTRIES }) {
	if (REGISTRIES !== undefined)
		return { UPSTREAM: upstream ?? "", NAME: name ?? "" };
	if (upstream === undefined) throw nothingToServe();
	return { UPSTREAM: upstream, NAME: name ?? hostOf(upstream) };
}

function nothingToServe() {
	return wrong(
		"serve: expected a registry to stand in front of, found none: add --upstream URL (or $REGISTRIES, for several) and --policy FILE, or --demo for the embedded demo",
	);
}

function noPolicy() {
	return wrong(
		`serve: expected the policy that decides what the registry may serve, found none: add --policy FILE (sealgate policy init IMAGE --key cosign.pub writes a first one)`,
	);
}

/** The name of a registry that was given none. @param {string} upstream */
function hostOf(upstream) {
	const { host = "", protocol = "" } = URL.canParse(upstream)
		? new URL(upstream)
		: {};
	if (host !== "" && (protocol === "http:" || protocol === "https:"))
		return host;
	throw wrong(
		`--upstream: expected the registry's address with its scheme, for instance https://registry.example.com, found ${JSON.stringify(upstream)}`,
	);
}

/** @param {import("../cli/arguments.js").ServeCommand} command @param {Record<string, string | undefined>} environment @returns {Address} */
function listenAddress(command, { LISTEN, PORT }) {
	if (command.listen !== undefined)
		return parseAddress("--listen", command.listen);
	if (LISTEN) return parseAddress("$LISTEN", LISTEN);
	return parseAddress("$PORT", PORT || DEFAULT_PORT);
}

/** `host:port`, `[address]:port`, or a port of this machine alone. @param {string} from @param {string} text @returns {Address} */
export function parseAddress(from, text) {
	const [, bracketed, plain, digits] =
		/^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/@\s]+)):)?(\d{1,5})$/.exec(text) ?? [];
	const port = Number(digits);
	if (digits === undefined || port > 65_535)
		throw wrong(
			`${from}: expected HOST:PORT, [ADDRESS]:PORT or PORT, for instance 127.0.0.1:8787 or [::1]:8787, found ${JSON.stringify(text)}`,
		);
	return { host: bracketed ?? plain ?? DEFAULT_HOST, port };
}

/** @param {import("../cli/arguments.js").ServeCommand} command @param {Record<string, string | undefined>} environment @returns {Certificate | undefined} */
function certificate(command, { TLS_CERT, TLS_KEY }) {
	const cert = command.tlsCert ?? (TLS_CERT || undefined);
	const key = command.tlsKey ?? (TLS_KEY || undefined);
	if (cert === undefined && key === undefined) return undefined;
	if (cert !== undefined && key !== undefined) return { cert, key };
	throw wrong(
		`--tls-cert and --tls-key belong together: add --tls-${cert === undefined ? "cert" : "key"} FILE`,
	);
}

/** @param {string} message */
function wrong(message) {
	return codedError("arguments", `${message}. See sealgate help serve`);
}
