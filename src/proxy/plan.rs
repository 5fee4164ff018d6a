//! A checked selection, and reading it.

use std::sync::Arc;

use super::{ArrayProxy, Data};
use crate::codec::Codec;
use crate::control::Control;
use crate::core::dtype::{DType, Kind, Order};
use crate::core::plan::{Cutting, Piece, Walk, walks};
use crate::core::scale::Factors;
use crate::core::shape;
use crate::core::slice::Selection;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, View, fill};
use crate::kernel::{Cast, Kernel};
use crate::mem::{Buffer, Element, Fault, Target, collect};

/// Bytes read at a time where elements are converted: the source's share of a
/// second-level cache.
const PIECE: i64 = 256 << 10;

/// Bytes read at a time where they go straight to the result. Between two, a
/// read can be stopped.
const STRAIGHT: i64 = 4 << 20;

/// Runs this long go straight to the result even if there is little between
/// them.
const LONG_RUN: i64 = 16 << 10;

/// Bytes between wanted elements that are read rather than skipped: a read
/// call costs about as much as copying them.
const GAP: i64 = 4 << 10;

/// From so many pieces on, none longer than a page on average, the map serves
/// a read better than read calls.
const SCATTERED: u64 = 16;
const PAGE: u64 = 4 << 10;

/// How a walk is cut that reads memory: only so that it can be stopped.
const VIEWED: Cutting = Cutting {
    max: 64 << 20,
    gap: i64::MAX,
    loops: usize::MAX,
};

/// As what elements are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadAs {
    dtype: Wanted,
    order: Order,
    raw: bool,
    round: bool,
    checked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Wanted {
    #[default]
    Auto,
    Disk,
    Type(DType),
}

impl ReadAs {
    /// What the file means: scaled if it has factors, in the type of
    /// [`ArrayProxy::auto_dtype`]. The default.
    pub fn auto() -> ReadAs {
        ReadAs::default()
    }

    /// The stored elements, not scaled, in native byte order.
    pub fn disk() -> ReadAs {
        ReadAs {
            dtype: Wanted::Disk,
            ..ReadAs::default()
        }
    }

    /// Scaled, then cast once to a type.
    pub fn dtype(dtype: DType) -> ReadAs {
        ReadAs {
            dtype: Wanted::Type(dtype),
            ..ReadAs::default()
        }
    }

    /// Order of packed results; column-major by default.
    #[must_use]
    pub fn order(self, order: Order) -> ReadAs {
        ReadAs { order, ..self }
    }

    /// Do not scale, whatever the type asked for.
    #[must_use]
    pub fn raw(self, raw: bool) -> ReadAs {
        ReadAs { raw, ..self }
    }

    /// Casts to integers round to the nearest, ties to even, instead of
    /// cutting towards zero.
    #[must_use]
    pub fn round(self, round: bool) -> ReadAs {
        ReadAs { round, ..self }
    }

    /// Casts fail if a value does not fit: an integer out of range, a NaN to
    /// an integer, a finite value that becomes infinite, an imaginary part
    /// that is dropped and not zero.
    #[must_use]
    pub fn checked(self, checked: bool) -> ReadAs {
        ReadAs { checked, ..self }
    }
}

/// A checked selection, ready to read as often as wanted, by many threads at
/// once.
#[derive(Clone)]
pub struct Plan {
    proxy: ArrayProxy,
    selection: Selection,
    shape: Vec<i64>,
    dtype: DType,
    order: Order,
    factors: Option<Factors>,
    kernel: Kernel,
    nbytes: i64,
}

impl Plan {
    pub(super) fn new(proxy: &ArrayProxy, selection: Selection, read_as: ReadAs) -> Result<Plan> {
        let stored = proxy.disk_dtype();
        let scaled = !read_as.raw && read_as.dtype != Wanted::Disk;
        let (dtype, asked) = match read_as.dtype {
            Wanted::Disk => (stored, None),
            Wanted::Auto if scaled => (proxy.auto_dtype(), None),
            Wanted::Auto => (stored.usable(), None),
            Wanted::Type(dtype) => (dtype, Some(dtype)),
        };
        let cast = Cast {
            round: read_as.round,
            checked: read_as.checked,
        };
        let factors = scaled.then_some(proxy.shared.factors);
        let kernel = Kernel::new((stored, proxy.byte_order()), dtype, factors, asked, cast)
            .map_err(|error| proxy.blame(error))?;
        let shape = selection.shape();
        let nbytes = shape::nbytes(&shape, dtype.size()).filter(|&n| isize::try_from(n).is_ok());
        let nbytes = nbytes.ok_or_else(|| {
            let text = format!(
                "a result of shape {} and type {dtype} passes the address space",
                shape::text(&shape)
            );
            proxy.blame(Error::new(ErrorKind::Memory, text))
        })?;
        Ok(Plan {
            proxy: proxy.clone(),
            selection,
            shape,
            dtype,
            order: read_as.order,
            factors,
            kernel,
            nbytes,
        })
    }

    /// Fail if the result is larger than the options allow.
    pub fn check_limit(&self) -> Result<()> {
        match self.proxy.shared.max_bytes {
            Some(most) if self.nbytes as u64 > most => {
                let text = format!(
                    "the result has {} bytes, max_bytes allows {most}",
                    self.nbytes
                );
                Err(self.proxy.blame(Error::new(ErrorKind::Memory, text)))
            }
            _ => Ok(()),
        }
    }

    /// Shape of the result.
    pub fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// Type of the result.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Order of packed results.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Bytes of the packed result.
    pub fn nbytes(&self) -> i64 {
        self.nbytes
    }

    /// Bytes that a read takes from the file, or has to decode.
    pub fn cost(&self) -> u64 {
        let walks = self.walks(&self.packed_strides());
        let mut cost = 0u64;
        let mut decoded = vec![0; self.proxy.shared.sources.len()];
        for walk in &walks {
            let source = walk.source as usize;
            match self.proxy.shared.sources[source].codec {
                Codec::None => cost += walk.cost(self.cutting(walk)).1,
                // From the start of the stream to the last element.
                _ => decoded[source] = walk.end().max(decoded[source]),
            }
        }
        cost + decoded.iter().sum::<u64>()
    }

    /// Read into `buffer`, an allocation in which element (0,...,0) goes to
    /// byte `offset`. Without `strides` the result is packed from there on;
    /// else they hold bytes per axis, negative ones included. All elements
    /// must lie inside the buffer, none may overlap: of the axes longer than
    /// 1, sorted by the size of their strides, each stride must be at least
    /// the bytes that those before it span. Bytes between are not touched.
    pub fn read_into<'a>(
        &self,
        buffer: impl Into<Buffer<'a>>,
        offset: usize,
        strides: Option<&[i64]>,
        control: Option<&Control>,
    ) -> Result<()> {
        self.read(buffer.into(), offset, strides, control).map(drop)
    }

    /// Read into new memory, packed. `T` must be the plan's type.
    pub fn read_vec<T: Element>(&self) -> Result<Vec<T>> {
        if T::DTYPE != self.dtype {
            let text = format!(
                "elements of type {} do not go into a vector of {}",
                self.dtype,
                T::DTYPE
            );
            return Err(Error::new(ErrorKind::Argument, text));
        }
        self.check_limit()?;
        self.check_there(&self.walks(&self.packed_strides()))?;
        let elements = self.nbytes as usize / self.dtype.size();
        collect(elements, |buffer| self.read(buffer, 0, None, None))
    }

    /// Bytes of elements read.
    fn read(
        &self,
        buffer: Buffer<'_>,
        offset: usize,
        strides: Option<&[i64]>,
        control: Option<&Control>,
    ) -> Result<u64> {
        self.check_limit()?;
        let packed;
        let strides = match strides {
            Some(strides) if strides.len() != self.shape.len() => {
                let text = format!("{} strides for {} axes", strides.len(), self.shape.len());
                return Err(Error::new(ErrorKind::Argument, text));
            }
            Some(strides) => strides,
            None => {
                packed = self.packed_strides();
                &packed
            }
        };
        let mut target = Target::new(buffer, offset, &self.shape, strides, self.dtype.size())?;
        let walks = self.walks(strides);
        self.check_there(&walks)?;
        if let Some(control) = control {
            control.begin(self.nbytes as u64);
            control.step(0)?;
        }
        let mut scratch = Vec::new();
        for walks in walks.chunk_by(|a, b| a.source == b.source) {
            let data = &self.proxy.shared.sources[walks[0].source as usize];
            let pinned = data.pinned()?;
            let mut reader = Reader {
                plan: self,
                data,
                bytes: &pinned,
                target: &mut target,
                scratch: &mut scratch,
                control,
            };
            for walk in walks {
                let cutting = self.cutting(walk);
                let straight = self.is_straight(walk);
                reader
                    .walk(walk, cutting, straight)
                    .map_err(|error| data.blame(error))?;
            }
            let end = walks.iter().map(Walk::end).max().unwrap_or(0);
            if self.proxy.layout.end_of(walks[0].source) == end {
                reader
                    .bytes
                    .check_end(end)
                    .map_err(|error| data.blame(error))?;
            }
        }
        Ok(target.written())
    }

    /// The value of the first stored element in `bytes`, for people.
    fn value(&self, bytes: &[u8]) -> String {
        let proxy = &self.proxy;
        let stored = (proxy.disk_dtype(), proxy.byte_order());
        let (asked, cast) = (Some(self.dtype), Cast::default());
        let kernel = Kernel::new(stored, DType::Complex128, self.factors, asked, cast);
        let parts = kernel.ok().and_then(|kernel| {
            let parts = collect::<[f64; 2]>(1, |buffer| {
                let mut target = Target::new(buffer, 0, &[], &[], kernel.result_size())?;
                let stored = target.store(&kernel, bytes, &[], 0);
                stored.map_err(|_| outside()).map(|()| target.written())
            });
            parts.ok()?.pop()
        });
        match parts {
            Some([re, im]) if stored.0.kind() == Kind::Complex => format!("{re} + {im}i"),
            Some([re, _]) => re.to_string(),
            None => "stored".into(),
        }
    }

    fn packed_strides(&self) -> Vec<i64> {
        shape::packed_strides(&self.shape, self.dtype.size(), self.order)
    }

    fn walks(&self, strides: &[i64]) -> Vec<Walk> {
        walks(&self.proxy.layout, &self.selection, strides)
    }

    /// Runs that need no conversion go straight to the result.
    fn is_straight(&self, walk: &Walk) -> bool {
        self.kernel.is_copy() && walk.run(self.dtype.size()) >= LONG_RUN.min(walk.span())
    }

    fn cutting(&self, walk: &Walk) -> Cutting {
        match self.is_straight(walk) {
            true => Cutting {
                max: STRAIGHT,
                gap: 0,
                loops: 1,
            },
            false => Cutting {
                max: PIECE,
                gap: GAP,
                loops: usize::MAX,
            },
        }
    }

    /// Fail at once if the file is too short to hold the last element wanted,
    /// before memory is taken or anything is decoded.
    fn check_there(&self, walks: &[Walk]) -> Result<()> {
        for walk in walks {
            let data = &self.proxy.shared.sources[walk.source as usize];
            if let Some(most) = data.most.filter(|&most| walk.end() > most) {
                return Err(data.blame(truncated(data, most, walk.end())));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("proxy", &self.proxy)
            .field("shape", &self.shape)
            .field("dtype", &self.dtype)
            .finish_non_exhaustive()
    }
}

fn truncated(data: &Data, found: u64, wanted: u64) -> Error {
    let what = match data.codec {
        Codec::None => "the file's bytes",
        _ => "the decoded bytes",
    };
    let text =
        format!("the data end before the array does: {what} end at {found}, wanted up to {wanted}");
    Error::new(ErrorKind::Truncated, text).at(found)
}

/// Reads the walks of one source.
struct Reader<'a, 'b> {
    plan: &'a Plan,
    data: &'a Data,
    bytes: &'a Arc<dyn ReadAt>,
    target: &'a mut Target<'b>,
    scratch: &'a mut Vec<u8>,
    control: Option<&'a Control>,
}

impl Reader<'_, '_> {
    fn walk(&mut self, walk: &Walk, cutting: Cutting, straight: bool) -> Result<()> {
        let (pieces, bytes) = walk.cost(cutting);
        let scattered = pieces >= SCATTERED && bytes < pieces.saturating_mul(PAGE);
        let view = if scattered { self.bytes.view()? } else { None };
        // In memory, gaps cost nothing.
        let cutting = if view.is_some() { VIEWED } else { cutting };
        walk.pieces(cutting, &mut |piece| {
            let before = self.target.written();
            match &view {
                Some(view) => self.in_view(view, piece)?,
                None if straight => self.straight(piece)?,
                None => self.through_scratch(piece)?,
            }
            match self.control {
                Some(control) => control.step(self.target.written() - before),
                None => Ok(()),
            }
        })
    }

    fn in_view(&mut self, view: &View, piece: &Piece<'_>) -> Result<()> {
        let end = piece.offset + piece.len as u64;
        let bytes = usize::try_from(piece.offset)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| view.get(start..end));
        match bytes {
            Some(bytes) => self.store(bytes, piece),
            None => Err(truncated(self.data, view.len() as u64, end)),
        }
    }

    fn straight(&mut self, piece: &Piece<'_>) -> Result<()> {
        let Some(bytes) = self.target.bytes(piece.to, piece.len) else {
            return Err(outside());
        };
        let n = fill(bytes, |buffer| self.bytes.read_at(piece.offset, buffer))?.len();
        self.target.wrote(n);
        self.check_length(piece, n)
    }

    fn through_scratch(&mut self, piece: &Piece<'_>) -> Result<()> {
        let mut scratch = std::mem::take(self.scratch);
        scratch.clear();
        scratch.try_reserve(piece.len).map_err(|_| {
            let text = format!("there is no memory for {} bytes", piece.len);
            Error::new(ErrorKind::Memory, text)
        })?;
        let room = &mut scratch.spare_capacity_mut()[..piece.len];
        let bytes = fill(room, |buffer| self.bytes.read_at(piece.offset, buffer))?;
        self.check_length(piece, bytes.len())?;
        self.store(bytes, piece)?;
        *self.scratch = scratch;
        Ok(())
    }

    fn check_length(&self, piece: &Piece<'_>, found: usize) -> Result<()> {
        if found < piece.len {
            let end = piece.offset + piece.len as u64;
            return Err(truncated(self.data, piece.offset + found as u64, end));
        }
        Ok(())
    }

    fn store(&mut self, bytes: &[u8], piece: &Piece<'_>) -> Result<()> {
        self.target
            .store(&self.plan.kernel, bytes, piece.dims, piece.to)
            .map_err(|fault| match fault {
                Fault::Outside => outside(),
                Fault::Unfit(at) => {
                    let place = match self.data.codec {
                        Codec::None => "",
                        _ => " in the decoded data",
                    };
                    let value = self.plan.value(&bytes[at..]);
                    let text = format!(
                        "the value {value}{place} does not fit the type {}",
                        self.plan.dtype
                    );
                    Error::new(ErrorKind::Range, text).at(piece.offset + at as u64)
                }
            })
    }
}

fn outside() -> Error {
    Error::new(ErrorKind::Internal, "a plan leads outside its result")
}
