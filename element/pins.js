// @ts-check
// What the files beside the element must hash to. The build writes the values; without them nothing is loaded.

/** Of `element-verifier.js`. */
export const VERIFIER = "none";

/** Of the modules. @type {Record<string, string>} */
export const MODULES = {};
