//! Images with simple signatures beside them, as `dir:` has them, under a policy.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use crate::case::answer;
use crate::case::refuse;
use crate::provider::Chosen;
use crate::provider::now;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use sealgate::internals::oci::registry::Fetched;
use sealgate::internals::oci::registry::RegistryError;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::Archive;
use sealgate::internals::verify::DIR_TAG;
use sealgate::internals::verify::DirImage;
use sealgate::internals::verify::Listed;
use sealgate::internals::verify::Lookaside;
use sealgate::internals::verify::Request;
use sealgate::internals::verify::Rules;
use sealgate::internals::verify::Verdict;
use sealgate::internals::verify::verify_image;
use sealgate::policy::Policy;
use serde_json::json;
use std::collections::BTreeMap;

/// One image and its signatures, as `dir:` has them; the vectors ask for it under names that it does
/// not have there.
struct Layout(DirImage);

impl Layout {
    fn of(manifest: Vec<u8>, signatures: Vec<Vec<u8>>) -> Self {
        let signatures = signatures
            .into_iter()
            .enumerate()
            .map(|(place, bytes)| (format!("signature-{}", place + 1), bytes));
        let manifest = ("manifest.json".into(), manifest);
        Self(DirImage::of(signatures.chain([manifest]).collect()))
    }
}

impl Archive for Layout {
    async fn manifest(&self, _: &str) -> Result<Option<Fetched>, RegistryError> {
        self.0.manifest(DIR_TAG).await
    }

    async fn blob(&self, digest: &Digest, max: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        self.0.blob(digest, max).await
    }

    async fn referrers(&self, digest: &Digest) -> Result<Listed, RegistryError> {
        self.0.referrers(digest).await
    }

    async fn simple_signature(
        &self,
        lookaside: Option<&Lookaside>,
        digest: &Digest,
        number: usize,
        max: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        self.0
            .simple_signature(lookaside, digest, number, max)
            .await
    }
}

/// Kind `signedBy-image`.
pub fn image(case: &Case, time: UnixTime, provider: &Chosen) -> Run {
    let files = case.inputs("keys")?;
    let mut requirement = json!({"type": "signedBy", "keyType": case.required("keyType")?});
    if let Some(identity) = case.param("signedIdentity") {
        requirement["signedIdentity"] = identity.clone();
    }
    let mut assets = BTreeMap::new();
    match files.as_slice() {
        [one] => requirement["keyData"] = base64::encode(one).into(),
        several => {
            let paths: Vec<String> = (0..several.len()).map(|n| format!("{n}")).collect();
            requirement["keyPaths"] = json!(paths);
            assets = paths.into_iter().zip(files).collect();
        }
    }
    let policy = json!({"default": [requirement]}).to_string();
    let rules = rules(policy.as_bytes(), assets)?;
    let layout = Layout::of(case.input("manifest")?, case.inputs("signatures")?);
    judge(
        &layout,
        &rules,
        case.required("docker_reference")?,
        time,
        provider,
    )
}

/// Kind `policy-eval`: a whole decision. The policy names the keys by paths of its own.
pub fn evaluation(case: &Case, time: UnixTime, provider: &Chosen) -> Run {
    if case.required("transport")? != "docker" {
        return Err(Stop::Unsupported);
    }
    let text = case.input("policy")?;
    let policy = Policy::parse(&text)?;
    let mut assets = BTreeMap::new();
    for (path, bytes) in case
        .input_paths("keys")?
        .into_iter()
        .zip(case.inputs("keys")?)
    {
        let name = |path: &str| path.rsplit('/').next().map(String::from);
        let named = policy.asset_paths().into_iter();
        for own in named.filter(|own| name(own) == name(path)) {
            assets.insert(own.to_owned(), bytes.clone());
        }
    }
    let rules = rules(&text, assets)?;
    let reference = case.required("reference")?;
    let layout = |signatures| Run::Ok(Layout::of(case.input("manifest")?, signatures));
    if let Some(expected) = case.param("accepted_author_signatures") {
        let mut accepted = 0;
        for one in case.inputs("signatures")? {
            let judged = judge(&layout(vec![one])?, &rules, reference, time, provider);
            accepted += u64::from(judged.is_ok());
        }
        answer(Some(accepted), expected.as_u64())?;
    }
    let all = layout(case.inputs("signatures")?)?;
    judge(&all, &rules, reference, time, provider)
}

fn rules(policy: &[u8], assets: BTreeMap<String, Vec<u8>>) -> Run<Rules> {
    Ok(Rules::policy(Policy::parse(policy)?, assets)?)
}

fn judge(
    layout: &Layout,
    rules: &Rules,
    reference: &str,
    time: UnixTime,
    provider: &Chosen,
) -> Run {
    let name = Reference::normalize(reference, Grammar::Containers)?;
    let request = Request::of(name, time);
    let report = now(async { Ok(verify_image(layout, provider, rules, &request).await) })?;
    if report.finding.verdict == Verdict::Allow {
        Ok(())
    } else {
        refuse(report.finding.code)
    }
}
