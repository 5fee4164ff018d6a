//! gzip (RFC 1952): members one after the other, each a deflate stream.
//!
//! As in other readers, zero bytes between and behind members are skipped,
//! and what follows the last member and is none itself is ignored.

use std::sync::{Arc, Mutex, PoisonError};

use super::Decoding;
use super::inflate::Inflate;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf};

/// Compressed bytes read at a time. The first read is small: opening needs
/// little more than the header.
const FIRST_INPUT: usize = 4 << 10;
const INPUT: usize = 64 << 10;

/// Decoded bytes to skip at a time.
const SKIP: usize = 32 << 10;

/// Decoded bytes behind the data in which the end of their member is looked
/// for.
const LOOK: usize = 64 << 10;

/// Longest header of a member. The format has no limit, but a name without an
/// end must not lead through all of a file.
const MOST_HEADER: u64 = 1 << 20;

/// Decoders kept between reads, of about 110 KiB each. Reads that go forward
/// continue one of them.
const KEPT: usize = 4;

/// Whether bytes begin as a gzip member does: magic, method, no reserved flag
/// (RFC 1952, 2.3.1).
pub(super) fn is_magic(head: &[u8]) -> bool {
    matches!(head, [0x1F, 0x8B, 8, flags, ..] if flags & 0xE0 == 0)
}

/// A gzip file as its decoded bytes.
pub(super) struct Gzip {
    source: Arc<dyn ReadAt>,
    decoding: Decoding,
    /// Decoders that wait for a read behind their position. The lock is held
    /// to take or give one, never to decode.
    kept: Arc<Mutex<Vec<Decoder>>>,
}

impl Gzip {
    pub(super) fn new(source: Arc<dyn ReadAt>, decoding: Decoding) -> Gzip {
        Gzip {
            source,
            decoding,
            kept: Arc::default(),
        }
    }

    /// The kept decoder that is nearest before `offset`, or one at the start.
    fn take(&self, offset: u64) -> Decoder {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let near = (0..kept.len())
            .filter(|&i| kept[i].position <= offset)
            .max_by_key(|&i| kept[i].position);
        match near {
            Some(i) => kept.swap_remove(i),
            None => Decoder::new(self.decoding.verify),
        }
    }

    fn give(&self, decoder: Decoder) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let most = if self.decoding.frugal { 1 } else { KEPT };
        if kept.len() >= most {
            kept.remove(0);
        }
        kept.push(decoder);
    }
}

impl ReadAt for Gzip {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        // A decoder that failed is not given back.
        let mut decoder = self.take(offset);
        let source = &*self.source;
        let mut skipped = Vec::with_capacity(SKIP.min((offset - decoder.position) as usize));
        while decoder.position < offset && !decoder.ended() {
            let left = usize::try_from(offset - decoder.position).unwrap_or(SKIP);
            let len = left.min(SKIP);
            decoder.read(
                source,
                &mut ReadBuf::new(&mut skipped.spare_capacity_mut()[..len]),
            )?;
        }
        if !decoder.ended() {
            decoder.read(source, buffer)?;
        }
        self.give(decoder);
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn check_end(&self, offset: u64) -> Result<()> {
        let mut decoder = self.take(offset);
        if !self.decoding.verify || decoder.position != offset || decoder.place != Place::Stream {
            self.give(decoder);
            return Ok(());
        }
        // Damage often moves the end of the data; then it is found near.
        let mut behind = Vec::with_capacity(LOOK);
        decoder.read(
            &*self.source,
            &mut ReadBuf::new(behind.spare_capacity_mut()),
        )
    }

    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        Ok(self.source.pin()?.map(|source| {
            Arc::new(Gzip {
                source,
                decoding: self.decoding,
                kept: self.kept.clone(),
            }) as Arc<dyn ReadAt>
        }))
    }

    fn trim(&self) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.source.trim();
    }
}

/// Where in the file a decoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a member; the first must be there.
    Member,
    /// In a deflate stream.
    Stream,
    /// Behind the last member, or where the file was cut.
    End,
}

/// A place in the decoded bytes, and all that is needed to go on from there.
struct Decoder {
    /// Decoded bytes so far.
    position: u64,
    place: Place,
    inflate: Inflate,
    /// Compressed bytes read but not used: those of `input` from `used` on.
    input: Vec<u8>,
    used: usize,
    /// Where in the file the bytes behind `input` are.
    next: u64,
    verify: bool,
    checksum: flate2::Crc,
    /// Where the member began, in the file and in the decoded bytes.
    member: (u64, u64),
}

impl Decoder {
    fn new(verify: bool) -> Decoder {
        Decoder {
            position: 0,
            place: Place::Member,
            inflate: Inflate::new(),
            input: Vec::new(),
            used: 0,
            next: 0,
            verify,
            checksum: flate2::Crc::new(),
            member: (0, 0),
        }
    }

    fn ended(&self) -> bool {
        self.place == Place::End
    }

    /// Byte of the file that comes next.
    fn at(&self) -> u64 {
        self.next - (self.input.len() - self.used) as u64
    }

    /// Fill the buffer with the bytes that come next; less only at the end. If
    /// the member ends with the last of them, its checksum is looked at.
    fn read(&mut self, source: &dyn ReadAt, buffer: &mut ReadBuf<'_>) -> Result<()> {
        loop {
            match self.place {
                Place::Member if buffer.room() > 0 => self.begin_member(source)?,
                Place::Member | Place::End => return Ok(()),
                Place::Stream => {
                    if !self.decode(source, buffer)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// One step in a stream; `false` where the buffer is full and the stream
    /// does not end there. A step with a full buffer finds an end.
    fn decode(&mut self, source: &dyn ReadAt, buffer: &mut ReadBuf<'_>) -> Result<bool> {
        let before = buffer.filled().len();
        let full = buffer.room() == 0;
        let step = self.inflate.step(&self.input[self.used..], buffer);
        let step = step.map_err(|_| self.damaged("the deflate stream is damaged"))?;
        self.used += step.used;
        let new = &buffer.filled()[before..];
        let stalled = step.used == 0 && new.is_empty();
        self.position += new.len() as u64;
        if self.verify {
            self.checksum.update(new);
        }
        if step.ended {
            self.end_member(source)?;
        } else if self.used < self.input.len() {
            // Input is left: only a full buffer can hold the decoder up.
            if stalled && !full {
                return Err(self.damaged("the deflate stream does not go on"));
            }
            return Ok(!full);
        } else if !self.refill(source)? && stalled {
            // Cut short: what was decoded is all there is.
            if full {
                return Ok(false);
            }
            self.place = Place::End;
        }
        Ok(true)
    }

    fn begin_member(&mut self, source: &dyn ReadAt) -> Result<()> {
        let first = self.at() == 0;
        while !first && self.peek(source)? == Some(0) {
            let rest = &self.input[self.used..];
            self.used += rest.iter().take_while(|&&byte| byte == 0).count();
        }
        let start = self.at();
        if self.peek(source)?.is_none() {
            self.place = Place::End;
            return Ok(());
        }
        match self.header(source) {
            Ok(true) => {
                self.member = (start, self.position);
                self.checksum.reset();
                self.inflate.reset();
                self.place = Place::Stream;
                Ok(())
            }
            // Behind a member, what is no member is not the data's.
            Ok(false) if !first => {
                self.place = Place::End;
                Ok(())
            }
            Ok(false) => Err(self.damaged("this is no gzip file")),
            Err(error) => Err(error),
        }
    }

    /// Go over a member's header (RFC 1952, 2.3). `false` if there is none.
    fn header(&mut self, source: &dyn ReadAt) -> Result<bool> {
        let start = self.at();
        let mut fixed = [0; 10];
        if !self.take_bytes(source, &mut fixed)? || !is_magic(&fixed) {
            return Ok(false);
        }
        let has = |flag: u8| fixed[3] & flag != 0;
        if has(4) {
            let mut len = [0; 2];
            if !self.take_bytes(source, &mut len)? {
                return Ok(false);
            }
            let mut extra = vec![0; u16::from_le_bytes(len).into()];
            if !self.take_bytes(source, &mut extra)? {
                return Ok(false);
            }
        }
        // Name, then comment, each ended by a zero byte.
        for flag in [8, 16] {
            let mut byte = [u8::from(has(flag))];
            while byte != [0] {
                let within = self.at() - start < MOST_HEADER;
                if !within || !self.take_bytes(source, &mut byte)? {
                    return Ok(false);
                }
            }
        }
        let mut checksum = [0; 2];
        Ok(!has(2) || self.take_bytes(source, &mut checksum)?)
    }

    /// Checksum and size behind a stream. A file cut there still has its data.
    fn end_member(&mut self, source: &dyn ReadAt) -> Result<()> {
        let mut trailer = [0; 8];
        if !self.take_bytes(source, &mut trailer)? {
            self.place = Place::End;
            return Ok(());
        }
        self.place = Place::Member;
        if !self.verify {
            return Ok(());
        }
        let number = |at: usize| {
            u32::from_le_bytes([
                trailer[at],
                trailer[at + 1],
                trailer[at + 2],
                trailer[at + 3],
            ])
        };
        let (sum, size) = (self.checksum.sum(), (self.position - self.member.1) as u32);
        if sum != number(0) {
            return Err(self.damaged(&format!(
                "the checksum of the gzip member that begins at byte {} is {:08x}, its data have {sum:08x}",
                self.member.0,
                number(0)
            )));
        }
        if size != number(4) {
            return Err(self.damaged(&format!(
                "the gzip member that begins at byte {} says that it has {} bytes, it has {size}",
                self.member.0,
                number(4)
            )));
        }
        Ok(())
    }

    /// The compressed bytes that come next; `false` if the file ends before.
    fn take_bytes(&mut self, source: &dyn ReadAt, to: &mut [u8]) -> Result<bool> {
        for byte in to {
            match self.peek(source)? {
                Some(next) => *byte = next,
                None => return Ok(false),
            }
            self.used += 1;
        }
        Ok(true)
    }

    /// The next compressed byte; `None` at the end of the file.
    fn peek(&mut self, source: &dyn ReadAt) -> Result<Option<u8>> {
        if self.used == self.input.len() && !self.refill(source)? {
            return Ok(None);
        }
        Ok(Some(self.input[self.used]))
    }

    /// Read more compressed bytes; `false` at the end of the file.
    fn refill(&mut self, source: &dyn ReadAt) -> Result<bool> {
        let len = if self.next == 0 { FIRST_INPUT } else { INPUT };
        self.input = source.read_vec(self.next, len)?;
        self.used = 0;
        self.next += self.input.len() as u64;
        Ok(!self.input.is_empty())
    }

    fn damaged(&self, reason: &str) -> Error {
        let text = format!("{reason}, after {} decoded bytes", self.position);
        Error::new(ErrorKind::Codec, text).at(self.at())
    }
}

#[cfg(test)]
#[path = "gzip_tests.rs"]
mod tests;
