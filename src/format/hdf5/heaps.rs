//! Heaps: local and global ones (III.D, III.E).

use std::collections::BTreeMap;

use super::source::{Part, Source, wrong};
use crate::error::Result;

/// The bytes of a local heap.
pub(super) fn local(source: &Source<'_>, at: u64) -> Result<Part> {
    let sizes = source.sizes;
    let size = 8 + 2 * sizes.length + sizes.address;
    let head = source.read(at, size as u64)?;
    let mut head = head.cursor();
    head.signature(b"HEAP")?;
    head.version("a local heap", 0..=0)?;
    head.take(3)?;
    let len = head.length()?;
    // Where room is free.
    head.length()?;
    source.read(head.some_address("a local heap's bytes")?, len)
}

/// Collections of the global heap, of which the one read last is kept.
pub(super) struct Global<'a, 'b> {
    source: &'a Source<'b>,
    last: Option<Collection>,
}

struct Collection {
    part: Part,
    /// Byte and length of the objects by their number.
    objects: BTreeMap<u16, (usize, usize)>,
}

impl<'a, 'b> Global<'a, 'b> {
    pub(super) fn new(source: &'a Source<'b>) -> Global<'a, 'b> {
        Global { source, last: None }
    }

    /// The object of a number in the collection at a byte of the file.
    pub(super) fn object(&mut self, at: u64, number: u32) -> Result<&[u8]> {
        if self.last.as_ref().is_none_or(|last| last.part.start != at) {
            self.last = Some(collection(self.source, at)?);
        }
        let place = |last: &Collection| {
            let number = u16::try_from(number).ok()?;
            last.objects.get(&number).copied()
        };
        let found = self.last.as_ref().and_then(|last| {
            let (start, len) = place(last)?;
            last.part.bytes.get(start..)?.get(..len)
        });
        let found = found
            .ok_or_else(|| wrong(at, format!("the global heap has no object {number} here")))?;
        // One object may be named many times.
        self.source.charge(at, found.len())?;
        Ok(found)
    }
}

fn collection(source: &Source<'_>, at: u64) -> Result<Collection> {
    let length = source.sizes.length;
    let head = source.read(at, 8 + length as u64)?;
    let mut head = head.cursor();
    head.signature(b"GCOL")?;
    head.version("a global heap", 1..=1)?;
    head.take(3)?;
    let part = source.read(at, head.length()?)?;
    let mut rest = part.cursor();
    // The heads of collections and objects are aligned, as objects are.
    let head = (8 + length).next_multiple_of(8);
    rest.take(head)?;
    let mut objects = BTreeMap::new();
    while rest.rest.len() >= head {
        let number = rest.u16()?;
        // Number of references, and nothing.
        rest.take(6)?;
        let len = rest.length()? as usize;
        rest.take(head - 8 - length)?;
        // What is free is the last.
        if number == 0 {
            break;
        }
        let start = (rest.at - at) as usize;
        let padded = len.checked_next_multiple_of(8).unwrap_or(len);
        rest.take(padded)?;
        objects.insert(number, (start, len));
    }
    Ok(Collection { part, objects })
}
