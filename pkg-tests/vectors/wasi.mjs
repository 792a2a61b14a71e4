/**
 * Runs the vectors' runner as WASM: `node wasi.mjs MODULE DIR [TOPIC…]`.
 *
 * The module was built for wasm32-wasip1; DIR is the only directory that it sees.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { argv, exit, stderr, stdout } from 'node:process';
import { WASI } from 'node:wasi';

const SEEN = '/vectors';

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
const wasi = new WASI({ version: 'preview1', args: ['sealgate-vectors', SEEN, ...topics], preopens: { [SEEN]: directory }, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(module), wasi.getImportObject());
// A panic traps: Node prints it and exits with 1.
exit(wasi.start(instance));
