//! Opening: paths, siblings, compression, formats.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::Options;
use super::source::Source;
use super::{ArrayProxy, Data, Shared};
use crate::codec::{self, Codec};
use crate::core::dtype::Kind;
use crate::core::layout::Layout;
use crate::core::scale::Factors;
use crate::error::{Error, ErrorKind, Result};
use crate::format::siblings::Name;
use crate::format::{self, Affine, Bytes, Format, Header, Notes, Parts, Wish};
use crate::io::{Mapping, ReadAt};

/// A header's file as formats read it.
struct HeaderBytes<'a>(&'a dyn ReadAt);

impl Bytes for HeaderBytes<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        self.0.read_vec(offset, len)
    }
}

/// Open a file, and its sibling if it is one of a pair.
pub(super) fn path(path: &Path, options: &Options) -> Result<ArrayProxy> {
    refuse_layout(options)?;
    let name = path.file_name().map(text_of).unwrap_or_default();
    let name = Name::new(&name);
    let given = Source::file(path)?;
    // Who asks for a single file means the one that is named.
    let single = matches!(options.format, Some(Format::Nifti1 | Format::Nifti2));
    if name.is_image() && !single {
        // What an image holds, only its header knows.
        if let Some(header) = sibling(path, &name, "hdr")? {
            return of_parts(&header, Image::Given(&given), Parts::Pair, options);
        }
        return match of_parts(&given, Image::Given(&given), Parts::Single, options) {
            Err(error) if error.kind() == ErrorKind::Format => {
                Err(missing(path, "header", &name.siblings("hdr")))
            }
            opened => opened,
        };
    }
    let find = || sibling(path, &name, "img");
    let missing = || missing(path, "image", &name.siblings("img"));
    of_parts(
        &given,
        Image::Sought(&find, &missing),
        name.parts(),
        options,
    )
}

/// Open a header, and an image if there is one.
pub(super) fn sources(
    header: &Source,
    image: Option<&Source>,
    options: &Options,
) -> Result<ArrayProxy> {
    refuse_layout(options)?;
    match image {
        Some(image) => of_parts(header, Image::Given(image), Parts::Pair, options),
        None => {
            let missing = || {
                let text = "the header is one of a pair, and no source of its image was given";
                Error::new(ErrorKind::NotFound, text)
            };
            of_parts(
                header,
                Image::Sought(&|| Ok(None), &missing),
                Parts::Unknown,
                options,
            )
        }
    }
}

/// Open an array whose layout is known.
pub(super) fn layout(
    source: &Source,
    layout: Layout,
    (slope, inter): (f64, f64),
    options: &Options,
) -> Result<ArrayProxy> {
    if options
        .format
        .is_some_and(|format| format != Format::Layout)
    {
        let text = "a layout has no other format than 'layout'";
        return Err(Error::new(ErrorKind::Option, text));
    }
    if !slope.is_finite() || !inter.is_finite() {
        let text = format!("slope {slope} and intercept {inter} must both be finite");
        return Err(Error::new(ErrorKind::Argument, text));
    }
    let mut notes = Notes::new(options.strict);
    let mut factors = Factors::new(slope, inter, options.factor_type);
    if layout.dtype.kind() == Kind::Rgb && factors.is_scaling() {
        let text =
            format!("slope {slope} and intercept {inter} are ignored: colours are not scaled");
        notes.texts.push(text);
        factors = Factors::NONE;
    }
    if factors.overflows(layout.dtype) {
        let text = format!("slope {slope} and intercept {inter} make some values infinite");
        notes.texts.push(text);
    }
    let codec = match options.codec {
        Some(codec) => codec,
        None => codec::detect_surely(&source.bytes(options)?),
    };
    let header = Header {
        format: Format::Layout,
        layout,
        factors,
        zooms: Vec::new(),
        affine: Affine::None,
        raw: Vec::new(),
        notes,
        wants_image: false,
    };
    finish(header, open_data(source, Some(codec), options)?, options)
}

fn refuse_layout(options: &Options) -> Result<()> {
    if options.format == Some(Format::Layout) {
        let text = "the format 'layout' is for arrays whose layout the caller gives";
        return Err(Error::new(ErrorKind::Option, text));
    }
    Ok(())
}

/// The image file of a pair.
enum Image<'a> {
    Given(&'a Source),
    /// How to find it, and what to say if it is not there.
    Sought(
        &'a dyn Fn() -> Result<Option<Source>>,
        &'a dyn Fn() -> Error,
    ),
}

fn of_parts(
    source: &Source,
    image: Image<'_>,
    parts: Parts,
    options: &Options,
) -> Result<ArrayProxy> {
    let data = open_data(source, options.codec, options)?;
    let read = |parts: Parts, format: Option<Format>| {
        let wish = Wish {
            format,
            parts,
            strict: options.strict,
        };
        let found = format::read(&HeaderBytes(&*data.bytes), wish);
        let found = found.map_err(|error| data.blame(error))?;
        found.ok_or_else(|| data.blame(unknown(&*data.bytes)))
    };
    let header = read(parts, options.format)?;
    if !header.wants_image {
        return finish(header, data, options);
    }
    let found = match image {
        Image::Given(image) => Ok(image.clone()),
        Image::Sought(find, missing) => find()?.ok_or_else(missing),
    };
    match found {
        Ok(image) => finish(header, open_data(&image, options.codec, options)?, options),
        Err(missing) => {
            // One file may hold both, whatever its name or magic says.
            let single = match header.format {
                Format::Nifti1Pair => Format::Nifti1,
                _ => Format::Nifti2,
            };
            match read(Parts::Single, options.format.and(Some(single))) {
                Ok(header) if holds_array(&header.layout, &data) => finish(header, data, options),
                _ => Err(missing),
            }
        }
    }
}

fn open_data(source: &Source, codec: Option<Codec>, options: &Options) -> Result<Data> {
    let path = source.path();
    let blame = |error: Error| match &path {
        Some(path) => error.in_file(path),
        None => error,
    };
    let open = || {
        let bytes = source.bytes(options)?;
        let codec = match codec {
            Some(codec) => codec,
            None => codec::detect(&bytes)?,
        };
        if codec != Codec::None && options.mapping == Mapping::Required {
            let text = format!("data compressed by {} cannot be mapped", codec.name());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let most = bytes.size()?.map(|size| codec::most_decoded(codec, size));
        Ok((codec::open(bytes, codec, options.verify), codec, most))
    };
    let (bytes, codec, most) = open().map_err(blame)?;
    Ok(Data {
        bytes,
        codec,
        path,
        most,
    })
}

fn finish(header: Header, data: Data, options: &Options) -> Result<ArrayProxy> {
    let mut warnings = header.notes.texts;
    if let Some(text) = shortfall(&header.layout, &data) {
        if options.strict {
            return Err(data.blame(Error::new(ErrorKind::Truncated, text)));
        }
        warnings.push(text);
    }
    if !options.keep_open {
        data.bytes.trim();
    }
    let zooms = (header.format != Format::Layout).then_some(header.zooms);
    Ok(ArrayProxy {
        layout: Arc::new(header.layout),
        shared: Arc::new(Shared {
            codec: data.codec,
            sources: vec![data],
            format: header.format,
            factors: header.factors,
            zooms,
            affine: header.affine,
            header: header.raw,
            warnings,
            max_bytes: options.max_bytes,
        }),
    })
}

/// Whether a header's file has an array behind the header, too.
fn holds_array(layout: &Layout, data: &Data) -> bool {
    let first = layout.offset().map(|offset| data.bytes.read_vec(offset, 1));
    let begins = first.is_some_and(|first| first.is_ok_and(|first| !first.is_empty()));
    begins && shortfall(layout, data).is_none()
}

/// In words, how far the data end before the array does, so far as the file's
/// size tells.
fn shortfall(layout: &Layout, data: &Data) -> Option<String> {
    let most = data.most?;
    let end = layout.extents().map(|(_, _, high)| high as u64).max()?;
    let text = match data.codec {
        Codec::None => format!("the file has {most} bytes, the array ends at byte {end}"),
        codec => format!(
            "the file's {} stream can hold {most} bytes at most, the array ends at byte {end}",
            codec.name()
        ),
    };
    (end > most).then(|| format!("the data are cut short: {text}, {} more", end - most))
}

fn unknown(bytes: &dyn ReadAt) -> Error {
    let text = match bytes.read_vec(0, 4) {
        Ok(head) if head.is_empty() => "the file is empty".into(),
        Ok(head) => {
            format!("this is no format that can be read: it begins with the bytes {head:02x?}")
        }
        Err(error) => return error,
    };
    Error::new(ErrorKind::Format, text)
}

/// The first sibling that is there.
fn sibling(path: &Path, name: &Name<'_>, extension: &str) -> Result<Option<Source>> {
    for name in name.siblings(extension) {
        match Source::file(path.with_file_name(name_of(&name))) {
            Ok(source) => return Ok(Some(source)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn missing(path: &Path, part: &str, names: &[String]) -> Error {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    let name = |name: &String| PathBuf::from(name_of(name)).display().to_string();
    let names: Vec<String> = names.iter().map(name).collect();
    let text = format!(
        "this is one file of a pair, and its {part} is missing: {}",
        names.join(" or ")
    );
    Error::new(ErrorKind::NotFound, text).in_file(&absolute)
}

/// A file name as text, each of its bytes a character: names need not be
/// UTF-8, and none may change on the way to a sibling's.
#[cfg(unix)]
fn text_of(name: &OsStr) -> String {
    use std::os::unix::ffi::OsStrExt;
    name.as_bytes()
        .iter()
        .map(|&byte| char::from(byte))
        .collect()
}

#[cfg(unix)]
fn name_of(text: &str) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    // All characters came from bytes, or are ASCII.
    OsString::from_vec(text.chars().map(|c| c as u8).collect())
}

#[cfg(not(unix))]
fn text_of(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn name_of(text: &str) -> OsString {
    text.into()
}
