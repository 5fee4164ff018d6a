//! Tables that tell what the next bits mean.
//!
//! A table has an entry for each value that its number of bits can have, and
//! behind them smaller tables for the codes that are longer. An entry is:
//!
//! | bits | literals, then perhaps a length | distance | else |
//! |---|---|---|---|
//! | 0-5 | bits of all codes and the extra ones | the same | of the code, if it ends here |
//! | 6-7 | how many literals, 0 to 2 | 0 | 0 |
//! | 8-15 | the first | base | begin of the table behind |
//! | 16-23 | the second, or the base of the length | base | begin |
//! | 24-27 | bits of all codes | of the code | of the table behind |
//! | 28-31 | [`LENGTH`] if there is one | 0 | [`OTHER`] and what |

/// Bits that the tables take at once. With one more the table of literals
/// would leave too little of the first-level cache.
pub(super) const LITERAL_BITS: u32 = 12;
pub(super) const DISTANCE_BITS: u32 = 9;
pub(super) const INNER_BITS: u32 = 7;

/// Most entries, the tables behind among them, and some more: one of those that
/// takes `b` bits has `b + 1` codes at least, so there are no more than 8 entries
/// by 4 of 288 codes here, and 64 by 7 of 32 there.
const MOST_LITERALS: usize = (1 << LITERAL_BITS) + 288 / 4 * 8;
const MOST_DISTANCES: usize = (1 << DISTANCE_BITS) + 32 * 64 / 7;

/// There is a length.
pub(super) const LENGTH: u32 = 1 << 31;
/// Neither literals nor a base.
pub(super) const OTHER: u32 = 3 << 30;
/// The block ends.
pub(super) const END: u32 = OTHER | 1 << 28;
/// The code goes on in a table behind.
pub(super) const BEHIND: u32 = OTHER | 1 << 29;

pub(super) const NOTHING: &str = "a code that stands for nothing";
pub(super) const NOWHERE: &str = "a code that stands for no distance";

/// Shortest length that there is.
const SHORTEST: usize = 3;

/// Bits that an entry takes. Shifts do not look at higher ones.
pub(super) fn bits(entry: u32) -> u32 {
    entry & 63
}

pub(super) fn literals(entry: u32) -> u32 {
    entry >> 6 & 3
}

/// The first literal.
pub(super) fn byte(entry: u32) -> u8 {
    (entry >> 8) as u8
}

/// Whether there are literals alone.
pub(super) fn is_plain(entry: u32) -> bool {
    entry & LENGTH == 0
}

pub(super) fn is_other(entry: u32) -> bool {
    entry & OTHER == OTHER
}

/// Bits of the codes alone, or of the table behind.
fn code_bits(entry: u32) -> u32 {
    entry >> 24 & 15
}

/// The place in a table behind; the bits are those behind the table's own.
pub(super) fn behind(entry: u32, value: u64) -> usize {
    (entry >> 8 & 0xFFFF) as usize + (value as usize & ((1 << code_bits(entry)) - 1))
}

/// The extra bits of an entry, behind its codes.
fn extra(entry: u32, value: u64) -> usize {
    ((value & ((1 << bits(entry)) - 1)) >> code_bits(entry)) as usize
}

/// The length of an entry; the bits are those that its codes begin.
pub(super) fn length(entry: u32, value: u64) -> usize {
    SHORTEST + (entry >> 16 & 0xFF) as usize + extra(entry, value)
}

pub(super) fn distance(entry: u32, value: u64) -> usize {
    (entry >> 8 & 0xFFFF) as usize + extra(entry, value)
}

/// What an entry says without the bits of its code. The byte stands where the
/// first literal does and where the second does, for entries to be put together.
const fn literal(byte: u32) -> u32 {
    1 << 6 | byte << 8 | byte << 16
}

/// RFC 1951, 3.2.5: for lengths 4 codes, for distances 2, that take one extra
/// bit more than those before.
const fn bases<const N: usize>(first: u32, each: usize, shift: u32) -> [u32; N] {
    let mut all = [0; N];
    let (mut i, mut base) = (0, first);
    while i < N {
        let extra = (i / each).saturating_sub(1) as u32;
        all[i] = base << shift | extra;
        base += 1 << extra;
        i += 1;
    }
    all
}

const LITERALS: [u32; 288] = {
    let mut all = [OTHER; 288];
    let mut byte = 0;
    while byte < 256 {
        all[byte as usize] = literal(byte);
        byte += 1;
    }
    all[256] = END;
    let lengths: [u32; 28] = bases(0, 4, 16);
    let mut i = 0;
    while i < lengths.len() {
        all[257 + i] = LENGTH | lengths[i];
        i += 1;
    }
    all[285] = LENGTH | 255 << 16;
    all
};

/// The last two have no meaning.
const DISTANCES: [u32; 32] = {
    let mut all = [OTHER; 32];
    let known: [u32; 30] = bases(1, 2, 8);
    let mut i = 0;
    while i < known.len() {
        all[i] = known[i];
        i += 1;
    }
    all
};

/// Entries by the next bits, `ROOT` of them at once, and behind these the tables
/// of longer codes.
pub(super) struct Table<const ROOT: u32, const SIZE: usize>([u32; SIZE]);

impl<const ROOT: u32, const SIZE: usize> Table<ROOT, SIZE> {
    const EMPTY: Self = Table([OTHER; SIZE]);

    /// What the next bits begin with.
    #[inline(always)]
    pub(super) fn next(&self, value: u64) -> u32 {
        self.0[value as usize % (1 << ROOT)]
    }

    /// What a code means that goes on behind an entry.
    #[inline(always)]
    pub(super) fn behind(&self, entry: u32, value: u64) -> u32 {
        self.0[behind(entry, value >> ROOT)]
    }

    /// The entry of the next bits, wherever it stands.
    pub(super) fn whole(&self, value: u64) -> u32 {
        let entry = self.next(value);
        match entry & BEHIND {
            BEHIND => self.behind(entry, value),
            _ => entry,
        }
    }
}

/// What the bits of a block mean.
#[repr(C, align(64))]
pub(super) struct Tables {
    /// By the next bits as many literals as they hold, two at most, or one and
    /// a length, else one thing alone.
    pub(super) literals: Table<LITERAL_BITS, MOST_LITERALS>,
    pub(super) distances: Table<DISTANCE_BITS, MOST_DISTANCES>,
    /// Bits of the codes of the literals.
    bits: [u8; 256],
    /// The first entries, before others are put together with them.
    alone: [u32; 1 << (LITERAL_BITS - 1)],
    /// Whether these are the codes of RFC 1951, 3.2.6.
    fixed: bool,
}

impl Tables {
    pub(super) fn new() -> Tables {
        Tables {
            literals: Table::EMPTY,
            bits: [0; 256],
            alone: [OTHER; 1 << (LITERAL_BITS - 1)],
            distances: Table::EMPTY,
            fixed: false,
        }
    }

    /// By the lengths of the codes of literals and lengths, and of distances.
    pub(super) fn build(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), &'static str> {
        self.fixed = false;
        let Some((bits, [end, ..])) = literals.split_first_chunk() else {
            return Err("no code for the end of a block");
        };
        if *end == 0 {
            return Err("no code for the end of a block");
        }
        self.bits = *bits;
        let sorted = Sorted::new(literals);
        let sorted = sorted.ok_or("codes of literals and lengths that cannot be")?;
        let firsts = fill(&mut self.literals.0, LITERAL_BITS, &sorted, &LITERALS);
        self.join(&sorted, &firsts);
        let sorted = Sorted::new(distances).ok_or("codes of distances that cannot be")?;
        fill(&mut self.distances.0, DISTANCE_BITS, &sorted, &DISTANCES);
        Ok(())
    }

    pub(super) fn build_fixed(&mut self) {
        if self.fixed {
            return;
        }
        let mut bits = [8; 288];
        bits[144..256].fill(9);
        bits[256..280].fill(7);
        // Complete codes fit.
        let _ = self.build(&bits, &[5; 32]);
        self.fixed = true;
    }

    /// The entry of the one literal, length or end that the next bits are.
    pub(super) fn single(&self, value: u64) -> u32 {
        let found = self.literals.whole(value);
        match literals(found) {
            0 => found,
            _ => {
                let byte = usize::from(byte(found));
                entry(LITERALS[byte], self.bits[byte].into())
            }
        }
    }

    /// Put each literal together with what comes behind it, if an entry's bits
    /// hold the codes of both.
    fn join(&mut self, sorted: &Sorted, firsts: &[u16; MOST_SYMBOLS]) {
        let joined = &mut self.literals.0[..1 << LITERAL_BITS];
        let shortest = sorted.shortest();
        let symbols = sorted.symbols[..sorted.used].iter().zip(firsts);
        let mut copied = false;
        for (&symbol, &first) in symbols.filter(|(symbol, _)| **symbol < 256) {
            let bits = u32::from(sorted.bits_of(symbol));
            let left = LITERAL_BITS.saturating_sub(bits);
            if left < shortest {
                break;
            }
            // The first literal leaves the most bits.
            if !copied {
                self.alone[..1 << left].copy_from_slice(&joined[..1 << left]);
                copied = true;
            }
            let one = entry(LITERALS[usize::from(symbol)], bits) & 0xF00_FFFF;
            let places = joined[usize::from(first)..].iter_mut().step_by(1 << bits);
            for (place, &next) in places.zip(&self.alone[..1 << left]) {
                // What has another meaning than literal or length does not fit.
                if next >> 24 & 0x4F <= left {
                    *place = one + (next & 0xFFFF_00FF);
                }
            }
        }
    }
}

/// Most bits of a code (RFC 1951, 3.2.2).
const MOST_BITS: usize = 15;

/// Most symbols of a code.
const MOST_SYMBOLS: usize = 288;

/// An entry for the symbol that a code of so many bits stands for.
fn entry(meaning: u32, bits: u32) -> u32 {
    match meaning {
        OTHER | END => meaning | bits,
        _ => meaning + bits + (bits << 24),
    }
}

/// Symbols by the lengths of their codes, which tell the codes (RFC 1951,
/// 3.2.2).
struct Sorted<'a> {
    /// Of all symbols.
    bits: &'a [u8],
    /// How many codes there are of so many bits.
    counts: [u16; MOST_BITS + 1],
    /// Those that have codes.
    symbols: [u16; MOST_SYMBOLS],
    used: usize,
    /// Whether each sequence of bits is one of codes. Else there is one code of
    /// one bit, or none.
    complete: bool,
}

impl Sorted<'_> {
    /// `None` if there can be no such codes.
    fn new(bits: &[u8]) -> Option<Sorted<'_>> {
        let mut counts = [0; MOST_BITS + 1];
        bits.iter().for_each(|&bits| counts[usize::from(bits)] += 1);
        let used = bits.len() - usize::from(counts[0]);
        // Codes that are left over, in those of the longest kind.
        let mut left = 1i32 << MOST_BITS;
        let mut next = [0; MOST_BITS + 2];
        for bits in 1..=MOST_BITS {
            left -= i32::from(counts[bits]) << (MOST_BITS - bits);
            next[bits + 1] = next[bits] + counts[bits];
        }
        let complete = left == 0;
        let alone = used == 0 || used == 1 && counts[1] == 1;
        if !complete && !alone {
            return None;
        }
        let mut symbols = [0; MOST_SYMBOLS];
        for (symbol, &bits) in bits.iter().enumerate().filter(|(_, bits)| **bits > 0) {
            let place = &mut next[usize::from(bits)];
            symbols[usize::from(*place)] = symbol as u16;
            *place += 1;
        }
        Some(Sorted {
            bits,
            counts,
            symbols,
            used,
            complete,
        })
    }

    fn bits_of(&self, symbol: u16) -> u8 {
        self.bits[usize::from(symbol)]
    }

    /// Bits of the shortest code.
    fn shortest(&self) -> u32 {
        let first = self.counts[1..].iter().position(|&count| count > 0);
        first.map_or(MOST_BITS, |i| i + 1) as u32
    }
}

/// Fill a table that takes `root` bits at once. Gives where in it each code that
/// has no more begins.
fn fill(
    table: &mut [u32],
    root: u32,
    sorted: &Sorted<'_>,
    meanings: &[u32],
) -> [u16; MOST_SYMBOLS] {
    let mut firsts = [0; MOST_SYMBOLS];
    let entry_of = |i: usize, bits| entry(meanings[usize::from(sorted.symbols[i])], bits);
    if !sorted.complete {
        table[..1 << root].fill(OTHER | 1);
        if sorted.used > 0 {
            let places = table[..1 << root].iter_mut().step_by(2);
            places.for_each(|place| *place = entry_of(0, 1));
        }
        return firsts;
    }
    // The code that comes next, its first bit lowest.
    let mut code = 0;
    // Short codes: the table grows by doubling what is there.
    let (mut size, mut i) = (1, 0);
    for bits in 1..=root {
        table.copy_within(..size, size);
        size *= 2;
        for _ in 0..sorted.counts[bits as usize] {
            table[code] = entry_of(i, bits);
            firsts[i] = code as u16;
            i += 1;
            code = after(code, bits);
        }
    }
    // Long ones: each group that begins alike has a table behind.
    let (mut behind, mut table_bits, mut group) = (1 << root, 0, usize::MAX);
    for bits in root + 1..=MOST_BITS as u32 {
        for left in (1..=sorted.counts[bits as usize]).rev() {
            let start = code & ((1 << root) - 1);
            if start != group {
                if group != usize::MAX {
                    behind += 1 << table_bits;
                }
                group = start;
                // So many bits as the codes take that fill it.
                table_bits = bits - root;
                let mut fills = u32::from(left);
                while fills < 1 << table_bits {
                    table_bits += 1;
                    fills = 2 * fills + u32::from(sorted.counts[(root + table_bits) as usize]);
                }
                table[start] = BEHIND | (behind as u32) << 8 | table_bits << 24;
            }
            let new = entry_of(i, bits);
            i += 1;
            let places = table[behind..][..1 << table_bits].iter_mut();
            let places = places.skip(code >> root).step_by(1 << (bits - root));
            places.for_each(|place| *place = new);
            code = after(code, bits);
        }
    }
    firsts
}

/// The next code of so many bits, its first bit lowest; behind the last one, 0.
fn after(code: usize, bits: u32) -> usize {
    let zeros = !code & ((1 << bits) - 1);
    let Some(highest) = zeros.checked_ilog2() else {
        return 0;
    };
    code & ((1 << highest) - 1) | 1 << highest
}

/// A table for the codes that tell the lengths of codes: entries have the symbol
/// as a literal. `None` if there can be no such codes.
pub(super) fn fill_lengths(table: &mut [u32; 1 << INNER_BITS], codes: &[u8; 19]) -> Option<()> {
    const SYMBOLS: [u32; 19] = {
        let mut all = [0; 19];
        let mut i = 0;
        while i < all.len() {
            all[i] = literal(i as u32);
            i += 1;
        }
        all
    };
    let sorted = Sorted::new(codes).filter(|sorted| sorted.complete)?;
    fill(table, INNER_BITS, &sorted, &SYMBOLS);
    Some(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The codes of RFC 1951, 3.2.2: each with its first bit lowest, and its
    /// bits.
    pub(in crate::codec::inflate) fn codes(bits: &[u8]) -> Vec<(u32, u32)> {
        let mut next = [0u32; MOST_BITS + 2];
        for length in 1..=MOST_BITS {
            let count = bits.iter().filter(|&&bits| usize::from(bits) == length);
            next[length + 1] = (next[length] + count.count() as u32) << 1;
        }
        let one = |&bits: &u8| {
            let code = next[usize::from(bits)];
            next[usize::from(bits)] += u32::from(bits > 0);
            let code = code.reverse_bits().checked_shr(32 - u32::from(bits));
            (code.unwrap_or(0), u32::from(bits))
        };
        bits.iter().map(one).collect()
    }

    /// Each code, with anything behind it, is found; what the bits of an entry
    /// hold is what single entries say one after the other.
    #[test]
    fn entries_say_what_the_codes_stand_for() {
        let mut random = crate::random::Random(5);
        let mut tables = Tables::new();
        for turn in 0..300 {
            let mut used: Vec<usize> = (0..1 + random.below(280))
                .map(|_| random.below(286))
                .collect();
            used.push(256);
            let lits = random.codes(&used, 286, 15);
            let used: Vec<usize> = (0..2 + random.below(28))
                .map(|_| random.below(30))
                .collect();
            let dists = random.codes(&used, 30, 15);
            if tables.build(&lits, &dists).is_err() {
                // One code alone of a length that it cannot have.
                continue;
            }
            for (symbol, (code, bits)) in codes(&lits).into_iter().enumerate() {
                if bits == 0 {
                    continue;
                }
                let rest = (random.below(1 << 31) as u64) << bits;
                let found = tables.single(u64::from(code) | rest);
                let wanted = entry(LITERALS[symbol], bits);
                assert_eq!(found, wanted, "{turn} {symbol}");
            }
            for (symbol, (code, bits)) in codes(&dists).into_iter().enumerate() {
                if bits > 0 {
                    let rest = (random.below(1 << 31) as u64) << bits;
                    let found = tables.distances.whole(u64::from(code) | rest);
                    assert_eq!(found, entry(DISTANCES[symbol], bits), "{turn} {symbol}");
                }
            }
            for value in 0..1u64 << LITERAL_BITS {
                let joined = tables.literals.next(value);
                let first = tables.single(value);
                if joined == first || joined & BEHIND == BEHIND {
                    continue;
                }
                let next = tables.single(value >> bits(first));
                assert_eq!((literals(first), byte(joined)), (1, byte(first)));
                assert_eq!(bits(joined), bits(first) + bits(next));
                assert!(code_bits(first) + code_bits(next) <= LITERAL_BITS);
                if is_plain(joined) {
                    assert!(literals(joined) == 2 && literals(next) == 1);
                    assert_eq!((joined >> 16) as u8, byte(next));
                } else {
                    assert!(literals(joined) == 1 && !is_other(joined));
                    let far = u64::MAX << 12 | value;
                    assert_eq!(length(joined, far), length(next, far >> bits(first)));
                }
            }
        }
    }

    #[test]
    fn codes_that_cannot_be_are_told() {
        let mut tables = Tables::new();
        let mut bits = vec![0; 286];
        bits[256] = 1;
        // One code of one bit does, for both.
        tables.build(&bits, &[1]).unwrap();
        tables.build(&bits, &[0]).unwrap();
        assert_eq!(tables.single(0), END | 1);
        assert!(is_other(tables.single(1)) && is_other(tables.distances.whole(0)));
        for (literal, end, distances) in [
            (0, 2, &[1][..]),
            (2, 1, &[1]),
            (1, 0, &[1]),
            (1, 1, &[2]),
            (1, 1, &[1, 2]),
            (1, 1, &[1, 1, 1]),
        ] {
            (bits[0], bits[256]) = (literal, end);
            assert!(
                tables.build(&bits, distances).is_err(),
                "{literal} {end} {distances:?}"
            );
        }
        bits[1] = 1;
        (bits[0], bits[256]) = (1, 1);
        assert!(tables.build(&bits, &[1]).is_err());
        let mut table = [0; 1 << INNER_BITS];
        let mut lengths = [0; 19];
        assert!(fill_lengths(&mut table, &lengths).is_none());
        lengths[3] = 1;
        assert!(fill_lengths(&mut table, &lengths).is_none());
        lengths[18] = 1;
        fill_lengths(&mut table, &lengths).unwrap();
        assert_eq!((byte(table[0]), byte(table[127])), (3, 18));
    }
}
