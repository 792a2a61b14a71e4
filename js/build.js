// Which build of the modules this package holds: what another build kept in a shared store is not believed. The build writes it.

/** SHA-256 over the lines of the modules' .sha256 files, in hexadecimal. */
export const BUILD = "none";
