//! What goes wrong where several threads work at one call.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::control::Control;
use crate::error::{Error, Result};

/// The failure that a call ends with: of several, the one nearest to the begin.
/// After the first, threads take no more work.
#[derive(Default)]
pub(super) struct Failure {
    failed: AtomicBool,
    first: Mutex<Option<(u64, Error)>>,
}

impl Failure {
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Note an error at a place in the order of the work.
    pub(super) fn fail(&self, at: u64, error: Error) {
        self.failed.store(true, Relaxed);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|(before, _)| at < *before) {
            *first = Some((at, error));
        }
    }

    /// The failure, once all threads have ended.
    pub(super) fn take(&self) -> Result<()> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// What the calling thread does while it waits for others: it lets a callback
    /// know of the progress, if there is one.
    pub(super) fn look<'a>(&'a self, control: Option<&'a Control>) -> Option<impl Fn() + 'a> {
        let watched = control.filter(|control| control.is_watched())?;
        Some(move || {
            if let Err(error) = watched.check() {
                self.fail(0, error);
            }
        })
    }
}
