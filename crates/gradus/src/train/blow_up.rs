//! NaN and infinite losses: reaction, and search for their origin.

use super::callbacks::Training;
use super::steps::Steps;
use crate::data::Tensor;
use crate::engine::Step;
use crate::error::{Error, Result};
use crate::model::feeds;
use crate::model::lowering::PlanSpec;
use crate::model::{Model, Source};
use crate::plan::Mode;
use crate::predict::runner::Runner;
use crate::rules::optimizers::Optimizer;

/// The reaction to a loss that becomes NaN or infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnNan {
    /// `"stop"`: training ends at once with [`Error::BlowUp`], which names epoch, step and layer.
    /// The model keeps its last finite state: that of the end of the previous epoch.
    #[default]
    Stop,
    /// `"continue"`: training goes on, as in Keras.
    Continue,
}

impl OnNan {
    const ALL: [OnNan; 2] = [OnNan::Stop, OnNan::Continue];

    /// Name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            OnNan::Stop => "stop",
            OnNan::Continue => "continue",
        }
    }

    /// Parses a name. `at` is its path of keys, for the error.
    ///
    /// # Errors
    /// If there is no such name.
    pub fn named(at: &str, name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| Error::invalid(at, format!("`{name}`"), "\"stop\" or \"continue\""))
    }
}

/// The epoch and step at which a training broke.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// The epoch, from 0, and the exclusive end.
    pub epoch: usize,
    pub epochs: usize,
    /// The step within the epoch, from 0, and the number of steps.
    pub step: usize,
    pub steps: usize,
}

impl Moment {
    /// The error. `began` is the origin, if it was found; `rate` is the learning rate of the step.
    pub fn error(
        self,
        loss: f64,
        began: Option<String>,
        rate: f64,
        optimizer: &Optimizer,
    ) -> Error {
        let clips = optimizer.clipnorm.is_some() || optimizer.global_clipnorm.is_some();
        let rate = match (1e-4..1e5).contains(&rate) {
            true => rate.to_string(),
            false => format!("{rate:e}"),
        };
        let mut advice = format!("a learning rate below {rate}");
        if !clips {
            advice += ", or an optimizer with `clipnorm = 1.0`,";
        }
        let found = match loss.is_finite() {
            true => "the weights are no longer finite".to_owned(),
            false => format!("the loss is {loss}"),
        };
        Error::BlowUp {
            epoch: self.epoch,
            step: self.step,
            problem: format!(
                "epoch {}/{}, step {}/{}: {found}{}; {advice} may hold it; `on_nan = \"continue\"` \
                 would train on",
                self.epoch + 1,
                self.epochs,
                self.step + 1,
                self.steps,
                began.map_or(String::new(), |began| format!("; it began {began}"))
            ),
        }
    }
}

/// The origin, found by repeating the broken step on the weights before it and on its rows, which
/// are taken from `tensors`.
pub(super) fn began(
    training: &Training<'_>,
    tensors: &[Tensor],
    rows: &[u32],
) -> Result<Option<String>> {
    let mut model = training.model.clone();
    training.runner.download(&mut model);
    // NaN spreads from a layer's gradient to those before it: the last such layer is the origin.
    if let Some((layer, weight)) = model.not_finite().last() {
        return Ok(Some(format!(
            "in layer `{layer}`, whose {weight} the step before made infinite"
        )));
    }
    let nodes: Vec<usize> = (0..model.nodes.len()).collect();
    let may_be_nan = tainted(&model);
    model.outputs = nodes.iter().map(|&n| Source::Node(n)).collect();
    model.compiled = None;
    let shapes = model.output_shapes()?;
    let spec = PlanSpec {
        mode: Mode::Infer,
        rows: rows.len(),
        weighted: false,
        mixed: false,
        bfloat16: false,
        observed: false,
        from_features: false,
    };
    let mut runner = Runner::new(&model, training.device(), &[spec])?;
    let mut batch = runner.batch(Mode::Infer)?;
    let step = Step {
        seed: model.seed,
        ..Step::default()
    };
    runner.run(&mut batch, tensors, rows, &step, true)?;
    let values = |n: usize| batch.output(n, rows.len(), shapes[n].size());
    let name = |n: usize| &model.layers[model.nodes[n].layer].name;
    for n in nodes {
        let bad = values(n).iter().find(|x| !x.is_finite());
        if let (Some(bad), false) = (bad, may_be_nan[n]) {
            let most = largest(
                model.nodes[n]
                    .inputs
                    .iter()
                    .filter_map(|source| match source {
                        Source::Node(n) => Some(values(*n)),
                        Source::Input(_) => None,
                    }),
            );
            let from = match most {
                Some(most) => format!(", from inputs of up to {most:.1e}"),
                None => String::new(),
            };
            return Ok(Some(format!(
                "in layer `{}`, which gave {bad}{from}",
                name(n)
            )));
        }
    }
    let trained = training.model.compiled()?.trained();
    let outputs = trained.filter_map(|(o, _)| match training.model.outputs[o] {
        Source::Node(n) => Some(n),
        Source::Input(_) => None,
    });
    let largest = |n: usize| largest(std::iter::once(values(n))).unwrap_or_default();
    let worst = outputs.max_by(|&a, &b| largest(a).total_cmp(&largest(b)));
    Ok(worst.map(|n| {
        format!(
            "behind the last layer `{}`, in the loss of its outputs, which are up to {:.1e}",
            name(n),
            largest(n)
        )
    }))
}

/// True for each node whose output may be NaN because an input may be.
fn tainted(model: &Model) -> Vec<bool> {
    let takes = feeds::takes_nan(model);
    let mut tainted: Vec<bool> = Vec::new();
    for node in &model.nodes {
        let reached = node.inputs.iter().any(|source| match *source {
            Source::Input(n) => takes[n],
            Source::Node(n) => tainted[n],
        });
        let stops = model.layers[node.layer].rule.traits().stops_nan;
        tainted.push(reached && !stops);
    }
    tainted
}

/// The largest magnitude; `None` without values.
fn largest<'a>(all: impl Iterator<Item = &'a [f32]>) -> Option<f32> {
    all.flatten().map(|x| x.abs()).max_by(f32::total_cmp)
}

/// Repeats the steps of an epoch up to `last`, from the model's state, which has taken `taken` of
/// all steps.
pub(super) fn replay(
    training: &mut Training<'_>,
    steps: &mut Steps,
    epoch: usize,
    (taken, last): (usize, usize),
    mut parameters: impl FnMut(&Training<'_>, usize) -> crate::rules::schedules::StepParameters,
) -> Result<bool> {
    training.roll_back();
    steps.start_epoch(epoch);
    steps.meters.reset();
    for number in 0..=last {
        if !steps.wait_for(number)? {
            return Ok(false);
        }
        if (taken..last).contains(&number) {
            let parameters = parameters(training, number);
            steps.take(training, number, parameters)?;
        }
    }
    // A callback changed something the first time.
    Ok(steps.meters.loss().is_finite() || taken == last)
}
