// What was typed, understood whole or not at all.

import { parseArgs } from "node:util";
import { codedError } from "../error.js";

/**
 * @typedef {{ image: string, as?: string, platform?: string, plainHttp: boolean, provider?: "webcrypto" | "rust", keys: string[] }} Asking
 * @typedef {Asking & { name: "verify", policy?: string, json: boolean }} VerifyCommand
 * @typedef {Asking & { name: "policy init" }} PolicyInitCommand
 */

export const HELP = `sealgate: may this container image run?

  sealgate verify IMAGE --key FILE [--key FILE…]   judge by public keys: one of them must have signed
  sealgate verify IMAGE --policy FILE              judge by a policy.json and the files it names
  sealgate policy init IMAGE --key FILE            write a first policy that admits the image to standard output
  sealgate --help, --version

Options:
  --key FILE        a public key in PEM; may be given several times
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
  policy: { type: "string", multiple: true },
  as: { type: "string", multiple: true },
  platform: { type: "string", multiple: true },
  provider: { type: "string", multiple: true },
  json: { type: "boolean" },
  "plain-http": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
});

/** Which options each command takes, besides --help. */
const TAKEN = {
  verify: ["key", "policy", "as", "platform", "provider", "json", "plain-http"],
  "policy init": ["key", "as", "platform", "provider", "plain-http"],
};

/** @param {string[]} argv @returns {VerifyCommand | PolicyInitCommand | { name: "help" } | { name: "version" }} */
export function parseArguments(argv) {
  const { values, positionals } = parse(argv);
  if (values.help || argv.length === 0 || (positionals.length === 1 && positionals[0] === "help")) return { name: "help" };
  if (values.version) return { name: "version" };

  const name = commandName(positionals);
  const [image, ...more] = positionals.slice(name.split(" ").length);
  if (image === undefined || image === "") throw wrong(`${name} needs an image, for instance registry.example.com/team/app:1.0`);
  if (more.length > 0) throw wrong(`${name} takes one image, found also ${more.map(quoted).join(", ")}`);
  for (const option of Object.keys(values)) {
    if (!TAKEN[name].includes(option)) throw wrong(`${name} does not take --${option}`);
  }

  const keys = (values.key ?? []).map((path) => nonEmpty("key", path));
  const policy = single("policy", values.policy);
  const provider = single("provider", values.provider);
  if (provider !== undefined && !PROVIDERS.includes(provider)) throw wrong(`--provider: expected ${PROVIDERS.join(" or ")}, found ${quoted(provider)}`);
  const asking = {
    image,
    as: single("as", values.as),
    platform: single("platform", values.platform),
    plainHttp: values["plain-http"] ?? false,
    provider: /** @type {"webcrypto" | "rust" | undefined} */ (provider),
    keys,
  };
  if (name === "policy init") {
    if (keys.length !== 1) throw wrong(`policy init needs the one key that the policy shall trust: expected one --key FILE, found ${keys.length}`);
    return { name, ...asking };
  }
  if (keys.length > 0 && policy !== undefined) throw wrong("--key and --policy are two ways to say what is trusted: give one of them");
  if (keys.length === 0 && policy === undefined) throw wrong("say what is trusted: add --key FILE or --policy FILE");
  return { name, ...asking, policy, json: values.json ?? false };
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
  if (first === "verify") return "verify";
  if (first === "policy" && second === "init") return "policy init";
  if (first === "policy") throw wrong(`policy: expected init, found ${second === undefined ? "nothing" : quoted(second)}`);
  throw wrong(first === undefined ? "expected a command: verify or policy init" : `expected a command, verify or policy init, found ${quoted(first)}`);
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
