/* tslint:disable */
/* eslint-disable */

/**
 * Advance it until it is done: `{asks}` are new questions, `{done}` is the result.
 */
export class Task {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Takes answers and goes on.
     */
    advance(answers: any): object;
}

export function __wbg_reset_state(): void;

/**
 * Every code that an error, a refusal or a report can carry.
 */
export function codes(): string[];

/**
 * An image reference, taken apart, with Docker Hub's defaults.
 */
export function parseReference(text: string): any;

/**
 * Every file that a policy names, in order.
 */
export function policyAssets(policy: Uint8Array | number[]): string[];

/**
 * The predicate type that one of cosign's short names stands for.
 */
export function predicateType(name: string): string;

/**
 * Begins the making of a first policy.
 */
export function startPolicyInit(options: any): Task;

/**
 * Begins the verification of an image.
 */
export function startVerify(options: any): Task;

/**
 * Begins the verification of a bundle.
 */
export function startVerifyBundle(options: any): Task;

/**
 * Begins the check of one signature.
 */
export function verifySignature(options: any): Task;

/**
 * The version of the package.
 */
export function version(): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_task_free: (a: number, b: number) => void;
    readonly codes: () => [number, number];
    readonly parseReference: (a: number, b: number) => [number, number, number];
    readonly policyAssets: (a: number, b: number) => [number, number, number, number];
    readonly predicateType: (a: number, b: number) => [number, number, number, number];
    readonly startPolicyInit: (a: any) => [number, number, number];
    readonly startVerify: (a: any) => [number, number, number];
    readonly startVerifyBundle: (a: any) => [number, number, number];
    readonly task_advance: (a: number, b: any) => [number, number, number];
    readonly verifySignature: (a: any) => [number, number, number];
    readonly version: () => [number, number];
    readonly __wbindgen_malloc: (a: number, b: number) => number;
    readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
    readonly __wbindgen_free: (a: number, b: number, c: number) => void;
    readonly __wbindgen_exn_store: (a: number) => void;
    readonly __externref_table_alloc: () => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __externref_drop_slice: (a: number, b: number) => void;
    readonly __externref_table_dealloc: (a: number) => void;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
