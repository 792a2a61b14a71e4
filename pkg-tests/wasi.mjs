// Runs a wasm32-wasip1 program under Node's WASI: `node wasi.mjs PROGRAM.wasm [ARGUMENT…]`. The current folder is `/`.
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { WASI } from "node:wasi";

// Node 20 crashes in WASI calls once the memory has grown, otherwise (nodejs/node#46777).
setFlagsFromString("--no-turbo-fast-api-calls");

process.removeAllListeners("warning");
const [program = "", ...args] = process.argv.slice(2);
const wasi = new WASI({
	version: "preview1",
	args: [program, ...args],
	env: { RUST_BACKTRACE: "0", ...process.env },
	preopens: { "/": "/", ".": process.cwd() },
});
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
