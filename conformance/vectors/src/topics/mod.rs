//! One module a topic: how its kinds are asked of sealgate.

mod attestations;
mod bundles;
pub mod cosign_image;
mod crypto;
mod letter;
mod manifests;
mod policy;
mod question;
mod signed_by;
mod simple_signing;

use crate::case::Case;
use crate::case::Outcome;
use crate::case::Stop;
use crate::package::Package;
use crate::parameters;
use crate::provider::Chosen;

/// Runs one case.
pub fn run(case: &Case, provider: &Chosen) -> Outcome {
    if !parameters::all_known(case) {
        return Outcome::Unsupported;
    }
    match case.topic.as_str() {
        "manifests" => manifests::run(case),
        "attestations" => attestations::run(case, provider),
        "bundles" => bundles::run(case, provider),
        "crypto" => crypto::run(case, provider),
        "cosign-image" => cosign_image::run(case, provider),
        "policy" if case.kind == "policy-eval" => simple_signing::evaluation(case, provider),
        "policy" => policy::run(case),
        "simple-signing" => simple_signing::run(case, provider),
        _ => Err(Stop::Unsupported),
    }
    .into()
}

/// Runs one case through the package, where its kind has an entry there and the case comes as far
/// as calling it.
pub fn through_package(case: &Case, package: &Package) -> Option<Outcome> {
    if !parameters::all_known(case) {
        return None;
    }
    let before = package.calls();
    let run = match case.topic.as_str() {
        "manifests" => manifests::through_package(case, package),
        "crypto" => crypto::through_package(case, package),
        "cosign-image" => cosign_image::through_package(case, package),
        "policy" => policy::through_package(case, package),
        _ => None,
    };
    run.filter(|_| package.calls() > before).map(Outcome::from)
}

/// Whether a case has a property that only its files show; `divergences.json` names it.
pub fn evidence(case: &Case, property: &str) -> bool {
    match property {
        "pss-salt-not-of-hash-length" => crypto::has_other_salt(case),
        "sha1-digest" => bundles::has_sha1_digest(case),
        "log-switched-off" => bundles::switches_the_log_off(case),
        "stray-timestamp" => bundles::has_stray_timestamp(case),
        _ => false,
    }
}
