//! Reads in a row of one compressed source.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Reading;
use super::coding::Coding;
use super::decoder::{Decoder, Guess, Way};
use super::index::{Point, Trust};
use super::stream::{FAR, Shared};
use super::watched::watched;
use crate::control::Control;
use crate::error::{ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf, append};

/// Reads in a row, which go on with the same decoder.
pub(super) struct Session<C: Coding> {
    shared: Arc<Shared<C>>,
    source: Arc<dyn ReadAt>,
    /// Whether what is decoded is kept.
    keep: bool,
    guess: Option<Arc<Guess<C::Mark>>>,
    /// Where the reads begin.
    start: u64,
    /// As that of the index when the session began.
    generation: u64,
    control: Option<Control>,
    own: Mutex<Option<Decoder<C>>>,
}

impl<C: Coding> Session<C> {
    pub(super) fn new(
        shared: Arc<Shared<C>>,
        reading: Reading,
        guess: Option<Arc<Guess<C::Mark>>>,
        control: Option<&Control>,
    ) -> Result<Session<C>> {
        let pinned = shared.source.pin()?;
        let source = pinned.unwrap_or_else(|| shared.source.clone());
        Ok(Session {
            source: watched(source, control),
            control: control.cloned(),
            // What is guessed is proven by decoding it.
            keep: guess.is_none() && shared.keeps(&reading),
            guess,
            start: reading.start,
            generation: shared.index.generation(),
            own: Mutex::new(None),
            shared,
        })
    }

    pub(super) fn way(&self) -> Way<'_, C> {
        Way {
            source: &*self.source,
            index: &self.shared.index,
            guess: self.guess.as_deref(),
            control: self.control.as_ref(),
        }
    }

    fn own(&self) -> MutexGuard<'_, Option<Decoder<C>>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave a decoder to other reads, unless it may be wrong.
    fn give(&self, decoder: Decoder<C>) {
        if self.guess.is_none() && self.shared.is_current(&decoder) {
            self.shared.give(decoder);
        }
    }

    /// A decoder as near before `offset` as possible. Those that are not used
    /// wait for other reads.
    pub(super) fn nearest(&self, offset: u64) -> Result<Decoder<C>> {
        let own = self.own().take();
        let mut best = match own {
            Some(own) if own.position <= offset => Some(own),
            Some(own) => {
                self.shared.returning.store(true, Relaxed);
                self.give(own);
                None
            }
            None => None,
        };
        let reached = best.as_ref().map(|best| best.position);
        // Others do not prove what is guessed.
        let kept = match self.guess {
            Some(_) => None,
            None => self.shared.take(offset, reached),
        };
        if let Some(kept) = kept {
            best.replace(kept)
                .into_iter()
                .for_each(|own| self.give(own));
        }
        let reached = best.as_ref().map_or(0, |best| best.position);
        let reached = reached.max(self.shared.index.before(offset).map_or(0, |at| at.position));
        if offset - reached > FAR && self.shared.decoding.places.wanted {
            self.shared.learn(self.control.as_ref())?;
        }
        let verify = self.shared.decoding.verify;
        let begin = (verify, self.generation);
        while let Some(point) = self.point(offset, best.as_ref().map(|best| best.position)) {
            // What is left behind a place is no use to other reads.
            match Decoder::at(&point, &*self.source, begin, best.take()) {
                // An index that cannot be used is none.
                Err(error) if error.kind() == ErrorKind::SeekIndex => {
                    self.shared.index.remove(point.position);
                }
                new => return new,
            }
        }
        best.map_or_else(|| Decoder::new(verify, self.generation), Ok)
    }

    /// The last place that is not behind `offset`, if it is behind `from`.
    fn point(&self, offset: u64, from: Option<u64>) -> Option<Arc<Point<C::Mark>>> {
        let known = self.shared.index.before(offset);
        let guessed = self.guess.as_ref().and_then(|guess| guess.before(offset));
        let points = [known, guessed].into_iter().flatten();
        let last = points.max_by_key(|point| point.position)?;
        from.is_none_or(|from| last.position > from).then_some(last)
    }

    /// Decode on to `at` and from there into the buffer: all of it, or as much
    /// as is kept together. Says how much that was; nothing at the end.
    fn decode(&self, decoder: &mut Decoder<C>, at: u64, buffer: &mut ReadBuf<'_>) -> Result<usize> {
        let way = self.way();
        let cache = &self.shared.cache;
        let before = buffer.filled().len();
        if decoder.position != at {
            decoder.since = at;
        }
        let is_passed = self.shared.is_passed(decoder);
        // What may be wrong is not for others, who compare checksums of theirs.
        let is_old = decoder.generation != self.shared.index.generation();
        if !self.keep || is_passed || is_old || decoder.trust == Trust::Foreign {
            decoder.skip(&way, at)?;
            if !decoder.ended() {
                decoder.read(&way, buffer)?;
            }
            return Ok(buffer.filled().len() - before);
        }
        // What is skipped far before the data is not worth keeping.
        decoder.skip(&way, at.saturating_sub(cache.most() as u64 / 2))?;
        let mut spare = None;
        while buffer.filled().len() == before && !decoder.ended() {
            let (start, end) = (decoder.position, at.saturating_add(buffer.room() as u64));
            let len =
                usize::try_from(end - start).map_or(cache.extent, |len| len.min(cache.extent));
            let mut bytes: Vec<u8> = spare.take().unwrap_or_default();
            bytes.clear();
            append(&mut bytes, len, |buffer| decoder.read(&way, buffer))?;
            let skip = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            buffer.push(bytes.get(skip..).unwrap_or_default());
            spare = cache.insert(start, bytes);
        }
        Ok(buffer.filled().len() - before)
    }
}

impl<C: Coding> ReadAt for Session<C> {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let mut at = offset;
        while buffer.room() > 0 {
            if self.keep {
                at += self.shared.cache.copy(at, buffer) as u64;
                if buffer.room() == 0 {
                    break;
                }
            }
            // A decoder that failed is not used again.
            let mut decoder = self.nearest(at)?;
            let decoded = self.decode(&mut decoder, at, buffer);
            let failed = decoded.as_ref().err();
            if failed.is_some_and(|error| error.kind() != ErrorKind::Cancelled) {
                // What was decoded before the damage showed is as wrong.
                self.shared.cache.clear();
            }
            let decoded = decoded?;
            at += decoded as u64;
            *self.own() = Some(decoder);
            if decoded == 0 {
                break;
            }
        }
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn is_concurrent(&self) -> bool {
        self.source.is_concurrent()
    }

    fn check_end(&self, offset: u64) -> Result<()> {
        let checked = self.check_end_at(offset);
        if checked.is_err() {
            // What was read is not to come out of the cache as if it were right.
            self.shared.forget();
        }
        checked
    }
}

impl<C: Coding> Session<C> {
    fn check_end_at(&self, offset: u64) -> Result<()> {
        if self.guess.is_some() {
            // The next guessed place is proven by coming to it.
            if let Some(own) = &mut *self.own() {
                own.skip(&self.way(), offset)?;
            }
        }
        if !self.shared.decoding.verify {
            return Ok(());
        }
        let own = self.own().take();
        let near = own.filter(|own| own.position == offset);
        let others = || self.shared.take(offset, offset.checked_sub(1));
        let near = near.or_else(|| others().filter(|_| self.guess.is_none()));
        let near = match near {
            None if self.guess.is_none() && self.shared.looked.load(Relaxed) < offset => {
                // All came out of the cache, where a read put it that has yet
                // to look.
                let mut decoder = self.nearest(offset)?;
                decoder.skip(&self.way(), offset)?;
                Some(decoder)
            }
            near => near,
        };
        if let Some(mut decoder) = near {
            decoder.look_for_end(&self.way())?;
            *self.own() = Some(decoder);
            self.shared.looked.fetch_max(offset, Relaxed);
        }
        match &self.guess {
            Some(guess) => guess.sums().settle(self.start),
            None => self.shared.index.settle(self.start),
        }
    }
}

impl<C: Coding> Drop for Session<C> {
    fn drop(&mut self) {
        if let Some(decoder) = self.own().take() {
            self.give(decoder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Packed;
    use crate::codec::gzip::Gzip;
    use crate::codec::stream::tests::{decoding, sample};
    use crate::codec::stream::{Decoding, Stream};
    use crate::io::Memory;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        std::io::Write::write_all(&mut encoder, data).unwrap();
        encoder.finish().unwrap()
    }

    /// Whoever reads to the end looks behind it, even if others decoded it all.
    #[test]
    fn a_checksum_behind_cached_data_is_looked_at() {
        let data = sample(5200);
        let mut packed = gzip(&data);
        let end = packed.len() - 5;
        packed[end] ^= 1;
        let source = Arc::new(Memory(Arc::new(packed)));
        let decoding = Decoding {
            cache: 1 << 20,
            ..decoding(true, false)
        };
        let stream = Stream::<Gzip>::new(source, decoding);
        let reading = Reading {
            start: 0,
            decoded: 5000,
        };
        let sessions = [0, 1].map(|_| stream.session(reading, None, None).unwrap());
        for session in &sessions {
            assert_eq!(session.read_vec(0, 5000).unwrap(), &data[..5000]);
        }
        for session in &sessions {
            let error = session.check_end(5000).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Codec);
        }
    }
}
