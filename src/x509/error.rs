//! Why bytes are no certificate, or a certificate leads nowhere.

use crate::crypto::KeyError;
use crate::encoding::der::DerError;
use crate::time::UnixTime;
use alloc::string::String;

codes! {
    /// These bytes are no certificate, or it says or proves less than is asked of it.
    pub enum X509Error {
        TooLarge { limit: usize, found: usize } => "x509.too-large",
            "expected a certificate of at most {limit} bytes, found {found}";
        Der { what: &'static str } => "x509.der",
            "the certificate is not canonical DER as RFC 5280 has it: {what} is malformed";
        Version => "x509.version",
            "expected an X.509 certificate of version 3, found another version";
        Key { error: KeyError } => "x509.key", "the certificate's key cannot be used: {error}";
        Algorithm { oid: String } => "x509.algorithm",
            "expected a certificate signed with ECDSA, RSA or Ed25519 over SHA-256, SHA-384 or \
             SHA-512, found the algorithm {oid}";
        DuplicateExtension { oid: String } => "x509.duplicate-extension",
            "the certificate has the extension {oid} twice";
        TooMany { what: &'static str, limit: usize } => "x509.too-many",
            "expected at most {limit} {what}, found more";
        UnknownIssuer { subject: String, issuer: String } => "x509.unknown-issuer" as UnknownIssuer,
            "no trusted certificate authority leads to the certificate of {subject:?}, issued by \
             {issuer:?}: is this the right trusted root?";
        ChainLength { limit: usize } => "x509.chain-length",
            "expected a chain of at most {limit} certificates, found a longer one";
        NotYetValid { subject: String, time: UnixTime, start: UnixTime } => "x509.not-yet-valid",
            "{subject:?} is valid from {start}, which is after the time {time} at which it was \
             used";
        Expired { subject: String, time: UnixTime, end: UnixTime } => "x509.expired",
            "{subject:?} was valid until {end}, which is before the time {time} at which it was \
             used";
        NoTime => "x509.no-time",
            "expected a trusted time at which to judge the certificate, found none";
        NotCa { subject: String } => "x509.not-ca",
            "{subject:?} issued a certificate without being a certificate authority (basic \
             constraints)";
        CannotSign { subject: String } => "x509.key-cert-sign",
            "{subject:?} issued a certificate, but its key usage does not allow it to";
        LeafIsCa { subject: String } => "x509.leaf-is-ca",
            "{subject:?} is a certificate authority: expected a certificate that signs other things \
             than certificates";
        PathLength { subject: String, limit: usize, found: usize } => "x509.path-length",
            "{subject:?} allows {limit} certificate authorities below it, found {found}";
        KeyUsage { subject: String } => "x509.key-usage",
            "the key usage of {subject:?} does not allow digital signatures";
        ExtKeyUsage { subject: String, wanted: &'static str } => "x509.ext-key-usage",
            "{subject:?} is not for {wanted} (extended key usage)";
        CriticalExtension { subject: String, oid: String } => "x509.critical-extension",
            "{subject:?} has the critical extension {oid}, which is not understood here";
        NameNotPermitted { subject: String, name: String } => "x509.name-constraint",
            "the certificate authority {subject:?} may not issue for {name:?} (name constraints)";
        NotTheAuthority { subject: String } => "x509.other-leaf",
            "the trusted root names the very certificate of this authority, and that of {subject:?} \
             is another";
        AnchorEmpty => "x509.anchor-empty",
            "expected at least one certificate of a certificate authority, found none";
        AnchorOrder { subject: String, issuer: String } => "x509.anchor-order",
            "expected each certificate of an authority to be followed by its issuer, and \
             {subject:?} is issued by {issuer:?}: order the chain from the issuing authority to the \
             root";
        AnchorUnsigned { subject: String } => "x509.anchor-unsigned",
            "{subject:?} stands alone and is not signed by itself: expected a chain up to its root";
        Names { found: usize } => "x509.names",
            "expected exactly one subject alternative name (an email address, a URI or Fulcio's \
             user name), found {found}";
        NameType => "x509.name-type",
            "expected an email address, a URI or Fulcio's user name as subject alternative name, \
             found a name of another type";
        Claim { name: &'static str } => "x509.claim",
            "the certificate's extension {name:?} is malformed";
        IssuersDiffer { old: String, new: String } => "x509.issuers-differ",
            "the certificate names two OIDC issuers, {old:?} and {new:?}";
        Sct { what: &'static str } => "x509.sct",
            "the certificate's list of signed certificate timestamps is malformed: {what}";
        SctAlgorithm => "x509.sct-algorithm",
            "expected a signed certificate timestamp by ECDSA or RSA over SHA-256, as its log's key \
             prescribes, found another algorithm";
        SctLog => "x509.sct-log",
            "the signed certificate timestamp is of another log than the key that was given";
    }
}

impl From<DerError> for X509Error {
    fn from(DerError { what }: DerError) -> Self {
        Self::Der { what }
    }
}
