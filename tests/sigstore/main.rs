//! What Sigstore bundles prove, and what each way to alter, strip or mix them comes to
//! (docs/trust.md sections 2 to 4), over every bundle that is known to be good: those of
//! fixtures/sigstore, and those of the shared vectors where they are there.

mod advisories;
mod altered;
mod authority;
mod binding;
mod budgets;
mod cases;
mod edit;
mod forge;
mod golden;
mod images;
mod policies;
mod remembered;
mod stripped;
#[path = "../support/mod.rs"]
mod support;
mod vectors;
