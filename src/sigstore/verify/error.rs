//! Why a bundle proves nothing.

use alloc::string::String;

codes! {
    /// Why a bundle proves nothing here.
    pub enum SigstoreError as Unproven {
        Key => "sigstore.material",
            "expected a bundle by a key, and this one is by a certificate (or the other way round)";
        Log { found: usize, wanted: usize } => "sigstore.log",
            "expected entries in {wanted} transparency logs of the trusted root, found {found}";
        LogWindow => "sigstore.log-window",
            "the entry's time lies outside of the time in which the trusted root vouches for the \
             log's key";
        Timestamps { found: usize, wanted: usize } => "sigstore.timestamps",
            "expected timestamps of {wanted} authorities of the trusted root, found {found}";
        Times { found: usize, wanted: usize } => "sigstore.times",
            "expected {wanted} logs or authorities that say when, found {found}";
        NoTime => "sigstore.no-trusted-time",
            "expected a signed entry timestamp or a timestamp of a listed authority, found none: it \
             is not known when the certificate was used";
        KeyWindow => "sigstore.key-window", "the signature was not made while the key was valid";
        NoAuthority => "sigstore.authority",
            "no certificate authority of the trusted root issued this certificate";
        Sct => "sigstore.sct",
            "expected a certificate transparency promise (SCT) of a log of the trusted root, found \
             none";
        SctWindow => "sigstore.sct-window",
            "the certificate transparency promise lies outside of the time in which the trusted \
             root vouches for the log's key";
        Artifact => "sigstore.artifact" as OtherContent, "the bundle is about another artifact";
        NeedBytes => "sigstore.need-bytes",
            "this signature is over another hash than what was given, or over the artifact itself: \
             give the artifact itself";
        Payload => "sigstore.payload-type",
            "expected an envelope of type application/vnd.in-toto+json";
        Identity { found: String, wanted: String } => "sigstore.identity" as OtherSigner,
            "expected a signature by {wanted}, found one by {found}";
    }
}
