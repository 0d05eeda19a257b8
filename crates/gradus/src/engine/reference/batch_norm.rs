//! Batch normalization, by column.

use super::{Compute, Run};
use crate::plan::ops::{
    BatchNormInfer, BatchNormInferGradient, BatchNormTrain, BatchNormTrainGradient,
};

impl Compute for BatchNormTrain {
    fn compute(&self, run: &mut Run<'_>) {
        let n = (run.rows * self.view.positions) as f32;
        let width = self.view.width;
        let means: Vec<f32> = run
            .column_sums(self.view, |run, i| run.get(self.x)[i])
            .iter()
            .map(|s| s / n)
            .collect();
        let variances: Vec<f32> = run
            .column_sums(self.view, |run, i| {
                (run.get(self.x)[i] - means[i % width]).powi(2)
            })
            .iter()
            .map(|s| s / n)
            .collect();
        let moved = [
            (self.moving_mean, &means),
            (self.moving_variance, &variances),
        ];
        for (moving, now) in moved {
            for (m, v) in run.buffers[moving.index()].iter_mut().zip(now) {
                *m = *m * self.momentum + v * (1.0 - self.momentum);
            }
        }
        let inverses: Vec<f32> = variances
            .iter()
            .map(|v| 1.0 / (v + self.epsilon).sqrt())
            .collect();
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let c = i % width;
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[c]);
                let beta = self.beta.map_or(0.0, |b| run.get(b)[c]);
                *y = (run.get(self.x)[i] - means[c]) * (inverses[c] * gamma) + beta;
            }
        });
        run.set(self.mean, means);
        run.set(self.inverse, inverses);
    }
}

impl Compute for BatchNormTrainGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let n = (run.rows * self.view.positions) as f32;
        let width = self.view.width;
        let hat = |run: &Run<'_>, i: usize| {
            (run.get(self.x)[i] - run.get(self.mean)[i % width]) * run.get(self.inverse)[i % width]
        };
        let sum = run.column_sums(self.view, |run, i| run.get(self.dy)[i]);
        let sum_hat = run.column_sums(self.view, |run, i| run.get(self.dy)[i] * hat(run, i));
        run.fill(self.dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let c = i % width;
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[c]);
                let centered = run.get(self.dy)[i] - (sum[c] + hat(run, i) * sum_hat[c]) / n;
                *dx = centered * (gamma * run.get(self.inverse)[c]);
            }
        });
        for (gradient, values) in [(self.dgamma, sum_hat), (self.dbeta, sum)] {
            if let Some(gradient) = gradient {
                run.set(gradient, values);
            }
        }
    }
}

impl Compute for BatchNormInfer {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let c = i % self.view.width;
                let inverse = 1.0 / (run.get(self.variance)[c] + self.epsilon).sqrt();
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[c]);
                let beta = self.beta.map_or(0.0, |b| run.get(b)[c]);
                *y = (run.get(self.x)[i] - run.get(self.mean)[c]) * (inverse * gamma) + beta;
            }
        });
    }
}

impl Compute for BatchNormInferGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let c = i % self.view.width;
                let inverse = 1.0 / (run.get(self.variance)[c] + self.epsilon).sqrt();
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[c]);
                *dx = run.get(self.dy)[i] * (inverse * gamma);
            }
        });
    }
}
