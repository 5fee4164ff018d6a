//! Watching and stopping reads.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::threads;

/// Watches and stops the reads that it is given to. May be used from any
/// thread at any time. Clones are the same control.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<State>);

#[derive(Debug)]
struct State {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    /// As [`crate::Options::threads`]; -1 leaves it to them.
    threads: AtomicI32,
    watched: AtomicBool,
    watcher: Mutex<Option<Watcher>>,
}

impl Default for State {
    fn default() -> State {
        State {
            cancelled: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            threads: AtomicI32::new(-1),
            watched: AtomicBool::new(false),
            watcher: Mutex::new(None),
        }
    }
}

/// Who is told of the progress.
struct Watcher {
    tell: Box<Tell>,
    interval: Duration,
    due: Instant,
}

/// Told bytes that are there and bytes of all; `false` stops the read.
type Tell = dyn FnMut(u64, u64) -> bool + Send;

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watcher({:?})", self.interval)
    }
}

impl Control {
    /// A control that has seen no read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ask the reads that use it to stop; they give [`ErrorKind::Cancelled`].
    /// Stays in force until [`Control::reset`]. Takes no lock and no memory, so
    /// that signal handlers may call it.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Relaxed);
    }

    /// Forget a cancel and the progress so far.
    pub fn reset(&self) {
        self.0.cancelled.store(false, Relaxed);
        self.0.done.store(0, Relaxed);
        self.0.total.store(0, Relaxed);
    }

    /// Bytes of results that are there, and bytes of all results asked for,
    /// since the last reset; where an index is built, of the compressed file.
    pub fn progress(&self) -> (u64, u64) {
        (self.0.done.load(Relaxed), self.0.total.load(Relaxed))
    }

    /// Most threads for what it is given to, in the place of
    /// [`crate::Options::threads`]; `None` to leave it.
    pub fn set_threads(&self, threads: Option<usize>) {
        let limit = threads.map_or(-1, |n| i32::try_from(n).unwrap_or(i32::MAX));
        self.0.threads.store(limit, Relaxed);
    }

    /// Call `tell` about every `interval` with bytes done and bytes of all, on
    /// the thread that reads: it answers whether to go on. `None` for no one.
    /// While one read calls it, others do not wait for their turn.
    pub fn set_callback(
        &self,
        tell: Option<impl FnMut(u64, u64) -> bool + Send + 'static>,
        interval: Duration,
    ) {
        let watcher = tell.map(|tell| Watcher {
            tell: Box::new(tell),
            interval,
            due: Instant::now(),
        });
        self.0.watched.store(watcher.is_some(), Relaxed);
        *self
            .0
            .watcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = watcher;
    }

    pub(crate) fn threads(&self) -> Option<usize> {
        usize::try_from(self.0.threads.load(Relaxed)).ok()
    }

    /// Whether someone on the calling thread is to be told of the progress.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.watched.load(Relaxed)
    }

    pub(crate) fn begin(&self, total: u64) {
        self.0.total.fetch_add(total, Relaxed);
    }

    /// What was done is to be done again.
    pub(crate) fn take_back(&self, done: u64) {
        self.0.done.fetch_sub(done, Relaxed);
    }

    /// Call between steps of a read, with the bytes of the result done since
    /// the last call.
    pub(crate) fn step(&self, done: u64) -> Result<()> {
        self.0.done.fetch_add(done, Relaxed);
        self.check()
    }

    /// Fail if the read is to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.cancelled.load(Relaxed) {
            return Err(Error::new(ErrorKind::Cancelled, "the read was cancelled"));
        }
        // Threads of ours are not the one that called.
        if self.is_watched() && !threads::is_helper() && !self.tell() {
            let text = "the progress callback asked to stop the read";
            return Err(Error::new(ErrorKind::Cancelled, text));
        }
        Ok(())
    }

    fn tell(&self) -> bool {
        // A callback that reads by the same control is not called again.
        let Ok(mut watcher) = self.0.watcher.try_lock() else {
            return true;
        };
        let Some(watcher) = &mut *watcher else {
            return true;
        };
        let now = Instant::now();
        if now < watcher.due {
            return true;
        }
        watcher.due = now + watcher.interval;
        let (done, total) = self.progress();
        (watcher.tell)(done, total)
    }
}

/// [`Control::check`] where there may be none.
pub(crate) fn check(control: Option<&Control>) -> Result<()> {
    control.map_or(Ok(()), Control::check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_come_in_their_intervals_and_can_stop() {
        let control = Control::new();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let kept = calls.clone();
        let tell = move |done, total| {
            kept.lock().unwrap().push((done, total));
            done < 20
        };
        control.set_callback(Some(tell), Duration::ZERO);
        control.begin(30);
        assert!(control.step(0).is_ok() && control.step(10).is_ok());
        assert_eq!(control.step(10).unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(*calls.lock().unwrap(), [(0, 30), (10, 30), (20, 30)]);
        let rare = Arc::new(AtomicU64::new(0));
        let counted = rare.clone();
        let tell = move |_, _| counted.fetch_add(1, Relaxed) < 9;
        control.set_callback(Some(tell), Duration::from_secs(3600));
        (0..100).for_each(|_| assert!(control.step(0).is_ok()));
        assert_eq!(rare.load(Relaxed), 1, "once in an hour");
        control.set_callback(None::<fn(u64, u64) -> bool>, Duration::ZERO);
        assert!(control.step(0).is_ok() && !control.is_watched());
    }

    #[test]
    fn a_poisoned_or_busy_callback_is_left_out() {
        let control = Control::new();
        let again = control.clone();
        let tell = move |_, _| again.step(1).is_ok();
        control.set_callback(Some(tell), Duration::ZERO);
        assert!(control.step(1).is_ok());
        assert_eq!(control.progress(), (2, 0));
    }
}
