// @ts-check
// Every text that the page itself says, in one object for each language. What the verifier says (messages of a report) comes
// with the report. A second language is a second object of the same shape.

import { en as states } from "./states.js";

export const en = {
	language: "en",

	// The frame of the page.
	skip: "Skip to the result",
	title: "May this container image run?",
	lead:
		"sealgate checks the signatures of a container image against a policy, here in your browser, and shows every step. " +
		"The gateway behind this page hands out only the images that pass the same check.",
	label: "Image reference",
	check: "Check",
	hint: "Type, paste, or drop text anywhere on this page: one image, or several. A policy.json, dropped with its keys, judges in place of the gateway’s.",
	drop: "Drop an image reference or a policy anywhere",
	footer:
		"Signatures are verified in your browser. The gateway supplies the evidence, its policy, the image’s name and what the tag means; " +
		"its own verdict is not used.",
	/** @param {string} host */
	gateway: (host) => `gateway at ${host}`,
	/** @param {string} host */
	placeholder: (host) => `${host}/team/app:1.0`,
	/** @param {string} what @param {string} image */
	pageTitle: (what, image) => `${what} · ${image} · sealgate`,

	// Examples of the built-in demo registry.
	examplesTitle: "Try one of the demo images",
	examplesLead:
		"They come from the registry that is built into this gateway, and are a few kilobytes each.",
	/** @type {Record<string, string>} */
	examples: {
		"demo/signed": "Signed with the key that the policy trusts.",
		"demo/bundle":
			"Signed as cosign 3 does it: a bundle attached to the image.",
		"demo/multi":
			"For several platforms; one signature on the index covers them all.",
		"demo/keyless": "Signed by a workflow in CI: an identity instead of a key.",
		"demo/attested": "The same, with the provenance that the policy demands.",
		"demo/unsigned": "Nobody has signed it.",
		"demo/wrong-key": "Signed, but with a key that the policy does not know.",
		"demo/tampered": "Changed after it was signed.",
		"demo/copied":
			"Carries a signature that was copied from another repository.",
		"demo/other-digest": "Its signature speaks about another image.",
		"demo/gpg":
			"Signed with GnuPG, as podman and skopeo do it; the signature lies beside the registry.",
		"demo/gpg-wrong-key":
			"Signed with GnuPG, by a key that is not in the keyring.",
		"demo/gpg-expired": "Signed with GnuPG, by a key that has expired since.",
		"demo/gpg-copied":
			"The image of demo/gpg and its signature, under another name.",
	},

	// A policy that the visitor dropped.
	own: {
		/** @param {string} name */
		title: (name) => `Judged by your policy, ${name}`,
		text: "It stays in this page. Drop the keys and trusted roots that it names here too, by their names.",
		/** @param {string} name */
		broken: (name) => `Your policy, ${name}, cannot be read`,
		brokenText:
			"Nothing is judged until it is put right and dropped again, or taken away.",
		/** @param {string} paths */
		missing: (paths) =>
			`Still missing, and nothing can be judged without: ${paths}`,
		/** @param {string} names */
		ambiguous: (names) =>
			`Named twice in different folders, which a page cannot tell apart: ${names}`,
		/** @param {number} count */
		lints: (count) =>
			count === 1
				? "What it probably does not mean: 1 lint"
				: `What it probably does not mean: ${count} lints`,
		/** @type {Record<string, string>} */
		severity: { error: "Error", warning: "Warning", note: "Note" },
		forget: "Judge by the gateway’s policy again",
	},

	// While it works.
	/** @param {string} image */
	working: (image) => `Checking ${image} …`,
	/** @param {number} done @param {number} count */
	workingSeveral: (done, count) => `Checking ${count} images: ${done} done …`,

	// Several images at once.
	several: {
		/** @param {number} count */
		count: (count) => `${count} images`,
		/** @param {Record<'bad' | 'unknown' | 'unproven' | 'good', number>} tally */
		tally: ({ bad, unknown, unproven, good }) =>
			`${[
				bad && `${bad} denied`,
				unknown && `${unknown} without a verdict`,
				unproven && `${unproven} allowed, not verified`,
				good && `${good} allowed`,
			]
				.filter(Boolean)
				.join(", ")}.`,
		/** @param {'bad' | 'unknown' | 'unproven' | 'good'} worst @param {number} number @param {number} count */
		word: (worst, number, count) =>
			`${{ good: "Allowed", unproven: "Allowed, not verified", bad: "Denied", unknown: "No verdict" }[worst]}: ${number === count ? `all ${count}` : `${number} of ${count}`}`,
		title: "Image by image, the worst first",
		lead: "Open one to see its evidence.",
		/** @param {number} most @param {number} count */
		leftOut: (most, count) =>
			`At most ${most} are looked at together. Not looked at: ${count}`,
	},

	// Verdicts and outcomes.
	...states,
	passesHere: "At this gateway, for now: allowed, not verified",
	/** @param {string} name */
	byOwn: (name) =>
		`Judged by the policy that you dropped, ${name}, and not by the gateway’s.`,
	candidate: {
		accepted: "Accepted",
		rejected: "Rejected",
		"set-aside": "Set aside",
	},
	step: {
		holds: "Holds",
		fails: "Fails",
		"not-run": "Not checked",
		remembered: "Remembered",
		waived: "Not required",
	},
	stepKind: {
		rule: "Rule",
		waived: "Waived rule",
		signature: "Signature check",
	},
	/** What a signature of GnuPG is over, by the name of its step: their texts are alike. @type {Record<string, string>} */
	signatureOver: {
		"signature.openpgp-message": "Over the message",
		"signature.openpgp-self": "Over the key itself",
		"signature.openpgp-cross": "By the subkey, over the key it belongs to",
	},
	format: {
		"cosign-signature": "cosign signature",
		"cosign-attestation": "cosign attestation",
		"sigstore-bundle": "Sigstore bundle",
		"simple-signature": "simple signature (OpenPGP)",
		other: "other",
	},

	// Facts about the image.
	factsTitle: "What was checked",
	facts: {
		reference: "Image",
		digest: "Digest",
		kind: "Kind",
		name: "Judged as",
		toldBy: "The tag’s digest",
		rule: "Rule",
		time: "Checked",
		verifier: "Verifier",
	},
	noDigest: "not known",
	claimedName: "the gateway’s name for the image, which nothing else confirms",
	/** @param {string} who */
	toldBy: (who) => `said by ${who}`,
	kind: {
		image: "One image",
		index: "Index: one image for each of several platforms",
	},
	/** @param {string} bytes */
	bytes: (bytes) => `${bytes} bytes`,
	rule: {
		policy: "this gateway’s policy",
		own: "your policy",
		key: "the given key",
		/** @param {string} scope */
		scope: (scope) => `scope ${scope}`,
		index: "a signed index covers the images in it",
		instance: "each image of an index needs its own signature",
	},

	// The evidence.
	pathTitle: "The chain, from image to verdict",
	path: {
		image: "Image",
		evidence: "Signature",
		rule: "Policy",
		verdict: "Verdict",
		unknown: "out of reach",
		notLookedFor: "not looked for",
		/** @param {number} count */
		noneAccepted: (count) =>
			count === 0 ? "none accepted" : `found ${count}, accepted none`,
		/** @param {string} key */
		byKey: (key) => `accepted, key ${key}`,
		/** @param {string} subject */
		byIdentity: (subject) => `accepted, by ${subject}`,
		accepted: "accepted",
	},
	evidenceTitle: "The evidence, step by step",
	evidenceLead: "Open a step to see exactly what was checked.",
	noRequirements: "No requirement was reached.",
	/** @param {number} number @param {number} count */
	requirement: (number, count) =>
		count === 1 ? "Requirement" : `Requirement ${number} of ${count}`,
	noSteps: "It was not looked at more closely.",
	claims: {
		digest: "Speaks about",
		identity: "Names",
		predicateType: "Says",
		creator: "Made by",
		timestamp: "Says it was made",
		subject: "Signed by",
		issuer: "Vouched for by",
		certificate: "Certificate",
		logEntry: "Logged",
		stamp: "Stamped",
	},
	/** Of a key of GnuPG. */
	openpgp: {
		ownName:
			"the name that the key gives itself; the fingerprint is what counts",
		noName: "the key gives itself no name",
		key: "Primary key",
		signingKey: "Signed with",
		itself: "the primary key itself",
		subkey: "its subkey",
		algorithm: "Algorithm",
		/** @param {string} hash */
		over: (hash) => `over ${hash}`,
		keyValid: "Key valid",
		noEnd: "no end",
		expired: "Expired",
		passedOver: "the policy passes that over (expiredKeys)",
		signed: "Signed at",
		until: "counts until",
	},
	/** @param {string} name */
	by: (name) => `by ${name}`,
	/** @param {string} name */
	trustedRoot: (name) => `trusted root ${name}`,
	/** @param {string} index @param {string} kind @param {string} log */
	logEntry: (index, kind, log) => `entry ${index} (${kind}) of log ${log}`,
	/** @param {string} origin @param {string} size */
	included: (origin, size) =>
		`proven in the checkpoint of ${origin} at size ${size}`,
	claimsTitle:
		"What it says (claims count only where a step above checks them)",
	details: {
		name: "Check",
		kind: "Kind of step",
		scheme: "Scheme",
		key: "Key (SHA-256 of its SPKI)",
		digest: "Digest",
		source: "Found as",
	},
	instancesTitle: "Images in this index",
	instancesLead: "Each was judged on its own.",
	anyPlatform: "no platform given",
	notesTitle: "Notes",

	// Commands.
	commandsTitle: "Do it yourself",
	cosignTitle: "The same check with cosign",
	questionTitle: "Is this a mirror, or a copy that you made yourself?",
	questionIdentity:
		"Only if you know that it is would the policy need this signedIdentity. It then admits every image that was signed under that name.",
	pullTitle: {
		allow: "How to pull it",
		unproven: "How to pull it",
		deny: "See the refusal yourself",
		unknown: "Pull it, once it can be checked",
		excepted: "How to pull it",
		audited: "How to pull it",
		own: "Pull it",
	},
	pullLead: {
		allow: "The gateway checks again at every pull.",
		unproven: "The gateway judges again at every pull.",
		deny: "Every client is refused here and prints the reason.",
		unknown: "Until then the gateway answers 503, and serves nothing.",
		excepted: "The gateway checks again at every pull.",
		audited: "Once the scope is enforced, every client is refused here.",
		own: "The gateway decides by its own policy, not by yours.",
	},
	copy: "Copy",
	/** @param {string} what */
	copyLabel: (what) => `Copy: ${what}`,
	copied: "Copied",
	selected: "Selected: press Ctrl+C",
	rawTitle: "The whole report as JSON",
	permalink: "Link to this result",
	noPermalink:
		"There is no link to this result: a link carries no policy, so whoever opens it would see the verdict of the gateway’s policy, which may be another. Send the policy itself.",

	// When there is nothing to judge.
	problem: {
		reference: {
			title: "Not an image reference",
			text: "This text could not be read as the name of an image.",
		},
		foreign: {
			title: "Another registry",
			/** @param {string} domain @param {string} host */
			text: (domain, host) =>
				`This names an image at ${domain}. This page can show images behind this gateway: their names begin with ${host}/`,
			/** @param {string} reference */
			instead: (reference) =>
				`If the gateway stands in front of that registry, look at ${reference}`,
			cli: "An image anywhere can be checked on the command line:",
		},
		relayed: {
			title: "By which policy?",
			/** @param {string} domain */
			text: (domain) =>
				`This gateway carries the evidence of images at ${domain}, and has no policy for them. Drop a policy.json with its keys onto this page to judge by that.`,
		},
		file: {
			title: "That is no policy",
			text: "This page reads image references as text, and a policy.json with the keys that it names as files: drop one of those.",
		},
		brokenFile: {
			title: "This policy cannot be read",
			text: "It was read as a policy.json, which it is not as it stands. Put it right, and drop it again.",
		},
		twoPolicies: {
			title: "More than one policy",
			/** @param {string[]} names */
			text: (names) =>
				`One policy judges at a time, and several were dropped: ${names.join(", ")}. Drop one of them, with its keys.`,
		},
		largeFiles: {
			title: "Too much to read",
			/** @param {string[]} names */
			text: (names) =>
				`This page reads up to 256 files of up to 1 MiB at once. Beyond that, and so nothing was taken: ${names.slice(0, 10).join(", ")}`,
		},
		ownBroken: {
			title: "Could not find out",
			/** @param {string} name */
			text: (name) =>
				`The policy that you dropped, ${name}, cannot be read as it stands, so nothing can be judged by it. Put it right, and drop it again.`,
			/** @param {string} name */
			file: (name) =>
				`The policy that you dropped, ${name}, or a file that it names, cannot be used as it stands, so nothing can be judged by it. Put it right, and drop it again.`,
		},
		ownMissing: {
			title: "Could not find out",
			/** @param {string[]} files */
			text: (files) =>
				files.length === 1
					? `The policy that you dropped names the file ${files[0]}, which was not dropped: drop it too.`
					: `The policy that you dropped names the files ${files.join(", ")}, which were not dropped: drop them too.`,
			/** @param {string[]} names */
			ambiguous: (names) =>
				`The policy that you dropped names different files that are called ${names.join(", ")}, in different folders. A page sees no folders: give them different names.`,
		},
		noPolicy: {
			title: "Could not find out",
			text: "This gateway does not publish its policy. Drop a policy.json with its keys onto this page to judge by that.",
		},
		unreachable: {
			title: "Could not find out",
			text: "The gateway did not answer. Is it still running?",
		},
		malformed: {
			title: "Could not find out",
			text: "Expected an evidence document from the gateway, found something else. Its version and this page’s may differ: reload the page.",
		},
		module: {
			title: "Could not find out",
			text: "The verifier (a WebAssembly module) could not be loaded, and nothing is judged without it.",
		},
		policy: {
			title: "Could not find out",
			text: "This gateway’s policy could not be understood, so nothing can be judged. Its operator has to correct it.",
		},
		other: {
			title: "Could not find out",
			text: "The verifier stopped with an error, so there is no verdict.",
		},
	},
	/** What an HTTP status means for the visitor. @type {Record<string, {title: string, text: string}>} */
	http: {
		400: {
			title: "Could not find out",
			text: "The gateway did not understand this reference.",
		},
		401: {
			title: "Sign-in needed",
			text: "The registry shows this image to signed-in users only, and this page cannot sign in yet.",
		},
		403: {
			title: "Could not find out",
			text: "The registry does not let this gateway read the image, or what it sent is not what was asked for.",
		},
		404: {
			title: "Not found",
			text: "The registry behind this gateway has no image of this name, or no such tag or digest in it. Check the spelling; perhaps it was never pushed here.",
		},
		429: {
			title: "Could not find out",
			text: "The registry asks for fewer requests. Wait a minute, then check again.",
		},
		503: {
			title: "Could not find out",
			text: "The registry or its signature store did not answer, or the gateway is not configured. Nothing is allowed on a guess: check again in a moment.",
		},
	},
	httpOther: {
		title: "Could not find out",
		text: "The gateway answered in a way that this page does not expect.",
	},
	signIn: "The command line can, with the credentials of podman or docker:",
	signInName:
		"Where it was signed under another name than this, say so with --as.",
	installed:
		"The command sealgate comes from the package of sealgate’s repository: make build && npm install --global ./pkg",
	gatewaySays: "The gateway says:",
	again: "Check again",
};

/** @typedef {typeof en} Words */

/** @type {Words} */
export const words = en;
