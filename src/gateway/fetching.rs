//! Many that ask for one manifest at once: one fetches it, and the others take it from here.

use crate::limits;
use crate::verify::Subject;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

/// What requests that are under way ask for.
#[derive(Debug, Default)]
pub(super) struct UnderWay(RefCell<BTreeMap<String, Shared>>);

/// It is there for as long as somebody has the turn or waits for it.
#[derive(Debug, Default)]
struct Shared {
    requests: usize,
    /// Hashed and read; whatever is decided on it.
    subject: Option<Rc<Subject>>,
}

impl UnderWay {
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.borrow().contains_key(key)
    }

    pub(super) fn begin(self: &Rc<Self>, key: String) -> Fetching {
        let mut shared = self.0.borrow_mut();
        let one = shared.entry(key.clone()).or_default();
        one.requests = one.requests.saturating_add(1);
        let all = self.clone();
        Fetching { all, key }
    }
}

/// One request; it ends with whoever holds this.
#[derive(Debug)]
pub(super) struct Fetching {
    all: Rc<UnderWay>,
    key: String,
}

impl Fetching {
    /// What another one has fetched.
    pub(super) fn found(&self) -> Option<Rc<Subject>> {
        self.all.0.borrow().get(&self.key)?.subject.clone()
    }

    /// For the others: what follows from the bytes alone, and is not too large to be kept.
    pub(super) fn hand_over(&self, subject: &Rc<Subject>) {
        if subject.bytes.len() > limits::KEPT_MANIFEST || !subject.reads_alone() {
            return;
        }
        if let Some(shared) = self.all.0.borrow_mut().get_mut(&self.key) {
            shared.subject = Some(subject.clone());
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        let mut all = self.all.0.borrow_mut();
        if let Some(shared) = all.get_mut(&self.key) {
            shared.requests = shared.requests.saturating_sub(1);
            if shared.requests == 0 {
                all.remove(&self.key);
            }
        }
    }
}
