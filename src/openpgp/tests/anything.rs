//! Nothing panics, whatever the bytes are.

use super::make::*;
use super::*;
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let any = proptest::collection::vec(any::<u8>(), 0..300);
    // Packets whose bodies are anything.
    let packets = proptest::collection::vec((1..64_u8, any.clone()), 0..6).prop_map(|found| {
        found
            .iter()
            .flat_map(|(tag, body)| packet(*tag, body))
            .collect()
    });
    // Signatures and keys whose fields are anything.
    let fields = proptest::collection::vec((0..6_usize, any.clone()), 0..6).prop_map(|found| {
        let head = |kind: usize| [(6, 4), (6, 6), (2, 3), (2, 4), (2, 6), (14, 4)][kind];
        let part = |(kind, body): &(usize, Vec<u8>)| {
            let (tag, version) = head(*kind);
            packet(tag, &[&[version], &body[..]].concat())
        };
        found.iter().flat_map(part).collect()
    });
    prop_oneof![any, packets, fields]
}

proptest! {
    #[test]
    fn anything(found in bytes()) {
        let _ = Keyring::read(&found);
        let _ = Message::read(&found);
        let _ = crate::openpgp::detached::message(&found, &found);
    }

    #[test]
    fn anything_beside_a_key(found in bytes(), place in 0..3_usize) {
        let key = key(4, 1);
        let [a, b, c] = [packet(6, &key.body()), key.user_id(b"me", 0x13, &[]), Vec::new()];
        let mut parts = std::vec![a, b, c];
        parts.insert(place, found);
        if let Ok(keyring) = Keyring::read(&parts.concat()) {
            let _ = verify(&key.message(), &keyring, at(NOW));
        }
    }

    #[test]
    fn anything_compressed(found in bytes()) {
        let _ = Message::read(&packet(8, &[&[1], &found[..]].concat()));
        let _ = Message::read(&packet(8, &[&[0], &found[..]].concat()));
    }
}
