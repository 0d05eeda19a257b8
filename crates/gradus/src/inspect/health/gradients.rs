//! Gradients that vanish or explode on their way down through the layers (Glorot and Bengio, 2010).
//!
//! Layers are compared by the norm of their weights' gradient over that of the weights: what a step of
//! one rate for all changes, relative to what is there. On the digits, the least of all layers was a
//! thirtieth to a third of the largest in stacks of 5 to 100 layers of ReLU, ELU, SELU and tanh; with
//! sigmoid it was a 150th in three layers, a 10,000th in six, and a 3,000th in 100 with N(0, 1).

use super::{Seen, short};
use crate::data::checks::{Finding, Where};
use crate::inspect::graph::all_of;
use crate::train::health::HealthSample;

/// Share of the largest gradient below which layers hardly learn beside the others.
const FAINT: f64 = 1.0 / 300.0;
/// The largest gradient below which there is none to compare with: the training has ended.
const NOTHING: f64 = 1e-7;
/// Times the last layer's gradient from which those before it explode.
const HUGE: f64 = 1000.0;
/// Samples that have to show it.
const SAMPLES: usize = 2;

/// Share of the largest deviation of a gradient with respect to outputs below which that has become
/// small, too: a layer with a huge bias has little gradient for its weights, and passes it on.
const SMALL: f64 = 0.2;
/// The update ratio from which a layer's weights are not yet its own: they began at 0.
const YOUNG: f64 = 0.1;

/// The gradient of a layer.
#[derive(Clone, Copy)]
struct Gradient {
    /// The place of the layer.
    place: usize,
    /// The norm of its weights' gradient over that of the weights.
    size: f64,
    /// The deviation of the gradient with respect to its outputs.
    deviation: f64,
}

/// The gradients of the layers that multiply with weights.
fn gradients(seen: &Seen, sample: &HealthSample) -> Vec<Gradient> {
    let layers = sample.layers.iter().zip(&seen.layers).enumerate();
    let products = layers.filter(|(_, (_, name))| seen.products.contains(*name));
    let old = products.filter(|(_, (layer, _))| layer.update_ratio.is_none_or(|x| x < YOUNG));
    let known = old.filter_map(|(place, (layer, _))| {
        Some(Gradient {
            place,
            size: layer.gradient_norm? / layer.weight_norm?,
            deviation: layer.gradients?.std,
        })
    });
    known
        .filter(|of| of.size.is_finite() && of.deviation.is_finite())
        .collect()
}

/// First layers whose gradient is bad.
struct Stretch {
    /// The step of the last sample.
    step: u64,
    /// The first of them, with its gradient.
    first: Gradient,
    /// The last of them.
    last: usize,
    /// The layer that they are compared with, with its gradient.
    other: Gradient,
}

/// The first layers whose gradient `is_bad` beside that of the layer which `choose` picks.
fn stretch(
    seen: &Seen,
    choose: impl Fn(&[Gradient]) -> Option<Gradient>,
    is_bad: impl Fn(&Gradient, &[Gradient]) -> bool,
) -> Option<Stretch> {
    let found = seen.recent(SAMPLES)?.iter().map(|sample| {
        let all = gradients(seen, sample);
        let other = choose(&all)?;
        let bad = all.iter().take_while(|of| is_bad(of, &all));
        Some(Stretch {
            step: sample.step,
            last: bad.last()?.place,
            first: all[0],
            other,
        })
    });
    found.reduce(|before, now| before.and(now)).flatten()
}

/// The layer with the largest gradient over its weights, if there is any.
fn largest(all: &[Gradient]) -> Option<Gradient> {
    let largest = all.iter().copied().max_by(|a, b| a.size.total_cmp(&b.size));
    largest.filter(|most| most.size > NOTHING)
}

/// First layers that hardly learn beside the others.
pub(super) fn vanish(seen: &Seen) -> Option<Finding> {
    let faint = |of: &Gradient, all: &[Gradient]| {
        let deviation = all.iter().fold(0.0, |most: f64, of| most.max(of.deviation));
        let hardly_learns = largest(all).is_some_and(|most| of.size < FAINT * most.size);
        hardly_learns && of.deviation < SMALL * deviation
    };
    let found = stretch(seen, largest, faint)?;
    let advice = "these layers hardly learn: `relu`, `elu` or `swish` with `he_normal`, `selu` with \
                  `lecun_normal`, batch normalization, or skip connections keep the gradient's size";
    let (place, text) = (found.place(seen), found.text(seen, "vanish"));
    Some(Finding::warning("vanishing_gradients", place, text, advice))
}

/// First layers with far more gradient than the last one.
pub(super) fn explode(seen: &Seen) -> Option<Finding> {
    let last = |all: &[Gradient]| all.last().copied().filter(|last| last.size > 0.0);
    let huge =
        |of: &Gradient, all: &[Gradient]| all.last().is_some_and(|last| of.size > HUGE * last.size);
    let found = stretch(seen, last, huge)?;
    let advice = "smaller initial weights (`he_normal`, `lecun_normal`), batch normalization, or \
                  clipping (`clipnorm = 1.0`) hold them";
    let (place, text) = (found.place(seen), found.text(seen, "explode"));
    Some(Finding::warning("exploding_gradients", place, text, advice))
}

impl Stretch {
    fn place(&self, seen: &Seen) -> Where {
        let name = |place: usize| seen.layers[place].as_str();
        match self.first.place == self.last {
            true => all_of(&[name(self.last)]),
            false => all_of(&[name(self.first.place), name(self.last)]),
        }
    }

    fn text(&self, seen: &Seen, verb: &str) -> String {
        format!(
            "step {}: the gradients {verb}: over the norm of the weights, that of {} is {}, that of {} {}",
            self.step,
            seen.layers[self.other.place],
            short(self.other.size),
            seen.layers[self.first.place],
            short(self.first.size)
        )
    }
}
