//! Which websites may read what stands beside `/v2/` (`CORS_ORIGINS`).

use super::action::ClientRequest;
use super::settings::Settings;
use crate::oci::url::Parts;
use alloc::string::String;
use alloc::vec::Vec;

/// Adds the headers that let the website of this request read the answer.
pub(super) fn allow(
    settings: &Settings,
    request: &ClientRequest,
    headers: &mut Vec<(String, String)>,
) {
    let url = Parts::of(&request.url);
    if !["/api/", "/relay/"]
        .iter()
        .any(|below| url.path().starts_with(below))
    {
        return;
    }
    let Some(origin) = request.header("origin") else {
        return;
    };
    let allowed = settings
        .cors_origins
        .iter()
        .find(|known| *known == "*" || *known == origin);
    if let Some(allowed) = allowed {
        headers.push(("access-control-allow-origin".into(), allowed.clone()));
        headers.push(("vary".into(), "origin".into()));
    }
}
