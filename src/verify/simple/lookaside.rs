//! Where the simple signatures of an image are kept (docs/containers-image.md section 7).

use crate::digest::Digest;
use crate::policy::registries_d::Storage;
use crate::reference::Reference;
use alloc::format;
use alloc::string::String;

/// The place of one repository in a lookaside that `registries.d` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookaside {
    /// Up to the digest.
    above: String,
    /// The query, which stays behind the path.
    query: String,
}

impl Lookaside {
    /// `None` where none is named. The name's host is left out, so that registries that share a
    /// lookaside share signatures. A slash at the end of the base is doubled.
    pub(in crate::verify) fn of(storage: &Storage, name: &Reference) -> Option<Self> {
        let base = storage.lookaside.as_deref()?;
        let base = base.split('#').next().unwrap_or_default();
        let (path, query) = match base.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (base, String::new()),
        };
        Some(Self {
            above: format!("{path}/{}", name.path()),
            query,
        })
    }

    /// Whether it is a folder of the machine that judges, which others do not have.
    pub(in crate::verify) fn is_local(&self) -> bool {
        self.above.starts_with("file:")
    }

    /// Where the signature of this number is, from 1 on.
    pub(in crate::verify) fn address(&self, digest: &Digest, number: usize) -> String {
        let algorithm = digest.algorithm().name();
        format!(
            "{}@{algorithm}={}/signature-{number}{}",
            self.above,
            digest.hex(),
            self.query
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Grammar;

    fn address(base: &str, name: &str) -> String {
        let storage = Storage {
            use_sigstore_attachments: false,
            lookaside: Some(base.into()),
        };
        let name = Reference::normalize(name, Grammar::Containers).unwrap();
        let address = Lookaside::of(&storage, &name)
            .unwrap()
            .address(&Digest::of(b""), 2);
        address.replace(&Digest::of(b"").hex(), "HEX")
    }

    #[test]
    fn addresses() {
        for (base, name, expected) in [
            (
                "https://l.test/sigs",
                "a.b:5000/c/d:1",
                "https://l.test/sigs/c/d@sha256=HEX/signature-2",
            ),
            (
                "http://l.test",
                "busybox",
                "http://l.test/library/busybox@sha256=HEX/signature-2",
            ),
            (
                "https://l.test/x/",
                "a.b/c",
                "https://l.test/x//c@sha256=HEX/signature-2",
            ),
            (
                "https://l.test/x?token=1#y",
                "a.b/c",
                "https://l.test/x/c@sha256=HEX/signature-2?token=1",
            ),
            (
                "file:///var/lib/containers/sigstore",
                "a.b/c",
                "file:///var/lib/containers/sigstore/c@sha256=HEX/signature-2",
            ),
        ] {
            assert_eq!(address(base, name), expected);
        }
    }
}
