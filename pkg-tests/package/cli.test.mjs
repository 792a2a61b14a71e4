// The package's own command, against a registry on loopback that holds the demo images.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
	chmodSync,
	copyFileSync,
	mkdirSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { startRegistry } from "./registry.mjs";
import {
	copyDemoPolicy,
	consumerProject,
	demo as readDemo,
	root,
} from "./support.mjs";

/** @type {string} */
let project;
/** @type {ReturnType<typeof readDemo>} */
let demo;
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry;

before(async () => {
	demo = readDemo();
	project = consumerProject();
	copyDemoPolicy(project);
	registry = await startRegistry(demo);
});

/** Runs the command; the environment holds nothing of the machine's own credentials. @param {string[]} args @param {Record<string, string>} [environment] */
function sealgate(args, environment = {}) {
	const env = { PATH: process.env.PATH, HOME: project, ...environment };
	const child = spawn(join(project, "node_modules/.bin/sealgate"), args, {
		cwd: project,
		env,
		stdio: ["ignore", "pipe", "pipe"],
	});
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (text) => (stdout += text));
	child.stderr.on("data", (text) => (stderr += text));
	return new Promise((resolve, reject) =>
		child
			.on("error", reject)
			.on("close", (status) => resolve({ status, stdout, stderr })),
	);
}

const image = (name, host = registry.host) => `${host}/demo/${name}:1.0`;
const as = (name) => ["--as", `demo.example/demo/${name}:1.0`];
const byPolicy = ["--policy", "policy.json"];
const byKey = ["--key", "cosign.pub"];

test("exit statuses by policy, under the name that the policy knows", async () => {
	const expected = {
		signed: 0,
		bundle: 0,
		multi: 0,
		keyless: 0,
		attested: 0,
		unsigned: 1,
		"wrong-key": 1,
		tampered: 1,
		copied: 1,
		"other-digest": 1,
		absent: 2,
	};
	const found = {};
	for (const name of Object.keys(expected))
		found[name] = (
			await sealgate(["verify", image(name), ...byPolicy, ...as(name)])
		).status;
	assert.deepEqual(found, expected);
});

test("exit statuses by key", async () => {
	const expected = { signed: 0, bundle: 1, unsigned: 1, "wrong-key": 1 };
	const found = {};
	for (const name of Object.keys(expected))
		found[name] = (
			await sealgate(["verify", image(name), ...byKey, ...as(name)])
		).status;
	assert.deepEqual(found, expected);
	assert.equal(
		(await sealgate(["verify", image("bundle"), "--key", "bundle.pub"])).status,
		0,
	);
});

test("both providers", async () => {
	for (const provider of ["rust", "webcrypto"]) {
		assert.equal(
			(
				await sealgate([
					"verify",
					image("signed"),
					...byKey,
					...as("signed"),
					"--provider",
					provider,
				])
			).status,
			0,
			provider,
		);
		assert.equal(
			(
				await sealgate([
					"verify",
					image("wrong-key"),
					...byKey,
					"--provider",
					provider,
				])
			).status,
			1,
			provider,
		);
	}
});

test("people read the verdict first, in words, and no colour without a terminal", async () => {
	const allowed = await sealgate([
		"verify",
		image("signed"),
		...byKey,
		...as("signed"),
		"-v",
	]);
	assert.match(allowed.stdout, new RegExp(`^✔ allowed: ${image("signed")}\n`));
	assert.match(allowed.stdout, /sha256:[0-9a-f]{64}/);
	assert.match(allowed.stdout, /transparency log: not required/i);
	assert.match(
		allowed.stdout,
		/\n {2}# cosign does not compare the name in the signature.*\n {2}cosign verify --key cosign\.pub --insecure-ignore-tlog/,
	);
	const denied = await sealgate(["verify", image("unsigned"), ...byKey]);
	assert.match(denied.stdout, /^✘ denied: /);
	const unknown = await sealgate(["verify", image("absent"), ...byKey]);
	assert.match(unknown.stdout, /^\? could not find out: /);
	assert.match(unknown.stderr, /^sealgate: [a-z0-9.-]+: /);
	for (const { stdout, stderr } of [allowed, denied, unknown])
		assert.doesNotMatch(stdout + stderr, /\u001b/);
});

test("--json prints the report and nothing else", async () => {
	for (const [name, verdict] of [
		["signed", "allow"],
		["unsigned", "deny"],
		["absent", "unknown"],
	]) {
		const report = JSON.parse(
			(await sealgate(["verify", image(name), ...byKey, ...as(name), "--json"]))
				.stdout,
		);
		assert.deepEqual(
			[report.version, report.verdict, report.image.reference],
			[1, verdict, image(name)],
		);
	}
});

test("a policy that does not fit the name says so, and --as mends it", async () => {
	assert.equal(
		(await sealgate(["verify", image("signed"), ...byPolicy])).status,
		1,
	);
	assert.equal(
		(await sealgate(["verify", image("signed"), ...byPolicy, ...as("signed")]))
			.status,
		0,
	);
});

test("a copied signature is refused by key, too; the options for a copy on purpose stand last", async () => {
	const look = async (name, ...more) =>
		JSON.parse(
			(await sealgate(["verify", image(name), ...byKey, ...more, "--json"]))
				.stdout,
		);
	for (const [name, more, expected] of [
		["copied", [], ["deny", "identity.other-name"]],
		["copied", as("copied"), ["deny", "identity.other-name"]],
		["signed", [], ["deny", "identity.other-name"]],
		["signed", as("signed"), ["allow", "signature.accepted"]],
		["copied", ["--any-name"], ["allow", "signature.accepted"]],
		["copied", as("signed"), ["allow", "signature.accepted"]],
	]) {
		const report = await look(name, ...more);
		assert.deepEqual(
			[report.verdict, report.code],
			expected,
			`${name} ${more.join(" ")}`,
		);
		assert.equal(report.verified, expected[0] === "allow");
	}
	const { status, stdout, stderr } = await sealgate([
		"verify",
		image("copied"),
		...byKey,
	]);
	assert.deepEqual([status, stderr], [1, ""]);
	assert.match(
		stdout,
		/signed by your key, as another image: the signature names "demo\.example\/demo\/signed"/,
	);
	const [said, last] = stdout.split("\nA question that only you can answer\n");
	assert.doesNotMatch(said, /--as|--any-name|signedIdentity|cosign verify/);
	assert.match(
		last,
		/^ {2}Is .*demo\/copied a mirror of demo\.example\/demo\/signed.*\?.*\n.*--as NAME.*--any-name.*\n$/,
	);
	const byRules = (
		await sealgate(["verify", image("copied"), ...byPolicy, ...as("copied")])
	).stdout.split("\nA question that only you can answer\n");
	assert.doesNotMatch(byRules[0], /exactReference|"type"/);
	assert.match(byRules[1], /"signedIdentity": \{"type": "exact/);
});

test("policy init writes no rule for another name, unless it is a mirror's", async () => {
	const init = (...more) =>
		sealgate(["policy", "init", image("copied"), ...byKey, ...more]);
	for (const more of [[], as("copied")]) {
		const { status, stdout, stderr } = await init(...more);
		assert.deepEqual([status, stdout], [2, ""]);
		assert.match(
			stderr,
			/^sealgate: init\.other-name: .*demo\.example\/demo\/signed.*--mirror/,
		);
	}
	const { status, stdout } = await init(...as("copied"), "--mirror");
	assert.equal(status, 0);
	writeFileSync(join(project, "mirror.json"), stdout);
	assert.equal(
		(
			await sealgate([
				"verify",
				image("copied"),
				"--policy",
				"mirror.json",
				...as("copied"),
			])
		).status,
		0,
	);
});

test("allowed is not verified, and looks otherwise", async () => {
	const open = { default: [{ type: "insecureAcceptAnything" }] };
	writeFileSync(join(project, "open.json"), JSON.stringify(open));
	const { status, stdout } = await sealgate([
		"verify",
		image("signed"),
		"--policy",
		"open.json",
	]);
	assert.equal(status, 0);
	assert.match(
		stdout,
		/^~ allowed, not verified: .*\n {2}allowed, not verified: the policy accepts anything here/,
	);
	assert.doesNotMatch(stdout, /✔/);
	assert.equal(
		JSON.parse(
			(
				await sealgate([
					"verify",
					image("signed"),
					"--policy",
					"open.json",
					"--json",
				])
			).stdout,
		).verified,
		false,
	);
});

test("lints apply to what is typed as identity", async () => {
	const issuer = [
		"--certificate-oidc-issuer",
		"https://token.actions.demo.example",
		"--trusted-root",
		"trusted_root.json",
	];
	const subject =
		"https://github.com/demo/app/.github/workflows/release.yml@refs/heads/main";
	const ask = (...more) =>
		sealgate(["verify", image("keyless"), ...issuer, ...more]);
	for (const [more, warned] of [
		[
			["--certificate-identity-regexp", ".*"],
			/^sealgate: warning: .*matches any string.* \(identity\.open\)\n/,
		],
		[["--certificate-identity-regexp", "github"], /\(identity\.unanchored\)\n/],
		[
			["--certificate-identity", subject],
			/^sealgate: warning: .*any caller passes.* \(identity\.any-caller\)\n$/,
		],
		[
			[
				"--certificate-identity",
				subject,
				"--certificate-claim",
				"sourceRepositoryURI=https://github.com/demo/app",
			],
			/^$/,
		],
	]) {
		const { status, stderr } = await ask(...more);
		assert.equal(status, 0, stderr);
		assert.match(stderr, warned, more.join(" "));
	}
	assert.equal(
		(
			await ask(
				"--certificate-identity",
				subject,
				"--certificate-claim",
				"sourceRepositoryURI=https://github.com/other/app",
			)
		).status,
		1,
	);
});

test("the command for cosign names the file that was used, as a word of the shell", async () => {
	mkdirSync(join(project, "my keys"), { recursive: true });
	copyFileSync(join(project, "cosign.pub"), join(project, "my keys/it's.pub"));
	const shown = async (...args) =>
		JSON.parse(
			(
				await sealgate([
					"verify",
					image("signed"),
					...args,
					...as("signed"),
					"--json",
				])
			).stdout,
		).equivalent;
	assert.match(
		await shown("--key", "my keys/it's.pub"),
		/\ncosign verify --key 'my keys\/it'\\''s\.pub' /,
	);
	const policy = JSON.parse(readFileSync(join(project, "policy.json"), "utf8"));
	policy.transports.docker = {
		"demo.example": [
			{
				type: "sigstoreSigned",
				keyPath: "it's.pub",
				signedIdentity: { type: "matchRepository" },
			},
		],
	};
	writeFileSync(join(project, "my keys/policy.json"), JSON.stringify(policy));
	assert.match(
		await shown("--policy", "my keys/policy.json"),
		/\ncosign verify --key 'my keys\/it'\\''s\.pub' /,
	);
	assert.match(
		await shown("--key", "bundle.pub", "--key", "cosign.pub"),
		/\ncosign verify --key cosign\.pub /,
	);
});

test("verify-blob takes a signature, verify-blob-attestation a statement of the type that is named", async () => {
	const fixture = (path) => join(root, "fixtures/sigstore", path);
	const trusted = ["--trusted-root", fixture("trusted_root.json")];
	const who = [
		"--certificate-oidc-issuer",
		"https://token.actions.demo.example",
		"--certificate-identity",
		"https://github.com/demo/app/.github/workflows/release.yml@refs/heads/main",
	];
	const blob = (file, folder, ...more) =>
		sealgate([
			"verify-blob",
			file,
			"--bundle",
			fixture(`${folder}/bundle.json`),
			...trusted,
			...more,
		]);
	const attested = (type, ...more) =>
		sealgate([
			"verify-blob-attestation",
			fixture("attestation-key/manifest.json"),
			"--bundle",
			fixture("attestation-key/bundle.json"),
			"--key",
			fixture("attestation-key/key.pub"),
			"--type",
			type,
			...trusted,
			...more,
		]);
	const good = await blob(fixture("blob-ci/artifact"), "blob-ci", ...who, "-v");
	assert.deepEqual(
		[
			good.status,
			/^✔ verified: .*\n {2}a signature of the file\n/.test(good.stdout),
		],
		[0, true],
		good.stdout + good.stderr,
	);
	assert.equal(
		(
			await blob(
				fixture("image-key/manifest.json"),
				"image-key",
				"--key",
				fixture("image-key/key.pub"),
			)
		).status,
		0,
		"a statement of cosign's own type",
	);
	const other = await blob(
		fixture("attestation-key/manifest.json"),
		"attestation-key",
		"--key",
		fixture("attestation-key/key.pub"),
	);
	assert.equal(other.status, 1);
	assert.match(
		other.stdout,
		/^✘ not verified: .*found a statement about it of type "https:\/\/slsa\.dev\/provenance\/v1".*verify-blob-attestation.* \(bundle\.attestation\)\n$/,
	);
	const named = await attested("slsaprovenance1", "-v");
	assert.deepEqual(
		[
			named.status,
			/a statement about the file, of type https:\/\/slsa\.dev\/provenance\/v1/.test(
				named.stdout,
			),
		],
		[0, true],
		named.stdout,
	);
	assert.deepEqual(
		JSON.parse((await attested("slsaprovenance1", "--json")).stdout).kind,
		"statement",
	);
	assert.equal((await attested("cyclonedx")).status, 1);
	assert.equal((await attested("not a type")).status, 2);

	const wrong = await blob(fixture("blob-ci/case.json"), "blob-ci", ...who);
	assert.equal(wrong.status, 1);
	assert.match(wrong.stdout, /this is not the file that was signed/);
	// What cannot be understood says nothing about the file.
	writeFileSync(join(project, "no.json"), "no JSON");
	writeFileSync(join(project, "empty.json"), "{}");
	for (const [file, bundle, code] of [
		["cosign.pub", "no.json", "bundle.json"],
		["cosign.pub", "empty.json", "bundle.shape"],
		["cosign.pub", "nowhere.json", "bundle.unreadable"],
		["cosign.pub", ".", "bundle.unreadable"],
		["nowhere", fixture("blob-ci/bundle.json"), "file.unreadable"],
		[".", fixture("blob-ci/bundle.json"), "file.unreadable"],
	]) {
		const { status, stdout, stderr } = await sealgate([
			"verify-blob",
			file,
			"--bundle",
			bundle,
			...trusted,
			...who,
		]);
		assert.deepEqual([status, stdout], [2, ""], `${file} ${bundle}`);
		assert.ok(stderr.startsWith(`sealgate: ${code}: `), stderr);
	}
});

test("a registries.d says where signatures are", async () => {
	const folder = (name, text) => {
		mkdirSync(join(project, name), { recursive: true });
		writeFileSync(join(project, name, "a.yaml"), text);
		return ["--registries.d", name];
	};
	const codes = async (...more) => {
		const found = {};
		for (const name of ["signed", "keyless"])
			found[name] = JSON.parse(
				(
					await sealgate([
						"verify",
						image(name),
						...byPolicy,
						...as(name),
						"--json",
						...more,
					])
				).stdout,
			).code;
		return found;
	};
	const accepted = {
		signed: "signature.accepted",
		keyless: "signature.accepted",
	};
	assert.deepEqual(await codes(), accepted);
	assert.deepEqual(
		await codes(
			...folder("on.d", "default-docker:\n  use-sigstore-attachments: true\n"),
		),
		accepted,
	);
	// As podman has it: what is not switched on is off, and most specific scopes count.
	assert.deepEqual(
		await codes(
			...folder("off.d", "default-docker:\n  lookaside: https://x.example\n"),
		),
		{ signed: "signature.missing", keyless: "signature.missing" },
	);
	assert.deepEqual(
		await codes(
			...folder(
				"one.d",
				"docker:\n  demo.example/demo/signed:\n    use-sigstore-attachments: true\n",
			),
		),
		{ signed: "signature.accepted", keyless: "signature.missing" },
	);
	const noted = await sealgate([
		"verify",
		image("signed"),
		...byPolicy,
		...as("signed"),
		"--registries.d",
		"off.d",
	]);
	assert.match(noted.stdout, /use-sigstore-attachments is off/);
	for (const [args, expected] of [
		[["--registries.d", "nowhere.d"], /registries-d\.unreadable/],
		[folder("broken.d", "docker: [\n"), /registries-d\./],
	]) {
		const { status, stderr } = await sealgate([
			"verify",
			image("signed"),
			...byPolicy,
			...args,
		]);
		assert.equal(status, 2);
		assert.match(stderr, expected);
	}
	assert.match(
		(
			await sealgate([
				"verify",
				image("signed"),
				...byKey,
				"--registries.d",
				"on.d",
			])
		).stderr,
		/--policy FILE/,
	);
});

test("policy init writes a policy that admits the image", async () => {
	const { status, stdout, stderr } = await sealgate([
		"policy",
		"init",
		image("signed"),
		...byKey,
		...as("signed"),
	]);
	assert.equal(status, 0, stderr);
	JSON.parse(stdout);
	writeFileSync(join(project, "first.json"), stdout);
	const admitted = await sealgate([
		"verify",
		image("signed"),
		"--policy",
		"first.json",
		...as("signed"),
	]);
	assert.equal(admitted.status, 0, admitted.stdout);
	assert.equal(
		(
			await sealgate([
				"verify",
				image("unsigned"),
				"--policy",
				"first.json",
				...as("unsigned"),
			])
		).status,
		1,
	);
});

test("what was typed wrongly ends with 2 and says what to do, before anything is fetched", async () => {
	const before = registry.asked.length;
	const here = image("signed");
	writeFileSync(
		join(project, "pair.pem"),
		`${readFileSync(join(project, "cosign.pub"), "utf8")}-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neA==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`,
	);
	writeFileSync(
		join(project, "pair.json"),
		JSON.stringify({
			default: [{ type: "reject" }],
			transports: {
				docker: {
					"never.example": [
						{ type: "signedBy", keyType: "GPGKeys", keyPath: "pair.pem" },
					],
				},
			},
		}),
	);
	const wrong = {
		verify: /needs an image/,
		[`verify ${here}`]:
			/--key FILE, --certificate-identity with --certificate-oidc-issuer, or --policy FILE/,
		[`verify ${here} --key`]: /--key.*argument missing/,
		[`verify ${here} --key --json`]: /--key/,
		[`verify ${here} --key=`]: /--key needs a value/,
		[`verify ${here} --key cosign.pub --policy policy.json`]:
			/give one of them/,
		[`verify ${here} ${here} --key cosign.pub`]: /one image/,
		[`verify ${here} --key cosign.pub --insecure`]: /'--insecure'/,
		[`verify ${here} --key cosign.pub --json=yes`]: /--json/,
		[`verify ${here} --policy policy.json --policy policy.json`]: /2 times/,
		[`verify ${here} --key cosign.pub --provider openssl`]: /webcrypto or rust/,
		[`verify ${here} --key nowhere.pub`]: /key\.unreadable.*nowhere\.pub/,
		[`verify ${here} --key policy.json`]: /^sealgate: (key|pem)\./,
		[`verify ${here} --key pair.pem`]:
			/^sealgate: key\.private: .*cosign public-key/,
		[`verify ${here} --policy pair.json`]:
			/^sealgate: key\.private: .*"pair\.pem"/,
		[`verify ${here} --policy policy.json --any-name`]: /signedIdentity/,
		[`verify ${here} --key cosign.pub --certificate-claim a=b`]:
			/--certificate-identity/,
		[`verify ${here} --certificate-identity a --certificate-oidc-issuer b --certificate-claim a`]:
			/NAME=VALUE/,
		[`verify ${here} --certificate-identity a --certificate-oidc-issuer b --certificate-claim nothing=b`]:
			/certificateClaims.*"nothing"/,
		"verify-blob policy.json --bundle policy.json --key cosign.pub --type slsaprovenance1":
			/does not take --type/,
		"verify-blob-attestation policy.json --bundle policy.json --key cosign.pub":
			/--type TYPE/,
		"audit --policy policy.json --include-suspicious": /--write-exceptions/,
		[`verify ${here} --policy nowhere.json`]:
			/policy\.unreadable.*nowhere\.json/,
		[`verify ${here} --policy cosign.pub`]: /^sealgate: (policy|json)\./,
		"verify docker.io/UPPER/case --key cosign.pub": /^sealgate: reference\./,
		[`policy init ${here}`]: /--key FILE/,
		[`policy init ${here} --policy policy.json`]: /does not take --policy/,
		policy: /expected init/,
		sign: /expected a command/,
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
	for (const file of [
		"policy.json",
		"bundle.pub",
		"keyring.asc",
		"trusted_root.json",
	])
		copyFileSync(join(project, file), join(elsewhere, file));
	const missing = await sealgate([
		"verify",
		image("signed"),
		"--policy",
		"elsewhere/policy.json",
		...as("signed"),
	]);
	assert.equal(missing.status, 2);
	assert.match(
		missing.stderr,
		/asset\.unreadable.*elsewhere\/policy\.json names cosign\.pub.*nothing was fetched/,
	);
	assert.equal(registry.asked.length, before);
	copyFileSync(join(project, "cosign.pub"), join(elsewhere, "cosign.pub"));
	assert.equal(
		(
			await sealgate([
				"verify",
				image("signed"),
				"--policy",
				"elsewhere/policy.json",
				...as("signed"),
			])
		).status,
		0,
	);
});

test("plain http is spoken to loopback hosts only, unless --plain-http says so", async () => {
	// An address of this machine that is not a loopback one by its name.
	const other = `0.0.0.0:${registry.port}`;
	const before = registry.asked.length;
	const secure = await sealgate(["verify", image("signed", other), ...byKey]);
	assert.equal(secure.status, 2, secure.stdout);
	assert.equal(registry.asked.length, before, "no request in plain http");
	assert.equal(
		(
			await sealgate([
				"verify",
				image("signed", other),
				...byKey,
				...as("signed"),
				"--plain-http",
			])
		).status,
		0,
	);
	assert.equal(
		(
			await sealgate([
				"verify",
				image("signed", `127.0.0.1:${registry.port}`),
				...byKey,
				...as("signed"),
			])
		).status,
		0,
	);
});

test("a gateway's refusal is looked into, and the own verdict counts", async () => {
	const gateway = await startRegistry(demo, {
		refuse: ["signed", "unsigned"],
		basic: "user:secret",
	});
	const auth = join(project, "gateway.json");
	writeFileSync(
		auth,
		JSON.stringify({
			auths: { [gateway.host]: { auth: btoa("user:secret") } },
		}),
	);
	const look = (name, ...more) =>
		sealgate(["verify", image(name, gateway.host), ...byPolicy, ...more], {
			REGISTRY_AUTH_FILE: auth,
		});
	assert.equal((await look("signed", ...as("signed"))).status, 0);
	assert.equal((await look("unsigned", ...as("unsigned"))).status, 1);
	const unnamed = await look("signed");
	assert.equal(unnamed.status, 1);
	// A hostile registry would tell the name that its copied signature fits: it is shown as a claim, and never as a command.
	assert.match(
		unnamed.stdout,
		/the gateway says that it knows the image as demo\.example\/demo\/signed:1\.0; that is its claim/,
	);
	assert.doesNotMatch(unnamed.stdout, /--as/);
	assert.match(
		gateway.asked.join("\n"),
		/GET \/api\/evidence\/demo\/signed\?ref=1\.0/,
	);
});

test("a gateway whose evidence is not available is 'could not find out'", async () => {
	const gateway = await startRegistry(demo, {
		refuse: ["signed"],
		withheld: true,
	});
	const { status, stdout } = await sealgate([
		"verify",
		image("signed", gateway.host),
		...byKey,
	]);
	assert.equal(status, 2);
	assert.match(stdout, /^\? could not find out/);
	assert.match(stdout, /evidence could not be used: .*found status 404/);
});

for (const way of ["basic", "bearer"]) {
	test(`credentials are found where podman and docker keep them (${way})`, async () => {
		const closed = await startRegistry(demo, { [way]: "user:pass:word" });
		const auth = btoa("user:pass:word");
		const wrong = btoa("user:wrong");
		const verify = (environment) =>
			sealgate(
				["verify", image("signed", closed.host), ...byKey, ...as("signed")],
				environment,
			).then(({ status }) => status);
		assert.equal(await verify({}), 2, "without any");

		const file = (path, content) => {
			mkdirSync(join(project, way, path, ".."), { recursive: true });
			writeFileSync(join(project, way, path), JSON.stringify(content));
			return join(project, way, path);
		};
		const REGISTRY_AUTH_FILE = (content) => ({
			REGISTRY_AUTH_FILE: file("auth.json", content),
		});
		assert.equal(
			await verify(REGISTRY_AUTH_FILE({ auths: { [closed.host]: { auth } } })),
			0,
		);
		assert.equal(
			await verify(
				REGISTRY_AUTH_FILE({ auths: { [closed.host]: { auth: wrong } } }),
			),
			2,
		);
		assert.equal(
			await verify(
				REGISTRY_AUTH_FILE({ auths: { "other.example": { auth } } }),
			),
			2,
			"of another registry",
		);
		const specific = {
			[closed.host]: { auth: wrong },
			[`${closed.host}/demo`]: { auth: wrong },
			[`${closed.host}/demo/signed`]: { auth },
		};
		assert.equal(
			await verify(REGISTRY_AUTH_FILE({ auths: specific })),
			0,
			"the most specific first",
		);
		assert.equal(
			await verify(
				REGISTRY_AUTH_FILE({
					auths: { [`http://${closed.host}/v1/`]: { auth } },
				}),
			),
			0,
			"as older dockers write it",
		);

		file("run/containers/auth.json", { auths: { [closed.host]: { auth } } });
		assert.equal(
			await verify({ XDG_RUNTIME_DIR: join(project, way, "run") }),
			0,
			"podman's",
		);
		file("home/.docker/config.json", { auths: { [closed.host]: { auth } } });
		assert.equal(
			await verify({ HOME: join(project, way, "home") }),
			0,
			"docker's",
		);

		const helper = file("bin/docker-credential-test", {});
		writeFileSync(
			helper,
			`#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${closed.host}" ] || { echo "credentials not found in native keychain"; exit 1; }\necho '{"ServerURL":"x","Username":"user","Secret":"pass:word"}'\n`,
		);
		chmodSync(helper, 0o755);
		const PATH = `${join(project, way, "bin")}:${process.env.PATH}`;
		assert.equal(
			await verify({
				PATH,
				...REGISTRY_AUTH_FILE({ credHelpers: { [closed.host]: "test" } }),
			}),
			0,
			"a helper of the registry",
		);
		assert.equal(
			await verify({
				PATH,
				...REGISTRY_AUTH_FILE({
					credsStore: "test",
					auths: { [closed.host]: {} },
				}),
			}),
			0,
			"a helper for all",
		);
		const evil = await sealgate(
			["verify", image("signed", closed.host), ...byKey],
			{
				PATH,
				...REGISTRY_AUTH_FILE({ credsStore: "../bin/docker-credential-test" }),
			},
		);
		assert.deepEqual(
			[evil.status, evil.stderr.startsWith("sealgate: credentials.helper: ")],
			[2, true],
		);
	});
}

test("files of credentials that cannot be understood are named, their secrets are not", async () => {
	for (const content of [
		'{"auths": {',
		JSON.stringify({
			auths: { [registry.host]: { auth: btoa("no colon s3cret") } },
		}),
	]) {
		writeFileSync(join(project, "broken.json"), content);
		const { status, stderr } = await sealgate(
			["verify", image("signed"), ...byKey],
			{ REGISTRY_AUTH_FILE: join(project, "broken.json") },
		);
		assert.equal(status, 2);
		assert.match(stderr, /^sealgate: credentials\.malformed: .*broken\.json/);
		assert.doesNotMatch(stderr, /s3cret/);
	}
	const absent = await sealgate(["verify", image("signed"), ...byKey], {
		REGISTRY_AUTH_FILE: join(project, "nowhere.json"),
	});
	assert.deepEqual(
		[
			absent.status,
			absent.stderr.startsWith("sealgate: credentials.unreadable: "),
		],
		[2, true],
	);
});

test("text from outside cannot steer the terminal", async () => {
	const { status, stderr } = await sealgate([
		"verify",
		"\u001b[31mred\u202e",
		...byKey,
	]);
	assert.equal(status, 2);
	assert.doesNotMatch(stderr, /\u001b|\u202e/);
});

test("help and version", async () => {
	for (const line of [["--help"], ["help"], ["verify", "--help"], []]) {
		const { status, stdout } = await sealgate(line);
		assert.deepEqual(
			[status, /sealgate verify IMAGE --key FILE/.test(stdout)],
			[0, true],
		);
	}
	assert.match(
		(await sealgate(["--version"])).stdout,
		/^sealgate \d+\.\d+\.\d+\n$/,
	);
});
