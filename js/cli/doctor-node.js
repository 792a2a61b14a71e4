// Whether a client on this machine can get around the gateway. Its files are compared with what the gateway itself writes for it
// (/setup), so that nothing is understood here that the client may understand otherwise.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "./gateway.js";

/** @typedef {import("./gateway.js").GatewayClient} GatewayClient */
/** @typedef {import("./findings.js").Findings} Findings */

const MIRROR =
	"a mirror is advisory: where it refuses, the client goes to the registry itself";

/** As /setup?for=hosts has it: docker has mirrors of Docker Hub alone. */
const HUB_BLOCKED = ["0.0.0.0 registry-1.docker.io", ":: registry-1.docker.io"];

/** @param {GatewayClient} client @param {Findings} findings @param {string} name of what runs on the node @param {string} etc */
export async function nodes(client, findings, name, etc) {
	await findings.trying(name, async () => {
		switch (name) {
			case "podman":
				return podman(client, findings, etc);
			case "containerd":
				return containerd(client, findings, etc);
			default:
				return docker(client, findings, etc);
		}
	});
}

/** @param {GatewayClient} client @param {string} query */
async function setup(client, query) {
	const answer = await client.ask(`/setup?${query}`);
	if (answer.status !== 200)
		throw new Error(`/setup?${query} answers ${answer.status}`);
	return bare(textOf(answer));
}

/** Without comments, which mean nothing. @param {string} text */
function bare(text) {
	return text
		.split("\n")
		.filter((line) => !/^\s*#/.test(line))
		.join("\n")
		.trim();
}

/** Nothing where there is none. @param {string} path */
function textAt(path) {
	try {
		return bare(readFileSync(path, "utf8"));
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT")
			return undefined;
		throw error;
	}
}

/** @param {string} folder */
function filesIn(folder) {
	try {
		return readdirSync(folder).sort();
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT")
			return [];
		throw error;
	}
}

/** registries.conf, and beside it what stands in registries.conf.d. @param {GatewayClient} client @param {Findings} findings @param {string} etc */
async function podman(client, findings, etc) {
	const wanted = await setup(client, "for=podman");
	const remedy = `curl -fsS '${client.origin}/setup?for=podman' -o /etc/containers/registries.conf.d/50-sealgate.conf`;
	const folder = join(etc, "containers");
	const paths = [
		join(folder, "registries.conf"),
		...filesIn(join(folder, "registries.conf.d"))
			.filter((name) => name.endsWith(".conf"))
			.map((name) => join(folder, "registries.conf.d", name)),
	];
	const files = paths.flatMap((path) => {
		const text = textAt(path);
		return text === undefined ? [] : [{ path, text }];
	});
	const names = [...wanted.matchAll(/^(?:prefix|location) = ("[^"]+")$/gm)].map(
		([, name = ""]) => name,
	);
	const own = files.filter(({ text }) => text.includes(wanted));
	for (const { path, text } of files) {
		const rest = text.replace(wanted, "");
		const named = names.find((name) => rest.includes(name));
		if (named === undefined) continue;
		return rest.includes("[[registry.mirror]]")
			? findings.problem(
					"podman",
					`${path} speaks of ${named} with a mirror: ${MIRROR}`,
					`take it out, and write what the gateway says: ${remedy}`,
				)
			: findings.warning(
					"podman",
					`${path} speaks of ${named} otherwise than the gateway (/setup?for=podman)`,
					`of two files the later one counts: keep one, ${remedy}`,
				);
	}
	if (own.length > 0)
		return findings.ok(
			"podman",
			`${own[0]?.path} is what the gateway says: another location, and no mirror`,
		);
	findings.warning(
		"podman",
		`nothing in ${folder} leads to this gateway`,
		`fine where images are named by its host; else ${remedy}`,
	);
}

/** @param {GatewayClient} client @param {Findings} findings @param {string} etc */
async function containerd(client, findings, etc) {
	const folder = join(etc, "containerd");
	const { found, missing } = await hostsFiles(
		client,
		findings,
		"containerd",
		folder,
	);
	for (const { path, write } of missing)
		findings.warning(
			"containerd",
			`there is no ${path}`,
			`fine where images are named by the gateway's host; else ${write}`,
		);
	if (found === 0) return;
	const path = join(folder, "config.toml");
	if (!/^\s*config_path\s*=.*\/certs\.d/m.test(textAt(path) ?? ""))
		findings.warning(
			"containerd",
			`${path} names no folder certs.d: if containerd does not look there by itself, Kubernetes goes to the registry`,
			`containerd config dump: expected config_path = "/etc/containerd/certs.d" in [plugins."io.containerd.cri.v1.images".registry], before containerd 2 in [plugins."io.containerd.grpc.v1.cri".registry]`,
		);
}

/**
 * A hosts.toml for each registry behind the gateway: how many are there, and which are not.
 *
 * @param {GatewayClient} client
 * @param {Findings} findings
 * @param {string} check
 * @param {string} folder that has certs.d
 */
async function hostsFiles(client, findings, check, folder) {
	const missing = [];
	let found = 0;
	for (const name of registriesIn(await setup(client, "for=podman"))) {
		const path = join(folder, "certs.d", name, "hosts.toml");
		const text = textAt(path);
		const query = `for=containerd&name=${encodeURIComponent(name)}`;
		const write = `curl -fsS '${client.origin}/setup?${query}' -o ${path}`;
		if (text === undefined) {
			missing.push({ path, write });
			continue;
		}
		found += 1;
		if (text === (await setup(client, query)))
			findings.ok(
				check,
				`${path} is what the gateway says: it is the server, too`,
			);
		else
			findings.problem(
				check,
				`${path} is not what the gateway says (/setup?${query}); without it as the server ${MIRROR}`,
				write,
			);
	}
	return { found, missing };
}

/** @param {string} conf what /setup?for=podman says */
function registriesIn(conf) {
	return conf
		.split("[[registry]]")
		.filter((part) => !part.includes("blocked = true"))
		.flatMap((part) => /^prefix = "([^"]+)"$/m.exec(part)?.[1] ?? []);
}

/** @param {GatewayClient} client @param {Findings} findings @param {string} etc */
async function docker(client, findings, etc) {
	const { origin } = client;
	await hostsFiles(client, findings, "docker", join(etc, "docker"));
	const path = join(etc, "docker/daemon.json");
	const text = textAt(path);
	/** @type {unknown} */
	const mirrors =
		text === undefined ? [] : JSON.parse(text)["registry-mirrors"];
	const { host } = new URL(origin);
	if (!JSON.stringify(mirrors ?? []).includes(`//${host}`))
		return findings.ok(
			"docker",
			`the gateway is no mirror there: what is pulled as ${host}/REPOSITORY:TAG comes from it, and nothing else does`,
		);
	const hosts = join(etc, "hosts");
	const there = (textAt(hosts) ?? "").split("\n");
	if (HUB_BLOCKED.every((line) => there.includes(line)))
		return findings.ok(
			"docker",
			`${path} has the gateway among its registry-mirrors, and by ${hosts} Docker Hub is nowhere else`,
		);
	findings.problem(
		"docker",
		`${path} has the gateway among its registry-mirrors: ${MIRROR}`,
		`take it out, and pull by its name: ${host}/REPOSITORY:TAG; or, with Docker Hub behind the gateway, let its name lead nowhere: curl -fsS '${origin}/setup?for=hosts' >> ${hosts}`,
	);
}
