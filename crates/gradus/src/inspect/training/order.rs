//! Rows that are trained on in an order that is no accident.

use crate::data::checks::{Finding, Where};
use crate::data::{Data, Tensor};
use crate::inspect::PlannedTraining;
use crate::inspect::graph::targets;
use std::collections::HashMap;

const NAME: &str = "order";
/// Fewest rows that show an order.
const FEWEST: usize = 20;
/// Share of the changes from row to row that shuffled rows would have.
const SORTED: f64 = 0.1;

pub(super) fn look(planned: &PlannedTraining<'_>) -> Vec<Finding> {
    let (false, Data::Memory(train)) = (planned.shuffle, &planned.data.train) else {
        return Vec::new();
    };
    let Some(compiled) = &planned.model.compiled else {
        return Vec::new();
    };
    let known = targets(planned.model, train);
    let sorted = compiled.trained().find_map(|(output, output_loss)| {
        let target = known.get(&output)?;
        let rows = of_rows(target);
        let how = match output_loss.loss.of_classes() {
            true => are_in_blocks(&rows).then_some("class after class"),
            false => (are_in_blocks(&rows) || are_sorted(&rows)).then_some("by their target"),
        };
        how.filter(|_| rows.len() >= FEWEST)
    });
    let finding = sorted.map(|how| {
        let found = format!("the rows are sorted, {how}, and `shuffle` is false");
        let advice = "each step unlearns what the last ones have learned: `train.shuffle = true`";
        Finding::warning(NAME, Where::of("train.shuffle"), found, advice)
    });
    finding.into_iter().collect()
}

/// One number for each row: its target, or of several numbers the place of the largest.
fn of_rows(target: &Tensor) -> Vec<f32> {
    let place = |row: &[f32]| {
        let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        largest.map_or(0.0, |(place, _)| place as f32)
    };
    match target.size() {
        1 => target.to_f32(),
        size => target
            .to_f32()
            .chunks_exact(size.max(1))
            .map(place)
            .collect(),
    }
}

/// True if equal values stand together.
fn are_in_blocks(rows: &[f32]) -> bool {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    rows.iter()
        .for_each(|x| *counts.entry(x.to_bits()).or_default() += 1);
    let n = rows.len() as f64;
    let equal: f64 = counts
        .values()
        .map(|&count| (count as f64 / n).powi(2))
        .sum();
    let changes = rows.windows(2).filter(|pair| pair[0] != pair[1]).count();
    // One value, or all different ones, are in no order.
    counts.len() > 1 && (changes as f64) < SORTED * n * (1.0 - equal)
}

/// True if values rise, or fall, from the first row to the last.
fn are_sorted(rows: &[f32]) -> bool {
    let all = |ordered: fn(&f32, &f32) -> bool| rows.windows(2).all(|w| ordered(&w[0], &w[1]));
    let differ = rows.first() != rows.last();
    differ && (all(|a, b| a <= b) || all(|a, b| a >= b))
}
