// The library speaks of options; here they are flags.

/** By the codes of messages that speak of them. @type {Record<string, string>} */
const FLAGS = {
	"bundle.attestation": "verify-blob-attestation --type TYPE",
	"host.egress": "--egress HOST, or --realm URL for a token service",
	"init.expression":
		"--certificate-identity ID and --certificate-oidc-issuer URL",
	"init.other-name": "--mirror",
	"limit.instances": "--platform OS/ARCH",
	"registry.realm": "--realm URL",
	"rule.missing": "--key FILE or --policy FILE",
};

/** A message of the library, as the command line says it. @param {{ code?: string, message: string }} said */
export function withFlags({ code, message }) {
	const flags = Object.hasOwn(FLAGS, code ?? "")
		? FLAGS[code ?? ""]
		: undefined;
	return flags === undefined
		? message
		: `${message}; on this command line: ${flags}`;
}
