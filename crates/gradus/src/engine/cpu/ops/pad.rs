//! Images with zeros around them, or with some pixels cut off.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::plan::ops::Pad;

impl Execute for Pad {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, dims) = (part.rows(context), self.dims);
        let channels = dims.channels;
        let (from, to) = (dims.from[1] * channels, dims.to[1] * channels);
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and y shares no
        // memory with x.
        let (x, y) = unsafe {
            let x = rows.read(self.x, dims.from[0] * from);
            (x, rows.write(self.y, dims.to[0] * to))
        };
        let columns = 0..dims.to[1];
        let first = columns.clone().find(|&at| dims.pixel(1, at).is_some());
        let count = columns.filter(|&at| dims.pixel(1, at).is_some()).count() * channels;
        let first = first.unwrap_or(0);
        let start = dims.pixel(1, first).unwrap_or(0) * channels;
        let images = x
            .chunks(dims.from[0] * from)
            .zip(y.chunks_mut(dims.to[0] * to));
        for (x, y) in images {
            for (row, y) in y.chunks_mut(to).enumerate() {
                y.fill(0.0);
                if let Some(row) = dims.pixel(0, row) {
                    let x = &x[row * from + start..][..count];
                    y[first * channels..][..count].copy_from_slice(x);
                }
            }
        }
    }
}
