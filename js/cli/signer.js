// Options that say who must have signed.

/** @typedef {import("./arguments.js").Given} Given */
/** @typedef {import("./arguments.js").Identity} Identity */

/** Subject and issuer, each once and in one way; empty where nothing of it was given. @param {Given} given @param {string} [policy] @returns {Identity} */
export function readIdentity(given, policy) {
	const subject = given.single("certificate-identity");
	const subjectRegexp = given.single("certificate-identity-regexp");
	const issuer = given.single("certificate-oidc-issuer");
	const issuerRegexp = given.single("certificate-oidc-issuer-regexp");
	const claims = readPairs(given, "certificate-claim");
	const all = [subject, subjectRegexp, issuer, issuerRegexp];
	if (all.every((value) => value === undefined)) {
		if (claims === undefined) return {};
		throw given.wrong(
			"--certificate-claim says more about a certificate: add --certificate-identity and --certificate-oidc-issuer",
		);
	}
	if (policy !== undefined)
		throw given.wrong(
			"--certificate-… and --policy are two ways to say what is trusted: give one of them",
		);
	checkOne(given, "certificate-identity", subject, subjectRegexp);
	checkOne(given, "certificate-oidc-issuer", issuer, issuerRegexp);
	if ((subject ?? subjectRegexp) === undefined)
		throw given.wrong(
			"an issuer alone trusts everyone whom it knows: add --certificate-identity",
		);
	if ((issuer ?? issuerRegexp) === undefined)
		throw given.wrong(
			"an identity is worth what its issuer is worth: add --certificate-oidc-issuer",
		);
	return {
		...(subject !== undefined && { certificateIdentity: subject }),
		...(subjectRegexp !== undefined && {
			certificateIdentityRegexp: subjectRegexp,
		}),
		...(issuer !== undefined && { certificateOidcIssuer: issuer }),
		...(issuerRegexp !== undefined && {
			certificateOidcIssuerRegexp: issuerRegexp,
		}),
		...(claims !== undefined && { certificateClaims: claims }),
	};
}

/** @param {Given} given @param {string} option @param {string | undefined} exact @param {string | undefined} expression */
function checkOne(given, option, exact, expression) {
	if (exact !== undefined && expression !== undefined)
		throw given.wrong(`give one of --${option} and --${option}-regexp`);
}

/** NAME=VALUE, each name once. @param {Given} given @param {"certificate-claim" | "annotation"} option @returns {Record<string, string> | undefined} */
export function readPairs(given, option) {
	const pairs = given.list(option).map((one) => {
		const [, name, value] = /^([^=]+)=(.*)$/s.exec(one) ?? [];
		if (name === undefined || value === undefined || value === "")
			throw given.wrong(
				`--${option}: expected NAME=VALUE, found ${JSON.stringify(one)}`,
			);
		return /** @type {[string, string]} */ ([name, value]);
	});
	const names = pairs.map(([name]) => name);
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined)
		throw given.wrong(
			`--${option}: ${JSON.stringify(twice)} was given several times: give it once`,
		);
	return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}
