// The package's own command, as a project runs it that has installed the package.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { consumerProject, copyDemoPolicy } from "./support.mjs";

/** A project with the demo's policy and keys in it, and how to run the command there. */
export function commandLine() {
	const project = consumerProject();
	copyDemoPolicy(project);
	return { project, sealgate: runner(project) };
}

/** The environment holds nothing of the machine's own credentials and proxies. @param {string} project */
function runner(project) {
	/** @param {string[]} args @param {{ env?: Record<string, string>, input?: string | Buffer }} [more] @returns {Promise<{ status: number, stdout: string, stderr: string }>} */
	return (args, { env = {}, input } = {}) => {
		const child = spawn(join(project, "node_modules/.bin/sealgate"), args, {
			cwd: project,
			env: { PATH: process.env.PATH, HOME: project, ...env },
		});
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (text) => (stdout += text));
		child.stderr.on("data", (text) => (stderr += text));
		// Whoever needs no input may be gone before it is written.
		child.stdin.on("error", () => {});
		child.stdin.end(input ?? "");
		return new Promise((resolve, reject) =>
			child
				.on("error", reject)
				.on("close", (status) =>
					resolve({ status: status ?? -1, stdout, stderr }),
				),
		);
	};
}
