//! Index files: GZIDX as indexed_gzip's `zran.h` describes it, and behind it a
//! part of ours that other readers pass over.
//!
//! | bytes | what |
//! |---|---|
//! | 35 | "GZIDX", version, 0, then compressed size and decoded size (0 if not known) as 64 bits, spacing, window size and number of points as 32 bits |
//! | 18 each | of a point: byte of the source and of the decoded data, 64 bits each, bits of the byte before that belong to it, 1 if it has a window (version 0 does not have that one) |
//! | 32 KiB each | windows of the points that have one |
//! | 8 | "ARRAYPX1", where our part begins |
//! | 4 each | CRC-32 of each point's window, 0 for none |
//! | 4 + 21 each | number of checksums; of each: start, end, CRC-32, 1 if a member begins there |
//! | 4 + 25 each | number of members' ends; of each: decoded byte, byte of the source, CRC-32, size, 1 if it was compared |
//! | 4 | CRC-32 of header and points |
//! | 4 | CRC-32 of our part up to here |
//!
//! All numbers are little-endian.

use std::sync::Arc;

use super::coding::Coding;
use super::decoder::{Decoder, Way};
use super::gzip::{Gzip, Mark, Stored, Window, begins_behind, checksum};
use super::index::{Index, Places, Point, Trust};
use super::inflate::{Checksum, WINDOW};
use super::sums::{Part, Sums, Trailer};
use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadAt;

const HEADER: usize = 35;
const POINT: usize = 18;
const OURS: &[u8; 8] = b"ARRAYPX1";
const PART: usize = 21;
const TRAILER: usize = 25;

/// Most bytes that one of deflate can be: 258 by 2 bits.
const MOST_DENSE: u64 = 1032;

/// Decoded bytes that a place must give to count as one.
const PROOF: usize = 4 << 10;

/// Members whose ends are compared with the data when loading.
const MOST_TRIED: usize = 256;

/// Members whose headers are looked for far before their streams. Hardly one
/// has such a header.
const PATIENCE: u32 = 64;

/// Points read at a time: what is wrong with them shows before a large file
/// has taken memory.
const CHUNK: usize = 4096;

fn wrong(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::SeekIndex, text)
}

/// The places to save. Each that is not a member's begin takes a window in the
/// file, whether it needs one or not: of those that do not, some.
fn apart(points: &[Arc<Point<Mark>>], spacing: u64) -> Vec<Arc<Point<Mark>>> {
    let mut due = 0;
    let is_wanted = |point: &&Arc<Point<Mark>>| {
        let wanted = point.position >= due || !matches!(point.mark.window, Window::None);
        if wanted {
            due = point.position.saturating_add(spacing - spacing / 4);
        }
        wanted
    };
    points.iter().filter(is_wanted).cloned().collect()
}

/// Write all that is known.
pub(super) fn save(index: &Index<Mark>, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    // What is shared is copied out, so that no reader waits for the disk.
    let (spacing, size, points, sums) = {
        let found = index.read();
        let parts: Vec<Part> = found.sums.parts().copied().collect();
        let trailers: Vec<Trailer> = found.sums.trailers().copied().collect();
        let size = found.size.unwrap_or(0);
        // Checksums vouch for all or for none.
        let sums = found.is_sure().then_some((parts, trailers));
        (
            found.spacing,
            size,
            apart(&found.points, found.spacing),
            sums,
        )
    };
    let count = |n: usize| u32::try_from(n).map_err(|_| too_many(n));
    let mut head = b"GZIDX\x01\0".to_vec();
    head.extend(index.compressed.unwrap_or(0).to_le_bytes());
    head.extend(size.to_le_bytes());
    // Others want the spacing to be more than a window.
    let spacing = spacing.clamp(2 * WINDOW as u64, u32::MAX.into());
    head.extend((spacing as u32).to_le_bytes());
    head.extend((WINDOW as u32).to_le_bytes());
    head.extend(count(points.len())?.to_le_bytes());
    for point in &points {
        head.extend(point.at.to_le_bytes());
        head.extend(point.position.to_le_bytes());
        head.push(point.mark.bits);
        head.push(u8::from(!Gzip::is_start(&point.mark)));
    }
    write(&head)?;
    let mut ours = OURS.to_vec();
    for point in &points {
        if Gzip::is_start(&point.mark) {
            ours.extend([0; 4]);
            continue;
        }
        let bytes = point.mark.window.bytes()?;
        let mut window = [0; WINDOW];
        window[WINDOW - bytes.len()..].copy_from_slice(&bytes);
        ours.extend(checksum(&window).to_le_bytes());
        write(&window)?;
    }
    let Some((parts, trailers)) = sums else {
        return Ok(());
    };
    ours.extend(count(parts.len())?.to_le_bytes());
    for part in parts {
        ours.extend(part.start.to_le_bytes());
        ours.extend(part.end.to_le_bytes());
        ours.extend(part.sum.to_le_bytes());
        ours.push(u8::from(part.first));
    }
    ours.extend(count(trailers.len())?.to_le_bytes());
    for trailer in trailers {
        ours.extend(trailer.end.to_le_bytes());
        ours.extend(trailer.at.to_le_bytes());
        ours.extend(trailer.sum.to_le_bytes());
        ours.extend(trailer.size.to_le_bytes());
        ours.push(u8::from(trailer.agreed));
    }
    ours.extend(checksum(&head).to_le_bytes());
    let sum = checksum(&ours);
    ours.extend(sum.to_le_bytes());
    write(&ours)
}

fn too_many(n: usize) -> Error {
    let text = format!("{n} seek points are more than an index file can hold");
    Error::new(ErrorKind::Unsupported, text)
}

/// Take what an index file has, if it belongs to the source.
pub(super) fn load(index: &Index<Mark>, source: &dyn ReadAt, file: Arc<dyn ReadAt>) -> Result<()> {
    let compressed = index.compressed;
    let mut read = Read::new(file, compressed)?;
    // A file of the same size may still be another: two places are tried.
    let tried = [read.points.last(), read.points.get(read.points.len() / 2)];
    for point in tried.into_iter().flatten() {
        try_out(point, source)?;
    }
    let last = read.trailers.last();
    for trailer in read.trailers.iter().take(MOST_TRIED).chain(last) {
        compare_trailer(trailer, source)?;
    }
    // A point without a window may be a member's begin, or not.
    let mut patience = PATIENCE;
    for point in &mut read.points {
        let bare = matches!(point.mark.window, Window::None) && point.mark.bits == 0;
        if bare && (point.position == 0 || begins_behind(source, point.at, &mut patience)?) {
            point.mark.window = Window::Start;
            point.starts = true;
        }
    }
    let mut sums = Sums::default();
    let agree = |error: Error| error.of_kind(ErrorKind::SeekIndex);
    for part in read.parts {
        sums.part(part).map_err(agree)?;
    }
    for trailer in read.trailers {
        sums.trailer(trailer).map_err(agree)?;
    }
    let mut found = index.write();
    let (changed, old) = (found.changed, found.size);
    if let (Some(old), Some(new)) = (old, read.size) {
        if old != new {
            return Err(wrong(format!(
                "the index is of data of {new} bytes, these have {old}"
            )));
        }
    }
    // A checksum does not tell where in the data its bytes stand.
    for known in found
        .points
        .iter()
        .filter(|known| known.trust == Trust::Found)
    {
        let other = read
            .points
            .binary_search_by_key(&known.at, |point| point.at);
        if other.is_ok_and(|i| read.points[i].position != known.position) {
            return Err(wrong(format!(
                "the place at byte {} of the file is not where the index says",
                known.at
            )));
        }
    }
    for point in read.points {
        found.sums.divide(point.position);
        found.insert(point);
    }
    if found.sums.is_empty() {
        found.sums = sums;
    }
    found.size = old.or(read.size);
    found.changed = changed;
    Ok(())
}

/// What the index file says of a member's end has to stand there.
fn compare_trailer(trailer: &Trailer, source: &dyn ReadAt) -> Result<()> {
    let there = match trailer.at.checked_sub(8) {
        Some(at) => source.read_vec(at, 8)?,
        None => Vec::new(),
    };
    if there == [trailer.sum.to_le_bytes(), trailer.size.to_le_bytes()].concat() {
        return Ok(());
    }
    let text = format!(
        "the index does not belong to the data: another checksum stands before byte {}",
        trailer.at
    );
    Err(wrong(text))
}

fn try_out(point: &Point<Mark>, source: &dyn ReadAt) -> Result<()> {
    let places = Places {
        wanted: false,
        spacing: None,
        frugal: true,
        most: None,
    };
    let way = Way {
        source,
        index: &Index::new(None, places),
        guess: None,
        control: None,
    };
    let mut decoder = Decoder::<Gzip>::at(point, source, (false, 0), None)?;
    match decoder.skip(&way, point.position.saturating_add(PROOF as u64)) {
        Err(error) if error.kind() == ErrorKind::Codec => {
            let text = format!(
                "the index does not belong to the data: its place at byte {} is none",
                point.at
            );
            Err(wrong(text))
        }
        tried => tried,
    }
}

/// What an index file says.
struct Read {
    size: Option<u64>,
    points: Vec<Point<Mark>>,
    /// Of each point its number in the file: some are passed over.
    numbers: Vec<usize>,
    parts: Vec<Part>,
    trailers: Vec<Trailer>,
}

impl Read {
    fn new(file: Arc<dyn ReadAt>, compressed: Option<u64>) -> Result<Read> {
        let mut head = Fields::read(&*file, 0, HEADER)?;
        let magic = head.take(5)?;
        if magic != b"GZIDX" {
            return Err(wrong("this is no index file: it does not begin with GZIDX").at(0));
        }
        let [version, reserved] = [head.byte()?, head.byte()?];
        if version > 1 || reserved != 0 {
            let text = format!("the index file is of version {version}.{reserved}, wanted 0 or 1");
            return Err(wrong(text).at(5));
        }
        let (found, size) = (head.u64()?, head.u64()?);
        if compressed.is_some_and(|size| size != found) {
            let size = compressed.unwrap_or(0);
            let text = format!("the index is of a file of {found} bytes, this one has {size}");
            return Err(wrong(text).at(7));
        }
        let (_spacing, window, n) = (head.u32()?, head.u32()? as usize, head.u32()? as usize);
        if window < WINDOW {
            let text = format!("windows have {window} bytes, wanted {WINDOW} or more");
            return Err(wrong(text).at(27));
        }
        let most = compressed.map_or(u64::MAX, |size| size.saturating_mul(MOST_DENSE));
        if size > most {
            let text = format!("the index is of {size} decoded bytes, {most} are possible");
            return Err(wrong(text).at(15));
        }
        let each = POINT - usize::from(version == 0);
        let table = n.checked_mul(each).filter(|&table| {
            let end = file.size().ok().flatten();
            end.is_none_or(|end| (HEADER + table) as u64 <= end)
        });
        let Some(table) = table else {
            let text = format!("the index file ends before its {n} points do");
            return Err(wrong(text).at(31));
        };
        let mut read = Read {
            size: (size > 0).then_some(size),
            points: Vec::new(),
            numbers: Vec::new(),
            parts: Vec::new(),
            trailers: Vec::new(),
        };
        let mut sum = Checksum::default();
        sum.update(&head.bytes);
        let windows = (HEADER + table) as u64;
        let mut offset = windows;
        for first in (0..n).step_by(CHUNK) {
            let at = (HEADER + first * each) as u64;
            let count = CHUNK.min(n - first);
            let mut fields = Fields::read(&*file, at, count * each)?;
            sum.update(&fields.bytes);
            for number in first..first + count {
                let at = (HEADER + number * each) as u64;
                let (byte, position, bits) = (fields.u64()?, fields.u64()?, fields.byte()?);
                let has_window = match version {
                    0 => u8::from(number > 0),
                    _ => fields.byte()?,
                };
                if bits > 7 || has_window > 1 {
                    let text = format!("point {number} has {bits} bits and the flag {has_window}");
                    return Err(wrong(text).at(at));
                }
                let window = match has_window {
                    0 => Window::None,
                    _ => {
                        let last = offset + (window - WINDOW) as u64;
                        offset += window as u64;
                        Window::Stored(Stored {
                            file: file.clone(),
                            offset: last,
                            sum: None,
                        })
                    }
                };
                let mark = Mark { bits, window };
                read.point(number, (byte, position), mark, compressed)
                    .map_err(|error| error.at(at))?;
            }
        }
        if file.size()?.is_some_and(|end| end < offset) {
            return Err(wrong(format!("the index file ends before byte {offset}")).at(offset));
        }
        read.ours(&*file, offset, sum.value(), n)?;
        // Places at the very end lead to nothing. Other writers have some.
        let end = read.size.unwrap_or(u64::MAX);
        read.points.retain(|point| point.position < end);
        Ok(read)
    }

    /// Take a point if it comes behind the one before.
    fn point(
        &mut self,
        number: usize,
        (at, position): (u64, u64),
        mark: Mark,
        compressed: Option<u64>,
    ) -> Result<()> {
        let (last_at, last_position) = self
            .points
            .last()
            .map_or((0, None), |last| (last.at, Some(last.position)));
        if last_position.is_some_and(|last| position < last) || at < last_at {
            let text = format!("point {number} does not come behind the one before it");
            return Err(wrong(text));
        }
        // Deflate's densest code, and what may be left of a block.
        let most = (at - last_at)
            .saturating_mul(MOST_DENSE)
            .saturating_add(1 << 20);
        let dense = position - last_position.unwrap_or(0) > most;
        let beyond = compressed.is_some_and(|size| at > size)
            || self.size.is_some_and(|size| position > size);
        if dense || beyond || at < Gzip::overlap(&mark) {
            let text = format!(
                "point {number}, byte {at} of the file and byte {position} of the data, cannot be"
            );
            return Err(wrong(text));
        }
        // Empty blocks and members put two at the same byte of the data.
        if last_position == Some(position) {
            return Ok(());
        }
        self.numbers.push(number);
        self.points.push(Point {
            position,
            at,
            starts: false,
            weight: Gzip::weight(&mark),
            mark,
            trust: Trust::Foreign,
        });
        Ok(())
    }

    /// Read our part of the file, if it has one.
    fn ours(&mut self, file: &dyn ReadAt, offset: u64, head: u32, n: usize) -> Result<()> {
        let size = file.size()?.unwrap_or(offset);
        let len =
            usize::try_from(size - offset).map_err(|_| wrong("the index file is too long"))?;
        if len == 0 {
            return Ok(());
        }
        let wrong = || wrong("what follows the windows of the index file is damaged").at(offset);
        if file.read_vec(offset, OURS.len())? != OURS {
            return Err(wrong());
        }
        let mut fields = Fields::read(file, offset, len)?;
        let (content, sum) = fields.bytes.split_at(len.saturating_sub(4));
        if *sum != checksum(content).to_le_bytes() {
            return Err(wrong());
        }
        fields.take(OURS.len())?;
        let sums = fields.take(4 * n)?.to_vec();
        for (point, number) in self.points.iter_mut().zip(&self.numbers) {
            point.trust = Trust::Saved;
            let sum: [u8; 4] = std::array::from_fn(|i| sums[4 * number + i]);
            if let Window::Stored(stored) = &mut point.mark.window {
                stored.sum = Some(u32::from_le_bytes(sum));
            }
        }
        for _ in 0..fields.count(PART)? {
            self.parts.push(Part {
                start: fields.u64()?,
                end: fields.u64()?,
                sum: fields.u32()?,
                first: fields.byte()? == 1,
                sure: true,
            });
        }
        for _ in 0..fields.count(TRAILER)? {
            self.trailers.push(Trailer {
                end: fields.u64()?,
                at: fields.u64()?,
                sum: fields.u32()?,
                size: fields.u32()?,
                sure: true,
                agreed: fields.byte()? == 1,
            });
        }
        if fields.u32()? != head || fields.rest() != 4 {
            return Err(wrong());
        }
        Ok(())
    }
}

/// Numbers one after the other.
struct Fields {
    bytes: Vec<u8>,
    used: usize,
}

impl Fields {
    fn read(file: &dyn ReadAt, offset: u64, len: usize) -> Result<Fields> {
        let bytes = file.read_vec(offset, len)?;
        match bytes.len() == len {
            true => Ok(Fields { bytes, used: 0 }),
            false => {
                let end = offset + bytes.len() as u64;
                Err(wrong(format!("the index file ends at byte {end}")).at(end))
            }
        }
    }

    fn rest(&self) -> usize {
        self.bytes.len() - self.used
    }

    fn take(&mut self, n: usize) -> Result<&[u8]> {
        let Some(taken) = self.bytes.get(self.used..self.used + n) else {
            return Err(wrong("the index file is cut short"));
        };
        self.used += n;
        Ok(taken)
    }

    fn number(&mut self, n: usize) -> Result<u64> {
        let bytes = self.take(n)?.iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.number(1)? as u8)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(self.number(4)? as u32)
    }

    fn u64(&mut self) -> Result<u64> {
        self.number(8)
    }

    /// A number of entries that have so many bytes each.
    fn count(&mut self, each: usize) -> Result<usize> {
        let n = self.u32()? as usize;
        match n.checked_mul(each).is_some_and(|len| len <= self.rest()) {
            true => Ok(n),
            false => Err(wrong("the index file is cut short")),
        }
    }
}
