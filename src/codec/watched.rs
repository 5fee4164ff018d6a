//! A source whose reads can be stopped: reading is what takes long where
//! compressed bytes are only looked at, or hold hardly any data.

use std::sync::Arc;

use crate::control::Control;
use crate::error::Result;
use crate::io::{ReadAt, ReadBuf};

struct Watched {
    source: Arc<dyn ReadAt>,
    control: Control,
}

/// The source, as far as the control allows.
pub(super) fn watched(source: Arc<dyn ReadAt>, control: Option<&Control>) -> Arc<dyn ReadAt> {
    match control {
        None => source,
        Some(control) => Arc::new(Watched {
            source,
            control: control.clone(),
        }),
    }
}

impl ReadAt for Watched {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        self.control.check()?;
        self.source.read_at(offset, buffer)
    }

    fn size(&self) -> Result<Option<u64>> {
        self.source.size()
    }

    fn is_concurrent(&self) -> bool {
        self.source.is_concurrent()
    }
}
