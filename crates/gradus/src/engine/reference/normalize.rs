//! Scaling and normalization, by column and by row.

use super::Run;
use crate::plan::Op;
use crate::plan::op::PIECES;

impl Run<'_> {
    pub(super) fn standardize_rows(&mut self, op: &Op) {
        let Op::StandardizeRows {
            x,
            y,
            inverse,
            epsilon,
            view,
        } = op
        else {
            return;
        };
        let n = view.width as f32;
        let mut inverses = Vec::new();
        self.fill(*y, |run, y| {
            let rows = run.get(*x).chunks(view.width);
            for (y, x) in y.chunks_mut(view.width).zip(rows) {
                let mean = x.iter().sum::<f32>() / n;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n;
                let inverse = 1.0 / (variance + epsilon).sqrt();
                for (y, x) in y.iter_mut().zip(x) {
                    *y = (x - mean) * inverse;
                }
                inverses.push(inverse);
            }
        });
        self.buffers[inverse.index()] = inverses;
    }

    pub(super) fn normalize(&mut self, op: &Op) {
        let Op::Normalize {
            x,
            gamma,
            beta,
            moving_mean,
            moving_variance,
            mean,
            inverse,
            y,
            momentum,
            epsilon,
            view,
        } = op
        else {
            return;
        };
        let n = (self.rows * view.positions) as f32;
        let width = view.width;
        let means: Vec<f32> = self
            .column_sums(*view, |run, i| run.get(*x)[i])
            .iter()
            .map(|s| s / n)
            .collect();
        let variances: Vec<f32> = self
            .column_sums(*view, |run, i| (run.get(*x)[i] - means[i % width]).powi(2))
            .iter()
            .map(|s| s / n)
            .collect();
        for (moving, now) in [(moving_mean, &means), (moving_variance, &variances)] {
            for (m, v) in self.buffers[moving.index()].iter_mut().zip(now) {
                *m = *m * momentum + v * (1.0 - momentum);
            }
        }
        let inverses: Vec<f32> = variances
            .iter()
            .map(|v| 1.0 / (v + epsilon).sqrt())
            .collect();
        self.fill(*y, |run, y| {
            for (i, y) in y.iter_mut().enumerate() {
                let c = i % width;
                let gamma = gamma.map_or(1.0, |g| run.get(g)[c]);
                let beta = beta.map_or(0.0, |b| run.get(b)[c]);
                *y = (run.get(*x)[i] - means[c]) * (inverses[c] * gamma) + beta;
            }
        });
        self.buffers[mean.index()] = means;
        self.buffers[inverse.index()] = inverses;
    }

    pub(super) fn normalize_gradient(&mut self, op: &Op) {
        let Op::NormalizeGradient {
            x,
            gamma,
            mean,
            inverse,
            dy,
            dx,
            dgamma,
            dbeta,
            view,
        } = op
        else {
            return;
        };
        let n = (self.rows * view.positions) as f32;
        let width = view.width;
        let hat = |run: &Self, i: usize| {
            (run.get(*x)[i] - run.get(*mean)[i % width]) * run.get(*inverse)[i % width]
        };
        let sum = self.column_sums(*view, |run, i| run.get(*dy)[i]);
        let sum_hat = self.column_sums(*view, |run, i| run.get(*dy)[i] * hat(run, i));
        self.fill(*dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let c = i % width;
                let gamma = gamma.map_or(1.0, |g| run.get(g)[c]);
                let centered = run.get(*dy)[i] - (sum[c] + hat(run, i) * sum_hat[c]) / n;
                *dx = centered * (gamma * run.get(*inverse)[c]);
            }
        });
        for (gradient, values) in [(dgamma, sum_hat), (dbeta, sum)] {
            if let Some(gradient) = gradient {
                self.buffers[gradient.index()] = values;
            }
        }
    }

    pub(super) fn normalized_weight(&mut self, op: &Op) {
        let Op::NormalizedWeight {
            g,
            w,
            gamma,
            beta,
            sums,
            dw,
            parts,
            of,
        } = op
        else {
            return;
        };
        let mut all = vec![0.0; 2 * PIECES * of.inputs];
        let (scales, shifts) = all.split_at_mut(PIECES * of.inputs);
        let pieces = PIECES.min(of.outputs);
        for i in 0..of.inputs * of.outputs {
            let (row, column) = (i / of.outputs, i % of.outputs);
            let piece = column * pieces / of.outputs;
            let w = self.get(*w)[i];
            scales[piece * of.inputs + row] += w * self.get(*g)[i];
            shifts[piece * of.inputs + row] += w * self.get(*sums)[column];
        }
        self.buffers[parts.index()] = all;
        self.fill(*dw, |run, dw| {
            for (i, dw) in dw.iter_mut().enumerate() {
                let (row, column) = (i / of.outputs, i % of.outputs);
                let gamma = gamma.map_or(1.0, |g| run.get(g)[row]);
                let beta = beta.map_or(0.0, |b| run.get(b)[row]);
                *dw = gamma * run.get(*g)[i] + beta * run.get(*sums)[column];
            }
        });
    }

    pub(super) fn normalized_scale(&mut self, op: &Op) {
        let Op::NormalizedScale {
            parts,
            dgamma,
            dbeta,
            of,
        } = op
        else {
            return;
        };
        for (first, gradient) in [(0, dgamma), (PIECES, dbeta)] {
            let Some(gradient) = gradient else { continue };
            self.fill(*gradient, |run, gradient| {
                for (row, sum) in gradient.iter_mut().enumerate() {
                    let piece = |n: usize| run.get(*parts)[(first + n) * of.inputs + row];
                    *sum = (0..PIECES.min(of.outputs)).map(piece).sum();
                }
            });
        }
    }

    pub(super) fn scale_gradient(&mut self, op: &Op) {
        let Op::ScaleGradient {
            x,
            by,
            dy,
            dx,
            dby,
            negative_only,
            view,
        } = op
        else {
            return;
        };
        let kept = |run: &Self, i: usize| *negative_only && run.get(*x)[i] > 0.0;
        let sums = self.column_sums(*view, |run, i| match kept(run, i) {
            true => 0.0,
            false => run.get(*dy)[i] * run.get(*x)[i],
        });
        self.fill(*dx, |run, dx| {
            for (i, dx) in dx.iter_mut().enumerate() {
                let slope = match kept(run, i) {
                    true => 1.0,
                    false => run.get(*by)[i % view.width],
                };
                *dx = run.get(*dy)[i] * slope;
            }
        });
        if let Some(dby) = dby {
            self.buffers[dby.index()] = sums;
        }
    }
}
