//! Watching and stopping reads.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::threads;

/// Watches and stops the reads that it is given to. May be used from any
/// thread at any time. Clones are the same control.
#[derive(Debug, Clone, Default)]
pub struct Control {
    state: Arc<State>,
    /// The work that this clone serves, if that is some of what the control does.
    work: Option<Arc<Work>>,
}

/// Work that can end by itself.
#[derive(Debug)]
struct Work {
    ends: AtomicBool,
    /// What it is a part of.
    whole: Option<Arc<Work>>,
}

impl Work {
    fn ends(&self) -> bool {
        self.ends.load(Relaxed) || self.whole.as_ref().is_some_and(|whole| whole.ends())
    }
}

#[derive(Debug)]
struct State {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    /// As [`crate::Options::threads`]; -1 leaves it to them.
    threads: AtomicI32,
    watched: AtomicBool,
    watcher: Mutex<Watching>,
}

impl Default for State {
    fn default() -> State {
        State {
            cancelled: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            threads: AtomicI32::new(-1),
            watched: AtomicBool::new(false),
            watcher: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Watching {
    /// Not there while it is called.
    watcher: Option<Watcher>,
    /// How often it was set.
    turn: u64,
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
        self.state.cancelled.store(true, Relaxed);
    }

    /// Forget a cancel and the progress so far.
    pub fn reset(&self) {
        self.state.cancelled.store(false, Relaxed);
        self.state.done.store(0, Relaxed);
        self.state.total.store(0, Relaxed);
    }

    /// Bytes of results that are there, and bytes of all results asked for,
    /// since the last reset; where an index is built, of the compressed file.
    /// What has to be read again counts anew.
    pub fn progress(&self) -> (u64, u64) {
        let State { done, total, .. } = &*self.state;
        (done.load(Relaxed), total.load(Relaxed))
    }

    /// Most threads for what it is given to, in the place of
    /// [`crate::Options::threads`]; `None` to leave it.
    pub fn set_threads(&self, threads: Option<usize>) {
        let limit = threads.map_or(-1, |n| i32::try_from(n).unwrap_or(i32::MAX));
        self.state.threads.store(limit, Relaxed);
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
        self.state.watched.store(watcher.is_some(), Relaxed);
        let mut watching = self.watching();
        watching.turn += 1;
        watching.watcher = watcher;
    }

    fn watching(&self) -> MutexGuard<'_, Watching> {
        let watching = self.state.watcher.lock();
        watching.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn threads(&self) -> Option<usize> {
        usize::try_from(self.state.threads.load(Relaxed)).ok()
    }

    /// The same control for a part of the work, which [`Control::end`] ends on all
    /// its threads.
    pub(crate) fn of_part(&self) -> Control {
        Control {
            state: self.state.clone(),
            work: Some(Arc::new(Work {
                ends: AtomicBool::new(false),
                whole: self.work.clone(),
            })),
        }
    }

    /// Let the threads of this part of the work end.
    pub(crate) fn end(&self) {
        if let Some(work) = &self.work {
            work.ends.store(true, Relaxed);
        }
    }

    /// Whether someone on the calling thread is to be told of the progress.
    pub(crate) fn is_watched(&self) -> bool {
        self.state.watched.load(Relaxed)
    }

    pub(crate) fn begin(&self, total: u64) {
        self.state.total.fetch_add(total, Relaxed);
    }

    /// What was done is to be done again.
    pub(crate) fn take_back(&self, done: u64) {
        self.state.done.fetch_sub(done, Relaxed);
    }

    /// Call between steps of a read, with the bytes of the result done since
    /// the last call.
    pub(crate) fn step(&self, done: u64) -> Result<()> {
        self.state.done.fetch_add(done, Relaxed);
        self.check()
    }

    /// Fail if the read was told to stop.
    pub(crate) fn check_cancelled(&self) -> Result<()> {
        let ends = self.work.as_ref().is_some_and(|work| work.ends());
        if ends || self.state.cancelled.load(Relaxed) {
            return Err(Error::new(ErrorKind::Cancelled, "the read was cancelled"));
        }
        Ok(())
    }

    /// Fail if the read is to stop; a callback is asked, too.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_cancelled()?;
        // Threads of ours are not the one that called.
        if self.is_watched() && !threads::is_helper() && !self.tell() {
            self.end();
            let text = "the progress callback asked to stop the read";
            return Err(Error::new(ErrorKind::Cancelled, text));
        }
        Ok(())
    }

    fn tell(&self) -> bool {
        let now = Instant::now();
        let mut watching = self.watching();
        // Whoever calls it now has it.
        let due = |watcher: &mut Watcher| now >= watcher.due;
        let Some(mut watcher) = watching.watcher.take_if(due) else {
            return true;
        };
        let turn = watching.turn;
        drop(watching);
        watcher.due = now + watcher.interval;
        let (done, total) = self.progress();
        let goes_on = (watcher.tell)(done, total);
        let mut watching = self.watching();
        // It may have set another one, or none.
        if watching.turn == turn {
            watching.watcher = Some(watcher);
        }
        goes_on
    }
}

/// How often who waits for others looks whether to go on.
const LOOK: Duration = Duration::from_millis(10);

/// Wait until what others do lets this thread go on, or its control ends the
/// wait, which is looked at without the lock: it may call back.
pub(crate) fn wait<'a, T>(
    mutex: &'a Mutex<T>,
    changed: &Condvar,
    control: Option<&Control>,
    mut is_busy: impl FnMut(&mut T) -> bool,
) -> Result<MutexGuard<'a, T>> {
    loop {
        let mut guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_busy(&mut guard) {
            return Ok(guard);
        }
        let waited = changed.wait_timeout(guard, LOOK);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        check(control)?;
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
    fn a_callback_may_read_and_set_another() {
        let control = Control::new();
        let again = control.clone();
        let tell = move |_, _| again.step(1).is_ok();
        control.set_callback(Some(tell), Duration::ZERO);
        assert!(control.step(1).is_ok());
        assert_eq!(control.progress(), (2, 0));
        let again = control.clone();
        let tell = move |_, _| {
            again.set_callback(None::<fn(u64, u64) -> bool>, Duration::ZERO);
            true
        };
        control.set_callback(Some(tell), Duration::ZERO);
        assert!(control.step(1).is_ok() && !control.is_watched());
        assert!(control.watching().watcher.is_none());
    }

    #[test]
    fn a_callback_stops_one_part() {
        let control = Control::new();
        control.set_callback(Some(|_, _| false), Duration::ZERO);
        let [one, other] = [0, 1].map(|_| control.of_part());
        let inner = one.of_part();
        assert!(one.check().is_err() && inner.check().is_err());
        control.set_callback(None::<fn(u64, u64) -> bool>, Duration::ZERO);
        assert!(one.check().is_err() && inner.check().is_err());
        assert!(other.check().is_ok() && control.check().is_ok());
        let inner = other.of_part();
        inner.end();
        assert!(inner.check().is_err() && other.check().is_ok());
    }
}
