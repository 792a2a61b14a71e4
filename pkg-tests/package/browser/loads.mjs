const from =
	new URLSearchParams(location.search).get("from") ?? "/sealgate/browser.js";
globalThis.loaded = await import(from).then(
	() => ({ message: "it loaded" }),
	({ code, message }) => ({ code, message }),
);
