// What is taken out of pasted and dropped text, and how a reference becomes a link.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findReferences, readFragment, writeFragment } from "../../www/text.js";

const page = new URL("http://localhost:8787/");
const IMAGE = "localhost:8787/demo/unsigned:1.0";
const OTHER = "localhost:8787/demo/signed:1.0";

for (const [
	what,
	text,
	wanted,
] of /** @type {[string, string, string[]][]} */ ([
	["a reference", ` ${IMAGE}\n`, [IMAGE]],
	["with a transport", `docker://${IMAGE}`, [IMAGE]],
	["a command", `podman pull --tls-verify=false ${IMAGE}`, [IMAGE]],
	["a command that names a file", `crane pull ${IMAGE} image.tar`, [IMAGE]],
	["a link to this page", `http://localhost:8787/#${IMAGE}`, [IMAGE]],
	[
		"a link to another page of this kind",
		"https://gate.example/#gate.example/app:1",
		["gate.example/app:1"],
	],
	[
		"a refusal",
		`Error: DENIED: sealgate: … details: http://localhost:8787/#${IMAGE}`,
		[IMAGE],
	],
	[
		"a refusal as podman prints it",
		`Error: initializing source docker://${IMAGE}: reading manifest 1.0 in localhost:8787/demo/unsigned: denied: sealgate: demo.example/demo/unsigned:1.0 is refused: signed as demo.example/demo/signed [identity.not-accepted] Decision 7; details: http://localhost:8787/#${IMAGE}`,
		[IMAGE],
	],
	[
		"a refusal in quotes",
		`{"message":"sealgate: … Details: http://localhost:8787/#${IMAGE}"}`,
		[IMAGE],
	],
	[
		"another registry",
		"registry.example.com/app:1",
		["registry.example.com/app:1"],
	],
	[
		"prose is left as it is, for the parser to refuse",
		"not an image",
		["not an image"],
	],
	["nothing", "   ", []],
	["two on a line", `${OTHER} ${IMAGE}`, [OTHER, IMAGE]],
	["two lines", `${OTHER}\r\n${IMAGE}\n`, [OTHER, IMAGE]],
	["two behind commas", `${OTHER}, ${IMAGE}`, [OTHER, IMAGE]],
	[
		"tabs and spaces of other kinds",
		`${OTHER}\t${IMAGE}\u00a0registry.example.com/app:1`,
		[OTHER, IMAGE, "registry.example.com/app:1"],
	],
	[
		"a link, and a reference behind it",
		`http://localhost:8787/#${OTHER} ${IMAGE}`,
		[OTHER, IMAGE],
	],
	[
		"a link to several",
		`http://localhost:8787/#${OTHER}%0A${IMAGE}`,
		[OTHER, IMAGE],
	],
	[
		"two commands",
		`podman pull ${OTHER} && docker pull ${IMAGE}`,
		[OTHER, IMAGE],
	],
	[
		"short names in a list",
		`${OTHER} nginx\nalpine\n${IMAGE}`,
		[OTHER, "nginx", "alpine", IMAGE],
	],
	[
		"a refusal, and a reference on the next line",
		`sealgate: no, details: http://localhost:8787/#${OTHER}\n${IMAGE}`,
		[OTHER, IMAGE],
	],
	[
		"one hidden in front of a refusal",
		`${IMAGE} sealgate: details: http://localhost:8787/#${OTHER}`,
		[IMAGE, OTHER],
	],
	[
		"a manifest of Kubernetes",
		`kind: Pod\nspec:\n  containers:\n  - name: app\n    image: ${OTHER}\n  - image: "${IMAGE}"\n`,
		[OTHER, IMAGE],
	],
	["a list of YAML", `images:\n- ${OTHER}\n- alpine\n`, [OTHER, "alpine"]],
	[
		"a malformed one among good ones is not passed over",
		`${OTHER} localhost:8787/Demo/x:1`,
		[OTHER, "localhost:8787/Demo/x:1"],
	],
	["the same twice", `${IMAGE} ${IMAGE}`, [IMAGE]],
])) {
	test(`findReferences: ${what}`, () =>
		assert.deepEqual(findReferences(text, page), wanted));
}

for (const reference of [
	IMAGE,
	`localhost:8787/a@sha256:${"0".repeat(64)}`,
	'<b>&"% é',
	"a#b?c",
	"localhost:8787/demo/<img src=x>",
]) {
	test(`a link and back: ${reference}`, () =>
		assert.deepEqual(readFragment(writeFragment(reference).slice(1)), [
			reference,
		]));
}

test("a plain reference stays readable in its link", () =>
	assert.equal(writeFragment(IMAGE), `#${IMAGE}`));
test("a stray % is kept", () =>
	assert.deepEqual(readFragment("a%zz"), ["a%zz"]));
test("several references, and back", () =>
	assert.deepEqual(
		readFragment(writeFragment(OTHER, "nginx", IMAGE).slice(1)),
		[OTHER, "nginx", IMAGE],
	));
test("several references in a link that somebody wrote", () =>
	assert.deepEqual(readFragment(`${OTHER}%20${IMAGE}`), [OTHER, IMAGE]));
