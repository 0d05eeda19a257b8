//! Augmentation, image by image.

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
            other => unreachable!("{other:?} is no augmentation"),
        }
    }
}
