//! Opening: paths, siblings, compression, formats.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::footer::LateFooter;
use super::found::{Content, find_codec};
use super::index;
use super::options::Options;
use super::source::Source;
use super::space::Zoom;
use super::{ArrayProxy, Data, Shared, scaled_dtype};
use crate::codec::{self, Codec, Room};
use crate::core::dtype::{ByteOrder, Kind};
use crate::core::layout::Layout;
use crate::core::scale::Factors;
use crate::error::{Error, ErrorKind, Result};
use crate::format::siblings::Name;
use crate::format::{self, Bytes, Chunks, Format, Header, Notes, Parts, Wish};
use crate::io::{Mapping, ReadAt, name_of, text_of};

/// Bytes read at first: enough for the largest header of the formats.
const HEAD: usize = 540;

/// Bytes of the smallest header that is no text, MGH's.
const SMALLEST: usize = 284;

/// A single file of pair magic is looked into so far, not further, to see
/// whether it holds an array.
const NEAR: u64 = 64 << 10;

/// A file as formats read it.
pub(super) struct HeaderBytes<'a> {
    /// What was read of it already.
    pub(super) head: &'a [u8],
    pub(super) bytes: &'a dyn ReadAt,
    pub(super) most: Option<u64>,
    pub(super) packed: bool,
}

impl Bytes for HeaderBytes<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        match self.head.get(start..start.saturating_add(len)) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => self.bytes.read_vec(offset, len),
        }
    }

    fn most(&self) -> Option<u64> {
        self.most
    }

    fn is_packed(&self) -> bool {
        self.packed
    }

    fn inflated(&self, stream: &[u8], most: usize) -> Result<Vec<u8>> {
        codec::zlib(stream, most)
    }
}

/// Open a file, and its siblings if it is one of several.
pub(super) fn path(path: &Path, options: &Options) -> Result<ArrayProxy> {
    refuse_layout(options)?;
    let name = path.file_name().map(text_of).unwrap_or_default();
    let name = Name::new(&name);
    let given = Source::file(path)?;
    let beside = Beside { path, name: &name };
    let open = |header: &Source, image: Option<&Source>, parts: Parts| {
        opened(
            of_parts(header, image, Some(&beside), parts, options)?,
            options,
        )
    };
    // Who asks for a single file means the one that is named.
    if options.format.is_some_and(Format::is_single) {
        return open(&given, None, Parts::Single);
    }
    let Some(extension) = name.header() else {
        return open(&given, None, name.parts());
    };
    // What an image holds, only its header knows.
    if let Some(header) = beside.first(&name.siblings(extension))? {
        return open(&header, Some(&given), Parts::Pair);
    }
    let missing = || Err(beside.missing("header", extension));
    if options.format.is_some() {
        return missing();
    }
    match open(&given, None, Parts::Single) {
        Err(error) if matches!(error.kind(), ErrorKind::Format | ErrorKind::Header) => missing(),
        opened => opened,
    }
}

/// Open a header, and an image if there is one.
pub(super) fn sources(
    header: &Source,
    image: Option<&Source>,
    options: &Options,
) -> Result<ArrayProxy> {
    refuse_layout(options)?;
    if image.is_some() && options.format.is_some_and(Format::is_single) {
        let text = "the format asked for is one of single files, but an image was given";
        return Err(Error::new(ErrorKind::Option, text));
    }
    let parts = match image {
        Some(_) => Parts::Pair,
        None => Parts::Unknown,
    };
    opened(of_parts(header, image, None, parts, options)?, options)
}

/// A proxy as it is handed out: where memory is spared, with nothing kept of
/// what opening decoded.
fn opened(proxy: ArrayProxy, options: &Options) -> Result<ArrayProxy> {
    if !options.keep_open {
        proxy.trim();
    }
    Ok(proxy)
}

/// Open an array whose layout is known.
pub(super) fn layout(
    source: &Source,
    (layout, byte_order): (Layout, ByteOrder),
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
        notes,
        ..Header::new(Format::Layout, Vec::new(), (layout, byte_order))
    };
    finish(header.scaled(factors), opened.data, None, options)
}

fn refuse_layout(options: &Options) -> Result<()> {
    if options.format == Some(Format::Layout) {
        let text = "the format 'layout' is for arrays whose layout the caller gives";
        return Err(Error::new(ErrorKind::Option, text));
    }
    Ok(())
}

/// A path beside which other files of an image are sought.
struct Beside<'a> {
    path: &'a Path,
    name: &'a Name<'a>,
}

impl Beside<'_> {
    /// The first of the files that is there.
    fn first(&self, names: &[String]) -> Result<Option<Source>> {
        for name in names {
            let found = Source::file_if_there(&self.path.with_file_name(name_of(name)))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn missing(&self, part: &str, extension: &str) -> Error {
        let absolute = std::path::absolute(self.path).unwrap_or_else(|_| self.path.into());
        let names = self.name.siblings(extension);
        let name = |name: &String| PathBuf::from(name_of(name)).display().to_string();
        let names: Vec<String> = names.iter().map(name).collect();
        let text = format!(
            "this is one file of a pair, and its {part} is missing: {}",
            names.join(" or ")
        );
        Error::new(ErrorKind::NotFound, text).in_file(&absolute)
    }
}

fn of_parts(
    source: &Source,
    image: Option<&Source>,
    beside: Option<&Beside<'_>>,
    parts: Parts,
    options: &Options,
) -> Result<ArrayProxy> {
    let Opened { data, head, .. } = open_data(source, Content::Header(parts), options)?;
    let pinned = data.pinned()?;
    // Decoded once. If that fails, a shorter header may still be there.
    let (head, damage) = match data.codec {
        Codec::None => (head, None),
        _ => match pinned.read_vec(0, HEAD) {
            Ok(head) => (head, None),
            Err(error) if error.kind() == ErrorKind::Codec => (Vec::new(), Some(error)),
            Err(error) => return Err(data.blame(error)),
        },
    };
    // What damage makes of content is not what is wrong with it.
    let cause = |error: Error| match &damage {
        Some(damage) => data.blame(damage.clone()),
        None => error,
    };
    let bytes = HeaderBytes {
        head: &head,
        bytes: &*pinned,
        most: data.most,
        packed: data.packed.is_some(),
    };
    let read = |parts: Parts, format: Option<Format>| {
        let wish = Wish {
            format,
            named: beside.and_then(|beside| beside.name.format()),
            parts,
            strict: options.strict,
            choices: options.choices(),
        };
        let found = format::read(&bytes, wish).map_err(|error| data.blame(error))?;
        found.ok_or_else(|| cause(data.blame(unknown(&data, &bytes))))
    };
    let single = || of_parts(source, None, beside, Parts::Single, options);
    let mut header = read(parts, options.format)?;
    if let (Some(beside), Some(extension)) = (beside, header.affine_file) {
        read_affine(&mut header, beside, extension, options)?;
    }
    let Some(extension) = header.image else {
        return match (parts, image) {
            (Parts::Pair, Some(_)) => {
                let text = format!(
                    "an image was given, but the header is one of format {}, which is one file",
                    header.format.name()
                );
                Err(data.blame(Error::new(ErrorKind::Argument, text)))
            }
            // It is named as half of a pair; what options say of data holds
            // for it now.
            (Parts::Pair, None) => single(),
            _ => finish(header, data, None, options),
        };
    };
    // A header that is named as a single file, or as an image.
    if let (Parts::Single, Some(beside), None) = (parts, beside, options.format) {
        if let Some(extension) = beside.name.header() {
            return Err(cause(beside.missing("header", extension)));
        }
        let text = "the content is a header, whatever the name says: the data are in another file";
        header.notes.texts.push(text.into());
    }
    let sought = || match beside {
        Some(beside) => {
            let found = beside.first(&beside.name.siblings(extension))?;
            found.ok_or_else(|| cause(beside.missing("image", extension)))
        }
        None => {
            let text = "the header is one of a pair, and no source of its image was given";
            Err(Error::new(ErrorKind::NotFound, text))
        }
    };
    let missing = match image.cloned().map_or_else(sought, Ok) {
        Ok(image) => {
            let end = header.layout.end_of(0);
            let image = open_data(&image, Content::Image(end), options)?;
            header.notes.texts.extend(image.note);
            return finish(header, image.data, Some(data), options);
        }
        Err(missing) => missing,
    };
    if options.format.is_some() || missing.kind() != ErrorKind::NotFound {
        return Err(missing);
    }
    // One file may hold both, whatever its name or magic says, if the header
    // itself puts the array behind it.
    match read(Parts::Single, None) {
        Ok(found)
            if found.image.is_none()
                && found.layout.offset() == header.layout.offset()
                && holds_array(&found, &data) =>
        {
            single()
        }
        _ => Err(missing),
    }
}

/// Take the affine from the file for it, if there is one. Data can be read
/// without it, so what is wrong with it only makes the affine unknown.
fn read_affine(
    header: &mut Header,
    beside: &Beside<'_>,
    extension: &str,
    options: &Options,
) -> Result<()> {
    let mut read = || {
        let Some(source) = beside.first(&beside.name.rare_siblings(extension))? else {
            return Ok(());
        };
        // Its compression is its own: the option means the data.
        let Opened { data, head, .. } = open_data(&source, Content::Header(Parts::Pair), options)?;
        let bytes = HeaderBytes {
            head: &head,
            bytes: &*data.pinned()?,
            most: data.most,
            packed: data.packed.is_some(),
        };
        format::read_affine(&bytes, header).map_err(|error| data.blame(error))
    };
    match read() {
        Err(error) if !options.strict => {
            header
                .notes
                .texts
                .push(format!("{error}: the affine is unknown"));
            header.affine.set_best(Err(error));
            Ok(())
        }
        read => read,
    }
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
        // Of a pair, what is mapped is the data.
        let mapping = match (content, options.mapping) {
            (Content::Header(Parts::Pair), Mapping::Required) => Mapping::Possible,
            (_, mapping) => mapping,
        };
        let bytes = source.bytes(options.keep_open, mapping)?;
        let (head, size) = (bytes.read_vec(0, HEAD)?, bytes.size()?);
        let found = find_codec(&bytes, &head, path.as_deref(), content, options)?;
        let codec = found.codec;
        if codec != Codec::None && mapping == Mapping::Required {
            let text = format!("data compressed by {} cannot be mapped", codec.name());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let decoded = codec::open(bytes, codec, options.decoding(), options.room.clone())?;
        Ok(Opened {
            data: Data {
                bytes: decoded.bytes,
                packed: decoded.packed,
                keep_open: options.keep_open,
                pooled: options.room.is_some(),
                stamp: source.stamp(),
                codec,
                path: path.clone(),
                most: size.map(|size| codec::most_decoded(codec, size)),
                end: 0,
                home: None,
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

/// The proxy of an array whose header is in a file of its own, or is not.
fn finish(
    mut header: Header,
    mut data: Data,
    apart: Option<Data>,
    options: &Options,
) -> Result<ArrayProxy> {
    let mut warnings = std::mem::take(&mut header.notes.texts);
    if let Some(text) = shortfall(&header, &data) {
        if options.strict {
            return Err(data.blame(Error::new(ErrorKind::Truncated, text)));
        }
        warnings.push(text);
    }
    if let Some(chunks) = header.chunks.take() {
        decode_chunks(&mut data, chunks, options)?;
    }
    data.end = header.layout.end_of(0);
    if let Some(packed) = &data.packed {
        packed.expect(data.end);
    }
    data.home = index::open(&data, &mut warnings, options)?;
    if !options.keep_open {
        data.bytes.trim();
    }
    if let Some(apart) = &apart {
        // Asked again for extensions alone.
        apart.bytes.trim();
    }
    let mut zooms: Vec<Zoom> = header.zooms.into_iter().map(Zoom::Known).collect();
    if header.footer.is_some_and(|footer| footer.has_zoom) {
        zooms.push(Zoom::InFooter);
    }
    let layout = Arc::new(header.layout);
    Ok(ArrayProxy {
        part: None,
        space: None,
        shared: Arc::new(Shared {
            pool: None,
            scaled: scaled_dtype(&header.meanings, layout.dtype),
            meanings: header.meanings,
            spatial: match header.spatial {
                Some(axes) => axes.to_vec(),
                None => (0..layout.shape.len().min(3)).collect(),
            },
            layout: layout.clone(),
            zooms: (header.format != Format::Layout).then_some(zooms),
            next_zoom: header.next_zoom,
            codec: data.codec,
            header_path: apart.as_ref().unwrap_or(&data).path.clone(),
            sources: vec![data],
            header_data: apart,
            format: header.format,
            affine: header.affine,
            footer: header.footer.map(LateFooter::new),
            header: header.raw,
            entries: header.entries,
            extensions: OnceLock::new(),
            warnings,
            max_bytes: options.max_bytes,
            threads: options.threads,
        }),
        layout,
    })
}

/// Make data that are stored in chunks their decoded bytes.
fn decode_chunks(data: &mut Data, chunks: Chunks, options: &Options) -> Result<()> {
    if options.mapping == Mapping::Required {
        let text = "data in chunks that have to be decoded cannot be mapped";
        return Err(data.blame(Error::new(ErrorKind::Unsupported, text)));
    }
    let stored = chunks.stored.iter().map(|chunk| codec::Chunk {
        number: chunk.number,
        at: chunk.at,
        len: chunk.stored,
        filters: codec::Filters {
            shuffled: chunk.filters.shuffle,
            deflated: chunk.filters.deflate,
            summed: chunk.filters.fletcher,
        },
    });
    let chunks = codec::Chunks {
        size: chunks.size,
        count: chunks.count,
        stored: stored.collect(),
        fill: chunks.fill,
    };
    let room = options.room.clone();
    let room = room.unwrap_or_else(|| Arc::new(Room::new(options.cache_size())));
    let (codec, total) = (chunks.codec(), chunks.total());
    let decoded = codec::chunked(data.bytes.clone(), chunks, room);
    (data.bytes, data.packed) = (decoded.bytes, decoded.packed);
    if data.codec == Codec::None {
        data.codec = codec;
    }
    data.most = Some(total);
    Ok(())
}

/// Whether a header's file has an array behind the header, too, as far as can
/// be told without decoding much.
fn holds_array(header: &Header, data: &Data) -> bool {
    let near = header.layout.offset().filter(|&offset| offset <= NEAR);
    shortfall(header, data).is_none()
        && near.is_some_and(|offset| {
            let first = data.bytes.read_vec(offset, 1);
            first.is_ok_and(|first| !first.is_empty())
        })
}

/// In words, how far the data end before the array does, so far as the file's
/// size tells.
fn shortfall(header: &Header, data: &Data) -> Option<String> {
    let most = data.most?;
    let end = match &header.chunks {
        Some(chunks) => chunks.end(),
        None => header
            .layout
            .extents()
            .map(|(_, _, high)| high as u64)
            .max()?,
    };
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
    let head = match bytes.bytes_at(0, SMALLEST) {
        Ok(head) => head,
        Err(error) => return error,
    };
    let what = match data.codec {
        Codec::None => "the file",
        _ => "the decoded content",
    };
    let text = match head.len() {
        0 if data.codec != Codec::None => {
            format!(
                "{what} is empty, or the {} stream cut short",
                data.codec.name()
            )
        }
        0 => format!("{what} is empty"),
        n @ ..SMALLEST => {
            format!(
                "this is no format that can be read: {what} has {n} bytes, which begin with \
                 {:02x?}",
                &head[..n.min(4)]
            )
        }
        _ => format!(
            "this is no format that can be read: {what} begins with the bytes {:02x?}",
            &head[..4]
        ),
    };
    Error::new(ErrorKind::Format, text)
}
