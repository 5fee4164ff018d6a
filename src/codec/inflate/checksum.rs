//! Checksums of decoded bytes.

use crc32fast::Hasher;

/// CRC-32 of bytes that come one part after the other (RFC 1952, 8).
#[derive(Default, Clone)]
pub(in crate::codec) struct Checksum(Hasher);

impl Checksum {
    pub(in crate::codec) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(in crate::codec) fn value(&self) -> u32 {
        self.0.clone().finalize()
    }
}

/// To go on behind bytes that have that one.
impl From<u32> for Checksum {
    fn from(sum: u32) -> Checksum {
        Checksum(Hasher::new_with_initial(sum))
    }
}

/// CRC-32 of two runs of bytes joined; the second has `len` of them.
pub(in crate::codec) fn joined(first: u32, second: u32, len: u64) -> u32 {
    let mut sum = Hasher::new_with_initial(first);
    sum.combine(&Hasher::new_with_initial_len(second, len));
    sum.finalize()
}

/// Adler-32 of bytes (RFC 1950, 8.2).
pub(in crate::codec) fn adler(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65521;
    /// Sums that go on beside each other.
    const LANES: usize = 16;
    let (mut a, mut b) = (1, 0);
    // As many as cannot overflow.
    for part in bytes.chunks(5552 / LANES * LANES) {
        let rows = part.chunks_exact(LANES);
        let (count, rest) = (rows.len(), rows.remainder());
        let (mut sums, mut sums_of_sums) = ([0u32; LANES], [0u32; LANES]);
        for row in rows {
            for (lane, &byte) in row.iter().enumerate() {
                sums_of_sums[lane] += sums[lane];
                sums[lane] += u32::from(byte);
            }
        }
        b += a * (count * LANES) as u32;
        for lane in 0..LANES {
            a += sums[lane];
            b += LANES as u32 * sums_of_sums[lane] + (LANES - lane) as u32 * sums[lane];
        }
        for &byte in rest {
            a += u32::from(byte);
            b += a;
        }
        (a, b) = (a % PRIME, b % PRIME);
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        let mut sum = Checksum::default();
        for part in [&b"1234"[..], b"", b"56789"] {
            sum.update(part);
        }
        // The check values of both.
        assert_eq!(sum.value(), 0xCBF4_3926);
        assert_eq!(adler(b"123456789"), 0x091E_01DE);
        assert_eq!(adler(b""), 1);
        // a is one more than the bytes' sum, and b the sum of all its values.
        for (byte, n) in [(1, 10_000), (0xFF, 100_000)] {
            let a = 1 + u64::from(byte) * n;
            let b = n + u64::from(byte) * n * (n + 1) / 2;
            let wanted = ((b % 65521) << 16) + a % 65521;
            assert_eq!(u64::from(adler(&vec![byte; n as usize])), wanted);
        }
    }

    #[test]
    fn joined_sums_are_those_of_joined_bytes() {
        let data: Vec<u8> = (0..70_000u32)
            .map(|i| (i.wrapping_mul(i) >> 5) as u8)
            .collect();
        let sum = |bytes: &[u8]| {
            let mut sum = Checksum::default();
            sum.update(bytes);
            sum.value()
        };
        for cut in [0, 1, 3, 4096, 69_999, 70_000] {
            let (front, back) = data.split_at(cut);
            assert_eq!(joined(sum(front), sum(back), back.len() as u64), sum(&data));
        }
    }
}
