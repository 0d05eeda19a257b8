//! Batch normalization whose sums are made in parts.

use super::kernel_sum::in_parts;
use super::{Compute, Run};
use crate::plan::ops::{
    BatchMoments, BatchNormApply, BatchNormApplyGradient, BatchNormSums, BiasSums, MergeMoments,
};
use crate::plan::{Buffer, View};

/// Writes the sums of each column over each of a view's parts.
fn sums(run: &mut Run<'_>, view: View, to: Buffer, f: impl Fn(&Run<'_>, usize) -> f32) {
    run.fill(to, |run, to| {
        in_parts(run.rows * view.positions, view.parts(), to, |rows, sums| {
            for i in rows.start * view.width..rows.end * view.width {
                sums[i % view.width] += f(run, i);
            }
        });
    });
}

impl Compute for BatchMoments {
    fn compute(&self, run: &mut Run<'_>) {
        let View { positions, width } = self.view;
        run.fill(self.parts, |run, parts| {
            let x = run.get(self.x);
            in_parts(
                run.rows * positions,
                self.view.parts(),
                parts,
                |rows, moments| {
                    let (mean, deviations) = moments.split_at_mut(width);
                    let n = rows.len() as f32;
                    let numbers = rows.start * width..rows.end * width;
                    for i in numbers.clone() {
                        mean[i % width] += x[i] / n;
                    }
                    for i in numbers {
                        deviations[i % width] += (x[i] - mean[i % width]).powi(2);
                    }
                },
            );
        });
    }
}

impl Compute for MergeMoments {
    fn compute(&self, run: &mut Run<'_>) {
        let View { positions, width } = self.view;
        let (rows, count) = (run.rows * positions, self.view.parts());
        let parts = run.get(self.parts).to_vec();
        let (mut means, mut variances) = (vec![0.0; width], vec![0.0; width]);
        for c in 0..width {
            let of_part = |part: usize| {
                let rows = rows * (part + 1) / count - rows * part / count;
                let at = 2 * part * width + c;
                (rows as f32, parts[at], parts[at + width])
            };
            let sum: f32 = (0..count).map(of_part).map(|(n, mean, _)| n * mean).sum();
            let mean = sum / rows as f32;
            let deviations: f32 = (0..count)
                .map(of_part)
                .map(|(n, of_part, deviations)| deviations + n * (of_part - mean).powi(2))
                .sum();
            (means[c], variances[c]) = (mean, deviations / rows as f32);
        }
        let moved = [
            (self.moving_mean, &means),
            (self.moving_variance, &variances),
        ];
        for (moving, now) in moved {
            for (m, v) in run.buffers[moving.index()].iter_mut().zip(now) {
                *m = *m * self.momentum + v * (1.0 - self.momentum);
            }
        }
        let inverses = variances.iter().map(|v| 1.0 / (v + self.epsilon).sqrt());
        run.set(self.inverse, inverses.collect());
        run.set(self.mean, means);
    }
}

impl Compute for BatchNormApply {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let c = i % self.view.width;
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[c]);
                let beta = self.beta.map_or(0.0, |b| run.get(b)[c]);
                let centered = run.get(self.x)[i] - run.get(self.mean)[c];
                *y = centered * (run.get(self.inverse)[c] * gamma) + beta;
            }
        });
    }
}

impl Compute for BatchNormSums {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        sums(run, self.view, self.dbeta, |run, i| run.get(self.dy)[i]);
        sums(run, self.view, self.dgamma, |run, i| {
            let centered = run.get(self.x)[i] - run.get(self.mean)[i % width];
            run.get(self.dy)[i] * centered * run.get(self.inverse)[i % width]
        });
    }
}

impl Compute for BatchNormApplyGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let n = (run.rows * self.view.positions) as f32;
        run.fill(self.dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let c = i % self.view.width;
                let gamma = self.gamma.map_or(1.0, |g| run.get(g)[c]);
                let inverse = run.get(self.inverse)[c];
                let hat = (run.get(self.x)[i] - run.get(self.mean)[c]) * inverse;
                let (sum, sum_hat) = (run.get(self.dbeta)[c], run.get(self.dgamma)[c]);
                *dx = (run.get(self.dy)[i] - (sum + hat * sum_hat) / n) * (gamma * inverse);
            }
        });
    }
}

impl Compute for BiasSums {
    fn compute(&self, run: &mut Run<'_>) {
        sums(run, self.view, self.parts, |run, i| run.get(self.dy)[i]);
    }
}
