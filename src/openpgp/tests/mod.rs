//! Messages and keys of fixtures/openpgp (GnuPG, Sequoia and rPGP: fixtures/README.md) and ones that are made
//! here, and what must come of each way to alter them.

extern crate std;

mod altered;
mod anything;
mod ends;
mod family;
mod fields;
mod fixtures;
mod keys;
mod make;
mod messages;
mod oracles;
mod outlook;
mod rewritten;
mod roles;

use super::{Keyring, Message, OpenPgpError, SignedPayload, Terms};
use crate::crypto::{Refused, RustCrypto, Verified, at_once};
use crate::error::Failure;
use crate::time::UnixTime;
use alloc::vec::Vec;
use std::format;

/// 2026-01-04T00:00:00Z: a day after the fixtures were signed.
const NOW: UnixTime = UnixTime(1_767_484_800);
const DAY: i64 = 86_400;

/// After the fixture of this name was signed; those of rPGP were on 2026-11-30.
fn after(name: &str) -> UnixTime {
    if name.starts_with("rpgp-") {
        UnixTime(NOW.0 + 339 * DAY)
    } else {
        NOW
    }
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("fixtures/openpgp/{name}")).unwrap()
}

fn at(now: UnixTime) -> Terms {
    Terms {
        now,
        expired_keys_until: None,
    }
}

fn verify(
    message: &[u8],
    keyring: &Keyring,
    terms: Terms,
) -> Result<Verified<SignedPayload>, Refused> {
    let message = Message::read(message).map_err(Refused::new)?;
    at_once(message.verify(keyring, terms, &RustCrypto))
        .unwrap()
        .unwrap()
        .map_err(|unproven| unproven.refused)
}

/// `ok`, or the code.
fn code(message: &[u8], keyring: &[u8], terms: Terms) -> &'static str {
    let keyring = match Keyring::read(keyring) {
        Ok(keyring) => keyring,
        Err(error) => return Failure::from(error).code,
    };
    match verify(message, &keyring, terms) {
        Ok(_) => "ok",
        Err(refused) => refused.failure.code,
    }
}
