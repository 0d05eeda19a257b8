//! Columns that leak the target.
//!
//! A column known only once the target is (a total, a date of death, the target in another unit)
//! trains a network that fails in use. `sum` examines combinations of columns.

use super::finding::Finding;
use super::rows::{Column, Rows, Target, What, spread};
use super::sum;
use foldhash::HashMap;

const NAME: &str = "leak";
/// Correlation above which a column is near-perfect.
const CORRELATION: f64 = 0.999;
/// Correlation in a sample below which the full one is not near-perfect either.
const SUSPICIOUS: f64 = 0.995;
/// Share of the rows outside the most frequent class that a leak may get wrong.
const WRONG: f64 = 0.01;
/// Sample size in which an innocent column hardly ever looks suspicious.
const FEW: usize = 256;
/// Fewer rows agree by chance.
const FEWEST_ROWS: usize = 30;
/// Mean rows per value from which a value is evidence.
const ROWS_EACH: usize = 10;
/// Rows per class below which separate ranges are chance.
const FEWEST_OF_CLASS: usize = 5;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    let (sample, all) = (rows.sample(), rows.all());
    let mut findings = Vec::new();
    for target in &rows.targets {
        let few = match &target.what {
            What::Classes { of_rows, count } => of_each_class(of_rows, *count, FEW),
            _ => spread(rows.train.rows(), FEW),
        };
        let sample = match &target.what {
            What::Classes { of_rows, count } => of_each_class(of_rows, *count, sample.len()),
            _ => sample.clone(),
        };
        let before = findings.len();
        for column in &rows.columns {
            let suspicious = |rows| gives_away(column, target, rows, false).is_some();
            if suspicious(&few)
                && suspicious(&sample)
                && let Some(found) = gives_away(column, target, &all, true)
            {
                let advice = format!(
                    "is it known when the model is to predict? If not, {}",
                    rows.way_out(&column.place)
                );
                findings.push(Finding::warning(NAME, column.place.clone(), found, advice));
            }
        }
        // If a single column leaks, combinations of columns are not examined.
        if findings.len() == before {
            findings.extend(sum::look(NAME, rows, target));
        }
    }
    findings
}

/// At most `most` rows, balanced over the classes; all rows of a rare class.
fn of_each_class(classes: &[u32], count: usize, most: usize) -> Vec<usize> {
    // With this many classes, the sample has a few rows of each.
    let of_each = (most / count.max(1)).max(8);
    let mut of_class: HashMap<u32, Vec<usize>> = HashMap::default();
    for (row, class) in classes.iter().enumerate() {
        of_class.entry(*class).or_default().push(row);
    }
    let rows = of_class.into_values().flat_map(|rows| {
        let chosen = spread(rows.len(), of_each).into_iter();
        chosen.map(move |place| rows[place]).collect::<Vec<_>>()
    });
    rows.collect()
}

/// The way in which the column leaks the target in these rows, if it does; `sure` if these are all
/// rows, else the thresholds for a sample apply.
fn gives_away(column: &Column<'_>, target: &Target, rows: &[usize], sure: bool) -> Option<String> {
    let name = match &target.place.column {
        Some(name) => format!("the target `{name}`"),
        None => "the target".into(),
    };
    match (&target.what, column.texts()) {
        (What::Other, _) => None,
        (What::Classes { of_rows, .. }, texts) => {
            if is_determined(column, of_rows, rows, texts.is_some(), sure) {
                let n = rows.len();
                let found = format!("its value determines {name} almost perfectly in {n} rows");
                return Some(found);
            }
            let ranges = texts.is_none() && has_ranges(column, of_rows, rows, sure);
            let n = rows.len();
            ranges.then(|| format!("each class of {name} has its own range of it, in all {n} rows"))
        }
        (What::Numbers(numbers), Some(_)) => {
            let share = explained(column, numbers, rows, sure)?;
            let found = format!("its text explains {:.2}% of the variance of", share * 100.0);
            Some(format!("{found} {name} in {} rows", rows.len()))
        }
        (What::Numbers(numbers), None) => {
            let pairs = rows.iter().filter_map(|&row| {
                let number = column.number(row)?;
                Some((number, f64::from(numbers[row])))
            });
            let pairs: Vec<(f64, f64)> = pairs.collect();
            if pairs.len() < FEWEST_ROWS {
                return None;
            }
            let limit = if sure { CORRELATION } else { SUSPICIOUS };
            let n = pairs.len();
            let plain = correlation(&pairs);
            if plain.abs() > limit {
                return Some(format!(
                    "its correlation with {name} is {plain:.5} in {n} rows"
                ));
            }
            let ranked = correlation(&ranks(&pairs));
            (ranked.abs() > limit)
                .then(|| format!("its rank correlation with {name} is {ranked:.5} in {n} rows"))
        }
    }
}

/// Pearson's correlation; 0 if one side is constant.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let (a, b) = (sum(&|p| p.0) / n, sum(&|p| p.1) / n);
    let both = sum(&|p| (p.0 - a) * (p.1 - b));
    let (var_a, var_b) = (sum(&|p| (p.0 - a).powi(2)), sum(&|p| (p.1 - b).powi(2)));
    let found = both / (var_a * var_b).sqrt();
    if found.is_finite() { found } else { 0.0 }
}

/// Ranks within each side; ties get their mean rank.
fn ranks(pairs: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let side = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_unstable_by(|&a, &b| of(&pairs[a]).total_cmp(&of(&pairs[b])));
        let mut ranks = vec![0.0; pairs.len()];
        let mut first = 0;
        for equal in order.chunk_by(|&a, &b| of(&pairs[a]) == of(&pairs[b])) {
            let rank = first as f64 + (equal.len() - 1) as f64 / 2.0;
            equal.iter().for_each(|&place| ranks[place] = rank);
            first += equal.len();
        }
        ranks
    };
    side(&|p| p.0).into_iter().zip(side(&|p| p.1)).collect()
}

/// True if few distinct values determine the class of almost every row.
fn is_determined(
    column: &Column<'_>,
    classes: &[u32],
    rows: &[usize],
    is_text: bool,
    sure: bool,
) -> bool {
    if rows.len() < FEWEST_ROWS {
        return false;
    }
    let mut together: HashMap<(u64, u32), usize> = HashMap::default();
    let mut alone: HashMap<u32, usize> = HashMap::default();
    for &row in rows {
        *together
            .entry((column.code(row), classes[row]))
            .or_default() += 1;
        *alone.entry(classes[row]).or_default() += 1;
    }
    let mut best: HashMap<u64, usize> = HashMap::default();
    for (&(value, _), &count) in &together {
        let most = best.entry(value).or_default();
        *most = count.max(*most);
    }
    // In a sample, most values that are rare overall occur once.
    let few = match (sure, is_text) {
        (true, _) => best.len() * ROWS_EACH <= rows.len(),
        (false, true) => true,
        (false, false) => best.len() * 2 <= rows.len(),
    };
    let others = rows.len() - alone.values().max().copied().unwrap_or(0);
    let wrong = rows.len() - best.values().sum::<usize>();
    let (allowed, fewest) = match sure {
        true => (others as f64 * WRONG, ROWS_EACH),
        false => (others as f64 * WRONG * 3.0 + 1.0, 2),
    };
    few && best.len() > 1 && others >= fewest && wrong as f64 <= allowed
}

/// True if the column's values of different classes don't overlap: sorted by value, each class is
/// one run.
fn has_ranges(column: &Column<'_>, classes: &[u32], rows: &[usize], sure: bool) -> bool {
    let cells = rows
        .iter()
        .map(|&row| Some((column.number(row)?, classes[row])));
    // Columns with missing values are skipped.
    let Some(mut cells) = cells.collect::<Option<Vec<(f64, u32)>>>() else {
        return false;
    };
    if cells.len() < FEWEST_ROWS {
        return false;
    }
    cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut counts: HashMap<u32, usize> = HashMap::default();
    let mut runs = 1;
    for pair in cells.windows(2) {
        let [a, b] = pair else { continue };
        // Equal values of two classes.
        if a.1 != b.1 && a.0 == b.0 {
            return false;
        }
        runs += usize::from(a.1 != b.1);
    }
    cells
        .iter()
        .for_each(|cell| *counts.entry(cell.1).or_default() += 1);
    let fewest = if sure { FEWEST_OF_CLASS } else { 1 };
    counts.len() > 1 && runs == counts.len() && counts.values().all(|&count| count >= fewest)
}

/// The share of the target's variance between the texts, if it is nearly all and the texts are few.
fn explained(column: &Column<'_>, numbers: &[f32], rows: &[usize], sure: bool) -> Option<f64> {
    let n = rows.len() as f64;
    let mean = rows.iter().map(|&row| f64::from(numbers[row])).sum::<f64>() / n;
    let mut groups: HashMap<u64, (f64, f64)> = HashMap::default();
    let mut total = 0.0;
    for &row in rows {
        let distance = f64::from(numbers[row]) - mean;
        let group = groups.entry(column.code(row)).or_default();
        *group = (group.0 + 1.0, group.1 + distance);
        total += distance * distance;
    }
    let between: f64 = groups.values().map(|(count, sum)| sum * sum / count).sum();
    let few = !sure || groups.len() * ROWS_EACH <= rows.len();
    let limit = if sure { CORRELATION } else { SUSPICIOUS }.powi(2);
    let share = between / total;
    (rows.len() >= FEWEST_ROWS && few && groups.len() > 1 && share > limit).then_some(share)
}
