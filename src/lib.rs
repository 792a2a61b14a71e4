//! **sealgate** decides whether a container image may run: digests, signatures and `policy.json`,
//! in a core that has no input or output, no clock and no threads.
//!
//! Bytes become a pending claim (well-formed, says something, lists what must still hold) and then a
//! verified one, once every listed signature was seen to hold. Policy sees only verified claims.
//! Everything from outside is reached through a [`host::Host`].
//!
//! Three ways in:
//!
//! - [`verify_image`]: an image in a registry, by a policy, keys or identities; the answer is a
//!   [`Report`]
//! - [`bundle::BundleQuestion`]: a Sigstore bundle and the file that it is about
//! - [`policy::Policy`]: what a policy demands of an image, without a look at the image
//!
//! What is exported here is what the crate promises; its rooms are private
//! (docs/design.md section 2). Features: `expressions` (regular expressions in policies and
//! identities), `gateway`, `lint`, `openpgp` (simple signing; all default), and `wasm` (the JavaScript bindings).
//!
//! # An image, over one's own [`host::Host`]
//!
//! Whatever fetches for a program can be the host; here it is a table. A future is [`Send`] where the
//! host's futures are, so that it may move between the threads of an executor.
//!
//! ```
//! use sealgate::host::{Host, Request as Ask, Response};
//! use sealgate::keys::RustCrypto;
//! use sealgate::registry::{Credentials, Either, Registry};
//! use sealgate::{HostError, Request, Rules, UnixTime, Verdict, verify_image};
//!
//! /// Answers with what it holds, and 404 to everything else.
//! struct Table(Vec<(&'static str, &'static str)>);
//!
//! impl Host for Table {
//!     async fn fetch(&self, ask: Ask) -> Result<Response, HostError> {
//!         let found = self.0.iter().find(|(end, _)| ask.url.ends_with(end));
//!         let kind = "application/vnd.oci.image.manifest.v1+json";
//!         Ok(Response {
//!             status: if found.is_some() { 200 } else { 404 },
//!             headers: vec![("content-type".into(), kind.into())],
//!             body: found.map_or(Vec::new(), |(_, body)| body.as_bytes().to_vec()),
//!             url: None,
//!         })
//!     }
//! }
//!
//! let executor = tokio::runtime::Builder::new_multi_thread().build()?;
//! let task = executor.spawn(async {
//!     let host = Table(vec![("/v2/team/app/manifests/1.0", r#"{
//!         "schemaVersion": 2,
//!         "mediaType": "application/vnd.oci.image.manifest.v1+json",
//!         "config": {
//!             "mediaType": "application/vnd.oci.image.config.v1+json",
//!             "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
//!             "size": 2
//!         },
//!         "layers": []
//!     }"#)]);
//!     let base = "https://registry.example";
//!     let registry = Registry::new(&host, base, "team/app", Credentials::Anonymous)?;
//!     let rules = Rules::keys(&[b"-----BEGIN PUBLIC KEY-----
//! MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdKhtGUZ/TShlVMLZCRLehjK026Ba
//! 1KyhqcfoMm+SGsCB94zdy8gnuhVK93WlY8WB2m9QXV2tC24mjT/2sUCM9g==
//! -----END PUBLIC KEY-----".to_vec()])?;
//!     let now = UnixTime(1_800_000_000);
//!     let request = Request::parse("registry.example/team/app:1.0", None, &rules, now)?;
//!     let archive = Either::Registry(&registry);
//!     Ok::<_, sealgate::Failure>(verify_image(&archive, &RustCrypto, &rules, &request).await)
//! });
//! let report = executor.block_on(task)?.map_err(|failure| failure.message)?;
//! // Nobody signed it.
//! assert_eq!(report.finding.verdict, Verdict::Deny);
//! assert_eq!(report.finding.code, "signature.missing");
//! assert_eq!(report.allowed(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A bundle
//!
//! ```
//! use sealgate::bundle::{Artifact, BundleKind, BundleQuestion, ClaimWanted, Thresholds};
//! use sealgate::keys::{PublicKey, RustCrypto};
//! use sealgate::{Direct, Signers};
//!
//! let key = PublicKey::from_pem(b"-----BEGIN PUBLIC KEY-----
//! MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdKhtGUZ/TShlVMLZCRLehjK026Ba
//! 1KyhqcfoMm+SGsCB94zdy8gnuhVK93WlY8WB2m9QXV2tC24mjT/2sUCM9g==
//! -----END PUBLIC KEY-----")?;
//! let bundle = br#"{
//!     "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
//!     "verificationMaterial": {"publicKey": {"hint": ""}},
//!     "messageSignature": {
//!         "messageDigest": {
//!             "algorithm": "SHA2_256",
//!             "digest": "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="
//!         },
//!         "signature": "MEUCIQCMuExVmHitLwFTGHTDgdwpP53aq4AXHhJUiVpSXcZSsAIgPmk82HBeMlPu4hEuq0hPftIfsCj94MCq1S9ZhH6HrLI="
//!     }
//! }"#;
//! let about = |file: &[u8]| BundleQuestion {
//!     bundle: bundle.to_vec(),
//!     artifact: Artifact::Bytes(file.to_vec()),
//!     direct: Direct::by(Signers::Keys(vec![key.clone()])),
//!     key_validity: None,
//!     thresholds: Thresholds::default(),
//!     wanted: ClaimWanted::Signature,
//! };
//! let executor = tokio::runtime::Builder::new_current_thread().build()?;
//! let verified = executor.block_on(about(b"hello\n").ask(&RustCrypto))?;
//! assert_eq!(verified.unwrap().kind, BundleKind::Message);
//! let other = executor.block_on(about(b"hello!\n").ask(&RustCrypto))?;
//! assert_eq!(other.unwrap_err().code, "sigstore.artifact");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a policy demands
//!
//! ```
//! use sealgate::policy::Policy;
//! use sealgate::{Grammar, Reference};
//!
//! let policy = Policy::parse(br#"{
//!     "default": [{"type": "reject"}],
//!     "transports": {"docker": {"registry.example/team": [
//!         {"type": "sigstoreSigned", "keyPath": "/etc/cosign.pub"}
//!     ]}}
//! }"#)?;
//! let image = Reference::normalize("registry.example/team/app:1.0", Grammar::Containers)?;
//! let explanation = policy.explain(&image)?;
//! assert_eq!(explanation.scope, r#"docker "registry.example/team""#);
//! println!("{explanation}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![cfg_attr(
    not(all(feature = "internals", feature = "gateway", feature = "lint")),
    // The rooms' own interfaces, which tests of the project use.
    allow(dead_code, unreachable_pub, unused_imports)
)]

extern crate alloc;
// Lends the cdylib an allocator and a panic handler. Nothing but src/wasm names it: the thumbv7em
// build proves that.
#[cfg(not(target_os = "none"))]
extern crate std as _std;

// Rooms import only those that stand above them here; `layers.rs` keeps it true.
#[macro_use]
mod error;
mod keyed;
mod limits;
mod shared;
mod time;

mod encoding;

mod digest;

mod reference;

mod crypto;

pub mod host;

mod simple_signing;
mod tlog;
mod x509;

mod timestamp;

mod oci;
mod sigstore;

mod cosign;
#[cfg(feature = "openpgp")]
mod openpgp;

pub mod policy;

mod verify;

#[cfg(feature = "gateway")]
pub mod gateway;

#[cfg(all(
    any(feature = "wasm", feature = "wasm-arithmetic"),
    target_arch = "wasm32",
    target_os = "unknown"
))]
pub mod wasm;

#[cfg(test)]
mod layers;

pub use digest::{Algorithm, Digest, DigestError};
pub use encoding::json::JsonError;
pub use error::{Coded, Failure, HostError, Kind};
pub use reference::{Grammar, Reference, ReferenceError};
pub use time::UnixTime;
pub use verify::{
    Direct, Finding, InitError, Mirrors, NamedRoot, Paths, PolicyRules, Report, Request,
    RequestError, Rules, RulesError, SignedNames, Signers, Trusted, Verdict, first_policy,
    verify_image, verify_via_evidence,
};

/// The parts of a [`Report`].
pub mod report {
    pub use crate::verify::{
        Candidate, Claims, ImageReport, Instance, LogEntry, MirrorQuestion, Note, OpenPgpSigner,
        Outcome, Requirement, RuleReport, Signer, StepReport, Timestamp,
    };
}

/// Where manifests and evidence come from.
pub mod registry {
    pub use crate::oci::auth::Credentials;
    pub use crate::oci::registry::{EgressHosts, Fetched, Registry, RegistryError, base_for};
    pub use crate::oci::{OciError, Platform};
    pub use crate::verify::{
        Archive, Either, EvidenceDocument, EvidenceError, Listed, PolicyFiles, Referrer,
    };
    #[cfg(feature = "openpgp")]
    pub use crate::verify::{DirImage, Lookaside};
}

/// Keys, and checks of signatures as whoever provides cryptography sees them.
pub mod keys {
    #[cfg(feature = "arithmetic")]
    pub use crate::crypto::RustCrypto;
    pub use crate::crypto::{
        Curve, EcdsaForm, Hash, KeyError, KeyKind, Links, Message, Outcome, Provider, PublicKey,
        Remembering, Role, Scheme, SignatureCheck, SignatureError,
    };
}

/// Bundles by themselves, and whoever signed them.
pub mod bundle {
    pub use crate::sigstore::identity::{Identity, Pattern, PatternError, Regexp};
    pub use crate::sigstore::verify::{Artifact, Thresholds};
    pub use crate::verify::{
        BundleKind, BundleQuestion, ClaimWanted, QuestionError, VerifiedBundle,
    };
    pub use crate::x509::Window;
}

/// The rooms, for the project's own tests. Nothing in it is promised.
#[cfg(feature = "internals")]
#[doc(hidden)]
#[allow(missing_docs)]
pub mod internals {
    macro_rules! rooms {
        ($($room:ident)+) => { $( pub mod $room { pub use crate::$room::*; } )+ };
    }
    rooms! {
        error limits time encoding digest reference crypto simple_signing tlog x509 timestamp oci
        sigstore cosign verify
    }
    #[cfg(feature = "openpgp")]
    rooms! { openpgp }
}
