//! Updates of the variables: gradients summed, measured and gathered, steps, constraints.

use super::{Compute, Run};
use crate::engine::Step;
use crate::plan::Buffer;
use crate::plan::ops::{Accumulate, Clip, Constrain, SquaredNorm, SumGradients, Update};
use crate::rules::optimizers::{self, SLOTS};
use crate::rules::regularizers::RegularizerFormula as _;

impl Compute for SumGradients {
    fn compute(&self, run: &mut Run<'_>) {
        run.sum(self.a, self.b, self.y);
    }
}

impl Compute for SquaredNorm {
    fn compute(&self, run: &mut Run<'_>) {
        let all = self.gradients.iter().flat_map(|&(g, _)| run.get(g));
        let sum: f64 = all.map(|&x| f64::from(x) * f64::from(x)).sum();
        run.set(self.norm, vec![sum as f32]);
    }
}

impl Compute for Accumulate {
    fn compute(&self, run: &mut Run<'_>) {
        let gradient = run.get(self.gradient).to_vec();
        let gathered = run.gather(self.accumulator, gradient);
        run.set(self.y, gathered);
    }
}

impl Compute for Constrain {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.w, |_, w| self.rule.apply(&self.shape, w));
    }
}

impl Run<'_> {
    /// The mean gradient with the accumulated ones, or 0 in a step that only accumulates.
    fn gather(&mut self, accumulator: Buffer, mut gradient: Vec<f32>) -> Vec<f32> {
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
}

impl Compute for Update {
    fn compute(&self, run: &mut Run<'_>) {
        struct Apply<'a> {
            buffers: &'a mut [Vec<f32>],
            coefficients: &'a optimizers::Coefficients,
            w: Buffer,
            gradients: Vec<f32>,
            slots: &'a [Buffer],
            decay: f32,
            rate: f32,
            whole: Option<&'a [usize]>,
        }
        impl optimizers::Visit for Apply<'_> {
            type Output = ();
            fn visit<R: optimizers::OptimizerFormula>(self, rule: &R) {
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
        let mut gradient = run.get(self.gradient).to_vec();
        if let Some(rule) = &self.regularizer {
            for (g, &w) in gradient.iter_mut().zip(run.get(self.w)) {
                *g += rule.derivative(w);
            }
        }
        if let Some(accumulator) = self.accumulator {
            gradient = run.gather(accumulator, gradient);
        }
        let (scale, bound) = match self.clip {
            Clip::None => (1.0, f32::INFINITY),
            Clip::Value(bound) => (1.0, bound),
            Clip::Norm { norm, limit } => {
                let norm = run.get(norm)[0].sqrt();
                (if norm > limit { limit / norm } else { 1.0 }, f32::INFINITY)
            }
        };
        let clipped = |g: &f32| (g * scale).clamp(-bound, bound);
        let gradients = gradient.iter().map(clipped).collect();
        let before = run.get(self.w).to_vec();
        if !run.step.gathering {
            self.rule.visit(Apply {
                buffers: &mut run.buffers,
                coefficients: &run.step.coefficients,
                w: self.w,
                gradients,
                slots: &self.slots,
                decay: self.decay,
                rate: self.rate,
                whole: self.whole.as_deref(),
            });
        }
        if self.keeps_zeros {
            let kept = run.buffers[self.w.index()].iter_mut().zip(&before);
            kept.filter(|(_, old)| **old == 0.0)
                .for_each(|(w, _)| *w = 0.0);
        }
        if let Some(average) = self.average {
            let (m, overwrite) = (run.step.average_momentum, run.step.overwrite);
            let mut weights = std::mem::take(&mut run.buffers[self.w.index()]);
            let averages = &mut run.buffers[average.index()];
            for (average, w) in averages.iter_mut().zip(&mut weights) {
                *average = m * *average + (1.0 - m) * *w;
                if self.keeps_zeros && *w == 0.0 {
                    *average = 0.0;
                }
                if overwrite {
                    *w = *average;
                }
            }
            run.buffers[self.w.index()] = weights;
        }
    }
}
