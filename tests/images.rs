//! Images, parts, views and series by the Rust API; the C programs go further.

use std::path::PathBuf;
use std::sync::Barrier;

use arrayproxy::{
    Array, ArrayProxy, ByteOrder, Control, DType, ErrorKind, Image, Options, Order, ReadAs, Slice,
    Source, ViewAs, Which,
};

/// Files of a test, which go with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("arrayproxy-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A NIfTI-1 file of int16, in a byte order, whose element i is `first + i`.
    fn nifti(
        &self,
        name: &str,
        shape: &[i16],
        order: ByteOrder,
        slope: f32,
        first: i16,
    ) -> PathBuf {
        let mut file = vec![0u8; 352];
        let int = |value: i16| match order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        };
        let real = |value: f32| match order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        };
        let size = [int(348), [0; 2]];
        let size = match order {
            ByteOrder::Little => size.concat(),
            ByteOrder::Big => [size[1], size[0]].concat(),
        };
        file[..4].copy_from_slice(&size);
        let dims = [&[shape.len() as i16][..], shape].concat();
        for (i, dim) in dims.into_iter().enumerate() {
            file[40 + 2 * i..][..2].copy_from_slice(&int(dim));
        }
        file[70..72].copy_from_slice(&int(4));
        file[72..74].copy_from_slice(&int(16));
        for i in 0..8 {
            file[76 + 4 * i..][..4].copy_from_slice(&real(1.0 + i as f32));
        }
        file[76..80].copy_from_slice(&real(1.0));
        file[108..112].copy_from_slice(&real(352.0));
        file[112..116].copy_from_slice(&real(slope));
        file[344..348].copy_from_slice(b"n+1\0");
        let n: i16 = shape.iter().product();
        (first..first + n).for_each(|value| file.extend(int(value)));
        let path = self.0.join(name);
        std::fs::write(&path, file).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_image_reads_once_and_lets_go() {
    let folder = Folder::new("image");
    let path = folder.nifti("a.nii", &[4, 3, 2], ByteOrder::Big, 0.5, 10);
    let image = Image::open(&path).unwrap();
    assert!(image.is_proxy() && !image.in_memory());
    let data = image.data(ReadAs::auto(), None).unwrap();
    assert_eq!(data.elements::<f64>().unwrap()[..3], [5.0, 5.5, 6.0]);
    let address = |read_as| image.data(read_as, None).unwrap().as_ptr();
    assert_eq!(address(ReadAs::dtype(DType::Float64)), data.as_ptr());
    let stored = image.data(ReadAs::disk(), None).unwrap();
    assert_eq!(stored.elements::<i16>().unwrap()[..3], [10, 11, 12]);
    let cast = image.data(ReadAs::dtype(DType::Int16), None).unwrap();
    assert_eq!(cast.elements::<i16>().unwrap()[..3], [5, 5, 6]);
    assert!(image.in_memory());
    image.uncache();
    assert!(!image.in_memory());
    assert_ne!(address(ReadAs::auto()), data.as_ptr());
    image.uncache();
    let fresh = image.data_uncached(ReadAs::auto(), None).unwrap();
    assert!(!image.in_memory() && fresh.as_ptr() != data.as_ptr());
    let control = Control::new();
    control.cancel();
    let error = image.data(ReadAs::auto(), Some(&control)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(!image.in_memory(), "nothing is kept of what failed");
}

#[test]
fn threads_that_ask_at_once_get_the_same() {
    let folder = Folder::new("at-once");
    let path = folder.nifti("a.nii", &[100, 30, 10], ByteOrder::Little, 2.0, 0);
    let image = Image::open(path).unwrap();
    let together = Barrier::new(4);
    let ask = || {
        together.wait();
        image.data(ReadAs::auto(), None).unwrap().as_ptr() as usize
    };
    let found: Vec<usize> = std::thread::scope(|scope| {
        let threads = [0; 4].map(|_| scope.spawn(ask));
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(found, [found[0]; 4]);
}

#[test]
fn an_image_in_memory_gives_its_own_array() {
    let array = Array::zeros(DType::Int32, &[3, 2], Order::C).unwrap();
    let affine = [[2.0, 0.0, 0.0, 1.0]; 4];
    let image = Image::from_array(array.clone(), Some(affine), b"header".to_vec());
    assert!(!image.is_proxy() && image.in_memory());
    let data = image.data(ReadAs::auto(), None).unwrap();
    assert_eq!(data.as_ptr(), array.as_ptr());
    assert_eq!(
        (image.header(), image.shape()),
        (&b"header"[..], &[3, 2][..])
    );
    assert_eq!(image.affine(Which::Best).unwrap(), (0, affine));
    let error = image.affine(Which::Sform).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let copy = image.data(ReadAs::dtype(DType::Float32), None).unwrap();
    assert_eq!(
        (copy.elements::<f32>().unwrap(), copy.strides()),
        (&[0.0; 6][..], &[4, 12][..])
    );
}

#[test]
fn parts_have_the_place_of_their_voxels() {
    let folder = Folder::new("part");
    let path = folder.nifti("a.nii", &[5, 4, 3], ByteOrder::Little, 1.0, 0);
    let whole = ArrayProxy::open(path).unwrap();
    let part = whole
        .slice(&[Slice::range(4, None, -2), (1..3).into()])
        .unwrap();
    assert_eq!(part.shape(), [3, 2, 3]);
    assert_eq!(part.zooms().unwrap(), [4.0, 3.0, 4.0]);
    let (_, of_whole) = whole.affine(Which::Best).unwrap();
    let (_, of_part) = part.affine(Which::Best).unwrap();
    let place = |affine: &[[f64; 4]; 4], voxel: [f64; 4]| {
        [0, 1, 2].map(|row| (0..4).map(|i| affine[row][i] * voxel[i]).sum::<f64>())
    };
    assert_eq!(
        place(&of_part, [1.0, 1.0, 2.0, 1.0]),
        place(&of_whole, [2.0, 2.0, 2.0, 1.0])
    );
    let again = part.slice(&[1.into()]).unwrap();
    assert_eq!(again.read_vec::<i16>(&[]).unwrap(), [7, 12, 27, 32, 47, 52]);
    let error = again.affine(Which::Best).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        part.reshape(&[-1]).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    let planes = whole.slice(&[Slice::Ellipsis, (1..3).into()]).unwrap();
    let flat = planes.reshape(&[40]).unwrap();
    assert_eq!(
        flat.read_vec::<i16>(&[(18..22).into()]).unwrap(),
        [38, 39, 40, 41]
    );
}

#[test]
fn views_are_the_memory_itself() {
    let bytes: Vec<u8> = (0..48).collect();
    let source = Source::memory(bytes);
    let stored = (DType::Int16, ByteOrder::NATIVE);
    let open = |slope| {
        let options = Options::new();
        ArrayProxy::open_layout(
            &source,
            stored,
            (&[4, 6], Order::F),
            0,
            (slope, 0.0),
            &options,
        )
    };
    let proxy = open(1.0).unwrap();
    let all = proxy.view(&[], ViewAs::default()).unwrap();
    let part = proxy
        .view(&[(1..4).into(), 5.into()], ViewAs::default())
        .unwrap();
    assert_eq!(part.as_ptr() as usize, all.as_ptr() as usize + 42);
    assert!(part.access().readonly && !part.access().mapped);
    let kind = |view: arrayproxy::Result<Array>| view.unwrap_err().kind();
    assert_eq!(
        kind(proxy.view(&[], ViewAs::default().own(true))),
        ErrorKind::NoView
    );
    let scaled = open(2.0).unwrap();
    assert_eq!(kind(scaled.view(&[], ViewAs::default())), ErrorKind::NoView);
    assert!(scaled.view(&[], ViewAs::default().raw(true)).is_ok());
}

#[test]
fn files_of_a_series_keep_what_is_theirs() {
    let folder = Folder::new("series");
    let shape = [3, 2];
    let paths = [
        folder.nifti("a.nii", &shape, ByteOrder::Little, 1.0, 0),
        folder.nifti("b.nii", &shape, ByteOrder::Big, 0.5, 10),
        folder.nifti("c.nii", &shape, ByteOrder::Little, 2.0, 20),
    ];
    for (files, threads) in [(1, 1), (1, 3), (64, 3)] {
        let options = Options::new().open_files(files).threads(threads);
        let series = ArrayProxy::open_series(&paths, &options).unwrap();
        assert_eq!(series.shape(), [3, 2, 3]);
        assert_eq!(series.scale_shape(), [1, 1, 3]);
        let slopes: Vec<f64> = series
            .scale_factors()
            .unwrap()
            .iter()
            .map(|pair| pair.0)
            .collect();
        assert_eq!(slopes, [1.0, 0.5, 2.0]);
        let voxel = [1.into(), 1.into()];
        assert_eq!(series.read_vec::<f64>(&voxel).unwrap(), [4.0, 7.0, 48.0]);
        let stored = series.plan(&voxel, ReadAs::disk()).unwrap();
        assert_eq!(stored.read_vec::<i16>().unwrap(), [4, 14, 24]);
        assert_eq!(
            series.data_offset().unwrap_err().kind(),
            ErrorKind::Unsupported
        );
        assert_eq!(series.zooms().unwrap(), [2.0, 3.0, 4.0]);
    }
    let error = |paths: &[PathBuf]| {
        let series = ArrayProxy::open_series(paths, &Options::new());
        series.unwrap_err()
    };
    assert_eq!(error(&[]).kind(), ErrorKind::Argument);
    let other = folder.nifti("d.nii", &[2, 3], ByteOrder::Little, 1.0, 0);
    let found = error(&[paths[0].clone(), other.clone()]);
    assert_eq!(
        (found.kind(), found.path()),
        (ErrorKind::Header, Some(&*other))
    );
}
