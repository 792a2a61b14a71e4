//! What keys say of themselves, where nothing is verified.

use super::family::*;
use super::make::*;
use super::*;
use crate::openpgp::PossibleSigner;

/// Of the one key of a keyring: what stands against its primary key, then against each subkey.
fn said(ring: &[u8]) -> Vec<&'static str> {
    let outlooks = Keyring::read(ring).unwrap().outlooks(NOW);
    let [outlook] = &outlooks[..] else {
        panic!("{outlooks:?}")
    };
    let said = |signer: &PossibleSigner| match &signer.expires {
        Ok(_) => "ok",
        Err(error) => Failure::from(error.clone()).code,
    };
    outlook.signers.iter().map(said).collect()
}

#[test]
fn of_subkeys() {
    for version in [4, 6] {
        let family = Family::of(version);
        let bound = |created| family.binding(created, 0x18, &family.good_cross());
        let revoked = family.binding(SIGNED, 0x28, &[]);
        for (bindings, expected) in [
            (bound(SIGNED), "ok"),
            (Vec::new(), "openpgp.not-bound"),
            (
                family.binding(SIGNED, 0x18, &[]),
                "openpgp.not-cross-signed",
            ),
            ([bound(SIGNED), revoked].concat(), "openpgp.subkey-revoked"),
        ] {
            assert_eq!(said(&family.ring(&bindings)), ["ok", expected]);
        }
    }
}

#[test]
fn of_all_subkeys_of_a_key() {
    let ring = [file("subkey.gpg"), file("subkey-revoked.gpg")].concat();
    assert_eq!(said(&ring)[1], "openpgp.subkey-revoked");
    assert_eq!(said(&file("subkey.gpg"))[1], "ok");
    assert_eq!(said(&file("revoked.gpg")), ["openpgp.key-revoked"; 1]);
}
