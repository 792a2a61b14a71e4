//! Verifies an image that lies in a folder (an OCI image layout), by a public key.
//!
//! ```sh
//! cargo run --example verify_image -- fixtures/demo/signed fixtures/demo/cosign.pub demo.example/demo/signed:1.0
//! ```
//!
//! It ends with 0 where the image may run, and with 1 where it may not.

mod layout;

use layout::Layout;
use sealgate::keys::RustCrypto;
use sealgate::registry::{Credentials, Either, Registry};
use sealgate::{Failure, Request, Rules, UnixTime, verify_image};
use std::error::Error;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, key, name] = arguments.as_slice() else {
        return Err("expected a folder, the file of a public key, and the image's name".into());
    };
    let rules = Rules::keys(&[std::fs::read(key)?])?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = UnixTime(i64::try_from(now)?);
    let request = Request::parse(name, None, &rules, now).map_err(described)?;
    // The host gives what is in the folder, whatever registry is asked.
    let host = Layout::open(folder)?;
    let at = request.at();
    let base = sealgate::registry::base_for(at.domain(), false)?;
    let registry = Registry::new(&host, &base, at.path(), Credentials::Anonymous)?;
    let archive = Either::Registry(&registry);
    let executor = tokio::runtime::Builder::new_current_thread().build()?;
    let report = executor.block_on(verify_image(&archive, &RustCrypto, &rules, &request));
    println!("{:?}: {}", report.finding.verdict, report.finding.message);
    Ok(match report.allowed() {
        Some(digest) => {
            println!("run {}@{digest}", request.name().name());
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    })
}

fn described(failure: Failure) -> String {
    format!("{} [{}]", failure.message, failure.code)
}
