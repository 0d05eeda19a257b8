//! Normalization of each row by itself.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::rows;
use crate::plan::ops::{
    L2Normalize, L2NormalizeGradient, LARGEST_INVERSE, LayerNorm, LayerNormGradient,
};

impl Execute for LayerNorm {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        context.isa.run(rows::LayerNorm {
            x: rows.at(self.x, width),
            y: rows.at(self.y, width),
            inverse: rows.at(self.inverse, 1),
            epsilon: self.epsilon,
            rows: rows.count(),
            width,
        });
    }
}

impl Execute for LayerNormGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        context.isa.run(rows::LayerNormGradient {
            y: rows.at(self.y, width),
            inverse: rows.at(self.inverse, 1),
            dy: rows.at(self.dy, width),
            dx: rows.at(self.dx, width),
            rows: rows.count(),
            width,
        });
    }
}

impl Execute for L2Normalize {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // x may be y's memory.
        let (x, y) = (rows.at(self.x, width), rows.at(self.y, width));
        // SAFETY: the verifier has compared the sizes; the rows are this task's.
        let inverses = unsafe { rows.write(self.inverse, 1) };
        for (row, inverse) in inverses.iter_mut().enumerate() {
            let elements = row * width..(row + 1) * width;
            // SAFETY: elements of this task's rows.
            let squares = elements.clone().map(|i| unsafe { *x.add(i) * *x.add(i) });
            *inverse = (1.0 / squares.sum::<f32>().sqrt()).min(LARGEST_INVERSE);
            for i in elements {
                // SAFETY: as above.
                unsafe { *y.add(i) = *x.add(i) * *inverse };
            }
        }
    }
}

impl Execute for L2NormalizeGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, width) = (part.rows(context), self.view.width);
        // dx may be dy's memory.
        let (dy, dx) = (rows.at(self.dy, width), rows.at(self.dx, width));
        // SAFETY: the verifier has compared the sizes; nobody writes to these.
        let (y, inverses) = unsafe { (rows.read(self.y, width), rows.read(self.inverse, 1)) };
        for (row, (y, &inverse)) in y.chunks(width).zip(inverses).enumerate() {
            let start = row * width;
            // A row multiplied by the limit does not have length 1.
            let mut dot = 0.0;
            if inverse < LARGEST_INVERSE {
                for (i, y) in y.iter().enumerate() {
                    // SAFETY: elements of this task's rows.
                    dot += y * unsafe { *dy.add(start + i) };
                }
            }
            for (i, y) in y.iter().enumerate() {
                // SAFETY: as above.
                unsafe {
                    *dx.add(start + i) = (*dy.add(start + i) - y * dot) * inverse;
                }
            }
        }
    }
}
