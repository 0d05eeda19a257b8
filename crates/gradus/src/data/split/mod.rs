//! Splits of rows: from counts, codes, times and a seed to lists of rows.
//!
//! The functions here look at no data. The same arguments give the same rows, on any
//! machine. `hold_out` is what a user says of held-out rows, `keys` what a source tells of
//! its rows, `choose` applies the first to the second.

#[cfg(feature = "train")]
mod choose;
mod folds;
#[cfg(feature = "train")]
mod hold_out;
#[cfg(feature = "train")]
mod hold_out_keys;
#[cfg(feature = "train")]
mod keys;

#[cfg(feature = "train")]
pub(super) use self::{
    choose::{Chosen, choose, take_end},
    keys::Keys,
};
pub use folds::{block_folds, fold, folds, grouped_folds, stratified_folds, time_folds};
#[cfg(feature = "train")]
pub use hold_out::{HoldOut, SplitBy};

use crate::base::random::{Key, Sequence, Stream};
use crate::error::{Error, Result};

/// The two sides of a split, each in ascending order, none empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// The remaining rows.
    pub rest: Vec<usize>,
    /// The held-out rows.
    pub held_out: Vec<usize>,
}

/// Holds out the first `n` of `rows` rows.
pub fn first(rows: usize, n: usize) -> Result<Sides> {
    let n = first_rows(rows, n)?;
    Ok(Sides {
        rest: (n..rows).collect(),
        held_out: (0..n).collect(),
    })
}

/// The number of rows that [`first`] holds out; an error if none remain.
pub(super) fn first_rows(rows: usize, n: usize) -> Result<usize> {
    if n == 0 || n >= rows {
        let expected = format!("at least 1 and fewer than the {rows} rows");
        return Err(Error::invalid("first", n, expected));
    }
    Ok(n)
}

/// Holds out the last `fraction` of the rows: Keras' `validation_split`, which takes the rows from
/// `floor(rows * (1 - fraction))` on.
pub fn last(rows: usize, fraction: f64) -> Result<Sides> {
    let stay = rows - share(rows, fraction)?;
    Ok(Sides {
        rest: (0..stay).collect(),
        held_out: (stay..rows).collect(),
    })
}

/// Holds out as many rows as [`last`], drawn at random.
pub fn random(rows: usize, fraction: f64, seed: u64) -> Result<Sides> {
    let wanted = share(rows, fraction)?;
    let mut order: Vec<usize> = (0..rows).collect();
    draws(seed).shuffle(&mut order);
    Ok(sides(rows, &order[..wanted]))
}

/// Like [`random`], stratified: each class has the same share on both sides, to a row. `classes`
/// has the class of each row.
///
/// A class of one row stays in training: it cannot be on both sides, and measuring a class that was
/// never trained on is meaningless. An error if all classes have one row.
pub fn stratified(classes: &[u32], fraction: f64, seed: u64) -> Result<Sides> {
    let wanted = share(classes.len(), fraction)?;
    let mut draws = draws(seed);
    let mut members = members(classes);
    members.retain(|rows| rows.len() > 1);
    let all: usize = members.iter().map(Vec::len).sum();
    if all == 0 {
        let found = format!("{} classes of one row each", classes.len());
        let expected = "classes with rows enough for both sides; `shuffle = true` needs none";
        return Err(Error::invalid("stratify", found, expected));
    }
    draws.shuffle(&mut members);
    // Integer parts first, then the largest remainders.
    let exact = |rows: &Vec<usize>| wanted as f64 * rows.len() as f64 / all as f64;
    let mut counts: Vec<usize> = members.iter().map(|rows| exact(rows) as usize).collect();
    let mut order: Vec<usize> = (0..members.len()).collect();
    let remainder = |place: &usize| exact(&members[*place]).fract();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
    let mut missing = wanted.saturating_sub(counts.iter().sum());
    for &place in &order {
        if missing > 0 && counts[place] + 1 < members[place].len() {
            counts[place] += 1;
            missing -= 1;
        }
    }
    let mut held_out = Vec::with_capacity(wanted);
    for (rows, count) in members.iter_mut().zip(counts) {
        draws.shuffle(rows);
        held_out.extend_from_slice(&rows[..count.min(rows.len() - 1)]);
    }
    if held_out.is_empty() {
        let expected = "one that takes a row of some class";
        return Err(Error::invalid("fraction", fraction, expected));
    }
    Ok(sides(classes.len(), &held_out))
}

/// Holds out whole groups, drawn at random until their rows are as near to `fraction` of all as the
/// groups drawn allow. `groups` has the group of each row. An error if there is only one group.
pub fn grouped(groups: &[u32], fraction: f64, seed: u64) -> Result<Sides> {
    let wanted = share(groups.len(), fraction)?;
    let mut members = members(groups);
    if members.len() < 2 {
        let found = "one group in all rows";
        let expected = "two or more: a group cannot be on both sides";
        return Err(Error::invalid("group", found, expected));
    }
    draws(seed).shuffle(&mut members);
    let mut held_out: Vec<usize> = Vec::with_capacity(wanted);
    let mut left = members.len();
    for rows in &members {
        let (before, after) = (held_out.len(), held_out.len() + rows.len());
        if left > 1 && after.abs_diff(wanted) < before.abs_diff(wanted) {
            held_out.extend_from_slice(rows);
            left -= 1;
        }
    }
    if held_out.is_empty() {
        let smallest = members.iter().min_by_key(|rows| rows.len());
        held_out.extend(smallest.into_iter().flatten());
    }
    Ok(sides(groups.len(), &held_out))
}

/// Holds out the latest `fraction` of the rows. `times` has the time of each row, finite. Rows of
/// one time stay together: the cut moves to the nearest change of time. An error if all times are
/// the same.
pub fn latest(times: &[f64], fraction: f64) -> Result<Sides> {
    let rows = times.len();
    let cut = rows - share(rows, fraction)?;
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    let is_place = |cut: &usize| {
        let (before, after) = (order.get(cut.wrapping_sub(1)), order.get(*cut));
        before
            .zip(after)
            .is_some_and(|(&a, &b)| times[a] != times[b])
    };
    let below = (1..=cut).rev().find(is_place);
    let above = (cut..rows).find(is_place);
    let near = below.into_iter().chain(above);
    let Some(cut) = near.min_by_key(|place| place.abs_diff(cut)) else {
        let found = "one time in all rows";
        return Err(Error::invalid("time", found, "two or more"));
    };
    Ok(sides(rows, &order[cut..]))
}

/// The number of rows in a fraction of all.
pub(super) fn share(rows: usize, fraction: f64) -> Result<usize> {
    if !(fraction > 0.0 && fraction < 1.0) {
        let expected = "a number between 0 and 1";
        return Err(Error::invalid("fraction", fraction, expected));
    }
    let stay = (rows as f64 * (1.0 - fraction)).floor() as usize;
    if stay == 0 || stay >= rows {
        let expected = format!("one that leaves rows on both sides of the {rows}");
        return Err(Error::invalid("fraction", fraction, expected));
    }
    Ok(rows - stay)
}

fn draws(seed: u64) -> Sequence {
    Key::new(seed, Stream::Split, 0).sequence()
}

/// The rows of each code, ascending; codes without rows are left out.
fn members(codes: &[u32]) -> Vec<Vec<usize>> {
    let mut members = std::collections::BTreeMap::<u32, Vec<usize>>::new();
    for (row, &code) in codes.iter().enumerate() {
        members.entry(code).or_default().push(row);
    }
    members.into_values().collect()
}

fn sides(rows: usize, held_out: &[usize]) -> Sides {
    let mut is_held_out = vec![false; rows];
    for &row in held_out {
        is_held_out[row] = true;
    }
    let (held_out, rest) = (0..rows).partition(|&row| is_held_out[row]);
    Sides { rest, held_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(sides: &Sides, rows: usize) {
        let ascending = |rows: &[usize]| rows.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(ascending(&sides.rest) && ascending(&sides.held_out));
        assert!(!sides.rest.is_empty() && !sides.held_out.is_empty());
        let mut all = [&sides.rest[..], &sides.held_out].concat();
        all.sort();
        assert!(all.into_iter().eq(0..rows));
    }

    #[test]
    fn every_split_is_whole_ascending_and_repeatable() {
        let codes: Vec<u32> = (0..97).map(|row| row * row % 7).collect();
        let times: Vec<f64> = (0..97).map(|row| f64::from(row * 31 % 97)).collect();
        for fraction in [0.02, 0.1, 0.25, 0.5, 0.9, 0.98] {
            for seed in 0..20 {
                let all = || -> Result<Vec<Sides>> {
                    Ok(vec![
                        last(97, fraction)?,
                        random(97, fraction, seed)?,
                        stratified(&codes, fraction, seed)?,
                        grouped(&codes, fraction, seed)?,
                        latest(&times, fraction)?,
                    ])
                };
                let (once, again) = (all().unwrap(), all().unwrap());
                once.iter().for_each(|sides| whole(sides, 97));
                assert_eq!(once, again);
                assert_eq!(once[0].held_out.len(), once[1].held_out.len());
            }
        }
        assert_ne!(random(97, 0.5, 1).unwrap(), random(97, 0.5, 2).unwrap());
    }

    #[test]
    fn a_stratified_split_keeps_each_class_share_to_a_row() {
        // 60 %, 30 %, 9 %, and one single row.
        let class = |row: u32| match row {
            0..600 => 0,
            600..900 => 1,
            900..999 => 2,
            _ => 3,
        };
        let classes: Vec<u32> = (0..1000).map(class).collect();
        let found = stratified(&classes, 0.2, 3).unwrap();
        assert_eq!(found.held_out.len(), 200);
        for (class, rows) in [(0, 600.0), (1, 300.0), (2, 99.0), (3, 0.0)] {
            let held_out = found.held_out.iter().filter(|&&row| classes[row] == class);
            assert!((held_out.count() as f64 - 200.0 * rows / 999.0).abs() <= 1.0);
        }
        assert!(stratified(&[0, 1, 2, 3], 0.5, 0).is_err());
        // A class of two rows is never taken whole.
        let tiny = stratified(&[0, 0, 1, 1, 2, 2], 0.9, 0);
        assert_eq!(tiny.map(|p| p.held_out.len()).ok(), None);
        let most = stratified(&[0, 0, 1, 1, 2, 2], 0.8, 0).unwrap();
        assert_eq!(most.held_out.len(), 3);
    }

    #[test]
    fn no_group_is_on_both_sides() {
        for seed in 0..50 {
            let groups: Vec<u32> = (0..200).map(|row| (row * row + seed) % 23).collect();
            let found = grouped(&groups, 0.3, u64::from(seed)).unwrap();
            let of = |rows: &[usize]| -> Vec<u32> { rows.iter().map(|&r| groups[r]).collect() };
            let (rest, held_out) = (of(&found.rest), of(&found.held_out));
            assert!(rest.iter().all(|group| !held_out.contains(group)));
            assert!((40..80).contains(&held_out.len()), "{}", held_out.len());
        }
        assert!(grouped(&[5, 5, 5], 0.4, 0).is_err());
        // Two groups, each far larger than the fraction: the smaller one.
        let found = grouped(&[0, 0, 0, 1, 1, 1, 1, 1, 1, 1], 0.1, 9).unwrap();
        assert_eq!(found.held_out, [0, 1, 2]);
    }

    #[test]
    fn the_latest_rows_are_held_out_and_one_time_stays_together() {
        let found = latest(&[5.0, 1.0, 4.0, 2.0, 3.0], 0.4).unwrap();
        assert_eq!(found.held_out, [0, 2]);
        let found = latest(&[1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 4.0], 0.4).unwrap();
        assert_eq!(found.held_out, [6, 7]);
        let found = latest(&[1.0, 2.0, 2.0, 2.0], 0.25).unwrap();
        assert_eq!(found.held_out, [1, 2, 3]);
        assert!(latest(&[1.0; 4], 0.25).is_err());
    }

    #[test]
    fn fractions_that_leave_a_side_empty_are_refused() {
        for fraction in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY] {
            let error = random(10, fraction, 0).unwrap_err().to_string();
            assert!(error.contains("between 0 and 1"), "{error}");
        }
        assert!(last(1, 0.5).is_err() && last(0, 0.5).is_err() && random(10, 0.99, 0).is_err());
        assert!(first(10, 0).is_err() && first(10, 10).is_err() && first(10, 9).is_ok());
    }
}
