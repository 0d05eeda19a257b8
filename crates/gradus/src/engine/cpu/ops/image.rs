//! Augmentation and resizing of images, by rows of the batch.

use super::{Execute, Part};
use crate::base::random::Key;
use crate::engine::cpu::context::Context;
use crate::engine::cpu::simd::{Kernel, Simd};
use crate::plan::ops::{Augment, AugmentGradient, Resize, ResizeGradient};
use crate::rules::augment::{Augment as AugmentRule, Image, Resize as ResizeRule};

// SAFETY, of every block in this file: the verifier has compared the sizes; the rows are this
// task's, and no output shares an input's memory.

impl Execute for Augment {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, size) = (part.rows(context), self.image.size());
        // SAFETY: see above.
        let (x, y) = unsafe { (rows.read(self.x, size), rows.write(self.y, size)) };
        context.isa.run(Forward {
            rule: &self.rule,
            image: &self.image,
            key: context.key(self.stream),
            first: rows.from,
            x,
            y,
        });
    }
}

impl Execute for AugmentGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, size) = (part.rows(context), self.image.size());
        // SAFETY: see above.
        let (y, dy, dx) = unsafe {
            let y = self.y.map_or(&[][..], |y| rows.read(y, size));
            (y, rows.read(self.dy, size), rows.write(self.dx, size))
        };
        context.isa.run(Backward {
            rule: &self.rule,
            image: &self.image,
            key: context.key(self.stream),
            first: rows.from,
            y,
            dy,
            dx,
        });
    }
}

impl Execute for Resize {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, rule) = (part.rows(context), &*self.rule);
        // SAFETY: see above.
        let (x, y) = unsafe {
            let x = rows.read(self.x, rule.from.size());
            (x, rows.write(self.y, rule.to.size()))
        };
        context.isa.run(Resized {
            rule,
            moved: moved(context, rule, self.stream),
            x,
            y,
            back: false,
        });
    }
}

impl Execute for ResizeGradient {
    fn run(&self, context: &Context<'_>, part: Part<'_>) {
        let (rows, rule) = (part.rows(context), &*self.rule);
        // SAFETY: see above.
        let (dy, dx) = unsafe {
            let dy = rows.read(self.dy, rule.to.size());
            (dy, rows.write(self.dx, rule.from.size()))
        };
        context.isa.run(Resized {
            rule,
            moved: moved(context, rule, self.stream),
            x: dy,
            y: dx,
            back: true,
        });
    }
}

/// The shift of all images of this step.
fn moved(context: &Context<'_>, rule: &ResizeRule, stream: Option<u32>) -> [usize; 2] {
    stream.map_or([0; 2], |stream| rule.draw(context.key(stream)))
}

struct Forward<'a> {
    rule: &'a AugmentRule,
    image: &'a Image,
    key: Key,
    first: usize,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let size = self.image.size();
        let images = self.x.chunks(size).zip(self.y.chunks_mut(size));
        for (row, (x, y)) in (self.first..).zip(images) {
            self.rule.image(self.image, self.key, row, x, y);
        }
    }
}

struct Backward<'a> {
    rule: &'a AugmentRule,
    image: &'a Image,
    key: Key,
    first: usize,
    /// Empty if it is not needed.
    y: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let size = self.image.size();
        let images = self.dy.chunks(size).zip(self.dx.chunks_mut(size));
        for (n, (dy, dx)) in images.enumerate() {
            let y = self.y.get(n * size..(n + 1) * size).unwrap_or_default();
            let row = self.first + n;
            self.rule.gradient(self.image, (self.key, row), y, dy, dx);
        }
    }
}

/// Resizes images, or computes the gradient of that.
struct Resized<'a> {
    rule: &'a ResizeRule,
    moved: [usize; 2],
    x: &'a [f32],
    y: &'a mut [f32],
    back: bool,
}

impl Kernel for Resized<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Simd>(self) {
        let (from, to) = (self.rule.from.size(), self.rule.to.size());
        if self.back {
            for (dy, dx) in self.x.chunks(to).zip(self.y.chunks_mut(from)) {
                self.rule.gradient(self.moved, dy, dx);
            }
        } else {
            for (x, y) in self.x.chunks(from).zip(self.y.chunks_mut(to)) {
                self.rule.image(self.moved, x, y);
            }
        }
    }
}
