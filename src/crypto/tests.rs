//! What is read here, beside what the crates of the arithmetic read themselves.

use super::key::PublicKey;
use super::{EcdsaForm, Hash, Message, Role, Scheme, SignatureCheck};
use crate::encoding::der::wrap;
use crate::limits;
use alloc::vec::Vec;
use p256::elliptic_curve::sec1::ToSec1Point;
use proptest::prelude::*;
use rsa::BoxedUint;

const EC: [u8; 9] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const RSA: [u8; 13] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let key = wrap(3, &[&[0], key].concat());
    wrap(0x30, &[wrap(0x30, algorithm), key].concat())
}

/// One curve: its name in DER, a point of it, and how the crates read points and signatures.
struct Curve {
    oid: &'static [u8],
    generator: Vec<u8>,
    is_point: fn(&[u8]) -> bool,
    of_der: fn(&[u8]) -> Option<Vec<u8>>,
    of_halves: fn(&[u8]) -> Option<Vec<u8>>,
}

macro_rules! curve {
    ($name:ident, $oid:expr) => {
        Curve {
            oid: &$oid,
            generator: $name::AffinePoint::GENERATOR
                .to_sec1_point(false)
                .as_bytes()
                .into(),
            is_point: |point| $name::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
            of_der: |bytes| {
                let signature = $name::ecdsa::Signature::from_der(bytes).ok()?;
                Some(signature.to_bytes().to_vec())
            },
            of_halves: |bytes| {
                let signature = $name::ecdsa::Signature::from_slice(bytes).ok()?;
                Some(signature.to_bytes().to_vec())
            },
        }
    };
}

fn curves() -> [Curve; 3] {
    [
        curve!(p256, [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
        curve!(p384, [6, 5, 0x2b, 0x81, 4, 0, 0x22]),
        curve!(p521, [6, 5, 0x2b, 0x81, 4, 0, 0x23]),
    ]
}

impl Curve {
    fn key(&self, point: &[u8]) -> Option<PublicKey> {
        PublicKey::from_spki_der(&spki(&[&EC, self.oid].concat(), point)).ok()
    }

    fn signature(&self, form: EcdsaForm, bytes: &[u8]) -> Option<Vec<u8>> {
        let (scheme, message) = (Scheme::Ecdsa(Hash::Sha256), Message::Bytes(Vec::new()));
        let key = self.key(&self.generator).unwrap();
        let check = SignatureCheck::new(Role::Given, &key, scheme, form, message, bytes);
        check.ok().map(|check| check.signature().into())
    }

    fn size(&self) -> usize {
        self.generator.len() / 2
    }
}

/// A number near what is refused, as long as the curve's.
fn near(size: usize, kind: u8, low: u8) -> Vec<u8> {
    let mut value = alloc::vec![if kind & 1 == 0 { 0 } else { 0xff }; size];
    if kind & 2 == 0 {
        *value.last_mut().unwrap() = low;
    }
    if kind & 4 == 0 {
        *value.first_mut().unwrap() = low & 1;
    }
    value
}

fn integer(value: &[u8], is_minimal: bool) -> Vec<u8> {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let value = match &value[zeros..] {
        [] => &[0][..],
        rest => rest,
    };
    let sign: &[u8] = if value[0] > 0x7f || !is_minimal {
        &[0]
    } else {
        &[]
    };
    wrap(2, &[sign, value].concat())
}

#[test]
fn a_generator_is_a_point_and_its_altered_coordinates_are_none() {
    for curve in curves() {
        assert!(curve.key(&curve.generator).is_some());
        for at in 0..curve.generator.len() {
            let mut point = curve.generator.clone();
            point[at] ^= 1;
            assert!(curve.key(&point).is_none(), "{at}");
        }
        // Compressed, cut, too long, at infinity.
        let compressed = [&[2], &curve.generator[1..=curve.size()]].concat();
        let long = [curve.generator.as_slice(), &[0]].concat();
        let cut = &curve.generator[..curve.generator.len() - 1];
        for point in [&compressed, &long, cut, &[0], &[4], &[]] {
            assert!(curve.key(point).is_none(), "{point:x?}");
        }
    }
}

proptest! {
    #[test]
    fn points_are_those_of_the_arithmetic(
        which in 0..3_usize, at in 0..133_usize, bit in 0..8_u32, high in any::<bool>(),
    ) {
        let curve = &curves()[which];
        let mut point = curve.generator.clone();
        let at = at % point.len();
        point[at] ^= 1 << bit;
        if high {
            // Coordinates that are no number of the field.
            point[1..=curve.size()].fill(0xff);
        }
        let by_them = point.first() == Some(&4) && (curve.is_point)(&point);
        prop_assert_eq!(curve.key(&point).is_some(), by_them);
    }

    #[test]
    fn signatures_are_read_as_by_the_arithmetic(
        which in 0..3_usize, kinds in (0..8_u8, 0..8_u8), low in any::<u8>(),
        minimal in (any::<bool>(), any::<bool>()), longer in 0..3_usize,
        mutation in proptest::option::of((any::<usize>(), any::<u8>())),
    ) {
        let curve = &curves()[which];
        let r = near(curve.size() + longer / 2, kinds.0, low);
        let s = near(curve.size(), kinds.1, low);
        let both = [integer(&r, minimal.0 || low > 9), integer(&s, minimal.1 || low > 9)].concat();
        let mut der = wrap(0x30, &both);
        if let Some((at, byte)) = mutation {
            let at = at % der.len();
            der[at] = byte;
        }
        prop_assert_eq!(curve.signature(EcdsaForm::Der, &der), (curve.of_der)(&der));
        let halves = [r, s].concat();
        prop_assert_eq!(curve.signature(EcdsaForm::Fixed, &halves), (curve.of_halves)(&halves));
    }

    #[test]
    fn rsa_values_are_those_of_the_arithmetic(
        first in any::<u8>(), last in any::<u8>(), length in 255..258_usize,
        exponent in proptest::collection::vec(any::<u8>(), 1..7), odd in any::<bool>(),
    ) {
        let mut modulus = alloc::vec![0xa5; length];
        modulus[0] = first | 1;
        modulus[length - 1] = last | u8::from(odd);
        let mut exponent = exponent;
        *exponent.last_mut().unwrap() |= u8::from(odd);
        let both = [integer(&modulus, true), integer(&exponent, true)].concat();
        let ours = PublicKey::from_spki_der(&spki(&RSA, &wrap(0x30, &both)));
        let theirs = rsa::PublicKey::new_with_size_limits(
            BoxedUint::from_be_slice_vartime(&modulus),
            BoxedUint::from_be_slice_vartime(&exponent),
            limits::RSA_BITS,
        );
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
    }
}

/// What chance seldom makes.
#[test]
fn signatures_are_two_numbers_and_nothing_else() {
    for curve in curves() {
        let one = integer(&[1], true);
        let two = [one.clone(), one.clone()].concat();
        let three = [two.as_slice(), &one].concat();
        let after = [wrap(0x30, &two).as_slice(), &[0]].concat();
        let (der, cut) = (wrap(0x30, &two), wrap(0x30, &one));
        for (bytes, holds) in [
            (&der, true),
            (&wrap(0x30, &three), false),
            (&after, false),
            (&cut, false),
            (&wrap(0x31, &two), false),
            (&two, false),
        ] {
            assert_eq!((curve.of_der)(bytes).is_some(), holds, "{bytes:x?}");
            let ours = curve.signature(EcdsaForm::Der, bytes);
            assert_eq!(ours, (curve.of_der)(bytes), "{bytes:x?}");
        }
    }
}

#[test]
fn exponents_at_the_edges() {
    let modulus = alloc::vec![0xa5; 256];
    for (exponent, holds) in [
        (&[1][..], false),
        (&[2], false),
        (&[3], true),
        (&[1, 0, 1], true),
        (&[0xff, 0xff, 0xff, 0xff], true),
        (&[1, 0xff, 0xff, 0xff, 0xff], true),
        (&[2, 0, 0, 0, 1], false),
        (&[3, 0, 0, 0, 1], false),
        (&[1, 0, 0, 0, 0, 1], false),
    ] {
        let both = [integer(&modulus, true), integer(exponent, true)].concat();
        let ours = PublicKey::from_spki_der(&spki(&RSA, &wrap(0x30, &both)));
        assert_eq!(ours.is_ok(), holds, "{exponent:x?}");
    }
}

#[test]
fn a_scheme_is_known_by_its_id() {
    for id in [
        "ecdsa-sha256",
        "rsa-pkcs1-sha384",
        "rsa-pss-sha512",
        "ed25519",
        "ed25519ph",
    ] {
        assert_eq!(Scheme::by_id(id).unwrap().id(), id);
    }
    for id in [
        "",
        "ecdsa",
        "ecdsa-sha1",
        "ECDSA-SHA256",
        "rsa-pkcs1-sha224",
        "dsa-sha224",
    ] {
        assert_eq!(Scheme::by_id(id), None);
    }
}
