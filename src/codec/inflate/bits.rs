//! Bits of a stream, in the order of RFC 1951: the lowest of each byte first.

/// Bits that were taken from the input and not used. They outlive the input:
/// what is left of it may not be enough to go on.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Bits {
    pub(super) value: u64,
    pub(super) count: u32,
}

/// The input of one step, behind the bits that the last one left.
pub(super) struct Source<'a> {
    pub(super) input: &'a [u8],
    /// Bytes of the input that were taken.
    pub(super) at: usize,
    /// Above the lowest `count` are some of the bits that come next, or zeros.
    pub(super) value: u64,
    /// At most 63.
    pub(super) count: u32,
}

impl<'a> Source<'a> {
    pub(super) fn new(input: &'a [u8], left: Bits) -> Source<'a> {
        Source {
            input,
            at: 0,
            value: left.value,
            count: left.count,
        }
    }

    /// Take whole bytes while they fit.
    pub(super) fn fill(&mut self) {
        if let Some(word) = self.input[self.at..].first_chunk() {
            self.value |= u64::from_le_bytes(*word) << self.count;
            self.at += (63 - self.count as usize) >> 3;
            self.count |= 56;
            return;
        }
        while self.count < 56 && self.at < self.input.len() {
            self.value |= u64::from(self.input[self.at]) << self.count;
            self.at += 1;
            self.count += 8;
        }
    }

    /// Whether so many bits, 56 at most, are there.
    pub(super) fn has(&mut self, count: u32) -> bool {
        if self.count < count {
            self.fill();
        }
        self.count >= count
    }

    /// The next bits, 32 at most, which are there.
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.value & ((1 << count) - 1)) as u32
    }

    pub(super) fn drop(&mut self, count: u32) {
        debug_assert!(count <= self.count, "bits that are not there");
        self.value >>= count;
        self.count -= count;
    }

    pub(super) fn take(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.drop(count);
        bits
    }

    /// Give the bytes of this input back of which no bit was used.
    pub(super) fn give_back(&mut self) {
        let bytes = (self.count as usize / 8).min(self.at);
        self.at -= bytes;
        self.count -= 8 * bytes as u32;
        self.value &= (1 << self.count) - 1;
    }

    /// What is left, for the next step.
    pub(super) fn left(&self) -> Bits {
        Bits {
            value: self.value & ((1 << self.count) - 1),
            count: self.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_their_order_however_the_input_is_cut() {
        let bytes: Vec<u8> = (0..40u32).map(|i| (i * 167 + 13) as u8).collect();
        let bit = |i: usize| u32::from(bytes[i / 8] >> (i % 8) & 1);
        for cut in 0..bytes.len() {
            let mut left = Bits::default();
            let mut at = 0;
            for part in [&bytes[..cut], &bytes[cut..]] {
                let mut source = Source::new(part, left);
                let mut count = 1;
                while source.has(count) {
                    let wanted = (0..count as usize).map(|i| bit(at + i) << i).sum();
                    assert_eq!(source.peek(count), wanted, "{cut} {at}");
                    assert_eq!(source.take(count), wanted);
                    at += count as usize;
                    count = count % 32 + 1;
                }
                assert_eq!(source.at, part.len());
                left = source.left();
            }
            assert!(8 * bytes.len() - at < 33);
        }
    }

    #[test]
    fn whole_bytes_are_given_back() {
        let bytes = [0xFF; 20];
        let left = Bits { value: 1, count: 1 };
        let mut source = Source::new(&bytes, left);
        assert!(source.has(50));
        source.take(6);
        source.give_back();
        // One bit was there before, five are of the first byte.
        assert_eq!((source.at, source.count, source.value), (1, 3, 7));
        // Those of the last input stay.
        let left = Bits {
            value: 0x3FFFF,
            count: 18,
        };
        let mut source = Source::new(&bytes, left);
        assert!(source.has(40));
        source.give_back();
        assert_eq!((source.at, source.left().count), (0, 18));
    }
}
