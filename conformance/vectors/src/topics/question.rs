//! What cases of several topics ask in the same words: who signed, and whether a log says so.

use crate::case::Case;
use crate::case::Run;
use crate::case::Stop;
use sealgate::internals::sigstore::identity::Identity;
use sealgate::internals::sigstore::identity::Pattern;
use sealgate::internals::sigstore::verify::Signer;
use sealgate::internals::sigstore::verify::Thresholds;
use sealgate::internals::x509::fulcio::Claims;
use serde_json::Value;

impl Case {
    /// `tlog: true` demands an entry also where the trusted root lists no log. `false` takes nothing
    /// away: what the root lists is always demanded.
    pub fn log_threshold(&self) -> Run<Thresholds> {
        let wanted = match self.param("tlog") {
            None | Some(Value::Bool(false)) => 0,
            Some(Value::Bool(true)) => 1,
            Some(_) => return Err(Stop::Broken("params.tlog is no boolean".into())),
        };
        Ok(Thresholds {
            logs: wanted,
            ..Thresholds::default()
        })
    }

    /// The identity by name or by expression; what the case leaves open is the certificate's own.
    pub fn identity(&self, own: &Claims) -> Run<Signer> {
        self.identity_with(own, Vec::new())
    }

    /// As [`Self::identity`], with further claims of the certificate.
    pub fn identity_with(&self, own: &Claims, claims: Vec<(String, String)>) -> Run<Signer> {
        let issuer = own.issuer().unwrap_or_default();
        Ok(Signer::Identity(vec![Identity {
            subject: self.pattern("identity", "identity_regex", Some(own.subject().text()))?,
            issuer: self.pattern("issuer", "issuer_regex", Some(issuer))?,
            claims,
        }]))
    }

    /// A text by name or by expression. With `own`, it may be left open; with both, the case is not
    /// understood.
    pub fn pattern(&self, exact: &str, expression: &str, own: Option<&str>) -> Run<Pattern> {
        match (self.text(exact)?, self.text(expression)?, own) {
            (Some(text), None, _) | (None, None, Some(text)) => Ok(Pattern::exact(text)?),
            (None, Some(text), _) => Ok(Pattern::search(text)?),
            _ => Err(Stop::Unsupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(params: &str) -> Case {
        Case::for_tests(&format!(
            r#"{{"id": "t/x", "inputs": {{}}, "params": {params}, "expect": "ok"}}"#
        ))
    }

    #[test]
    fn a_log_only_adds() {
        for (params, expected) in [
            ("{}", Some(0)),
            (r#"{"tlog": false}"#, Some(0)),
            (r#"{"tlog": true}"#, Some(1)),
            (r#"{"tlog": "yes"}"#, None),
        ] {
            let found = case(params).log_threshold().ok();
            assert_eq!(found.map(|found| found.logs), expected, "{params}");
        }
    }

    #[test]
    fn names_and_expressions() {
        for (params, own, expected) in [
            (r#"{"identity": "a"}"#, None, Some(Pattern::exact("a"))),
            (
                r#"{"identity_regex": "a+"}"#,
                None,
                Some(Pattern::search("a+")),
            ),
            ("{}", Some("own"), Some(Pattern::exact("own"))),
            ("{}", None, None),
            (
                r#"{"identity": "a", "identity_regex": "a"}"#,
                Some("own"),
                None,
            ),
        ] {
            let found = case(params).pattern("identity", "identity_regex", own).ok();
            let expected = expected.and_then(Result::ok);
            assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{params}");
        }
    }
}
