//! What happens to the variables: penalties, gathered gradients, updates.

use super::Run;
use crate::engine::Step;
use crate::plan::op::Clip;
use crate::plan::{Buffer, Op};
use crate::rules::optimizers::{self, SLOTS};
use crate::rules::regularizers::{Formula as _, Regularizer};

impl Run<'_> {
    /// A regularizer's penalty and its derivatives.
    pub(super) fn penalty(&self, rule: &Regularizer, x: Buffer, columns: usize) -> (f64, Vec<f32>) {
        let x = self.get(x);
        let mut gradient = vec![0.0; x.len()];
        let shape = [x.len() / columns.max(1), columns];
        let sum = rule.penalty_and_gradient(&shape, x, &mut gradient);
        (sum, gradient)
    }

    /// The mean gradient with those before it, or 0 in a step that only gathers.
    pub(super) fn gather(&mut self, accumulator: Buffer, mut gradient: Vec<f32>) -> Vec<f32> {
        let Step {
            gathering,
            gathered,
            ..
        } = *self.step;
        let sums = &mut self.buffers[accumulator.index()];
        for (g, sum) in gradient.iter_mut().zip(sums) {
            let all = *g + *sum;
            (*g, *sum) = if gathering {
                (0.0, all)
            } else {
                (all / gathered, 0.0)
            };
        }
        gradient
    }

    pub(super) fn update(&mut self, op: &Op) {
        struct Update<'a> {
            buffers: &'a mut [Vec<f32>],
            coefficients: &'a optimizers::Coefficients,
            w: Buffer,
            gradients: Vec<f32>,
            slots: &'a [Buffer],
            decay: f32,
            rate: f32,
            whole: Option<&'a [usize]>,
        }
        impl optimizers::Visit for Update<'_> {
            type Output = ();
            fn visit<R: optimizers::Formula>(self, rule: &R) {
                let c = &rule.at_rate(self.coefficients, self.rate);
                let buffers = self.buffers;
                if let Some(shape) = self.whole {
                    let mut w = std::mem::take(&mut buffers[self.w.index()]);
                    w.iter_mut().for_each(|w| *w -= *w * (self.decay * c[0]));
                    let mut slots: [Vec<f32>; SLOTS] = Default::default();
                    for (slot, buffer) in slots.iter_mut().zip(self.slots) {
                        *slot = std::mem::take(&mut buffers[buffer.index()]);
                    }
                    let whole = optimizers::Whole {
                        shape,
                        w: &mut w,
                        gradient: &self.gradients,
                        slots: slots.each_mut().map(Vec::as_mut_slice),
                        scratch: &mut vec![f32::NAN; rule.scratch(shape)],
                    };
                    rule.step_whole(c, whole);
                    for (slot, buffer) in slots.into_iter().zip(self.slots) {
                        buffers[buffer.index()] = slot;
                    }
                    buffers[self.w.index()] = w;
                    return;
                }
                for (i, g) in self.gradients.iter().enumerate() {
                    let mut slots = [0.0; SLOTS];
                    for (slot, buffer) in slots.iter_mut().zip(self.slots) {
                        *slot = buffers[buffer.index()][i];
                    }
                    let w = &mut buffers[self.w.index()][i];
                    *w = rule.step(c, *w - *w * (self.decay * c[0]), *g, &mut slots);
                    for (slot, buffer) in slots.iter().zip(self.slots) {
                        buffers[buffer.index()][i] = *slot;
                    }
                }
            }
        }
        let Op::Update {
            rule,
            w,
            gradient,
            slots,
            regularizer,
            accumulator,
            average,
            clip,
            decay,
            rate,
            whole,
            ..
        } = op
        else {
            return;
        };
        let mut gradient = self.get(*gradient).to_vec();
        if let Some(rule) = regularizer {
            for (g, &w) in gradient.iter_mut().zip(self.get(*w)) {
                *g += rule.slope(w);
            }
        }
        if let Some(accumulator) = accumulator {
            gradient = self.gather(*accumulator, gradient);
        }
        let (scale, bound) = match clip {
            Clip::None => (1.0, f32::INFINITY),
            Clip::Value(bound) => (1.0, *bound),
            Clip::Norm { norm, limit } => {
                let norm = self.get(*norm)[0].sqrt();
                (
                    if norm > *limit { limit / norm } else { 1.0 },
                    f32::INFINITY,
                )
            }
        };
        let clipped = |g: &f32| (g * scale).clamp(-bound, bound);
        let gradients = gradient.iter().map(clipped).collect();
        if !self.step.gathering {
            rule.visit(Update {
                buffers: &mut self.buffers,
                coefficients: &self.step.coefficients,
                w: *w,
                gradients,
                slots,
                decay: *decay,
                rate: *rate,
                whole: whole.as_deref(),
            });
        }
        if let Some(average) = average {
            let (m, overwrite) = (self.step.average_momentum, self.step.overwrite);
            let mut weights = std::mem::take(&mut self.buffers[w.index()]);
            let averages = &mut self.buffers[average.index()];
            for (average, w) in averages.iter_mut().zip(&mut weights) {
                *average = m * *average + (1.0 - m) * *w;
                if overwrite {
                    *w = *average;
                }
            }
            self.buffers[w.index()] = weights;
        }
    }
}
