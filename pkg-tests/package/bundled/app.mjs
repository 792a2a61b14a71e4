import { runChecks } from "./checks.mjs";
import demo from "./demo.json";

/** A failed import is a result, too. */
export const results = import("sealgate")
	.then((sealgate) => runChecks(sealgate, demo))
	.catch((error) => [
		{ name: "the app loads", error: `${error.code}: ${error.message}` },
	]);
