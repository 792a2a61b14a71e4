/**
 * Nodes as they are in a cluster: real clients that keep what one pull brought for the next one. What a node holds is read from its
 * store; what it says about a pull is not asked.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
	lstat,
	mkdir,
	mkdtemp,
	readFile,
	readdir,
	rm,
	writeFile,
} from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./clients.mjs";
import { tool } from "./peers.mjs";

/** Files beyond this are none that a test pushed. */
const LARGEST = 1 << 20;
const START_MS = 30_000;

/** Of this machine, as images name it. */
export const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

/** @typedef {import("./clients.mjs").Result} Result */

/**
 * @typedef {object} Node
 * @property {string} name
 * @property {(reference: string, all?: boolean) => Promise<Result>} pull  all: every image of an index, where the client knows such a thing
 * @property {(...args: string[]) => Promise<Result>} [ask] what else its command is asked: of `ctr`
 * @property {(reference: string, to: string) => Promise<Result>} [push] of docker: what it pulled, under another name
 * @property {() => Promise<Set<string>>} holds the digests of everything in its store
 * @property {() => Promise<void>} stop
 */

/**
 * hosts: a folder of hosts.toml, which `ctr` reads for each pull.
 *
 * @type {Record<string, (options?: { hosts?: string }) => Promise<Node>>}
 */
export const NODES = {
	"containerd 1.6, ctr": ({ hosts } = {}) =>
		containerd({
			daemon: "containerd",
			ctr: "ctr",
			cri: false,
			config: CONTAINERD_1,
			hosts,
		}),
	"containerd 1.6, CRI": () =>
		containerd({
			daemon: "containerd",
			ctr: "ctr",
			cri: true,
			config: CONTAINERD_1,
		}),
	"containerd 2, ctr": async ({ hosts } = {}) =>
		containerd({
			daemon: await tool("containerd2"),
			ctr: await tool("ctr2"),
			cri: false,
			config: CONTAINERD_2,
			hosts,
		}),
	"containerd 2, CRI": async () =>
		containerd({
			daemon: await tool("containerd2"),
			ctr: await tool("ctr2"),
			cri: true,
			config: CONTAINERD_2,
		}),
	"docker 20.10": () =>
		docker({ program: "dockerd", containerd: "containerd", driver: "vfs" }),
	// Images in containerd's store, as docker has it from 29 on.
	"docker 29": async () =>
		docker({
			program: await tool("dockerd"),
			containerd: await tool("containerd2"),
			driver: "native",
		}),
	podman,
	skopeo,
	"containers/image 5.42": imageCopy,
};

/** What a node needs, and where Debian has it. @type {Record<string, string>} */
export const NODE_PROGRAMS = {
	containerd: "containerd",
	ctr: "containerd",
	dockerd: "docker.io",
	podman: "podman",
	skopeo: "skopeo",
	go: "golang-go (1.26 or newer: builds containerd 2)",
};

// The snapshotter that needs nothing of the kernel; images only: no container is started here.
const CONTAINERD_1 =
	'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "native"\n';
const CONTAINERD_2 =
	'version = 3\n[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "native"\n' +
	`[[plugins."io.containerd.transfer.v1.local".unpack_config]]\nplatform = "linux/${ARCHITECTURE}"\nsnapshotter = "native"\n`;

/** @param {string} name @returns {Promise<string>} */
const folderFor = (name) => mkdtemp(join(tmpdir(), `sealgate-node-${name}-`));

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{ ready(): boolean | Promise<boolean>, env?: Record<string, string> }} options
 */
async function daemon(program, args, { ready, env = {} }) {
	const child = spawn(program, args, {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, ...env },
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (text) => {
			output = (output + text).slice(-20_000);
		});
	let over = false;
	const ended = Promise.race([once(child, "exit"), once(child, "error")]).then(
		() => {
			over = true;
		},
	);
	const end = () => void child.kill("SIGTERM");
	process.once("exit", end);
	const stop = async () => {
		process.removeListener("exit", end);
		if (!over) child.kill("SIGTERM");
		await ended;
	};
	for (const deadline = Date.now() + START_MS; !(await ready()); ) {
		if (!over && Date.now() < deadline)
			await new Promise((done) => setTimeout(done, 100));
		else {
			await stop();
			throw new Error(
				`${program} did not start within ${START_MS / 1000} s:\n${output}`,
			);
		}
	}
	return stop;
}

/**
 * @param {{ daemon: string, ctr: string, cri: boolean, config: string, hosts?: string }} options
 * @returns {Promise<Node>}
 */
async function containerd({ daemon: program, ctr, cri, config, hosts }) {
	const folder = await folderFor("containerd");
	const address = join(folder, "containerd.sock");
	const path = join(folder, "config.toml");
	await writeFile(path, config);
	const client = cri ? await tool("cri") : ctr;
	const ask = (/** @type {string[]} */ ...args) =>
		run(ctr, [
			"--address",
			address,
			"--namespace",
			cri ? "k8s.io" : "default",
			...args,
		]);
	const answers = async () =>
		existsSync(address) &&
		(await (cri ? run(client, [address, "images"]) : ask("version"))).ok;
	const stop = await daemon(
		program,
		[
			"--config",
			path,
			"--root",
			join(folder, "root"),
			"--state",
			join(folder, "state"),
			"--address",
			address,
		],
		{ ready: answers },
	);
	return {
		name: `${program}${cri ? ", CRI" : ""}`,
		pull: (reference) =>
			cri
				? run(client, [address, "pull", reference])
				: ask(
						"images",
						"pull",
						"--plain-http",
						...(hosts === undefined ? [] : ["--hosts-dir", hosts]),
						"--snapshotter",
						"native",
						reference,
					),
		ask,
		async holds() {
			const { ok, output } = await ask("content", "ls", "--quiet");
			if (!ok) throw new Error(`ctr content ls: ${output}`);
			return new Set(
				output.split("\n").filter((line) => line.startsWith("sha256:")),
			);
		},
		async stop() {
			await stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/**
 * dockerd with a containerd of its own, asked over its API as the docker command asks.
 *
 * @param {{ program: string, containerd: string, driver: string }} options
 * @returns {Promise<Node>}
 */
async function docker({ program, containerd: companion, driver }) {
	const folder = await folderFor("docker");
	const address = join(folder, "containerd.sock");
	const socket = join(folder, "docker.sock");
	const config = join(folder, "config.toml");
	await writeFile(
		config,
		'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
	);
	const stopContainerd = await daemon(
		companion,
		[
			"--config",
			config,
			"--root",
			join(folder, "containerd"),
			"--state",
			join(folder, "containerd-state"),
			"--address",
			address,
		],
		{ ready: () => existsSync(address) },
	);
	const options = {
		"--host": `unix://${socket}`,
		"--containerd": address,
		"--data-root": join(folder, "data"),
		"--exec-root": join(folder, "exec"),
		"--pidfile": join(folder, "docker.pid"),
		"--config-file": join(folder, "daemon.json"),
		"--storage-driver": driver,
		"--bridge": "none",
		"--iptables": "false",
		"--ip6tables": "false",
	};
	await writeFile(join(folder, "daemon.json"), "{}");
	let stopDocker = async () => {};
	const clean = async () => {
		await stopDocker();
		await stopContainerd();
		await rm(folder, { recursive: true, force: true });
	};
	try {
		stopDocker = await daemon(
			program,
			Object.entries(options).map(([name, value]) => `${name}=${value}`),
			{
				ready: async () =>
					existsSync(socket) && (await api(socket, "GET", "/_ping")).ok,
			},
		);
	} catch (error) {
		await clean();
		throw error;
	}
	return {
		name: program,
		async pull(reference) {
			const at = reference.includes("@")
				? reference.indexOf("@")
				: reference.lastIndexOf(":");
			const { ok, output, code } = await api(
				socket,
				"POST",
				`/images/create?fromImage=${encodeURIComponent(reference.slice(0, at))}&tag=${encodeURIComponent(reference.slice(at + 1))}`,
			);
			return { ok: ok && !output.includes('"error"'), output, code };
		},
		async push(reference, to) {
			const at = to.lastIndexOf(":");
			const [repo, tag] = [to.slice(0, at), to.slice(at + 1)];
			const name = encodeURIComponent(reference);
			await api(socket, "POST", `/images/${name}/tag?repo=${repo}&tag=${tag}`);
			return api(socket, "POST", `/images/${repo}/push?tag=${tag}`, {
				"x-registry-auth": btoa("{}"),
			});
		},
		// Configs lie in dockerd's own folder, manifests in containerd's.
		holds: () => hashes(folder),
		stop: clean,
	};
}

/** @param {string} socketPath @param {string} method @param {string} path @param {Record<string, string>} [headers] @returns {Promise<Result>} */
function api(socketPath, method, path, headers = {}) {
	return new Promise((resolve) => {
		const sent = request(
			{ socketPath, method, path, headers, timeout: 60_000 },
			(response) => {
				let output = "";
				response
					.setEncoding("utf8")
					.on("data", (text) => {
						output += text;
					})
					.on("end", () =>
						resolve({
							ok: response.statusCode === 200,
							code: response.statusCode ?? 0,
							output,
						}),
					);
			},
		);
		sent.on("timeout", () => sent.destroy(new Error("no answer within 60 s")));
		sent.on("error", (error) =>
			resolve({ ok: false, code: -1, output: error.message }),
		);
		sent.end();
	});
}

/** The gateway decides here, not the client. @param {string} folder */
async function openPolicy(folder) {
	const path = join(folder, "client-policy.json");
	await writeFile(path, '{"default":[{"type":"insecureAcceptAnything"}]}');
	return path;
}

/** @returns {Promise<Node>} */
async function podman() {
	const folder = await folderFor("podman");
	const policy = await openPolicy(folder);
	const base = [
		"--root",
		join(folder, "root"),
		"--runroot",
		join(folder, "run"),
		"--storage-driver",
		"vfs",
		"--cgroup-manager",
		"cgroupfs",
		"--events-backend",
		"file",
	];
	return {
		name: "podman",
		pull: (reference) =>
			run(
				"podman",
				[
					...base,
					"pull",
					"--tls-verify=false",
					"--signature-policy",
					policy,
					reference,
				],
				{ env: { HOME: folder, TMPDIR: folder } },
			),
		holds: () => hashes(join(folder, "root")),
		stop: () => rm(folder, { recursive: true, force: true }),
	};
}

/** @returns {Promise<Node>} */
async function skopeo() {
	const folder = await folderFor("skopeo");
	const policy = await openPolicy(folder);
	let copies = 0;
	return {
		name: "skopeo",
		async pull(reference, all = false) {
			copies += 1;
			await mkdir(join(folder, "store"), { recursive: true });
			return run(
				"skopeo",
				[
					"--policy",
					policy,
					"copy",
					...(all ? ["--all"] : []),
					"--src-tls-verify=false",
					`docker://${reference}`,
					`dir:${join(folder, "store", String(copies))}`,
				],
				{ env: { HOME: folder } },
			);
		},
		holds: () => hashes(join(folder, "store")),
		stop: () => rm(folder, { recursive: true, force: true }),
	};
}

/** The library of today's podman and skopeo; it holds what a folder holds. @returns {Promise<Node>} */
async function imageCopy() {
	const folder = await folderFor("image-copy");
	const policy = await openPolicy(folder);
	let copies = 0;
	return {
		name: "containers/image",
		async pull(reference, all = false) {
			copies += 1;
			const target = join(folder, "store", String(copies));
			await mkdir(target, { recursive: true });
			await mkdir(join(folder, "registries.d"), { recursive: true });
			return run(await tool("image-copy"), [
				policy,
				join(folder, "registries.d"),
				`docker://${reference}`,
				target,
				...(all ? ["all"] : []),
			]);
		},
		holds: () => hashes(join(folder, "store")),
		stop: () => rm(folder, { recursive: true, force: true }),
	};
}

/** The digest of every file below a folder: whatever a client calls it, it holds those bytes. @param {string} folder @returns {Promise<Set<string>>} */
async function hashes(folder) {
	/** @type {Set<string>} */
	const found = new Set();
	const walk = async (/** @type {string} */ path) => {
		const stat = await lstat(path).catch(() => undefined);
		if (stat?.isDirectory())
			for (const name of await readdir(path).catch(
				() => /** @type {string[]} */ ([]),
			))
				await walk(join(path, name));
		else if (stat?.isFile() && stat.size <= LARGEST) {
			const bytes = await readFile(path).catch(() => undefined);
			if (bytes)
				found.add(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
		}
	};
	await walk(folder);
	return found;
}
