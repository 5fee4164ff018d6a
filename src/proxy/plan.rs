//! A checked selection, and reading it.

use std::sync::Arc;

use super::ArrayProxy;
use super::sources::read_all;
use super::ways::{ACROSS, cutting, decoded};
use crate::codec::Codec;
use crate::control::Control;
use crate::core::dtype::{DType, Kind, Order};
use crate::core::lists::Lists;
use crate::core::plan::{Walk, meanings, walks};
use crate::core::scale::Meaning;
use crate::core::shape;
use crate::core::slice::Selection;
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{Cast, Kernel};
use crate::mem::{Array, Buffer, Element, Target, collect};

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

    /// As what elements of a proxy are delivered.
    pub(super) fn of(self, proxy: &ArrayProxy) -> Delivered {
        let stored = proxy.disk_dtype();
        let scaled = !self.raw && self.dtype != Wanted::Disk && proxy.is_scaled();
        let (dtype, asked) = match self.dtype {
            Wanted::Disk => (stored, None),
            Wanted::Auto if scaled => (proxy.auto_dtype(), None),
            Wanted::Auto => (stored.usable(), None),
            Wanted::Type(dtype) => (dtype, Some(dtype)),
        };
        Delivered {
            dtype,
            asked,
            scaled,
        }
    }

    /// The type asked for, if one is.
    pub(super) fn wanted(self) -> Option<DType> {
        match self.dtype {
            Wanted::Type(dtype) => Some(dtype),
            Wanted::Auto | Wanted::Disk => None,
        }
    }

    pub(super) fn packed_order(self) -> Order {
        self.order
    }

    pub(super) fn cast(self) -> Cast {
        Cast {
            round: self.round,
            checked: self.checked,
        }
    }

    /// Whether nothing but a type is asked for.
    pub(super) fn is_plain(self) -> bool {
        let plain = ReadAs {
            dtype: self.dtype,
            ..ReadAs::default()
        };
        self == plain
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

/// What becomes of a proxy's elements.
pub(super) struct Delivered {
    pub(super) dtype: DType,
    /// The type, if it was asked for.
    asked: Option<DType>,
    /// Whether values are scaled.
    pub(super) scaled: bool,
}

/// A checked selection, ready to read as often as wanted, by many threads at
/// once.
#[derive(Clone)]
pub struct Plan {
    proxy: ArrayProxy,
    /// Of the layout; if there are lists, the box that holds their positions.
    selection: Selection,
    pub(super) lists: Option<Arc<Lists>>,
    shape: Vec<i64>,
    dtype: DType,
    order: Order,
    scaled: bool,
    /// By the number of what bytes mean; nearly always there is one.
    kernel: (u32, Kernel),
    others: Option<Arc<[(u32, Kernel)]>>,
    nbytes: i64,
}

impl Plan {
    pub(super) fn new(proxy: &ArrayProxy, selection: Selection, read_as: ReadAs) -> Result<Plan> {
        Plan::like(None, proxy, selection, read_as)
    }

    /// A plan that shares the kernels of another one for the same proxy and type,
    /// if it needs just those.
    pub(super) fn like(
        like: Option<&Plan>,
        proxy: &ArrayProxy,
        selection: Selection,
        read_as: ReadAs,
    ) -> Result<Plan> {
        let stored = proxy.disk_dtype();
        let shape = selection.shape();
        let selection = proxy.on_layout(selection);
        let Delivered {
            dtype,
            asked,
            scaled,
        } = read_as.of(proxy);
        // Of several, all are delivered in the type of one of them.
        let asked = match proxy.shared.meanings.len() {
            1 => asked,
            _ => Some(dtype),
        };
        let kernel = |number: u32| {
            let Meaning {
                byte_order,
                factors,
            } = proxy.shared.meanings[number as usize];
            let factors = scaled.then_some(factors);
            let kernel = Kernel::new((stored, byte_order), dtype, factors, asked, read_as.cast());
            Ok((number, kernel.map_err(|error| proxy.blame(error))?))
        };
        let (first, others) = match &proxy.layout.blocks[..] {
            [block] => (block.meaning, Vec::new()),
            _ => {
                let mut found = meanings(&proxy.layout, &selection).into_iter();
                (found.next().unwrap_or(0), found.collect())
            }
        };
        let same = |like: &&Plan| {
            let numbers = like.others.iter().flat_map(|others| others.iter());
            numbers.map(|other| &other.0).eq(&others)
        };
        let others = match like.filter(same) {
            Some(like) => like.others.clone(),
            None if others.is_empty() => None,
            None => Some(others.into_iter().map(kernel).collect::<Result<_>>()?),
        };
        let kernel = kernel(first)?;
        let nbytes = nbytes_of(proxy, &shape, dtype)?;
        Ok(Plan {
            proxy: proxy.clone(),
            selection,
            lists: None,
            shape,
            dtype,
            order: read_as.order,
            scaled,
            kernel,
            others,
            nbytes,
        })
    }

    /// Of a plan for the box that holds them, one for positions.
    pub(super) fn with_lists(self, lists: Lists) -> Result<Plan> {
        let shape = lists.shape();
        Ok(Plan {
            nbytes: nbytes_of(&self.proxy, &shape, self.dtype)?,
            lists: Some(Arc::new(lists)),
            shape,
            ..self
        })
    }

    /// For a box in that of the lists, in the order of the file.
    pub(super) fn of_box(&self, span: Selection) -> Plan {
        let shape = span.shape();
        let elements = shape.iter().product();
        Plan {
            selection: self.proxy.on_layout(span),
            order: self.proxy.order(),
            shape,
            ..self.of_part(elements)
        }
    }

    /// For so many of the elements, which are evenly spaced.
    pub(super) fn of_part(&self, elements: i64) -> Plan {
        Plan {
            lists: None,
            nbytes: elements * self.dtype.size() as i64,
            ..self.clone()
        }
    }

    /// Whether values that do not fit are errors.
    pub(super) fn is_checked(&self) -> bool {
        self.kernel.1.is_checked()
    }

    pub(super) fn proxy(&self) -> &ArrayProxy {
        &self.proxy
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

    pub(super) fn elements(&self) -> i64 {
        self.nbytes / self.dtype.size() as i64
    }

    /// Bytes of the packed result.
    pub fn nbytes(&self) -> i64 {
        self.nbytes
    }

    /// Bytes that a read takes from the file, or has to decode with the seek
    /// index as it is now.
    pub fn cost(&self) -> u64 {
        let strides = self.packed_strides();
        let walks = match &self.lists {
            Some(lists) => self.walks_of_lists(lists, &strides),
            None => self.walks(&strides),
        };
        // What there is no memory for costs more than anything.
        let Ok(walks) = walks else {
            return u64::MAX;
        };
        let of_source = |walks: &[Walk]| {
            let data = &self.proxy.shared.sources[walks[0].source as usize];
            let plain = |walk: &Walk| walk.cost(cutting(self, walk, data.codec)).1;
            match data.codec {
                Codec::None => walks.iter().map(plain).sum::<u64>(),
                _ => decoded(data, walks.iter()),
            }
        };
        walks
            .chunk_by(|a, b| a.source == b.source)
            .map(of_source)
            .sum()
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
        self.check_all_there()?;
        let elements = self.nbytes as usize / self.dtype.size();
        collect(elements, |buffer| self.read(buffer, 0, None, None))
    }

    /// Read into a new array, packed.
    pub fn load(&self, control: Option<&Control>) -> Result<Array> {
        self.check_limit()?;
        self.check_all_there()?;
        let nbytes = self.nbytes as usize;
        Array::new(self.dtype, &self.shape, self.order, nbytes, |buffer| {
            self.read(buffer, 0, None, control)
        })
    }

    /// Bytes of elements read.
    pub(super) fn read(
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
        let target = Target::new(buffer, offset, &self.shape, strides, self.dtype.size())?;
        match &self.lists {
            Some(_) if self.nbytes == 0 => {}
            Some(lists) => self.read_lists(lists, &target, strides, control)?,
            None => {
                let walks = self.walks(strides)?;
                self.check_there(&walks)?;
                read_all(&self.proxy, &[(self, &walks[..], &target)], control)?;
            }
        }
        Ok(target.written())
    }

    /// The kernel for bytes of a meaning.
    pub(super) fn kernel(&self, meaning: u32) -> &Kernel {
        let others = self.others.as_deref().unwrap_or_default();
        match others.binary_search_by_key(&meaning, |other| other.0) {
            Ok(i) => &others[i].1,
            Err(_) => &self.kernel.1,
        }
    }

    /// The first stored element in `bytes`, which is at `offset` of the data,
    /// does not fit the type asked for.
    pub(super) fn unfit(&self, bytes: &[u8], meaning: u32, offset: u64, codec: Codec) -> Error {
        let place = match codec {
            Codec::None => "",
            _ => " in the decoded data",
        };
        let value = self.value(bytes, meaning);
        let text = format!(
            "the value {value}{place} does not fit the type {}",
            self.dtype
        );
        Error::new(ErrorKind::Range, text).at(offset)
    }

    /// The value of the first stored element in `bytes`, for people.
    fn value(&self, bytes: &[u8], meaning: u32) -> String {
        let meaning = self.proxy.shared.meanings[meaning as usize];
        let stored = (self.proxy.disk_dtype(), meaning.byte_order);
        let factors = self.scaled.then_some(meaning.factors);
        let (asked, cast) = (Some(self.dtype), Cast::default());
        let kernel = Kernel::new(stored, DType::Complex128, factors, asked, cast);
        let parts = kernel.ok().and_then(|kernel| {
            let parts = collect::<[f64; 2]>(1, |buffer| {
                let target = Target::new(buffer, 0, &[], &[], kernel.result_size())?;
                let stored = target.store(&kernel, bytes, &[], 0);
                let failed = |_| Error::new(ErrorKind::Internal, "one element is too many");
                stored.map_err(failed).map(|()| target.written())
            });
            parts.ok()?.pop()
        });
        match parts {
            Some([re, im]) if stored.0.kind() == Kind::Complex => format!("{re} + {im}i"),
            Some([re, _]) => re.to_string(),
            None => "stored".into(),
        }
    }

    pub(super) fn packed_strides(&self) -> Vec<i64> {
        shape::packed_strides(&self.shape, self.dtype.size(), self.order)
    }

    /// For positions of lists, of the box that holds them.
    pub(super) fn walks(&self, strides: &[i64]) -> Result<Vec<Walk>> {
        self.walks_of(&self.selection, strides)
    }

    pub(super) fn walks_of(&self, selection: &Selection, strides: &[i64]) -> Result<Vec<Walk>> {
        let walks = walks(&self.proxy.layout, selection, strides)?;
        // What is compressed only goes forward.
        let sources = &self.proxy.shared.sources;
        let is_near = |walk: &Walk| {
            let data = &sources[walk.source as usize];
            data.packed.is_none() && data.bytes.is_near()
        };
        let crossed = |walk: &Walk| walk.is_crossed(&ACROSS) && is_near(walk);
        if !walks.iter().any(crossed) {
            return Ok(walks);
        }
        let all = walks.into_iter().flat_map(|walk| match is_near(&walk) {
            true => walk.across(&ACROSS),
            false => vec![walk],
        });
        let mut walks: Vec<Walk> = all.collect();
        walks.sort_by_key(|walk| (walk.source, walk.offset));
        Ok(walks)
    }

    /// As [`Plan::check_there`], of what is known to be read.
    fn check_all_there(&self) -> Result<()> {
        match self.lists {
            Some(_) => Ok(()),
            None => self.check_there(&self.walks(&self.packed_strides())?),
        }
    }

    /// Fail at once if the file is too short to hold the last element wanted,
    /// before memory is taken or anything is decoded.
    pub(super) fn check_there(&self, walks: &[Walk]) -> Result<()> {
        for walk in walks {
            let data = &self.proxy.shared.sources[walk.source as usize];
            if let Some(most) = data.most.filter(|&most| walk.end() > most) {
                return Err(data.blame(data.truncated(most, walk.end())));
            }
        }
        Ok(())
    }
}

fn nbytes_of(proxy: &ArrayProxy, shape: &[i64], dtype: DType) -> Result<i64> {
    let nbytes = shape::nbytes(shape, dtype.size()).filter(|&n| isize::try_from(n).is_ok());
    nbytes.ok_or_else(|| {
        let text = format!(
            "a result of shape {} and type {dtype} passes the address space",
            shape::text(shape)
        );
        proxy.blame(Error::new(ErrorKind::Memory, text))
    })
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
