//! Every bit of a good message, altered.

use super::make::*;
use super::*;

/// Alters each bit; those that may be altered are not signed (RFC 9580 sections 5.9 and 5.2.3.7), and
/// then the same is claimed.
fn each_bit(message: &[u8], keyring: &[u8], may_be_altered: &[usize]) {
    let ring = Keyring::read(keyring).unwrap();
    let terms = at(NOW);
    let good = verify(message, &ring, terms).unwrap();
    for at in 0..message.len() {
        for bit in 0..8 {
            let mut altered = message.to_vec();
            altered[at] ^= 1 << bit;
            if let Ok(found) = verify(&altered, &ring, terms) {
                assert_eq!(found.claim(), good.claim(), "byte {at}, bit {bit}");
                assert!(may_be_altered.contains(&at), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn bits() {
    for version in [4, 6] {
        let key = key(version, 1);
        let one_pass = key.one_pass(&key.plain(0)).len();
        // Format (b or t, u), name and date of the literal packet, behind its header of six bytes.
        let literal: Vec<usize> = (one_pass + 6..one_pass + 6 + 10).collect();
        each_bit(&key.message(), &key.ring(), &literal);
    }
}

#[test]
fn bits_of_what_gnupg_made() {
    for name in ["rsa", "nistp256", "ed25519", "dsa"] {
        let (message, keyring) = (file(&format!("{name}.sig")), file(&format!("{name}.gpg")));
        // One-pass signature of 15 bytes, a literal packet with a header of three (or, of a length
        // below 192, two) and a name as long as it says.
        let name = usize::from(message[15 + 3 + 1]);
        let literal = 18..18 + 2 + name + 4;
        // The issuer's key id is not signed: as a subpacket of another type it is none.
        let issuer = message.windows(4).position(|found| found == [0, 10, 9, 16]);
        let literal: Vec<usize> = literal.chain(issuer.map(|at| at + 3)).collect();
        each_bit(&message, &keyring, &literal);
    }
}

#[test]
fn bits_of_a_compressed_message() {
    let (message, keyring) = (file("zlib.sig"), file("rsa.gpg"));
    let ring = Keyring::read(&keyring).unwrap();
    let good = verify(&message, &ring, at(NOW)).unwrap();
    for place in 0..message.len() {
        for bit in 0..8 {
            let mut altered = message.clone();
            altered[place] ^= 1 << bit;
            // Which bits spell the name and the date is not known here.
            if let Ok(found) = verify(&altered, &ring, at(NOW)) {
                assert_eq!(found.claim(), good.claim(), "byte {place}, bit {bit}");
            }
        }
    }
}

/// Of a keyring: whatever is altered, nobody else's payload is accepted, and nothing panics.
#[test]
fn bits_of_a_keyring() {
    let (message, keyring) = (file("subkey.sig"), file("subkey.gpg"));
    let good = Keyring::read(&keyring).unwrap();
    let primary = good.fingerprints().next().unwrap().clone();
    for at in 0..keyring.len() {
        let mut altered = keyring.clone();
        altered[at] ^= 1;
        let Ok(ring) = Keyring::read(&altered) else {
            continue;
        };
        if let Ok(found) = verify(&message, &ring, super::at(NOW)) {
            assert_eq!(found.claim().primary(), &primary, "byte {at}");
        }
    }
}
