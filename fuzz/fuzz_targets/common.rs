//! What the targets share: options, and what is done with an open array.

use std::mem::MaybeUninit;

use arrayproxy::{ArrayProxy, DType, Format, Options, Order, ReadAs, Slice, Source, ViewAs, Which};

/// Results stay small, so that time goes to headers and streams.
const MOST: i64 = 1 << 20;

pub fn options() -> Options {
    Options::new().max_bytes(Some(MOST as u64))
}

/// Bytes as a header of `size` bytes and the image behind it.
#[allow(dead_code)] // in the targets of single files
pub fn split(data: &[u8], size: usize) -> (Source, Source) {
    let (header, image) = data.split_at(data.len().min(size));
    let source = |bytes: &[u8]| Source::memory(bytes.to_vec());
    (source(header), source(image))
}

/// Bytes as a header of text and, behind a zero byte, the image.
#[allow(dead_code)]
pub fn split_text(data: &[u8]) -> (Source, Source) {
    let end = data.iter().position(|&byte| byte == 0);
    split(data, end.unwrap_or(data.len()))
}

/// Bytes as a single file of one of these formats.
#[allow(dead_code)]
pub fn file(data: &[u8], formats: &[Format]) {
    let source = Source::memory(data.to_vec());
    files(&source, None, formats, options());
}

/// Files as one of these formats: what opens strictly, or is found by content,
/// is the same array as what is asked for.
#[allow(dead_code)]
pub fn files(header: &Source, image: Option<&Source>, formats: &[Format], options: Options) {
    let open = |options: Options| ArrayProxy::open_source(header, image, &options);
    let found = open(options.clone());
    if let Ok(proxy) = &found {
        explore(proxy);
    }
    for &format in formats {
        let options = options.clone().format(Some(format));
        let asked = open(options.clone());
        if let Ok(proxy) = &asked {
            explore(proxy);
        }
        let strict = open(options.strict(true));
        for proxy in [&strict, &found].into_iter().flatten() {
            if proxy.format() == format {
                let asked = asked.as_ref().expect("what opens can be asked for");
                assert_eq!(proxy.shape(), asked.shape());
            }
        }
    }
}

/// Asks for all metadata and reads a few parts in several ways.
pub fn explore(proxy: &ArrayProxy) {
    for which in [Which::Best, Which::Sform, Which::Qform, Which::Base] {
        let _ = proxy.affine(which);
    }
    let _ = (proxy.zooms(), proxy.data_offset(), proxy.scale_factors());
    let _ = format!("{proxy:?} {:?} {:?}", proxy.warnings(), proxy.header());
    if let Ok(footer) = proxy.footer() {
        for (number, tag) in footer.tags.iter().enumerate() {
            let content = proxy.tag_bytes(number).expect("the tag ends in the file");
            assert!(content.len() as u64 <= tag.size);
        }
    }
    for name in proxy.field_names() {
        let _ = (proxy.field_text(name), proxy.field_reals(name));
        let _ = proxy.field_ints(name);
    }
    let count = proxy.extensions().map_or(0, <[_]>::len);
    for number in 0..count {
        let _ = proxy.extension_bytes(number);
        let _ = proxy.read_extension(number, &mut [MaybeUninit::uninit(); 5]);
    }
    assert_eq!(proxy.chunk_shape(1 << 16).len(), proxy.shape().len());

    let last = vec![Slice::At(-1); proxy.shape().len()];
    let backwards = [Slice::range(None, None, -3), Slice::Ellipsis];
    let first_volume = [Slice::Ellipsis, Slice::At(0), Slice::NewAxis];
    for index in [&[], &last[..], &backwards, &first_volume] {
        for read_as in [
            ReadAs::auto(),
            ReadAs::disk(),
            ReadAs::dtype(DType::Int16).round(true),
            ReadAs::dtype(DType::Float32).checked(true).order(Order::C),
        ] {
            read(proxy, index, read_as);
        }
    }
    let Ok(part) = proxy.slice(&backwards) else {
        return;
    };
    let _ = (part.affine(Which::Best), part.zooms(), part.data_offset());
    read(&part, &first_volume, ReadAs::disk());
    assert_eq!(part.chunk_shape(99).len(), part.shape().len());
    let _ = part.reshape(&[-1]).map(|flat| flat.size());
    for own in [false, true] {
        if let Ok(view) = part.view(&[], ViewAs::default().raw(true).own(own)) {
            assert_eq!(view.shape(), part.shape());
        }
    }
}

fn read(proxy: &ArrayProxy, index: &[Slice], read_as: ReadAs) {
    let Ok(plan) = proxy.plan(index, read_as) else {
        return;
    };
    assert_eq!(proxy.slice_shape(index).unwrap(), plan.shape());
    plan.cost();
    if plan.nbytes() <= MOST {
        let mut buffer = vec![MaybeUninit::uninit(); plan.nbytes() as usize];
        let _ = plan.read_into(&mut buffer[..], 0, None, None);
    }
}
