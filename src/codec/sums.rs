//! Checksums of the decoded bytes between places, and of whole streams by
//! joining them.
//!
//! A stream that is decoded in parts, by several threads or by reads with time
//! between them, has no one who could compare its checksum. The parts can be
//! joined though: the CRC-32 of two runs of bytes follows from those of each.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::coding::damage;
use super::inflate::joined;
use crate::error::Result;

/// A run of decoded bytes inside one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) sum: u32,
    /// Whether the stream begins with it.
    pub(super) first: bool,
    /// Whether where it was decoded from was sure.
    pub(super) sure: bool,
}

/// What stands behind a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trailer {
    /// Decoded bytes before the stream's end.
    pub(super) end: u64,
    /// Byte of the source.
    pub(super) at: u64,
    pub(super) sum: u32,
    pub(super) size: u32,
    /// As [`Part::sure`].
    pub(super) sure: bool,
    /// Whether the parts of the stream were found to agree with it.
    pub(super) agreed: bool,
}

impl Part {
    /// Both as one; the other begins where this one ends.
    pub(super) fn followed_by(&self, behind: &Part) -> Part {
        Part {
            end: behind.end,
            sum: joined(self.sum, behind.sum, behind.end - behind.start),
            sure: self.sure && behind.sure,
            ..*self
        }
    }
}

/// What is known of the checksums of a source.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// By their starts; none overlap.
    parts: BTreeMap<u64, Part>,
    /// By the ends of their streams.
    trailers: BTreeMap<u64, Trailer>,
}

impl Sums {
    /// Compare a part with what was there when it was decoded before, or keep
    /// its checksum. `false` if it shows that what was not sure is wrong.
    pub(super) fn part(&mut self, part: Part) -> Result<bool> {
        if part.end <= part.start {
            let text = format!("a part from {} to {} is none", part.start, part.end);
            return Err(damage(text));
        }
        let agreed = !part.sure || self.replace_unsure(&part);
        if let Some(end) = self.end_behind(part.start).filter(|&end| end < part.end) {
            return Err(damage(format!(
                "the gzip member does not end behind the decoded byte {end} any more"
            )));
        }
        let inside = (Bound::Excluded(part.start), Bound::Excluded(part.end));
        if let Some((start, _)) = self.parts.range(inside).find(|(_, known)| known.first) {
            return Err(damage(format!(
                "no gzip member begins at the decoded byte {start} any more"
            )));
        }
        if let Some(known) = self.known(&part) {
            if known == part.sum {
                return Ok(agreed);
            }
            return Err(damage(format!(
                "the decoded bytes {} to {} are not those that a checksum was taken of: it is \
                 {known:08x}, theirs {:08x}",
                part.start, part.end, part.sum
            )));
        }
        // What lies inside makes way: a stream is proven by parts without a gap.
        let others = self.overlapping(&part);
        let inside = |other: &Part| part.start <= other.start && other.end <= part.end;
        if others.is_empty() || part.sure && others.iter().all(inside) {
            others.iter().for_each(|other| self.drop_part(other));
            self.parts.insert(part.start, part);
        } else if !part.sure {
            return Err(damage(format!(
                "the decoded bytes {} to {} cannot be compared: there are checksums of \
                 others that overlap them",
                part.start, part.end
            )));
        }
        Ok(agreed)
    }

    /// What is sure takes the place of what is not: `false` if that was not the
    /// same.
    fn replace_unsure(&mut self, part: &Part) -> bool {
        let mut gone = self.overlapping(part);
        gone.retain(|known| !known.sure);
        let agreed = gone.is_empty() || self.known(part) == Some(part.sum);
        gone.iter().for_each(|known| self.drop_part(known));
        let ends = self.trailers.range(part.start + 1..=part.end);
        let ends: Vec<u64> = ends
            .filter(|(_, known)| !known.sure)
            .map(|(&end, _)| end)
            .collect();
        ends.iter().for_each(|end| {
            self.trailers.remove(end);
        });
        agreed
    }

    /// A place becomes known. The part that it divides goes, since decoders
    /// that begin there have nothing to compare with: its stream has to be
    /// proven again.
    pub(super) fn divide(&mut self, position: u64) {
        let Some((_, &part)) = self.parts.range(..position).next_back() else {
            return;
        };
        if part.end > position {
            self.drop_part(&part);
        }
    }

    fn overlapping(&self, part: &Part) -> Vec<Part> {
        let first = self.parts.range(..part.start).next_back();
        let first = first.map_or(part.start, |(&start, _)| start);
        let inside = self.parts.range(first..part.end);
        let inside = inside.map(|(_, known)| *known);
        inside.filter(|known| known.end > part.start).collect()
    }

    /// Forget a part: its stream has to be proven again.
    fn drop_part(&mut self, part: &Part) {
        self.parts.remove(&part.start);
        let behind = (Bound::Excluded(part.start), Bound::Unbounded);
        if let Some((_, trailer)) = self.trailers.range_mut(behind).next() {
            trailer.agreed = false;
        }
    }

    /// The checksum of the bytes of a part, if those known are just these.
    fn known(&self, part: &Part) -> Option<u32> {
        let (mut end, mut sum) = (part.start, 0);
        while end < part.end {
            let next = self.parts.get(&end)?;
            sum = joined(sum, next.sum, next.end - next.start);
            end = next.end;
        }
        (end == part.end).then_some(sum)
    }

    /// Where the next stream ends that is known to end behind a decoded byte.
    pub(super) fn end_behind(&self, position: u64) -> Option<u64> {
        let behind = (Bound::Excluded(position), Bound::Unbounded);
        self.trailers.range(behind).next().map(|(&end, _)| end)
    }

    /// Keep what stands behind a stream, and compare it if all parts of the
    /// stream are known.
    pub(super) fn trailer(&mut self, trailer: Trailer) -> Result<()> {
        let around = self.parts.range(..trailer.end).next_back();
        if let Some((_, part)) = around.filter(|(_, part)| part.end > trailer.end) {
            return Err(damage(format!(
                "the gzip member ends where it had decoded bytes up to {} before",
                part.end
            )));
        }
        self.trailers.entry(trailer.end).or_insert(trailer);
        self.settle_one(trailer.end)
    }

    /// Compare the last bytes of a source whose last stream has no end, if they
    /// could be what stood behind it: then damage has hidden the end, and the
    /// source was not cut. `last` is the part before the byte where the end
    /// would be.
    pub(super) fn lost_end(&self, last: Part, trailer: Trailer) -> Result<()> {
        let before = match last.first {
            true => Some((last.start, 0)),
            false => self.stream(last.start),
        };
        let Some((start, sum)) = before else {
            return Ok(());
        };
        let size = last.end - start;
        if trailer.size != size as u32 {
            return Ok(());
        }
        compare(&trailer, joined(sum, last.sum, last.end - last.start), size)
    }

    /// Compare all streams that end behind a decoded byte and whose parts have
    /// become known.
    pub(super) fn settle(&mut self, behind: u64) -> Result<()> {
        let behind = (Bound::Excluded(behind), Bound::Unbounded);
        let open = self.trailers.range(behind);
        let open = open.filter(|(_, trailer)| !trailer.agreed);
        let open: Vec<u64> = open.map(|(&end, _)| end).collect();
        open.into_iter().try_for_each(|end| self.settle_one(end))
    }

    fn settle_one(&mut self, end: u64) -> Result<()> {
        let Some(trailer) = self.trailers.get(&end).copied().filter(|one| !one.agreed) else {
            return Ok(());
        };
        let Some((start, sum)) = self.stream(end) else {
            return Ok(());
        };
        compare(&trailer, sum, end - start)?;
        if let Some(trailer) = self.trailers.get_mut(&end) {
            trailer.agreed = true;
        }
        Ok(())
    }

    /// Start and checksum of the stream that ends there, if all is known.
    fn stream(&self, end: u64) -> Option<(u64, u32)> {
        let (mut start, mut sum) = (end, 0);
        loop {
            let (_, part) = self.parts.range(..start).next_back()?;
            if part.end != start {
                return None;
            }
            sum = joined(part.sum, sum, end - start);
            start = part.start;
            if part.first || self.trailers.contains_key(&start) {
                return Some((start, sum));
            }
        }
    }

    /// A place is no more: the parts that meet there become one.
    pub(super) fn forget_place(&mut self, position: u64) {
        let Some(behind) = self.parts.get(&position).copied().filter(|one| !one.first) else {
            return;
        };
        if let Some((_, before)) = self.parts.range_mut(..position).next_back() {
            if before.end == position {
                *before = before.followed_by(&behind);
                self.parts.remove(&position);
            }
        }
    }

    /// Forget what is not sure; `false` if there was nothing.
    pub(super) fn doubt(&mut self) -> bool {
        let was_sure = self.is_sure();
        self.parts.retain(|_, known| known.sure);
        self.trailers.retain(|_, known| known.sure);
        !was_sure
    }

    pub(super) fn is_sure(&self) -> bool {
        self.parts.values().all(|known| known.sure)
            && self.trailers.values().all(|known| known.sure)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.trailers.is_empty()
    }

    pub(super) fn parts(&self) -> impl ExactSizeIterator<Item = &Part> {
        self.parts.values()
    }

    pub(super) fn trailers(&self) -> impl ExactSizeIterator<Item = &Trailer> {
        self.trailers.values()
    }

    /// Bytes of memory that they take, about.
    pub(super) fn memory(&self) -> usize {
        self.parts.len() * 2 * size_of::<Part>() + self.trailers.len() * 2 * size_of::<Trailer>()
    }
}

/// Compare what stands behind a stream with its data.
pub(super) fn compare(trailer: &Trailer, sum: u32, size: u64) -> Result<()> {
    if trailer.sum != sum {
        return Err(damage(format!(
            "the checksum of the gzip member that ends here is {:08x}, its {size} bytes have \
             {sum:08x}",
            trailer.sum
        ))
        .at(trailer.at));
    }
    if trailer.size != size as u32 {
        return Err(damage(format!(
            "the gzip member that ends here says that it has {} bytes, it has {size}",
            trailer.size
        ))
        .at(trailer.at));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::inflate::Checksum;

    fn sum(bytes: &[u8]) -> u32 {
        let mut sum = Checksum::default();
        sum.update(bytes);
        sum.value()
    }

    fn part(data: &[u8], start: usize, end: usize) -> Part {
        Part {
            start: start as u64,
            end: end as u64,
            sum: sum(&data[start..end]),
            first: start == 0,
            sure: true,
        }
    }

    #[test]
    fn parts_make_up_their_stream() {
        let data: Vec<u8> = (0..1000u32).map(|i| (i * 7) as u8).collect();
        let trailer = Trailer {
            end: 1000,
            at: 500,
            sum: sum(&data),
            size: 1000,
            sure: true,
            agreed: false,
        };
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut sums = Sums::default();
            let parts = [(0, 300), (300, 301), (301, 1000)].map(|(a, b)| part(&data, a, b));
            sums.trailer(trailer).unwrap();
            for i in order {
                assert!(!sums.trailers[&1000].agreed);
                sums.part(parts[i]).unwrap();
                sums.settle(0).unwrap();
            }
            assert!(sums.trailers[&1000].agreed);
            sums.forget_place(301);
            assert_eq!(sums.parts[&300], part(&data, 300, 1000));
            sums.part(part(&data, 300, 1000)).unwrap();
            let wrong = Part { sum: 1, ..parts[0] };
            assert!(sums.part(wrong).is_err());
        }
        for wrong in [
            Trailer { sum: 1, ..trailer },
            Trailer { size: 1, ..trailer },
        ] {
            let mut sums = Sums::default();
            sums.part(part(&data, 0, 400)).unwrap();
            sums.part(part(&data, 400, 1000)).unwrap();
            assert!(sums.trailer(wrong).is_err());
        }
    }

    #[test]
    fn streams_end_where_they_did() {
        let data = [5; 100];
        let trailer = |end: usize| Trailer {
            end: end as u64,
            at: 50,
            sum: sum(&data[..end]),
            size: end as u32,
            sure: true,
            agreed: false,
        };
        let mut sums = Sums::default();
        sums.part(part(&data, 0, 60)).unwrap();
        sums.trailer(trailer(60)).unwrap();
        assert_eq!((sums.end_behind(59), sums.end_behind(60)), (Some(60), None));
        for (start, end) in [(10, 61), (59, 99), (0, 80)] {
            assert!(sums.part(part(&data, start, end)).is_err());
        }
        let second = Part {
            first: true,
            ..part(&data, 80, 90)
        };
        sums.part(second).unwrap();
        assert!(sums.part(part(&data, 70, 90)).is_err());
        for end in [1, 59] {
            assert!(sums.trailer(trailer(end)).is_err());
        }
        sums.part(part(&data, 60, 80)).unwrap();
    }

    #[test]
    fn parts_of_a_part_are_compared_together() {
        let data: Vec<u8> = (0..100).collect();
        let mut sums = Sums::default();
        sums.part(part(&data, 0, 30)).unwrap();
        sums.part(part(&data, 30, 70)).unwrap();
        sums.part(part(&data, 0, 70)).unwrap();
        let wrong = Part {
            sum: 1,
            ..part(&data, 0, 70)
        };
        assert!(sums.part(wrong).is_err());
    }

    #[test]
    fn parts_make_way_for_those_around_them() {
        let data: Vec<u8> = (0..100).collect();
        for (start, end, more) in [
            (10, 60, true),
            (0, 50, true),
            (0, 90, true),
            (0, 11, false),
            (49, 70, false),
            (20, 30, false),
        ] {
            let mut sums = Sums::default();
            sums.part(part(&data, 10, 50)).unwrap();
            let new = part(&data, start, end);
            let unsure = Part { sure: false, ..new };
            assert!(sums.part(unsure).is_err());
            sums.part(new).unwrap();
            let left = if more { new } else { part(&data, 10, 50) };
            assert_eq!(sums.parts().copied().collect::<Vec<_>>(), [left]);
        }
    }

    /// The place at which a part ended is no more for the decoder that comes
    /// next.
    #[test]
    fn a_part_that_ended_early_leaves_no_gap() {
        let data: Vec<u8> = (0..100).collect();
        for wrong in [0, 1] {
            let mut sums = Sums::default();
            for (start, end) in [(0, 30), (30, 60), (30, 70)] {
                sums.part(part(&data, start, end)).unwrap();
            }
            sums.part(part(&data, 70, 100)).unwrap();
            let trailer = Trailer {
                end: 100,
                at: 50,
                sum: sum(&data) ^ wrong,
                size: 100,
                sure: true,
                agreed: false,
            };
            assert_eq!(sums.trailer(trailer).is_ok(), wrong == 0);
        }
    }

    #[test]
    fn streams_begin_where_others_end() {
        let data: Vec<u8> = (0..100).collect();
        let mut sums = Sums::default();
        for (start, end) in [(0, 30), (30, 100)] {
            sums.part(part(&data, start, end)).unwrap();
            let trailer = Trailer {
                end: end as u64,
                at: 50,
                sum: sum(&data[start..end]),
                size: (end - start) as u32,
                sure: true,
                agreed: false,
            };
            sums.trailer(trailer).unwrap();
        }
    }

    #[test]
    fn what_is_sure_takes_the_place_of_what_is_not() {
        let data: Vec<u8> = (0..100).collect();
        let unsure = |start, end| Part {
            sure: false,
            ..part(&data, start, end)
        };
        for (wrong, agrees) in [(0, true), (1, false)] {
            let mut sums = Sums::default();
            let first = unsure(0, 30);
            let sum = first.sum ^ wrong;
            sums.part(Part { sum, ..first }).unwrap();
            sums.part(unsure(30, 70)).unwrap();
            assert!(!sums.is_sure());
            assert_eq!(sums.part(part(&data, 0, 70)).unwrap(), agrees);
            assert!(sums.is_sure() && !sums.doubt());
            assert_eq!(sums.parts[&0], part(&data, 0, 70));
        }
    }

    #[test]
    fn a_place_within_a_part_leaves_its_stream_open() {
        let data: Vec<u8> = (0..100).collect();
        let mut sums = Sums::default();
        sums.part(part(&data, 0, 70)).unwrap();
        sums.part(part(&data, 70, 100)).unwrap();
        let trailer = Trailer {
            end: 100,
            at: 50,
            sum: sum(&data),
            size: 100,
            sure: true,
            agreed: false,
        };
        sums.trailer(trailer).unwrap();
        for position in [0, 70, 100] {
            sums.divide(position);
            assert!(sums.trailers[&100].agreed, "{position}");
        }
        sums.divide(30);
        assert!(!sums.trailers[&100].agreed);
        let wrong = Part {
            sum: 1,
            ..part(&data, 0, 30)
        };
        sums.part(wrong).unwrap();
        sums.part(part(&data, 30, 70)).unwrap();
        assert!(sums.settle(0).is_err());
    }
}
