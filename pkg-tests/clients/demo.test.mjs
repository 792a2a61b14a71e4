// Every client against every demo image, in front of the embedded demo registry. Writes the last section of docs/clients.md.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { CLIENT_PROGRAMS, need, startClients } from "../lib/clients.mjs";
import { startWorker } from "../lib/serve.mjs";

/** Image → whether the demo's policy admits it, the code of the refusal if not, and what it is. @type {Record<string, { admitted: boolean, code?: string, what: string }>} */
const IMAGES = {
	signed: { admitted: true, what: "signed with cosign 2: a `.sig` tag" },
	bundle: { admitted: true, what: "signed with cosign 3: a Sigstore bundle" },
	multi: { admitted: true, what: "two architectures under a signed index" },
	keyless: {
		admitted: true,
		what: "signed with cosign 3 by a workflow: an identity, no key",
	},
	attested: {
		admitted: true,
		what: "the same, with provenance that the policy demands",
	},
	unsigned: { admitted: false, what: "no signature" },
	"wrong-key": { admitted: false, what: "signed with another key" },
	tampered: {
		admitted: false,
		what: "manifest changed after signing; the registry claims the old digest",
	},
	copied: { admitted: false, what: "signature copied from another repository" },
	"other-digest": { admitted: false, what: "signature over another digest" },
	gpg: {
		admitted: true,
		what: "signed with GnuPG by skopeo: a simple signature in a lookaside",
	},
	"gpg-wrong-key": {
		admitted: false,
		code: "openpgp.unknown-key",
		what: "the same, by a key that is not in the keyring",
	},
	"gpg-expired": {
		admitted: false,
		code: "openpgp.key-expired",
		what: "the same, by a key that has expired since",
	},
	"gpg-copied": {
		admitted: false,
		code: "identity.not-accepted",
		what: "the image and signature of demo/gpg under another name",
	},
};
const TABLE = new URL("../../docs/clients.md", import.meta.url);
const SECTION = "## Demo images";

/** @typedef {import("../lib/clients.mjs").Client} Client */

/** @type {Client[]} */
let clients = [];
/** @type {import("../lib/serve.mjs").Worker} */
let worker;
/** @type {Map<string, string>} */
const results = new Map();

describe("the demo images", () => {
	before(async (t) => {
		if (!need(/** @type {object} */ (t), CLIENT_PROGRAMS)) return;
		worker = await startWorker();
		clients = await startClients();
	});
	after(async () => {
		await Promise.all(clients.map((client) => client.stop()));
		await worker?.stop();
	});

	for (const [index, name] of [
		"podman",
		"skopeo",
		"buildah",
		"crane",
		"ctr",
	].entries()) {
		for (const [image, { admitted }] of Object.entries(IMAGES)) {
			test(`${name}: ${image} is ${admitted ? "pulled" : "refused"}`, async (t) => {
				if (!need(t, CLIENT_PROGRAMS)) return;
				const client = /** @type {Client} */ (clients[index]);
				const result = await client.pull(`${worker.host}/demo/${image}:1.0`);
				results.set(`${name} ${image}`, result.ok ? "pulled" : "refused");
				assert.equal(result.ok, admitted, result.output);
				if (!admitted)
					assert.match(
						result.output,
						/sealgate: /,
						`the reason is missing in what ${name} prints: ${result.output}`,
					);
			});
		}
	}

	for (const [image, { code }] of Object.entries(IMAGES)) {
		if (code === undefined) continue;
		test(`${image} is refused for what it is: ${code}`, async (t) => {
			if (!need(t, CLIENT_PROGRAMS)) return;
			const url = `${worker.url}/v2/demo/${image}/manifests/1.0`;
			const answer = await fetch(url);
			assert.equal(answer.status, 403);
			const { errors } = await answer.json();
			assert.ok(errors[0].message.includes(`[${code}]`), errors[0].message);
		});
	}

	test("the table of results", async (t) => {
		if (!need(t, CLIENT_PROGRAMS)) return;
		const page = await readFile(TABLE, "utf8");
		const at = page.indexOf(SECTION);
		assert.notEqual(at, -1, `${SECTION} is missing in docs/clients.md`);
		await writeFile(TABLE, page.slice(0, at) + table(clients));
	});
});

/** @param {Client[]} columns */
function table(columns) {
	const row = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
	return `${SECTION}

Written by \`pkg-tests/clients/demo.test.mjs\`: what each client did with each demo image, pulled through \`make serve\`.
Each refusal ended with a status other than 0 and printed the reason, beginning with \`sealgate:\`; ctr (containerd 1.6) prints only the shortened one of the status line.

${row(["Image", ...columns.map(({ name, version }) => `${name} ${version}`), "What it is"])}
${row(["-", ...columns.map(() => "-"), "-"])}
${Object.entries(IMAGES)
	.map(([image, { what }]) =>
		row([
			`demo/${image}`,
			...columns.map(
				({ name }) => results.get(`${name} ${image}`) ?? "not run",
			),
			what,
		]),
	)
	.join("\n")}
`;
}
