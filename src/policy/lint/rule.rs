//! The lints: identity, name and severity of each.

use serde::Serialize;

/// How much a lint matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A consequence that one should know.
    Note,
    /// Probably not meant.
    Warning,
    /// The policy does something else than it says.
    Error,
}

/// Declares the lints: identity, name and severity of each.
macro_rules! rules {
    ($($variant:ident $id:literal $name:literal $severity:ident;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Rule { $($variant),+ }

        impl Rule {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub(super) fn facts(self) -> (&'static str, &'static str, Severity) {
                match self { $(Self::$variant => ($id, $name, Severity::$severity)),+ }
            }
        }
    };
}

rules! {
    DefaultOpen "PL01" "default-open" Warning;
    TransportOpen "PL02" "transport-open" Warning;
    WeakerChild "PL03" "weaker-child" Warning;
    DeadRequirement "PL04" "dead-requirement" Warning;
    UnexpandedScope "PL05" "unexpanded-scope" Error;
    NoncanonicalScope "PL06" "noncanonical-scope" Error;
    PortScope "PL07" "port-scope" Warning;
    BadWildcard "PL08" "bad-wildcard" Error;
    WildcardApex "PL09" "wildcard-apex" Note;
    TagScopeBypass "PL10" "tag-scope-bypass" Warning;
    UnknownTransport "PL11" "unknown-transport" Warning;
    Unimplemented "PL12" "unimplemented" Error;
    IdentityNeedsRef "PL13" "identity-needs-ref" Error;
    NoSignatureTransport "PL14" "no-signature-transport" Error;
    CosignIdentity "PL15" "cosign-identity" Warning;
    TagSubstitution "PL16" "tag-substitution" Note;
    RekorOff "PL17" "rekor-off" Error;
    NoTransparency "PL18" "no-transparency" Note;
    FulcioUri "PL19" "fulcio-uri" Error;
    IssuerForm "PL20" "issuer-form" Warning;
    MultiPem "PL21" "multi-pem" Warning;
    AndRotation "PL22" "and-rotation" Warning;
    ExpiredKey "PL23" "expired-key" Warning;
    PkiLifetime "PL24" "pki-lifetime" Warning;
    EmptyKeys "PL25" "empty-keys" Error;
    AttachmentsOff "PL26" "attachments-off" Error;
    LookasideUrl "PL27" "lookaside-url" Warning;
    IndexOnly "PL28" "index-only" Warning;
    RemapMiss "PL29" "remap-miss" Warning;
    CosignV3 "PL30" "cosign-v3" Note;
    UserShadow "PL31" "user-shadow" Note;
    More "SL00" "more" Warning;
    SharedSigner "SL01" "shared-signer" Error;
    AnyDigest "SL02" "any-digest" Note;
    AnyIdentity "SL03" "any-identity" Error;
    AnyCaller "SL04" "any-caller" Error;
    UnescapedDot "SL05" "unescaped-dot" Warning;
    ExactWildcard "SL06" "exact-wildcard" Error;
    PinnedAlone "SL07" "pinned-alone" Warning;
    PinOutside "SL08" "pin-outside" Warning;
    FindingsWithoutAge "SL09" "findings-without-age" Warning;
    ExceptionEnds "SL11" "exception-ends" Warning;
    RekorWithoutBundles "SL12" "rekor-without-bundles" Warning;
    FileMissing "SL13" "file-missing" Error;
    KeyUnusable "SL14" "key-unusable" Error;
    RegistryOpen "SL15" "registry-open" Warning;
    AuditAbove "SL16" "audit-above" Error;
    PrivateKey "SL17" "private-key" Error;
    ExpiredKeys "SL18" "expired-keys" Error;
    KeyCannotSign "SL19" "key-cannot-sign" Warning;
    WeakKey "SL20" "weak-key" Warning;
    Sha1Key "SL21" "sha1-key" Note;
    NoLookaside "SL22" "no-lookaside" Warning;
    OldRoots "SL23" "old-roots" Error;
    DistrustAudited "SL24" "distrust-audited" Warning;
}
