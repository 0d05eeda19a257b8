//! The index of a whole number: in a vocabulary, or among buckets by its hash.

use crate::base::hash::{Salt, bucket_of_number};

/// x truncated to a whole number; NaN and out-of-range values become the least integer, as in
/// TensorFlow.
fn whole(x: f32) -> i64 {
    const LIMIT: f32 = (1_u64 << 63) as f32;
    match (-LIMIT..LIMIT).contains(&x) {
        true => x as i64,
        false => i64::MIN,
    }
}

/// A vocabulary of whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    known: Vec<(i64, f32)>,
    unknown: Unknown,
}

/// The index of a number that is not in the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unknown {
    /// A fixed index.
    At(f32),
    /// From `first` on, the remainder of a division by `count`.
    Remainder {
        /// First index.
        first: usize,
        /// The total number.
        count: usize,
    },
    /// From `first` on, the bucket of its digits.
    Hashed {
        /// First index.
        first: usize,
        /// The buckets.
        into: Buckets,
    },
}

impl Places {
    /// With these numbers and their indices.
    pub fn new(known: impl IntoIterator<Item = (i64, f32)>, unknown: Unknown) -> Self {
        let mut known: Vec<(i64, f32)> = known.into_iter().collect();
        known.sort_unstable_by_key(|&(number, _)| number);
        Places { known, unknown }
    }

    /// The numbers with their indices, ascending.
    pub fn known(&self) -> &[(i64, f32)] {
        &self.known
    }

    /// The index of all other numbers.
    pub fn unknown(&self) -> Unknown {
        self.unknown
    }

    /// The index of x.
    pub fn of(&self, x: f32) -> f32 {
        let number = whole(x);
        match self
            .known
            .binary_search_by_key(&number, |&(known, _)| known)
        {
            Ok(at) => self.known[at].1,
            Err(_) => match self.unknown {
                Unknown::At(place) => place,
                Unknown::Remainder { first, count } => {
                    first as f32 + number.rem_euclid(count.max(1) as i64) as f32
                }
                Unknown::Hashed { first, into } => first as f32 + into.bucket(number),
            },
        }
    }
}

/// Hash buckets for numbers, by their digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buckets {
    /// The total number.
    pub count: usize,
    /// Salt of the hash.
    pub salt: Option<Salt>,
    /// The number with bucket 0 to itself; the others share the buckets after it.
    pub mask: Option<i64>,
}

impl Buckets {
    /// The bucket of x.
    pub fn of(&self, x: f32) -> f32 {
        match self.mask.filter(|_| self.count > 1) {
            Some(mask) if x == mask as f32 => 0.0,
            Some(_) => bucket_of_number(whole(x), self.count - 1, self.salt) as f32 + 1.0,
            None => self.bucket(whole(x)),
        }
    }

    fn bucket(&self, number: i64) -> f32 {
        bucket_of_number(number, self.count, self.salt) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_whole_number_becomes_one() {
        assert_eq!([2.9, -1.7, -0.2].map(whole), [2, -1, 0]);
        let none = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e20];
        assert_eq!(none.map(whole), [i64::MIN; 4]);
    }

    #[test]
    fn places_and_buckets_are_those_of_keras() {
        // From Keras 3.15: IntegerLookup and Hashing of these numbers.
        let x = [0.0, 2.0, 2.0, 2.0, -1.0, 5.0];
        let known = || [(2, 3.0), (5, 4.0)];
        let unknown = Unknown::Remainder { first: 0, count: 3 };
        let places = Places::new(known(), unknown);
        assert_eq!(x.map(|x| places.of(x)), [0., 3., 3., 3., 2., 4.]);
        let (salt, mask) = (Some(Salt(1, 2)), None);
        let into = Buckets {
            count: 3,
            salt,
            mask,
        };
        let places = Places::new(known(), Unknown::Hashed { first: 0, into });
        assert_eq!(x.map(|x| places.of(x)), [2., 3., 3., 3., 2., 4.]);
        let mut buckets = Buckets {
            count: 7,
            salt: None,
            mask: None,
        };
        assert_eq!(x.map(|x| buckets.of(x)), [2., 5., 5., 5., 4., 1.]);
        buckets.mask = Some(2);
        assert_eq!(x.map(|x| buckets.of(x)), [2., 0., 0., 0., 1., 2.]);
    }
}
