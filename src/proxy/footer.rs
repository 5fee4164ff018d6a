//! What stands behind the data, read when it is asked for.

use std::sync::OnceLock;

use super::{ArrayProxy, open};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, Footer, FooterPlace};

/// A footer: in compressed files all data are decoded on the way to it.
pub(super) struct LateFooter {
    place: FooterPlace,
    read: OnceLock<Footer>,
}

impl LateFooter {
    pub(super) fn new(place: FooterPlace) -> LateFooter {
        LateFooter {
            place,
            read: OnceLock::new(),
        }
    }
}

impl ArrayProxy {
    /// What stands behind the data of an MGH file. The first call reads it, and
    /// decodes all of a compressed file for it.
    pub fn footer(&self) -> Result<&Footer> {
        let Some(late) = &self.shared.footer else {
            let text = "the format has no footer";
            return Err(self.blame(Error::new(ErrorKind::Unsupported, text)));
        };
        if let Some(read) = late.read.get() {
            return Ok(read);
        }
        // It is in the data's file.
        let data = self.shared.enter(0, None)?;
        let footer = data.trusting(|bytes| {
            let bytes = open::HeaderBytes {
                head: &[],
                bytes,
                most: data.most,
                packed: data.packed.is_some(),
            };
            format::footer(&bytes, late.place.at)
        })?;
        Ok(late.read.get_or_init(|| footer))
    }

    /// The content of one of the [`Footer::tags`], by its number.
    pub fn tag_bytes(&self, number: usize) -> Result<Vec<u8>> {
        let tags = &self.footer()?.tags;
        let Some(tag) = tags.get(number) else {
            let text = format!("tag {number} of {}", tags.len());
            return Err(Error::new(ErrorKind::Index, text));
        };
        let most = self.shared.max_bytes.unwrap_or(u64::MAX);
        let size = usize::try_from(tag.size).ok().filter(|_| tag.size <= most);
        let size = size.ok_or_else(|| {
            let text = format!("tag {number} has {} bytes", tag.size);
            self.blame(Error::new(ErrorKind::Memory, text))
        })?;
        let data = self.shared.enter(0, None)?;
        data.trusting(|bytes| bytes.read_vec(tag.offset, size))
    }
}
