//! Opening: paths, siblings, compression, formats.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::Options;
use super::source::Source;
use super::{ArrayProxy, Data, Shared};
use crate::codec::{self, Codec, Decoding};
use crate::core::dtype::Kind;
use crate::core::layout::Layout;
use crate::core::scale::Factors;
use crate::error::{Error, ErrorKind, Result};
use crate::format::siblings::Name;
use crate::format::{self, Affine, Bytes, Format, Header, Notes, Parts, Wish};
use crate::io::{Mapping, ReadAt, name_of, text_of};

/// Bytes read at first: enough for the largest header of the formats.
const HEAD: usize = 540;

/// A single file of pair magic is looked into so far, not further, to see
/// whether it holds an array.
const NEAR: u64 = 64 << 10;

/// A header's file as formats read it.
struct HeaderBytes<'a> {
    /// What was read of it already.
    head: &'a [u8],
    bytes: &'a dyn ReadAt,
}

impl Bytes for HeaderBytes<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        match self.head.get(start..start.saturating_add(len)) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => self.bytes.read_vec(offset, len),
        }
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
            Err(error) if matches!(error.kind(), ErrorKind::Format | ErrorKind::Header) => {
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
        Some(_) if matches!(options.format, Some(Format::Nifti1 | Format::Nifti2)) => {
            let text = "the format asked for is one of single files, but an image was given";
            Err(Error::new(ErrorKind::Option, text))
        }
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
    let mut factors = Factors::new(slope, inter, options.factor_type);
    let lost = factors.slope == 0.0 && slope != 0.0;
    if !factors.slope.is_finite() || !factors.inter.is_finite() || lost {
        let text = format!(
            "slope {slope} and intercept {inter} must be finite, and not vanish, as {:?}",
            options.factor_type
        );
        return Err(Error::new(ErrorKind::Argument, text));
    }
    let mut notes = Notes::new(options.strict);
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
    let opened = open_data(source, Content::Layout, options)?;
    notes.texts.extend(opened.note);
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
    finish(header, opened.data, None, options)
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
    let Opened { data, head, .. } = open_data(source, Content::Header(parts), options)?;
    let bytes = HeaderBytes {
        head: &head,
        bytes: &*data.bytes,
    };
    let read = |parts: Parts, format: Option<Format>| {
        let wish = Wish {
            format,
            parts,
            strict: options.strict,
        };
        let found = format::read(&bytes, wish).map_err(|error| data.blame(error))?;
        found.ok_or_else(|| data.blame(unknown(&data, &bytes)))
    };
    let mut header = read(parts, options.format)?;
    if !header.wants_image {
        return finish(header, data, None, options);
    }
    let found = match image {
        Image::Given(image) => Ok(image.clone()),
        Image::Sought(find, missing) => find()?.ok_or_else(missing),
    };
    match found {
        Ok(image) => {
            let end = header.layout.end_of(0);
            let image = open_data(&image, Content::Image(end), options)?;
            header.notes.texts.extend(image.note);
            finish(header, image.data, Some(data), options)
        }
        Err(missing) if options.format.is_some() => Err(missing),
        Err(missing) => match read(Parts::Single, None) {
            // One file may hold both, whatever its name or magic says, if the
            // header itself puts the array behind it.
            Ok(single)
                if single.layout.offset() == header.layout.offset()
                    && holds_array(&single.layout, &data) =>
            {
                finish(single, data, None, options)
            }
            _ => Err(missing),
        },
    }
}

/// What a source should hold, which tells how to find its compression.
#[derive(Clone, Copy)]
enum Content {
    /// A header, whose first bytes are known: a look at them is enough.
    Header(Parts),
    /// The data of a pair, which can begin with any bytes, and which are an
    /// array that ends at this byte.
    Image(u64),
    /// Data of which even less is known: what this build cannot decode may be
    /// just what the caller means.
    Layout,
}

/// An open source.
struct Opened {
    data: Data,
    /// Its first bytes, unless they are compressed.
    head: Vec<u8>,
    note: Option<String>,
}

fn open_data(source: &Source, content: Content, options: &Options) -> Result<Opened> {
    let path = source.path();
    let open = || {
        let bytes = source.bytes(options)?;
        let (head, size) = (bytes.read_vec(0, HEAD)?, bytes.size()?);
        let found = find_codec(&bytes, &head, path.as_deref(), content, options)?;
        let codec = found.codec;
        if codec != Codec::None && options.mapping == Mapping::Required {
            let text = format!("data compressed by {} cannot be mapped", codec.name());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Ok(Opened {
            data: Data {
                bytes: codec::open(bytes, codec, decoding(options))?,
                codec,
                path: path.clone(),
                most: size.map(|size| codec::most_decoded(codec, size)),
            },
            head: if codec == Codec::None {
                head
            } else {
                Vec::new()
            },
            note: found.note,
        })
    };
    open().map_err(|error: Error| match &path {
        Some(path) => error.in_file(path),
        None => error,
    })
}

fn decoding(options: &Options) -> Decoding {
    Decoding {
        verify: options.verify,
        frugal: !options.keep_open,
    }
}

/// The compression of a source, and what was odd about it.
struct FoundCodec {
    codec: Codec,
    note: Option<String>,
}

fn find_codec(
    bytes: &Arc<dyn ReadAt>,
    head: &[u8],
    path: Option<&Path>,
    content: Content,
    options: &Options,
) -> Result<FoundCodec> {
    let surely = |codec| Ok(FoundCodec { codec, note: None });
    let plain = |note: String| {
        Ok(FoundCodec {
            codec: Codec::None,
            note: Some(note),
        })
    };
    // Of a pair, the option means the data.
    let of_pair = matches!(content, Content::Header(Parts::Pair));
    if let Some(codec) = options.codec.filter(|_| !of_pair) {
        return surely(codec);
    }
    let codec = match (content, codec::detect(head)) {
        (Content::Layout, Err(error)) => return plain(format!("{error}, and is taken as it is")),
        (_, found) => found?,
    };
    let sure = match content {
        _ if codec == Codec::None => true,
        Content::Header(_) => true,
        // Plain data would have to be all there.
        Content::Image(end) => {
            path.is_some_and(|path| is_named(path, codec))
                || bytes.size()?.is_none_or(|size| size < end)
        }
        Content::Layout => false,
    };
    if sure || codec::decodes(bytes, codec)? {
        return surely(codec);
    }
    let text = format!(
        "the data begin like {} but do not decode: they are taken as they are",
        codec.name()
    );
    if options.strict {
        return Err(Error::new(ErrorKind::Codec, text));
    }
    plain(text)
}

/// Whether a file's name says that it is compressed so.
fn is_named(path: &Path, codec: Codec) -> bool {
    let is = |ending: &&str| {
        path.extension()
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    codec.endings().iter().any(is)
}

/// The proxy of an array whose header is in a file of its own, or is not.
fn finish(
    header: Header,
    data: Data,
    apart: Option<Data>,
    options: &Options,
) -> Result<ArrayProxy> {
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
            header_path: apart.as_ref().unwrap_or(&data).path.clone(),
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

/// Whether a header's file has an array behind the header, too, as far as can
/// be told without decoding much.
fn holds_array(layout: &Layout, data: &Data) -> bool {
    let near = layout.offset().filter(|&offset| offset <= NEAR);
    shortfall(layout, data).is_none()
        && near.is_some_and(|offset| {
            let first = data.bytes.read_vec(offset, 1);
            first.is_ok_and(|first| !first.is_empty())
        })
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

/// What to say of content that no format takes.
fn unknown(data: &Data, bytes: &dyn Bytes) -> Error {
    // The smallest header of the formats.
    let head = match bytes.bytes_at(0, 348) {
        Ok(head) => head,
        Err(error) => return error,
    };
    let what = match data.codec {
        Codec::None => "the file",
        _ => "the decoded content",
    };
    let text = match head.len() {
        0 => format!("{what} is empty"),
        n @ ..348 => format!("{what} has {n} bytes, the smallest header has 348"),
        _ => format!(
            "this is no format that can be read: {what} begins with the bytes {:02x?}",
            &head[..4]
        ),
    };
    Error::new(ErrorKind::Format, text)
}

/// The first sibling that is there.
fn sibling(path: &Path, name: &Name<'_>, extension: &str) -> Result<Option<Source>> {
    for name in name.siblings(extension) {
        let found = Source::file_if_there(&path.with_file_name(name_of(&name)))?;
        if found.is_some() {
            return Ok(found);
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
