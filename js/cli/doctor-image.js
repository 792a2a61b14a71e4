// One image, asked for as a node would, and what the gateway must not give. Credentials, tokens, digests and verdicts are the
// core's: it pulls the manifest, and what it sent to be let in is sent again with the other questions.

import { codedError } from "../error.js";
import { parseReference, verifyImage } from "../quick.js";
import { withFlags } from "./flags.js";
import { errorOf, parsed, textOf } from "./gateway.js";
import { asking } from "./inputs.js";
import { styleOf } from "./show.js";

/** @typedef {import("./gateway.js").GatewayClient} GatewayClient */
/** @typedef {import("./findings.js").Findings} Findings */
/** @typedef {import("./doctor-policy.js").Published} Published */
/** @typedef {import("../index.d.ts").Report} Report */
/** @typedef {import("./doctor.js").DoctorCommand & { image: string }} Command */
/** @typedef {{ path: string, ref: string }} Place as the gateway is asked for it */
/** @typedef {{ status: number, headers: Map<string, string>, authorization: [string, string][], report: Report }} Pull */
/** @typedef {{ bytes: Uint8Array, name: string, digest?: string, manifest?: any, published?: Published }} Evidence */
/** @typedef {{ client: GatewayClient, findings: Findings, place: Place, pull: Pull, audit: boolean }} Case */

/** The core is to pull, and to judge nothing yet. */
const NOBODY = '{"default":[{"type":"reject"}]}';
const MANIFESTS = [
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
/** Layers of a refused image that are asked for. */
const LAYERS = 3;

/** @param {GatewayClient} client @param {Findings} findings @param {Command} command @param {boolean} audit @returns {Promise<Published | undefined>} what the gateway publishes of its policy for the image */
export async function images(client, findings, command, audit) {
	/** @type {Published | undefined} */
	let published;
	await findings.trying("image", async () => {
		const place = await located(client, command.image);
		const pull = await pulled(client, place, command);
		if (!(await came(findings, client, place, pull))) return;
		const one = { client, findings, place, pull, audit };
		await findings.trying("HEAD", () => head(one));
		await findings.trying("writes", () => writes(one));
		await findings.trying("ns=", () => otherOrigin(one));
		const evidence = await readEvidence(one);
		const report = await reported(one, evidence?.name);
		await findings.trying("blobs", () => blobs(one, evidence, report));
		await findings.trying("judged here", () => judged(one, evidence, report));
		published = evidence?.published;
	});
	return published;
}

/** @param {GatewayClient} client @param {string} image @returns {Promise<Place>} */
async function located(client, image) {
	const { host } = new URL(client.origin);
	if (image.startsWith(`${host}/`))
		return placeOf(
			parseReference(`gateway.invalid/${image.slice(host.length + 1)}`),
		);
	const reference = parseReference(image);
	const registries = registriesOf(
		textOf(await client.ask("/setup?for=podman")),
	);
	for (const { name, location } of registries) {
		const [known = "", ...below] = location.split("/");
		if (reference.domain === known) return placeOf(reference);
		if (reference.domain === name)
			return placeOf(reference, [...below, reference.path].join("/"));
	}
	throw codedError(
		"image.elsewhere",
		`${image}: expected an image of ${[host, ...registries.map(({ name }) => name)].join(" or ")}, found one of ${reference.domain}`,
	);
}

/** @param {{ path: string, tag?: string, digest?: string }} reference @param {string} [path] @returns {Place} */
function placeOf(reference, path = reference.path) {
	return { path, ref: reference.digest ?? reference.tag ?? "latest" };
}

/** What a gateway says to podman: under which names, and where, but for what it blocks. @param {string} conf */
function registriesOf(conf) {
	return conf
		.split("[[registry]]")
		.slice(1)
		.filter((part) => !/^blocked = true$/m.test(part))
		.map((part) => ({
			name: /^prefix = "([^"]*)"$/m.exec(part)?.[1] ?? "",
			location: /^location = "([^"]*)"$/m.exec(part)?.[1] ?? "",
		}));
}

/** @param {Place} place */
function manifestPath({ path, ref }) {
	return `/v2/${path}/manifests/${ref}`;
}

/** @param {string} host @param {Place} place */
function named(host, { path, ref }) {
	return `${host}/${path}${ref.includes(":") ? "@" : ":"}${ref}`;
}

/** The core's own dialogue, with the credentials that nodes have for this host. @param {GatewayClient} client @param {Place} place @param {Command} command @returns {Promise<Pull>} */
async function pulled({ origin }, place, command) {
	const { protocol, hostname, host, port } = new URL(origin);
	const own = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
	/** @type {Omit<Pull, "report"> | undefined} */
	let last;
	/** @type {import("../index.d.ts").Fetch} */
	const fetch = async (url, init) => {
		// By a loopback name the core would speak plain http, whatever this gateway speaks.
		const { hostname: asked, pathname, search } = new URL(url);
		const isOwn = asked === hostname && url.includes(`//${own}/`);
		const address = isOwn ? `${origin}${pathname}${search}` : url;
		const found = await command.fetch(address, init);
		if (isOwn && pathname === manifestPath(place)) {
			/** @type {Map<string, string>} */
			const headers = new Map();
			found.headers.forEach((value, name) => {
				headers.set(name.toLowerCase(), value);
			});
			const authorization = init.headers.filter(
				([name]) => name.toLowerCase() === "authorization",
			);
			last = { status: found.status, headers, authorization };
		}
		return found;
	};
	const credentials = /^[^[]*[.:]|^localhost/.test(host) ? host : own;
	const report = await verifyImage(named(own, place), {
		...asking(`${credentials}/${place.path}`, command),
		fetch,
		plainHttp: protocol === "http:",
		policy: NOBODY,
		as: named("gateway.invalid", place),
	});
	if (last === undefined)
		throw codedError(report.code, withFlags(/** @type {any} */ (report)));
	return { ...last, report };
}

/** Whether there is an image to go on with. @param {Findings} findings @param {GatewayClient} client @param {Place} place @param {Pull} pull */
async function came(findings, client, place, pull) {
	const { status, headers, report } = pull;
	const { host } = new URL(client.origin);
	const name = named(host, place);
	const { code, message, image } = report;
	switch (status) {
		case 200: {
			const said = headers.get("docker-content-digest");
			const isWhole = image.digest !== undefined && said === image.digest;
			if (isWhole && (!place.ref.includes(":") || place.ref === image.digest))
				findings.ok("manifest", `${name} is served: ${image.digest}`);
			else
				findings.problem(
					"manifest",
					`${name}: the bytes are ${image.digest ?? `not what was asked for (${message})`}, and the gateway names ${said ?? "no digest"}`,
					"look for what changes answers between the gateway and here (a cache, a proxy): nodes run what they are sent",
					"digest.mismatch",
				);
			return true;
		}
		case 401:
			findings.problem(
				"manifest",
				`${name}: 401: the registry wants credentials, and takes none that are found here`,
				`sign in as nodes do: podman login ${host}, or $REGISTRY_AUTH_FILE; in Kubernetes an imagePullSecret for ${host}`,
			);
			return false;
		case 403: {
			const isOurs = code === "gateway.refused";
			findings.problem(
				"manifest",
				isOurs ? `refused: ${message}` : `${name}: 403, and not by the gateway`,
				isOurs
					? "the message says what to do, and the page behind its link shows each step of the evidence"
					: "these credentials may not read the repository, or something between refuses: ask the registry itself",
				codeIn(message),
			);
			return isOurs;
		}
		case 404:
			findings.problem(
				"manifest",
				`${name}: the registry does not have it`,
				"check name and tag; registries say so also to whoever may not read it",
			);
			return false;
		default: {
			const { message: own = message } =
				errorOf(await client.ask(manifestPath(place), asked(pull))) ?? {};
			findings.unknown(
				"manifest",
				`${name}: ${status}: ${own}`,
				"ask again; the gateway's log says what went wrong at the registry (upstream)",
				codeIn(own) ?? code,
			);
			return false;
		}
	}
}

/** What nodes send with a question for a manifest. @param {Pull} pull @returns {{ headers: [string, string][] }} */
function asked({ authorization }) {
	return { headers: [...authorization, ["accept", MANIFESTS]] };
}

/** The code that a message of the gateway has in brackets. @param {string} message */
function codeIn(message) {
	return /\[([a-z0-9.-]+)\](?: Decision |$)/.exec(message)?.[1];
}

/** As docker and containerd begin: HEAD by tag, then the digest that it named. @param {Case} one */
async function head({ client, findings, place, pull }) {
	const found = await client.ask(manifestPath(place), {
		method: "HEAD",
		...asked(pull),
	});
	const different = [
		"docker-content-digest",
		"content-type",
		"content-length",
	].filter((name) => found.headers.get(name) !== pull.headers.get(name));
	const remedy =
		"let what stands before the gateway pass HEAD on unchanged: docker and containerd begin with it";
	if (found.status !== pull.status)
		return findings.problem(
			"HEAD",
			`expected ${pull.status} as for GET, found ${found.status}`,
			remedy,
		);
	if (found.status !== 200)
		return findings.ok("HEAD", `${found.status}, as GET`);
	if (different.length > 0)
		return findings.problem(
			"HEAD",
			`expected what GET has, found another ${different.join(", ")}`,
			remedy,
		);
	const digest = found.headers.get("docker-content-digest") ?? "";
	const path = manifestPath({ ...place, ref: digest });
	const { status } = await client.ask(path, asked(pull));
	if (status === 200)
		return findings.ok("HEAD", "as GET, and the digest that it names comes");
	findings.problem(
		"HEAD",
		`the digest that it names (${digest}) is answered by ${status}`,
		"ask again: a tag that moved just now does this once",
	);
}

/** A manifest without bytes, and without credentials: nothing is written, whoever answers. @param {Case} one */
async function writes({ client, findings, place }) {
	const { status } = await client.ask(
		`/v2/${place.path}/manifests/sealgate-doctor`,
		{ method: "PUT", headers: [["content-length", "0"]] },
	);
	if (status === 405) return findings.ok("writes", "405");
	findings.problem(
		"writes",
		`a push is answered by ${status}, and not by 405`,
		"let pushes go to the registry itself, and everything below /v2/ of this name to the gateway",
	);
}

/** As containerd asks a mirror of another registry. @param {Case} one */
async function otherOrigin({ client, findings, place, pull }) {
	const path = `${manifestPath(place)}?ns=elsewhere.invalid`;
	const { status } = await client.ask(path, asked(pull));
	if (status === 403) return findings.ok("ns=", "another registry's: 403");
	findings.problem(
		"ns=",
		`as a mirror of another registry (ns=elsewhere.invalid) it answers ${status}, and not 403`,
		"let queries reach the gateway: without ns= a node may take this image for another registry's",
	);
}

/** @param {Case} one @returns {Promise<Evidence | undefined>} */
async function readEvidence({ client, place, pull }) {
	const path = place.path.split("/").map(encodeURIComponent).join("/");
	const { status, bytes } = await client.ask(
		`/api/evidence/${path}?ref=${encodeURIComponent(place.ref)}`,
		{ headers: pull.authorization },
	);
	const document = status === 200 ? parsed({ bytes }) : undefined;
	if (typeof document?.name !== "string") return undefined;
	const { name, digest, policy, answers = [] } = document;
	const first = answers.find(
		(/** @type {any} */ one) => one.path === `manifests/${place.ref}`,
	);
	return {
		bytes,
		name,
		digest,
		manifest:
			first?.body === undefined
				? undefined
				: parsed({ bytes: fromBase64(first.body) }),
		...(policy && { published: publishedOf(policy) }),
	};
}

/** @param {{ text: string, assets?: Record<string, string>, registriesD?: Record<string, string> }} policy @returns {Published} */
function publishedOf({ text, assets = {}, registriesD }) {
	const files = (/** @type {Record<string, string>} */ given) =>
		Object.fromEntries(
			Object.entries(given).map(([name, base64]) => [name, fromBase64(base64)]),
		);
	return {
		policy: fromBase64(text),
		assets: files(assets),
		...(registriesD && { registriesD: files(registriesD) }),
	};
}

/** @param {string} text */
function fromBase64(text) {
	return new Uint8Array(Buffer.from(text, "base64"));
}

/** The gateway's own report, compared with what it served. @param {Case} one @param {string} [name] by which the gateway knows the image: what stands before it may call it by another host @returns {Promise<Report | undefined>} */
async function reported({ client, findings, place, pull, audit }, name) {
	const image = name ?? named(new URL(client.origin).host, place);
	const answer = await client.ask(
		`/api/verify?image=${encodeURIComponent(image)}`,
		{ headers: pull.authorization },
	);
	if (answer.status !== 200) {
		findings.add({
			check: "report",
			level: answer.status === 403 ? "warning" : "unknown",
			found: `/api/verify answers ${answer.status}: ${errorOf(answer)?.message ?? ""}`,
			remedy:
				answer.status === 403
					? "without it nobody sees here why an image is refused or let through: leave PUBLISH_POLICY=none out"
					: "ask again",
		});
		return undefined;
	}
	/** @type {Report} */
	const report = parsed(answer);
	compareServed(findings, pull, report, audit);
	return report;
}

/** @param {Findings} findings @param {Pull} pull @param {Report} report @param {boolean} audit */
function compareServed(findings, { status }, report, audit) {
	const { verdict, verified, code, message } = report;
	const isServed = status === 200;
	const says = `the gateway's report says ${styleOf(report).word}: ${message}`;
	if (verdict === "unknown")
		return findings.unknown("report", says, "ask again", code);
	if (isServed && verdict === "allow")
		return verified
			? findings.ok("report", says)
			: findings.warning(
					"report",
					says,
					"no signature vouches for it: see that this is meant",
					code,
				);
	if (!isServed && verdict === "deny") return findings.ok("report", says);
	if (isServed && isAudited(report, audit))
		return findings.warning(
			"report",
			`${says}; it is served all the same, under audit`,
			"mend it before this scope is enforced",
			code,
		);
	findings.problem(
		"report",
		`${says}, and it was ${isServed ? "served" : "refused"}`,
		"ask again after ten seconds, for which a refusal is kept; when it stays, nodes do not reach the gateway that answers here",
		code,
	);
}

/** @param {Report} report @param {boolean} audit */
function isAudited({ notes }, audit) {
	return audit || notes.some(({ code }) => code === "policy.audit");
}

/** @param {Case} one @param {Evidence | undefined} evidence @param {Report | undefined} report */
async function blobs(
	{ client, findings, place, pull, audit },
	evidence,
	report,
) {
	if (audit || (report !== undefined && isAudited(report, audit))) return;
	const status = async (/** @type {string} */ digest, method = "HEAD") =>
		(
			await client.ask(`/v2/${place.path}/blobs/${digest}`, {
				method,
				headers: pull.authorization,
			})
		).status;
	const isGiven = (/** @type {number} */ found) => found < 400;
	const digest = pull.report.image.digest ?? report?.image.digest;
	if (digest !== undefined && isGiven(await status(digest, "GET")))
		return findings.problem(
			"blobs",
			`the manifest comes as a blob (blobs/${digest}), which nothing that is allowed lists`,
			"let everything below /v2/ go to the gateway: containerd asks for it after a refusal, keeps it, and may run it",
		);
	const { config, layers = [] } = evidence?.manifest ?? {};
	const parts = [config, ...layers]
		.flatMap((part) => (part?.digest === undefined ? [] : [part.digest]))
		.slice(0, LAYERS);
	const answers = [];
	for (const part of parts) answers.push({ part, status: await status(part) });
	const isServed = pull.status === 200;
	const wrong = answers.find(({ status }) => isGiven(status) !== isServed);
	if (wrong === undefined)
		return findings.ok(
			"blobs",
			isServed
				? `gated${parts.length > 0 ? ", and those that the image lists come" : ""}`
				: "gated, those of the refused image too",
		);
	findings.add({
		check: "blobs",
		level: isServed ? "problem" : "warning",
		found: `${wrong.part} ${isServed ? "of the image that was served" : "of the refused image"} is answered by ${wrong.status}`,
		remedy: isServed
			? "let a balancer keep a client at one instance (docs/rollout.md, several instances); else the registry lists it and does not give it"
			: "fine if an allowed image of this repository lists it too; else let everything below /v2/ go to the gateway",
	});
}

/** The same evidence, judged by the core in this process. @param {Case} one @param {Evidence | undefined} evidence @param {Report | undefined} report */
async function judged({ client, findings, place }, evidence, report) {
	if (evidence?.published === undefined)
		return findings.warning(
			"judged here",
			evidence === undefined
				? "the gateway gives no evidence (/api/evidence)"
				: "the gateway does not publish its policy",
			"judge with the policy itself: sealgate verify IMAGE --policy FILE",
		);
	const own = await verifyImage(named(new URL(client.origin).host, place), {
		evidence: evidence.bytes,
		...evidence.published,
		as: evidence.name,
	});
	const word = styleOf(own).word;
	if (report === undefined)
		return findings.ok("judged here", `${word}: ${own.message}`);
	if (own.image.digest !== report.image.digest)
		return findings.unknown(
			"judged here",
			"the tag moved between two questions",
			"ask again",
		);
	const same =
		own.verdict === report.verdict &&
		own.verified === report.verified &&
		own.code === report.code;
	if (same)
		return findings.ok(
			"judged here",
			`${word}, as the gateway says, from the same evidence`,
		);
	findings.problem(
		"judged here",
		`${word} (${own.code}), and the gateway says ${styleOf(report).word} (${report.code}), from the same evidence`,
		"compare the versions of both; of one version, report it as SECURITY.md says",
	);
}
