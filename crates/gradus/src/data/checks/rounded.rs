//! Columns of arrays whose distinct values become equal in float32, a model's input type.

use super::finding::{Finding, Where};
use super::rows::Rows;
use crate::data::scale::Scale;
use crate::data::schema::Different;
use crate::data::tensor::{Tensor, Values};

const NAME: &str = "rounded";
/// Limit of values examined.
const MOST: usize = 1 << 22;

pub(super) fn look(rows: &Rows<'_>) -> Vec<Finding> {
    // A table's schema handles its columns, and reports it.
    if rows.is_table() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let inputs = rows.train.inputs().iter().map(|tensor| (tensor, true));
    let targets = rows.train.targets().iter().map(|tensor| (tensor, false));
    for (tensor, is_input) in inputs.chain(targets) {
        // Standardization happens before rounding.
        if matches!(tensor.scale(), Scale::Standardize { .. }) || tensor.shape().rank() > 1 {
            continue;
        }
        let advice = match is_input {
            true => "`data.scale = \"standard\"` subtracts the mean before numbers are rounded",
            false => "subtract a constant from it",
        };
        for (column, lost) in lost(tensor) {
            let place = Where {
                column: (tensor.size() > 1).then(|| column.to_string()),
                ..Where::of(tensor.name())
            };
            let found = format!("{lost}, which is all that the model sees");
            findings.push(Finding::warning(NAME, place, found, advice));
        }
    }
    findings
}

/// The columns whose differences float32 loses, and by how much.
fn lost(tensor: &Tensor) -> Vec<(usize, String)> {
    let Values::F64(all) = tensor.values() else {
        return Vec::new();
    };
    let size = tensor.size();
    let rows = (MOST / size).max(1);
    let column = |place: usize| {
        let numbers = || all.iter().skip(place).step_by(size).take(rows).copied();
        let mut different = Different::default();
        numbers().for_each(|x| different.add(x));
        let count = numbers().count().max(1) as f64;
        let mean = numbers().sum::<f64>() / count;
        let variance = numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let is_lost = different.is_lost(variance.sqrt());
        is_lost.then(|| (place, different.lost()))
    };
    (0..size).filter_map(column).collect()
}
