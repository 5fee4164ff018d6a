//! Images: an array that is in a file or in memory, with its place in the world.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::plan::ReadAs;
use super::{ArrayProxy, Options};
use crate::control::{Control, wait};
use crate::core::dtype::{DType, Order};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Which;
use crate::mem::Array;

/// An array, the affine that places it in the world, and the header that it came
/// with. The array is in a file, behind a proxy, or in memory. Data loaded
/// through the image are kept until [`Image::uncache`].
///
/// ```no_run
/// use arrayproxy::{Image, ReadAs};
///
/// let image = Image::open("bold.nii.gz")?;
/// assert!(image.is_proxy() && !image.in_memory());
/// let data = image.data(ReadAs::auto(), None)?;
/// let again = image.data(ReadAs::auto(), None)?;
/// assert_eq!(data.as_ptr(), again.as_ptr());
/// image.uncache();
/// # Ok::<(), arrayproxy::Error>(())
/// ```
#[derive(Debug)]
pub struct Image {
    body: Body,
    cached: Mutex<Vec<(Key, Slot)>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Body {
    Proxy(ArrayProxy),
    Memory(Box<InMemory>),
}

#[derive(Debug)]
struct InMemory {
    array: Array,
    affine: Option<[[f64; 4]; 4]>,
    header: Vec<u8>,
}

/// What tells cached arrays apart: elements of one type are others if they are
/// scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    dtype: DType,
    order: Order,
    scaled: bool,
    round: bool,
    checked: bool,
}

#[derive(Debug)]
enum Slot {
    /// Some thread is reading it.
    Coming,
    There(Array),
}

impl Image {
    /// Open an image file with the default [`Options`]; its array stays in the
    /// file until it is asked for.
    pub fn open(path: impl AsRef<Path>) -> Result<Image> {
        Self::open_with(path, &Options::default())
    }

    /// Open an image file.
    pub fn open_with(path: impl AsRef<Path>, options: &Options) -> Result<Image> {
        Ok(ArrayProxy::open_with(path, options)?.into())
    }

    /// An image around an array in memory, which it shares. `affine` goes from
    /// voxels to the world; `header` is any bytes.
    pub fn from_array(array: Array, affine: Option<[[f64; 4]; 4]>, header: Vec<u8>) -> Image {
        Image::new(Body::Memory(Box::new(InMemory {
            array,
            affine,
            header,
        })))
    }

    fn new(body: Body) -> Image {
        Image {
            body,
            cached: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Whether the array is behind a proxy.
    pub fn is_proxy(&self) -> bool {
        self.proxy().is_some()
    }

    /// The proxy, if there is one.
    pub fn proxy(&self) -> Option<&ArrayProxy> {
        match &self.body {
            Body::Proxy(proxy) => Some(proxy),
            Body::Memory(_) => None,
        }
    }

    /// Whether the array is in memory now: given so, or in the cache.
    pub fn in_memory(&self) -> bool {
        let there = |(_, slot): &(Key, Slot)| matches!(slot, Slot::There(_));
        !self.is_proxy() || self.cached().iter().any(there)
    }

    /// Shape.
    pub fn shape(&self) -> &[i64] {
        match &self.body {
            Body::Proxy(proxy) => proxy.shape(),
            Body::Memory(own) => own.array.shape(),
        }
    }

    /// The header; empty if there is none.
    pub fn header(&self) -> &[u8] {
        match &self.body {
            Body::Proxy(proxy) => proxy.header(),
            Body::Memory(own) => &own.header,
        }
    }

    /// Voxel to world, as [`ArrayProxy::affine`]; an image in memory has the one
    /// that it was given.
    pub fn affine(&self, which: Which) -> Result<(i32, [[f64; 4]; 4])> {
        let without = |text| Err(Error::new(ErrorKind::Unsupported, text));
        match (&self.body, which) {
            (Body::Proxy(proxy), which) => proxy.affine(which),
            (Body::Memory(own), Which::Best) => match own.affine {
                Some(affine) => Ok((0, affine)),
                None => without("the image was made without an affine"),
            },
            _ => without("an image in memory has no affine but the one that it was given"),
        }
    }

    /// The whole array in memory. The first call reads it and keeps it; later
    /// ones give the same elements. One array is kept for each type, order and
    /// way of casting. An image in memory gives its own array unless another
    /// type or order is asked for, of which the copy is kept like any other. A
    /// thread that comes while another reads waits, and reads itself if the
    /// other fails.
    pub fn data(&self, read_as: ReadAs, control: Option<&Control>) -> Result<Array> {
        self.data_kept(read_as, true, control)
    }

    /// As [`Image::data`], but what is read is not kept.
    pub fn data_uncached(&self, read_as: ReadAs, control: Option<&Control>) -> Result<Array> {
        self.data_kept(read_as, false, control)
    }

    fn data_kept(&self, read_as: ReadAs, keep: bool, control: Option<&Control>) -> Result<Array> {
        control.map_or(Ok(()), Control::check_cancelled)?;
        match &self.body {
            Body::Proxy(proxy) => {
                let delivered = read_as.of(proxy);
                let key = Key::new(delivered.dtype, delivered.scaled, read_as);
                let load = || proxy.plan(&[], read_as)?.load(control);
                self.cached_or(key, keep, control, load)
            }
            Body::Memory(own) => {
                let array = &own.array;
                let dtype = read_as.wanted().unwrap_or(array.dtype());
                let key = Key::new(dtype, false, read_as);
                if dtype == array.dtype() && read_as.is_plain() {
                    return Ok(array.clone());
                }
                let copy = || array.cast(dtype, read_as.packed_order(), read_as.cast(), control);
                self.cached_or(key, keep, control, copy)
            }
        }
    }

    /// The cached array of a key, or the one that `load` gives.
    fn cached_or(
        &self,
        key: Key,
        keep: bool,
        control: Option<&Control>,
        load: impl FnOnce() -> Result<Array>,
    ) -> Result<Array> {
        let find = |cached: &[(Key, Slot)]| cached.iter().position(|entry| entry.0 == key);
        let is_coming = |cached: &mut Vec<(Key, Slot)>| {
            find(cached).is_some_and(|i| matches!(cached[i].1, Slot::Coming))
        };
        let mut cached = wait(&self.cached, &self.changed, control, is_coming)?;
        if let Some((_, Slot::There(array))) = find(&cached).map(|i| &cached[i]) {
            return Ok(array.clone());
        }
        if !keep {
            drop(cached);
            return load();
        }
        cached.push((key, Slot::Coming));
        drop(cached);
        let mut coming = Coming {
            image: self,
            key,
            array: None,
        };
        let array = load()?;
        coming.array = Some(array.clone());
        Ok(array)
    }

    /// Forget the cached arrays. Those handed out stay, and an image in memory
    /// keeps its own. One that a thread is just reading is kept when it is there.
    pub fn uncache(&self) {
        self.cached()
            .retain(|(_, slot)| matches!(slot, Slot::Coming));
    }

    fn cached(&self) -> MutexGuard<'_, Vec<(Key, Slot)>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<ArrayProxy> for Image {
    /// An image around an open proxy.
    fn from(proxy: ArrayProxy) -> Image {
        Image::new(Body::Proxy(proxy))
    }
}

impl Key {
    fn new(dtype: DType, scaled: bool, read_as: ReadAs) -> Key {
        let cast = read_as.cast();
        Key {
            dtype,
            order: read_as.packed_order(),
            scaled,
            round: cast.round,
            checked: cast.checked,
        }
    }
}

/// An array that is being read. Those who wait for it go on when this ends,
/// however it does.
struct Coming<'a> {
    image: &'a Image,
    key: Key,
    array: Option<Array>,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut cached = self.image.cached();
        cached.retain(|entry| entry.0 != self.key);
        if let Some(array) = self.array.take() {
            cached.push((self.key, Slot::There(array)));
        }
        self.image.changed.notify_all();
    }
}
