//! Observation of values, gradients and variables.

use super::{Execute, Part};
use crate::base::histogram::{BINS, bin};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::observe;
use crate::plan::ops::{Count, Keep, Norm, Observe};
use std::slice::{from_raw_parts, from_raw_parts_mut};

impl Execute for Observe {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(observe::Observe {
            x: context.at(self.x),
            y: context.at(self.y),
            width: self.view.width,
            steep: self.steep,
            block: part.columns(),
        });
    }
}

impl Execute for Keep {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let Part::Elements(from, to) = part else {
            unreachable!("it is cut by elements")
        };
        // SAFETY: inside both, whose sizes the verifier has compared; a variable and a temporary
        // share no memory.
        unsafe {
            let (x, y) = (context.at(self.x).add(from), context.at(self.y).add(from));
            std::ptr::copy_nonoverlapping(x, y, to - from);
        }
    }
}

impl Execute for Norm {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        let sum = |scale: f32| -> f64 {
            let of_part = |part: &crate::plan::ops::NormOf| {
                context.isa.run(observe::SquaredDistance {
                    x: context.at(part.x),
                    less: context.at_some(part.less),
                    scale,
                    size: part.size,
                })
            };
            self.parts.iter().map(of_part).sum()
        };
        let mut scale = 1.0;
        let mut squares = sum(scale);
        // Numbers whose squares are too small, or too large, for an `f32`.
        if squares < f64::from(SMALL) {
            scale = 1.0 / SMALL;
            squares = sum(scale);
        } else if !squares.is_finite() {
            scale = SMALL;
            squares = sum(scale);
        }
        // SAFETY: one element, which this task alone writes.
        unsafe { *context.at(self.y) = (squares.sqrt() / f64::from(scale)) as f32 };
    }
}

/// A power of two whose square is an `f32`, as that of its reciprocal is.
const SMALL: f32 = 1.0 / (1u64 << 60) as f32;

impl Execute for Count {
    fn run(&self, context: &Context<'_>, _part: Part<'_>) {
        if !context.step.counting {
            return;
        }
        let mut counts = [0_u32; BINS];
        // SAFETY: the verifier has compared the sizes; whole matrices have no gaps in any layout.
        let (x, y) = unsafe {
            (
                from_raw_parts(context.at(self.x), self.size.of(context.rows)),
                from_raw_parts_mut(context.at(self.y), BINS),
            )
        };
        for &x in x {
            counts[bin(x)] += 1;
        }
        for (y, count) in y.iter_mut().zip(counts) {
            *y = count as f32;
        }
    }
}
