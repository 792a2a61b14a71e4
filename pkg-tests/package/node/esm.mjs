import { readFileSync } from "node:fs";
import * as sealgate from "sealgate";
import { assetsOf, bytesOf, fakeRegistry, runChecks } from "./checks.mjs";

const demo = JSON.parse(readFileSync("demo.json", "utf8"));

if (process.argv[2] === "reports") {
	const names = [
		"signed",
		"bundle",
		"multi",
		"keyless",
		"attested",
		"unsigned",
		"wrong-key",
		"tampered",
		"copied",
		"other-digest",
		"absent",
	];
	const options = { ...assetsOf(demo), fetch: fakeRegistry(demo.routes) };
	const reports = await Promise.all(
		names.map((name) =>
			sealgate.verifyImage(`demo.example/demo/${name}:1.0`, options),
		),
	);
	const keyed = await Promise.all(
		names.map((name) =>
			sealgate.verifyImage(`demo.example/demo/${name}:1.0`, {
				key: bytesOf(demo.key),
				fetch: options.fetch,
			}),
		),
	);
	console.log(JSON.stringify({ reports: [...reports, ...keyed] }));
} else {
	console.log(JSON.stringify({ results: await runChecks(sealgate, demo) }));
}
