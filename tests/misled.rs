//! Index files and structures that lead astray, and what becomes of those that
//! are right when the data are not: a read that comes by all of a member gets
//! what the member has, whatever was known, and whoever reads beside it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{Builder, Scope, ScopedJoinHandle, sleep};
use std::time::Duration;

use arrayproxy::{
    ArrayProxy, Control, DType, Error, ErrorKind, Options, ReadAs, ReadAt, ReadBuf, Source,
};
use common::series::{
    Foreign, SLICE, Single, bgzf, flushed, image, is_right, open, part, read, saved, slices,
};
use common::{Folder, gzip};

fn cold() -> Options {
    Options::new().cache_bytes(Some(0))
}

/// A decoder that waits at a wrong place is not used once the place is known.
#[test]
fn what_was_proven_is_right_in_the_next_read() {
    let file = Single::new("proven-next");
    let index = file.foreign(None).harm(|_, _| true);
    let index = file.folder.write("index", &index.bytes);
    for t in (8..95).step_by(3) {
        let proxy = file.open(&cold());
        proxy.load_index(&index).unwrap();
        // May be wrong, for nothing tells.
        let _ = read(&proxy, &slices(t, t + 1));
        assert!(read(&proxy, &[]).unwrap() == file.plain[352..]);
        assert!(is_right(&proxy, &file.plain, t + 1), "{t}");
    }
}

/// What is read again is not counted twice, and never less than nothing.
#[test]
fn progress_is_that_of_the_result() {
    let file = Single::new("progress");
    let index = file.foreign(None).harm(|_, at| at > 2 << 20);
    let index = file.folder.write("index", &index.bytes);
    for threads in [1, 2] {
        for read_as in [ReadAs::disk(), ReadAs::dtype(DType::Float32)] {
            let proxy = file.open(&cold().threads(threads));
            proxy.load_index(&index).unwrap();
            let control = Control::new();
            let seen = Arc::new(AtomicU64::new(0));
            let most = seen.clone();
            let tell = move |done: u64, total: u64| {
                most.fetch_max(done, SeqCst);
                done <= total
            };
            control.set_callback(Some(tell), Duration::ZERO);
            let plan = proxy.plan(&[], read_as).unwrap();
            let nbytes = plan.nbytes() as u64;
            plan.load(Some(&control)).unwrap();
            assert_eq!(control.progress(), (nbytes, nbytes), "{threads}");
            assert!((1..=nbytes).contains(&seen.load(SeqCst)));
        }
    }
}

/// What was read before vouches for no place that it did not begin at.
#[test]
fn places_inside_of_what_was_read_are_proven_too() {
    let file = Single::new("inside");
    let index = file.foreign(Some(64 << 10)).harm(|_, at| at < 3 << 20);
    let index = file.folder.write("index", &index.bytes);
    for threads in [1, 2] {
        let proxy = file.open(&cold().threads(threads));
        for t in (0..72).step_by(12) {
            assert!(read(&proxy, &slices(t, t + 12)).unwrap() == part(&file.plain, t, t + 12));
        }
        proxy.load_index(&index).unwrap();
        proxy.trim();
        assert!(read(&proxy, &[]).unwrap() == file.plain[352..], "{threads}");
    }
}

/// Checksums of wider parts than those of a new index do not speak against it.
#[test]
fn good_places_inside_of_what_was_read_stay() {
    let file = Single::new("stay");
    let index = file.foreign(Some(64 << 10));
    let index = file.folder.write("index", &index.bytes);
    for threads in [1, 2] {
        let proxy = file.open(&cold().threads(threads));
        assert!(read(&proxy, &slices(0, 60)).unwrap() == part(&file.plain, 0, 60));
        proxy.load_index(&index).unwrap();
        let points = proxy.index_info().points;
        assert!(read(&proxy, &[]).unwrap() == file.plain[352..], "{threads}");
        assert!(proxy.index_info().points >= points, "{threads}");
    }
}

#[test]
fn a_better_index_takes_the_place_of_another() {
    let file = Single::new("better");
    let ours = saved(&file.folder, &file.open(&cold()));
    let good = file.folder.write("good", &ours);
    let bad = Foreign::from(&ours).harm(|_, _| true);
    let bad = file.folder.write("bad", &bad.bytes);
    let proxy = file.open(&cold());
    proxy.load_index(&bad).unwrap();
    let _ = read(&proxy, &slices(20, 21));
    proxy.load_index(&good).unwrap();
    for t in (21..96).step_by(5) {
        assert!(is_right(&proxy, &file.plain, t), "{t}");
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
    let file = Single::new("hidden");
    let clean = file.foreign(None).bytes;
    for wrong in (1..10).flat_map(|wrong| [wrong; 3]) {
        let index = Foreign::from(&clean).harm(|i, _| i == wrong);
        let index = file.folder.write("index", &index.bytes);
        let gate = Gate::new(&file.packed, 8, 10);
        let proxy = gate.open(&cold().threads(2));
        proxy.load_index(&index).unwrap();
        let whole = std::thread::scope(|scope| {
            let whole = gate.hold(scope, || read(&proxy, &[]));
            // Time for the other thread of that call to come to the end.
            sleep(Duration::from_millis(100));
            (0..60).for_each(|t| assert!(is_right(&proxy, &file.plain, t), "{wrong} {t}"));
            gate.may_go.store(true, SeqCst);
            whole.join().unwrap()
        });
        assert!(whole.unwrap() == file.plain[352..], "{wrong}");
    }
}

/// Building goes on where a read found out that the index was wrong.
#[test]
fn an_index_is_built_to_the_end_beside_other_reads() {
    let file = Single::new("beside");
    let mut index = file.foreign(None);
    // At one place no block begins, and the size is not told.
    let wrong = index.places.len() / 2 + 3;
    index.bytes[35 + 18 * wrong] ^= 0x25;
    index.bytes[15..23].fill(0);
    let slice = (index.places[wrong].0 as i64 - 352) / SLICE as i64 + 1;
    let index = file.folder.write("index", &index.bytes);
    let gate = Gate::new(&file.packed, 1, 4);
    let proxy = gate.open(&cold());
    proxy.load_index(&index).unwrap();
    std::thread::scope(|scope| {
        let built = gate.hold(scope, || proxy.build_index(None));
        assert!(is_right(&proxy, &file.plain, slice));
        proxy.trim();
        gate.may_go.store(true, SeqCst);
        built.join().unwrap().unwrap();
    });
    assert_eq!(proxy.index_info().covered, file.plain.len() as u64);
}

/// A read waits behind a wrong place while another one comes by there,
/// proves all of the index, and leaves nothing that could be doubted.
#[test]
fn who_began_at_a_wrong_place_tries_again() {
    let file = Single::new("late");
    let index = file.foreign(None);
    let place = index.places.len() / 2;
    let byte = u64::from_le_bytes(index.bytes[35 + 18 * place..][..8].try_into().unwrap());
    let slice = (index.places[place].0 as i64 - 352) / SLICE as i64 + 1;
    let index = index.harm(|i, _| i == place);
    let index = file.folder.write("index", &index.bytes);
    let gate = Gate::new(&file.packed, byte + 1, file.packed.len() as u64);
    let proxy = gate.open(&cold());
    proxy.load_index(&index).unwrap();
    std::thread::scope(|scope| {
        let late = gate.hold(scope, || read(&proxy, &slices(slice, slice + 12)));
        assert!(read(&proxy, &[]).unwrap() == file.plain[352..]);
        gate.may_go.store(true, SeqCst);
        let late = late.join().unwrap();
        assert!(late.unwrap() == part(&file.plain, slice, slice + 12));
    });
}

/// A member's begin is where it is, not where an index has it: its own checksum
/// does not tell.
#[test]
fn members_count_as_they_are_not_as_an_index_has_them() {
    let folder = Folder::new("shifted");
    let plain = image();
    let step = plain.len() / 8;
    let members: Vec<Vec<u8>> = plain.chunks(step).map(gzip).collect();
    let packed = members.concat();
    let path = folder.write("a.nii.gz", &packed);
    // The checksum of the fourth does not match its data.
    let mut harmed = packed.clone();
    harmed[members[..4].concat().len() - 8] ^= 1;
    let harmed = folder.write("harmed.nii.gz", &harmed);
    for (wrong, shift) in [(1, -4096), (4, 4096), (4, -4096), (6, -4096)] {
        let mut index = b"GZIDX\x01\0".to_vec();
        index.extend((packed.len() as u64).to_le_bytes());
        index.extend((plain.len() as u64).to_le_bytes());
        let count = members.len() as u32;
        index.extend([1 << 20, 32 << 10, count].map(u32::to_le_bytes).concat());
        // Behind the header, which has no fields.
        let mut byte = 10;
        for (i, member) in members.iter().enumerate() {
            let shift = if i == wrong { shift } else { 0 };
            let position = (i * step) as i64 + shift;
            index.extend([byte, position as u64].map(u64::to_le_bytes).concat());
            index.extend([0, 0]);
            byte += member.len() as u64;
        }
        let index = folder.write("index", &index);
        for threads in [1, 2] {
            let proxy = ArrayProxy::open_with(&path, &cold().threads(threads)).unwrap();
            proxy.load_index(&index).unwrap();
            assert!(
                read(&proxy, &[]).unwrap() == plain[352..],
                "{wrong} {shift} {threads}"
            );
            let proxy = ArrayProxy::open_with(&harmed, &cold().threads(threads)).unwrap();
            proxy.load_index(&index).unwrap();
            let error = read(&proxy, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Codec, "{wrong} {shift} {threads}");
        }
    }
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

/// Of a file with flushes each piece is a place that needs no window; the file
/// of an index has room for one.
#[test]
fn saved_indexes_of_files_with_flushes_are_small() {
    let folder = Folder::new("flushes");
    let plain = image();
    let options = cold().threads(2).index_spacing(Some(1 << 20));
    let proxy = open(&flushed(&plain, 128 << 10, 6), &options);
    assert!(read(&proxy, &[]).unwrap() == plain[352..]);
    assert!(proxy.index_info().points > 20);
    let path = folder.path("index");
    proxy.save_index(&path).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < plain.len() as u64 / 20, "{size}");
    let loaded = open(&flushed(&plain, 128 << 10, 6), &cold());
    loaded.load_index(&path).unwrap();
    assert!(is_right(&loaded, &plain, 70));
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
