/**
 * `make mutants-gateway`: plants defects that the gateway once had into a copy of the core, each alone. Its property tests must
 * find each; a defect that they pass is a test that cannot fail.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import {
	cpSync,
	mkdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copy = join(root, "target/mutants/tree");

/** @type {{ name: string, file: string, from: string, to: string }[]} */
const DEFECTS = [
	{
		name: "any JSON is the config of a signature",
		file: "src/verify/artifact.rs",
		from: "    if bytes == EMPTY {\n        return true;",
		to: "    if bytes == EMPTY || json::parse(bytes, Dialect::Strict).is_ok() {\n        return true;",
	},
	{
		name: "envelopes, payloads and bundles may have further members",
		file: "src/verify/artifact.rs",
		from: "    !reads_as_image(&root)\n        && match media_type {",
		to: "    root.as_object().is_some() || match media_type {",
	},
	{
		name: "an index that is a list goes out when one of its images is allowed",
		file: "src/gateway/judge.rs",
		from: "            [] if self.runnable == 0 =>",
		to: "            _ if self.refused.len() < self.runnable => None,\n            [] if self.runnable == 0 =>",
	},
	{
		name: "requests to the registry are not counted",
		file: "src/gateway/budget.rs",
		from: "if self.requests.get() >= self.allowed.get() {",
		to: "if self.requests.get() >= self.allowed.get().saturating_mul(100) {",
	},
];

rmSync(copy, { recursive: true, force: true });
mkdirSync(copy, { recursive: true });
for (const name of ["Cargo.toml", "Cargo.lock", "README.md"])
	cpSync(join(root, name), join(copy, name));
for (const name of ["fixtures", "tests", "js"])
	symlinkSync(join(root, name), join(copy, name));

/** @param {string} [only] */
function properties(only) {
	rmSync(join(copy, "src"), { recursive: true, force: true });
	cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
	const defect = DEFECTS.find(({ name }) => name === only);
	if (defect !== undefined) {
		const path = join(copy, defect.file);
		const text = readFileSync(path, "utf8");
		if (text.split(defect.from).length !== 2)
			throw new Error(
				`${defect.name}: expected its place once in ${defect.file}: the code has changed, and this table with it`,
			);
		writeFileSync(
			path,
			text.replace(defect.from, () => defect.to),
		);
	}
	const run = spawnSync(
		"cargo",
		["test", "--locked", "--quiet", "--lib", "gateway::tests::anything"],
		{
			cwd: copy,
			env: {
				...process.env,
				CARGO_TARGET_DIR: join(root, "target/mutants/build"),
				RUST_BACKTRACE: "0",
				CARGO_PROFILE_TEST_OPT_LEVEL: "0",
				// A defect that 300 cases miss now and then is found by these.
				PROPTEST_CASES: "4000",
			},
			encoding: "utf8",
		},
	);
	if (!/running \d+ tests/.test(run.stdout))
		throw new Error(
			`${only ?? "without any defect"}: the tests did not run:\n${run.stderr}`,
		);
	return run.status === 0;
}

let failed = 0;
if (!properties()) {
	console.log("✘ the properties do not hold without any defect");
	failed += 1;
}
for (const { name } of DEFECTS) {
	const found = !properties(name);
	console.log(`${found ? "✔ found" : "✘ NOT FOUND"}: ${name}`);
	if (!found) failed += 1;
}
console.log(`${DEFECTS.length + 1 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
