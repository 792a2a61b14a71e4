// What must work wherever the package runs. Plain ECMAScript: Node, pages and workers all load this file.

/**
 * @param {any} sealgate the package
 * @param {{ policy: string, key: string, trustedRoot: string, routes: Record<string, { type: string, digest: string, body: string }> }} demo
 * @returns {Promise<{ name: string, error?: string }[]>}
 */
export async function runChecks(sealgate, demo) {
	const results = [];
	for (const [name, check] of Object.entries(checks)) {
		try {
			await check(sealgate, demo);
			results.push({ name });
		} catch (error) {
			results.push({
				name,
				error: `${error?.code ?? ""} ${error?.stack ?? error}`,
			});
		}
	}
	return results;
}

/** The text in base64 as bytes. @param {string} text */
export function bytesOf(text) {
	return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** A registry that holds the demo images, without a network. @param {Record<string, { type: string, digest: string, body: string }>} routes */
export function fakeRegistry(routes) {
	return async (url, { method }) => {
		const route = routes[decodeURIComponent(new URL(url).pathname)];
		if (!route)
			return new Response(
				method === "HEAD" ? null : '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}',
				{ status: 404, headers: { "content-type": "application/json" } },
			);
		const body = bytesOf(route.body);
		const headers = {
			"content-type": route.type,
			"docker-content-digest": route.digest,
			"content-length": String(body.length),
		};
		return new Response(method === "HEAD" ? null : body, {
			status: 200,
			headers,
		});
	};
}

const SIGNED = "demo.example/demo/signed:1.0";
const UNSIGNED = "demo.example/demo/unsigned:1.0";

const checks = {
	"the module loads and says its version"({ version }) {
		matches(version(), /^\d+\.\d+\.\d+/);
	},

	"references are parsed"({ parseReference }) {
		const { domain, path, name, tag, digest, canonical } =
			parseReference("alpine");
		equal(
			[domain, path, name, tag, digest, canonical],
			[
				"docker.io",
				"library/alpine",
				"docker.io/library/alpine",
				undefined,
				undefined,
				"docker.io/library/alpine",
			],
		);
		equal(parseReference("localhost:8787/a/b:1.0").tag, "1.0");
	},

	async "an error is an Error with a code, and the module stays usable"({
		parseReference,
		policyAssets,
		Gateway,
	}) {
		for (const [error, code] of [
			[thrownBy(() => parseReference("Not A Reference")), /^reference\./],
			[await rejection(policyAssets("{")), /^(policy|json)\./],
			[await rejection(policyAssets(7)), /^argument$/],
			[thrownBy(() => new Gateway({ policy: "{}" })), /^argument$/],
		]) {
			equal(error instanceof Error, true);
			matches(error.code, code);
			equal(error.message.length > 20, true);
		}
		equal(parseReference("quay.io/a/b:c").canonical, "quay.io/a/b:c");
	},

	async "what is aborted rejects with the signal's own reason, and nothing of it goes on"(
		{ verifyImage, policyLint },
		{ key, routes },
	) {
		const reason = new Error("changed my mind");
		const gone = AbortSignal.abort(reason);
		const aborted = await rejection(policyLint("{}", { signal: gone }));
		equal(aborted === reason, true);
		let asked = 0;
		const registry = fakeRegistry(routes);
		const before = verifyImage(SIGNED, {
			key: bytesOf(key),
			signal: gone,
			fetch: (...request) => {
				asked += 1;
				return registry(...request);
			},
		});
		equal([(await rejection(before)) === reason, asked], [true, 0]);
		const controller = new AbortController();
		const during = verifyImage(SIGNED, {
			key: bytesOf(key),
			signal: controller.signal,
			fetch: () => {
				controller.abort(reason);
				return new Promise(() => {});
			},
		});
		equal((await rejection(during)) === reason, true);
		const late = AbortSignal.timeout(20);
		const never = verifyImage(SIGNED, {
			key: bytesOf(key),
			signal: late,
			fetch: () => new Promise(() => {}),
		});
		equal((await rejection(never)).name, "TimeoutError");
		const wrong = verifyImage(SIGNED, { key: bytesOf(key), signal: "soon" });
		equal((await rejection(wrong)).code, "argument");
	},

	async "what cannot be understood rejects"({ verifyImage }, { routes }) {
		const fetch = fakeRegistry(routes);
		matches(
			(
				await rejection(
					verifyImage("docker.io/UPPER/case", { key: "x", fetch }),
				)
			).code,
			/^reference\./,
		);
		matches(
			(await rejection(verifyImage(SIGNED, { key: "no key", fetch }))).code,
			/^(key|pem)\./,
		);
		matches(
			(await rejection(verifyImage(SIGNED, { policy: "{}", fetch }))).code,
			/^policy\./,
		);
		matches((await rejection(verifyImage(SIGNED, null))).code, /^argument$/);
	},

	async "signatures are verified by both providers"({ verifySignature }) {
		const pair = await crypto.subtle.generateKey(
			{ name: "ECDSA", namedCurve: "P-256" },
			true,
			["sign", "verify"],
		);
		const key = pem(
			new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)),
		);
		const data = new TextEncoder().encode("what was signed");
		const signature = derSignature(
			new Uint8Array(
				await crypto.subtle.sign(
					{ name: "ECDSA", hash: "SHA-256" },
					pair.privateKey,
					data,
				),
			),
		);
		for (const provider of ["webcrypto", "rust"]) {
			const asked = {
				key,
				signature,
				data,
				algorithm: "ecdsa-sha256",
				provider,
			};
			equal([provider, await verifySignature(asked)], [provider, true]);
			equal(
				[provider, await verifySignature({ ...asked, data: "what was not" })],
				[provider, false],
			);
		}
	},

	async "a signed image is allowed by the policy"({ verifyImage }, demo) {
		for (const provider of ["webcrypto", "rust"]) {
			const report = await verifyImage(SIGNED, { ...byPolicy(demo), provider });
			equal(
				[
					report.verdict,
					report.image.name.startsWith("demo.example/demo/signed"),
					report.rule.source,
				],
				["allow", true, "policy"],
				report,
			);
			matches(report.image.digest, /^sha256:[0-9a-f]{64}$/);
			equal(report.requirements.length > 0, true);
		}
	},

	async "an unsigned image is denied"({ verifyImage }, demo) {
		const report = await verifyImage(UNSIGNED, byPolicy(demo));
		equal(report.verdict, "deny", report);
		matches(report.code, /./);
	},

	async "a signed image is allowed by its key"({ verifyImage }, demo) {
		const report = await verifyImage(SIGNED, {
			key: bytesOf(demo.key),
			fetch: fakeRegistry(demo.routes),
		});
		equal(
			[report.verdict, report.verified, report.rule.source],
			["allow", true, "key"],
			report,
		);
	},

	async "a copied signature is refused by its key, and a refusal tells nobody how to admit it"(
		{ verifyImage, Gateway },
		demo,
	) {
		const key = bytesOf(demo.key);
		const copied = "demo.example/demo/copied:1.0";
		const report = await verifyImage(copied, {
			key,
			fetch: fakeRegistry(demo.routes),
		});
		equal(
			[
				report.verdict,
				report.code,
				report.verified,
				report.mirrorQuestion?.signed,
			],
			["deny", "identity.other-name", false, "demo.example/demo/signed"],
			report,
		);
		const any = await verifyImage(copied, {
			key,
			anyName: true,
			fetch: fakeRegistry(demo.routes),
		});
		equal(any.verdict, "allow", any);
		const gateway = await Gateway.create(
			{
				upstream: "http://demo.example",
				name: "demo.example",
				...assetsOf(demo),
			},
			{ fetch: fakeRegistry(demo.routes) },
		);
		const refused = await gateway.handle({
			method: "GET",
			url: "http://localhost:8787/v2/demo/copied/manifests/1.0",
			headers: [["host", "localhost:8787"]],
		});
		const body = new TextDecoder().decode(refused.body);
		matches(body, /possibly a signature copied from another image/);
		for (const word of [
			"signedIdentity",
			"exactReference",
			"exactRepository",
			"remapIdentity",
			"--as",
			"--any-name",
		])
			equal([word, body.includes(word)], [word, false], body);
	},

	async "every other demo image is denied or allowed as its name says"(
		{ verifyImage },
		demo,
	) {
		const expected = {
			signed: "allow",
			bundle: "allow",
			multi: "allow",
			keyless: "allow",
			attested: "allow",
			unsigned: "deny",
			"wrong-key": "deny",
			tampered: "deny",
			copied: "deny",
			"other-digest": "deny",
		};
		const found = {};
		for (const name of Object.keys(expected))
			found[name] = (
				await verifyImage(`demo.example/demo/${name}:1.0`, byPolicy(demo))
			).verdict;
		equal(found, expected);
	},

	async "many images are judged at once"({ verifyImage }, demo) {
		const reports = await Promise.all(
			Array.from({ length: 20 }, (_, i) =>
				verifyImage(i % 2 ? SIGNED : UNSIGNED, byPolicy(demo)),
			),
		);
		equal(
			reports.map(({ verdict }) => verdict),
			Array.from({ length: 20 }, (_, i) => (i % 2 ? "allow" : "deny")),
		);
	},

	async "a registry out of reach is unknown, never an exception or a verdict"(
		{ verifyImage },
		demo,
	) {
		const fetch = async () => {
			throw new TypeError("no network");
		};
		const report = await verifyImage(SIGNED, { ...byPolicy(demo), fetch });
		equal(report.verdict, "unknown", report);
	},

	async "evidence is judged without a network"({ verifyImage }, demo) {
		const fetch = async () => {
			throw new Error("asked the network");
		};
		const allowed = await verifyImage(SIGNED, {
			...byPolicy(demo),
			fetch,
			evidence: evidenceOf("signed", demo),
		});
		equal(allowed.verdict, "allow", allowed);
		const denied = await verifyImage(UNSIGNED, {
			...byPolicy(demo),
			fetch,
			evidence: evidenceOf("unsigned", demo),
		});
		equal(denied.verdict, "deny", denied);
	},

	async "a refusing gateway is asked for its evidence, which is judged here"(
		{ verifyImage },
		demo,
	) {
		const asked = [];
		const fetch = refusingGateway("unsigned", demo, asked);
		const reference = "localhost:8787/demo/unsigned:1.0";
		const as = UNSIGNED;
		const refused = await verifyImage(reference, {
			...byPolicy(demo),
			as,
			fetch,
		});
		equal(
			[refused.verdict, refused.code],
			["unknown", "gateway.refused"],
			refused,
		);
		const own = await verifyImage(reference, {
			...byPolicy(demo),
			as,
			fetch,
			viaEvidence: true,
		});
		equal(own.verdict, "deny", own);
		equal(
			asked.includes(
				"http://localhost:8787/api/evidence/demo/unsigned?ref=1.0",
			),
			true,
			asked,
		);
		const unnamed = await verifyImage(reference, {
			...byPolicy(demo),
			fetch,
			viaEvidence: true,
		});
		const told = unnamed.notes.map(({ message }) => message).join("\n");
		matches(
			told,
			/the gateway says that it knows the image as demo\.example\/demo\/unsigned:1\.0/,
		);
		equal(told.includes("--as"), false, told);
	},

	async "the gateway passes what is signed and refuses what is not"(
		{ Gateway },
		demo,
	) {
		const config = {
			upstream: "http://demo.example",
			name: "demo.example",
			...assetsOf(demo),
		};
		const gateway = await Gateway.create(config, {
			fetch: fakeRegistry(demo.routes),
		});
		equal(gateway.state().state, "ok", gateway.state());
		const pull = (repository) =>
			gateway.handle({
				method: "GET",
				url: `http://localhost:8787/v2/demo/${repository}/manifests/1.0`,
				headers: [
					["accept", "*/*"],
					["host", "localhost:8787"],
				],
			});
		const passed = await pull("signed");
		equal([passed.kind, passed.status], ["respond", 200], passed);
		equal(
			passed.body,
			bytesOf(demo.routes["/v2/demo/signed/manifests/1.0"].body),
		);
		const refused = await pull("unsigned");
		equal([refused.kind, refused.status], ["respond", 403], refused);
		matches(
			JSON.parse(new TextDecoder().decode(refused.body)).errors[0].message,
			/^sealgate: /,
		);
	},
};

/** @param {any} demo */
function byPolicy(demo) {
	return { ...assetsOf(demo), fetch: fakeRegistry(demo.routes) };
}

/** @param {any} demo */
export function assetsOf({ policy, key, bundleKey, keyring, trustedRoot }) {
	return {
		policy: bytesOf(policy),
		assets: {
			"bundle.pub": bytesOf(bundleKey),
			"cosign.pub": bytesOf(key),
			"keyring.asc": bytesOf(keyring),
			"trusted_root.json": bytesOf(trustedRoot),
		},
	};
}

/** The document that a gateway gives of an image: its answers, recorded. @param {string} repository @param {any} demo */
export function evidenceOf(repository, { policy, key, trustedRoot, routes }) {
	const base = `/v2/demo/${repository}/`;
	const answers = Object.entries(routes)
		.filter(([path]) => path.startsWith(base))
		.map(([path, { type, body }]) => ({
			path: path.slice(base.length),
			status: 200,
			contentType: type,
			body,
		}));
	const { digest } = routes[`${base}manifests/1.0`];
	const hex = digest.replace("sha256:", "");
	const absent = [
		`manifests/sha256-${hex}.sig`,
		`manifests/sha256-${hex}.att`,
		`manifests/sha256-${hex}`,
		`referrers/${digest}`,
	];
	for (const path of absent)
		if (!routes[base + path]) answers.push({ path, status: 404 });
	const document = {
		version: 1,
		name: `demo.example/demo/${repository}:1.0`,
		repository: `demo/${repository}`,
		reference: "1.0",
		digest,
		answers,
		policy: {
			text: policy,
			assets: { "cosign.pub": key, "trusted_root.json": trustedRoot },
		},
	};
	return new TextEncoder().encode(JSON.stringify(document));
}

/** @param {string} repository @param {any} demo @param {string[]} asked */
function refusingGateway(repository, demo, asked) {
	return async (url) => {
		asked.push(url);
		if (url.includes("/api/evidence/"))
			return new Response(evidenceOf(repository, demo), {
				status: 200,
				headers: { "content-type": "application/json" },
			});
		if (!url.includes("/manifests/"))
			return new Response("{}", { status: 404 });
		const message = `sealgate: localhost:8787/demo/${repository}:1.0: no signature was found`;
		return new Response(
			JSON.stringify({ errors: [{ code: "DENIED", message }] }),
			{ status: 403, headers: { "content-type": "application/json" } },
		);
	};
}

/** @param {Uint8Array} spki */
function pem(spki) {
	return `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...spki)).replace(/.{64}/g, "$&\n")}\n-----END PUBLIC KEY-----\n`;
}

/** WebCrypto writes r‖s, signatures of images are DER. @param {Uint8Array} raw */
function derSignature(raw) {
	const integers = [
		raw.subarray(0, raw.length / 2),
		raw.subarray(raw.length / 2),
	].map((bytes) => {
		let from = 0;
		while (from < bytes.length - 1 && bytes[from] === 0) from += 1;
		const digits = [...bytes.subarray(from)];
		if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
		return [0x02, digits.length, ...digits];
	});
	const content = integers.flat();
	return Uint8Array.from([0x30, content.length, ...content]);
}

/** @param {() => unknown} attempt */
function thrownBy(attempt) {
	try {
		attempt();
	} catch (error) {
		return error;
	}
	throw new Error("expected an error, found none");
}

/** @param {Promise<unknown>} promise */
async function rejection(promise) {
	return promise.then(
		(value) => {
			throw new Error(`expected a rejection, found ${JSON.stringify(value)}`);
		},
		(error) => error,
	);
}

/** @param {unknown} found @param {unknown} expected @param {unknown} [about] */
function equal(found, expected, about) {
	const plain = (/** @type {unknown} */ value) =>
		JSON.stringify(value, (_, inner) =>
			inner instanceof Uint8Array
				? [...inner]
				: inner === undefined
					? null
					: inner,
		);
	if (plain(found) === plain(expected)) return;
	throw new Error(
		`expected ${plain(expected)}, found ${plain(found)}${about === undefined ? "" : ` in ${plain(about)}`}`,
	);
}

/** @param {string} found @param {RegExp} expected */
function matches(found, expected) {
	if (!expected.test(String(found)))
		throw new Error(`expected ${expected}, found ${found}`);
}
