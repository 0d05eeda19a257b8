//! Augmentation and other sizes of images, by rows of the batch.

use super::session::Context;
use super::simd::{Kernel, Simd};
use crate::base::random::{Key, Stream};
use crate::plan::Op;
use crate::rules::augment::{Augment, Image, Resize};
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// An operation on rows `from..to` of the batch.
pub(super) fn rows(context: &Context<'_>, op: &Op, from: usize, to: usize) {
    // SAFETY, of this function: the plan's verifier has compared the sizes;
    // `from..to` is inside the batch, and belongs to this task alone. No output
    // shares an input's memory.
    let read = |buffer, size: usize| {
        // SAFETY: see above.
        unsafe { from_raw_parts(context.at(buffer).add(from * size), (to - from) * size) }
    };
    let write = |buffer, size: usize| {
        // SAFETY: see above.
        unsafe { from_raw_parts_mut(context.at(buffer).add(from * size), (to - from) * size) }
    };
    let key = |stream| {
        let step = context.step;
        Key::new(step.seed, Stream::Layer(stream), step.iteration)
    };
    match op {
        Op::Augment {
            rule,
            image,
            x,
            y,
            stream,
        } => context.isa.run(Forward {
            rule,
            image,
            key: key(*stream),
            first: from,
            x: read(*x, image.size()),
            y: write(*y, image.size()),
        }),
        Op::AugmentGradient {
            rule,
            image,
            y,
            dy,
            dx,
            stream,
        } => context.isa.run(Backward {
            rule,
            image,
            key: key(*stream),
            first: from,
            y: y.map_or(&[], |y| read(y, image.size())),
            dy: read(*dy, image.size()),
            dx: write(*dx, image.size()),
        }),
        Op::Resize { rule, x, y, stream } => context.isa.run(Resized {
            rule,
            moved: stream.map_or([0; 2], |stream| rule.draw(key(stream))),
            x: read(*x, rule.from.size()),
            y: write(*y, rule.to.size()),
            back: false,
        }),
        Op::ResizeGradient {
            rule,
            dy,
            dx,
            stream,
        } => context.isa.run(Resized {
            rule,
            moved: stream.map_or([0; 2], |stream| rule.draw(key(stream))),
            x: read(*dy, rule.to.size()),
            y: write(*dx, rule.from.size()),
            back: true,
        }),
        other => unreachable!("{other:?} is no augmentation"),
    }
}

struct Forward<'a> {
    rule: &'a Augment,
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
    rule: &'a Augment,
    image: &'a Image,
    key: Key,
    first: usize,
    /// Empty where it is not needed.
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

/// Images in another size, or the gradient of that.
struct Resized<'a> {
    rule: &'a Resize,
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
