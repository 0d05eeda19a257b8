//! The digest of bytes by which a damaged or changed file is noticed: 128 bits of XXH3, which
//! protect from accidents, not from malice.

use std::fmt;
use twox_hash::xxhash3_128::Hasher;

/// A digest under way.
pub(crate) struct Digest(Hasher);

impl Digest {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Digest(Hasher::new())
    }

    /// The digest of these bytes, as 32 hexadecimal digits.
    pub fn of(bytes: &[u8]) -> String {
        format!("{:032x}", Hasher::oneshot(bytes))
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// The digest of all that was added, as 32 hexadecimal digits.
    pub fn finish(&self) -> String {
        format!("{:032x}", self.0.finish_128())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: `XXH3_128bits` of xxHash 0.8.
    #[test]
    fn it_is_xxh3_in_one_piece_or_in_several() {
        assert_eq!(Digest::of(b""), "99aa06d3014798d86001c324468d497f");
        let bytes: Vec<u8> = (0..10_000).map(|i| (i * 7 % 251) as u8).collect();
        let mut digest = Digest::new();
        bytes.chunks(333).for_each(|part| digest.add(part));
        assert_eq!(digest.finish(), Digest::of(&bytes));
    }
}
