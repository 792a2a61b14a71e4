//! One module a topic: how its kinds are asked of sealgate.

mod cosign_image;
mod crypto;
mod manifests;
mod policy;

use crate::case::Case;
use crate::case::Outcome;
use crate::case::Run;
use crate::case::Stop;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// Runs one case.
pub fn run(case: &Case) -> Outcome {
    match case.topic.as_str() {
        "manifests" => manifests::run(case),
        "crypto" => crypto::run(case),
        "cosign-image" => cosign_image::run(case),
        "policy" => policy::run(case),
        _ => Err(Stop::Unsupported),
    }
    .into()
}

/// Whether a case has a property that only its files show; `divergences.json` names it.
pub fn evidence(case: &Case, property: &str) -> bool {
    match property {
        "pss-salt-not-of-hash-length" => crypto::has_other_salt(case),
        _ => false,
    }
}

/// The value of a future that waits for nothing: the provider in pure Rust answers at once.
pub fn now<T>(future: impl Future<Output = T>) -> Run<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err(Stop::Broken("the provider waits".into())),
    }
}
