//! sealgate's answer to the same question: the whole policy, over an archive in memory.

use crate::oracle::Question;
use sealgate::internals::crypto::RustCrypto;
use sealgate::internals::digest::Digest;
use sealgate::internals::error::Coded;
use sealgate::internals::oci::registry::Fetched;
use sealgate::internals::oci::registry::RegistryError;
use sealgate::internals::reference::Grammar;
use sealgate::internals::reference::Reference;
use sealgate::internals::time::UnixTime;
use sealgate::internals::verify::Archive;
use sealgate::internals::verify::Listed;
use sealgate::internals::verify::Lookaside;
use sealgate::internals::verify::Request;
use sealgate::internals::verify::Rules;
use sealgate::internals::verify::verify_image;
use sealgate::policy::Policy;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

/// The verdict, its code, and words.
#[derive(Debug, Clone)]
pub struct Judged {
    pub allowed: bool,
    pub code: String,
    pub text: String,
}

pub fn judge(question: &Question, now: u32) -> Result<Judged, String> {
    let policy = Policy::parse(&question.policy)
        .map_err(|error| format!("expected a policy that parses, found: {error}"))?;
    let assets = question.files.iter().cloned().collect();
    let rules = match Rules::policy(policy, assets) {
        Ok(rules) => rules,
        // With a secret key in it, say.
        Err(error) => {
            return Ok(Judged {
                allowed: false,
                code: error.code().into(),
                text: error.to_string(),
            });
        }
    };
    let name = Reference::normalize(&question.reference, Grammar::Containers)
        .map_err(|error| format!("expected a name, found: {error}"))?;
    let request = Request::of(name, UnixTime(now.into()));
    let report = finished(verify_image(
        &Stored(question),
        &RustCrypto,
        &rules,
        &request,
    ));
    Ok(Judged {
        allowed: report.allowed().is_some(),
        code: report.finding.code.into(),
        text: report.finding.message,
    })
}

/// Polls a future that has nothing to wait for.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an archive in memory never waits"),
    }
}

/// One image with its signatures.
struct Stored<'a>(&'a Question);

impl Archive for Stored<'_> {
    async fn manifest(&self, reference: &str) -> Result<Option<Fetched>, RegistryError> {
        let digest = Digest::of(&self.0.manifest).to_string();
        Ok((reference == "1" || reference == digest).then(|| Fetched {
            bytes: self.0.manifest.clone(),
            content_type: Some("application/vnd.oci.image.manifest.v1+json".into()),
            digest: None,
        }))
    }

    async fn blob(&self, _: &Digest, _: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(None)
    }

    async fn referrers(&self, _: &Digest) -> Result<Listed, RegistryError> {
        Ok(Listed::default())
    }

    async fn simple_signature(
        &self,
        _: Option<&Lookaside>,
        _: &Digest,
        number: usize,
        _: usize,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(self.0.signatures.get(number - 1).cloned())
    }
}
