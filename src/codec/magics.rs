//! Where the blocks of a bzip2 stream begin: at any bit, with 48 bits that
//! other data have by chance only.

/// Pi begins a block, its square root the end of the stream.
const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
pub(super) const BITS: u64 = 48;

/// For each value of a byte, in which shifts the magics have it as their last
/// byte but one, or but two, that is counted by the byte in which they end:
/// eight bits for each magic.
static LAST: [[u16; 256]; 2] = [shifts(8), shifts(16)];

const fn shifts(down: u32) -> [u16; 256] {
    let mut table = [0; 256];
    let mut shift = 0;
    while shift < 8 {
        table[(BLOCK << shift >> down & 0xFF) as usize] |= 1 << shift;
        table[(END << shift >> down & 0xFF) as usize] |= 0x100 << shift;
        shift += 1;
    }
    table
}

/// A magic, by bits and bytes since where the search began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Magic {
    /// Its first bit.
    pub(super) bit: u64,
    /// Bytes up to the one in which it ends, with that.
    pub(super) bytes: u64,
    pub(super) is_end: bool,
}

/// A search through bytes that come one part after the other.
pub(super) struct Search {
    /// Bytes looked at.
    pub(super) bytes: u64,
    /// The last eight of them.
    last: u64,
}

impl Search {
    pub(super) fn new() -> Search {
        Search {
            bytes: 0,
            // No magic begins so.
            last: u64::MAX,
        }
    }

    /// Look for the next magic; what is behind it is not looked at.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<Magic> {
        let [second, third] = &LAST;
        let mut last = self.last;
        for (i, &byte) in bytes.iter().enumerate() {
            last = last << 8 | u64::from(byte);
            let shifts = second[(last >> 8 & 0xFF) as usize] & third[(last >> 16 & 0xFF) as usize];
            if shifts != 0 {
                if let Some((shift, is_end)) = magic(last) {
                    self.last = last;
                    self.bytes += i as u64 + 1;
                    return Some(Magic {
                        bit: 8 * self.bytes - shift - BITS,
                        bytes: self.bytes,
                        is_end,
                    });
                }
            }
        }
        self.last = last;
        self.bytes += bytes.len() as u64;
        None
    }
}

/// Bits behind the magic that ends in the lowest byte, and whether it is that
/// of the end.
fn magic(last: u64) -> Option<(u64, bool)> {
    (0..8).find_map(|shift| match last >> shift & ((1 << BITS) - 1) {
        BLOCK => Some((shift, false)),
        END => Some((shift, true)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magics_are_found_at_any_bit() {
        for (value, is_end) in [(BLOCK, false), (END, true)] {
            for bit in 0..100u64 {
                let mut bytes = [0xFFu8; 30];
                for i in 0..BITS {
                    let (byte, shift) = ((bit + i) as usize / 8, 7 - (bit + i) % 8);
                    bytes[byte] &= !(1 << shift);
                    bytes[byte] |= ((value >> (BITS - 1 - i) & 1) as u8) << shift;
                }
                let magic = Magic {
                    bit,
                    bytes: (bit + BITS).div_ceil(8),
                    is_end,
                };
                for cut in 0..20 {
                    let mut search = Search::new();
                    let (front, back) = bytes.split_at(cut);
                    let found = search.next(front).or_else(|| search.next(back));
                    assert_eq!(found, Some(magic), "cut at {cut}");
                    assert_eq!(search.bytes, magic.bytes);
                }
            }
        }
        // No bits are made up before the first.
        let mut search = Search::new();
        assert_eq!(search.next(&[0xC5, 0x05, 0x64, 0x99, 0x4D, 0x64]), None);
        assert_eq!(search.next(&[0x31, 0x41, 0x59, 0x26, 0x53]), None);
        assert_eq!(search.next(&[0x59, 0, 0]).map(|found| found.bit), Some(48));
    }
}
