// Uses every export, with its types. Each @ts-expect-error is a mistake that the types must catch.

import {
	Gateway,
	parseReference,
	policyAssets,
	policyExplain,
	policyInit,
	policyLint,
	verifyImage,
	verifySignature,
	version,
} from "sealgate";
import type {
	Action,
	Bytes,
	Candidate,
	Code,
	Credentials,
	Explanation,
	Fetch,
	FetchedResponse,
	GatewayConfig,
	GatewayRequest,
	GatewayServices,
	GatewayState,
	ImageReport,
	InstanceReport,
	Lint,
	LintOptions,
	Note,
	PolicyInitOptions,
	Provider,
	Reference,
	Report,
	RequirementReport,
	SealgateError,
	SignatureOptions,
	Step,
	StepName,
	Verdict,
	VerifyOptions,
} from "sealgate";

const key: Bytes = "-----BEGIN PUBLIC KEY-----";
const provider: Provider = "rust";
const credentials: Credentials[] = [
	{ username: "u", password: "p" },
	{ token: "t" },
];
const response: FetchedResponse = {
	status: 404,
	url: "",
	headers: { forEach() {} },
	body: null,
};
const fetch: Fetch = async (url, { method, headers }) =>
	url + method + headers.length ? response : response;

const options: VerifyOptions = {
	as: "demo.example/a:1",
	key: [key, new Uint8Array(1)],
	platform: "linux/amd64",
	plainHttp: true,
	realms: ["https://sso.example/token"],
	egress: ["minio.internal:9000"],
	credentials: credentials[0] ?? { token: "t" },
	provider,
	fetch,
	timeout: 1000,
	time: 0,
	viaEvidence: true,
};
const report: Report = await verifyImage("a", options);
await verifyImage("a");
await verifyImage("a", {
	policy: "{}",
	assets: { "cosign.pub": key },
	evidence: new ArrayBuffer(1),
	time: new Date(0),
});

const verdict: Verdict = report.verdict;
const explained = (verdict: Verdict): string => {
	switch (verdict) {
		case "allow":
		case "deny":
		case "unknown":
			return verdict;
	}
};
const image: ImageReport = report.image;
const instances: InstanceReport[] = report.instances ?? [];
const requirement: RequirementReport | undefined = report.requirements[0];
const candidate: Candidate | undefined = requirement?.candidates[0];
const step: Step | undefined = candidate?.steps[0];
const notes: Note[] = report.notes;
const code: Code = report.code;
export const shown = [
	explained(verdict),
	image.digest,
	instances.length,
	step?.outcome,
	notes.length,
	code,
	report.equivalent,
	report.rule.scope,
];

const init: PolicyInitOptions = { key };
const policy: string = await policyInit("a", init);
const assets: string[] = await policyAssets(policy);
const known: LintOptions = {
	assets: { "cosign.pub": key },
	registriesD: { "a.yaml": "" },
	images: ["a"],
	indexes: ["b"],
	userPolicy: true,
	time: 0,
};
const lints: Lint[] = await policyLint(policy, known);
const explanation: Explanation = await policyExplain(policy, "a", {
	as: "b",
});
export const read: (string | number | undefined)[] = [
	lints[0]?.severity,
	lints[0]?.edit?.at.start,
	explanation.lookedUp[0]?.scope,
	explanation.requirements[0]?.demands,
	explanation.text,
];
const reference: Reference = parseReference("a");
const signature: SignatureOptions = {
	key,
	signature: new Uint8Array(1),
	data: "d",
	algorithm: "ecdsa-sha256",
};
const good: boolean = await verifySignature(signature);
const text: string =
	version() + assets.join() + reference.canonical + String(good);

const config: GatewayConfig = {
	upstream: "http://localhost:5000",
	name: "registry.example.com",
	policy,
};
const services: GatewayServices = {
	fetch,
	load: async () => null,
	save: async (key: string, value: string, seconds: number) =>
		key + value + seconds,
};
const gateway = await Gateway.create(config, services);
const state: GatewayState = gateway.state();
const request: GatewayRequest = {
	method: "GET",
	url: `http://localhost/${text}${state.state}`,
	headers: [["accept", "*/*"]],
};
const action: Action = await gateway.handle(request);
export const told: string | number =
	action.kind === "respond"
		? action.status
		: action.kind === "stream"
			? action.request.url
			: action.path;

export function isOurs(error: unknown): error is SealgateError {
	const internal: Code = "internal";
	return error instanceof Error && "code" in error && error.code !== internal;
}

// @ts-expect-error: a provider is one of two
await verifyImage("a", { provider: "openssl" });
// @ts-expect-error: no such option
await verifyImage("a", { insecure: true });
// @ts-expect-error: a policy needs a key
await policyInit("a", {});
// @ts-expect-error: verdicts are three words, none of them a boolean
export const wrong: boolean = report.verdict;
// @ts-expect-error: time is a number or a Date
await verifyImage("a", { time: "now" });
// @ts-expect-error: codes are a closed list
export const unheard: Code = "something.else";
// @ts-expect-error: a policy says itself who is trusted
await verifyImage("a", { key, policy });
// @ts-expect-error: nor may an identity stand beside one
await verifyImage("a", { policy, certificateIdentity: "a@example.com" });
// @ts-expect-error: a trusted root, too, is the policy's own
await verifyImage("a", { policy, trustedRoot: "public-good" });
// @ts-expect-error: assets are a policy's
await verifyImage("a", { key, assets: {} });
// @ts-expect-error: a gateway is made asynchronously
new Gateway(config, services);
// @ts-expect-error: a signal is no controller
await verifyImage("a", { key, signal: { abort() {} } });
// @ts-expect-error: names of steps are a closed list
export const unheardStep: StepName = "something.else";
