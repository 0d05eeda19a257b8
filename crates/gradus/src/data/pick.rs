//! Matching of the data's tensors to a model's inputs and outputs: by name if the data has names,
//! else by order.

use super::dataset::Dataset;
use super::tensor::Tensor;
use crate::error::{Error, Result};
use std::collections::{HashMap, HashSet};

impl Dataset {
    /// The tensors of a model's inputs.
    pub(crate) fn for_inputs<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<&Tensor>> {
        let names: Vec<&str> = names.collect();
        let wanted: Vec<usize> = (0..names.len()).collect();
        let (tensors, given) = (self.inputs(), self.input_names());
        pick(self.name(), "input", &names, &wanted, tensors, given)
    }

    /// The targets of the outputs with the indices `wanted`.
    pub(crate) fn for_targets(&self, names: &[&str], wanted: &[usize]) -> Result<Vec<&Tensor>> {
        let (tensors, given) = (self.targets(), self.target_names());
        pick(self.name(), "target", names, wanted, tensors, given)
    }
}

/// The tensors for the `wanted` of the model's `names`.
fn pick<'a>(
    at: &str,
    what: &'static str,
    names: &[&str],
    wanted: &[usize],
    tensors: &'a [Tensor],
    given: &[String],
) -> Result<Vec<&'a Tensor>> {
    // A single tensor for a single output matches whatever their names.
    if given.is_empty() || (tensors.len() == 1 && wanted.len() == 1) {
        let every: Vec<&Tensor> = tensors.iter().collect();
        return match tensors.len() {
            n if n == wanted.len() => Ok(every),
            // There is a target for each output, trained or not.
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
    let known: HashSet<&str> = names.iter().copied().collect();
    if let Some(stranger) = given.iter().find(|name| !known.contains(name.as_str())) {
        return Err(Error::unknown(at, what, stranger, names.iter().copied()));
    }
    let of_names: HashMap<&str, &Tensor> = given.iter().map(String::as_str).zip(tensors).collect();
    let find = |&place: &usize| {
        of_names.get(names[place]).copied().ok_or_else(|| {
            let found = format!("{what}s {}", given.join(", "));
            Error::invalid(at, found, format!("one named `{}` too", names[place]))
        })
    };
    wanted.iter().map(find).collect()
}
