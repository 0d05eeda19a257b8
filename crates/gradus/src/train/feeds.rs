//! Which tensor of the data is for which input and output of a model: by name
//! where the data has names, else by place.

use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use crate::model::Model;

/// A batch's inputs, targets and weights, in the order of a plan's feeds.
pub(crate) fn tensors<'a>(
    model: &Model,
    data: &'a Dataset,
    with_targets: bool,
) -> Result<Vec<&'a Tensor>> {
    let mut all = inputs(model, data)?;
    if with_targets {
        all.extend(targets(model, data)?.into_iter().map(|(_, target)| target));
        all.extend(data.sample_weight());
    }
    Ok(all)
}

/// The tensor of each input.
pub(crate) fn inputs<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<&'a Tensor>> {
    let names: Vec<&str> = model.inputs.iter().map(|input| &*input.name).collect();
    let wanted: Vec<usize> = (0..names.len()).collect();
    pick(
        data.name(),
        "input",
        &names,
        &wanted,
        data.inputs(),
        data.input_names(),
    )
}

/// The target of each trained output, with the output's number.
pub(crate) fn targets<'a>(model: &Model, data: &'a Dataset) -> Result<Vec<(usize, &'a Tensor)>> {
    let names = model.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted: Vec<usize> = model.compiled()?.trained().map(|(o, _)| o).collect();
    let found = pick(
        data.name(),
        "target",
        &names,
        &wanted,
        data.targets(),
        data.target_names(),
    )?;
    Ok(wanted.into_iter().zip(found).collect())
}

/// The tensors of the `wanted` of the model's `names`.
fn pick<'a>(
    at: &str,
    what: &'static str,
    names: &[&str],
    wanted: &[usize],
    tensors: &'a [Tensor],
    given: &[String],
) -> Result<Vec<&'a Tensor>> {
    // The one tensor is for the one place, whatever they are called.
    if given.is_empty() || (tensors.len() == 1 && wanted.len() == 1) {
        let every: Vec<&Tensor> = tensors.iter().collect();
        return match tensors.len() {
            n if n == wanted.len() => Ok(every),
            // A target for each output, trained or not.
            n if n == names.len() => Ok(wanted.iter().map(|&place| every[place]).collect()),
            n => {
                let s = if n == 1 { "" } else { "s" };
                let found = match n {
                    0 => format!("no {what}s"),
                    _ => format!("{n} {what}{s}"),
                };
                let names: Vec<&str> = wanted.iter().map(|&place| names[place]).collect();
                let expected = format!("{}, for {}", names.len(), names.join(", "));
                Err(Error::invalid(at, found, expected))
            }
        };
    }
    if let Some(stranger) = given.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Error::unknown(at, what, stranger, names.iter().copied()));
    }
    let find = |&place: &usize| {
        let found = given.iter().position(|name| name == names[place]);
        found.map(|n| &tensors[n]).ok_or_else(|| {
            let found = format!("{what}s {}", given.join(", "));
            Error::invalid(at, found, format!("one named `{}` too", names[place]))
        })
    };
    wanted.iter().map(find).collect()
}
