// @ts-check
// A policy of the visitor's own, dropped with the files that it names. It is read and judged by here, and leaves the page for
// nowhere.

/** @typedef {import('/sealgate/browser.js').Lint} Lint */
/** @typedef {typeof import('/sealgate/browser.js')} Sealgate */
/** @typedef {{ name: string, policy: Uint8Array, assets: Record<string, Uint8Array>, missing: string[], ambiguous: string[], lints: Lint[] }} OwnPolicy */

/** As the verifier has it for policies; keys are smaller. */
const LARGEST = 1024 * 1024;
const MOST = 256;

/** @type {{ name: string, policy: Uint8Array } | undefined} */
let own;
/** What was dropped, by its name. @type {Map<string, Uint8Array>} */
let files = new Map();

/** Whether these files were of any use. @param {Sealgate} sealgate @param {File[]} dropped */
export async function takeFiles(sealgate, dropped) {
  const small = dropped.slice(0, MOST).filter((file) => file.size <= LARGEST);
  const read = await Promise.all(small.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })));
  const policies = read.filter(({ bytes }) => isPolicy(sealgate, bytes));
  const [first] = policies;
  if (policies.length > 1 || (!first && !own)) return false;
  if (first) {
    own = { name: first.name, policy: first.bytes };
    files = new Map();
  }
  for (const { name, bytes } of read) if (name !== first?.name) files.set(name, bytes);
  return read.length > 0;
}

export function forgetPolicy() {
  own = undefined;
  files = new Map();
}

/** The policy, and what is still lacking. @param {Sealgate} sealgate @returns {OwnPolicy | undefined} */
export function ownPolicy(sealgate) {
  if (!own) return undefined;
  /** @type {Record<string, Uint8Array>} */
  const assets = {};
  const paths = sealgate.policyAssets(own.policy);
  const missing = [];
  // A page sees names, not folders: two paths that end in the same name cannot be told apart.
  const names = paths.map(baseName);
  const ambiguous = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  for (const path of paths) {
    const bytes = files.get(baseName(path));
    if (bytes && !ambiguous.includes(baseName(path))) assets[path] = bytes;
    else missing.push(path);
  }
  return { name: own.name, policy: own.policy, assets, missing, ambiguous, lints: sealgate.policyLint(own.policy, { assets }) };
}

/** @param {Sealgate} sealgate @param {Uint8Array} bytes */
function isPolicy(sealgate, bytes) {
  try {
    sealgate.policyAssets(bytes);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} path */
function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
