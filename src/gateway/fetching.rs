//! Many that ask for one manifest at once: one fetches it, and the others take it from here.

use crate::limits;
use crate::verify::Subject;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

/// What requests that are under way ask for; few at a time.
#[derive(Debug, Default)]
pub(super) struct UnderWay(RefCell<Vec<Shared>>);

/// It is there for as long as somebody has the turn or waits for it.
#[derive(Debug)]
struct Shared {
    key: String,
    requests: usize,
    /// Hashed and read; whatever is decided on it.
    subject: Option<Rc<Subject>>,
}

impl UnderWay {
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.borrow().iter().any(|shared| shared.key == key)
    }

    pub(super) fn begin(self: &Rc<Self>, key: String) -> Fetching {
        let mut all = self.0.borrow_mut();
        match all.iter_mut().find(|shared| shared.key == key) {
            Some(shared) => shared.requests = shared.requests.saturating_add(1),
            None => all.push(Shared {
                key: key.clone(),
                requests: 1,
                subject: None,
            }),
        }
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
    fn with<T>(&self, f: impl FnOnce(&mut Shared) -> T) -> Option<T> {
        let mut all = self.all.0.borrow_mut();
        let shared = all.iter_mut().find(|shared| shared.key == self.key);
        shared.map(f)
    }

    /// What another one has fetched.
    pub(super) fn found(&self) -> Option<Rc<Subject>> {
        self.with(|shared| shared.subject.clone()).flatten()
    }

    /// For the others: what follows from the bytes alone, and is not too large to be kept.
    pub(super) fn hand_over(&self, subject: &Rc<Subject>) {
        if subject.bytes.len() <= limits::KEPT_MANIFEST && subject.reads_alone() {
            self.with(|shared| shared.subject = Some(subject.clone()));
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.with(|shared| shared.requests = shared.requests.saturating_sub(1));
        let mut all = self.all.0.borrow_mut();
        all.retain(|shared| shared.requests > 0);
    }
}
