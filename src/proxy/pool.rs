//! Which files of a series are open: no more than a number of them at a time.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Data;
use crate::codec::Room;
use crate::control::{Control, wait};
use crate::error::Result;

thread_local! {
    /// How many leases this thread holds.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// The files that are open, and the room that their decoded data share.
pub(super) struct Pool {
    most: usize,
    room: Arc<Room>,
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Default)]
struct State {
    /// Numbers of the files that may be open, the longest unused first.
    turns: VecDeque<usize>,
    /// How many calls are reading them.
    reading: HashMap<usize, usize>,
}

impl Pool {
    pub(super) fn new(most: usize, room: Arc<Room>) -> Pool {
        Pool {
            most,
            room,
            state: Mutex::default(),
            left: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data of a file, which may be open from now on until the lease ends.
    /// Waits while as many others are being read as may be open.
    pub(super) fn enter<'a>(
        &'a self,
        number: usize,
        sources: &'a [Data],
        control: Option<&Control>,
    ) -> Result<Lease<'a>> {
        // A callback that reads while this thread holds a file cannot wait for it.
        let waits = HELD.get() == 0;
        let busy = |state: &mut State| {
            let room = state.make_room(number, self.most, sources);
            let admitted = room || !waits;
            if admitted {
                state.admit(number);
            }
            !admitted
        };
        let mut state = wait(&self.state, &self.left, control, busy)?;
        // What was read longest ago makes room for what is decoded next.
        while self.room.is_half_full() {
            let holds = |other: usize| {
                sources[other]
                    .packed
                    .as_ref()
                    .is_some_and(|it| it.cached() > 0)
            };
            let Some(idle) = state.idle(|other| other != number && holds(other)) else {
                break;
            };
            state.close(idle, sources);
        }
        HELD.set(HELD.get() + 1);
        Ok(Lease {
            data: &sources[number],
            pool: Some((self, number)),
        })
    }
}

impl State {
    /// Whether a file is open or can be, once those that no one reads are closed as
    /// far as need be.
    fn make_room(&mut self, number: usize, most: usize, sources: &[Data]) -> bool {
        if self.turns.contains(&number) {
            return true;
        }
        while self.turns.len() >= most {
            let Some(idle) = self.idle(|_| true) else {
                return false;
            };
            self.close(idle, sources);
        }
        true
    }

    /// A file is read, last of all.
    fn admit(&mut self, number: usize) {
        self.turns.retain(|&other| other != number);
        self.turns.push_back(number);
        *self.reading.entry(number).or_default() += 1;
    }

    /// The place of the longest unused file that no one reads, of those wanted.
    fn idle(&self, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let idle = |&number: &usize| !self.reading.contains_key(&number) && wanted(number);
        self.turns.iter().position(idle)
    }

    fn close(&mut self, at: usize, sources: &[Data]) {
        if let Some(number) = self.turns.remove(at) {
            sources[number].bytes.trim();
        }
    }
}

/// The data of a source while they are read.
pub(super) struct Lease<'a> {
    data: &'a Data,
    pool: Option<(&'a Pool, usize)>,
}

impl<'a> Lease<'a> {
    /// Of data that are not in a pool.
    pub(super) fn of(data: &'a Data) -> Lease<'a> {
        Lease { data, pool: None }
    }
}

impl Deref for Lease<'_> {
    type Target = Data;

    fn deref(&self) -> &Data {
        self.data
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some((pool, number)) = self.pool else {
            return;
        };
        HELD.set(HELD.get() - 1);
        let mut state = pool.state();
        if let Some(n) = state.reading.get_mut(&number) {
            *n -= 1;
            if *n == 0 {
                state.reading.remove(&number);
                pool.left.notify_all();
            }
        }
    }
}
