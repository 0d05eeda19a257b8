//! Statistics of targets, and a description in words.

use std::collections::HashMap;

/// Limit of distinct values that are counted.
const MOST_COUNTED: usize = 1 << 16;
/// Limit of classes that are all named with their shares.
const ALL_NAMED: usize = 6;
/// Number of the largest classes named if there are more.
const LARGEST: usize = 3;
/// Numbers of distinct whole values that may be classes.
const FEW: std::ops::RangeInclusive<usize> = 3..=20;
/// Rows per value below which they are not classes.
const ROWS_EACH: u64 = 10;

/// Statistics of a target's values: of class labels, or of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    rows: u64,
    sum: f64,
    range: Option<(f64, f64)>,
    /// Occurrences of each value; `None` if there are too many values.
    counts: Option<HashMap<u64, u64>>,
    too_many: bool,
}

impl Outcome {
    /// Adds a row's value.
    pub fn add(&mut self, x: f64) {
        self.rows += 1;
        self.sum += x;
        self.range = match self.range {
            None => Some((x, x)),
            Some((least, most)) => Some((least.min(x), most.max(x))),
        };
        if self.too_many {
            return;
        }
        let counts = self.counts.get_or_insert_default();
        // Negative zero counts as zero.
        *counts.entry((x + 0.0).to_bits()).or_default() += 1;
        if counts.len() > MOST_COUNTED {
            (self.counts, self.too_many) = (None, true);
        }
    }

    fn count(&self, x: f64) -> u64 {
        let counts = self.counts.as_ref();
        counts.map_or(0, |counts| counts.get(&x.to_bits()).copied().unwrap_or(0))
    }

    /// True if all values are 0 or 1.
    pub fn is_binary(&self) -> bool {
        self.rows > 0 && self.count(0.0) + self.count(1.0) == self.rows
    }

    /// The number of distinct values, if all are whole, few, and frequent enough to be classes.
    pub fn few_whole_numbers(&self) -> Option<usize> {
        let counts = self.counts.as_ref()?;
        let whole = counts
            .keys()
            .all(|&bits| f64::from_bits(bits).fract() == 0.0);
        let often = counts.len() as u64 * ROWS_EACH <= self.rows;
        (whole && often && FEW.contains(&counts.len())).then_some(counts.len())
    }

    /// `a number, mean 2.5, from 1 to 9`.
    pub fn number(&self) -> String {
        match self.range {
            None => "a number".into(),
            Some((least, most)) => {
                let mean = short(self.sum / self.rows as f64);
                format!(
                    "a number, mean {mean}, from {} to {}",
                    short(least),
                    short(most)
                )
            }
        }
    }

    /// `2 classes, no (61%), yes (39%)`: the number of classes, and names if they have some.
    pub fn classes(&self, count: usize, name: impl Fn(usize) -> String) -> String {
        let mut each: Vec<(usize, u64)> = (0..count).map(|n| (n, self.count(n as f64))).collect();
        let named = |each: &[(usize, u64)]| {
            let named = each
                .iter()
                .map(|&(class, count)| format!("{} ({})", name(class), percent(count, self.rows)));
            named.collect::<Vec<_>>().join(", ")
        };
        if self.counts.is_none() {
            return format!("{count} classes");
        }
        if count <= ALL_NAMED {
            return format!("{count} classes, {}", named(&each));
        }
        each.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
        let largest = named(&each[..LARGEST]);
        format!("{count} classes, the largest {largest}")
    }
}

/// A share of a total, in whole percents.
fn percent(part: u64, all: u64) -> String {
    let share = part as f64 * 100.0 / all.max(1) as f64;
    match share {
        0.0 => "0%".into(),
        share if share < 1.0 => "<1%".into(),
        share if part < all && share > 99.0 => ">99%".into(),
        share => format!("{share:.0}%"),
    }
}

/// A number in five digits; a whole one in full.
pub(crate) fn short(x: f64) -> String {
    let size = x.abs();
    if size == 0.0 || x.fract() == 0.0 && size < 1e15 {
        return (x + 0.0).to_string();
    }
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if !(1e-3..1e9).contains(&size) {
        let text = format!("{x:.4e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    let digits = (4 - size.log10().floor() as i32).max(0) as usize;
    trimmed(&format!("{x:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Outcome {
        let mut outcome = Outcome::default();
        values.iter().for_each(|&x| outcome.add(x));
        outcome
    }

    #[test]
    fn numbers_are_short_and_whole_ones_whole() {
        let texts = [
            0.0,
            -0.0,
            20_240_128.0,
            7.123456,
            -0.25,
            123_456.78,
            1e-9,
            0.1_f32.into(),
        ];
        let texts = texts.map(short).join(" ");
        assert_eq!(texts, "0 0 20240128 7.1235 -0.25 123457 1e-9 0.1");
        assert_eq!(
            of(&[1.0, 2.0, 4.5]).number(),
            "a number, mean 2.5, from 1 to 4.5"
        );
    }

    #[test]
    fn few_classes_are_all_named_and_of_many_the_largest() {
        let name = |n: usize| format!("c{n}");
        let two = of(&[0.0, 1.0, 1.0]);
        assert_eq!(two.classes(2, name), "2 classes, c0 (33%), c1 (67%)");
        let many: Vec<f64> = (0..8).chain([5, 5, 7]).map(f64::from).collect();
        let expected = "9 classes, the largest c5 (27%), c7 (18%), c0 (9%)";
        assert_eq!(of(&many).classes(9, name), expected);
        let mut rare = vec![0.0; 999];
        rare.push(1.0);
        assert_eq!(
            of(&rare).classes(3, name),
            "3 classes, c0 (>99%), c1 (<1%), c2 (0%)"
        );
    }

    #[test]
    fn few_whole_numbers_that_are_often_there_may_be_classes() {
        let each = |n: usize, times: usize| (0..n * times).map(|k| (k % n) as f64).collect();
        let few = |values: Vec<f64>| of(&values).few_whole_numbers();
        assert_eq!(few(each(3, 10)), Some(3));
        assert_eq!(few(each(3, 9)), None);
        assert_eq!(few(each(21, 10)), None);
        assert_eq!(few(each(2, 50)), None);
        let mut halves: Vec<f64> = each(4, 20);
        halves.iter_mut().for_each(|x| *x /= 2.0);
        assert_eq!(few(halves), None);
    }
}
