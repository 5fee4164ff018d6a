//! Watching and stopping reads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::error::{Error, ErrorKind, Result};

/// Watches and stops the reads that it is given to. May be used from any
/// thread at any time.
#[derive(Debug, Default)]
pub struct Control {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Control {
    /// A control that has seen no read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ask the reads that use it to stop; they give [`ErrorKind::Cancelled`].
    /// Stays in force until [`Control::reset`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// Forget a cancel and the progress so far.
    pub fn reset(&self) {
        self.cancelled.store(false, Relaxed);
        self.done.store(0, Relaxed);
        self.total.store(0, Relaxed);
    }

    /// Bytes of results that are there, and bytes of all results asked for,
    /// since the last reset.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Relaxed), self.total.load(Relaxed))
    }

    pub(crate) fn begin(&self, total: u64) {
        self.total.fetch_add(total, Relaxed);
    }

    /// Call between steps of a read, with the bytes of the result done since
    /// the last call.
    pub(crate) fn step(&self, done: u64) -> Result<()> {
        self.done.fetch_add(done, Relaxed);
        if self.cancelled.load(Relaxed) {
            return Err(Error::new(ErrorKind::Cancelled, "the read was cancelled"));
        }
        Ok(())
    }
}
