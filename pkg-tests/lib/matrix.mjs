/**
 * The table of the client matrix: who pulls what, by which kind of reference, with which sign-in, through which runtime. Nothing
 * here pulls.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { NODES } from "./nodes.mjs";

/** What an image is pulled by. */
export const REFERENCES = /** @type {const} */ ([
	"tag",
	"digest",
	"index tag",
	"index digest",
]);
export const SIGNED = /** @type {const} */ ([false, true]);
export const AUTHS = /** @type {const} */ (["none", "token"]);
/** Everything through these; through Miniflare, a sample. */
export const RUNTIMES = /** @type {const} */ (["node", "workerd"]);
export const SAMPLED = "miniflare";
/** Who tries https first waits for ten seconds there at each pull: Miniflare leaves a TLS handshake on its port without an answer. */
const IN_SAMPLE = /** @type {const} */ (["tag", "index digest"]);

/**
 * Where a client shows why: in the message; only as the status line has it; nowhere.
 *
 * @type {Record<string, "message" | "status line">}
 */
export const SHOWS = {
	"containerd 1.6, ctr": "status line",
	"containerd 1.6, CRI": "status line",
	"containerd 2, ctr": "message",
	"containerd 2, CRI": "message",
	"docker 20.10": "message",
	"docker 29": "message",
	podman: "message",
	buildah: "message",
	skopeo: "message",
	"containers/image 5.42": "message",
	crane: "message",
	oras: "message",
	buildkit: "message",
};

/** Two minutes to build without anything in a cache: more than a run of all tests has left. */
const NOT_IN_SAMPLES = new Set(["buildkit"]);

/** @typedef {typeof REFERENCES[number]} Reference */
/** @typedef {{ client: string, runtime: string, auth: typeof AUTHS[number], reference: Reference, signed: boolean }} Cell */

/**
 * Cells of one client, runtime and sign-in: one node, which begins empty; what is refused comes first.
 *
 * @param {string} client
 * @param {string} runtime
 * @param {typeof AUTHS[number]} auth
 * @param {readonly Reference[]} [references]
 * @returns {Cell[]}
 */
const group = (client, runtime, auth, references = REFERENCES) =>
	SIGNED.flatMap((signed) =>
		references.map((reference) => ({
			client,
			runtime,
			auth,
			reference,
			signed,
		})),
	);

/**
 * Groups of cells, each for a node of its own.
 *
 * all: every client, runtime and sign-in, and each client once through Miniflare. Else each client with one pair of runtime and
 * sign-in, so that all four pairs come equally often, and one client through Miniflare. Which, the seed decides.
 *
 * @param {{ all: boolean, seed: string }} options
 * @returns {Cell[][]}
 */
export function cells({ all, seed }) {
	const clients = Object.keys(NODES).filter(
		(name) => all || !NOT_IN_SAMPLES.has(name),
	);
	const pairs = RUNTIMES.flatMap((runtime) =>
		AUTHS.map((auth) => /** @type {const} */ ([runtime, auth])),
	);
	const shuffled = inOrderOf(clients, seed);
	if (all)
		return clients.flatMap((client) => [
			...pairs.map(([runtime, auth]) => group(client, runtime, auth)),
			group(
				client,
				SAMPLED,
				AUTHS[shuffled.indexOf(client) % AUTHS.length],
				IN_SAMPLE,
			),
		]);
	const from = inOrderOf(pairs.map(String), `${seed} pairs`);
	return [
		...shuffled.map((client, index) => {
			const [runtime, auth] =
				pairs.find((pair) => String(pair) === from[index % from.length]) ??
				pairs[0];
			return group(client, runtime, auth);
		}),
		group(shuffled[0] ?? "", SAMPLED, "token", ["tag"]),
	];
}

/** The same for the same seed. @param {readonly string[]} names @param {string} seed */
function inOrderOf(names, seed) {
	const rank = (/** @type {string} */ name) =>
		createHash("sha256").update(`${seed}\0${name}`).digest("hex");
	return [...names].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
