//! What the targets share: options, and what is done with an open array.

use std::mem::MaybeUninit;

use arrayproxy::{ArrayProxy, DType, Options, Order, ReadAs, Slice, ViewAs, Which};

/// Results stay small, so that time goes to headers and streams.
const MOST: i64 = 1 << 20;

pub fn options() -> Options {
    Options::new().max_bytes(Some(MOST as u64))
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
