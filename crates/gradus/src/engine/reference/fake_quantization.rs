//! Fake quantization of the operands of products.

use super::{Compute, Run};
use crate::plan::ops::{
    ColumnEnds, FakeQuantize, FakeQuantizeGradient, FakeQuantizeWeights, MoveRange,
};
use crate::rules::fake_quantization::{Scale, move_range, passed, round_weights, rounded};

impl Compute for ColumnEnds {
    fn compute(&self, run: &mut Run<'_>) {
        let width = self.view.width;
        let values = &run.get(self.x)[..run.rows * self.view.per_row()];
        let mut ends = vec![f32::INFINITY; width];
        ends.extend(vec![f32::NEG_INFINITY; width]);
        for (n, &x) in values.iter().enumerate() {
            let c = n % width;
            ends[c] = x.min(ends[c]);
            ends[width + c] = x.max(ends[width + c]);
        }
        run.set(self.ends, ends);
    }
}

impl Compute for MoveRange {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.range, |run, range| {
            move_range(range, run.get(self.ends));
        });
    }
}

impl Compute for FakeQuantize {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            let scale = Scale::learned(run.get(self.range));
            for (y, &x) in y.iter_mut().zip(run.get(self.x)) {
                *y = scale.map_or(x, |of| rounded(x, of.scale, of.whole()));
            }
        });
    }
}

impl Compute for FakeQuantizeGradient {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.dx, |run, dx| {
            let scale = Scale::learned(run.get(self.range));
            let of = run.get(self.x).iter().zip(run.get(self.dy));
            for (dx, (&x, &dy)) in dx.iter_mut().zip(of) {
                *dx = scale.map_or(dy, |of| passed(x, dy, of.scale, of.whole()));
            }
        });
    }
}

impl Compute for FakeQuantizeWeights {
    fn compute(&self, run: &mut Run<'_>) {
        run.fill(self.y, |run, y| {
            round_weights(run.get(self.w), self.columns, y);
        });
    }
}
