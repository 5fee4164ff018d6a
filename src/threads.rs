//! Threads that start and end within a call, so that a process can fork
//! between calls. The only place that starts any.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, Thread};
use std::time::Duration;

thread_local! {
    static HELPS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread was started here.
pub(crate) fn is_helper() -> bool {
    HELPS.get()
}

/// How many threads a call may use, of which `limit` is the most; 0 means one
/// per core.
pub(crate) fn allowed(limit: usize) -> usize {
    match limit {
        0 => thread::available_parallelism().map_or(1, usize::from),
        limit => limit,
    }
}

/// How often a thread that waits for others looks after other things.
const LOOK: Duration = Duration::from_millis(10);

/// A helper that leaves, however that comes.
struct Leaves<'a>(&'a AtomicUsize, &'a Thread);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
        self.1.unpark();
    }
}

/// Do the same work on up to `n` threads, this one among them, and wait for
/// all. Where no more threads can be had, fewer do. What this thread has to do
/// while it waits, if anything, is `meanwhile`.
pub(crate) fn share(n: usize, work: impl Fn() + Sync, meanwhile: Option<&dyn Fn()>) {
    let helpers = AtomicUsize::new(0);
    let caller = thread::current();
    let helper = || {
        let _leaves = Leaves(&helpers, &caller);
        HELPS.set(true);
        work();
    };
    thread::scope(|scope| {
        let start = |_| {
            helpers.fetch_add(1, Relaxed);
            let started = thread::Builder::new().spawn_scoped(scope, helper);
            if started.is_err() {
                helpers.fetch_sub(1, Relaxed);
            }
            started.ok()
        };
        let started: Vec<_> = (1..n).map_while(start).collect();
        work();
        if let Some(meanwhile) = meanwhile {
            while helpers.load(Relaxed) > 0 {
                thread::park_timeout(LOOK);
                meanwhile();
            }
        }
        for helper in started {
            helper.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

/// Do `helper` on another thread beside `main`, which is told whether there is
/// one.
pub(crate) fn beside<R>(helper: impl FnOnce() + Send, main: impl FnOnce(bool) -> R) -> R {
    thread::scope(|scope| {
        let helper = thread::Builder::new().spawn_scoped(scope, || {
            HELPS.set(true);
            helper();
        });
        let result = main(helper.is_ok());
        if let Ok(helper) = helper {
            helper.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        result
    })
}
