//! Where decoded bytes go.

use std::mem::MaybeUninit;

use super::history::History;

pub(super) const TOO_FAR: &str = "a distance to before the begin of the data";

/// What is written for a decoded byte.
pub(super) trait Symbol: Copy {
    fn of(byte: u8) -> Self;

    /// Both bytes of an entry of the tables: its bits 8 to 15 and 16 to 23.
    fn pair(entry: u32) -> [Self; 2];
}

impl Symbol for u8 {
    #[inline(always)]
    fn of(byte: u8) -> u8 {
        byte
    }

    #[inline(always)]
    fn pair(entry: u32) -> [u8; 2] {
        ((entry >> 8) as u16).to_le_bytes()
    }
}

/// The low byte first; see [`super::unknown`].
impl Symbol for [u8; 2] {
    #[inline(always)]
    fn of(byte: u8) -> [u8; 2] {
        [byte, 0]
    }

    #[inline(always)]
    fn pair(entry: u32) -> [[u8; 2]; 2] {
        let [a, b, c, d] = (entry >> 8 & 0xFF | entry & 0xFF_0000).to_le_bytes();
        [[a, b], [c, d]]
    }
}

/// Memory that fills from the front, of which a step may use so much.
pub(super) struct Output<'a, S = u8> {
    pub(super) memory: &'a mut [MaybeUninit<S>],
    /// Bytes written, those before the step included. They are not written again.
    pub(super) len: usize,
    /// Whether all that the stream can refer to is in the memory.
    complete: bool,
}

impl<'a, S: Symbol> Output<'a, S> {
    /// Of the memory the first `before` bytes are written: all that the stream
    /// can refer to, or none.
    pub(super) fn behind(before: usize, memory: &'a mut [MaybeUninit<S>]) -> Output<'a, S> {
        Output {
            memory,
            len: before,
            complete: before > 0,
        }
    }

    /// Bytes that are only in the history.
    pub(super) fn elsewhere(&self, history: &History) -> usize {
        if self.complete { 0 } else { history.len }
    }

    /// How far back the stream can refer to.
    pub(super) fn reach(&self, history: &History) -> usize {
        self.len + self.elsewhere(history)
    }

    pub(super) fn room(&self) -> usize {
        self.memory.len() - self.len
    }

    /// There is room.
    pub(super) fn push(&mut self, byte: u8) {
        self.memory[self.len].write(S::of(byte));
        self.len += 1;
    }

    /// Push as many bytes as there is room for; says how many.
    pub(super) fn push_some(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        let to = &mut self.memory[self.len..][..n];
        to.iter_mut().zip(bytes).for_each(|(to, byte)| {
            to.write(S::of(*byte));
        });
        self.len += n;
        n
    }

    /// Copy what stands `distance` bytes before, which is there, as far as
    /// there is room for it; says how much.
    pub(super) fn copy(&mut self, history: &History, distance: usize, len: usize) -> usize {
        let len = len.min(self.room());
        let mut left = len;
        if distance > self.len {
            let back = distance - self.len;
            let n = left.min(back);
            history.copy_to(back, &mut self.memory[self.len..][..n]);
            self.len += n;
            left -= n;
        }
        // What is written is copied on.
        for _ in 0..left {
            self.memory[self.len] = self.memory[self.len - distance];
            self.len += 1;
        }
        len
    }
}
