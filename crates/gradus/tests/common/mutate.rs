//! Damage to files.

use crate::random::Random;

/// Damages a file in a way that its number alone decides: one kind of damage after another.
pub fn mutate(mut bytes: Vec<u8>, number: usize) -> Vec<u8> {
    let mut random = Random(number as u64);
    let length = bytes.len();
    if length < 9 {
        return bytes;
    }
    match number % 8 {
        0 => bytes.truncate(random.below(length)),
        1 => {
            for _ in 0..=random.below(8) {
                let at = random.below(length);
                bytes[at] ^= 1 << random.below(8);
            }
        }
        // Wrong sizes and offsets: eight bytes of extremes.
        2 => {
            let lies = [
                u64::MAX,
                1 << 62,
                1 << 40,
                u64::from(u32::MAX),
                0,
                length as u64,
            ];
            for _ in 0..=random.below(3) {
                let at = random.below(length - 8) & !3;
                let lie = lies[random.below(lies.len())];
                bytes[at..at + 8].copy_from_slice(&lie.to_le_bytes());
            }
        }
        // Wrong pointers: eight bytes from another position.
        3 => {
            for _ in 0..=random.below(3) {
                let (from, to) = (random.below(length - 8) & !7, random.below(length - 8) & !7);
                bytes.copy_within(from..from + 8, to);
            }
        }
        4 => {
            let at = random.below(length);
            let end = length.min(at + 1 + random.below(200));
            bytes[at..end].fill(0);
        }
        // Digits of shapes, and of everything else that is text.
        5 => {
            for _ in 0..40 {
                let at = random.below(length);
                let digit = bytes[at..].iter().position(u8::is_ascii_digit);
                if let Some(offset) = digit {
                    bytes[at + offset] = b'0' + random.below(10) as u8;
                }
            }
        }
        6 => {
            let (at, end) = (random.below(length), random.below(length));
            let part = bytes[at.min(end)..at.max(end)].to_vec();
            bytes.splice(at..at, part);
        }
        _ => {
            let at = random.below(length);
            let end = length.min(at + 1 + random.below(64));
            bytes.drain(at..end);
        }
    }
    bytes
}
