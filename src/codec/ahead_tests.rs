//! What threads decode ahead is what one decodes, whatever the stream, and so
//! are places and checksums.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;
use crate::codec::coding::Bound;
use crate::codec::gzip::checksum;
use crate::codec::inflate::Inflate;
use crate::codec::inflate::tests::{by_libdeflate, by_zlib, corpus, kinds, made};
use crate::codec::span::SPAN;
use crate::error::{Error, ErrorKind};
use crate::io::{Memory, ReadBuf};
use crate::random::Random;

type Mark = (u8, Box<[u8]>);

/// What one decoder finds: bytes up to the end or to damage, and the bits where
/// blocks begin that have an end, with the decoded bytes before them.
struct Alone {
    data: Vec<u8>,
    blocks: Vec<(u64, usize)>,
}

fn alone(stream: &[u8]) -> Alone {
    let mut inflate = Inflate::new();
    let mut memory = Vec::with_capacity(16 << 20);
    let mut buffer = ReadBuf::new(memory.spare_capacity_mut());
    let (mut used, mut blocks) = (0, Vec::new());
    let bound = Bound {
        at_mark: true,
        ..Bound::NONE
    };
    while let Ok(step) = inflate.step(&stream[used..], &mut buffer, bound) {
        used += step.used;
        let left = inflate.left();
        let before = blocks.last().map_or(0, |block: &(u64, usize)| block.0);
        if step.ended || left.is_none() {
            break;
        }
        let bit = 8 * used as u64 - u64::from(left.unwrap_or(0));
        if bit == before {
            break;
        }
        blocks.push((bit, buffer.filled().len()));
    }
    assert!(buffer.room() > 0);
    let data = buffer.filled().to_vec();
    Alone { data, blocks }
}

fn bounds(span: u64) -> Bounds {
    Bounds {
        limit: u64::MAX,
        due: Some(1),
        spacing: 50_000,
        span,
    }
}

fn course(source: Arc<dyn ReadAt>, bounds: Bounds) -> Course<Mark> {
    let begin = Point {
        position: 0,
        at: 0,
        mark: (0, Box::default()),
        starts: true,
        weight: 0,
        trust: Trust::Found,
    };
    let block = Boundary {
        bits: 0,
        window: Box::default(),
    };
    let mark: fn(Boundary) -> Mark = |block| (block.bits, block.window);
    Course::new(source, &begin, (block, mark), bounds, true)
}

/// Decode ahead, each time leaving up to so many bytes for later, and hold all
/// that comes out against what one decoder finds. Says how far it came.
fn compare(stream: &[u8], wanted: &Alone, bounds: Bounds, threads: usize, leave: u64) -> usize {
    let source = Arc::new(Memory(Arc::new(stream.to_vec())));
    let from = AtomicU64::new(0);
    let take = |end: u64, _| {
        let start = from.load(Relaxed);
        let next = start.max(end.saturating_sub(leave));
        from.store(next, Relaxed);
        let work = move |first: u64, bytes: &[u8]| {
            let bytes = &bytes[(start - first) as usize..][..(next - start) as usize];
            assert!(
                bytes == &wanted.data[start as usize..next as usize],
                "{start}"
            );
        };
        Some(Taken {
            from: next,
            work: Box::new(work),
        })
    };
    let passed = Mutex::new(Vec::new());
    let shown = Mutex::new(Vec::new());
    let sinks = Sinks {
        take: &take,
        pass: &|point, part| {
            locked(&passed).push((point, part));
            Ok(true)
        },
        show: &|start, bytes| {
            let start = start as usize;
            assert!(bytes == &wanted.data[start..][..bytes.len()], "{start}");
            locked(&shown).push(start..start + bytes.len());
        },
    };
    let reached = course(source, bounds).run(threads, &sinks).unwrap();
    let (end, from) = (reached.point.position as usize, from.into_inner() as usize);
    assert!(end as u64 <= bounds.limit);
    assert!(reached.tail == wanted.data[from.min(end)..end]);
    let mut shown = taken(shown);
    shown.sort_by_key(|range| range.start);
    let until = shown.iter().fold(0, |at, range| {
        assert_eq!(range.start, at);
        range.end
    });
    assert_eq!(until, end);

    // Places are where the first block begins behind each multiple.
    let mut due = bounds.due;
    let mut places = Vec::new();
    for &(bit, len) in wanted.blocks.iter().filter(|block| block.1 <= end) {
        if due.is_some_and(|due| len as u64 >= due) {
            places.push((bit, len));
            due = Some((len as u64 / bounds.spacing + 1) * bounds.spacing);
        }
    }
    // The last of several at one byte may not have been come to.
    let passed = taken(passed);
    let sure = places.iter().filter(|place| place.1 < end).count();
    assert!((sure..=places.len()).contains(&passed.len()));
    let mut start = 0;
    let check = |point: &Point<Mark>, bit: u64, len: usize| {
        let (bits, window) = &point.mark;
        assert_eq!(8 * point.at - u64::from(*bits), bit);
        assert_eq!(point.position, len as u64);
        assert!(
            **window == wanted.data[len.saturating_sub(WINDOW)..len],
            "{len}"
        );
    };
    for ((point, part), (bit, len)) in passed.iter().zip(places) {
        check(point, bit, len);
        assert_eq!(
            (part.start, part.end, part.first),
            (start as u64, len as u64, start == 0)
        );
        assert_eq!(part.sum, checksum(&wanted.data[start..len]));
        start = len;
    }
    let run = reached.run;
    assert_eq!((run.start, run.end), (start as u64, end as u64));
    assert_eq!(run.sum, checksum(&wanted.data[start..end]));
    if end > 0 {
        let ends = |block: &&(u64, usize)| block.1 == end;
        let bit = 8 * reached.point.at - u64::from(reached.point.mark.0);
        assert!(
            wanted
                .blocks
                .iter()
                .filter(ends)
                .any(|block| block.0 == bit)
        );
        check(&reached.point, bit, end);
    }
    end
}

/// Those that most writers make are decoded to where the last block begins.
#[test]
fn threads_decode_what_one_does() {
    for (kind, data) in kinds(700_000).into_iter().enumerate() {
        let zlib = [2, 6, 9].map(|level| by_zlib(&data, level));
        let others = [1, 12].map(|level| by_libdeflate(&data, level));
        for (i, stream) in zlib.iter().chain(&others).enumerate() {
            let wanted = alone(stream);
            assert!(wanted.data == data);
            let last = wanted.blocks.last().map_or(0, |block| block.1);
            for (threads, span, leave) in [
                (1, 30_000, 0),
                (2, 20_000, 100_000),
                (3, 60_000, 40_000),
                (5, 1_000, 1_000),
                (2, SPAN, 1 << 20),
                (2, 30_000, 1 << 20),
            ] {
                let end = compare(stream, &wanted, bounds(span), threads, leave);
                // Noise is stored: no block of it can be found.
                let far = kind > 0 && end > 0;
                assert!(
                    !far || end == last || leave > 100_000,
                    "{kind} {i} {threads}: {end}"
                );
            }
            for limit in [0, 1, 70_000, 400_000] {
                let bounds = Bounds {
                    limit,
                    ..bounds(20_000)
                };
                compare(stream, &wanted, bounds, 2, 3_000);
            }
            let bounds = Bounds {
                due: None,
                ..bounds(20_000)
            };
            compare(stream, &wanted, bounds, 2, 3_000);
        }
    }
}

/// What is stored looks like blocks, and is none.
#[test]
fn blocks_within_what_is_stored_are_none() {
    let text = kinds(700_000).swap_remove(4);
    let inner: Vec<u8> = (1..=6)
        .flat_map(|i| by_zlib(&text[i * 1000..], 9))
        .collect();
    for level in [6, 9] {
        let mixed = [&inner[..], &text, &inner].concat();
        let stream = by_zlib(&mixed, level);
        let wanted = alone(&stream);
        assert!(wanted.data == mixed);
        for span in [5_000, 20_000, 100_000] {
            compare(&stream, &wanted, bounds(span), 3, 5_000);
        }
    }
}

#[test]
fn damaged_and_cut_streams_are_decoded_alike() {
    let mut random = Random(3);
    for data in kinds(120_000) {
        let stream = by_zlib(&data, 6);
        for turn in 0..60 {
            let mut damaged = stream.clone();
            if turn % 2 == 0 {
                damaged[random.below(stream.len())] ^= 1 << random.below(8);
            } else {
                damaged.truncate(random.below(stream.len()));
            }
            let wanted = alone(&damaged);
            compare(&damaged, &wanted, bounds(10_000), 1 + turn % 3, 4_000);
        }
    }
}

#[test]
fn made_streams_are_decoded_alike() {
    let mut random = Random(8);
    for turn in 0..150 {
        let blocks = 1 + random.below(40);
        let stream = made(&mut random, blocks);
        let span = 1 + random.below(3_000) as u64;
        let wanted = alone(&stream);
        compare(&stream, &wanted, bounds(span), 1 + turn % 4, 500);
    }
    compare(&[], &alone(&[]), bounds(100), 2, 0);
}

#[test]
fn streams_of_the_corpus_are_decoded_alike() {
    for (i, stream) in corpus().iter().enumerate() {
        let wanted = alone(stream);
        let span = 1 + wanted.data.len() as u64 / 5;
        compare(stream, &wanted, bounds(span), 1 + i % 3, 200);
    }
}

/// What is before a place that is not wanted belongs to what is behind it.
#[test]
fn places_that_are_not_wanted_divide_nothing() {
    let data = kinds(700_000).swap_remove(1);
    let source = Arc::new(Memory(Arc::new(by_zlib(&data, 6))));
    let passed = Mutex::new((0, Vec::new()));
    let sinks = Sinks {
        take: &|from, _| {
            let work = Box::new(|_: u64, _: &[u8]| {});
            Some(Taken { from, work })
        },
        pass: &|point, part| {
            let (calls, parts) = &mut *locked(&passed);
            *calls += 1;
            let wanted = *calls % 3 == 0;
            parts.extend(wanted.then_some(part));
            assert_eq!(part.end, point.position);
            Ok(wanted)
        },
        show: &|_, _| {},
    };
    let reached = course(source, bounds(20_000)).run(3, &sinks).unwrap();
    let (calls, mut parts) = taken(passed);
    parts.push(reached.run);
    assert!(calls > 9);
    let end = parts.iter().fold(0, |start, part| {
        assert_eq!(part.start, start);
        let bytes = &data[start as usize..part.end as usize];
        assert_eq!(part.sum, checksum(bytes));
        part.end
    });
    assert_eq!(end, reached.point.position);
}

/// One thread is as fast where data are dense.
#[test]
fn what_is_dense_is_left_to_one_thread() {
    let mut data = kinds(300_000)[1].clone();
    data.resize(8 << 20, 0);
    let stream = by_libdeflate(&data, 6);
    let wanted = alone(&stream);
    assert!(wanted.data == data);
    let end = compare(&stream, &wanted, bounds(100_000), 2, 1_000);
    assert!((200_000..6 << 20).contains(&end), "{end}");
}

/// Near the begin there are fewer bytes than a block can refer to.
#[test]
fn nothing_refers_to_before_the_begin() {
    let data = kinds(300_000).swap_remove(4);
    let mut encoder = flate2::Compress::new(flate2::Compression::new(6), false);
    let mut packed = Vec::with_capacity(data.len());
    let cuts = [0, 100_000, 200_000].map(|cut| {
        let part = &data[cut..][..100_000];
        let flush = flate2::FlushCompress::Sync;
        encoder.compress_vec(part, &mut packed, flush).unwrap();
        packed.len()
    });
    // What is behind the first flush refers to before it.
    let stored = [0, 10, 0, 245, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let stream = [&stored, &packed[cuts[0]..]].concat();
    let wanted = alone(&stream);
    assert!(
        (10..1000).contains(&wanted.data.len()),
        "{}",
        wanted.data.len()
    );
    assert_eq!(compare(&stream, &wanted, bounds(8), 2, 0), 10);
}

/// Nobody waits for a thread that is gone.
#[test]
fn panics_and_errors_end_it() {
    struct Torn(Vec<u8>, usize);
    impl ReadAt for Torn {
        fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
            if offset as usize > self.1 {
                return Err(Error::new(ErrorKind::Io, "torn"));
            }
            buffer.push(self.0.get(offset as usize..).unwrap_or_default());
            Ok(())
        }
        fn size(&self) -> Result<Option<u64>> {
            Ok(None)
        }
    }
    let data = kinds(700_000).swap_remove(1);
    let stream = by_zlib(&data, 6);
    for at in [0, 200_000] {
        let source = Arc::new(Torn(stream.clone(), at));
        let sinks = Sinks {
            take: &|end, _| {
                Some(Taken {
                    from: end,
                    work: Box::new(|_, _| {}),
                })
            },
            pass: &|_, _| Ok(true),
            show: &|_, _| {},
        };
        // Who goes on there gets the error.
        let reached = course(source, bounds(20_000)).run(3, &sinks).unwrap();
        let come = reached.point.at as usize;
        assert!(
            come <= at + (160 << 10) && (come > at / 2 || at == 0),
            "{at} {come}"
        );
    }
    for turn in 0..3 {
        let source = Arc::new(Memory(Arc::new(stream.clone())));
        let calls = AtomicU64::new(0);
        let fail = |kind: u64| {
            let call = calls.fetch_add(1, Relaxed);
            assert!(turn != kind || call < 3, "on purpose");
        };
        let sinks = Sinks {
            take: &|end, _| {
                fail(0);
                Some(Taken {
                    from: end,
                    work: Box::new(|_, _| fail(1)),
                })
            },
            pass: &|_, _| {
                fail(2);
                Ok(true)
            },
            show: &|_, _| {},
        };
        let run = || course(source, bounds(20_000)).run(3, &sinks);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "{turn}");
    }
}
