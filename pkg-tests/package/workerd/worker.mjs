import * as sealgate from "sealgate";
import demo from "./demo.json";
import { runChecks } from "./checks.mjs";

export default {
	async fetch() {
		return Response.json(await runChecks(sealgate, demo));
	},
};
