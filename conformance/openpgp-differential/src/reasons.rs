//! Why answers differ. A reason is a predicate on the case, and says who refuses for it and in
//! whose words: a difference is explained where the one that refuses has said so, and the other is
//! known to pass it over. docs/containers-image.md section 5 has the same table.

use crate::keys::Algorithm;
use crate::spec::Form;
use crate::spec::Identity;
use crate::spec::Life;
use crate::spec::Payload;
use crate::spec::Ring;
use crate::spec::Says;
use crate::spec::Spec;
use crate::spec::Stored;

pub struct Reason {
    pub name: &'static str,
    applies: fn(&Spec) -> bool,
    /// What we (a code), containers/image with GnuPG, with OpenPGP in Go, and Debian's skopeo say of
    /// it; `None`: it is passed over.
    says: [Option<&'static str>; 4],
}

/// One side's answer.
pub struct Side<'a> {
    pub place: usize,
    pub allowed: bool,
    pub text: &'a str,
}

/// Whether the policy names the image, and is one that Debian's skopeo (1.9) reads.
pub fn is_for_skopeo(case: &Spec) -> bool {
    let names = matches!(
        case.identity,
        Identity::ExactReference
            | Identity::OtherReference
            | Identity::ExactRepository
            | Identity::OtherRepository
    );
    names && case.ring != Ring::Paths
}

impl Reason {
    pub fn explains(&self, spec: &Spec, one: &Side<'_>, other: &Side<'_>) -> bool {
        let (allows, refuses) = if one.allowed {
            (one, other)
        } else {
            (other, one)
        };
        let Some(text) = self.says[refuses.place] else {
            return false;
        };
        // Of several stored signatures, our code is of one of them.
        let is_told =
            refuses.text.contains(text) || refuses.place == 0 && spec.stored != Stored::Alone;
        (self.applies)(spec) && is_told && self.says[allows.place].is_none()
    }
}

/// GnuPG wants a hash as long as the group of these keys; 512 bits do for P-521.
fn is_short(key: Algorithm, hash: u8) -> bool {
    let least = match key {
        Algorithm::Dsa | Algorithm::P256 => 32,
        Algorithm::P384 => 48,
        Algorithm::P521 => 64,
        Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Ed25519 => 0,
    };
    let size = match hash {
        2 => 20,
        11 => 28,
        8 => 32,
        9 => 48,
        _ => 64,
    };
    size < least
}

macro_rules! reason {
    ($name:literal, $says:expr, $applies:expr) => {
        Reason {
            name: $name,
            applies: $applies,
            says: $says,
        }
    };
}

const INVALID: Option<&str> = Some("Invalid GPG signature");
const NO_KEYS: Option<&str> = Some("No public keys imported");
const ALTERNATE: Option<&str> = Some("revocation signature signed by alternate key");
/// In an armoured keyring Go stops at the same place, and says this.
const NO_TAG: Option<&str> = Some("tag byte does not have MSB set");

fn is_armoured(case: &Spec) -> bool {
    matches!(case.ring, Ring::Armoured | Ring::TwoArmours)
}

/// Go passes over a key that it does not read, and says so where there is no other.
fn has_another(case: &Spec) -> bool {
    case.life == Life::BadRevokersRevocation
        || matches!(case.ring, Ring::Paths | Ring::Two | Ring::TwoArmours)
}

/// There is a revocation that does not hold, or is by somebody whom the key does not name.
fn is_not_revoked(case: &Spec) -> bool {
    matches!(
        case.life,
        Life::BadRevocation | Life::RevokedByStranger | Life::BadRevokersRevocation
    )
}

pub const REASONS: &[Reason] = &[
    reason!(
        "SHA-224, SHA-256 or SHA-384 is shorter than the DSA or ECDSA key demands",
        [Some("openpgp.short-hash"), INVALID, None, INVALID],
        |case| case.hash != 2 && is_short(case.signer(), case.hash)
    ),
    reason!(
        "the message is over SHA-1, by RSA or Ed25519",
        [Some("openpgp.sha1"), None, None, None],
        |case| case.hash == 2 && !is_short(case.signer(), 2)
    ),
    reason!(
        "the message is over SHA-1, by DSA or ECDSA",
        [Some("openpgp.sha1"), INVALID, None, INVALID],
        |case| case.hash == 2 && is_short(case.signer(), 2)
    ),
    reason!(
        "a subkey is bound over SHA-1 by RSA or Ed25519",
        [Some("openpgp.not-bound"), None, None, None],
        |case| case.life == Life::Sha1Binding && !is_short(case.primary, 2)
    ),
    reason!(
        "a subkey is bound over SHA-1 by DSA or ECDSA",
        [Some("openpgp.not-bound"), INVALID, None, INVALID],
        |case| case.life == Life::Sha1Binding && is_short(case.primary, 2)
    ),
    reason!(
        "an Ed25519 key certifies itself over SHA-1",
        [Some("openpgp.not-certified"), None, None, None],
        |case| case.life == Life::Sha1Certified && case.primary == Algorithm::Ed25519
    ),
    reason!(
        "a DSA or ECDSA key certifies itself over SHA-1",
        [Some("openpgp.not-certified"), NO_KEYS, None, NO_KEYS],
        |case| case.life == Life::Sha1Certified && is_short(case.primary, 2)
    ),
    reason!(
        "the key has version 6",
        [None, NO_KEYS, None, NO_KEYS],
        |case| case.version == 6
    ),
    reason!(
        "the message is compressed by bzip2",
        [Some("openpgp.compression"), None, None, None],
        |case| case.form == Form::Bzip2
    ),
    reason!(
        "compressed data is compressed again",
        [Some("openpgp.packet"), None, None, None],
        |case| case.form == Form::TwiceCompressed
    ),
    reason!(
        "a marker packet stands before the message",
        [Some("openpgp.packet"), None, None, None],
        |case| case.form == Form::Marker
    ),
    reason!(
        "another packet stands behind the signature",
        [Some("openpgp.trailing"), None, None, None],
        |case| matches!(case.form, Form::Padding | Form::TrailingPacket)
    ),
    reason!(
        "a byte stands behind the signature",
        [
            Some("openpgp.trailing"),
            Some("No data"),
            None,
            Some("No data")
        ],
        |case| case.form == Form::TrailingByte
    ),
    reason!(
        "the announcement (one-pass packet) names another key",
        [Some("openpgp.one-pass"), None, Some("Key not found"), None],
        |case| case.form == Form::OnePassOtherKey
    ),
    reason!(
        "the same, where the keyring has that key",
        [
            Some("openpgp.one-pass"),
            None,
            Some("No matching signature"),
            None
        ],
        |case| case.form == Form::OnePassOtherKey
            && matches!(case.ring, Ring::Paths | Ring::Two | Ring::TwoArmours)
    ),
    reason!(
        "the first bytes of the digest, repeated in the signature, differ",
        [Some("openpgp.digest"), None, None, None],
        |case| case.form == Form::TamperedStart
    ),
    reason!(
        "the only user id was revoked",
        [
            Some("openpgp.not-certified"),
            None,
            Some("made by revoked key"),
            None
        ],
        |case| case.life == Life::UserIdRevoked
    ),
    reason!(
        "the certification of the only user id expired",
        [
            Some("openpgp.not-certified"),
            None,
            Some("signature expired"),
            None
        ],
        |case| case.life == Life::UserIdExpired
    ),
    reason!(
        "the signature names two keys as its issuer",
        [
            Some("openpgp.unknown-key"),
            None,
            Some("No matching signature"),
            None
        ],
        |case| case.says == Says::IssuersDisagree && case.version == 4
    ),
    reason!(
        "the same of version 6, where Go reads no key id",
        [Some("openpgp.unknown-key"), NO_KEYS, None, NO_KEYS],
        |case| case.says == Says::IssuersDisagree && case.version == 6
    ),
    reason!(
        "the key names a revoker whose key is missing, and who may have revoked it",
        [Some("openpgp.revocation"), None, ALTERNATE, None],
        |case| case.life == Life::RevokedByMissingRevoker
    ),
    reason!(
        "the same in an armoured keyring",
        [Some("openpgp.revocation"), None, NO_TAG, None],
        |case| case.life == Life::RevokedByMissingRevoker && is_armoured(case)
    ),
    reason!(
        "the same in a keyring with another key",
        [
            Some("openpgp.revocation"),
            None,
            Some("Key not found"),
            None
        ],
        |case| case.life == Life::RevokedByMissingRevoker && has_another(case)
    ),
    reason!(
        "the keyring is malformed behind the key, where the revoker's stands",
        [Some("openpgp.malformed"), None, NO_TAG, None],
        |case| matches!(
            case.life,
            Life::RevokedByRevoker | Life::BadRevokersRevocation
        ) && case.ring == Ring::TrailingByte
    ),
    reason!(
        "a signature over the key itself names a revoker, and has no key flags",
        [None, None, Some("Key not found"), None],
        |case| case.life == Life::NamesRevoker && case.subkey.is_none()
    ),
    reason!(
        "the signature has two times",
        [Some("openpgp.malformed"), None, None, None],
        |case| case.says == Says::TwoTimes
    ),
    reason!(
        "the key was made after it signed",
        [Some("openpgp.key-newer"), INVALID, None, INVALID],
        |case| case.life == Life::NewerThanSignature
    ),
    reason!(
        "the signature stands before the payload",
        [None, None, Some("not signed"), None],
        |case| case.form == Form::OldOrder
    ),
    reason!(
        "the signature has version 3",
        [
            None,
            None,
            Some("LiteralData not followed by signature"),
            None
        ],
        |case| case.form == Form::VersionThree
    ),
    reason!(
        "the signature is of tomorrow",
        [None, None, Some("signature expired"), None],
        |case| case.says == Says::Tomorrow
    ),
    reason!(
        "a revocation does not hold, or is a stranger's",
        [None, None, ALTERNATE, None],
        is_not_revoked
    ),
    reason!(
        "the same in an armoured keyring",
        [None, None, NO_TAG, None],
        |case| is_not_revoked(case) && is_armoured(case)
    ),
    reason!(
        "the same in a keyring with another key",
        [None, None, Some("Key not found"), None],
        |case| is_not_revoked(case) && has_another(case)
    ),
    reason!(
        "text with a line feed is signed as it stands",
        [None, None, Some("invalid signature"), None],
        |case| case.form == Form::Text && case.payload == Payload::TrailingSpace
    ),
    reason!(
        "text is signed with the carriage returns that RFC 9580 adds",
        [Some("openpgp.digest"), INVALID, None, INVALID],
        |case| case.form == Form::CanonicalText
    ),
    reason!(
        "the key that signed has no key flags",
        [None, None, Some("Key not found"), None],
        |case| case.life == Life::SubkeyNoFlags
            || case.life == Life::NoFlags && case.subkey.is_none()
    ),
    reason!(
        "the key stands in the second armoured block of a file",
        [None, None, Some("Key not found"), None],
        |case| case.ring == Ring::TwoArmours
    ),
    reason!(
        "a subkey signed, which skopeo 1.9 does not take for its key",
        [None, None, None, Some("is not accepted")],
        |case| case.subkey.is_some()
    ),
];
