//! What Sigstore bundles prove, and what each way to alter, strip or mix them comes to (TRUST sections 2 to 4), over every
//! bundle that is known to be good: those of fixtures/sigstore, and those of the shared vectors where they are there.

mod altered;
mod edit;
mod golden;
mod stripped;
mod vectors;
