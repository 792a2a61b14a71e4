//! One simple signature against `signedBy` (docs/containers-image.md section 5): first the
//! signature and its key, then the payload, its digest, and the name that it gives.

use super::message::SimpleMessage;
use crate::crypto::{Provider, Refused, Rule};
use crate::error::{Failure, HostError};
use crate::openpgp::{MessageSigner, SignedPayload, Terms, Unproven};
use crate::simple_signing::{Payload, PayloadKind};
use crate::time::UnixTime;
use crate::verify::found::Found;
use crate::verify::payload::payload_claims;
use crate::verify::question::{Question, Who};
use crate::verify::report::{Candidate, Claims, OpenPgpSigner};
use alloc::format;
use alloc::string::{String, ToString};

impl Question<'_> {
    /// # Errors
    /// [`HostError`] when the provider gave no answer.
    pub(in crate::verify) async fn simple<P: Provider>(
        &self,
        found: &Found,
        message: &SimpleMessage,
        provider: &P,
    ) -> Result<Candidate, HostError> {
        let keys = match self.who {
            Who::GpgKeys(Ok(keys)) => keys,
            Who::GpgKeys(Err(failure)) => return Ok(found.rejected(Refused::new(failure.clone()))),
            _ => return Ok(found.not_for_this()),
        };
        let message = match message.message() {
            Ok(message) => message,
            Err(failure) => return Ok(found.rejected(Refused::new(failure.clone()))),
        };
        let terms = Terms {
            now: self.now,
            expired_keys_until: keys.expired_until,
        };
        let verified = match message.verify(keys.keyring, terms, provider).await? {
            Ok(verified) => verified,
            Err(Unproven { refused, signer }) => {
                let claims = signer.map(|by| signer_claims(&by, None));
                return Ok(found.rejected(refused).claiming(claims));
            }
        };
        let (claims, by_whom) = {
            let signed = verified.claim();
            (
                signer_claims(signed.by(), signed.expired()),
                by_whom(signed),
            )
        };
        let expires = verified.claim().ends().map(|end| end.0);
        let rule = Rule::new(
            "payload.strict",
            "the payload that was signed has the members of an atomic container signature, and no \
             others",
        );
        let read = verified.check(rule, |signed| {
            let payload = Payload::parse(signed.payload(), PayloadKind::Atomic)?;
            Ok::<_, Failure>((payload, signed))
        });
        let read = match read {
            Ok(read) => read,
            Err(refused) => return Ok(found.judged::<()>(Err(refused), claims, by_whom)),
        };
        let payload = &read.claim().0;
        let claims = payload_claims(claims, payload);
        let message = format!("{by_whom}, as {}", payload.docker_reference);
        let judged = self.judge_payload(read, |(payload, _)| payload);
        Ok(found.judged(judged, claims, message).until(expires))
    }
}

/// `passed_over`: when the key expired, where that is passed over.
fn signer_claims(by: &MessageSigner, passed_over: Option<UnixTime>) -> Claims {
    Claims {
        openpgp: Some(OpenPgpSigner {
            user_id: by.user_id.clone(),
            key: by.primary.to_string(),
            subkey: (by.signer != by.primary).then(|| by.signer.to_string()),
            algorithm: by.kind.to_string(),
            hash: by.hash(),
            key_created: by.key_created.0,
            key_expires: by.key_expires.map(|at| at.0),
            key_expired: passed_over.map(|at| at.0),
            signed: by.signed.0,
            expires: by.expires.map(|at| at.0),
        }),
        ..Claims::default()
    }
}

fn by_whom(signed: &SignedPayload) -> String {
    let key = signed.primary();
    match signed.expired() {
        None => format!("a good signature by the key {key}"),
        Some(at) => format!(
            "a good signature by the key {key}, which expired at {at} (passed over, as \
             \"expiredKeys\" of the policy says)"
        ),
    }
}
