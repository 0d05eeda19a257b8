//! Ranks that train together: what they compare before the first step, and decide alike.

use crate::base::digest::Digest;
use crate::base::ranks::{Collective, agree};
use crate::data::Data;
use crate::engine;
use crate::error::{Error, Result};
use crate::model::Model;

/// Refuses ranks that would not take the same steps: of another build, with another model, other data or
/// other options, of which `options` is the text. `train` has the rows as they are trained on.
pub(super) fn compare(
    model: &Model,
    train: &Data,
    held_out: Option<&Data>,
    options: &str,
    ranks: &dyn Collective,
) -> Result<()> {
    let agree = |what, own: &str, expected| agree(ranks, what, own, expected);
    same_model(model, ranks)?;
    agree("its training data", &of_data(train)?, "the same rows")?;
    let held_out = held_out.map_or(Ok("none".to_owned()), of_data)?;
    agree("its validation data", &held_out, "the same rows")?;
    agree("its training", options, "the same options")
}

impl Model {
    /// Refuses [ranks](crate::ranks) that would not compute the same: of another build, with another model or
    /// other data. The error names the rank.
    pub fn agrees_on_ranks(&self, data: &Data, ranks: &dyn Collective) -> Result<()> {
        if ranks.ranks() == 1 {
            return Ok(());
        }
        same_model(self, ranks)?;
        agree(ranks, "its data", &of_data(data)?, "the same rows")
    }
}

/// Refuses ranks of another build, or with another model.
fn same_model(model: &Model, ranks: &dyn Collective) -> Result<()> {
    let build = format!(
        "gradus {} on {}",
        env!("CARGO_PKG_VERSION"),
        engine::instructions()
    );
    agree(
        ranks,
        "its build",
        &build,
        "the same on all, and the same instructions (GRADUS_ISA sets them)",
    )?;
    let expected = "the same model and seed";
    agree(ranks, "its model", &of_model(model)?, expected)
}

/// The digest of a model's layers, weights, optimizer and state.
fn of_model(model: &Model) -> Result<String> {
    let mut digest = Digest::new();
    let settings = format!(
        "{:?} {:?} {:?}",
        model
            .layers
            .iter()
            .map(|l| (&l.name, &l.rule, l.trainable, l.input_range))
            .collect::<Vec<_>>(),
        (&model.nodes, &model.outputs, &model.compiled),
        (model.seed, model.state.iteration, &model.state.scalars),
    );
    digest.add(settings.as_bytes());
    let weights = model.layers.iter().flat_map(|layer| &layer.weights);
    let weights = weights.map(|weight| &weight.values);
    let slots = model.state.slots.iter().flatten().flatten();
    for values in weights.chain(slots) {
        digest.add(&(values.len() as u64).to_le_bytes());
        for value in values {
            digest.add(&value.to_bits().to_le_bytes());
        }
    }
    Ok(digest.finish())
}

/// The digest of some rows; a generator's are not known before they come.
fn of_data(data: &Data) -> Result<String> {
    let mut digest = Digest::new();
    for fingerprint in data.fingerprints()? {
        digest.add(fingerprint.digest.as_bytes());
    }
    let rows = data
        .rows()
        .map_or("a generator".to_owned(), |n| n.to_string());
    Ok(format!("{rows} rows, {}", digest.finish()))
}

/// Tells the other ranks that this one ends with an error, unless the error is theirs.
pub(super) fn fail(ranks: &dyn Collective, error: &Error) {
    match error {
        Error::Rank { rank, .. } if *rank != ranks.rank() => {}
        Error::Rank { problem, .. } => ranks.fail(problem),
        error => ranks.fail(&error.to_string()),
    }
}
