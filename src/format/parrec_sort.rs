//! The images of a PAR/REC recording as volumes: which are whole, and in what
//! order they come.

use super::wrong;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::Notes;
use super::entries::Head;
use super::parrec_rows::Row;
use crate::error::{Error, ErrorKind, Result};

/// The order of a PAR/REC recording's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SliceOrder {
    /// Volumes as their slices come in the header: the first image of each slice
    /// makes the first volume.
    #[default]
    Plain,
    /// Sorted by image type, dynamic, label, b value, gradient, cardiac phase
    /// and echo, the last changing fastest, then into volumes.
    Strict,
}

/// Images as volumes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Volumes {
    /// Numbers of the rows that the array has, volume by volume.
    pub(super) order: Vec<usize>,
    /// Slices of a volume.
    pub(super) slices: usize,
    /// Volumes in full; 0 is one that is not.
    pub(super) full: usize,
    /// Images that volumes lack slices for.
    pub(super) left: usize,
}

/// The volumes that rows make, if slices are numbered from 1 to `max_slices`.
/// With `diffusion`, the strict order looks at b values and gradients.
pub(super) fn volumes(
    rows: &[Row],
    max_slices: i64,
    (slice_order, diffusion): (SliceOrder, bool),
) -> Result<Volumes> {
    if let Some(row) = rows
        .iter()
        .find(|row| !(1..=max_slices).contains(&row.slice))
    {
        let text = format!(
            "an image has slice number {}, wanted 1 to {max_slices}",
            row.slice
        );
        return Err(wrong(row.at, text));
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    if slice_order == SliceOrder::Strict {
        order.sort_by(|&a, &b| strict(&rows[a], &rows[b], diffusion));
    }
    // An image's volume is how many images of its slice came before.
    let mut seen: HashMap<i64, usize> = HashMap::new();
    let (mut numbers, mut sizes) = (vec![0; rows.len()], Vec::new());
    for &row in &order {
        let count = seen.entry(rows[row].slice).or_default();
        numbers[row] = *count;
        *count += 1;
        if sizes.len() < *count {
            sizes.push(0);
        }
        sizes[numbers[row]] += 1;
    }
    let is_full = |number: usize| sizes[number] == max_slices;
    // What is not whole comes last, where it is cut off.
    order.sort_by_key(|&row| (!is_full(numbers[row]), numbers[row], rows[row].slice));
    let (slices, full) = (seen.len(), (0..sizes.len()).filter(|&i| is_full(i)).count());
    order.truncate(slices * full.max(1));
    Ok(Volumes {
        order,
        slices,
        full,
        left: rows.len() - slices * full,
    })
}

/// By image type, then dynamic, and so on.
fn strict(a: &Row, b: &Row, diffusion: bool) -> Ordering {
    let key = |row: &Row| (row.image_type, row.dynamic, row.label);
    let last = |row: &Row| (row.phase, row.echo, row.slice);
    let by_diffusion = || match (a.b_value, b.b_value) {
        // V4 has no numbers of b values: these themselves have to serve. What
        // is none comes last.
        (None, None) => {
            let [x, y] = [a, b].map(|row| row.b_factor);
            let by_size = x.partial_cmp(&y);
            by_size.unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()))
        }
        (x, y) => x.cmp(&y).then(a.gradient.cmp(&b.gradient)),
    };
    let middle = if diffusion {
        by_diffusion()
    } else {
        Ordering::Equal
    };
    let first = key(a).cmp(&key(b)).then(middle);
    first.then_with(|| last(a).cmp(&last(b)))
}

/// Fail if a recording was cut short: numbers of slices and the like that are
/// not as many as the general information has, and volumes that are not whole.
/// `permitted` makes that a warning.
pub(super) fn check_complete(
    head: &Head<'_>,
    rows: &[Row],
    volumes: &Volumes,
    permitted: bool,
    notes: &mut Notes,
) -> Result<()> {
    type Number = fn(&Row) -> Option<i64>;
    let counts: [(&str, &str, Number); 5] = [
        ("max_slices", "slice", |row| Some(row.slice)),
        ("max_echoes", "echo", |row| Some(row.echo)),
        ("max_dynamics", "dynamic scan", |row| Some(row.dynamic)),
        ("max_diffusion_values", "diffusion b value", |row| {
            row.b_value
        }),
        ("max_gradient_orient", "gradient orientation", |row| {
            row.gradient
        }),
    ];
    let mut odd = |at: usize, text: String| {
        if permitted {
            notes.texts.push(text);
            return Ok(());
        }
        let text = format!("{text}: the recording is not complete (see the option 'truncated')");
        Err(Error::new(ErrorKind::Truncated, text).at(at as u64))
    };
    for (name, what, number) in counts {
        let wanted = head
            .find(name)
            .and_then(|entry| entry.read(head.text).ints());
        let Some(wanted) = wanted.and_then(|ints| ints.first().copied()) else {
            continue;
        };
        let found: HashSet<i64> = rows.iter().filter_map(number).collect();
        let is_there = rows.iter().all(|row| number(row).is_some());
        if is_there && i64::try_from(found.len()) != Ok(wanted) {
            let text = format!(
                "{name} is {wanted}, images have {} {what} numbers",
                found.len()
            );
            odd(head.at(name), text)?;
        }
    }
    if volumes.left > 0 {
        let text = format!("{} images are of volumes that lack slices", volumes.left);
        odd(rows[0].at, text)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "parrec_sort_tests.rs"]
mod tests;
