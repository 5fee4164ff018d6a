//! Readers in Rust that the library is measured against, each a process of its
//! own: `zlib-rs` and `libdeflate` only decode to memory, which is the limit
//! for a reader that does more; `limit` is that for plain files; `nifti` is the
//! crate.
//!
//! The lines that come and go are those of `server.h`.

mod image;
mod inflate;
mod limit;
mod memory;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};

/// A line of work.
pub struct Job<'a> {
    pub work: &'a str,
    pub file: &'a str,
    args: HashMap<&'a str, &'a str>,
}

impl<'a> Job<'a> {
    fn parse(line: &'a str) -> Option<Job<'a>> {
        let mut parts = line.split('\t');
        let (work, file) = (parts.next()?, parts.next()?);
        let args = parts.filter_map(|part| part.split_once('=')).collect();
        Some(Job { work, file, args })
    }

    pub fn text(&self, name: &str, without: &'a str) -> &'a str {
        self.args.get(name).copied().unwrap_or(without)
    }
}

/// Seconds, and the checksum of the result.
pub type Answer = Result<(f64, u64), Box<dyn Error>>;

/// As `server.h` has it.
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0u64, |sum, piece| {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        let word = u64::from_le_bytes(word);
        sum.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(word ^ (word >> 32))
    })
}

/// The version of a crate that was built in.
fn version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let at = lock.find(&entry).expect("in the lock file") + entry.len();
    lock[at..].split('"').next().expect("a version")
}

fn main() -> Result<(), Box<dyn Error>> {
    type Work = fn(&Job) -> Answer;
    let (name, work): (String, Work) = match std::env::args().nth(1).as_deref() {
        Some("zlib-rs") => (format!("zlib-rs {}", version("zlib-rs")), inflate::zlib_rs),
        Some("libdeflate") => {
            let name = format!("libdeflate {}", version("libdeflate-sys"));
            (name, inflate::libdeflate)
        }
        Some("nifti") => (format!("nifti crate {}", version("nifti")), image::work),
        Some("limit") => ("plain code".into(), limit::work),
        _ => return Err("which reader: zlib-rs, libdeflate, nifti or limit".into()),
    };
    println!("{name}");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let job = Job::parse(&line).ok_or("a job needs a work and a file")?;
        match work(&job) {
            Ok((seconds, sum)) => println!("ok\t{seconds:.9}\t{sum:016x}"),
            Err(error) => println!("error\t{error}"),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
