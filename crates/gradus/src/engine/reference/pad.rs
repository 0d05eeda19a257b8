//! Images with zeros around them, or with some pixels cut off.

use super::{Compute, Run};
use crate::plan::ops::Pad;

impl Compute for Pad {
    fn compute(&self, run: &mut Run<'_>) {
        let dims = self.dims;
        run.fill(self.y, |run, y| {
            let x = run.get(self.x);
            let [height, width] = dims.to;
            for (i, y) in y.iter_mut().enumerate() {
                let (pixel, channel) = (i / dims.channels, i % dims.channels);
                let (row, column) = (pixel / width, pixel % width);
                let (image, row) = (row / height, row % height);
                *y = match (dims.pixel(0, row), dims.pixel(1, column)) {
                    (Some(row), Some(column)) => {
                        let row = image * dims.from[0] + row;
                        x[(row * dims.from[1] + column) * dims.channels + channel]
                    }
                    _ => 0.0,
                };
            }
        });
    }
}
