//! Mixup: each row of a batch is some of one row and some of another. The roles of its
//! feeds, its part of a plan, and the draws for each batch.

use super::feeds::{self, FeedRole, FeedSource};
use super::graph::Model;
use super::lowering::target_shape;
use crate::base::random::{Key, Stream};
use crate::base::shape::Shape;
use crate::data::{Dataset, Tensor};
use crate::error::{Error, Result};
use crate::plan::Buffer;
use crate::plan::backward::Start;
use crate::plan::lower::{Lowering, Value};
use crate::rules::losses::{Loss, Reduction, Targets};
use crate::rules::pairwise::Pairwise;
use std::ops::Range;

/// Role of a feed that only mixtures have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MixRole {
    /// This input of the rows that those of the batch are mixed with.
    Partner(usize),
    /// The target of this output of these rows.
    PartnerTarget(usize),
    /// The share of the batch's rows.
    Share,
    /// The share of their partners.
    Rest,
}

/// Refuses combinations that mixup does not support.
pub(crate) fn check(model: &Model, train: &Dataset, weighed: bool, alpha: f64) -> Result<()> {
    const KEY: &str = "mixup";
    if !(alpha > 0.0 && alpha.is_finite()) {
        return Err(Error::invalid(KEY, alpha, "a finite number above 0"));
    }
    if weighed || train.sample_weight().is_some() {
        let found = "weights of rows or classes beside it";
        return Err(Error::invalid(KEY, found, "only one of the two"));
    }
    let is_text = |feed: &FeedRole| matches!(feed, FeedRole::LookedUp { .. });
    if feeds::of_inputs(model).iter().any(is_text) {
        let found = "an input of texts, whose indices have no mixture";
        return Err(Error::invalid(KEY, found, "inputs of numbers"));
    }
    for (_, output_loss) in model.compiled()?.trained() {
        if output_loss.loss.reduction == Reduction::MeanWithSampleWeight {
            let found = "a loss with the reduction mean_with_sample_weight";
            return Err(Error::invalid(KEY, found, "another reduction"));
        }
        if output_loss.loss.ignores_a_class() {
            let found = "a loss with ignore_class";
            return Err(Error::invalid(KEY, found, "a loss that counts every row"));
        }
    }
    Ok(())
}

/// Targets and shares of mixed rows in a plan, which their losses need.
pub(super) struct Mixtures {
    /// Targets of the rows, and of their partners.
    targets: Vec<Value>,
    partners: Vec<Value>,
    /// The share of each.
    share: Value,
    rest: Value,
}

impl Mixtures {
    /// The mixtures of a plan with these inputs, which become mixtures. `feed` makes a feed.
    pub fn new(
        model: &Model,
        plan: &mut Lowering,
        inputs: &mut [(FeedRole, Value)],
        mut feed: impl FnMut(&mut Lowering, FeedRole, Shape) -> Value,
    ) -> Result<Self> {
        let shapes = model.output_shapes()?;
        let output_losses = model.compiled()?.trained();
        let shapes: Vec<(usize, Shape)> = output_losses
            .map(|(output, output_loss)| (output, target_shape(&output_loss.loss, &shapes[output])))
            .collect();
        let mut targets = Vec::new();
        for (output, shape) in &shapes {
            targets.push(feed(plan, FeedRole::Target(*output), shape.clone()));
        }
        let mut partner_inputs = Vec::new();
        for (role, input) in inputs.iter() {
            let FeedRole::Input(number) = *role else {
                return Err(Error::Internal(format!("{role:?} has no mixture")));
            };
            let role = FeedRole::Mix(MixRole::Partner(number));
            partner_inputs.push(feed(plan, role, input.shape.clone()));
        }
        let mut partners = Vec::new();
        for (output, shape) in shapes {
            let role = FeedRole::Mix(MixRole::PartnerTarget(output));
            partners.push(feed(plan, role, shape));
        }
        let mixtures = Mixtures {
            targets,
            partners,
            share: feed(plan, FeedRole::Mix(MixRole::Share), Shape::default()),
            rest: feed(plan, FeedRole::Mix(MixRole::Rest), Shape::default()),
        };
        for ((_, input), partner) in inputs.iter_mut().zip(&partner_inputs) {
            *input = mixtures.mixture(plan, input, partner);
        }
        Ok(mixtures)
    }

    /// share · a + rest · b, row by row.
    fn mixture(&self, plan: &mut Lowering, a: &Value, b: &Value) -> Value {
        let mut part = |share: &Value, x: &Value| {
            let share = plan.reshape(share, Shape::new(vec![1; x.shape.rank()]));
            let share = plan.spread(&share, &x.shape);
            plan.combine(Pairwise::Multiply, &share, x)
        };
        let (a, b) = (part(&self.share, a), part(&self.rest, b));
        plan.sum(&a, &b)
    }

    /// The loss of the `n`-th trained output, and the gradients' starting points, if they are
    /// needed.
    pub fn loss(
        &self,
        plan: &mut Lowering,
        rule: &Loss,
        output: &Value,
        n: usize,
        gradient: Option<f64>,
    ) -> (Buffer, Vec<Start>) {
        let (target, other) = (&self.targets[n], &self.partners[n]);
        if rule.targets() == Targets::LikeOutputs {
            let target = self.mixture(plan, target, other);
            let (losses, start) = plan.loss(rule, output, &target, None, gradient);
            return (losses, start.into_iter().collect());
        }
        // Crossentropies are linear in a one-hot target: the loss of a mixture is the mixture of
        // the losses.
        let mut part = |target, share| plan.loss(rule, output, target, Some(share), gradient);
        let (a, start) = part(target, &self.share);
        let (b, other_start) = part(other, &self.rest);
        let shape: Shape = [output.view().positions].into();
        let losses = |buffer| Value {
            buffer,
            shape: shape.clone(),
        };
        let sum = plan.sum(&losses(a), &losses(b));
        (sum.buffer, start.into_iter().chain(other_start).collect())
    }
}

/// Draws for the batches of a training.
pub(crate) struct Mixup {
    alpha: f64,
    /// The rows of which there is more in each mixture, and their partners.
    pub more: Vec<u32>,
    pub less: Vec<u32>,
    /// Share of the first, from a half to 1.
    pub shares: Vec<f32>,
}

impl Mixup {
    /// Allocates for batches of `rows` rows.
    pub fn new(alpha: f64, rows: usize) -> Self {
        Mixup {
            alpha,
            more: Vec::with_capacity(rows),
            less: Vec::with_capacity(rows),
            shares: Vec::with_capacity(rows),
        }
    }

    /// Draws for these rows: a function of the seed and the step.
    pub fn draw(&mut self, rows: &[u32], seed: u64, iteration: u64) {
        let key = Key::new(seed, Stream::Mix, iteration);
        let mut random = key.sequence();
        self.less.clear();
        self.less.extend_from_slice(rows);
        random.shuffle(&mut self.less);
        self.more.clear();
        self.more.extend_from_slice(rows);
        self.shares.clear();
        for (more, less) in self.more.iter_mut().zip(&mut self.less) {
            let share = random.beta(self.alpha);
            if share < 0.5 {
                std::mem::swap(more, less);
            }
            self.shares.push(share.max(1.0 - share) as f32);
        }
    }

    /// Writes a feed's numbers, for rows of the batch that was drawn for.
    pub fn fill(&self, from: FeedSource, tensors: &[Tensor], rows: Range<usize>, to: &mut [f32]) {
        match from {
            FeedSource::Rows(n) => tensors[n].copy_rows(&self.more[rows], to),
            FeedSource::Partners(n) => tensors[n].copy_rows(&self.less[rows], to),
            FeedSource::Share => to.copy_from_slice(&self.shares[rows]),
            FeedSource::Rest => {
                to.copy_from_slice(&self.shares[rows]);
                to.iter_mut().for_each(|share| *share = 1.0 - *share);
            }
        }
    }
}
