//! Layers that merge several tensors into one, element by element.
//!
//! Shapes are broadcast as in NumPy: axes of length 1 are repeated, and missing leading axes are
//! added.

use super::{Call, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use crate::rules::pairwise::Pairwise;
use serde::{Deserialize, Serialize};

/// The sum of its inputs: residual connections (He et al. 2015).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Add {}

/// The first of its two inputs minus the second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Subtract {}

/// The element-wise product of its inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Multiply {}

/// The mean of its inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Average {}

/// The element-wise maximum of its inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Maximum {}

/// The element-wise minimum of its inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Minimum {}

impl Add {
    /// Adds its inputs.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Subtract {
    /// Subtracts the second input from the first.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Multiply {
    /// Multiplies its inputs.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Average {
    /// Averages its inputs.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Maximum {
    /// Takes the maximum.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Minimum {
    /// Takes the minimum.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Rule for Add {}
impl Rule for Subtract {}
impl Rule for Multiply {}
impl Rule for Average {}
impl Rule for Maximum {}
impl Rule for Minimum {}

impl LayerFormula for Add {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        common(inputs)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        fold(plan, call.inputs, Lowering::sum)
    }
}

impl LayerFormula for Subtract {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        two(inputs)?;
        common(inputs)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        pairwise(plan, call.inputs, Pairwise::Subtract)
    }
}

impl LayerFormula for Multiply {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        common(inputs)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        pairwise(plan, call.inputs, Pairwise::Multiply)
    }
}

impl LayerFormula for Average {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        common(inputs)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let sum = fold(plan, call.inputs, Lowering::sum);
        let share = 1.0 / call.inputs.len() as f32;
        let shares = plan.constant("share", vec![share; sum.view().width]);
        plan.scale(&sum, shares, false)
    }
}

impl LayerFormula for Maximum {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        common(inputs)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        pairwise(plan, call.inputs, Pairwise::Maximum)
    }
}

impl LayerFormula for Minimum {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        common(inputs)
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        pairwise(plan, call.inputs, Pairwise::Minimum)
    }
}

/// Refuses any other number of inputs than two.
pub(super) fn two(inputs: &[Shape]) -> Result<()> {
    match inputs.len() {
        2 => Ok(()),
        n => Err(Error::invalid("", format!("{n} inputs"), "two")),
    }
}

/// The broadcast shape of all inputs.
fn common(inputs: &[Shape]) -> Result<Shape> {
    let rank = inputs.iter().map(Shape::rank).max().unwrap_or(0);
    let mut common = vec![1; rank];
    for shape in inputs {
        let places = common[rank - shape.rank()..].iter_mut();
        for (place, &dim) in places.zip(shape.dims()) {
            match (*place, dim) {
                (_, 1) => {}
                (1, dim) => *place = dim,
                (place, dim) if place == dim => {}
                _ => {
                    let expected = format!("one that fits the {} before it", Shape::new(common));
                    return Err(Error::shape("", shape, expected));
                }
            }
        }
    }
    Ok(Shape::new(common))
}

/// x with this many axes, length 1 for the new leading ones.
fn with_rank(plan: &mut Lowering, x: &Value, rank: usize) -> Value {
    let mut dims = vec![1; rank - x.shape.rank()];
    dims.extend(x.shape.dims());
    plan.reshape(x, dims.into())
}

/// Reduces the inputs by a binary operation, each broadcast to the common shape.
fn fold(
    plan: &mut Lowering,
    inputs: &[Value],
    f: impl Fn(&mut Lowering, &Value, &Value) -> Value,
) -> Value {
    let shapes: Vec<Shape> = inputs.iter().map(|v| v.shape.clone()).collect();
    let shape = common(&shapes).unwrap_or_default();
    let whole = |plan: &mut Lowering, x: &Value| {
        let x = with_rank(plan, x, shape.rank());
        plan.spread(&x, &shape)
    };
    let first = whole(plan, &inputs[0]);
    inputs[1..].iter().fold(first, |a, b| {
        let b = whole(plan, b);
        f(plan, &a, &b)
    })
}

fn pairwise(plan: &mut Lowering, inputs: &[Value], rule: Pairwise) -> Value {
    fold(plan, inputs, |plan, a, b| plan.combine(rule, a, b))
}
