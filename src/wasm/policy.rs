//! Policies, read and not judged by.

use super::exports::start;
use super::options;
use super::tasks::Task;
use super::values::{self, failure};
use crate::policy::Policy;
use crate::policy::lint::{self, Context, KnownImage};
use crate::policy::registries_d::RegistriesD;
use crate::reference::{Grammar, Reference};
use crate::time::UnixTime;
use crate::verify::{Mirrors, Request, Trusted, first_policy};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use js_sys::Object;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An explained policy.
    #[wasm_bindgen(extends = Object)]
    type Explained;
    #[wasm_bindgen(method, setter)]
    fn set_text(this: &Explained, text: &str);
}

/// Begins the making of a first policy.
#[wasm_bindgen(js_name = startPolicyInit)]
pub fn start_policy_init(options: &JsValue) -> Result<Task, JsValue> {
    start(options, async |options, outside| {
        let mirrors = match values::flag(options, "mirror") {
            true => Mirrors::Admit,
            false => Mirrors::Refuse,
        };
        let job = options::Verify::read(options, outside).await?;
        let job = job.for_first_policy(mirrors)?;
        let key_path = values::text(options, "keyPath")?.unwrap_or_else(|| "cosign.pub".into());
        let root_path = options::root_name(options)?;
        // What a policy can name.
        Reference::normalize(&job.name().to_string(), Grammar::Containers).map_err(failure)?;
        let report = job.run(outside).await?;
        let trusted = match job.identity() {
            Some(identity) => Trusted::Identity {
                identity,
                root: &root_path,
            },
            None => Trusted::Key(&key_path),
        };
        first_policy(&report, job.name(), trusted, mirrors)
            .map(JsValue::from)
            .map_err(failure)
    })
}

/// What a policy probably did not mean.
#[wasm_bindgen(js_name = policyLint)]
pub fn policy_lint(policy: &[u8], options: &JsValue) -> Result<JsValue, JsValue> {
    let assets = values::object(options, "assets")
        .map(|_| values::byte_map(options, "assets"))
        .transpose()?;
    let now = values::object(options, "time")
        .map(|_| values::integer(options, "time"))
        .transpose()?;
    let registries = options::registries_d(options)?
        .map(|files| {
            RegistriesD::parse(
                files
                    .iter()
                    .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
            )
        })
        .transpose()
        .map_err(failure)?;
    let name = |text: &str, is_index| {
        Ok(KnownImage {
            name: Reference::normalize(text, Grammar::Containers).map_err(failure)?,
            is_index,
        })
    };
    let images = values::text_list(options, "images")?
        .into_iter()
        .map(|text| name(&text, false));
    let indexes = values::text_list(options, "indexes")?
        .into_iter()
        .map(|text| name(&text, true));
    let images: Vec<KnownImage> = images.chain(indexes).collect::<Result<_, JsValue>>()?;
    let context = Context {
        assets: assets.as_ref(),
        now: now.map(UnixTime),
        images: &images,
        registries: registries.as_ref(),
        is_user_policy: values::flag(options, "userPolicy"),
    };
    values::plain(&lint::lint(policy, &context).map_err(failure)?)
}

/// Which scope decides for an image, and what it demands.
#[wasm_bindgen(js_name = policyExplain)]
pub fn policy_explain(
    policy: &[u8],
    reference: &str,
    judged_as: Option<String>,
) -> Result<JsValue, JsValue> {
    let policy = Policy::parse(policy).map_err(failure)?;
    let explanation = policy
        .explain(&Request::name_in_policy(reference, judged_as.as_deref()).map_err(failure)?)
        .map_err(failure)?;
    let explained: Explained = values::plain(&explanation)?.unchecked_into();
    explained.set_text(&explanation.to_string());
    Ok(explained.into())
}
