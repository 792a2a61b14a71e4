//! One file of a lookaside, or of a `dir:` image: which sort of signature it is
//! (containers/image `internal/signature`, `FromBlob`; docs/containers-image.md section 5).
//!
//! In scope: telling sorts apart by their first bytes, mistakes of the original included. Out of
//! scope: believing any of it.

use crate::encoding::json::{self, Dialect, Node};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A signature as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) enum Stored {
    /// An OpenPGP message.
    Simple(Vec<u8>),
    /// One of Cosign, with its media type.
    Sigstore(String),
}

codes! {
    /// This file is no signature of a known sort.
    pub enum StoredError as Uncheckable {
        Empty => "signature.format",
            "unrecognized signature format: the file is empty; sign the image again";
        Start { byte: u8 } => "signature.format",
            "unrecognized signature format, starting with binary {byte:#x}: expected an OpenPGP \
             message that is signed, not armoured and not detached (podman and skopeo write such); \
             remove the file, or sign the image again";
        Name => "signature.format",
            "invalid signature format: expected a name of printable ASCII and a newline after the \
             first byte 0; sign the image again";
        Unknown { name: String } => "signature.format",
            "unrecognized signature format {name:?}: expected simple-signing or sigstore-json";
        Json => "signature.format",
            "invalid sigstore-json signature: expected an object with mimeType, payload and \
             annotations; sign the image again";
    }
}

impl Stored {
    /// # Errors
    /// [`StoredError`].
    pub(in crate::verify) fn read(blob: &[u8]) -> Result<Self, StoredError> {
        let (first, rest) = blob.split_first().ok_or(StoredError::Empty)?;
        match first {
            // Compressed, one-pass, signature. There, 0x3D stands where 0x93 is meant.
            0xA0..=0xA3 | 0xC8 | 0x90..=0x92 | 0xC4 | 0x3D | 0x88..=0x8B | 0xC2 => {
                Ok(Self::Simple(blob.into()))
            }
            0 => Self::named(rest),
            byte => Err(StoredError::Start { byte: *byte }),
        }
    }

    /// It as a file again, of a form that names it.
    pub(in crate::verify) fn written(&self) -> Vec<u8> {
        match self {
            Self::Simple(message) => [b"\0simple-signing\n", message.as_slice()].concat(),
            Self::Sigstore(media_type) => {
                let media_type = media_type.chars().take(100).collect::<String>();
                let json = format!("{{\"mimeType\":{}}}", json::quote(&media_type));
                [b"\0sigstore-json\n", json.as_bytes()].concat()
            }
        }
    }

    fn named(rest: &[u8]) -> Result<Self, StoredError> {
        let mut parts = rest.splitn(2, |byte| *byte == b'\n');
        let (Some(name), Some(chunk)) = (parts.next(), parts.next()) else {
            return Err(StoredError::Name);
        };
        if !name.iter().all(|byte| (0x20..0x7F).contains(byte)) {
            return Err(StoredError::Name);
        }
        match name {
            b"simple-signing" => Ok(Self::Simple(chunk.into())),
            b"sigstore-json" => json::parse(chunk, Dialect::Go)
                .ok()
                .filter(|node| node.as_object().is_some())
                .map(|node| {
                    let media_type = node.member("mimeType").and_then(Node::as_str);
                    Self::Sigstore(media_type.unwrap_or_default().into())
                })
                .ok_or(StoredError::Json),
            other => Err(StoredError::Unknown {
                name: String::from_utf8_lossy(other).chars().take(100).collect(),
            }),
        }
    }
}

/// The signatures that a registry's extension lists (`/extensions/v2/…/signatures/…`): those of
/// schema version 2 and type `atomic`, which are OpenPGP messages. `None`: the list does not read.
pub(in crate::verify) fn listed(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let root = json::parse(body, Dialect::Go).ok()?;
    let list = match root
        .as_object()?
        .iter()
        .find(|member| member.key == "signatures")
    {
        Some(member) if !member.node.is_null() => member.node.as_array()?,
        _ => &[],
    };
    let mut found = Vec::new();
    for entry in list {
        entry.as_object()?;
        let is_atomic = entry.member("schemaVersion").and_then(Node::as_u64) == Some(2)
            && entry.member("type").and_then(Node::as_str) == Some("atomic");
        if is_atomic {
            let content = entry.member("content").and_then(Node::as_str)?;
            found.push(crate::encoding::base64::decode_go(content)?);
        }
    }
    Some(found)
}

/// Messages as the extension lists them.
pub(in crate::verify) fn written_list(messages: &[Vec<u8>]) -> Vec<u8> {
    let entry = |message: &Vec<u8>| {
        let content = crate::encoding::base64::encode(message);
        format!(r#"{{"schemaVersion":2,"type":"atomic","content":"{content}"}}"#)
    };
    let entries: Vec<String> = messages.iter().map(entry).collect();
    format!(r#"{{"signatures":[{}]}}"#, entries.join(",")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_first_byte() {
        for first in 0..=u8::MAX {
            let simple = matches!(
                first,
                0xA0..=0xA3 | 0xC8 | 0x90..=0x92 | 0xC4 | 0x3D | 0x88..=0x8B | 0xC2
            );
            assert_eq!(Stored::read(&[first, 1]).is_ok(), simple, "{first:#x}");
        }
        let error = Stored::read(b"-----BEGIN PGP MESSAGE-----").unwrap_err();
        assert!(
            format!("{error}")
                .starts_with("unrecognized signature format, starting with binary 0x2d")
        );
        assert_eq!(Stored::read(b""), Err(StoredError::Empty));
    }

    #[test]
    fn by_name() {
        let simple = |text: &[u8]| Stored::Simple(text.into());
        assert_eq!(Stored::read(b"\0simple-signing\nx\ny"), Ok(simple(b"x\ny")));
        assert_eq!(Stored::read(b"\0simple-signing\n"), Ok(simple(b"")));
        assert_eq!(
            Stored::read(br#"\0"#).unwrap_err(),
            StoredError::Start { byte: b'\\' }
        );
        assert_eq!(Stored::read(b"\0simple-signing"), Err(StoredError::Name));
        assert_eq!(Stored::read(b"\0simple\tsigning\n"), Err(StoredError::Name));
        assert_eq!(
            Stored::read(b"\0Simple-signing\n"),
            Err(StoredError::Unknown {
                name: "Simple-signing".into()
            })
        );
        assert_eq!(
            Stored::read(b"\0sigstore-json\n{\"mimeType\":\"a/b\"}"),
            Ok(Stored::Sigstore("a/b".into()))
        );
        assert_eq!(Stored::read(b"\0sigstore-json\n[]"), Err(StoredError::Json));
    }

    #[test]
    fn written_and_read_again() {
        for stored in [
            Stored::Simple(b"x\ny".to_vec()),
            Stored::Simple(Vec::new()),
            Stored::Sigstore("a/\"b".into()),
        ] {
            assert_eq!(Stored::read(&stored.written()), Ok(stored));
        }
        let messages = [b"x".to_vec(), Vec::new()];
        assert_eq!(listed(&written_list(&messages)), Some(messages.to_vec()));
    }

    #[test]
    fn lists_of_the_extension() {
        let list = |entries: &str| listed(format!(r#"{{"signatures":[{entries}]}}"#).as_bytes());
        let good = r#"{"schemaVersion":2,"name":"a@b","type":"atomic","content":"eA=="}"#;
        assert_eq!(list(good), Some(Vec::from([b"x".to_vec()])));
        assert_eq!(list(&good.replace('2', "1")), Some(Vec::new()));
        assert_eq!(list(&good.replace("atomic", "other")), Some(Vec::new()));
        assert_eq!(list(&good.replace("eA==", "-")), None);
        assert_eq!(list("1"), None);
        assert_eq!(listed(b"{}"), Some(Vec::new()));
        assert_eq!(listed(b"[]"), None);
        assert_eq!(listed(b"no"), None);
    }
}
