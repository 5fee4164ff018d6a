//! What goes wrong where several threads work at one call.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};

/// The failure that a call ends with: of several, the one nearest to the begin.
/// After the first, threads take no more work, and end what they are at if there
/// is a control.
pub(super) struct Failure<'a> {
    control: Option<&'a Control>,
    failed: AtomicBool,
    first: Mutex<Option<(u64, Error)>>,
}

impl<'a> Failure<'a> {
    pub(super) fn new(control: Option<&'a Control>) -> Failure<'a> {
        Failure {
            control,
            failed: AtomicBool::new(false),
            first: Mutex::new(None),
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Note an error at a place in the order of the work.
    pub(super) fn fail(&self, at: u64, error: Error) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        // Others are stopped because of the first, which is what went wrong.
        let follows = error.kind() == ErrorKind::Cancelled && first.is_some();
        if !follows && first.as_ref().is_none_or(|(before, _)| at < *before) {
            *first = Some((at, error));
        }
        drop(first);
        self.failed.store(true, Relaxed);
        if let Some(control) = self.control {
            control.end();
        }
    }

    /// The failure, once all threads have ended.
    pub(super) fn take(&self) -> Result<()> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// What the calling thread does while it waits for others: it lets a callback
    /// know of the progress, if there is one.
    pub(super) fn look(&self) -> Option<Box<dyn Fn() + '_>> {
        let watched = self.control.filter(|control| control.is_watched())?;
        Some(Box::new(move || {
            if let Err(error) = watched.check() {
                self.fail(0, error);
            }
        }))
    }
}
