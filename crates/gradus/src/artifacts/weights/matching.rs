//! Matching of a file's arrays to a model's weights.

use super::names::{self, Layout, NamedArray};
use crate::base::shown::list;
use crate::model::weights::is_int8;
use crate::model::{Model, Weight};
use std::collections::BTreeMap;
use std::fmt;

/// The result of matching a file and a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Weights of the model found in the file, with Keras' names.
    pub loaded: Vec<String>,
    /// Weights of the model missing in the file; they are unchanged.
    pub missing: Vec<String>,
    /// Weights of the model with another shape in the file; they are unchanged.
    pub unfit: Vec<Unfit>,
    /// Arrays of the file for which the model has no weight.
    pub unused: Vec<String>,
}

/// A weight with another shape in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Name in the file.
    pub name: String,
    /// Shape in the file.
    pub found: Vec<usize>,
    /// The shape that would have fitted.
    pub expected: Vec<usize>,
}

impl Matched {
    /// True if every weight was loaded, and nothing is left over.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unfit.is_empty() && self.unused.is_empty()
    }
}

/// A line for each kind of mismatch.
impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.loaded.len() + self.missing.len() + self.unfit.len();
        write!(f, "{} of {count} weights found", self.loaded.len())?;
        if !self.missing.is_empty() {
            write!(f, "\n  not in the file: {}", list(&self.missing))?;
        }
        const UNFIT: usize = 10;
        for unfit in self.unfit.iter().take(UNFIT) {
            let (found, expected) = (&unfit.found, &unfit.expected);
            write!(
                f,
                "\n  {}: found shape {found:?}, expected {expected:?}",
                unfit.name
            )?;
        }
        if self.unfit.len() > UNFIT {
            write!(f, "\n  {} more of other shapes", self.unfit.len() - UNFIT)?;
        }
        if !self.unused.is_empty() {
            write!(f, "\n  not in the model: {}", list(&self.unused))?;
        }
        Ok(())
    }
}

/// New values of a weight, by the indices of its layer and of itself.
pub(super) type Filled = Vec<(usize, usize, Vec<f32>)>;

/// Looks up every weight of the model under all of its possible names.
pub(super) fn matched(model: &Model, arrays: Vec<NamedArray>) -> Result<(Filled, Matched), String> {
    let mut by_name = BTreeMap::new();
    for array in arrays {
        if let Some(twice) = by_name.insert(array.name.clone(), array) {
            return Err(format!("two arrays are named `{}`", twice.name));
        }
    }
    let (mut filled, mut report) = (Filled::new(), Matched::default());
    for (l, layer) in model.layers.iter().enumerate() {
        for (w, weight) in layer.weights.iter().enumerate() {
            let keras = names::name(layer, weight, Layout::Keras);
            let numbered = format!("{}/{w}", layer.name);
            let pytorch = names::name(layer, weight, Layout::PyTorch);
            if !names::is_kept(weight) {
                for name in [keras, numbered, pytorch] {
                    by_name.remove(&name);
                }
                continue;
            }
            let found = by_name.remove(&keras).or_else(|| by_name.remove(&numbered));
            let turn = match found {
                Some(_) => None,
                None => names::turn(layer, weight),
            };
            let Some(array) = found.or_else(|| by_name.remove(&pytorch)) else {
                report.missing.push(keras);
                continue;
            };
            let has_scale = by_name.contains_key(&format!("{keras}_scale"));
            check_quantized(weight, &array, has_scale)?;
            let expected = match &turn {
                Some(turn) => turn.shape.clone(),
                None => weight.shape.clone(),
            };
            if array.shape != expected {
                report.unfit.push(Unfit {
                    name: array.name,
                    found: array.shape,
                    expected,
                });
                continue;
            }
            let values = match turn {
                Some(turn) => turn.back(&array.values, &weight.shape),
                None => array.values,
            };
            filled.push((l, w, values));
            report.loaded.push(keras);
        }
    }
    let unused = by_name.into_keys();
    // PyTorch's count of batches, which no computation uses.
    report.unused = unused
        .filter(|name| !name.ends_with(".num_batches_tracked"))
        .collect();
    Ok((filled, report))
}

/// Refuses whole numbers for floats, and floats for whole numbers; `has_scale` if the file has a
/// scale for the array.
fn check_quantized(weight: &Weight, array: &NamedArray, has_scale: bool) -> Result<(), String> {
    let problem = match weight.int8 {
        false if array.int8 || has_scale => "is quantized, the model's layer is not",
        true if !array.values.iter().all(|&x| is_int8(x)) => "is not int8, the model's layer is",
        _ => return Ok(()),
    };
    Err(format!("{} {problem}", array.name))
}

/// Replaces the weights by the new values.
pub(super) fn put(model: &mut Model, filled: Filled) {
    for (layer, weight, values) in filled {
        model.layers[layer].weights[weight].values = values;
    }
}
