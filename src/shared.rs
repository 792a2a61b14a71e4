//! What the parts of one request share. A request's future moves between threads where its host's
//! futures may; where there is one thread, as in WebAssembly, the lock is always free.

use core::fmt;
use spin::Mutex;

/// A value behind a lock that nobody holds across an `await`.
#[derive(Default)]
pub(crate) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Looks at the value, or changes it. The closure must not come back here.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock())
    }
}

impl<T: Copy> Shared<T> {
    pub(crate) fn get(&self) -> T {
        self.with(|value| *value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|value| value.fmt(f))
    }
}
