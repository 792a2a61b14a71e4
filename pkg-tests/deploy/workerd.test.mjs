// The worker in workerd, by the configuration that the package carries: docs/deploy/workerd.md.

import assert from "node:assert/strict";
import { once } from "node:events";
import {
	mkdir,
	mkdtemp,
	readFile,
	readdir,
	rm,
	writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TEXTS } from "../../pkg/config.js";
import {
	FRONT_PROGRAMS,
	NAME,
	REJECT,
	ask,
	assertDenied,
} from "../clients/front.mjs";
import { CLIENT_PROGRAMS, need, run, startClients } from "../lib/clients.mjs";
import {
	SECRETS,
	logged,
	makeProject,
	root,
	startUpstream,
	stopAll,
	startWorkerd,
	until,
} from "./front.mjs";

const PROGRAMS = { ...CLIENT_PROGRAMS, ...FRONT_PROGRAMS };

/** The file of an object. */
const OBJECT = /[0-9a-f]{64}\.sqlite$/;

/** @type {Awaited<ReturnType<typeof makeProject>>} */
let project;
/** @type {import("./front.mjs").Upstream} */
let upstream;
/** @type {import("../lib/clients.mjs").Client[]} */
let clients;
/** @type {string} */
let folder;
/** @type {import("./front.mjs").Process} */
let gateway;

const bundlePath = () => join(folder, "policy/bundle.json");
const start = (/** @type {object} */ options = {}) =>
	startWorkerd({
		project: project.folder,
		upstream: upstream.proxy.url,
		folder,
		...options,
	});
const inForce = async (/** @type {import("./front.mjs").Process} */ at) =>
	(
		await fetch(`${at.url}/admin/policy`, {
			headers: { authorization: `Bearer ${SECRETS.POLICY_SECRET}` },
		})
	).json();

describe("workerd", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), PROGRAMS)) return;
		project = await makeProject();
		upstream = await startUpstream();
		folder = await mkdtemp(join(tmpdir(), "sealgate-workerd-"));
		await mkdir(join(folder, "policy"));
		await upstream.bundle(bundlePath());
		gateway = await start();
		clients = await startClients();
	});
	after(async () => {
		await Promise.all((clients ?? []).map((client) => client.stop()));
		stopAll();
		await upstream?.stop();
		await project?.remove();
		if (folder) await rm(folder, { recursive: true, force: true });
	});

	test("clients pull what is signed, and nothing else", async () => {
		await upstream.image("team/signed", true);
		await upstream.image("team/unsigned", false);
		for (const { name, pull } of clients) {
			const good = await pull(`${gateway.host}/team/signed:1.0`);
			assert.ok(good.ok, `${name}: ${good.output}`);
			const bad = await pull(`${gateway.host}/team/unsigned:1.0`);
			assert.ok(!bad.ok && /sealgate: /.test(bad.output), bad.output);
		}
	});

	test("a pull goes on over a restart, by the state on the disk", async () => {
		const { digest, layer } = await upstream.image("team/restart", true);
		const blob = `/v2/team/restart/blobs/${layer}`;
		assertDenied(await ask(gateway.url, blob));
		const path = "/v2/team/restart/manifests/1.0";
		assert.equal((await ask(gateway.url, path)).status, 200);
		await gateway.stop("SIGKILL");
		gateway = await start();
		upstream.proxy.reset();
		assert.equal((await ask(gateway.url, blob)).status, 200);
		const asked = upstream.proxy.log.map(({ method, path }) => [method, path]);
		assert.ok(
			!asked.some(([, path]) => /\.sig/.test(String(path))),
			`the verdict was remembered: ${asked.join("; ")}`,
		);
		// Another secret: nothing of it is believed.
		await gateway.stop();
		gateway = await start({ env: { SECRET: "another one of this test" } });
		assertDenied(await ask(gateway.url, blob));
		await gateway.stop();
		gateway = await start();
		assert.equal((await ask(gateway.url, blob)).status, 200);
		assert.ok(digest);
	});

	test("what was decided is known after a restart, and to who may administrate alone", async () => {
		await upstream.image("team/refused", false);
		const path = "/v2/team/refused/manifests/1.0";
		const { status, body } = await ask(gateway.url, path);
		assert.equal(status, 403);
		const [, id] = /Decision (\w+);/.exec(body.toString()) ?? [];
		assert.ok(id, body.toString());
		const told = async (/** @type {string} */ query) => {
			const answer = await fetch(`${gateway.url}/admin/${query}`, {
				headers: { authorization: `Bearer ${SECRETS.ADMIN_SECRET}` },
			});
			assert.equal(answer.status, 200);
			return answer.json();
		};
		const decided = Date.now() / 1_000;
		await until(async () => {
			const { kept } = await told(`decisions?id=${id}`);
			return kept.since !== undefined;
		}, "kept");
		// It goes to the store some seconds later.
		await new Promise((done) => setTimeout(done, 6_000));
		await gateway.stop("SIGKILL");
		gateway = await start();
		const { decisions, kept, more } = await told(`decisions?id=${id}`);
		assert.equal(decisions.length, 1);
		assert.equal(decisions[0].verdict, "deny");
		assert.equal(decisions[0].image, `${NAME}/team/refused:1.0`);
		assert.ok(Math.abs(decisions[0].time - decided) < 60);
		assert.deepEqual([kept.in, kept.days, more], ["store", 7, false]);
		assert.ok(kept.since <= decisions[0].time && kept.wrong === undefined);
		const refused = await told("refusals");
		assert.ok(
			refused.decisions.some((/** @type {any} */ one) => one.id === id),
		);
		// Another secret: none of it is believed.
		await gateway.stop();
		gateway = await start({ env: { SECRET: "another one of this test" } });
		assert.deepEqual((await told(`decisions?id=${id}`)).decisions, []);
		await gateway.stop();
		gateway = await start();
	});

	test("a new policy is in force within ten seconds, and a broken one never", async () => {
		await upstream.image("team/changed", true);
		const path = "/v2/team/changed/manifests/1.0";
		assert.equal((await ask(gateway.url, path)).status, 200);
		const { policy: first } = await inForce(gateway);
		const good = await readFile(bundlePath(), "utf8");
		await upstream.writePolicy(REJECT);
		await upstream.bundle(bundlePath());
		const changed = Date.now();
		await until(
			async () => (await ask(gateway.url, path)).status === 403,
			"refused",
		);
		const seconds = (Date.now() - changed) / 1000;
		assert.ok(seconds < 10, `${seconds} s`);
		const { policy: second } = await inForce(gateway);
		assert.notEqual(first, second);
		for (const [text, code] of /** @type {const} */ ([
			["{", "policies.bundle"],
			[good.replace(/"policy": "[^"]+"/, '"policy": "e30="'), "config.policy"],
			["", "policies.bundle"],
		])) {
			await writeFile(bundlePath(), text);
			await until(
				async () => (await inForce(gateway)).wrong?.code === code,
				code,
			);
			assert.equal((await inForce(gateway)).policy, second);
			assertDenied(await ask(gateway.url, path));
		}
		await rm(bundlePath());
		await until(
			async () =>
				(await inForce(gateway)).wrong?.code === "policies.unavailable",
			"missing",
		);
		assertDenied(await ask(gateway.url, path));
		const kept = logged(gateway, "configuration").filter(
			({ state }) => state === "kept",
		);
		assert.deepEqual(
			kept.map(({ code }) => code),
			[
				"policies.bundle",
				"config.policy",
				"policies.bundle",
				"policies.unavailable",
			],
			"each is told once",
		);
		await writeFile(bundlePath(), good);
		await until(
			async () => (await ask(gateway.url, path)).status === 200,
			"served",
		);
		assert.deepEqual(
			[(await inForce(gateway)).policy, (await inForce(gateway)).wrong],
			[first, undefined],
		);
	});

	test("without a policy nothing is served, and it says why; an audit breaks no pull", async () => {
		const empty = await mkdtemp(join(tmpdir(), "sealgate-empty-"));
		const without = await start({ folder: empty });
		const path = "/v2/team/signed/manifests/1.0";
		const { status, body } = await ask(without.url, path);
		assert.equal(status, 503);
		assert.match(body.toString(), /policies\.unavailable/);
		const [told] = logged(without, "configuration");
		assert.equal(told.state, "missing");
		assert.equal((await fetch(`${without.url}/healthz`)).status, 503);
		await without.stop();
		const audit = await start({ folder: empty, env: { MODE: "audit" } });
		assert.equal((await ask(audit.url, path)).status, 200);
		await audit.stop();
		await rm(empty, { recursive: true });
	});

	test("a missing SECRET is said, and the store then left alone", async () => {
		const fresh = await mkdtemp(join(tmpdir(), "sealgate-fresh-"));
		await mkdir(join(fresh, "policy"));
		await upstream.writePolicy();
		await upstream.bundle(join(fresh, "policy/bundle.json"));
		const path = "/v2/team/signed/manifests/1.0";
		const pull = async (/** @type {object} */ env) => {
			const one = await start({ folder: fresh, env });
			assert.equal((await ask(one.url, path)).status, 200);
			const told = logged(one, "store").map(({ code }) => code);
			await one.stop();
			const state = await readdir(join(fresh, "state"), { recursive: true });
			return { told, kept: state.filter((name) => OBJECT.test(name)) };
		};
		const without = await pull({ SECRET: "" });
		assert.deepEqual(without, { told: ["store.no-secret"], kept: [] });
		const { told, kept } = await pull({});
		assert.deepEqual([told, kept.length > 0], [[], true]);
		await rm(fresh, { recursive: true });
	});

	test("the policy is changed and asked for by who may, and changed where it comes from", async () => {
		const path = `${gateway.url}/admin/policy`;
		for (const authorization of [
			"",
			"Bearer ",
			`Bearer ${SECRETS.ADMIN_SECRET}`,
			`Basic ${SECRETS.POLICY_SECRET}`,
		]) {
			const answer = await fetch(path, { headers: { authorization } });
			assert.equal(answer.status, 401, authorization);
		}
		const authorization = `Bearer ${SECRETS.POLICY_SECRET}`;
		const put = await fetch(path, {
			method: "PUT",
			headers: { authorization },
			body: await readFile(bundlePath()),
		});
		assert.equal(put.status, 422);
		assert.equal((await put.json()).code, "policies.not-here");
		const without = await start({ env: { POLICY_SECRET: "" } });
		const refused = await fetch(`${without.url}/admin/policy`, {
			headers: { authorization: "Bearer " },
		});
		assert.equal(refused.status, 401);
		await without.stop();
	});

	test("what a registry names is connected to at public addresses only", async () => {
		const { proxy } = upstream;
		let connections = 0;
		// By its name this machine has a private address.
		const server = createServer((socket) => {
			connections += 1;
			socket.destroy();
		}).listen(0, "0.0.0.0");
		await once(server, "listening");
		const { port } = /** @type {import("node:net").AddressInfo} */ (
			server.address()
		);
		const elsewhere = `https://${hostname()}:${port}/manifest`;
		const redirects = [
			elsewhere,
			`${proxy.url.replace("127.0.0.1", "127.0.0.2")}/v2/`,
		];
		for (const location of redirects) {
			proxy.rules.push({
				path: /^\/v2\/team\/away\//,
				status: 307,
				headers: { location },
				body: "",
			});
			const path = "/v2/team/away/manifests/1.0";
			assert.equal((await ask(gateway.url, path)).status, 503, location);
			proxy.reset();
		}
		assert.equal(connections, 0);
		server.close();
	});

	test("the page is served from the package, and no more of it than the page", async () => {
		const status = async (/** @type {string} */ path) =>
			(await ask(gateway.url, path)).status;
		for (const path of [
			"/",
			"/sealgate/browser.js",
			"/sealgate/build.js",
			"/sealgate/element.js",
			"/sealgate/element-verifier.js",
			"/sealgate/element.css",
		])
			assert.equal(await status(path), 200, path);
		for (const path of [
			"/package.json",
			"/sealgate/package.json",
			"/sealgate/cli/serve.js",
			"/sealgate/..%2fpackage.json",
			"/..%2fpackage.json",
			"/../package.json",
			"/worker/index.js",
			"/deploy/workerd/config.capnp",
		])
			assert.equal(await status(path), 404, path);
	});
});

for (const [name, page, from] of /** @type {const} */ ([
	["workerd/sealgate-workerd.service", "workerd.md", "workerd"],
	["node/sealgate.service", "node.md", "node"],
]))
	test(`systemd takes the unit for ${from}, and the page quotes it`, async () => {
		const unit = await readFile(join(root, "deploy", name), "utf8");
		const quoted = await readFile(join(root, "docs/deploy", page), "utf8");
		assert.ok(quoted.includes(`\`\`\`ini\n${unit}\`\`\`\n`), page);
		const { folder, remove } = await makeProject();
		const verify = async (/** @type {string} */ text) => {
			const file = join(folder, name.slice(name.indexOf("/") + 1));
			// What it names lies where the package was installed: here, in this folder.
			await writeFile(
				file,
				text
					.replaceAll(
						"/opt/sealgate/node_modules/@cloudflare",
						`${join(root, "tools/node_modules/@cloudflare")}`,
					)
					.replaceAll("/opt/sealgate", folder),
			);
			return run("systemd-analyze", ["verify", file]);
		};
		const { ok, output } = await verify(unit);
		assert.ok(ok && output === "", output);
		const { output: complaint } = await verify(
			`${unit}\n[Service]\nNoNewPriviliges=yes\n`,
		);
		assert.match(complaint, /NoNewPriviliges/);
		await remove();
	});

test("the configuration has every setting that a gateway has", async () => {
	const config = await readFile(
		join(root, "deploy/workerd/config.capnp"),
		"utf8",
	);
	for (const name of ["UPSTREAM", "NAME", "POLICY_SECRET", ...TEXTS])
		assert.ok(
			config.includes(`(name = "${name}", fromEnvironment = "${name}")`),
			name,
		);
});
