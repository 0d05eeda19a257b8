//! Magnitude pruning: the smallest weights set to zero.

use super::graph::Model;
use super::zeros::{PRUNED, Zeros};
use crate::base::pattern;
use crate::base::setters::setters;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Magnitude pruning (Zhu & Gupta 2017): of each kernel and each embedding, the weights with the
/// smallest absolute values are set to zero. Biases, and the numbers of normalization, stay.
///
/// ```
/// use gradus::prelude::*;
/// use gradus::model::Prune;
///
/// let mut model = Sequential::new().input([2]).add(Dense::new(2)).build()?;
/// model.layer_mut("dense")?.weights[0].set(&[0.5, -0.1, 0.2, -2.0])?;
/// let zeros = model.prune(&Prune::new(0.5))?;
/// assert_eq!(zeros[0].share(), 0.5);
/// assert_eq!(model.layer("dense")?.weights[0].values, [0.5, 0.0, 0.0, -2.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prune {
    /// Share of zeros, from 0 to below 1. At least one weight of each variable stays.
    pub sparsity: f64,
    /// True to compare the weights of all layers with each other, so that some layers lose more
    /// than others. Default no: each loses the same share.
    pub global: bool,
    /// Rows and columns of the blocks that are kept or set to zero together, by their mean absolute
    /// value. Default 1 and 1: each weight on its own.
    pub block_size: [usize; 2],
    /// The layers that are pruned: names, `*` stands for any text. Default all.
    pub layers: Vec<String>,
}

impl Prune {
    /// The same share of each layer's weights, each weight on its own.
    pub fn new(sparsity: f64) -> Self {
        Prune {
            sparsity,
            global: false,
            block_size: [1, 1],
            layers: vec!["*".into()],
        }
    }

    /// Refuses arguments that mean nothing, and names of layers that the model does not have.
    pub(crate) fn check(&self, model: &Model) -> Result<()> {
        if !(0.0..1.0).contains(&self.sparsity) {
            let expected = "a number from 0 to below 1";
            return Err(Error::invalid("sparsity", self.sparsity, expected));
        }
        if self.block_size.contains(&0) {
            let found = format!("{:?}", self.block_size);
            let expected = "two whole numbers above 0, such as [4, 4]";
            return Err(Error::invalid("block_size", found, expected));
        }
        for pattern in &self.layers {
            let mut names = model.layers.iter().map(|layer| &*layer.name);
            if !names.any(|name| pattern::names(pattern, name)) {
                let known = model.layers.iter().map(|layer| &*layer.name);
                return Err(Error::unknown("layers", "layer", pattern, known));
            }
        }
        if self.variables(model).is_empty() {
            let found = "layers without a kernel and without embeddings";
            return Err(Error::invalid("layers", found, "at least one to prune"));
        }
        Ok(())
    }

    /// The variables that are pruned, by layer and weight.
    pub(crate) fn variables(&self, model: &Model) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (l, layer) in model.layers.iter().enumerate() {
            let mut patterns = self.layers.iter();
            if patterns.any(|pattern| pattern::names(pattern, &layer.name)) {
                let all = layer.weights.iter().enumerate();
                let pruned = all.filter(|(_, weight)| PRUNED.contains(&weight.name));
                found.extend(pruned.map(|(w, _)| (l, w)));
            }
        }
        found
    }

    /// Sets the smallest blocks of these variables, by layer and weight, to zero.
    pub(crate) fn apply(&self, model: &mut Model, variables: &[(usize, usize)]) {
        let blocks = |&(l, w): &(usize, usize)| {
            let weight = &model.layers[l].weights[w];
            let columns = weight.shape.last().copied().unwrap_or(1);
            Blocks::new(weight.values.len(), columns, self.block_size)
        };
        let blocks: Vec<Blocks> = variables.iter().map(blocks).collect();
        let mut scores: Vec<Score> = Vec::new();
        for (variable, (&(l, w), blocks)) in variables.iter().zip(&blocks).enumerate() {
            let values = &model.layers[l].weights[w].values;
            let mut own = blocks.scores(values, variable);
            let largest = own.iter().copied().max_by(Score::compare);
            if !self.global {
                let all = own.len();
                own = self.smallest(own, all);
            }
            // One stays, also where every other layer's are larger.
            scores.extend(own.into_iter().filter(|score| Some(*score) != largest));
        }
        if self.global {
            let all: usize = blocks.iter().map(Blocks::count).sum();
            scores = self.smallest(scores, all);
        }
        for Score {
            variable, block, ..
        } in scores
        {
            let (l, w) = variables[variable];
            let values = &mut model.layers[l].weights[w].values;
            blocks[variable].each(block, |place| values[place] = 0.0);
        }
    }

    /// The smallest of the scores: the share of `all` that is not kept.
    fn smallest(&self, mut scores: Vec<Score>, all: usize) -> Vec<Score> {
        let kept = (all as f64 * (1.0 - self.sparsity)).round() as usize;
        let count = all.saturating_sub(kept.max(1)).min(scores.len());
        if count < scores.len() {
            scores.select_nth_unstable_by(count, Score::compare);
            scores.truncate(count);
        }
        scores
    }
}

setters!(Prune {
    /// Compares the weights of all layers with each other.
    global(bool);
    /// Sets the rows and columns of the blocks.
    block_size([usize; 2]);
    /// Sets the names of the layers that are pruned.
    layers(Vec<String>);
});

/// The mean absolute value of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score {
    value: f32,
    variable: usize,
    block: usize,
}

impl Score {
    /// Ascending; equal ones by their place, so that the result depends on nothing else.
    fn compare(&self, other: &Score) -> std::cmp::Ordering {
        let by_value = self.value.total_cmp(&other.value);
        by_value.then((self.variable, self.block).cmp(&(other.variable, other.block)))
    }
}

/// A matrix cut into blocks; those at its right and lower edge may be smaller.
struct Blocks {
    rows: usize,
    columns: usize,
    size: [usize; 2],
}

impl Blocks {
    fn new(numbers: usize, columns: usize, [high, wide]: [usize; 2]) -> Self {
        let columns = columns.max(1);
        let rows = numbers / columns;
        // A block larger than the matrix is all of it.
        let size = [high.min(rows.max(1)), wide.min(columns)];
        Blocks {
            rows,
            columns,
            size,
        }
    }

    fn across(&self) -> usize {
        self.columns.div_ceil(self.size[1])
    }

    fn count(&self) -> usize {
        self.rows.div_ceil(self.size[0]) * self.across()
    }

    /// Calls `visit` with each place of a block.
    fn each(&self, block: usize, mut visit: impl FnMut(usize)) {
        let [high, wide] = self.size;
        let (top, left) = (block / self.across() * high, block % self.across() * wide);
        for row in top..(top + high).min(self.rows) {
            for column in left..(left + wide).min(self.columns) {
                visit(row * self.columns + column);
            }
        }
    }

    fn scores(&self, values: &[f32], variable: usize) -> Vec<Score> {
        let score = |block| {
            let (mut sum, mut count) = (0.0, 0);
            self.each(block, |place| {
                sum += values[place].abs();
                count += 1;
            });
            Score {
                value: sum / count as f32,
                variable,
                block,
            }
        };
        (0..self.count()).map(score).collect()
    }
}

impl Model {
    /// Sets the smallest weights to zero, and returns the zeros that each kernel and each embedding
    /// then has. An error if the model has no weights yet, or some that are not finite.
    pub fn prune(&mut self, how: &Prune) -> Result<Vec<Zeros>> {
        self.check_built()?;
        self.check_float()?;
        how.check(self)?;
        if let Some((layer, weight)) = self.not_finite().next() {
            let problem = format!("its {weight} has NaN or infinite numbers: it cannot be pruned");
            let at = format!("layer {layer}");
            return Err(Error::Config { at, problem });
        }
        let variables = how.variables(self);
        how.apply(self, &variables);
        self.zeros()
    }
}
