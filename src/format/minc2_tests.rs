//! Where the elements of datasets are.

use super::*;
use crate::core::dtype::ByteOrder;
use crate::format::record::Value;

fn dataset(shape: &[i64], place: Place) -> Dataset {
    Dataset {
        at: 800,
        shape: shape.to_vec(),
        dtype: DType::Int16,
        byte_order: ByteOrder::Little,
        place,
        fill: vec![3, 0],
    }
}

/// As many chunks as have numbers, from byte 1000 on, apart, in that order.
fn chunks(chunk: &[i64], numbers: impl Iterator<Item = u64>, filters: Filters) -> Place {
    let chunk_of = |(i, number)| Chunk {
        number,
        at: 1000 + 100 * i as u64,
        stored: 8,
        filters,
    };
    Place::Chunked {
        chunk: chunk.to_vec(),
        chunks: (0i64..).zip(numbers).map(chunk_of).collect(),
    }
}

fn offsets(layout: &Layout) -> Vec<u64> {
    layout.blocks.iter().map(|block| block.offset).collect()
}

#[test]
fn chunks_are_read_where_they_are_if_nothing_was_done_to_them() {
    // Three by two of them; the last axis moves fastest in the file, the first in
    // a layout.
    let place = chunks(&[2, 2], 0..6, Filters::default());
    let (layout, decoded) = layout(&dataset(&[5, 3], place)).unwrap();
    assert_eq!(offsets(&layout), [1000, 1200, 1400, 1100, 1300, 1500]);
    assert_eq!(
        (&*layout.block, &*layout.strides),
        (&[2, 2][..], &[4, 2][..])
    );
    assert!(decoded.is_none());
}

#[test]
fn others_are_decoded_one_after_the_other() {
    let deflate = Filters {
        deflate: true,
        ..Filters::default()
    };
    for (numbers, filters) in [
        (&[0, 1, 2, 3, 4, 5][..], deflate),
        (&[1, 4], Filters::default()),
    ] {
        let place = chunks(&[2, 2], numbers.iter().copied(), filters);
        let (layout, decoded) = layout(&dataset(&[5, 3], place)).unwrap();
        assert_eq!(offsets(&layout), [0, 16, 32, 8, 24, 40]);
        let decoded = decoded.unwrap();
        assert_eq!((decoded.size, decoded.count), (8, 6));
        assert_eq!(decoded.stored.len(), numbers.len());
        assert_eq!(decoded.end(), 1000 + 100 * (numbers.len() as u64 - 1) + 8);
        assert_eq!(decoded.fill, [3, 0]);
    }
    let (layout, decoded) = layout(&dataset(&[5, 3], Place::Nowhere)).unwrap();
    let decoded = decoded.unwrap();
    assert_eq!((offsets(&layout), decoded.size), (vec![0], 30));
    assert_eq!(
        (decoded.count, decoded.stored.len(), decoded.end()),
        (1, 0, 0)
    );
}

#[test]
fn arrays_in_one_piece_and_without_elements() {
    let (layout_of, decoded) = layout(&dataset(&[5, 3], Place::Whole { at: 99 })).unwrap();
    assert_eq!(
        (offsets(&layout_of), &*layout_of.strides),
        (vec![99], &[6, 2][..])
    );
    assert!(decoded.is_none());
    for place in [
        Place::Nowhere,
        Place::Whole { at: 99 },
        chunks(&[2, 2], 0..0, Filters::default()),
    ] {
        let (layout, decoded) = layout(&dataset(&[5, 0], place)).unwrap();
        assert_eq!(layout.shape, [5, 0]);
        assert!(decoded.is_none());
    }
}

#[test]
fn few_chunks_are_no_large_grid() {
    let grid = |stored: u64, n: i64| {
        let place = chunks(&[1], 0..stored, Filters::default());
        layout(&dataset(&[n], place))
    };
    assert!(grid(1, FEW_CHUNKS as i64).is_ok());
    let error = grid(1, FEW_CHUNKS as i64 + 1).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Unsupported, Some(800))
    );
    let most = (FEW_CHUNKS * BLOCKS_EACH) as i64;
    assert!(grid(FEW_CHUNKS, most).is_ok());
    assert!(grid(FEW_CHUNKS, most + 1).is_err());
    // Chunks that all together are more than there is.
    let place = chunks(&[1 << 62, 4], 0..1, Filters::default());
    let error = layout(&dataset(&[4, 4], place)).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Header, Some(800))
    );
}

#[test]
fn names_of_dimensions() {
    let of = |order: Option<&str>, rank| {
        let order = order.map(|text| ("dimorder".into(), Value::Text(text.into())));
        let list = order.into_iter().collect();
        names(&Attributes { list, at: 0 }, rank)
    };
    assert_eq!(
        of(Some("zspace,yspace,xspace"), 3),
        ["zspace", "yspace", "xspace"]
    );
    assert_eq!(of(Some("zspace,yspace,xspace"), 2), ["zspace", "yspace"]);
    assert_eq!(of(Some("zspace,"), 3), ["zspace", "", ""]);
    assert_eq!(of(None, 2), ["", ""]);
    assert_eq!(of(Some("a"), 0), [""; 0]);
}
