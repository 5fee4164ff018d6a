//! What a header tells beyond the array: its fields by name, and extensions.

use std::mem::MaybeUninit;

use super::open::HeaderBytes;
use super::{ArrayProxy, Data};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, Extension, Origin, Value, Which};
use crate::io::fill;

impl ArrayProxy {
    /// Names of the header's fields, which are NiBabel's, or the header's own
    /// if it is a text, in the order of the header; then of those that are derived from it: `space_unit`,
    /// `time_unit` and `orientation`. None for layouts.
    pub fn field_names(&self) -> Vec<&str> {
        let fields = format::fields(self.format(), &self.shared.entries);
        fields.map(|field| field.0).collect()
    }

    /// Integers of a field, as stored.
    pub fn field_ints(&self, name: &str) -> Result<Vec<i64>> {
        let ints = self.field(name)?.ints();
        ints.ok_or_else(|| self.other_kind(name, "integers"))
    }

    /// Numbers of a field, as stored. [`ArrayProxy::footer`] has those of an MGH
    /// file's footer, which is read for them.
    pub fn field_reals(&self, name: &str) -> Result<Vec<f64>> {
        let reals = self.field(name)?.reals();
        reals.ok_or_else(|| self.other_kind(name, "numbers"))
    }

    /// Text of a field; any has one. Codes are in NiBabel's words, or numbers
    /// if it has none. Other numbers have the fewest digits that tell them from
    /// others of their precision, and ", " stands between several.
    pub fn field_text(&self, name: &str) -> Result<String> {
        Ok(self.field(name)?.text())
    }

    fn field(&self, name: &str) -> Result<Value> {
        let (header, order) = (self.header(), self.header_order());
        let entries = &self.shared.entries;
        let mut fields = format::fields(self.format(), entries);
        let Some((_, origin)) = fields.find(|field| field.0 == name) else {
            let text = format!("format {} has no field '{name}'", self.format().name());
            return Err(self.blame(Error::new(ErrorKind::Argument, text)));
        };
        let units = || format::units(self.format(), (header, order), entries);
        Ok(match origin {
            Origin::Header(field) => field.read(header, order),
            Origin::Entry(entry) => entry.read(header),
            Origin::Footer(of) => Value::Singles(vec![of(self.footer()?)]),
            Origin::SpaceUnit => {
                let [space, _] = units();
                Value::Text(space)
            }
            Origin::TimeUnit => {
                let [_, time] = units();
                Value::Text(time)
            }
            Origin::Orientation => {
                let (_, affine) = self.affine(Which::Best)?;
                Value::Text(format::axis_codes(&affine))
            }
        })
    }

    fn other_kind(&self, name: &str, wanted: &str) -> Error {
        let text = format!(
            "the field '{name}' of format {} holds no {wanted}",
            self.format().name()
        );
        self.blame(Error::new(ErrorKind::Unsupported, text))
    }

    /// Extensions of a NIfTI header, in the order of the file; other formats
    /// have none. The first call lists them.
    pub fn extensions(&self) -> Result<&[Extension]> {
        let list = &self.shared.extensions;
        if let Some(list) = list.get() {
            return Ok(list);
        }
        let found = self.of_header(|data| {
            data.trusting(|bytes| {
                let bytes = HeaderBytes {
                    head: &[],
                    bytes,
                    most: data.most,
                    packed: data.packed.is_some(),
                };
                format::extensions(&bytes, self.format(), self.header())
            })
        })?;
        Ok(list.get_or_init(|| found))
    }

    /// The content of one of the [`ArrayProxy::extensions`], by its number.
    pub fn extension_bytes(&self, number: usize) -> Result<Vec<u8>> {
        let Extension { offset, size, .. } = *self.extension(number)?;
        let most = self.shared.max_bytes.unwrap_or(u64::MAX);
        let room = usize::try_from(size).ok().filter(|_| size <= most);
        let room = room.ok_or_else(|| {
            let text = format!("extension {number} has {size} bytes");
            self.blame(Error::new(ErrorKind::Memory, text))
        })?;
        let read = |data: &Data| data.trusting(|bytes| bytes.read_vec(offset, room));
        let content = self.of_header(read)?;
        self.check_read(number, content.len(), room)?;
        Ok(content)
    }

    /// Read the first bytes of an extension's content, as many as there are and
    /// fit. Says how many those are.
    pub fn read_extension(&self, number: usize, to: &mut [MaybeUninit<u8>]) -> Result<usize> {
        let Extension { offset, size, .. } = *self.extension(number)?;
        let wanted = usize::try_from(size).map_or(to.len(), |size| size.min(to.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let to = &mut to[..wanted];
        let read = |data: &Data| {
            data.trusting(|bytes| {
                let content = fill(&mut *to, |buffer| bytes.read_at(offset, buffer))?;
                Ok(content.len())
            })
        };
        let found = self.of_header(read)?;
        self.check_read(number, found, wanted)?;
        Ok(wanted)
    }

    /// What was listed is there, unless the source is one that can change.
    fn check_read(&self, number: usize, found: usize, wanted: usize) -> Result<()> {
        if found < wanted {
            let text = format!("extension {number} ends after {found} of {wanted} bytes");
            return Err(self.blame(Error::new(ErrorKind::Truncated, text)));
        }
        Ok(())
    }

    /// One of the [`ArrayProxy::extensions`], by its number.
    pub fn extension(&self, number: usize) -> Result<&Extension> {
        let list = self.extensions()?;
        list.get(number).ok_or_else(|| {
            let text = format!("extension {number} of {}", list.len());
            self.blame(Error::new(ErrorKind::Index, text))
        })
    }

    /// Read the header's file, which is not held open if it is one of a pair.
    fn of_header<T>(&self, read: impl FnOnce(&Data) -> Result<T>) -> Result<T> {
        let Some(apart) = &self.shared.header_data else {
            return read(&*self.shared.enter(0, None)?);
        };
        let done = read(apart);
        apart.bytes.trim();
        done
    }
}
