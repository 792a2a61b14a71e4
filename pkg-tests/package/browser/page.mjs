import { runChecks } from "/checks.mjs";

try {
	const from =
		new URLSearchParams(location.search).get("from") ?? "/sealgate/browser.js";
	const sealgate = await import(from);
	const demo = await (await fetch("/demo.json")).json();
	globalThis.results = await runChecks(sealgate, demo);
} catch (error) {
	globalThis.results = [
		{ name: "the page loads", error: String(error?.stack ?? error) },
	];
}
