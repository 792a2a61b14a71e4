//! Bytes from first to last, as packets' bodies are read.

use super::error::OpenPgpError;

/// What is left of a body.
#[derive(Debug, Clone)]
pub(super) struct Octets<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Octets<'a> {
    /// `what` is for messages: "a signature".
    pub(super) fn of(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(super) fn malformed(&self) -> OpenPgpError {
        OpenPgpError::Malformed { what: self.what }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn finish(&self) -> Result<(), OpenPgpError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], OpenPgpError> {
        let (taken, rest) = (self.rest.split_at_checked(length)).ok_or_else(|| self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], OpenPgpError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.malformed())
    }

    pub(super) fn u8(&mut self) -> Result<u8, OpenPgpError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<usize, OpenPgpError> {
        self.array().map(|bytes| u16::from_be_bytes(bytes).into())
    }

    pub(super) fn u32(&mut self) -> Result<u32, OpenPgpError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Of four bytes.
    pub(super) fn length(&mut self) -> Result<usize, OpenPgpError> {
        usize::try_from(self.u32()?).map_err(|_| self.malformed())
    }

    /// A multiprecision integer without zeros in front (RFC 9580 section 3.2): its bits are counted
    /// from the first that is set.
    pub(super) fn mpi(&mut self) -> Result<&'a [u8], OpenPgpError> {
        let bits = self.u16()?;
        let value = self.take(bits.div_ceil(8))?;
        let zeros = value.first().map_or(0, |byte| byte.leading_zeros());
        if usize::try_from(zeros).ok() != Some(value.len() * 8 - bits) {
            return Err(self.malformed());
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_spelling() {
        let mpi = |bytes: &[u8]| Octets::of(bytes, "a number").mpi().map(<[u8]>::to_vec);
        assert_eq!(mpi(&[0, 0]), Ok([].to_vec()));
        assert_eq!(mpi(&[0, 1, 1]), Ok([1].to_vec()));
        assert_eq!(mpi(&[0, 9, 1, 255]), Ok([1, 255].to_vec()));
        for bad in [
            &[0, 2, 1][..],
            &[0, 8, 1],
            &[0, 1, 3],
            &[0, 9, 0, 255],
            &[0, 9, 1],
            &[0],
            &[],
            &[255, 255, 255],
        ] {
            assert!(mpi(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_is_read_twice_or_past_the_end() {
        let mut octets = Octets::of(&[1, 0, 2, 0, 0, 0, 3, 9], "bytes");
        assert_eq!(octets.u8(), Ok(1));
        assert_eq!(octets.u16(), Ok(2));
        assert_eq!(octets.length(), Ok(3));
        assert!(octets.finish().is_err());
        assert!(octets.take(2).is_err());
        assert_eq!(octets.take(1), Ok(&[9][..]));
        assert!(octets.is_empty() && octets.finish().is_ok());
    }
}
