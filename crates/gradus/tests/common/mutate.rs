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

/// Puts another word, or another kind of value, in place of a quoted word of JSON or TOML. Lengths
/// stay, so that what is around the text still fits.
pub fn reword(bytes: &mut [u8], random: &mut Random) {
    let others: [&[u8]; 12] = [
        b"null", b"[]", b"{}", b"0", b"-1", b"true", b"1e99", b"[[]]", b"\"\"", b"0.5", b"1,2",
        b"99",
    ];
    let quotes: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'"').collect();
    let words: Vec<&[usize]> = quotes.windows(2).filter(|w| w[1] - w[0] < 40).collect();
    if words.is_empty() {
        return;
    }
    let place = words[random.below(words.len())];
    let place = place[0]..place[1] + 1;
    let from = words[random.below(words.len())];
    let new = match random.below(2) {
        0 => others[random.below(others.len())].to_vec(),
        _ => bytes[from[0]..=from[1]].to_vec(),
    };
    if new.len() <= place.len() {
        let (start, rest) = bytes[place].split_at_mut(new.len());
        start.copy_from_slice(&new);
        rest.fill(b' ');
    }
}
