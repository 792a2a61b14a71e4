//! Why a signature is none as containers/image sees it, or a policy's material is none. The words
//! are those that containers/image uses, as far as people search for them.

use alloc::string::String;

codes! {
    /// This signature does not come from whom the policy names, or the policy's own material cannot
    /// be used.
    pub enum ContainersImageError as Unproven {
        Annotation { key: &'static str } => "containers-image.annotation",
            "missing {key} annotation: the rule demands what it holds, and the signature was made \
             or copied without it";
        RekorMissing => "containers-image.rekor-missing",
            "expected a key of Rekor beside fulcio, found none: nothing else says when a \
             certificate was used";
        RekorForPki => "containers-image.rekor-for-pki",
            "expected no key of Rekor beside pki, found one: logs have no say there";
        Set => "containers-image.set",
            "cryptographic signature verification of Rekor SET failed: none of the rule's keys of \
             Rekor signed the log entry as it stands";
        NoKey { reasons: String } => "containers-image.logged-key",
            "No public key verified against the RekorSET: {reasons}";
        LoggedPem { expected: &'static str } => "containers-image.certificate-pem",
            "the certificate to be matched against the Rekor SET: expected {expected}";
        TooLarge { what: &'static str, limit: usize } => "containers-image.too-large",
            "expected at most {limit} bytes of {what}, found more";
        TooMany { what: &'static str, limit: usize } => "containers-image.too-many",
            "expected at most {limit} certificates in {what}, found more";
        Pem { what: &'static str } => "containers-image.pem",
            "loading {what}: error during PEM decoding: expected certificates in PEM and nothing \
             else";
        Leaf { found: usize } => "containers-image.leaf",
            "expected exactly one certificate in the annotation dev.sigstore.cosign/certificate, \
             found {found}";
        IssuerMissing => "containers-image.issuer-missing",
            "expected a certificate of Fulcio, found one that names no OIDC issuer";
        Issuer { found: String, wanted: String } => "containers-image.issuer" as OtherSigner,
            "Unexpected Fulcio OIDC issuer {found:?}: the rule wants {wanted:?}, compared byte by \
             byte";
        Email { wanted: String, found: String } => "containers-image.email" as OtherSigner,
            "Required email {wanted:?} not found (got [{found}]): only e-mail addresses match here, \
             compared byte by byte";
        Hostname { wanted: String, found: String } => "containers-image.hostname" as OtherSigner,
            "Unexpected subject hostname: the certificate is valid for [{found}], not for \
             {wanted:?}";
        NoAuthority { what: &'static str } => "containers-image.no-authority",
            "error loading {what}: expected at least one PEM block CERTIFICATE that can be read, \
             found none";
        RekorKey { number: usize } => "containers-image.rekor-key",
            "Rekor public key {number} is not using ECDSA: Rekor signs entries with ECDSA keys \
             alone";
    }
}
