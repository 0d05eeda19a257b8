use super::axes::{Axes, row_axes};
use super::merge::two;
use super::{Call, LayerFormula, LayerTraits};
use crate::base::registry::Rule;
use crate::base::setters::setters;
use crate::base::shape::Shape;
use crate::error::{Error, Result};
use crate::plan::lower::{Lowering, Value};
use serde::{Deserialize, Serialize};

/// The dot products of its two inputs along an axis of each. The first's other axes come before the
/// second's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dot {
    /// The axis of both inputs, or of each, counted with the batch as 0.
    #[schemars(extend("examples" = [1]))]
    pub axes: Axes,
    /// True to first divide the inputs by their length along the axis: the
    /// result is then the cosine of their angle. Default no.
    #[serde(default)]
    pub normalize: bool,
}

impl Dot {
    /// Along this axis of both, or along these of the first and the second.
    pub fn new(axes: impl Into<Axes>) -> Self {
        Dot {
            axes: axes.into(),
            normalize: false,
        }
    }

    /// The axis of each input, from a row's first, 0, on.
    fn row_axes(&self, a: &Shape, b: &Shape) -> Result<(usize, usize)> {
        let (first, second) = match *self.axes.as_slice() {
            [axis] => (axis, axis),
            [first, second] => (first, second),
            _ => return Err(self.wrong_axes()),
        };
        Ok((
            row_axes("axes", &[first], a)?[0],
            row_axes("axes", &[second], b)?[0],
        ))
    }

    fn wrong_axes(&self) -> Error {
        let found = format!("{:?}", self.axes.as_slice());
        Error::invalid("axes", found, "one axis, or one for each of two inputs")
    }
}

setters!(Dot {
    /// Enables or disables the division by the norm.
    normalize(bool);
});

/// The dimensions without one of them.
fn without(shape: &Shape, axis: usize) -> Vec<usize> {
    let mut dims = shape.dims().to_vec();
    dims.remove(axis);
    dims
}

/// x as a matrix: that axis first, or last, all others flattened.
fn matrix(plan: &mut Lowering, x: &Value, axis: usize, first: bool) -> Value {
    let mut order: Vec<usize> = (0..x.shape.rank()).filter(|&a| a != axis).collect();
    let depth = x.shape.dims()[axis];
    let others = x.shape.size() / depth.max(1);
    let shape: Shape = match first {
        true => {
            order.insert(0, axis);
            [depth, others].into()
        }
        false => {
            order.push(axis);
            [others, depth].into()
        }
    };
    let x = plan.permute(x, &order);
    plan.reshape(&x, shape)
}

impl Rule for Dot {
    fn check(&self) -> Result<()> {
        match self.axes.as_slice().len() {
            1 | 2 => Ok(()),
            _ => Err(self.wrong_axes()),
        }
    }
}

impl LayerFormula for Dot {
    fn traits(&self) -> LayerTraits {
        LayerTraits::deterministic()
    }

    fn merges(&self) -> bool {
        true
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        two(inputs)?;
        let (a, b) = (&inputs[0], &inputs[1]);
        let (i, j) = self.row_axes(a, b)?;
        let (first, second) = (a.dims()[i], b.dims()[j]);
        if first != second {
            let expected = format!("{first} along axis {}, as in the first, {a}", j + 1);
            return Err(Error::shape("", b, expected));
        }
        let mut dims = without(a, i);
        dims.extend(without(b, j));
        if dims.is_empty() {
            dims.push(1);
        }
        Ok(dims.into())
    }

    fn lower(&self, plan: &mut Lowering, call: Call<'_>) -> Value {
        let (a, b) = (&call.inputs[0], &call.inputs[1]);
        let shapes = [a.shape.clone(), b.shape.clone()];
        let shape = self.output(&shapes).unwrap_or_default();
        let (i, j) = self.row_axes(&a.shape, &b.shape).unwrap_or_default();
        let mut unit = |x: &Value, axis: usize| match self.normalize {
            true => plan.by_axes(x, &[axis], Lowering::unit_rows),
            false => x.clone(),
        };
        let (a, b) = (unit(a, i), unit(b, j));
        let (a, b) = (matrix(plan, &a, i, false), matrix(plan, &b, j, true));
        let y = plan.batch_product(&a, &b);
        plan.reshape(&y, shape)
    }
}
