/**
 * Nodes as they are in a cluster: real clients that keep what one pull brought for the next one. What a node holds is read from its
 * store; what it says about a pull is not asked.
 *
 * @module
 */
import assert from "node:assert/strict";
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
/** Whom a client is, at the registry of that name. @typedef {{ host: string, user: string, password: string }} Login */
/**
 * How a client is configured.
 *
 * @typedef {object} Options
 * @property {Login} [login]
 * @property {string} [hosts] of containerd: a folder of hosts.toml
 * @property {(config: string) => string} [edit] of containerd: what becomes of its config.toml
 * @property {string} [registries] of podman and buildah: a registries.conf
 * @property {string} [daemonJson] of docker: what stands in it
 * @property {string} [toml] of buildkitd: what stands in its configuration
 * @property {string} [sourcePolicy] of buildctl: a file
 * @property {Record<string, string>} [mounts] of dockerd and buildkitd: files and folders that they see in the place of others
 * @property {Record<string, string>} [env] of dockerd and buildkitd
 */

/**
 * @typedef {object} Node
 * @property {string} name
 * @property {(reference: string, all?: boolean) => Promise<Result>} pull  all: every image of an index, where the client knows such a thing
 * @property {(...args: string[]) => Promise<Result>} [ask] what else its command is asked: of `ctr`
 * @property {(reference: string, to: string) => Promise<Result>} [push] of docker: what it pulled, under another name
 * @property {() => Promise<Set<string>>} holds the digests of everything in its store
 * @property {() => Promise<void>} stop
 */

/** @type {Record<string, (options?: Options) => Promise<Node>>} */
export const NODES = {
	"containerd 1.6, ctr": (options) =>
		containerd({
			...options,
			daemon: "containerd",
			ctr: "ctr",
			cri: false,
			config: CONTAINERD_1,
		}),
	"containerd 1.6, CRI": (options) =>
		containerd({
			...options,
			daemon: "containerd",
			ctr: "ctr",
			cri: true,
			config: CONTAINERD_1,
			table: 'plugins."io.containerd.grpc.v1.cri".registry',
		}),
	"containerd 2, ctr": async (options) =>
		containerd({
			...options,
			daemon: await tool("containerd2"),
			ctr: await tool("ctr2"),
			cri: false,
			config: CONTAINERD_2,
		}),
	"containerd 2, CRI": async (options) =>
		containerd({
			...options,
			daemon: await tool("containerd2"),
			ctr: await tool("ctr2"),
			cri: true,
			config: CONTAINERD_2,
			table: 'plugins."io.containerd.cri.v1.images".registry',
		}),
	"docker 20.10": (options) =>
		docker({
			...options,
			program: "dockerd",
			containerd: "containerd",
			driver: "vfs",
		}),
	// Images in containerd's store, as docker has it from 29 on.
	"docker 29": async (options) =>
		docker({
			...options,
			program: await tool("dockerd"),
			containerd: await tool("containerd2"),
			driver: "native",
		}),
	podman: (options) => containersStorage("podman", options),
	buildah: (options) => containersStorage("buildah", options),
	skopeo,
	"containers/image 5.42": imageCopy,
	crane,
	oras,
	buildkit,
};

/** What a node needs, and where Debian has it. @type {Record<string, string>} */
export const NODE_PROGRAMS = {
	containerd: "containerd",
	ctr: "containerd",
	dockerd: "docker.io",
	podman: "podman",
	buildah: "buildah",
	skopeo: "skopeo",
	go: "golang-go (1.26 or newer: builds containerd 2)",
};

/**
 * What a node is, as the program itself says, or as the module that it is built from is pinned.
 *
 * @param {string} name of NODES
 * @returns {Promise<string>}
 */
export async function versionOf(name) {
	const asked = VERSIONS[name];
	if (typeof asked === "string") {
		const [peer, module] = asked.split(" ");
		const pinned = await readFile(
			new URL(`../peers/${peer}/go.mod`, import.meta.url),
			"utf8",
		);
		return (
			new RegExp(`\\s${module} v(\\S+)`).exec(pinned)?.[1] ??
			assert.fail(`${module} in the go.mod of ${peer}`)
		);
	}
	const { output } = await run(asked?.program ?? "", asked?.args ?? []);
	return /\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? assert.fail(output);
}

/** @type {Record<string, string | { program: string, args: string[] }>} */
const VERSIONS = {
	"containerd 1.6, ctr": { program: "containerd", args: ["--version"] },
	"containerd 1.6, CRI": { program: "containerd", args: ["--version"] },
	"containerd 2, ctr": "containerd2 github.com/containerd/containerd/v2",
	"containerd 2, CRI": "containerd2 github.com/containerd/containerd/v2",
	"docker 20.10": { program: "dockerd", args: ["--version"] },
	"docker 29": "dockerd github.com/moby/moby/v2",
	podman: { program: "podman", args: ["--version"] },
	buildah: { program: "buildah", args: ["--version"] },
	skopeo: { program: "skopeo", args: ["--version"] },
	"containers/image 5.42": "image-copy go.podman.io/image/v5",
	crane: "crane github.com/google/go-containerregistry",
	oras: "oras oras.land/oras",
	buildkit: "buildkit github.com/moby/buildkit",
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
 * The environment of a client whose home is that folder: with its login where Docker keeps one, which containers/image, crane and
 * oras read too, and with nobody else's.
 *
 * @param {string} folder
 * @param {Login} [login]
 */
async function home(folder, login) {
	const [config, runtime] = [join(folder, ".docker"), join(folder, "runtime")];
	for (const made of [config, runtime]) await mkdir(made, { recursive: true });
	await writeFile(
		join(config, "config.json"),
		JSON.stringify({
			auths: login
				? {
						[login.host]: {
							auth: Buffer.from(`${login.user}:${login.password}`).toString(
								"base64",
							),
						},
					}
				: {},
		}),
	);
	return {
		HOME: folder,
		TMPDIR: folder,
		DOCKER_CONFIG: config,
		XDG_RUNTIME_DIR: runtime,
	};
}

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
 * A program that sees other files in the place of some of this machine's, and how it is called.
 *
 * @param {Record<string, string>} mounts what it sees, by where
 * @param {string} program
 * @param {string[]} args
 * @returns {[string, string[]]}
 */
function seeing(mounts, program, args) {
	const pairs = Object.entries(mounts).flat();
	if (pairs.length === 0) return [program, args];
	const script =
		'set -e; while [ "$1" != -- ]; do mount --bind "$2" "$1"; shift 2; done; shift; exec "$@"';
	return [
		"unshare",
		["--mount", "sh", "-c", script, "sh", ...pairs, "--", program, ...args],
	];
}

/**
 * @param {Options & { daemon: string, ctr: string, cri: boolean, config: string, table?: string }} options table: where the CRI
 *   reads which folder has the hosts.toml
 * @returns {Promise<Node>}
 */
async function containerd({
	daemon: program,
	ctr,
	cri,
	config,
	table,
	hosts,
	login,
	edit = (text) => text,
}) {
	const folder = await folderFor("containerd");
	const address = join(folder, "containerd.sock");
	const path = join(folder, "config.toml");
	const registry =
		table && hosts
			? `[${table}]\nconfig_path = ${JSON.stringify(hosts)}\n`
			: "";
	await writeFile(path, edit(config + registry));
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
				? run(client, [address, "pull", reference], {
						env: login
							? { CRI_USER: login.user, CRI_PASSWORD: login.password }
							: {},
					})
				: ask(
						"images",
						"pull",
						"--plain-http",
						...(hosts === undefined ? [] : ["--hosts-dir", hosts]),
						...(login ? ["--user", `${login.user}:${login.password}`] : []),
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
 * @param {Options & { program: string, containerd: string, driver: string }} options
 * @returns {Promise<Node>}
 */
async function docker({
	program,
	containerd: companion,
	driver,
	login,
	daemonJson = "{}",
	mounts = {},
	env = {},
}) {
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
	await writeFile(join(folder, "daemon.json"), daemonJson);
	let stopDocker = async () => {};
	const clean = async () => {
		await stopDocker();
		await stopContainerd();
		await rm(folder, { recursive: true, force: true });
	};
	try {
		const args = Object.entries(options).map(
			([name, value]) => `${name}=${value}`,
		);
		stopDocker = await daemon(...seeing(mounts, program, args), {
			env,
			ready: async () =>
				existsSync(socket) && (await api(socket, "GET", "/_ping")).ok,
		});
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
				registryAuth(login),
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

/** As the docker command sends it. @param {Login} [login] @returns {Record<string, string>} */
function registryAuth(login) {
	if (!login) return {};
	const { host, user, password } = login;
	const auth = { username: user, password, serveraddress: host };
	// The alphabet of URLs, but padded: Go's base64.URLEncoding.
	const encoded = Buffer.from(JSON.stringify(auth))
		.toString("base64")
		.replaceAll("+", "-")
		.replaceAll("/", "_");
	return { "x-registry-auth": encoded };
}

/**
 * @param {string} socketPath
 * @param {string} method
 * @param {string} path
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Result>}
 */
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

/**
 * podman and buildah: the same library, the same store.
 *
 * @param {"podman" | "buildah"} name
 * @param {Options} [options]
 * @returns {Promise<Node>}
 */
async function containersStorage(name, { login, registries } = {}) {
	const folder = await folderFor(name);
	const policy = await openPolicy(folder);
	const env = {
		...(await home(folder, login)),
		...(registries && { CONTAINERS_REGISTRIES_CONF: registries }),
	};
	const base = [
		"--root",
		join(folder, "root"),
		"--runroot",
		join(folder, "run"),
		"--storage-driver",
		"vfs",
		...(name === "podman"
			? ["--cgroup-manager", "cgroupfs", "--events-backend", "file"]
			: []),
	];
	return {
		name,
		pull: (reference) =>
			run(
				name,
				[
					...base,
					"pull",
					"--tls-verify=false",
					"--signature-policy",
					policy,
					reference,
				],
				{ env },
			),
		holds: () => hashes(join(folder, "root")),
		stop: () => rm(folder, { recursive: true, force: true }),
	};
}

/** @param {Options} [options] @returns {Promise<Node>} */
async function skopeo({ login } = {}) {
	const folder = await folderFor("skopeo");
	const policy = await openPolicy(folder);
	const env = await home(folder, login);
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
				{ env },
			);
		},
		holds: () => hashes(join(folder, "store")),
		stop: () => rm(folder, { recursive: true, force: true }),
	};
}

/** The library of today's podman and skopeo; it holds what a folder holds. @param {Options} [options] @returns {Promise<Node>} */
async function imageCopy({ login } = {}) {
	const folder = await folderFor("image-copy");
	const policy = await openPolicy(folder);
	const env = await home(folder, login);
	let copies = 0;
	return {
		name: "containers/image",
		async pull(reference, all = false) {
			copies += 1;
			const target = join(folder, "store", String(copies));
			await mkdir(target, { recursive: true });
			await mkdir(join(folder, "registries.d"), { recursive: true });
			return run(
				await tool("image-copy"),
				[
					policy,
					join(folder, "registries.d"),
					`docker://${reference}`,
					target,
					...(all ? ["all"] : []),
				],
				{ env },
			);
		},
		holds: () => hashes(join(folder, "store")),
		stop: () => rm(folder, { recursive: true, force: true }),
	};
}

/** Into an OCI layout: of an index, every image. @param {Options} [options] @returns {Promise<Node>} */
async function crane({ login } = {}) {
	const program = await tool("crane");
	return layouts("crane", login, (reference, target, env) =>
		run(program, ["pull", "--insecure", "--format=oci", reference, target], {
			env,
		}),
	);
}

/** Into an OCI layout: of an index, every image. @param {Options} [options] @returns {Promise<Node>} */
async function oras({ login } = {}) {
	const program = await tool("oras");
	return layouts("oras", login, (reference, target, env) =>
		run(
			program,
			[
				"copy",
				"--no-tty",
				"--from-plain-http",
				"--to-oci-layout",
				reference,
				`${target}:pulled`,
			],
			{ env },
		),
	);
}

/**
 * A build that begins with the image: buildkitd keeps its manifest and config, and unpacks its layers. No step of it runs a program.
 *
 * @param {Options} [options]
 * @returns {Promise<Node>}
 */
async function buildkit({
	login,
	toml = "",
	sourcePolicy,
	mounts = {},
	env: more = {},
} = {}) {
	const [program, client] = [await tool("buildkitd"), await tool("buildctl")];
	const folder = await folderFor("buildkit");
	const env = await home(folder, login);
	const [root, context] = [join(folder, "root"), join(folder, "context")];
	const address = `unix://${join(folder, "buildkit.sock")}`;
	const config = join(folder, "buildkitd.toml");
	await writeFile(config, toml);
	const args = [
		...["--config", config, "--root", root, "--addr", address],
		...["--oci-worker=true", "--oci-worker-snapshotter=native"],
		...["--oci-worker-net=host", "--containerd-worker=false"],
	];
	const stop = await daemon(...seeing(mounts, program, args), {
		env: { ...env, ...more, TMPDIR: tmpdir() },
		ready: async () =>
			(await run(client, ["--addr", address, "debug", "workers"])).ok,
	});
	let builds = 0;
	return {
		name: program,
		async pull(reference) {
			builds += 1;
			await mkdir(context, { recursive: true });
			await writeFile(
				join(context, "Dockerfile"),
				`FROM ${reference}\nCOPY Dockerfile /${builds}\n`,
			);
			return run(
				client,
				[
					...["--addr", address, "build", "--progress=plain"],
					...["--frontend", "dockerfile.v0"],
					...["--local", `context=${context}`],
					...["--local", `dockerfile=${context}`],
					...(sourcePolicy ? ["--source-policy-file", sourcePolicy] : []),
					...["-o", `type=oci,dest=${join(folder, `${builds}.tar`)}`],
				],
				{ env },
			);
		},
		holds: () => hashes(root),
		async stop() {
			await stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/**
 * @param {string} name
 * @param {Login | undefined} login
 * @param {(reference: string, target: string, env: Record<string, string>) => Promise<Result>} pull
 * @returns {Promise<Node>}
 */
async function layouts(name, login, pull) {
	const folder = await folderFor(name);
	const env = await home(folder, login);
	const store = join(folder, "store");
	await mkdir(store);
	let copies = 0;
	return {
		name,
		pull: (reference) => {
			copies += 1;
			return pull(reference, join(store, String(copies)), env);
		},
		holds: () => hashes(store),
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
