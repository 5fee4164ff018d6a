//! What opening finds, what it costs, and what it says when it cannot.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arrayproxy::{
    ArrayProxy, ByteOrder, Codec, DType, Error, ErrorKind, FactorType, Format, Mapping, Options,
    Order, ReadAt, ReadBuf, Source,
};
use common::{Folder, gzip, nifti1, nifti2};

fn int16(n: i16) -> Vec<u8> {
    (0..n).flat_map(i16::to_le_bytes).collect()
}

fn layout(source: &Source, factors: (f64, f64), options: &Options) -> Result<ArrayProxy, Error> {
    let dtype = (DType::Int16, ByteOrder::Little);
    ArrayProxy::open_layout(source, dtype, (&[100], Order::F), 0, factors, options)
}

/// Memory whose read number `failing` fails.
struct Failing {
    bytes: Vec<u8>,
    reads: AtomicUsize,
    failing: usize,
}

impl ReadAt for Failing {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<(), Error> {
        if self.reads.fetch_add(1, Relaxed) == self.failing {
            return Err(Error::new(ErrorKind::Io, "the line is cut"));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        buffer.push(self.bytes.get(start..).unwrap_or_default());
        Ok(())
    }
    fn size(&self) -> Result<Option<u64>, Error> {
        Ok(Some(self.bytes.len() as u64))
    }
}

/// A source that fails while it is looked at is no source of other data.
#[test]
fn failing_reads_are_told_not_taken_for_content() {
    let mut opened = 0;
    let single = [&nifti1(&[10, 10], 4, 16, (1.0, 0.0), true)[..], &int16(100)].concat();
    for failing in 0..8 {
        let source = |bytes: &[u8]| {
            Source::reader(Failing {
                bytes: gzip(bytes),
                reads: AtomicUsize::new(0),
                failing,
            })
        };
        let header = source(&single);
        let told = match ArrayProxy::open_source(&header, None, &Options::new()) {
            Ok(proxy) => proxy.read_vec::<i16>(&[]).err(),
            Err(error) => Some(error),
        };
        assert!(told.is_none_or(|error| error.kind() == ErrorKind::Io));
        let source = source(&int16(100));
        match layout(&source, (1.0, 0.0), &Options::new()) {
            Ok(proxy) => {
                assert_eq!(proxy.codec(), Codec::Gzip);
                opened += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Io),
        }
    }
    assert!((1..8).contains(&opened), "{opened}");
}

#[test]
fn layouts_are_compressed_only_if_they_surely_are() {
    let open =
        |bytes: Vec<u8>, options: &Options| layout(&Source::memory(bytes), (1.0, 0.0), options);
    let packed = gzip(&int16(100));
    let read = |proxy: ArrayProxy| proxy.read_vec::<i16>(&[1.into()]).unwrap()[0];
    assert_eq!(read(open(packed.clone(), &Options::new()).unwrap()), 1);
    // A gzip header in front of what is no deflate stream.
    let like = [&packed[..10], &[0xFF; 300]].concat();
    let proxy = open(like.clone(), &Options::new()).unwrap();
    assert_eq!((proxy.codec(), read(proxy)), (Codec::None, 8));
    let forced = open(like, &Options::new().codec(Some(Codec::Gzip))).unwrap();
    assert_eq!(
        forced.read_vec::<i16>(&[]).unwrap_err().kind(),
        ErrorKind::Codec
    );
    let raw = open(packed, &Options::new().codec(Some(Codec::None))).unwrap();
    assert_eq!(read(raw), 8);
    let zstd = [&[0x28, 0xB5, 0x2F, 0xFD][..], &[0; 300]].concat();
    assert!(open(zstd.clone(), &Options::new()).unwrap().warnings()[0].contains("zstd"));
    let error = ArrayProxy::open_source(&Source::memory(zstd), None, &Options::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format, "decoded it is empty");
}

#[test]
fn factors_must_stay_finite_in_their_type() {
    let source = Source::memory(int16(100));
    let single = Options::new().factor_type(FactorType::Float32);
    for (slope, inter) in [(1e300, 0.0), (1.0, -1e39), (1e-60, 0.0), (f64::NAN, 0.0)] {
        let error = layout(&source, (slope, inter), &single).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{slope} {inter}");
    }
    assert_eq!(
        layout(&source, (0.0, 3.0), &single)
            .unwrap()
            .read_vec::<f32>(&[5.into()])
            .unwrap(),
        [3.0]
    );
    assert!(layout(&source, (1e-60, 0.0), &Options::new()).is_ok());
    assert!(layout(&source, (1.0, f64::INFINITY), &Options::new()).is_err());
}

/// The header of a pair without its image is not decoded in search of data.
#[test]
fn a_missing_image_is_not_sought_in_the_header() {
    let folder = Folder::new("missing");
    let mut head = nifti1(&[4, 4], 4, 16, (1.0, 0.0), false);
    head[108..112].copy_from_slice(&2e9f32.to_le_bytes());
    head.resize(64 << 20, 0);
    let packed = gzip(&head);
    let path = folder.write("x.hdr.gz", &packed);
    let error = ArrayProxy::open(&path).unwrap_err();
    assert_eq!(
        (error.kind(), error.path()),
        (ErrorKind::NotFound, Some(path.as_path()))
    );
    assert!(error.to_string().contains("x.img.gz"), "{error}");
    let error =
        ArrayProxy::open_source(&Source::memory(packed), None, &Options::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn pairs_by_any_name() {
    let folder = Folder::new("names");
    let head = nifti1(&[10, 10], 4, 16, (1.0, 0.0), false);
    let image = int16(100);
    for (head_name, image_name, other) in [
        ("a.hdr", "a.img", "a.img"),
        ("B.HDR", "B.IMG", "B.IMG"),
        ("c.hdr.gz", "c.img.gz", "c.img.gz"),
        ("d.hdr", "d.img.gz", "d.hdr"),
        ("e", "e.img", "e"),
    ] {
        let bytes = |name: &str, bytes: &[u8]| {
            if name.ends_with("gz") {
                gzip(bytes)
            } else {
                bytes.to_vec()
            }
        };
        folder.write(head_name, &bytes(head_name, &head));
        folder.write(image_name, &bytes(image_name, &image));
        for name in [head_name, other] {
            let proxy = ArrayProxy::open(folder.path(name))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(proxy.format(), Format::Nifti1Pair);
            assert_eq!(
                proxy.read_vec::<i16>(&[]).unwrap(),
                (0..100).collect::<Vec<i16>>(),
                "{name}"
            );
        }
    }
    // Without a header, an image may be a single file by content.
    let single = [&nifti1(&[10, 10], 4, 16, (1.0, 0.0), true)[..], &image].concat();
    let proxy = ArrayProxy::open(folder.write("f.img", &single)).unwrap();
    assert_eq!(proxy.format(), Format::Nifti1);
    for content in [&image[..], &[0; 400], &[28, 2, 0, 0].repeat(200)] {
        let error = ArrayProxy::open(folder.write("g.img", content)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains("g.hdr"), "{error}");
    }
    let long = format!("{}.hdr", "a".repeat(251));
    assert_eq!(
        ArrayProxy::open(folder.write(&long, &head))
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        ArrayProxy::open("").unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

/// Damage that was seen is what is wrong, not what it makes of the content.
#[test]
fn damage_is_told_not_what_it_looks_like() {
    let single = [&nifti1(&[10], 4, 16, (1.0, 0.0), true)[..], &int16(10)].concat();
    // 348 bytes of the header as they are, in a stored block.
    let mut packed = flate2_stored(&single);
    let magic = packed.windows(3).position(|three| three == b"n+1").unwrap();
    packed[magic] ^= 1;
    let folder = Folder::new("damage");
    for name in ["a.nii.gz", "a.hdr.gz"] {
        let path = folder.write(name, &packed);
        let error = ArrayProxy::open(&path).unwrap_err();
        assert_eq!(
            (error.kind(), error.path()),
            (ErrorKind::Codec, Some(&*path))
        );
        assert!(error.to_string().contains("checksum"), "{error}");
    }
    // Cut before anything can be decoded.
    for (name, bytes) in [
        ("a.nii.bz2", common::bzip2(&single, 9)),
        ("a.nii.zst", common::zstd(&single, 3, true)),
    ] {
        let path = folder.write(name, &bytes[..bytes.len() / 2]);
        let error = ArrayProxy::open(path).unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");
    }
}

fn flate2_stored(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn headers_of_analyze_are_halves_of_pairs() {
    let folder = Folder::new("halves");
    let head = common::analyze(ByteOrder::Little, &[3, 4], (4, 16), 0.0);
    let kind = |name: &str, format: Option<Format>| {
        let options = Options::new().format(format);
        let opened = ArrayProxy::open_with(folder.path(name), &options);
        opened
            .map(|proxy| proxy.format())
            .map_err(|error| error.kind())
    };
    // Its own bytes are not its voxels.
    folder.write("a.img", &head);
    for format in [None, Some(Format::Spm2), Some(Format::Nifti1Pair)] {
        assert_eq!(kind("a.img", format), Err(ErrorKind::NotFound));
    }
    // Under a single file's name it is a header all the same.
    folder.write("b.nii", &head);
    assert_eq!(kind("b.nii", None), Err(ErrorKind::NotFound));
    folder.write("b.img", &[0; 24]);
    let proxy = ArrayProxy::open(folder.path("b.nii")).unwrap();
    let says = |warning: &String| warning.contains("in another file");
    assert!(proxy.warnings().iter().any(says), "{:?}", proxy.warnings());
    assert_eq!(kind("b.nii", Some(Format::Analyze)), Ok(Format::Analyze));
    folder.write("b", &head);
    assert_eq!(kind("b", None), Ok(Format::Spm2));
}

/// What options say of data holds for a single file under the name of a pair.
#[test]
fn options_hold_for_single_files_of_any_name() {
    let folder = Folder::new("options");
    let data = [1; 24];
    let mgh = [&common::mgh([2, 3, 4, 1], 0)[..], &data].concat();
    let nifti = [&nifti1(&[2, 3, 4], 2, 8, (1.0, 0.0), true)[..], &data].concat();
    for (name, bytes, format) in [
        ("a.hdr", &mgh, None),
        ("b.img", &nifti, None),
        ("c.hdr", &nifti, None),
        ("d.hdr", &nifti, Some(Format::Nifti1)),
        ("e.img", &mgh, Some(Format::Mgh)),
    ] {
        let plain = folder.write(name, bytes);
        let packed = folder.write(&format!("{name}.gz"), &gzip(bytes));
        let mapped = Options::new().format(format).mapping(Mapping::Required);
        let read = |proxy: ArrayProxy| proxy.read_vec::<u8>(&[]).unwrap();
        assert_eq!(read(ArrayProxy::open_with(&plain, &mapped).unwrap()), data);
        let error = ArrayProxy::open_with(&packed, &mapped).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
        let options = Options::new().format(format);
        assert_eq!(
            read(ArrayProxy::open_with(&packed, &options).unwrap()),
            data
        );
        let raw = options.codec(Some(Codec::None));
        assert!(ArrayProxy::open_with(&packed, &raw).is_err(), "{name}");
    }
}

/// Voxels may happen to look like the header of a compressed stream.
#[test]
fn an_image_that_begins_like_a_stream_is_read_as_it_is() {
    let mut image = int16(100);
    image[..10].copy_from_slice(&gzip(b"")[..10]);
    let head = Source::memory(nifti1(&[10, 10], 4, 16, (1.0, 0.0), false));
    let open = |image: &[u8]| {
        let image = Source::memory(image.to_vec());
        ArrayProxy::open_source(&head, Some(&image), &Options::new())
    };
    let proxy = open(&image).unwrap();
    assert_eq!(proxy.codec(), Codec::None);
    assert_eq!(proxy.read_vec::<i16>(&[]).unwrap()[98..], [98, 99]);
    assert_eq!(
        open(&gzip(&image)).unwrap().read_vec::<i16>(&[]).unwrap()[99],
        99
    );
    let like_zstd = open(&[&[0x28, 0xB5, 0x2F, 0xFD][..], &image].concat()).unwrap();
    assert_eq!(like_zstd.codec(), Codec::None);
    assert!(like_zstd.warnings()[0].contains("begin like zstd"));
    assert!(
        proxy.warnings()[0].contains("begin like gzip"),
        "{:?}",
        proxy.warnings()
    );
    let strict = Options::new().strict(true);
    let strict = ArrayProxy::open_source(&head, Some(&Source::memory(image)), &strict);
    assert_eq!(strict.unwrap_err().kind(), ErrorKind::Codec);
}

/// A damaged image is not taken for a plain one.
#[test]
fn a_damaged_image_is_an_error() {
    let folder = Folder::new("damaged");
    let mut random = common::Random(3);
    let noise: Vec<u8> = (0..2000).map(|_| random.next() as u8).collect();
    let (flat, head) = (vec![7; 2000], nifti1(&[10, 100], 4, 16, (1.0, 0.0), false));
    for (image, name) in [(&noise, "a.img.gz"), (&flat, "b.img")] {
        folder.write("a.hdr.gz", &gzip(&head));
        folder.write("b.hdr", &head);
        let whole = gzip(image);
        let (mut wrong, mut refused) = (0, 0);
        for at in 10..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            let proxy = ArrayProxy::open(folder.write(name, &damaged)).unwrap();
            assert_eq!(proxy.codec(), Codec::Gzip, "{name}, byte {at}");
            match proxy.read_vec::<i16>(&[]) {
                Ok(found) => {
                    let plain = image
                        .chunks_exact(2)
                        .map(|x| i16::from_le_bytes([x[0], x[1]]));
                    wrong += usize::from(!plain.eq(found));
                }
                Err(error) => {
                    assert!(matches!(
                        error.kind(),
                        ErrorKind::Codec | ErrorKind::Truncated
                    ));
                    refused += 1;
                }
            }
        }
        assert!(
            wrong == 0 && refused > 10,
            "{name}: {wrong} wrong, {refused} refused"
        );
    }
    // A wrong checksum alone does not make a layout plain.
    let mut damaged = gzip(&int16(100));
    let end = damaged.len();
    damaged[end - 6] ^= 1;
    let proxy = layout(&Source::memory(damaged), (1.0, 0.0), &Options::new()).unwrap();
    assert_eq!(
        proxy.read_vec::<i16>(&[]).unwrap_err().kind(),
        ErrorKind::Codec
    );
}

#[test]
fn the_codec_asked_for_is_that_of_the_data() {
    let folder = Folder::new("codec");
    folder.write("a.hdr", &nifti1(&[10, 10], 4, 16, (1.0, 0.0), false));
    let path = folder.write("a.img", &gzip(&int16(100)));
    let open = |codec| ArrayProxy::open_with(&path, &Options::new().codec(Some(codec))).unwrap();
    assert_eq!(open(Codec::Gzip).read_vec::<i16>(&[]).unwrap()[9], 9);
    assert_eq!(open(Codec::None).codec(), Codec::None);
}

/// Extensions behind the header of a pair are no voxels.
#[test]
fn a_lone_header_with_extensions_misses_its_image() {
    let mut head = nifti1(&[4, 4, 4], 2, 8, (1.0, 0.0), false);
    head[348] = 1;
    head.extend([96, 0, 0, 0, 6, 0, 0, 0]);
    head.resize(352 + 96, b'x');
    let open = |bytes: &[u8], format| {
        let options = Options::new().format(format);
        ArrayProxy::open_source(&Source::memory(bytes.to_vec()), None, &options)
    };
    assert_eq!(open(&head, None).unwrap_err().kind(), ErrorKind::NotFound);
    // Data that the header itself puts behind it are there.
    head[108..112].copy_from_slice(&352f32.to_le_bytes());
    assert_eq!(open(&head, None).unwrap().format(), Format::Nifti1);
    assert_eq!(
        open(&head, Some(Format::Nifti1Pair)).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn a_format_of_single_files_takes_no_image() {
    let (head, image) = (
        Source::memory(nifti2(&[4], 4, 16, (1.0, 0.0))),
        Source::memory(int16(9)),
    );
    let options = Options::new().format(Some(Format::Nifti2));
    let error = ArrayProxy::open_source(&head, Some(&image), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Option);
    let pair = Options::new().format(Some(Format::Nifti2Pair));
    assert!(ArrayProxy::open_source(&head, Some(&image), &pair).is_ok());
}

#[test]
fn errors_say_what_was_found() {
    let folder = Folder::new("found");
    let text = |name: &str, bytes: &[u8]| {
        ArrayProxy::open(folder.write(name, bytes))
            .unwrap_err()
            .to_string()
    };
    assert!(text("empty.nii", b"").contains("the file is empty"));
    assert!(text("short.nii", &[1; 100]).contains("100 bytes"));
    assert!(text("other.nii", &[0xAB; 400]).contains("ab, ab, ab, ab"));
    let cut = gzip(&nifti1(&[4], 4, 16, (1.0, 0.0), true));
    assert!(text("cut.nii.gz", &cut[..30]).contains("decoded content has"));
    // A header's error names the header, not the image.
    let mut head = nifti1(&[10, 10], 4, 16, (1.0, 0.0), false);
    head[256..260].copy_from_slice(&2f32.to_le_bytes());
    let path = folder.write("q.hdr", &head);
    folder.write("q.img", &int16(100));
    let proxy = ArrayProxy::open(&path).unwrap();
    let error = proxy.affine(arrayproxy::Which::Qform).unwrap_err();
    assert_eq!(
        (error.path(), error.offset()),
        (Some(path.as_path()), Some(256))
    );
    let packed = folder.write(
        "r.nii.gz",
        &gzip(&[&nifti1(&[9], 4, 16, (1.0, 0.0), true)[..], &[0xFF; 18]].concat()),
    );
    let proxy = ArrayProxy::open(packed).unwrap();
    let checked = proxy
        .plan(&[], arrayproxy::ReadAs::dtype(DType::UInt8).checked(true))
        .unwrap();
    assert!(
        checked
            .read_vec::<u8>()
            .unwrap_err()
            .to_string()
            .contains("decoded")
    );
}
