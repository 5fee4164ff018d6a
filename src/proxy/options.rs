//! Settings for opening.

use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::{Codec, Decoding, Places, Room};
use crate::core::scale::FactorType;
use crate::format::{Choices, Format, Scaling, SliceOrder};
use crate::io::Mapping;

/// Settings for opening. Make one, set what differs from the defaults, pass
/// it to any number of calls.
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) format: Option<Format>,
    pub(super) codec: Option<Codec>,
    pub(super) mapping: Mapping,
    pub(super) keep_open: bool,
    pub(super) max_bytes: Option<u64>,
    pub(super) verify: bool,
    pub(super) strict: bool,
    pub(super) scaling: Scaling,
    pub(super) truncated: bool,
    pub(super) sort: SliceOrder,
    pub(super) factor_type: FactorType,
    pub(super) threads: usize,
    pub(super) cache_bytes: Option<u64>,
    pub(super) index_mode: IndexMode,
    pub(super) index_spacing: Option<u64>,
    pub(super) index_file: Option<IndexFile>,
    pub(super) open_files: usize,
    /// Room for decoded data that the files of a series share, and most memory of
    /// each one's seek index.
    pub(super) room: Option<Arc<Room>>,
    pub(super) index_bytes: Option<u64>,
}

/// What becomes of the seek index of compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexMode {
    /// There is none.
    None,
    /// It grows as reads go.
    #[default]
    Grow,
    /// It is built to the end when opening.
    Build,
}

/// Where a seek index is loaded from when opening, if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexFile {
    /// A file.
    Path(PathBuf),
    /// A file in the user's cache folder, found by the data's path, size and
    /// time. What was added is saved there when the last handle is dropped.
    Auto,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            format: None,
            codec: None,
            mapping: Mapping::Possible,
            keep_open: true,
            max_bytes: None,
            verify: true,
            strict: false,
            scaling: Scaling::Displayed,
            truncated: false,
            sort: SliceOrder::Plain,
            factor_type: FactorType::Float64,
            threads: 1,
            cache_bytes: None,
            index_mode: IndexMode::Grow,
            index_spacing: None,
            index_file: None,
            open_files: 64,
            room: None,
            index_bytes: None,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: $type) -> Options {
            self.$name = $name;
            self
        }
    )*};
}

/// Bytes of decoded data that are kept unless told otherwise.
const CACHE: u64 = 32 << 20;

impl Options {
    /// Bytes of decoded data that are kept.
    pub(super) fn cache_size(&self) -> usize {
        let cache = if self.keep_open { CACHE } else { 0 };
        let cache = self.cache_bytes.unwrap_or(cache);
        usize::try_from(cache).unwrap_or(usize::MAX)
    }

    /// What is wanted of a PAR/REC recording.
    pub(super) fn choices(&self) -> Choices {
        Choices {
            scaling: self.scaling,
            slice_order: self.sort,
            truncated: self.truncated,
        }
    }

    /// How compressed data are decoded.
    pub(super) fn decoding(&self) -> Decoding {
        Decoding {
            verify: self.verify,
            cache: self.cache_size(),
            places: Places {
                wanted: self.index_mode != IndexMode::None,
                spacing: self.index_spacing,
                frugal: !self.keep_open,
                most: self.index_bytes,
            },
            pooled: self.room.is_some(),
        }
    }

    /// The defaults.
    pub fn new() -> Options {
        Options::default()
    }

    setters! {
        /// The format; `None`, the default, finds it by content, which never
        /// tells Analyze and SPM99 from SPM2.
        format: Option<Format>;
        /// The compression; `None`, the default, finds it by content.
        codec: Option<Codec>;
        /// Whether files are mapped. Compressed data and sources of the
        /// caller's own are never mapped.
        mapping: Mapping;
        /// Keep the file open between reads (the default), or open it for
        /// each read, for programs that hold thousands of proxies. No decoder
        /// of more than 1 MiB is kept then either.
        keep_open: bool;
        /// Largest result in bytes that a read may make.
        max_bytes: Option<u64>;
        /// Check the checksums of compressed data when whole members are read
        /// (the default). bzip2 and zstd check each block or frame that a read
        /// gets to the end of, in any case.
        verify: bool;
        /// Fail on headers that break the format's rules, instead of reading
        /// them as NiBabel does with a warning.
        strict: bool;
        /// What values of PAR/REC are; other formats have one kind.
        scaling: Scaling;
        /// Open recordings of PAR/REC that are not complete, with a warning,
        /// instead of failing. Volumes that lack slices are left out, unless
        /// there is no other.
        truncated: bool;
        /// Order of slices and volumes of PAR/REC.
        sort: SliceOrder;
        /// Most threads that one call may use; 0 one per core, 1 (the default)
        /// only the caller's. Threads start and end within the call.
        threads: usize;
        /// Bytes of decoded data kept between reads. `None`, the default,
        /// means 32 MiB, or none if the file is not kept open.
        cache_bytes: Option<u64>;
        /// What becomes of the seek index of compressed data.
        index_mode: IndexMode;
        /// Decoded bytes between seek points; `None`, the default, by the size
        /// of the data, from 256 KiB to 4 MiB.
        index_spacing: Option<u64>;
        /// File to load the seek index from when opening, if it is there. One
        /// that does not fit is not used, with a warning, or an error if
        /// strict.
        index_file: Option<IndexFile>;
        /// Most files of a series that are open at once, at least 1; 64 by
        /// default.
        open_files: usize;
        /// Type of slope and intercept of [`crate::ArrayProxy::open_layout`].
        factor_type: FactorType;
    }
}
