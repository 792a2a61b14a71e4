// @ts-check
// The words for a verdict, which the page and the element for docs share. Colour and icon only repeat them.

export const en = {
	verdict: {
		allow: "Allowed",
		unproven: "Allowed, not verified",
		deny: "Denied",
		unknown: "Could not find out",
	},
	verdictLine: {
		allow: "This image may run: the policy is satisfied.",
		unproven:
			"The policy lets this image run, but it was not verified: no signature or attestation stands behind all of it.",
		anything:
			"The policy accepts anything under this name. No signature was looked at.",
		pinned: "The policy lists this digest. No signature was looked at.",
		excepted:
			"This image may run by an exception of the policy, until that ends. Its signatures are not good enough.",
		deny: "This image may not run: the policy is not satisfied.",
		unknown: "There is no verdict. Until there is one, this image may not run.",
		audited:
			"The policy is not satisfied. It only watches this scope so far (audit): the gateway lets the image pass, and writes that down.",
	},
};

/** @type {typeof en} */
export const de = {
	verdict: {
		allow: "Erlaubt",
		unproven: "Erlaubt, nicht verifiziert",
		deny: "Abgelehnt",
		unknown: "Nicht feststellbar",
	},
	verdictLine: {
		allow: "Dieses Image darf laufen: Die Policy ist erfüllt.",
		unproven:
			"Die Policy lässt dieses Image laufen, aber verifiziert wurde es nicht: Keine Signatur oder Attestierung steht hinter allem.",
		anything:
			"Die Policy lässt unter diesem Namen alles zu. Nach Signaturen wurde nicht gesehen.",
		pinned:
			"Die Policy führt diesen Digest auf. Nach Signaturen wurde nicht gesehen.",
		excepted:
			"Dieses Image darf durch eine Ausnahme der Policy laufen, bis diese endet. Seine Signaturen reichen nicht aus.",
		deny: "Dieses Image darf nicht laufen: Die Policy ist nicht erfüllt.",
		unknown:
			"Es gibt kein Urteil. Bis es eines gibt, darf dieses Image nicht laufen.",
		audited:
			"Die Policy ist nicht erfüllt. Sie beobachtet diesen Bereich vorerst nur (Audit): Das Gateway lässt das Image durch und hält das fest.",
	},
};
