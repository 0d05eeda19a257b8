//! What makes one tensor of several, or takes it apart.

use super::Run;
use crate::plan::Op;
use crate::plan::op::LARGEST_INVERSE;

impl Run<'_> {
    /// What makes one tensor of several, or takes it apart.
    pub(super) fn merge(&mut self, op: &Op) {
        match op {
            Op::Combine { rule, a, b, y, .. } => self.fill(*y, |run, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    *y = rule.value(run.get(*a)[i], run.get(*b)[i]);
                }
            }),
            Op::CombineGradient {
                rule,
                first,
                a,
                b,
                dy,
                dx,
                ..
            } => self.fill(*dx, |run, dx| {
                for (i, dx) in dx.iter_mut().enumerate() {
                    *dx = run.get(*dy)[i] * rule.slope(run.get(*a)[i], run.get(*b)[i], *first);
                }
            }),
            Op::Spread {
                x, y, from, inputs, ..
            } => self.fill(*y, |run, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    let (row, place) = (i / from.len(), from[i % from.len()]);
                    *y = run.get(*x)[row * inputs + place as usize];
                }
            }),
            Op::SpreadGradient {
                dy,
                dx,
                from,
                inputs,
                ..
            } => self.fill(*dx, |run, dx| {
                dx.fill(0.0);
                for (i, dy) in run.get(*dy).iter().enumerate() {
                    let (row, place) = (i / from.len(), from[i % from.len()]);
                    dx[row * inputs + place as usize] += dy;
                }
            }),
            Op::Concatenate { parts, y, view } => self.fill(*y, |run, y| {
                for (row, y) in y.chunks_mut(view.width).enumerate() {
                    let mut start = 0;
                    for &(part, width) in parts {
                        let x = &run.get(part)[row * width..(row + 1) * width];
                        y[start..start + width].copy_from_slice(x);
                        start += width;
                    }
                }
            }),
            Op::Slice {
                x,
                y,
                width,
                start,
                view,
            } => self.fill(*y, |run, y| {
                for (row, y) in y.chunks_mut(view.width).enumerate() {
                    let from = row * width + start;
                    y.copy_from_slice(&run.get(*x)[from..from + view.width]);
                }
            }),
            Op::BatchProduct { a, b, y, of } => self.fill(*y, |run, y| {
                for (i, y) in y.iter_mut().enumerate() {
                    let (matrix, column) = (i / (of.rows * of.columns), i % of.columns);
                    let a = &run.get(*a)[i / of.columns * of.depth..];
                    let b = &run.get(*b)[matrix * of.depth * of.columns..];
                    *y = (0..of.depth)
                        .map(|k| a[k] * b[k * of.columns + column])
                        .sum();
                }
            }),
            Op::UnitRows {
                x,
                y,
                inverse,
                view,
            } => {
                let rows = self.get(*x).chunks(view.width);
                let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
                let inverses: Vec<f32> =
                    rows.map(|x| (1.0 / norm(x)).min(LARGEST_INVERSE)).collect();
                self.fill(*y, |run, y| {
                    for (i, y) in y.iter_mut().enumerate() {
                        *y = run.get(*x)[i] * inverses[i / view.width];
                    }
                });
                self.buffers[inverse.index()] = inverses;
            }
            Op::UnitRowsGradient {
                y,
                inverse,
                dy,
                dx,
                view,
            } => self.fill(*dx, |run, dx| {
                for (row, dx) in dx.chunks_mut(view.width).enumerate() {
                    let of = row * view.width..(row + 1) * view.width;
                    let (y, dy) = (&run.get(*y)[of.clone()], &run.get(*dy)[of]);
                    let inverse = run.get(*inverse)[row];
                    // A row that is multiplied by the most is not of length 1.
                    let dot: f32 = match inverse < LARGEST_INVERSE {
                        true => y.iter().zip(dy).map(|(y, dy)| y * dy).sum(),
                        false => 0.0,
                    };
                    for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                        *dx = (dy - y * dot) * inverse;
                    }
                }
            }),
            other => unreachable!("{other:?} merges nothing"),
        }
    }
}
