//! Augmentation and other sizes, image by image.

use super::Run;
use crate::base::random::{Key, Stream};
use crate::plan::Op;

impl Run<'_> {
    pub(super) fn augment(&mut self, op: &Op) {
        let key = |run: &Run<'_>, stream: u32| {
            Key::new(run.step.seed, Stream::Layer(stream), run.step.iteration)
        };
        match op {
            Op::Augment {
                rule,
                image,
                x,
                y,
                stream,
            } => self.fill(*y, |run, y| {
                let (key, size) = (key(run, *stream), image.size());
                let images = run.get(*x).chunks(size).zip(y.chunks_mut(size));
                for (row, (x, y)) in images.enumerate() {
                    rule.image(image, key, row, x, y);
                }
            }),
            Op::AugmentGradient {
                rule,
                image,
                y,
                dy,
                dx,
                stream,
            } => self.fill(*dx, |run, dx| {
                let (key, size) = (key(run, *stream), image.size());
                for (row, dx) in dx.chunks_mut(size).enumerate() {
                    let of = row * size..(row + 1) * size;
                    let y = y.map_or(&[][..], |y| &run.get(y)[of.clone()]);
                    rule.gradient(image, (key, row), y, &run.get(*dy)[of], dx);
                }
            }),
            Op::Resize { rule, x, y, stream } => self.fill(*y, |run, y| {
                let moved = stream.map_or([0; 2], |stream| rule.draw(key(run, stream)));
                let images = run.get(*x).chunks(rule.from.size());
                for (x, y) in images.zip(y.chunks_mut(rule.to.size())) {
                    rule.image(moved, x, y);
                }
            }),
            Op::ResizeGradient {
                rule,
                dy,
                dx,
                stream,
            } => self.fill(*dx, |run, dx| {
                let moved = stream.map_or([0; 2], |stream| rule.draw(key(run, stream)));
                let images = run.get(*dy).chunks(rule.to.size());
                for (dy, dx) in images.zip(dx.chunks_mut(rule.from.size())) {
                    rule.gradient(moved, dy, dx);
                }
            }),
            other => unreachable!("{other:?} is no augmentation"),
        }
    }
}
