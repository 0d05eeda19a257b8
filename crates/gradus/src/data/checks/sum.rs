//! Targets that are a linear combination of columns.

use super::finding::Finding;
use super::rows::{Column, Rows, Target, What};
use crate::data::short;

/// Limit of columns, for speed.
const MOST_COLUMNS: usize = 100;
/// Rows needed beyond three per column: with fewer, sums fit by chance.
const FEWEST_ROWS: usize = 30;
/// Share of missing values above which a column is skipped.
const GAPS: f64 = 0.1;
/// Share of the target's variance that rounding may leave unexplained.
const REST: f64 = 1e-5;
/// Least contribution of a column to the sum, relative to the target's deviation.
const PART: f64 = 1e-3;
/// Share of a column's length below which it depends linearly on the previous ones.
const NEW: f64 = 1e-5;
/// Limit of columns named in the message.
const NAMED: usize = 6;

/// The finding, if the target is a linear combination of columns.
pub(super) fn look(name: &'static str, rows: &Rows<'_>, target: &Target) -> Option<Finding> {
    let value: &dyn Fn(usize) -> f64 = match &target.what {
        What::Numbers(all) => &|row| f64::from(all[row]),
        // The one-hot column of this target's class.
        What::Classes { of_rows, count: 2 } => &|row| f64::from(of_rows[row]),
        _ => return None,
    };
    let sample = rows.sample();
    let columns: Vec<&Column<'_>> = rows
        .columns
        .iter()
        .filter(|c| c.texts().is_none())
        .collect();
    if columns.len() < 2 || columns.len() > MOST_COLUMNS {
        return None;
    }
    let filled = |column: &&Column<'_>| {
        let gaps = sample.iter().filter(|&&row| column.number(row).is_none());
        gaps.count() as f64 <= sample.len() as f64 * GAPS
    };
    let columns: Vec<&Column<'_>> = columns.into_iter().filter(filled).collect();
    let numbers = Centered::of(&columns, value, &sample);
    if numbers.rows() < columns.len() * 3 + FEWEST_ROWS {
        return None;
    }
    let mut chosen = numbers.choose()?;
    chosen.sort_unstable();
    let sum = numbers.sum_of(&chosen)?;
    let parts = sum.terms.iter().filter(|term| term.part >= PART);
    let parts: Vec<usize> = parts.map(|term| term.column).collect();
    let sum = match parts.len() < chosen.len() {
        true => numbers
            .sum_of(&parts)
            .filter(|sum| sum.rest <= REST)
            .unwrap_or(sum),
        false => sum,
    };
    // A single column is the business of `leak`.
    if sum.rest > REST || sum.terms.len() < 2 {
        return None;
    }
    let used: Vec<&Column<'_>> = sum.terms.iter().map(|term| columns[term.column]).collect();
    let all = Centered::of(&used, value, &rows.all());
    let rest = all.rest_of(&sum);
    if rest > REST {
        return None;
    }
    let column_name = |column: &Column<'_>| match &column.place.column {
        Some(name) if rows.is_table() => name.clone(),
        other => format!("column {}", other.as_deref().unwrap_or_default()),
    };
    let names: Vec<String> = used.iter().map(|column| column_name(column)).collect();
    let its = target.place.column.as_deref().unwrap_or("target");
    let (exact, digits) = match rest < 1e-9 {
        true => ("", 4),
        false => (", but for rounding", 2),
    };
    let found = format!(
        "it is a sum of columns: `{its} = {}` in all {} rows{exact}",
        sum.text(&names, digits),
        all.rows()
    );
    let out = match rows.is_table() {
        true => {
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            format!("leave some of them out: `exclude = [{}]`", names.join(", "))
        }
        false => "leave some of them out of the array".into(),
    };
    let advice = format!("are all of them known when the model is to predict? If not, {out}");
    Some(Finding::warning(name, target.place.clone(), found, advice))
}

/// A target and columns, in the rows without missing values.
struct Centered {
    /// Centred.
    target: Vec<f64>,
    mean: f64,
    /// Centred columns, and their means.
    columns: Vec<Vec<f64>>,
    means: Vec<f64>,
}

/// The target as a linear combination of columns.
struct Sum {
    constant: f64,
    terms: Vec<Term>,
    /// The unexplained share of the target's variance.
    rest: f64,
    /// Scale for judging the constant.
    size: f64,
}

struct Term {
    column: usize,
    factor: f64,
    /// The deviation of its term relative to the target's.
    part: f64,
}

impl Centered {
    fn of(columns: &[&Column<'_>], target: &dyn Fn(usize) -> f64, rows: &[usize]) -> Self {
        let mut numbers = Centered {
            target: Vec::new(),
            mean: 0.0,
            columns: vec![Vec::new(); columns.len()],
            means: Vec::new(),
        };
        let mut cells = Vec::with_capacity(columns.len());
        for &row in rows {
            cells.clear();
            cells.extend(columns.iter().map_while(|column| column.number(row)));
            let y = target(row);
            if cells.len() == columns.len() && !y.is_nan() {
                numbers.target.push(y);
                let to = numbers.columns.iter_mut().zip(&cells);
                to.for_each(|(column, &x)| column.push(x));
            }
        }
        numbers.mean = center(&mut numbers.target);
        numbers.means = numbers
            .columns
            .iter_mut()
            .map(|column| center(column))
            .collect();
        numbers
    }

    fn rows(&self) -> usize {
        self.target.len()
    }

    /// Chooses columns greedily by the variance they explain; `None` if much is left unexplained.
    fn choose(&self) -> Option<Vec<usize>> {
        let whole = dot(&self.target, &self.target);
        if whole.is_nan() || whole <= 0.0 {
            return None;
        }
        let mut left = self.target.clone();
        let mut columns = self.columns.clone();
        let lengths: Vec<f64> = columns.iter().map(|c| dot(c, c)).collect();
        let (mut chosen, mut free): (Vec<usize>, Vec<usize>) =
            (Vec::new(), (0..columns.len()).collect());
        while dot(&left, &left) > whole * 1e-12 {
            free.retain(|&n| dot(&columns[n], &columns[n]) > lengths[n] * NEW * NEW);
            let explains = |n: usize| {
                let column = &columns[n];
                dot(column, &left).powi(2) / dot(column, column)
            };
            let best = free.iter().copied();
            let Some(best) = best.max_by(|&a, &b| explains(a).total_cmp(&explains(b))) else {
                break;
            };
            chosen.push(best);
            free.retain(|&n| n != best);
            let unit = std::mem::take(&mut columns[best]);
            let length = dot(&unit, &unit);
            take_away(&mut left, &unit, length);
            free.iter().for_each(|&n| {
                take_away(&mut columns[n], &unit, length);
            });
        }
        (dot(&left, &left) <= whole * REST).then_some(chosen)
    }

    /// Least squares of the target on the chosen columns.
    fn sum_of(&self, chosen: &[usize]) -> Option<Sum> {
        // Gram–Schmidt: each column orthogonal to the previous ones, and its shares of these.
        let mut units: Vec<Vec<f64>> = Vec::new();
        let mut shares = vec![vec![0.0; chosen.len()]; chosen.len()];
        let mut factors = Vec::with_capacity(chosen.len());
        let mut left = self.target.clone();
        for (n, &column) in chosen.iter().enumerate() {
            let mut unit = self.columns[column].clone();
            for (before, known) in units.iter().enumerate() {
                shares[before][n] = take_away(&mut unit, known, dot(known, known));
            }
            let length = dot(&unit, &unit);
            if length.is_nan() || length <= 0.0 {
                return None;
            }
            factors.push(take_away(&mut left, &unit, length));
            units.push(unit);
        }
        for n in (0..chosen.len()).rev() {
            let behind: f64 = (n + 1..chosen.len())
                .map(|m| shares[n][m] * factors[m])
                .sum();
            factors[n] -= behind;
        }
        let whole = dot(&self.target, &self.target);
        let term = |(&column, &factor): (&usize, &f64)| {
            let values = &self.columns[column];
            Term {
                column,
                factor,
                part: (dot(values, values) / whole).sqrt() * factor.abs(),
            }
        };
        let terms: Vec<Term> = chosen.iter().zip(&factors).map(term).collect();
        let of_means: f64 = terms.iter().map(|t| t.factor * self.means[t.column]).sum();
        Some(Sum {
            constant: self.mean - of_means,
            rest: dot(&left, &left) / whole,
            size: self.mean.abs() + (whole / self.rows() as f64).sqrt(),
            terms,
        })
    }

    /// The share of the target's variance left by the sum of these columns, in their order.
    fn rest_of(&self, sum: &Sum) -> f64 {
        let mut squares = 0.0;
        let constant = self.mean - sum.constant;
        for (row, y) in self.target.iter().enumerate() {
            let terms = sum.terms.iter().enumerate();
            let said: f64 = terms
                .map(|(n, term)| term.factor * (self.columns[n][row] + self.means[n]))
                .sum();
            squares += (y + constant - said).powi(2);
        }
        squares / dot(&self.target, &self.target)
    }
}

impl Sum {
    /// `casual + 2 registered - 3`, with this many digits after the first.
    fn text(&self, names: &[String], digits: usize) -> String {
        let mut text = String::new();
        let mut add = |factor: f64, what: &str| {
            let sign = match (text.is_empty(), factor < 0.0) {
                (true, true) => "-",
                (true, false) => "",
                (false, true) => " - ",
                (false, false) => " + ",
            };
            text += sign;
            text += what;
        };
        for (term, name) in self.terms.iter().zip(names).take(NAMED) {
            let size = readable(term.factor.abs(), digits);
            let what = match size == 1.0 {
                true => name.clone(),
                false => format!("{} {name}", short(size)),
            };
            add(term.factor, &what);
        }
        if self.terms.len() > NAMED {
            add(1.0, &format!("{} more", self.terms.len() - NAMED));
        }
        if self.constant.abs() > self.size * PART {
            add(self.constant, &short(readable(self.constant.abs(), digits)));
        }
        text
    }
}

/// The nearest whole number if the value is close to it, else its first digits.
fn readable(x: f64, digits: usize) -> f64 {
    let whole = x.round();
    if whole >= 1.0 && (x - whole).abs() < whole * PART {
        return whole;
    }
    format!("{x:.digits$e}").parse().unwrap_or(x)
}

/// Subtracts the mean and returns it.
fn center(all: &mut [f64]) -> f64 {
    let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
    all.iter_mut().for_each(|x| *x -= mean);
    mean
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Subtracts the projection on `unit`, whose squared length is given, and returns its coefficient.
fn take_away(from: &mut [f64], unit: &[f64], length: f64) -> f64 {
    let share = dot(from, unit) / length;
    from.iter_mut().zip(unit).for_each(|(x, u)| *x -= share * u);
    share
}
