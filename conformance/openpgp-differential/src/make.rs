//! From the names of a case to its bytes.

use crate::keys::Kit;
use crate::keys::Part;
use crate::oracle::Question;
use crate::packets::Fields;
use crate::packets::Key;
use crate::packets::armoured;
use crate::packets::hashed_id;
use crate::packets::literal;
use crate::packets::old_packet;
use crate::packets::packet;
use crate::packets::partial_packet;
use crate::packets::subpacket;
use crate::spec::Form;
use crate::spec::Identity;
use crate::spec::Life;
use crate::spec::Payload;
use crate::spec::Ring;
use crate::spec::Says;
use crate::spec::Spec;
use crate::spec::Stored;
use sealgate::internals::digest::Digest;
use sealgate::internals::encoding::base64;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

const DAY: u32 = 86_400;
const REPOSITORY: &str = "registry.example/team/app";
const SIGNATURE: u8 = 2;
const ONE_PASS: u8 = 4;
const COMPRESSED: u8 = 8;
const LITERAL: u8 = 11;

/// What all cases share.
pub struct Maker<'a> {
    pub kit: &'a Kit,
    pub now: u32,
    /// Where files are that policies name.
    pub folder: &'a Path,
}

/// The keys of one case.
struct Keys<'a> {
    primary: Key<'a>,
    subkey: Option<Key<'a>>,
    /// In no keyring but its own.
    stranger: Key<'a>,
    /// Whom the primary key may name to revoke it.
    revoker: Key<'a>,
}

impl<'a> Keys<'a> {
    fn signer(&self) -> Key<'a> {
        self.subkey.unwrap_or(self.primary)
    }
}

impl Maker<'_> {
    pub fn question(&self, spec: &Spec) -> Result<Question, String> {
        let manifest = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
        let keys = self.keys(spec);
        let payload = payload(spec.payload, &Digest::of(manifest).to_string());
        let message = self.message(spec, &keys, payload.as_bytes())?;
        let mut ring = self.ring(spec, &keys);
        if matches!(
            spec.life,
            Life::RevokedByRevoker | Life::BadRevokersRevocation
        ) {
            ring.extend(plain_ring(&keys.revoker, b"Revoker <revoker@example.com>"));
        }
        let stranger = plain_ring(&keys.stranger, b"Stranger <stranger@example.com>");
        let (policy, files) = self.policy(spec, &ring, &stranger);
        Ok(Question {
            policy: policy.into_bytes(),
            reference: format!("{REPOSITORY}:1"),
            manifest: manifest.to_vec(),
            signatures: stored(spec.stored, message),
            files,
        })
    }

    fn keys(&self, spec: &Spec) -> Keys<'_> {
        let created = match spec.life {
            Life::MadeTomorrow => self.now + DAY,
            Life::NewerThanSignature => self.now - 5 * DAY,
            _ => self.now - 100 * DAY,
        };
        let pair = |algorithm, part| Key {
            version: spec.version,
            pair: self.kit.pair(algorithm, part),
            created,
        };
        Keys {
            primary: pair(spec.primary, Part::Primary),
            subkey: spec.subkey.map(|subkey| pair(subkey, Part::Subkey)),
            stranger: pair(spec.signer(), Part::Stranger),
            // RFC 9580 section 5.2.3.23 has room for the name of such alone.
            revoker: Key {
                version: 4,
                ..pair(spec.signer(), Part::Revoker)
            },
        }
    }

    /// When messages are signed.
    fn signed(&self) -> u32 {
        self.now - 10 * DAY
    }

    fn fields(&self, spec: &Spec, key: &Key<'_>) -> Fields {
        let kind = u8::from(matches!(spec.form, Form::Text | Form::CanonicalText));
        let usual = |created: u32| key.usual(kind, spec.hash, created);
        let mut fields = usual(self.signed());
        let with = |kind: u8, body: &[u8]| {
            let mut fields = usual(self.signed());
            fields.hashed.extend(subpacket(kind, body));
            fields
        };
        let created = subpacket(2, &self.signed().to_be_bytes());
        let notation = [&[0x80, 0, 0, 0, 0, 5, 0, 1], &b"n@x.yv"[..]].concat();
        match spec.says {
            Says::Usual => {}
            Says::ExpiresLater => fields = with(3, &(30 * DAY).to_be_bytes()),
            Says::Expired => fields = with(3, &DAY.to_be_bytes()),
            Says::Tomorrow => fields = usual(self.now + DAY),
            Says::OnlyKeyId => fields.hashed = created,
            Says::OnlyFingerprint => fields.unhashed = Vec::new(),
            Says::Anonymous => (fields.hashed, fields.unhashed) = (created, Vec::new()),
            Says::IssuersDisagree => fields.unhashed = subpacket(16, &[7; 8]),
            Says::Notation => fields = with(20, &notation),
            Says::CriticalNotation => fields = with(20 | 0x80, &notation),
            Says::CriticalUnknown => fields = with(99 | 0x80, b"?"),
            Says::TwoTimes => fields = with(2, &(self.signed() - DAY).to_be_bytes()),
            Says::NoTime => {
                let fingerprint = [&[key.version][..], &key.fingerprint()].concat();
                fields.hashed = subpacket(33, &fingerprint);
            }
            Says::Standalone => fields.kind = 2,
            Says::Certification => fields.kind = 0x13,
        }
        fields
    }

    fn message(&self, spec: &Spec, keys: &Keys<'_>, payload: &[u8]) -> Result<Vec<u8>, String> {
        let key = keys.signer();
        let fields = self.fields(spec, &key);
        let (kind, hash) = (fields.kind, fields.hash);
        let body = key.sign(&fields, payload);
        let one_pass = packet(ONE_PASS, &key.one_pass(kind, hash, true));
        let data = literal(payload, kind == 1);
        let payload_packet = packet(LITERAL, &data);
        let signature = packet(SIGNATURE, &body);
        let usual = [&one_pass[..], &payload_packet, &signature].concat();
        let compressed =
            |algorithm: u8, bytes: &[u8]| packet(COMPRESSED, &[&[algorithm], bytes].concat());
        let zip = |bytes: &[u8]| miniz_oxide::deflate::compress_to_vec(bytes, 6);
        let last_but = |count: usize| {
            let mut bytes = usual.clone();
            let at = bytes.len() - count;
            bytes[at] ^= 1;
            bytes
        };
        Ok(match spec.form {
            Form::OnePass | Form::Text => usual,
            Form::CanonicalText => {
                let body = key.sign(&fields, &[payload, b"\r\n"].concat());
                let data = literal(&[payload, b"\n"].concat(), true);
                let signature = packet(SIGNATURE, &body);
                [one_pass, packet(LITERAL, &data), signature].concat()
            }
            Form::OldOrder => [signature, payload_packet].concat(),
            Form::Zip => compressed(1, &zip(&usual)),
            Form::ZipToTheEnd => [&[0xa3, 1], &zip(&usual)[..]].concat(),
            Form::Zlib => compressed(2, &miniz_oxide::deflate::compress_to_vec_zlib(&usual, 6)),
            Form::Stored => compressed(0, &usual),
            Form::Parts => [one_pass, partial_packet(LITERAL, &data), signature].concat(),
            Form::OldPackets => [
                old_packet(ONE_PASS, &key.one_pass(kind, hash, true)),
                old_packet(LITERAL, &data),
                old_packet(SIGNATURE, &body),
            ]
            .concat(),
            Form::Named => [b"\0simple-signing\n", &usual[..]].concat(),
            Form::VersionThree => {
                let signature = packet(SIGNATURE, &key.sign_v3(0, hash, self.signed(), payload));
                [one_pass, payload_packet, signature].concat()
            }
            Form::Truncated => usual[..usual.len() - 9].to_vec(),
            Form::TamperedPayload => {
                let data = literal(&[b" ", payload].concat(), false);
                [one_pass, packet(LITERAL, &data), signature].concat()
            }
            Form::TamperedNumbers => last_but(3),
            Form::TamperedStart => {
                let mut body = body;
                let lengths = if key.version == 6 { 8 } else { 4 };
                let at = 4 + lengths + fields.hashed.len() + fields.unhashed.len();
                body[at] ^= 1;
                [one_pass, payload_packet, packet(SIGNATURE, &body)].concat()
            }
            Form::TwoSignatures | Form::SecondIsBad => {
                let outer = packet(ONE_PASS, &key.one_pass(kind, hash, false));
                let mut second = signature.clone();
                if spec.form == Form::SecondIsBad {
                    let at = second.len() - 3;
                    second[at] ^= 1;
                }
                [outer, one_pass, payload_packet, signature, second].concat()
            }
            Form::Detached => signature,
            Form::Armoured => armoured("MESSAGE", &usual),
            Form::Cleartext => [
                b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n",
                payload,
                b"\n",
                &armoured("SIGNATURE", &signature)[..],
            ]
            .concat(),
            // Inside, since the first byte tells what is a signature at all.
            Form::Marker => compressed(0, &[packet(10, b"PGP"), usual].concat()),
            Form::Padding => [usual, packet(21, b"more")].concat(),
            Form::TrailingByte => [usual, vec![0]].concat(),
            Form::TrailingPacket => [usual, packet(13, b"me")].concat(),
            Form::TwoPayloads => {
                let other = packet(LITERAL, &literal(b"{}", false));
                [one_pass, payload_packet, other, signature].concat()
            }
            Form::TwiceCompressed => compressed(0, &compressed(1, &zip(&usual))),
            Form::Bzip2 => compressed(3, &bzip2(&usual)?),
            Form::OnePassOtherHash => {
                let other = if hash == 10 { 8 } else { 10 };
                let one_pass = packet(ONE_PASS, &key.one_pass(kind, other, true));
                [one_pass, payload_packet, signature].concat()
            }
            Form::OnePassOtherKey => {
                let one_pass = packet(ONE_PASS, &keys.stranger.one_pass(kind, hash, true));
                [one_pass, payload_packet, signature].concat()
            }
            Form::NotSigned => compressed(0, &payload_packet),
            Form::Empty => b"\0simple-signing\n".to_vec(),
            Form::NoPayload => [one_pass, signature].concat(),
        })
    }

    /// The keyring's packets: primary key, user ids, subkey.
    fn ring(&self, spec: &Spec, keys: &Keys<'_>) -> Vec<u8> {
        let key = &keys.primary;
        let (hash, life) = (spec.self_hash, spec.life);
        let body = key.body();
        let mut ring = packet(6, &body);
        let (hashed, birth) = (key.hashed(), key.created);
        let from_birth = |time: u32| subpacket(9, &time.saturating_sub(birth).to_be_bytes());
        let says = |kind: u8, hash: u8, time: u32, more: &[u8], data: &[u8]| {
            let mut fields = key.usual(kind, hash, time);
            fields.hashed.extend_from_slice(more);
            packet(SIGNATURE, &key.sign(&fields, data))
        };
        let bad = |mut bytes: Vec<u8>| {
            let at = bytes.len() - 3;
            bytes[at] ^= 1;
            bytes
        };
        match life {
            Life::Revoked => ring.extend(says(
                0x20,
                hash,
                self.now - 20 * DAY,
                &subpacket(29, &[0]),
                &hashed,
            )),
            Life::RetiredSince => ring.extend(says(
                0x20,
                hash,
                self.now - 9 * DAY,
                &subpacket(29, &[3]),
                &hashed,
            )),
            Life::BadRevocation => {
                ring.extend(bad(says(0x20, hash, self.now - 20 * DAY, &[], &hashed)))
            }
            Life::RevokedByStranger => {
                let fields =
                    keys.stranger
                        .usual(0x20, spec.signer().usual_hash(), self.now - 20 * DAY);
                ring.extend(packet(SIGNATURE, &keys.stranger.sign(&fields, &hashed)));
            }
            _ => {}
        }
        if Life::OF_REVOKERS.contains(&life) {
            let (revoker, time) = (&keys.revoker, self.now - 20 * DAY);
            let algorithm = revoker.pair.algorithm;
            let named = [
                &[0x80, algorithm.id(revoker.version)],
                &revoker.fingerprint()[..],
            ]
            .concat();
            ring.extend(says(0x1f, hash, birth, &subpacket(12, &named), &hashed));
            let fields = revoker.usual(0x20, algorithm.usual_hash(), time);
            let revocation = packet(SIGNATURE, &revoker.sign(&fields, &hashed));
            match life {
                Life::NamesRevoker => {}
                Life::BadRevokersRevocation => ring.extend(bad(revocation)),
                _ => ring.extend(revocation),
            }
        }
        let flags = subpacket(27, &[if life == Life::NotForSigning { 1 } else { 3 }]);
        let plain = if life == Life::NoFlags {
            Vec::new()
        } else {
            flags
        };
        let ids: &[&[u8]] = match life {
            Life::NoUserId => &[],
            Life::OneUserIdRevoked => &[b"One <one@example.com>", b"Two <two@example.com>"],
            _ => &[b"One <one@example.com>"],
        };
        let certified = |kind: u8, data: &[u8]| {
            let certify = |hash: u8, time: u32, more: &[u8]| {
                says(kind, hash, time, &[&plain[..], more].concat(), data)
            };
            let expired = from_birth(self.now - DAY);
            match life {
                Life::NotCertified => Vec::new(),
                Life::BadCertification => bad(certify(hash, birth, &[])),
                Life::ExpiresLater => certify(hash, birth, &from_birth(self.now + 30 * DAY)),
                Life::Expired => certify(hash, birth, &expired),
                Life::ExpiredWhenSigned => certify(hash, birth, &from_birth(self.now - 20 * DAY)),
                Life::Prolonged => [
                    certify(hash, birth, &expired),
                    certify(hash, birth + DAY, &[]),
                ]
                .concat(),
                Life::Shortened => [
                    certify(hash, birth, &[]),
                    certify(hash, birth + DAY, &expired),
                ]
                .concat(),
                Life::UserIdExpired => certify(hash, birth, &subpacket(3, &DAY.to_be_bytes())),
                Life::Sha1Certified => certify(2, birth, &[]),
                _ => certify(hash, birth, &[]),
            }
        };
        if key.version == 6 {
            ring.extend(certified(0x1f, &hashed));
        }
        for (at, id) in ids.iter().enumerate() {
            let data = [&hashed[..], &hashed_id(id)].concat();
            ring.extend(packet(13, id));
            ring.extend(certified(0x13, &data));
            if life == Life::UserIdRevoked || life == Life::OneUserIdRevoked && at == 0 {
                ring.extend(says(
                    0x30,
                    hash,
                    self.now - 20 * DAY,
                    &subpacket(29, &[32]),
                    &data,
                ));
            }
        }
        if let Some(subkey) = &keys.subkey {
            ring.extend(self.subkey(spec, key, subkey, &bad));
        }
        ring
    }

    fn subkey(
        &self,
        spec: &Spec,
        key: &Key<'_>,
        subkey: &Key<'_>,
        bad: &dyn Fn(Vec<u8>) -> Vec<u8>,
    ) -> Vec<u8> {
        let (life, birth) = (spec.life, subkey.created);
        let data = [key.hashed(), subkey.hashed()].concat();
        let from_birth = |time: u32| subpacket(9, &(time - birth).to_be_bytes());
        let hash = if life == Life::Sha1Binding {
            2
        } else {
            spec.self_hash
        };
        let mut fields = key.usual(0x18, hash, birth);
        match life {
            Life::SubkeyExpired => fields.hashed.extend(from_birth(self.now - DAY)),
            Life::SubkeyExpiresLater => fields.hashed.extend(from_birth(self.now + 30 * DAY)),
            _ => {}
        }
        match life {
            Life::SubkeyNoFlags => {}
            Life::SubkeyNotForSigning => fields.hashed.extend(subpacket(27, &[4])),
            _ => fields.hashed.extend(subpacket(27, &[2])),
        }
        let cross = subkey.usual(0x19, spec.signer().usual_hash(), birth);
        let mut cross = subkey.sign(&cross, &data);
        if life == Life::BadCross {
            cross = bad(cross);
        }
        if life != Life::NoCross {
            fields.unhashed.extend(subpacket(32, &cross));
        }
        let mut bytes = packet(14, &subkey.body());
        let binding = packet(SIGNATURE, &key.sign(&fields, &data));
        match life {
            Life::NotBound => {}
            Life::BadBinding => bytes.extend(bad(binding)),
            _ => bytes.extend(binding),
        }
        if life == Life::SubkeyRevoked {
            let fields = key.usual(0x28, hash, self.now - 20 * DAY);
            bytes.extend(packet(SIGNATURE, &key.sign(&fields, &data)));
        }
        bytes
    }

    /// The policy, and the files that it names.
    fn policy(&self, spec: &Spec, own: &[u8], stranger: &[u8]) -> (String, Vec<(String, Vec<u8>)>) {
        let mut files = Vec::new();
        let mut file = |name: &str, content: &[u8]| {
            let path = self.folder.join(name).to_string_lossy().into_owned();
            files.push((path.clone(), content.to_vec()));
            path
        };
        let data = |bytes: &[u8]| format!(r#""keyData":"{}""#, base64::encode(bytes));
        let keys = match spec.ring {
            Ring::Data | Ring::RequiredTwice | Ring::StrangerToo => data(own),
            Ring::Armoured => data(&armoured("PUBLIC KEY BLOCK", own)),
            Ring::Path => format!(r#""keyPath":"{}""#, file("own.gpg", own)),
            Ring::Paths => format!(
                r#""keyPaths":["{}","{}"]"#,
                file("stranger.gpg", stranger),
                file("own.gpg", own)
            ),
            Ring::Two => data(&[stranger, own].concat()),
            Ring::Stranger => data(stranger),
            Ring::TwoArmours => {
                let blocks = [stranger, own].map(|bytes| armoured("PUBLIC KEY BLOCK", bytes));
                data(&blocks.concat())
            }
            Ring::TrustPacket => data(&[own, &packet(12, b"\0\0")].concat()),
            Ring::PrivatePacket => data(&[own, &packet(60, b"private")].concat()),
            Ring::TrailingByte => data(&[own, &[0]].concat()),
            Ring::CutOff => data(&own[..own.len() - 5]),
            Ring::Garbage => data(b"no keys at all"),
            // By its tag alone: what is secret is missing.
            Ring::SecretKey => data(&[&[own[0] & !0x3f | 5], &own[1..]].concat()),
        };
        let identity = identity(spec.identity);
        let require =
            |keys: &str| format!(r#"{{"type":"signedBy","keyType":"GPGKeys",{keys}{identity}}}"#);
        let list = match spec.ring {
            Ring::RequiredTwice => [require(&keys), require(&keys)].join(","),
            Ring::StrangerToo => [require(&keys), require(&data(stranger))].join(","),
            _ => require(&keys),
        };
        (format!(r#"{{"default":[{list}]}}"#), files)
    }
}

/// A key about which nothing is odd.
fn plain_ring(key: &Key<'_>, id: &[u8]) -> Vec<u8> {
    let hash = key.pair.algorithm.usual_hash();
    let says = |kind: u8, data: &[u8]| {
        let mut fields = key.usual(kind, hash, key.created);
        fields.hashed.extend(subpacket(27, &[3]));
        packet(SIGNATURE, &key.sign(&fields, data))
    };
    let hashed = key.hashed();
    let direct = match key.version {
        6 => says(0x1f, &hashed),
        _ => Vec::new(),
    };
    let certified = says(0x13, &[hashed, hashed_id(id)].concat());
    [packet(6, &key.body()), direct, packet(13, id), certified].concat()
}

/// By Debian's program, since no crate that only compresses is at hand.
fn bzip2(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let failed =
        |error| format!("expected bzip2 to compress (apt-get install bzip2), found: {error}");
    let mut child = Command::new("bzip2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // Few enough bytes for a pipe to hold. Dropped, it is closed.
    let written = child.stdin.take().map(|mut input| input.write_all(bytes));
    written.transpose().map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(failed(std::io::Error::other(output.status.to_string()))),
    }
}

fn identity(identity: Identity) -> String {
    let rest = match identity {
        Identity::Unsaid => return String::new(),
        Identity::MatchExact => r#""type":"matchExact""#.into(),
        Identity::MatchRepository => r#""type":"matchRepository""#.into(),
        Identity::ExactReference => {
            format!(r#""type":"exactReference","dockerReference":"{REPOSITORY}:1""#)
        }
        Identity::OtherReference => {
            format!(r#""type":"exactReference","dockerReference":"{REPOSITORY}:2""#)
        }
        Identity::ExactRepository => {
            format!(r#""type":"exactRepository","dockerRepository":"{REPOSITORY}""#)
        }
        Identity::OtherRepository => {
            format!(r#""type":"exactRepository","dockerRepository":"{REPOSITORY}s""#)
        }
        Identity::Remapped => {
            r#""type":"remapIdentity","prefix":"registry.example/other","signedPrefix":"x.example""#
                .into()
        }
        Identity::RemappedElsewhere => {
            r#""type":"remapIdentity","prefix":"registry.example","signedPrefix":"x.example""#
                .into()
        }
    };
    format!(r#","signedIdentity":{{{rest}}}"#)
}

fn payload(odd: Payload, digest: &str) -> String {
    let mut digest = digest.to_owned();
    let mut name = format!("{REPOSITORY}:1");
    let (mut kind, mut top, mut critical) = ("atomic container signature", "", "");
    let (mut in_image, mut in_identity, mut behind) = ("", "", "");
    let mut optional = r#","optional":{"creator":"test","timestamp":1700000000}"#;
    match odd {
        Payload::Usual => {}
        Payload::OtherDigest => digest = format!("sha256:{}", "0".repeat(64)),
        Payload::Sha512Digest => digest = format!("sha512:{}", "0".repeat(128)),
        Payload::OtherRepository => name = "registry.example/team/other:1".into(),
        Payload::OtherTag => name = format!("{REPOSITORY}:2"),
        Payload::NoTag => name = REPOSITORY.into(),
        Payload::BadReference => name = "UPPER CASE".into(),
        Payload::OtherType => kind = "cosign container image signature",
        Payload::MoreAtTop => top = r#","more":1"#,
        Payload::MoreInCritical => critical = r#","more":1"#,
        Payload::MoreInImage => in_image = r#","more":1"#,
        Payload::MoreInIdentity => in_identity = r#","more":1"#,
        Payload::MoreInOptional => optional = r#","optional":{"more":[1]}"#,
        Payload::TwiceInCritical => critical = r#","type":"atomic container signature""#,
        Payload::TwiceInOptional => optional = r#","optional":{"x":1,"x":1}"#,
        Payload::NoOptional => optional = "",
        Payload::NullOptional => optional = r#","optional":null"#,
        Payload::WholeFloat => optional = r#","optional":{"timestamp":1.7e9}"#,
        Payload::Fraction => optional = r#","optional":{"timestamp":1.5}"#,
        Payload::TextTimestamp => optional = r#","optional":{"timestamp":"1"}"#,
        Payload::LargeTimestamp => optional = r#","optional":{"timestamp":9223372036854775807}"#,
        Payload::NegativeTimestamp => optional = r#","optional":{"timestamp":-1}"#,
        Payload::NullTimestamp => optional = r#","optional":{"timestamp":null}"#,
        Payload::NumberCreator => optional = r#","optional":{"creator":1}"#,
        Payload::NullCreator => optional = r#","optional":{"creator":null}"#,
        Payload::OtherCase => {
            return payload(Payload::Usual, &digest).replace("critical", "Critical");
        }
        Payload::TrailingText => behind = "{}",
        Payload::TrailingSpace => behind = " \n",
        Payload::NoJson => return "no JSON".into(),
        Payload::Nothing => return String::new(),
    }
    format!(
        r#"{{"critical":{{"type":"{kind}","image":{{"docker-manifest-digest":"{digest}"{in_image}}},"identity":{{"docker-reference":"{name}"{in_identity}}}{critical}}}{optional}{top}}}{behind}"#
    )
}

fn stored(how: Stored, message: Vec<u8>) -> Vec<Vec<u8>> {
    // Begins as a one-pass signature does.
    let junk = || b"\xc4\x01junk".to_vec();
    let tampered = || {
        let mut bytes = message.clone();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        bytes
    };
    match how {
        Stored::Alone => vec![message],
        Stored::Nothing => Vec::new(),
        Stored::JunkBefore => vec![junk(), message],
        Stored::JunkAfter => vec![message, junk()],
        Stored::TamperedBefore => vec![tampered(), message],
        Stored::TamperedAfter => {
            let bad = tampered();
            vec![message, bad]
        }
    }
}
