/**
 * Runs the vectors' runner as WASM: `node wasi.mjs MODULE DIR [TOPIC…]`.
 *
 * The module was built for wasm32-wasip1; DIR is the only folder of the machine that it sees. With `PROVIDER=webcrypto`
 * it is run in rounds (src/provider.rs): what a round asks is answered here by the package's own js/webcrypto.js.
 *
 * @module
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, env, exit, stderr, stdout } from 'node:process';
import { WASI } from 'node:wasi';
import { createWebCrypto } from '../../js/webcrypto.js';

const SEEN = '/vectors';
const EXCHANGE = '/exchange';
const AGAIN = 3;
/** A round answers everything that can be asked at once; what asks one after the other asks less often than this. */
const ROUNDS = 256;

const [module, directory, ...topics] = argv.slice(2);
if (module === undefined || directory === undefined) {
  stderr.write('usage: wasi.mjs MODULE DIR [TOPIC…]\n');
  exit(2);
}
const there = await stat(directory).then((found) => found.isDirectory(), () => false);
if (!there) {
  stdout.write(`no vectors: ${directory} is not there (VECTORS=DIR names another place)\n`);
  exit(0);
}
const compiled = await WebAssembly.compile(await readFile(module));
const provider = env.PROVIDER ?? '';
exit(provider === 'webcrypto' ? await inRounds() : await run({ PROVIDER: provider }, {}));

/**
 * One run. A panic traps: Node prints it and exits with 1.
 *
 * @param {Record<string, string>} environment
 * @param {Record<string, string>} folders
 */
async function run(environment, folders) {
  const wasi = new WASI({ version: 'preview1', args: ['sealgate-vectors', SEEN, ...topics], env: environment, preopens: { [SEEN]: directory, ...folders }, returnOnExit: true });
  const instance = await WebAssembly.instantiate(compiled, wasi.getImportObject());
  return wasi.start(instance);
}

async function inRounds() {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-vectors-'));
  const webCrypto = createWebCrypto();
  /** @type {Record<string, boolean | string>} */
  const answers = {};
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const status = await run({ PROVIDER: provider, EXCHANGE }, { [EXCHANGE]: folder });
      if (status !== AGAIN) return status;
      const questions = JSON.parse(await readFile(join(folder, 'questions.json'), 'utf8'));
      stderr.write(`round ${round}: WebCrypto is asked ${Object.keys(questions).length} checks\n`);
      for (const [id, question] of Object.entries(questions)) answers[id] = await answer(webCrypto, question);
      await writeFile(join(folder, 'answers.json'), JSON.stringify(answers));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  stderr.write(`after ${ROUNDS} rounds there are still questions\n`);
  return 2;
}

/**
 * @param {ReturnType<typeof createWebCrypto>} webCrypto
 * @param {any} question
 */
async function answer(webCrypto, question) {
  const bytes = (/** @type {string} */ text) => new Uint8Array(Buffer.from(text, 'base64'));
  const found = await webCrypto.verify({ ...question, spki: bytes(question.spki), signature: bytes(question.signature), data: bytes(question.data) });
  if ('verified' in found) return found.verified;
  return 'error' in found ? found.error.message : 'no answer';
}
