//! Fractal heaps (III.G), in which groups keep many links, and objects many
//! attributes.

use super::btree;
use super::source::{Cursor, Part, Source, unsupported, wrong};
use crate::error::Result;

/// B-tree of objects too large for blocks, of an id and without filters.
const HUGE: u8 = 1;

pub(super) struct Heap<'a, 'b> {
    source: &'a Source<'b>,
    at: u64,
    /// Bytes of an id.
    id: usize,
    /// Bytes of a place in the heap, and of the length of an object there.
    place: usize,
    len: usize,
    /// Blocks in a row.
    width: u64,
    /// Bytes of the blocks in the first two rows, which double from row to row.
    start: u64,
    /// Rows of blocks with objects, behind which there are rows of blocks of
    /// blocks.
    direct_rows: u32,
    root: Option<u64>,
    /// Rows of the root; none if it holds objects.
    rows: u32,
    /// B-tree of large objects.
    huge: Option<u64>,
}

impl<'a, 'b> Heap<'a, 'b> {
    pub(super) fn read(source: &'a Source<'b>, at: u64) -> Result<Heap<'a, 'b>> {
        let sizes = source.sizes;
        let size = 22 + 12 * sizes.length + 3 * sizes.address;
        let head = source.read(at, size as u64)?;
        let mut head = head.cursor();
        head.signature(b"FRHP")?;
        head.version("a fractal heap", 0..=0)?;
        let (id, filters) = (head.u16()?, head.u16()?);
        if filters != 0 {
            let text = "a fractal heap with filters cannot be read";
            return Err(unsupported(at, text.into()));
        }
        head.u8()?;
        let most = u64::from(head.u32()?);
        head.length()?;
        let huge = head.address()?;
        // On free room and numbers of objects.
        head.length()?;
        head.address()?;
        head.take(8 * sizes.length)?;
        let width = u64::from(head.u16()?);
        let (start, largest) = (head.length()?, head.length()?);
        let bits = head.u16()?;
        head.u16()?;
        let root = head.address()?;
        let rows = head.u16()?.into();
        let are_powers = [width, start, largest]
            .into_iter()
            .all(u64::is_power_of_two);
        // Places are counted in 64 bits.
        let fits = bits <= 64 && largest <= 1 << 31 && start <= largest;
        if !are_powers || !fits || most == 0 {
            return Err(wrong(at, "a fractal heap's blocks have no sizes".into()));
        }
        let bytes = |bits: u32| bits.div_ceil(8) as usize;
        Ok(Heap {
            source,
            at,
            id: id.into(),
            place: bytes(bits.into()),
            len: bytes(largest.ilog2()).min(most.ilog2() as usize / 8 + 1),
            width,
            start,
            direct_rows: largest.ilog2() - start.ilog2() + 2,
            root,
            rows,
            huge,
        })
    }

    /// The object of an id.
    pub(super) fn object(&self, mut cursor: Cursor<'_>) -> Result<Part> {
        let at = cursor.at;
        let kind = cursor.u8()?;
        match kind >> 4 {
            0 => {
                let place = cursor.number(self.place)?;
                let len = cursor.number(self.len)?;
                self.managed(place, len)
            }
            1 => self.huge(cursor.number(self.id.saturating_sub(1).min(8))?),
            2 => {
                let mut len = usize::from(kind & 15);
                // Of long ids the length has another byte.
                if self.id > 17 {
                    len = len << 8 | usize::from(cursor.u8()?);
                }
                let object = cursor.part(len + 1)?;
                Ok(Part {
                    bytes: object.rest.to_vec(),
                    start: object.at,
                    sizes: object.sizes,
                })
            }
            _ => Err(wrong(
                at,
                format!("a fractal heap has no ids that begin with {kind}"),
            )),
        }
    }

    /// Bytes of the blocks in a row.
    fn size(&self, row: u32) -> u64 {
        self.start
            .saturating_mul(1u64.checked_shl(row.saturating_sub(1)).unwrap_or(0))
    }

    fn managed(&self, place: u64, len: u64) -> Result<Part> {
        let lost = || {
            wrong(
                self.at,
                format!("the fractal heap has no object at {place}"),
            )
        };
        let mut block = self.root.ok_or_else(lost)?;
        let (mut rows, mut within) = (self.rows, place);
        let mut size = self.start;
        // Blocks of blocks get smaller on the way down, and have less rows.
        while rows > 0 {
            let first_row = self.start.saturating_mul(self.width);
            let row = (within / first_row)
                .checked_ilog2()
                .map_or(0, |log| log + 1);
            if row >= rows {
                return Err(lost());
            }
            size = self.size(row);
            if row > 0 {
                within -= size.saturating_mul(self.width);
            }
            let column = within / size;
            within %= size;
            block = self.child(block, u64::from(row) * self.width + column)?;
            if row < self.direct_rows {
                break;
            }
            let below = (size / first_row).checked_ilog2().map_or(0, |log| log + 1);
            if below == 0 || below >= rows {
                return Err(lost());
            }
            rows = below;
        }
        if within.checked_add(len).is_none_or(|end| end > size) {
            return Err(lost());
        }
        self.source
            .read(block.checked_add(within).ok_or_else(lost)?, len)
    }

    /// Where a block of blocks has a child.
    fn child(&self, at: u64, number: u64) -> Result<u64> {
        self.source.read(at, 4)?.cursor().signature(b"FHIB")?;
        let address = self.source.sizes.address as u64;
        let before = 5 + address + self.place as u64 + number * address;
        let entry = self.source.read(at.saturating_add(before), address)?;
        entry.cursor().some_address("a fractal heap's block")
    }

    /// An object that has a place of its own in the file.
    fn huge(&self, wanted: u64) -> Result<Part> {
        let lost = || wrong(self.at, format!("the fractal heap has no object {wanted}"));
        let tree = self.huge.ok_or_else(lost)?;
        let mut found = None;
        btree::version2(self.source, tree, &[HUGE], |_, mut record| {
            let at = record.some_address("an object")?;
            let len = record.length()?;
            if record.length()? == wanted {
                found = Some((at, len));
            }
            Ok(())
        })?;
        let (at, len) = found.ok_or_else(lost)?;
        self.source.read(at, len)
    }
}
