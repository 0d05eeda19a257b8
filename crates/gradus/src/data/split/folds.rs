//! Folds for cross-validation: every row is held out once.

use super::{Sides, draws, members};
use crate::error::{Error, Result};

/// The two sides of a fold: the rows of `fold` are held out. `folds` has the fold of
/// each row, as [`folds`](folds()) and the others here give it. With
/// [`time_folds`], the rows of later folds are on neither side.
///
/// An error if either side would be empty.
pub fn fold(folds: &[usize], fold: usize, by_time: bool) -> Result<Sides> {
    let of = |on_it: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let rows = folds.iter().enumerate();
        rows.filter(|(_, fold)| on_it(**fold))
            .map(|(row, _)| row)
            .collect()
    };
    let sides = Sides {
        rest: of(&|other| other < fold || !by_time && other > fold),
        held_out: of(&|other| other == fold),
    };
    if sides.rest.is_empty() || sides.held_out.is_empty() {
        let expected = "a fold with rows on both sides";
        return Err(Error::invalid("fold", fold, expected));
    }
    Ok(sides)
}

/// The fold of each row, 0 up to `folds`, at random; fold sizes differ by at most one.
pub fn folds(rows: usize, folds: usize, seed: u64) -> Result<Vec<usize>> {
    stratified_folds(&vec![0; rows], folds, seed)
}

/// Like [`folds`](folds()), with contiguous folds: the first rows are the first fold.
pub fn block_folds(rows: usize, folds: usize) -> Result<Vec<usize>> {
    enough(rows, folds, "rows")?;
    Ok((0..rows).map(|row| row * folds / rows).collect())
}

/// Like [`folds`](folds()), stratified: the rows of a class in two folds differ by at most one.
pub fn stratified_folds(classes: &[u32], folds: usize, seed: u64) -> Result<Vec<usize>> {
    enough(classes.len(), folds, "rows")?;
    let mut draws = draws(seed);
    let mut fold = vec![0; classes.len()];
    let mut dealt = 0;
    for mut rows in members(classes) {
        draws.shuffle(&mut rows);
        for row in rows {
            fold[row] = dealt % folds;
            dealt += 1;
        }
    }
    Ok(fold)
}

/// Like [`folds`](folds()), with each group in one fold: the largest first, each to the smallest
/// fold.
pub fn grouped_folds(groups: &[u32], folds: usize, seed: u64) -> Result<Vec<usize>> {
    let mut members = members(groups);
    enough(members.len(), folds, "groups")?;
    draws(seed).shuffle(&mut members);
    members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut fold = vec![0; groups.len()];
    let mut sizes = vec![0; folds];
    for rows in members {
        let smallest = (0..folds).min_by_key(|&n| sizes[n]).unwrap_or(0);
        sizes[smallest] += rows.len();
        for row in rows {
            fold[row] = smallest;
        }
    }
    Ok(fold)
}

/// Folds in order of time, for [`fold`] with `by_time`: each is held out from the rows before it,
/// as in scikit-learn's `TimeSeriesSplit`. `times` has the time of each row, finite.
///
/// The rows are cut into `folds + 1` parts of nearly one size, of which the first is fold 0, used
/// for training only; folds 1 up to and including `folds` are held out. Rows of one time stay
/// together: a cut moves to the nearest change of time.
pub fn time_folds(times: &[f64], folds: usize) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    let is_place = |&cut: &usize| times[order[cut - 1]] != times[order[cut]];
    let places: Vec<usize> = (1..order.len()).filter(is_place).collect();
    if folds < 2 {
        return Err(too_few(folds));
    }
    if places.len() < folds {
        let expected = format!(
            "at most {}: there are {} different times, and the first are only trained on",
            places.len(),
            places.len() + 1
        );
        return Err(Error::invalid("folds", folds, expected));
    }
    let mut fold = vec![0; times.len()];
    let mut next = 0;
    for number in 1..=folds {
        let wanted = number * times.len() / (folds + 1);
        // Each later fold needs a cut of its own, too.
        let last = places.len() - (folds - number);
        let nearest = (next..last).min_by_key(|&n| places[n].abs_diff(wanted));
        let nearest = nearest.unwrap_or(next);
        for &row in &order[places[nearest]..] {
            fold[row] = number;
        }
        next = nearest + 1;
    }
    Ok(fold)
}

fn too_few(folds: usize) -> Error {
    Error::invalid("folds", folds, "2 or more")
}

fn enough(found: usize, folds: usize, what: &str) -> Result<()> {
    if folds < 2 {
        return Err(too_few(folds));
    }
    if found < folds {
        let expected = format!("at most {found}, one for each of the {found} {what}");
        return Err(Error::invalid("folds", folds, expected));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_stratified_and_grouped() {
        let count = |folds: &[usize], n: usize| folds.iter().filter(|&&f| f == n).count();
        let plain = folds(17, 5, 1).unwrap();
        assert!((0..5).all(|n| (3..=4).contains(&count(&plain, n))));
        let classes: Vec<u32> = (0..103).map(|row| u32::from(row % 10 == 0)).collect();
        let dealt = stratified_folds(&classes, 5, 1).unwrap();
        assert!((0..5).all(|n| (20..=21).contains(&count(&dealt, n))));
        for n in 0..5 {
            let rare = (0..103).filter(|&row| dealt[row] == n && classes[row] == 1);
            assert!((2..=3).contains(&rare.count()));
        }
        let groups: Vec<u32> = (0..100).map(|row| row / 7).collect();
        let whole = grouped_folds(&groups, 4, 1).unwrap();
        assert!((0..4).all(|n| (21..=29).contains(&count(&whole, n))));
        assert!((1..100).all(|r| groups[r] != groups[r - 1] || whole[r] == whole[r - 1]));
        for (rows, wrong) in [(5, 0), (5, 1), (5, 6)] {
            assert!(folds(rows, wrong, 0).is_err());
        }
        assert!(grouped_folds(&[1, 1, 2, 2], 3, 0).is_err());
    }

    #[test]
    fn blocks_are_neighbours() {
        assert_eq!(block_folds(7, 3).unwrap(), [0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(block_folds(3, 3).unwrap(), [0, 1, 2]);
        assert!(block_folds(2, 3).is_err() && block_folds(2, 1).is_err());
    }

    #[test]
    fn folds_of_time_are_held_out_from_what_was_before() {
        // sklearn.model_selection.TimeSeriesSplit(3).split(range(8))
        let times: Vec<f64> = (0..8).map(f64::from).collect();
        let found = time_folds(&times, 3).unwrap();
        assert_eq!(found, [0, 0, 1, 1, 2, 2, 3, 3]);
        let second = fold(&found, 2, true).unwrap();
        assert_eq!(second.rest, [0, 1, 2, 3]);
        assert_eq!(second.held_out, [4, 5]);
        assert!(fold(&found, 0, true).is_err() && fold(&found, 4, true).is_err());
        // The order of rows does not matter, and equal times stay together.
        let found = time_folds(&[3.0, 1.0, 1.0, 1.0, 1.0, 2.0], 2).unwrap();
        assert_eq!(found, [2, 0, 0, 0, 0, 1]);
        let error = time_folds(&[3.0, 1.0, 1.0, 2.0], 3).unwrap_err();
        assert!(
            error.to_string().contains("at most 2: there are 3"),
            "{error}"
        );
        assert!(time_folds(&[], 2).is_err() && time_folds(&times, 1).is_err());
    }

    #[test]
    fn a_fold_is_held_out_from_all_others() {
        let parts = fold(&[0, 1, 2, 1], 1, false).unwrap();
        assert_eq!((parts.rest, parts.held_out), (vec![0, 2], vec![1, 3]));
        assert!(fold(&[0, 1], 2, false).is_err() && fold(&[], 0, false).is_err());
    }
}
