//! Bits at which a deflate block looks to begin (RFC 1951, 3.2.7).
//!
//! Nothing marks a block. But one with codes of its own begins with some 70
//! bits of which few sequences can be: the codes of the lengths of codes must
//! use up all that there are. What passes is tried by decoding.

/// Bits that are looked at: type, three counts, 19 lengths of 3 bits.
const HEADER: usize = 3 + 14 + 3 * 19;

/// Bytes that a bit needs behind it to be looked at.
pub(super) const SEEN: usize = 24;

/// Of 4 lengths of codes, the share of all codes that they take, in 128ths.
static SHARES: [u16; 1 << 12] = {
    let mut all = [0; 1 << 12];
    let mut i = 0;
    while i < all.len() {
        let mut rest = i;
        while rest > 0 {
            if rest % 8 > 0 {
                all[i] += 128 >> (rest % 8);
            }
            rest /= 8;
        }
        i += 1;
    }
    all
};

/// The first bit, not before bit `from`, at which a block could begin that is
/// not the last. Blocks whose headers go beyond the bytes are not found.
pub(super) fn find(bytes: &[u8], from: usize) -> Option<usize> {
    /// Bits looked at together.
    const TOGETHER: usize = 48;
    let mut at = from / 8;
    let mut wanted = !0 << (from % 8);
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let mut found = candidates(u64::from_le_bytes(*word)) & wanted & ((1 << TOGETHER) - 1);
        wanted = !0;
        while found > 0 {
            let bit = 8 * at + found.trailing_zeros() as usize;
            if has_codes(bytes, bit)? {
                return Some(bit);
            }
            found &= found - 1;
        }
        at += TOGETHER / 8;
    }
    None
}

/// Of the first bits, those at which the type and the numbers of codes can be
/// those of a block: 0, 0, 1, and two numbers of 5 bits below 30.
fn candidates(word: u64) -> u64 {
    let is_most = |first: u32| (first + 1..first + 5).fold(!0, |all, i| all & word >> i);
    !word & !(word >> 1) & word >> 2 & !is_most(3) & !is_most(8)
}

/// Whether the codes of lengths use up all that there are; `None` where the
/// bytes end.
fn has_codes(bytes: &[u8], bit: usize) -> Option<bool> {
    let bits_at = |bit: usize| {
        let word = bytes.get(bit / 8..)?.first_chunk()?;
        Some(u64::from_le_bytes(*word) >> (bit % 8))
    };
    const { assert!(HEADER - 17 <= 57, "bits of one word") };
    let count = 4 + (bits_at(bit + 13)? & 15);
    let lengths = bits_at(bit + 17)? & ((1 << (3 * count)) - 1);
    let share = |i: u32| SHARES[(lengths >> (12 * i)) as usize % SHARES.len()];
    Some((0..5).map(share).sum::<u16>() == 128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::inflate::Inflate;
    use crate::io::ReadBuf;
    use std::io::Write;

    /// Bits at which blocks begin, by decoding.
    fn blocks(stream: &[u8]) -> Vec<usize> {
        let mut inflate = Inflate::new();
        let (mut found, mut used) = (vec![0], 0);
        let mut memory = Vec::with_capacity(1 << 20);
        loop {
            let mut buffer = ReadBuf::new(memory.spare_capacity_mut());
            let bound = crate::codec::coding::Bound {
                at_mark: true,
                ..crate::codec::coding::Bound::NONE
            };
            let step = inflate.step(&stream[used..], &mut buffer, bound).unwrap();
            used += step.used;
            if step.ended {
                return found;
            }
            if let Some(left) = inflate.left() {
                found.push(8 * used - usize::from(left));
            }
        }
    }

    #[test]
    fn blocks_are_found_and_little_else() {
        let data = crate::codec::stream::tests::sample(1_000_000);
        for level in [2, 6, 9] {
            let level = flate2::Compression::new(level);
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(&data).unwrap();
            let stream = encoder.finish().unwrap();
            let wanted = blocks(&stream);
            assert!(wanted.len() > 3);
            let mut found = Vec::new();
            let mut from = 0;
            while let Some(bit) = find(&stream, from) {
                found.push(bit);
                from = bit + 1;
            }
            // The last says that it is.
            for bit in &wanted[..wanted.len() - 1] {
                assert!(found.contains(bit), "{bit}");
            }
            // Chance: a 16th by type, about one of 400 by its codes.
            assert!(
                found.len() < wanted.len() + stream.len() * 8 / 2000,
                "{}",
                found.len()
            );
        }
        assert_eq!(find(&[], 0), None);
        assert_eq!(find(&[0; 100], 0), None);
    }
}
