// A whole private Sigstore on loopback, and what cosign signs with it: an OIDC issuer of people and one of CI workflows, Fulcio
// (an intermediate below a root, no CT log), Rekor v2, and a timestamp authority. Keys and storage end with it.
//
// In scope: starting it, tokens, its trusted root, and signing by real cosign 3 (bundles) and cosign 2 (`.sig` and `.att` tags).
// Out of scope: anything that judges a signature, but for what cosign itself says. Several can run at once; by default they share their
// names (issuers, the log's origin), so that a test with two of them tells apart who trusts the keys and who the names.

import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COSIGN_ENV, run, serve, tool } from "./peers.mjs";

/**
 * @typedef {object} Sigstore
 * @property {string} trustedRoot     path of `trusted_root.json`
 * @property {string} signingConfig   path of cosign 3's `signing_config.json`
 * @property {string} chain           path of Fulcio's certificates (PEM: the intermediate, then the root)
 * @property {string} timestampChain  path of the authority's certificates (PEM: its own, the intermediate, the root)
 * @property {{ email: string, ci: string }} issuers   what certificates record as issuer
 * @property {{ fulcio: string, rekor: string, timestamp: string }} urls
 * @property {(who: { email: string } | { claims: Partial<typeof CI_CLAIMS> }) => string} token   a person's, or a workflow's (what is not given is as in `CI_CLAIMS`)
 * @property {() => Promise<void>} stop  ends everything and removes its folder
 */

/** @typedef {{ token: string } | { key: string }} Signer a fresh certificate for a token's identity, or a key (path, empty password) */

/** @typedef {{ issuer?: string, subject: string } | { pub: string }} Who a certificate's identity (of any issuer when none is given), or a PEM public key's path */

/** The claims of a workflow run's token, as GitHub names them. */
export const CI_CLAIMS = Object.freeze({
	sub: "repo:demo/app:ref:refs/heads/main",
	event_name: "push",
	sha: "d0b81cb1e0d6ea9ed2ac4d2a0d9aeb0a9d0d6e25",
	workflow: "release",
	repository: "demo/app",
	repository_id: "1001",
	repository_owner: "demo",
	repository_owner_id: "1000",
	repository_visibility: "public",
	ref: "refs/heads/main",
	job_workflow_ref: "demo/app/.github/workflows/release.yml@refs/heads/main",
	job_workflow_sha: "d0b81cb1e0d6ea9ed2ac4d2a0d9aeb0a9d0d6e25",
	workflow_ref: "demo/app/.github/workflows/release.yml@refs/heads/main",
	workflow_sha: "d0b81cb1e0d6ea9ed2ac4d2a0d9aeb0a9d0d6e25",
	runner_environment: "github-hosted",
	run_id: "2002",
	run_attempt: "1",
});

/** Who a certificate for `CI_CLAIMS` names. */
export const CI_SUBJECT = `https://github.com/${CI_CLAIMS.job_workflow_ref}`;

// What Fulcio makes of them: the templates of its own configuration for GitHub.
const CI_PROVIDER = {
	DefaultTemplateValues: { url: "https://github.com" },
	ExtensionTemplates: {
		GithubWorkflowTrigger: "event_name",
		GithubWorkflowSHA: "sha",
		GithubWorkflowName: "workflow",
		GithubWorkflowRepository: "repository",
		GithubWorkflowRef: "ref",
		BuildSignerURI: "{{ .url }}/{{ .job_workflow_ref }}",
		BuildSignerDigest: "job_workflow_sha",
		RunnerEnvironment: "runner_environment",
		SourceRepositoryURI: "{{ .url }}/{{ .repository }}",
		SourceRepositoryDigest: "sha",
		SourceRepositoryRef: "ref",
		SourceRepositoryIdentifier: "repository_id",
		SourceRepositoryOwnerURI: "{{ .url }}/{{ .repository_owner }}",
		SourceRepositoryOwnerIdentifier: "repository_owner_id",
		BuildConfigURI: "{{ .url }}/{{ .workflow_ref }}",
		BuildConfigDigest: "workflow_sha",
		BuildTrigger: "event_name",
		RunInvocationURI:
			"{{ .url }}/{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}",
		SourceRepositoryVisibilityAtSigning: "repository_visibility",
	},
	SubjectAlternativeNameTemplate: "{{ .url }}/{{ .job_workflow_ref }}",
};

const START = "2026-01-01T00:00:00Z";
const PASSWORD = "sealgate";

/**
 * @param {{ domain?: string }} [options]   of the issuers (`https://accounts.DOMAIN`, `https://token.actions.DOMAIN`) and the log (`rekor.DOMAIN`)
 * @returns {Promise<Sigstore>}
 */
export async function startSigstore({ domain = "demo.example" } = {}) {
	const dir = await mkdtemp(join(tmpdir(), "sealgate-sigstore-"));
	/** @type {(() => Promise<void>)[]} */
	const ends = [() => rm(dir, { recursive: true, force: true })];
	const stop = async () => {
		for (const end of ends.splice(0).reverse()) await end();
	};
	try {
		const issuers = {
			email: `https://accounts.${domain}`,
			ci: `https://token.actions.${domain}`,
		};
		const issuer = await startIssuers(dir, Object.values(issuers));
		ends.push(issuer.stop);
		const fulcio = await startFulcio(dir, issuers, issuer);
		ends.push(fulcio.stop);
		const rekor = await startRekor(dir, `rekor.${domain}`);
		ends.push(rekor.stop);
		const authority = await startAuthority(dir);
		ends.push(authority.stop);
		const urls = {
			fulcio: `http://${fulcio.host}`,
			rekor: `http://${rekor.host}`,
			timestamp: `http://${authority.host}/api/v1/timestamp`,
		};
		const made = {
			chain: join(dir, "fulcio.chain.pem"),
			timestampChain: join(dir, "tsa.chain.pem"),
			trustedRoot: join(dir, "trusted_root.json"),
			signingConfig: join(dir, "signing_config.json"),
		};
		await writeTrust(made, urls, {
			domain,
			logKey: join(dir, "rekor.pub"),
			email: issuers.email,
		});
		const token = (/** @type {any} */ who) =>
			who.email
				? issuer.token(issuers.email, {
						sub: who.email,
						email: who.email,
						email_verified: true,
					})
				: issuer.token(issuers.ci, { ...CI_CLAIMS, ...who.claims });
		return { ...made, issuers, urls, token, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

// --- its parts ---

/**
 * The issuers' discovery pages, over TLS under names that exist nowhere: a proxy on loopback leads there whoever is told to use it.
 * @param {string} dir
 * @param {string[]} urls
 */
async function startIssuers(dir, urls) {
	const names = urls.map((url) => `DNS:${new URL(url).hostname}`).join(",");
	await openssl(
		"req",
		"-x509",
		...newKey("P-256"),
		"-nodes",
		"-keyout",
		join(dir, "tls.key"),
		"-out",
		join(dir, "tls.pem"),
		"-subj",
		"/CN=issuers",
		"-addext",
		`subjectAltName=${names}`,
	);
	const { privateKey, publicKey } = generateKeyPairSync("rsa", {
		modulusLength: 2048,
	});
	const keys = [
		{
			...publicKey.export({ format: "jwk" }),
			kid: "1",
			alg: "RS256",
			use: "sig",
		},
	];
	const pages = createTlsServer(
		{
			key: await readFile(join(dir, "tls.key")),
			cert: await readFile(join(dir, "tls.pem")),
		},
		(request, response) => {
			const issuer = `https://${request.headers.host}`;
			const discovery = {
				issuer,
				jwks_uri: `${issuer}/keys`,
				authorization_endpoint: `${issuer}/auth`,
				token_endpoint: `${issuer}/token`,
				response_types_supported: ["id_token"],
				subject_types_supported: ["public"],
				id_token_signing_alg_values_supported: ["RS256"],
			};
			const page = {
				"/.well-known/openid-configuration": discovery,
				"/keys": { keys },
			}[request.url ?? ""];
			response
				.writeHead(page ? 200 : 404, { "content-type": "application/json" })
				.end(JSON.stringify(page ?? {}));
		},
	);
	const proxy = createServer().on("connect", (_request, socket) => {
		socket.on("error", () => socket.destroy());
		socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
		pages.emit("connection", socket);
	});
	const port = await listen(proxy);
	const token = (
		/** @type {string} */ iss,
		/** @type {Record<string, unknown>} */ claims,
	) => {
		const now = Math.floor(Date.now() / 1000);
		const text = [
			{ alg: "RS256", kid: "1", typ: "JWT" },
			{
				iss,
				aud: "sigstore",
				iat: now,
				nbf: now - 60,
				exp: now + 600,
				...claims,
			},
		]
			.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
			.join(".");
		return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
	};
	const stop = async () => {
		proxy.close();
		proxy.closeAllConnections();
		pages.closeAllConnections();
	};
	return {
		token,
		stop,
		env: {
			HTTPS_PROXY: `http://127.0.0.1:${port}`,
			SSL_CERT_FILE: join(dir, "tls.pem"),
		},
	};
}

/**
 * @param {string} dir
 * @param {{ email: string, ci: string }} issuers
 * @param {{ env: Record<string, string> }} issuer   how to reach them
 */
async function startFulcio(dir, issuers, issuer) {
	const extensions = [
		"keyUsage=critical,keyCertSign,cRLSign",
		"subjectKeyIdentifier=hash",
	];
	await certify(dir, "fulcio.root", {
		curve: "P-384",
		extensions: ["basicConstraints=critical,CA:TRUE", ...extensions],
	});
	await certify(dir, "fulcio", {
		curve: "P-384",
		by: "fulcio.root",
		extensions: [
			"basicConstraints=critical,CA:TRUE,pathlen:0",
			"extendedKeyUsage=codeSigning",
			...extensions,
		],
	});
	await concatenate(dir, "fulcio.chain.pem", ["fulcio", "fulcio.root"]);
	await openssl(
		"pkcs8",
		"-topk8",
		"-v2",
		"aes-256-cbc",
		"-passout",
		`pass:${PASSWORD}`,
		"-in",
		join(dir, "fulcio.key"),
		"-out",
		join(dir, "fulcio.enc"),
	);
	const config = join(dir, "fulcio.json");
	const client = {
		ClientID: "sigstore",
		Contact: "nobody@demo.example",
		Description: "a fixture",
	};
	await writeFile(
		config,
		JSON.stringify({
			OIDCIssuers: {
				[issuers.email]: { IssuerURL: issuers.email, Type: "email", ...client },
				[issuers.ci]: {
					IssuerURL: issuers.ci,
					Type: "ci-provider",
					CIProvider: "workflow",
					...client,
				},
			},
			CIIssuerMetadata: { workflow: CI_PROVIDER },
		}),
	);
	const [http, grpc, metrics] = await freePorts(3);
	const args = [
		"--ca",
		"fileca",
		"--fileca-cert",
		join(dir, "fulcio.chain.pem"),
		"--fileca-key",
		join(dir, "fulcio.enc"),
		"--fileca-key-passwd",
		PASSWORD,
		"--fileca-watch=false",
	];
	const places = [
		"--host",
		"127.0.0.1",
		"--port",
		http,
		"--grpc-host",
		"127.0.0.1",
		"--grpc-port",
		grpc,
		"--metrics-port",
		metrics,
		"--legacy-unix-domain-socket",
		join(dir, "fulcio.socket"),
	];
	const server = await serve(
		await tool("fulcio"),
		["serve", ...args, ...places, "--ct-log-url=", "--config-path", config],
		/listening on http at (127\.0\.0\.1:\d+)/,
		issuer.env,
	);
	return answering(server, "/healthz");
}

/**
 * @param {string} dir
 * @param {string} name   of the log, which its checkpoints carry
 */
async function startRekor(dir, name) {
	await openssl(
		"genpkey",
		"-algorithm",
		"ED25519",
		"-out",
		join(dir, "rekor.key"),
	);
	await openssl(
		"pkey",
		"-in",
		join(dir, "rekor.key"),
		"-pubout",
		"-out",
		join(dir, "rekor.pub"),
	);
	await mkdir(join(dir, "rekor"));
	const [http, grpc, metrics] = await freePorts(3);
	const places = [
		"--http-address",
		"127.0.0.1",
		"--http-port",
		http,
		"--grpc-address",
		"127.0.0.1",
		"--grpc-port",
		grpc,
		"--http-metrics-port",
		metrics,
	];
	const log = [
		"--hostname",
		name,
		"--storage-dir",
		join(dir, "rekor"),
		"--signer-filepath",
		join(dir, "rekor.key"),
		"--checkpoint-interval",
		"200ms",
	];
	const server = await serve(
		await tool("rekor2"),
		["serve", ...log, ...places],
		/starting HTTP proxy"?,? "?address"?[=:]"?(127\.0\.0\.1:\d+)/,
	);
	return answering(server, "/healthz");
}

/** @param {string} dir */
async function startAuthority(dir) {
	const ca = (/** @type {string} */ more) => [
		`basicConstraints=critical,CA:TRUE${more}`,
		"keyUsage=critical,keyCertSign,cRLSign",
		"subjectKeyIdentifier=hash",
	];
	await certify(dir, "tsa.root", { curve: "P-384", extensions: ca("") });
	await certify(dir, "tsa.int", {
		curve: "P-384",
		by: "tsa.root",
		extensions: [...ca(",pathlen:0"), "extendedKeyUsage=timeStamping"],
	});
	await certify(dir, "tsa", {
		curve: "P-256",
		by: "tsa.int",
		extensions: [
			"basicConstraints=critical,CA:FALSE",
			"keyUsage=critical,digitalSignature",
			"extendedKeyUsage=critical,timeStamping",
			"subjectKeyIdentifier=hash",
		],
	});
	await concatenate(dir, "tsa.chain.pem", ["tsa", "tsa.int", "tsa.root"]);
	return serve(
		await tool("timestamp-authority"),
		[join(dir, "tsa.chain.pem"), join(dir, "tsa.key")],
		/^(127\.0\.0\.1:\d+)$/m,
	);
}

/**
 * `trusted_root.json` and `signing_config.json`, by cosign's own commands. The root names the services as verifiers know them
 * (cosign takes the log's host for its checkpoints' origin), the configuration says where they run.
 * @param {{ chain: string, timestampChain: string, trustedRoot: string, signingConfig: string }} made
 * @param {{ fulcio: string, rekor: string, timestamp: string }} urls
 * @param {{ domain: string, logKey: string, email: string }} names
 */
async function writeTrust(made, urls, { domain, logKey, email }) {
	const cosign = await tool("cosign3");
	const trusted = [
		`--fulcio=url=https://fulcio.${domain},certificate-chain=${made.chain},start-time=${START}`,
		`--rekor=url=https://rekor.${domain},public-key=${logKey},start-time=${START},origin=rekor.${domain}`,
		`--tsa=url=https://timestamp.${domain}/api/v1/timestamp,certificate-chain=${made.timestampChain},start-time=${START}`,
	];
	await run(
		cosign,
		["trusted-root", "create", ...trusted, "--out", made.trustedRoot],
		{ env: COSIGN_ENV },
	);
	const from = `start-time=${START},operator=sealgate`;
	const signing = [
		`--fulcio=url=${urls.fulcio},api-version=1,${from}`,
		`--rekor=url=${urls.rekor},api-version=2,${from}`,
		"--rekor-config=ANY",
		`--oidc-provider=url=${email},api-version=1,${from}`,
		`--tsa=url=${urls.timestamp},api-version=1,${from}`,
		"--tsa-config=ANY",
	];
	await run(
		cosign,
		["signing-config", "create", ...signing, "--out", made.signingConfig],
		{ env: COSIGN_ENV },
	);
}

// --- signing ---

/**
 * cosign 3 signs an image: a bundle with log entry and timestamp, hung on it as a referrer.
 * @param {Sigstore} sigstore
 * @param {string} image    `host/repo@sha256:…`
 * @param {Signer} signer
 */
export async function signImage(sigstore, image, signer) {
	await run(
		await tool("cosign3"),
		[
			"sign",
			"-y",
			...signing(sigstore, signer),
			"--allow-http-registry",
			image,
		],
		{ env: COSIGN_ENV },
	);
}

/**
 * cosign 3 attests: the same, about a predicate.
 * @param {Sigstore} sigstore
 * @param {string} image    `host/repo@sha256:…`
 * @param {Signer} signer
 * @param {{ type: string, predicate: string }} statement   cosign's name of the type (or its URI), and the path of a JSON file
 */
export async function attestImage(
	sigstore,
	image,
	signer,
	{ type, predicate },
) {
	await run(
		await tool("cosign3"),
		[
			"attest",
			"-y",
			...signing(sigstore, signer),
			"--type",
			type,
			"--predicate",
			predicate,
			"--allow-http-registry",
			image,
		],
		{ env: COSIGN_ENV },
	);
}

/**
 * cosign 3 signs a file: a bundle with a message signature.
 * @param {Sigstore} sigstore
 * @param {string} file
 * @param {string} bundle   path to write
 * @param {Signer} signer
 */
export async function signFile(sigstore, file, bundle, signer) {
	await run(
		await tool("cosign3"),
		["sign-blob", "-y", ...signing(sigstore, signer), "--bundle", bundle, file],
		{ env: COSIGN_ENV },
	);
}

/**
 * cosign 2 signs or attests keyless: a layer of the manifest under the tag `sha256-….sig` or `.att`, with certificate, chain and a timestamp. It knows no Rekor v2, so no log entry.
 * @param {Sigstore} sigstore
 * @param {string} image    `host/repo@sha256:…`
 * @param {{ token: string }} signer
 * @param {{ identity?: string, statement?: { type: string, predicate: string } }} [what]  the name that the payload of a signature records; or a statement to attest
 */
export async function signTagKeyless(
	sigstore,
	image,
	signer,
	{ identity, statement } = {},
) {
	const command = statement
		? ["attest", "--type", statement.type, "--predicate", statement.predicate]
		: ["sign", ...(identity ? ["--sign-container-identity", identity] : [])];
	const services = [
		"--fulcio-url",
		sigstore.urls.fulcio,
		"--timestamp-server-url",
		sigstore.urls.timestamp,
		"--tlog-upload=false",
		"--insecure-skip-verify",
	];
	await run(
		await tool("cosign2"),
		[
			...command,
			"-y",
			...services,
			"--identity-token",
			signer.token,
			"--allow-http-registry",
			image,
		],
		{ env: { ...COSIGN_ENV, SIGSTORE_ROOT_FILE: sigstore.chain } },
	);
}

/**
 * @param {Sigstore} sigstore
 * @param {Signer} signer
 */
function signing(sigstore, signer) {
	const who =
		"key" in signer
			? ["--key", signer.key]
			: ["--identity-token", signer.token];
	return [
		"--signing-config",
		sigstore.signingConfig,
		"--trusted-root",
		sigstore.trustedRoot,
		...who,
	];
}

/** A private Sigstore has no certificate transparency log. */
export const NO_SCT = "--insecure-ignore-sct=true";

/**
 * What cosign 3 itself says of bundles.
 * @param {{ trustedRoot: string }} sigstore
 * @param {{ image: string, type?: string } | { file: string, bundle: string } | { bundle: string, type: string, digest: { algorithm: string, hex: string } }} what
 *        an image's signature, or its attestation of a type; a file's signature; an attestation of something that is not there
 * @param {Who} who
 * @param {string[]} [args]   what the trusted root has none of
 * @returns {Promise<{ ok: boolean, said: string }>}
 */
export function verifyByCosign3(sigstore, what, who, args = []) {
	const trusted = [
		"--trusted-root",
		sigstore.trustedRoot,
		...expected(who),
		...args,
	];
	if ("file" in what)
		return said("cosign3", [
			"verify-blob",
			"--bundle",
			what.bundle,
			...trusted,
			what.file,
		]);
	if ("digest" in what)
		return said("cosign3", [
			"verify-blob-attestation",
			"--bundle",
			what.bundle,
			"--type",
			what.type,
			"--digest",
			what.digest.hex,
			"--digestAlg",
			what.digest.algorithm,
			...trusted,
		]);
	const command = what.type
		? ["verify-attestation", "--type", what.type]
		: ["verify"];
	return said("cosign3", [
		...command,
		...trusted,
		"--allow-http-registry",
		what.image,
	]);
}

/**
 * What cosign 2 itself says of `.sig` and `.att` tags without log entries (of images without bundles: it prefers those).
 * @param {Sigstore} sigstore
 * @param {{ image: string, type?: string }} what
 * @param {Who} who
 * @returns {Promise<{ ok: boolean, said: string }>}
 */
export function verifyByCosign2(sigstore, what, who) {
	const command = what.type
		? ["verify-attestation", "--type", what.type]
		: ["verify"];
	const trusted =
		"pub" in who
			? []
			: [
					"--ca-roots",
					sigstore.chain,
					"--timestamp-certificate-chain",
					sigstore.timestampChain,
				];
	return said("cosign2", [
		...command,
		...trusted,
		"--insecure-ignore-tlog=true",
		NO_SCT,
		...expected(who),
		"--allow-http-registry",
		what.image,
	]);
}

/** @param {Who} who */
function expected(who) {
	if ("pub" in who) return ["--key", who.pub];
	const issuer =
		who.issuer === undefined
			? ["--certificate-oidc-issuer-regexp", ".*"]
			: ["--certificate-oidc-issuer", who.issuer];
	return [...issuer, "--certificate-identity", who.subject];
}

/**
 * @param {"cosign2"|"cosign3"} version
 * @param {string[]} args
 */
async function said(version, args) {
	try {
		const { stdout, stderr } = await run(await tool(version), args, {
			env: COSIGN_ENV,
		});
		return { ok: true, said: `${stderr}${stdout}` };
	} catch (error) {
		return { ok: false, said: /** @type {Error} */ (error).message };
	}
}

// --- small things ---

/** @param {...string} args */
const openssl = (...args) => run("openssl", args);

/** @param {string} curve */
const newKey = (curve) => [
	"-newkey",
	"ec",
	"-pkeyopt",
	`ec_paramgen_curve:${curve}`,
];

/**
 * `name.pem` and `name.key`, for a hundred years; its own issuer when none is given.
 * @param {string} dir
 * @param {string} name
 * @param {{ curve: string, by?: string, extensions: string[] }} options
 */
async function certify(dir, name, { curve, by, extensions }) {
	const file = (/** @type {string} */ suffix) => join(dir, `${name}.${suffix}`);
	await openssl(
		"req",
		"-new",
		...newKey(curve),
		"-nodes",
		"-keyout",
		file("key"),
		"-out",
		file("csr"),
		"-subj",
		`/O=demo.example/CN=${name}`,
	);
	await writeFile(file("ext"), extensions.join("\n"));
	const issuer = by
		? [
				"-CA",
				join(dir, `${by}.pem`),
				"-CAkey",
				join(dir, `${by}.key`),
				"-CAcreateserial",
			]
		: ["-signkey", file("key")];
	await openssl(
		"x509",
		"-req",
		"-in",
		file("csr"),
		...issuer,
		"-days",
		"36500",
		"-sha256",
		"-extfile",
		file("ext"),
		"-out",
		file("pem"),
	);
}

/**
 * @param {string} dir
 * @param {string} to
 * @param {string[]} names  of certificates
 */
async function concatenate(dir, to, names) {
	const parts = await Promise.all(
		names.map((name) => readFile(join(dir, `${name}.pem`), "utf8")),
	);
	await writeFile(join(dir, to), parts.join(""));
}

/**
 * @param {import("node:net").Server} server
 * @returns {Promise<number>} the port
 */
function listen(server) {
	return new Promise((resolve, reject) => {
		server
			.once("error", reject)
			.listen(0, "127.0.0.1", () =>
				resolve(
					/** @type {import("node:net").AddressInfo} */ (server.address()).port,
				),
			);
	});
}

/**
 * Free ports, for servers that cannot choose their own.
 * @param {number} count
 * @returns {Promise<string[]>}
 */
async function freePorts(count) {
	const servers = Array.from({ length: count }, () => createTcpServer());
	const ports = await Promise.all(servers.map(listen));
	await Promise.all(
		servers.map((server) => new Promise((resolve) => server.close(resolve))),
	);
	return ports.map(String);
}

/**
 * A server that says where it listens before it does.
 * @template {{ host: string, stop: () => Promise<void> }} Server
 * @param {Server} server
 * @param {string} path
 * @returns {Promise<Server>} once it answers
 */
async function answering(server, path) {
	for (let tries = 0; tries < 100; tries += 1) {
		const response = await fetch(`http://${server.host}${path}`).catch(
			() => null,
		);
		if (response?.ok) return server;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	await server.stop();
	throw new Error(
		`http://${server.host}${path}: expected an answer within ten seconds, found none`,
	);
}
