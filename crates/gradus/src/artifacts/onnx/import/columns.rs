//! Factors and shifts by column: biases, scalers, batch normalizations.

use super::super::messages::Node;
use super::array::Array;
use super::names::name_of;
use super::network::{attribute, float, int};
use super::reader::{Reader, Value};
use super::steps::{Columns, What};
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::BatchNormalization;
use crate::rules::activations::Activation;

impl Reader {
    /// An operator of each row and a vector: a bias, or factors and shifts by column, together
    /// with those before.
    pub fn by_column(&mut self, node: &Node) -> Result<Option<Value>, Trouble> {
        let (a, b) = match &node.input[..] {
            [a, b] => (a, b),
            other => return Err(format!("it has {} inputs", other.len()).into()),
        };
        let (x, by, is_second) = match (self.constant(a), self.constant(b)) {
            (None, Some(by)) => (a, by, true),
            (Some(by), None) => (b, by, false),
            _ => return Ok(None),
        };
        let alone = self.network.uses.get(x) == Some(&1);
        let producer = match self.values.get(x) {
            Some(Value::Symbol(Source::Node(n))) if alone && self.steps[*n].tensor == *x => {
                Some(*n)
            }
            _ => None,
        };
        let op = &*node.op_type;
        if let (Some(n), "Add") = (producer, op)
            && let What::Dense(dense) = &self.steps[n].what
            && !dense.use_bias
            && dense.activation == Activation::Linear
            && by.len() == dense.units
            && let Some(bias) = by.vector(dense.units, self.rank(Source::Node(n)))
        {
            let what = What::Dense(dense.clone().use_bias(true));
            self.steps[n].what = what;
            self.steps[n].weights.push(bias);
            return Ok(Some(self.now_makes(n, node)));
        }
        if let (Some(n), "Add") = (producer, op)
            && let Some(bias) = by.vector(self.steps[n].shape.last(), self.rank(Source::Node(n)))
            && by.len() == bias.len()
            && self.takes_bias(n, &bias)
        {
            return Ok(Some(self.now_makes(n, node)));
        }
        if by.scalar().is_some() && !matches!(producer, Some(n) if self.takes_columns(n)) {
            return Ok(None);
        }
        let mut source = self.symbol(x)?;
        let channels = self.by_channels(&by, source);
        let by = match &channels {
            Some(channels) => {
                source = self.channels_last(source)?;
                Array::vector_of(channels)
            }
            None => by,
        };
        let (width, rank) = (self.shape(source).last(), self.rank(source));
        self.claim(5 * width)?;
        let Some(by) = by.vector(width, rank).filter(|_| rank > 1) else {
            let found = format!("its constant is of shape {:?}", by.dims);
            return Err(format!("{found}, expected one number for each of {width} columns").into());
        };
        let negative = |by: &[f32]| by.iter().map(|x| -x).collect::<Vec<f32>>();
        let (factor, shift) = match (op, is_second) {
            ("Add", _) => (None, Some(by)),
            ("Sub", true) => (None, Some(negative(&by))),
            ("Sub", false) => (Some(vec![-1.0; width]), Some(by)),
            ("Mul", _) => (Some(by), None),
            ("Div", true) => (Some(by.iter().map(|x| 1.0 / x).collect()), None),
            _ => return Err("a constant divided by a tensor is not read".into()),
        };
        let n = match source {
            Source::Node(n) if producer == Some(n) && self.takes_columns(n) => n,
            _ => {
                let name = name_of(node, None, "Normalization");
                let what = What::Columns(Columns::new(width));
                let made = self.step(name, what, Vec::new(), vec![source])?;
                let Source::Node(n) = made else {
                    return Err("it is no layer".into());
                };
                n
            }
        };
        let step = &mut self.steps[n];
        match &mut step.what {
            What::Columns(columns) => {
                factor.iter().for_each(|by| columns.multiply(by));
                shift.iter().for_each(|by| columns.add(by));
            }
            // γ and β of a layer normalization.
            _ => {
                let times = |all: &mut Vec<f32>, by: &[f32]| {
                    all.iter_mut().zip(by).for_each(|(x, by)| *x *= by)
                };
                if let Some(by) = &factor {
                    step.weights.iter_mut().for_each(|all| times(all, by));
                }
                if let (Some(by), [_, beta]) = (&shift, &mut step.weights[..]) {
                    beta.iter_mut().zip(by).for_each(|(x, by)| *x += by);
                }
            }
        }
        if channels.is_some() {
            return self
                .channels_first(Source::Node(n))
                .map(|made| Some(Value::Symbol(made)));
        }
        Ok(Some(self.now_makes(n, node)))
    }

    /// The numbers of a constant that has one for each channel of sequences or images, channels
    /// first.
    pub fn by_channels(&self, by: &Array, x: Source) -> Option<Vec<f32>> {
        let row = self.shape(x).dims();
        let front = by.dims.len().checked_sub(row.len())?;
        let (front, own) = by.dims.split_at(front);
        let (channels, behind) = own.split_first()?;
        let is_one = |dims: &[usize]| dims.iter().all(|&dim| dim == 1);
        let fits = row.len() > 1 && *channels == row[0] && is_one(front) && is_one(behind);
        (fits && front.len() <= 1 && by.len() > 1).then(|| by.floats())
    }

    /// Gives a convolution that has none yet this bias; false if it is something else.
    fn takes_bias(&mut self, n: usize, bias: &[f32]) -> bool {
        let step = &mut self.steps[n];
        let What::Layer(layer) = &step.what else {
            return false;
        };
        match (layer.with_bias(), step.weights.len()) {
            (Some(with), 1) => {
                step.what = What::Layer(with);
                step.weights.push(bias.to_vec());
                true
            }
            _ => false,
        }
    }

    /// The output of a step that this node has changed.
    pub fn now_makes(&mut self, n: usize, node: &Node) -> Value {
        self.steps[n].tensor = node.output.first().cloned().unwrap_or_default();
        Value::Symbol(Source::Node(n))
    }

    /// True if a step's factors and shifts by column may be changed.
    pub fn takes_columns(&self, n: usize) -> bool {
        match &self.steps[n].what {
            What::Columns(_) => true,
            What::Layer(layer) => layer.class() == "LayerNormalization",
            What::Dense(_) => false,
        }
    }

    pub fn batch_normalization(&mut self, node: &Node) -> Result<Source, Trouble> {
        if int(node, "training_mode").unwrap_or(0) != 0 {
            return Err("it is in training mode: export the model in evaluation mode".into());
        }
        let x = self.first(node)?;
        let dims = self.shape(x).dims();
        let (axis, channels) = match dims {
            [] => return Err("its input has no channels".into()),
            [width] => (-1, *width),
            [channels, ..] => (1, *channels),
        };
        self.claim(4 * channels)?;
        let mut weights = Vec::new();
        for n in 1..5 {
            let vector = self.needed(node, n)?.vector(channels, 1);
            weights
                .push(vector.ok_or_else(|| format!("its input {n} has not {channels} numbers"))?);
        }
        let layer = BatchNormalization::new()
            .axis(axis)
            .epsilon(float(node, "epsilon", 1e-5))
            .momentum(float(node, "momentum", 0.9));
        let name = name_of(
            node,
            node.input.get(1).map(String::as_str),
            "BatchNormalization",
        );
        self.step(name, What::Layer(layer.into()), weights, vec![x])
    }

    /// scikit-learn's scalers: (x - offset) scale.
    pub fn scaler(&mut self, node: &Node) -> Result<Source, Trouble> {
        let x = self.first(node)?;
        let width = self.shape(x).last();
        self.claim(3 * width)?;
        let given = |name: &str| match attribute(node, name).map(|given| &given.floats[..]) {
            Some([one]) => Ok(vec![*one; width]),
            Some(all) if all.len() == width => Ok(all.to_vec()),
            _ => Err(Trouble::Here(format!(
                "its {name} is not one for each of {width} columns"
            ))),
        };
        let columns = Columns {
            mean: given("offset")?,
            factor: given("scale")?,
            ..Columns::new(width)
        };
        self.step("scaler".into(), What::Columns(columns), Vec::new(), vec![x])
    }
}
