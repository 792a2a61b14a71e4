// Written by the crate's tests: every code that the core can give.
export type Code = string;
