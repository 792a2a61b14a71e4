/**
 * As much of WASI preview 1 as the vectors' runner calls, over files in memory.
 *
 * Memory layouts and numbers: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 *
 * @module
 */

/**
 * @typedef {{ bytes: Uint8Array }} File
 * @typedef {{ entries: Map<string, Folder | File>, text(name: string): string | undefined }} Folder
 * @typedef {{ node: Folder | File, at: number, preopened?: string }} Open
 * @typedef {{ arguments: string[], environment: Record<string, string>, folders: Record<string, Folder>, out: (text: string) => void, notes: (text: string) => void }} Settings
 */

const OK = 0,
	BAD_FILE = 8,
	EXISTS = 20,
	INVALID = 28,
	IS_FOLDER = 31,
	NOT_THERE = 44,
	NOT_SUPPORTED = 52,
	NO_FOLDER = 54,
	OUTSIDE = 76;
const REAL_TIME = 0,
	MONOTONIC = 1;
const STREAM = 2,
	FOLDER = 3,
	FILE = 4;
const CREATE = 1,
	WANT_FOLDER = 2,
	EXCLUSIVE = 4,
	TRUNCATE = 8;

class Exit {
	/** @param {number} status */
	constructor(status) {
		this.status = status;
	}
}

class Refusal {
	/** @param {number} errno */
	constructor(errno) {
		this.errno = errno;
	}
}

/** A tree of folders from the paths of its files. @param {[string, Uint8Array][]} files @returns {Folder} */
export function createFolder(files) {
	const root = emptyFolder();
	for (const [path, bytes] of files) {
		const names = path.split("/");
		const last = /** @type {string} */ (names.pop());
		let folder = root;
		for (const name of names) {
			if (!folder.entries.has(name)) folder.entries.set(name, emptyFolder());
			folder = /** @type {Folder} */ (folder.entries.get(name));
		}
		folder.entries.set(last, { bytes });
	}
	return root;
}

/** @returns {Folder} */
function emptyFolder() {
	/** @type {Folder["entries"]} */
	const entries = new Map();
	const text = (/** @type {string} */ name) => {
		const file = entries.get(name);
		return file && "bytes" in file
			? new TextDecoder().decode(file.bytes)
			: undefined;
	};
	return { entries, text };
}

/** Runs a program; its exit status. @param {WebAssembly.Module} module @param {Settings} settings */
export async function start(module, settings) {
	/** @type {() => WebAssembly.Memory} */
	let memory = () => {
		throw new Error("called before it was there");
	};
	const instance = await WebAssembly.instantiate(module, {
		wasi_snapshot_preview1: createCalls(settings, () => memory()),
	});
	memory = () => /** @type {WebAssembly.Memory} */ (instance.exports.memory);
	try {
		/** @type {() => void} */ (instance.exports._start)();
		return 0;
	} catch (error) {
		if (error instanceof Exit) return error.status;
		throw error;
	}
}

/** @param {Settings} settings @param {() => WebAssembly.Memory} memory */
function createCalls(settings, memory) {
	const view = () => new DataView(memory().buffer);
	const bytesAt = (/** @type {number} */ at, /** @type {number} */ length) =>
		new Uint8Array(memory().buffer, at, length);
	const textAt = (/** @type {number} */ at, /** @type {number} */ length) =>
		new TextDecoder().decode(bytesAt(at, length));
	const set32 = (/** @type {number} */ at, /** @type {number} */ value) =>
		view().setUint32(at, value, true);
	const set64 = (
		/** @type {number} */ at,
		/** @type {number | bigint} */ value,
	) => view().setBigUint64(at, BigInt(value), true);
	const decoders = [settings.out, settings.notes].map((write) => ({
		write,
		decoder: new TextDecoder(),
	}));

	/** @type {Map<number, Open>} */
	const open = new Map(
		Object.entries(settings.folders).map(([preopened, node], number) => [
			number + 3,
			{ node, at: 0, preopened },
		]),
	);
	let next = open.size + 3;

	const opened = (/** @type {number} */ fd) => open.get(fd) ?? refuse(BAD_FILE);
	const openedFolder = (/** @type {number} */ fd) => asFolder(opened(fd).node);
	const openedFile = (/** @type {number} */ fd) => {
		const found = opened(fd);
		if ("entries" in found.node) throw new Refusal(IS_FOLDER);
		return /** @type {Open & { node: File }} */ (found);
	};

	/** Texts one after the other, each ended by zero, and where each begins. @param {string[]} texts */
	const list = (texts) => {
		const encoded = texts.map((text) => new TextEncoder().encode(`${text}\0`));
		return {
			sizes: (/** @type {number} */ count, /** @type {number} */ size) => {
				set32(count, encoded.length);
				set32(
					size,
					encoded.reduce((sum, { length }) => sum + length, 0),
				);
			},
			get: (/** @type {number} */ pointers, /** @type {number} */ at) => {
				for (const [number, bytes] of encoded.entries()) {
					set32(pointers + 4 * number, at);
					bytesAt(at, bytes.length).set(bytes);
					at += bytes.length;
				}
			},
		};
	};
	const given = list(settings.arguments);
	const environment = list(
		Object.entries(settings.environment).map(
			([name, value]) => `${name}=${value}`,
		),
	);

	/** @param {number} at @param {number} count */
	const buffers = (at, count) =>
		Array.from({ length: count }, (_, number) =>
			bytesAt(
				view().getUint32(at + 8 * number, true),
				view().getUint32(at + 8 * number + 4, true),
			),
		);

	/** @param {number} at @param {Folder | File} node */
	const setStatus = (at, node) => {
		bytesAt(at, 64).fill(0);
		view().setUint8(at + 16, typeOf(node));
		set64(at + 24, 1);
		set64(at + 32, "bytes" in node ? node.bytes.length : 0);
	};

	/** @type {Record<string, (...given: any[]) => void>} */
	const calls = {
		args_sizes_get: given.sizes,
		args_get: given.get,
		environ_sizes_get: environment.sizes,
		environ_get: environment.get,
		proc_exit(status) {
			throw new Exit(status);
		},
		clock_time_get(clock, _precision, at) {
			if (clock !== REAL_TIME && clock !== MONOTONIC)
				throw new Refusal(INVALID);
			set64(
				at,
				BigInt(
					Math.round(
						(clock === REAL_TIME ? Date.now() : performance.now()) * 1e6,
					),
				),
			);
		},
		// For sleeping when a stream is full: these never are.
		poll_oneoff() {
			throw new Refusal(NOT_SUPPORTED);
		},
		fd_close(fd) {
			if (!open.delete(fd)) throw new Refusal(BAD_FILE);
		},
		fd_fdstat_get(fd, at) {
			const type = fd < 3 ? STREAM : typeOf(opened(fd).node);
			bytesAt(at, 24).fill(0);
			view().setUint8(at, type);
			bytesAt(at + 8, 16).fill(0xff);
		},
		fd_filestat_get(fd, at) {
			setStatus(at, opened(fd).node);
		},
		fd_prestat_get(fd, at) {
			set32(at, 0);
			set32(
				at + 4,
				new TextEncoder().encode(opened(fd).preopened ?? refuse(BAD_FILE))
					.length,
			);
		},
		fd_prestat_dir_name(fd, at, length) {
			bytesAt(at, length).set(
				new TextEncoder().encode(opened(fd).preopened ?? refuse(BAD_FILE)),
			);
		},
		fd_read(fd, at, count, read) {
			const file = openedFile(fd);
			let sum = 0;
			for (const buffer of buffers(at, count)) {
				const part = file.node.bytes.subarray(file.at, file.at + buffer.length);
				buffer.set(part);
				file.at += part.length;
				sum += part.length;
			}
			set32(read, sum);
		},
		fd_write(fd, at, count, written) {
			const parts = buffers(at, count);
			const stream = decoders[fd - 1];
			for (const part of parts) {
				if (stream) stream.write(stream.decoder.decode(part, { stream: true }));
				else append(openedFile(fd), part);
			}
			set32(
				written,
				parts.reduce((sum, { length }) => sum + length, 0),
			);
		},
		fd_readdir(fd, at, length, cookie, used) {
			const bytes = listing(openedFolder(fd), Number(cookie)).subarray(
				0,
				length,
			);
			bytesAt(at, bytes.length).set(bytes);
			set32(used, bytes.length);
		},
		path_filestat_get(fd, _flags, path, length, at) {
			setStatus(
				at,
				find(openedFolder(fd), textAt(path, length)).node ?? refuse(NOT_THERE),
			);
		},
		path_open(
			fd,
			_lookup,
			path,
			length,
			how,
			_rights,
			_inherited,
			_flags,
			result,
		) {
			const {
				folder,
				name,
				node: found,
			} = find(openedFolder(fd), textAt(path, length));
			if (found && how & EXCLUSIVE) throw new Refusal(EXISTS);
			const node =
				found ??
				(how & CREATE ? { bytes: new Uint8Array() } : refuse(NOT_THERE));
			if (how & WANT_FOLDER) asFolder(node);
			if (how & TRUNCATE && "bytes" in node) node.bytes = new Uint8Array();
			if (!found) folder.entries.set(name, node);
			open.set(next, { node, at: 0 });
			set32(result, next);
			next += 1;
		},
	};
	return Object.fromEntries(
		Object.entries(calls).map(([name, call]) => [
			name,
			(/** @type {any[]} */ ...values) => errno(() => call(...values)),
		]),
	);
}

/** @param {() => void} call */
function errno(call) {
	try {
		call();
		return OK;
	} catch (error) {
		if (error instanceof Refusal) return error.errno;
		throw error;
	}
}

/** @param {number} errno @returns {never} */
function refuse(errno) {
	throw new Refusal(errno);
}

/** @param {Folder | File} node @returns {Folder} */
function asFolder(node) {
	return "entries" in node ? node : refuse(NO_FOLDER);
}

/** @param {Folder | File} node */
function typeOf(node) {
	return "entries" in node ? FOLDER : FILE;
}

/** What stands at a path, if anything does, and where. @param {Folder} root @param {string} path */
function find(root, path) {
	if (path.includes("\0")) throw new Refusal(INVALID);
	const above = [root];
	let name = "";
	/** @type {Folder | File | undefined} */
	let node = root;
	for (const step of path
		.split("/")
		.filter((step) => step !== "" && step !== ".")) {
		// Whatever comes before the last step must be a folder that is there.
		const folder = asFolder(node ?? refuse(NOT_THERE));
		if (step === "..") {
			above.pop();
			name = "";
			node = above.at(-1) ?? refuse(OUTSIDE);
			continue;
		}
		name = step;
		node = folder.entries.get(step);
		if (folder !== above.at(-1)) above.push(folder);
		if (node && "entries" in node) above.push(node);
	}
	const folder = /** @type {Folder} */ (
		node && "entries" in node ? (above.at(-2) ?? root) : above.at(-1)
	);
	return { folder, name, node };
}

/** @param {Open & { node: File }} file @param {Uint8Array} part */
function append(file, part) {
	const bytes = new Uint8Array(
		Math.max(file.node.bytes.length, file.at + part.length),
	);
	bytes.set(file.node.bytes);
	bytes.set(part, file.at);
	file.node.bytes = bytes;
	file.at += part.length;
}

/** A folder's entries, from a place in it, as fd_readdir gives them. @param {Folder} folder @param {number} from */
function listing(folder, from) {
	const records = [...folder.entries]
		.slice(from)
		.map(([name, node], number) => {
			const encoded = new TextEncoder().encode(name);
			const record = new Uint8Array(24 + encoded.length);
			const view = new DataView(record.buffer);
			view.setBigUint64(0, BigInt(from + number + 1), true);
			view.setUint32(16, encoded.length, true);
			view.setUint8(20, typeOf(node));
			record.set(encoded, 24);
			return record;
		});
	const all = new Uint8Array(
		records.reduce((sum, { length }) => sum + length, 0),
	);
	let at = 0;
	for (const record of records) {
		all.set(record, at);
		at += record.length;
	}
	return all;
}
