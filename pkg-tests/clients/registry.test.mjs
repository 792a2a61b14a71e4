// Every client in front of a real docker-registry, with images signed on the spot, by tag and by digest.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLIENT_PROGRAMS, need, startClients } from "../lib/clients.mjs";
import {
	OCI_MANIFEST,
	fetchManifest,
	putManifest,
	tagOf,
} from "../lib/peers.mjs";
import {
	FRONT_PROGRAMS,
	NAME,
	bundleBy,
	signedBy,
	startFront,
} from "./front.mjs";

const PROGRAMS = { ...CLIENT_PROGRAMS, ...FRONT_PROGRAMS };

/** @typedef {import("../lib/clients.mjs").Client} Client */

/** @type {Client[]} */
let clients = [];
/** @type {import("./front.mjs").Front} */
let front;
/** @type {Record<string, { reference: string, admitted: boolean }>} */
const cases = {};

describe("a docker-registry behind the worker", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), PROGRAMS)) return;
		front = await startFront({
			[`${NAME}/team`]: signedBy("good.pub"),
			[`${NAME}/bundles`]: bundleBy("good.pub"),
		});
		clients = await startClients();
		const add = (
			/** @type {string} */ name,
			/** @type {string} */ repo,
			/** @type {string} */ digest,
			/** @type {boolean} */ admitted,
		) => {
			cases[`${name}, by tag`] = {
				reference: `${front.worker.host}/${repo}:1.0`,
				admitted,
			};
			cases[`${name}, by digest`] = {
				reference: `${front.worker.host}/${repo}@${digest}`,
				admitted,
			};
		};
		add(
			"signed",
			"team/signed",
			await front.image("team/signed", "1.0", { sign: "tag" }),
			true,
		);
		add(
			"bundle",
			"bundles/app",
			await front.image("bundles/app", "1.0", { sign: "bundle" }),
			true,
		);
		add(
			"multi",
			"team/multi",
			await front.image("team/multi", "1.0", {
				sign: "tag",
				arches: ["amd64", "arm64"],
			}),
			true,
		);
		add(
			"unsigned",
			"team/unsigned",
			await front.image("team/unsigned", "1.0"),
			false,
		);
		add(
			"wrong key",
			"team/wrong-key",
			await front.image("team/wrong-key", "1.0", { sign: "tag", by: "other" }),
			false,
		);
		add(
			"wrong name",
			"team/wrong-name",
			await front.image("team/wrong-name", "1.0", {
				sign: "tag",
				identity: `${NAME}/team/other`,
			}),
			false,
		);
		cases["layers typed as signatures, under a .sig tag"] = {
			reference: `${front.worker.host}/team/typed:${await typedAsSignature()}`,
			admitted: false,
		};
		add(
			"outside every scope",
			"elsewhere/app",
			await front.image("elsewhere/app", "1.0", { sign: "tag" }),
			false,
		);
	});
	after(async () => {
		await Promise.all(clients.map((client) => client.stop()));
		await front?.stop();
	});

	for (const [index, name] of [
		"podman",
		"skopeo",
		"buildah",
		"crane",
		"ctr",
	].entries()) {
		test(name, async (t) => {
			if (!need(t, PROGRAMS)) return;
			for (const [what, { reference, admitted }] of Object.entries(cases)) {
				await t.test(
					`${what}: ${admitted ? "pulled" : "refused"}`,
					async () => {
						const { ok, output } = await /** @type {Client} */ (
							clients[index]
						).pull(reference);
						assert.equal(ok, admitted, output);
						if (!admitted) assert.match(output, /sealgate: /, output);
					},
				);
			}
		});
	}
});

/** An image that podman would run: only the type of its layer says that it is a signature. */
async function typedAsSignature() {
	const digest = await front.image("team/typed", "1.0");
	const { bytes = Buffer.alloc(0) } =
		(await fetchManifest(front.registry.host, "team/typed", digest)) ?? {};
	const manifest = JSON.parse(bytes.toString());
	for (const layer of manifest.layers)
		layer.mediaType = "application/vnd.dev.cosign.simplesigning.v1+json";
	const tag = tagOf(digest, ".sig");
	await putManifest(
		front.registry.host,
		"team/typed",
		tag,
		OCI_MANIFEST,
		Buffer.from(JSON.stringify(manifest)),
	);
	return tag;
}
