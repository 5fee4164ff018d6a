//! Two loops at once: rows, and rows of the source that become columns of the
//! result.

use std::mem::MaybeUninit;

use super::load::{Bytes16, Stored};
use super::{Kernel, Step};

/// A loop: items, and bytes from one to the next in the source and in the result.
pub(crate) type Steps = (usize, isize, isize);

/// Items of the slow loop that are turned at once, and bytes of each in the tile
/// between: some cache lines, so that their elements come from the first-level
/// cache, and one more, so that they do not all want the same places in it.
const COLUMNS: usize = 256;
const WIDE: usize = 256;
const APART: usize = WIDE + 64;

/// Room for what is turned at once, for several calls.
#[derive(Default)]
pub(crate) struct Tile(Vec<MaybeUninit<u8>>);

impl Kernel {
    /// Convert the elements of two loops. `Err` holds the places in both of the
    /// first that does not fit.
    ///
    /// # Safety
    /// As [`Kernel::run`], for each pair of items.
    pub(crate) unsafe fn rows(
        &self,
        from: *const u8,
        to: *mut u8,
        inner: Steps,
        outer: Steps,
    ) -> std::result::Result<(), (usize, usize)> {
        let ((n, from_step, to_step), (m, from_row, to_row)) = (inner, outer);
        let packed = [from_step, to_step] == [self.from_size, self.to_size].map(|n| n as isize);
        // SAFETY: all the way the caller's promise. Where rows are packed, each is
        // one run of bytes on both sides. Short ones cost little more than their
        // elements if nothing has to be decided for each.
        unsafe {
            let row = |k: usize| {
                let (k, from, to) = (k as isize, from, to);
                (from.offset(k * from_row), to.offset(k * to_row))
            };
            match self.step {
                Step::Copy(_) if packed => (0..m).for_each(|k| {
                    let (from, to) = row(k);
                    std::ptr::copy_nonoverlapping(from, to, n * self.from_size);
                }),
                Step::Row {
                    scale,
                    packed: Some(convert),
                    ..
                } if packed => (0..m).for_each(|k| {
                    let (from, to) = row(k);
                    convert(from, to, n, scale);
                }),
                _ => {
                    for k in 0..m {
                        let (from, to) = row(k);
                        let run = self.run(from, from_step, to, to_step, n);
                        run.map_err(|i| (i, k))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Convert the elements of two loops, of which `fast` goes on in small steps
    /// in the source, and `slow` in the result. `Err` holds the places in both of
    /// one that does not fit.
    ///
    /// # Safety
    /// As [`Kernel::run`], for each pair of items.
    pub(crate) unsafe fn turn(
        &self,
        from: *const u8,
        to: *mut u8,
        fast: Steps,
        slow: Steps,
        tile: &mut Tile,
    ) -> std::result::Result<(), (usize, usize)> {
        let size = self.to_size;
        let ((n, from_step, to_step), (m, from_far, to_near)) = (fast, slow);
        tile.0.resize(COLUMNS.min(m) * APART, MaybeUninit::uninit());
        let tile = tile.0.as_mut_ptr().cast::<u8>();
        let copy = choose(size);
        let most = WIDE / size;
        for i in (0..n).step_by(most) {
            for k in (0..m).step_by(COLUMNS) {
                let (rows, columns) = (most.min(n - i), COLUMNS.min(m - k));
                // SAFETY: these items of both loops are the caller's; the tile has
                // `APART` bytes for each column, and `rows` elements fit in them.
                // They are all written before they are read.
                unsafe {
                    for column in 0..columns {
                        let far = (k + column) as isize * from_far;
                        let from = from.offset(i as isize * from_step + far);
                        let run = self.run(
                            from,
                            from_step,
                            tile.add(column * APART),
                            size as isize,
                            rows,
                        );
                        run.map_err(|at| (i + at, k + column))?;
                    }
                    let to = to.offset(i as isize * to_step + k as isize * to_near);
                    copy(tile, to, (rows, to_step), (columns, to_near));
                }
            }
        }
        Ok(())
    }
}

/// Copy `rows.0` elements of each of `columns.0` columns of a tile, at the steps
/// that stand behind.
type Copy = unsafe fn(tile: *const u8, to: *mut u8, rows: (usize, isize), columns: (usize, isize));

/// # Safety
/// All elements, of type `T`, are there and can be written.
unsafe fn copy<T: Stored>(
    tile: *const u8,
    to: *mut u8,
    (rows, far): (usize, isize),
    (columns, near): (usize, isize),
) {
    let packed = near == T::SIZE as isize;
    for row in 0..rows {
        // SAFETY: as the caller promises. Packed results are apart so that their
        // addresses cost nothing.
        unsafe {
            let (from, to) = (tile.add(row * T::SIZE), to.offset(row as isize * far));
            let read = |column: usize| T::read::<false>(from.add(column * APART));
            if packed {
                for column in 0..columns {
                    let to = to.add(column * T::SIZE).cast::<T>();
                    to.write_unaligned(read(column));
                }
            } else {
                for column in 0..columns {
                    let to = to.offset(column as isize * near).cast::<T>();
                    to.write_unaligned(read(column));
                }
            }
        }
    }
}

fn choose(size: usize) -> Copy {
    match size {
        1 => copy::<u8>,
        2 => copy::<u16>,
        3 => copy::<[u8; 3]>,
        4 => copy::<u32>,
        8 => copy::<u64>,
        16 => copy::<Bytes16>,
        _ => copy::<[Bytes16; 2]>,
    }
}
