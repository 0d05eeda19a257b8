//! Random changes of each element.

use super::{Compute, Run};
use crate::plan::ops::{ChannelDropout, Dropout, Noise, NoiseGradient};

impl Compute for Dropout {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let key = run.key(self.stream);
            let scale = 1.0 / (1.0 - self.rate);
            for (i, (y, x)) in y.iter_mut().zip(run.get(self.x)).enumerate() {
                let keep = key.uniform::<f32>(i as u32) >= self.rate;
                *y = if keep { x * scale } else { 0.0 };
            }
        });
    }
}

impl Compute for ChannelDropout {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let key = run.key(self.stream);
            let (size, width) = (self.view.per_row(), self.view.width);
            let scale = 1.0 / (1.0 - self.rate);
            for (i, (y, x)) in y.iter_mut().zip(run.get(self.x)).enumerate() {
                let channel = i / size * width + i % width;
                let keep = key.uniform::<f32>(channel as u32) >= self.rate;
                *y = if keep { x * scale } else { 0.0 };
            }
        });
    }
}

impl Compute for Noise {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let key = run.key(self.stream);
            for (i, (y, x)) in y.iter_mut().zip(run.get(self.x)).enumerate() {
                *y = self.rule.value(key, i as u32, *x);
            }
        });
    }
}

impl Compute for NoiseGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            let key = run.key(self.stream);
            for (i, dx) in dx.iter_mut().enumerate() {
                let derivative = self.rule.derivative(key, i as u32, run.get(self.y)[i]);
                *dx = run.get(self.dy)[i] * derivative;
            }
        });
    }
}
