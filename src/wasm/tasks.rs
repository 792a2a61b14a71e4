//! A job, as JavaScript drives it.

use super::answers::answer;
use super::asks::ask;
use super::shapes::{Step, new};
use super::values::{self, failure};
use crate::error::Failure;
use crate::host::{self, Advance, Remote};
use alloc::vec::Vec;
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

/// Advance it until it is done: `{asks}` are new questions, `{done}` is the result.
#[wasm_bindgen]
pub struct Task {
    inner: Option<host::Task<Result<JsValue, JsValue>>>,
}

impl Task {
    pub(super) fn new(
        remote: Remote,
        future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
    ) -> Self {
        Self {
            inner: Some(host::Task::new(remote, future)),
        }
    }
}

#[wasm_bindgen]
impl Task {
    /// Takes answers and goes on.
    pub fn advance(&mut self, answers: &JsValue) -> Result<Object, JsValue> {
        let answers = values::list(answers)?
            .iter()
            .map(|one| answer(&one))
            .collect::<Result<Vec<_>, _>>()?;
        let task = self
            .inner
            .as_mut()
            .ok_or_else(|| failure(Failure::new("internal", "the task is over")))?;
        let step: Step = new();
        match task.advance(answers) {
            Advance::Done(result) => {
                self.inner = None;
                step.set_done(&result?);
            }
            Advance::Asks(asks) => {
                let asks: Array = asks.into_iter().map(|(id, one)| ask(id, one)).collect();
                step.set_asks(&asks);
            }
        }
        Ok(step.into())
    }
}
