//! What a registry wants before it answers: challenges (RFC 9110 section 11), and the distribution
//! project's token protocol (docs/spec/auth/token.md, oauth.md).
//!
//! In scope: credentials, reading challenges, what is asked of a token service and what it answers.
//! Out of scope: sending; where a token is kept (`registry`). Challenges and token answers come
//! from the network and are not trusted: a challenge chooses where credentials go, within what
//! `registry::egress` lets it.

use super::url::Url;
use super::url::encode_form;
use crate::encoding::base64;
use crate::encoding::json;
use crate::encoding::json::Dialect;
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Who asks. It belongs to one registry; nobody else gets it, except a token service at the same
/// host, above it, or one that the user wrote down.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody; anonymous tokens are fetched.
    Anonymous,
    /// For Basic challenges, and for the token service.
    Basic {
        /// As at `docker login`.
        username: String,
        /// Password or access token.
        password: String,
    },
    /// An OAuth 2 refresh token (`identitytoken` of a docker configuration).
    IdentityToken(String),
    /// The caller's own headers, sent to this registry as they are; challenges are left to the
    /// caller.
    Forward(Vec<(String, String)>),
}

/// Says which kind, never the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Basic { .. } => "Basic { .. }",
            Self::IdentityToken(_) => "IdentityToken(..)",
            Self::Forward(_) => "Forward(..)",
        })
    }
}

impl Credentials {
    /// The text without what is secret in it, whoever repeats that: a registry may say what it was sent.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        match self {
            Self::Anonymous => text.into(),
            Self::Basic { password, .. } => {
                let header = self.basic().unwrap_or_default();
                let text = hide(text, header.trim_start_matches("Basic "));
                // One of several lines would be shown as one.
                password.lines().fold(text, |text, line| hide(&text, line))
            }
            Self::IdentityToken(token) => hide(text, token),
            Self::Forward(headers) => headers.iter().fold(text.into(), |text, (_, value)| {
                hide(&text, value.split(' ').next_back().unwrap_or_default())
            }),
        }
    }

    /// The Authorization header of Basic authentication (RFC 7617).
    pub(super) fn basic(&self) -> Option<String> {
        let Self::Basic { username, password } = self else {
            return None;
        };
        Some(format!(
            "Basic {}",
            base64::encode(format!("{username}:{password}").as_bytes())
        ))
    }
}

/// Shorter ones are words of any text, and no secrets.
const SECRET: usize = 4;

/// The text without this secret.
pub(super) fn hide(text: &str, secret: &str) -> String {
    if secret.len() < SECRET {
        return text.into();
    }
    text.replace(secret, "(hidden)")
}

/// The challenge that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

/// A Bearer challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub realm: Url,
    pub service: Option<String>,
    /// Split at spaces.
    pub scope: Vec<String>,
    /// The token that was sent does not suffice (RFC 6750 section 3.1).
    pub insufficient: bool,
}

/// What is asked of a token service.
pub(super) struct TokenRequest {
    pub method: &'static str,
    pub url: Url,
    pub authorization: Option<String>,
    pub body: Option<String>,
}

impl Challenge {
    /// Chooses among the challenges of these headers: a Bearer one whose realm is an address, else
    /// Basic.
    pub(super) fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let offered: Vec<Offer> = headers.flat_map(offers).collect();
        let bearer = offered
            .iter()
            .filter(|offer| offer.scheme == "bearer")
            .find_map(Offer::bearer);
        let basic = || {
            offered
                .iter()
                .any(|offer| offer.scheme == "basic")
                .then_some(Self::Basic)
        };
        bearer.map(Self::Bearer).or_else(basic)
    }
}

impl Bearer {
    /// The request for a token with these scopes: POST for an identity token, GET for anyone else.
    pub(super) fn request(&self, credentials: &Credentials, scopes: &[String]) -> TokenRequest {
        let service = self.service.as_deref().map(|service| ("service", service));
        if let Credentials::IdentityToken(token) = credentials {
            let scope = scopes.join(" ");
            let mut form = Vec::from([
                ("grant_type", "refresh_token"),
                ("client_id", "sealgate"),
                ("refresh_token", token),
                ("scope", &scope),
            ]);
            form.extend(service);
            return TokenRequest {
                method: "POST",
                url: self.realm.clone(),
                authorization: None,
                body: Some(encode_form(&form)),
            };
        }
        let query: Vec<_> = service
            .into_iter()
            .chain(scopes.iter().map(|scope| ("scope", scope.as_str())))
            .collect();
        TokenRequest {
            method: "GET",
            url: self.realm.with_query(&query),
            authorization: credentials.basic(),
            body: None,
        }
    }
}

/// What a token service gives.
pub(super) struct Token {
    pub token: String,
    /// `expires_in`: seconds for which it holds.
    pub seconds: Option<u64>,
}

/// The token in a token service's answer; `None` when there is none that a header can carry.
pub(super) fn parse_token(body: &[u8]) -> Option<Token> {
    let answer = json::parse(body, Dialect::Strict).ok()?;
    let member = |name| {
        answer
            .member(name)
            .and_then(json::Node::as_str)
            .filter(|token| !token.is_empty())
    };
    let token = member("token").or_else(|| member("access_token"))?;
    let fits = token.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| Token {
        token: token.into(),
        seconds: answer.member("expires_in").and_then(json::Node::as_u64),
    })
}

struct Offer {
    /// Lower case.
    scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl Offer {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn bearer(&self) -> Option<Bearer> {
        Some(Bearer {
            realm: Url::parse(self.parameter("realm")?)?,
            service: self
                .parameter("service")
                .filter(|service| !service.is_empty())
                .map(Into::into),
            scope: self
                .parameter("scope")
                .unwrap_or_default()
                .split_ascii_whitespace()
                .map(Into::into)
                .collect(),
            insufficient: self.parameter("error") == Some("insufficient_scope"),
        })
    }
}

const SPACE: [char; 2] = [' ', '\t'];

/// RFC 9110 section 11.6.1: a list of challenges, each a scheme with a token68 or a list of
/// parameters. Where the grammar is left, reading stops: what was read counts.
fn offers(header: &str) -> Vec<Offer> {
    let mut found: Vec<Offer> = Vec::new();
    let mut rest = if header.len() > limits::ADDRESS {
        ""
    } else {
        header
    };
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = split_while(rest, is_token);
        if word.is_empty() {
            return found;
        }
        let after = after.trim_start_matches(SPACE);
        match (after.strip_prefix('='), found.last_mut()) {
            (Some(value), Some(offer)) => {
                let Some((value, after)) = parameter_value(value.trim_start_matches(SPACE)) else {
                    return found;
                };
                offer.parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            (Some(_), None) => return found,
            (None, _) => {
                found.push(Offer {
                    scheme: word.to_ascii_lowercase(),
                    parameters: Vec::new(),
                });
                rest = skip_token68(after);
            }
        }
    }
}

/// A token, or a quoted string with its escapes undone; and what follows.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = split_while(text, is_token);
        return Some((value.into(), rest));
    };
    let mut value = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return Some((value, rest.as_str())),
            '\\' => value.push(rest.next()?),
            c => value.push(c),
        }
    }
}

fn skip_token68(text: &str) -> &str {
    let (word, rest) = split_while(text, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/')
    });
    let rest = rest.trim_start_matches('=').trim_start_matches(SPACE);
    if !word.is_empty() && (rest.is_empty() || rest.starts_with(',')) {
        rest
    } else {
        text
    }
}

/// RFC 9110 section 5.6.2, "tchar".
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::iter::once;
    use proptest::prelude::*;

    fn bearer(header: &str) -> Option<(String, Option<String>, String, bool)> {
        match Challenge::choose(once(header))? {
            Challenge::Bearer(b) => Some((
                b.realm.to_string(),
                b.service,
                b.scope.join("+"),
                b.insufficient,
            )),
            Challenge::Basic => None,
        }
    }

    #[test]
    fn bearer_challenges() {
        let realm = "https://a.test/t".to_string();
        let full = Some((
            realm.clone(),
            Some("r \"x\"".to_string()),
            "repository:a/b:pull,push".to_string(),
            false,
        ));
        for header in [
            r#"Bearer realm="https://a.test/t",service="r \"x\"",scope="repository:a/b:pull,push""#,
            r#"bEaReR  realm = "https://a.test/t" , Service="r \x22x\x22""#,
            r#"Basic realm="x, Bearer realm=y", Bearer realm="https://a.test/t",service="r \"x\"",scope="repository:a/b:pull,push""#,
            r#"Negotiate YWJj==, Bearer realm="https://a.test/t",service="r \"x\"",scope="repository:a/b:pull,push", Basic realm=z"#,
            r#", ,Negotiate,Bearer realm="https://a.test/t",service="r \"x\"",scope="repository:a/b:pull,push""#,
        ] {
            if header.contains("\\x22") {
                assert_eq!(bearer(header).unwrap().0, realm);
            } else {
                assert_eq!(bearer(header), full, "{header}");
            }
        }
        assert!(
            bearer(r#"Bearer realm="https://a.test/t",error="insufficient_scope",scope="a  b""#)
                .unwrap()
                .3
        );
    }

    #[test]
    fn basic_and_garbage() {
        for header in [
            "Basic",
            "basic realm=\"x\"",
            "Bearer realm=\"ftp://x\", Basic realm=x",
            "Bearer, Basic",
            "Bearer service=x, Basic x=y",
        ] {
            assert_eq!(
                Challenge::choose(once(header)),
                Some(Challenge::Basic),
                "{header}"
            );
        }
        for header in [
            "",
            ",,",
            "=",
            "realm=\"x\"",
            "Bearer",
            "Bearer realm=\"https://a.test",
            "Bearer realm=",
            "Bearer realm=\"//a\"",
            "Bearer realm=\"https://u:p@a/\"",
            "Digest x=y",
            "\"Basic\"",
            &"Basic,".repeat(2000),
        ] {
            assert_eq!(Challenge::choose(once(header)), None, "{header}");
        }
    }

    #[test]
    fn tokens() {
        for (body, token) in [
            (r#"{"token":"a","access_token":"b"}"#, Some("a")),
            (r#"{"access_token":"b","token":""}"#, Some("b")),
            (r#"{"token":"a\r\nx: y"}"#, None),
            (r#"{"token":"a b"}"#, None),
            (r#"{"token":1}"#, None),
            ("{}", None),
            ("", None),
            ("<html>", None),
            (r#"{"token":"a","token":"b"}"#, None),
        ] {
            let found = parse_token(body.as_bytes()).map(|found| found.token);
            assert_eq!(found.as_deref(), token, "{body}");
        }
        for (body, seconds) in [
            (r#"{"token":"a","expires_in":300}"#, Some(300)),
            (r#"{"token":"a","expires_in":"300"}"#, None),
            (r#"{"token":"a","expires_in":-1}"#, None),
            (r#"{"token":"a"}"#, None),
        ] {
            let found = parse_token(body.as_bytes()).unwrap();
            assert_eq!(found.seconds, seconds, "{body}");
        }
    }

    #[test]
    fn debug_keeps_secrets() {
        for credentials in [
            Credentials::Basic {
                username: "u".into(),
                password: "hush".into(),
            },
            Credentials::IdentityToken("hush".into()),
            Credentials::Forward(alloc::vec![("authorization".into(), "hush".into())]),
        ] {
            assert!(!format!("{credentials:?}").contains("hush"));
        }
    }

    #[test]
    fn what_is_repeated_is_hidden() {
        let user = Credentials::Basic {
            username: "user".into(),
            password: "hush!".into(),
        };
        let headers = alloc::vec![("authorization".into(), "Bearer hush!".into())];
        for credentials in [
            user,
            Credentials::IdentityToken("hush!".into()),
            Credentials::Forward(headers),
        ] {
            let hidden = credentials.hidden_in("no: hush! dXNlcjpodXNoIQ== x");
            assert!(
                !hidden.contains("hush!") && hidden.ends_with(" x"),
                "{hidden}"
            );
        }
        let lines = Credentials::Basic {
            username: "_json_key".into(),
            password: "{\n  \"hush!\": 1\n}".into(),
        };
        assert_eq!(lines.hidden_in("no: {  \"hush!\": 1}"), "no: {(hidden)}");
        let header = "Basic dXNlcjpodXNoIQ==";
        let forwarded = alloc::vec![("authorization".into(), header.into())];
        assert_eq!(
            Credentials::Forward(forwarded).hidden_in(header),
            "Basic (hidden)"
        );
        assert_eq!(hide("a b c", "b"), "a b c");
    }

    proptest! {
        #[test]
        fn never_panics(text: String, near in "(Bearer|Basic|Negotiate)?[ ,=\"\\\\a-c/+]{0,30}") {
            let _ = Challenge::choose([text.as_str(), near.as_str()].into_iter());
            let _ = parse_token(text.as_bytes());
        }
    }
}
