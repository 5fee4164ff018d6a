//! Any bytes as the .mat file beside a pair of SPM.

#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use arrayproxy::{ArrayProxy, ErrorKind, Format, Options, Which};
use libfuzzer_sys::fuzz_target;

/// Folder of the pair, one for each process, which stays when that ends.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Two by two voxels of one byte.
fn make_pair() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("arrayproxy-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut header = vec![0; 348];
    for (at, field) in [(0, 348i16), (40, 2), (42, 2), (44, 2), (70, 2), (72, 8)] {
        header[at..at + 2].copy_from_slice(&field.to_le_bytes());
    }
    for at in [80, 84, 88] {
        header[at..at + 4].copy_from_slice(&1f32.to_le_bytes());
    }
    std::fs::write(folder.join("a.hdr"), header).unwrap();
    std::fs::write(folder.join("a.img"), [1; 4]).unwrap();
    folder
}

fuzz_target!(|data: &[u8]| {
    let folder = FOLDER.get_or_init(make_pair);
    let mat = folder.join("a.mat");
    let _ = std::fs::remove_file(&mat);
    std::fs::write(&mat, data).unwrap();
    for format in [Format::Spm99, Format::Spm2] {
        let open = |strict| {
            let options = Options::new().format(Some(format)).strict(strict);
            ArrayProxy::open_with(folder.join("a.hdr"), &options)
        };
        let proxy = open(false).expect("the file beside a pair does not matter");
        assert_eq!(proxy.read_vec::<u8>(&[]).unwrap(), [1; 4]);
        let best = proxy.affine(Which::Best);
        assert!(proxy.affine(Which::Base).is_ok());
        assert_eq!(best.is_ok(), open(true).is_ok());
        if let Err(error) = best {
            assert_ne!(error.kind(), ErrorKind::Internal);
            assert_eq!(error.path(), Some(mat.as_path()));
        }
    }
});
