//! Names of weights in files.

use crate::error::{Error, Result};
use crate::model::{LayerEntry, Model, Weight};
use std::fmt;
use std::str::FromStr;

/// An array of a file with its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedArray {
    /// Name: `dense/kernel`, or `dense.weight`; `dense/0` if variables are numbered.
    pub name: String,
    /// The dimensions, outermost first.
    pub shape: Vec<usize>,
    /// True for the whole numbers of a quantized layer.
    pub int8: bool,
    /// Values in row-major order, of the shape's size.
    pub values: Vec<f32>,
}

/// The naming and layout of weights in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Keras' paths, `dense/kernel`; a kernel is (inputs, units).
    #[default]
    Keras,
    /// PyTorch's, as in a `state_dict`: `dense.weight` is (units, inputs), batch
    /// normalization has `running_mean` and `running_var`.
    PyTorch,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layout::Keras => "keras",
            Layout::PyTorch => "pytorch",
        })
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "keras" => Ok(Layout::Keras),
            "pytorch" => Ok(Layout::PyTorch),
            _ => Err(Error::unknown("", "layout", name, ["keras", "pytorch"])),
        }
    }
}

/// A model's weights in a file's layout.
pub(crate) fn of(model: &Model, layout: Layout) -> Vec<NamedArray> {
    let mut arrays = Vec::new();
    for layer in &model.layers {
        for weight in layer.weights.iter().filter(|weight| is_kept(weight)) {
            let transposed = layout == Layout::PyTorch && is_kernel(weight);
            arrays.push(NamedArray {
                name: name(layer, weight, layout),
                shape: match transposed {
                    true => weight.shape.iter().rev().copied().collect(),
                    false => weight.shape.clone(),
                },
                int8: weight.int8,
                values: match transposed {
                    true => transpose(&weight.values, weight.shape[1]),
                    false => weight.values.clone(),
                },
            });
        }
    }
    arrays
}

/// A weight's name.
pub(crate) fn name(layer: &LayerEntry, weight: &Weight, layout: Layout) -> String {
    match layout {
        Layout::Keras => format!("{}/{}", layer.name, weight.name),
        Layout::PyTorch => {
            let own = match weight.name {
                "kernel" | "gamma" | "alpha" => "weight",
                "beta" => "bias",
                "moving_mean" => "running_mean",
                "moving_variance" => "running_var",
                other => other,
            };
            format!("{}.{own}", layer.name.replace('/', "."))
        }
    }
}

/// False for Keras' count of adapted rows, which is no weight: no computation uses it.
pub(crate) fn is_kept(weight: &Weight) -> bool {
    weight.name != "count"
}

/// True if PyTorch stores it transposed.
pub(crate) fn is_kernel(weight: &Weight) -> bool {
    weight.name == "kernel" && weight.shape.len() == 2
}

/// The transpose of a matrix with this many columns.
pub(crate) fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    let rows = values.len() / columns.max(1);
    let mut turned = Vec::with_capacity(values.len());
    for column in 0..columns {
        turned.extend((0..rows).map(|row| values[row * columns + column]));
    }
    turned
}
