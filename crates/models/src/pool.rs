//! Where do threads take scratch space from that outlives a question?

use std::sync::{Mutex, PoisonError};

/// Spare values; a thread takes one, works and gives it back as it found it.
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Lends a spare value, or a fresh one; `work` must leave it as it was.
    pub(crate) fn with<R>(&self, fresh: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let spare = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = spare().pop();
        let mut value = taken.unwrap_or_else(fresh);
        let answer = work(&mut value);
        spare().push(value);
        answer
    }
}
