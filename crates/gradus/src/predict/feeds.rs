//! The data in the order of a plan's feeds.

use crate::data::{Dataset, Tensor, Values};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::feeds::{self, FeedRole};
use std::collections::HashMap;

/// The inputs of the data and, if `labelled`, its targets and weights, in the order of
/// [`feeds::order`].
pub(crate) fn tensors(model: &Model, data: &Dataset, labelled: bool) -> Result<Vec<Tensor>> {
    let given = inputs(model, data)?;
    let targets: HashMap<usize, &Tensor> = match labelled {
        true => targets(model, data)?.into_iter().collect(),
        false => HashMap::new(),
    };
    let weights = data.sample_weight();
    let order = feeds::order(model, labelled, weights.is_some())?;
    let tensor = |role: FeedRole| match role {
        FeedRole::Input(input) => Ok(given[input].clone()),
        FeedRole::LookedUp { input, layer } => looked_up(model, layer, given[input]),
        FeedRole::Target(output) => {
            let found = targets.get(&output).map(|&target| target.clone());
            found.ok_or_else(|| missing(role))
        }
        FeedRole::SampleWeight => weights.cloned().ok_or_else(|| missing(role)),
        FeedRole::Mix(_) | FeedRole::Features(_) => Err(missing(role)),
    };
    order.into_iter().map(tensor).collect()
}

fn missing(role: FeedRole) -> Error {
    Error::Internal(format!("the data has no tensor for {role:?}"))
}

/// The tensor of each input.
pub(crate) fn inputs<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<&'a Tensor>> {
    data.for_inputs(model.inputs.iter().map(|input| &*input.name))
}

/// Looks each text of the dictionary up once, and gives the number of each cell.
fn looked_up(model: &Model, layer: usize, texts: &Tensor) -> Result<Tensor> {
    let Values::Text { names, codes } = texts.values() else {
        return Err(Error::invalid(texts.name(), "numbers", "text"));
    };
    let places = model.layers[layer].rule.look_up(names)?;
    let place = |(cell, &code): (usize, &u32)| {
        places[code as usize].ok_or_else(|| Error::Data {
            source_name: texts.name().to_owned(),
            row: Some(texts.source_row(cell / texts.size().max(1))),
            column: None,
            found: format!("{:?}", names[code as usize]),
            expected: format!(
                "a text that layer {} knows: its num_oov_indices is 0",
                model.layers[layer].name
            ),
        })
    };
    let found = codes.iter().enumerate().map(place);
    let found = Tensor::from_f32(texts.shape().clone(), found.collect::<Result<_>>()?)?;
    Ok(found.named(texts.name()))
}

/// The target of each trained output, with the output's index.
pub(crate) fn targets<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<(usize, &'a Tensor)>> {
    let names = model.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted: Vec<usize> = model.compiled()?.trained().map(|(o, _)| o).collect();
    let found = data.for_targets(&names, &wanted)?;
    Ok(wanted.into_iter().zip(found).collect())
}
