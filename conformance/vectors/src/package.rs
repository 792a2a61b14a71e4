//! The npm package's own entries, called by whoever started this program (see `exchange`). Natively
//! there are none.

use crate::case::Run;
use crate::case::Stop;
use crate::case::refuse;
use crate::exchange::Exchange;
use sealgate::internals::encoding::base64;
use serde_json::Value;
use serde_json::json;
use std::cell::Cell;
use std::rc::Rc;

/// The package, as JavaScript sees it.
pub struct Package {
    exchange: Rc<Exchange>,
    calls: Cell<usize>,
    /// Who checks signatures there, in the package's word.
    pub provider: &'static str,
}

/// Codes that say nothing about a case: the package was asked wrongly, broke, or had no answer.
const NO_VERDICT: [&str; 2] = ["internal", "argument"];

impl Package {
    /// Called through this exchange.
    pub fn new(exchange: Rc<Exchange>, provider: &'static str) -> Self {
        Self {
            exchange,
            calls: Cell::default(),
            provider,
        }
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.calls.get()
    }

    /// What an entry gives, or the code with which it throws.
    pub fn call(&self, entry: &str, arguments: Value) -> Run<Value> {
        self.calls.set(self.calls.get() + 1);
        let Some(answer) = self
            .exchange
            .ask(json!({"entry": entry, "arguments": arguments}))
        else {
            return refuse("vector.no-answer-yet");
        };
        if let Some(value) = answer.get("value") {
            return Ok(value.clone());
        }
        match answer.get("code").and_then(Value::as_str) {
            Some(code) if !NO_VERDICT.contains(&code) && !code.starts_with("host.") => refuse(code),
            _ => Err(Stop::Broken(format!("{entry}: {answer}"))),
        }
    }
}

/// Bytes as an argument.
pub fn bytes(bytes: &[u8]) -> Value {
    json!({"base64": base64::encode(bytes)})
}
