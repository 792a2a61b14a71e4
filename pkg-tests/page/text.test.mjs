// What is taken out of pasted and dropped text, and how a reference becomes a link.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findReference, readFragment, writeFragment } from "../../www/text.js";

const page = new URL("http://localhost:8787/");
const IMAGE = "localhost:8787/demo/unsigned:1.0";

for (const [what, text, wanted] of [
  ["a reference", ` ${IMAGE}\n`, IMAGE],
  ["with a transport", `docker://${IMAGE}`, IMAGE],
  ["a command", `podman pull --tls-verify=false ${IMAGE}`, IMAGE],
  ["a link to this page", `http://localhost:8787/#${IMAGE}`, IMAGE],
  ["a refusal", `Error: DENIED: sealgate: … Details: http://localhost:8787/#${IMAGE}`, IMAGE],
  ["a refusal in quotes", `{"message":"Details: http://localhost:8787/#${IMAGE}"}`, IMAGE],
  ["another registry", "registry.example.com/app:1", "registry.example.com/app:1"],
  ["prose is left as it is, for the parser to refuse", "not an image", "not an image"],
  ["nothing", "   ", ""],
]) {
  test(`findReference: ${what}`, () => assert.equal(findReference(String(text), page), wanted));
}

for (const reference of [IMAGE, `localhost:8787/a@sha256:${"0".repeat(64)}`, '<b>&"% é', "a#b?c"]) {
  test(`a link and back: ${reference}`, () => assert.equal(readFragment(writeFragment(reference).slice(1)), reference));
}

test("a plain reference stays readable in its link", () => assert.equal(writeFragment(IMAGE), `#${IMAGE}`));
test("a stray % is kept", () => assert.equal(readFragment("a%zz"), "a%zz"));
