/**
 * A docker-registry with images of its own, and in front of it what somebody deploys from the packed package: the worker in workerd by
 * the package's own configuration, or in wrangler's local Cloudflare (miniflare) by its wrangler.jsonc.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
	mkdir,
	mkdtemp,
	readFile,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NAME, REJECT, signedBy } from "../clients/front.mjs";
import { run } from "../lib/clients.mjs";
import {
	makeKey,
	pushImage,
	signTag,
	startRegistry,
	fetchManifest,
} from "../lib/peers.mjs";
import { startProxy } from "../lib/proxy.mjs";
import { freePort } from "../lib/serve.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));
export const workerd = createRequire(join(root, "tools/package.json"))(
	"workerd",
).default;
export const wrangler = join(here, "node_modules/.bin/wrangler");
export const SECRETS = {
	SECRET: "a secret of this test alone",
	POLICY_SECRET: "who bears it may push",
	ADMIN_SECRET: "who bears it may ask",
};
const START_MS = 60_000;

/** What runs: a test that fails leaves it behind, and would wait for it. @type {Set<import("node:child_process").ChildProcess>} */
const started = new Set();
export function stopAll() {
	for (const child of started) child.kill("SIGTERM");
}
process.once("exit", stopAll);

/** @typedef {Awaited<ReturnType<typeof startUpstream>>} Upstream */
/** @typedef {Awaited<ReturnType<typeof startProcess>>} Process */

/** A folder with the package installed in it, as the pages tell. */
export async function makeProject() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-deploy-"));
	const npm = (/** @type {string[]} */ ...args) =>
		must("npm", [...args, "--no-fund", "--no-audit", "--loglevel=error"], {
			cwd: folder,
		});
	await npm("pack", join(root, "pkg"), "--pack-destination", folder);
	await writeFile(join(folder, "package.json"), '{"private":true}');
	const { version } = JSON.parse(
		await readFile(join(root, "pkg/package.json"), "utf8"),
	);
	await npm("install", "--offline", `./sealgate-${version}.tgz`);
	await symlink(
		join(here, "node_modules/wrangler"),
		join(folder, "node_modules/wrangler"),
	);
	return {
		folder,
		remove: () => rm(folder, { recursive: true, force: true }),
	};
}

/** @param {string} program @param {string[]} args @param {{ cwd?: string, env?: Record<string, string> }} [options] */
export async function must(program, args, options) {
	const { ok, output } = await run(program, args, options);
	if (!ok) throw new Error(`${program} ${args.join(" ")}:\n${output}`);
	return output;
}

/** Signed images below team/, a policy that demands it, and the registry behind a proxy that counts. */
export async function startUpstream() {
	const folder = await mkdtemp(join(tmpdir(), "sealgate-upstream-"));
	const good = await makeKey(folder, { name: "good" });
	const registry = await startRegistry();
	const proxy = await startProxy(registry.url);
	const policy = join(folder, "policy.json");
	/** @param {object[]} team requirements */
	const writePolicy = (team = signedBy("good.pub")) =>
		writeFile(
			policy,
			JSON.stringify({
				sealgate: { version: 1 },
				default: REJECT,
				transports: { docker: { [`${NAME}/team`]: team } },
			}),
		);
	await writePolicy();
	return {
		folder,
		proxy,
		policy,
		writePolicy,
		/** @param {string} output */
		async bundle(output) {
			const cli = join(root, "pkg/cli.cjs");
			const args = ["policy", "bundle", policy, "--output", output];
			return must(process.execPath, [cli, ...args]);
		},
		/** @param {string} repo @param {boolean} isSigned */
		async image(repo, isSigned) {
			const digest = await pushImage(registry.host, repo, "1.0", {
				text: `${repo} ${Math.random()}`,
			});
			const reference = `${registry.host}/${repo}@${digest}`;
			if (isSigned)
				await signTag(reference, {
					key: good.key,
					identity: `${NAME}/${repo}`,
				});
			const { bytes = Buffer.alloc(0) } =
				(await fetchManifest(registry.host, repo, digest)) ?? {};
			const [layer] = JSON.parse(bytes.toString()).layers;
			return { digest, layer: layer.digest };
		},
		async stop() {
			await proxy.stop();
			await registry.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/**
 * workerd by the package's config.capnp.
 *
 * @param {{ project: string, upstream: string, folder: string, env?: Record<string, string>, config?: string }} options folder: has policy/ and state/
 */
export async function startWorkerd({
	project,
	upstream,
	folder,
	env = {},
	config = join(project, "node_modules/sealgate/deploy/workerd/config.capnp"),
}) {
	const port = await freePort();
	const at = (/** @type {string} */ name, /** @type {string} */ path) => [
		"--directory-path",
		`${name}=${path}`,
	];
	await mkdir(join(folder, "policy"), { recursive: true });
	await mkdir(join(folder, "state"), { recursive: true });
	return startProcess(
		workerd,
		[
			...["serve", config, "--socket-addr", `http=127.0.0.1:${port}`],
			...at("package", join(project, "node_modules/sealgate")),
			...at("policy", join(folder, "policy")),
			...at("state", join(folder, "state")),
		],
		{ UPSTREAM: upstream, NAME, ...SECRETS, ...env },
		port,
	);
}

/**
 * wrangler's local Cloudflare by the package's wrangler.jsonc, with what an operator writes into it.
 *
 * @param {{ project: string, upstream: string, state: string, change?: (config: any) => void }} options state: what outlives it
 */
export async function startWrangler({
	project,
	upstream,
	state,
	change = () => {},
}) {
	const port = await freePort();
	const config = await readTemplate(project);
	Object.assign(config.vars, { UPSTREAM: upstream, NAME });
	change(config);
	await writeFile(join(project, "wrangler.json"), JSON.stringify(config));
	await writeFile(
		join(project, ".dev.vars"),
		Object.entries(SECRETS)
			.map(([name, value]) => `${name}="${value}"\n`)
			.join(""),
	);
	return startProcess(
		process.execPath,
		[
			...[wrangler, "dev", "--config", join(project, "wrangler.json")],
			...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
			...["--persist-to", state, "--show-interactive-dev-session=false"],
		],
		{ WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: state, CI: "true" },
		port,
		project,
	);
}

/** Comments stand on lines of their own. @param {string} project */
export async function readTemplate(project) {
	const text = await readFile(
		join(project, "node_modules/sealgate/deploy/cloudflare/wrangler.jsonc"),
		"utf8",
	);
	return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ""));
}

/** @param {string} program @param {string[]} args @param {Record<string, string>} env @param {number} port @param {string} [cwd] */
export async function startProcess(program, args, env, port, cwd) {
	const { PATH = "", HOME = "" } = process.env;
	const child = spawn(program, args, {
		cwd,
		env: { PATH, HOME, ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (text) => {
			output += text;
		});
	const ended = once(child, "exit");
	started.add(child);
	child.once("exit", () => started.delete(child));
	const url = `http://127.0.0.1:${port}`;
	const deadline = Date.now() + START_MS;
	while (!(await fetch(`${url}/healthz`).catch(() => undefined))) {
		if (child.exitCode !== null || Date.now() > deadline)
			throw new Error(`${program} did not serve:\n${output}`);
		await new Promise((done) => setTimeout(done, 100));
	}
	return {
		url,
		host: `localhost:${port}`,
		output: () => output,
		/** @param {NodeJS.Signals} [signal] */
		async stop(signal = "SIGTERM") {
			child.kill(signal);
			await ended;
		},
	};
}

/** Lines of the log, as they were written. @param {Process} gateway @param {string} event */
export function logged(gateway, event) {
	return gateway
		.output()
		.split("\n")
		.flatMap((line) => {
			const at = line.indexOf('{"event"');
			if (at < 0) return [];
			const end = line.lastIndexOf("}");
			const one = JSON.parse(line.slice(at, end + 1));
			return one.event === event ? [one] : [];
		});
}

/** @param {() => unknown} holds @param {string} what @param {number} [ms] */
export async function until(holds, what, ms = 15_000) {
	const deadline = Date.now() + ms;
	while (!(await holds())) {
		if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise((done) => setTimeout(done, 100));
	}
}
