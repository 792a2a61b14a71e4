//! The gateway, as a shell drives it.

use super::options::{registries_d, web_crypto};
use super::pairs;
use super::tasks::Task;
use super::values::{self, failure, set};
use crate::gateway::{self, Action, Respond};
use crate::host::Remote;
use crate::policy::{Policy, PolicyError};
use crate::time::UnixTime;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;

/// A gateway in front of one registry.
#[wasm_bindgen]
pub struct Gateway {
    inner: Rc<gateway::Gateway>,
    web_crypto: bool,
}

#[wasm_bindgen]
impl Gateway {
    /// Never throws for a wrong policy: such a gateway refuses everything. Throws `part.missing`
    /// for a policy that needs a larger module.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue) -> Result<Gateway, JsValue> {
        let (config, web_crypto) = configuration(config)?;
        if let Err(missing @ PolicyError::Part) = Policy::parse(&config.policy) {
            return Err(failure(missing));
        }
        Ok(Self {
            inner: Rc::new(gateway::Gateway::new(config)),
            web_crypto,
        })
    }

    /// `{state: "ok"}`, or `"misconfigured"` with code and message.
    pub fn state(&self) -> Object {
        let object = Object::new();
        match self.inner.misconfigured() {
            None => set(&object, "state", "ok"),
            Some(failure) => {
                set(&object, "state", "misconfigured");
                set(&object, "code", failure.code);
                set(&object, "message", failure.message.as_str());
            }
        }
        object
    }

    /// Begins the handling of a request.
    pub fn handle(&self, request: &JsValue) -> Result<Task, JsValue> {
        let request = self::request(request)?;
        let gateway = self.inner.clone();
        let remote = Remote::new(self.web_crypto);
        let inner = remote.clone();
        Ok(Task::new(remote, async move {
            Ok(action(gateway.handle(&request, &inner).await))
        }))
    }
}

/// Reads a gateway's configuration.
fn configuration(options: &JsValue) -> Result<(gateway::Config, bool), JsValue> {
    let config = gateway::Config {
        upstream: values::need_text(options, "upstream")?,
        name: values::need_text(options, "name")?,
        policy: values::bytes(options, "policy")?.unwrap_or_default(),
        assets: values::byte_map(options, "assets")?,
        registries_d: registries_d(options)?,
        secret: values::bytes(options, "secret")?.unwrap_or_else(Vec::new),
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
    };
    Ok((config, web_crypto(options)?))
}

/// Reads a client's request.
fn request(request: &JsValue) -> Result<gateway::Request, JsValue> {
    Ok(gateway::Request {
        method: values::need_text(request, "method")?.to_ascii_uppercase(),
        url: values::need_text(request, "url")?,
        headers: values::header_list(request, "headers")?,
        time: UnixTime(values::integer(request, "time")?),
    })
}

/// An action as the shell carries it out.
fn action(action: Action) -> JsValue {
    let object = Object::new();
    match action {
        Action::Asset(path) => {
            set(&object, "kind", "asset");
            set(&object, "path", path);
        }
        Action::Sent => set(&object, "kind", "sent"),
        Action::Respond(respond) => fill_respond(&object, respond),
        Action::Stream(stream) => {
            set(&object, "kind", "stream");
            let request = Object::new();
            set(&request, "method", stream.method);
            set(&request, "url", stream.url);
            set(&request, "headers", pairs(&stream.headers));
            set(&object, "request", request);
            set(
                &object,
                "pass",
                stream.pass.iter().map(JsValue::from).collect::<Array>(),
            );
            set(&object, "set", pairs(&stream.set));
            set(&object, "errorBody", stream.error_body);
            let location = Object::new();
            set(&location, "from", stream.location.0);
            set(&location, "to", stream.location.1);
            set(&object, "location", location);
            set_log(&object, stream.log);
        }
    }
    object.into()
}

fn fill_respond(object: &Object, respond: Respond) {
    set(object, "kind", "respond");
    set(object, "status", f64::from(respond.status));
    if let Some(text) = respond.status_text {
        set(object, "statusText", text);
    }
    set(object, "headers", pairs(&respond.headers));
    if let Some(body) = respond.body {
        set(object, "body", Uint8Array::from(body.as_slice()));
    }
    set_log(object, respond.log);
}

fn set_log(object: &Object, log: Option<String>) {
    if let Some(value) = log.and_then(|line| js_sys::JSON::parse(&line).ok()) {
        set(object, "log", value);
    }
}
