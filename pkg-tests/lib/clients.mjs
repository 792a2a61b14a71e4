/**
 * Real clients, each on folders of its own: nothing that one case leaves behind can answer for the next.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { tool } from "./peers.mjs";

const TIMEOUT_MS = 120_000;

/** @typedef {{ ok: boolean, code: number, output: string }} Result */

/**
 * @typedef {object} Client
 * @property {string} name
 * @property {string} version
 * @property {boolean} printsBody whether it shows the message of a refusal; otherwise only HTTP/1.1's reason phrase
 * @property {(reference: string, login?: string) => Promise<Result>} pull into an empty store; `login`: `name:token`
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string }} [options]
 * @returns {Promise<Result>}
 */
export async function run(command, args, { env = {}, cwd } = {}) {
	const child = spawn(command, args, {
		env: { ...process.env, ...env },
		cwd,
		stdio: ["ignore", "pipe", "pipe"],
		timeout: TIMEOUT_MS,
		killSignal: "SIGKILL",
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (text) => {
			output += text;
		});
	const code = await Promise.race([
		once(child, "close").then(([status]) => status ?? -1),
		once(child, "error").then(([error]) => {
			output += error.message;
			return -1;
		}),
	]);
	return { ok: code === 0, code, output };
}

/** What `startClients` needs, and where Debian has it. */
export const CLIENT_PROGRAMS = {
	podman: "podman",
	skopeo: "skopeo",
	buildah: "buildah",
	containerd: "containerd",
	ctr: "containerd",
	go: "golang-go (1.26 or newer: builds crane)",
};

/**
 * Names what is missing; on a person's machine the test is then skipped, in CI it fails.
 *
 * @param {{ skip?(message: string): void }} test a hook cannot be skipped, its tests can
 * @param {Record<string, string>} programs program → package
 * @returns {boolean} whether all are there
 */
export function need(test, programs) {
	const folders = (process.env.PATH ?? "").split(delimiter);
	const missing = Object.entries(programs).filter(
		([program]) => !folders.some((folder) => existsSync(join(folder, program))),
	);
	if (missing.length === 0) return true;
	const message = `missing: ${missing.map(([program, from]) => `${program} (apt-get install ${from})`).join(", ")}`;
	if (process.env.CI) throw new Error(message);
	test.skip?.(message);
	return false;
}

/** @returns {Promise<Client[]>} */
export async function startClients() {
	return [
		await containersStorage("podman"),
		await skopeo(),
		await containersStorage("buildah"),
		await crane(),
		await containerd(),
	];
}

/**
 * @param {string} name
 * @param {string} version
 * @param {boolean} printsBody
 * @param {(reference: string, folder: string, login: string | undefined) => Promise<Result>} pull
 * @returns {Client}
 */
function client(name, version, printsBody, pull) {
	return {
		name,
		version,
		printsBody,
		async pull(reference, login) {
			const folder = await mkdtemp(join(tmpdir(), `sealgate-${name}-`));
			try {
				return await pull(reference, folder, login);
			} finally {
				await rm(folder, { recursive: true, force: true });
			}
		},
		async stop() {},
	};
}

/** podman and buildah: the same library, the same options. @param {'podman' | 'buildah'} name */
async function containersStorage(name) {
	const { output } = await run(name, ["--version"]);
	return client(
		name,
		/\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? "",
		true,
		async (reference, folder, login) => {
			const policy = await openPolicy(folder);
			const roots = [
				"--root",
				join(folder, "root"),
				"--runroot",
				join(folder, "run"),
				"--storage-driver",
				"vfs",
			];
			const args =
				name === "podman"
					? ["--cgroup-manager", "cgroupfs", "--events-backend", "file"]
					: [];
			return run(
				name,
				[
					...roots,
					...args,
					"pull",
					...(login === undefined ? [] : ["--creds", login]),
					"--tls-verify=false",
					"--signature-policy",
					policy,
					reference,
				],
				{ env: { HOME: folder, TMPDIR: folder } },
			);
		},
	);
}

async function skopeo() {
	const { output } = await run("skopeo", ["--version"]);
	return client(
		"skopeo",
		/\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? "",
		true,
		async (reference, folder, login) => {
			const policy = await openPolicy(folder);
			return run(
				"skopeo",
				[
					"--policy",
					policy,
					"copy",
					...(login === undefined ? [] : ["--src-creds", login]),
					"--src-tls-verify=false",
					`docker://${reference}`,
					`dir:${join(folder, "image")}`,
				],
				{ env: { HOME: folder } },
			);
		},
	);
}

async function crane() {
	const program = await tool("crane");
	const { output } = await run(program, ["version"]);
	return client(
		"crane",
		output.trim(),
		true,
		async (reference, folder, login) => {
			if (login !== undefined) {
				const [host = ""] = reference.split("/");
				const auth = Buffer.from(login).toString("base64");
				await writeFile(
					join(folder, "config.json"),
					JSON.stringify({ auths: { [host]: { auth } } }),
				);
			}
			return run(
				program,
				["pull", "--insecure", reference, join(folder, "image.tar")],
				{ env: { HOME: folder, DOCKER_CONFIG: folder } },
			);
		},
	);
}

/**
 * One daemon, and a namespace for each pull; content is not shared between them, because containerd answers a later pull from
 * what it has.
 *
 * @returns {Promise<Client>}
 */
async function containerd() {
	const { output } = await run("ctr", ["--version"]);
	const folder = await mkdtemp(join(tmpdir(), "sealgate-containerd-"));
	const address = join(folder, "containerd.sock");
	const config = join(folder, "config.toml");
	await writeFile(
		config,
		'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' +
			'[plugins."io.containerd.metadata.v1.bolt"]\ncontent_sharing_policy = "isolated"\n',
	);
	const daemon = spawn(
		"containerd",
		[
			"--config",
			config,
			"--root",
			join(folder, "root"),
			"--state",
			join(folder, "state"),
			"--address",
			address,
		],
		{ stdio: ["ignore", "ignore", "ignore"] },
	);
	const ended = once(daemon, "exit");
	await untilThere(address);
	const ctr = (/** @type {string[]} */ ...args) =>
		run("ctr", ["--address", address, ...args]);
	let pulls = 0;
	return {
		name: "ctr",
		version: /\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? "",
		printsBody: false,
		async pull(reference, login) {
			pulls += 1;
			return ctr(
				"--namespace",
				`pull${pulls}`,
				"images",
				"pull",
				...(login === undefined ? [] : ["--user", login]),
				"--plain-http",
				"--snapshotter",
				"native",
				reference,
			);
		},
		async stop() {
			daemon.kill("SIGTERM");
			await ended;
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** @param {string} path */
async function untilThere(path) {
	for (let tries = 0; tries < 300; tries += 1) {
		if (existsSync(path)) return;
		await new Promise((done) => setTimeout(done, 100));
	}
	throw new Error(`containerd did not start: no ${path} after 30 s`);
}

/** The gateway decides here, not the client. @param {string} folder */
async function openPolicy(folder) {
	await mkdir(folder, { recursive: true });
	const path = join(folder, "client-policy.json");
	await writeFile(path, '{"default":[{"type":"insecureAcceptAnything"}]}');
	return path;
}
