//! The bytes of an HDF5 file, and numbers in them: little-endian, with
//! addresses and lengths as wide as the superblock says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::format::Bytes;

/// Structures are small and near each other: bytes that are read at a time.
const PAGE: u64 = 16 << 10;
/// Pages that are kept.
const PAGES: usize = 256;

/// Bytes that structures may take beyond four times the file, and in files that
/// are compressed or of unknown size. What is damaged or made to mislead may lead
/// in circles, or name a block many times.
const SPARE: u64 = 4 << 20;
const UNKNOWN: u64 = 64 << 20;

/// How often reading can go back in a compressed file: each time it may have to be
/// decoded again.
const MOST_BACK: u32 = 64;

/// What the superblock says on addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Bytes of an address.
    pub(super) address: usize,
    /// Bytes of a length.
    pub(super) length: usize,
    /// Byte of the file from which addresses count.
    pub(super) base: u64,
}

/// Parts of the file, each with the turn at which it was asked for last.
#[derive(Default)]
struct Pages {
    by_start: BTreeMap<u64, (u64, Vec<u8>)>,
    turn: u64,
}

impl Pages {
    /// The page that begins at a byte.
    fn get(&mut self, start: u64, fetch: impl FnOnce() -> Result<Vec<u8>>) -> Result<&[u8]> {
        if !self.by_start.contains_key(&start) {
            let page = fetch()?;
            if self.by_start.len() == PAGES {
                let oldest = self.by_start.iter().min_by_key(|(_, page)| page.0);
                let oldest = oldest.map(|(&start, _)| start);
                oldest.and_then(|start| self.by_start.remove(&start));
            }
            self.by_start.insert(start, (0, page));
        }
        self.turn += 1;
        let page = self.by_start.get_mut(&start);
        Ok(page.map_or(&[], |(turn, page)| {
            *turn = self.turn;
            page
        }))
    }
}

/// A file's bytes.
pub(super) struct Source<'a> {
    pub(super) bytes: &'a dyn Bytes,
    pub(super) sizes: Sizes,
    pages: RefCell<Pages>,
    /// Bytes that may be asked for yet.
    left: Cell<u64>,
    /// The page read last, and how often it was one before.
    last: Cell<u64>,
    back: Cell<u32>,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a dyn Bytes) -> Source<'a> {
        let most = bytes.most().filter(|_| !bytes.is_packed());
        let left = most.map_or(UNKNOWN, |most| most.saturating_mul(4));
        Source {
            bytes,
            sizes: Sizes {
                address: 8,
                length: 8,
                base: 0,
            },
            pages: RefCell::default(),
            left: Cell::new(left.saturating_add(SPARE)),
            last: Cell::new(0),
            back: Cell::new(0),
        }
    }

    /// `len` bytes at a byte of the file, which must be there.
    pub(super) fn read(&self, at: u64, len: u64) -> Result<Part> {
        let end = at.checked_add(len);
        let is_there = |end: &u64| self.bytes.most().is_none_or(|most| *end <= most);
        let fits = end.filter(is_there).and(usize::try_from(len).ok());
        let part = match fits {
            Some(len) => Some(self.some(at, len)?),
            None => None,
        };
        let whole = part.filter(|part| part.bytes.len() as u64 == len);
        whole.ok_or_else(|| {
            let text = format!("the file ends within {len} bytes that it refers to");
            Error::new(ErrorKind::Truncated, text).at(at)
        })
    }

    /// Bytes of the file from one on, as many as there are of `len`.
    pub(super) fn some(&self, at: u64, len: usize) -> Result<Part> {
        self.charge(at, len)?;
        let bytes = match len as u64 <= PAGE {
            true => self.paged(at, len)?,
            false => self.fetched(at, len)?,
        };
        Ok(Part {
            bytes,
            start: at,
            sizes: self.sizes,
        })
    }

    /// Count bytes that something takes.
    pub(super) fn charge(&self, at: u64, len: usize) -> Result<()> {
        let left = self.left.get().checked_sub(len as u64);
        let left = left.ok_or_else(|| {
            let text = "the file's structures lead in circles, overlap or are too large";
            wrong(at, text.into())
        })?;
        self.left.set(left);
        Ok(())
    }

    /// Bytes that are not there yet.
    fn fetched(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        if at < self.last.replace(at) && self.bytes.is_packed() {
            self.back.set(self.back.get() + 1);
        }
        if self.back.get() > MOST_BACK {
            let text = format!("the file's structures lead back {MOST_BACK} times");
            return Err(wrong(at, text));
        }
        self.bytes.bytes_at(at, len)
    }

    fn paged(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        let mut pages = self.pages.borrow_mut();
        while bytes.len() < len {
            let Some(at) = at.checked_add(bytes.len() as u64) else {
                break;
            };
            let (start, skipped) = (at / PAGE * PAGE, (at % PAGE) as usize);
            let page = pages.get(start, || self.fetched(start, PAGE as usize))?;
            let found = page.get(skipped..).unwrap_or_default();
            let wanted = &found[..found.len().min(len - bytes.len())];
            if wanted.is_empty() {
                break;
            }
            bytes.extend_from_slice(wanted);
        }
        Ok(bytes)
    }
}

/// Bytes of the file.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) bytes: Vec<u8>,
    /// Byte of the file at which they begin.
    pub(super) start: u64,
    pub(super) sizes: Sizes,
}

impl Part {
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            rest: &self.bytes,
            at: self.start,
            sizes: self.sizes,
        }
    }
}

/// A way through bytes of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'b> {
    pub(super) rest: &'b [u8],
    /// Byte of the file at which the rest begins.
    pub(super) at: u64,
    pub(super) sizes: Sizes,
}

impl<'b> Cursor<'b> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'b [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            let has = self.rest.len();
            let text = format!("a structure of the file wants {len} bytes here, and has {has}");
            return Err(wrong(self.at, text));
        };
        self.rest = rest;
        self.at += len as u64;
        Ok(taken)
    }

    /// A part of the way of its own.
    pub(super) fn part(&mut self, len: usize) -> Result<Cursor<'b>> {
        let (at, sizes) = (self.at, self.sizes);
        let rest = self.take(len)?;
        Ok(Cursor { rest, at, sizes })
    }

    /// A number of up to 8 bytes.
    pub(super) fn number(&mut self, len: usize) -> Result<u64> {
        let taken = self.take(len)?;
        Ok(number(taken))
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(self.number(2)? as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(self.number(4)? as u32)
    }

    pub(super) fn length(&mut self) -> Result<u64> {
        self.number(self.sizes.length)
    }

    /// The byte of the file that an address means; `None` for the address of
    /// all ones, which stands for none.
    pub(super) fn address(&mut self) -> Result<Option<u64>> {
        let at = self.at;
        let taken = self.take(self.sizes.address)?;
        if taken.iter().all(|&byte| byte == 0xFF) {
            return Ok(None);
        }
        let address = number(taken);
        let found = self.sizes.base.checked_add(address);
        let found = found.filter(|&found| found <= i64::MAX as u64);
        found.map(Some).ok_or_else(|| {
            let text = format!("the address {address} passes 2^63");
            wrong(at, text)
        })
    }

    /// An address that has to be one.
    pub(super) fn some_address(&mut self, of: &str) -> Result<u64> {
        let at = self.at;
        let found = self.address()?;
        found.ok_or_else(|| wrong(at, format!("the address of {of} is missing")))
    }

    /// Take the four letters with which a structure begins.
    pub(super) fn signature(&mut self, wanted: &[u8; 4]) -> Result<()> {
        let at = self.at;
        let found = self.take(4)?;
        match found == wanted {
            true => Ok(()),
            false => {
                let [found, wanted] = [found, wanted].map(|text| text.escape_ascii());
                let text = format!("\"{found}\" stands where \"{wanted}\" should begin");
                Err(wrong(at, text))
            }
        }
    }

    /// Take a version, which has to be one of some.
    pub(super) fn version(&mut self, of: &str, wanted: std::ops::RangeInclusive<u8>) -> Result<u8> {
        let at = self.at;
        let version = self.u8()?;
        match wanted.contains(&version) {
            true => Ok(version),
            false => {
                let [low, high] = [wanted.start(), wanted.end()];
                let text =
                    format!("{of} has version {version}, of which {low} to {high} can be read");
                Err(Error::new(ErrorKind::Unsupported, text).at(at))
            }
        }
    }
}

/// A little-endian number of up to 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().rev();
    digits.fold(0, |number, &byte| number << 8 | u64::from(byte))
}

pub(super) fn wrong(at: u64, text: String) -> Error {
    Error::new(ErrorKind::Header, text).at(at)
}

pub(super) fn unsupported(at: u64, text: String) -> Error {
    Error::new(ErrorKind::Unsupported, text).at(at)
}
