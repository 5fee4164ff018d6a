//! Reads of one source, in the order of its bytes.
//!
//! All selections of a call become one queue of pieces in ascending order.
//! Threads take jobs from it: the pieces that begin in a span of the source
//! which can be read by itself. Of compressed data such spans lie between
//! places of the seek index; where there are none yet, all threads decode ahead
//! (`ahead`), or one decodes and another converts. So each byte is decoded once,
//! whatever was asked for.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Data;
use super::ahead::JOINED;
use super::failure::Failure;
use super::plan::Plan;
use super::queue::{Item, Queue, Way, Window};
use super::ways::{
    ALONE, CELL, PIECE, TAKEN, VIEWED, cost, cutting, decoded, is_dense, is_scattered, is_straight,
    scattered, threads_for,
};
use crate::codec::{Guessed, Packed, Reading, Splits};
use crate::control::Control;
use crate::core::plan::{Dim, Piece, Walk};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, View, append, fill};
use crate::mem::{Fault, Target};
use crate::threads;

/// How often a read is made again because what it rested on was wrong.
const MOST_DOUBTS: usize = 3;

/// Pieces on their way from the thread that decodes to the one that converts.
const AHEAD: usize = 4;

/// A selection of one source and where it goes.
pub(super) struct Read<'a> {
    pub(super) plan: &'a Plan,
    pub(super) walks: &'a [Walk],
    pub(super) target: &'a Target<'a>,
    /// Bytes of the result that the control was told of.
    pub(super) done: AtomicU64,
}

/// Make reads of one source. With `threads` above 1, that many may work at it.
pub(super) fn run(
    data: &Data,
    reads: &[Read<'_>],
    threads: usize,
    control: Option<&Control>,
) -> Result<()> {
    let walks = || reads.iter().flat_map(|read| read.walks);
    let Some(start) = walks().map(|walk| walk.offset).min() else {
        return Ok(());
    };
    let end = walks().map(Walk::end).max().unwrap_or(start);
    let needed = match &data.packed {
        Some(_) => decoded(data, walks()),
        None => cost(data, reads),
    };
    let concurrent = data.bytes.is_concurrent();
    let threads = threads_for(data, reads, needed, threads);
    let mut splits = Splits {
        places: Vec::new(),
        guess: None,
    };
    if let Some(packed) = data.packed.as_ref().filter(|_| threads > 1 && concurrent) {
        splits = packed.splits(start..end, is_dense(reads), control)?;
    }
    let attempt = |splits: &Splits| {
        // What ends one try is not to end the next.
        let control = control.map(Control::of_part);
        let control = control.as_ref();
        let work = Work {
            data,
            reads,
            reading: Reading {
                start,
                decoded: needed,
            },
            splits: &splits.places,
            guess: splits.guess.clone(),
            control,
            queue: Mutex::default(),
            failure: Failure::new(control),
            last: (end == data.end).then_some(end),
        };
        work.all(threads, concurrent, end)
    };
    let Some(packed) = &data.packed else {
        return attempt(&splits);
    };
    let restart = || {
        for read in reads {
            read.target.restart();
            let done = read.done.swap(0, Relaxed);
            if let Some(control) = control {
                control.take_back(done);
            }
        }
    };
    if let Some(guess) = splits.guess.clone() {
        let generation = packed.generation();
        match attempt(&splits) {
            // Another call may have found out that what this one rests on is wrong.
            Ok(()) if packed.generation() != generation => {}
            Ok(()) => match packed.adopt(guess) {
                Err(error) if is_of_data(&error) => {}
                adopted => return adopted,
            },
            // Where it was wrong anything can come out.
            Err(error) if is_of_data(&error) => packed.refute(),
            failed => return failed,
        }
        splits.places.clear();
        splits.guess = None;
        restart();
    }
    trusting(&**packed, |again| {
        if again {
            splits.places.clear();
            restart();
        }
        attempt(&splits)
    })
}

/// Do what reads decoded bytes, and again if what it rested on proved to be
/// wrong, to it or to others meanwhile.
pub(super) fn trusting<T>(
    packed: &dyn Packed,
    mut attempt: impl FnMut(bool) -> Result<T>,
) -> Result<T> {
    let (mut turn, mut doubted) = (0, false);
    loop {
        let generation = packed.generation();
        let done = attempt(turn > 0);
        let failed = matches!(&done, Err(error) if is_of_data(error));
        let led_astray = turn < MOST_DOUBTS && failed && packed.doubt();
        doubted |= led_astray;
        let again = led_astray || packed.generation() != generation;
        if !again || failed && turn >= MOST_DOUBTS {
            if failed && doubted {
                packed.relearn();
            }
            return done;
        }
        turn += 1;
    }
}

/// Whether an error can come from where decoding began, not from the data.
pub(super) fn is_of_data(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Codec | ErrorKind::Truncated | ErrorKind::Range
    )
}

/// The pieces that begin in one span.
struct Job {
    items: Vec<Item>,
    /// Where the span ends, if others begin there.
    end: Option<u64>,
}

/// What the threads of a call share.
pub(super) struct Work<'a> {
    pub(super) data: &'a Data,
    pub(super) reads: &'a [Read<'a>],
    pub(super) reading: Reading,
    splits: &'a [u64],
    guess: Option<Guessed>,
    control: Option<&'a Control>,
    queue: Mutex<Queue<'a>>,
    /// By the bytes of the source.
    failure: Failure<'a>,
    /// The end of the array, if it is read to there.
    last: Option<u64>,
}

impl<'a> Work<'a> {
    fn all(&self, threads: usize, concurrent: bool, end: u64) -> Result<()> {
        let session = self.session()?;
        // Behind the last split, what is left is one span.
        let last = match (&self.data.packed, self.splits) {
            (None, _) => u64::MAX,
            (Some(_), []) => 0,
            (Some(_), [first, .., last]) => {
                let span = (last - first) / (self.splits.len() as u64 - 1);
                if end - last > 3 * span {
                    *last
                } else {
                    u64::MAX
                }
            }
            (Some(_), [only]) => *only,
        };
        let shared = threads > 1 && concurrent;
        let ahead = match &self.data.packed {
            Some(packed) if shared && last < u64::MAX && self.guess.is_none() => {
                packed.goes_ahead(last.max(self.reading.start)..end)?
            }
            _ => false,
        };
        self.fill_queue(&session, ahead)?;
        if shared && last > 0 {
            let look = self.failure.look();
            threads::share(threads, || self.jobs_before(last), look.as_deref());
        }
        let session = match ahead.then(|| self.jobs_ahead(threads, &session, end)) {
            None => session,
            Some(Ok(rest)) => rest,
            // What went wrong before comes first.
            Some(Err(error)) => {
                self.fail(u64::MAX, error);
                session
            }
        };
        if threads > 1 && self.is_relayed() {
            self.relay(&session);
        } else {
            let mut worker = Worker::new(self, session.clone());
            self.jobs(&mut worker, u64::MAX);
        }
        self.failure.take()?;
        if let Some(end) = self.last {
            session.check_end(end)?;
        }
        Ok(())
    }

    fn session(&self) -> Result<Arc<dyn ReadAt>> {
        match &self.data.packed {
            Some(packed) => packed.session(self.reading, self.guess.clone(), self.control),
            None => self.data.pinned(),
        }
    }

    fn fill_queue(&self, bytes: &Arc<dyn ReadAt>, ahead: bool) -> Result<()> {
        let mut queue = self.queue();
        let apart = self.is_apart();
        // Asked for once: the next time it may be another answer.
        let view = match scattered(self.data, self.reads) {
            0 => None,
            reads => bytes.view(reads)?,
        };
        for (i, read) in self.reads.iter().enumerate() {
            for walk in read.walks {
                let mut cutting = cutting(read.plan, walk, self.data.codec);
                let view = view.as_ref().filter(|_| is_scattered(walk, cutting));
                let way = match view {
                    Some(view) => {
                        // In memory, gaps cost nothing.
                        cutting = VIEWED;
                        Way::View(view.clone())
                    }
                    // What several may want is not for one of them alone.
                    None if is_straight(read.plan, walk) && apart => Way::Straight,
                    None => Way::Through,
                };
                if let (Way::Through, true) = (&way, is_straight(read.plan, walk)) {
                    cutting.max = PIECE;
                }
                if ahead {
                    cutting.max = cutting.max.min(JOINED);
                }
                queue.left += walk.cost(cutting).0;
                queue.add((i, walk.meaning), way, walk.pieces(cutting));
            }
        }
        Ok(())
    }

    /// Whether no two walks may want the same bytes.
    fn is_apart(&self) -> bool {
        let follows = |pair: &[Walk]| pair[0].end() <= pair[1].offset;
        matches!(self.reads, [read] if read.walks.windows(2).all(follows))
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue<'a>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.has_failed()
    }

    pub(super) fn fail(&self, at: u64, error: Error) {
        self.failure.fail(at, error);
    }

    /// The pieces of the next span, if it begins before `last`.
    fn job(&self, last: u64) -> Option<Job> {
        if self.has_failed() {
            return None;
        }
        let mut queue = self.queue();
        let offset = queue.offset().filter(|&offset| offset < last)?;
        if self.data.packed.is_none() {
            let items = queue.items_of(TAKEN);
            return Some(Job { items, end: None });
        }
        let next = self.splits.partition_point(|&split| split <= offset);
        let end = self.splits.get(next).copied();
        let limit = match end {
            Some(end) => end,
            None if last == u64::MAX && !self.splits.is_empty() => u64::MAX,
            None => offset.saturating_add(CELL),
        };
        let items = queue.items_before(limit);
        Some(Job { items, end })
    }

    fn jobs_before(&self, last: u64) {
        match self.session() {
            Ok(session) => self.jobs(&mut Worker::new(self, session), last),
            Err(error) => self.fail(0, error),
        }
    }

    pub(super) fn jobs(&self, worker: &mut Worker<'_, 'a>, last: u64) {
        while let Some(job) = self.job(last) {
            for item in &job.items {
                if self.has_failed() {
                    return;
                }
                if let Err(error) = worker.item(item) {
                    return self.fail(item.piece.offset, error);
                }
            }
            // Who comes there looks at what stands behind.
            let ends = |item: &Item| Some(item.piece.offset + item.piece.len as u64);
            let last = job.items.iter().any(|item| ends(item) == self.last);
            let end = job.end.filter(|_| self.guess.is_some());
            for end in [end, self.last.filter(|_| last)].into_iter().flatten() {
                if let Err(error) = worker.bytes.check_end(end) {
                    return self.fail(end, error);
                }
            }
        }
    }

    /// Whether one thread decodes what another converts.
    fn is_relayed(&self) -> bool {
        let queue = self.queue();
        let through = queue.runs.iter().all(|run| matches!(run.way, Way::Through));
        let [read] = self.reads else {
            return false;
        };
        if !self.is_apart() {
            return false;
        }
        let left = queue.offset().is_some_and(|offset| {
            let end = read.walks.iter().map(Walk::end).max().unwrap_or(0);
            end - offset >= ALONE
        });
        self.data.packed.is_some() && through && left
    }

    /// Decode on this thread, which may be the only one that can read the
    /// source, and convert on another.
    fn relay(&self, session: &Arc<dyn ReadAt>) {
        let (send, receive) = sync_channel::<(Item, Vec<u8>)>(AHEAD);
        let (back, spare) = sync_channel::<Vec<u8>>(AHEAD + 2);
        let convert = move || {
            // That no one waits for the memory any more does not matter.
            for (item, bytes) in receive {
                if let Err(error) = self.store(&item, &bytes) {
                    return self.fail(item.piece.offset, error);
                }
                let _ = back.send(bytes);
            }
        };
        threads::beside(convert, |helped| {
            if helped {
                return self.decode(session, send, &spare);
            }
            drop(send);
            self.jobs(&mut Worker::new(self, session.clone()), u64::MAX);
        });
    }

    fn decode(
        &self,
        session: &Arc<dyn ReadAt>,
        send: SyncSender<(Item, Vec<u8>)>,
        spare: &Receiver<Vec<u8>>,
    ) {
        while let Some(job) = self.job(u64::MAX) {
            for item in job.items {
                let (at, len) = (item.piece.offset, item.piece.len);
                let mut bytes = spare.try_recv().unwrap_or_default();
                bytes.clear();
                let read = append(&mut bytes, len, |buffer| session.read_at(at, buffer));
                match read.and_then(|n| self.check_length(&item.piece, n)) {
                    Ok(()) if send.send((item, bytes)).is_ok() => {}
                    // The other failed, and said why.
                    Ok(()) => return,
                    Err(error) => return self.fail(at, error),
                }
            }
        }
    }

    fn check_length(&self, piece: &Piece, found: usize) -> Result<()> {
        if (found as u64) < piece.bytes() {
            let end = piece.place(found / piece.len * piece.len) + piece.len as u64;
            return Err(self.data.truncated(piece.place(found), end));
        }
        Ok(())
    }

    /// Convert the elements of a piece.
    pub(super) fn store(&self, item: &Item, bytes: &[u8]) -> Result<()> {
        let Read { plan, target, .. } = &self.reads[item.read];
        let piece = &item.piece;
        let gathered: Vec<Dim>;
        let dims = match piece.across {
            None => &piece.dims[..],
            Some(across) => {
                let from = piece.len as i64;
                gathered = [&piece.dims[..], &[Dim { from, ..across }]].concat();
                &gathered
            }
        };
        let stored = target.store(plan.kernel(item.meaning), bytes, dims, piece.to);
        stored.map_err(|fault| match fault {
            Fault::Outside => outside(),
            Fault::Unfit(at) => {
                let place = piece.place(at);
                plan.unfit(&bytes[at..], item.meaning, place, self.data.codec)
            }
        })?;
        self.step(item)
    }

    pub(super) fn step(&self, item: &Item) -> Result<()> {
        let Some(control) = self.control else {
            return Ok(());
        };
        let read = &self.reads[item.read];
        let done = item.piece.elements() as u64 * read.plan.dtype().size() as u64;
        read.done.fetch_add(done, Relaxed);
        control.step(done)
    }
}

/// One thread's part of the work.
pub(super) struct Worker<'b, 'a> {
    work: &'b Work<'a>,
    bytes: Arc<dyn ReadAt>,
    window: Window,
}

impl<'b, 'a> Worker<'b, 'a> {
    pub(super) fn new(work: &'b Work<'a>, bytes: Arc<dyn ReadAt>) -> Self {
        Worker {
            work,
            bytes,
            window: Window::default(),
        }
    }

    fn item(&mut self, item: &Item) -> Result<()> {
        let Item { way, piece, .. } = item;
        match way {
            Way::Straight => self.straight(item),
            Way::View(view) => self.in_view(view, item),
            Way::Through => {
                let bytes = match &piece.across {
                    Some(across) => self.window.gather(&*self.bytes, piece, across)?,
                    None => self.window.read(&*self.bytes, piece)?,
                };
                self.work.check_length(piece, bytes.len())?;
                self.work.store(item, bytes)
            }
        }
    }

    fn straight(&self, item: &Item) -> Result<()> {
        let piece = &item.piece;
        let Read { plan, target, .. } = &self.work.reads[item.read];
        let read = |to: &mut [_]| {
            let read = fill(to, |buffer| self.bytes.read_at(piece.offset, buffer));
            Ok(read?.len())
        };
        let written = target.write_with(plan.kernel(item.meaning), piece.to, piece.len, read);
        self.work
            .check_length(piece, written.ok_or_else(outside)??)?;
        self.work.step(item)
    }

    fn in_view(&self, view: &View, item: &Item) -> Result<()> {
        let piece = &item.piece;
        let end = piece.offset + piece.len as u64;
        let bytes = usize::try_from(piece.offset)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| view.get(start..end));
        match bytes {
            Some(bytes) => self.work.store(item, bytes),
            None => Err(self.work.data.truncated(view.len() as u64, end)),
        }
    }
}

pub(super) fn outside() -> Error {
    Error::new(ErrorKind::Internal, "a plan leads outside its result")
}
