//! Index files and structures that lead astray, and what becomes of those that
//! are right when the data are not: a read that comes by all of a member gets
//! what the member has, whatever was known, and whoever reads beside it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{Builder, Scope, ScopedJoinHandle, sleep};
use std::time::Duration;

use arrayproxy::{ArrayProxy, DType, Error, ErrorKind, Options, ReadAs, ReadAt, ReadBuf, Source};
use common::Folder;
use common::series::{
    Foreign, SLICE, bgzf, flushed, image, is_right, open, part, read, saved, single, slices,
};

fn cold() -> Options {
    Options::new().cache_bytes(Some(0))
}

/// A decoder that waits at a wrong place is not used once the place is known.
#[test]
fn what_was_proven_is_right_in_the_next_read() {
    let folder = Folder::new("proven-next");
    let plain = image();
    let (_, path) = single(&folder, &plain);
    let mut index = Foreign::of(&folder, &path, None);
    let index = folder.write("index", &index.harm(|_, _| true).bytes);
    for t in (8..95).step_by(3) {
        let proxy = ArrayProxy::open_with(&path, &cold()).unwrap();
        proxy.load_index(&index).unwrap();
        // May be wrong, for nothing tells.
        let _ = read(&proxy, &slices(t, t + 1));
        assert!(read(&proxy, &[]).unwrap() == plain[352..]);
        assert!(is_right(&proxy, &plain, t + 1), "{t}");
    }
}

/// What was read before vouches for no place that it did not begin at.
#[test]
fn places_inside_of_what_was_read_are_proven_too() {
    let folder = Folder::new("inside");
    let plain = image();
    let (_, path) = single(&folder, &plain);
    let mut index = Foreign::of(&folder, &path, Some(64 << 10));
    let index = folder.write("index", &index.harm(|_, at| at < 3 << 20).bytes);
    for threads in [1, 2] {
        let proxy = ArrayProxy::open_with(&path, &cold().threads(threads)).unwrap();
        for t in (0..72).step_by(12) {
            assert!(read(&proxy, &slices(t, t + 12)).unwrap() == part(&plain, t, t + 12));
        }
        proxy.load_index(&index).unwrap();
        proxy.trim();
        assert!(read(&proxy, &[]).unwrap() == plain[352..], "{threads}");
    }
}

#[test]
fn a_better_index_takes_the_place_of_another() {
    let folder = Folder::new("better");
    let plain = image();
    let (_, path) = single(&folder, &plain);
    let ours = saved(&folder, &ArrayProxy::open(&path).unwrap());
    let good = folder.write("good", &ours);
    let bad = folder.write("bad", &Foreign::from(&ours).harm(|_, _| true).bytes);
    let proxy = ArrayProxy::open_with(&path, &cold()).unwrap();
    proxy.load_index(&bad).unwrap();
    let _ = read(&proxy, &slices(20, 21));
    proxy.load_index(&good).unwrap();
    for t in (21..96).step_by(5) {
        assert!(is_right(&proxy, &plain, t), "{t}");
    }
}

/// Memory at which one thread waits.
struct Gate {
    bytes: Vec<u8>,
    /// From this byte on.
    from: AtomicU64,
    is_there: AtomicBool,
    may_go: AtomicBool,
}

const GATED: &str = "gated";

/// For a while: a test that failed is not to hang.
fn wait_for(flag: &AtomicBool) {
    let turns = 0..10_000;
    turns
        .take_while(|_| !flag.load(SeqCst))
        .for_each(|_| sleep(Duration::from_millis(1)));
}

impl Gate {
    fn new(bytes: &[u8], part: u64, parts: u64) -> Arc<Gate> {
        Arc::new(Gate {
            bytes: bytes.to_vec(),
            from: AtomicU64::new(bytes.len() as u64 * part / parts),
            is_there: AtomicBool::new(false),
            may_go: AtomicBool::new(false),
        })
    }

    fn open(self: &Arc<Gate>, options: &Options) -> ArrayProxy {
        let source = Source::reader(Through(self.clone()));
        ArrayProxy::open_source(&source, None, options).unwrap()
    }

    /// Do something on the thread that waits, once it does.
    fn hold<'s, T: Send + 's>(
        &self,
        scope: &'s Scope<'s, '_>,
        work: impl FnOnce() -> T + Send + 's,
    ) -> ScopedJoinHandle<'s, T> {
        let thread = Builder::new().name(GATED.into());
        let thread = thread.spawn_scoped(scope, work).unwrap();
        wait_for(&self.is_there);
        thread
    }
}

struct Through(Arc<Gate>);

impl ReadAt for Through {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<(), Error> {
        let gate = &self.0;
        let is_gated = std::thread::current().name() == Some(GATED);
        if is_gated && offset >= gate.from.load(SeqCst) {
            gate.is_there.store(true, SeqCst);
            wait_for(&gate.may_go);
            gate.may_go.store(true, SeqCst);
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        buffer.push(gate.bytes.get(start..).unwrap_or_default());
        Ok(())
    }
    fn size(&self) -> Result<Option<u64>, Error> {
        Ok(Some(self.0.bytes.len() as u64))
    }
    fn is_concurrent(&self) -> bool {
        true
    }
}

/// Walks that come by while a whole read waits take away what it would have
/// failed by.
#[test]
fn other_reads_hide_no_wrong_window() {
    let folder = Folder::new("hidden");
    let plain = image();
    let (packed, path) = single(&folder, &plain);
    let clean = Foreign::of(&folder, &path, None).bytes;
    for wrong in (1..10).flat_map(|wrong| [wrong; 3]) {
        let mut index = Foreign::from(&clean);
        let index = folder.write("index", &index.harm(|i, _| i == wrong).bytes);
        let gate = Gate::new(&packed, 8, 10);
        let proxy = gate.open(&cold().threads(2));
        proxy.load_index(&index).unwrap();
        let whole = std::thread::scope(|scope| {
            let whole = gate.hold(scope, || read(&proxy, &[]));
            // Time for the other thread of that call to come to the end.
            sleep(Duration::from_millis(100));
            (0..60).for_each(|t| assert!(is_right(&proxy, &plain, t), "{wrong} {t}"));
            gate.may_go.store(true, SeqCst);
            whole.join().unwrap()
        });
        assert!(whole.unwrap() == plain[352..], "{wrong}");
    }
}

/// Building goes on where a read found out that the index was wrong.
#[test]
fn an_index_is_built_to_the_end_beside_other_reads() {
    let folder = Folder::new("beside");
    let plain = image();
    let (packed, path) = single(&folder, &plain);
    let mut index = Foreign::of(&folder, &path, None);
    // At one place no block begins, and the size is not told.
    let wrong = index.places.len() / 2 + 3;
    index.bytes[35 + 18 * wrong] ^= 0x25;
    index.bytes[15..23].fill(0);
    let slice = (index.places[wrong].0 as i64 - 352) / SLICE as i64 + 1;
    let index = folder.write("index", &index.bytes);
    let gate = Gate::new(&packed, 1, 4);
    let proxy = gate.open(&cold());
    proxy.load_index(&index).unwrap();
    std::thread::scope(|scope| {
        let built = gate.hold(scope, || proxy.build_index(None));
        assert!(is_right(&proxy, &plain, slice));
        proxy.trim();
        gate.may_go.store(true, SeqCst);
        built.join().unwrap().unwrap();
    });
    assert_eq!(proxy.index_info().covered, plain.len() as u64);
}

/// A damaged member fails those who read it.
#[test]
fn damage_costs_no_structure() {
    let plain = image();
    let mut members = bgzf(&plain);
    let end = members[20].len();
    members[20][end - 6] ^= 1;
    let packed = members.concat();
    for threads in [1, 2] {
        let proxy = open(&packed, &cold().threads(threads));
        let cost = || proxy.plan(&slices(90, 91), ReadAs::disk()).unwrap().cost();
        assert!(is_right(&proxy, &plain, 90));
        let before = cost();
        assert_eq!(read(&proxy, &[]).unwrap_err().kind(), ErrorKind::Codec);
        assert_eq!(cost(), before);
        proxy.trim();
        assert!(is_right(&proxy, &plain, 90));
    }
    // Values that do not fit are as good as damage, by their looks.
    let mut plain = plain;
    plain[352..].iter_mut().for_each(|value| *value |= 0x80);
    let proxy = open(&bgzf(&plain).concat(), &cold());
    let cost = || proxy.plan(&slices(90, 91), ReadAs::disk()).unwrap().cost();
    assert!(is_right(&proxy, &plain, 90));
    let before = cost();
    let checked = ReadAs::dtype(DType::Int8).checked(true);
    let found = proxy.plan(&slices(5, 6), checked).unwrap();
    assert_eq!(found.read_vec::<i8>().unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(cost(), before);
}

/// However a file is divided among reads, all of it is compared.
#[test]
fn reads_of_parts_that_guess_are_compared_together() {
    let plain = image();
    for (piece, parts) in [
        (1 << 20, &[(0, 9), (9, 96)][..]),
        (128 << 10, &[(0, 9), (0, 60), (60, 96)]),
    ] {
        let good = flushed(&plain, piece, 6);
        let mut bad = good.clone();
        bad[good.len() - 6] ^= 1;
        for (packed, failures) in [(good, 0), (bad, 1)] {
            for threads in [1, 2] {
                let proxy = open(&packed, &cold().threads(threads));
                let read = |&(from, to)| match read(&proxy, &slices(from, to)) {
                    Ok(found) => {
                        assert!(found == part(&plain, from, to));
                        0
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Codec);
                        1
                    }
                };
                let failed: usize = parts.iter().map(read).sum();
                assert_eq!(failed, failures, "{piece} {threads}");
            }
        }
    }
}

/// A seekable zstd file whose table has two sizes the wrong way round.
#[test]
fn frames_count_as_they_are_not_as_a_table_has_them() {
    let plain = image();
    let (mut packed, mut table) = (Vec::new(), Vec::new());
    let (mut rest, mut sizes) = (&plain[..], Vec::new());
    while !rest.is_empty() {
        let size = [300_000, 400_000][sizes.len() % 2].min(rest.len());
        let frame = without_size(&rest[..size]);
        sizes.push((frame.len(), size));
        packed.extend(frame);
        rest = &rest[size..];
    }
    let (a, b) = (sizes[6].1, sizes[7].1);
    (sizes[6].1, sizes[7].1) = (b, a);
    for (compressed, size) in &sizes {
        table.extend((*compressed as u32).to_le_bytes());
        table.extend((*size as u32).to_le_bytes());
    }
    table.extend((sizes.len() as u32).to_le_bytes());
    table.extend([0, 0xB1, 0xEA, 0x92, 0x8F]);
    packed.extend([0x5E, 0x2A, 0x4D, 0x18]);
    packed.extend((table.len() as u32).to_le_bytes());
    packed.extend(table);
    for threads in [1, 2] {
        let proxy = open(&packed, &cold().threads(threads));
        for _ in 0..2 {
            assert!(read(&proxy, &[]).unwrap() == plain[352..], "{threads}");
        }
    }
}

/// A zstd frame that does not tell its decoded size: as of a stream whose
/// length was not known.
fn without_size(data: &[u8]) -> Vec<u8> {
    let mut context = zstd_safe::CCtx::create();
    for parameter in [
        zstd_safe::CParameter::ContentSizeFlag(false),
        zstd_safe::CParameter::ChecksumFlag(true),
    ] {
        context.set_parameter(parameter).unwrap();
    }
    let mut packed = vec![0; zstd_safe::compress_bound(data.len())];
    let size = context.compress2(&mut packed[..], data).unwrap();
    packed.truncate(size);
    packed
}
