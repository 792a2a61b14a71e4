// The image of the package's Containerfile, on a base that mmdebstrap makes: built and run by buildah, and pulled through.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import {
	chmod,
	chown,
	cp,
	mkdir,
	mkdtemp,
	readdir,
	rename,
	rm,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { FRONT_PROGRAMS, NAME, ask, assertDenied } from "../clients/front.mjs";
import { need } from "../lib/clients.mjs";
import { freePort } from "../lib/serve.mjs";
import {
	SECRETS,
	makeProject,
	must,
	root,
	startProcess,
	startUpstream,
} from "./front.mjs";

const PROGRAMS = {
	...FRONT_PROGRAMS,
	buildah: "buildah",
	mmdebstrap: "mmdebstrap",
};
/** A base is made once; another release has another name. */
const RELEASE = "bookworm";
const CACHE = join(
	process.env.SEALGATE_CACHE ??
		join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sealgate"),
	`base-${RELEASE}.tar`,
);
const WORKERD = "node_modules/@cloudflare/workerd-linux-64/bin/workerd";

async function base() {
	if (existsSync(CACHE)) return;
	await mkdir(dirname(CACHE), { recursive: true });
	const fresh = `${CACHE}.${process.pid}.tar`;
	const args = ["--variant=essential", "--include=ca-certificates"];
	await must("mmdebstrap", [...args, RELEASE, fresh]);
	await rename(fresh, CACHE);
}

test("the image serves, as the user that it names", async (t) => {
	if (!need(t, PROGRAMS)) return;
	await base();
	const project = await makeProject();
	const upstream = await startUpstream();
	const folder = await mkdtemp(join(tmpdir(), "sealgate-container-"));
	const places = ["root", "runroot"].flatMap((name) => [
		`--${name}`,
		join(folder, name),
	]);
	const buildah = (/** @type {string[]} */ ...args) =>
		must("buildah", [...places, "--storage-driver", "vfs", ...args], {
			env: { BUILDAH_ISOLATION: "chroot" },
		});
	const last = (/** @type {string} */ output) =>
		output.trim().split("\n").at(-1) ?? "";
	try {
		const debian = last(await buildah("from", "scratch"));
		await buildah("add", "--quiet", debian, CACHE, "/");
		await buildah("commit", "--quiet", debian, "localhost/base");
		await buildah("rm", debian);

		await cp(join(root, "tools", WORKERD), join(project.folder, WORKERD));
		const containerfile = join(
			project.folder,
			"node_modules/sealgate/deploy/workerd/Containerfile",
		);
		await buildah(
			...["bud", "--pull-never", "--build-arg", "BASE=localhost/base"],
			...["-t", "sealgate", "-f", containerfile, project.folder],
		);

		const gate = last(await buildah("from", "--pull-never", "sealgate"));
		const { Entrypoint, User } = JSON.parse(await buildah("inspect", gate))
			.OCIv1.config;
		assert.equal(User, "65532:65532");
		await mkdir(join(folder, "policy"));
		await mkdir(join(folder, "state"));
		await chown(join(folder, "state"), 65_532, 65_532);
		await upstream.bundle(join(folder, "policy/bundle.json"));
		await chmod(folder, 0o755);
		const port = await freePort();
		const env = { UPSTREAM: upstream.proxy.url, NAME, ...SECRETS };
		const gateway = await startProcess(
			"buildah",
			[
				...places,
				...["--storage-driver", "vfs", "run", "--isolation", "chroot"],
				...Object.entries(env).flatMap(([name, value]) => [
					"--env",
					`${name}=${value}`,
				]),
				...["--volume", `${join(folder, "policy")}:/etc/sealgate/policy:ro`],
				...["--volume", `${join(folder, "state")}:/var/lib/sealgate`],
				...[gate, "--", ...Entrypoint.slice(0, -1), `http=127.0.0.1:${port}`],
			],
			{},
			port,
		);
		try {
			assert.equal(Entrypoint.at(-1), "http=0.0.0.0:8787");
			const { layer } = await upstream.image("team/signed", true);
			await upstream.image("team/unsigned", false);
			const path = (/** @type {string} */ name) => `/v2/team/${name}`;
			const { status } = await ask(gateway.url, path("signed/manifests/1.0"));
			assert.equal(status, 200, gateway.output());
			const blob = await ask(gateway.url, path(`signed/blobs/${layer}`));
			assert.equal(blob.status, 200);
			assertDenied(await ask(gateway.url, path("unsigned/manifests/1.0")));
			const state = await readdir(join(folder, "state"), { recursive: true });
			assert.ok(state.some((name) => /[0-9a-f]{64}\.sqlite$/.test(name)));
		} finally {
			await gateway.stop();
		}
	} finally {
		await upstream.stop();
		await project.remove();
		await rm(folder, { recursive: true, force: true });
	}
});
