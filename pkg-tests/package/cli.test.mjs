// The package's own command, against a registry on loopback that holds the demo images.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { startRegistry } from "./registry.mjs";
import { consumerProject, demo as readDemo, need, root } from "./support.mjs";

/** @type {string} */
let project;
/** @type {ReturnType<typeof readDemo>} */
let demo;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry;

before(async () => {
  demo = readDemo();
  project = consumerProject();
  for (const file of ["policy.json", "bundle.pub", "cosign.pub", "trusted_root.json"]) copyFileSync(need(join(root, "fixtures/demo", file), "run `make fixtures`"), join(project, file));
  registry = await startRegistry(demo);
});

/** Runs the command; the environment holds nothing of the machine's own credentials. @param {string[]} args @param {Record<string, string>} [environment] */
function sealgate(args, environment = {}) {
  const env = { PATH: process.env.PATH, HOME: project, ...environment };
  const child = spawn(join(project, "node_modules/.bin/sealgate"), args, { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  return new Promise((resolve, reject) => child.on("error", reject).on("close", (status) => resolve({ status, stdout, stderr })));
}

const image = (name, host = registry.host) => `${host}/demo/${name}:1.0`;
const as = (name) => ["--as", `demo.example/demo/${name}:1.0`];
const byPolicy = ["--policy", "policy.json"];
const byKey = ["--key", "cosign.pub"];

test("exit statuses by policy, under the name that the policy knows", async () => {
  const expected = { signed: 0, bundle: 0, multi: 0, keyless: 0, attested: 0, unsigned: 1, "wrong-key": 1, tampered: 1, copied: 1, "other-digest": 1, absent: 2 };
  const found = {};
  for (const name of Object.keys(expected)) found[name] = (await sealgate(["verify", image(name), ...byPolicy, ...as(name)])).status;
  assert.deepEqual(found, expected);
});

test("exit statuses by key", async () => {
  const expected = { signed: 0, bundle: 1, unsigned: 1, "wrong-key": 1 };
  const found = {};
  for (const name of Object.keys(expected)) found[name] = (await sealgate(["verify", image(name), ...byKey])).status;
  assert.deepEqual(found, expected);
  assert.equal((await sealgate(["verify", image("bundle"), "--key", "bundle.pub"])).status, 0);
});

test("both providers", async () => {
  for (const provider of ["rust", "webcrypto"]) {
    assert.equal((await sealgate(["verify", image("signed"), ...byKey, "--provider", provider])).status, 0, provider);
    assert.equal((await sealgate(["verify", image("wrong-key"), ...byKey, "--provider", provider])).status, 1, provider);
  }
});

test("people read the verdict first, in words, and no colour without a terminal", async () => {
  const allowed = await sealgate(["verify", image("signed"), ...byKey]);
  assert.match(allowed.stdout, new RegExp(`^✔ allowed: ${image("signed")}\n`));
  assert.match(allowed.stdout, /sha256:[0-9a-f]{64}/);
  assert.match(allowed.stdout, /transparency log: not required/i);
  assert.match(allowed.stdout, /\n {2}cosign verify .*--insecure-ignore-tlog/);
  const denied = await sealgate(["verify", image("unsigned"), ...byKey]);
  assert.match(denied.stdout, /^✘ denied: /);
  const unknown = await sealgate(["verify", image("absent"), ...byKey]);
  assert.match(unknown.stdout, /^\? could not find out: /);
  assert.match(unknown.stderr, /^sealgate: [a-z0-9.-]+: /);
  for (const { stdout, stderr } of [allowed, denied, unknown]) assert.doesNotMatch(stdout + stderr, /\u001b/);
});

test("--json prints the report and nothing else", async () => {
  for (const [name, verdict] of [["signed", "allow"], ["unsigned", "deny"], ["absent", "unknown"]]) {
    const report = JSON.parse((await sealgate(["verify", image(name), ...byKey, "--json"])).stdout);
    assert.deepEqual([report.version, report.verdict, report.image.reference], [1, verdict, image(name)]);
  }
});

test("a policy that does not fit the name says so, and --as mends it", async () => {
  assert.equal((await sealgate(["verify", image("signed"), ...byPolicy])).status, 1);
  assert.equal((await sealgate(["verify", image("signed"), ...byPolicy, ...as("signed")])).status, 0);
});

test("a registries.d says where signatures are", async () => {
  const folder = (name, text) => {
    mkdirSync(join(project, name), { recursive: true });
    writeFileSync(join(project, name, "a.yaml"), text);
    return ["--registries.d", name];
  };
  const codes = async (...more) => {
    const found = {};
    for (const name of ["signed", "keyless"]) found[name] = JSON.parse((await sealgate(["verify", image(name), ...byPolicy, ...as(name), "--json", ...more])).stdout).code;
    return found;
  };
  const accepted = { signed: "signature.accepted", keyless: "signature.accepted" };
  assert.deepEqual(await codes(), accepted);
  assert.deepEqual(await codes(...folder("on.d", "default-docker:\n  use-sigstore-attachments: true\n")), accepted);
  // As podman has it: what is not switched on is off, and most specific scopes count.
  assert.deepEqual(await codes(...folder("off.d", "default-docker:\n  lookaside: https://x.example\n")), { signed: "signature.missing", keyless: "signature.missing" });
  assert.deepEqual(await codes(...folder("one.d", "docker:\n  demo.example/demo/signed:\n    use-sigstore-attachments: true\n")), { signed: "signature.accepted", keyless: "signature.missing" });
  const noted = await sealgate(["verify", image("signed"), ...byPolicy, ...as("signed"), "--registries.d", "off.d"]);
  assert.match(noted.stdout, /use-sigstore-attachments is off/);
  for (const [args, expected] of [[["--registries.d", "nowhere.d"], /registries-d\.unreadable/], [folder("broken.d", "docker: [\n"), /registries-d\./]]) {
    const { status, stderr } = await sealgate(["verify", image("signed"), ...byPolicy, ...args]);
    assert.equal(status, 2);
    assert.match(stderr, expected);
  }
  assert.match((await sealgate(["verify", image("signed"), ...byKey, "--registries.d", "on.d"])).stderr, /--policy FILE/);
});

test("policy init writes a policy that admits the image", async () => {
  const { status, stdout, stderr } = await sealgate(["policy", "init", image("signed"), ...byKey, ...as("signed")]);
  assert.equal(status, 0, stderr);
  JSON.parse(stdout);
  writeFileSync(join(project, "first.json"), stdout);
  const admitted = await sealgate(["verify", image("signed"), "--policy", "first.json", ...as("signed")]);
  assert.equal(admitted.status, 0, admitted.stdout);
  assert.equal((await sealgate(["verify", image("unsigned"), "--policy", "first.json", ...as("unsigned")])).status, 1);
});

test("what was typed wrongly ends with 2 and says what to do, before anything is fetched", async () => {
  const before = registry.asked.length;
  const here = image("signed");
  const wrong = {
    "verify": /needs an image/,
    [`verify ${here}`]: /--key FILE, --certificate-identity with --certificate-oidc-issuer, or --policy FILE/,
    [`verify ${here} --key`]: /--key.*argument missing/,
    [`verify ${here} --key --json`]: /--key/,
    [`verify ${here} --key=`]: /--key needs a value/,
    [`verify ${here} --key cosign.pub --policy policy.json`]: /give one of them/,
    [`verify ${here} ${here} --key cosign.pub`]: /one image/,
    [`verify ${here} --key cosign.pub --insecure`]: /'--insecure'/,
    [`verify ${here} --key cosign.pub --json=yes`]: /--json/,
    [`verify ${here} --policy policy.json --policy policy.json`]: /2 times/,
    [`verify ${here} --key cosign.pub --provider openssl`]: /webcrypto or rust/,
    [`verify ${here} --key nowhere.pub`]: /key\.unreadable.*nowhere\.pub/,
    [`verify ${here} --key policy.json`]: /^sealgate: (key|pem)\./,
    [`verify ${here} --policy nowhere.json`]: /policy\.unreadable.*nowhere\.json/,
    [`verify ${here} --policy cosign.pub`]: /^sealgate: (policy|json)\./,
    [`verify docker.io/UPPER/case --key cosign.pub`]: /^sealgate: reference\./,
    [`policy init ${here}`]: /--key FILE/,
    [`policy init ${here} --policy policy.json`]: /does not take --policy/,
    "policy": /expected init/,
    "sign": /expected a command/,
  };
  for (const [line, expected] of Object.entries(wrong)) {
    const { status, stdout, stderr } = await sealgate(line.split(" "));
    assert.deepEqual([line, status, stdout], [line, 2, ""]);
    assert.match(stderr, expected, line);
  }
  assert.equal(registry.asked.length, before);
});

test("a key file that the policy names is looked for beside it, and missed before anything is fetched", async () => {
  const before = registry.asked.length;
  const elsewhere = join(project, "elsewhere");
  mkdirSync(elsewhere);
  for (const file of ["policy.json", "bundle.pub", "trusted_root.json"]) copyFileSync(join(project, file), join(elsewhere, file));
  const missing = await sealgate(["verify", image("signed"), "--policy", "elsewhere/policy.json", ...as("signed")]);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /asset\.unreadable.*elsewhere\/policy\.json names cosign\.pub.*nothing was fetched/);
  assert.equal(registry.asked.length, before);
  copyFileSync(join(project, "cosign.pub"), join(elsewhere, "cosign.pub"));
  assert.equal((await sealgate(["verify", image("signed"), "--policy", "elsewhere/policy.json", ...as("signed")])).status, 0);
});

test("plain http is spoken to loopback hosts only, unless --plain-http says so", async () => {
  // An address of this machine that is not a loopback one by its name.
  const other = `0.0.0.0:${registry.port}`;
  const before = registry.asked.length;
  const secure = await sealgate(["verify", image("signed", other), ...byKey]);
  assert.equal(secure.status, 2, secure.stdout);
  assert.equal(registry.asked.length, before, "no request in plain http");
  assert.equal((await sealgate(["verify", image("signed", other), ...byKey, "--plain-http"])).status, 0);
  assert.equal((await sealgate(["verify", image("signed", `127.0.0.1:${registry.port}`), ...byKey])).status, 0);
});

test("a gateway's refusal is looked into, and the own verdict counts", async () => {
  const gateway = await startRegistry(demo, { refuse: ["signed", "unsigned"], basic: "user:secret" });
  const auth = join(project, "gateway.json");
  writeFileSync(auth, JSON.stringify({ auths: { [gateway.host]: { auth: btoa("user:secret") } } }));
  const look = (name, ...more) => sealgate(["verify", image(name, gateway.host), ...byPolicy, ...more], { REGISTRY_AUTH_FILE: auth });
  assert.equal((await look("signed", ...as("signed"))).status, 0);
  assert.equal((await look("unsigned", ...as("unsigned"))).status, 1);
  const unnamed = await look("signed");
  assert.equal(unnamed.status, 1);
  assert.match(unnamed.stdout, /the gateway says that it knows the image as demo\.example\/demo\/signed:1\.0; that is its claim/);
  assert.match(gateway.asked.join("\n"), /GET \/api\/evidence\/demo\/signed\?ref=1\.0/);
});

test("a gateway whose evidence is not to be had is 'could not find out'", async () => {
  const gateway = await startRegistry(demo, { refuse: ["signed"], withheld: true });
  const { status, stdout } = await sealgate(["verify", image("signed", gateway.host), ...byKey]);
  assert.equal(status, 2);
  assert.match(stdout, /^\? could not find out/);
  assert.match(stdout, /evidence could not be used: .*found status 404/);
});

for (const way of ["basic", "bearer"]) {
  test(`credentials are found where podman and docker keep them (${way})`, async () => {
    const closed = await startRegistry(demo, { [way]: "user:pass:word" });
    const auth = btoa("user:pass:word");
    const wrong = btoa("user:wrong");
    const verify = (environment) => sealgate(["verify", image("signed", closed.host), ...byKey], environment).then(({ status }) => status);
    assert.equal(await verify({}), 2, "without any");

    const file = (path, content) => {
      mkdirSync(join(project, way, path, ".."), { recursive: true });
      writeFileSync(join(project, way, path), JSON.stringify(content));
      return join(project, way, path);
    };
    const REGISTRY_AUTH_FILE = (content) => ({ REGISTRY_AUTH_FILE: file("auth.json", content) });
    assert.equal(await verify(REGISTRY_AUTH_FILE({ auths: { [closed.host]: { auth } } })), 0);
    assert.equal(await verify(REGISTRY_AUTH_FILE({ auths: { [closed.host]: { auth: wrong } } })), 2);
    assert.equal(await verify(REGISTRY_AUTH_FILE({ auths: { "other.example": { auth } } })), 2, "of another registry");
    const specific = { [closed.host]: { auth: wrong }, [`${closed.host}/demo`]: { auth: wrong }, [`${closed.host}/demo/signed`]: { auth } };
    assert.equal(await verify(REGISTRY_AUTH_FILE({ auths: specific })), 0, "the most specific first");
    assert.equal(await verify(REGISTRY_AUTH_FILE({ auths: { [`http://${closed.host}/v1/`]: { auth } } })), 0, "as older dockers write it");

    file("run/containers/auth.json", { auths: { [closed.host]: { auth } } });
    assert.equal(await verify({ XDG_RUNTIME_DIR: join(project, way, "run") }), 0, "podman's");
    file("home/.docker/config.json", { auths: { [closed.host]: { auth } } });
    assert.equal(await verify({ HOME: join(project, way, "home") }), 0, "docker's");

    const helper = file("bin/docker-credential-test", {});
    writeFileSync(helper, `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${closed.host}" ] || { echo "credentials not found in native keychain"; exit 1; }\necho '{"ServerURL":"x","Username":"user","Secret":"pass:word"}'\n`);
    chmodSync(helper, 0o755);
    const PATH = `${join(project, way, "bin")}:${process.env.PATH}`;
    assert.equal(await verify({ PATH, ...REGISTRY_AUTH_FILE({ credHelpers: { [closed.host]: "test" } }) }), 0, "a helper of the registry");
    assert.equal(await verify({ PATH, ...REGISTRY_AUTH_FILE({ credsStore: "test", auths: { [closed.host]: {} } }) }), 0, "a helper for all");
    const evil = await sealgate(["verify", image("signed", closed.host), ...byKey], { PATH, ...REGISTRY_AUTH_FILE({ credsStore: "../bin/docker-credential-test" }) });
    assert.deepEqual([evil.status, evil.stderr.startsWith("sealgate: credentials.helper: ")], [2, true]);
  });
}

test("files of credentials that cannot be understood are named, their secrets are not", async () => {
  for (const content of ['{"auths": {', JSON.stringify({ auths: { [registry.host]: { auth: btoa("no colon s3cret") } } })]) {
    writeFileSync(join(project, "broken.json"), content);
    const { status, stderr } = await sealgate(["verify", image("signed"), ...byKey], { REGISTRY_AUTH_FILE: join(project, "broken.json") });
    assert.equal(status, 2);
    assert.match(stderr, /^sealgate: credentials\.malformed: .*broken\.json/);
    assert.doesNotMatch(stderr, /s3cret/);
  }
  const absent = await sealgate(["verify", image("signed"), ...byKey], { REGISTRY_AUTH_FILE: join(project, "nowhere.json") });
  assert.deepEqual([absent.status, absent.stderr.startsWith("sealgate: credentials.unreadable: ")], [2, true]);
});

test("text from outside cannot steer the terminal", async () => {
  const { status, stderr } = await sealgate(["verify", "\u001b[31mred\u202e", ...byKey]);
  assert.equal(status, 2);
  assert.doesNotMatch(stderr, /\u001b|\u202e/);
});

test("help and version", async () => {
  for (const line of [["--help"], ["help"], ["verify", "--help"], []]) {
    const { status, stdout } = await sealgate(line);
    assert.deepEqual([status, /sealgate verify IMAGE --key FILE/.test(stdout)], [0, true]);
  }
  assert.match((await sealgate(["--version"])).stdout, /^sealgate \d+\.\d+\.\d+\n$/);
});
