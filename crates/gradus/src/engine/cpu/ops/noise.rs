//! Random changes of each element.

use super::{Execute, Part};
use crate::engine::cpu::context::Context;
use crate::engine::cpu::kernels::{columns, noise};
use crate::plan::ops::{ChannelDropout, Dropout, Noise, NoiseGradient};

impl Execute for Dropout {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(columns::Dropout {
            key: context.key(self.stream),
            above: context.first * self.view.positions,
            rate: self.rate,
            x: context.at(self.x),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for ChannelDropout {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, key) = (part.rows(context), context.key(self.stream));
        let (size, width) = (self.view.per_row(), self.view.width);
        // SAFETY: the verifier has compared the sizes; the rows are this task's, and y shares no
        // memory with x.
        let (x, y) = unsafe { (rows.read(self.x, size), rows.write(self.y, size)) };
        let scale = 1.0 / (1.0 - self.rate);
        for (n, (x, y)) in x.chunks(size).zip(y.chunks_mut(size)).enumerate() {
            for column in 0..width {
                let number = (rows.from + n) * width + column;
                let keep = key.uniform::<f32>(number as u32) >= self.rate;
                let places = y.iter_mut().zip(x).skip(column).step_by(width);
                places.for_each(|(y, x)| *y = if keep { x * scale } else { 0.0 });
            }
        }
    }
}

impl Execute for Noise {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(noise::Noise {
            rule: self.rule,
            key: context.key(self.stream),
            above: context.first * self.view.positions,
            x: context.at(self.x),
            y: context.at(self.y),
            block: part.columns(),
        });
    }
}

impl Execute for NoiseGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        context.isa.run(noise::NoiseGradient {
            rule: self.rule,
            key: context.key(self.stream),
            above: context.first * self.view.positions,
            y: context.at(self.y),
            dy: context.at(self.dy),
            dx: context.at(self.dx),
            block: part.columns(),
        });
    }
}
