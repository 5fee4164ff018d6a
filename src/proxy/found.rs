//! How a source is compressed: by its content, and what is known of it.

use std::path::Path;
use std::sync::Arc;

use super::options::Options;
use crate::codec::{self, Codec};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Parts;
use crate::io::ReadAt;

/// What a source should hold, which tells how to find its compression.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// A header, whose first bytes are known: a look at them is enough.
    Header(Parts),
    /// The data of a pair, which can begin with any bytes, and which are an
    /// array that ends at this byte.
    Image(u64),
    /// Data of which even less is known: what this build cannot decode may be
    /// just what the caller means.
    Layout,
}

/// The compression of a source, and what was odd about it.
pub(super) struct FoundCodec {
    pub(super) codec: Codec,
    pub(super) note: Option<String>,
}

pub(super) fn find_codec(
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
    let taken = |error: Error| format!("{error}, and is taken as it is");
    // Of a pair, the option means the data.
    let of_pair = matches!(content, Content::Header(Parts::Pair));
    if let Some(codec) = options.codec.filter(|_| !of_pair) {
        return surely(codec);
    }
    // Few data begin so, too.
    if codec::is_compress(head) && is_whole_stream(bytes, path, content)? {
        let text = "this is compressed by compress (.Z), which cannot be read: uncompress it";
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    let codec = match (content, codec::detect(head)) {
        (Content::Layout, Err(error)) => return plain(taken(error)),
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

/// Whether what begins as compress's files do is one.
fn is_whole_stream(bytes: &Arc<dyn ReadAt>, path: Option<&Path>, content: Content) -> Result<bool> {
    let ending = path.and_then(Path::extension);
    let is_named = ending.is_some_and(|end| end.eq_ignore_ascii_case("Z"));
    Ok(match content {
        Content::Header(_) => true,
        Content::Image(end) => is_named || bytes.size()?.is_some_and(|size| size < end),
        Content::Layout => false,
    })
}

/// Whether a file's name says that it is compressed so.
fn is_named(path: &Path, codec: Codec) -> bool {
    let is = |ending: &&str| {
        path.extension()
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    codec.endings().iter().any(is)
}
