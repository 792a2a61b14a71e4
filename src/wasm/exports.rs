//! What a module exports, but for the gateway and what is said of policies.

use super::links;
use super::options;
use super::outside::{self, Outside};
use super::tasks::Task;
use super::values::{self, failure};
use crate::policy::Policy;
use crate::reference::{Grammar, Reference};
use crate::verify;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// The version of the package.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// Every code that an error, a refusal or a report can carry.
#[wasm_bindgen]
pub fn codes() -> Vec<String> {
    #[cfg(feature = "gateway")]
    let codes = crate::gateway::codes();
    #[cfg(not(feature = "gateway"))]
    let codes = verify::codes();
    codes.map(ToString::to_string).collect()
}

#[derive(Serialize)]
struct Parts<'a> {
    domain: &'a str,
    path: &'a str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    canonical: String,
}

/// An image reference, taken apart, with Docker Hub's defaults.
#[wasm_bindgen(js_name = parseReference)]
pub fn parse_reference(text: &str) -> Result<JsValue, JsValue> {
    let reference = Reference::normalize(text, Grammar::Distribution).map_err(failure)?;
    values::plain(&Parts {
        domain: reference.domain(),
        path: reference.path(),
        name: reference.name(),
        tag: reference.tag(),
        digest: reference.digest().map(ToString::to_string),
        canonical: reference.to_string(),
    })
}

/// Every file that a policy names, in order.
#[wasm_bindgen(js_name = policyAssets)]
pub fn policy_assets(policy: &[u8]) -> Result<Vec<String>, JsValue> {
    let policy = Policy::parse(policy).map_err(failure)?;
    Ok(policy
        .asset_paths()
        .into_iter()
        .map(ToString::to_string)
        .collect())
}

/// A job that answers with what `work` gives, which asks the outside world.
pub(super) fn start(
    options: &JsValue,
    work: impl AsyncFnOnce(&JsValue, &Outside<'_>) -> Result<JsValue, JsValue> + 'static,
) -> Result<Task, JsValue> {
    let remote = links::remote(options::web_crypto(options)?);
    let (inner, options) = (remote.clone(), options.clone());
    Ok(Task::new(remote, async move {
        outside::ask(&inner, async move |outside| work(&options, outside).await).await
    }))
}

/// Begins the verification of an image.
#[wasm_bindgen(js_name = startVerify)]
pub fn start_verify(options: &JsValue) -> Result<Task, JsValue> {
    start(options, async |options, outside| {
        let job = options::Verify::read(options, outside).await?;
        values::plain(&job.run(outside).await?)
    })
}

/// Begins the verification of a bundle.
#[wasm_bindgen(js_name = startVerifyBundle)]
pub fn start_verify_bundle(options: &JsValue) -> Result<Task, JsValue> {
    start(options, async |options, outside| {
        let question = options::bundle(options, outside).await?;
        let verified = question
            .ask(outside)
            .await
            .map_err(failure)?
            .map_err(failure)?;
        values::plain(&verified)
    })
}

/// The predicate type that one of cosign's short names stands for.
#[wasm_bindgen(js_name = predicateType)]
pub fn predicate_type(name: &str) -> Result<String, JsValue> {
    crate::cosign::predicate_type(name)
        .map(ToString::to_string)
        .map_err(failure)
}

/// Begins the check of one signature.
#[wasm_bindgen(js_name = verifySignature)]
pub fn verify_signature(options: &JsValue) -> Result<Task, JsValue> {
    start(options, async |options, outside| {
        let check = options::signature(options)?;
        let outcome = crate::crypto::Provider::verify(outside, &check)
            .await
            .map_err(failure)?;
        Ok(JsValue::from(outcome == crate::crypto::Outcome::Holds))
    })
}
