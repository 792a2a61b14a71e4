//! The bindings: the only code that knows JavaScript. Nothing here is async and nothing decides.
//!
//! Options are read by hand, so that a wrong one gets a code; reports leave as plain objects.

mod answers;
mod asks;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "gateway")]
mod glance;
mod keys;
mod options;
#[cfg(feature = "lint")]
mod policy;
mod roots;
mod shapes;
mod tasks;
mod values;

use crate::host::Remote;
use crate::policy::Policy;
use crate::reference::{Grammar, Reference};
use crate::verify;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
#[cfg(feature = "gateway")]
pub use gateway::Gateway;
#[cfg(feature = "lint")]
pub use policy::{policy_explain, policy_lint};
use serde::Serialize;
pub use tasks::Task;
use values::failure;
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

/// Begins the verification of an image.
#[wasm_bindgen(js_name = startVerify)]
pub fn start_verify(options: &JsValue) -> Result<Task, JsValue> {
    let job = options::Verify::read(options)?;
    let remote = Remote::new(job.web_crypto);
    let inner = remote.clone();
    Ok(Task::new(remote, async move {
        let report = job.run(&inner).await?;
        values::plain(&report)
    }))
}

/// Begins the making of a first policy.
#[wasm_bindgen(js_name = startPolicyInit)]
pub fn start_policy_init(options: &JsValue) -> Result<Task, JsValue> {
    let mirrors = match values::flag(options, "mirror") {
        true => verify::Mirrors::Admit,
        false => verify::Mirrors::Refuse,
    };
    let job = options::Verify::read(options)?.for_first_policy(mirrors)?;
    let key_path = values::text(options, "keyPath")?.unwrap_or_else(|| "cosign.pub".into());
    let root_path = options::root_name(options)?;
    // What a policy can name.
    Reference::normalize(&job.name().to_string(), Grammar::Containers).map_err(failure)?;
    let remote = Remote::new(job.web_crypto);
    let inner = remote.clone();
    Ok(Task::new(remote, async move {
        let report = job.run(&inner).await?;
        let trusted = match job.identity() {
            Some(identity) => verify::Trusted::Identity {
                identity,
                root: &root_path,
            },
            None => verify::Trusted::Key(&key_path),
        };
        verify::first_policy(&report, job.name(), trusted, mirrors)
            .map(JsValue::from)
            .map_err(failure)
    }))
}

/// Begins the verification of a bundle.
#[wasm_bindgen(js_name = startVerifyBundle)]
pub fn start_verify_bundle(options: &JsValue) -> Result<Task, JsValue> {
    let (question, web_crypto) = options::bundle(options)?;
    let remote = Remote::new(web_crypto);
    let inner = remote.clone();
    Ok(Task::new(remote, async move {
        let verified = question
            .ask(&inner)
            .await
            .map_err(failure)?
            .map_err(failure)?;
        values::plain(&verified)
    }))
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
    let (check, web_crypto) = options::signature(options)?;
    let remote = Remote::new(web_crypto);
    let inner = remote.clone();
    Ok(Task::new(remote, async move {
        let outcome = crate::crypto::Provider::verify(&inner, &check)
            .await
            .map_err(failure)?;
        Ok(JsValue::from(outcome == crate::crypto::Outcome::Holds))
    }))
}
