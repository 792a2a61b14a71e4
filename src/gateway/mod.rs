//! A registry request, and what to do with it (docs/gateway.md). Pure: no sockets, no JavaScript.
//!
//! In scope: the rules of serving, evidence for the page, health. Blobs never pass through here:
//! the answer is an [`Action::Stream`] that the shell carries out. Not yet here: `REGISTRIES`,
//! `MODE`, `CLIENTS`, the relay, metrics and administration.

mod action;
mod admit;
mod blob;
mod budget;
mod config;
mod evidence;
mod list;
mod manifest;
mod memory;
mod recognise;
mod refuse;
mod route;
mod shelf;
#[cfg(test)]
mod tests;

pub use action::{Action, Request, Respond, Stream};
pub use config::{Config, ConfigError, Gateway};

/// Every code that a refusal or a report can carry.
pub fn codes() -> impl Iterator<Item = &'static str> {
    crate::verify::codes()
        .chain(ConfigError::CODES.iter().copied())
        .chain([
            "gateway.not-linked",
            "gateway.foreign-layer",
            "evidence",
            "policy.denied",
        ])
}
