//! Certificates of an authority made for one run, for `fulcio` and `pki`: good ones, and each with
//! a fault or two.

use crate::keys::Form;
use crate::keys::Key;
use crate::random::Random;
use sealgate::internals::encoding::pem;

pub const EMAIL: &str = "e@signed.example";
pub const ISSUER: &str = "https://issuer.example";
pub const HOST: &str = "signed.example";
/// When entries are logged: 2023-11-14.
pub const LOGGED: i64 = 1_700_000_000;

const LONG: [&str; 2] = ["200101000000Z", "490101000000Z"];
/// Around [`LOGGED`], and over.
const THEN: [&str; 2] = ["231114000000Z", "231115000000Z"];
const OVER: [&str; 2] = ["220101000000Z", "220102000000Z"];
const TO_COME: [&str; 2] = ["470101000000Z", "490101000000Z"];

/// What stands in the annotations of a signature.
pub struct Shown {
    pub certificate: String,
    pub chain: Option<String>,
}

/// The authority's own certificate.
pub fn root(key: &Key, random: &mut Random) -> String {
    shown(&certificate(
        &Claim {
            names: ("root", "root"),
            subject: key,
            issuer: key,
            validity: LONG,
            extensions: vec![authority(true)],
        },
        random,
    ))
}

/// A certificate for the key of a signature, and what comes with it.
pub fn leaf(subject: &Key, root: &Key, other: &Key, random: &mut Random) -> Shown {
    let validity = random.weighted(&[(70, LONG), (20, THEN), (5, OVER), (5, TO_COME)]);
    let by_intermediate = random.chance(30);
    let (issuer, names) = if by_intermediate {
        (other, ("intermediate", ""))
    } else {
        (root, ("root", ""))
    };
    let issuer = if random.chance(4) { subject } else { issuer };
    let claim = Claim {
        names,
        subject,
        issuer,
        validity,
        extensions: extensions(random),
    };
    let own = shown(&certificate(&claim, random));
    let authority_flag = !random.chance(5);
    let middle = shown(&certificate(
        &Claim {
            names: ("root", "intermediate"),
            subject: other,
            issuer: root,
            validity: LONG,
            extensions: vec![authority(authority_flag)],
        },
        random,
    ));
    let top = self::root(root, random);
    let chain = match (by_intermediate, random.below(10)) {
        (true, 0) => Some(middle),
        (_, 1) => None,
        (true, 2) => Some("garbage".into()),
        (true, _) => Some(middle + &top),
        (false, 0 | 2) => Some(format!("{top}{middle}")),
        (false, _) => Some(top),
    };
    let certificate = match random.below(24) {
        0 => format!("{own}\n"),
        1 => own.replace("CERTIFICATE", "X"),
        2 => format!("{own}{own}"),
        3 => "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n".into(),
        4 => format!("junk\n{own}"),
        _ => own,
    };
    Shown { certificate, chain }
}

fn shown(der: &[u8]) -> String {
    pem::encode("CERTIFICATE", der)
}

struct Claim<'a> {
    /// Of the issuer and of the subject; none for people's.
    names: (&'a str, &'a str),
    subject: &'a Key,
    issuer: &'a Key,
    validity: [&'a str; 2],
    extensions: Vec<Vec<u8>>,
}

fn extensions(random: &mut Random) -> Vec<Vec<u8>> {
    let email = random.weighted(&[
        (85, EMAIL),
        (5, "E@signed.example"),
        (5, "e@Signed.example"),
        (5, "f@signed.example"),
    ]);
    let host = random.weighted(&[
        (70, HOST),
        (10, "*.example"),
        (10, "*.signed.example"),
        (5, "Signed.Example"),
        (5, "other.example"),
    ]);
    let mut names = Vec::new();
    if random.chance(93) {
        names.extend(tlv(0x81, email.as_bytes()));
    }
    if random.chance(60) {
        names.extend(tlv(0x82, host.as_bytes()));
    }
    if random.chance(8) {
        names.extend(tlv(0x86, b"https://signed.example/workflow"));
    }
    let mut list = vec![extension(
        &[0x55, 0x1d, 0x0f],
        true,
        &[0x03, 0x02, 0x07, 0x80],
    )];
    if !names.is_empty() {
        list.push(extension(
            &[0x55, 0x1d, 0x11],
            random.chance(70),
            &tlv(0x30, &names),
        ));
    }
    let usage: Option<&[u8]> = random.weighted(&[
        (85, Some(&[0x2b, 6, 1, 5, 5, 7, 3, 3][..])),
        (7, None),
        (8, Some(&[0x2b, 6, 1, 5, 5, 7, 3, 1][..])),
    ]);
    if let Some(usage) = usage {
        list.push(extension(
            &[0x55, 0x1d, 0x25],
            false,
            &tlv(0x30, &tlv(0x06, usage)),
        ));
    }
    let issuer = |random: &mut Random| {
        random.weighted(&[(90, ISSUER), (5, "https://issuer.example/"), (5, "")])
    };
    let forms = random.below(10);
    if forms < 7 {
        let text = issuer(random);
        list.push(extension(
            &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 1],
            false,
            text.as_bytes(),
        ));
    }
    if forms > 3 && forms < 9 {
        let text = issuer(random);
        list.push(extension(
            &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 8],
            false,
            &tlv(0x0c, text.as_bytes()),
        ));
    }
    if random.chance(4) {
        list.push(extension(
            &[0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1, 99],
            random.chance(50),
            b"x",
        ));
    }
    list
}

fn authority(is: bool) -> Vec<u8> {
    extension(
        &[0x55, 0x1d, 0x13],
        true,
        &tlv(0x30, if is { &[0x01, 0x01, 0xff] } else { &[] }),
    )
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    tlv(
        0x30,
        &[
            tlv(0x06, oid),
            if critical {
                vec![0x01, 0x01, 0xff]
            } else {
                Vec::new()
            },
            tlv(0x04, value),
        ]
        .concat(),
    )
}

/// RFC 5280 section 4.1.
fn certificate(claim: &Claim<'_>, random: &mut Random) -> Vec<u8> {
    let name = |text: &str| {
        let common = tlv(
            0x31,
            &tlv(
                0x30,
                &[tlv(0x06, &[0x55, 0x04, 0x03]), tlv(0x0c, text.as_bytes())].concat(),
            ),
        );
        tlv(0x30, if text.is_empty() { &[] } else { &common })
    };
    let algorithm = tlv(0x30, &tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
    let serial = [&[0x40], random.next().to_be_bytes().as_slice()].concat();
    let validity = tlv(
        0x30,
        &claim
            .validity
            .map(|time| tlv(0x17, time.as_bytes()))
            .concat(),
    );
    let extensions = tlv(0xa3, &tlv(0x30, &claim.extensions.concat()));
    let version = tlv(0xa0, &[2, 1, 2]);
    let content = tlv(
        0x30,
        &[
            version,
            tlv(0x02, &serial),
            algorithm.clone(),
            name(claim.names.0),
            validity,
            name(claim.names.1),
            claim.subject.spki(),
            extensions,
        ]
        .concat(),
    );
    let signature = claim.issuer.sign(&content, Form::Usual, random);
    tlv(
        0x30,
        &[
            content,
            algorithm,
            tlv(0x03, &[&[0], signature.as_slice()].concat()),
        ]
        .concat(),
    )
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}
