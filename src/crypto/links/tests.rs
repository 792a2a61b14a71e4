use super::*;
use crate::crypto::{EcdsaForm, Hash, PublicKey, Scheme};
use alloc::vec;
use proptest::prelude::*;

extern crate std;

/// What a check is made of.
#[derive(Clone)]
struct Parts {
    role: Role,
    key: &'static str,
    scheme: Scheme,
    message: Message,
    signature: Vec<u8>,
}

impl Parts {
    fn check(&self) -> SignatureCheck {
        let pem = std::fs::read(std::format!("fixtures/{}", self.key)).unwrap();
        SignatureCheck::new(
            self.role,
            &PublicKey::from_pem(&pem).unwrap(),
            self.scheme,
            EcdsaForm::Fixed,
            self.message.clone(),
            &self.signature,
        )
        .unwrap()
        .recurring()
    }
}

fn link() -> Parts {
    Parts {
        role: Role::CertificateSignature,
        key: "cosign/ecdsa-p256-bundle/key.pub",
        scheme: Scheme::Ecdsa(Hash::Sha256),
        message: Message::Bytes(b"certificate".into()),
        signature: vec![1; 64],
    }
}

/// One bit of key, scheme, message or signature: another fact.
#[test]
fn nothing_but_the_same_is_remembered() {
    let links = Links::default();
    links.note(&link().check(), Outcome::Holds);
    assert!(links.hold(&link().check()));
    // The fact is of a key and bytes; every chain that has it may rest on it.
    let stamp = Parts {
        role: Role::TimestampCertificate,
        ..link()
    };
    assert!(links.hold(&stamp.check()));
    let mut signature = link().signature;
    *signature.last_mut().unwrap() ^= 1;
    let hashed = Hash::Sha256.hash(b"certificate");
    for other in [
        Parts {
            key: "demo/cosign.pub",
            ..link()
        },
        Parts {
            scheme: Scheme::Ecdsa(Hash::Sha384),
            ..link()
        },
        Parts {
            message: Message::Bytes(b"certificatd".into()),
            ..link()
        },
        Parts {
            message: Message::Bytes(hashed.clone()),
            ..link()
        },
        Parts {
            message: Message::Digest(Hash::Sha256, hashed),
            ..link()
        },
        Parts {
            signature,
            ..link()
        },
    ] {
        assert!(!links.hold(&other.check()));
    }
}

#[test]
fn only_links_that_hold_are_remembered() {
    let links = Links::default();
    links.note(&link().check(), Outcome::Fails);
    assert!(!links.hold(&link().check()));
    for role in [
        Role::CosignPayload,
        Role::DsseEnvelope,
        Role::SignedCertificateTimestamp,
        Role::SignedEntryTimestamp,
        Role::Checkpoint,
        Role::TimestampToken,
        Role::Given,
    ] {
        let other = Parts { role, ..link() };
        links.note(&other.check(), Outcome::Holds);
        assert!(!links.hold(&link().check()), "{role:?}");
        links.note(&link().check(), Outcome::Holds);
        assert!(!links.hold(&other.check()), "{role:?}");
        links.0.with(Vec::clear);
    }
}

/// Who signs once does not displace who issues.
#[test]
fn signers_are_not_remembered() {
    let links = Links::default();
    let signer = SignatureCheck::new(
        Role::CertificateSignature,
        link().check().key(),
        link().scheme,
        EcdsaForm::Fixed,
        link().message,
        &link().signature,
    )
    .unwrap();
    links.note(&signer, Outcome::Holds);
    links.note(&link().check(), Outcome::Holds);
    assert!(links.hold(&link().check()) && !links.hold(&signer));
    assert_eq!(links.0.with(|known| known.len()), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in whatever order: the bound holds, nothing is there twice, and what is there
    /// is what was met last.
    #[test]
    fn the_latest_are_kept(met in proptest::collection::vec(0_u16..400, 0..900)) {
        let links = Links::default();
        let known = link().check();
        let check = |number: u16| SignatureCheck::new(
            Role::CertificateSignature,
            known.key(),
            known.scheme(),
            EcdsaForm::Fixed,
            Message::Bytes(number.to_be_bytes().into()),
            known.signature(),
        ).unwrap().recurring();
        for number in &met {
            links.note(&check(*number), Outcome::Holds);
        }
        let mut latest: Vec<u16> = Vec::new();
        for number in met.iter().rev() {
            if !latest.contains(number) && latest.len() < limits::LINKS {
                latest.push(*number);
            }
        }
        prop_assert_eq!(links.0.with(|known| known.len()), latest.len());
        for number in 0..400 {
            prop_assert_eq!(links.hold(&check(number)), latest.contains(&number));
        }
    }
}
