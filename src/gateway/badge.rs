//! `GET /badge/<repository>:<tag>.svg`: what this gateway decides on an image that everybody may read,
//! as a picture for pages of documentation (docs/gateway.md "Beside /v2/"). It says nothing but words
//! of this build, and which policy it speaks for.

use super::action::{Action, ClientRequest, Respond};
use super::answer;
use super::context::Context;
use super::report;
use super::settings::Settings;
use crate::crypto::Provider;
use crate::host::{Host, Store};
use crate::verify::{Rules, Verdict};
use alloc::format;
use alloc::string::String;

/// Seconds for which a picture may be shown again: as long as a refusal is remembered is too short
/// for pages that many look at.
const SECONDS: u32 = 60;

/// What it says, and on what colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Verified,
    /// The policy lets it in without anything that was checked.
    Accepted,
    Refused,
    /// Could not find out; also where not everybody may read it, or there is no such image.
    Unknown,
}

impl State {
    const ALL: [Self; 4] = [Self::Verified, Self::Accepted, Self::Refused, Self::Unknown];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Verified => ("verified", "#1a7f37"),
            Self::Accepted => ("allowed, not verified", "#7d4e00"),
            Self::Refused => ("refused", "#b42318"),
            Self::Unknown => ("unknown", "#57606a"),
        }
    }
}

/// The request without what lets its client in: a picture is for everybody.
pub(super) fn anonymous(request: &ClientRequest) -> ClientRequest {
    let mut request = request.clone();
    request.headers.retain(|(name, _)| name != "authorization");
    request
}

pub(super) async fn serve<R: Host + Provider + Store>(
    context: &Context<'_, R>,
    rules: &Rules,
    reference: &str,
) -> Action {
    let state = match report::report(context, rules, reference).await {
        Err(_) => State::Unknown,
        Ok(report) => match report.finding.verdict {
            Verdict::Allow if report.verified => State::Verified,
            Verdict::Allow => State::Accepted,
            Verdict::Deny => State::Refused,
            Verdict::Unknown => State::Unknown,
        },
    };
    picture(state, &policy(context.settings))
}

/// What is said of what nobody may be told of.
pub(super) fn unknown(settings: &Settings) -> Action {
    picture(State::Unknown, &policy(settings))
}

fn policy(settings: &Settings) -> String {
    settings.basis.chars().take(8).collect()
}

/// A website that shows it in its page learns nothing by that: the size is the same whatever it says,
/// and so is the status.
fn picture(state: State, policy: &str) -> Action {
    let (words, colour) = state.words();
    let by_policy = |words: &str| format!("{words} by policy {policy}");
    let right = by_policy(words);
    // Of a font of this size, in which no letter is wider.
    let width = |text: &str| text.chars().count().saturating_mul(7).saturating_add(12);
    let widest = State::ALL.map(|state| width(&by_policy(state.words().0)));
    let widest = widest.into_iter().max().unwrap_or_default();
    let (left, all) = (width("image"), width("image").saturating_add(widest));
    let text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" \
         aria-label=\"image: {right}\"><title>image: {right}</title><rect width=\"{left}\" \
         height=\"20\" fill=\"#24292f\"/><rect x=\"{left}\" width=\"{}\" height=\"20\" \
         fill=\"{colour}\"/><g fill=\"#fff\" font-family=\"monospace\" font-size=\"11\"><text x=\"6\" \
         y=\"14\">image</text><text x=\"{}\" y=\"14\">{right}</text></g></svg>",
        all.saturating_sub(left),
        left.saturating_add(6),
    );
    let mut action = answer::document(200, "image/svg+xml", text);
    if let Action::Respond(Respond { headers, .. }) = &mut action {
        headers.retain(|(name, _)| name != "cache-control");
        headers.push(("cache-control".into(), format!("max-age={SECONDS}")));
        headers.push(("cross-origin-resource-policy".into(), "cross-origin".into()));
    }
    action
}
