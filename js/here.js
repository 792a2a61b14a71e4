// Where the package lies: the command line is made into one file, which stands where this one does.
import { fileURLToPath } from "node:url";

/** The package's folder. */
export const HERE = fileURLToPath(new URL(".", import.meta.url));
