// What was typed, understood whole or not at all.

import { parseArgs } from "node:util";
import { codedError } from "../error.js";
import { readIdentity, readPairs } from "./signer.js";
import { nearest } from "./suggest.js";
import {
	CLIENTS,
	COMMANDS,
	FORMATS,
	NAMES,
	OPERANDS,
	OPTIONS,
	PROVIDERS,
	SHELLS,
	entryOf,
	optionOf,
} from "./table.js";

/**
 * @typedef {keyof typeof COMMANDS} Name
 * @typedef {{ certificateIdentity?: string, certificateIdentityRegexp?: string, certificateOidcIssuer?: string, certificateOidcIssuerRegexp?: string, certificateClaims?: Record<string, string> }} Identity
 * @typedef {"short" | "quiet" | "verbose"} Length
 * @typedef {"text" | "json" | "junit" | "sarif"} Format
 * @typedef {{ keys: string[], allKeys: boolean, identity: Identity, annotations?: Record<string, string>, trustedRoot?: string, provider?: "webcrypto" | "rust" }} Signer
 * @typedef {{ platform?: string, plainHttp: boolean, realms: string[], egress: string[], ca: string[], provider?: "webcrypto" | "rust" }} How
 * @typedef {How & Signer & { name: "verify" | "verify-attestation", image: string, as?: string, type?: string, policy?: string, registriesD?: string, anyName: boolean, json: boolean, length: Length }} VerifyCommand
 * @typedef {Signer & { name: "verify-blob" | "verify-blob-attestation", file: string, bundle: string, type?: string, json: boolean, length: Length }} VerifyBlobCommand
 * @typedef {How & Signer & { name: "policy init", image: string, as?: string, mirror: boolean }} PolicyInitCommand
 * @typedef {{ name: "policy lint", file: string, registriesD?: string, json: boolean }} PolicyLintCommand
 * @typedef {{ name: "policy explain", file: string, image: string, as?: string, json: boolean }} PolicyExplainCommand
 * @typedef {How & { name: "policy test", file: string, cases: string, registriesD?: string, format: Format }} PolicyTestCommand
 * @typedef {How & { name: "policy diff", file: string, next: string, registriesD?: string, gateways: string[], adminSecretFile?: string, json: boolean }} PolicyDiffCommand
 * @typedef {How & { name: "doctor", gateway: string, image?: string, adminSecretFile?: string, clients: string[], etc: string, json: boolean }} DoctorCommand
 * @typedef {{ name: "policy bundle", file: string, registriesD?: string, next?: string, output?: string }} PolicyBundleCommand
 * @typedef {{ name: "policy push", file: string, gateway: string, plainHttp: boolean, ca: string[] }} PolicyPushCommand
 * @typedef {How & { name: "audit", policy: string, registriesD?: string, writeExceptions?: string, includeSuspicious: boolean, format?: Format }} AuditCommand
 * @typedef {{ name: "serve", upstream?: string, policy?: string, registriesD?: string, publicUrl?: string, listen?: string, tlsCert?: string, tlsKey?: string, egress: string[], ca: string[], demo: boolean, registry?: string }} ServeCommand
 * @typedef {{ name: "completion", shell: string }} CompletionCommand
 * @typedef {{ name: "help", of?: string } | { name: "version" }} Told
 * @typedef {VerifyCommand | VerifyBlobCommand | PolicyInitCommand | PolicyLintCommand | PolicyExplainCommand | PolicyTestCommand | PolicyDiffCommand | PolicyBundleCommand | PolicyPushCommand | AuditCommand | DoctorCommand | ServeCommand | CompletionCommand} Command
 */

/** Commands that read their images from standard input. */
const READ_IMAGES = ["audit", "policy diff"];

/** What says nothing of an image in a folder. */
const OF_REGISTRIES = [
	"as",
	"registries.d",
	"plain-http",
	"realm",
	"egress",
	"ca",
];

/** @param {string[]} argv @returns {Command | Told} */
export function parseArguments(argv) {
	const { values, positionals } = parse(argv);
	if (values.version === true) return { name: "version" };
	if (values.help === true || argv.length === 0 || positionals[0] === "help")
		return {
			name: "help",
			of: helped(
				positionals[0] === "help" ? positionals.slice(1) : positionals,
			),
		};
	const name = commandName(positionals);
	const operands = operandsOf(name, positionals.slice(name.split(" ").length));
	const given = new Given(name, values);
	checkStandardInput(name, Object.values(operands), given);
	return READERS[name](given, operands);
}

/** Options as they were given, each taken once or as a list. */
export class Given {
	/** @param {Name} name @param {Record<string, unknown>} values */
	constructor(name, values) {
		this.name = name;
		this.values = values;
		const { takes } = entryOf(name);
		for (const option of Object.keys(values)) {
			if (takes.includes(option)) continue;
			const meant = nearest(option, takes);
			throw wrong(
				`${name} does not take --${option}${meant === undefined ? "" : `; did you mean --${meant}?`}`,
				name,
			);
		}
	}

	/** @param {keyof typeof OPTIONS} option @returns {boolean} */
	flag(option) {
		return this.values[option] === true;
	}

	/** @param {keyof typeof OPTIONS} option @returns {string[]} */
	list(option) {
		const values = /** @type {string[]} */ (this.values[option] ?? []);
		if (values.some((value) => value === ""))
			throw this.wrong(`--${option} needs a value`);
		return values;
	}

	/** @param {keyof typeof OPTIONS} option @returns {string | undefined} */
	single(option) {
		const values = this.list(option);
		if (values.length > 1)
			throw this.wrong(
				`--${option} was given ${values.length} times: give it once`,
			);
		return values[0];
	}

	/** @template {string} T @param {keyof typeof OPTIONS} option @param {readonly string[]} known @returns {T | undefined} */
	oneOf(option, known) {
		const value = this.single(option);
		if (value !== undefined && !known.includes(value))
			throw this.wrong(
				`--${option}: expected ${known.join(" or ")}, found ${quoted(value)}`,
			);
		return /** @type {T | undefined} */ (value);
	}

	/** @param {string} message */
	wrong(message) {
		return wrong(message, this.name);
	}
}

/** @type {{ [N in Name]: (given: Given, operands: Record<string, string>) => Command }} */
const READERS = {
	verify: (given, operands) => verify(given, operands),
	"verify-attestation": (given, { image = "" }) => ({
		name: "verify-attestation",
		...how(given),
		...signer(given),
		image,
		as: given.single("as"),
		type: neededType(given, "attestation"),
		anyName: false,
		json: given.flag("json"),
		length: length(given),
	}),
	"verify-blob": (given, { blob = "" }) => verifyBlob(given, blob),
	"verify-blob-attestation": (given, { blob = "" }) => verifyBlob(given, blob),
	"policy init": (given, { image = "" }) => policyInit(given, image),
	"policy lint": (given, { policy: file = "" }) => ({
		name: "policy lint",
		file,
		registriesD: given.single("registries.d"),
		json: given.flag("json"),
	}),
	"policy explain": (given, { policy: file = "", image = "" }) => ({
		name: "policy explain",
		file,
		image,
		as: given.single("as"),
		json: given.flag("json"),
	}),
	"policy test": (given, { policy: file = "", cases = "" }) => ({
		name: "policy test",
		...how(given),
		file,
		cases,
		registriesD: given.single("registries.d"),
		format: format(given) ?? "text",
	}),
	"policy diff": (given, operands) => policyDiff(given, operands),
	doctor: (given, operands) => doctor(given, operands),
	"policy bundle": (given, { policy: file = "" }) => ({
		name: "policy bundle",
		file,
		registriesD: given.single("registries.d"),
		next: given.single("next"),
		output: given.single("output"),
	}),
	"policy push": (given, { bundle: file = "", gateway = "" }) => ({
		name: "policy push",
		file,
		gateway,
		plainHttp: given.flag("plain-http"),
		ca: given.list("ca"),
	}),
	audit: (given) => audit(given),
	serve: (given) => serve(given),
	completion: (given, { shell = "" }) => {
		if (!SHELLS.includes(shell))
			throw given.wrong(
				`completion: expected ${SHELLS.join(", ")}, found ${quoted(shell)}`,
			);
		return { name: "completion", shell };
	},
};

/** @param {Given} given @param {Record<string, string>} operands @returns {VerifyCommand} */
function verify(given, { image = "" }) {
	const policy = given.single("policy");
	const registriesD = given.single("registries.d");
	const anyName = given.flag("any-name");
	if (registriesD !== undefined && policy === undefined)
		throw given.wrong(
			"--registries.d says where the signatures are that a policy demands: add --policy FILE",
		);
	if (anyName && policy !== undefined)
		throw given.wrong(
			"--any-name and --policy: a policy says itself which names it takes (signedIdentity)",
		);
	if (image.startsWith("dir:")) checkDir(given, policy);
	return {
		name: "verify",
		...how(given),
		...signer(given, policy),
		image,
		as: given.single("as"),
		policy,
		registriesD,
		anyName,
		json: given.flag("json"),
		length: length(given),
	};
}

/** An image in a folder has no name, and no registry is asked for it. @param {Given} given @param {string} [policy] */
function checkDir(given, policy) {
	if (policy === undefined)
		throw given.wrong(
			"an image of dir: is judged by its path, which policies alone know: add --policy FILE",
		);
	for (const option of OF_REGISTRIES)
		if (given.values[option] !== undefined)
			throw given.wrong(
				`--${option} is about images in registries: leave it out with dir:`,
			);
}

/** @param {Given} given @param {string} file @returns {VerifyBlobCommand} */
function verifyBlob(given, file) {
	const name = /** @type {"verify-blob" | "verify-blob-attestation"} */ (
		given.name
	);
	const bundle = given.single("bundle");
	if (bundle === undefined)
		throw given.wrong(
			`${name} needs the bundle that was made for the file: add --bundle FILE`,
		);
	const type =
		name === "verify-blob" ? undefined : neededType(given, "statement");
	return {
		name,
		...signer(given),
		file,
		bundle,
		type,
		json: given.flag("json"),
		length: length(given),
	};
}

/** @param {Given} given @param {string} image @returns {PolicyInitCommand} */
function policyInit(given, image) {
	const trusted = signer(given);
	if (trusted.keys.length > 1)
		throw given.wrong(
			`policy init needs the one key that the policy shall trust: expected one --key FILE, found ${trusted.keys.length}`,
		);
	return {
		name: "policy init",
		...how(given),
		...trusted,
		image,
		as: given.single("as"),
		mirror: given.flag("mirror"),
	};
}

/** Two policies, or gateways that have both. @param {Given} given @param {Record<string, string>} operands @returns {PolicyDiffCommand} */
function policyDiff(given, { policy: file = "", next = "" }) {
	const gateways = given.list("gateway").map((url) => origin(given, url));
	const adminSecretFile = given.single("admin-secret-file");
	if (gateways.length > 0 && file !== "")
		throw given.wrong(
			"a gateway has both policies: give --gateway URL, or OLD and NEW",
		);
	if (gateways.length === 0) {
		if (file === "" || next === "")
			throw given.wrong(
				`policy diff needs ${OPERANDS[file === "" ? "policy" : "next"].example}`,
			);
		if (adminSecretFile !== undefined)
			throw given.wrong(
				"--admin-secret-file is for gateways: add --gateway URL",
			);
	}
	return {
		name: "policy diff",
		...how(given),
		file,
		next,
		registriesD: given.single("registries.d"),
		gateways,
		adminSecretFile,
		json: given.flag("json"),
	};
}

/** @param {Given} given @param {Record<string, string>} operands @returns {DoctorCommand} */
function doctor(given, { gateway = "", image = "" }) {
	const etc = given.single("etc");
	const clients = given.list("client");
	const unknown = clients.find((client) => !CLIENTS.includes(client));
	if (unknown !== undefined)
		throw given.wrong(
			`--client: expected ${CLIENTS.join(" or ")}, found ${quoted(unknown)}`,
		);
	if (etc !== undefined && clients.length === 0)
		throw given.wrong(
			"--etc says where a client's configuration is: add --client CLIENT",
		);
	return {
		name: "doctor",
		...how(given),
		gateway: origin(given, gateway),
		image: image === "" ? undefined : image,
		adminSecretFile: given.single("admin-secret-file"),
		clients: [...new Set(clients)],
		etc: etc ?? "/etc",
		json: given.flag("json"),
	};
}

/** Of a gateway, which answers at the root of its host. @param {Given} given @param {string} text */
function origin(given, text) {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	const isOrigin =
		url !== undefined &&
		/^https?:$/.test(url.protocol) &&
		url.href === `${url.origin}/`;
	if (!isOrigin)
		throw given.wrong(
			`expected the gateway's address, http(s)://host[:port], found ${quoted(text)}`,
		);
	return url.origin;
}

/** @param {Given} given @returns {AuditCommand} */
function audit(given) {
	const policy = given.single("policy");
	if (policy === undefined)
		throw given.wrong("audit needs the policy to judge by: add --policy FILE");
	const writeExceptions = given.single("write-exceptions");
	const includeSuspicious = given.flag("include-suspicious");
	if (includeSuspicious && writeExceptions === undefined)
		throw given.wrong(
			"--include-suspicious says what exceptions are written: add --write-exceptions FILE",
		);
	return {
		name: "audit",
		...how(given),
		policy,
		registriesD: given.single("registries.d"),
		writeExceptions,
		includeSuspicious,
		format: format(given),
	};
}

/** @param {Given} given @returns {ServeCommand} */
function serve(given) {
	const upstream = given.single("upstream");
	const demo = given.flag("demo");
	if (demo && upstream !== undefined)
		throw given.wrong(
			"--demo and --upstream are two registries to stand in front of: give one of them",
		);
	return {
		name: "serve",
		upstream,
		demo,
		policy: given.single("policy"),
		registriesD: given.single("registries.d"),
		registry: given.single("name"),
		listen: given.single("listen"),
		publicUrl: given.single("public-url"),
		tlsCert: given.single("tls-cert"),
		tlsKey: given.single("tls-key"),
		egress: given.list("egress"),
		ca: given.list("ca"),
	};
}

/** How a registry is asked. @param {Given} given @returns {How} */
function how(given) {
	return {
		platform: given.single("platform"),
		plainHttp: given.flag("plain-http"),
		realms: given.list("realm"),
		egress: given.list("egress"),
		ca: given.list("ca"),
		provider: given.oneOf("provider", PROVIDERS),
	};
}

/** Who is trusted: keys, an identity or, of verify, a policy. @param {Given} given @param {string} [policy] @returns {Signer} */
function signer(given, policy) {
	const keys = given.list("key");
	const identity = readIdentity(given, policy);
	const trustedRoot = given.single("trusted-root");
	const annotations = readPairs(given, "annotation");
	const allKeys = given.flag("all-keys");
	const named = Object.keys(identity).length > 0;
	const twoWays = (/** @type {string} */ one, /** @type {string} */ other) =>
		given.wrong(
			`${one} and ${other} are two ways to say what is trusted: give one of them`,
		);
	if (keys.length > 0 && policy !== undefined)
		throw twoWays("--key", "--policy");
	if (keys.length > 0 && named) throw twoWays("--key", "--certificate-…");
	for (const [option, value] of /** @type {const} */ ([
		["trusted-root", trustedRoot],
		["annotation", annotations],
	]))
		if (value !== undefined && policy !== undefined)
			throw given.wrong(
				`--${option} and --policy: a policy says itself what it demands`,
			);
	if (allKeys && keys.length === 0)
		throw given.wrong(
			"--all-keys says that each key must have signed: add --key FILE",
		);
	if (keys.length === 0 && !named && policy === undefined)
		throw given.wrong(
			`say what is trusted: add --key FILE, --certificate-identity with --certificate-oidc-issuer${given.name === "verify" ? ", or --policy FILE" : ""}`,
		);
	return {
		keys,
		allKeys,
		identity,
		annotations,
		trustedRoot,
		provider: given.oneOf("provider", PROVIDERS),
	};
}

/** @param {Given} given @param {string} of */
function neededType(given, of) {
	const type = given.single("type");
	if (type === undefined)
		throw given.wrong(
			`${given.name} needs the type of the ${of}: add --type TYPE, for instance slsaprovenance1`,
		);
	return type;
}

/** @param {Given} given @returns {Length} */
function length(given) {
	const quiet = given.flag("quiet");
	if (quiet && given.flag("verbose"))
		throw given.wrong("-q and -v are opposites: give one of them");
	if (quiet) return "quiet";
	return given.flag("verbose") ? "verbose" : "short";
}

/** @param {Given} given @returns {Format | undefined} */
function format(given) {
	/** @type {Format | undefined} */
	const asked = given.oneOf("format", FORMATS);
	if (!given.flag("json")) return asked;
	if (asked !== undefined && asked !== "json")
		throw given.wrong(`--json and --format ${asked}: give one of them`);
	return "json";
}

/** It can be read once only. @param {Name} name @param {string[]} operands @param {Given} given */
function checkStandardInput(name, operands, given) {
	const files = Object.entries(given.values)
		.filter(([option]) => optionOf(option)?.from === "file")
		.filter(([option]) => !["write-exceptions", "output"].includes(option))
		.flatMap(([, values]) => /** @type {string[]} */ (values));
	const uses = [...operands, ...files].filter((file) => file === "-").length;
	const readsImages =
		READ_IMAGES.includes(name) && given.values.gateway === undefined;
	if (readsImages && uses > 0)
		throw given.wrong(
			`${name} reads its images from standard input: a file cannot be - here`,
		);
	if (name === "serve" && uses > 0)
		throw given.wrong(
			"serve reads its files again when they change: a file cannot be - here",
		);
	if (uses > 1)
		throw given.wrong(
			"standard input can be read once: give - for one file only",
		);
}

/** @param {Name} name @param {string[]} given @returns {Record<string, string>} */
function operandsOf(name, given) {
	const { operands, optional = [] } = entryOf(name);
	const missing = operands.find(
		(operand, index) => !given[index] && !optional.includes(operand),
	);
	if (missing !== undefined)
		throw wrong(`${name} needs ${OPERANDS[missing].example}`, name);
	const more = given.slice(operands.length);
	if (more.length > 0 && operands.length === 0)
		throw wrong(
			`${name} reads its images from standard input, found also ${more.map(quoted).join(", ")}`,
			name,
		);
	if (more.length > 0)
		throw wrong(
			`${name} takes one ${operands.map((operand) => OPERANDS[operand].what).join(" and one ")}, found also ${more.map(quoted).join(", ")}`,
			name,
		);
	return Object.fromEntries(
		operands.map((operand, index) => [operand, given[index] ?? ""]),
	);
}

/** @param {string[]} argv @returns {{ values: Record<string, unknown>, positionals: string[] }} */
function parse(argv) {
	const options = Object.fromEntries(
		Object.keys(OPTIONS).map((name) => {
			const { short, value } = optionOf(name) ?? {};
			const letter = short === undefined ? {} : { short };
			return value === undefined
				? [name, { type: /** @type {const} */ ("boolean"), ...letter }]
				: [
						name,
						{
							type: /** @type {const} */ ("string"),
							multiple: true,
							...letter,
						},
					];
		}),
	);
	try {
		return parseArgs({ args: argv, options, allowPositionals: true });
	} catch (error) {
		const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
		const { positionals } = parseArgs({
			args: argv,
			options,
			allowPositionals: true,
			strict: false,
		});
		const name = known(positionals);
		const unknown = /^Unknown option '-{1,2}([^']+)'/.exec(message)?.[1];
		const meant =
			code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION" || unknown === undefined
				? undefined
				: nearest(unknown, name ? entryOf(name).takes : Object.keys(OPTIONS));
		// Node's own sentence, without its advice on how to spell a positional that begins with a dash.
		const sentence = message.split(/\. To |\n/)[0]?.replace(/\.$/, "");
		throw wrong(
			`${sentence ?? "not understood"}${meant === undefined ? "" : `; did you mean --${meant}?`}`,
			name,
		);
	}
}

/** @param {string[]} positionals @returns {Name | undefined} */
function known([first, second]) {
	return NAMES.find((name) => name === first || name === `${first} ${second}`);
}

/** @param {string[]} positionals @returns {Name} */
function commandName([first, second]) {
	const found = known([first ?? "", second ?? ""]);
	if (found !== undefined) return found;
	const seconds = NAMES.filter((name) => name.startsWith("policy ")).map(
		(name) => name.slice("policy ".length),
	);
	if (first === "policy")
		throw wrong(
			`policy: expected ${seconds.join(", ")}, found ${second === undefined ? "nothing" : quoted(second)}${meantOf(second, seconds)}`,
		);
	throw wrong(
		`expected a command: ${NAMES.join(", ")}${first === undefined ? "" : `; found ${quoted(first)}`}${meantOf(first, [...NAMES, "policy", "help"])}`,
	);
}

/** @param {string | undefined} typed @param {string[]} words */
function meantOf(typed, words) {
	const meant = typed === undefined ? undefined : nearest(typed, words);
	return meant === undefined ? "" : `; did you mean ${meant}?`;
}

/** What help is asked for. @param {string[]} positionals */
function helped(positionals) {
	if (positionals.length === 0) return undefined;
	if (positionals[0] === "policy" && positionals.length === 1) return "policy";
	return positionals[0] === "help" ? undefined : commandName(positionals);
}

/** @param {string} text */
export function quoted(text) {
	return JSON.stringify(text);
}

/** @param {string} message @param {Name} [name] */
function wrong(message, name) {
	return codedError(
		"arguments",
		`${message}${message.endsWith("?") ? "" : "."} See sealgate ${name === undefined ? "--help" : `help ${name}`}`,
	);
}
