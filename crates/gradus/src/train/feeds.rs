//! A model's share of the data: what a plan is fed with, in its order.

use crate::data::{Dataset, Tensor, Values};
use crate::error::{Error, Result};
use crate::model::Model;

/// A batch's inputs, targets and weights, in the order of a plan's feeds.
pub(crate) fn tensors(model: &Model, data: &Dataset, with_targets: bool) -> Result<Vec<Tensor>> {
    let given = inputs(model, data)?;
    let feeds = model.feeds().into_iter().map(|feed| match feed.lookup {
        None => Ok(given[feed.input].clone()),
        Some(layer) => looked_up(model, layer, given[feed.input]),
    });
    let mut all = feeds.collect::<Result<Vec<Tensor>>>()?;
    if with_targets {
        let targets = targets(model, data)?.into_iter();
        all.extend(targets.map(|(_, target)| target.clone()));
        all.extend(data.sample_weight().cloned());
    }
    Ok(all)
}

/// The tensor of each input.
pub(crate) fn inputs<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<&'a Tensor>> {
    data.for_inputs(model.inputs.iter().map(|input| &*input.name))
}

/// What a layer finds for each text: it looks each of the dictionary up once.
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

/// The target of each trained output, with the output's number.
pub(crate) fn targets<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<(usize, &'a Tensor)>> {
    let names = model.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted: Vec<usize> = model.compiled()?.trained().map(|(o, _)| o).collect();
    let found = data.for_targets(&names, &wanted)?;
    Ok(wanted.into_iter().zip(found).collect())
}
