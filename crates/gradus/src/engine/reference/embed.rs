//! Elements that are indices.

use super::{Compute, Run};
use crate::plan::ops::{Embed, EmbedGradient, MultiHot};
use crate::rules::mapping::named;

impl Compute for MultiHot {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.y, |run, y| {
            let rows = run.get(self.x).chunks(self.indices);
            for (y, x) in y.chunks_mut(width).zip(rows) {
                y.fill(0.0);
                for place in x.iter().filter_map(|&x| named(x, width)) {
                    y[place] = if self.count { y[place] + 1.0 } else { 1.0 };
                }
            }
        });
    }
}

impl Compute for Embed {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.y, |run, y| {
            for (y, &x) in y.chunks_mut(width).zip(run.get(self.x)) {
                match named(x, self.rows) {
                    Some(row) => y.copy_from_slice(&run.get(self.w)[row * width..][..width]),
                    None => y.fill(f32::NAN),
                }
            }
        });
    }
}

impl Compute for EmbedGradient {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        run.fill(self.dw, |run, dw| {
            dw.fill(0.0);
            for (dy, &x) in run.get(self.dy).chunks(width).zip(run.get(self.x)) {
                let Some(row) = named(x, self.rows) else {
                    continue;
                };
                for (dw, dy) in dw[row * width..].iter_mut().zip(dy) {
                    *dw += dy;
                }
            }
        });
    }
}
