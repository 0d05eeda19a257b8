//! Functions of single numbers: no layer until something needs their values, for then it is
//! known whether they are an activation as a whole.

use super::super::messages::Node;
use super::functions::{self, Samples, are_same, line};
use super::reader::{Reader, Value};
use super::trouble::Trouble;
use crate::error::visible;
use crate::model::Source;
use crate::model::layers::{
    Activation as ActivationLayer, Add, ELU, Layer, LeakyReLU, Maximum, Minimum, Multiply, ReLU,
    Rescaling, Subtract,
};
use crate::rules::activations::Activation;

/// Functions of functions up to which they are looked at as a whole; the longest activation has
/// ten.
const DEEP: usize = 40;

impl Reader {
    /// The source of a tensor's values: a function becomes layers here.
    pub fn symbol(&mut self, name: &str) -> Result<Source, Trouble> {
        let value = self.values.get(name).cloned();
        let source = match value {
            Some(Value::Symbol(source)) => return Ok(source),
            Some(Value::Unknown(why)) => return Err(Trouble::Elsewhere(why)),
            Some(Value::Constant(_)) => {
                let why = format!("its input `{}` is a constant", visible(name));
                return Err(why.into());
            }
            None => return Err(nothing_makes(name)),
            Some(Value::Function { of, samples, .. }) => {
                let maker = self.network.makers.get(name).copied();
                let Some(node) = maker.map(|n| self.network.nodes[n].clone()) else {
                    return Err(nothing_makes(name));
                };
                let whole = match self.whole(&node, of, &samples) {
                    Ok(None) => self.last_of(&node),
                    Ok(Some(source)) => Ok(source),
                    Err(trouble) => Err(trouble),
                };
                whole.map_err(|trouble| Trouble::Elsewhere(self.problem(&node, trouble)))?
            }
        };
        self.values.insert(name.to_owned(), Value::Symbol(source));
        Ok(source)
    }

    /// The layer of a function with these values, if there is one.
    fn whole(
        &mut self,
        node: &Node,
        of: Source,
        samples: &[f64],
    ) -> Result<Option<Source>, Trouble> {
        if are_same(samples, &self.points) {
            return Ok(Some(of));
        }
        if let Some(rule) = self.known.find(samples) {
            return self.layer(node, layer_of(rule), vec![of]).map(Some);
        }
        match line(samples) {
            Some((factor, shift)) => {
                let layer = Rescaling::new(factor).offset(shift);
                self.layer(node, layer, vec![of]).map(Some)
            }
            None => Ok(None),
        }
    }

    /// The layer of a node's own function, of its inputs' values.
    fn last_of(&mut self, node: &Node) -> Result<Source, Trouble> {
        let mut sources = Vec::new();
        for name in &node.input {
            if !name.is_empty() && self.constant(name).is_none() {
                sources.push(self.symbol(name)?);
            }
        }
        let is_one = sources.iter().all(|source| *source == sources[0]);
        if !is_one {
            return self.merged(node, sources);
        }
        let of = *sources.first().ok_or("it has no input")?;
        let samples = self.samples(node, |_| Some(self.points.clone()))?;
        if let Some(source) = self.whole(node, of, &samples)? {
            return Ok(source);
        }
        if sources.len() == 2 {
            return self.merged(node, sources);
        }
        Err("it is no part of a function that is known".into())
    }

    /// A layer of two tensors or more.
    pub fn merged(&mut self, node: &Node, sources: Vec<Source>) -> Result<Source, Trouble> {
        let layer: Layer = match &*node.op_type {
            "Add" | "Sum" => Add::new().into(),
            "Sub" => Subtract::new().into(),
            "Mul" => Multiply::new().into(),
            "Max" => Maximum::new().into(),
            "Min" => Minimum::new().into(),
            _ => return Err("of two tensors it is not read".into()),
        };
        let rank = |source: &Source| self.shape(*source).rank();
        if sources
            .iter()
            .any(|source| rank(source) != rank(&sources[0]))
        {
            return Err("its inputs have different numbers of axes".into());
        }
        self.layer(node, layer, sources)
    }

    /// The function of single numbers that a node computes; layers where it has several inputs.
    pub fn function(&mut self, node: &Node) -> Result<Value, Trouble> {
        let (mut of, mut depth) = (None, 0);
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            if let Some(Value::Function { depth: DEEP, .. }) = self.values.get(name) {
                self.symbol(name)?;
            }
            let (source, deep) = match self.values.get(name) {
                Some(Value::Symbol(source)) => (*source, 0),
                Some(Value::Function { of, depth, .. }) => (*of, *depth),
                Some(Value::Constant(array)) if array.scalar().is_some() => continue,
                Some(Value::Constant(_)) => {
                    let found = format!("its constant `{}` has several numbers", visible(name));
                    return Err((found + ", expected one").into());
                }
                _ => return Err(nothing_makes(name)),
            };
            depth = depth.max(deep + 1);
            match of {
                None => of = Some(source),
                Some(other) if other == source => {}
                Some(_) => return self.of_several(node),
            }
        }
        let of = of.ok_or("it has no input that depends on the rows")?;
        let rank = self.shape(of).rank() + 1;
        let mut constants = node.input.iter().filter_map(|name| self.constant(name));
        if constants.any(|array| array.dims.len() > rank) {
            return Err("its constant has more axes than the other input".into());
        }
        let samples = self.samples(node, |name| match self.values.get(name) {
            Some(Value::Symbol(_)) => Some(self.points.clone()),
            Some(Value::Function { samples, .. }) => Some(samples.clone()),
            _ => None,
        });
        match samples {
            Ok(samples) => Ok(Value::Function { of, samples, depth }),
            Err(_) => self.of_several(node),
        }
    }

    /// A layer of several tensors.
    fn of_several(&mut self, node: &Node) -> Result<Value, Trouble> {
        let sources = node.input.iter().map(|name| self.symbol(name));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        self.merged(node, sources).map(Value::Symbol)
    }

    /// The values of a node's function, from those of its inputs that are no constants.
    fn samples(
        &self,
        node: &Node,
        of: impl Fn(&str) -> Option<Samples>,
    ) -> Result<Samples, Trouble> {
        let mut columns = Vec::new();
        for name in &node.input {
            columns.push(match self.constant(name) {
                Some(array) => vec![array.scalar().unwrap_or(f64::NAN); self.points.len()],
                // Bounds that are not given bind nothing.
                None if name.is_empty() && node.op_type == "Clip" => {
                    vec![
                        if columns.len() == 1 {
                            f64::NEG_INFINITY
                        } else {
                            f64::INFINITY
                        };
                        self.points.len()
                    ]
                }
                None => of(name).ok_or("it is not read of this input")?,
            });
        }
        let row = |n: usize| columns.iter().map(|column| column[n]).collect::<Vec<f64>>();
        let value = |n: usize| functions::value(node, &row(n));
        let all: Option<Samples> = (0..self.points.len()).map(value).collect();
        all.ok_or_else(|| format!("it is not read with {} inputs", node.input.len()).into())
    }
}

fn nothing_makes(tensor: &str) -> Trouble {
    format!("nothing makes its input `{}`", visible(tensor)).into()
}

/// The layer of an activation: that of its own, where Keras has one for its arguments.
fn layer_of(rule: Activation) -> Layer {
    let config = rule.to_config();
    let argument = |name: &str| config[name].as_f64();
    match (
        rule.class(),
        argument("alpha"),
        argument("negative_slope"),
        argument("max_value"),
    ) {
        ("Elu", Some(alpha), ..) if alpha != 1.0 => ELU::new().alpha(alpha).into(),
        ("LeakyRelu", _, Some(slope), _) if slope != 0.2 => {
            LeakyReLU::new().negative_slope(slope).into()
        }
        ("GeneralRelu", _, _, Some(most)) => ReLU::new().max_value(most).into(),
        _ => ActivationLayer::new(rule).into(),
    }
}
