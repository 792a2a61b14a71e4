//! Verifies a Sigstore bundle of a file, by who signed it and under Sigstore's public root.
//!
//! ```sh
//! cargo run --example verify_bundle -- FILE.sigstore.json FILE IDENTITY ISSUER [trusted_root.json]
//! ```
//!
//! It prints who signed and when, and each step that was checked.

use sealgate::bundle::{Artifact, BundleQuestion, ClaimWanted, Identity, Thresholds};
use sealgate::keys::RustCrypto;
use sealgate::{Direct, NamedRoot, Signers};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (bundle, file, identity, issuer, root) = match arguments.as_slice() {
        [bundle, file, identity, issuer] => (bundle, file, identity, issuer, None),
        [bundle, file, identity, issuer, root] => (bundle, file, identity, issuer, Some(root)),
        _ => return Err("expected a bundle, a file, an identity and its issuer".into()),
    };
    let root = match root {
        Some(path) => NamedRoot::read(path, &std::fs::read(path)?)?,
        None => NamedRoot::embedded("public-good")?,
    };
    let signers = Signers::Identities(vec![Identity::exact(issuer, identity)?]);
    let question = BundleQuestion {
        bundle: std::fs::read(bundle)?,
        artifact: Artifact::Bytes(std::fs::read(file)?),
        direct: Direct {
            root: Some(root),
            ..Direct::by(signers)
        },
        key_validity: None,
        thresholds: Thresholds::default(),
        wanted: ClaimWanted::Any,
    };
    let executor = tokio::runtime::Builder::new_current_thread().build()?;
    let verified = executor
        .block_on(question.ask(&RustCrypto))?
        .map_err(|failure| format!("{} [{}]", failure.message, failure.code))?;
    if let Some(signer) = &verified.claims.signer {
        println!("signed by {} ({})", signer.subject, signer.authority);
    }
    for step in &verified.steps {
        println!("  {}: {} ({})", step.name, step.text, step.outcome);
    }
    Ok(())
}
