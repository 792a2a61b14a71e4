// Which build of the module this package holds: what another build kept in a shared store is not believed. The build writes it.

/** SHA-256 of the module, in hexadecimal. */
export const BUILD = "none";
