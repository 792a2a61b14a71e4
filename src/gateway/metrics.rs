//! `/metrics`, in the text format of Prometheus ("Exposition formats", 0.0.4). No label comes from a
//! request: verdicts and codes are this build's own.

use super::config::Mode;
use super::counters::Counters;
use super::next::NextPolicy;
use super::settings::Settings;
use crate::sigstore::roots;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};

/// A metric that is written.
struct Metric<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl<'a> Metric<'a> {
    fn new(text: &'a mut String, name: &'static str, kind: &str, help: &str) -> Self {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Self { text, name }
    }

    fn value(&mut self, value: impl ToString) {
        self.text
            .push_str(&format!("{} {}\n", self.name, value.to_string()));
    }

    /// Of this label, whose value has nothing that would need an escape.
    fn labelled(&mut self, label: &str, of: &str, value: impl ToString) {
        let (name, value) = (self.name, value.to_string());
        self.text
            .push_str(&format!("{name}{{{label}=\"{of}\"}} {value}\n"));
    }
}

pub(super) fn document(
    settings: &Settings,
    next: Option<&NextPolicy>,
    counters: &Counters,
    now: UnixTime,
) -> String {
    let mut text = String::new();
    states(&mut text, settings, counters, now);
    if let Some(next) = next {
        about_next(&mut text, next);
    }
    counts(&mut text, counters);
    let mut decisions = Metric::new(
        &mut text,
        "sealgate_decisions_total",
        "counter",
        "Decisions, by what became of the request.",
    );
    for (resolution, count) in counters.verdicts() {
        decisions.labelled("verdict", resolution.name(), count);
    }
    let mut refusals = Metric::new(
        &mut text,
        "sealgate_refusals_total",
        "counter",
        "What was not allowed, by the code of the reason.",
    );
    for (code, count) in counters.refusals().iter() {
        refusals.labelled("code", code, *count);
    }
    let mut sign_ins = Metric::new(
        &mut text,
        "sealgate_sign_in_refusals_total",
        "counter",
        "Requests whose credentials were not accepted, or not for this, by whom and whose.",
    );
    for (refusal, count) in counters.sign_ins() {
        sign_ins.labelled("reason", refusal.name(), count);
    }
    text
}

fn counts(text: &mut String, counters: &Counters) {
    let mut counter = |name, help, value: u64| {
        Metric::new(text, name, "counter", help).value(value);
    };
    counter(
        "sealgate_requests_total",
        "Requests of clients.",
        counters.requests.get(),
    );
    counter(
        "sealgate_remembered_total",
        "Requests that were answered out of memory, after one question to the registry.",
        counters.remembered.get(),
    );
    counter(
        "sealgate_upstream_requests_total",
        "Requests to the registry, its token service and lookasides; layers are not counted.",
        counters.upstream.get(),
    );
    counter(
        "sealgate_signature_checks_total",
        "Signatures that were checked.",
        counters.checks.get(),
    );
    counter(
        "sealgate_hint_refusals_total",
        "Blobs that were refused because the image that lists them is not allowed any more.",
        counters.hints.get(),
    );
}

fn about_next(text: &mut String, next: &NextPolicy) {
    let compared = next.compared();
    let mut metric = |name, kind: &str, help, value: u64| {
        Metric::new(text, name, kind, help).value(value);
    };
    metric(
        "sealgate_next_misconfigured",
        "gauge",
        "1 where the next policy cannot be read.",
        u64::from(next.settings.rules.is_err()),
    );
    metric(
        "sealgate_next_compared_total",
        "counter",
        "Images that were judged by the next policy, too.",
        compared.compared,
    );
    metric(
        "sealgate_next_open_total",
        "counter",
        "Those of them about which it could not decide.",
        compared.open,
    );
    metric(
        "sealgate_next_differences",
        "gauge",
        "Images whose verdict it would change.",
        u64::try_from(compared.differ).unwrap_or(u64::MAX),
    );
}

fn states(text: &mut String, settings: &Settings, counters: &Counters, now: UnixTime) {
    let mut gauge = |name, help, value: i64| {
        Metric::new(text, name, "gauge", help).value(value);
    };
    gauge(
        "sealgate_misconfigured",
        "1 where the configuration is wrong, so that nothing can be judged.",
        i64::from(settings.rules.is_err()),
    );
    gauge(
        "sealgate_configuration_stale",
        "1 where a newer policy or other file cannot be used, so that the one before stays in force.",
        i64::from(counters.stale.get()),
    );
    gauge(
        "sealgate_audit",
        "1 where everything that is refused is served all the same (MODE=audit).",
        i64::from(settings.mode == Mode::Audit),
    );
    let age = UnixTime::parse(&format!("{}T00:00:00Z", roots::DATE))
        .map_or(0, |date| now.0.saturating_sub(date.0));
    gauge(
        "sealgate_trusted_root_age_seconds",
        "Age of the trusted roots that this build carries.",
        age,
    );
    Metric::new(
        text,
        "sealgate_build_info",
        "gauge",
        "1, with the version of this build.",
    )
    .labelled("version", env!("CARGO_PKG_VERSION"), 1);
    Metric::new(
        text,
        "sealgate_policy_info",
        "gauge",
        "1, with a hash over the policy and everything else that verdicts depend on.",
    )
    .labelled("basis", &settings.basis, 1);
}
