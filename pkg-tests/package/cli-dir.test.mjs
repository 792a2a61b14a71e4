// Images of the transport `dir:` by the command line, and Debian's skopeo asked the same: whether it copies such an image under the same
// policy. Keys and signatures are those of fixtures/simple-signing, made by GnuPG.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
	mkdir,
	mkdtemp,
	readFile,
	realpath,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { commandLine } from "./cli.mjs";

const FIXTURES = new URL("../../fixtures/simple-signing/", import.meta.url);
/** What the signatures name. */
const NAME = "registry.example/team/app:1";
const EXACTLY = { type: "exactReference", dockerReference: NAME };
const ANY = { type: "insecureAcceptAnything" };
/** The image's config, its only blob. */
const CONFIG = "{}";

const { sealgate } = commandLine();
const fixture = (/** @type {string} */ name) =>
	readFile(new URL(name, FIXTURES));
const sha256 = (/** @type {Uint8Array | string} */ content) =>
	createHash("sha256").update(content).digest("hex");

/** With links resolved, as scopes have it. @type {string} */ let root;
/** @type {string} */ let keys;

before(async () => {
	root = await realpath(await mkdtemp(join(tmpdir(), "sealgate-dir-")));
	keys = join(root, "keys.gpg");
	await writeFile(keys, await fixture("one.gpg"));
});
after(() => rm(root, { recursive: true, force: true }));

/** @param {object} [signedIdentity] */
const signed = (signedIdentity) => ({
	type: "signedBy",
	keyType: "GPGKeys",
	keyPath: keys,
	...(signedIdentity && { signedIdentity }),
});

/** An image with these further files; or an index of it alone. @param {string} name @param {Record<string, Uint8Array | string>} files @param {boolean} [isIndex] */
async function image(name, files, isIndex = false) {
	const folder = join(root, name);
	await mkdir(folder);
	const manifest = await fixture("manifest.json");
	const all = {
		version: "Directory Transport Version: 1.1\n",
		[sha256(CONFIG)]: CONFIG,
		"manifest.json": isIndex ? index(manifest) : manifest,
		...(isIndex && { [`${sha256(manifest)}.manifest.json`]: manifest }),
		...files,
	};
	for (const [file, content] of Object.entries(all))
		await writeFile(join(folder, file), content);
	return folder;
}

/** @param {Buffer} manifest */
function index(manifest) {
	const mediaType = "application/vnd.oci.image.manifest.v1+json";
	return JSON.stringify({
		schemaVersion: 2,
		mediaType: "application/vnd.oci.image.index.v1+json",
		manifests: [
			{
				mediaType,
				digest: `sha256:${sha256(manifest)}`,
				size: manifest.length,
				platform: { os: "linux", architecture: "amd64" },
			},
		],
	});
}

/** A policy by which images of registries pass, and folders by these scopes alone. @param {Record<string, object>} scopes */
async function policy(scopes) {
	const file = join(root, "policy.json");
	const lists = Object.entries(scopes).map(([scope, requirement]) => [
		scope,
		[requirement],
	]);
	const transports = {
		docker: { "": [ANY] },
		dir: Object.fromEntries(lists),
	};
	const text = JSON.stringify({ default: [{ type: "reject" }], transports });
	await writeFile(file, text);
	return file;
}

/** Whether skopeo copies it. @param {string} folder @param {string} file */
async function skopeo(folder, file) {
	const copy = join(root, "copy");
	const { error, stderr } = await promisify(execFile)("skopeo", [
		...["--policy", file, "--override-os", "linux"],
		...["--override-arch", "amd64", "copy", "--quiet"],
		...[`dir:${folder}`, `dir:${copy}`],
	]).then(
		({ stderr }) => ({ error: undefined, stderr }),
		(error) => ({ error, stderr: String(error.stderr ?? error) }),
	);
	await rm(copy, { recursive: true, force: true });
	return { allowed: error === undefined, stderr };
}

/** Both are asked, and must say so. @param {string} folder @param {Record<string, object>} scopes @param {string | undefined} refused the code */
async function both(folder, scopes, refused) {
	const file = await policy(scopes);
	const ours = await sealgate(["verify", `dir:${folder}`, "--policy", file]);
	const told = JSON.stringify({ folder, scopes, ours });
	assert.equal(ours.status, refused === undefined ? 0 : 1, told);
	if (refused !== undefined)
		assert.ok(ours.stdout.includes(refused), `${refused}: ${told}`);
	const theirs = await skopeo(folder, file);
	assert.equal(
		theirs.allowed,
		refused === undefined,
		`${theirs.stderr} ${told}`,
	);
}

test("scopes are paths with links resolved, the nearest first", async () => {
	const folder = await image("scopes", {
		"signature-1": await fixture("one.sig"),
	});
	const link = join(root, "link");
	await symlink(folder, link);
	const good = signed(EXACTLY);
	for (const [asked, scopes, refused] of /** @type {const} */ ([
		[folder, { [folder]: good }, undefined],
		[folder, { [root]: good }, undefined],
		[folder, { "": good }, undefined],
		[folder, { [root]: ANY, [folder]: signed() }, "identity.not-accepted"],
		[folder, { [`${folder}s`]: good }, "policy.reject"],
		[folder, {}, "policy.reject"],
		[link, { [folder]: good }, undefined],
		[link, { [link]: good }, "policy.reject"],
	]))
		await both(asked, scopes, refused);
});

test("signatures are files beside the manifest", async () => {
	const [one, two] = [await fixture("one.sig"), await fixture("two.sig")];
	for (const [name, files, requirement, refused] of /** @type {const} */ ([
		["unsigned", {}, signed(EXACTLY), "signature.missing"],
		["unnamed", { "signature-1": one }, signed(), "identity.not-accepted"],
		["gap", { "signature-2": one }, signed(EXACTLY), "signature.missing"],
		["other", { "signature-1": two }, signed(EXACTLY), "openpgp.unknown-key"],
		["two", { "signature-1": two, "signature-2": one }, signed(EXACTLY), ""],
		[
			"broken",
			{ "signature-1": one, "signature-2": "none" },
			signed(EXACTLY),
			"signature.format",
		],
		["copied", { "signature-1": "none" }, ANY, "signature.format"],
		["any", { "signature-1": two }, ANY, ""],
		["rejected", { "signature-1": one }, { type: "reject" }, "policy.reject"],
	])) {
		const folder = await image(name, files);
		await both(folder, { "": requirement }, refused || undefined);
	}
});

test("each image of an index by its own files", async () => {
	const hex = sha256(await fixture("manifest.json"));
	const one = await fixture("one.sig");
	const scopes = { "": signed(EXACTLY) };
	const own = await image("index", { [`${hex}.signature-1`]: one }, true);
	await both(own, scopes, undefined);
	const above = await image("index-above", { "signature-1": one }, true);
	await both(above, scopes, "signature.missing");
});

test("the report knows it by its path", async () => {
	const folder = await image("told", {
		"signature-1": await fixture("one.sig"),
	});
	const file = await policy({ [root]: signed(EXACTLY) });
	const asked = ["verify", `dir:${folder}`, "--policy", file];
	const { stdout } = await sealgate([...asked, "--json"]);
	const report = JSON.parse(stdout);
	assert.equal(report.verdict, "allow");
	assert.equal(report.verified, true);
	assert.equal(report.image.reference, `dir:${folder}`);
	assert.equal(report.image.name, `dir:${folder}`);
	assert.equal(report.rule.scope, `dir "${root}"`);
	assert.equal(report.requirements[0].candidates[0].source, "dir, signature-1");
	assert.equal(report.equivalent, undefined);
	const quiet = await sealgate([...asked, "-q"]);
	assert.equal(quiet.stdout, `✔ allowed: dir:${folder}\n`);
	const verbose = await sealgate([...asked, "-v"]);
	assert.equal(verbose.status, 0);
	assert.match(verbose.stdout, /dir, signature-1/u);
	assert.doesNotMatch(verbose.stdout, /localhost|undefined|cosign verify/u);
});

test("what cannot be asked is refused, and what is not there is no verdict", async () => {
	const file = await policy({});
	const folder = await image("empty", {});
	const fails = async (
		/** @type {string[]} */ args,
		/** @type {RegExp} */ why,
	) => {
		const { status, stdout, stderr } = await sealgate(["verify", ...args]);
		assert.equal(status, 2, stdout);
		assert.match(stderr, why);
	};
	await fails([`dir:${folder}`, "--key", "cosign.pub"], /add --policy FILE/u);
	for (const more of [
		["--as", NAME],
		["--registries.d", root],
		["--plain-http"],
	])
		await fails(
			[`dir:${folder}`, "--policy", file, ...more],
			/is about images in registries: leave it out with dir:/u,
		);
	await fails(
		[`dir:${join(root, "nowhere")}`, "--policy", file],
		/dir\.unreadable: .*ENOENT/u,
	);
	// A pipe would keep us waiting, and a folder may have more than there is memory for.
	const odd = await image("odd", {});
	await promisify(execFile)("mkfifo", [join(odd, "signature-1")]);
	await fails([`dir:${odd}`, "--policy", file], /dir\.unreadable: .*no file/u);
	const many = await image("many", {});
	const large = Buffer.alloc(4 * 1024 * 1024);
	for (let number = 1; number <= 17; number += 1)
		await writeFile(join(many, `signature-${number}`), large);
	await fails([`dir:${many}`, "--policy", file], /dir\.unreadable: .*64 MiB/u);
	await rm(join(folder, "manifest.json"));
	const none = await sealgate(["verify", `dir:${folder}`, "--policy", file]);
	assert.equal(none.status, 2);
});
