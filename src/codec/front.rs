//! Where several threads decode ahead: from the last place that is known to the
//! end of what is to be read.

use std::ops::Range;
use std::sync::Arc;

use super::ahead::{Bounds, Course, Reached, Sinks};
use super::coding::{Blocks, Coding};
use super::decoder::{Decoder, Way};
use super::index::{Point, Trust};
use super::span::SPAN;
use super::stream::{NEAR, Shared};
use super::{Rest, Take};
use crate::error::{ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf};

/// Decoded bytes from which on it is worth its time.
const LEAST: u64 = 2 << 20;

/// Where decoding can begin ahead of reads of a range.
struct Begin<C: Coding> {
    source: Arc<dyn ReadAt>,
    point: Arc<Point<C::Mark>>,
    blocks: Blocks<C::Mark>,
    due: Option<u64>,
    generation: u64,
}

/// Compressed bytes by decoded ones where it is worth its time. What is denser
/// one thread decodes as fast as memory goes; what is not compressed, too.
const WORTH: Range<f64> = 0.03..0.98;

/// Decoded bytes between places, of which there would be too many else.
const NEAREST: u64 = 32 << 10;

/// Whether all of the data are such that it can be worth its time, as far as is
/// known.
fn is_worth_it<C: Coding>(shared: &Shared<C>) -> bool {
    let spaced = shared.index.read().spacing >= NEAREST;
    match (shared.index.compressed, shared.expected()) {
        (Some(packed), Some(end)) => spaced && WORTH.contains(&(packed as f64 / end as f64)),
        _ => spaced,
    }
}

/// `None` where it is not worth its time, or something is known in the range.
fn begin<C: Coding>(shared: &Shared<C>, range: &Range<u64>) -> Result<Option<Begin<C>>> {
    let index = &shared.index;
    let generation = index.generation();
    let Some(blocks) = C::BLOCKS.filter(|_| is_worth_it(shared)) else {
        return Ok(None);
    };
    let source = shared.source.pin()?;
    let source = source.unwrap_or_else(|| shared.source.clone());
    let Some(point) = place_before(shared, &*source, range.start)? else {
        return Ok(None);
    };
    let ahead = index.ahead(point.position);
    let known = ahead.stop.is_some() || point.trust <= Trust::Told;
    if known || range.end.saturating_sub(point.position) < LEAST {
        return Ok(None);
    }
    let blocks = match blocks(&point.mark) {
        Ok(blocks) => blocks,
        // An index that cannot be used is for the reads to find out.
        Err(error) if error.kind() == ErrorKind::SeekIndex => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(Begin {
        source,
        point,
        blocks,
        due: ahead.due,
        generation,
    }))
}

/// The last place that is not behind `offset`, or the begin of the data. `None`
/// if a decoder waits between.
fn place_before<C: Coding>(
    shared: &Shared<C>,
    source: &dyn ReadAt,
    offset: u64,
) -> Result<Option<Arc<Point<C::Mark>>>> {
    let index = &shared.index;
    let point = match index.before(offset) {
        Some(point) => Some(point),
        None => {
            let verify = shared.decoding.verify;
            let mut decoder = Decoder::<C>::new(verify, index.generation())?;
            let way = Way {
                source,
                index,
                guess: None,
                control: None,
            };
            decoder.first_place(&way)?.map(Arc::new)
        }
    };
    let begin = point.as_ref().map_or(0, |point| point.position);
    let between = |kept: &Decoder<C>| (begin + NEAR..=offset).contains(&kept.position);
    // Without an index, decoders are where the begin is not near.
    let far = !shared.decoding.places.wanted && offset - begin >= NEAR;
    Ok(point.filter(|_| !far && !shared.kept().iter().any(between)))
}

/// As [`super::Packed::goes_ahead`].
pub(super) fn is_worth<C: Coding>(shared: &Shared<C>, range: &Range<u64>) -> Result<bool> {
    Ok(begin(shared, range)?.is_some())
}

/// What was decoded ahead.
pub(super) struct Decoded {
    /// The decoded byte that was come to.
    pub(super) end: u64,
    /// The last bytes before, as far as they are still needed.
    tail: Vec<u8>,
    is_good: bool,
}

impl Decoded {
    /// All of it that is still there, and behind it what a session reads.
    pub(super) fn before(self, session: Arc<dyn ReadAt>) -> Rest {
        Rest {
            bytes: Arc::new(Joined {
                start: self.end - self.tail.len() as u64,
                bytes: self.tail,
                behind: session,
            }),
            is_good: self.is_good,
        }
    }
}

/// Decode ahead in a range; what is decoded is kept if `keep` says so. A decoder
/// is left where that ends. `None` if it was not worth its time.
pub(super) fn decode<C: Coding>(
    shared: &Shared<C>,
    range: Range<u64>,
    threads: usize,
    take: &Take<'_>,
    keep: bool,
) -> Result<Option<Decoded>> {
    let Some(begin) = begin(shared, &range)? else {
        return Ok(None);
    };
    let (index, generation) = (&shared.index, begin.generation);
    let verify = shared.decoding.verify;
    let course = Course::new(
        begin.source.clone(),
        &begin.point,
        begin.blocks,
        Bounds {
            due: begin.due,
            spacing: index.read().spacing,
            // Who decodes the last byte looks at what is behind it.
            limit: range.end - 1,
            span: SPAN,
        },
        verify,
    );
    let pass = |point: Point<C::Mark>, part| {
        // Places may be farther apart by now. At one that other calls found the
        // run ends, too: parts that overlap could not be joined.
        let wanted = index.is_wanted(point.position, generation);
        if wanted && verify {
            index.part(part, generation)?;
        }
        if wanted {
            index.add(point, generation);
        }
        Ok(wanted)
    };
    let show = |start, bytes: &[u8]| {
        if keep && index.generation() == generation {
            shared.keep(start, bytes);
        }
    };
    let sinks = Sinks {
        take,
        pass: &pass,
        show: &show,
    };
    let reached = course.run(threads, &sinks);
    if reached.is_err() {
        // What was decoded before the damage showed may be as wrong.
        shared.forget();
    }
    let Reached {
        point,
        run,
        tail,
        is_good,
    } = reached?;
    let end = point.position;
    if end > begin.point.position && index.generation() == generation {
        let begin_at = (verify, generation);
        let mut decoder = Decoder::at(&point, &*begin.source, begin_at, None)?;
        decoder.take_over(&run);
        shared.give(decoder);
    }
    Ok(Some(Decoded { end, tail, is_good }))
}

/// Decoded bytes, and behind them what a session reads.
struct Joined {
    start: u64,
    bytes: Vec<u8>,
    behind: Arc<dyn ReadAt>,
}

impl ReadAt for Joined {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let skip = offset
            .checked_sub(self.start)
            .and_then(|n| usize::try_from(n).ok());
        let known = skip.and_then(|skip| self.bytes.get(skip..));
        let copied = known.map_or(0, |bytes| buffer.push(bytes));
        if buffer.room() == 0 {
            return Ok(());
        }
        self.behind.read_at(offset + copied as u64, buffer)
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn check_end(&self, offset: u64) -> Result<()> {
        self.behind.check_end(offset)
    }
}
