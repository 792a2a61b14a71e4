// The one table of commands and options: parsing, help, suggestions and shell completion are made from it.

/**
 * @typedef {object} Option
 * @property {string} [value] what follows it; none: it is a switch
 * @property {string} [short] one letter
 * @property {"file" | "folder" | string[]} [from] what a shell may complete
 * @property {string} text
 *
 * @typedef {object} CommandEntry
 * @property {(keyof typeof OPERANDS)[]} operands in this order
 * @property {(keyof typeof OPERANDS)[]} [optional] those that may be left out, the last ones
 * @property {string} purpose
 * @property {string[]} usage what stands after the command's name, line for line
 * @property {string[]} takes options, beside --help
 * @property {string} [more] what else there is to know
 */

export const PROVIDERS = ["webcrypto", "rust"];
export const FORMATS = ["text", "json", "junit", "sarif"];
export const SHELLS = ["bash", "zsh", "fish"];
export const CLIENTS = ["podman", "containerd", "docker"];

/** @satisfies {Record<string, Option>} */
export const OPTIONS = {
	key: {
		value: "FILE",
		from: "file",
		text: "a public key in PEM; given several times, one of them must have signed",
	},
	"all-keys": { text: "each --key must have signed" },
	"certificate-identity": {
		value: "ID",
		text: "the subject of the signer's certificate: an email address, a workflow's URI",
	},
	"certificate-identity-regexp": {
		value: "RE",
		text: "the same as a regular expression, searched for: write ^…$ for a whole match",
	},
	"certificate-oidc-issuer": {
		value: "URL",
		text: "the issuer that vouched for the identity; both are needed",
	},
	"certificate-oidc-issuer-regexp": {
		value: "RE",
		text: "the same as a regular expression",
	},
	"certificate-claim": {
		value: "NAME=VALUE",
		text: "a further claim of the certificate (sourceRepositoryURI=https://…); may be given several times",
	},
	"trusted-root": {
		value: "ROOT",
		from: "file",
		text: "a trusted_root.json, or public-good, staging or github; with --key it demands the log that it lists",
	},
	annotation: {
		value: "NAME=VALUE",
		short: "a",
		text: "an annotation that the signature must carry (cosign sign -a); given several times, all of them",
	},
	type: {
		value: "TYPE",
		text: "a predicate type: a URI, or slsaprovenance1, cyclonedx, spdxjson, vuln, openvex …",
	},
	bundle: {
		value: "FILE",
		from: "file",
		text: "the Sigstore bundle of the file",
	},
	policy: {
		value: "FILE",
		from: "file",
		text: "a policy.json; files that it names are looked for beside it",
	},
	"registries.d": {
		value: "FOLDER",
		from: "folder",
		text: "the registries.d that is in force beside the policy; without it attachments are looked at everywhere",
	},
	as: {
		value: "NAME",
		text: "judge under this name (name[:tag|@digest]), for images that are reached under another one",
	},
	"any-name": {
		text: "without a policy: let a signature name another image than the one that is asked for (a copy made on purpose)",
	},
	mirror: {
		text: "the image is a mirror's copy of the one that was signed: write the rule for it",
	},
	platform: {
		value: "OS/ARCH",
		text: "os/arch[/variant]: of an index, judge this image only",
	},
	"write-exceptions": {
		value: "FILE",
		from: "file",
		text: "write exceptions that admit for a month what was denied, to be put into the policy; what bears a signature that failed is left out",
	},
	"include-suspicious": {
		text: "write exceptions also for what bears a signature that failed (another key, digest or name)",
	},
	json: {
		text: "print JSON; the same as --format json where there is --format",
	},
	format: {
		value: "FORMAT",
		from: FORMATS,
		text: "text, json, junit (JUnit's XML, for test reports) or sarif (SARIF 2.1.0, for code scanning)",
	},
	quiet: { short: "q", text: "print the verdict line alone" },
	verbose: {
		short: "v",
		text: "print every signature that was found, and each step of its verification",
	},
	realm: {
		value: "URL",
		text: "a token service that gets the registry's credentials, where it is at another host; may be given several times",
	},
	egress: {
		value: "HOST",
		text: "a host[:port] that the registry may redirect to although it is private; behind a proxy, also one whose name only the proxy can look up; may be given several times",
	},
	"plain-http": {
		text: "speak plain http to any host; without it, to loopback hosts only",
	},
	ca: {
		value: "FILE",
		from: "file",
		text: "certificates (PEM) of authorities that are trusted for TLS to registries and to the proxy, beside the usual ones; may be given several times",
	},
	provider: {
		value: "PROVIDER",
		from: PROVIDERS,
		text: "who checks signatures: webcrypto (the platform's) or rust (built in)",
	},
	upstream: {
		value: "URL",
		text: "the registry to stand in front of, http(s)://host[:port]",
	},
	name: {
		value: "NAME",
		text: "the name by which policies and signatures know the registry; its host[:port] without it",
	},
	listen: {
		value: "ADDRESS",
		text: "where clients ask: HOST:PORT, [ADDRESS]:PORT or a PORT of this machine alone; 127.0.0.1:8787 without it",
	},
	"tls-cert": {
		value: "FILE",
		from: "file",
		text: "the gateway's own certificate with its chain (PEM): then it speaks TLS, and HTTP/2 beside HTTP/1.1",
	},
	"tls-key": {
		value: "FILE",
		from: "file",
		text: "the private key of that certificate (PEM)",
	},
	"public-url": {
		value: "URL",
		text: "the address by which clients know this gateway, where something before it ends TLS",
	},
	gateway: {
		value: "URL",
		text: "a gateway whose next policy (POLICY_NEXT) is asked what it would change; each instance knows what it served: may be given several times",
	},
	"admin-secret-file": {
		value: "FILE",
		from: "file",
		text: "a file with the gateway's ADMIN_SECRET; without it $SEALGATE_ADMIN_SECRET",
	},
	client: {
		value: "CLIENT",
		from: CLIENTS,
		text: "look also at how podman (skopeo, buildah, CRI-O), containerd or docker is configured on this machine; may be given several times",
	},
	etc: {
		value: "FOLDER",
		from: "folder",
		text: "where that configuration is, for a node whose files are mounted elsewhere; /etc without it",
	},
	demo: {
		text: "stand in front of the demo registry that the package carries",
	},
	next: {
		value: "FILE",
		from: "file",
		text: "a next policy, which decides nothing: the gateway says what it would change",
	},
	output: {
		value: "FILE",
		from: "file",
		text: "write it there, whole or not at all; to standard output without it",
	},
	help: { short: "h", text: "print help" },
	version: { short: "V", text: "print the version" },
};

const IDENTITY = ["certificate-identity", "certificate-oidc-issuer"];
const EXPRESSIONS = IDENTITY.map((name) => `${name}-regexp`);
const SIGNER = [
	"key",
	...IDENTITY,
	...EXPRESSIONS,
	"certificate-claim",
	"trusted-root",
];
const NETWORK = ["platform", "realm", "egress", "plain-http", "ca", "provider"];
const PRINT = ["json", "quiet", "verbose"];

const NETWORK_TEXT = `Credentials are read from $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json or
~/.docker/config.json.

$HTTPS_PROXY (http://[user:password@]host:port or https://…) is the proxy for https. $NO_PROXY
lists what is asked directly: hosts with the domains below them, .suffixes, addresses, each with
:port or without, networks (10.0.0.0/8), or * for everything. Loopback hosts and plain http are
never asked through a proxy.
A host that a registry names (a redirect, a token service) must have public addresses. It is looked
up here, and the proxy is asked for the address that was checked, not for the name. With --egress
HOST the proxy looks the name up.`;
const NAMES_TEXT = `A signature that names a repository must name the one that is asked for, or that of --as. A bundle
names none.
"Allowed" is what a rule lets pass; "verified" is what a signature or attestation vouches for.`;
const DIR_TEXT = `dir:FOLDER is an image that skopeo or podman wrote into a folder, with its simple signatures
(signature-1 …) beside manifest.json. The policy's scopes of dir are paths with links resolved, and
such an image has no name.`;
const IMAGES_TEXT = `IMAGES has a line for each image, "IMAGE [as NAME]", and comments after #.`;
const STATUS =
	"Exit status: 0 allowed · 1 denied · 2 could not find out, or could not understand";

/** @type {Record<"image" | "gateway" | "blob" | "policy" | "next" | "cases" | "shell" | "bundle", { what: string, example: string, from?: "file" | string[] }>} */
export const OPERANDS = {
	image: {
		what: "image",
		example: "an image, for instance registry.example.com/team/app:1.0",
	},
	blob: {
		what: "file",
		example: "a file, for instance release.tar.gz",
		from: "file",
	},
	policy: {
		what: "file",
		example: "a policy, for instance policy.json",
		from: "file",
	},
	next: {
		what: "file",
		example: "a second policy, for instance policy.next.json",
		from: "file",
	},
	cases: {
		what: "cases",
		example: "a table of cases, for instance cases.txt",
		from: "file",
	},
	bundle: {
		what: "file",
		example: "a bundle, for instance bundle.json of sealgate policy bundle",
		from: "file",
	},
	gateway: {
		what: "gateway",
		example: "a gateway, for instance https://gate.example.com",
	},
	shell: {
		what: "shell",
		example: `a shell: ${SHELLS.join(", ")}`,
		from: SHELLS,
	},
};

/** @satisfies {Record<string, CommandEntry>} */
export const COMMANDS = {
	verify: {
		operands: ["image"],
		purpose: "judge an image by keys, by who signed it, or by a policy",
		usage: [
			"IMAGE --key FILE [--key FILE…]",
			"IMAGE --certificate-identity ID --certificate-oidc-issuer URL",
			"IMAGE --policy FILE",
			"dir:FOLDER --policy FILE",
		],
		takes: [
			...["key", "all-keys", ...SIGNER.slice(1), "annotation", "policy"],
			...["registries.d", "as", "any-name", ...PRINT, ...NETWORK],
		],
		more: `Certificates are judged under Sigstore's public root unless --trusted-root says otherwise.

${NAMES_TEXT}

${DIR_TEXT}

${NETWORK_TEXT}

${STATUS}`,
	},
	"verify-attestation": {
		operands: ["image"],
		purpose: "demand an attestation of a type, by key or by who signed it",
		usage: [
			"IMAGE --type TYPE --key FILE",
			"IMAGE --type TYPE --certificate-identity ID --certificate-oidc-issuer URL",
		],
		takes: [
			"type",
			"key",
			"all-keys",
			...SIGNER.slice(1),
			"as",
			...PRINT,
			...NETWORK,
		],
		more: `${NETWORK_TEXT}

${STATUS}`,
	},
	"verify-blob": {
		operands: ["blob"],
		purpose: "verify the signature of a file",
		usage: [
			"FILE --bundle FILE --key FILE",
			"FILE --bundle FILE --certificate-identity ID --certificate-oidc-issuer URL",
		],
		takes: [...SIGNER, "bundle", ...PRINT, "provider"],
		more: `The file is hashed as it is read. For a signature by an Ed25519 key all of it is held in memory, at
most 256 MiB.

Exit status: 0 verified · 1 not verified · 2 could not understand`,
	},
	"verify-blob-attestation": {
		operands: ["blob"],
		purpose: "verify a statement of a type about a file",
		usage: [
			"FILE --bundle FILE --type TYPE --key FILE",
			"FILE --bundle FILE --type TYPE --certificate-identity ID --certificate-oidc-issuer URL",
		],
		takes: [...SIGNER, "bundle", "type", ...PRINT, "provider"],
		more: "Exit status: 0 verified · 1 not verified · 2 could not understand",
	},
	"policy init": {
		operands: ["image"],
		purpose: "write a first policy that admits an image",
		usage: [
			"IMAGE --key FILE",
			"IMAGE --certificate-identity ID --certificate-oidc-issuer URL",
		],
		takes: [
			"key",
			...IDENTITY,
			"certificate-claim",
			"trusted-root",
			"as",
			"mirror",
			...NETWORK,
		],
		more: `The policy goes to standard output.

${NETWORK_TEXT}

Exit status: 0 written · 2 no policy can be proposed`,
	},
	"policy lint": {
		operands: ["policy"],
		purpose: "say what a policy.json probably does not mean",
		usage: ["FILE"],
		takes: ["registries.d", "json"],
		more: "Exit status: 0 no error · 1 errors · 2 could not understand",
	},
	"policy explain": {
		operands: ["policy", "image"],
		purpose: "say which scope decides for an image, and what it demands",
		usage: ["FILE IMAGE"],
		takes: ["as", "json"],
	},
	"policy test": {
		operands: ["policy", "cases"],
		purpose: "judge a table of images, and compare with what is expected",
		usage: ["FILE CASES"],
		takes: ["registries.d", "json", "format", ...NETWORK],
		more: `CASES has a line for each image, "IMAGE [as NAME] allow|deny [CODE]", and comments after #; or it is
JSON, [{"image": "…", "as": "…", "expect": "allow", "code": "…"}].

${NETWORK_TEXT}

Exit status: 0 all as expected · 1 some differ · 2 could not find out, or could not understand`,
	},
	"policy diff": {
		operands: ["policy", "next"],
		optional: ["policy", "next"],
		purpose: "name the images whose verdict changes with a new policy",
		usage: ["OLD NEW < IMAGES", "--gateway URL [--gateway URL…]"],
		takes: [
			...["registries.d", "gateway", "admin-secret-file", "json"],
			...NETWORK,
		],
		more: `${IMAGES_TEXT}
On a terminal results are given in words, else as a JSON object a line.
With --gateway nothing is judged here: it is asked what its next policy would change of what it
served.

${NETWORK_TEXT}

Exit status: 0 no verdict changes · 1 some do · 2 could not find out, or could not understand`,
	},
	"policy bundle": {
		operands: ["policy"],
		purpose: "make one file of a policy and all that it names, for a gateway",
		usage: ["FILE"],
		takes: ["registries.d", "next", "output"],
		more: `For gateways in workerd and on Cloudflare, which take policy and keys as one value. Nothing is
written where a file is missing, or where a gateway would refuse everything by this policy. Errors
and warnings of the linter are told.

Exit status: 0 written · 2 could not understand`,
	},
	"policy push": {
		operands: ["bundle", "gateway"],
		purpose: "put a bundle in force at a gateway, and see that it is",
		usage: ["FILE URL"],
		takes: ["plain-http", "ca"],
		more: `$POLICY_SECRET is the gateway's secret of this name. The gateway tries the policy; what it cannot
understand changes nothing. Then it is asked for some seconds which policy is in force, until every
answer names this one.

$HTTPS_PROXY and $NO_PROXY count as for every command.

Exit status: 0 in force · 1 the gateway does not take it · 2 could not find out or understand`,
	},
	audit: {
		operands: [],
		purpose: "judge a list of images by a policy",
		usage: ["--policy FILE < IMAGES"],
		takes: [
			"policy",
			"registries.d",
			"write-exceptions",
			"include-suspicious",
			"json",
			"format",
			...NETWORK,
		],
		more: `${IMAGES_TEXT}
Without --format, results are given in words on a terminal, else as a JSON object a line.

${NETWORK_TEXT}

Exit status: 0 all allowed · 1 some denied · 2 could not find out, or could not understand`,
	},
	doctor: {
		operands: ["gateway", "image"],
		optional: ["image"],
		purpose: "ask a gateway, its policy and an image as a node would",
		usage: ["URL [IMAGE]"],
		takes: [
			...["admin-secret-file", "client", "etc", "json"],
			...["realm", "egress", "ca", "provider"],
		],
		more: `A line for each thing that was looked at: ok, warning, problem or unknown, what was found, and
what to do. IMAGE is named as nodes name it (by the gateway's host) or as policies name it. Nothing
is written anywhere: a push is tried in a form that no registry takes.
The policy, what its next one would change and what was refused lately are looked at with the
administrator's secret, which is sent to URL alone, and over https unless URL is on this machine.

${NETWORK_TEXT}

Exit status: 0 no problem · 1 problems · 2 could not find out, or could not understand`,
	},
	serve: {
		operands: [],
		purpose:
			"stand in front of a registry, and let through what a policy allows",
		usage: ["--upstream URL --policy FILE", "--demo"],
		takes: [
			...["upstream", "policy", "registries.d", "name", "listen", "demo"],
			...["tls-cert", "tls-key", "ca", "egress", "public-url"],
		],
		more: `What a flag leaves open is taken from the environment: $UPSTREAM, $POLICY, $REGISTRIES_D, $NAME,
$LISTEN (or $PORT), $TLS_CERT, $TLS_KEY, $EGRESS, $PUBLIC_URL, and as in the worker $CORS_ORIGINS,
$PUBLISH_POLICY, $SECRET, $MAX_REQUESTS, $REQUEST_TIMEOUT_MS. $HTTPS_PROXY and $NO_PROXY
count as for every command.

The policy, the files that it names, the registries.d, the certificate and the authorities are read
again when they change (they are looked at every two seconds) and on SIGHUP. What cannot be read or
understood never replaces what runs.
SIGTERM and SIGINT let what is under way end, for at most 30 seconds; a second one does not wait.
Decisions go to standard output, a JSON object a line; everything else goes to standard error.

Exit status: 0 stopped by a signal · 2 could not start`,
	},
	completion: {
		operands: ["shell"],
		purpose: "print the completion script of a shell",
		usage: ["bash|zsh|fish"],
		takes: [],
		more: `bash: source <(sealgate completion bash)
zsh:  sealgate completion zsh > "\${fpath[1]}/_sealgate"
fish: sealgate completion fish > ~/.config/fish/completions/sealgate.fish`,
	},
};

export const NAMES = /** @type {(keyof typeof COMMANDS)[]} */ (
	Object.keys(COMMANDS)
);

/** @param {string} name @returns {Option | undefined} */
export function optionOf(name) {
	return /** @type {Record<string, Option>} */ (OPTIONS)[name];
}

/** @param {keyof typeof COMMANDS} name @returns {CommandEntry} */
export function entryOf(name) {
	return COMMANDS[name];
}
