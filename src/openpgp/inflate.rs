//! Compressed Data packets (RFC 9580 section 5.6): deflate and zlib, bounded while they inflate.

use super::error::OpenPgpError;
use crate::limits;
use alloc::vec;
use alloc::vec::Vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Algorithms (section 9.4).
const UNCOMPRESSED: u8 = 0;
const DEFLATE: u8 = 1;
const ZLIB: u8 = 2;

/// The packets inside the packet of this body, of at most `room` bytes; what it took is taken off.
pub(super) fn inflated(body: &[u8], room: &mut usize) -> Result<Vec<u8>, OpenPgpError> {
    match body.split_first() {
        Some((&UNCOMPRESSED, packets)) => Ok(packets.into()),
        Some((&DEFLATE, stream)) => inflate(stream, 0, room),
        Some((&ZLIB, stream)) => inflate(stream, TINFL_FLAG_PARSE_ZLIB_HEADER, room),
        Some((&found, _)) => Err(OpenPgpError::Compression { found }),
        None => Err(OpenPgpError::Inflate),
    }
}

/// How much so many bytes may become.
fn bound(stream: usize) -> usize {
    (stream.saturating_mul(limits::OPENPGP_INFLATE_RATIO))
        .saturating_add(limits::OPENPGP_INFLATED_FREE)
        .min(limits::OPENPGP_INFLATED)
}

fn inflate(stream: &[u8], flags: u32, room: &mut usize) -> Result<Vec<u8>, OpenPgpError> {
    let limit = bound(stream.len()).min(*room);
    let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = DecompressorOxide::new();
    let mut out = vec![0; stream.len().saturating_mul(2).clamp(1, limit)];
    let (mut read, mut written) = (0, 0);
    loop {
        let rest = stream.get(read..).ok_or(OpenPgpError::Inflate)?;
        let (status, taken, more) = decompress(&mut state, rest, &mut out, written, flags);
        (read, written) = (read + taken, written + more);
        *room = room.saturating_sub(more);
        match status {
            // Nothing may stand behind the end.
            TINFLStatus::Done if read == stream.len() => {
                out.truncate(written);
                return Ok(out);
            }
            TINFLStatus::HasMoreOutput if out.len() < limit => {
                out.resize(out.len().saturating_mul(2).min(limit), 0);
            }
            TINFLStatus::HasMoreOutput => return Err(OpenPgpError::Inflated { limit }),
            _ => return Err(OpenPgpError::Inflate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Coded;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    fn inflated(body: &[u8]) -> Result<Vec<u8>, OpenPgpError> {
        super::inflated(body, &mut { limits::OPENPGP_INFLATED })
    }

    fn packed(data: &[u8]) -> [Vec<u8>; 3] {
        [
            [&[UNCOMPRESSED], data].concat(),
            [&[DEFLATE][..], &compress_to_vec(data, 6)].concat(),
            [&[ZLIB][..], &compress_to_vec_zlib(data, 6)].concat(),
        ]
    }

    #[test]
    fn round_trips() {
        for data in [&b""[..], b"x", &[7; 60_000], &b"{\"a\": 1}".repeat(9_000)] {
            for body in packed(data) {
                assert_eq!(inflated(&body).as_deref(), Ok(data));
            }
        }
    }

    /// CVE-2022-3219 and its like: a message that inflates without end.
    #[test]
    fn bombs() {
        let zeros = vec![0; limits::OPENPGP_INFLATED + 1];
        // The ratio, while inflating: a megabyte of zeros in a kilobyte.
        for data in [&zeros[..1 << 20], &zeros] {
            for body in &packed(data)[1..] {
                assert_eq!(inflated(body).unwrap_err().code(), "openpgp.inflated");
            }
        }
        // The whole: what does not compress.
        let mut state = 1_u32;
        let noise = Vec::from_iter(zeros.iter().map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }));
        for body in &packed(&noise)[1..] {
            assert_eq!(inflated(body).unwrap_err().code(), "openpgp.inflated");
        }
        for body in &packed(&noise[1..])[1..] {
            assert_eq!(inflated(body).as_deref(), Ok(&noise[1..]));
        }
    }

    /// What was inflated counts, whatever came of it.
    #[test]
    fn room_is_taken() {
        let data = [7; 5_000];
        for body in &packed(&data)[1..] {
            for (room, left, is_read) in [(5_000, 0, true), (9_000, 4_000, true), (4_999, 0, false)]
            {
                let mut found = room;
                let read = super::inflated(body, &mut found).is_ok();
                assert_eq!((found, read), (left, is_read), "{room}");
            }
            let (mut found, cut) = (9_000, &body[..body.len() - 1]);
            assert!(super::inflated(cut, &mut found).is_err() && found < 5_000);
        }
    }

    #[test]
    fn malformed() {
        for body in &packed(b"hello hello hello")[1..] {
            for end in 1..body.len() {
                assert!(inflated(&body[..end]).is_err(), "{end}");
            }
            let more = [&body[..], &[0]].concat();
            assert_eq!(inflated(&more).unwrap_err().code(), "openpgp.inflate");
        }
        assert_eq!(inflated(&[]).unwrap_err().code(), "openpgp.inflate");
        for algorithm in [3, 4, 110] {
            let code = inflated(&[algorithm, 1]).unwrap_err().code();
            assert_eq!(code, "openpgp.compression");
        }
    }
}
