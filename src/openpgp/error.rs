//! Why bytes are no OpenPGP message or keyring, or a message proves nothing.

use super::fingerprint::Handle;
use crate::crypto::KeyError;
use crate::time::UnixTime;
use alloc::string::String;

codes! {
    /// These bytes are no signed message or no keyring, or the message proves less than is asked.
    pub enum OpenPgpError {
        TooLarge { what: &'static str, limit: usize } => "openpgp.too-large" as TooMuch,
            "expected {what} of at most {limit} bytes, found more";
        Armoured => "openpgp.armoured" as Uncheckable,
            "expected a binary OpenPGP message, found text (armoured or cleartext-signed): sign \
             with podman or skopeo, or with gpg --sign without --armor";
        Malformed { what: &'static str } => "openpgp.malformed" as Uncheckable,
            "this is not OpenPGP as RFC 9580 has it: {what} is malformed or cut off";
        Empty => "openpgp.empty" as Uncheckable, "expected an OpenPGP message, found no bytes";
        Packet { found: u8, expected: &'static str } => "openpgp.packet" as Uncheckable,
            "expected {expected} at this place of the signed message, found a packet of type {found}";
        Unsigned => "openpgp.unsigned" as Uncheckable,
            "expected a signed OpenPGP message, found one without a signature";
        Encrypted => "openpgp.encrypted" as Uncheckable,
            "expected a signed OpenPGP message, found an encrypted one";
        Detached => "openpgp.detached" as Uncheckable,
            "expected a signed message that carries its payload, found a detached signature: sign \
             with gpg --sign, not --detach-sign";
        Trailing => "openpgp.trailing" as Uncheckable,
            "expected nothing after the signed message, found more";
        SeveralSignatures => "openpgp.signature-count" as Uncheckable,
            "expected exactly one signature in the message, found several";
        Compression { found: u8 } => "openpgp.compression" as Uncheckable,
            "the message is compressed by algorithm {found}, expected none, deflate or zlib (bzip2 \
             is not read): sign with gpg --compress-algo zlib";
        Inflate => "openpgp.inflate" as Uncheckable,
            "the compressed message is malformed, or something stands behind its end";
        Inflated { limit: usize } => "openpgp.inflated" as TooMuch,
            "the compressed message would inflate to more than {limit} bytes";
        OnePass => "openpgp.one-pass" as Uncheckable,
            "the packet before the payload announces another signature than the one after it";
        Version { what: &'static str, found: u8 } => "openpgp.version" as Uncheckable,
            "{what} has the version {found}, which is not read: expected 4 or 6, or 3 for a \
             signature";
        SignatureType { found: u8 } => "openpgp.signature-type" as Uncheckable,
            "expected a signature over a document (type 0 or 1), found type {found}: it was not made \
             to sign content";
        Algorithm { found: u8 } => "openpgp.algorithm" as Uncheckable,
            "expected an RSA, DSA, ECDSA or Ed25519 key, found the public-key algorithm {found}";
        Ed448 => "openpgp.ed448" as Uncheckable,
            "Ed448 signatures are not checked: sign with Ed25519, ECDSA or RSA";
        OtherAlgorithm => "openpgp.key-algorithm" as Uncheckable,
            "the signature is by another algorithm, or of another version, than the key that it \
             names";
        Curve { oid: String } => "openpgp.curve" as Uncheckable,
            "expected a key over P-256, P-384, P-521 or Ed25519, found the curve {oid}";
        Hash { found: u8 } => "openpgp.hash" as Uncheckable,
            "expected a signature with SHA-2 (SHA-256, say), found the hash algorithm {found}";
        Md5 => "openpgp.md5" as Uncheckable,
            "the signature is over an MD5 digest, which can be forged: sign again with SHA-256";
        Sha1 => "openpgp.sha1" as Uncheckable,
            "the signature is over a SHA-1 digest, which can be forged: sign again with SHA-256 \
             (gpg --digest-algo SHA256)";
        ShortHash => "openpgp.short-hash" as Uncheckable,
            "the signature's digest is shorter than its key demands (RFC 9580 section 5.2.3): \
             sign again with a longer one";
        Key { error: KeyError } => "openpgp.key" as Uncheckable,
            "the OpenPGP key cannot be used: {error}";
        Critical { found: u8 } => "openpgp.critical" as Uncheckable,
            "the signature says that whoever does not understand its subpacket of type {found} must \
             not believe it, and it is not understood here";
        Digest => "openpgp.digest" as InvalidSignature,
            "the signature was made over other bytes: the start of its digest differs";
        NoIssuer => "openpgp.no-issuer" as Uncheckable,
            "the signature does not say which key made it";
        UnknownKey { issuer: Handle } => "openpgp.unknown-key" as OtherSigner,
            "Invalid GPG signature: it is by the key {issuer}, which is not in the keyring: add the \
             key if its owner is trusted";
        NoKeys => "openpgp.no-keys",
            "expected OpenPGP public keys (binary or armoured), found none";
        SecretKey => "openpgp.secret-key",
            "the keyring holds a secret key, which must not be given away: export the public one \
             (gpg --export)";
        TooManyKeys { what: &'static str, limit: usize } => "openpgp.too-many" as TooMuch,
            "expected at most {limit} {what}, found more";
        SignatureExpired { at: UnixTime } => "openpgp.signature-expired" as Unproven,
            "the signature expired at {at}: sign again";
        KeyExpired { key: Handle, at: UnixTime } => "openpgp.key-expired" as Unproven,
            "the key {key} expired at {at}: prolong it and update the keyring, or sign with another";
        SignedAfterExpiry { key: Handle, at: UnixTime } => "openpgp.signed-after-expiry" as Unproven,
            "the key {key} had expired, at {at}, when it signed";
        KeyRevoked { by: Handle } => "openpgp.key-revoked" as Unproven,
            "the key that signed was revoked, by {by}: nothing that it signed counts";
        SubkeyRevoked => "openpgp.subkey-revoked" as Unproven,
            "the subkey that signed was revoked by its owner: nothing that it signed counts";
        Revocation { key: Handle } => "openpgp.revocation" as Unproven,
            "the keyring has a revocation by {key} that cannot be checked (its hash, its algorithm, \
             or a revoker's key that is missing): it may be real, so the key is not used";
        KeyNewer { key: Handle, created: UnixTime } => "openpgp.key-newer" as Unproven,
            "the key {key} was made at {created}, after what it is said to have signed";
        KeyFuture { key: Handle, created: UnixTime } => "openpgp.key-future" as Unproven,
            "the key {key} will be made at {created}: is the clock right?";
        NotCertified { key: Handle } => "openpgp.not-certified" as Unproven,
            "the key {key} has no user id (version 6: no direct-key signature) that it itself \
             signed, is not revoked and has not expired: export it again";
        NotBound { key: Handle } => "openpgp.not-bound" as Unproven,
            "the subkey {key} is not bound to its key by a signature that can be checked";
        NotCrossSigned { key: Handle } => "openpgp.not-cross-signed" as Unproven,
            "the subkey {key} did not sign that it belongs to its key (cross signature), so it may \
             be somebody else's: gpg --edit-key, cross-certify";
        NotForSigning { key: Handle } => "openpgp.not-for-signing" as Unproven,
            "the key {key} is not meant for signing (key flags)";
    }
}
