/**
 * `make serve`: runs the worker in workerd on this machine.
 *
 * Settings come from the environment: `UPSTREAM`, `POLICY` and `REGISTRIES_D` (paths), `NAME`, `PORT`, `PUBLIC_URL`, `EGRESS`,
 * `REQUEST_TIMEOUT_MS`; without `UPSTREAM` it is the embedded demo registry. Everything that workerd needs is copied to `target/serve/PORT/`, beside a configuration with relative paths.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FILES, TEXTS } from "../js/config.js";
import { DEMO_UPSTREAM } from "../js/demo.js";
import { siteFiles } from "../js/serve/files.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const DEMO = {
	upstream: DEMO_UPSTREAM,
	name: "demo.example",
	policy: join(root, "fixtures/demo/policy.json"),
	registriesD: join(root, "fixtures/demo/registries.d"),
};
/** Dates from 2025-09-01 on strip `Authorization` from redirects to other hosts. */
const COMPATIBILITY_DATE = "2025-09-01";
const STOP_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 20_000;
/** What the worker imports of the package beside the gateway: `sealgate/PART`. */
const PARTS = ["bundle", "config", "demo", "shell"];

/** What the person can put right: said without a stack, exit status 2. */
class UsageError extends Error {}

/** @typedef {{ upstream: string, name: string, policyFile: string, nextFile: string, registriesFolder: string, port: number, demo: boolean, more: Record<string, string> }} Settings */
/** @typedef {{ policy: Uint8Array, policyNext?: Uint8Array, assets: Record<string, Uint8Array>, registriesD?: Record<string, Uint8Array>, complaint?: string, lints?: Lint[] }} Policy */
/** @typedef {{ id: string, name: string, severity: string, pointer: string, message: string }} Lint */
/** @typedef {{ policyAssets(policy: Uint8Array): Promise<string[]>, policyLint(policy: Uint8Array, known: object): Promise<Lint[]> }} Sealgate */

try {
	await main();
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	console.error(error.message);
	process.exitCode = 2;
}

async function main() {
	const settings = await withFiles(settingsOf(process.env));
	const sealgate = await loadPackage();
	const policy = await readPolicy(settings, sealgate);
	await checkPortIsFree(settings.port);
	const directory = join(root, "target/serve", String(settings.port));
	await writeBundle(directory, settings, policy);
	await run(directory, settings, policy);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Settings}
 */
function settingsOf(env) {
	const port = Number(env.PORT || 8787);
	// What the gateway reads, and complains of, itself.
	const more = Object.fromEntries(
		TEXTS.flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
	);
	if (!Number.isInteger(port) || port < 1 || port > 65535)
		throw new UsageError(
			`PORT is ${env.PORT}: expected a number from 1 to 65535, for example PORT=8787`,
		);
	const nextFile = env.POLICY_NEXT ?? "";
	if (!env.UPSTREAM && !env.REGISTRIES) {
		return {
			upstream: DEMO.upstream,
			name: env.NAME || DEMO.name,
			policyFile: env.POLICY || DEMO.policy,
			nextFile,
			registriesFolder: env.REGISTRIES_D || DEMO.registriesD,
			port,
			demo: true,
			more,
		};
	}
	if (!env.POLICY) {
		throw new UsageError(
			`UPSTREAM is ${env.UPSTREAM || "in REGISTRIES"}, but POLICY is missing: say which policy decides what this registry may serve, for example\n` +
				`  make serve UPSTREAM=${env.UPSTREAM || "https://registry.example.com"} POLICY=policy.json\n` +
				"`sealgate policy init IMAGE --key cosign.pub` writes a first one.",
		);
	}
	return {
		upstream: env.UPSTREAM ?? "",
		name: env.NAME || (env.UPSTREAM ? hostOf(env.UPSTREAM) : ""),
		policyFile: env.POLICY,
		nextFile,
		registriesFolder: env.REGISTRIES_D ?? "",
		port,
		demo: false,
		more,
	};
}

/**
 * Settings whose text lies in a file, by its path.
 *
 * @param {Settings} settings
 * @returns {Promise<Settings>}
 */
async function withFiles(settings) {
	const more = { ...settings.more };
	for (const name of FILES) {
		const path = more[name]?.startsWith("@") ? more[name].slice(1) : undefined;
		if (path === undefined) continue;
		more[name] = await readFile(path, "utf8").catch((error) => {
			throw new UsageError(
				`${name} is @${path}: no such file can be read (${messageOf(error)}). Give the path of a file that holds it, or the text itself.`,
			);
		});
	}
	return { ...settings, more };
}

/** @param {string} upstream */
function hostOf(upstream) {
	const { host = "", protocol = "" } = URL.canParse(upstream)
		? new URL(upstream)
		: {};
	if (host !== "" && (protocol === "http:" || protocol === "https:"))
		return host;
	throw new UsageError(
		`UPSTREAM is ${upstream}: expected the registry's address with its scheme, for example UPSTREAM=http://127.0.0.1:5000`,
	);
}

async function loadPackage() {
	const entry = join(root, "pkg/node.js");
	if (!existsSync(entry))
		throw new UsageError(
			"The package is not built (pkg/node.js is missing): run `make build` first.",
		);
	return import(pathToFileURL(entry).href);
}

/**
 * A missing key file ends here, all of them at once. A policy that cannot be understood does not: the gateway then refuses
 * everything and says why in each refusal, as it would when deployed.
 *
 * @param {Settings} settings
 * @param {Sealgate} sealgate
 * @returns {Promise<Policy>}
 */
async function readPolicy(settings, sealgate) {
	const policy = await readFile(settings.policyFile).catch(() => {
		throw new UsageError(
			`POLICY is ${settings.policyFile}: no such file can be read. Give the path of a policy.json, relative to ${process.cwd()} or absolute.`,
		);
	});
	const registriesD =
		settings.registriesFolder === ""
			? undefined
			: await readFolder(settings.registriesFolder);
	const next = await readNext(settings, sealgate);
	try {
		const paths = await sealgate.policyAssets(policy);
		const assets = {
			...next?.assets,
			...(await readAssets(settings.policyFile, paths)),
		};
		return {
			policy,
			policyNext: next?.policyNext,
			assets,
			registriesD,
			lints: await sealgate.policyLint(policy, {
				assets,
				...(registriesD && { registriesD }),
			}),
		};
	} catch (error) {
		if (error instanceof UsageError) throw error;
		return {
			policy,
			policyNext: next?.policyNext,
			assets: next?.assets ?? {},
			registriesD,
			complaint: messageOf(error),
		};
	}
}

/**
 * What it names relatively lies beside the policy in force; of a file that is not there, the gateway says so.
 *
 * @param {Settings} settings
 * @param {Sealgate} sealgate
 */
async function readNext({ nextFile, policyFile }, sealgate) {
	if (nextFile === "") return undefined;
	const policyNext = await readFile(nextFile).catch((error) => {
		throw new UsageError(
			`POLICY_NEXT is ${nextFile}: no such file can be read (${messageOf(error)}). Give the path of a policy.json, or leave it out.`,
		);
	});
	/** @type {Record<string, Uint8Array>} */
	const assets = {};
	for (const path of await sealgate.policyAssets(policyNext).catch(() => [])) {
		const file = resolve(dirname(policyFile), path);
		if (existsSync(file)) assets[path] = await readFile(file);
	}
	return { policyNext, assets };
}

/** @param {string} folder @returns {Promise<Record<string, Uint8Array>>} */
async function readFolder(folder) {
	try {
		const names = (await readdir(folder, { withFileTypes: true }))
			.filter((entry) => !entry.isDirectory())
			.map(({ name }) => name);
		return Object.fromEntries(
			await Promise.all(
				names.map(async (name) => [name, await readFile(join(folder, name))]),
			),
		);
	} catch (error) {
		throw new UsageError(
			`REGISTRIES_D is ${folder}: no such folder can be read (${messageOf(error)}). Give the path of a registries.d, or leave it out.`,
		);
	}
}

/**
 * @param {string} policyFile
 * @param {string[]} paths as the policy writes them: absolute, or relative to the policy
 */
async function readAssets(policyFile, paths) {
	/** @type {Record<string, Uint8Array>} */
	const assets = {};
	const missing = [];
	for (const path of paths) {
		const file = resolve(dirname(policyFile), path);
		try {
			assets[path] = await readFile(file);
		} catch (error) {
			missing.push(`  ${path}: ${messageOf(error)}`);
		}
	}
	if (missing.length > 0) {
		throw new UsageError(
			`${policyFile} names files that cannot be read (relative paths begin at the policy's own folder):\n${missing.join("\n")}\n` +
				"Put them there, or correct the policy; nothing is served until then.",
		);
	}
	return assets;
}

/** @param {number} port */
async function checkPortIsFree(port) {
	await new Promise((done, fail) => {
		const probe = createServer();
		probe.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
			fail(
				new UsageError(
					`Port ${port} cannot be used (${error.code}): end what listens there, or choose another one with PORT=…`,
				),
			);
		});
		probe.listen(port, "127.0.0.1", () => probe.close(done));
	});
}

/**
 * @param {string} directory
 * @param {Settings} settings
 * @param {Policy} policy
 */
async function writeBundle(
	directory,
	settings,
	{ policy, policyNext, assets, registriesD },
) {
	await rm(directory, { recursive: true, force: true });
	await mkdir(join(directory, "site"), { recursive: true });
	// The first module is the worker.
	const shell = ["index.js", "admin.js", "policy.js", "state.js", "store.js"];
	const entries = ["workerd.js", ...PARTS.map((part) => `${part}.js`)];
	const modules = new Set(entries);
	for (const entry of entries)
		for (const file of await importsOf(join(root, "pkg"), entry))
			modules.add(file);
	for (const file of shell)
		await cp(join(root, "worker", file), join(directory, file));
	for (const file of modules)
		await cp(join(root, "pkg", file), join(directory, "pkg", file));
	await copySite(join(directory, "site"));
	await writeFile(join(directory, "policy.json"), policy);
	if (policyNext) await writeFile(join(directory, "next.json"), policyNext);
	const base64 = (/** @type {Record<string, Uint8Array>} */ files) =>
		JSON.stringify(
			Object.fromEntries(
				Object.entries(files).map(([path, bytes]) => [
					path,
					Buffer.from(bytes).toString("base64"),
				]),
			),
		);
	await writeFile(join(directory, "assets.json"), base64(assets));
	if (registriesD)
		await writeFile(join(directory, "registries.json"), base64(registriesD));
	await writeFile(
		join(directory, "config.capnp"),
		configuration(directory, settings, registriesD !== undefined, shell, [
			...modules,
		]),
		// It holds what the gateway signs in with.
		{ mode: 0o600 },
	);
}

/**
 * The files that an entry of the package needs, itself not among them.
 *
 * @param {string} folder
 * @param {string} entry
 * @param {Set<string>} seen
 */
async function importsOf(folder, entry, seen = new Set()) {
	if (entry.endsWith(".wasm")) return [];
	const source = await readFile(join(folder, entry), "utf8");
	for (const [, specifier] of source.matchAll(
		/^(?:import|export)\b[^'";]*['"]\.\/([^'"]+)['"]/gm,
	)) {
		if (specifier === undefined || seen.has(specifier)) continue;
		seen.add(specifier);
		await importsOf(folder, specifier, seen);
	}
	return [...seen];
}

/** @param {string} site */
async function copySite(site) {
	const files = siteFiles(join(root, "www"), join(root, "pkg"));
	for (const [path, file] of files) await cp(file, join(site, path));
}

/**
 * @param {string} directory
 * @param {Settings} settings
 * @param {boolean} hasRegistries
 * @param {string[]} shell
 * @param {string[]} modules
 */
function configuration(directory, settings, hasRegistries, shell, modules) {
	const demo = relative(directory, join(root, "fixtures/demo"));
	const module = (/** @type {string} */ path) =>
		`(name = ${text(path)}, ${path.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${text(path)})`;
	return `# Written by worker/serve.mjs.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    # A registry on this machine or in a private network is the usual upstream here: addresses that the operator wrote.
    (name = "upstreams", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
    # Everything else goes out here, where addresses are refused by what they are.
    (name = "outside", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    (name = "page", disk = (path = "site")),${settings.demo ? `\n    (name = "demo", disk = (path = ${text(demo)})),` : ""}
  ],
  sockets = [(name = "http", address = "127.0.0.1:${settings.port}", http = (), service = "gateway")]
);

const gateway :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  modules = [
    ${shell.map(module).join(",\n    ")},
    (name = "sealgate", esModule = "export * from './pkg/workerd.js';"),
    ${PARTS.map((part) => `(name = "sealgate/${part}", esModule = "export * from '../pkg/${part}.js';")`).join(",\n    ")},
    ${modules.map((file) => module(`pkg/${file}`)).join(",\n    ")}
  ],
  bindings = [
    (name = "UPSTREAM", text = ${text(settings.upstream)}),
    (name = "NAME", text = ${text(settings.name)}),
    (name = "POLICY", data = embed "policy.json"),${settings.nextFile === "" ? "" : '\n    (name = "POLICY_NEXT", data = embed "next.json"),'}
    (name = "POLICY_ASSETS", json = embed "assets.json"),${hasRegistries ? '\n    (name = "REGISTRIES_D", json = embed "registries.json"),' : ""}
${Object.entries(settings.more)
	.map(
		([name, value]) => `\n    (name = ${text(name)}, text = ${text(value)}),`,
	)
	.join("")}
    (name = "UPSTREAMS", service = "upstreams"),
    (name = "ASSETS", service = "page")${settings.demo ? ',\n    (name = "DEMO", service = "demo")' : ""}
  ],
  globalOutbound = "outside"
);
`;
}

/**
 * A Cap'n Proto text literal; its escapes are C's, so everything but plain ASCII goes as bytes.
 *
 * @param {string} value
 */
function text(value) {
	const escaped = [...Buffer.from(value)].map((byte) =>
		byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
			? String.fromCharCode(byte)
			: `\\x${byte.toString(16).padStart(2, "0")}`,
	);
	return `"${escaped.join("")}"`;
}

/**
 * @param {string} directory
 * @param {Settings} settings
 * @param {Policy} policy
 */
async function run(directory, settings, policy) {
	const workerd = spawn(workerdPath(), ["serve", "config.capnp"], {
		cwd: directory,
		stdio: ["ignore", "inherit", "inherit"],
	});
	/** @type {Promise<number>} */
	const ended = new Promise((done) => {
		workerd.once("error", (error) => {
			console.error(`workerd did not start: ${error.message}`);
			done(1);
		});
		workerd.once("exit", (code) => done(code ?? 0));
	});
	for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
		process.on(signal, () => {
			workerd.kill("SIGTERM");
			// It lets answers end first, and waits without end for a registry that never ends one.
			setTimeout(() => workerd.kill("SIGKILL"), STOP_TIMEOUT_MS).unref();
		});
	const answered = await Promise.race([
		untilAnswers(settings.port),
		ended.then(() => false),
	]);
	if (answered) announce(settings, policy);
	else workerd.kill("SIGTERM");
	process.exitCode = (await ended) || (answered ? 0 : 1);
}

function workerdPath() {
	try {
		const { default: path } = createRequire(join(root, "tools/package.json"))(
			"workerd",
		);
		return path;
	} catch {
		throw new UsageError(
			"workerd is not installed: run `npm ci` in tools/ first (`make serve` does).",
		);
	}
}

/** @param {number} port */
async function untilAnswers(port) {
	const deadline = Date.now() + START_TIMEOUT_MS;
	while (Date.now() < deadline) {
		const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(
			() => undefined,
		);
		if (answer !== undefined) return true;
		await new Promise((done) => setTimeout(done, 50));
	}
	console.error(
		`workerd did not answer on port ${port} within ${START_TIMEOUT_MS / 1000} seconds`,
	);
	return false;
}

/**
 * @param {Settings} settings
 * @param {Policy} policy
 */
function announce(settings, policy) {
	const host = `localhost:${settings.port}`;
	const front = settings.demo
		? "the embedded demo registry"
		: settings.upstream || "the registries in REGISTRIES";
	const judged = settings.name === "" ? "" : `as ${settings.name} `;
	const pull = settings.demo
		? `podman pull --tls-verify=false ${host}/demo/signed:1.0   (and demo/unsigned:1.0, which is refused)`
		: `podman pull --tls-verify=false ${host}/REPOSITORY:TAG`;
	if (policy.complaint !== undefined) {
		console.error(
			`${settings.policyFile} cannot be understood, so ${settings.more.MODE === "audit" ? "nothing is judged" : "every pull is refused"}: ${policy.complaint}`,
		);
	}
	// The demo's own has mistakes on purpose, such as a key that has expired.
	const lints = settings.policyFile === DEMO.policy ? [] : (policy.lints ?? []);
	const notes = lints.filter(({ severity }) => severity === "note").length;
	for (const { id, name, severity, pointer, message } of lints.filter(
		({ severity }) => severity !== "note",
	)) {
		console.error(
			`${basename(settings.policyFile)}: ${severity} ${id} ${name}${pointer === "" ? "" : `, ${pointer}`}: ${message}`,
		);
	}
	if (notes > 0)
		console.error(
			`${basename(settings.policyFile)}: ${notes} note${notes === 1 ? "" : "s"}, which sealgate policy lint shows`,
		);
	console.log(
		`sealgate is serving http://${host} in front of ${front}, judged ${judged}by ${basename(settings.policyFile)}. Try: ${pull}`,
	);
}

/** @param {unknown} error */
function messageOf(error) {
	return error instanceof Error ? error.message : String(error);
}
