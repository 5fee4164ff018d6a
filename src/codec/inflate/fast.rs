//! The loop in which nearly all of a stream is decoded: away from the ends of
//! input and output, where neither has to be looked at for each symbol.

// That reads and writes stay inside is looked at once for each turn.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr::copy_nonoverlapping;
use std::slice::from_raw_parts_mut;

use super::bits::Source;
use super::history::History;
use super::output::{Output, Symbol, TOO_FAR};
use super::tables::{
    BEHIND, END, NOTHING, NOWHERE, Tables, distance, is_other, is_plain, length, literals,
};

/// Input that one turn of the loop looks at: it fills its bits three times,
/// goes on by 7 bytes each time at most, and looks at 8. So 22 would do.
const INPUT: usize = 32;

/// Output that one turn of the loop writes to: up to 2 literals four times, or
/// three times and one of a table behind, for which 2 bytes are written; the
/// longest copy; and up to 23 that wide writes go beyond it.
const OUTPUT: usize = 8 + 258 + 32;

/// Why the loop ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Near the end of the input or the output.
    Near,
    /// Behind the end of a block.
    End,
    Damage(&'static str),
}

/// Decode symbols as long as input and output go on far enough.
pub(super) fn run<S: Symbol>(
    tables: &Tables,
    history: &History,
    source: &mut Source<'_>,
    output: &mut Output<'_, S>,
) -> Stop {
    if source.input.len() - source.at < INPUT || output.room() < OUTPUT {
        return Stop::Near;
    }
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("bmi2") && !is_portable_wanted() {
        // SAFETY: the processor has what the function was compiled for, and
        // there are the bytes.
        return unsafe { run_bmi2(tables, history, source, output) };
    }
    // SAFETY: there are the bytes.
    unsafe { turns(tables, history, source, output) }
}

#[cfg(target_arch = "x86_64")]
fn is_portable_wanted() -> bool {
    #[cfg(test)]
    return tests::PORTABLE.get();
    #[cfg(not(test))]
    false
}

/// Shifts by a number of bits that varies take one instruction each.
///
/// # Safety
/// The processor has them, and as [`turns`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2")]
unsafe fn run_bmi2<S: Symbol>(
    tables: &Tables,
    history: &History,
    source: &mut Source<'_>,
    output: &mut Output<'_, S>,
) -> Stop {
    // SAFETY: as the caller says.
    unsafe { turns(tables, history, source, output) }
}

/// # Safety
/// There are at least [`INPUT`] bytes of input and room for [`OUTPUT`].
#[inline(always)]
unsafe fn turns<S: Symbol>(
    tables: &Tables,
    history: &History,
    source: &mut Source<'_>,
    output: &mut Output<'_, S>,
) -> Stop {
    let (input, room) = (source.input, &mut *output.memory);
    // SAFETY: there are so many bytes, which the caller looked at.
    let (last_in, last_out) = unsafe {
        (
            input.as_ptr().add(input.len() - INPUT),
            room.as_mut_ptr().add(room.len() - OUTPUT),
        )
    };
    let begin = room.as_mut_ptr().cast::<S>();
    // SAFETY: both are within their buffers.
    let (mut next, mut out) = unsafe { (input.as_ptr().add(source.at), begin.add(output.len)) };
    let last_out = last_out.cast::<S>();
    let elsewhere = output.elsewhere(history);
    let (mut value, mut count) = (source.value, source.count);

    // Bits above the lowest 6 of `count` mean nothing: whole entries are taken
    // from it, and shifts do not look at them either.
    macro_rules! fill {
        () => {
            debug_assert!(next <= last_in.wrapping_add(INPUT - 8));
            // SAFETY: at most three are done in a turn, see `INPUT`.
            unsafe {
                value |= u64::from_le(next.cast::<u64>().read_unaligned()) << (count & 63);
                next = next.add(7 - (count >> 3 & 7) as usize);
            }
            count |= 56;
        };
    }
    // What an entry of literals says, and all bits of one with a length.
    macro_rules! put {
        ($entry:expr) => {
            value >>= $entry & 63;
            count = count.wrapping_sub($entry);
            debug_assert!(out <= last_out.wrapping_add(OUTPUT - 2));
            // SAFETY: there is room, see `OUTPUT`.
            unsafe {
                out.cast::<[S; 2]>().write_unaligned(S::pair($entry));
                out = out.add(literals($entry) as usize);
            }
        };
    }

    fill!();
    let mut entry = tables.literals.next(value);
    let stop = loop {
        if next > last_in || out > last_out {
            break Stop::Near;
        }
        // There are 28 bits at least: of the 56 of a fill a distance took up to
        // 28. Literals and a length in one entry take 17 at most, which leaves the
        // 9 that the look for a distance needs; a length with a table behind takes
        // 20, and then comes a fill. Literals take 12: three entries of them leave
        // 20 of 56. After each look come the bits that the next one needs, so that
        // none waits for them.
        let mut before = value;
        put!(entry);
        if is_plain(entry) {
            entry = tables.literals.next(value);
            fill!();
            before = value;
            put!(entry);
            if is_plain(entry) {
                entry = tables.literals.next(value);
                before = value;
                put!(entry);
                if is_plain(entry) {
                    entry = tables.literals.next(value);
                    before = value;
                    put!(entry);
                    if is_plain(entry) {
                        entry = tables.literals.next(value);
                        fill!();
                        continue;
                    }
                }
            }
        }
        if is_other(entry) {
            if entry & BEHIND == BEHIND {
                entry = tables.literals.behind(entry, value);
                before = value;
                put!(entry);
                // Only fixed codes, of 9 bits at most, stand for nothing: none
                // of these does, so the bits of its code are not asked for.
                fill!();
                if is_plain(entry) {
                    entry = tables.literals.next(value);
                    continue;
                }
            }
            if entry & END == END {
                break Stop::End;
            }
            if is_other(entry) {
                // The code is where it is wrong.
                count = count.wrapping_add(entry);
                break Stop::Damage(NOTHING);
            }
        }
        let mut far = tables.distances.next(value);
        fill!();
        if is_other(far) {
            if far & BEHIND == BEHIND {
                far = tables.distances.behind(far, value);
            }
            if is_other(far) {
                break Stop::Damage(NOWHERE);
            }
        }
        let len = length(entry, before);
        let distance = distance(far, value);
        value >>= far & 63;
        count = count.wrapping_sub(far);
        entry = tables.literals.next(value);
        // SAFETY: both are in the same output.
        let written = unsafe { out.offset_from(begin) } as usize;
        debug_assert!(out.wrapping_add(len + 23) <= last_out.wrapping_add(OUTPUT));
        // SAFETY: there is room for the copy and 23 bytes behind it, and so
        // many bytes stand before it, there or in the history.
        unsafe {
            if distance <= written {
                copy(out, distance, len);
            } else if distance - written <= elsewhere {
                copy_far(history, out, distance - written, distance, len);
            } else {
                break Stop::Damage(TOO_FAR);
            }
        }
        // SAFETY: there is room, see `OUTPUT`.
        out = unsafe { out.add(len) };
    };
    // SAFETY: each is behind the begin of its buffer.
    unsafe {
        source.at = next.offset_from(input.as_ptr()) as usize;
        output.len = out.offset_from(begin) as usize;
    }
    source.count = count & 63;
    source.value = value;
    stop
}

/// Copy `len` bytes from `distance` bytes before to `out`.
///
/// # Safety
/// So many bytes stand before, and behind `len` bytes there are 23 that may be
/// written to.
#[inline(always)]
unsafe fn copy<S: Symbol>(out: *mut S, distance: usize, len: usize) {
    // SAFETY: writes go 23 bytes beyond the end at most, reads are of bytes before.
    unsafe {
        let (mut from, mut to) = (out.sub(distance).cast_const(), out);
        let end = out.add(len);
        if distance >= 8 {
            loop {
                copy_nonoverlapping(from, to, 8);
                copy_nonoverlapping(from.add(8), to.add(8), 8);
                copy_nonoverlapping(from.add(16), to.add(16), 8);
                (from, to) = (from.add(24), to.add(24));
                if to >= end {
                    return;
                }
            }
        }
        if distance == 1 {
            let symbols = [*from; 8];
            loop {
                to.cast::<[S; 8]>().write_unaligned(symbols);
                to.add(8).cast::<[S; 8]>().write_unaligned(symbols);
                to = to.add(16);
                if to >= end {
                    return;
                }
            }
        }
        // Each step writes as many right bytes as it goes on.
        let step = distance;
        loop {
            // The last of them may not be written yet.
            let symbols = from.cast::<[MaybeUninit<S>; 8]>().read_unaligned();
            to.cast::<[MaybeUninit<S>; 8]>().write_unaligned(symbols);
            (from, to) = (from.add(step), to.add(step));
            if to >= end {
                return;
            }
        }
    }
}

/// Copy `len` bytes that begin `back` bytes before the output.
///
/// # Safety
/// As [`copy`], but what stands before begins in the history, which has so
/// many.
#[cold]
#[inline(never)]
unsafe fn copy_far<S: Symbol>(
    history: &History,
    out: *mut S,
    back: usize,
    distance: usize,
    len: usize,
) {
    let near = len.min(back);
    // SAFETY: there is room, and the rest begins where the output does.
    unsafe {
        history.copy_to(back, from_raw_parts_mut(out.cast::<MaybeUninit<S>>(), near));
        if near < len {
            copy(out.add(near), distance, len - near);
        }
    }
}

/// Tests turn to the code that all processors have.
#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        pub(in crate::codec::inflate) static PORTABLE: Cell<bool> = const { Cell::new(false) };
    }
}
