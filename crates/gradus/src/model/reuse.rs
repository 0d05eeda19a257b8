//! Reuse: layers by name and index, freezing, getting and setting weights, models made of other
//! models.

use super::graph::{LayerEntry, Model, Source, State};
use super::sequential::Sequential;
use super::subgraph::leading_to;
use super::weights::Weight;
use crate::base::pattern::names;
use crate::error::{Error, Result};
use std::ops::{Bound, Range, RangeBounds};

impl Model {
    /// The layer of that name.
    pub fn layer(&self, name: &str) -> Result<&LayerEntry> {
        let found = self.layers.iter().find(|l| l.name == name);
        found.ok_or_else(|| Error::unknown("", "layer", name, self.layers.iter().map(|l| &*l.name)))
    }

    /// The layer of that name, mutably.
    pub fn layer_mut(&mut self, name: &str) -> Result<&mut LayerEntry> {
        match self.layers.iter().position(|l| l.name == name) {
            Some(i) => Ok(&mut self.layers[i]),
            None => Err(Error::unknown(
                "",
                "layer",
                name,
                self.layers.iter().map(|l| &*l.name),
            )),
        }
    }

    /// Sets `trainable` of every layer whose name, or whose part's name, matches; `*` stands for
    /// any text. An error if none does.
    pub fn set_trainable(&mut self, pattern: &str, trainable: bool) -> Result<()> {
        let mut any = false;
        for layer in self.layers.iter_mut().filter(|l| names(pattern, &l.name)) {
            layer.trainable = trainable;
            any = true;
        }
        if any {
            Ok(())
        } else {
            let parts = self.parts.iter().map(|p| &*p.name);
            let known = self.layers.iter().map(|l| &*l.name).chain(parts);
            Err(Error::unknown("", "layer", pattern, known))
        }
    }

    /// The layer at that index: from 0, or negative from the end, the last being -1.
    pub fn layer_at(&self, number: isize) -> Result<&LayerEntry> {
        Ok(&self.layers[self.number(number)?])
    }

    /// The layer at that index, mutably.
    pub fn layer_at_mut(&mut self, number: isize) -> Result<&mut LayerEntry> {
        let number = self.number(number)?;
        Ok(&mut self.layers[number])
    }

    fn number(&self, number: isize) -> Result<usize> {
        let count = self.layers.len();
        let found = match number {
            0.. => Some(number.unsigned_abs()),
            _ => count.checked_sub(number.unsigned_abs()),
        };
        found.filter(|&i| i < count).ok_or_else(|| {
            let expected = format!("below {count}, the number of layers, or at least -{count}");
            Error::invalid("layer", number, expected)
        })
    }

    /// Keras' `clone_model`: the same layers with new weights from this seed, not compiled.
    /// [`Model::set_weights`] gives it the old ones; `clone` copies everything, including the
    /// optimizer's state.
    pub fn clone_model(&self, seed: u64) -> Result<Model> {
        let mut copy = self.clone();
        copy.seed = seed;
        copy.compiled = None;
        copy.state = State::default();
        copy.layers.iter_mut().for_each(|l| l.weights.clear());
        copy.finish()?;
        Ok(copy)
    }

    /// Keras' `Model(model.inputs, layer.output)`: the graph up to these layers (to
    /// the last use of each), with its weights, not compiled.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let mut g = Functional::new();
    /// let x = g.input([6]);
    /// let h = g.layer_named("code", Dense::new(2), x)?;
    /// let y = g.layer(Dense::new(6), h)?;
    /// let autoencoder = g.model(y)?;
    /// let encoder = autoencoder.up_to(&["code"])?;
    /// assert_eq!(encoder.output_shapes()?, [[2].into()]);
    /// assert_eq!(encoder.get_weights(), autoencoder.layer("code")?.get_weights());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn up_to(&self, layers: &[&str]) -> Result<Model> {
        let last = |name: &&str| {
            let layer = self.layers.iter().position(|l| l.name == **name);
            let node = self.nodes.iter().rposition(|n| Some(n.layer) == layer);
            let known = self.layers.iter().map(|l| &*l.name);
            node.map(Source::Node)
                .ok_or_else(|| Error::unknown("", "layer", name, known))
        };
        let outputs: Vec<Source> = layers.iter().map(last).collect::<Result<_>>()?;
        if outputs.is_empty() {
            return Err(Error::invalid("layers", "none", "at least one"));
        }
        let mut model = leading_to(self, outputs)?;
        model.chain &= layers.len() == 1;
        Ok(model)
    }

    /// A copy of all weights, in the order of the layers.
    pub fn get_weights(&self) -> Vec<Weight> {
        self.weights().cloned().collect()
    }

    /// Replaces the weights' values: as many weights, of the same shapes, in the same order. On an
    /// error nothing has changed.
    pub fn set_weights(&mut self, weights: &[Weight]) -> Result<()> {
        self.check_built()?;
        let own = self.layers.iter_mut();
        let own = own.flat_map(|l| l.weights.iter_mut().map(|w| (&*l.name, w)));
        replace("the model", own.collect(), weights)
    }

    /// The layers of a chain in that range, if each follows the previous one.
    fn chain_of(&self, range: impl RangeBounds<isize>) -> Result<Range<usize>> {
        let count = self.layers.len();
        let place = |n: isize| match n {
            0.. => n.unsigned_abs(),
            _ => count.saturating_sub(n.unsigned_abs()),
        };
        let start = match range.start_bound() {
            Bound::Included(&n) => place(n),
            Bound::Excluded(&n) => place(n).saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&n) => place(n).saturating_add(1),
            Bound::Excluded(&n) => place(n),
            Bound::Unbounded => count,
        };
        if start >= end || end > count {
            let found = format!("{start}..{end}");
            let expected = format!("some of its {count} layers");
            return Err(Error::invalid("layers", found, expected));
        }
        let uses = self.uses();
        let follows = |&layer: &usize| {
            let [only] = uses[layer][..] else {
                return false;
            };
            match self.nodes[only].inputs[..] {
                [Source::Node(n)] => self.nodes[n].layer + 1 == layer,
                [Source::Input(_)] => layer == start,
                _ => false,
            }
        };
        // The first may follow anything.
        match (start + 1..end).find(|layer| !follows(layer)) {
            None => Ok(start..end),
            Some(broken) => {
                let name = format!("layer {}", self.layers[broken].name);
                let expected = "a layer that is used once, on the layer before it";
                Err(Error::invalid(&name, "a graph", expected))
            }
        }
    }
}

impl LayerEntry {
    /// A copy of the layer's weights, in the order of Keras' files.
    pub fn get_weights(&self) -> Vec<Weight> {
        self.weights.clone()
    }

    /// Replaces the weights' values: as many weights, of the same shapes, in the same order. On an
    /// error nothing has changed.
    pub fn set_weights(&mut self, weights: &[Weight]) -> Result<()> {
        let name = &*self.name;
        let own = self.weights.iter_mut().map(|w| (name, w)).collect();
        replace(&format!("layer {name}"), own, weights)
    }
}

fn replace(of: &str, own: Vec<(&str, &mut Weight)>, weights: &[Weight]) -> Result<()> {
    if own.len() != weights.len() {
        let found = format!("{} weights", weights.len());
        let expected = format!("{} weights", own.len());
        return Err(Error::shape(of, found, expected));
    }
    for ((layer, weight), given) in own.iter().zip(weights) {
        let fits = given.shape == weight.shape && given.values.len() == weight.values.len();
        if !fits {
            let name = format!("{layer}.{}", weight.name);
            let found = match given.shape == weight.shape {
                true => format!("{} numbers", given.values.len()),
                false => format!("{:?}", given.shape),
            };
            return Err(Error::shape(&name, found, format!("{:?}", weight.shape)));
        }
    }
    for ((_, weight), given) in own.into_iter().zip(weights) {
        weight.values.copy_from_slice(&given.values);
    }
    Ok(())
}

impl Sequential {
    /// Adds copies of a range of a model's layers, with their weights, names and `trainable`;
    /// negative numbers count from the end (Clippy takes `1..-1`, but not `..-1`, for a slip: allow
    /// its `reversed_empty_ranges` there). They must be a chain. The input's shape is taken over if
    /// the model is empty so far.
    ///
    /// ```
    /// use gradus::prelude::*;
    ///
    /// let softmax = |units| Dense::new(units).activation(Activation::Softmax);
    /// let a = Sequential::new()
    ///     .input([20])
    ///     .add(Dense::new(8).activation(Activation::Elu))
    ///     .add(softmax(8))
    ///     .build()?;
    /// // Everything but the output layer, frozen, under a new one.
    /// let mut b = Sequential::new().add_layers(&a, ..-1)?.add(softmax(2)).build()?;
    /// b.layer_at_mut(0)?.trainable = false;
    /// assert_eq!(b.layer_at(0)?.get_weights(), a.layer("dense")?.get_weights());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn add_layers(mut self, from: &Model, range: impl RangeBounds<isize>) -> Result<Self> {
        let range = from.chain_of(range)?;
        if self.is_empty() {
            let first = from.nodes.iter().position(|n| n.layer == range.start);
            let shape = match first.map(|n| &from.nodes[n].inputs[..]) {
                Some(&[Source::Input(i)]) => from.inputs[i].shape.clone(),
                Some(&[Source::Node(n)]) if from.is_built() => Some(from.shapes()?[n].1.clone()),
                _ => None,
            };
            self = match shape {
                Some(shape) => self.input(shape),
                None => self,
            };
        }
        for layer in &from.layers[range] {
            // A nested model's layers become plain layers here.
            self = self.add_entry(LayerEntry {
                name: layer.name.replace('/', "_"),
                ..layer.clone()
            });
        }
        Ok(self)
    }
}
