//! Reads of compressed data that several threads decode ahead.

use std::sync::Arc;

use super::queue::{Item, Way};
use super::read::{Read, Work, Worker, outside};
use super::ways::CELL;
use crate::codec::{self, Reading, Taken};
use crate::error::Result;
use crate::io::{ReadAt, fill};

/// Bytes converted at a time: what threads decode is cut there.
pub(super) const JOINED: i64 = 64 << 10;
const _: () = assert!(JOINED as usize <= codec::MOST_JOINED);

/// How often in a row threads decode ahead in vain. Between, one thread decodes
/// twice as much each time.
const PATIENCE: u32 = 3;

impl Work<'_> {
    /// Where nothing tells how data can be divided, let all threads decode what
    /// comes next, as long as that is worth it. Gives what the rest is read from.
    pub(super) fn jobs_ahead(
        &self,
        threads: usize,
        session: &Arc<dyn ReadAt>,
        end: u64,
    ) -> Result<Arc<dyn ReadAt>> {
        let Some(packed) = &self.data.packed else {
            return Ok(session.clone());
        };
        let mut vain = 0;
        loop {
            let next = self.queue().offset().filter(|_| !self.has_failed());
            let Some(start) = next else {
                return Ok(session.clone());
            };
            let reading = Reading {
                start,
                ..self.reading
            };
            let take = |end, _| self.take(end);
            let rest = packed.ahead(session.clone(), reading, end, threads, &take)?;
            // What held it up is passed by one thread.
            vain = if rest.is_good { 0 } else { vain + 1 };
            let reached = self.queue().offset().unwrap_or(end);
            let next = reached + (CELL << vain);
            if vain > PATIENCE || next > end {
                return Ok(rest.bytes);
            }
            self.jobs(&mut Worker::new(self, rest.bytes), next);
        }
    }

    /// The pieces that end before a decoded byte.
    fn take(&self, end: u64) -> Option<Taken<'_>> {
        if self.has_failed() {
            return None;
        }
        let mut queue = self.queue();
        let items = queue.items_before(end.saturating_sub(JOINED as u64));
        let from = queue.offset().unwrap_or(u64::MAX);
        let work = move |start: u64, bytes: &[u8]| {
            for item in &items {
                if self.has_failed() {
                    return;
                }
                if let Err(error) = self.item_in(start, bytes, item) {
                    return self.fail(item.piece.offset, error);
                }
            }
        };
        Some(Taken {
            from,
            work: Box::new(work),
        })
    }

    /// A piece of bytes in memory, which begin at a byte.
    fn item_in(&self, start: u64, bytes: &[u8], item: &Item) -> Result<()> {
        let piece = &item.piece;
        let skip = piece.offset.checked_sub(start).ok_or_else(outside)?;
        let bytes = usize::try_from(skip)
            .ok()
            .and_then(|skip| bytes.get(skip..));
        let bytes = bytes.and_then(|bytes| bytes.get(..piece.len));
        let bytes = bytes.ok_or_else(outside)?;
        if !matches!(item.way, Way::Straight) {
            return self.store(item, bytes);
        }
        let Read { plan, target, .. } = &self.reads[item.read];
        let written = target.write_with(plan.kernel(item.meaning), piece.to, piece.len, |to| {
            Ok(fill(to, |buffer| {
                buffer.push(bytes);
                Ok(())
            })?
            .len())
        });
        written.ok_or_else(outside)??;
        self.step(item)
    }
}
