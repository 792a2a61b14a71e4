import { runChecks } from "/checks.mjs";
import { createApi } from "/js/api.js";
import init, * as glue from "/web/sealgate.js";

try {
	await init();
	const sealgate = createApi(glue, {
		requestInit: { redirect: "follow", credentials: "omit" },
	});
	const demo = await (await fetch("/demo.json")).json();
	globalThis.results = await runChecks(sealgate, demo);
} catch (error) {
	globalThis.results = [
		{ name: "the page loads", error: String(error?.stack ?? error) },
	];
}
