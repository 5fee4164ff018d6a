//! The decoded bytes before an output: 32 KiB, all that a stream can refer to.

use std::mem::MaybeUninit;

use super::output::Symbol;

/// Bytes before a place that a stream can refer to (RFC 1951, 2).
pub(in crate::codec) const WINDOW: usize = 32 << 10;

/// A ring: what comes takes the place of what is farthest.
pub(super) struct History {
    ring: Box<[u8; WINDOW]>,
    /// Where the next byte goes.
    next: usize,
    /// Bytes in it.
    pub(super) len: usize,
}

impl History {
    pub(super) fn new() -> History {
        History {
            ring: Box::new([0; WINDOW]),
            next: 0,
            len: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.next, self.len) = (0, 0);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let last = &bytes[bytes.len().saturating_sub(WINDOW)..];
        let (front, back) = last.split_at(last.len().min(WINDOW - self.next));
        self.ring[self.next..][..front.len()].copy_from_slice(front);
        self.ring[..back.len()].copy_from_slice(back);
        self.next = (self.next + last.len()) % WINDOW;
        self.len = (self.len + last.len()).min(WINDOW);
    }

    /// Copy those bytes that begin so far back, which is at most [`Self::len`]
    /// and at least the number wanted.
    pub(super) fn copy_to<S: Symbol>(&self, back: usize, out: &mut [MaybeUninit<S>]) {
        debug_assert!(back <= self.len && out.len() <= back, "bytes not there");
        let start = (self.next + WINDOW - back) % WINDOW;
        let (front, behind) = out.split_at_mut(out.len().min(WINDOW - start));
        let both = [(front, start), (behind, 0)];
        for (to, from) in both {
            let from = &self.ring[from..][..to.len()];
            to.iter_mut().zip(from).for_each(|(to, from)| {
                to.write(S::of(*from));
            });
        }
    }

    /// All of it, in order.
    pub(super) fn bytes(&self) -> Box<[u8]> {
        let start = (self.next + WINDOW - self.len) % WINDOW;
        let front = self.len.min(WINDOW - start);
        [&self.ring[start..][..front], &self.ring[..self.len - front]]
            .concat()
            .into_boxed_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_bytes_in_order() {
        let data: Vec<u8> = (0..200_000u32)
            .map(|i| (i.wrapping_mul(i) >> 7) as u8)
            .collect();
        for size in [1, 100, 4095, WINDOW - 1, WINDOW, WINDOW + 1, 100_000] {
            let mut history = History::new();
            let mut at = 0;
            for part in data.chunks(size).take(1 + 80_000 / size) {
                history.push(part);
                at += part.len();
                if size == 1 && at % 997 > 0 {
                    continue;
                }
                let wanted = &data[at.saturating_sub(WINDOW)..at];
                assert!(*history.bytes() == *wanted, "{size} {at}");
                for (back, len) in [(1, 1), (wanted.len(), 258), (wanted.len() / 2, 77)] {
                    let len = len.min(back);
                    let mut out = vec![MaybeUninit::new(0u8); len];
                    history.copy_to(back, &mut out);
                    let mut found = Vec::new();
                    // SAFETY: all were written, at first with 0.
                    #[allow(unsafe_code)]
                    found.extend(out.iter().map(|byte| unsafe { byte.assume_init() }));
                    assert_eq!(found, data[at - back..][..len], "{size} {at} {back}");
                }
            }
            history.clear();
            assert!(history.bytes().is_empty());
        }
    }
}
