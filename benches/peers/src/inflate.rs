//! A gzip file of one member, decoded in one go, with its checksum. The size
//! of the result is known beforehand, from the trailer. libdeflate takes block-
//! gzip as well, by the sizes that its members tell.

use std::error::Error;
use std::time::Instant;

use libz_rs_sys::{Z_FINISH, Z_STREAM_END, inflate, inflateEnd, inflateInit2_, z_stream};

use crate::memory::Map;
use crate::{Answer, Job, checksum};

/// Bytes before the array, which do not count as a result.
const HEADER: usize = 352;

type Done = Result<(), Box<dyn Error>>;

fn decoded(job: &Job, decode: fn(&[u8], &mut [u8]) -> Done) -> Answer {
    if job.work != "whole" {
        return Err("no such work".into());
    }
    let size = *Map::of(job.file)?.last_chunk().ok_or("an empty file")?;
    let mut result = vec![0; u32::from_le_bytes(size) as usize];
    let start = Instant::now();
    let packed = Map::of(job.file)?;
    decode(&packed, &mut result)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, checksum(&result[HEADER..])))
}

/// Compressed and decoded bytes of the member that comes next, if it is one of
/// block-gzip.
fn block(packed: &[u8]) -> Option<(usize, usize)> {
    let is_block = packed.get(12..16)? == b"BC\x02\0";
    let size = usize::from(u16::from_le_bytes(packed.get(16..18)?.try_into().ok()?)) + 1;
    let decoded = packed.get(..size)?.last_chunk()?;
    is_block.then_some((size, u32::from_le_bytes(*decoded) as usize))
}

/// One member after the other.
fn blocks(job: &Job) -> Answer {
    let mut size = 0;
    let all = Map::of(job.file)?;
    let mut rest = &all[..];
    while let Some((packed, decoded)) = block(rest) {
        size += decoded;
        rest = &rest[packed..];
    }
    let mut result = vec![0; size];
    let start = Instant::now();
    let all = Map::of(job.file)?;
    let (mut rest, mut to) = (&all[..], &mut result[..]);
    let mut decoder = libdeflater::Decompressor::new();
    while let Some((packed, decoded)) = block(rest) {
        let (here, behind) = to.split_at_mut(decoded);
        decoder.gzip_decompress(&rest[..packed], here)?;
        (rest, to) = (&rest[packed..], behind);
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, checksum(&result[HEADER..])))
}

pub fn libdeflate(job: &Job) -> Answer {
    if job.work == "whole" && block(&Map::of(job.file)?).is_some() {
        return blocks(job);
    }
    decoded(job, |packed, result| {
        let n = libdeflater::Decompressor::new().gzip_decompress(packed, result)?;
        if n == result.len() {
            Ok(())
        } else {
            Err("more than one member".into())
        }
    })
}

pub fn zlib_rs(job: &Job) -> Answer {
    decoded(job, |packed, result| {
        let mut stream = z_stream {
            next_in: packed.as_ptr().cast_mut(),
            avail_in: packed.len().try_into()?,
            next_out: result.as_mut_ptr(),
            avail_out: result.len().try_into()?,
            ..z_stream::default()
        };
        let size = size_of::<z_stream>() as i32;
        // SAFETY: the stream's pointers and lengths are those of two slices,
        // and it is ended before they are.
        let end = unsafe {
            // 31: the largest window, in gzip's wrapping.
            inflateInit2_(&mut stream, 31, libz_rs_sys::zlibVersion(), size);
            let end = inflate(&mut stream, Z_FINISH);
            inflateEnd(&mut stream);
            end
        };
        if end == Z_STREAM_END && stream.avail_out == 0 {
            Ok(())
        } else {
            Err(format!("inflate gives {end}").into())
        }
    })
}
