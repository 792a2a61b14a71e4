//! Why bytes are no timestamp token, or a token proves no time.

use crate::encoding::der::DerError;
use crate::time::UnixTime;
use crate::x509::X509Error;
use alloc::string::String;

codes! {
    /// These bytes are no timestamp token, or it proves less than is asked of it.
    pub enum TimestampError {
        TooLarge { limit: usize, found: usize } => "timestamp.too-large",
            "expected a timestamp of at most {limit} bytes, found {found}";
        Der { what: &'static str } => "timestamp.der",
            "the timestamp is not DER as RFC 3161 and RFC 5652 have it: {what} is malformed";
        Status => "timestamp.status",
            "expected the answer of a timestamp authority with the status granted (0), found \
             another: it holds no timestamp, ask again";
        NoToken => "timestamp.no-token",
            "the timestamp authority's answer says granted, but holds no token";
        NotSigned { oid: String } => "timestamp.not-signed-data",
            "expected a timestamp token to be CMS signed data, found the content type {oid}";
        Content { oid: String } => "timestamp.content-type",
            "expected signed data about a TSTInfo (1.2.840.113549.1.9.16.1.4), found the content \
             type {oid}: this is no timestamp";
        Version { what: &'static str, expected: u8 } => "timestamp.version",
            "expected version {expected} of {what}, found another";
        Signers { found: usize } => "timestamp.signers",
            "expected a timestamp with exactly one signer, found {found}";
        Certificates { limit: usize } => "timestamp.too-many-certificates",
            "expected at most {limit} certificates in a timestamp, found more";
        NoSignedAttributes => "timestamp.no-signed-attributes",
            "the timestamp has no signed attributes: its signature is over something else than its \
             content's digest and type";
        Attribute { name: &'static str, found: usize } => "timestamp.attribute",
            "expected one signed attribute {name} with one value, found {found}";
        SignedType { oid: String } => "timestamp.signed-type",
            "what was signed says that the content is of type {oid}, expected a TSTInfo";
        MessageDigest => "timestamp.message-digest",
            "what was signed is the digest of another content: the time or what was stamped was \
             altered";
        SigningCertificate => "timestamp.signing-certificate",
            "what was signed names another certificate than the one that signer's issuer and serial \
             number lead to";
        Hash { oid: String } => "timestamp.hash",
            "expected the timestamp to use SHA-256, SHA-384 or SHA-512, found the algorithm {oid}";
        Algorithm { oid: String } => "timestamp.algorithm",
            "expected a timestamp signed with ECDSA, RSA or Ed25519, over the hash that its signer \
             names, found the algorithm {oid}";
        DigestAlgorithms => "timestamp.digest-algorithms",
            "the hash that the timestamp's signer names is not among those that the signed data \
             lists";
        Time => "timestamp.time",
            "the timestamp's time is not as RFC 3161 section 2.4.2 has it (UTC, \
             YYYYMMDDhhmmss[.s…]Z)";
        CriticalExtension { oid: String } => "timestamp.critical-extension",
            "the timestamp has the critical extension {oid}, which is not understood here";
        UnknownAuthority { issuer: String } => "timestamp.unknown-authority" as UnknownAuthority,
            "the timestamp is of no timestamp authority of the trusted root (its signer's issuer: \
             {issuer}): is this the right trusted root?";
        TooManyAuthorities { limit: usize } => "timestamp.too-many-authorities",
            "expected at most {limit} timestamp authorities that could have made one timestamp, \
             found more";
        SignerMissing { issuer: String } => "timestamp.signer-missing",
            "neither the timestamp nor the trusted root has the certificate that signed it (its \
             issuer: {issuer})";
        SignerAmbiguous => "timestamp.signer-ambiguous",
            "several certificates have the issuer and serial number (or key identifier) of the \
             timestamp's signer: one of them is forged";
        ForeignCertificate { subject: String } => "timestamp.foreign-certificate",
            "the timestamp carries a certificate, {subject:?}, that is neither its signer's nor an \
             authority's above it";
        Certificate { error: X509Error } => "timestamp.certificate",
            "a certificate that the timestamp carries is malformed: {error}";
        Imprint => "timestamp.imprint", "the timestamp is about other bytes than this signature";
        Window { time: UnixTime, start: UnixTime } => "timestamp.window",
            "the timestamp says {time}, and the trusted root does not vouch for its authority at \
             that time (it does from {start}, and maybe not forever)";
    }
}

impl From<DerError> for TimestampError {
    fn from(DerError { what }: DerError) -> Self {
        Self::Der { what }
    }
}
