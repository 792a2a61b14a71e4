import { runChecks } from "/checks.mjs";

try {
	const sealgate = await import("/sealgate/browser.js");
	const demo = await (await fetch("/demo.json")).json();
	globalThis.results = await runChecks(sealgate, demo);
} catch (error) {
	globalThis.results = [
		{ name: "the page loads", error: String(error?.stack ?? error) },
	];
}
