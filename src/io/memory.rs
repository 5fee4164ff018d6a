//! Bytes that are in memory already.

use std::ops::Deref;
use std::sync::Arc;

use super::{ReadAt, ReadBuf, View};
use crate::error::Result;

/// A source in memory.
pub(crate) struct Memory(pub(crate) Arc<dyn Deref<Target = [u8]> + Send + Sync>);

impl ReadAt for Memory {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        buffer.push(self.0.get(start..).unwrap_or_default());
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(Some(self.0.len() as u64))
    }

    fn is_near(&self) -> bool {
        true
    }

    fn view(&self, _: u64) -> Result<Option<View>> {
        Ok(Some(View::new(self.0.clone())))
    }

    fn lend(&self) -> Result<Option<View>> {
        self.view(0)
    }
}
