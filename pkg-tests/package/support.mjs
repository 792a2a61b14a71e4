// What the tests of the package share: the packed tarball installed in a project of its own, and the demo images as answers of a registry.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	copyFileSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, "../..");
const tools = join(root, "tools");

/** A path that must be there: a test without it fails, and says what makes it. @param {string} path @param {string} remedy */
export function need(path, remedy) {
	assert.ok(existsSync(path), `${path} is missing: ${remedy}`);
	return path;
}

/** A program among the development tools. @param {string} name */
export function devTool(name) {
	return need(
		join(tools, "node_modules/.bin", name),
		"run `npm ci --prefix tools`",
	);
}

/** A library among the development tools. @param {string} name */
export function devLibrary(name) {
	need(
		join(tools, "node_modules", name.split("/")[0]),
		"run `npm ci --prefix tools`",
	);
	return createRequire(join(tools, "package.json"))(name);
}

/** Something of what the package is tried with. @param {string} path under its node_modules */
export function peer(path) {
	return need(
		join(here, "peers/node_modules", path),
		"run `npm ci --prefix pkg-tests/package/peers`",
	);
}

/** The built package itself, for tests of its inner files. */
export function builtPackage() {
	return need(join(root, "pkg/package.json"), "run `make build`").slice(
		0,
		-"/package.json".length,
	);
}

export function temporaryFolder() {
	const folder = mkdtempSync(join(tmpdir(), "sealgate-test-"));
	atEnd(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** @type {(() => unknown)[]} */
const endings = [];
after(async () => {
	for (const ending of endings.reverse()) await ending();
});

/** When all tests of the file are done; `after` inside a hook or a test means the end of that one. @param {() => unknown} ending */
export function atEnd(ending) {
	endings.push(ending);
}

/** A project that has installed the package as anybody would: from its tarball. */
export function consumerProject() {
	const folder = temporaryFolder();
	const [packed] = JSON.parse(
		run(
			"npm",
			["pack", "--json", "--pack-destination", folder, builtPackage()],
			folder,
		),
	);
	writeFileSync(
		join(folder, "package.json"),
		JSON.stringify({ name: "consumer", private: true }),
	);
	run(
		"npm",
		[
			"install",
			"--offline",
			"--no-audit",
			"--no-fund",
			"--ignore-scripts",
			`./${packed.filename}`,
		],
		folder,
	);
	return folder;
}

/** The demo's policy with the files that it names. @param {string} folder */
export function copyDemoPolicy(folder) {
	for (const file of [
		"policy.json",
		"bundle.pub",
		"cosign.pub",
		"keyring.asc",
		"trusted_root.json",
	])
		copyFileSync(
			need(join(root, "fixtures/demo", file), "run `make fixtures`"),
			join(folder, file),
		);
}

/** @param {string} program @param {string[]} args @param {string} cwd */
export function run(program, args, cwd) {
	try {
		return execFileSync(program, args, {
			cwd,
			encoding: "utf8",
			stdio: ["ignore", "pipe", "pipe"],
		});
	} catch (error) {
		throw new Error(
			`${program} ${args.join(" ")}: ${error.message}\n${error.stdout ?? ""}`,
		);
	}
}

/** What the checks need besides the package, as plain JSON, so that it can be sent into a page or a worker. */
export function demo() {
	const folder = join(root, "fixtures/demo");
	const file = (name) =>
		readFileSync(need(join(folder, name), "run `make fixtures`"));
	const policy = file("policy.json").toString("base64");
	const key = file("cosign.pub").toString("base64");
	const bundleKey = file("bundle.pub").toString("base64");
	const keyring = file("keyring.asc").toString("base64");
	const trustedRoot = file("trusted_root.json").toString("base64");
	const routes = Object.fromEntries(
		repositories(folder).flatMap((repository) => routesOf(folder, repository)),
	);
	return { policy, key, bundleKey, keyring, trustedRoot, routes };
}

/** @param {string} folder */
function repositories(folder) {
	return readdirSync(folder, { withFileTypes: true })
		.map((entry) => entry.name)
		.filter((name) => existsSync(join(folder, name, "index.json")));
}

/** An OCI layout as the answers of a registry: path → type and body. @param {string} folder @param {string} repository */
function routesOf(folder, repository) {
	const layout = join(folder, repository);
	const base = `/v2/demo/${repository}`;
	const routes = [];
	const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
	for (const { digest, mediaType, annotations } of index.manifests) {
		const tag = annotations?.["org.opencontainers.image.ref.name"];
		if (tag)
			routes.push([
				`${base}/manifests/${tag}`,
				{ type: mediaType, digest, body: blob(layout, digest) },
			]);
	}
	for (const hex of readdirSync(join(layout, "blobs/sha256"))) {
		const digest = `sha256:${hex}`;
		const body = blob(layout, digest);
		const type = manifestType(body);
		routes.push([
			`${base}/blobs/${digest}`,
			{ type: "application/octet-stream", digest, body },
		]);
		if (type)
			routes.push([`${base}/manifests/${digest}`, { type, digest, body }]);
	}
	return routes;
}

/** @param {string} layout @param {string} digest */
function blob(layout, digest) {
	return readFileSync(join(layout, "blobs", digest.replace(":", "/"))).toString(
		"base64",
	);
}

/** @param {string} body */
function manifestType(body) {
	try {
		const { mediaType, manifests, layers } = JSON.parse(
			Buffer.from(body, "base64").toString("utf8"),
		);
		if (manifests)
			return mediaType ?? "application/vnd.oci.image.index.v1+json";
		return (
			layers && (mediaType ?? "application/vnd.oci.image.manifest.v1+json")
		);
	} catch {
		return undefined;
	}
}

/** Fails with every check that failed, and when none ran. @param {{ name: string, error?: string }[]} results */
export function assertChecks(results) {
	assert.ok(
		results.length >= 8,
		`expected at least 8 checks to run, found ${results.length}`,
	);
	assert.deepEqual(
		results.filter(({ error }) => error !== undefined),
		[],
	);
}
