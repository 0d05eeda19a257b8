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
            let turn = match layout {
                Layout::PyTorch => turn(layer, weight),
                Layout::Keras => None,
            };
            arrays.push(NamedArray {
                name: name(layer, weight, layout),
                int8: weight.int8,
                values: match &turn {
                    Some(turn) => permuted(&weight.values, &weight.shape, &turn.order),
                    None => weight.values.clone(),
                },
                shape: turn.map_or_else(|| weight.shape.clone(), |turn| turn.shape),
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

/// A kernel's form in PyTorch.
pub(crate) struct Turn {
    /// For each of its axes there, the axis here.
    pub order: Vec<usize>,
    /// Its shape there.
    pub shape: Vec<usize>,
}

/// PyTorch's form of a kernel: outputs, inputs, then the axes that it slides along. None of other
/// weights, which have the same there.
pub(crate) fn turn(layer: &LayerEntry, weight: &Weight) -> Option<Turn> {
    let rank = weight.shape.len();
    if weight.name != "kernel" || rank < 2 {
        return None;
    }
    let window = 0..rank - 2;
    if layer.rule.is_depthwise() {
        // There it is a convolution of as many groups as channels, which sees one channel each.
        let order: Vec<usize> = [rank - 2, rank - 1]
            .into_iter()
            .chain(window.clone())
            .collect();
        let filters = weight.shape[rank - 2] * weight.shape[rank - 1];
        let window = window.map(|axis| weight.shape[axis]);
        let shape = [filters, 1].into_iter().chain(window).collect();
        return Some(Turn { order, shape });
    }
    let order: Vec<usize> = [rank - 1, rank - 2].into_iter().chain(window).collect();
    let shape = order.iter().map(|&axis| weight.shape[axis]).collect();
    Some(Turn { order, shape })
}

/// An array of that shape with its axes in another order.
fn permuted(values: &[f32], shape: &[usize], order: &[usize]) -> Vec<f32> {
    let steps: Vec<usize> = (0..shape.len())
        .map(|axis| shape[axis + 1..].iter().product())
        .collect();
    let mut places = vec![0];
    for &axis in order {
        let along = |place: usize| (0..shape[axis]).map(move |i| (place, i));
        let all = places.into_iter().flat_map(along);
        places = all.map(|(place, i)| place + i * steps[axis]).collect();
    }
    places.into_iter().map(|place| values[place]).collect()
}

impl Turn {
    /// The values of a weight of that shape here, from those there.
    pub fn back(&self, values: &[f32], shape: &[usize]) -> Vec<f32> {
        let there: Vec<usize> = self.order.iter().map(|&axis| shape[axis]).collect();
        let place = |axis: usize| self.order.iter().position(|&other| other == axis);
        let back: Vec<usize> = (0..shape.len()).filter_map(place).collect();
        permuted(values, &there, &back)
    }
}
