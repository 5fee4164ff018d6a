//! Reads of an array that may be in several sources, one source after the other
//! or several at once.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::ArrayProxy;
use super::failure::Failure;
use super::plan::Plan;
use super::read::{self, Read};
use crate::control::Control;
use crate::core::plan::Walk;
use crate::error::Result;
use crate::mem::Target;
use crate::threads;

/// From so many sources for each thread on, a thread reads one by itself.
const MANY: usize = 2;

/// Make the reads of plans for one proxy.
pub(super) fn read_all(
    proxy: &ArrayProxy,
    plans: &[(&Plan, &[Walk], &Target<'_>)],
    control: Option<&Control>,
) -> Result<()> {
    let control = control.map(Control::of_part);
    let control = control.as_ref();
    if let Some(control) = control {
        let bytes = plans.iter().map(|(plan, ..)| plan.nbytes() as u64);
        control.begin(bytes.sum());
        control.step(0)?;
    }
    let limit = control.and_then(Control::threads);
    let threads = threads::allowed(limit.unwrap_or(proxy.shared.threads));
    let read = |number: u32, threads: usize| {
        let of_source = |walks: &'_ [Walk]| {
            let start = walks.partition_point(|walk| walk.source < number);
            let end = walks.partition_point(|walk| walk.source <= number);
            start..end
        };
        let reads = plans.iter().map(|&(plan, walks, target)| Read {
            plan,
            walks: &walks[of_source(walks)],
            target,
            done: AtomicU64::new(0),
        });
        let reads: Vec<Read<'_>> = reads.filter(|read| !read.walks.is_empty()).collect();
        let data = proxy.shared.enter(number as usize, control)?;
        read::run(&data, &reads, threads, control).map_err(|error| data.blame(error))
    };
    if let [_] = proxy.shared.sources[..] {
        return read(0, threads);
    }
    let walks = plans.iter().flat_map(|(_, walks, _)| walks.iter());
    let mut sources: Vec<u32> = walks.map(|walk| walk.source).collect();
    sources.sort_unstable();
    sources.dedup();
    let concurrent = |&number: &u32| {
        let data = &proxy.shared.sources[number as usize];
        data.bytes.is_concurrent()
    };
    let many = threads > 1 && sources.len() >= MANY * threads;
    if !many || !sources.iter().all(concurrent) {
        return sources.iter().try_for_each(|&number| read(number, threads));
    }
    let (next, failure) = (AtomicUsize::new(0), Failure::new(control));
    let work = || {
        while !failure.has_failed() {
            let Some(&number) = sources.get(next.fetch_add(1, Relaxed)) else {
                return;
            };
            if let Err(error) = read(number, 1) {
                failure.fail(number.into(), error);
            }
        }
    };
    let look = failure.look();
    threads::share(threads, work, look.as_deref());
    failure.take()
}
