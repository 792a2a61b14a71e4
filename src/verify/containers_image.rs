//! What a signature that was verified as containers/image does says for the report
//! (docs/containers-image.md sections 2.2 to 2.4).

use super::report::{Claims, LogEntry, Signer};
use crate::cosign::containers_image::{ContainersImageSignature, Trust};
use crate::time::UnixTime;
use crate::x509::{Certificate, fulcio};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Certificate and log entry, for the report. A certificate with several names is described by none
/// of them.
pub(super) fn claims(signature: &ContainersImageSignature) -> Claims {
    let signer = |certificate: &Certificate| {
        Some(Signer::of(
            certificate,
            &fulcio::Claims::of(certificate).ok()?,
        ))
    };
    let entry = |logged: &crate::tlog::rekor::IntegratedTime| LogEntry {
        log_id: logged.log_id().into(),
        index: logged.log_index().to_string(),
        kind: "hashedrekord 0.0.1".into(),
        time: Some(logged.time().0),
        origin: None,
        tree_size: None,
    };
    Claims {
        signer: signature.certificate().and_then(signer),
        log_entries: signature.logged().map(entry).into_iter().collect(),
        ..Claims::default()
    }
}

/// Who signed, in words.
pub(super) fn by_whom(trust: &Trust<'_>) -> String {
    match trust {
        Trust::Keys(_) => "by a trusted key, logged by Rekor".into(),
        Trust::Fulcio(fulcio) => format!("by {} ({})", fulcio.subject_email, fulcio.oidc_issuer),
        Trust::Pki(pki) => format!(
            "by {}",
            pki.subject_email
                .into_iter()
                .chain(pki.subject_hostname)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// When time alone makes another answer of this one: containers/image judges a `pki` chain now, so
/// that its end is the end of the answer.
pub(super) fn expires(
    trust: &Trust<'_>,
    signature: &ContainersImageSignature,
    now: UnixTime,
) -> Option<i64> {
    let Trust::Pki(pki) = trust else {
        return None;
    };
    signature
        .certificate()
        .into_iter()
        .chain(pki.intermediates)
        .chain(pki.roots)
        .map(|certificate| certificate.not_after().0)
        .filter(|end| *end >= now.0)
        .min()
        .map(|end| end.saturating_add(1))
}
