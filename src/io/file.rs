//! Files, read by position.

// Reading into memory that was never written needs the system's own call.
#![allow(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use super::map::{Map, OwnMap};
use super::{OwnBytes, ReadAt, ReadBuf, View};
use crate::error::{Error, ErrorKind, Result};

/// Whether files are mapped into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mapping {
    /// Never.
    Never,
    /// Where it is possible and serves a read.
    #[default]
    Possible,
    /// Opening fails where it is not possible.
    Required,
}

/// What tells a file from another one under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    size: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    fn of(metadata: &Metadata) -> Identity {
        Identity {
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

/// A regular file that was opened, by absolute path.
#[derive(Debug)]
pub(crate) struct Found {
    path: PathBuf,
    identity: Identity,
    file: Arc<File>,
}

impl Found {
    /// Open a file for reading. Only regular files: others may block, or have
    /// no size.
    pub(crate) fn open(path: &Path) -> Result<Found> {
        if path.as_os_str().is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "the path is empty"));
        }
        let path = std::path::absolute(path)
            .map_err(|error| Error::os(&error, "find the file").in_file(path))?;
        let failed = |error: std::io::Error| Error::os(&error, "open the file").in_file(&path);
        let mut options = OpenOptions::new();
        options.read(true);
        // A pipe without a writer would block here otherwise.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let file = options.open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            #[cfg(unix)]
            let error = std::io::Error::from_raw_os_error(libc::EISDIR);
            #[cfg(not(unix))]
            let error = std::io::Error::other("is a directory");
            return Err(Error::os(&error, "read").in_file(&path));
        }
        if !metadata.is_file() {
            let text = "this is no regular file but a device, pipe or socket";
            return Err(Error::new(ErrorKind::Io, text).in_file(&path));
        }
        Ok(Found {
            identity: Identity::of(&metadata),
            file: Arc::new(file),
            path,
        })
    }

    /// As [`Found::open`]; `None` if there is no such file, nor can be under
    /// a name of this length.
    pub(crate) fn open_if_there(path: &Path) -> Result<Option<Found>> {
        match Found::open(path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            #[cfg(unix)]
            Err(error) if error.os_error() == libc::ENAMETOOLONG => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Size, and time of the last change in nanoseconds since 1970.
    pub(crate) fn stamp(&self) -> (u64, u128) {
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let time = self.identity.modified.and_then(since);
        (self.identity.size, time.map_or(0, |time| time.as_nanos()))
    }
}

/// To touch a page of a map for the first time costs several read calls: a map is
/// for those that come again, or for so many that pages serve several of them.
const MANY: u64 = 4 << 10;

/// An open file and the map of it, made when first wanted.
#[derive(Debug)]
struct Open {
    path: Arc<Path>,
    file: Arc<File>,
    mapping: Mapping,
    map: OnceLock<Option<Arc<Map>>>,
    /// Whether a read would have used the map.
    wanted: AtomicBool,
}

/// The bytes of a file, kept open or opened for each read.
#[derive(Debug)]
pub(crate) struct FileBytes {
    path: Arc<Path>,
    identity: Identity,
    keep_open: bool,
    /// Whether views are maps.
    mapped: bool,
    /// Whether reads use a map.
    mapping: Mapping,
    /// The lock is held to look, never to read: reads share the file.
    open: Mutex<Slot>,
    /// The map that is handed out, while anyone has it: there are not as many
    /// maps as a program may want views.
    lent: Mutex<Weak<Map>>,
}

/// The open file, as long as it is kept or in use.
#[derive(Debug)]
struct Slot {
    kept: Option<Arc<Open>>,
    used: Weak<Open>,
}

impl Open {
    fn new(path: Arc<Path>, file: Arc<File>, mapping: Mapping) -> Open {
        Open {
            path,
            file,
            mapping,
            map: OnceLock::new(),
            wanted: AtomicBool::new(false),
        }
    }
}

impl FileBytes {
    /// The bytes of a file that was just opened. It stays open until
    /// [`ReadAt::trim`], and after that between reads if `keep_open`.
    pub(crate) fn new(found: &Found, keep_open: bool, mapping: Mapping) -> Result<FileBytes> {
        let path: Arc<Path> = found.path.as_path().into();
        // Without an open file a map would outlive what the path names.
        let used = if keep_open { mapping } else { Mapping::Never };
        let open = Arc::new(Open::new(path.clone(), found.file.clone(), used));
        if mapping == Mapping::Required && found.identity.size > 0 {
            let map = Map::scattered(&open.file).map_err(|error| {
                Error::os(&error, "map the file")
                    .of_kind(ErrorKind::Unsupported)
                    .in_file(&path)
            })?;
            let _ = open.map.set(Some(Arc::new(map)));
        }
        Ok(FileBytes {
            path,
            identity: found.identity,
            keep_open,
            mapped: mapping != Mapping::Never,
            mapping: used,
            open: Mutex::new(Slot {
                used: Arc::downgrade(&open),
                kept: Some(open),
            }),
            lent: Mutex::default(),
        })
    }

    /// The open file, or the file opened again if it is still the same.
    fn open(&self) -> Result<Arc<Open>> {
        let mut slot = self.slot();
        if let Some(open) = slot.kept.clone().or_else(|| slot.used.upgrade()) {
            return Ok(open);
        }
        let found = Found::open(&self.path)?;
        if found.identity != self.identity {
            return Err(self.changed(found.identity.size));
        }
        let open = Arc::new(Open::new(self.path.clone(), found.file, self.mapping));
        slot.used = Arc::downgrade(&open);
        if self.keep_open {
            slot.kept = Some(open.clone());
        }
        Ok(open)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open file to be mapped, if that is allowed. It must have the size
    /// that it had: touching a map beyond its end would end the process.
    fn to_map(&self) -> Result<Option<Arc<Open>>> {
        if !self.mapped || self.identity.size == 0 {
            return Ok(None);
        }
        let open = self.open()?;
        match open.size()? {
            Some(size) if size != self.identity.size => Err(self.changed(size)),
            _ => Ok(Some(open)),
        }
    }

    fn changed(&self, size: u64) -> Error {
        let text = match (self.identity.size, size) {
            (old, new) if old != new => format!("it had {old} bytes and has {new}"),
            (size, _) => format!("it has {size} bytes as before, but was written to"),
        };
        let text = format!("the file changed since it was opened: {text}");
        Error::new(ErrorKind::Changed, text).in_file(&self.path)
    }
}

impl ReadAt for FileBytes {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        self.open()?.read_at(offset, buffer)
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(Some(self.identity.size))
    }

    fn view(&self, reads: u64) -> Result<Option<View>> {
        self.open()?.view(reads)
    }

    fn lend(&self) -> Result<Option<View>> {
        let Some(open) = self.to_map()? else {
            return Ok(None);
        };
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = lent.upgrade() {
            return Ok(Some(View::of_map(map)));
        }
        // A file that cannot be mapped can still be read.
        let Ok(map) = Map::new(&open.file) else {
            return Ok(None);
        };
        let map = Arc::new(map);
        *lent = Arc::downgrade(&map);
        Ok(Some(View::of_map(map)))
    }

    fn lend_own(&self, range: Range<u64>) -> Result<Option<OwnBytes>> {
        let open = self.to_map()?;
        let map = open.and_then(|open| OwnMap::new(&open.file, range).ok());
        Ok(map.map(|map| Box::new(map) as OwnBytes))
    }

    fn is_near(&self) -> bool {
        true
    }

    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        Ok(Some(self.open()?))
    }

    fn trim(&self) {
        self.slot().kept = None;
    }
}

impl ReadAt for Open {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let mut at = offset;
        while buffer.room() > 0 {
            let n = match read_some(&self.file, at, buffer.unfilled()) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::os(&error, "read").in_file(&self.path).at(at)),
            };
            // SAFETY: the system wrote `n` bytes there.
            unsafe { buffer.advance(n) };
            at += n as u64;
        }
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        let metadata = self.file.metadata();
        let metadata = metadata.map_err(|error| Error::os(&error, "read").in_file(&self.path))?;
        Ok(Some(metadata.len()))
    }

    fn view(&self, reads: u64) -> Result<Option<View>> {
        if self.mapping == Mapping::Never {
            return Ok(None);
        }
        let first = !self.wanted.swap(true, Relaxed) && self.map.get().is_none();
        if first && reads < MANY {
            return Ok(None);
        }
        let map = self
            .map
            .get_or_init(|| Map::scattered(&self.file).ok().map(Arc::new));
        let Some(map) = map else {
            return Ok(None);
        };
        // Touching a map beyond the file's end would end the process.
        let size = self.file.metadata().map(|metadata| metadata.len());
        Ok(match size {
            Ok(size) if size == map.len() as u64 => Some(View::of_map(map.clone())),
            _ => None,
        })
    }
}

#[cfg(unix)]
fn read_some(
    file: &File,
    offset: u64,
    to: &mut [std::mem::MaybeUninit<u8>],
) -> std::io::Result<usize> {
    use std::os::fd::AsRawFd;
    let Ok(at) = libc::off_t::try_from(offset) else {
        return Ok(0);
    };
    // SAFETY: the file is open, and `to` has room for the bytes asked for.
    let n = unsafe { libc::pread(file.as_raw_fd(), to.as_mut_ptr().cast(), to.len(), at) };
    usize::try_from(n).map_err(|_| std::io::Error::last_os_error())
}

#[cfg(windows)]
fn read_some(
    file: &File,
    offset: u64,
    to: &mut [std::mem::MaybeUninit<u8>],
) -> std::io::Result<usize> {
    use std::os::windows::fs::FileExt;
    to.fill(std::mem::MaybeUninit::new(0));
    // SAFETY: all of `to` was just written.
    let to = unsafe { std::slice::from_raw_parts_mut(to.as_mut_ptr().cast(), to.len()) };
    file.seek_read(to, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path =
                std::env::temp_dir().join(format!("arrayproxy-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn open(path: &Path, keep_open: bool, mapping: Mapping) -> FileBytes {
        FileBytes::new(&Found::open(path).unwrap(), keep_open, mapping).unwrap()
    }

    #[test]
    fn reads_end_with_the_file() {
        let folder = Folder::new("ends");
        let path = folder.0.join("a");
        std::fs::write(&path, b"0123456789").unwrap();
        for keep_open in [false, true] {
            let bytes = open(&path, keep_open, Mapping::Possible);
            assert_eq!(bytes.read_vec(2, 3).unwrap(), b"234");
            assert_eq!(bytes.read_vec(8, 3).unwrap(), b"89");
            assert_eq!(bytes.read_vec(u64::MAX, 3).unwrap(), b"");
            assert_eq!(bytes.size().unwrap(), Some(10));
            assert!(bytes.view(1).unwrap().is_none(), "it may be the only one");
            let view = bytes.view(1).unwrap();
            assert_eq!(view.is_some(), keep_open);
            assert!(view.is_none_or(|view| &view[..] == b"0123456789"));
        }
        let never = open(&path, true, Mapping::Never);
        assert!(
            [never.view(1), never.view(MANY)]
                .iter()
                .all(|view| matches!(view, Ok(None)))
        );
    }

    #[test]
    fn a_cut_file_is_not_viewed() {
        let folder = Folder::new("cut");
        let path = folder.0.join("a");
        std::fs::write(&path, [7; 9000]).unwrap();
        let bytes = open(&path, true, Mapping::Required);
        assert!(bytes.view(1).unwrap().is_some());
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(100)
            .unwrap();
        assert!(bytes.view(1).unwrap().is_none());
        assert_eq!(bytes.read_vec(0, 9000).unwrap().len(), 100);
    }

    #[test]
    fn changes_show_when_the_file_is_opened_again() {
        let folder = Folder::new("changes");
        let path = folder.0.join("a");
        std::fs::write(&path, [1; 10]).unwrap();
        let kept = open(&path, true, Mapping::Never);
        let closed = open(&path, false, Mapping::Never);
        closed.trim();
        let trimmed = open(&path, true, Mapping::Never);
        trimmed.trim();
        assert_eq!(trimmed.read_vec(0, 1).unwrap(), [1]);
        let pinned = closed.pin().unwrap().expect("it is kept open for a while");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(pinned.read_vec(0, 10).unwrap(), [1; 10]);
        assert_eq!(closed.read_vec(0, 10).unwrap(), [1; 10], "both use one");
        drop(pinned);
        assert_eq!(trimmed.read_vec(0, 10).unwrap(), [1; 10]);
        assert_eq!(
            kept.read_vec(0, 10).unwrap(),
            [1; 10],
            "the old file goes on"
        );
        assert_eq!(
            closed.read_vec(0, 10).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        std::fs::write(&path, [1; 11]).unwrap();
        kept.trim();
        for bytes in [kept, closed] {
            let error = bytes.read_vec(0, 10).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Changed);
            assert_eq!(error.path(), Some(path.as_path()));
        }
    }

    #[test]
    #[cfg(unix)]
    fn only_regular_files() {
        let error = Found::open(&std::env::temp_dir()).unwrap_err();
        assert_eq!(
            (error.kind(), error.os_error()),
            (ErrorKind::Io, libc::EISDIR)
        );
        assert_eq!(
            Found::open(Path::new("/dev/null")).unwrap_err().kind(),
            ErrorKind::Io
        );
    }
}
