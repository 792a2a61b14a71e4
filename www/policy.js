// @ts-check
// A policy of the visitor's own, dropped with the files that it names. It is read and judged by here, and leaves the page for
// nowhere.

/** @typedef {import('/sealgate/browser.js').Lint} Lint */
/** @typedef {typeof import('/sealgate/browser.js')} Sealgate */
/** @typedef {{ message: string, code?: string }} Complaint what the verifier says of a file, with the place in it */
/**
 * @typedef {object} OwnPolicy
 * @property {string} name
 * @property {Uint8Array} policy
 * @property {Record<string, Uint8Array>} assets
 * @property {string[]} missing
 * @property {string[]} ambiguous
 * @property {Lint[]} lints
 * @property {Complaint} [broken] why nothing can be judged by it
 */
/** @typedef {{ kind: 'taken' } | { kind: 'nothing', json: boolean, complaint?: Complaint } | { kind: 'two' | 'large', names: string[] }} Taken what became of dropped files */

/** As the verifier has it for policies; keys are smaller. */
const LARGEST = 1024 * 1024;
const MOST = 256;

/** @type {{ name: string, policy: Uint8Array } | undefined} */
let own;
/** What was dropped, by its name. @type {Map<string, Uint8Array>} */
let files = new Map();

/** @param {Sealgate} sealgate @param {File[]} dropped @returns {Promise<Taken>} */
export async function takeFiles(sealgate, dropped) {
	const large = dropped
		.filter((file, index) => file.size > LARGEST || index >= MOST)
		.map(({ name }) => name);
	if (large.length) return { kind: "large", names: large };
	const read = await Promise.all(
		dropped.map(async (file) => ({
			name: file.name,
			bytes: new Uint8Array(await file.arrayBuffer()),
		})),
	);
	const policies = await policiesOf(sealgate, read);
	const [first] = policies;
	if (policies.length > 1)
		return { kind: "two", names: policies.map(({ name }) => name) };
	if (!first && !own) {
		const bytes = read[0]?.bytes ?? new Uint8Array();
		return {
			kind: "nothing",
			json: /^\s*[[{]/u.test(new TextDecoder().decode(bytes)),
			complaint: await complaintOf(sealgate, bytes),
		};
	}
	if (first) {
		own = { name: first.name, policy: first.bytes };
		files = new Map();
	}
	for (const { name, bytes } of read)
		if (name !== first?.name) files.set(name, bytes);
	return { kind: "taken" };
}

export function forgetPolicy() {
	own = undefined;
	files = new Map();
}

/** The policy, and what is still lacking. @param {Sealgate} sealgate @returns {Promise<OwnPolicy | undefined>} */
export async function ownPolicy(sealgate) {
	if (!own) return undefined;
	const { name, policy } = own;
	// As they are now: more may be dropped meanwhile.
	const dropped = new Map(files);
	const broken = await complaintOf(sealgate, policy);
	if (broken)
		return {
			name,
			policy,
			assets: {},
			missing: [],
			ambiguous: [],
			lints: [],
			broken,
		};
	/** @type {Record<string, Uint8Array>} */
	const assets = {};
	const paths = await sealgate.policyAssets(policy);
	const missing = [];
	// A page sees names, not folders: two paths that end in the same name cannot be told apart.
	const names = paths.map(baseName);
	const ambiguous = [
		...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
	];
	for (const path of paths) {
		const bytes = dropped.get(baseName(path));
		if (bytes && !ambiguous.includes(baseName(path))) assets[path] = bytes;
		else missing.push(path);
	}
	return {
		name,
		policy,
		assets,
		missing,
		ambiguous,
		lints: await sealgate.policyLint(policy, { assets }),
	};
}

/**
 * What is a policy or was meant as one: a broken policy must not pass for a key, while an older one goes on judging.
 * @param {Sealgate} sealgate
 * @param {{ name: string, bytes: Uint8Array }[]} read
 */
async function policiesOf(sealgate, read) {
	const judged = await Promise.all(
		read.map(async (file) => ({
			...file,
			isPolicy: !(await complaintOf(sealgate, file.bytes)),
		})),
	);
	const good = judged
		.filter(({ isPolicy }) => isPolicy)
		.map(({ bytes }) => bytes);
	if (own && !(await complaintOf(sealgate, own.policy))) good.push(own.policy);
	const paths = await Promise.all(
		good.map((policy) => sealgate.policyAssets(policy)),
	);
	const files = new Set(paths.flat().map(baseName));
	return judged.filter(
		({ name, bytes, isPolicy }) =>
			isPolicy || (!files.has(name) && looksLikePolicy(name, bytes)),
	);
}

/** @param {string} name @param {Uint8Array} bytes */
function looksLikePolicy(name, bytes) {
	return (
		/policy.*\.json$/iu.test(name) ||
		/"(?:default|transports)"\s*:/u.test(new TextDecoder().decode(bytes))
	);
}

/** Why this is no policy; undefined for one. @param {Sealgate} sealgate @param {Uint8Array} bytes @returns {Promise<Complaint | undefined>} */
async function complaintOf(sealgate, bytes) {
	try {
		await sealgate.policyAssets(bytes);
		return undefined;
	} catch (error) {
		const { code } = /** @type {{ code?: unknown }} */ (error);
		return {
			message: error instanceof Error ? error.message : String(error),
			...(typeof code === "string" && { code }),
		};
	}
}

/** @param {string} path */
function baseName(path) {
	return path.slice(path.lastIndexOf("/") + 1);
}
