//! The order of axes. ONNX has the channels first, the layers here have them last: what works on
//! images is put on the turned input, and its result turned back. A layer that does the same in
//! either order moves before the turn, so that turns meet and vanish.

use super::super::messages::Node;
use super::names::name_of;
use super::network::attribute;
use super::reader::{Reader, Value};
use super::steps::What;
use super::trouble::Trouble;
use crate::model::Source;
use crate::model::layers::{Layer, Permute};

/// The order that puts the first of so many axes last.
fn to_last(rank: usize) -> Vec<usize> {
    (2..=rank).chain([1]).collect()
}

/// The order that puts the last of so many axes first.
fn to_first(rank: usize) -> Vec<usize> {
    std::iter::once(rank).chain(1..rank).collect()
}

impl Reader {
    /// The input and the order of the layer that gives this, if it orders axes anew.
    fn permuted(&self, source: Source) -> Option<(Source, &Permute)> {
        let Source::Node(n) = source else {
            return None;
        };
        match (&self.steps[n].what, &self.steps[n].inputs[..]) {
            (What::Layer(layer), &[of]) => Some((of, layer.as_permute()?)),
            _ => None,
        }
    }

    /// The same with the channels last, if this is that one turned.
    fn turned(&self, source: Source) -> Option<Source> {
        let (of, permute) = self.permuted(source)?;
        let is_turn = permute.dims == to_first(permute.dims.len()) && permute.dims.len() > 1;
        is_turn.then_some(of)
    }

    /// The same with the channels last.
    pub fn channels_last(&mut self, source: Source) -> Result<Source, Trouble> {
        if let Some(of) = self.turned(source) {
            return Ok(of);
        }
        if let Some(of) = self.last.get(&source) {
            return Ok(*of);
        }
        let turned = self.permute("permute".into(), to_last(self.shape(source).rank()), source)?;
        self.last.insert(source, turned);
        Ok(turned)
    }

    /// The same with the channels first, of something that has them last.
    pub fn channels_first(&mut self, source: Source) -> Result<Source, Trouble> {
        self.permute(
            "permute".into(),
            to_first(self.shape(source).rank()),
            source,
        )
    }

    /// The result of a layer on inputs of which one is turned at least, if it can be put before the
    /// turn.
    pub fn before_turn(
        &mut self,
        name: &str,
        layer: &Layer,
        weights: &[Vec<f32>],
        inputs: &[Source],
    ) -> Result<Option<Source>, Trouble> {
        let rank = inputs.first().map_or(0, |&first| self.shape(first).rank());
        let of_one_rank = inputs.iter().all(|&of| self.shape(of).rank() == rank);
        if !of_one_rank || !inputs.iter().any(|&of| self.turned(of).is_some()) {
            return Ok(None);
        }
        let Some(layer) = layer.on_channels_last(rank) else {
            return Ok(None);
        };
        let inputs = inputs.iter().map(|&of| self.channels_last(of));
        let inputs: Vec<Source> = inputs.collect::<Result<_, _>>()?;
        let made = self.push(
            name.to_owned(),
            What::Layer(layer),
            weights.to_vec(),
            inputs,
        )?;
        self.channels_first(made).map(Some)
    }

    /// The same numbers in the same order, if those of a row are turned along axes of length 1 alone.
    pub fn unturned(&self, source: Source) -> Source {
        let long = |dim: &&usize| **dim > 1;
        match self.permuted(source) {
            Some((of, permute)) if permute.dims == to_first(permute.dims.len()) => {
                let dims = self.shape(of).dims();
                let is_flat = dims[..dims.len() - 1].iter().filter(long).count() == 0;
                match is_flat || dims.last() == Some(&1) {
                    true => of,
                    false => source,
                }
            }
            _ => source,
        }
    }

    /// Axes of the rows in another order.
    pub fn transposed(&mut self, node: &Node) -> Result<Value, Trouble> {
        let x = self.first(node)?;
        let rank = self.rank(x);
        let order = match attribute(node, "perm") {
            Some(order) => order.ints.clone(),
            None => (0..rank as i64).rev().collect(),
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..rank as i64) {
            return Err(format!("its order {order:?} is none of {rank} axes").into());
        }
        let [0, order @ ..] = &order[..] else {
            return Err("it puts rows into columns".into());
        };
        let mut order: Vec<usize> = order.iter().map(|&axis| axis as usize).collect();
        let mut of = x;
        if let Some((before, permute)) = self.permuted(x) {
            order = order.iter().map(|&axis| permute.dims[axis - 1]).collect();
            of = before;
        }
        if order.iter().copied().eq(1..rank) {
            // The layer before the turns makes this tensor, if nothing else takes its own.
            let alone = node
                .input
                .first()
                .and_then(|name| self.network.uses.get(name))
                == Some(&1);
            return Ok(match of {
                Source::Node(n) if alone && of != x => self.now_makes(n, node),
                _ => Value::Symbol(of),
            });
        }
        let name = name_of(node, None, "Permute");
        self.permute(name, order, of).map(Value::Symbol)
    }

    fn permute(&mut self, name: String, dims: Vec<usize>, of: Source) -> Result<Source, Trouble> {
        let layer = What::Layer(Permute::new(dims).into());
        self.push(name, layer, Vec::new(), vec![of])
    }
}
