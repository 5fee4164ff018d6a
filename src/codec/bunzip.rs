//! The decoder of bzip2, which gets its bits from any bit of the source on.

use ::bzip2::{Decompress, Error as Failure, Status};

use super::coding::damage;
use crate::error::{Error, ErrorKind, Result};

/// Compressed bytes shifted at a time.
const SHIFTED: usize = 2 << 10;

/// Bytes up to the end of a magic, and more than the decoder looks ahead.
const NEAR: usize = 32;

/// A stream being decoded, or what follows one of its blocks' magics.
pub(super) struct Bunzip {
    decoder: Decompress,
    /// Bits of the first byte that are not the decoder's. It gets each byte
    /// with so many bits of the next.
    skipped: u8,
    /// The byte whose last bits it has not got yet, if there are such.
    held: u8,
    /// Bytes of the source since decoding began, the held one included.
    pub(super) taken: u64,
}

/// What the decoder did.
#[derive(Default)]
pub(super) struct Fed {
    pub(super) used: usize,
    pub(super) given: usize,
    pub(super) ended: bool,
}

impl Bunzip {
    /// At the begin of a stream.
    pub(super) fn new() -> Bunzip {
        Bunzip {
            decoder: Decompress::new(false),
            skipped: 0,
            held: 0,
            taken: 0,
        }
    }

    /// Behind the magic of a block, in the stream of that level. `first` is
    /// the byte in which the magic ends with the number of its bits that are
    /// the block's, if it shares it.
    pub(super) fn at_block(level: usize, first: Option<(u8, u8)>) -> Result<Bunzip> {
        let mut bunzip = Bunzip::new();
        let mut head = *b"BZh?1AY&SY";
        head[3] = b'0' + level as u8;
        bunzip.feed(&head, &mut [])?;
        bunzip.taken = 0;
        if let Some((byte, bits)) = first {
            bunzip.skipped = 8 - bits;
            bunzip.held = byte;
            bunzip.taken = 1;
        }
        Ok(bunzip)
    }

    /// Bits of the source that it has got, counted from the first byte.
    pub(super) fn reached(&self) -> u64 {
        let got = self.taken - u64::from(self.skipped > 0);
        8 * got + u64::from(self.skipped)
    }

    /// Let it have input, as much as it takes with that output.
    pub(super) fn feed(&mut self, input: &[u8], output: &mut [u8]) -> Result<Fed> {
        let before = self.decoder.total_out();
        let mut fed = Fed::default();
        let mut shifted = [0; SHIFTED];
        loop {
            let rest = &input[fed.used..];
            let room = &mut output[fed.given..];
            let read_before = self.decoder.total_in();
            let (len, status) = if self.skipped == 0 {
                (rest.len(), self.decoder.decompress(rest, room))
            } else {
                let len = rest.len().min(SHIFTED);
                self.shift(&rest[..len], &mut shifted);
                (len, self.decoder.decompress(&shifted[..len], room))
            };
            let n = (self.decoder.total_in() - read_before) as usize;
            if let Some(&last) = rest[..n].last() {
                self.held = last;
            }
            fed.used += n;
            self.taken += n as u64;
            fed.given = (self.decoder.total_out() - before) as usize;
            fed.ended = ended(status)?;
            if fed.ended || n < len || fed.used == input.len() {
                return Ok(fed);
            }
        }
    }

    fn shift(&self, bytes: &[u8], shifted: &mut [u8; SHIFTED]) {
        let mut held = self.held;
        for (to, &byte) in shifted.iter_mut().zip(bytes) {
            *to = held << self.skipped | byte >> (8 - self.skipped);
            held = byte;
        }
    }

    /// Let it have input up to the end of the block: without room for output
    /// it does not go on. The byte with which it has read the block tells where
    /// that ends. It takes more at a time than it needs, so before the end of
    /// the input, where the next magic is, it gets single bytes.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<Fed> {
        let many = input.len().saturating_sub(NEAR);
        let mut fed = match many {
            0 => Fed::default(),
            _ => self.feed(&input[..many], &mut [])?,
        };
        while fed.used >= many && fed.used < input.len() && !fed.ended {
            let one = self.feed(&input[fed.used..=fed.used], &mut [])?;
            if one.used == 0 {
                break;
            }
            fed.used += 1;
            fed.ended = one.ended;
        }
        Ok(fed)
    }
}

/// Whether the decoder has come to the end of its stream.
fn ended(status: std::result::Result<Status, Failure>) -> Result<bool> {
    match status {
        Ok(Status::StreamEnd) => Ok(true),
        Ok(Status::MemNeeded) => {
            let text = "there is no memory for a bzip2 block";
            Err(Error::new(ErrorKind::Memory, text))
        }
        Ok(_) => Ok(false),
        Err(_) => Err(damage("the bzip2 stream is damaged")),
    }
}
