//! Every bound on input, in one place, each with its source.

/// Bytes of a manifest or an index. containers/image and docker stop at the same figure.
pub const MANIFEST: usize = 4 << 20;
/// Bytes of one piece of evidence: a signature payload, a bundle, an attestation (containers/image,
/// attachments).
pub const EVIDENCE: usize = 4 << 20;
/// Bytes of all evidence of one image (docs/trust.md section 7).
pub const EVIDENCE_TOTAL: usize = 16 << 20;
/// Candidates that are looked at for one image, and entries of a list that are (docs/trust.md
/// section 7).
pub const EVIDENCE_LISTED: usize = 1_000;
/// Candidates whose signatures are checked for one image (docs/trust.md section 7).
pub const EVIDENCE_EXAMINED: usize = 128;
/// Documents of one image that a registry fails to give before no more is asked of it. One that is
/// never given is what whoever may push can arrange; a registry that is unwell gives none.
pub const EVIDENCE_FAILURES: usize = 8;
/// Places that are looked at first because a candidate there satisfied before: several
/// requirements, each with a signature of its own.
pub const EVIDENCE_PREFERRED: usize = 16;
/// Signature checks for one candidate (docs/trust.md section 7): twice what a bundle with a long
/// chain and proofs of every kind demands.
pub const CHECKS_CANDIDATE: usize = 64;
/// Signature checks for one judgement (docs/trust.md section 7): four for each candidate.
pub const CHECKS: usize = 512;
/// Signature checks for each image of an index whose images are judged one by one, if that is more
/// (docs/trust.md section 7).
pub const CHECKS_IMAGE: usize = 16;
/// Bytes of evidence that are read before others have their turn (docs/trust.md section 7: at most
/// 25 ms): JSON is read at 10 MB/s and more.
pub const STRETCH: usize = 128 << 10;
/// Reasons of refused signatures that one message tells.
pub const REASONS: usize = 16;
/// Bytes of an artifact's config blob.
pub const CONFIG: usize = 64 << 10;
/// Nesting of JSON (docs/design.md section 7).
pub const JSON_DEPTH: usize = 64;
/// Values in one JSON document: at 44 bytes a member and two small texts, a document of 4 MiB stays
/// below 32 MiB of memory. A software bill of materials of 4 MiB has about 150,000.
pub const JSON_VALUES: usize = 1 << 18;
/// Bytes of a `policy.json`.
pub const POLICY: usize = 1 << 20;
/// Simple signatures of one image in a lookaside: with so many, containers/image takes the server to
/// be broken.
pub const LOOKASIDE: usize = 128;
/// Bytes of an OpenPGP message once it is inflated (docs/design.md section 7).
pub const OPENPGP_INFLATED: usize = 4 << 20;
/// Bytes that each byte of a compressed OpenPGP message may inflate to, beyond the first
/// [`OPENPGP_INFLATED_FREE`]: payloads of simple signing reach 3.
pub const OPENPGP_INFLATE_RATIO: usize = 64;
/// Bytes that a compressed OpenPGP message may inflate to, however short it is.
pub const OPENPGP_INFLATED_FREE: usize = 64 << 10;
/// Primary keys of one OpenPGP keyring: a file of 1 MiB has about so many.
pub const OPENPGP_KEYS: usize = 1_024;
/// User ids and subkeys of one OpenPGP key, each.
pub const OPENPGP_PARTS: usize = 128;
/// Characters of an OpenPGP user id that are shown.
pub const OPENPGP_USER_ID: usize = 200;
/// Signatures that an OpenPGP key made over itself (user ids, one subkey, revocations) that are
/// checked for one message.
pub const OPENPGP_SELF_SIGNATURES: usize = 64;
/// Keys that one OpenPGP message may be of: those with the key id that it names.
pub const OPENPGP_CANDIDATES: usize = 4;
/// Issuers that one OpenPGP signature names: by key id and by fingerprint.
pub const OPENPGP_ISSUERS: usize = 4;
/// Signatures inside of one OpenPGP signature: a cross signature, which is one.
pub const OPENPGP_EMBEDDED: usize = 4;
/// Bytes of a key or certificate file that a policy names.
pub const KEY_FILE: usize = 1 << 20;
/// Keys of one requirement.
pub const KEYS: usize = 64;
/// Images of an index that are judged one by one (docs/trust.md section 8).
pub const INSTANCES: usize = 64;
/// Descriptors in one manifest or index.
pub const DESCRIPTORS: usize = 4_096;
/// Subjects of an in-toto statement (sigstore-go's figure, GHSA-cq38-jh5f-37mq).
pub const SUBJECTS: usize = 1_024;
/// Digests of one subject (sigstore-go's figure, GHSA-cq38-jh5f-37mq).
pub const SUBJECT_DIGESTS: usize = 32;
/// Bits of an RSA modulus, least (NIST SP 800-131A) and most (what platforms verify in reasonable
/// time).
pub const RSA_BITS: core::ops::RangeInclusive<usize> = 2_048..=8_192;
/// Bytes of a token service's answer (containers/image).
pub const TOKEN: usize = 1 << 20;
/// What went wrong at registries that one line of a gateway's log tells: more is more of the same.
pub const TROUBLES: usize = 8;
/// Redirects that one request follows.
pub const REDIRECTS: usize = 5;
/// Bytes of a repository name, host included (distribution/reference).
pub const NAME: usize = 255;
/// Bytes of anything that is parsed as an image reference.
pub const REFERENCE: usize = 1_024;
/// From this age on, in days, the trusted roots that a build carries are too old (lint SL23).
pub const OLD_ROOTS_DAYS: i64 = 180;
/// Of those whose signatures were accepted, so many are named in one line of the log.
pub const LOGGED_SIGNERS: usize = 8;
/// Bytes of a registry's error body that is read for its message.
pub const ERROR_BODY: usize = 64 << 10;
/// Characters of a registry's error message that are shown.
pub const ERROR_MESSAGE: usize = 1_024;
/// Bytes of an address or challenge that a registry's answer may name (what common servers take as
/// a header).
pub const ADDRESS: usize = 8 << 10;
/// Pages of referrers that are read for one image; each lists something on registries as they are.
pub const REFERRERS_PAGES: usize = 64;
/// Bytes of a regular expression in a policy (docs/trust.md section 5).
pub const REGEXP: usize = 1_024;
/// Bytes of a compiled regular expression: repetitions multiply.
pub const REGEXP_COMPILED: usize = 256 << 10;
/// Bytes of a text that a regular expression is matched against.
pub const REGEXP_TEXT: usize = 4 << 10;
/// Entries of one `identities` of a policy.
pub const IDENTITIES: usize = 64;
/// Entries of one `conditions` of a policy.
pub const CONDITIONS: usize = 64;
/// Lints of one severity that are listed for one policy; more are counted.
pub const LINTS: usize = 500;
/// Requirements of a list that the linter compares with those of another list.
pub const COMPARED: usize = 64;
/// PEM blocks that the linter looks at in one file.
pub const LINTED_BLOCKS: usize = 64;
/// Bytes of all files of one `registries.d`, and of one line of them.
pub const REGISTRIES_D: usize = 1 << 20;
/// Blobs that one walk over an OCI layout looks at: sixteen documents at their bound. What more
/// there is was not made to be verified.
pub const LAYOUT_BLOBS: usize = 16 * DESCRIPTORS;
/// Timestamps of one bundle (sigstore-go's figure, GHSA-cq38-jh5f-37mq).
pub const TIMESTAMPS: usize = 32;
/// Bytes of a certificate. Fulcio's have 1 to 3 KiB.
pub const CERTIFICATE: usize = 64 << 10;
/// Certificates of a chain, leaf and root included (docs/design.md section 7), and of those that
/// come with a leaf.
pub const CHAIN: usize = 10;
/// Chains from one leaf to one authority that are tried.
pub const PATHS: usize = 16;
/// Steps of the search for these chains: with two authorities of each name, all chains of six.
pub const PATH_STEPS: usize = 128;
/// Links of chains that are remembered to hold, at 32 bytes (docs/trust.md section 7): the
/// authorities of many roots.
pub const LINKS: usize = 256;
/// Certificates of one file of authorities that a policy names; the list of Mozilla has about 150.
pub const AUTHORITIES: usize = 512;
/// Bytes of the certificates, in PEM, that come with one `.sig` signature. Fulcio's chain has 2
/// KiB.
pub const CHAIN_TEXT: usize = 256 << 10;
/// Blocks of a PEM text that are malformed and passed over in search of one that is not.
pub const PEM_MALFORMED: usize = 64;
/// Extensions of a certificate; Fulcio's have about 30.
pub const EXTENSIONS: usize = 128;
/// Subject alternative names of a certificate, and name constraints of an authority.
pub const NAMES: usize = 256;
/// Signed certificate timestamps of a certificate; browsers ask for two or three.
pub const SCTS: usize = 16;
/// Transparency log entries of one bundle (sigstore-go's figure, GHSA-cq38-jh5f-37mq).
pub const LOG_ENTRIES: usize = 32;
/// Bytes of a log entry's body: an envelope is logged by its hashes, and certificates are at most
/// 64 KiB.
pub const LOG_BODY: usize = 1 << 20;
/// Signatures that one log entry's body may list.
pub const LOG_SIGNATURES: usize = 32;
/// Bytes of a signed note (C2SP signed-note asks for a bound and leaves it open; Go's sumdb/note
/// takes 1 MB).
pub const NOTE: usize = 64 << 10;
/// Signatures on a signed note (Go's sumdb/note).
pub const NOTE_SIGNATURES: usize = 100;
/// Hashes of an inclusion proof: the height of a tree of 2^64 entries.
pub const PROOF_HASHES: usize = 64;
/// Bytes of a timestamp token, as many as of a certificate: real ones have 0.5 to 6 KiB.
pub const TIMESTAMP: usize = 64 << 10;
/// Ways in which one timestamp token may be tied to the authorities of a trusted root.
pub const TIMESTAMP_CLAIMS: usize = 64;
/// Bytes of an evidence document: base64 of what one holds, with room for its frame and for what
/// earlier versions sent.
pub const EVIDENCE_DOCUMENT: usize = 64 << 20;
/// Requests to the upstream in one request to a gateway (docs/gateway.md "One request, one
/// budget").
pub const REQUESTS: usize = 256;
/// The same, for each image of an index, or entry of a list, that is looked at for itself.
pub const REQUESTS_AN_IMAGE: usize = 8;
/// Bytes fetched in one request to a gateway: 32 MiB, beside a manifest that is sent.
pub const REQUEST_BYTES: usize = (32 << 20) + MANIFEST;
/// Bytes of a manifest that is kept.
pub const KEPT_MANIFEST: usize = 256 << 10;
/// Bytes that a kept manifest takes at most for each of its own, with what was read from it: an
/// annotation of two letters is 8 bytes of text, and 64 in memory while its list has room to grow.
pub const KEPT_READ: usize = 10;
/// Bytes of all manifests that one isolate keeps, with what was read from them. An isolate of
/// Cloudflare has 128 MB for everything.
pub const KEPT_CONTENT: usize = 32 << 20;
/// Bytes of a kept verdict beside its message and its question, which stands in memory twice.
pub const KEPT_RULING: usize = 128;
/// Bytes of all verdicts that one isolate keeps.
pub const KEPT_VERDICTS: usize = 4 << 20;
/// Bytes of answers that one isolate keeps, for ten seconds at most.
pub const KEPT_MOMENT: usize = 4 << 20;
/// Decisions that one instance keeps for whoever administrates it.
pub const KEPT_DECISIONS: usize = 10_000;
/// Bytes of their names and reasons.
pub const KEPT_DECISIONS_BYTES: usize = 8 << 20;
/// Days for which a store keeps decisions for all instances, a log for each (docs/gateway.md
/// "Administration"). How much of a day it keeps is the store's own: 8 Mi characters in
/// `worker/state.js`.
pub const STORED_DECISIONS_DAYS: u32 = 7;
/// Bytes of decisions that wait at once to be handed to a store, some seconds later; what comes then
/// stays in the instance.
pub const WAITING_DECISIONS: usize = 1 << 20;
/// Bytes of one record of decisions, beside its last one.
pub const DECISIONS_RECORD: usize = 32 << 10;
/// Bytes of a piece of a log that is read.
pub const LOG_PIECE: usize = 8 << 20;
/// Pieces of logs that one question about decisions may need: one a day, and some more of those that
/// have much. Cloudflare's free plan lets one request ask 50 times.
pub const LOG_PIECES: usize = 40;
/// Decisions that are shown at once.
pub const SHOWN_DECISIONS: usize = 1_000;
/// Reports and badges that one instance makes or has waiting at once; pulls keep the rest.
pub const REPORTS: usize = 8;
/// Evidence documents that one instance makes or has waiting at once.
pub const EVIDENCE_WAITING: usize = 32;
/// The same of registries that are not behind it.
pub const RELAYED: usize = 8;
/// So many of those are asked for in one minute.
pub const RELAYED_A_MINUTE: usize = 120;
/// Registries behind one gateway.
pub const REGISTRIES: usize = 64;
/// Clients that sign in at one gateway; each attempt is compared with all of them.
pub const CLIENTS: usize = 1_024;
/// Repositories of one of them.
pub const CLIENT_REPOSITORIES: usize = 256;
/// Bytes of `CLIENTS`, and of `UPSTREAM_CREDENTIALS`.
pub const SIGN_IN: usize = 1 << 20;
/// Bytes of an Authorization header of Basic authentication that is read.
pub const BASIC: usize = 4 << 10;
/// Tokens of registries' services that one isolate keeps.
pub const KEPT_TOKENS: usize = 512;
/// Bytes of one of them. Docker Hub's have 3 KiB.
pub const KEPT_TOKEN: usize = 8 << 10;
/// Images that wait at once to be judged by the next policy.
pub const NEXT_PENDING: usize = 256;
/// Images of which one instance knows what the next policy says.
pub const NEXT_IMAGES: usize = 10_000;
/// Bytes of what one isolate knows of what manifests list.
pub const KEPT_LINKS: usize = 16 << 20;
/// Of those, what an entry of a manifest takes: it stands there twice.
pub const KEPT_LINK: usize = 32;
/// And what the manifest takes beside them.
pub const KEPT_PARENT: usize = 256;
/// Tags that one isolate knows the digests of.
pub const KEPT_TAGS: usize = 16 << 10;
/// Bytes of everything that is known of one repository, in a store.
pub const HINTS_RECORD: usize = 256 << 10;
/// Bytes of what is new, beyond which everything is written: half of it is written for each new
/// manifest, and so is a part of everything, which is the larger the smaller this is.
pub const HINTS_NEWS: usize = 16 << 10;
/// Bytes of the news of all repositories that one isolate keeps.
pub const KEPT_NEWS: usize = 4 << 20;
