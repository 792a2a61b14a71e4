//! Policies: good ones first, then with faults put in.

use crate::certificates;
use crate::json::Json;
use crate::json::object;
use crate::json::raw;
use crate::json::text;
use crate::keys::Kit;
use crate::names;
use crate::random::Random;
use sealgate::internals::encoding::base64;

/// By what signatures of a case prove themselves, for the most part: policy and signatures have to
/// fit for an image to be allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Keys,
    LoggedKeys,
    Fulcio,
    Pki,
}

/// What a policy is made for.
pub struct Maker<'a> {
    pub random: &'a mut Random,
    pub kit: &'a Kit,
    /// The name of the image at hand.
    pub reference: &'a str,
    pub digest: &'a str,
    pub style: Style,
    /// Values that may be faults: scopes that not every transport has, names that are none.
    pub doubts: usize,
}

/// A policy's bytes.
pub struct Made {
    pub bytes: Vec<u8>,
    /// How many faults were put in: with more than one, either side may name another first.
    pub faults: usize,
}

const SHORT: &[&str] = &[
    r#"{"type":"reject"}"#,
    r#"{"type":"insecureAcceptAnything"}"#,
];
const STRANGE: &[&str] = &[
    "null",
    "1",
    "1.5",
    "-1",
    "0",
    "1e400",
    "true",
    "[]",
    "{}",
    "\"\"",
    "[null]",
    "[\"\"]",
    "[1,2]",
    "[256]",
    "[1.0]",
    "[-1]",
    "[\"YQ==\"]",
    "{\"a\":1}",
    "\"YQ==\"",
    "\"YR==\"",
    "\"YQ\"",
    "\"Y\\nQ==\"",
    "\"_-8=\"",
    "\"Y Q==\"",
    "\"GPGKeys\"",
    "\"X509Certificates\"",
    "\"signedByGPGKeys\"",
    "\"signedByX509CAs\"",
    "\"gpgkeys\"",
    "\"X.509Certificates\"",
    "\"/k\"",
    "\"matchExact\"",
    "\"matchDigest\"",
    "\"reject\"",
    "\"Reject\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[[]]",
    "[{}]",
    "{\"type\":\"reject\"}",
    "[{\"type\":\"reject\"}]",
    "[{\"type\":\"reject\"},null]",
    "\"busybox\"",
    "\"*.b\"",
    "\"a.b/\"",
    "\"a.b/x:t\"",
    "\"a.b_c/x\"",
    "\"UP/x\"",
    "\"localhost\"",
    "\"a.b:80:90\"",
];
const KEYS: &[&str] = &[
    "type",
    "Type",
    "type ",
    "default",
    "Default",
    "transports",
    "docker",
    "keyPath",
    "keyPaths",
    "keyData",
    "keyDatas",
    "keypath",
    "fulcio",
    "pki",
    "rekorPublicKeyPath",
    "rekorPublicKeyPaths",
    "rekorPublicKeyData",
    "rekorPublicKeyDatas",
    "signedIdentity",
    "keyType",
    "dockerReference",
    "dockerRepository",
    "prefix",
    "signedPrefix",
    "caPath",
    "caData",
    "subjectEmail",
    "subjectHostname",
    "subjectURI",
    "oidcIssuer",
    "trustedRoot",
    "identities",
    "",
    "x",
    "é",
];

impl Maker<'_> {
    /// A policy, odd in every way that its readers might see otherwise.
    pub fn odd(&mut self) -> Made {
        let faults = self.random.weighted(&[(30, 0), (45, 1), (15, 2), (10, 4)]);
        let mut policy = self.policy();
        for _ in 0..faults {
            let place = self.random.below(policy.size());
            self.spoil(policy.at(place));
        }
        let mut bytes = policy.write(self.random).into_bytes();
        let bytewise = self.random.chance(6);
        if bytewise {
            let at = self.random.below(bytes.len());
            let byte = *self.random.pick(&[
                b"{", b"}", b"[", b"]", b":", b",", b"\"", b"\\", b" ", b"\n", b"\0", b"\xff",
                b"1", b"e", b"u", b"\xef", b"t",
            ]);
            let end = at + self.random.below(2);
            bytes.splice(at..end, byte);
        }
        let around: &[&[u8]] = &[b"\n", b" x", b"{}", b"\t", b",", b"\0", b"//c", b"\x0c"];
        let around_it = self.random.chance(4);
        if around_it {
            bytes.extend_from_slice(around[self.random.below(around.len())]);
        } else if self.random.chance(1) {
            bytes.splice(0..0, *b"\xef\xbb\xbf");
        }
        Made {
            bytes,
            faults: faults + self.doubts + usize::from(bytewise) + usize::from(around_it),
        }
    }

    /// A good policy whose rule for the image at hand is worth judging.
    pub fn judging(&mut self) -> Made {
        let count = self.random.weighted(&[(70, 1), (20, 2), (10, 3)]);
        let mut list: Vec<Json> = (0..count).map(|_| self.sigstore()).collect();
        if self.random.chance(12) {
            let at = self.random.below(list.len() + 1);
            let other = self.requirement();
            list.insert(at, other);
        }
        let rule = Json::List(list);
        let elsewhere = self.random.pick(SHORT);
        let bytes = if self.random.chance(40) {
            object([("default", rule)])
        } else {
            let scope = names::scope(self.random, self.reference);
            object([
                ("default", raw(&format!("[{elsewhere}]"))),
                (
                    "transports",
                    object([(
                        "docker",
                        Json::Object(vec![(String::new(), rule.clone()), (scope, rule)]),
                    )]),
                ),
            ])
        };
        Made {
            bytes: deduplicated(bytes).write(self.random).into_bytes(),
            faults: 0,
        }
    }

    /// A good policy with many scopes, each with its own rule.
    pub fn scoped(&mut self) -> Made {
        let mut scopes: Vec<(String, Json)> = Vec::new();
        for _ in 0..1 + self.random.below(6) {
            let scope = names::scope(self.random, self.reference);
            let rule = format!("[{}]", self.random.pick(SHORT));
            scopes.push((scope, raw(&rule)));
        }
        let name = self
            .random
            .weighted(&[(90, "docker"), (5, "atomic"), (5, "typo")]);
        let policy = object([
            ("default", raw(&format!("[{}]", self.random.pick(SHORT)))),
            (
                "transports",
                Json::Object(vec![(name.into(), Json::Object(scopes))]),
            ),
        ]);
        Made {
            bytes: deduplicated(policy).write(self.random).into_bytes(),
            faults: usize::from(name == "atomic"),
        }
    }

    /// What only bounds refuse.
    pub fn bounded(&mut self) -> Made {
        let reject = r#"{"default":[{"type":"reject"}]"#;
        let key = base64::encode(self.kit.keys[0].pem.as_bytes());
        let bytes = match self.random.below(5) {
            0 | 1 => format!("{reject}{}}}", " ".repeat(1 << 20)),
            2 => format!(r#"{{"default":[{{"type":"sigstoreSigned","keyDatas":[{}]}}]}}"#, vec![format!("\"{key}\""); 65].join(",")),
            3 => format!(r#"{{"default":[{{"type":"sigstoreSigned","keyData":"{key}","signedIdentity":{{"type":"remapIdentity","prefix":"a.b/{}","signedPrefix":"a.b"}}}}]}}"#, "x".repeat(252)),
            _ => r#"{"default":[{"type":"sigstoreSigned","keyPath":"/nowhere/key.pub"}],"transports":{"docker":{"":[{"type":"insecureAcceptAnything"}]}}}"#.into(),
        };
        Made {
            bytes: bytes.into_bytes(),
            faults: 2,
        }
    }

    fn policy(&mut self) -> Json {
        let mut members = vec![("default".to_owned(), self.requirements())];
        if self.random.chance(60) {
            let mut transports = Vec::new();
            for _ in 0..self.random.below(3) {
                let name = self.random.pick(&[
                    "docker",
                    "docker",
                    "docker",
                    "atomic",
                    "dir",
                    "oci",
                    "oci-archive",
                    "docker-archive",
                    "docker-daemon",
                    "sif",
                    "tarball",
                    "containers-storage",
                    "typo",
                    "ostree",
                ]);
                let mut scopes = Vec::new();
                for _ in 0..self.random.below(4) {
                    let scope = if name == "docker" {
                        names::scope(self.random, self.reference)
                    } else {
                        names::SCOPES[self.random.below(names::SCOPES.len())].into()
                    };
                    self.doubts += usize::from(name != "docker");
                    scopes.push((scope, self.requirements()));
                }
                transports.push((name.to_owned(), deduplicated(Json::Object(scopes))));
            }
            members.push(("transports".into(), deduplicated(Json::Object(transports))));
        }
        self.random.shuffle(&mut members);
        Json::Object(members)
    }

    fn requirements(&mut self) -> Json {
        let count = self.random.weighted(&[(75, 1), (15, 2), (10, 3)]);
        Json::List(
            (0..count)
                .map(|_| {
                    if self.random.chance(35) {
                        raw(self.random.pick(SHORT))
                    } else {
                        self.requirement()
                    }
                })
                .collect(),
        )
    }

    fn requirement(&mut self) -> Json {
        match self.random.below(14) {
            0 => object([("type", text("reject"))]),
            1 => object([("type", text("insecureAcceptAnything"))]),
            2 => object([
                ("type", text("signedBaseLayer")),
                ("baseLayerIdentity", self.identity()),
            ]),
            3..=5 => self.signed_by(),
            _ => self.sigstore(),
        }
    }

    fn signed_by(&mut self) -> Json {
        let kind = self.random.weighted(&[
            (80, "GPGKeys"),
            (7, "X509Certificates"),
            (7, "signedByGPGKeys"),
            (6, "signedByX509CAs"),
        ]);
        let mut members = vec![
            ("type".to_owned(), text("signedBy")),
            ("keyType".into(), text(kind)),
        ];
        let source = match self.random.below(3) {
            0 => ("keyPath", self.path(0)),
            1 => (
                "keyPaths",
                Json::List(
                    (0..1 + self.random.below(2))
                        .map(|_| self.path(0))
                        .collect(),
                ),
            ),
            _ => ("keyData", text("YQ==")),
        };
        members.push((source.0.into(), source.1));
        self.finish(members, 60)
    }

    fn sigstore(&mut self) -> Json {
        let other =
            [Style::Keys, Style::LoggedKeys, Style::Fulcio, Style::Pki][self.random.below(4)];
        match if self.random.chance(90) {
            self.style
        } else {
            other
        } {
            Style::Keys => self.sigstore_keys(false),
            Style::LoggedKeys => self.sigstore_keys(true),
            Style::Fulcio => self.sigstore_certificates(true),
            Style::Pki => self.sigstore_certificates(false),
        }
    }

    fn sigstore_keys(&mut self, with_rekor: bool) -> Json {
        let mut members = vec![("type".to_owned(), text("sigstoreSigned"))];
        members.extend(self.sources("key", 0));
        if with_rekor {
            members.extend(self.sources("rekorPublicKey", 1));
        }
        self.finish(members, 75)
    }

    fn sigstore_certificates(&mut self, by_fulcio: bool) -> Json {
        let mut members = vec![("type".to_owned(), text("sigstoreSigned"))];
        let authority = |maker: &mut Self, name: &str| match maker.random.below(40) {
            0..=15 => (
                format!("{name}Path"),
                text(&maker.kit.files[maker.kit.files.len() - 1].0),
            ),
            16 => (format!("{name}Path"), maker.path(0)),
            17 => (format!("{name}Data"), text("YQ==")),
            _ => (
                format!("{name}Data"),
                text(&base64::encode(maker.kit.root.as_bytes())),
            ),
        };
        if by_fulcio {
            let ca = authority(self, "ca");
            members.push((
                "fulcio".into(),
                Json::Object(vec![
                    ca,
                    ("oidcIssuer".into(), text(certificates::ISSUER)),
                    ("subjectEmail".into(), text(certificates::EMAIL)),
                ]),
            ));
            members.extend(self.sources("rekorPublicKey", 1));
        } else {
            let mut pki = vec![authority(self, "caRoots")];
            if self.random.chance(20) {
                pki.push(authority(self, "caIntermediates"));
            }
            let subjects = 1 + self.random.below(3);
            if subjects & 1 != 0 {
                pki.push(("subjectEmail".into(), text(certificates::EMAIL)));
            }
            if subjects & 2 != 0 {
                pki.push(("subjectHostname".into(), text(certificates::HOST)));
            }
            members.push(("pki".into(), Json::Object(pki)));
        }
        self.finish(members, 50)
    }

    fn finish(&mut self, mut members: Vec<(String, Json)>, identity: usize) -> Json {
        if self.random.chance(identity) {
            members.push(("signedIdentity".into(), self.identity()));
        }
        self.random.shuffle(&mut members);
        Json::Object(members)
    }

    /// One of the four members that give keys; rarely, beside it, one whose value is as if it were
    /// absent.
    fn sources(&mut self, prefix: &str, first: usize) -> Vec<(String, Json)> {
        let count = self.random.weighted(&[(50, 1), (40, 2), (10, 3)]);
        let mut sources = vec![match self.random.below(4) {
            0 => (format!("{prefix}Path"), self.path(first)),
            1 => (
                format!("{prefix}Paths"),
                Json::List((0..count).map(|_| self.path(first)).collect()),
            ),
            2 => (format!("{prefix}Data"), self.data(first)),
            _ => (
                format!("{prefix}Datas"),
                Json::List((0..count).map(|_| self.data(first)).collect()),
            ),
        }];
        if self.random.chance(4) {
            sources.push((
                format!("{prefix}Path"),
                raw(self.random.pick(&["\"\"", "null"])),
            ));
        } else if self.random.chance(4) {
            sources.push((format!("{prefix}Data"), raw("null")));
        }
        let Json::Object(sources) = deduplicated(Json::Object(sources)) else {
            return Vec::new();
        };
        sources
    }

    /// A file, mostly the one with the key of this number.
    fn path(&mut self, key: usize) -> Json {
        let names = self.kit.files.len();
        let at = if self.random.chance(88) {
            key
        } else {
            self.random.below(names)
        };
        text(&self.kit.files[at].0)
    }

    fn data(&mut self, first: usize) -> Json {
        let key = if self.random.chance(85) {
            first
        } else {
            self.random.below(self.kit.keys.len())
        };
        let pem = self.material(key);
        if self.random.chance(3) {
            return Json::List(pem.bytes().map(|byte| raw(&byte.to_string())).collect());
        }
        let mut encoded = base64::encode(pem.as_bytes());
        if self.random.chance(5) {
            encoded.insert(self.random.below(encoded.len().max(1)), '\n');
        }
        text(&encoded)
    }

    /// The PEM of a key, and what may become of it in people's hands.
    fn material(&mut self, key: usize) -> String {
        let key = &self.kit.keys[key];
        let pem = key.pem.clone();
        let other = &self.kit.keys[self.random.below(self.kit.keys.len())].pem;
        if self.random.chance(90) {
            return pem;
        }
        match self.random.below(18) {
            0 => format!("junk before\n{pem}"),
            1 => format!("{pem}{other}"),
            2 => pem.replace('\n', "\r\n"),
            3 => format!("{pem}\n\n trailing"),
            4 => key.pkcs1().unwrap_or(pem),
            5 => pem.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
            6 => pem.replace("PUBLIC KEY", "CERTIFICATE"),
            7 => pem.replace("KEY-----\n", "KEY-----\nA: b\n\n"),
            8 => String::new(),
            9 => "-----BEGIN PUBLIC KEY-----\nYQ==\n-----END PUBLIC KEY-----\n".into(),
            10 => pem.trim_end().into(),
            11 => pem.replace("-----END", "----END"),
            12 => format!(" {pem}"),
            13 => pem.lines().map(|line| format!("  {line}\n")).collect(),
            14 => pem.replace("\n", " "),
            15 => pem.replacen("MF", "MG", 1),
            16 => format!("-----BEGIN X-----\nnot base64!\n-----END X-----\n{pem}"),
            _ => pem.replace("-----\n", "----- \n"),
        }
    }

    fn identity(&mut self) -> Json {
        let named = |maker: &mut Self| {
            maker.doubts += 1;
            if maker.random.chance(60) {
                names::signed(maker.random, maker.reference, maker.digest)
            } else {
                names::reference(maker.random, maker.digest)
            }
        };
        match self.random.below(16) {
            0 | 1 => object([("type", text("matchExact"))]),
            2 | 3 => object([("type", text("matchRepoDigestOrExact"))]),
            4..=8 => object([("type", text("matchRepository"))]),
            9 | 10 => object([
                ("type", text("exactReference")),
                ("dockerReference", text(&named(self))),
            ]),
            11 | 12 => object([
                ("type", text("exactRepository")),
                ("dockerRepository", text(&named(self))),
            ]),
            _ => {
                let name = names::repository(self.reference).to_owned();
                let host = name.split('/').next().unwrap_or_default().to_owned();
                self.doubts += 1;
                let prefix = match self.random.below(10) {
                    0..=2 => host,
                    3 => name
                        .rsplit_once('/')
                        .map_or(name.clone(), |(parent, _)| parent.into()),
                    4 => name,
                    5 => "docker.io".into(),
                    6..=8 => name
                        .chars()
                        .take(1 + self.random.below(name.len().max(1)))
                        .collect(),
                    _ => names::repository(&names::reference(self.random, self.digest)).to_owned(),
                };
                let signed = self.random.weighted(&[
                    (60, "signed.example"),
                    (10, "signed.example/team"),
                    (10, "registry.example"),
                    (5, "busybox"),
                    (5, "docker.io"),
                    (5, "localhost:5000"),
                    (5, "*.b"),
                ]);
                object([
                    ("type", text("remapIdentity")),
                    ("prefix", text(&prefix)),
                    ("signedPrefix", text(signed)),
                ])
            }
        }
    }

    /// One fault at a value.
    fn spoil(&mut self, value: &mut Json) {
        let strange = raw(self.random.pick(STRANGE));
        let key = self.random.pick(KEYS).to_owned();
        match value {
            Json::Object(members) if !members.is_empty() && self.random.chance(75) => {
                let at = self.random.below(members.len());
                match self.random.below(7) {
                    0 => {
                        let again = members[at].clone();
                        members.push(again);
                    }
                    // One member is missing, and another too many.
                    1 => {
                        members[at].0 = key;
                        self.doubts += 1;
                    }
                    2 => members[at].0 = members[at].0.to_uppercase(),
                    3 => drop(members.remove(at)),
                    4 => members.insert(at, (key, strange)),
                    5 => members.push((members[at].0.clone(), strange)),
                    _ => members[at].1 = strange,
                }
            }
            Json::List(items) if self.random.chance(60) => match self.random.below(3) {
                0 => items.clear(),
                1 => items.push(strange),
                _ => items.insert(0, strange),
            },
            _ => *value = strange,
        }
    }
}

/// The first of each name.
fn deduplicated(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut kept: Vec<(String, Json)> = Vec::new();
            for (key, value) in members {
                if !kept.iter().any(|(name, _)| *name == key) {
                    kept.push((key, deduplicated(value)));
                }
            }
            Json::Object(kept)
        }
        other => other,
    }
}
