//! Threads that start and end within a call, so that a process can fork
//! between calls. The only place that starts any.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::thread;
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

/// Do the same work on up to `n` threads, this one among them, and wait for
/// all. Where no more threads can be had, fewer do. What this thread has to do
/// while it waits, if anything, is `meanwhile`.
pub(crate) fn share(n: usize, work: impl Fn() + Sync, meanwhile: Option<&dyn Fn()>) {
    let caller = thread::current();
    let helper = || {
        HELPS.set(true);
        work();
        caller.unpark();
    };
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, helper).ok();
        let helpers: Vec<_> = (1..n).map_while(start).collect();
        work();
        if let Some(meanwhile) = meanwhile {
            while helpers.iter().any(|helper| !helper.is_finished()) {
                thread::park_timeout(LOOK);
                meanwhile();
            }
        }
        for helper in helpers {
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
