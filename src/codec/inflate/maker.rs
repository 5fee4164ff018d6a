//! Deflate streams made bit by bit, with what they decode to.

use super::tables::tests::codes;
use crate::random::Random;

/// A stream in the making.
#[derive(Default)]
pub(super) struct Maker {
    pub(super) bytes: Vec<u8>,
    /// Bits of the last byte that are taken; 0 stands for all.
    pub(super) used: u32,
    /// What it decodes to.
    pub(super) data: Vec<u8>,
    /// Bits before each block but the first.
    pub(super) begins: Vec<usize>,
}

/// The codes of a block: bits and number of each symbol, 0 bits for none.
pub(super) struct Codes {
    pub(super) literals: Vec<u8>,
    pub(super) distances: Vec<u8>,
}

impl Codes {
    pub(super) fn fixed() -> Codes {
        let mut literals = vec![8; 288];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        let distances = vec![5; 30];
        Codes {
            literals,
            distances,
        }
    }
}

/// Extra bits and base of a length or distance (RFC 1951, 3.2.5).
fn parts(number: usize, first: usize, each: usize) -> (usize, u32, u32) {
    let (mut base, mut symbol) = (first, 0);
    loop {
        let extra = (symbol / each).saturating_sub(1) as u32;
        if number < base + (1 << extra) {
            return (symbol, extra, (number - base) as u32);
        }
        base += 1 << extra;
        symbol += 1;
    }
}

impl Maker {
    pub(super) fn bit_count(&self) -> usize {
        8 * self.bytes.len() - (8 - self.used as usize) % 8
    }

    /// Bits, the lowest first.
    pub(super) fn put(&mut self, value: u32, count: u32) {
        for i in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let bit = (value >> i & 1) as u8;
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// A code, its first bit first.
    fn code(&mut self, codes: &[(u32, u32)], symbol: usize) {
        let (code, bits) = codes[symbol];
        assert!(bits > 0, "symbol {symbol} has no code");
        self.put(code, bits);
    }

    pub(super) fn begin(&mut self, last: bool, kind: u32) {
        if !self.bytes.is_empty() {
            self.begins.push(self.bit_count());
        }
        self.put(u32::from(last), 1);
        self.put(kind, 2);
    }

    pub(super) fn stored(&mut self, last: bool, data: &[u8]) {
        self.begin(last, 0);
        self.used = 0;
        let len = data.len() as u16;
        self.bytes.extend(len.to_le_bytes());
        self.bytes.extend((!len).to_le_bytes());
        self.bytes.extend(data);
        self.data.extend(data);
    }

    /// A block's header with its codes (RFC 1951, 3.2.7).
    pub(super) fn dynamic(&mut self, last: bool, random: &mut Random, all: &Codes) {
        self.begin(last, 2);
        let both = [&all.literals[..], &all.distances[..]].concat();
        self.put(all.literals.len() as u32 - 257, 5);
        self.put(all.distances.len() as u32 - 1, 5);
        // Some of what can be repeated is.
        let (mut lengths, mut i) = (Vec::new(), 0);
        while i < both.len() {
            let same = both[i..]
                .iter()
                .take_while(|&&bits| bits == both[i])
                .count();
            let (symbol, least, most) = match both[i] {
                0 if same >= 11 => (18, 11, 138),
                0 if same >= 3 => (17, 3, 10),
                _ if same >= 4 => (16, 4, 7),
                _ => (usize::from(both[i]), 1, 1),
            };
            if symbol < 16 || random.below(4) == 0 {
                lengths.push((usize::from(both[i]), 0, 0));
                i += 1;
                continue;
            }
            let n = least + random.below(same.min(most) - least + 1);
            if symbol == 16 {
                lengths.push((usize::from(both[i]), 0, 0));
            }
            let bits = [2, 3, 7][symbol - 16];
            lengths.push((symbol, (n - least) as u32, bits));
            i += n;
        }
        let mut used: Vec<usize> = lengths.iter().map(|one| one.0).collect();
        used.extend([0, 18]);
        let inner = random.codes(&used, 19, 7);
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let known = ORDER.iter().rposition(|&symbol| inner[symbol] > 0).unwrap() + 1;
        self.put(known.max(4) as u32 - 4, 4);
        for &symbol in &ORDER[..known.max(4)] {
            self.put(inner[symbol].into(), 3);
        }
        let inner = codes(&inner);
        for (symbol, value, bits) in lengths {
            self.code(&inner, symbol);
            self.put(value, bits);
        }
    }

    pub(super) fn literal(&mut self, all: &[(u32, u32)], byte: u8) {
        self.code(all, byte.into());
        self.data.push(byte);
    }

    pub(super) fn copy(
        &mut self,
        [literals, distances]: [&[(u32, u32)]; 2],
        len: usize,
        distance: usize,
    ) {
        let (symbol, extra, value) = match len {
            258 => (28, 0, 0),
            _ => parts(len, 3, 4),
        };
        self.code(literals, 257 + symbol);
        self.put(value, extra);
        let (symbol, extra, value) = parts(distance, 1, 2);
        self.code(distances, symbol);
        self.put(value, extra);
        for _ in 0..len {
            self.data.push(self.data[self.data.len() - distance]);
        }
    }

    pub(super) fn end(&mut self, literals: &[(u32, u32)]) {
        self.code(literals, 256);
    }
}

impl Random {
    /// Lengths of complete codes, at most so long, for some symbols of `n`. One
    /// symbol alone has one bit.
    pub(super) fn codes(&mut self, used: &[usize], n: usize, most: u8) -> Vec<u8> {
        let mut used = used.to_vec();
        used.sort_unstable();
        used.dedup();
        let mut leaves = vec![0u8];
        // Some trees are deep.
        let deep = self.below(3) == 0;
        while leaves.len() < used.len().max(2) {
            let i = match deep {
                true => leaves.len() - 1 - self.below(leaves.len().min(3)),
                false => self.below(leaves.len()),
            };
            if leaves[i] < most {
                let bits = leaves.swap_remove(i) + 1;
                leaves.extend([bits; 2]);
            } else {
                let i = self.below(leaves.len());
                leaves.swap(0, i);
                if let Some(i) = leaves.iter().position(|&bits| bits < most) {
                    let last = leaves.len() - 1;
                    leaves.swap(i, last);
                }
            }
        }
        let mut all = vec![0; n];
        for symbol in used {
            all[symbol] = leaves.swap_remove(self.below(leaves.len()));
        }
        all
    }

    /// A stream of several blocks of all kinds.
    pub(super) fn stream(&mut self, blocks: usize) -> Maker {
        let mut made = Maker::default();
        for i in 0..blocks {
            let last = i + 1 == blocks;
            match self.below(6) {
                0 => {
                    let data: Vec<u8> = (0..self.below(300))
                        .map(|_| self.below(256) as u8)
                        .collect();
                    made.stored(last, &data);
                }
                1 => {
                    made.begin(last, 1);
                    self.symbols(&mut made, &Codes::fixed());
                }
                _ => {
                    let all = self.block_codes();
                    made.dynamic(last, self, &all);
                    self.symbols(&mut made, &all);
                }
            }
        }
        made
    }

    fn block_codes(&mut self) -> Codes {
        let mut literals = vec![256];
        let [first, bytes] = [self.below(200), self.below(56)];
        literals.extend(first..first + bytes);
        let lengths = self.below(30);
        literals.extend((0..lengths).map(|_| 257 + self.below(29)));
        let count = 257 + literals.iter().max().unwrap() - 256;
        let count = count + self.below(286 - count + 1);
        // One distance may be alone, or there is none.
        let some = self.below(8);
        let used: Vec<usize> = (0..some * some).map(|_| self.below(30)).collect();
        let n = used.iter().max().map_or(0, |most| most + 1);
        let n = (n + self.below(30 - n + 1)).max(1);
        let mut distances = match used.len() {
            0 => vec![0; n],
            _ => self.codes(&used, n, 15),
        };
        if distances.iter().filter(|&&bits| bits > 0).count() == 1 {
            distances.iter_mut().for_each(|bits| *bits = (*bits).min(1));
        }
        let mut literals = self.codes(&literals, count, 15);
        if literals.iter().filter(|&&bits| bits > 0).count() == 1 {
            literals[256] = 1;
        }
        Codes {
            literals,
            distances,
        }
    }

    /// Symbols that the codes have, in any order, and the end.
    fn symbols(&mut self, made: &mut Maker, all: &Codes) {
        let bytes: Vec<u8> = (0..=255)
            .filter(|&byte| all.literals[usize::from(byte)] > 0)
            .collect();
        let (literals, distances) = (codes(&all.literals), codes(&all.distances));
        let start = made.data.len();
        for _ in 0..self.below(3000) {
            let copy = self.below(3) == 0;
            if !copy && !bytes.is_empty() {
                let byte = self.pick(&bytes);
                made.literal(&literals, byte);
                continue;
            }
            let len = match self.below(4) {
                0 => 3 + self.below(256),
                1 => 258,
                _ => 3 + self.below(8),
            };
            let most = made.data.len().min(32 << 10);
            let distance = match self.below(4) {
                _ if most == 0 => continue,
                0 => most,
                1 => 1 + self.below(most),
                _ => 1 + self.below(most.min(40)),
            };
            let symbol = match len {
                258 => 285,
                _ => 257 + parts(len, 3, 4).0,
            };
            let far = parts(distance, 1, 2).0;
            let has = |codes: &[(u32, u32)], i: usize| codes.get(i).is_some_and(|code| code.1 > 0);
            if has(&literals, symbol) && has(&distances, far) && made.data.len() - start < 100_000 {
                made.copy([&literals, &distances], len, distance);
            }
        }
        made.end(&literals);
    }
}
