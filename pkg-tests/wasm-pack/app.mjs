import { readFileSync } from "node:fs";
import { createApi } from "../../js/api.js";
import { guardedFetch } from "../../js/public.js";
import * as glue from "../../target/wasm-pack/bundler/sealgate.js";
import { runChecks } from "../package/checks.mjs";

const sealgate = createApi(/** @type {any} */ (glue), {
	requestInit: { redirect: "manual" },
	fetch: guardedFetch,
});
const demo = JSON.parse(readFileSync("demo.json", "utf8"));
console.log(JSON.stringify({ results: await runChecks(sealgate, demo) }));
