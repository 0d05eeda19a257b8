//! Hashes whose values are part of a model: those that TensorFlow has, and so Keras'
//! layers.

mod farm;
mod sip;

use farm::fingerprint;
use serde::{Deserialize, Serialize};
use sip::keyed;

/// The salt of a hash, two numbers. A configuration may give one, which stands for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "Given")]
pub struct Salt(pub i64, pub i64);

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "expected a whole number, or two of them")]
enum Given {
    One(i64),
    Two(i64, i64),
}

impl From<Given> for Salt {
    fn from(given: Given) -> Self {
        match given {
            Given::One(one) => Salt(one, one),
            Given::Two(first, second) => Salt(first, second),
        }
    }
}

/// The bucket of a text, out of `buckets`: by FarmHash64, or by SipHash64 with a salt.
pub(crate) fn bucket(text: &[u8], buckets: usize, salt: Option<Salt>) -> usize {
    let hash = match salt {
        None => fingerprint(text),
        Some(Salt(first, second)) => keyed(text, [first as u64, second as u64]),
    };
    (hash % buckets.max(1) as u64) as usize
}

/// Like [`bucket`], for the decimal digits of a whole number.
pub(crate) fn bucket_of_number(number: i64, buckets: usize, salt: Option<Salt>) -> usize {
    // 19 digits and a sign at most; nothing is allocated.
    let mut text = [0; 20];
    let mut at = text.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        text[at] = b'-';
    }
    bucket(&text[at..], buckets, salt)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// FNV-1a, whose values never change, unlike the standard library's hash.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Buckets of TensorFlow's `to_hash_bucket_fast` and `to_hash_bucket_strong` with
    /// the keys (3, 3) and (-5, 2^40).
    const TABLE: &str = include_str!("tensorflow.json");

    #[test]
    fn the_buckets_are_those_of_tensorflow() {
        let table: Vec<(String, usize, usize, usize)> = serde_json::from_str(TABLE).unwrap();
        assert!(table.iter().any(|(text, ..)| text.len() == 1000));
        let most = i64::MAX as usize;
        for (text, plain, salted, other) in table {
            let of = |salt| bucket(text.as_bytes(), most, salt);
            assert_eq!(of(None), plain, "{text:?}");
            assert_eq!(of(Some(Salt(3, 3))), salted, "{text:?}");
            assert_eq!(of(Some(Salt(-5, 1 << 40))), other, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_hashed_as_its_digits() {
        for number in [0, 7, -1, 120, i64::MIN, i64::MAX] {
            let text = number.to_string();
            let expected = bucket(text.as_bytes(), 1 << 40, None);
            assert_eq!(bucket_of_number(number, 1 << 40, None), expected);
        }
    }

    #[test]
    fn a_salt_is_one_number_or_two() {
        let read = |text: &str| serde_json::from_str::<Salt>(text);
        assert_eq!(read("3").unwrap(), Salt(3, 3));
        assert_eq!(read("[3, -1]").unwrap(), Salt(3, -1));
        assert_eq!(serde_json::to_string(&Salt(3, -1)).unwrap(), "[3,-1]");
        for text in ["[1]", "[1, 2, 3]", "\"a\"", "1.5"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("two of them"), "{error}");
        }
    }
}
