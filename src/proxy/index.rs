//! The seek index as users see it, and where it is kept.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::options::{IndexFile, IndexMode, Options};
use super::read;
use super::source::Source;
use super::{ArrayProxy, Data};
use crate::codec::{Codec, IndexInfo, Packed};
use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{Mapping, file_size, make_folder, replace};
use crate::threads;

/// A file in the user's cache folder.
pub(super) struct Home {
    path: PathBuf,
    /// The process that opened the file. One that was forked from it leaves
    /// saving to it.
    process: u32,
    /// Whether what is there is of no use.
    is_bad: bool,
}

/// Load or build the index of data that were just opened, as the options say.
pub(super) fn open(
    data: &Data,
    warnings: &mut Vec<String>,
    options: &Options,
) -> Result<Option<Home>> {
    if data.packed.is_none() || options.index_mode == IndexMode::None {
        return Ok(None);
    }
    let mut home = match &options.index_file {
        Some(IndexFile::Auto) if data.codec == Codec::Gzip => home(data),
        Some(IndexFile::Auto | IndexFile::Path(_)) | None => None,
    };
    let path = match &options.index_file {
        Some(IndexFile::Path(path)) => Some(path.as_path()),
        Some(IndexFile::Auto) => home.as_ref().map(|home| home.path.as_path()),
        None => None,
    };
    let loaded = path.map_or(Ok(()), |path| load(data, path));
    match (loaded, &mut home) {
        (Err(error), _) if error.kind() == ErrorKind::NotFound => {}
        // What is in the cache folder is no one's fault, and is made anew.
        (Err(_), Some(home)) => home.is_bad = true,
        (Err(error), None) if options.strict => return Err(error),
        (Err(error), None) => warnings.push(format!("{error}: the seek index is not used")),
        (Ok(()), _) => {}
    }
    if options.index_mode == IndexMode::Build {
        build(data, options.threads, None)?;
    }
    Ok(home)
}

/// Build the index to the end, by up to `limit` threads as options have it. The
/// control knows already how much there is to do.
fn build(data: &Data, limit: usize, control: Option<&Control>) -> Result<()> {
    let Some(packed) = &data.packed else {
        return Ok(());
    };
    let asked = control.and_then(Control::threads);
    let threads = threads::allowed(asked.unwrap_or(limit));
    let built = read::trusting(&**packed, |_| packed.build(threads, control));
    built.map_err(|error| data.blame(error))
}

/// Load an index file.
fn load(data: &Data, path: &Path) -> Result<()> {
    let Some(packed) = &data.packed else {
        let text = "an index file is for compressed data";
        return Err(data.blame(Error::new(ErrorKind::Unsupported, text)));
    };
    let source = Source::file(path)?;
    // Windows are read from it when they are needed. It may be replaced
    // meanwhile, but not mixed up with the new one.
    let keep_open = data.keep_open && !data.pooled;
    let file = source.bytes(keep_open, Mapping::Never)?;
    let path = source.path();
    let loaded = packed.load(file.clone());
    if !keep_open {
        file.trim();
    }
    loaded.map_err(|error| match (error.kind(), path) {
        (ErrorKind::SeekIndex, Some(path)) => error.in_file(&path),
        _ => data.blame(error),
    })
}

/// Where the index of a file is kept between programs; `None` where there is
/// no such place.
fn home(data: &Data) -> Option<Home> {
    let (path, (size, time)) = (data.path.as_ref()?, data.stamp?);
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let name = format!("{:016x}-{size:x}-{time:x}.gzidx", hasher.finish());
    Some(Home {
        path: cache_folder()?.join("arrayproxy").join(name),
        process: std::process::id(),
        is_bad: false,
    })
}

/// The user's folder for what can be made again.
fn cache_folder() -> Option<PathBuf> {
    let folder = |variable: &str| {
        let path = PathBuf::from(std::env::var_os(variable)?);
        path.is_absolute().then_some(path)
    };
    if cfg!(windows) {
        return folder("LOCALAPPDATA");
    }
    let home = |below: &str| Some(folder("HOME")?.join(below));
    if cfg!(target_os = "macos") {
        return home("Library/Caches");
    }
    folder("XDG_CACHE_HOME").or_else(|| home(".cache"))
}

/// Save an index if it is larger than what is there: others may have found, and
/// saved, more windows.
fn save_larger(packed: &dyn Packed, path: &Path, there: u64) -> Result<()> {
    let mut size = 0;
    packed.save(&mut |bytes| {
        size += bytes.len() as u64;
        Ok(())
    })?;
    if size <= there {
        return Ok(());
    }
    replace(path, |write| packed.save(write))
}

impl Data {
    /// Keep what was found of the index for the user's next programs.
    fn save_home(&self) {
        let (Some(home), Some(packed)) = (&self.home, &self.packed) else {
            return;
        };
        // One point, at the begin, is no help.
        let is_help = packed.is_new() && packed.info().points >= 2;
        if home.process != std::process::id() || !is_help {
            return;
        }
        // What led astray is of no use to others, however large it is.
        let is_bad = home.is_bad || packed.generation() > 0;
        let there = if is_bad { 0 } else { file_size(&home.path) };
        let folder = home.path.parent().map_or(Ok(()), make_folder);
        // Who opened the file only to read it has no use for an error.
        let _ = folder.and_then(|()| save_larger(&**packed, &home.path, there));
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.save_home();
    }
}

impl ArrayProxy {
    /// Build the seek index of compressed data to the end. No effect on data
    /// that are not compressed. Progress is in compressed bytes.
    pub fn build_index(&self, control: Option<&Control>) -> Result<()> {
        let sources = &self.shared.sources;
        if let Some(control) = control {
            let packed = sources.iter().filter_map(|data| data.packed.as_ref());
            control.begin(packed.map(|packed| packed.unbuilt()).sum());
        }
        for number in 0..sources.len() {
            let data = self.shared.enter(number, control)?;
            build(&data, self.shared.threads, control)?;
        }
        Ok(())
    }

    /// Save what there is of the seek index as a GZIDX file, which
    /// indexed_gzip reads too. Readers of `path` never see half of it. For
    /// data compressed by gzip.
    pub fn save_index(&self, path: impl AsRef<Path>) -> Result<()> {
        let data = self.indexed()?;
        let Some(packed) = &data.packed else {
            let text = "the data are not compressed: there is no seek index to save";
            return Err(data.blame(Error::new(ErrorKind::Unsupported, text)));
        };
        let saved = replace(path.as_ref(), |write| packed.save(write));
        saved.map_err(|error| data.blame(error))
    }

    /// Load a GZIDX file. What its structure, its order, the sizes or our own
    /// checksums show to be wrong is an error, and changes nothing. Windows
    /// are read from it when they are needed, so it should stay.
    pub fn load_index(&self, path: impl AsRef<Path>) -> Result<()> {
        load(self.indexed()?, path.as_ref())
    }

    /// What there is of the seek index.
    pub fn index_info(&self) -> IndexInfo {
        let infos = self
            .shared
            .sources
            .iter()
            .filter_map(|data| data.packed.as_ref());
        let nothing = IndexInfo {
            points: 0,
            covered: 0,
            memory: 0,
        };
        infos
            .map(|packed| packed.info())
            .fold(nothing, |a, b| IndexInfo {
                points: a.points + b.points,
                covered: a.covered + b.covered,
                memory: a.memory + b.memory,
            })
    }

    /// The source that an index file is about.
    fn indexed(&self) -> Result<&Data> {
        match &self.shared.sources[..] {
            [data] => Ok(data),
            _ => {
                let text = "an index file is about one file, the array is in several";
                Err(self.blame(Error::new(ErrorKind::Unsupported, text)))
            }
        }
    }
}
