//! Products of whole numbers, each sum exact.

use super::{Compute, Run};
use crate::plan::ops::QuantizedMatMul;
use crate::rules::int8;

impl Compute for QuantizedMatMul {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        run.fill(self.y, |run, y| {
            let (w, scale) = (run.get(self.w), run.get(self.scale));
            let rows = run.get(self.x).chunks(dims.inputs);
            for (x, y) in rows.zip(y.chunks_mut(dims.outputs)) {
                let of_row = int8::scale(int8::largest(x));
                let whole = x.iter().map(|&x| int8::whole(x, of_row) as i32);
                let whole: Vec<i32> = whole.collect();
                for (column, y) in y.iter_mut().enumerate() {
                    let weights = w[column..].iter().step_by(dims.outputs);
                    let products = whole.iter().zip(weights).map(|(x, &w)| x * w as i32);
                    *y = products.sum::<i32>() as f32 / (scale[column] * of_row);
                }
            }
        });
    }
}
