//! Permutation importance of a table's columns (Breiman, "Random forests", 2001).

use super::rows::evenly;
use crate::artifacts::report::Importance;
use crate::base::random::{Key, Stream};
use crate::data::{Dataset, RunData, Tensor};
use crate::error::{Error, Result};
use crate::model::Model;

/// The shuffles of each column.
const REPEATS: usize = 3;

/// The rows at least that say anything, and at most.
const FEWEST: usize = 50;
const MOST: usize = 1000;

/// The importance of each column to the model; `None` unless the data is a table. It takes as many
/// of the rows as `passes` predictions allow.
pub fn importance(
    model: &Model,
    data: &RunData,
    rows: &Dataset,
    passes: usize,
) -> Result<Option<Importance>> {
    let Some(schema) = data.schema().filter(|_| !rows.input_names().is_empty()) else {
        return Ok(None);
    };
    let columns = rows.inputs().len();
    // The fewest rows are looked at even if that takes longer, unless there are very many columns.
    let allowed = (passes / (columns * REPEATS)).clamp(FEWEST, MOST);
    if allowed * columns * REPEATS > 100 * passes {
        let found = format!("{columns} columns");
        return Err(Error::invalid(
            "report",
            found,
            "fewer: it would take too long",
        ));
    }
    let rows = rows.take(&evenly(rows.rows(), allowed))?;
    let before = loss(model, &rows)?;
    let mut found = Importance {
        rows: rows.rows(),
        loss: before,
        columns: Vec::new(),
    };
    for (column, name) in rows.input_names().iter().enumerate() {
        let mut increases = Vec::new();
        for repeat in 0..REPEATS {
            let step = (column * REPEATS + repeat) as u64;
            let mut order: Vec<usize> = (0..rows.rows()).collect();
            Key::new(model.seed, Stream::Permute, step)
                .sequence()
                .shuffle(&mut order);
            let shuffled = rows.inputs()[column].take(&order)?;
            increases.push(loss(model, &with_input(&rows, column, shuffled)?)? - before);
        }
        let column = schema.features.iter().find(|one| one.input == *name);
        let name = column.map_or(name, |column| &column.name);
        found.columns.push((name.clone(), increases));
    }
    Ok(Some(found))
}

fn loss(model: &Model, rows: &Dataset) -> Result<f64> {
    let loss = model.evaluate(rows)?.get("loss");
    loss.ok_or_else(|| Error::Internal("an evaluation without a loss".into()))
}

/// The rows with another column in place of one of theirs.
fn with_input(rows: &Dataset, column: usize, input: Tensor) -> Result<Dataset> {
    let mut inputs = rows.inputs().to_vec();
    inputs[column] = input;
    let changed = Dataset::from_parts(inputs, rows.targets().to_vec())?
        .with_names(rows.input_names(), rows.target_names())?;
    match rows.sample_weight() {
        Some(weight) => changed.with_sample_weight(weight.clone()),
        None => Ok(changed),
    }
}
