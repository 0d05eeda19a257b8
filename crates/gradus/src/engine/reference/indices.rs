//! Numbers that name something.

use super::Run;
use crate::plan::Op;
use crate::rules::mapping::named;

impl Run<'_> {
    pub(super) fn indices(&mut self, op: &Op) {
        match op {
            Op::Map { rule, x, y, .. } => self.fill(*y, |run, y| rule.apply(run.get(*x), y)),
            Op::FiniteGradient { x, dy, dx, .. } => self.fill(*dx, |run, dx| {
                for (i, dx) in dx.iter_mut().enumerate() {
                    let finite = run.get(*x)[i].is_finite();
                    *dx = if finite { run.get(*dy)[i] } else { 0.0 };
                }
            }),
            Op::Encode {
                x,
                y,
                indices,
                count,
                view,
            } => self.fill(*y, |run, y| {
                let rows = run.get(*x).chunks(*indices);
                for (y, x) in y.chunks_mut(view.width).zip(rows) {
                    y.fill(0.0);
                    for place in x.iter().filter_map(|&x| named(x, view.width)) {
                        y[place] = if *count { y[place] + 1.0 } else { 1.0 };
                    }
                }
            }),
            Op::Embed {
                x,
                w,
                y,
                rows,
                view,
            } => self.fill(*y, |run, y| {
                for (y, &x) in y.chunks_mut(view.width).zip(run.get(*x)) {
                    match named(x, *rows) {
                        Some(row) => {
                            y.copy_from_slice(&run.get(*w)[row * view.width..][..view.width])
                        }
                        None => y.fill(f32::NAN),
                    }
                }
            }),
            Op::EmbedGradient {
                x,
                dy,
                dw,
                rows,
                view,
            } => self.fill(*dw, |run, dw| {
                dw.fill(0.0);
                for (dy, &x) in run.get(*dy).chunks(view.width).zip(run.get(*x)) {
                    let Some(row) = named(x, *rows) else { continue };
                    for (dw, dy) in dw[row * view.width..].iter_mut().zip(dy) {
                        *dw += dy;
                    }
                }
            }),
            _ => {}
        }
    }
}
