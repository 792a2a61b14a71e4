// sealgate: may this container image run?

import type { Code } from "./codes.js";
import type { Claims, Report, Step } from "./report.js";

export type { Code };
export type {
	Candidate,
	Claims,
	ImageReport,
	InstanceReport,
	LogEntry,
	MirrorQuestion,
	Note,
	OpenPgpSigner,
	Report,
	RequirementReport,
	RuleReport,
	Signer,
	Step,
	StepName,
	Timestamp,
	Verdict,
} from "./report.js";

/** What is thrown: arguments, policies and keys that cannot be understood. A denied image is a report, never an exception. */
export interface SealgateError extends Error {
	code: Code;
}

/** Text is taken as UTF-8. */
export type Bytes = string | Uint8Array | ArrayBuffer;
export type Provider = "webcrypto" | "rust";
/** For the registry of the reference: a user's, or an identity token. */
export type Credentials =
	| { username: string; password: string }
	| { token: string };

/** What is read piece by piece; every `ReadableStream<Uint8Array>` is one. */
export interface Pieces {
	getReader(): {
		read(): Promise<{ done: boolean; value?: Uint8Array }>;
		cancel(): Promise<unknown>;
	};
}
/** What is used of an answer; every `Response` has it. */
export interface FetchedResponse {
	readonly status: number;
	readonly url: string;
	readonly redirected?: boolean;
	readonly headers: {
		forEach(callback: (value: string, name: string) => void): void;
	};
	readonly body: Pieces | null;
}
/** The platform's `fetch`, or one in its form. */
export type Fetch = (
	url: string,
	init: {
		method: string;
		headers: [string, string][];
		body?: string;
		redirect?: "follow" | "manual";
		// biome-ignore lint/suspicious/noExplicitAny: each platform declares a type of its own for it
		signal: any;
		/** "public": the address was named by a redirect or a challenge, and only public addresses may be connected to. */
		egress?: "operator" | "public";
	},
) => Promise<FetchedResponse>;

/** What is used of an `AbortSignal`. */
export interface Signal {
	readonly aborted: boolean;
	readonly reason: unknown;
	addEventListener(type: "abort", listener: () => void): void;
	removeEventListener(type: "abort", listener: () => void): void;
}
/** Every call that returns a promise takes a signal. */
export interface Abortable {
	/** Once it is aborted the call rejects with its reason, and what the call had asked for is ended. */
	signal?: Signal | undefined;
}

/** The name of a root that the package carries, or the bytes of a trusted_root.json. */
export type TrustedRoot =
	| "public-good"
	| "staging"
	| "github"
	| Uint8Array
	| ArrayBuffer;

/** Who must have signed: one of these keys, or the certificate of this identity, vouched for by this issuer. */
export interface SignerOptions {
	/** PEM public keys; one of them must have signed. */
	key?: Bytes | Bytes[];
	/** The subject alternative name of the certificate: an email address, a workflow. */
	certificateIdentity?: string;
	/** The same as a regular expression (RE2), searched for: write ^…$ for a whole match. */
	certificateIdentityRegexp?: string;
	/** The OIDC issuer that vouched for the identity. */
	certificateOidcIssuer?: string;
	certificateOidcIssuerRegexp?: string;
	/** Further claims of the certificate, by sigstore-go's names (sourceRepositoryURI, buildTrigger …), compared exactly. */
	certificateClaims?: Record<string, string>;
	/** Who certifies, logs and stamps. For certificates "public-good" when absent; for keys nothing is demanded then. */
	trustedRoot?: TrustedRoot;
}

interface RegistryOptions extends Abortable {
	/** os/arch[/variant]: of an index, judge this image only. */
	platform?: string;
	/** Speak plain http to other hosts than loopback ones. */
	plainHttp?: boolean;
	credentials?: Credentials;
	/** Addresses of token services that get the credentials too, beside the registry's own host and domains above it. */
	realms?: string[];
	/** `host[:port]` that redirects may lead to although they are private or plain http. */
	egress?: string[];
	/** Who checks signatures: the platform's WebCrypto (the default where there is one), or the module itself. */
	provider?: Provider;
	/** Instead of the platform's. */
	fetch?: Fetch;
	/** Milliseconds for one request with its whole answer; 30,000 when absent. */
	timeout?: number;
	/** Unix seconds; now, when absent. */
	time?: number | Date;
}

interface ImageOptions extends RegistryOptions {
	/** The name to judge by, name[:tag|@digest], where it is not the one that is asked for. */
	as?: string;
	/** Where the files lie that were read; only for the commands that the report shows. */
	paths?: Paths;
	/** A document of a gateway's /api/evidence: judge this, and ask no network. */
	evidence?: Bytes;
	/** When a sealgate gateway refuses the image, read the evidence there and judge it here. */
	viaEvidence?: boolean;
}

/** An image of the transport `dir:`, as skopeo and podman write it. */
export interface DirImage {
	/** Its folder: absolute, links resolved. The policy's scopes for `dir` are compared with it. */
	path: string;
	/** Its manifests and signatures, by their names in the folder; no layers. */
	files: Record<string, Bytes>;
}

/** Without a policy: who must have signed. */
export interface SignerVerifyOptions extends ImageOptions, SignerOptions {
	/** An attestation of this type must be there, instead of a signature: a URI, or one of cosign's short names. */
	predicateType?: string;
	/** What a signature must carry in its payload (`cosign sign -a`); all of it, compared exactly. A bundle carries none that is compared. */
	annotations?: Record<string, string>;
	/** Each of the keys must have signed, not one of them. */
	allKeys?: boolean;
	/** A signature may name another image than the one that is asked for (or than `as`), as a copied one does. */
	anyName?: boolean;
	policy?: undefined;
	assets?: undefined;
	registriesD?: undefined;
}

/** By a policy, which says itself who is trusted. */
export interface PolicyVerifyOptions extends ImageOptions {
	/** The text of a policy.json. */
	policy: Bytes;
	/** The files that the policy names (see `policyAssets`), by those names. */
	assets?: Record<string, Bytes>;
	/** The files of a registries.d, by their names; without it attachments are looked at everywhere. */
	registriesD?: Record<string, Bytes>;
	/** An image of the transport `dir:` instead of one in a registry; nothing is fetched, and it has no name. */
	dir?: DirImage;
	key?: undefined;
	certificateIdentity?: undefined;
	certificateIdentityRegexp?: undefined;
	certificateOidcIssuer?: undefined;
	certificateOidcIssuerRegexp?: undefined;
	certificateClaims?: undefined;
	trustedRoot?: undefined;
	predicateType?: undefined;
	annotations?: undefined;
	allKeys?: undefined;
	anyName?: false | undefined;
}

/** A signer or a policy, never both: together they are an error with the code "argument". */
export type VerifyOptions = SignerVerifyOptions | PolicyVerifyOptions;

/** Paths as a person would type them: in messages and in the commands that a report shows. Nothing is read there. */
export interface Paths {
	/** Of the keys, in their order. */
	key?: string[];
	trustedRoot?: string;
	/** Of the policy's files, by the names that it writes; those names themselves when absent. */
	assets?: Record<string, string>;
}

/** The policy trusts this key, or this identity. */
export type PolicyInitOptions = RegistryOptions & {
	/** Where the files lie that were read: the policy names the trusted root's, and a message the key's. */
	paths?: Paths;
	/** The name that the policy shall speak of. */
	as?: string;
	/** How the policy shall name the key's file; cosign.pub when absent. */
	keyPath?: string;
	/** The image is a mirror's copy of the one that was signed: write the rule for it. Without it another signed name is an error. */
	mirror?: boolean;
} & (
		| { key: Bytes | Bytes[]; trustedRoot?: TrustedRoot }
		| {
				key?: undefined;
				certificateIdentity: string;
				certificateOidcIssuer: string;
				certificateClaims?: Record<string, string>;
				trustedRoot?: TrustedRoot;
		  }
	);

export interface BundleOptions extends SignerOptions, Abortable {
	/** What the bundle is about: its bytes … */
	artifact?: Bytes;
	/** … or its digest, for instance "sha256:…"; or its digests by several algorithms (a signature is over one of them). */
	digest?: string | string[];
	/** A statement of this type is wanted. */
	predicateType?: string;
	/** Without a `predicateType`: "signature" takes a signature of the artifact alone; "any" (the default) any claim, and you must read `kind` and `claims.predicateType`. */
	wanted?: "any" | "signature";
	/** When the key counts; every verified time must lie in it, and there must be one. */
	keyValidity?: { start: number | Date; end?: number | Date };
	/** Distinct transparency logs that are demanded; like all thresholds, it only adds to what the trusted root demands. */
	tlogThreshold?: number;
	/** Distinct timestamp authorities. */
	timestampThreshold?: number;
	/** Distinct logs with a signed entry timestamp. */
	integratedThreshold?: number;
	/** Logs and authorities together that say when. */
	observerThreshold?: number;
	provider?: Provider;
}

/** What a verified bundle says, and what kind of claim it is. A bundle that proves nothing is an exception, with its code. */
export interface VerifiedBundle {
	/** "message": a signature over the artifact itself. "statement": it says something about the artifact, and `claims.predicateType` says what kind of thing. */
	kind: "message" | "statement";
	claims: Claims;
	trustedRoot?: string;
	steps: Step[];
}

/** What is known besides the policy. What is absent is not linted about. */
export interface LintOptions extends Abortable {
	/** The files that the policy names (see `policyAssets`), by those names. */
	assets?: Record<string, Bytes>;
	/** The files of a registries.d, by their names. */
	registriesD?: Record<string, Bytes>;
	/** Names of images, and of indexes, that are pulled under this policy. */
	images?: string[];
	indexes?: string[];
	/** Whether this is a user's own policy, which stands in place of the system's. */
	userPolicy?: boolean;
	/** Unix seconds; now, when absent. */
	time?: number | Date;
}

/** Something that the author of a policy probably did not mean. */
export interface Lint {
	/** Stable, for instance "PL01". */
	id: string;
	/** Stable, for instance "default-open". */
	name: string;
	/** "error": the policy does something else than it says. */
	severity: "error" | "warning" | "note";
	/** For instance `transports.docker["registry.example.com"][0].keyPath`; of a file of registries.d, its name and the place in it. */
	pointer: string;
	/** Bytes from the start of the document. */
	at: number;
	message: string;
	/** A change that would put it right: these bytes become this text. */
	edit?: { at: { start: number; end: number }; text: string };
}

export interface ExplainOptions extends Abortable {
	/** The name to explain by, where it is not the one that is given. */
	as?: string | undefined;
}

/** What a policy demands of an image. */
export interface Explanation {
	image: string;
	/** Most specific first, up to what is there, which decides alone. */
	lookedUp: { scope: string; isThere: boolean }[];
	scope: string;
	/** All of it. */
	requirements: { type: string; demands: string }[];
	coverage: "index" | "instance";
	notes: string[];
	/** The same for people. */
	text: string;
}

export interface SignatureOptions extends Abortable {
	/** PEM public key. */
	key: Bytes;
	signature: Uint8Array | ArrayBuffer;
	data: Bytes;
	/** For instance "ecdsa-sha256". */
	algorithm: string;
	provider?: Provider;
}

export interface Reference {
	domain: string;
	path: string;
	/** domain/path */
	name: string;
	tag?: string;
	digest?: string;
	/** The whole, expanded: docker.io/library/alpine:latest. */
	canonical: string;
}

export interface GatewayConfig {
	/** http(s)://host[:port], of one registry. */
	upstream?: string;
	/** Under which policies, signatures and messages know the upstream; its `host[:port]` when absent. */
	name?: string;
	/** Several registries, instead of those two: JSON, `[{"prefix": "hub", "upstream": "https://registry-1.docker.io", "name": "docker.io"}]`; each may have `realm`, `credentials` and `public`, too. */
	registries?: string;
	/** What registries are asked with: JSON, `{"registry.example.com": {"username": "…", "password": "…"}}`, or `{"identityToken": "…"}`, or `{"ecr": {"region": "…", "accessKeyId": "…", "secretAccessKey": "…"}}`; or docker's `config.json`. It wants `clients`, or `public` in the entry of `registries`. */
	upstreamCredentials?: string;
	/** Who may ask, each for its repositories: JSON, `[{"name": "ci", "sha256": "…", "repositories": ["registry.example.com/team"]}]`. Clients sign in at the registry when absent. */
	clients?: string;
	policy: Bytes;
	/** Judged after each answer, and never decides: `judgeNext` says what it would change. */
	policyNext?: Bytes;
	/** The files that they name, by their paths. */
	assets?: Record<string, Bytes>;
	/** The files of a registries.d, by their names. */
	registriesD?: Record<string, Bytes>;
	/** For the HMAC of what is stored through `save`, at least 16 bytes, the same wherever the store is shared; random at each start when absent. */
	secret?: Bytes;
	/** Origins of websites that may read what stands beside `/v2/`; `*` is every one. None when absent. */
	corsOrigins?: string[];
	/** Registries that are not behind this gateway, whose evidence it carries at `/relay/`: `host[:port]`, or an address. */
	relay?: string[];
	/** Whether evidence carries the part of the policy that decides for the image; it does when absent. */
	publishPolicy?: boolean;
	/** Requests to the upstream that one request may need, fewer than the standard 256. */
	requests?: number;
	provider?: Provider;
	/** By which address clients know this gateway, http(s)://host[:port]; the one that they ask when absent. */
	publicUrl?: string;
	/** `host[:port]` that redirects may lead to although they are private or plain http. */
	egress?: string[];
	/** `audit` serves what is refused, and reports it; anything else enforces. */
	mode?: string;
	/** Who bears it may ask `/admin/…`: at least 16 bytes; nobody when absent. */
	adminSecret?: Bytes;
	/** Whether images may have layers that are foreign by their type, with `urls` from which clients fetch them; not when absent. */
	foreignLayers?: boolean;
	/** Verdicts that the store has of before this, in milliseconds since 1970, are not asked for: of a gateway that takes the place of another, so that what that one was told to forget stays forgotten. */
	since?: number;
	/** Which build of the module this is, for one of your own whose gateway shares a store with others: what another build kept is not believed. The package's modules know theirs. */
	build?: string;
}

/** What the gateway may remember in; it works without. */
export interface GatewayServices {
	/** Whoever lends one keeps what is asked with `egress: "public"` off private networks. */
	fetch?: Fetch;
	timeout?: number;
	/** Milliseconds that one request waits, all in all; 60,000 when absent, and at most. */
	requestTimeout?: number;
	/** That the platform ends what a request has left under way, as workerd does: then the one request to the registry whose answer is all that is missing gets no signal. */
	endsRequests?: boolean;
	load?: (key: string) => Promise<string | null | undefined>;
	save?: (key: string, value: string, seconds: number) => Promise<unknown>;
	/** Adds a record to a log, for so many seconds at most: what was decided, for `/admin/decisions` of all instances. With `readBack`. */
	append?: (log: string, record: string, seconds: number) => Promise<unknown>;
	/** The records of a log in which one of these texts stands (all, where there are none), before that place, the newest first, and as many as one answer holds. Lines: since when the log has any, in seconds; before which place it goes on, empty at the end; the records, with an empty line between them. */
	readBack?: (
		log: string,
		holding: string[],
		before: string,
	) => Promise<string | null | undefined>;
}

/** Every `Request` is one. */
export interface GatewayRequest {
	readonly method: string;
	/** Absolute, as the client sent it. */
	readonly url: string;
	readonly headers: Iterable<[string, string]>;
	/** Unix seconds; now, when absent. */
	readonly time?: number;
}

/** What the shell around the gateway is to do. */
export type Action =
	| {
			kind: "respond";
			status: number;
			statusText?: string;
			headers: [string, string][];
			/** Whole, or piece by piece (then it is the platform's `ReadableStream`). */
			body?: Uint8Array | Pieces;
			/** Settled when all of a body in pieces was written: a shell keeps the request alive until then. */
			finished?: Promise<unknown>;
			/** The decision, for a log: one JSON object as text. */
			log?: string;
			/** What was waited for, in milliseconds, as the header `Server-Timing` has it: `registry`, `checks`, `store`. */
			timing?: string;
	  }
	| {
			kind: "stream";
			request: { method: string; url: string; headers: [string, string][] };
			/** Names of the upstream's headers that go out. */
			pass: string[];
			set: [string, string][];
			/** JSON to send in place of the upstream's body where its status is 400 or above. */
			errorBody: string;
			location: { from: string; to: string };
			/** The decision, for a log: one JSON object as text. */
			log?: string;
			/** What was waited for, in milliseconds, as the header `Server-Timing` has it: `registry`, `checks`, `store`. */
			timing?: string;
	  }
	| { kind: "asset"; path: string; log?: undefined; timing?: undefined };

export type GatewayState = {
	state: "ok" | "misconfigured";
	code?: Code;
	message?: string;
	/** What an operator should know, although nothing is wrong: for a log. */
	note?: string;
	/** What is wrong with `policyNext`, which changes nothing. */
	next?: { code: Code; message: string };
};

/** The verdict on an image with its explanation. Rejects with a `SealgateError` when the arguments cannot be understood. */
export function verifyImage(
	reference: string,
	options?: VerifyOptions,
): Promise<Report>;
/** Verifies a Sigstore bundle: who signed what, and when. Rejects with the code of the first thing that does not hold. */
export function verifyBundle(
	bundle: Bytes,
	options: BundleOptions,
): Promise<VerifiedBundle>;
/** A first policy.json that admits the image. */
export function policyInit(
	reference: string,
	options: PolicyInitOptions,
): Promise<string>;
/** Every file that a policy names, in order, each once. Rejects when it is no policy. */
export function policyAssets(
	policy: Bytes,
	options?: Abortable,
): Promise<string[]>;
/** What a policy probably did not mean, in the order of its text. Rejects when it is no policy. */
export function policyLint(
	policy: Bytes,
	options?: LintOptions,
): Promise<Lint[]>;
/** Which scope decides for an image, and what it demands, in plain words. */
export function policyExplain(
	policy: Bytes,
	reference: string,
	options?: ExplainOptions,
): Promise<Explanation>;
export function parseReference(text: string): Reference;
/** The predicate type that one of cosign's short names (slsaprovenance1, cyclonedx …) stands for; a URI is itself. */
export function predicateType(name: string): string;
/** Whether this key made this signature over this data. */
export function verifySignature(options: SignatureOptions): Promise<boolean>;
export function version(): string;

/** A registry request in, what to do with it out. */
export class Gateway {
	private constructor();
	/** A wrong policy makes a gateway that refuses everything, and says why in `state()`. */
	static create(
		config: GatewayConfig,
		services?: GatewayServices,
		options?: Abortable,
	): Promise<Gateway>;
	handle(request: GatewayRequest, options?: Abortable): Promise<Action>;
	/** After the answer has gone out: what `policyNext` says of the same request. One JSON object as text, for the log, where the verdict would change. */
	judgeNext(
		request: GatewayRequest,
		options?: Abortable,
	): Promise<string | undefined>;
	/** Whether there is a next policy. */
	hasNext(): boolean;
	/** To be called after each decision: where a store keeps decisions (`append`), hands over in five seconds what was decided until then. Nothing where there is no such store, or another call is about to do it. */
	storeDecisions(): Promise<void> | undefined;
	state(): GatewayState;
	/** Says whether a newer configuration was refused, so that this one stays in force: `/metrics` then has `sealgate_configuration_stale 1`. */
	setStale(isStale: boolean): void;
}
