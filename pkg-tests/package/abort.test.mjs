// A call that is aborted: it rejects with the signal's own reason, and leaves nothing behind.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { apiOver, echo, fetchAsk, standIn } from "./stand-in.mjs";

test("an aborted call frees its task, ends its requests and leaves no listener behind", async () => {
	const glue = standIn((_, answers) =>
		answers.length === 0
			? { asks: [fetchAsk(1), fetchAsk(2)] }
			: { done: { verdict: "deny" } },
	);
	const controller = new AbortController();
	const { signal } = controller;
	const ended = [];
	const never = (_, init) =>
		new Promise(() =>
			init.signal.addEventListener("abort", () =>
				ended.push(init.signal.reason),
			),
		);
	const call = apiOver(glue).verifyImage("x", { fetch: never, signal });
	await new Promise((resolve) => setTimeout(resolve, 5));
	assert.deepEqual(
		[getEventListeners(signal, "abort").length, glue.freed],
		[1, 0],
	);
	const reason = new Error("changed my mind");
	controller.abort(reason);
	await assert.rejects(call, (error) => error === reason);
	assert.deepEqual(ended, [reason, reason]);
	assert.deepEqual([glue.freed, glue.resets], [1, 0]);
	assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a call that ends by itself leaves no listener behind, however it ends", async () => {
	const { signal } = new AbortController();
	const fetch = async () => new Response("ok");
	await apiOver(echo(fetchAsk(1))).verifyImage("x", { fetch, signal });
	const thrower = standIn(() => {
		throw Object.assign(new Error("no"), { code: "argument" });
	});
	await assert.rejects(apiOver(thrower).verifyImage("x", { signal }), {
		code: "argument",
	});
	assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a call is aborted between two checks, while it only computes", async () => {
	const controller = new AbortController();
	let steps = 0;
	const glue = standIn(() => {
		steps += 1;
		if (steps === 3) setImmediate(() => controller.abort());
		return { asks: [{ id: steps, kind: "pause" }] };
	});
	await assert.rejects(
		apiOver(glue).verifyImage("x", { signal: controller.signal }),
		{ name: "AbortError" },
	);
	assert.ok(steps < 6, `${steps} steps`);
	assert.equal(glue.freed, 1);
});

test("what is aborted before it begins never enters the module", async () => {
	const glue = standIn(() => assert.fail("entered"));
	glue.startVerify = () => assert.fail("entered");
	const api = apiOver(glue);
	const reason = new Error("no more");
	const signal = AbortSignal.abort(reason);
	const isReason = (error) => error === reason;
	const gateway = await api.Gateway.create({ policy: "{}" });
	for (const call of [
		() => api.verifyImage("x", { signal }),
		() => api.policyInit("x", { key: "k", signal }),
		() => api.verifyBundle("{}", { key: "k", signal }),
		() =>
			api.verifySignature({
				key: "k",
				signature: new Uint8Array(1),
				data: "d",
				algorithm: "ecdsa-sha256",
				signal,
			}),
		() => api.policyAssets("{}", { signal }),
		() => api.policyLint("{}", { signal }),
		() => api.policyExplain("{}", "x", { signal }),
		() => api.Gateway.create({ policy: "{}" }, {}, { signal }),
		() => gateway.handle(new Request("http://x/v2/"), { signal }),
	])
		await assert.rejects(call(), isReason, String(call));
});

test("an aborted request of a gateway gives its turn back", async () => {
	const glue = standIn(({ reference }, answers) =>
		answers.length === 0
			? { asks: [{ id: 1, kind: "lock", key: "k" }] }
			: reference.endsWith("stuck")
				? { asks: [fetchAsk(2)] }
				: { done: { kind: "respond" } },
	);
	const gateway = await apiOver(glue).Gateway.create(
		{ policy: "{}" },
		{ fetch: () => new Promise(() => {}) },
	);
	const controller = new AbortController();
	const ask = (path, options) =>
		gateway.handle(new Request(`http://x/v2/${path}`), options);
	const stuck = ask("stuck", { signal: controller.signal });
	const waiting = ask("next");
	const started = Date.now();
	setTimeout(() => controller.abort(), 20);
	await assert.rejects(stuck, { name: "AbortError" });
	assert.deepEqual(await waiting, { kind: "respond" });
	assert.ok(Date.now() - started < 2_000, `${Date.now() - started} ms`);
});
