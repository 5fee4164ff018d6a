//! Deflate (RFC 1951), resumable at any byte of input and output, and at the
//! end of any block with the bytes before it.
//!
//! A step goes through the parts of a stream one after the other (`State`).
//! Nearly all of it are symbols, and nearly all of these are decoded by the loop
//! in `fast`: it ends where 32 bytes of input or some 300 of output are left, so
//! that it looks at the ends once for each turn, not for each symbol. What is
//! near an end takes one careful step for each symbol, of which no bit is taken
//! before all of them are there. So a step can end anywhere, and what it leaves
//! behind are fewer bits than the next symbol has.
//!
//! What makes the loop fast:
//!
//! - 64 bits at a time, filled without a branch and never waited for: the bits
//!   that a look needs are put in while the look before it is under way.
//! - An entry of the tables holds two literals where the codes of both fit into
//!   12 bits, or a literal and the length behind it. In images, where literals
//!   and matches take turns, each turn that is saved is a branch less that
//!   cannot be foreseen.
//! - Entries have the bits to take where shifts look for them, and base, extra
//!   bits and literals where one shift finds them.
//! - Copies write up to 24 bytes before they look at the length, and straight
//!   into the result. Where what can be referred to does not all stand before the
//!   output, for it went to other memory, what is not there is copied from a ring
//!   of 32 KiB (`history`), which takes the last bytes of each step.
//! - The same loop is compiled a second time for processors with BMI2, whose
//!   shifts take one instruction.
//!
//! It is compiled twice more for symbols of two bytes (`unknown`), by which a
//! stream is decoded whose begin is not known yet.
//!
//! Tried, on series of int16 at level 6 (decoding alone 460 ms), and lost: three
//! literals in an entry and no length (+35 %: pairs of literals are rare there,
//! and the tables took 5 %); 11 bits (+3 %, at level 1 +8 %); distances by 8
//! bits (+2 %); filling the bits behind the distance, as is usual (+7 %); copies
//! of 16 bytes at once (+2 %, text +12 %), of 32 (+2 %).
//!
//! No byte outside of the room is written, no bit of what is not there is used,
//! and what cannot be is an error that names the bit. Streams that zlib refuses
//! are refused, and others are not. (Codes of lengths of codes without any symbol
//! are refused at once, by zlib where the first would come.)

mod bits;
mod checksum;
mod fast;
mod history;
mod output;
mod tables;
mod unknown;

use self::bits::{Bits, Source};
pub(super) use self::checksum::{Checksum, adler, joined};
use self::history::History;
pub(super) use self::history::WINDOW;
use self::output::{Output, Symbol, TOO_FAR};
use self::tables::{END, INNER_BITS, Tables};
pub(super) use self::unknown::{Meanings, Symbols};
use super::coding::{Bound, Step, damage};
use crate::error::Result;
use crate::io::ReadBuf;

/// Memory that a decoder takes.
pub(super) const MEMORY: usize = WINDOW + size_of::<Tables>() + size_of::<Lengths>();

/// A stream being decoded.
pub(super) struct Inflate {
    bits: Bits,
    state: State,
    /// Whether the block is the last.
    last: bool,
    /// Whether a block has just ended.
    between: bool,
    history: History,
    tables: Box<Tables>,
    lengths: Box<Lengths>,
}

/// What comes next in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A block, or the end behind the last one.
    Block,
    /// The length of a block that is stored.
    Length,
    /// So many bytes as they are.
    Stored(usize),
    /// How many lengths of codes there are.
    Counts,
    /// The lengths of the codes of such lengths.
    Inner,
    /// The lengths of the codes.
    Codes,
    Symbols,
    /// The rest of a copy.
    Copy {
        distance: usize,
        len: usize,
    },
    End,
    /// There is no going on.
    Damaged(&'static str),
}

/// Why a step ends.
enum Stop {
    /// More input is needed: what is there is taken.
    Input,
    /// More room is needed.
    Room,
    /// A block has ended, or the stream.
    End,
    Damage(&'static str),
}

/// The lengths of codes at the begin of a block (RFC 1951, 3.2.7).
struct Lengths {
    /// Of literals and lengths, of distances, of lengths of codes.
    counts: [usize; 3],
    known: usize,
    inner: [u8; 19],
    codes: [u8; 320],
    table: [u32; 1 << INNER_BITS],
}

/// Where a block ends and the next begins.
pub(super) struct Boundary {
    /// Bits of the last byte before the place that belong to the next block.
    pub(super) bits: u8,
    /// The bytes before it.
    pub(super) window: Box<[u8]>,
}

impl Inflate {
    pub(super) fn new() -> Inflate {
        Inflate {
            bits: Bits::default(),
            state: State::Block,
            last: false,
            between: false,
            history: History::new(),
            tables: Box::new(Tables::new()),
            lengths: Box::new(Lengths::new()),
        }
    }

    /// Begin a new stream.
    pub(super) fn reset(&mut self) {
        self.bits = Bits::default();
        self.state = State::Block;
        (self.last, self.between) = (false, false);
        self.history.clear();
    }

    /// Begin at a block's end inside a stream: `bits` of the byte before it,
    /// which is `last`, are the next block's. The window is what was decoded
    /// before.
    pub(super) fn resume(&mut self, bits: u8, last: u8, window: &[u8]) {
        self.reset();
        let count = u32::from(bits & 7);
        self.bits = Bits {
            value: u64::from(last) >> (8 - count),
            count,
        };
        self.history.push(window);
    }

    /// As [`super::coding::Coding::step`]. Where the stream is damaged, only the
    /// first step tells the place.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut ReadBuf<'_>,
        bound: Bound,
    ) -> Result<Step> {
        let most = usize::try_from(bound.most).unwrap_or(usize::MAX);
        let most = most.min(output.room());
        // What stands before in the same memory need not be looked for elsewhere,
        // if it is all that can be referred to.
        let before = match self.history.len {
            len if len <= bound.behind.min(output.filled().len()) => len,
            _ => 0,
        };
        // SAFETY: what is written is only copied from, see `Output`.
        #[allow(unsafe_code)]
        let memory = unsafe { output.unfilled_behind(before) };
        let mut to = Output::behind(before, &mut memory[..before + most]);
        let step = self.decode(input, &mut to, bound.at_mark);
        let written = to.len - before;
        // SAFETY: that many bytes were written to the front.
        #[allow(unsafe_code)]
        unsafe {
            output.advance(written);
        }
        // What has ended refers to nothing more.
        if self.state != State::End {
            let filled = output.filled();
            self.history.push(&filled[filled.len() - written..]);
        }
        step
    }

    /// Decode as far as input and room go, or `at_mark` to the end of a block.
    fn decode<S: Symbol>(
        &mut self,
        input: &[u8],
        output: &mut Output<'_, S>,
        at_mark: bool,
    ) -> Result<Step> {
        if let State::Damaged(reason) = self.state {
            return Err(damage(format!("the deflate stream has {reason}")));
        }
        let mut source = Source::new(input, self.bits);
        let stop = loop {
            if let Some(stop) = self.go_on(&mut source, output, at_mark) {
                break stop;
            }
        };
        match stop {
            Stop::Input => {}
            Stop::Room | Stop::End => source.give_back(),
            Stop::Damage(reason) => {
                self.state = State::Damaged(reason);
                self.between = false;
                let bit = 8 * source.at as i64 - i64::from(source.count);
                let text = format!(
                    "the deflate stream has {reason}, at bit {}",
                    bit.rem_euclid(8)
                );
                return Err(damage(text).at(bit.div_euclid(8) as u64));
            }
        }
        self.bits = source.left();
        Ok(Step {
            used: source.at,
            ended: self.state == State::End,
        })
    }

    /// The place at which the last step ended, if a block ends there that is
    /// not the last.
    pub(super) fn boundary(&self) -> Option<Boundary> {
        self.between.then(|| Boundary {
            bits: self.bits.count as u8,
            window: self.history.bytes(),
        })
    }

    /// Go on by one part of the stream.
    fn go_on<S: Symbol>(
        &mut self,
        source: &mut Source<'_>,
        output: &mut Output<'_, S>,
        at_mark: bool,
    ) -> Option<Stop> {
        match self.state {
            State::Block => return self.block(source),
            State::Length => return self.length(source),
            State::Counts => return self.counts(source),
            State::Inner => return self.inner(source),
            State::Codes => return self.codes(source),
            State::Stored(left) => {
                let left = left - stored(source, output, left);
                self.state = State::Stored(left);
                if left > 0 {
                    return Some(if output.room() > 0 {
                        Stop::Input
                    } else {
                        Stop::Room
                    });
                }
            }
            State::Symbols => match fast::run(&self.tables, &self.history, source, output) {
                fast::Stop::Near => match self.symbol(source, output) {
                    Some(Stop::End) => {}
                    stop => return stop,
                },
                fast::Stop::End => {}
                fast::Stop::Damage(reason) => return Some(Stop::Damage(reason)),
            },
            State::Copy { distance, len } => {
                let len = len - output.copy(&self.history, distance, len);
                if len > 0 {
                    self.state = State::Copy { distance, len };
                    return Some(Stop::Room);
                }
                self.state = State::Symbols;
                return None;
            }
            State::End | State::Damaged(_) => return Some(Stop::End),
        }
        // The block has ended.
        self.state = if self.last { State::End } else { State::Block };
        self.between = !self.last;
        (self.last || at_mark).then_some(Stop::End)
    }

    /// The header of a block (RFC 1951, 3.2.3).
    fn block(&mut self, source: &mut Source<'_>) -> Option<Stop> {
        if !source.has(3) {
            return Some(Stop::Input);
        }
        let header = source.peek(3);
        self.state = match header >> 1 {
            0 => State::Length,
            1 => {
                self.tables.build_fixed();
                State::Symbols
            }
            2 => State::Counts,
            _ => return Some(Stop::Damage("a block of no type that there is")),
        };
        source.drop(3);
        self.last = header & 1 > 0;
        self.between = false;
        None
    }

    /// The length of a block that is stored, which begins at a byte.
    fn length(&mut self, source: &mut Source<'_>) -> Option<Stop> {
        // Bits left of the last byte; those behind are whole bytes.
        let rest = source.count % 8;
        if !source.has(rest + 32) {
            return Some(Stop::Input);
        }
        source.drop(rest);
        let [len, inverse] = [source.peek(16), !source.peek(32) >> 16];
        if len != inverse {
            return Some(Stop::Damage("a length of stored bytes that is none"));
        }
        source.drop(32);
        self.state = State::Stored(len as usize);
        None
    }

    fn counts(&mut self, source: &mut Source<'_>) -> Option<Stop> {
        if !source.has(14) {
            return Some(Stop::Input);
        }
        let counts = source.peek(14);
        let [literals, distances] = [(counts & 31) + 257, (counts >> 5 & 31) + 1];
        if literals > 286 || distances > 30 {
            return Some(Stop::Damage("more codes than there are symbols"));
        }
        source.drop(14);
        let inner = (counts >> 10) + 4;
        self.lengths.counts = [literals, distances, inner].map(|count| count as usize);
        self.lengths.known = 0;
        self.lengths.inner = [0; 19];
        self.state = State::Inner;
        None
    }

    fn inner(&mut self, source: &mut Source<'_>) -> Option<Stop> {
        /// The order in which they come.
        const ORDER: [u8; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let lengths = &mut *self.lengths;
        while lengths.known < lengths.counts[2] {
            if !source.has(3) {
                return Some(Stop::Input);
            }
            lengths.inner[usize::from(ORDER[lengths.known])] = source.take(3) as u8;
            lengths.known += 1;
        }
        if tables::fill_lengths(&mut lengths.table, &lengths.inner).is_none() {
            return Some(Stop::Damage("codes of lengths of codes that cannot be"));
        }
        lengths.known = 0;
        self.state = State::Codes;
        None
    }

    fn codes(&mut self, source: &mut Source<'_>) -> Option<Stop> {
        let lengths = &mut *self.lengths;
        let [literals, distances, _] = lengths.counts;
        let all = literals + distances;
        while lengths.known < all {
            // A code and what it has behind it take 14 at most.
            source.has(14);
            let entry = lengths.table[source.peek(INNER_BITS) as usize];
            let (bits, symbol) = (tables::bits(entry), tables::byte(entry));
            let (extra, least) = match symbol {
                16 => (2, 3),
                17 => (3, 3),
                18 => (7, 11),
                _ => (0, 1),
            };
            if bits + extra > source.count {
                return Some(Stop::Input);
            }
            let repeated = (source.peek(bits + extra) >> bits) as usize + least;
            let code = match symbol {
                16 if lengths.known == 0 => {
                    return Some(Stop::Damage("a length to repeat before the first"));
                }
                16 => lengths.codes[lengths.known - 1],
                17 | 18 => 0,
                _ => symbol,
            };
            if lengths.known + repeated > all {
                return Some(Stop::Damage("more lengths of codes than there are codes"));
            }
            source.drop(bits + extra);
            lengths.codes[lengths.known..][..repeated].fill(code);
            lengths.known += repeated;
        }
        let (literals, distances) = lengths.codes[..all].split_at(literals);
        match self.tables.build(literals, distances) {
            Ok(()) => self.state = State::Symbols,
            Err(reason) => return Some(Stop::Damage(reason)),
        }
        None
    }

    /// One symbol, near an end of input or output. Of one that is not all there
    /// no bit is taken.
    fn symbol<S: Symbol>(
        &mut self,
        source: &mut Source<'_>,
        output: &mut Output<'_, S>,
    ) -> Option<Stop> {
        source.fill();
        let entry = self.tables.single(source.value);
        let taken = tables::bits(entry);
        if taken > source.count {
            return Some(Stop::Input);
        }
        if tables::literals(entry) > 0 {
            if output.room() == 0 {
                return Some(Stop::Room);
            }
            source.drop(taken);
            output.push(tables::byte(entry));
            return None;
        }
        if tables::is_other(entry) {
            if entry & END != END {
                return Some(Stop::Damage(tables::NOTHING));
            }
            source.drop(taken);
            return Some(Stop::End);
        }
        let rest = source.value >> taken;
        let far = self.tables.distances.whole(rest);
        let all = taken + tables::bits(far);
        if all > source.count {
            return Some(Stop::Input);
        }
        if tables::is_other(far) {
            source.drop(taken);
            return Some(Stop::Damage(tables::NOWHERE));
        }
        let len = tables::length(entry, source.value);
        let distance = tables::distance(far, rest);
        if distance > output.reach(&self.history) {
            source.drop(all);
            return Some(Stop::Damage(TOO_FAR));
        }
        if output.room() == 0 {
            return Some(Stop::Room);
        }
        source.drop(all);
        self.state = State::Copy { distance, len };
        None
    }
}

/// Go on with bytes that are stored, as far as input and output go.
fn stored<S: Symbol>(source: &mut Source<'_>, output: &mut Output<'_, S>, left: usize) -> usize {
    source.give_back();
    let mut done = 0;
    // Of the input before.
    while done < left && source.count > 0 && output.room() > 0 {
        output.push(source.take(8) as u8);
        done += 1;
    }
    if source.count > 0 {
        return done;
    }
    let rest = &source.input[source.at..];
    let n = output.push_some(&rest[..rest.len().min(left - done)]);
    source.at += n;
    done + n
}

impl Lengths {
    fn new() -> Lengths {
        Lengths {
            counts: [0; 3],
            known: 0,
            inner: [0; 19],
            codes: [0; 320],
            table: [0; 1 << INNER_BITS],
        }
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod maker;
#[cfg(test)]
#[path = "inflate_tests.rs"]
pub(super) mod tests;
