//! What Amazon's registries take (docs/gateway.md "Signing in"): a password that Amazon gives out to
//! who signs a request for it, for 12 hours, and that is had again before it ends.
//!
//! Signing is the shell's: the request says with which keys.

use super::credentials::Ecr;
use super::moment::Moment;
use crate::encoding::base64;
use crate::encoding::json::{self, Dialect, Node, Value};
use crate::error::HostError;
use crate::host::{AwsKeys, Egress, Host, Request, Response, Store};
use crate::keyed::Keyed;
use crate::limits;
use crate::oci::auth::Credentials;
use crate::time::UnixTime;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

/// Seconds before its end from which on a new one is asked for.
const EARLY: i64 = 30 * 60;
/// Seconds until that is tried again, while the old one holds.
const AGAIN: i64 = 60;
/// Seconds for which a password holds at most, and where its end cannot be read.
const LONGEST: i64 = 12 * 3_600;
const UNREAD: i64 = 3_600;
/// Seconds for which nobody asks again, where there is none.
const FAILED: i64 = 10;

/// What was given out, by the key of the credentials.
#[derive(Default)]
pub(super) struct Issued(RefCell<Keyed<Lease>>);

/// How many, and never what they are.
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issued({})", self.0.borrow().len())
    }
}

/// What is known of one of them.
#[derive(Clone, Default)]
struct Lease {
    password: Option<(Credentials, UnixTime)>,
    /// When Amazon was asked in vain since, or for what ends too soon, and what came of it.
    failed: Option<(UnixTime, String)>,
}

impl Lease {
    fn holds(&self, now: UnixTime, early: i64) -> Option<&Credentials> {
        let (credentials, until) = self.password.as_ref()?;
        (now.0.saturating_add(early) < until.0).then_some(credentials)
    }

    /// What is to be used without asking, or why nothing is.
    fn known(&self, now: UnixTime) -> Option<Result<Credentials, String>> {
        if let Some(fresh) = self.holds(now, EARLY) {
            return Some(Ok(fresh.clone()));
        }
        let (at, why) = self.failed.as_ref()?;
        let seconds = |seconds| Moment::of(now).is_before(UnixTime(at.0.saturating_add(seconds)));
        match self.holds(now, AGAIN) {
            Some(old) => seconds(AGAIN).then(|| Ok(old.clone())),
            // Whoever asks meanwhile learns the same.
            None => seconds(FAILED).then(|| Err(why.clone())),
        }
    }
}

impl Issued {
    fn lease(&self, key: &str) -> Lease {
        self.0.borrow().get(key).cloned().unwrap_or_default()
    }

    /// Those that hold now; else why there are none, for the operator's log.
    pub(super) async fn credentials<R: Host + Store>(
        &self,
        (key, ecr): (&str, &Ecr),
        now: UnixTime,
        remote: &R,
    ) -> Result<Credentials, String> {
        if let Some(known) = self.lease(key).known(now) {
            return known;
        }
        // One asks, and whoever waited finds what came of it.
        remote.lock(&format!("ecr/{key}")).await;
        if let Some(known) = self.lease(key).known(now) {
            return known;
        }
        let found = match remote.fetch(request(ecr)).await {
            Ok(response) => read(&response, now).map_err(|why| format!("{}: {why}", endpoint(ecr))),
            Err(error) => Err(told(&error)),
        };
        let mut lease = self.lease(key);
        match found {
            Ok(password) => {
                lease.password = Some(password);
                // One that ends so soon is had again by and by, and not at each request.
                lease.failed = lease.holds(now, EARLY).is_none().then(|| (now, ended()));
            }
            Err(why) => lease.failed = Some((now, why)),
        }
        let outcome = match (lease.holds(now, AGAIN), &lease.failed) {
            (Some(credentials), _) => Ok(credentials.clone()),
            (None, Some((_, why))) => Err(why.clone()),
            (None, None) => Err(ended()),
        };
        self.0.borrow_mut().insert(key, lease);
        outcome
    }
}

fn ended() -> String {
    "Amazon gave a password that has ended, or ends at once: is the clock here right?".to_string()
}

fn told(error: &HostError) -> String {
    error.to_string()
}

fn endpoint(ecr: &Ecr) -> String {
    match &ecr.endpoint {
        Some(endpoint) => endpoint.trim_end_matches('/').into(),
        None => {
            let china = if ecr.region.starts_with("cn-") {
                ".cn"
            } else {
                ""
            };
            format!("https://api.ecr.{}.amazonaws.com{china}", ecr.region)
        }
    }
}

/// `GetAuthorizationToken` of Amazon ECR's API, version 2015-09-21.
fn request(ecr: &Ecr) -> Request {
    let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    Request {
        method: "POST",
        url: format!("{}/", endpoint(ecr)),
        headers: Vec::from([
            ("content-type".into(), "application/x-amz-json-1.1".into()),
            ("x-amz-target".into(), target.into()),
        ]),
        body: Some("{}".into()),
        max_bytes: limits::TOKEN,
        egress: Egress::Operator,
        sign: Some(AwsKeys {
            service: "ecr".into(),
            region: ecr.region.clone(),
            access_key_id: ecr.access_key_id.clone(),
            secret_access_key: ecr.secret_access_key.clone(),
            session_token: ecr.session_token.clone(),
        }),
    }
}

/// The password and until when it holds. Of an error its type alone is told: its message repeats what
/// was signed, a session's token included.
fn read(response: &Response, now: UnixTime) -> Result<(Credentials, UnixTime), String> {
    let document = json::parse(&response.body, Dialect::Strict).ok();
    if response.status != 200 {
        let kind = document.as_ref().and_then(|body| body.member("__type"));
        let kind = kind.and_then(Node::as_str).unwrap_or("no reason given");
        let is_word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '#' | ' ');
        let kind: String = kind.chars().filter(is_word).take(80).collect();
        return Err(format!(
            "expected status 200, found {} ({kind})",
            response.status
        ));
    }
    let unread =
        || "expected an authorizationToken of Amazon ECR, found something else".to_string();
    let data = document
        .as_ref()
        .and_then(|body| body.member("authorizationData")?.as_array()?.first())
        .ok_or_else(unread)?;
    let token = data.member("authorizationToken").and_then(Node::as_str);
    let pair = token.and_then(base64::decode);
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
    let (username, password) = pair
        .as_ref()
        .and_then(|pair| pair.split_once(':'))
        .ok_or_else(unread)?;
    let credentials = Credentials::Basic {
        username: username.into(),
        password: password.into(),
    };
    Ok((credentials, until(data, now)))
}

/// `expiresAt`: seconds, mostly with a fraction.
fn until(data: &Node, now: UnixTime) -> UnixTime {
    let number = data.member("expiresAt").map(|node| &node.value);
    let whole = match number {
        Some(Value::Number(text)) if !text.contains(['e', 'E']) => {
            text.split('.').next().and_then(|text| text.parse().ok())
        }
        _ => None,
    };
    let latest = now.0.saturating_add(LONGEST);
    UnixTime(whole.map_or(now.0.saturating_add(UNREAD), |end: i64| end.min(latest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            url: None,
        }
    }

    #[test]
    fn answers() {
        let token = base64::encode(b"AWS:pass:word");
        for (expires, seconds) in [
            ("4600.809", 3_600),
            ("4600", 3_600),
            ("99999999999.5", LONGEST),
            ("1.448878779809E9", UNREAD),
            ("\"4600\"", UNREAD),
        ] {
            let body = format!(
                r#"{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":{expires}}}]}}"#
            );
            let (credentials, until) = read(&answer(200, &body), UnixTime(1_000)).unwrap();
            let expected = Credentials::Basic {
                username: "AWS".into(),
                password: "pass:word".into(),
            };
            assert!(credentials == expected);
            assert_eq!(until.0 - 1_000, seconds, "{expires}");
        }
        for (status, body, words) in [
            (200, "", "authorizationToken"),
            (200, "{\"authorizationData\":[]}", "authorizationToken"),
            (
                200,
                r#"{"authorizationData":[{"authorizationToken":"hush"}]}"#,
                "authorizationToken",
            ),
            (
                400,
                r#"{"__type":"UnrecognizedClientException","message":"hush"}"#,
                "found 400 (UnrecognizedClientException)",
            ),
            (403, "hush", "found 403 (no reason given)"),
            (302, "", "found 302"),
        ] {
            let why = read(&answer(status, body), UnixTime(1_000)).map(|_| ());
            let why = why.expect_err(body);
            assert!(why.contains(words) && !why.contains("hush"), "{why}");
        }
    }

    #[test]
    fn endpoints() {
        let mut ecr = Ecr {
            region: "eu-central-1".into(),
            endpoint: None,
            access_key_id: "AK".into(),
            secret_access_key: "hush".into(),
            session_token: Some("hush".into()),
        };
        let asked = request(&ecr);
        assert_eq!(asked.url, "https://api.ecr.eu-central-1.amazonaws.com/");
        assert!(!format!("{asked:?}").contains("hush"));
        ecr.region = "cn-north-1".into();
        assert_eq!(
            request(&ecr).url,
            "https://api.ecr.cn-north-1.amazonaws.com.cn/"
        );
        ecr.endpoint = Some("https://vpce-1.api.ecr.test/".into());
        assert_eq!(request(&ecr).url, "https://vpce-1.api.ecr.test/");
    }
}
