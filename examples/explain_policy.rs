//! Says what a policy demands of an image, and why. Nothing is fetched.
//!
//! ```sh
//! cargo run --example explain_policy -- fixtures/demo/policy.json demo.example/demo/signed:1.0
//! ```

use sealgate::policy::Policy;
use sealgate::{Grammar, Reference};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [policy, image] = arguments.as_slice() else {
        return Err("expected the file of a policy and an image's name".into());
    };
    let policy = Policy::parse(&std::fs::read(policy)?)?;
    let image = Reference::normalize(image, Grammar::Containers)?;
    println!("{}", policy.explain(&image)?);
    Ok(())
}
