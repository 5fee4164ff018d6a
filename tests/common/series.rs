//! A series that takes several places of an index, and ways to compress it.

use std::path::PathBuf;

use arrayproxy::{ArrayProxy, Options, ReadAs, Slice, Source};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::{Folder, Random, gzip, nifti1};

pub(crate) const SHAPE: [i16; 3] = [256, 256, 96];
pub(crate) const SLICE: usize = 256 * 256;

/// A single NIfTI file of uint8: 6 MiB, of which each slice is another.
pub(crate) fn image() -> Vec<u8> {
    let mut random = Random(7);
    let mut bytes = nifti1(&SHAPE, 2, 8, (1.0, 0.0), true);
    let n = SLICE * SHAPE[2] as usize;
    bytes.extend((0..n).map(|i| (i / SLICE) as u8 ^ (random.below(9) as u8)));
    bytes
}

/// The slices `from..to` of an image.
pub(crate) fn part(image: &[u8], from: i64, to: i64) -> &[u8] {
    &image[352 + from as usize * SLICE..352 + to as usize * SLICE]
}

pub(crate) fn slices(from: i64, to: i64) -> [Slice; 2] {
    [Slice::Ellipsis, Slice::range(Some(from), Some(to), 1)]
}

pub(crate) fn read(proxy: &ArrayProxy, index: &[Slice]) -> arrayproxy::Result<Vec<u8>> {
    proxy.plan(index, ReadAs::disk())?.read_vec()
}

/// Whether a slice is read as it is.
pub(crate) fn is_right(proxy: &ArrayProxy, image: &[u8], t: i64) -> bool {
    read(proxy, &slices(t, t + 1)).unwrap() == part(image, t, t + 1)
}

pub(crate) fn open(bytes: &[u8], options: &Options) -> ArrayProxy {
    ArrayProxy::open_source(&Source::memory(bytes.to_vec()), None, options).unwrap()
}

/// CRC-32 and size, as they stand behind a member.
pub(crate) fn trailer(data: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(data);
    [sum.sum().to_le_bytes(), (data.len() as u32).to_le_bytes()].concat()
}

/// As `pigz -i` makes it: after each piece a flush to the byte, and one behind
/// which nothing refers back.
pub(crate) fn flushed(data: &[u8], piece: usize, level: u32) -> Vec<u8> {
    let mut packed = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3];
    packed.reserve(data.len() + data.len() / 8 + 10_000);
    let mut encoder = Compress::new(Compression::new(level), false);
    for part in data.chunks(piece) {
        encoder
            .compress_vec(part, &mut packed, FlushCompress::Sync)
            .unwrap();
        packed.extend([0, 0, 0, 0xFF, 0xFF]);
        encoder.reset();
    }
    let ended = encoder.compress_vec(&[], &mut packed, FlushCompress::Finish);
    assert_eq!(ended.unwrap(), Status::StreamEnd);
    packed.extend(trailer(data));
    packed
}

/// A member of block-gzip, which tells its size; at most 64 KiB of data.
fn bgzf_member(data: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(data.len() + 1000);
    let mut encoder = Compress::new(Compression::new(6), false);
    encoder
        .compress_vec(data, &mut stream, FlushCompress::Finish)
        .unwrap();
    let size = (18 + stream.len() + 8 - 1) as u16;
    let head = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, b'B', b'C', 2, 0];
    [&head[..], &size.to_le_bytes(), &stream, &trailer(data)].concat()
}

/// The members of a BGZF file, the empty one at its end among them.
pub(crate) fn bgzf(data: &[u8]) -> Vec<Vec<u8>> {
    let parts = data.chunks(65280).chain([&[][..]]);
    parts.map(bgzf_member).collect()
}

/// An index file as other programs write it, without checksums.
pub(crate) struct Foreign {
    pub(crate) bytes: Vec<u8>,
    /// Of each place its decoded byte, and where in the file its window is.
    pub(crate) places: Vec<(u64, Option<usize>)>,
}

impl Foreign {
    /// What one of ours has besides is gone.
    pub(crate) fn from(index: &[u8]) -> Foreign {
        let number = |at: usize| u64::from_le_bytes(index[at..at + 8].try_into().unwrap());
        let n = number(31) as u32 as usize;
        let mut end = 35 + 18 * n;
        let mut places = Vec::new();
        for point in (35..end).step_by(18) {
            let window = (index[point + 17] == 1).then_some(end);
            end += if window.is_some() { 32 << 10 } else { 0 };
            places.push((number(point + 8), window));
        }
        let bytes = index[..end].to_vec();
        Foreign { bytes, places }
    }

    /// Make windows wrong: of the places that `which` tells, all bytes.
    pub(crate) fn harm(mut self, which: impl Fn(usize, u64) -> bool) -> Foreign {
        for (i, &(position, window)) in self.places.iter().enumerate() {
            if let Some(window) = window.filter(|_| which(i, position)) {
                let window = &mut self.bytes[window..][..32 << 10];
                window.iter_mut().for_each(|byte| *byte ^= 0x55);
            }
        }
        self
    }
}

/// The whole index of an image, as a file has it.
pub(crate) fn saved(folder: &Folder, proxy: &ArrayProxy) -> Vec<u8> {
    let index = folder.path("saved");
    proxy.build_index(None).unwrap();
    proxy.save_index(&index).unwrap();
    std::fs::read(&index).unwrap()
}

/// The image compressed as one member, in a folder that goes with the test.
pub(crate) struct Single {
    pub(crate) folder: Folder,
    pub(crate) plain: Vec<u8>,
    pub(crate) packed: Vec<u8>,
    pub(crate) path: PathBuf,
}

impl Single {
    pub(crate) fn new(name: &str) -> Single {
        let (folder, plain) = (Folder::new(name), image());
        let packed = gzip(&plain);
        let path = folder.write("a.nii.gz", &packed);
        Single {
            folder,
            plain,
            packed,
            path,
        }
    }

    pub(crate) fn open(&self, options: &Options) -> ArrayProxy {
        ArrayProxy::open_with(&self.path, options).unwrap()
    }

    /// The index that others make of it, with places so far apart.
    pub(crate) fn foreign(&self, spacing: Option<u64>) -> Foreign {
        let proxy = self.open(&Options::new().index_spacing(spacing));
        let ours = saved(&self.folder, &proxy);
        let foreign = Foreign::from(&ours);
        assert!(foreign.bytes.len() < ours.len());
        foreign
    }
}
