//! What a case is made of, by name: the reasons for differences are stated over these.

use crate::keys::Algorithm;
use crate::random::Random;

/// How the message is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    OnePass,
    /// The signature before the payload (RFC 4880).
    OldOrder,
    Zip,
    /// As GnuPG writes it: an old packet without a length.
    ZipToTheEnd,
    Zlib,
    Stored,
    /// Text: type 1.
    Text,
    Parts,
    OldPackets,
    /// Behind `\0simple-signing\n`.
    Named,
    VersionThree,
    /// Forms that somebody should refuse, from here on.
    Truncated,
    TamperedPayload,
    TamperedNumbers,
    TamperedStart,
    TwoSignatures,
    SecondIsBad,
    Detached,
    Armoured,
    Cleartext,
    Marker,
    Padding,
    TrailingByte,
    TrailingPacket,
    TwoPayloads,
    TwiceCompressed,
    Bzip2,
    OnePassOtherHash,
    OnePassOtherKey,
    NotSigned,
    Empty,
    NoPayload,
    /// Text with a line feed, signed as RFC 9580 says: with the carriage return that is not there.
    CanonicalText,
}

impl Form {
    pub const GOOD: [Self; 11] = [
        Self::OnePass,
        Self::OldOrder,
        Self::Zip,
        Self::ZipToTheEnd,
        Self::Zlib,
        Self::Stored,
        Self::Text,
        Self::Parts,
        Self::OldPackets,
        Self::Named,
        Self::VersionThree,
    ];
    pub const ODD: [Self; 22] = [
        Self::Truncated,
        Self::TamperedPayload,
        Self::TamperedNumbers,
        Self::TamperedStart,
        Self::TwoSignatures,
        Self::SecondIsBad,
        Self::Detached,
        Self::Armoured,
        Self::Cleartext,
        Self::Marker,
        Self::Padding,
        Self::TrailingByte,
        Self::TrailingPacket,
        Self::TwoPayloads,
        Self::TwiceCompressed,
        Self::Bzip2,
        Self::OnePassOtherHash,
        Self::OnePassOtherKey,
        Self::NotSigned,
        Self::Empty,
        Self::NoPayload,
        Self::CanonicalText,
    ];
}

/// What the key says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    Usual,
    ExpiresLater,
    /// Since it signed.
    Expired,
    ExpiredWhenSigned,
    Prolonged,
    Shortened,
    Revoked,
    /// Retired, a day after it signed.
    RetiredSince,
    UserIdRevoked,
    OneUserIdRevoked,
    UserIdExpired,
    NoUserId,
    NotCertified,
    BadCertification,
    BadRevocation,
    RevokedByStranger,
    /// It names who may revoke it, who did not.
    NamesRevoker,
    /// Who did; and whose key is in the keyring, or is not.
    RevokedByRevoker,
    RevokedByMissingRevoker,
    /// Who seems to have, in a signature that does not hold.
    BadRevokersRevocation,
    NotForSigning,
    NoFlags,
    MadeTomorrow,
    NewerThanSignature,
    Sha1Certified,
    /// Of the subkey, from here on.
    SubkeyExpired,
    SubkeyExpiresLater,
    SubkeyRevoked,
    SubkeyNotForSigning,
    SubkeyNoFlags,
    NotBound,
    BadBinding,
    Sha1Binding,
    NoCross,
    BadCross,
}

impl Life {
    pub const ALL: [Self; 35] = [
        Self::Usual,
        Self::ExpiresLater,
        Self::Expired,
        Self::ExpiredWhenSigned,
        Self::Prolonged,
        Self::Shortened,
        Self::Revoked,
        Self::RetiredSince,
        Self::UserIdRevoked,
        Self::OneUserIdRevoked,
        Self::UserIdExpired,
        Self::NoUserId,
        Self::NotCertified,
        Self::BadCertification,
        Self::BadRevocation,
        Self::RevokedByStranger,
        Self::NamesRevoker,
        Self::RevokedByRevoker,
        Self::RevokedByMissingRevoker,
        Self::BadRevokersRevocation,
        Self::NotForSigning,
        Self::NoFlags,
        Self::MadeTomorrow,
        Self::NewerThanSignature,
        Self::Sha1Certified,
        Self::SubkeyExpired,
        Self::SubkeyExpiresLater,
        Self::SubkeyRevoked,
        Self::SubkeyNotForSigning,
        Self::SubkeyNoFlags,
        Self::NotBound,
        Self::BadBinding,
        Self::Sha1Binding,
        Self::NoCross,
        Self::BadCross,
    ];

    pub const OF_REVOKERS: [Self; 4] = [
        Self::NamesRevoker,
        Self::RevokedByRevoker,
        Self::RevokedByMissingRevoker,
        Self::BadRevokersRevocation,
    ];

    pub fn is_of_subkey(self) -> bool {
        self >= Self::SubkeyExpired
    }
}

/// What the message's signature says beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    Usual,
    ExpiresLater,
    Expired,
    /// Made tomorrow.
    Tomorrow,
    OnlyKeyId,
    OnlyFingerprint,
    Anonymous,
    IssuersDisagree,
    Notation,
    CriticalNotation,
    CriticalUnknown,
    TwoTimes,
    NoTime,
    /// Type 2, over nothing.
    Standalone,
    /// Type 0x13, of a certification.
    Certification,
}

impl Says {
    pub const ALL: [Self; 15] = [
        Self::Usual,
        Self::ExpiresLater,
        Self::Expired,
        Self::Tomorrow,
        Self::OnlyKeyId,
        Self::OnlyFingerprint,
        Self::Anonymous,
        Self::IssuersDisagree,
        Self::Notation,
        Self::CriticalNotation,
        Self::CriticalUnknown,
        Self::TwoTimes,
        Self::NoTime,
        Self::Standalone,
        Self::Certification,
    ];
}

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payload {
    Usual,
    OtherDigest,
    Sha512Digest,
    OtherRepository,
    OtherTag,
    NoTag,
    BadReference,
    OtherType,
    MoreAtTop,
    MoreInCritical,
    MoreInImage,
    MoreInIdentity,
    MoreInOptional,
    TwiceInCritical,
    TwiceInOptional,
    NoOptional,
    NullOptional,
    WholeFloat,
    Fraction,
    TextTimestamp,
    LargeTimestamp,
    NegativeTimestamp,
    NullTimestamp,
    NumberCreator,
    NullCreator,
    OtherCase,
    TrailingText,
    TrailingSpace,
    NoJson,
    Nothing,
}

impl Payload {
    pub const ALL: [Self; 30] = [
        Self::Usual,
        Self::OtherDigest,
        Self::Sha512Digest,
        Self::OtherRepository,
        Self::OtherTag,
        Self::NoTag,
        Self::BadReference,
        Self::OtherType,
        Self::MoreAtTop,
        Self::MoreInCritical,
        Self::MoreInImage,
        Self::MoreInIdentity,
        Self::MoreInOptional,
        Self::TwiceInCritical,
        Self::TwiceInOptional,
        Self::NoOptional,
        Self::NullOptional,
        Self::WholeFloat,
        Self::Fraction,
        Self::TextTimestamp,
        Self::LargeTimestamp,
        Self::NegativeTimestamp,
        Self::NullTimestamp,
        Self::NumberCreator,
        Self::NullCreator,
        Self::OtherCase,
        Self::TrailingText,
        Self::TrailingSpace,
        Self::NoJson,
        Self::Nothing,
    ];
}

/// `signedIdentity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    Unsaid,
    MatchExact,
    MatchRepository,
    ExactReference,
    OtherReference,
    ExactRepository,
    OtherRepository,
    Remapped,
    RemappedElsewhere,
}

impl Identity {
    pub const ALL: [Self; 9] = [
        Self::Unsaid,
        Self::MatchExact,
        Self::MatchRepository,
        Self::ExactReference,
        Self::OtherReference,
        Self::ExactRepository,
        Self::OtherRepository,
        Self::Remapped,
        Self::RemappedElsewhere,
    ];
}

/// The keyring, and how the policy has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ring {
    Data,
    Armoured,
    Path,
    Paths,
    /// Another key beside it.
    Two,
    Stranger,
    TwoArmours,
    TrustPacket,
    PrivatePacket,
    TrailingByte,
    CutOff,
    Garbage,
    /// A second `signedBy` by the same key.
    RequiredTwice,
    /// A second `signedBy`, by a stranger.
    StrangerToo,
    SecretKey,
}

impl Ring {
    pub const ALL: [Self; 15] = [
        Self::Data,
        Self::Armoured,
        Self::Path,
        Self::Paths,
        Self::Two,
        Self::Stranger,
        Self::TwoArmours,
        Self::TrustPacket,
        Self::PrivatePacket,
        Self::TrailingByte,
        Self::CutOff,
        Self::Garbage,
        Self::RequiredTwice,
        Self::StrangerToo,
        Self::SecretKey,
    ];
}

/// What is stored beside the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stored {
    Alone,
    Nothing,
    JunkBefore,
    JunkAfter,
    TamperedBefore,
    TamperedAfter,
}

impl Stored {
    pub const ALL: [Self; 6] = [
        Self::Alone,
        Self::Nothing,
        Self::JunkBefore,
        Self::JunkAfter,
        Self::TamperedBefore,
        Self::TamperedAfter,
    ];
}

#[derive(Debug, Clone)]
pub struct Spec {
    /// Of keys and signatures: 4 or 6.
    pub version: u8,
    pub primary: Algorithm,
    /// A subkey signs.
    pub subkey: Option<Algorithm>,
    /// Of the message's signature; and of what the key says of itself.
    pub hash: u8,
    pub self_hash: u8,
    pub form: Form,
    pub life: Life,
    pub says: Says,
    pub payload: Payload,
    pub identity: Identity,
    pub ring: Ring,
    pub stored: Stored,
}

impl Spec {
    /// Algorithms, good and odd forms come by turns, so that none is rare; most else is usual, so
    /// that what is odd shows.
    pub fn draw(case: u64, random: &mut Random) -> Self {
        let signer = Algorithm::USUAL[case as usize % 7];
        // Four of nine cases have odd messages.
        let is_odd = case % 9 < 4;
        let form = if is_odd {
            Form::ODD[(case / 9 * 4 + case % 9) as usize % Form::ODD.len()]
        } else {
            Form::GOOD[random.below(Form::GOOD.len())]
        };
        let chance = if is_odd { 3 } else { 8 };
        let mut spec = Self {
            version: 4,
            primary: signer,
            subkey: None,
            hash: signer.usual_hash(),
            self_hash: 8,
            form,
            life: any(random, &Life::ALL, 2 * chance),
            says: any(random, &Says::ALL, chance),
            payload: any(random, &Payload::ALL, chance),
            identity: any(random, &Identity::ALL, 18),
            ring: any(random, &Ring::ALL, chance),
            stored: any(random, &Stored::ALL, chance),
        };
        if spec.life.is_of_subkey() || random.chance(35) {
            spec.subkey = Some(signer);
            spec.primary = Algorithm::USUAL[random.below(7)];
        }
        spec.self_hash = spec.primary.usual_hash();
        if random.chance(40) {
            spec.hash = random.weighted(&[(36, 8), (25, 9), (40, 10), (12, 2)]);
        }
        if spec.form == Form::VersionThree {
            spec.says = Says::Usual;
        }
        spec.rare(case);
        spec
    }

    /// What would be rare comes by turns, too, where the message is not odd: so it decides.
    fn rare(&mut self, case: u64) {
        let Some(place) = (case % 9).checked_sub(4) else {
            return;
        };
        let (turn, of_revokers) = (case / 9 * 5 + place, Life::OF_REVOKERS);
        match turn % 18 {
            2 => self.version = 6,
            8 => self.life = of_revokers[(turn / 18) as usize % of_revokers.len()],
            14 => {
                self.hash = 11;
                if self.primary.takes_sha224() {
                    self.self_hash = 11;
                }
            }
            _ => {}
        }
    }

    /// What is not usual, but for the form.
    pub fn odd(&self) -> Vec<String> {
        [
            (self.version != 4, format!("version {}", self.version)),
            (
                self.self_hash == 11,
                "key says of itself over SHA-224".into(),
            ),
            (self.life != Life::Usual, format!("key {:?}", self.life)),
            (
                self.says != Says::Usual,
                format!("signature {:?}", self.says),
            ),
            (
                self.payload != Payload::Usual,
                format!("payload {:?}", self.payload),
            ),
            (
                self.identity != Identity::Unsaid,
                format!("identity {:?}", self.identity),
            ),
            (self.ring != Ring::Data, format!("keyring {:?}", self.ring)),
            (
                self.stored != Stored::Alone,
                format!("stored {:?}", self.stored),
            ),
        ]
        .into_iter()
        .filter_map(|(is_odd, name)| is_odd.then_some(name))
        .collect()
    }

    pub fn signer(&self) -> Algorithm {
        self.subkey.unwrap_or(self.primary)
    }
}

/// The first, but in so many of a hundred cases any.
fn any<T: Copy>(random: &mut Random, list: &[T], percent: usize) -> T {
    if random.chance(percent) {
        list[random.below(list.len())]
    } else {
        list[0]
    }
}
