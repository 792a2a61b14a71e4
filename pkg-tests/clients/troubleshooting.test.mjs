// What each client prints where something is wrong with it, the gateway or what is between: docs/troubleshooting.md has the words
// as they are. `UPDATE=1` writes them there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CLIENT_PROGRAMS, need, run } from "../lib/clients.mjs";
import { NODES, NODE_PROGRAMS } from "../lib/nodes.mjs";
import { tool } from "../lib/peers.mjs";
import { startWorker } from "../lib/serve.mjs";
import { startRegistry } from "../package/registry.mjs";
import { demo as readDemo } from "../package/support.mjs";

const PROGRAMS = { ...CLIENT_PROGRAMS, ...NODE_PROGRAMS };
const PAGE = new URL("../../docs/troubleshooting.md", import.meta.url);
const UPDATE = process.env.UPDATE === "1";
/** Of this machine, and no loopback one, which clients have rules of their own for. */
const ADDRESS =
	Object.values(networkInterfaces())
		.flat()
		.find((one) => one?.family === "IPv4" && !one.internal)?.address ?? "";

/** @typedef {import("../lib/clients.mjs").Result} Result */
/** @typedef {{ pull(reference: string, how: "http" | "https"): Promise<Result>, push(from: string, to: string): Promise<Result>, stop?(): Promise<void> }} Client */

/** Heading → what is wrong, as `at` gives the reference of an image there. */
const SITUATIONS =
	/** @type {Record<string, { how: "http" | "https", at(here: World): string }>} */ ({
		"The image is refused": {
			how: "http",
			at: ({ gate }) => `${gate.host}/demo/unsigned:1.0`,
		},
		"Another instance answers for the blobs": {
			how: "http",
			at: ({ split }) => `${split}/demo/signed:1.0`,
		},
		"Credentials are missing": {
			how: "http",
			at: ({ closed }) => `${closed.host}/demo/signed:1.0`,
		},
		"The gateway could not find out": {
			how: "http",
			at: ({ lost }) => `${lost.host}/demo/signed:1.0`,
		},
		"The gateway speaks plain http, and the client TLS": {
			how: "https",
			at: ({ open }) => `${ADDRESS}:${open.port}/demo/signed:1.0`,
		},
		"The client does not know the certificate's authority": {
			how: "https",
			at: ({ secure }) => `${ADDRESS}:${secure.port}/demo/signed:1.0`,
		},
	});
const PUSH = "A push goes to the gateway";

/** @typedef {Awaited<ReturnType<typeof world>>} World */
/** @type {World} */
let here;

before(async (t) => {
	if (need(/** @type {object} */ (t), PROGRAMS)) here = await world();
});
after(() => here?.stop());

/** Starts one of each. @type {Record<string, (folder: string) => Promise<Client>>} */
const CLIENTS = {
	podman: async (folder) => containersStorage("podman", folder),
	skopeo: async (folder) => skopeo(folder),
	buildah: async (folder) => containersStorage("buildah", folder),
	"docker 20.10": async () => {
		const node = await (NODES["docker 20.10"] ?? assert.fail())();
		return {
			pull: async (reference) => said(await node.pull(reference)),
			push: async (from, to) => {
				await node.pull(from);
				return said(await (node.push ?? assert.fail())(from, to));
			},
			stop: node.stop,
		};
	},
	"ctr 1.6": () => ctr("containerd 1.6, ctr"),
	"ctr 2": () => ctr("containerd 2, ctr"),
	crane: async (folder) => {
		const program = await tool("crane");
		const env = { HOME: folder, DOCKER_CONFIG: folder };
		const insecure = (/** @type {string} */ how) =>
			how === "http" ? ["--insecure"] : [];
		const file = join(folder, "image.tar");
		return {
			pull: (reference, how) =>
				run(program, ["pull", ...insecure(how), reference, file], { env }),
			async push(from, to) {
				await run(program, ["pull", "--insecure", from, file], { env });
				return run(program, ["push", "--insecure", file, to], { env });
			},
		};
	},
};

for (const name of Object.keys(CLIENTS))
	describe(name, () => {
		/** @type {string} */
		let folder;
		/** @type {Client} */
		let client;
		before(async (t) => {
			if (!need(/** @type {object} */ (t), PROGRAMS)) return;
			folder = await mkdtemp(join(tmpdir(), "sealgate-words-"));
			client = await (CLIENTS[name] ?? assert.fail())(folder);
		});
		after(async () => {
			await client?.stop?.();
			if (folder) await rm(folder, { recursive: true, force: true });
		});
		for (const [situation, { how, at }] of Object.entries(SITUATIONS))
			test(situation, async (t) => {
				if (!need(t, PROGRAMS)) return;
				const result = await client.pull(at(here), how);
				assert.ok(!result.ok, result.output);
				await documented(situation, name, result.output);
			});
		test(PUSH, async (t) => {
			if (!need(t, PROGRAMS)) return;
			const result = await client.push(
				`${here.gate.host}/demo/signed:1.0`,
				`${here.gate.host}/demo/pushed:1.0`,
			);
			assert.ok(!result.ok, result.output);
			await documented(PUSH, name, result.output);
		});
	});

/** The page has these words under this heading. @param {string} situation @param {string} client @param {string} output */
async function documented(situation, client, output) {
	const line = `${client}: ${words(output)}`;
	const page = await readFile(PAGE, "utf8");
	const begin = page.indexOf(`## ${situation}\n`);
	assert.notEqual(
		begin,
		-1,
		`${situation} is missing in docs/troubleshooting.md`,
	);
	const end = page.indexOf("\n## ", begin);
	const section = page.slice(begin, end === -1 ? undefined : end);
	if (!UPDATE) {
		assert.ok(
			section.split("\n").includes(line),
			`${line}\nis not in\n${section}`,
		);
		return;
	}
	const [, block = ""] = /```text\n((?:.|\n)*?)```/.exec(section) ?? [];
	const order = Object.keys(CLIENTS);
	const place = (/** @type {string} */ one) =>
		order.findIndex((name) => one.startsWith(`${name}: `));
	const lines = block
		.split("\n")
		.filter((one) => one !== "" && !one.startsWith(`${client}: `));
	const all = [...lines, line].sort((one, other) => place(one) - place(other));
	const written = section.replace(
		/```text\n(?:.|\n)*?```/,
		() => `\`\`\`text\n${all.join("\n")}\n\`\`\``,
	);
	await writeFile(
		PAGE,
		page.replace(section, () => written),
	);
}

/** The last line that a client prints, without what is another every time. @param {string} output */
function words(output) {
	const line =
		output
			.split("\n")
			.map((one) => one.trim())
			.findLast(
				(one) =>
					/error|fatal|fail|denied|unauthorized|unexpected/i.test(one) &&
					!/^See /.test(one),
			) ?? output.trim();
	return line
		.replace(/^time="[^"]*" level=fatal msg="(.*)"$/, (_, text) =>
			JSON.parse(`"${text}"`),
		)
		.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, "")
		.replaceAll(ADDRESS, "HOST")
		.replace(/\b(localhost|HOST|127\.0\.0\.1|\[::1\]):\d+/g, "HOST")
		.replace(/sha256:[0-9a-f]{64}/g, "sha256:…")
		.replace(/Decision [0-9a-f]{12}/g, "Decision …")
		.replace(/\/tmp\/[\w./-]+/g, "FILE")
		.replace(/uploads\/[\w-]+/g, "uploads/…");
}

/** As the docker command says it. @param {Result} result @returns {Result} */
function said(result) {
	const message = result.output
		.split("\n")
		.flatMap((line) => {
			try {
				const { message, error } = JSON.parse(line);
				return message ?? error ?? [];
			} catch {
				return [];
			}
		})
		.at(-1);
	const from = result.code === 200 ? "" : "Error response from daemon: ";
	return {
		...result,
		ok: message === undefined,
		output: message === undefined ? result.output : `${from}${message}`,
	};
}

/** @param {"podman" | "buildah"} program @param {string} folder @returns {Promise<Client>} */
async function containersStorage(program, folder) {
	const policy = join(folder, "client-policy.json");
	await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
	const base = [
		...["--root", join(folder, "root"), "--runroot", join(folder, "run")],
		...["--storage-driver", "vfs"],
		...(program === "podman"
			? ["--cgroup-manager", "cgroupfs", "--events-backend", "file"]
			: []),
	];
	const ask = (/** @type {string[]} */ ...args) =>
		run(program, [...base, ...args], {
			env: { HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder },
		});
	const pull = (/** @type {string} */ reference, /** @type {string} */ how) =>
		ask(
			"pull",
			`--tls-verify=${how === "https"}`,
			...["--signature-policy", policy, reference],
		);
	return {
		pull,
		async push(from, to) {
			await pull(from, "http");
			return ask(
				...["push", "--tls-verify=false", "--signature-policy", policy],
				...[from, `docker://${to}`],
			);
		},
	};
}

/** @param {string} folder @returns {Promise<Client>} */
async function skopeo(folder) {
	const policy = join(folder, "client-policy.json");
	await writeFile(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
	const copy = (/** @type {string[]} */ ...args) =>
		run("skopeo", ["--policy", policy, "copy", ...args], {
			env: { HOME: folder, XDG_RUNTIME_DIR: folder },
		});
	let copies = 0;
	const to = () => {
		copies += 1;
		return `dir:${join(folder, `image-${copies}`)}`;
	};
	return {
		pull: (reference, how) =>
			copy(
				`--src-tls-verify=${how === "https"}`,
				`docker://${reference}`,
				to(),
			),
		async push(from, target) {
			const image = to();
			await copy("--src-tls-verify=false", `docker://${from}`, image);
			return copy("--dest-tls-verify=false", image, `docker://${target}`);
		},
	};
}

/** @param {string} name @returns {Promise<Client>} */
async function ctr(name) {
	const node = await (NODES[name] ?? assert.fail())();
	const ask = node.ask ?? assert.fail();
	const plain = (/** @type {string} */ how) =>
		how === "http" ? ["--plain-http"] : [];
	const pull = (/** @type {string} */ reference, /** @type {string} */ how) =>
		ask("images", "pull", ...plain(how), "--snapshotter", "native", reference);
	return {
		pull,
		async push(from, to) {
			await pull(from, "http");
			return ask("images", "push", "--plain-http", to, from);
		},
		stop: node.stop,
	};
}

/** Gateways, each with something wrong; of one, the blobs come from an instance that served no manifest. */
async function world() {
	assert.notEqual(
		ADDRESS,
		"",
		"expected a network beside loopback, found none",
	);
	const folder = await mkdtemp(join(tmpdir(), "sealgate-troubles-"));
	const demo = readDemo();
	const policy = "fixtures/demo/policy.json";
	const behind = { runtime: "node", name: "demo.example", policy };
	execFileSync(
		"openssl",
		`req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=gate -addext subjectAltName=IP:${ADDRESS}`.split(
			" ",
		),
		{ cwd: folder, stdio: "pipe" },
	);
	const everywhere = async (
		/** @type {Record<string, string>} */ settings = {},
	) => {
		const worker = await startWorker({
			runtime: "node",
			settings: { ...settings, LISTEN: "0.0.0.0:0" },
		});
		const port = Number(
			/^sealgate is serving https?:\/\/[^ ]+:(\d+) /m.exec(
				worker.output(),
			)?.[1],
		);
		return { ...worker, port };
	};
	const gate = await startWorker({ runtime: "node" });
	const other = await startWorker({ runtime: "node" });
	const signIn = await startRegistry(demo, { basic: "node:password" });
	const closed = await startWorker({
		...behind,
		upstream: `http://${signIn.host}`,
	});
	const lost = await startWorker({ ...behind, upstream: "http://localhost:1" });
	const open = await everywhere();
	const secure = await everywhere({
		TLS_CERT: join(folder, "cert.pem"),
		TLS_KEY: join(folder, "key.pem"),
	});
	const balancer = createServer((request, response) => {
		const { url = "", method } = request;
		const to = url.includes("/blobs/") ? other : gate;
		fetch(`${to.url}${url}`, { method }).then(async (answer) => {
			const headers = Object.fromEntries(answer.headers);
			for (const name of ["connection", "keep-alive", "transfer-encoding"])
				delete headers[name];
			// The phrase as the gateway wrote it: clients print it.
			response.writeHead(answer.status, answer.statusText, headers);
			response.end(Buffer.from(await answer.arrayBuffer()));
		});
	}).listen(0);
	await new Promise((done) => balancer.once("listening", done));
	const { port } = /** @type {import("node:net").AddressInfo} */ (
		balancer.address()
	);
	return {
		gate,
		closed,
		lost,
		open,
		secure,
		split: `localhost:${port}`,
		async stop() {
			balancer.closeAllConnections();
			balancer.close();
			for (const worker of [gate, other, closed, lost, open, secure])
				await worker.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}
