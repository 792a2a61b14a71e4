//! `UPSTREAM_CREDENTIALS` (docs/gateway.md "Signing in"): what registries are asked with. Nothing here
//! shows a secret: errors name keys and members, and never values.

use super::config::{ConfigError, quoted};
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, Node};
use crate::keyed::Keyed;
use crate::limits;
use crate::oci::auth::Credentials;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// What one registry is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// As they are.
    Given(Credentials),
    /// Amazon gives them out, for 12 hours at a time.
    Ecr(Ecr),
}

/// Who asks Amazon for what its registries take.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Ecr {
    pub region: String,
    /// Where, if not at the region's public endpoint: `https://host`.
    pub endpoint: Option<String>,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// Never who asks.
impl fmt::Debug for Ecr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ecr")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// By the names that they were given, in one spelling.
pub(super) fn read(text: &str) -> Result<Keyed<Credential>, ConfigError> {
    if text.len() > limits::SIGN_IN {
        return Err(wrong("at most 1 MiB"));
    }
    let root = json::parse(text.as_bytes(), Dialect::Strict)
        .map_err(|error| wrong(format!("a JSON object: {error}")))?;
    // docker's config.json, and what a pull secret of Kubernetes holds.
    let of_docker = root.member("auths");
    let members = of_docker
        .unwrap_or(&root)
        .as_object()
        .ok_or_else(|| wrong("a JSON object from registries to credentials"))?;
    let mut found = Keyed::default();
    for member in members {
        let key = spelling(&member.key);
        let credential = match of_docker {
            Some(_) => docker(&member.key, &member.node)?,
            None => own(&member.key, &member.node)?,
        };
        if found.insert(key, credential).is_some() {
            return Err(of(&member.key, "once, found it under two spellings"));
        }
    }
    Ok(found)
}

/// How a key names an upstream's `host[:port]`: docker writes addresses, and has four names for its
/// own registry.
pub(super) fn spelling(key: &str) -> &str {
    let key = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let key = ["/v1/", "/v2/", "/v1", "/v2", "/"]
        .iter()
        .find_map(|end| key.strip_suffix(end))
        .unwrap_or(key);
    match key {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        key => key,
    }
}

fn wrong(expected: impl Into<String>) -> ConfigError {
    ConfigError::UpstreamCredentials {
        expected: expected.into(),
    }
}

/// What is expected under this key.
pub(super) fn of(key: &str, expected: &str) -> ConfigError {
    wrong(format!("{:?} {expected}", quoted(key)))
}

const SHAPES: &str = "to be {\"username\", \"password\"}, {\"identityToken\"} or {\"ecr\": \
                      {\"region\", \"accessKeyId\", \"secretAccessKey\"}}, each a text that is not \
                      empty, and of an ecr without spaces and line ends";

fn own(key: &str, node: &Node) -> Result<Credential, ConfigError> {
    let shape = || of(key, SHAPES);
    if let Some(node) = only(node, &["ecr"]).and_then(|()| node.member("ecr")) {
        return ecr(key, node).map(Credential::Ecr);
    }
    let given = if only(node, &["username", "password"]).is_some() {
        basic(
            text(node, "username").ok_or_else(shape)?,
            text(node, "password").ok_or_else(shape)?,
        )
        .ok_or_else(shape)?
    } else if only(node, &["identityToken"]).is_some() {
        Credentials::IdentityToken(text(node, "identityToken").ok_or_else(shape)?.into())
    } else {
        return Err(shape());
    };
    Ok(Credential::Given(given))
}

fn ecr(key: &str, node: &Node) -> Result<Ecr, ConfigError> {
    let known = [
        "region",
        "endpoint",
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
    ];
    // It stands in headers, whose errors would repeat what they cannot carry.
    let is_header = |text: &&str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let need = |name: &str| text(node, name).filter(is_header).map(String::from);
    let optional = |name: &str| match node.member(name) {
        None => Some(None),
        Some(_) => need(name).map(Some),
    };
    let read = || {
        only(node, &known)?;
        Some(Ecr {
            region: need("region")?,
            endpoint: optional("endpoint")?,
            access_key_id: need("accessKeyId")?,
            secret_access_key: need("secretAccessKey")?,
            session_token: optional("sessionToken")?,
        })
    };
    let ecr = read().ok_or_else(|| of(key, SHAPES))?;
    let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_address = |text: &String| super::config::is_origin(text);
    if !ecr.region.chars().all(is_region) || !ecr.endpoint.as_ref().is_none_or(is_address) {
        return Err(of(
            key,
            "to have a region such as eu-central-1, and an endpoint http(s)://host[:port] or none",
        ));
    }
    Ok(ecr)
}

/// An entry of docker's `auths`: what is not known there means nothing to docker either.
fn docker(key: &str, node: &Node) -> Result<Credential, ConfigError> {
    let pair = || {
        let auth = String::from_utf8(base64::decode(text(node, "auth")?)?).ok()?;
        let (username, password) = auth.split_once(':')?;
        basic(username, password.trim_end_matches('\0'))
    };
    let plain = || basic(text(node, "username")?, text(node, "password")?);
    let identity = || {
        Some(Credentials::IdentityToken(
            text(node, "identitytoken")?.into(),
        ))
    };
    identity()
        .or_else(pair)
        .or_else(plain)
        .map(Credential::Given)
        .ok_or_else(|| {
            of(
                key,
                "to have \"auth\" (base64 of user:password), \"identitytoken\", or \"username\" and \
                 \"password\"; no credential helper runs here",
            )
        })
}

/// RFC 7617: no colon in a name, no control character in it. In a password there may be some: Google's
/// is a file of several lines, and it travels as base64.
fn basic(username: &str, password: &str) -> Option<Credentials> {
    let is_name = !username.is_empty() && !username.contains([':', '\0', '\r', '\n']);
    (is_name && !password.is_empty()).then(|| Credentials::Basic {
        username: username.into(),
        password: password.into(),
    })
}

/// Whether it is an object with these members and no other.
fn only(node: &Node, known: &[&str]) -> Option<()> {
    let members = node.as_object()?;
    let are_known = members
        .iter()
        .all(|member| known.contains(&member.key.as_str()));
    (are_known && !members.is_empty()).then_some(())
}

fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    node.member(name)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic_of(username: &str, password: &str) -> Credential {
        Credential::Given(basic(username, password).unwrap())
    }

    #[test]
    fn what_is_taken() {
        let identity = |token: &str| Credential::Given(Credentials::IdentityToken(token.into()));
        // "u:p:q", and what docker writes beside an identity token.
        for (text, key, credential) in [
            (
                r#"{"r.test:5000": {"username": "u", "password": "p:q"}}"#,
                "r.test:5000",
                basic_of("u", "p:q"),
            ),
            (
                r#"{"docker.io": {"username": "u", "password": "p"}}"#,
                "registry-1.docker.io",
                basic_of("u", "p"),
            ),
            (r#"{"a": {"identityToken": "t"}}"#, "a", identity("t")),
            (
                r#"{"auths": {"https://index.docker.io/v1/": {"auth": "dTpwOnE=", "email": "e"}}}"#,
                "registry-1.docker.io",
                basic_of("u", "p:q"),
            ),
            (
                r#"{"auths": {"r.test": {"username": "u", "password": "p"}}, "credsStore": "x"}"#,
                "r.test",
                basic_of("u", "p"),
            ),
            (
                r#"{"google": {"username": "_json_key", "password": "{\n  \"type\": 1\n}"}}"#,
                "google",
                basic_of("_json_key", "{\n  \"type\": 1\n}"),
            ),
            (
                r#"{"auths": {"r.test": {"auth": "PHRva2VuPjo=", "identitytoken": "t"}}}"#,
                "r.test",
                identity("t"),
            ),
        ] {
            let found = read(text).unwrap();
            assert_eq!(found.get(key), Some(&credential), "{text}");
            assert_eq!(found.len(), 1);
        }
        let ecr = r#"{"e": {"ecr": {"region": "eu-central-1", "accessKeyId": "AK",
            "secretAccessKey": "hush", "sessionToken": "hush"}}}"#;
        let found = read(ecr).unwrap();
        assert!(matches!(found.get("e"), Some(Credential::Ecr(ecr)) if ecr.endpoint.is_none()));
        assert!(!format!("{found:?}").contains("hush"));
    }

    #[test]
    fn what_is_wrong_is_said_without_it() {
        for text in [
            "",
            "[]",
            "{\"a\": \"hush\"}",
            r#"{"a": {}}"#,
            r#"{"a": {"username": "hush"}}"#,
            r#"{"a": {"username": "hush", "password": ""}}"#,
            r#"{"a": {"username": "hu:sh", "password": "hush"}}"#,
            r#"{"a": {"username": "u\nhush", "password": "hush"}}"#,
            r#"{"a": {"username": "u", "password": "hush", "more": "hush"}}"#,
            r#"{"a": {"username": "u", "password": 17}}"#,
            r#"{"a": {"identityToken": "hush", "username": "u"}}"#,
            r#"{"a": {"ecr": {"region": "x"}}}"#,
            r#"{"a": {"ecr": {"region": "x.hush/", "accessKeyId": "hush", "secretAccessKey": "hush"}}}"#,
            r#"{"a": {"ecr": {"region": "x", "accessKeyId": "hush", "secretAccessKey": "hush",
               "endpoint": "hush"}}}"#,
            // No header carries it, and what does not carry it would say what it was.
            r#"{"a": {"ecr": {"region": "x", "accessKeyId": "AK\nhush", "secretAccessKey": "hush"}}}"#,
            r#"{"a": {"ecr": {"region": "x", "accessKeyId": "AK", "secretAccessKey": "hu\nsh"}}}"#,
            r#"{"a": {"ecr": {"region": "x", "accessKeyId": "AK", "secretAccessKey": "hush",
               "sessionToken": "AQ\nhush"}}}"#,
            r#"{"a": {"ecr": {"region": "x", "accessKeyId": "AK", "secretAccessKey": "hush",
               "sessionToken": "AQ\u20achush"}}}"#,
            r#"{"a": {"username": "u", "password": "hush"}, "a": {}}"#,
            r#"{"docker.io": {"username": "u", "password": "hush"},
               "index.docker.io": {"username": "u", "password": "hush"}}"#,
            r#"{"auths": {"r.test": {"auth": "hush"}}}"#,
            r#"{"auths": {"r.test": {}}}"#,
            r#"{"auths": "hush"}"#,
        ] {
            let error = read(text).expect_err(text);
            assert!(matches!(error, ConfigError::UpstreamCredentials { .. }));
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
    }
}
