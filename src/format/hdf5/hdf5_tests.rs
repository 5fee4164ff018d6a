//! Files that HDF5's library wrote, whole and changed. Each has a group "g" with
//! a dataset "data", whose elements are -7, -4, -1, ... as far as they were written,
//! and else -1; other links and attributes stand beside.

use std::io::Read;
use std::time::{Duration, Instant};

use super::*;
use crate::core::dtype::{ByteOrder, DType};
use crate::format::record::Value;
use crate::random::Random;

macro_rules! seeds {
    ($($name:literal),* $(,)?) => {
        [$(($name, &include_bytes!(concat!("../../../fuzz/seeds/hdf5/", $name, ".h5"))[..])),*]
    };
}

fn seeds() -> [(&'static str, &'static [u8]); 16] {
    seeds![
        "contiguous",
        "big_endian",
        "compact",
        "tree",
        "crowded",
        "old_crowd",
        "single",
        "implicit",
        "fixed",
        "fixed_pages",
        "extensible",
        "extensible_wide",
        "tree2",
        "tree2_filtered",
        "never",
        "number",
    ]
}

/// A file whose zlib streams another decoder reads.
struct Whole<'a> {
    bytes: &'a [u8],
    packed: bool,
}

impl Bytes for Whole<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        self.bytes.bytes_at(offset, len)
    }

    fn most(&self) -> Option<u64> {
        self.bytes.most()
    }

    fn is_packed(&self) -> bool {
        self.packed
    }

    fn inflated(&self, stream: &[u8], most: usize) -> Result<Vec<u8>> {
        let mut decoded = Vec::new();
        let decoder = flate2::read::ZlibDecoder::new(stream);
        let done = decoder.take(most as u64).read_to_end(&mut decoded);
        match done {
            Ok(_) => Ok(decoded),
            Err(error) => Err(Error::new(ErrorKind::Codec, error.to_string()).at(0)),
        }
    }
}

fn whole(bytes: &[u8]) -> Whole<'_> {
    Whole {
        bytes,
        packed: false,
    }
}

/// What was written.
fn wanted(name: &str, shape: &[i64]) -> Vec<f64> {
    let count: i64 = shape.iter().product();
    let is_written = |i: i64| match name {
        "fixed_pages" => (1030..1090).contains(&i),
        "extensible_wide" => i / 9 >= 2 && i % 9 >= 4,
        "never" => false,
        _ => true,
    };
    let value = |i: i64| if is_written(i) { i * 3 - 7 } else { -1 };
    (0..count).map(|i| value(i) as f64).collect()
}

#[test]
fn files_of_all_kinds() {
    for (name, bytes) in seeds() {
        let bytes = whole(bytes);
        let file = File::open(&bytes).unwrap();
        let object = file.object(&["g", "data"]).unwrap().unwrap();
        let dataset = file.dataset(&object).unwrap();
        let order = match name {
            "big_endian" => ByteOrder::Big,
            _ => ByteOrder::Little,
        };
        assert_eq!((dataset.dtype, dataset.byte_order), (DType::Int16, order));
        let shape: &[i64] = match name {
            "contiguous" | "big_endian" | "compact" => &[3, 4],
            "tree" | "implicit" | "fixed" => &[7, 5],
            "crowded" | "old_crowd" => &[4],
            "single" | "never" => &[4, 3],
            "fixed_pages" => &[1100],
            "extensible" => &[300],
            "extensible_wide" => &[5, 9],
            "tree2" | "tree2_filtered" => &[9, 7],
            _ => &[],
        };
        assert_eq!(dataset.shape, shape, "{name}");
        assert_eq!(
            file.numbers(&dataset).unwrap(),
            wanted(name, shape),
            "{name}"
        );
        let mut links = file
            .children(&file.object(&["g"]).unwrap().unwrap())
            .unwrap();
        links.sort();
        assert_eq!(links[0].0, "data");
        assert_eq!(
            links.len(),
            if name.ends_with("crowd") || name == "crowded" {
                12
            } else {
                1
            }
        );
        assert!(file.object(&["g", "dat"]).unwrap().is_none());
        assert!(file.object(&["data"]).unwrap().is_none());
    }
}

#[test]
fn attributes_of_all_kinds() {
    for (name, bytes) in seeds() {
        let bytes = whole(bytes);
        let file = File::open(&bytes).unwrap();
        let object = file.object(&["g", "data"]).unwrap().unwrap();
        let attributes = file.attributes(&object).unwrap();
        let value = |name: &str| {
            let found = attributes.iter().find(|attribute| attribute.name == name);
            found.map(|found| found.value.clone().unwrap())
        };
        let numbers = attributes
            .iter()
            .filter(|one| one.name.starts_with("number"));
        let count = match name {
            "crowded" | "old_crowd" => 12,
            "fixed_pages" | "extensible" => 0,
            "tree" => 1,
            _ => 2,
        };
        assert_eq!(numbers.count(), count, "{name}");
        for i in 0..count {
            let wanted = Value::Doubles(vec![i as f64 + 0.5]);
            assert_eq!(value(&format!("number {i}")), Some(wanted));
        }
        assert_eq!(value("text"), Some(Value::Text("a text".into())), "{name}");
        assert_eq!(value("texts"), Some(Value::Text("a,bc,".into())), "{name}");
        assert_eq!(attributes.len(), count + 2);
    }
}

#[test]
fn chunks_are_listed_with_their_filters() {
    for (name, bytes) in seeds() {
        let bytes = whole(bytes);
        let file = File::open(&bytes).unwrap();
        let object = file.object(&["g", "data"]).unwrap().unwrap();
        let Place::Chunked { chunk, chunks } = file.dataset(&object).unwrap().place else {
            continue;
        };
        let numbers: Vec<u64> = chunks.iter().map(|chunk| chunk.number).collect();
        let all = |n: u64| (0..n).collect::<Vec<u64>>();
        let (shape, wanted) = match name {
            "tree" | "implicit" | "fixed" => (vec![2, 3], all(8)),
            "single" => (vec![4, 3], all(1)),
            "fixed_pages" => (vec![1], (1030..1090).collect()),
            "extensible" => (vec![2], all(150)),
            "extensible_wide" => (vec![2, 4], vec![4, 5, 7, 8]),
            "tree2" | "tree2_filtered" => (vec![2, 2], all(20)),
            _ => panic!("{name}"),
        };
        assert_eq!((chunk, numbers), (shape, wanted), "{name}");
        let found = chunks[0].filters;
        let filters = (found.shuffle, found.deflate, found.fletcher);
        let wanted = match name {
            "tree" => (true, true, true),
            "fixed" | "tree2_filtered" => (true, true, false),
            "single" => (false, true, false),
            _ => (false, false, false),
        };
        assert_eq!(filters, wanted, "{name}");
    }
}

/// Read all that there is, three groups deep; what is wrong ends that part.
fn walk(bytes: &[u8], packed: bool) {
    let bytes = Whole { bytes, packed };
    let Ok(file) = File::open(&bytes) else {
        return;
    };
    let Ok(Some(root)) = file.object(&[]) else {
        return;
    };
    let mut objects = vec![(root, 0)];
    while let Some((object, depth)) = objects.pop() {
        let _ = file.attributes(&object);
        if let Ok(dataset) = file.dataset(&object) {
            let _ = file.numbers(&dataset);
        }
        for (_, at) in file
            .children(&object)
            .unwrap_or_default()
            .into_iter()
            .take(9)
        {
            if let (true, Ok(child)) = (depth < 3, file.object_at(at)) {
                objects.push((child, depth + 1));
            }
        }
    }
}

#[test]
fn changed_files_end_in_time() {
    let mut random = Random(8);
    let mut longest = Duration::ZERO;
    let mut timed = |bytes: &[u8], packed| {
        let begin = Instant::now();
        walk(bytes, packed);
        longest = longest.max(begin.elapsed());
    };
    for (_, seed) in (0..3).flat_map(|_| seeds()) {
        let mut bytes = seed.to_vec();
        for at in 0..bytes.len() {
            let before = bytes[at];
            bytes[at] = match random.below(4) {
                0 => before ^ 1 << random.below(8),
                1 => 0xFF,
                2 => before.wrapping_add(1),
                _ => random.below(256) as u8,
            };
            timed(&bytes, at % 2 == 0);
            bytes[at] = before;
        }
        for at in (0..bytes.len().saturating_sub(8)).step_by(4) {
            let before: [u8; 8] = bytes[at..at + 8].try_into().unwrap();
            let width = random.pick(&[2, 4, 8]);
            let value = match random.below(4) {
                0 => u64::MAX,
                1 => random.below(seed.len()) as u64,
                2 => i64::MAX as u64 - random.below(9) as u64,
                _ => 1 << random.below(64),
            };
            bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            timed(&bytes, false);
            bytes[at..at + 8].copy_from_slice(&before);
        }
        for len in (0..bytes.len()).step_by(13) {
            timed(&bytes[..len], false);
        }
    }
    // Some thousand times what the whole ones take.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
}

#[test]
fn what_is_no_such_file() {
    let error = |bytes: &[u8]| File::open(&whole(bytes)).err().unwrap().kind();
    assert_eq!(error(b""), ErrorKind::Header);
    assert_eq!(error(&[0; 2000]), ErrorKind::Header);
    assert_eq!(error(HDF5), ErrorKind::Header);
    let (_, seed) = seeds()[0];
    let mut other = seed.to_vec();
    other[8] = 4;
    assert_eq!(error(&other), ErrorKind::Unsupported);
    other[8] = 0;
    other[13] = 3;
    assert_eq!(error(&other), ErrorKind::Unsupported);
}
