// What was typed, understood whole or not at all.

import { parseArgs } from "node:util";
import { codedError } from "../error.js";

/**
 * @typedef {{ certificateIdentity?: string, certificateIdentityRegexp?: string, certificateOidcIssuer?: string, certificateOidcIssuerRegexp?: string, certificateClaims?: Record<string, string> }} Identity
 * @typedef {{ keys: string[], identity: Identity, trustedRoot?: string, provider?: "webcrypto" | "rust" }} Signer
 * @typedef {Signer & { image: string, as?: string, platform?: string, plainHttp: boolean, realms: string[], egress: string[] }} Asking
 * @typedef {Asking & { name: "verify" | "verify-attestation", type?: string, policy?: string, registriesD?: string, anyName: boolean, json: boolean }} VerifyCommand
 * @typedef {Signer & { name: "verify-blob" | "verify-blob-attestation", file: string, bundle: string, type?: string, json: boolean }} VerifyBlobCommand
 * @typedef {Omit<Asking, keyof Signer | "image"> & { provider?: "webcrypto" | "rust" }} How
 * @typedef {How & { name: "policy init", image: string, keys: string[], mirror: boolean }} PolicyInitCommand
 * @typedef {{ name: "policy lint", file: string, registriesD?: string, json: boolean }} PolicyLintCommand
 * @typedef {{ name: "policy explain", file: string, image: string, as?: string, json: boolean }} PolicyExplainCommand
 * @typedef {Omit<How, "as"> & { name: "policy test", file: string, cases: string, registriesD?: string, json: boolean }} PolicyTestCommand
 * @typedef {Omit<How, "as"> & { name: "policy diff", file: string, next: string, registriesD?: string, json: boolean }} PolicyDiffCommand
 * @typedef {Omit<How, "as"> & { name: "audit", policy: string, registriesD?: string, writeExceptions?: string, includeSuspicious: boolean, json: boolean }} AuditCommand
 * @typedef {VerifyCommand | VerifyBlobCommand | PolicyInitCommand | PolicyLintCommand | PolicyExplainCommand | PolicyTestCommand | PolicyDiffCommand | AuditCommand} Command
 */

export const HELP = `sealgate: may this container image run?

  sealgate verify IMAGE --key FILE [--key FILE…]   judge by public keys: one of them must have signed
  sealgate verify IMAGE --certificate-identity ID --certificate-oidc-issuer URL
                                                   judge by who signed (keyless), under Sigstore's public root
  sealgate verify IMAGE --policy FILE              judge by a policy.json and the files it names
  sealgate verify-attestation IMAGE --type TYPE …  an attestation of this type must be there, by key or identity as above
  sealgate verify-blob FILE --bundle FILE …        verify the signature of a file, by key or identity as above
  sealgate verify-blob-attestation FILE --bundle FILE --type TYPE …
                                                   verify a statement of this type about a file
  sealgate policy init IMAGE --key FILE            write a first policy that admits the image to standard output
  sealgate policy lint FILE                        say what a policy.json probably does not mean
  sealgate policy explain FILE IMAGE               say which scope decides for an image, and what it demands
  sealgate policy test FILE CASES                  judge a table of images, and compare with what is expected
  sealgate policy diff OLD NEW < IMAGES            name the images whose verdict changes, and why
  sealgate audit --policy FILE < IMAGES            judge a list of images
  sealgate --help, --version

Options:
  --key FILE        a public key in PEM; may be given several times
  --certificate-identity ID, --certificate-oidc-issuer URL
                    the subject of the signer's certificate, and who vouched for it; both are needed
  --certificate-identity-regexp RE, --certificate-oidc-issuer-regexp RE
                    the same as regular expressions, searched for: write ^…$ for a whole match
  --certificate-claim NAME=VALUE
                    a further claim of the certificate (sourceRepositoryURI=https://…); may be given several times
  --trusted-root F  a trusted_root.json, or public-good, staging or github; with --key it demands the log that it lists
  --type TYPE       a predicate type: a URI, or slsaprovenance1, cyclonedx, spdxjson, vuln, openvex …
  --bundle FILE     the Sigstore bundle of a file
  --policy FILE     a policy.json; files that it names are looked for beside it
  --as NAME         judge under this name (name[:tag|@digest]), for images that are reached under another one
  --any-name        without a policy: let a signature name another image than the one that is asked for (a copy made on purpose)
  --platform P      os/arch[/variant]: of an index, judge this image only
  --json            print JSON (report.schema.json in the package describes the report of verify)
  --write-exceptions F
                    audit: write exceptions that admit what was denied for a month, to be put into the policy;
                    what bears a signature that failed is left out
  --include-suspicious
                    audit --write-exceptions: with what bears a signature that failed (another key, digest or name)
  --mirror          policy init: the image is a mirror's copy of the one that was signed; write the rule for it
  --registries.d D  the folder of registries.d files that is in force beside the policy; without it attachments are looked at everywhere
  --realm URL       a token service that gets the registry's credentials, where it is at another host; may be given several times
  --egress HOST     a host[:port] of a private network that the registry may redirect to; may be given several times
  --plain-http      speak plain http to any host; without it, to loopback hosts only
  --provider P      who checks signatures: webcrypto (the platform's) or rust (built in)

Credentials are read from $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json or ~/.docker/config.json.

CASES has a line for each image, "IMAGE [as NAME] allow|deny [CODE]", and comments after #; or it is JSON,
[{"image": "…", "as": "…", "expect": "allow", "code": "…"}].

IMAGES has a line for each image, "IMAGE [as NAME]". On a terminal results are told in words, else as a JSON object a line.

A signature that names a repository must name the one that is asked for, or that of --as. A bundle names none.
"Allowed" is what a rule lets pass; "verified" is what a signature or attestation vouches for.

Exit status: 0 allowed · 1 denied · 2 could not find out, or could not understand
policy lint: 0 no error · 1 errors    policy test: 0 all as expected · 1 some differ
policy diff: 0 no verdict changes · 1 some do    audit: 0 all allowed · 1 some denied
`;

const PROVIDERS = ["webcrypto", "rust"];

/** Every option may be collected several times, so that a repeated one can be told from a single one. */
const OPTIONS = /** @type {const} */ ({
	key: { type: "string", multiple: true },
	"certificate-identity": { type: "string", multiple: true },
	"certificate-identity-regexp": { type: "string", multiple: true },
	"certificate-oidc-issuer": { type: "string", multiple: true },
	"certificate-oidc-issuer-regexp": { type: "string", multiple: true },
	"certificate-claim": { type: "string", multiple: true },
	"trusted-root": { type: "string", multiple: true },
	type: { type: "string", multiple: true },
	bundle: { type: "string", multiple: true },
	policy: { type: "string", multiple: true },
	as: { type: "string", multiple: true },
	platform: { type: "string", multiple: true },
	provider: { type: "string", multiple: true },
	"write-exceptions": { type: "string", multiple: true },
	"registries.d": { type: "string", multiple: true },
	"any-name": { type: "boolean" },
	"include-suspicious": { type: "boolean" },
	mirror: { type: "boolean" },
	json: { type: "boolean" },
	realm: { type: "string", multiple: true },
	egress: { type: "string", multiple: true },
	"plain-http": { type: "boolean" },
	help: { type: "boolean", short: "h" },
	version: { type: "boolean", short: "V" },
});

const IDENTITY = [
	"certificate-identity",
	"certificate-identity-regexp",
	"certificate-oidc-issuer",
	"certificate-oidc-issuer-regexp",
];
const SIGNER = [
	"key",
	...IDENTITY,
	"certificate-claim",
	"trusted-root",
	"provider",
];

/** What each command is given, in order, and which options it takes, besides --help. */
const COMMANDS = {
	verify: {
		operands: ["image"],
		takes: [
			...SIGNER,
			"policy",
			"registries.d",
			"as",
			"any-name",
			"platform",
			"json",
			"realm",
			"egress",
			"plain-http",
		],
	},
	"verify-attestation": {
		operands: ["image"],
		takes: [
			...SIGNER,
			"type",
			"as",
			"platform",
			"json",
			"realm",
			"egress",
			"plain-http",
		],
	},
	"verify-blob": { operands: ["blob"], takes: [...SIGNER, "bundle", "json"] },
	"verify-blob-attestation": {
		operands: ["blob"],
		takes: [...SIGNER, "bundle", "type", "json"],
	},
	"policy init": {
		operands: ["image"],
		takes: [
			"key",
			"as",
			"mirror",
			"platform",
			"provider",
			"realm",
			"egress",
			"plain-http",
		],
	},
	"policy lint": { operands: ["policy"], takes: ["json", "registries.d"] },
	"policy explain": { operands: ["policy", "image"], takes: ["as", "json"] },
	"policy diff": {
		operands: ["policy", "next"],
		takes: [
			"registries.d",
			"platform",
			"provider",
			"json",
			"realm",
			"egress",
			"plain-http",
		],
	},
	audit: {
		operands: [],
		takes: [
			"policy",
			"registries.d",
			"write-exceptions",
			"include-suspicious",
			"platform",
			"provider",
			"json",
			"realm",
			"egress",
			"plain-http",
		],
	},
	"policy test": {
		operands: ["policy", "cases"],
		takes: [
			"registries.d",
			"platform",
			"provider",
			"json",
			"realm",
			"egress",
			"plain-http",
		],
	},
};
/** @type {Record<string, { what: string, example: string }>} */
const OPERANDS = {
	image: {
		what: "image",
		example: "an image, for instance registry.example.com/team/app:1.0",
	},
	blob: { what: "file", example: "a file, for instance release.tar.gz" },
	policy: { what: "file", example: "a policy, for instance policy.json" },
	next: {
		what: "file",
		example: "a second policy, for instance policy.next.json",
	},
	cases: { what: "cases", example: "a table of cases, for instance cases.txt" },
};

/** @param {string[]} argv @returns {Command | { name: "help" } | { name: "version" }} */
export function parseArguments(argv) {
	const { values, positionals } = parse(argv);
	if (
		values.help ||
		argv.length === 0 ||
		(positionals.length === 1 && positionals[0] === "help")
	)
		return { name: "help" };
	if (values.version) return { name: "version" };

	const name = commandName(positionals);
	const {
		image = "",
		blob = "",
		policy: file = "",
		next = "",
		cases = "",
	} = operandsOf(name, positionals.slice(name.split(" ").length));
	for (const option of Object.keys(values)) {
		if (!COMMANDS[name].takes.includes(option))
			throw wrong(`${name} does not take --${option}`);
	}
	const as = single("as", values.as);
	const json = values.json ?? false;
	const provider = readProvider(values.provider);
	const registriesD = single("registries.d", values["registries.d"]);
	const how = {
		platform: single("platform", values.platform),
		plainHttp: values["plain-http"] ?? false,
		realms: several("realm", values.realm),
		egress: several("egress", values.egress),
		provider,
	};
	switch (name) {
		case "policy lint":
			return { name, file, json, registriesD };
		case "policy explain":
			return { name, file, image, as, json };
		case "policy diff":
			return { name, file, next, registriesD, json, ...how };
		case "audit": {
			const policy = single("policy", values.policy);
			if (policy === undefined)
				throw wrong("audit needs the policy to judge by: add --policy FILE");
			const writeExceptions = single(
				"write-exceptions",
				values["write-exceptions"],
			);
			const includeSuspicious = values["include-suspicious"] ?? false;
			if (includeSuspicious && writeExceptions === undefined)
				throw wrong(
					"--include-suspicious says what exceptions are written: add --write-exceptions FILE",
				);
			return {
				name,
				policy,
				registriesD,
				writeExceptions,
				includeSuspicious,
				json,
				...how,
			};
		}
		case "policy test":
			return { name, file, cases, registriesD, json, ...how };
		case "policy init": {
			const keys = readKeys(values.key);
			if (keys.length !== 1)
				throw wrong(
					`policy init needs the one key that the policy shall trust: expected one --key FILE, found ${keys.length}`,
				);
			return { name, image, as, keys, mirror: values.mirror ?? false, ...how };
		}
		case "verify-blob":
		case "verify-blob-attestation": {
			const signer = readSigner(values, name);
			const bundle = single("bundle", values.bundle);
			const type = single("type", values.type);
			if (bundle === undefined)
				throw wrong(
					`${name} needs the bundle that was made for the file: add --bundle FILE`,
				);
			if (type === undefined && name === "verify-blob-attestation")
				throw wrong(
					"verify-blob-attestation needs the type of the statement: add --type TYPE, for instance slsaprovenance1",
				);
			return { name, ...signer, file: blob, bundle, type, json };
		}
		case "verify": {
			const policy = single("policy", values.policy);
			if (registriesD !== undefined && policy === undefined)
				throw wrong(
					"--registries.d says where the signatures are that a policy demands: add --policy FILE",
				);
			const anyName = values["any-name"] ?? false;
			if (anyName && policy !== undefined)
				throw wrong(
					"--any-name and --policy: a policy says itself which names it takes (signedIdentity)",
				);
			return {
				name,
				...how,
				...readSigner(values, name),
				image,
				as,
				policy,
				registriesD,
				anyName,
				json,
			};
		}
		case "verify-attestation": {
			const signer = readSigner(values, name);
			const type = single("type", values.type);
			if (type === undefined)
				throw wrong(
					"verify-attestation needs the type of the attestation: add --type TYPE, for instance slsaprovenance1",
				);
			return { name, ...how, ...signer, image, as, type, anyName: false, json };
		}
	}
}

/** @param {keyof typeof COMMANDS} name @param {string[]} given @returns {Record<string, string>} */
function operandsOf(name, given) {
	const { operands } = COMMANDS[name];
	const missing = operands.find((_, index) => !given[index]);
	if (missing !== undefined)
		throw wrong(`${name} needs ${OPERANDS[missing]?.example}`);
	const more = given.slice(operands.length);
	if (more.length > 0 && operands.length === 0)
		throw wrong(
			`${name} reads its images from standard input, found also ${more.map(quoted).join(", ")}`,
		);
	if (more.length > 0)
		throw wrong(
			`${name} takes one ${operands.map((operand) => OPERANDS[operand]?.what).join(" and one ")}, found also ${more.map(quoted).join(", ")}`,
		);
	return Object.fromEntries(
		operands.map((operand, index) => [operand, given[index] ?? ""]),
	);
}

/** @param {string[] | undefined} given */
function readKeys(given = []) {
	return given.map((path) => nonEmpty("key", path));
}

/** @param {string[] | undefined} given */
function readProvider(given) {
	const provider = single("provider", given);
	if (provider !== undefined && !PROVIDERS.includes(provider))
		throw wrong(
			`--provider: expected ${PROVIDERS.join(" or ")}, found ${quoted(provider)}`,
		);
	return /** @type {"webcrypto" | "rust" | undefined} */ (provider);
}

/** Who is trusted: keys, identities or, of verify, a policy. @param {ReturnType<typeof parse>["values"]} values @param {string} name @returns {Signer} */
function readSigner(values, name) {
	const keys = readKeys(values.key);
	const policy = single("policy", values.policy);
	const identity = {
		certificateIdentity: single(
			"certificate-identity",
			values["certificate-identity"],
		),
		certificateIdentityRegexp: single(
			"certificate-identity-regexp",
			values["certificate-identity-regexp"],
		),
		certificateOidcIssuer: single(
			"certificate-oidc-issuer",
			values["certificate-oidc-issuer"],
		),
		certificateOidcIssuerRegexp: single(
			"certificate-oidc-issuer-regexp",
			values["certificate-oidc-issuer-regexp"],
		),
	};
	const trustedRoot = single("trusted-root", values["trusted-root"]);
	const named = Object.values(identity).some((value) => value !== undefined);
	const certificateClaims = readClaims(values["certificate-claim"]);
	if (certificateClaims !== undefined && !named)
		throw wrong(
			"--certificate-claim says more about a certificate: add --certificate-identity and --certificate-oidc-issuer",
		);
	if (keys.length > 0 && policy !== undefined)
		throw wrong(
			"--key and --policy are two ways to say what is trusted: give one of them",
		);
	if (named && policy !== undefined)
		throw wrong(
			"--certificate-… and --policy are two ways to say what is trusted: give one of them",
		);
	if (trustedRoot !== undefined && policy !== undefined)
		throw wrong(
			"--trusted-root and --policy: a policy names its trusted roots itself (trustedRootPath)",
		);
	if (keys.length > 0 && named)
		throw wrong(
			"--key and --certificate-… are two ways to say what is trusted: give one of them",
		);
	if (keys.length === 0 && !named && policy === undefined) {
		throw wrong(
			`say what is trusted: add --key FILE, --certificate-identity with --certificate-oidc-issuer${name === "verify" ? ", or --policy FILE" : ""}`,
		);
	}
	checkIdentity(identity, named);
	return {
		keys,
		identity: { ...identity, ...(certificateClaims && { certificateClaims }) },
		trustedRoot,
		provider: readProvider(values.provider),
	};
}

/** @param {string[] | undefined} given @returns {Record<string, string> | undefined} */
function readClaims(given) {
	if (given === undefined) return undefined;
	const claims = given.map((one) => {
		const [, name, value] = /^([^=]+)=(.+)$/s.exec(one) ?? [];
		if (name === undefined || value === undefined)
			throw wrong(
				`--certificate-claim: expected NAME=VALUE, found ${quoted(one)}`,
			);
		return /** @type {[string, string]} */ ([name, value]);
	});
	const twice = claims.find(
		([name], index) => claims.findIndex(([other]) => other === name) !== index,
	);
	if (twice !== undefined)
		throw wrong(
			`--certificate-claim: ${quoted(twice[0])} was given several times: give it once`,
		);
	return Object.fromEntries(claims);
}

/** Each of the two, and once. @param {Identity} identity @param {boolean} named */
function checkIdentity(identity, named) {
	const {
		certificateIdentity,
		certificateIdentityRegexp,
		certificateOidcIssuer,
		certificateOidcIssuerRegexp,
	} = identity;
	if (
		certificateIdentity !== undefined &&
		certificateIdentityRegexp !== undefined
	)
		throw wrong(
			"give one of --certificate-identity and --certificate-identity-regexp",
		);
	if (
		certificateOidcIssuer !== undefined &&
		certificateOidcIssuerRegexp !== undefined
	)
		throw wrong(
			"give one of --certificate-oidc-issuer and --certificate-oidc-issuer-regexp",
		);
	if (named && (certificateIdentity ?? certificateIdentityRegexp) === undefined)
		throw wrong(
			"an issuer alone trusts everyone whom it knows: add --certificate-identity",
		);
	if (
		named &&
		(certificateOidcIssuer ?? certificateOidcIssuerRegexp) === undefined
	)
		throw wrong(
			"an identity counts by the word of its issuer: add --certificate-oidc-issuer",
		);
}

/** @param {string[]} argv */
function parse(argv) {
	try {
		return parseArgs({
			args: argv,
			options: OPTIONS,
			allowPositionals: true,
			strict: true,
		});
	} catch (error) {
		// Node's own sentence, without its advice on how to spell a positional that begins with a dash.
		throw wrong(
			/** @type {Error} */ (error).message
				.split(/\. To |\n/)[0]
				?.replace(/\.$/, "") ?? "not understood",
		);
	}
}

/** @param {string[]} positionals @returns {keyof typeof COMMANDS} */
function commandName([first, second]) {
	const names = /** @type {(keyof typeof COMMANDS)[]} */ (
		Object.keys(COMMANDS)
	);
	const found = names.find(
		(name) => name === first || name === `${first} ${second}`,
	);
	if (found !== undefined) return found;
	const seconds = names
		.filter((name) => name.startsWith("policy "))
		.map((name) => name.slice("policy ".length));
	if (first === "policy")
		throw wrong(
			`policy: expected ${seconds.join(", ")}, found ${second === undefined ? "nothing" : quoted(second)}`,
		);
	throw wrong(
		`expected a command: ${names.join(", ")}${first === undefined ? "" : `; found ${quoted(first)}`}`,
	);
}

/** @param {string} option @param {string[] | undefined} values */
function single(option, values) {
	if (values === undefined) return undefined;
	if (values.length > 1)
		throw wrong(`--${option} was given ${values.length} times: give it once`);
	return nonEmpty(option, values[0]);
}

/** @param {string} option @param {string[] | undefined} values */
function several(option, values = []) {
	return values.map((value) => nonEmpty(option, value));
}

/** @param {string} option @param {string | undefined} value */
function nonEmpty(option, value) {
	if (!value) throw wrong(`--${option} needs a value`);
	return value;
}

/** @param {string} text */
function quoted(text) {
	return JSON.stringify(text);
}

/** @param {string} message */
function wrong(message) {
	return codedError("arguments", `${message}. See sealgate --help`);
}
