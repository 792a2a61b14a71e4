//! The part of a policy that decides for one image, as a policy of its own (docs/gateway.md "Beside
//! /v2/"): for whoever wants to see why.
//!
//! Keys, certificates and trusted roots stand in it as they were parsed, written anew: a file may
//! hold more than that, and the author of a policy may have named any file. Other scopes, and what
//! the deciding one says of other repositories, are left out.

use super::evidence::{Files, PolicyFiles};
use super::form::Form;
use super::rules::{PolicyRules, Rules};
use crate::cosign::containers_image::material;
use crate::crypto::PublicKey;
use crate::digest::Digest;
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, Node, quote};
use crate::encoding::pem;
#[cfg(feature = "openpgp")]
use crate::openpgp::Keyring;
use crate::policy::{Coverage, Exception, Policy};
use crate::reference::Reference;
use crate::x509::Certificate;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const WINDOW: Form = Form::Members(&[("start", Form::Text), ("end", Form::Text)]);
const LOGS: Form = Form::List(&Form::Members(&[
    ("baseUrl", Form::Text),
    ("hashAlgorithm", Form::Text),
    (
        "publicKey",
        Form::Members(&[
            ("rawBytes", Form::Base64),
            ("keyDetails", Form::Text),
            ("validFor", WINDOW),
        ]),
    ),
    ("logId", Form::Members(&[("keyId", Form::Base64)])),
]));
const AUTHORITIES: Form = Form::List(&Form::Members(&[
    (
        "certChain",
        Form::Members(&[(
            "certificates",
            Form::List(&Form::Members(&[("rawBytes", Form::Base64)])),
        )]),
    ),
    ("validFor", WINDOW),
]));
/// sigstore/protobuf-specs, `sigstore_trustroot.proto`: what [`crate::sigstore::trusted_root`]
/// reads.
const TRUSTED_ROOT: Form = Form::Members(&[
    ("mediaType", Form::Text),
    ("tlogs", LOGS),
    ("ctlogs", LOGS),
    ("certificateAuthorities", AUTHORITIES),
    ("timestampAuthorities", AUTHORITIES),
]);

/// Stands for a lookaside whose address is left out.
const SOMEWHERE: &str = "https://lookaside.invalid";

/// What a member of a requirement holds, and how it is written inline.
#[derive(Clone, Copy)]
enum Holding {
    Key,
    Authorities,
    Intermediates,
    Root,
}

/// Members that name files or carry their content: path, paths, data, datas.
const SOURCES: [([&str; 4], Holding); 6] = [
    (["keyPath", "keyPaths", "keyData", "keyDatas"], Holding::Key),
    (
        [
            "rekorPublicKeyPath",
            "rekorPublicKeyPaths",
            "rekorPublicKeyData",
            "rekorPublicKeyDatas",
        ],
        Holding::Key,
    ),
    (["caPath", "", "caData", ""], Holding::Authorities),
    (["caRootsPath", "", "caRootsData", ""], Holding::Authorities),
    (
        ["caIntermediatesPath", "", "caIntermediatesData", ""],
        Holding::Intermediates,
    ),
    (
        ["trustedRootPath", "", "trustedRootData", ""],
        Holding::Root,
    ),
];

/// The part of the policy with these bytes, which `rules` were read from, that decides for `name`.
/// `None` where there is no policy, or no part of it decides.
pub fn excerpt(text: &[u8], rules: &Rules, name: &Reference) -> Option<PolicyFiles> {
    let Rules::Policy(PolicyRules { policy, assets, .. }) = rules else {
        return None;
    };
    let selection = policy.select(name).ok()?;
    let root = json::parse(text, Dialect::Go).ok()?;
    let writer = Writer { text, assets, name };
    let (default, transports) = match selection.key {
        None => (writer.requirements(root.member("default")?)?, String::new()),
        Some(key) => {
            let list = root.member("transports")?.member("docker")?.member(key)?;
            (
                r#"[{"type":"reject"}]"#.into(),
                format!(
                    ",\"transports\":{{\"docker\":{{{}:{}}}}}",
                    quote(key),
                    writer.requirements(list)?
                ),
            )
        }
    };
    let marker = marker(policy, rules.audited(name), name)
        .map_or(String::new(), |marker| format!("\"sealgate\":{marker},"));
    let text = format!("{{{marker}\"default\":{default}{transports}}}").into_bytes();
    // Whoever reads the excerpt judges by it.
    Policy::parse(&text).ok()?;
    #[cfg(feature = "openpgp")]
    let copies = rules.copied_lookaside(name).is_some();
    // Rules of which it could be so do not load.
    #[cfg(not(feature = "openpgp"))]
    let copies = false;
    Some(PolicyFiles {
        text,
        assets: Files::new(),
        registries_d: rules
            .attachments(name)
            .map(|attachments| registries_d(attachments, copies)),
    })
}

/// The settings that decide for this image. Where its signatures are is not said: a document has
/// them.
fn registries_d(attachments: bool, copies: bool) -> Files {
    let lookaside = if copies {
        format!("  lookaside: {SOMEWHERE}\n")
    } else {
        String::new()
    };
    let text = format!("default-docker:\n  use-sigstore-attachments: {attachments}\n{lookaside}");
    [("excerpt.yaml".to_string(), text.into_bytes())].into()
}

fn marker(policy: &Policy, audited: Option<&str>, name: &Reference) -> Option<String> {
    let marker = policy.marker()?;
    let coverage = match marker.coverage {
        Coverage::Index => "index",
        Coverage::Instance => "instance",
    };
    let audit = audited.map_or(String::new(), |scope| {
        format!(",\"audit\":[{}]", quote(scope))
    });
    let own = [
        name.name(),
        format!("{}:{}", name.name(), name.tag().unwrap_or_default()),
    ];
    let exceptions: Vec<String> = marker
        .exceptions
        .iter()
        .filter(|one| own.contains(&one.scope))
        .map(exception)
        .collect();
    let exceptions = if exceptions.is_empty() {
        String::new()
    } else {
        format!(",\"exceptions\":[{}]", exceptions.join(","))
    };
    // All of them: which of them an image lists is not known here.
    let distrusted = match marker.distrusted.as_slice() {
        [] => String::new(),
        all => format!(",\"distrusted\":[{}]", quoted(all)),
    };
    Some(format!(
        "{{\"version\":1,\"coverage\":\"{coverage}\"{audit}{exceptions}{distrusted}}}"
    ))
}

fn exception(one: &Exception) -> String {
    format!(
        "{{\"scope\":{},\"digests\":[{}],\"until\":{},\"reason\":{}}}",
        quote(&one.scope),
        quoted(&one.digests),
        quote(&one.until.to_string()),
        quote(&one.reason)
    )
}

fn quoted(digests: &[Digest]) -> String {
    let digests: Vec<String> = digests
        .iter()
        .map(|digest| quote(&digest.to_string()))
        .collect();
    digests.join(",")
}

struct Writer<'a> {
    text: &'a [u8],
    assets: &'a Files,
    name: &'a Reference,
}

impl Writer<'_> {
    fn requirements(&self, list: &Node) -> Option<String> {
        let list = list
            .as_array()?
            .iter()
            .map(|one| self.object(one))
            .collect::<Option<Vec<_>>>()?;
        Some(format!("[{}]", list.join(",")))
    }

    /// One requirement, or `fulcio` or `pki` in it.
    fn object(&self, node: &Node) -> Option<String> {
        let members = node.as_object()?;
        let is_keyring = node.member("type").and_then(Node::as_str) == Some("signedBy");
        let mut written = Vec::new();
        for member in members {
            let (key, value) = match member.key.as_str() {
                "fulcio" | "pki" => (member.key.as_str(), self.object(&member.node)?),
                "pins" => ("pins", self.pins(&member.node)?),
                "keyPath" | "keyPaths" | "keyData" if is_keyring => {
                    ("keyData", self.keyring(&member.key, &member.node))
                }
                key => self.source(key, &member.node).map_or_else(
                    || (key, self.verbatim(&member.node)),
                    |(key, value)| (key, value),
                ),
            };
            written.push(format!("{}:{value}", quote(key)));
        }
        Some(format!("{{{}}}", written.join(",")))
    }

    /// A member that names a file or carries its content, as the member that carries it.
    fn source(&self, key: &str, node: &Node) -> Option<(&'static str, String)> {
        let (names, material) = SOURCES
            .iter()
            .find(|(names, _)| !key.is_empty() && names.contains(&key))?;
        let [path, paths, data, datas] = *names;
        let file = |node: &Node| {
            node.as_str()
                .and_then(|path| self.assets.get(path).cloned())
        };
        let inline = |node: &Node| node.as_str().and_then(base64::decode);
        let one = |bytes: Option<Vec<u8>>| {
            quote(&base64::encode(
                &bytes
                    .and_then(|bytes| material.written(&bytes))
                    .unwrap_or_default(),
            ))
        };
        let all = |read: &dyn Fn(&Node) -> Option<Vec<u8>>| {
            let list: Vec<String> = node
                .as_array()
                .unwrap_or_default()
                .iter()
                .map(|node| one(read(node)))
                .collect();
            format!("[{}]", list.join(","))
        };
        match key {
            // As if the member were absent (the types of requirements say where that is so).
            _ if node.is_null() || (key == path && node.as_str() == Some("")) => None,
            _ if key == path => Some((data, one(file(node)))),
            _ if key == paths => Some((datas, all(&file))),
            _ if key == data => Some((data, one(inline(node)))),
            _ => Some((datas, all(&inline))),
        }
    }

    /// The keys of all files of a `signedBy`; none where they cannot be read, which denies here as
    /// there.
    fn keyring(&self, key: &str, node: &Node) -> String {
        let file = |node: &Node| self.assets.get(node.as_str()?).cloned();
        let one = |bytes: Option<Vec<u8>>| bytes.map(|bytes| [bytes].into());
        let files: Option<Vec<Vec<u8>>> = match key {
            "keyPath" => one(file(node)),
            "keyData" => one(node.as_str().and_then(base64::decode_go)),
            _ => (node.as_array()).and_then(|paths| paths.iter().map(file).collect()),
        };
        let keyring = files.and_then(|files| written_keyring(&files));
        quote(&base64::encode(&keyring.unwrap_or_default()))
    }

    /// The pins of this repository; when there are none, one that no tag can have, so that it stays
    /// a rule that pins.
    fn pins(&self, node: &Node) -> Option<String> {
        let own = node.as_object()?.iter().filter(|member| {
            member
                .key
                .rsplit_once(':')
                .is_some_and(|(name, _)| name == self.name.name())
        });
        let mut own: Vec<String> = own
            .map(|member| format!("{}:{}", quote(&member.key), self.verbatim(&member.node)))
            .collect();
        if own.is_empty() {
            own.push(format!(
                "\"sealgate.invalid/none:none\":\"sha256:{}\"",
                "0".repeat(64)
            ));
        }
        Some(format!("{{{}}}", own.join(",")))
    }

    fn verbatim(&self, node: &Node) -> String {
        String::from_utf8_lossy(self.text.get(node.span.clone()).unwrap_or_default()).into_owned()
    }
}

impl Holding {
    /// What was parsed, written anew.
    fn written(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Key => PublicKey::from_pem(bytes)
                .ok()
                .map(|key| key.to_pem().into_bytes()),
            Self::Authorities => material::roots(bytes).ok().map(|all| certificates(&all)),
            Self::Intermediates => material::intermediates(bytes)
                .ok()
                .map(|all| certificates(&all)),
            Self::Root => TRUSTED_ROOT
                .written(&json::parse(bytes, Dialect::Strict).ok()?)
                .map(String::into_bytes),
        }
    }
}

#[cfg(feature = "openpgp")]
fn written_keyring(files: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut keyring = Keyring::default();
    for file in files {
        keyring.merge(Keyring::read(file).ok()?).ok()?;
    }
    Some(keyring.written())
}

/// No policy that names one loads.
#[cfg(not(feature = "openpgp"))]
fn written_keyring(_files: &[Vec<u8>]) -> Option<Vec<u8>> {
    None
}

fn certificates(all: &[Certificate]) -> Vec<u8> {
    all.iter()
        .map(|one| pem::encode("CERTIFICATE", one.der()))
        .collect::<String>()
        .into_bytes()
}
