//! Files written as a whole, so that readers see the old one or the new one.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::error::{Error, ErrorKind, Result};

/// Names tried for the new file before it takes its place.
const TRIES: u32 = 100;

/// Put what `content` writes in the place of a file, or where there was none.
pub(crate) fn replace(
    path: &Path,
    content: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>,
) -> Result<()> {
    let failed = |error: std::io::Error| Error::os(&error, "write the file").in_file(path);
    let (file, new) = beside(path)?;
    let written = (|| {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        content(&mut |bytes| file.write_all(bytes).map_err(failed))?;
        file.flush().map_err(failed)?;
        std::fs::rename(&new, path).map_err(failed)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// A new file beside a path.
fn beside(path: &Path) -> Result<(File, PathBuf)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    if path.file_name().is_none() {
        let text = "the path has no file name";
        return Err(Error::new(ErrorKind::Argument, text).in_file(path));
    }
    let mut tries = 0;
    loop {
        let number = NUMBER.fetch_add(1, Relaxed);
        // Short, for the name to come may be as long as names can be.
        let name = format!(".arrayproxy-{}-{number}.new", std::process::id());
        let new = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&new) {
            Ok(file) => return Ok((file, new)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && tries < TRIES => {
                tries += 1;
            }
            Err(error) => return Err(Error::os(&error, "write the file").in_file(path)),
        }
    }
}

/// Bytes of a file; none if it is not there.
pub(crate) fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |there| there.len())
}

/// Make a folder, for this user alone, if it is not there.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    made.map_err(|error| Error::os(&error, "make the folder").in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder =
            std::env::temp_dir().join(format!("arrayproxy-replace-{}", std::process::id()));
        make_folder(&folder).unwrap();
        let path = folder.join("a");
        for content in [&b"one"[..], b"two"] {
            replace(&path, |write| write(content)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        let error = replace(&path, |write| {
            write(b"half")?;
            Err(Error::new(ErrorKind::Io, "no more"))
        });
        assert_eq!(error.unwrap_err().to_string(), "no more");
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let error = replace(&folder.join("none/a"), |write| write(b"x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.path(), Some(folder.join("none/a").as_path()));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
