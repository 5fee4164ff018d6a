//! Many files as one array.

use std::path::Path;
use std::sync::Arc;

use super::pool::Pool;
use super::space::Zoom;
use super::{ArrayProxy, IndexFile, Options, Shared, scaled_dtype};
use crate::codec::Room;
use crate::core::dtype::Order;
use crate::core::layout::Layout;
use crate::core::scale::Meaning;
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};
use crate::format::Which;

/// As far as affines of files of a series may be apart: as NumPy's `allclose`
/// has it.
const RELATIVE: f64 = 1e-5;
const ABSOLUTE: f64 = 1e-8;

/// Most memory of the seek indices of all files, as far as reads make them.
const INDICES: u64 = 256 << 20;

impl ArrayProxy {
    /// Open files as one array with one more axis, the slowest. Shape, type and
    /// affine of all must agree; compression, byte order and scaling are each
    /// file's own. Headers are read now, data when they are needed, and no more
    /// than [`Options::open_files`] files are open at a time. What the proxy
    /// tells of format, header and place is that of the first file.
    pub fn open_series<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<ArrayProxy> {
        if let Some(IndexFile::Path(_)) = options.index_file {
            let text = "an index file is about one file, a series has several";
            return Err(Error::new(ErrorKind::Option, text));
        }
        if paths.is_empty() {
            let text = "a series of no files is no array";
            return Err(Error::new(ErrorKind::Argument, text));
        }
        let room = Arc::new(Room::new(options.cache_size()));
        let pool = Pool::new(options.open_files.max(1), room.clone());
        let options = Options {
            room: Some(room),
            index_bytes: Some(INDICES / paths.len() as u64),
            ..options.clone()
        };
        let mut files: Vec<ArrayProxy> = Vec::new();
        for path in paths {
            let file = ArrayProxy::open_with(path, &options)?;
            if let Some(first) = files.first() {
                check_agrees(&file, first).map_err(|error| file.blame(error))?;
            }
            file.trim();
            files.push(file);
        }
        joined(files, pool)
    }
}

/// Fail if a file is no part of a series that begins with another one.
fn check_agrees(file: &ArrayProxy, first: &ArrayProxy) -> Result<()> {
    let wrong = |what: &str, of_file: String, of_first: String| {
        let path = first.shared.header_path.as_deref().unwrap_or(Path::new(""));
        let text = format!(
            "{what} {of_file} of this file of a series is not that of its first, {of_first} of {}",
            path.display()
        );
        Err(Error::new(ErrorKind::Header, text))
    };
    let (a, b) = (&*file.layout, &*first.layout);
    if a.shape != b.shape {
        return wrong("the shape", shape::text(&a.shape), shape::text(&b.shape));
    }
    if a.dtype != b.dtype {
        return wrong("the type", a.dtype.to_string(), b.dtype.to_string());
    }
    let near = |a: f64, b: f64| {
        (a - b).abs() <= ABSOLUTE + RELATIVE * b.abs() || a == b || (a.is_nan() && b.is_nan())
    };
    match [file, first].map(|proxy| proxy.affine(Which::Best)) {
        [Err(a), Err(b)] if a.kind() == b.kind() => Ok(()),
        [Ok((_, a)), Ok((_, b))] => {
            let pairs = a.as_flattened().iter().zip(b.as_flattened());
            match pairs.into_iter().all(|(&a, &b)| near(a, b)) {
                true => Ok(()),
                false => wrong("the affine", format!("{a:?}"), format!("{b:?}")),
            }
        }
        [Err(error), Ok((_, b))] => wrong("the affine", format!("({error})"), format!("{b:?}")),
        [a, Err(error)] => {
            let a = a.map_or_else(|error| format!("({error})"), |(_, a)| format!("{a:?}"));
            wrong("the affine", a, format!("({error})"))
        }
    }
}

/// The array of files that agree.
fn joined(files: Vec<ArrayProxy>, pool: Pool) -> Result<ArrayProxy> {
    let layouts: Vec<&Layout> = files.iter().map(|file| &*file.layout).collect();
    let mut layout = Layout::stacked(&layouts).ok_or_else(|| {
        let text = format!(
            "{} arrays of shape {} and type {} are no one array: at most {} axes are possible, \
             within 2^63 bytes, and elements have to lie in like order in each file, in blocks \
             that fit each other",
            layouts.len(),
            shape::text(&layouts[0].shape),
            layouts[0].dtype,
            shape::MAX_NDIM
        );
        Error::new(ErrorKind::Header, text)
    })?;
    let mut series: Option<Shared> = None;
    let mut meanings: Vec<Meaning> = Vec::new();
    // Where those of each file begin.
    let mut begins: Vec<u32> = Vec::new();
    for file in files {
        let named = |warning: &String| match &file.shared.header_path {
            Some(path) => format!("{}: {warning}", path.display()),
            None => warning.clone(),
        };
        let warnings: Vec<String> = file.shared.warnings.iter().map(named).collect();
        // It was opened for this series alone.
        let shared = Arc::into_inner(file.shared);
        let mut shared = shared.ok_or_else(|| Error::new(ErrorKind::Internal, "a shared file"))?;
        // Often all mean the same.
        let last = begins.last().map_or(0, |&begin| begin as usize);
        begins.push(match meanings[last..] == shared.meanings {
            true => last as u32,
            false => meanings.len() as u32,
        });
        if meanings[last..] != shared.meanings {
            meanings.append(&mut shared.meanings);
        }
        shared.warnings = warnings;
        match &mut series {
            None => series = Some(shared),
            Some(series) => {
                series.sources.append(&mut shared.sources);
                series.warnings.append(&mut shared.warnings);
            }
        }
    }
    for block in &mut layout.blocks {
        block.meaning += begins[block.source as usize];
    }
    let mut shared = series.ok_or_else(|| Error::new(ErrorKind::Internal, "no files"))?;
    if layout.order == Order::C {
        shared.spatial.iter_mut().for_each(|axis| *axis += 1);
    }
    shared.scaled = scaled_dtype(&meanings, layout.dtype);
    shared.meanings = meanings;
    if let Some(zooms) = &mut shared.zooms {
        let at = match layout.order {
            Order::F => zooms.len(),
            Order::C => 0,
        };
        zooms.insert(at, Zoom::Known(shared.next_zoom));
    }
    shared.pool = Some(pool);
    let layout = Arc::new(layout);
    shared.layout = layout.clone();
    Ok(ArrayProxy {
        shared: Arc::new(shared),
        layout,
        part: None,
        space: None,
    })
}
