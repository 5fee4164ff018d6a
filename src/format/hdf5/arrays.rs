//! Arrays that list chunks by number: fixed ones (VII.C), and ones that are
//! extended (VII.D).

use super::chunks::{Entry, size_error};
use super::source::{Cursor, Source, wrong};
use crate::error::Result;

/// What an array consists of.
struct Array {
    /// Whether its chunks went through filters.
    is_filtered: bool,
    /// Bytes of an entry.
    size: u64,
    /// Entries of a page, in which blocks of more are split.
    page: u64,
}

impl Array {
    fn read(head: &mut Cursor<'_>, wanted: &[u8; 4]) -> Result<Array> {
        head.signature(wanted)?;
        let is_filtered = client(head)?;
        let at = head.at;
        let size = usize::from(head.u8()?);
        let more = size.saturating_sub(head.sizes.address);
        let is_sane = match is_filtered {
            true => (5..=12).contains(&more),
            false => size == head.sizes.address,
        };
        match is_sane {
            true => Ok(Array {
                is_filtered,
                size: size as u64,
                page: 0,
            }),
            false => Err(size_error(at, more.saturating_sub(4))),
        }
    }

    /// Set the entries of a page, of which a header has the logarithm.
    fn set_page(&mut self, at: u64, bits: u8) -> Result<()> {
        self.page = power(at, bits)?;
        Ok(())
    }

    /// Read as many entries, of which the first has a number.
    fn entries(
        &self,
        block: &mut Cursor<'_>,
        (first, count): (u64, u64),
        visit: &mut impl FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        for number in first..first.saturating_add(count) {
            let at = block.address()?;
            let filtered = match self.is_filtered {
                true => {
                    let size = self.size as usize - block.sizes.address - 4;
                    Some((block.number(size)?, block.u32()?))
                }
                false => None,
            };
            if let Some(at) = at {
                visit(number, Entry { at, filtered })?;
            }
        }
        Ok(())
    }

    /// Read the pages from a byte of the file on that a bitmap has a bit of.
    fn pages(
        &self,
        source: &Source<'_>,
        at: u64,
        (first, count): (u64, u64),
        has_page: impl Fn(u64) -> bool,
        visit: &mut impl FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        // A checksum is behind each.
        let stride = self.page.saturating_mul(self.size).saturating_add(4);
        for number in 0..count.div_ceil(self.page) {
            if !has_page(number) {
                continue;
            }
            let before = number * self.page;
            let count = self.page.min(count - before);
            let at = at.saturating_add(number.saturating_mul(stride));
            let page = source.read(at, count.saturating_mul(self.size))?;
            let first = first.saturating_add(before);
            self.entries(&mut page.cursor(), (first, count), visit)?;
        }
        Ok(())
    }
}

/// Take version and client: whether the chunks went through filters.
fn client(head: &mut Cursor<'_>) -> Result<bool> {
    head.version("a list of chunks", 0..=0)?;
    let at = head.at;
    match head.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(wrong(
            at,
            format!("a list of number {other} is none of chunks"),
        )),
    }
}

/// A power of two of fewer than 32 bits.
fn power(at: u64, bits: u8) -> Result<u64> {
    match bits {
        0..=31 => Ok(1 << bits),
        _ => Err(wrong(at, format!("no block has 2^{bits} entries"))),
    }
}

/// A bit of a map, the highest of each byte first.
fn bit(map: &[u8], number: u64) -> bool {
    let byte = usize::try_from(number / 8).ok().and_then(|i| map.get(i));
    byte.is_some_and(|byte| byte >> (7 - number % 8) & 1 == 1)
}

/// Go through the entries of a fixed array, with their numbers.
pub(super) fn fixed(
    source: &Source<'_>,
    at: u64,
    mut visit: impl FnMut(u64, Entry) -> Result<()>,
) -> Result<()> {
    let sizes = source.sizes;
    let size = 8 + sizes.length + sizes.address;
    let head = source.read(at, size as u64)?;
    let mut head = head.cursor();
    let mut array = Array::read(&mut head, b"FAHD")?;
    array.set_page(at, head.u8()?)?;
    let count = head.length()?;
    let Some(block_at) = head.address()? else {
        return Ok(());
    };
    let prefix = 6 + sizes.address as u64;
    let pages = if count > array.page {
        count.div_ceil(array.page)
    } else {
        0
    };
    let body = match pages {
        0 => count.saturating_mul(array.size),
        _ => pages.div_ceil(8),
    };
    let block = source.read(block_at, prefix.saturating_add(body))?;
    let mut block = block.cursor();
    block.signature(b"FADB")?;
    client(&mut block)?;
    block.take(sizes.address)?;
    if pages == 0 {
        return array.entries(&mut block, (0, count), &mut visit);
    }
    let map = block.rest;
    let first = block_at.saturating_add(prefix + body + 4);
    array.pages(source, first, (0, count), |page| bit(map, page), &mut visit)
}

/// An extensible array: entries in its index block, in data blocks that this
/// names, and in data blocks of super blocks, all of which get larger.
struct Extensible {
    array: Array,
    /// Entries in the index block.
    indexed: u64,
    /// Entries of the smallest data block.
    smallest: u64,
    /// Bytes of numbers of entries.
    number: usize,
    /// Super blocks, of which the first are no blocks of their own.
    supers: u32,
    unwritten: u32,
}

/// Go through the entries of an extensible array, with their numbers.
pub(super) fn extensible(
    source: &Source<'_>,
    at: u64,
    mut visit: impl FnMut(u64, Entry) -> Result<()>,
) -> Result<()> {
    let sizes = source.sizes;
    let size = 12 + 6 * sizes.length + sizes.address;
    let head = source.read(at, size as u64)?;
    let mut head = head.cursor();
    let mut array = Array::read(&mut head, b"EAHD")?;
    let (bits, indexed, smallest, pointers) = (head.u8()?, head.u8()?, head.u8()?, head.u8()?);
    array.set_page(at, head.u8()?)?;
    head.take(6 * sizes.length)?;
    let Some(block_at) = head.address()? else {
        return Ok(());
    };
    let are_powers = smallest.is_power_of_two() && pointers.is_power_of_two();
    if !are_powers || bits > 64 || u32::from(bits) < smallest.ilog2() {
        return Err(wrong(
            at,
            "an extensible array's blocks have no sizes".into(),
        ));
    }
    let supers = 1 + u32::from(bits) - smallest.ilog2();
    let extensible = Extensible {
        array,
        indexed: indexed.into(),
        smallest: smallest.into(),
        number: usize::from(bits).div_ceil(8),
        supers,
        unwritten: (2 * pointers.ilog2()).min(supers),
    };
    extensible.read(source, block_at, &mut visit)
}

impl Extensible {
    /// Data blocks of a super block, and entries of each.
    fn blocks(&self, number: u32) -> (u64, u64) {
        (1 << (number / 2), self.smallest << number.div_ceil(2))
    }

    fn read(
        &self,
        source: &Source<'_>,
        at: u64,
        visit: &mut impl FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        let address = source.sizes.address as u64;
        let named: u64 = (0..self.unwritten).map(|i| self.blocks(i).0).sum();
        let addresses = named + u64::from(self.supers - self.unwritten);
        let size = 6 + address + self.indexed * self.array.size + addresses * address;
        let block = source.read(at, size)?;
        let mut block = block.cursor();
        block.signature(b"EAIB")?;
        client(&mut block)?;
        block.take(address as usize)?;
        self.array.entries(&mut block, (0, self.indexed), visit)?;
        let mut first = self.indexed;
        for number in 0..self.supers {
            let (blocks, count) = self.blocks(number);
            let entries = blocks.saturating_mul(count);
            if number >= self.unwritten {
                if let Some(at) = block.address()? {
                    self.super_block(source, at, (first, number), visit)?;
                }
                first = first.saturating_add(entries);
                continue;
            }
            for _ in 0..blocks {
                if let Some(at) = block.address()? {
                    self.data_block(source, at, (first, count), |_| true, visit)?;
                }
                first = first.saturating_add(count);
            }
        }
        Ok(())
    }

    fn super_block(
        &self,
        source: &Source<'_>,
        at: u64,
        (mut first, number): (u64, u32),
        visit: &mut impl FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        let address = source.sizes.address;
        let (blocks, count) = self.blocks(number);
        let pages = if count > self.array.page {
            count / self.array.page
        } else {
            0
        };
        let map = blocks.saturating_mul(pages.div_ceil(8));
        let prefix = (6 + address + self.number) as u64;
        let size = blocks.saturating_mul(address as u64).saturating_add(map);
        let block = source.read(at, prefix.saturating_add(size))?;
        let mut block = block.cursor();
        block.signature(b"EASB")?;
        client(&mut block)?;
        block.take(address + self.number)?;
        let map = block.take(map as usize)?;
        for number in 0..blocks {
            if let Some(at) = block.address()? {
                let has_page = |page| bit(map, number * pages + page);
                self.data_block(source, at, (first, count), has_page, visit)?;
            }
            first = first.saturating_add(count);
        }
        Ok(())
    }

    fn data_block(
        &self,
        source: &Source<'_>,
        at: u64,
        (first, count): (u64, u64),
        has_page: impl Fn(u64) -> bool,
        visit: &mut impl FnMut(u64, Entry) -> Result<()>,
    ) -> Result<()> {
        let prefix = (6 + source.sizes.address + self.number) as u64;
        let is_paged = count > self.array.page;
        let body = match is_paged {
            true => 0,
            false => count.saturating_mul(self.array.size),
        };
        let block = source.read(at, prefix.saturating_add(body))?;
        let mut block = block.cursor();
        block.signature(b"EADB")?;
        client(&mut block)?;
        block.take(source.sizes.address + self.number)?;
        if !is_paged {
            return self.array.entries(&mut block, (first, count), visit);
        }
        // A checksum is behind the prefix.
        let pages = at.saturating_add(prefix + 4);
        self.array
            .pages(source, pages, (first, count), has_page, visit)
    }
}
