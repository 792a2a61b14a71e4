//! The gateway, as a shell drives it.

use super::answers;
use super::options::{registries_d, web_crypto};
use super::shapes::{FetchRequest, Tagged, new};
use super::tasks::Task;
use super::values::{self, failure, pairs, said};
use crate::gateway::{self, Respond, Stream};
use crate::host::{Answer, Remote};
#[cfg(not(feature = "openpgp"))]
use crate::policy::registries_d::{RegistriesD, RegistriesError};
use crate::policy::{Policy, PolicyError};
use crate::time::UnixTime;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use js_sys::{Array, Object, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What the shell does for a client.
    #[wasm_bindgen(extends = Tagged, extends = Object)]
    type Action;
    #[wasm_bindgen(method, setter)]
    fn set_path(this: &Action, path: &str);
    #[wasm_bindgen(method, setter = statusText)]
    fn set_status_text(this: &Action, text: &str);
    #[wasm_bindgen(method, setter)]
    fn set_body(this: &Action, body: Uint8Array);
    #[wasm_bindgen(method, setter)]
    fn set_pass(this: &Action, names: &Array);
    #[wasm_bindgen(method, setter)]
    fn set_set(this: &Action, headers: &Array);
    #[wasm_bindgen(method, setter = errorBody)]
    fn set_error_body(this: &Action, body: &str);
    #[wasm_bindgen(method, setter)]
    fn set_location(this: &Action, location: &Location);
    #[wasm_bindgen(method, setter)]
    fn set_log(this: &Action, line: &str);

    /// What is replaced in the address of a redirect.
    #[wasm_bindgen(extends = Object)]
    type Location;
    #[wasm_bindgen(method, setter)]
    fn set_from(this: &Location, base: &str);
    #[wasm_bindgen(method, setter)]
    fn set_to(this: &Location, base: &str);

    /// What a client asks of the gateway.
    #[wasm_bindgen(extends = Object)]
    type GatewayRequest;
    #[wasm_bindgen(method, getter)]
    fn method(this: &GatewayRequest) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn url(this: &GatewayRequest) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn headers(this: &GatewayRequest) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn time(this: &GatewayRequest) -> JsValue;
}

/// Begins the making of a gateway. Never fails for a wrong policy: such a gateway refuses
/// everything. Fails with `part.missing` for a policy that needs a larger module.
#[wasm_bindgen(js_name = startGateway)]
pub fn start_gateway(config: &JsValue) -> Result<Task, JsValue> {
    let (config, web_crypto) = configuration(config)?;
    for policy in [Some(&config.policy), config.policy_next.as_ref()]
        .into_iter()
        .flatten()
    {
        match Policy::parse(policy) {
            Err(missing @ (PolicyError::Part | PolicyError::OpenPgpPart)) => {
                return Err(failure(missing));
            }
            #[cfg(not(feature = "openpgp"))]
            Ok(policy) if needs_lookaside(&policy, &config) => {
                return Err(failure(RegistriesError::Part));
            }
            _ => {}
        }
    }
    let remote = super::links::remote(web_crypto);
    let inner = remote.clone();
    Ok(Task::new(remote, async move {
        let gateway = gateway::Gateway::new_by(config, &inner).await;
        Ok(JsValue::from(Gateway {
            inner: Rc::new(gateway),
            web_crypto,
        }))
    }))
}

/// Whether this build lacks what a lookaside needs. What is wrong with a `registries.d` the gateway
/// itself reports.
#[cfg(not(feature = "openpgp"))]
fn needs_lookaside(policy: &Policy, config: &gateway::Config) -> bool {
    let files = config.registries_d.iter().flatten();
    let registries = files.map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    RegistriesD::parse(registries).is_ok_and(|registries| registries.needs_openpgp(policy))
}

/// A gateway in front of one registry; [`start_gateway`] makes it.
#[wasm_bindgen]
pub struct Gateway {
    inner: Rc<gateway::Gateway>,
    web_crypto: bool,
}

#[wasm_bindgen]
impl Gateway {
    /// `{state: "ok"}`, or `"misconfigured"` with code and message.
    pub fn state(&self) -> Result<JsValue, JsValue> {
        let failure = self.inner.misconfigured();
        values::plain(&State {
            state: failure.map_or("ok", |_| "misconfigured"),
            code: failure.map(|failure| failure.code),
            message: failure.map(|failure| failure.message.as_str()),
            note: self.inner.note(),
            next: self.inner.next_misconfigured().map(|failure| Next {
                code: failure.code,
                message: &failure.message,
            }),
        })
    }

    /// Says whether a newer configuration was refused, so that this one stays in force: for `/metrics`.
    #[wasm_bindgen(js_name = setStale)]
    pub fn set_stale(&self, is_stale: bool) {
        self.inner.set_stale(is_stale);
    }

    /// Of a request whose answer may be remembered: what is asked of the upstream first. Both are
    /// lines of text (`js/glance.js`).
    pub fn look(&self, request: &str) -> Option<String> {
        self.inner.look_in_lines(request)
    }

    /// The answer to such a request, if nothing more must be found out now that the upstream has
    /// said 200 and this digest to what was asked.
    pub fn answer(&self, request: &str, asked: String, digest: Option<String>) -> Option<Vec<u8>> {
        self.inner.answer_in_lines(request, asked, digest)
    }

    /// Whether [`Self::judge_next`] has anything to do for this request, which was answered.
    #[wasm_bindgen(js_name = hasNext)]
    pub fn has_next(&self, request: &JsValue) -> Result<bool, JsValue> {
        Ok(self.inner.has_next(&self::request(request)?))
    }

    /// Begins to judge by the next policy what was answered: a line for the log, or nothing.
    #[wasm_bindgen(js_name = judgeNext)]
    pub fn judge_next(&self, request: &JsValue) -> Result<Task, JsValue> {
        let request = self::request(request)?;
        let gateway = self.inner.clone();
        let remote = super::links::remote(self.web_crypto);
        let inner = remote.clone();
        Ok(Task::new(remote, async move {
            let line = gateway.judge_next(&request, &inner).await;
            Ok(line.map_or(JsValue::UNDEFINED, |line| JsValue::from(&line)))
        }))
    }

    /// Begins to hand the store what was decided and is not there yet.
    #[wasm_bindgen(js_name = storeDecisions)]
    pub fn store_decisions(&self, now: &JsValue) -> Result<Task, JsValue> {
        let now = UnixTime(values::to_integer(said(now.clone()), "now")?);
        let gateway = self.inner.clone();
        let remote = super::links::remote(self.web_crypto);
        let inner = remote.clone();
        Ok(Task::new(remote, async move {
            gateway.store_decisions(now, &inner).await;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// Begins the handling of a request; `known` is what the upstream said to `HEAD` of its `url`.
    pub fn handle(&self, request: &JsValue, known: &JsValue) -> Result<Task, JsValue> {
        let request = self::request(request)?;
        let gateway = self.inner.clone();
        let remote = self::known(known, super::links::remote(self.web_crypto))?;
        let inner = remote.clone();
        Ok(Task::new(remote, async move {
            Ok(action(gateway.handle(&request, &inner).await))
        }))
    }
}

#[derive(Serialize)]
struct State<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next<'a>>,
}

/// What is wrong with the next policy.
#[derive(Serialize)]
struct Next<'a> {
    code: &'a str,
    message: &'a str,
}

/// Reads a gateway's configuration.
fn configuration(options: &JsValue) -> Result<(gateway::Config, bool), JsValue> {
    let config = gateway::Config {
        registries: values::text(options, "registries")?,
        upstream_credentials: values::text(options, "upstreamCredentials")?,
        clients: values::text(options, "clients")?,
        upstream: values::text(options, "upstream")?.unwrap_or_default(),
        name: values::text(options, "name")?.unwrap_or_default(),
        policy: values::bytes(options, "policy")?.unwrap_or_default(),
        policy_next: values::bytes(options, "policyNext")?,
        assets: values::byte_map(options, "assets")?,
        registries_d: registries_d(options)?,
        secret: values::bytes(options, "secret")?.unwrap_or_else(Vec::new),
        since: if values::has(options, "since") {
            values::integer(options, "since")?
        } else {
            0
        },
        build: values::text(options, "build")?.unwrap_or_default(),
        cors_origins: values::text_list(options, "corsOrigins")?,
        publish_policy: !values::has(options, "publishPolicy")
            || values::flag(options, "publishPolicy"),
        requests: if values::has(options, "requests") {
            usize::try_from(values::integer(options, "requests")?).unwrap_or(0)
        } else {
            0
        },
        public_url: values::text(options, "publicUrl")?.unwrap_or_default(),
        egress: values::text_list(options, "egress")?,
        mode: gateway::Mode::named(&values::text(options, "mode")?.unwrap_or_default()),
        admin_secret: values::bytes(options, "adminSecret")?.unwrap_or_default(),
        stores_decisions: values::flag(options, "storesDecisions"),
        relay: values::text_list(options, "relay")?,
        foreign_layers: values::flag(options, "foreignLayers"),
    };
    Ok((config, web_crypto(options)?))
}

/// Reads a client's request.
fn request(request: &JsValue) -> Result<gateway::ClientRequest, JsValue> {
    let request: GatewayRequest = values::to_object(request, "request")?;
    Ok(gateway::ClientRequest {
        method: values::to_needed_text(said(request.method()), "method")?.to_ascii_uppercase(),
        url: values::to_needed_text(said(request.url()), "url")?,
        headers: values::to_headers(said(request.headers()))?,
        time: UnixTime(values::to_integer(said(request.time()), "time")?),
    })
}

/// A remote with the answer that is known already, if there is one.
fn known(known: &JsValue, remote: Remote) -> Result<Remote, JsValue> {
    let Some(url) = values::text(known, "url")? else {
        return Ok(remote);
    };
    Ok(match answers::answer(known)? {
        (_, Answer::Response(response)) => remote.knowing(url, Ok(response)),
        (_, Answer::Error(error)) => remote.knowing(url, Err(error)),
        _ => remote,
    })
}

/// An action as the shell carries it out.
fn action(decided: gateway::Action) -> JsValue {
    let action: Action = new();
    match decided {
        gateway::Action::Asset(path) => {
            action.set_kind("asset");
            action.set_path(&path);
        }
        gateway::Action::Sent => action.set_kind("sent"),
        gateway::Action::Respond(respond) => fill_respond(&action, &respond),
        gateway::Action::Stream(stream) => fill_stream(&action, &stream),
    }
    action.into()
}

fn fill_respond(action: &Action, respond: &Respond) {
    action.set_kind("respond");
    action.set_status(respond.status);
    if let Some(text) = &respond.status_text {
        action.set_status_text(text);
    }
    action.set_headers(&pairs(&respond.headers));
    if let Some(body) = &respond.body {
        action.set_body(Uint8Array::from(body.as_slice()));
    }
    if let Some(log) = &respond.log {
        action.set_log(&log.line());
    }
}

fn fill_stream(action: &Action, stream: &Stream) {
    action.set_kind("stream");
    let request: FetchRequest = new();
    request.set_method(stream.method);
    request.set_url(&stream.url);
    request.set_headers(&pairs(&stream.headers));
    action.set_request(&request);
    let pass: Array = stream.pass.iter().map(JsValue::from).collect();
    action.set_pass(&pass);
    action.set_set(&pairs(&stream.set));
    action.set_error_body(&stream.error_body);
    let location: Location = new();
    location.set_from(&stream.location.0);
    location.set_to(&stream.location.1);
    action.set_location(&location);
    if let Some(log) = &stream.log {
        action.set_log(&log.line());
    }
}
