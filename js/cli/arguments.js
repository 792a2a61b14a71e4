// What was typed, understood whole or not at all.

import { parseArgs } from "node:util";
import { codedError } from "../error.js";

/**
 * @typedef {{ certificateIdentity?: string, certificateIdentityRegexp?: string, certificateOidcIssuer?: string, certificateOidcIssuerRegexp?: string }} Identity
 * @typedef {{ keys: string[], identity: Identity, trustedRoot?: string, provider?: "webcrypto" | "rust" }} Signer
 * @typedef {Signer & { image: string, as?: string, platform?: string, plainHttp: boolean }} Asking
 * @typedef {Asking & { name: "verify" | "verify-attestation", type?: string, policy?: string, json: boolean }} VerifyCommand
 * @typedef {Signer & { name: "verify-blob", file: string, bundle: string, json: boolean }} VerifyBlobCommand
 * @typedef {Asking & { name: "policy init" }} PolicyInitCommand
 */

export const HELP = `sealgate: may this container image run?

  sealgate verify IMAGE --key FILE [--key FILE…]   judge by public keys: one of them must have signed
  sealgate verify IMAGE --certificate-identity ID --certificate-oidc-issuer URL
                                                   judge by who signed (keyless), under Sigstore's public root
  sealgate verify IMAGE --policy FILE              judge by a policy.json and the files it names
  sealgate verify-attestation IMAGE --type TYPE …  an attestation of this type must be there, by key or identity as above
  sealgate verify-blob FILE --bundle FILE …        verify a file and its Sigstore bundle, by key or identity as above
  sealgate policy init IMAGE --key FILE            write a first policy that admits the image to standard output
  sealgate --help, --version

Options:
  --key FILE        a public key in PEM; may be given several times
  --certificate-identity ID, --certificate-oidc-issuer URL
                    the subject of the signer's certificate, and who vouched for it; both are needed
  --certificate-identity-regexp RE, --certificate-oidc-issuer-regexp RE
                    the same as regular expressions, searched for: write ^…$ for a whole match
  --trusted-root F  a trusted_root.json, or public-good, staging or github; with --key it demands the log that it lists
  --type TYPE       a predicate type: a URI, or slsaprovenance1, cyclonedx, spdxjson, vuln, openvex …
  --bundle FILE     the Sigstore bundle of a file
  --policy FILE     a policy.json; files that it names are looked for beside it
  --as NAME         judge under this name (name[:tag|@digest]), for images that are reached under another one
  --platform P      os/arch[/variant]: of an index, judge this image only
  --json            print the report as JSON (report.schema.json in the package describes it)
  --plain-http      speak plain http to any host; without it, to loopback hosts only
  --provider P      who checks signatures: webcrypto (the platform's) or rust (built in)

Credentials are read from $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json or ~/.docker/config.json.

Exit status: 0 allowed · 1 denied · 2 could not find out, or could not understand
`;

const PROVIDERS = ["webcrypto", "rust"];

/** Every option may be collected several times, so that a repeated one can be told from a single one. */
const OPTIONS = /** @type {const} */ ({
  key: { type: "string", multiple: true },
  "certificate-identity": { type: "string", multiple: true },
  "certificate-identity-regexp": { type: "string", multiple: true },
  "certificate-oidc-issuer": { type: "string", multiple: true },
  "certificate-oidc-issuer-regexp": { type: "string", multiple: true },
  "trusted-root": { type: "string", multiple: true },
  type: { type: "string", multiple: true },
  bundle: { type: "string", multiple: true },
  policy: { type: "string", multiple: true },
  as: { type: "string", multiple: true },
  platform: { type: "string", multiple: true },
  provider: { type: "string", multiple: true },
  json: { type: "boolean" },
  "plain-http": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
});

const IDENTITY = ["certificate-identity", "certificate-identity-regexp", "certificate-oidc-issuer", "certificate-oidc-issuer-regexp"];
const SIGNER = ["key", ...IDENTITY, "trusted-root", "provider"];

/** Which options each command takes, besides --help. */
const TAKEN = {
  verify: [...SIGNER, "policy", "as", "platform", "json", "plain-http"],
  "verify-attestation": [...SIGNER, "type", "as", "platform", "json", "plain-http"],
  "verify-blob": [...SIGNER, "bundle", "json"],
  "policy init": ["key", "as", "platform", "provider", "plain-http"],
};

/** @param {string[]} argv @returns {VerifyCommand | VerifyBlobCommand | PolicyInitCommand | { name: "help" } | { name: "version" }} */
export function parseArguments(argv) {
  const { values, positionals } = parse(argv);
  if (values.help || argv.length === 0 || (positionals.length === 1 && positionals[0] === "help")) return { name: "help" };
  if (values.version) return { name: "version" };

  const name = commandName(positionals);
  const subject = theOne(name, positionals.slice(name.split(" ").length));
  for (const option of Object.keys(values)) {
    if (!TAKEN[name].includes(option)) throw wrong(`${name} does not take --${option}`);
  }
  const policy = single("policy", values.policy);
  const signer = readSigner(values, name, policy);
  const json = values.json ?? false;
  if (name === "verify-blob") {
    const bundle = single("bundle", values.bundle);
    if (bundle === undefined) throw wrong("verify-blob needs the bundle that was made for the file: add --bundle FILE");
    return { name, ...signer, file: subject, bundle, json };
  }
  const asking = { ...signer, image: subject, as: single("as", values.as), platform: single("platform", values.platform), plainHttp: values["plain-http"] ?? false };
  if (name === "policy init") {
    if (signer.keys.length !== 1) throw wrong(`policy init needs the one key that the policy shall trust: expected one --key FILE, found ${signer.keys.length}`);
    return { name, ...asking };
  }
  const type = single("type", values.type);
  if (name === "verify-attestation" && type === undefined) throw wrong("verify-attestation needs the type of the attestation: add --type TYPE, for instance slsaprovenance1");
  return { name, ...asking, type, policy, json };
}

/** @param {keyof typeof TAKEN} name @param {string[]} positionals */
function theOne(name, [subject, ...more]) {
  const [what, example] = name === "verify-blob" ? ["a file", "release.tar.gz"] : ["an image", "registry.example.com/team/app:1.0"];
  if (subject === undefined || subject === "") throw wrong(`${name} needs ${what}, for instance ${example}`);
  if (more.length > 0) throw wrong(`${name} takes one ${what.split(" ")[1]}, found also ${more.map(quoted).join(", ")}`);
  return subject;
}

/** @param {ReturnType<typeof parse>["values"]} values @param {string} name @param {string | undefined} policy @returns {Signer} */
function readSigner(values, name, policy) {
  const keys = (values.key ?? []).map((path) => nonEmpty("key", path));
  const provider = single("provider", values.provider);
  if (provider !== undefined && !PROVIDERS.includes(provider)) throw wrong(`--provider: expected ${PROVIDERS.join(" or ")}, found ${quoted(provider)}`);
  const identity = {
    certificateIdentity: single("certificate-identity", values["certificate-identity"]),
    certificateIdentityRegexp: single("certificate-identity-regexp", values["certificate-identity-regexp"]),
    certificateOidcIssuer: single("certificate-oidc-issuer", values["certificate-oidc-issuer"]),
    certificateOidcIssuerRegexp: single("certificate-oidc-issuer-regexp", values["certificate-oidc-issuer-regexp"]),
  };
  const trustedRoot = single("trusted-root", values["trusted-root"]);
  const named = Object.values(identity).some((value) => value !== undefined);
  if (name !== "policy init") {
    if (keys.length > 0 && policy !== undefined) throw wrong("--key and --policy are two ways to say what is trusted: give one of them");
    if (named && policy !== undefined) throw wrong("--certificate-… and --policy are two ways to say what is trusted: give one of them");
    if (trustedRoot !== undefined && policy !== undefined) throw wrong("--trusted-root and --policy: a policy names its trusted roots itself (trustedRootPath)");
    if (keys.length > 0 && named) throw wrong("--key and --certificate-… are two ways to say what is trusted: give one of them");
    if (keys.length === 0 && !named && policy === undefined) {
      throw wrong(`say what is trusted: add --key FILE, --certificate-identity with --certificate-oidc-issuer${name === "verify" ? ", or --policy FILE" : ""}`);
    }
    checkIdentity(identity, named);
  }
  return { keys, identity, trustedRoot, provider: /** @type {"webcrypto" | "rust" | undefined} */ (provider) };
}

/** Each of the two, and once. @param {Identity} identity @param {boolean} named */
function checkIdentity(identity, named) {
  const { certificateIdentity, certificateIdentityRegexp, certificateOidcIssuer, certificateOidcIssuerRegexp } = identity;
  if (certificateIdentity !== undefined && certificateIdentityRegexp !== undefined) throw wrong("give one of --certificate-identity and --certificate-identity-regexp");
  if (certificateOidcIssuer !== undefined && certificateOidcIssuerRegexp !== undefined) throw wrong("give one of --certificate-oidc-issuer and --certificate-oidc-issuer-regexp");
  if (named && (certificateIdentity ?? certificateIdentityRegexp) === undefined) throw wrong("an issuer alone trusts everyone whom it knows: add --certificate-identity");
  if (named && (certificateOidcIssuer ?? certificateOidcIssuerRegexp) === undefined) throw wrong("an identity counts by the word of its issuer: add --certificate-oidc-issuer");
}

/** @param {string[]} argv */
function parse(argv) {
  try {
    return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's own sentence, without its advice on how to spell a positional that begins with a dash.
    throw wrong(/** @type {Error} */ (error).message.split(/\. To |\n/)[0]?.replace(/\.$/, "") ?? "not understood");
  }
}

/** @param {string[]} positionals @returns {keyof typeof TAKEN} */
function commandName([first, second]) {
  if (first === "verify" || first === "verify-attestation" || first === "verify-blob") return first;
  if (first === "policy" && second === "init") return "policy init";
  if (first === "policy") throw wrong(`policy: expected init, found ${second === undefined ? "nothing" : quoted(second)}`);
  const commands = "verify, verify-attestation, verify-blob or policy init";
  throw wrong(first === undefined ? `expected a command: ${commands}` : `expected a command, ${commands}, found ${quoted(first)}`);
}

/** @param {string} option @param {string[] | undefined} values */
function single(option, values) {
  if (values === undefined) return undefined;
  if (values.length > 1) throw wrong(`--${option} was given ${values.length} times: give it once`);
  return nonEmpty(option, values[0]);
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
