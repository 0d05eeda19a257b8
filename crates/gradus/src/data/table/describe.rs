//! What a table looks like: a line for each column.

use super::cell::date_text;
use super::{Cells, Table};
use std::collections::HashSet;
use std::fmt::Write;

/// How many bars a histogram has.
const BARS: usize = 12;
/// How many categories are named.
const NAMED: usize = 4;

/// A description of a table for `gradus data show`: of each column the type, the
/// share of missing cells, the number of distinct values, and a small histogram
/// with the range of its numbers, or the most frequent categories.
pub fn describe_table(table: &Table) -> String {
    let mut text = format!(
        "{}: {} rows, {} columns\n\n",
        table.name,
        table.rows,
        table.columns.len()
    );
    let longest = table.columns.iter().map(|c| c.name.chars().count());
    let width = longest.max().unwrap_or(0).clamp(6, 32);
    let _ = writeln!(text, "  {:width$}  type      missing  distinct", "column");
    for column in &table.columns {
        let missing = column.cells.missing();
        let share = match missing {
            0 => String::new(),
            n if n * 1000 < table.rows => "<0.1%".to_owned(),
            n => format!("{:.1}%", n as f64 * 100.0 / table.rows as f64),
        };
        let (distinct, look) = look(&column.cells);
        let (name, kind) = (&column.name, column.cells.kind().name());
        let name: String = name.chars().take(width).collect();
        let _ = write!(
            text,
            "  {name:width$}  {kind:<8}  {share:>7}  {distinct:>8}  {look}"
        );
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// How many distinct values there are, and what they look like.
fn look(cells: &Cells) -> (usize, String) {
    match cells {
        Cells::Number(all) => {
            let there: Vec<f64> = all
                .iter()
                .filter(|x| !x.is_nan())
                .map(|&x| x.into())
                .collect();
            numbers(&there, |x| (x as f32).to_string())
        }
        Cells::Date(all) => {
            let there: Vec<f64> = all.iter().flatten().map(|&day| day.into()).collect();
            numbers(&there, |day| date_text(day as i32))
        }
        Cells::Boolean(all) => {
            let count = |value| all.iter().filter(|&&x| x == value).count();
            let (no, yes) = (count(0.0), count(1.0));
            let distinct = usize::from(no > 0) + usize::from(yes > 0);
            (distinct, format!("true {yes}, false {no}"))
        }
        Cells::Category { names, codes } => {
            let mut counts = vec![0_usize; names.len()];
            codes
                .iter()
                .flatten()
                .for_each(|&code| counts[code as usize] += 1);
            let mut order: Vec<usize> = (0..names.len()).collect();
            order.sort_by_key(|&n| std::cmp::Reverse(counts[n]));
            let shown = order.iter().take(NAMED);
            let shown = shown.map(|&n| {
                let name: String = names[n].chars().take(20).collect();
                format!("{name} {}", counts[n])
            });
            let mut look = shown
                .collect::<Vec<_>>()
                .join(", ")
                .replace(char::is_control, " ");
            if names.len() > NAMED {
                let _ = write!(look, ", … {} more", names.len() - NAMED);
            }
            (names.len(), look)
        }
    }
}

/// How many distinct numbers there are, their histogram and range.
fn numbers(all: &[f64], written: impl Fn(f64) -> String) -> (usize, String) {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let distinct: HashSet<u64> = all.iter().map(|x| (x + 0.0).to_bits()).collect();
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match distinct.len() {
        0 => return (0, String::new()),
        1 => return (1, format!("always {}", written(least))),
        _ => {}
    }
    let mut counts = [0_usize; BARS];
    for x in all {
        let bar = ((x - least) / (most - least) * BARS as f64) as usize;
        counts[bar.min(BARS - 1)] += 1;
    }
    let highest = counts.iter().copied().max().unwrap_or(1);
    let bar = |&count: &usize| match count {
        0 => ' ',
        count => LEVELS[(count * LEVELS.len()).div_ceil(highest) - 1],
    };
    let bars: String = counts.iter().map(bar).collect();
    (
        distinct.len(),
        format!("{bars}  {} to {}", written(least), written(most)),
    )
}
