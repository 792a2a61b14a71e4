// A demand that cannot be met is an error: ignoring it would accept less than was asked for.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtPackage, root } from "./support.mjs";

const { policyInit, verifyBundle, verifyImage } = await import(
	join(builtPackage(), "node.js")
);
const key = readFileSync(join(root, "fixtures/demo/cosign.pub"));
const annotations = { build: "42" };
const identity = {
	certificateIdentity: "a@b.example",
	certificateOidcIssuer: "https://issuer.example",
};
const fetch = () => assert.fail("nothing is asked of a registry");

test("annotations and all keys are demanded of images only, and of keys", async () => {
	const artifact = "x";
	for (const [code, call] of /** @type {[string, () => Promise<any>][]} */ ([
		[
			"bundle.image-demand",
			() => verifyBundle("{}", { artifact, key, allKeys: true }),
		],
		[
			"bundle.image-demand",
			() => verifyBundle("{}", { artifact, key, annotations }),
		],
		["init.demands", () => policyInit("a/b", { key, annotations, fetch })],
		["init.demands", () => policyInit("a/b", { key, allKeys: true, fetch })],
		[
			"rule.all-keys",
			() => verifyImage("a/b", { ...identity, allKeys: true, fetch }),
		],
		[
			"argument",
			() => verifyImage("a/b", { policy: "{}", annotations, fetch }),
		],
	]))
		await assert.rejects(call, { code });
});
