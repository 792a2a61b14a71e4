// Made from report.schema.json by tools/build/report-types.mjs. Change the schema.

import type { Code } from "./codes.js";

/** The decision on one container image, with its full explanation. report.schema.json says the same. */
export interface Report {
	version: 1;
	/** The program and version that decided. */
	verifier: string;
	verdict: Verdict;
	/** Allowed, and for every image that was judged a signature or attestation satisfied a requirement. What an open rule, an exception or a pin admits is allowed, not verified. */
	verified: boolean;
	code: Code;
	/** Expected, found, what to do. */
	message: string;
	image: ImageReport;
	rule: RuleReport;
	requirements: RequirementReport[];
	/** The images that an index lists, where each is judged by its own signatures. */
	instances?: InstanceReport[];
	/** Warnings, and what was not required. */
	notes: Note[];
	/** The cosign command that asks the same, perhaps below a line that begins with #. */
	equivalent?: string;
	/** A good signature names another image: what a person has to answer before it may count. Not a next step. */
	mirrorQuestion?: MirrorQuestion;
	/** How many signatures the image bears that failed: by another key, over another digest, for another name, or unreadable. */
	failedSignatures?: number;
	/** Unix seconds that the decision speaks about. */
	time: number;
}

export interface MirrorQuestion {
	question: string;
	/** The name that was signed. */
	signed: string;
	/** What a policy would need for such a mirror, as JSON. */
	signedIdentity?: string;
}

/** "unknown": could not find out. Never to be treated as "allow". */
export type Verdict = "allow" | "deny" | "unknown";

export interface ImageReport {
	/** What was asked for. */
	reference: string;
	/** The name that was judged by. */
	name: string;
	digest?: string;
	mediaType?: string;
	/** Of the manifest, in bytes. */
	size?: number;
	kind?: "image" | "index";
	/** Who said which digest the tag means. */
	toldBy?: string;
}

export interface RuleReport {
	source: "policy" | "key" | "identity";
	/** The scope of the policy that decided, for instance docker "demo.example". */
	scope?: string;
	coverage?: "index" | "instance";
}

export interface RequirementReport {
	type: string;
	verdict: Verdict;
	code: Code;
	message: string;
	candidates: Candidate[];
	/** The trusted root, with the day of one that the package carries. */
	trustedRoot?: string;
	/** When an exception ends, in seconds since 1970. */
	expires?: number;
}

/** One signature that was looked at. */
export interface Candidate {
	/** Where it was found, for instance "tag sha256-….sig, layer 1" or "referrer sha256:…". */
	source: string;
	format:
		| "cosign-signature"
		| "cosign-attestation"
		| "sigstore-bundle"
		| "simple-signature"
		| "other";
	digest?: string;
	outcome: "accepted" | "rejected" | "set-aside";
	code: Code;
	message: string;
	/** What it says; present only when its signature was verified. */
	claims?: Claims;
	steps: Step[];
	/** Unix seconds at which this stops being an answer; most answers have no end. */
	expires?: number;
}

/** What a verified signature says. */
export interface Claims {
	digest?: string;
	/** The reference that was signed. */
	identity?: string;
	predicateType?: string;
	/** What the signer says of its program; nobody vouches for it. */
	creator?: string;
	/** Unix seconds, as the signer says; nobody vouches for it. */
	timestamp?: number;
	/** Who signed, by the certificate. */
	signer?: Signer;
	/** Which OpenPGP key signed. */
	openpgp?: OpenPgpSigner;
	/** Entries in transparency logs of the trusted root. */
	logEntries?: LogEntry[];
	/** Timestamps of authorities of the trusted root. */
	timestamps?: Timestamp[];
}

/** One thing that was to hold, in the order in which it was to be shown. */
export interface Step {
	kind: "rule" | "waived" | "signature";
	name: StepName;
	text: string;
	outcome: "holds" | "fails" | "not-run";
	scheme?: string;
	/** SHA-256 of the key's SubjectPublicKeyInfo, in hex. */
	key?: string;
	/** True if this signature of an issuer over an authority was checked before, with the same key, scheme and bytes, and was not checked again. */
	remembered?: boolean;
}

export interface InstanceReport {
	digest: string;
	platform?: string;
	verdict: Verdict;
	/** As in the report. */
	verified: boolean;
	code: Code;
	message: string;
	requirements: RequirementReport[];
}

export interface Note {
	code: Code;
	message: string;
}

/** Who signed, as the certificate authority saw them. */
export interface Signer {
	subject: string;
	issuer?: string;
	/** By sigstore-go's names. */
	claims: Record<string, string>;
	authority: string;
	notBefore: number;
	notAfter: number;
	/** SHA-256 of the certificate, in hex. */
	fingerprint: string;
}

/** Which OpenPGP key signed, and when. Dates are the key owner's own word. */
export interface OpenPgpSigner {
	/** What the key calls itself, cut where it is long: any text that its owner chose. */
	userId?: string;
	/** The fingerprint of the primary key. */
	key: string;
	/** The fingerprint of the subkey that signed, where one did. */
	subkey?: string;
	/** What kind of key signed, for instance RSA 3072. */
	algorithm: string;
	/** The hash algorithm of the signature. */
	hash: "SHA-256" | "SHA-384" | "SHA-512";
	/** Unix seconds at which the key that signed was made. */
	keyCreated: number;
	/** Unix seconds of the last second at which it counts, if it ends. */
	keyExpires?: number;
	/** Unix seconds at which it expired, where that was passed over. */
	keyExpired?: number;
	/** Unix seconds of the signature. */
	signed: number;
	/** Unix seconds from which the signature does not count any more, if it ends. */
	expires?: number;
}

/** An entry in a transparency log of the trusted root. */
export interface LogEntry {
	logId: string;
	index: string;
	kind: string;
	time?: number;
	origin?: string;
	treeSize?: string;
}

/** A timestamp of an authority of the trusted root. */
export interface Timestamp {
	time: number;
	authority: string;
}

/** Stable. `UPDATE=1 cargo test --test images names_of_steps` writes the list. */
export type StepName =
	| "anchor.chain"
	| "annotations.signed"
	| "artifact.matches"
	| "attestation.age"
	| "attestation.conditions"
	| "bundle.signature"
	| "certificate.anchor"
	| "certificate.authorities"
	| "certificate.authority"
	| "certificate.critical"
	| "certificate.email"
	| "certificate.issuer"
	| "certificate.link"
	| "certificate.logged"
	| "certificate.names"
	| "certificate.purpose"
	| "certificate.subject"
	| "certificate.validity"
	| "checkpoint.every-signature"
	| "checkpoint.origin"
	| "containers-image.one-layer"
	| "digest.equals"
	| "fulcio.issuer"
	| "identity.any"
	| "identity.matches"
	| "identity.own-name"
	| "log.no-time-demanded"
	| "log.not-checked"
	| "log.not-demanded"
	| "log.unlisted"
	| "openpgp.key-expiry"
	| "openpgp.key-time"
	| "openpgp.primary"
	| "openpgp.sha1-self-signature"
	| "openpgp.signed-before-expiry"
	| "openpgp.subkey"
	| "payload.present"
	| "payload.reads"
	| "payload.strict"
	| "predicate.cosign-sign"
	| "predicate.type"
	| "proof.inclusion"
	| "proof.stated"
	| "sct.every"
	| "sct.listed"
	| "sct.log"
	| "sct.not-demanded"
	| "sct.unlisted"
	| "sct.window"
	| "set.entry"
	| "set.log-id"
	| "signature.certificate"
	| "signature.checkpoint"
	| "signature.cosign-payload"
	| "signature.dsse-envelope"
	| "signature.given"
	| "signature.openpgp-cross"
	| "signature.openpgp-message"
	| "signature.openpgp-self"
	| "signature.sct"
	| "signature.set"
	| "signature.timestamp-certificate"
	| "signature.timestamp-token"
	| "signer.identity"
	| "signer.key"
	| "timestamp.authority"
	| "timestamp.certificates"
	| "timestamp.imprint"
	| "timestamp.message-digest"
	| "timestamp.signer"
	| "timestamp.unlisted"
	| "timestamp.window";
